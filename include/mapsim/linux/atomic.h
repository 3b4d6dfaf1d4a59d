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

struct kref {
	refcount_t refcount;
};

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

#endif
