/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The piecewise driver: a BAR in a VMA, piece by piece, from wherever each piece says; all at mmap,
 * or page by page, or leaf by leaf, when touched. It exists to make the mappings that well-behaved
 * drivers do not make.
 */
#include "core/hash.h"
#include "drivers/internal.h"

/* What an mmap maps, and how. */
struct plan {
	LIST_ENTRY(plan) link;
	enum ms_pieces_mode mode;
	enum ms_cache type;
	size_t npieces;
	struct ms_piece pieces[];
};

/* What was asked for at one mmap: by it a fault finds its piece, also in a VMA that was split or
 * moved. */
struct ms_pieces_map {
	LIST_ENTRY(ms_pieces_map) link;
	const struct plan *plan;
	uint64_t pgoff; /* of VMA byte 0: a physical page */
};

struct ms_pieces {
	LIST_ENTRY(ms_pieces) link;
	struct ms_file *file;
	uint64_t base;           /* the physical page of file offset 0 */
	const struct plan *plan; /* of the next mmap */
	LIST_HEAD(, plan) plans; /* it and those before it, which lazy VMAs may need */
	LIST_HEAD(, ms_pieces_map) maps;
	bool one_lazy; /* ms_pieces_one_lazy() */
};

static const struct ms_vm_ops at_mmap_vm_ops = { NULL };

// The piece that byte `off` of the VMA is in: the first one that says so.
static const struct ms_piece *piece_at(const struct plan *plan, uint64_t off)
{
	for (size_t i = 0; i < plan->npieces; i++)
		if (off >= plan->pieces[i].off && off - plan->pieces[i].off < plan->pieces[i].len)
			return &plan->pieces[i];
	return NULL;
}

// Pages to add to the VMA's own physical page (vm_pgoff and on); two's complement.
static uint64_t shift_pages(const struct ms_machine *m, const struct ms_piece *p)
{
	return (uint64_t)(p->shift / (int64_t)m->page_size);
}

static ms_vm_fault_t lazy_fault(struct ms_vm_fault *vmf)
{
	const struct ms_pieces_map *map = vmf->vma->vm_private_data;
	struct ms_machine *m = ms_mm_machine(vmf->vma->vm_mm);
	const struct ms_piece *p = piece_at(map->plan, (vmf->pgoff - map->pgoff) << m->page_shift);

	if (!p) {
		ms_refuse(m, -EFAULT, "no piece of the mapping is at %x", vmf->address);
		return MS_VM_FAULT_SIGBUS;
	}
	return ms_vmf_insert_pfn(vmf->vma, vmf->address, vmf->pgoff + shift_pages(m, p));
}

// A huge leaf, where virtual and physical address are aligned to it, and where it lies in the VMA
// and in one piece as a whole.
static ms_vm_fault_t lazy_huge_fault(struct ms_vm_fault *vmf, unsigned int order)
{
	const struct ms_vma *vma = vmf->vma;
	const struct ms_pieces_map *map = vma->vm_private_data;
	const struct ms_machine *m = ms_mm_machine(vma->vm_mm);
	const uint64_t size = m->page_size << order;
	const ms_hva_t addr = ms_align_down(vmf->address, size);
	const uint64_t pgoff = vmf->pgoff - ((vmf->address - addr) >> m->page_shift);
	const uint64_t off = (pgoff - map->pgoff) << m->page_shift;
	const struct ms_piece *p;
	ms_pfn_t pfn;

	if (map->plan->mode != MS_PIECES_LAZY_HUGE || order != ms_pmd_order(m) ||
	    addr < vma->vm_start || addr + size > vma->vm_end)
		return MS_VM_FAULT_FALLBACK;
	p = piece_at(map->plan, off);
	if (!p || off + size > p->off + p->len)
		return MS_VM_FAULT_FALLBACK;
	pfn = pgoff + shift_pages(m, p);
	if (!ms_aligned(pfn, UINT64_C(1) << order))
		return MS_VM_FAULT_FALLBACK;
	return ms_insert_pfn_order(vmf, pfn, order);
}

static const struct ms_vm_ops lazy_vm_ops = {
	.fault = lazy_fault,
};

