/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/xarray.h>, <linux/idr.h>. Marks, ranges of several indices and xa_state are not modelled,
 * and so not there.
 */
#include <mapsim/linux.h>
#ifndef MAPSIM_LINUX_XARRAY_H
#define MAPSIM_LINUX_XARRAY_H

struct xarray {
	spinlock_t xa_lock;
	gfp_t xa_flags;
	void *xa_head;
};

struct xa_limit {
	u32 max, min; ///< both inclusive
};

#define XA_FLAGS_ALLOC 0x4u
#define XA_FLAGS_ALLOC1 0xcu
#define XA_FLAGS_LOCK_IRQ 0x1u
#define XA_FLAGS_LOCK_BH 0x2u
#define XA_FLAGS_ACCOUNT 0x20u
#define XA_PRESENT 8u
#define XA_LIMIT(low, high) ((struct xa_limit){ .min = (low), .max = (high) })
#define xa_limit_32b XA_LIMIT(0, UINT_MAX)
#define xa_limit_31b XA_LIMIT(0, INT_MAX)
#define xa_limit_16b XA_LIMIT(0, USHRT_MAX)
/* What is reserved, and reads as nothing. */
#define XA_ZERO_ENTRY ((void *)1030UL)

#define XARRAY_INIT(name, flags) \
	{ \
		.xa_lock = __SPIN_LOCK_UNLOCKED(name.xa_lock), .xa_flags = (flags) \
	}
#define DEFINE_XARRAY_FLAGS(name, flags) struct xarray name = XARRAY_INIT(name, flags)
#define DEFINE_XARRAY(name) DEFINE_XARRAY_FLAGS(name, 0)
#define DEFINE_XARRAY_ALLOC(name) DEFINE_XARRAY_FLAGS(name, XA_FLAGS_ALLOC)
#define DEFINE_XARRAY_ALLOC1(name) DEFINE_XARRAY_FLAGS(name, XA_FLAGS_ALLOC1)
#define xa_init_flags(xa, flags) (*(xa) = (struct xarray)XARRAY_INIT(*(xa), flags))
#define xa_init(xa) xa_init_flags(xa, 0)

#define xa_lock(xa) spin_lock(&(xa)->xa_lock)
#define xa_unlock(xa) spin_unlock(&(xa)->xa_lock)
#define xa_lock_irq(xa) xa_lock(xa)
#define xa_unlock_irq(xa) xa_unlock(xa)
#define xa_lock_bh(xa) xa_lock(xa)
#define xa_unlock_bh(xa) xa_unlock(xa)
#define xa_lock_irqsave(xa, flags) spin_lock_irqsave(&(xa)->xa_lock, flags)
#define xa_unlock_irqrestore(xa, flags) spin_unlock_irqrestore(&(xa)->xa_lock, flags)

static inline void *xa_mk_value(unsigned long v)
{
	return (void *)((v << 1) | 1);
}

static inline unsigned long xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}

static inline bool xa_is_value(const void *entry)
{
	return (unsigned long)entry & 1;
}

static inline bool xa_is_err(const void *entry)
{
	return IS_ERR(entry);
}

static inline int xa_err(void *entry)
{
	return IS_ERR(entry) ? (int)PTR_ERR(entry) : 0;
}

static inline bool xa_is_zero(const void *entry)
{
	return entry == XA_ZERO_ENTRY;
}

static inline bool xa_empty(const struct xarray *xa)
{
	return !xa->xa_head;
}

static inline void *ms_xa_shown(void *entry)
{
	return xa_is_zero(entry) ? NULL : entry;
}

static inline void *xa_load(struct xarray *xa, unsigned long index)
{
	return ms_xa_shown(ms_linux_xa_load(&xa->xa_head, index));
}

/* Under the lock, which is given up where memory is to be had. Answers what was there; an ERR_PTR. */
static inline void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	void *former = ms_xa_shown(ms_linux_xa_load(&xa->xa_head, index));
	int err = ms_linux_xa_store(&xa->xa_head, index, entry, gfp & ~MS_LINUX_GFP_MAY_SLEEP);

	return err ? ERR_PTR(err) : former;
}

static inline void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	void *former;

	if (gfp & MS_LINUX_GFP_MAY_SLEEP)
		ms_linux_might_sleep("xa_store");
	xa_lock(xa);
	former = __xa_store(xa, index, entry, gfp);
	xa_unlock(xa);
	return former;
}

static inline void *__xa_erase(struct xarray *xa, unsigned long index)
{
	return __xa_store(xa, index, NULL, 0);
}

static inline void *xa_erase(struct xarray *xa, unsigned long index)
{
	return xa_store(xa, index, NULL, 0);
}

static inline void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry,
				 gfp_t gfp)
{
	void *former = xa_load(xa, index);

	return former == old ? __xa_store(xa, index, entry, gfp) : former;
}

static inline void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry,
			       gfp_t gfp)
{
	void *former = xa_load(xa, index);

	return former == old ? xa_store(xa, index, entry, gfp) : former;
}

