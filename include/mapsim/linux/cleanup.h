/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/cleanup.h>, beside the guards of mutex.h: what is freed, or ended, where its scope ends.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_CLEANUP_H)
#define MAPSIM_LINUX_CLEANUP_H

/* DEFINE_FREE(kfree, void *, if (_T) kfree(_T)), then: void *p __free(kfree) = NULL; */
#define DEFINE_FREE(name, type, free_it) \
	static inline void __free_##name(void *p) \
	{ \
		type _T = *(type *)p; \
		free_it; \
	}
#define __free(name) __attribute__((__cleanup__(__free_##name), __unused__))

#define __get_and_null(p, nullvalue) \
	({ \
		__typeof__(p) ms_value = (p); \
		(p) = nullvalue; \
		ms_value; \
	})
#define no_free_ptr(p) __get_and_null(p, NULL)
#define return_ptr(p) return no_free_ptr(p)
#define retain_and_null_ptr(p) ((void)no_free_ptr(p))

#define DEFINE_CLASS(name, type, exit, init, ...) \
	typedef type class_##name##_t; \
	static inline class_##name##_t class_##name##_constructor(__VA_ARGS__) \
	{ \
		type t = init; \
		return t; \
	} \
	static inline void class_##name##_destructor(class_##name##_t *p) \
	{ \
		type _T = *p; \
		exit; \
	}

#define DEFINE_GUARD(name, type, lock, unlock) \
	DEFINE_CLASS( \
		name, type, if (_T) { unlock; }, ({ \
			lock; \
			_T; \
		}), \
		type _T)

DEFINE_FREE(kfree, void *, if (!IS_ERR_OR_NULL(_T)) kfree(_T))
DEFINE_FREE(kvfree, void *, if (!IS_ERR_OR_NULL(_T)) kvfree(_T))
DEFINE_FREE(vfree, void *, if (_T) vfree(_T))
DEFINE_FREE(bitmap, unsigned long *, if (_T) bitmap_free(_T))
DEFINE_FREE(fput, struct file *, if (!IS_ERR_OR_NULL(_T)) fput(_T))

/* guard(rcu)() */
typedef struct {
	bool held;
} class_rcu_t;

static inline class_rcu_t class_rcu_constructor(void)
{
	rcu_read_lock();
	return (class_rcu_t){ true };
}

static inline void class_rcu_destructor(class_rcu_t *held)
{
	if (held->held)
		rcu_read_unlock();
}

#endif
