/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory: <linux/slab.h>, <linux/vmalloc.h>, <linux/gfp.h>. Everything comes
 * from the machine's allocator, so ms_machine_fail_alloc() makes any of it fail; what was not asked
 * to be zeroed is filled with 0x5a. alloc_pages() and its kin take pages of the machine's RAM,
 * whose bytes the driver can use, and which can be mapped; so does a kmalloc() of a page or more,
 * while there is RAM.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_SLAB_H)
#define MAPSIM_LINUX_SLAB_H

/* ---- <asm/page.h> ---- */

#ifdef MS_LINUX_PAGE_SHIFT
#define PAGE_SHIFT MS_LINUX_PAGE_SHIFT
#else
#define PAGE_SHIFT 12
#endif
#undef PAGE_SIZE
#undef PAGE_MASK
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(addr) ALIGN(addr, PAGE_SIZE)
#define PAGE_ALIGN_DOWN(addr) ALIGN_DOWN(addr, PAGE_SIZE)
#define PAGE_ALIGNED(addr) IS_ALIGNED((unsigned long)(addr), PAGE_SIZE)
#define offset_in_page(p) ((unsigned long)(p) & ~PAGE_MASK)

/* <linux/pfn.h> */
#define PFN_ALIGN(x) (((unsigned long)(x) + PAGE_SIZE - 1) & PAGE_MASK)
#define PFN_UP(x) (((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x) ((x) >> PAGE_SHIFT)
#define PFN_PHYS(x) ((phys_addr_t)(x) << PAGE_SHIFT)
#define PHYS_PFN(x) ((unsigned long)((x) >> PAGE_SHIFT))

/* ---- kmalloc ---- */

#define __GFP_DMA 0x1u
#define __GFP_HIGHMEM 0x2u
#define __GFP_DMA32 0x4u
#define __GFP_MOVABLE 0x8u
#define __GFP_IO 0x40u
#define __GFP_FS 0x80u
#define __GFP_ZERO MS_LINUX_GFP_ZERO
#define __GFP_DIRECT_RECLAIM MS_LINUX_GFP_MAY_SLEEP
#define __GFP_KSWAPD_RECLAIM 0x800u
#define __GFP_RECLAIM (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define __GFP_HIGH 0x20u
#define __GFP_NOWARN 0x2000u
#define __GFP_RETRY_MAYFAIL 0x4000u
#define __GFP_NOFAIL 0x8000u
#define __GFP_NORETRY 0x10000u
#define __GFP_COMP 0x40000u
#define __GFP_ACCOUNT 0x400000u
#define GFP_ATOMIC (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL (__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOWAIT __GFP_KSWAPD_RECLAIM
#define GFP_NOIO __GFP_RECLAIM
#define GFP_NOFS (__GFP_RECLAIM | __GFP_IO)
#define GFP_USER GFP_KERNEL
#define GFP_HIGHUSER (GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE)
#define GFP_DMA __GFP_DMA
#define GFP_DMA32 __GFP_DMA32

static inline void *kmalloc_array(size_t n, size_t size, gfp_t flags)
{
	return ms_linux_alloc(n, size, flags);
}

static inline void *kmalloc(size_t size, gfp_t flags)
{
	return ms_linux_alloc(1, size, flags);
}

static inline void *kcalloc(size_t n, size_t size, gfp_t flags)
{
	return ms_linux_alloc(n, size, flags | __GFP_ZERO);
}

static inline void *kzalloc(size_t size, gfp_t flags)
{
	return ms_linux_alloc(1, size, flags | __GFP_ZERO);
}

static inline void kfree(const void *p)
{
	ms_linux_free(p);
}

static inline void *__vmalloc(unsigned long size, gfp_t flags)
{
	return ms_linux_vmalloc(1, size, flags, false);
}

static inline void *vmalloc(unsigned long size)
{
	return __vmalloc(size, GFP_KERNEL);
}

static inline void *vzalloc(unsigned long size)
{
	return __vmalloc(size, GFP_KERNEL | __GFP_ZERO);
}

/* Zeroed, and remap_vmalloc_range() takes it. */
static inline void *vmalloc_user(unsigned long size)
{
	return ms_linux_vmalloc(1, size, GFP_KERNEL | __GFP_ZERO, true);
}

static inline void *vmalloc_32(unsigned long size)
{
	return vmalloc(size);
}

static inline void *vmalloc_32_user(unsigned long size)
{
	return vmalloc_user(size);
}

static inline void vfree(const void *p)
{
	ms_linux_might_sleep("vfree");
	ms_linux_vfree(p);
}

static inline bool is_vmalloc_addr(const void *p)
{
	return ms_linux_is_vmalloc(p);
}

static inline struct page *vmalloc_to_page(const void *p)
{
	return ms_linux_vmalloc_to_page(p);
}

