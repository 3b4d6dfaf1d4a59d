/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver's own hold on a device: <linux/io.h>, <linux/ioport.h>. Claims and memory types count;
 * registers do not exist, so readl() and writel() are not provided.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_IO_H)
#define MAPSIM_LINUX_IO_H

struct resource {
	resource_size_t start, end; ///< end is inclusive
	const char *name;
	unsigned long flags;
};

#define IORESOURCE_IO 0x100UL
#define IORESOURCE_MEM 0x200UL
#define IORESOURCE_IRQ 0x400UL
#define IORESOURCE_PREFETCH 0x2000UL
#define IORESOURCE_READONLY 0x4000UL
#define IORESOURCE_BUSY 0x80000000UL

static inline unsigned long resource_type(const struct resource *res)
{
	return res ? res->flags & 0x1f00 : 0;
}

static inline resource_size_t resource_size(const struct resource *res)
{
	return res ? res->end - res->start + 1 : 0;
}

/* Not NULL: claimed. Nobody may look into it. */
static inline struct resource *request_mem_region(resource_size_t start, resource_size_t n,
						  const char *name)
{
	(void)name;
	return (struct resource *)ms_linux_request_region(start, n);
}

static inline void release_mem_region(resource_size_t start, resource_size_t n)
{
	ms_linux_release_region(start, n);
}

/* Regions that were requested as exclusive: none is. */
#define iomem_is_exclusive(addr) ((void)(addr), false)

/* Regions that were requested as exclusive: none is. */
#define iomem_is_exclusive(addr) ((void)(addr), false)

static inline void __iomem *ioremap(phys_addr_t pa, size_t size)
{
	return ms_linux_ioremap(pa, size, MS_CACHE_UC_MINUS);
}

static inline void __iomem *ioremap_wc(phys_addr_t pa, size_t size)
{
	return ms_linux_ioremap(pa, size, MS_CACHE_WC);
}

static inline void __iomem *ioremap_uc(phys_addr_t pa, size_t size)
{
	return ms_linux_ioremap(pa, size, MS_CACHE_UC);
}

static inline void __iomem *ioremap_cache(phys_addr_t pa, size_t size)
{
	return ms_linux_ioremap(pa, size, MS_CACHE_WB);
}

static inline void __iomem *ioremap_wt(phys_addr_t pa, size_t size)
{
	return ms_linux_ioremap(pa, size, MS_CACHE_WT);
}

static inline void __iomem *ioremap_prot(phys_addr_t pa, size_t size, unsigned long prot)
{
	return ms_linux_ioremap(pa, size, ms_pgprot_cache(prot));
}

#define ioremap_nocache(pa, size) ioremap(pa, size)

static inline void iounmap(const volatile void __iomem *addr)
{
	ms_linux_iounmap(addr);
}

#endif
