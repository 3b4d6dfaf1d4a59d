/* SPDX-License-Identifier: GPL-2.0-only */
/* Files, drivers, and what the kernel does with a device's memory. */
#include "api.h"

#include <stdlib.h>

static ms_pa_t bar_pa(struct api_side *s, uint8_t which)
{
	struct ms_device *bar = api_bar(s, which);

	return bar ? ms_device_pa(bar) : s->ram;
}

/* ---- files ---- */

struct ms_file *api_file(struct api_side *s, uint8_t which, uint64_t *base)
{
	unsigned int i = which % 16;
	struct ms_device *bar = api_bar(s, which >> 4);

	*base = 0;
	if (i < API_FILES) {
		*base = s->file[i].base;
		return s->file[i].file;
	}
	if (i < 12 && bar)
		return i == 10 ? ms_pci_resource(bar) : ms_pci_resource_wc(bar);
	return NULL;
}

static void put(struct api_side *s, unsigned int i)
{
	struct ms_file *file = s->file[i].file;

	s->file[i].file = NULL;
	s->file[i].driver = false;
	s->file[i].base = 0;
	if (file)
		ms_file_put(file);
}

/* A file takes the slot that byte 1 names. */
static void keep(struct api_side *s, const uint8_t *r, struct ms_file *file, uint64_t base)
{
	unsigned int i = r[1] % API_FILES;

	api_answer(s, !file);
	if (!file)
		return;
	put(s, i);
	s->file[i].file = file;
	s->file[i].base = base;
}

void api_open_memory(struct api_side *s, const uint8_t *r)
{
	static const uint64_t huge[] = { 0x10000, 0x200000, 0x2000000, 0x40000000, 0x1000, 12345 };
	uint64_t size = r[4] & 0x80 ? r[4] % 8 * s->block : r[4] * s->page + r[6];

	if (r[5] % 4)
		keep(s, r, ms_memfd_new(s->m, size), 0);
	else
		keep(s, r, ms_memfd_hugetlb_new(s->m, size, huge[r[7] % 6]), 0);
}

void api_open_device(struct api_side *s, const uint8_t *r)
{
	struct ms_device *bar = api_bar(s, r[2]);
	struct ms_file *file;

	if (!bar)
		return;
	switch (r[5] % 5) {
	case 0:
		keep(s, r, ms_pci_resource_open(bar, r[6] & 1, r[7] % 8), 0);
		break;
	case 1:
		keep(s, r, ms_devmem_open(s->m, r[6] & 1), r[6] & 2 ? s->ram : ms_device_pa(bar));
		break;
	case 2:
		file = ms_vfio_open(bar);
		keep(s, r, file, file ? ms_vfio_offset(file) : 0);
		break;
	case 3:
		file = ms_vfio_open_region(bar, r[6] % 8);
		keep(s, r, file, file ? ms_vfio_offset(file) : 0);
		break;
	case 4:
		keep(s, r, ms_lazy_open(bar, r[6] * s->page, (enum ms_cache)(r[7] % 9), r[4] % 5),
		     0);
		break;
	}
}

/* Two pieces, the second behind the first; where they go in the BAR is anywhere. */
void api_open_pieces(struct api_side *s, const uint8_t *r)
{
	uint64_t first = (r[4] % 64 + (uint64_t)(r[2] % 4) * (s->block / s->page)) * s->page;
	const struct ms_piece pieces[] = {
		{ 0, first, (r[5] % 16 - 8) * (int64_t)s->page },
		{ first + r[6] % 4 * s->page, r[3] % 64 * s->page,
		  (r[6] - 128) * (int64_t)s->page },
	};
	struct ms_device *bar = api_bar(s, r[2] >> 2);

	if (bar)
		keep(s, r,
		     ms_pieces_open(bar, (enum ms_pieces_mode)(r[7] % 3),
				    (enum ms_cache)(r[7] / 3 % 9), pieces, r[7] / 27 % 3),
		     0);
}

void api_put(struct api_side *s, const uint8_t *r)
{
	unsigned int i = r[1] % (API_FILES + 2);
	struct ms_device *bar = api_bar(s, r[2]);
	struct ms_file *shared;

	// the caller of a call that goes on has its files open
	if (s->depth)
		return;
	if (i < API_FILES) {
		put(s, i);
	} else if (bar) {
		shared = i == API_FILES ? ms_pci_resource(bar) : ms_pci_resource_wc(bar);
		if (shared)
			ms_file_put(shared);
	}
}