static const struct ms_vm_ops lazy_huge_vm_ops = {
	.fault = lazy_fault,
	.huge_fault = lazy_huge_fault,
};

// The pieces in their order; the first error is the answer. The plan's type goes into the entries
// only, vm_page_prot stays as it is.
static int mmap_now(const struct plan *plan, struct ms_vma *vma)
{
	const struct ms_machine *m = ms_mm_machine(vma->vm_mm);
	const ms_pgprot_t prot = ms_pgprot_of_type(m, vma->vm_page_prot, plan->type);
	const uint64_t base = vma->vm_pgoff; // remap_pfn_range() may change it

	vma->vm_ops = &at_mmap_vm_ops;
	for (size_t i = 0; i < plan->npieces; i++) {
		const struct ms_piece *p = &plan->pieces[i];
		const ms_pfn_t pfn = base + (p->off >> m->page_shift) + shift_pages(m, p);
		int err = ms_remap_pfn_range(vma, vma->vm_start + p->off, pfn, p->len, prot);

		if (err)
			return err;
	}
	return 0;
}

static int plan_set(struct ms_machine *m, struct ms_pieces *d, enum ms_pieces_mode mode,
		    enum ms_cache type, const struct ms_piece *pieces, size_t npieces)
{
	struct plan *plan;

	if (npieces > (SIZE_MAX - sizeof(*plan)) / sizeof(*pieces))
		return ms_refuse(m, -ENOMEM, "%u pieces fit into no memory", npieces);
	plan = ms_zalloc(&m->alloc, sizeof(*plan) + npieces * sizeof(*pieces));
	if (!plan)
		return ms_refuse(m, -ENOMEM, "no memory");
	plan->mode = mode;
	plan->type = type;
	plan->npieces = npieces;
	if (npieces)
		memcpy(plan->pieces, pieces, npieces * sizeof(*pieces));
	LIST_INSERT_HEAD(&d->plans, plan, link);
	d->plan = plan;
	return 0;
}

// Every older map, of whichever such file, takes over the pieces of the newest one.
static int follow_newest(struct ms_machine *m, struct ms_pieces *newest)
{
	const struct ms_pieces_map *map = LIST_FIRST(&newest->maps);
	const struct plan *plan = map->plan;
	struct ms_pieces_map *old;
	struct ms_pieces *d;

	LIST_FOREACH (d, &m->drivers->pieces, link) {
		if (d != newest && !LIST_EMPTY(&d->maps) &&
		    plan_set(m, d, plan->mode, plan->type, plan->pieces, plan->npieces))
			return -ENOMEM;
		LIST_FOREACH (old, &d->maps, link) {
			old->plan = d->plan;
			old->pgoff = map->pgoff;
		}
	}
	return 0;
}

static int mmap_lazy(struct ms_pieces *d, struct ms_vma *vma)
{
	struct ms_machine *m = ms_mm_machine(vma->vm_mm);
	struct ms_pieces_map *map = ms_zalloc(&m->alloc, sizeof(*map));

	if (!map)
		return ms_refuse(m, -ENOMEM, "no memory");
	map->plan = d->plan;
	map->pgoff = vma->vm_pgoff;
	LIST_INSERT_HEAD(&d->maps, map, link);
	vma->vm_private_data = map;
	vma->vm_flags |= MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND | MS_VM_DONTDUMP;
	vma->vm_page_prot = ms_pgprot_of_type(m, vma->vm_page_prot, d->plan->type);
	vma->vm_ops = d->one_lazy || d->plan->mode == MS_PIECES_LAZY_HUGE ? &lazy_huge_vm_ops
									  : &lazy_vm_ops;
	return d->one_lazy ? follow_newest(m, d) : 0;
}

