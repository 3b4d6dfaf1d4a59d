/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mediated device's driver of 2020: its mmap does next to nothing, and its fault handler calls
 * remap_pfn_range(), which sets VM_PFNMAP and its companions only then. Until that moment the VMA
 * looks like that of an ordinary file.
 */
#include "core/hash.h"
#include "drivers/internal.h"

struct ms_lazy {
	struct ms_device *bar;
	uint64_t off;
	enum ms_cache type;
	unsigned int flags;
};

static void lazy_close(struct ms_vma *vma)
{
	(void)vma;
}

static ms_vm_fault_t lazy_fault(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	struct ms_machine *m = ms_mm_machine(vma->vm_mm);
	const struct ms_lazy *d = vma->vm_private_data;
	const bool one_page = d->flags & MS_LAZY_ONE_PAGE;
	const ms_hva_t addr = one_page ? vmf->address : vma->vm_start;
	const uint64_t size = one_page ? m->page_size : vma->vm_end - vma->vm_start;
	const ms_pa_t pa = ms_device_pa(d->bar) + d->off + (addr - vma->vm_start);
	const uint64_t before = ms_refusals(m);

	if (ms_remap_pfn_range(vma, addr, pa >> m->page_shift, size, vma->vm_page_prot))
		return ms_fault_sigbus(m, before);
	return MS_VM_FAULT_NOPAGE;
}

static const struct ms_vm_ops lazy_vm_ops = {
	.fault = lazy_fault,
};

static const struct ms_vm_ops lazy_close_vm_ops = {
	.fault = lazy_fault,
	.close = lazy_close,
};

static int lazy_mmap(struct ms_file *file, struct ms_vma *vma)
{
	struct ms_lazy *d = ms_file_priv(file);

	vma->vm_private_data = d;
	vma->vm_page_prot = ms_pgprot_of_type(ms_file_machine(file), vma->vm_page_prot, d->type);
	vma->vm_ops = d->flags & MS_LAZY_CLOSE_HOOK ? &lazy_close_vm_ops : &lazy_vm_ops;
	return 0;
}

static void lazy_release(struct ms_file *file)
{
	ms_free(&ms_file_machine(file)->alloc, ms_file_priv(file));
}

static const struct ms_file_ops lazy_fops = {
	.name = "lazy",
	.mmap = lazy_mmap,
	.punch_hole = ms_no_regular_file,
	.release = lazy_release,
};

struct ms_file *ms_lazy_open(struct ms_device *bar, uint64_t off, enum ms_cache type,
			     unsigned int flags)
{
	struct ms_machine *m = bar ? ms_device_machine(bar) : NULL;
	struct ms_file *file;
	struct ms_lazy *d;

	if (!m)
		return ms_refusal_null(-EINVAL);
	if (!ms_aligned(off, m->page_size))
		return ms_refuse_null(m, -EINVAL, "offset %x is not page aligned", off);
	if (ms_check_cache_type(m, type))
		return ms_refusal_null(-EINVAL);
	if (flags & ~(MS_LAZY_ONE_PAGE | MS_LAZY_CLOSE_HOOK))
		return ms_refuse_null(m, -EINVAL, "flags %x, of which %x are known", flags,
				      MS_LAZY_ONE_PAGE | MS_LAZY_CLOSE_HOOK);
	d = ms_zalloc(&m->alloc, sizeof(*d));
	if (!d)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	d->bar = bar;
	d->off = off;
	d->type = type;
	d->flags = flags;
	file = ms_file_new(m, &lazy_fops, MS_FMODE_READ | MS_FMODE_WRITE, UINT64_MAX, NULL, d);
	if (!file)
		ms_free(&m->alloc, d);
	return file;
}

void ms_lazy_hash(struct ms_hash *h)
{
	uint64_t sum = 0;

	for (const struct ms_file *file = ms_file_each(h->machine, NULL); file;
	     file = ms_file_each(h->machine, file)) {
		const struct ms_lazy *d = ms_file_is(file, &lazy_fops) ? ms_file_priv(file) : NULL;
		uint64_t outer;

		if (!d)
			continue;
		outer = ms_hash_apart(h);
		ms_hash_known(h, ms_hash_object(file));
		ms_hash_known(h, ms_hash_object(d->bar));
		ms_hash_add(h, d->off);
		ms_hash_add(h, (uint64_t)d->type << 32 | d->flags);
		sum += ms_hash_apart_end(h, outer);
	}
	ms_hash_add(h, sum);
}