void api_close_all(struct api_side *s)
{
	for (unsigned int i = 0; i < API_FILES; i++)
		put(s, i);
	for (uint8_t i = 0; i < API_BARS; i++) {
		const uint8_t resource[RECORD] = { 0, API_FILES, i };
		const uint8_t resource_wc[RECORD] = { 0, API_FILES + 1, i };

		api_put(s, resource);
		api_put(s, resource_wc);
	}
}

/* ---- drivers of our own, by the rules ---- */

#define HABIT_WHEN 0x03u /* at mmap; page by page; by blocks; page by page into VM_MIXEDMAP */
#define HABIT_WC 0x04u
#define HABIT_CLOSE 0x08u /* open and close are counted */
#define HABIT_WHOLE 0x10u /* does not let its VMAs be split or moved */
#define HABIT_MKWRITE 0x20u
#define HABIT_PREPARE 0x40u

static struct api_driver *driver_of(const struct ms_vma *vma)
{
	return vma->vm_private_data;
}

static ms_pfn_t driver_pfn(const struct api_driver *d, uint64_t pgoff)
{
	return ms_device_pa(d->bar) / d->side->page + pgoff;
}

static ms_vm_fault_t driver_fault(struct ms_vm_fault *vmf)
{
	const struct api_driver *d = driver_of(vmf->vma);
	ms_pfn_t pfn = driver_pfn(d, vmf->pgoff);

	if (vmf->pgoff >= ms_device_size(d->bar) / d->side->page)
		return MS_VM_FAULT_SIGBUS;
	if ((d->habits & HABIT_WHEN) == 3)
		return ms_vmf_insert_mixed(vmf->vma, vmf->address, pfn);
	return ms_vmf_insert_pfn(vmf->vma, vmf->address, pfn);
}

static ms_vm_fault_t driver_huge_fault(struct ms_vm_fault *vmf, unsigned int order)
{
	const struct api_driver *d = driver_of(vmf->vma);
	uint64_t pages = UINT64_C(1) << order, size = pages * d->side->page;
	ms_hva_t start = vmf->address & ~(size - 1);
	uint64_t pgoff = vmf->pgoff - (vmf->address - start) / d->side->page;
	ms_pfn_t pfn = driver_pfn(d, pgoff);
	bool write = vmf->flags & MS_FAULT_FLAG_WRITE;

	if (start < vmf->vma->vm_start || start + size > vmf->vma->vm_end || pfn & (pages - 1) ||
	    pgoff + pages > ms_device_size(d->bar) / d->side->page)
		return MS_VM_FAULT_FALLBACK;
	if (size == d->side->block)
		return ms_vmf_insert_pfn_pmd(vmf, pfn, write);
	return ms_vmf_insert_pfn_pud(vmf, pfn, write);
}

static ms_vm_fault_t driver_pfn_mkwrite(struct ms_vm_fault *vmf)
{
	return 0;
}

static void driver_vma_open(struct ms_vma *vma)
{
	driver_of(vma)->side->opened++;
}

static void driver_vma_close(struct ms_vma *vma)
{
	driver_of(vma)->side->closed++;
}

static int driver_may_split(struct ms_vma *vma, ms_hva_t addr)
{
	return -22;
}

static int driver_mremap(struct ms_vma *vma)
{
	return -22;
}

/* [blocks][counted][whole][mkwrite] */
#define OPS(blocks, counted, whole, mkwrite) \
	{ \
		.open = (counted) ? driver_vma_open : NULL, \
		.close = (counted) ? driver_vma_close : NULL, \
		.may_split = (whole) ? driver_may_split : NULL, \
		.mremap = (whole) ? driver_mremap : NULL, .fault = driver_fault, \
		.huge_fault = (blocks) ? driver_huge_fault : NULL, \
		.pfn_mkwrite = (mkwrite) ? driver_pfn_mkwrite : NULL, \
	}
#define OPS2(b, c) OPS(b, c, 0, 0), OPS(b, c, 1, 0), OPS(b, c, 0, 1), OPS(b, c, 1, 1)
static const struct ms_vm_ops driver_vm_ops[] = { OPS2(0, 0), OPS2(1, 0), OPS2(0, 1), OPS2(1, 1) };

static const struct ms_vm_ops *driver_ops(const struct api_driver *d)
{
	unsigned int i = (d->habits & HABIT_WHEN) == 2 ? 4 : 0;

	i += d->habits & HABIT_CLOSE ? 8 : 0;
	i += d->habits & HABIT_WHOLE ? 1 : 0;
	i += d->habits & HABIT_MKWRITE ? 2 : 0;
	return &driver_vm_ops[i];
}

