/* SPDX-License-Identifier: GPL-2.0-only */
/* The words for what more than one part of this room refuses. */
#include "core/errno.h"
#include "mm/internal.h"

int ms_refuse_alignment(struct ms_machine *m, ms_hva_t addr)
{
	return ms_refuse(m, -EINVAL, "%x is not page aligned", addr);
}

int ms_refuse_end(const struct ms_mm *mm, int err, ms_hva_t addr, uint64_t len)
{
	return ms_refuse(mm->machine, err, "%x bytes at %x end beyond user space, which ends at %x",
			 len, addr, mm->task_size);
}

int ms_refuse_wrap(struct ms_machine *m, int err, uint64_t addr, uint64_t len)
{
	return ms_refuse(m, err, "%x bytes at %x wrap", len, addr);
}

int ms_refuse_no_vma(const struct ms_mm *mm, int err, ms_hva_t addr)
{
	return ms_refuse(mm->machine, err, "no VMA at %x", addr);
}

int ms_refuse_map_count(const struct ms_mm *mm)
{
	return ms_refuse(mm->machine, -ENOMEM, "process %u has %u VMAs: max_map_count is %u",
			 mm->id, mm->map_count, mm->machine->config.max_map_count);
}

int ms_refuse_near_map_count(const struct ms_mm *mm, unsigned int more)
{
	return ms_refuse(mm->machine, -ENOMEM,
			 "process %u has %u VMAs, and may need %u more: max_map_count is %u",
			 mm->id, mm->map_count, more, mm->machine->config.max_map_count);
}

int ms_refuse_overcommit(struct ms_machine *m, uint64_t size)
{
	return ms_refuse(m, -ENOMEM,
			 "overcommit: %x bytes are more than the RAM that can be used, %x bytes",
			 size, (ms_ram_pages(m) - ms_memmap_pages(m)) << m->page_shift);
}

ms_vm_fault_t ms_refuse_fault(struct ms_machine *m, const char *why, ms_hva_t addr)
{
	ms_refuse(m, -EFAULT, "%s, at %x", ms_refusal_text(why), addr);
	return MS_VM_FAULT_SIGBUS;
}

ms_vm_fault_t ms_refuse_beyond_file(const struct ms_vm_fault *vmf)
{
	struct ms_machine *m = ms_vma_machine(vmf->vma);

	ms_refuse(m, -EFAULT, "%x shows offset %x of a file that has %x bytes", vmf->address,
		  vmf->pgoff << m->page_shift, vmf->vma->vm_file->mapping->size);
	return MS_VM_FAULT_SIGBUS;
}

ms_vm_fault_t ms_refuse_page(struct ms_machine *m)
{
	if (ms_ram_free_pages(m))
		ms_refuse(m, -ENOMEM, "no memory");
	else
		ms_refuse(m, -ENOMEM, "no page of RAM is free");
	return MS_VM_FAULT_OOM;
}

/* ---- a driver that refuses ---- */

static uint64_t name_of(const struct ms_file *file)
{
	return ms_refusal_text(file && file->ops && file->ops->name ? file->ops->name : "file");
}

/* Has somebody said of this error why, after refusal number `before`? */
static bool is_told(const struct ms_machine *m, uint64_t before, int err)
{
	return m->refused.number != before && m->refused.err == err;
}

int ms_answered_by(struct ms_machine *m, uint64_t before, const struct ms_file *file,
		   const char *callback, int err)
{
	if (err >= 0 || is_told(m, before, err))
		return err;
	if (ms_errno_name(err))
		return ms_refuse(m, err, "%s: ->%s answers -%s", name_of(file),
				 ms_refusal_text(callback), ms_refusal_text(ms_errno_name(err)));
	return ms_refuse(m, err, "%s: ->%s answers -%u", name_of(file), ms_refusal_text(callback),
			 (uint64_t) - (int64_t)err);
}

static const char *fault_name(ms_vm_fault_t ret)
{
	if (ret & MS_VM_FAULT_OOM)
		return "OOM";
	if (ret & MS_VM_FAULT_HWPOISON)
		return "HWPOISON";
	if (ret & MS_VM_FAULT_SIGBUS)
		return "SIGBUS";
	return ret & MS_VM_FAULT_SIGSEGV ? "SIGSEGV" : "RETRY";
}

void ms_fault_answered_by(const struct ms_vm_fault *vmf, uint64_t before, const char *callback,
			  ms_vm_fault_t ret)
{
	struct ms_machine *m = ms_vma_machine(vmf->vma);
	int err = ms_fault_errno(m, ret);

	if (err && !is_told(m, before, err))
		ms_refuse(m, err, "%s: ->%s of %x answers VM_FAULT_%s", name_of(vmf->vma->vm_file),
			  ms_refusal_text(callback), vmf->address,
			  ms_refusal_text(fault_name(ret)));
}