/* -EBUSY: there is an entry. */
static inline int __must_check xa_insert(struct xarray *xa, unsigned long index, void *entry,
					 gfp_t gfp)
{
	if (ms_linux_xa_load(&xa->xa_head, index))
		return -EBUSY;
	return xa_err(xa_store(xa, index, entry ? entry : XA_ZERO_ENTRY, gfp));
}

#define __xa_insert(xa, index, entry, gfp) \
	(ms_linux_xa_load(&(xa)->xa_head, index) \
		 ? -EBUSY \
		 : xa_err(__xa_store(xa, index, (entry) ? (entry) : XA_ZERO_ENTRY, gfp)))
#define xa_reserve(xa, index, gfp) xa_insert(xa, index, NULL, gfp)

/* -EBUSY: no index of the limit is free. */
static inline int __must_check __xa_alloc(struct xarray *xa, u32 *id, void *entry,
					  struct xa_limit limit, gfp_t gfp)
{
	const u32 first = (xa->xa_flags & XA_FLAGS_ALLOC1) == XA_FLAGS_ALLOC1 ? 1 : 0;
	unsigned long index;
	int err;

	if (!ms_linux_xa_unused(&xa->xa_head, max(limit.min, first), limit.max, &index))
		return -EBUSY;
	err = xa_err(__xa_store(xa, index, entry ? entry : XA_ZERO_ENTRY, gfp));
	if (!err)
		*id = (u32)index;
	return err;
}

static inline int __must_check xa_alloc(struct xarray *xa, u32 *id, void *entry,
					struct xa_limit limit, gfp_t gfp)
{
	int err;

	if (gfp & MS_LINUX_GFP_MAY_SLEEP)
		ms_linux_might_sleep("xa_alloc");
	xa_lock(xa);
	err = __xa_alloc(xa, id, entry, limit, gfp);
	xa_unlock(xa);
	return err;
}

/* 1: it began again at the limit's start. */
static inline int __xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit,
				    u32 *next, gfp_t gfp)
{
	const struct xa_limit from = XA_LIMIT(max(limit.min, *next), limit.max);
	int wrapped = 0, err = from.min > from.max ? -EBUSY : __xa_alloc(xa, id, entry, from, gfp);

	if (err == -EBUSY && from.min > limit.min) {
		err = __xa_alloc(xa, id, entry, limit, gfp);
		wrapped = 1;
	}
	if (err)
		return err;
	*next = *id + 1;
	return wrapped;
}

static inline int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit,
				  u32 *next, gfp_t gfp)
{
	int answer;

	xa_lock(xa);
	answer = __xa_alloc_cyclic(xa, id, entry, limit, next, gfp);
	xa_unlock(xa);
	return answer;
}

/* filter: XA_PRESENT alone. */
static inline void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max,
			    unsigned int filter)
{
	unsigned long from = *index, found;
	void *entry;

	(void)filter;
	while (ms_linux_xa_next(&xa->xa_head, from, max, &found, &entry)) {
		if (!xa_is_zero(entry)) {
			*index = found;
			return entry;
		}
		if (found == max)
			break;
		from = found + 1;
	}
	return NULL;
}

static inline void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
				  unsigned int filter)
{
	unsigned long from = *index + 1;
	void *entry = from ? xa_find(xa, &from, max, filter) : NULL;

	if (entry)
		*index = from;
	return entry;
}

#define xa_for_each_range(xa, index, entry, start, last) \
	for (index = (start), entry = xa_find(xa, &index, last, XA_PRESENT); entry; \
	     entry = xa_find_after(xa, &index, last, XA_PRESENT))
#define xa_for_each_start(xa, index, entry, start) \
	xa_for_each_range(xa, index, entry, start, ULONG_MAX)
#define xa_for_each(xa, index, entry) xa_for_each_start(xa, index, entry, 0)

static inline void xa_destroy(struct xarray *xa)
{
	ms_linux_xa_destroy(&xa->xa_head);
}

/* ---- <linux/idr.h> ---- */

struct idr {
	struct xarray idr_rt;
	unsigned int idr_base, idr_next;
};

#define IDR_INIT_BASE(name, base) \
	{ \
		.idr_rt = XARRAY_INIT(name.idr_rt, XA_FLAGS_ALLOC), .idr_base = (base) \
	}
#define IDR_INIT(name) IDR_INIT_BASE(name, 0)
#define DEFINE_IDR(name) struct idr name = IDR_INIT(name)
#define idr_init_base(idr, base) (*(idr) = (struct idr)IDR_INIT_BASE(*(idr), base))
#define idr_init(idr) idr_init_base(idr, 0)
#define idr_preload(gfp) ms_linux_might_sleep("idr_preload")
#define idr_preload_end() barrier()