// Every page of a piece must lie in the VMA and have a physical address that the machine can have.
static int check_pieces_fit(const struct plan *plan, const struct ms_vma *vma, uint64_t base_pgoff)
{
	struct ms_machine *m = ms_mm_machine(vma->vm_mm);
	const uint64_t len = vma->vm_end - vma->vm_start;
	const uint64_t max_pages = UINT64_C(1) << (52 - m->page_shift);

	for (size_t i = 0; i < plan->npieces; i++) {
		const struct ms_piece *p = &plan->pieces[i];
		const uint64_t pfn = base_pgoff + (p->off >> m->page_shift) + shift_pages(m, p);

		if (p->off > len || p->len > len - p->off)
			return ms_refuse(m, -EINVAL,
					 "piece %u, %x bytes at %x, is not inside of the VMA's %x",
					 i, p->len, p->off, len);
		if (pfn >= max_pages || (p->len >> m->page_shift) > max_pages - pfn)
			return ms_refuse(m, -EINVAL,
					 "piece %u: %x bytes from page %x on have no physical "
					 "address",
					 i, p->len, pfn);
	}
	return 0;
}

static int pieces_mmap(struct ms_file *file, struct ms_vma *vma)
{
	struct ms_pieces *d = ms_file_priv(file);
	const uint64_t pgoff = vma->vm_pgoff + d->base;
	int err;

	err = check_pieces_fit(d->plan, vma, pgoff);
	if (err)
		return err;
	vma->vm_pgoff = pgoff;
	return d->plan->mode == MS_PIECES_AT_MMAP ? mmap_now(d->plan, vma) : mmap_lazy(d, vma);
}

static void pieces_free(struct ms_machine *m, struct ms_pieces *d)
{
	struct ms_pieces_map *map;
	struct plan *plan;

	while ((map = LIST_FIRST(&d->maps))) {
		LIST_REMOVE(map, link);
		ms_free(&m->alloc, map);
	}
	while ((plan = LIST_FIRST(&d->plans))) {
		LIST_REMOVE(plan, link);
		ms_free(&m->alloc, plan);
	}
	ms_free(&m->alloc, d);
}

static void pieces_release(struct ms_file *file)
{
	struct ms_pieces *d = ms_file_priv(file);

	LIST_REMOVE(d, link);
	pieces_free(ms_file_machine(file), d);
}

static const struct ms_file_ops pieces_fops = {
	.name = "pieces",
	.mmap = pieces_mmap,
	.punch_hole = ms_no_regular_file,
	.release = pieces_release,
};

static int check_pieces(struct ms_machine *m, const struct ms_piece *pieces, size_t npieces)
{
	const uint64_t mask = m->page_size - 1;

	for (size_t i = 0; i < npieces; i++)
		if (!pieces[i].len || (pieces[i].off & mask) || (pieces[i].len & mask) ||
		    ((uint64_t)pieces[i].shift & mask))
			return ms_refuse(m, -EINVAL,
					 "piece %u, %x bytes at %x shifted by %x, is empty or not "
					 "of whole pages",
					 i, pieces[i].len, pieces[i].off,
					 (uint64_t)pieces[i].shift);
	return 0;
}

static int check_plan(struct ms_machine *m, enum ms_pieces_mode mode, enum ms_cache type,
		      const struct ms_piece *pieces, size_t npieces)
{
	if (npieces && !pieces)
		return ms_refuse(m, -EINVAL, "%u pieces, and none is given", npieces);
	if ((unsigned int)mode > MS_PIECES_LAZY_HUGE)
		return ms_refuse(m, -EINVAL, "%u is no enum ms_pieces_mode", mode);
	if (ms_check_cache_type(m, type))
		return -EINVAL;
	return check_pieces(m, pieces, npieces);
}

static struct ms_file *pieces_open(struct ms_machine *m, uint64_t base, enum ms_pieces_mode mode,
				   enum ms_cache type, const struct ms_piece *pieces,
				   size_t npieces)
{
	struct ms_pieces *d = ms_zalloc(&m->alloc, sizeof(*d));

	if (!d)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	LIST_INIT(&d->plans);
	LIST_INIT(&d->maps);
	d->base = base;
	if (!plan_set(m, d, mode, type, pieces, npieces))
		d->file = ms_file_new(m, &pieces_fops, MS_FMODE_READ | MS_FMODE_WRITE, UINT64_MAX,
				      &m->drivers->pieces, d);
	if (!d->file) {
		pieces_free(m, d);
		return ms_refusal_null(-ENOMEM);
	}
	LIST_INSERT_HEAD(&m->drivers->pieces, d, link);
	return d->file;
}