static int driver_mmap(struct ms_file *file, struct ms_vma *vma)
{
	struct api_driver *d = ms_file_priv(file);
	uint64_t pages = (vma->vm_end - vma->vm_start) / d->side->page;
	uint64_t bar_pages = ms_device_size(d->bar) / d->side->page;
	unsigned int when = d->habits & HABIT_WHEN;

	if (vma->vm_pgoff > bar_pages || pages > bar_pages - vma->vm_pgoff)
		return -22;
	// raw pfns and copy on write do not go together, except mapped whole
	if (when && !(vma->vm_flags & MS_VM_SHARED))
		return -22;
	if (d->habits & HABIT_WC)
		vma->vm_page_prot = ms_pgprot_writecombine(vma->vm_page_prot);
	else
		vma->vm_page_prot = ms_pgprot_noncached(vma->vm_page_prot);
	vma->vm_private_data = d;
	vma->vm_ops = driver_ops(d);
	if (!when) {
		int ret = ms_vm_iomap_memory(vma, ms_device_pa(d->bar), ms_device_size(d->bar));

		if (ret)
			return ret;
	} else {
		vma->vm_flags |= MS_VM_IO | MS_VM_DONTEXPAND | MS_VM_DONTDUMP;
		vma->vm_flags |= when == 3 ? MS_VM_MIXEDMAP : MS_VM_PFNMAP;
	}
	if (d->habits & HABIT_CLOSE)
		d->side->opened++;
	return 0;
}

static int driver_mmap_prepare(struct ms_file *file, struct ms_vma_desc *desc)
{
	const struct api_driver *d = ms_file_priv(file);

	return d->habits & HABIT_PREPARE && desc->pgoff % 8 == 7 ? -22 : 0;
}

static const struct ms_file_ops driver_fops = { .name = "fuzz", .mmap = driver_mmap };
static const struct ms_file_ops driver_prepare_fops = { .name = "fuzz-prepare",
							.mmap = driver_mmap,
							.mmap_prepare = driver_mmap_prepare };

void api_open_driver(struct api_side *s, const uint8_t *r)
{
	struct ms_device *bar = api_bar(s, r[2]);
	struct api_driver *d = &s->driver[s->drivers % API_DRIVERS];
	const struct ms_file_ops *ops = r[5] & HABIT_PREPARE ? &driver_prepare_fops : &driver_fops;
	struct ms_file *file;

	// a driver's state outlives its file: VMAs may keep that open
	if (!bar || s->drivers == API_DRIVERS)
		return;
	s->drivers++;
	*d = (struct api_driver){ .side = s, .bar = bar, .habits = r[5] };
	file = ms_file_new(s->m, ops, MS_FMODE_READ | MS_FMODE_WRITE, r[6] ? 0 : 64 * s->page,
			   r[7] & 1 ? s : NULL, d);
	keep(s, r, file, 0);
	if (file)
		s->file[r[1] % API_FILES].driver = true;
}

/* The driver of a file takes entries away; or of a VMA. */
void api_driver_zap(struct api_side *s, const uint8_t *r)
{
	unsigned int i = r[5] % API_FILES;
	struct ms_mm *mm = api_mm(s, r);
	struct ms_vma *vma;

	if (r[6] & 1) {
		if (s->file[i].file && s->file[i].driver)
			ms_unmap_mapping_range(s->file[i].file, r[2] * s->page, api_length(s, r),
					       r[6] & 2);
		return;
	}
	vma = mm ? ms_vma_lookup(mm, api_address(s, r)) : NULL;
	if (vma && vma->vm_ops >= driver_vm_ops &&
	    vma->vm_ops < driver_vm_ops + sizeof(driver_vm_ops) / sizeof(driver_vm_ops[0]))
		ms_zap_vma_ptes(vma, api_address(s, r), api_length(s, r));
}

/* ---- devices ---- */

void api_vfio(struct api_side *s, const uint8_t *r)
{
	unsigned int i = r[1] % API_FILES;

	if (!s->file[i].file)
		return;
	if (r[5] & 2)
		api_result(s, ms_vfio_set_prepopulate(s->file[i].file, r[5] & 1));
	else
		api_result(s, ms_vfio_set_memory(s->file[i].file, r[5] & 1));
}

void api_revoke(struct api_side *s, const uint8_t *r)
{
	struct ms_device *bar = api_bar(s, r[5]);

	if (bar)
		ms_pieces_revoke(bar, r[2] * s->page, api_length(s, r));
}

