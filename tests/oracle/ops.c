/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations on the library. */
#include "ops.h"

#include <errno.h>

static enum ms_pieces_mode mode_of(enum source source)
{
	if (source == SRC_DRIVER_HUGE)
		return MS_PIECES_LAZY_HUGE;
	return source == SRC_DRIVER_LAZY ? MS_PIECES_LAZY : MS_PIECES_AT_MMAP;
}

static struct ms_file *open_source(struct real *r, const struct op *op)
{
	struct ms_piece piece = { .len = (op->source == SRC_DRIVER_PART ? 1 : op->len) * PAGE };

	switch (op->source) {
	case SRC_MEMFD:
		return r->memfd;
	case SRC_VFIO:
		return r->vfio;
	case SRC_HUGETLB:
		return r->hugetlb;
	case SRC_BAR:
		return ms_pci_resource(r->bar);
	case SRC_BAR_WC:
		return ms_pci_resource_wc(r->bar);
	case SRC_DEVMEM:
		return r->devmem;
	case SRC_DEVMEM_NOSYNC:
		return r->nosync;
	default:
		return ms_pieces_open(r->bar, mode_of(op->source), op->type, &piece, 1);
	}
}

static int64_t do_mmap(struct real *r, struct ms_mm *mm, const struct op *op)
{
	struct ms_file *file = op->source == SRC_ANON ? NULL : open_source(r, op);
	unsigned int flags = (op->source == SRC_ANON ? MS_MAP_ANONYMOUS : 0) |
			     (op->shared ? MS_MAP_SHARED : MS_MAP_PRIVATE) |
			     (op->fixed ? MS_MAP_FIXED : MS_MAP_FIXED_NOREPLACE);
	bool devmem = op->source == SRC_DEVMEM || op->source == SRC_DEVMEM_NOSYNC;
	int64_t ret = ms_mmap(mm, WINDOW + op->at * PAGE, op->len * PAGE, op->prot, flags, file,
			      op->off * PAGE + (devmem ? BAR_PA : 0) +
				      (op->source == SRC_VFIO ? ms_vfio_offset(file) : 0));

	if (op->source >= SRC_DRIVER)
		ms_file_put(file);
	return ret < 0 ? ret : 0;
}

static int64_t do_mremap(struct ms_mm *mm, const struct op *op)
{
	unsigned int flags = MS_MREMAP_MAYMOVE | (op->to ? MS_MREMAP_FIXED : 0) |
			     (op->dontunmap ? MS_MREMAP_DONTUNMAP : 0);
	int64_t ret = ms_mremap(mm, WINDOW + op->at * PAGE, op->len * PAGE, op->new_len * PAGE,
				flags, op->to ? WINDOW + op->new_at * PAGE : 0);

	return ret < 0 ? ret : 0;
}

static int64_t do_ioremap(struct real *r, const struct op *op)
{
	uint64_t *len = &r->ioremap[op->slot].len, *pa = &r->ioremap[op->slot].pa;
	int ret = -EINVAL;

	if (op->kind == OP_IOREMAP && !*len) {
		*pa = BAR_PA + op->off * PAGE;
		ret = ms_ioremap(r->m, *pa, op->len * PAGE, op->type);
		*len = ret ? 0 : op->len * PAGE;
	} else if (op->kind == OP_IOUNMAP && *len) {
		ms_iounmap(r->m, *pa, *len);
		*len = ret = 0;
	}
	return ret;
}

static int64_t do_revoke(struct real *r, const struct op *op)
{
	int err;

	if (op->kind == OP_REVOKE_DRIVER) {
		ms_pieces_revoke(r->bar, op->off * PAGE, op->len * PAGE);
		return 0;
	}
	err = ms_iomem_claim(r->m, BAR_PA + op->off * PAGE, op->len * PAGE);
	return err ? err : ms_iomem_release(r->m, BAR_PA + op->off * PAGE, op->len * PAGE);
}

/* The VMM's side: a slot is what it was made as, but for its log. */
static int64_t do_slot(struct real *r, const struct op *op)
{
	unsigned int flags;
	int err;

	if (op->kind == OP_SLOT) {
		r->slot[op->slot].gpa = GPA + op->gpa * PAGE;
		r->slot[op->slot].hva = WINDOW + op->at * PAGE;
		r->slot[op->slot].size = op->len * PAGE;
	}
	flags = op->kind == OP_SLOT ? op->flags : r->slot[op->slot].flags;
	if (op->kind == OP_SLOT_TOGGLE)
		flags ^= MS_SLOT_LOG_DIRTY;
	err = ms_vm_set_slot(r->vm, op->slot, r->slot[op->slot].gpa,
			     op->kind == OP_SLOT_DELETE ? 0 : r->slot[op->slot].size,
			     r->slot[op->slot].hva, flags);
	if (!err)
		r->slot[op->slot].flags = flags;
	return err;
}

static int64_t do_dirty(struct real *r, const struct op *op)
{
	uint64_t bits[PAGES / 64 + 1], npages, hash = 0;
	int err = ms_vm_get_dirty(r->vm, op->slot, bits, PAGES / 64 + 1, &npages);

	if (err)
		return err;
	for (unsigned int i = 0; i < npages; i++)
		if (bits[i / 64] >> i % 64 & 1)
			hash = hash * 31 + i + 1;
	return (int64_t)(hash >> 8);
}

static int64_t do_access(struct real *r, const struct op *op)
{
	struct ms_guest_access access = ms_guest_touch(r->vm, GPA + op->gpa * PAGE, op->prot);

	return (int64_t)access.exit * 4096 - access.err;
}

int64_t op_do(struct real *r, const struct op *op)
{
	struct ms_mm *mm = r->mm[op->child];
	ms_hva_t at = WINDOW + op->at * PAGE;
	uint64_t len = op->len * PAGE;

	switch (op->kind) {
	case OP_MMAP:
		return do_mmap(r, mm, op);
	case OP_MUNMAP:
		return ms_munmap(mm, at, len);
	case OP_MPROTECT:
		return ms_mprotect(mm, at, len, op->prot);
	case OP_MREMAP:
		return do_mremap(mm, op);
	case OP_MADVISE:
		return ms_madvise(mm, at, len, op->advice);
	case OP_MLOCK:
		return ms_mlock(mm, at, len);
	case OP_MUNLOCK:
		return ms_munlock(mm, at, len);
	case OP_TOUCH:
		return ms_touch(mm, at, op->prot);
	case OP_FORK:
		r->mm[1] = ms_fork(r->mm[0]);
		return r->mm[1] ? 0 : -errno;
	case OP_EXIT:
		ms_mm_exit(r->mm[1]);
		r->mm[1] = NULL;
		return 0;
	case OP_REVOKE:
	case OP_REVOKE_DRIVER:
		return do_revoke(r, op);
	case OP_MEMORY_ON:
	case OP_MEMORY_OFF:
		return ms_vfio_set_memory(r->vfio, op->kind == OP_MEMORY_ON);
	case OP_SLOT:
	case OP_SLOT_DELETE:
	case OP_SLOT_TOGGLE:
		return do_slot(r, op);
	case OP_GUEST:
		return do_access(r, op);
	case OP_DIRTY:
		return do_dirty(r, op);
	case OP_CLEAR:
		return ms_vm_clear_dirty(r->vm, op->slot, op->off, op->len);
	default:
		return do_ioremap(r, op);
	}
}
