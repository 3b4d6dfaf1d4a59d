/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of <linux/slab.h> that newer kernels have (from 7.0 on, and 6.12.y by 6.12.117):
 * allocations by type, with GFP_KERNEL unless said.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_ALLOC_OBJ_H)
#define MAPSIM_LINUX_ALLOC_OBJ_H

#if MS_LINUX_SINCE(7, 0) || (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 117) && \
			     LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0))
#define __default_gfp(a, b, ...) b
#define default_gfp(...) __default_gfp(, ##__VA_ARGS__, GFP_KERNEL)

#define MS_LINUX_OBJS(alloc, gfp, type, count) ((type *)alloc(size_mul(sizeof(type), (count)), gfp))
#define MS_LINUX_FLEX(alloc, gfp, type, member, count) \
	((type *)alloc(struct_size_t(type, member, (count)), gfp))

#define kmalloc_obj(p, ...) \
	MS_LINUX_OBJS(kmalloc, default_gfp(__VA_ARGS__), __typeof__(p), 1)
#define kmalloc_objs(p, count, ...) \
	MS_LINUX_OBJS(kmalloc, default_gfp(__VA_ARGS__), __typeof__(p), count)
#define kmalloc_flex(p, member, count, ...) \
	MS_LINUX_FLEX(kmalloc, default_gfp(__VA_ARGS__), __typeof__(p), member, count)
#define kzalloc_obj(p, ...) \
	MS_LINUX_OBJS(kzalloc, default_gfp(__VA_ARGS__), __typeof__(p), 1)
#define kzalloc_objs(p, count, ...) \
	MS_LINUX_OBJS(kzalloc, default_gfp(__VA_ARGS__), __typeof__(p), count)
#define kzalloc_flex(p, member, count, ...) \
	MS_LINUX_FLEX(kzalloc, default_gfp(__VA_ARGS__), __typeof__(p), member, count)
#define kvmalloc_obj(p, ...) \
	MS_LINUX_OBJS(kvmalloc, default_gfp(__VA_ARGS__), __typeof__(p), 1)
#define kvmalloc_objs(p, count, ...) \
	MS_LINUX_OBJS(kvmalloc, default_gfp(__VA_ARGS__), __typeof__(p), count)
#define kvmalloc_flex(p, member, count, ...) \
	MS_LINUX_FLEX(kvmalloc, default_gfp(__VA_ARGS__), __typeof__(p), member, count)
#define kvzalloc_obj(p, ...) \
	MS_LINUX_OBJS(kvzalloc, default_gfp(__VA_ARGS__), __typeof__(p), 1)
#define kvzalloc_objs(p, count, ...) \
	MS_LINUX_OBJS(kvzalloc, default_gfp(__VA_ARGS__), __typeof__(p), count)
#define kvzalloc_flex(p, member, count, ...) \
	MS_LINUX_FLEX(kvzalloc, default_gfp(__VA_ARGS__), __typeof__(p), member, count)
#endif

/* ---- kin of kmalloc ---- */

#define kzfree(p) kfree(p)
#define kfree_sensitive(p) kfree(p)
#define kfree_const(p) kfree(p)
#define kmalloc_node(size, flags, node) ((void)(node), kmalloc(size, flags))
#define kzalloc_node(size, flags, node) ((void)(node), kzalloc(size, flags))
#define kcalloc_node(n, size, flags, node) ((void)(node), kcalloc(n, size, flags))
#define kvzalloc_node(size, flags, node) ((void)(node), kvzalloc(size, flags))

static inline char *kstrndup(const char *s, size_t max, gfp_t flags)
{
	const size_t len = s ? strnlen(s, max) : 0;
	char *to = s ? (char *)kmalloc(len + 1, flags) : NULL;

	if (to) {
		memcpy(to, s, len);
		to[len] = '\0';
	}
	return to;
}

static inline char *kmemdup_nul(const char *s, size_t len, gfp_t flags)
{
	char *to = s ? (char *)kmalloc(len + 1, flags) : NULL;

	if (to) {
		memcpy(to, s, len);
		to[len] = '\0';
	}
	return to;
}

static inline void *kmemdup_array(const void *from, size_t count, size_t size, gfp_t flags)
{
	return kmemdup(from, size_mul(count, size), flags);
}

#endif
