/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters: <linux/atomic.h>, <linux/refcount.h>, <linux/kref.h>. One thread: plain integers. */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_ATOMIC_H)
#define MAPSIM_LINUX_ATOMIC_H

typedef struct {
	int counter;
} atomic_t;

#define ATOMIC_INIT(i) \
	{ \
		(i) \
	}

static inline int atomic_read(const atomic_t *v)
{
	return v->counter;
}

static inline void atomic_set(atomic_t *v, int i)
{
	v->counter = i;
}

static inline void atomic_add(int i, atomic_t *v)
{
	v->counter += i;
}

static inline void atomic_sub(int i, atomic_t *v)
{
	v->counter -= i;
}

static inline void atomic_inc(atomic_t *v)
{
	v->counter++;
}

static inline void atomic_dec(atomic_t *v)
{
	v->counter--;
}

static inline int atomic_inc_return(atomic_t *v)
{
	return ++v->counter;
}

static inline int atomic_dec_return(atomic_t *v)
{
	return --v->counter;
}

static inline bool atomic_dec_and_test(atomic_t *v)
{
	return --v->counter == 0;
}

static inline int atomic_cmpxchg(atomic_t *v, int old, int new_value)
{
	int found = v->counter;

	if (found == old)
		v->counter = new_value;
	return found;
}

static inline int atomic_xchg(atomic_t *v, int new_value)
{
	int found = v->counter;

	v->counter = new_value;
	return found;
}

static inline void atomic_or(int i, atomic_t *v)
{
	v->counter |= i;
}

static inline void atomic_and(int i, atomic_t *v)
{
	v->counter &= i;
}

#define MS_LINUX_ATOMIC(name, type, word) \
	static inline word name##_add_return(word i, type *v) \
	{ \
		return v->counter += i; \
	} \
	static inline word name##_sub_return(word i, type *v) \
	{ \
		return v->counter -= i; \
	} \
	static inline word name##_fetch_add(word i, type *v) \
	{ \
		return (v->counter += i) - i; \
	} \
	static inline word name##_fetch_sub(word i, type *v) \
	{ \
		return (v->counter -= i) + i; \
	} \
	static inline word name##_fetch_inc(type *v) \
	{ \
		return v->counter++; \
	} \
	static inline word name##_fetch_or(word i, type *v) \
	{ \
		word former = v->counter; \
\
		v->counter |= i; \
		return former; \
	} \
	static inline bool name##_sub_and_test(word i, type *v) \
	{ \
		return (v->counter -= i) == 0; \
	} \
	static inline bool name##_inc_and_test(type *v) \
	{ \
		return ++v->counter == 0; \
	} \
	static inline bool name##_add_negative(word i, type *v) \
	{ \
		return (v->counter += i) < 0; \
	} \
	/* Adds i unless the counter is u; answers what it was. */ \
	static inline word name##_fetch_add_unless(type *v, word i, word u) \
	{ \
		word former = v->counter; \
\
		if (former != u) \
			v->counter += i; \
		return former; \
	} \
	static inline bool name##_add_unless(type *v, word i, word u) \
	{ \
		return name##_fetch_add_unless(v, i, u) != u; \
	} \
	static inline bool name##_inc_not_zero(type *v) \
	{ \
		return name##_add_unless(v, 1, 0); \
	} \
	static inline bool name##_inc_unless_negative(type *v) \
	{ \
		if (v->counter < 0) \
			return false; \
		v->counter++; \
		return true; \
	} \
	static inline bool name##_dec_unless_positive(type *v) \
	{ \
		if (v->counter > 0) \
			return false; \
		v->counter--; \
		return true; \
	} \
	/* Takes one away unless that would make it negative; answers the number minus one. */ \
	static inline word name##_dec_if_positive(type *v) \
	{ \
		word less = v->counter - 1; \
\
		if (less >= 0) \
			v->counter = less; \
		return less; \
	} \
	static inline bool name##_try_cmpxchg(type *v, word *old, word new_value) \
	{ \
		if (v->counter == *old) { \
			v->counter = new_value; \
			return true; \
		} \
		*old = v->counter; \
		return false; \
	}

MS_LINUX_ATOMIC(atomic, atomic_t, int)

#define atomic_read_acquire(v) atomic_read(v)
#define atomic_set_release(v, i) atomic_set(v, i)
#define smp_mb__before_atomic() barrier()
#define smp_mb__after_atomic() barrier()

/* ---- of 64 bits, and as wide as a long ---- */

typedef struct {
	s64 counter;
} atomic64_t;

typedef struct {
	long counter;
} atomic_long_t;

#define ATOMIC64_INIT(i) ATOMIC_INIT(i)
#define ATOMIC_LONG_INIT(i) ATOMIC_INIT(i)

#define MS_LINUX_ATOMIC_WIDE(name, type, word) \
	static inline word name##_read(const type *v) \
	{ \
		return v->counter; \
	} \
	static inline void name##_set(type *v, word i) \
	{ \
		v->counter = i; \
	} \
	static inline void name##_add(word i, type *v) \
	{ \
		v->counter += i; \
	} \
	static inline void name##_sub(word i, type *v) \
	{ \
		v->counter -= i; \
	} \
	static inline void name##_inc(type *v) \
	{ \
		v->counter++; \
	} \
	static inline void name##_dec(type *v) \
	{ \
		v->counter--; \
	} \
	static inline word name##_inc_return(type *v) \
	{ \
		return ++v->counter; \
	} \
	static inline word name##_dec_return(type *v) \
	{ \
		return --v->counter; \
	} \
	static inline bool name##_dec_and_test(type *v) \
	{ \
		return --v->counter == 0; \
	} \
	static inline word name##_xchg(type *v, word new_value) \
	{ \
		word former = v->counter; \
\
		v->counter = new_value; \
		return former; \
	} \
	static inline word name##_cmpxchg(type *v, word old, word new_value) \
	{ \
		word former = v->counter; \
\
		if (former == old) \
			v->counter = new_value; \
		return former; \
	}