void api_claim(struct api_side *s, const uint8_t *r)
{
	ms_pa_t pa = bar_pa(s, r[5]) + (r[2] & 0xf) * s->page;

	switch (r[6] % 4) {
	case 0:
		api_result(s, ms_iomem_claim(s->m, pa, api_length(s, r)));
		break;
	case 1:
		api_result(s, ms_iomem_release(s->m, pa, api_length(s, r)));
		break;
	case 2:
		api_answer(s, ms_iomem_is_exclusive(s->m, pa));
		break;
	case 3:
		ms_iomem_set_strict(s->m, (enum ms_iomem_strict)(r[7] % 3));
		break;
	}
}

/* Of a BAR, or of a part of it. */
void api_ioremap(struct api_side *s, const uint8_t *r)
{
	unsigned int i = r[1] % API_IOREMAPS;
	struct ms_device *bar = api_bar(s, r[5]);
	uint64_t off = (r[2] & 0xf) * s->page, len = api_small_length(s, r);
	int ret;

	if (s->ioremap[i].size) {
		len = s->ioremap[i].size;
		s->ioremap[i].size = 0;
		api_result(s, ms_iounmap(s->m, s->ioremap[i].pa, len));
		return;
	}
	if (!bar || !len || off >= ms_device_size(bar))
		return;
	if (len > ms_device_size(bar) - off)
		len = ms_device_size(bar) - off;
	ret = ms_ioremap(s->m, ms_device_pa(bar) + off, len, (enum ms_cache)(r[7] % 9));
	if (!ret) {
		s->ioremap[i].pa = ms_device_pa(bar) + off;
		s->ioremap[i].size = len;
	}
	api_result(s, ret);
}

static void count_entry(const struct ms_memtype *entry, void *arg)
{
	api_answer(arg, entry->start ^ entry->end << 3 ^ entry->type);
}

static void count_alias(const struct ms_memtype_alias *alias, void *arg)
{
	api_answer(arg, alias->start ^ alias->end << 3 ^ alias->types);
}

/* A driver reserves for itself, and gives back what it has. */
static void reserve_or_free(struct api_side *s, const uint8_t *r)
{
	ms_pa_t pa = (r[5] & 0x80 ? s->ram : bar_pa(s, r[5])) + r[2] % 32 * s->page;
	unsigned int i = r[1] % API_IOREMAPS;
	enum ms_cache got = MS_CACHE_WB;
	uint64_t len = s->memtype[i].len;
	int ret;

	if (len) {
		s->memtype[i].len = 0;
		pa = s->memtype[i].pa;
		api_result(s, ms_memtype_free(s->m, pa, pa + len));
		return;
	}
	len = api_small_length(s, r);
	if (!len)
		return;
	ret = ms_memtype_reserve(s->m, pa, pa + len, (enum ms_cache)(r[7] % 9),
				 r[7] & 0x80 ? NULL : &got);
	if (!ret) {
		s->memtype[i].pa = pa;
		s->memtype[i].len = len;
	}
	api_answer(s, (uint64_t)ret << 4 ^ got);
}

void api_memtype(struct api_side *s, const uint8_t *r)
{
	ms_pa_t pa = bar_pa(s, r[5]) + r[2] % 32 * s->page;

	switch (r[6] % 6) {
	default:
		reserve_or_free(s, r);
		break;
	case 2:
		api_answer(s, ms_memtype_lookup(s->m, pa));
		break;
	case 3:
		api_answer(s, ms_memtype_leaks(s->m, count_entry, s));
		break;
	case 4:
		api_result(s, ms_memtype_aliases(s->m, count_alias, s));
		break;
	case 5:
		ms_memtype_walk(s->m, pa, pa + api_small_length(s, r), count_entry, s);
		break;
	}
}

/* Memory that comes while things go on. */
void api_phys(struct api_side *s, const uint8_t *r)
{
	ms_pa_t pa = (r[2] & 1 ? s->ram : bar_pa(s, r[5])) + (r[3] - 64) * s->block;
	const char name[] = { 'a', (char)('a' + r[6] % 26), '\0' };
	uint64_t before = ms_ram_free_pages(s->m);

	switch (r[7] % 4) {
	case 0:
		api_result(s, ms_ram_add(s->m, pa, api_length(s, r)));
		s->ram_pages += ms_ram_free_pages(s->m) - before;
		break;
	case 1:
		api_answer(s, !ms_device_add(s->m, name, pa, api_length(s, r)));
		break;
	case 2:
		api_answer(s, ms_ram_free_pages(s->m));
		break;
	case 3:
		api_answer(s, !ms_device_find(s->m, name));
		break;
	}
}