/* The first free one of [start, end); end 0 or less: up to INT_MAX. -ENOSPC, -ENOMEM, -EINVAL. */
static inline int idr_alloc(struct idr *idr, void *ptr, int start, int end, gfp_t gfp)
{
	const unsigned long last = end > 0 ? (unsigned long)end - 1 : INT_MAX;
	unsigned long index;
	int err;

	if (WARN_ON_ONCE(start < 0))
		return -EINVAL;
	if ((unsigned long)start > last ||
	    !ms_linux_xa_unused(&idr->idr_rt.xa_head, max((unsigned int)start, idr->idr_base), last,
				&index))
		return -ENOSPC;
	err = ms_linux_xa_store(&idr->idr_rt.xa_head, index, ptr ? ptr : XA_ZERO_ENTRY, gfp);
	return err ? err : (int)index;
}

static inline int idr_alloc_cyclic(struct idr *idr, void *ptr, int start, int end, gfp_t gfp)
{
	int id = idr_alloc(idr, ptr, max(start, (int)idr->idr_next), end, gfp);

	if (id == -ENOSPC)
		id = idr_alloc(idr, ptr, start, end, gfp);
	if (id >= 0)
		idr->idr_next = (unsigned int)id + 1;
	return id;
}

static inline void *idr_find(const struct idr *idr, unsigned long id)
{
	return ms_xa_shown(ms_linux_xa_load(&idr->idr_rt.xa_head, id));
}

static inline void *idr_remove(struct idr *idr, unsigned long id)
{
	void *former = idr_find(idr, id);

	ms_linux_xa_store(&idr->idr_rt.xa_head, id, NULL, 0);
	return former;
}

static inline void *idr_replace(struct idr *idr, void *ptr, unsigned long id)
{
	void *former = ms_linux_xa_load(&idr->idr_rt.xa_head, id);

	if (!former)
		return ERR_PTR(-ENOENT);
	ms_linux_xa_store(&idr->idr_rt.xa_head, id, ptr ? ptr : XA_ZERO_ENTRY, 0);
	return ms_xa_shown(former);
}

static inline void *idr_get_next(struct idr *idr, int *id)
{
	unsigned long index = (unsigned long)*id;
	void *entry = *id < 0 ? NULL : xa_find(&idr->idr_rt, &index, INT_MAX, XA_PRESENT);

	if (entry)
		*id = (int)index;
	return entry;
}

static inline int idr_for_each(const struct idr *idr, int (*fn)(int id, void *p, void *data),
			       void *data)
{
	unsigned long from = 0, index;
	void *entry;
	int answer = 0;

	while (!answer && ms_linux_xa_next(&idr->idr_rt.xa_head, from, INT_MAX, &index, &entry)) {
		if (!xa_is_zero(entry))
			answer = fn((int)index, entry, data);
		from = index + 1;
	}
	return answer;
}

#define idr_for_each_entry(idr, entry, id) \
	for (id = 0; ((entry) = (__typeof__(entry))idr_get_next(idr, &(id))) != NULL; id += 1U)

static inline bool idr_is_empty(const struct idr *idr)
{
	return xa_empty(&idr->idr_rt);
}

static inline void idr_destroy(struct idr *idr)
{
	xa_destroy(&idr->idr_rt);
}

/* ---- numbers alone ---- */

struct ida {
	struct xarray xa;
};

#define IDA_INIT(name) \
	{ \
		.xa = XARRAY_INIT(name.xa, XA_FLAGS_ALLOC) \
	}
#define DEFINE_IDA(name) struct ida name = IDA_INIT(name)
#define ida_init(ida) (*(ida) = (struct ida)IDA_INIT(*(ida)))

/* min and max are inclusive. -ENOSPC, -ENOMEM. */
static inline int ida_alloc_range(struct ida *ida, unsigned int min, unsigned int max, gfp_t gfp)
{
	unsigned long index;
	int err;

	if (max > INT_MAX)
		max = INT_MAX;
	if (min > max || !ms_linux_xa_unused(&ida->xa.xa_head, min, max, &index))
		return -ENOSPC;
	err = ms_linux_xa_store(&ida->xa.xa_head, index, XA_ZERO_ENTRY, gfp);
	return err ? err : (int)index;
}

#define ida_alloc(ida, gfp) ida_alloc_range(ida, 0, ~0u, gfp)
#define ida_alloc_min(ida, min, gfp) ida_alloc_range(ida, min, ~0u, gfp)
#define ida_alloc_max(ida, max, gfp) ida_alloc_range(ida, 0, max, gfp)
#if MS_LINUX_BEFORE(6, 9)
#define ida_simple_get(ida, start, end, gfp) \
	ida_alloc_range(ida, start, (end) ? (end)-1 : ~0u, gfp)
#define ida_simple_remove(ida, id) ida_free(ida, id)
#endif

static inline void ida_free(struct ida *ida, unsigned int id)
{
	if (!ms_linux_xa_load(&ida->xa.xa_head, id))
		ms_linux_violation("ida_free called for an id which is not allocated");
	else
		ms_linux_xa_store(&ida->xa.xa_head, id, NULL, 0);
}

static inline bool ida_is_empty(const struct ida *ida)
{
	return xa_empty(&ida->xa);
}

static inline void ida_destroy(struct ida *ida)
{
	xa_destroy(&ida->xa);
}

#endif