struct ms_file *ms_pieces_open(struct ms_device *bar, enum ms_pieces_mode mode, enum ms_cache type,
			       const struct ms_piece *pieces, size_t npieces)
{
	struct ms_machine *m = bar ? ms_device_machine(bar) : NULL;

	if (!m || check_plan(m, mode, type, pieces, npieces))
		return ms_refusal_null(-EINVAL);
	return pieces_open(m, ms_device_pa(bar) >> m->page_shift, mode, type, pieces, npieces);
}

struct ms_file *ms_pieces_open_physical(struct ms_machine *m)
{
	if (!m)
		return ms_refusal_null(-EINVAL);
	return pieces_open(m, 0, MS_PIECES_AT_MMAP, MS_CACHE_WB, NULL, 0);
}

// NULL: not a file of this driver.
static struct ms_pieces *pieces_of(struct ms_file *file)
{
	struct ms_machine *m = ms_file_machine(file);
	struct ms_pieces *d = m ? LIST_FIRST(&m->drivers->pieces) : NULL;

	while (d && d->file != file)
		d = LIST_NEXT(d, link);
	if (m && !d)
		ms_refuse(m, -EINVAL, "the file is not of the piecewise driver");
	return d;
}

int ms_pieces_one_lazy(struct ms_file *file)
{
	struct ms_pieces *d = pieces_of(file);

	if (!d)
		return -EINVAL;
	d->one_lazy = true;
	return 0;
}

int ms_pieces_plan(struct ms_file *file, enum ms_pieces_mode mode, enum ms_cache type,
		   const struct ms_piece *pieces, size_t npieces)
{
	struct ms_machine *m = ms_file_machine(file);
	struct ms_pieces *d = pieces_of(file);

	if (!d || check_plan(m, mode, type, pieces, npieces))
		return -EINVAL;
	return plan_set(m, d, mode, type, pieces, npieces);
}

void ms_pieces_revoke(struct ms_device *bar, uint64_t off, uint64_t len)
{
	const struct ms_pieces *any =
		bar ? LIST_FIRST(&ms_device_machine(bar)->drivers->pieces) : NULL;

	// All of the driver's files share the address_space; without a file there is no mapping.
	if (any && len)
		ms_unmap_mapping_range(any->file, ms_device_pa(bar) + off, len, true);
}

/* ---- what is told of them (core/hash.h) ---- */

static void add_plan(struct ms_hash *h, const struct plan *plan)
{
	ms_hash_add(h, !plan);
	if (!plan)
		return;
	ms_hash_add(h, (uint64_t)plan->mode << 8 | plan->type);
	for (size_t i = 0; i < plan->npieces; i++) {
		ms_hash_add(h, plan->pieces[i].off);
		ms_hash_add(h, plan->pieces[i].len);
		ms_hash_add(h, (uint64_t)plan->pieces[i].shift);
	}
	ms_hash_add(h, plan->npieces);
}

/* Those that a VMA goes by. The list keeps the others as well. */
static uint64_t sum_of_maps(struct ms_hash *h, const struct ms_pieces *d)
{
	const struct ms_pieces_map *map;
	uint64_t sum = 0;

	LIST_FOREACH (map, &d->maps, link) {
		uint64_t outer;

		if (!ms_hash_is_known(h, ms_hash_object(map)))
			continue;
		outer = ms_hash_apart(h);
		ms_hash_known(h, ms_hash_object(map));
		ms_hash_add(h, map->pgoff);
		add_plan(h, map->plan);
		sum += ms_hash_apart_end(h, outer);
	}
	return sum;
}

void ms_pieces_hash(struct ms_hash *h)
{
	const struct ms_pieces *d;
	uint64_t sum = 0;

	LIST_FOREACH (d, &h->machine->drivers->pieces, link) {
		const uint64_t outer = ms_hash_apart(h);

		ms_hash_known(h, ms_hash_object(d->file));
		ms_hash_add(h, d->base << 1 | d->one_lazy);
		add_plan(h, d->plan);
		ms_hash_add(h, sum_of_maps(h, d));
		sum += ms_hash_apart_end(h, outer);
	}
	ms_hash_add(h, sum);
}