static inline unsigned long vmalloc_to_pfn(const void *p)
{
	struct page *page = vmalloc_to_page(p);

	return page ? page_to_pfn(page) : 0;
}

/* What is larger than a page need not be one run of RAM. */
static inline void *kvmalloc_array(size_t n, size_t size, gfp_t flags)
{
	void *p = ms_linux_alloc(n, size, flags);

	return p || !size || n <= PAGE_SIZE / size ? p : ms_linux_vmalloc(n, size, flags, false);
}

static inline void *kvmalloc(size_t size, gfp_t flags)
{
	return kvmalloc_array(1, size, flags);
}

static inline void *kvzalloc(size_t size, gfp_t flags)
{
	return kvmalloc(size, flags | __GFP_ZERO);
}

static inline void *kvcalloc(size_t n, size_t size, gfp_t flags)
{
	return kvmalloc_array(n, size, flags | __GFP_ZERO);
}

static inline void kvfree(const void *p)
{
	ms_linux_might_sleep("kvfree");
	if (is_vmalloc_addr(p))
		vfree(p);
	else
		kfree(p);
}

static inline void *kmemdup(const void *from, size_t size, gfp_t flags)
{
	void *to = kmalloc(size, flags);

	return to ? memcpy(to, from, size) : NULL;
}

static inline char *kstrdup(const char *s, gfp_t flags)
{
	return s ? (char *)kmemdup(s, strlen(s) + 1, flags) : NULL;
}

/* ---- pages (page.h: what is asked of one) ---- */

static inline struct page *virt_to_page(const void *addr)
{
	return ms_linux_virt_to_page((unsigned long)addr);
}

#define virt_to_head_page(addr) compound_head(virt_to_page(addr))

static inline struct page *alloc_pages(gfp_t flags, unsigned int order)
{
	return ms_linux_alloc_pages(flags, order);
}

#define alloc_page(flags) alloc_pages(flags, 0)
#define alloc_pages_node(nid, flags, order) alloc_pages(flags, order)

static inline struct folio *folio_alloc(gfp_t flags, unsigned int order)
{
	return (struct folio *)alloc_pages(flags | __GFP_COMP, order);
}

/* Pages without __GFP_COMP: the tails go, whoever still holds the first one. */
static inline void __free_pages(struct page *page, unsigned int order)
{
	ms_linux_free_pages(page, order);
}

#define __free_page(page) __free_pages(page, 0)

static inline unsigned long __get_free_pages(gfp_t flags, unsigned int order)
{
	struct page *page = alloc_pages(flags, order);
	unsigned long addr = page ? ms_linux_page_address(page) : 0;

	if (page && !addr)
		__free_pages(page, order);
	return addr;
}

#define __get_free_page(flags) __get_free_pages(flags, 0)

static inline unsigned long get_zeroed_page(gfp_t flags)
{
	return __get_free_pages(flags | __GFP_ZERO, 0);
}

static inline void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page((void *)addr), order);
}

#define free_page(addr) free_pages((addr), 0)

/* the order that holds `size` bytes */
static inline int get_order(unsigned long size)
{
	unsigned long pages = (size - 1) >> PAGE_SHIFT;

	return pages ? 64 - __builtin_clzl(pages) : 0;
}

/* Whole pages for `size` bytes, each with a count of its own; what the order has more goes back. */
static inline void *alloc_pages_exact(size_t size, gfp_t flags)
{
	const unsigned int order = (unsigned int)get_order(size);
	unsigned long addr = __get_free_pages(flags & ~__GFP_COMP, order);
	const unsigned long end = addr + (PAGE_SIZE << order);

	if (!addr)
		return NULL;
	split_page(virt_to_page((void *)addr), order);
	for (unsigned long at = addr + PAGE_ALIGN(size); at < end; at += PAGE_SIZE)
		free_page(at);
	return (void *)addr;
}

static inline void free_pages_exact(void *virt, size_t size)
{
	const unsigned long addr = (unsigned long)virt, end = addr + PAGE_ALIGN(size);

	for (unsigned long at = addr; virt && at < end; at += PAGE_SIZE)
		free_page(at);
}

static inline phys_addr_t page_to_phys(const struct page *page)
{
	return PFN_PHYS(page_to_pfn(page));
}

static inline struct page *phys_to_page(phys_addr_t pa)
{
	return pfn_to_page(PHYS_PFN(pa));
}

static inline phys_addr_t virt_to_phys(const volatile void *addr)
{
	struct page *page = virt_to_page((const void *)addr);

	return page ? page_to_phys(page) + offset_in_page(addr) : 0;
}

#define __pa(addr) virt_to_phys((void *)(addr))
#define virt_to_pfn(addr) PHYS_PFN(virt_to_phys((void *)(addr)))

#endif