MS_LINUX_ATOMIC_WIDE(atomic64, atomic64_t, s64)
MS_LINUX_ATOMIC(atomic64, atomic64_t, s64)
MS_LINUX_ATOMIC_WIDE(atomic_long, atomic_long_t, long)
MS_LINUX_ATOMIC(atomic_long, atomic_long_t, long)

/* Of plain variables. */
#define xchg(pointer, new_value) \
	({ \
		__typeof__(pointer) ms_at = (pointer); \
		__typeof__(*ms_at) ms_former = *ms_at; \
		*ms_at = (new_value); \
		ms_former; \
	})
#define cmpxchg(pointer, old, new_value) \
	({ \
		__typeof__(pointer) ms_at = (pointer); \
		__typeof__(*ms_at) ms_former = *ms_at; \
		if (ms_former == (old)) \
			*ms_at = (new_value); \
		ms_former; \
	})

/* ---- the last one takes a lock ---- */

/* true: the count became 0, and the mutex is held. */
static inline int atomic_dec_and_mutex_lock(atomic_t *count, struct mutex *lock)
{
	if (atomic_add_unless(count, -1, 1))
		return 0;
	mutex_lock(lock);
	if (atomic_dec_and_test(count))
		return 1;
	mutex_unlock(lock);
	return 0;
}

static inline bool ms_linux_atomic_dec_and_lock(atomic_t *count, spinlock_t *lock)
{
	if (atomic_add_unless(count, -1, 1))
		return false;
	spin_lock(lock);
	if (atomic_dec_and_test(count))
		return true;
	spin_unlock(lock);
	return false;
}
#define atomic_dec_and_lock(count, lock) ms_linux_atomic_dec_and_lock(count, lock)

/* ---- a count that complains ---- */

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

#define REFCOUNT_INIT(n) \
	{ \
		.refs = ATOMIC_INIT(n) \
	}

static inline void refcount_set(refcount_t *r, int n)
{
	r->refs.counter = n;
}

static inline unsigned int refcount_read(const refcount_t *r)
{
	return (unsigned int)r->refs.counter;
}

static inline void refcount_inc(refcount_t *r)
{
	if (r->refs.counter <= 0)
		ms_linux_violation("refcount_t: addition on 0; use-after-free");
	r->refs.counter++;
}

static inline bool __must_check refcount_inc_not_zero(refcount_t *r)
{
	if (!r->refs.counter)
		return false;
	r->refs.counter++;
	return true;
}

static inline bool __must_check refcount_dec_and_test(refcount_t *r)
{
	if (r->refs.counter <= 0)
		ms_linux_violation("refcount_t: underflow; use-after-free");
	return --r->refs.counter == 0;
}

static inline void refcount_dec(refcount_t *r)
{
	if (r->refs.counter <= 1)
		ms_linux_violation("refcount_t: decrement hit 0; leaking memory");
	r->refs.counter--;
}

static inline bool __must_check refcount_dec_not_one(refcount_t *r)
{
	if (r->refs.counter == 1)
		return false;
	refcount_dec(r);
	return true;
}

static inline bool __must_check refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *lock)
{
	if (refcount_dec_not_one(r))
		return false;
	mutex_lock(lock);
	if (refcount_dec_and_test(r))
		return true;
	mutex_unlock(lock);
	return false;
}

static inline bool __must_check refcount_dec_and_lock(refcount_t *r, spinlock_t *lock)
{
	if (refcount_dec_not_one(r))
		return false;
	spin_lock(lock);
	if (refcount_dec_and_test(r))
		return true;
	spin_unlock(lock);
	return false;
}

static inline void refcount_add(int i, refcount_t *r)
{
	if (r->refs.counter <= 0)
		ms_linux_violation("refcount_t: addition on 0; use-after-free");
	r->refs.counter += i;
}

static inline bool __must_check refcount_sub_and_test(int i, refcount_t *r)
{
	if (r->refs.counter < i)
		ms_linux_violation("refcount_t: underflow; use-after-free");
	return (r->refs.counter -= i) == 0;
}

struct kref {
	refcount_t refcount;
};

#define KREF_INIT(n) \
	{ \
		.refcount = REFCOUNT_INIT(n) \
	}

static inline void kref_init(struct kref *kref)
{
	refcount_set(&kref->refcount, 1);
}

static inline unsigned int kref_read(const struct kref *kref)
{
	return refcount_read(&kref->refcount);
}

static inline void kref_get(struct kref *kref)
{
	refcount_inc(&kref->refcount);
}

static inline int __must_check kref_get_unless_zero(struct kref *kref)
{
	return refcount_inc_not_zero(&kref->refcount);
}

static inline int kref_put(struct kref *kref, void (*release)(struct kref *kref))
{
	if (!refcount_dec_and_test(&kref->refcount))
		return 0;
	release(kref);
	return 1;
}

static inline int kref_put_mutex(struct kref *kref, void (*release)(struct kref *kref),
				 struct mutex *lock)
{
	if (!refcount_dec_and_mutex_lock(&kref->refcount, lock))
		return 0;
	release(kref);
	return 1;
}

static inline int kref_put_lock(struct kref *kref, void (*release)(struct kref *kref),
				spinlock_t *lock)
{
	if (!refcount_dec_and_lock(&kref->refcount, lock))
		return 0;
	release(kref);
	return 1;
}

#endif
