/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mapping functions whose callers the kernel asks for a lock. While a driver is called by the
 * library, lib/mm sees to it; here it is code outside of such a call, which has to
 * take the mmap lock itself.
 */
#include "linux/state.h"

/* Inside of remap_pfn_range(), up to 6.17.
 * mirrors vm_flags_set(), include/linux/mm.h, 6.3+ */
static void assert_flags_lock(const struct ms_vma *vma)
{
	struct ms_machine *m = ms_mm_machine(vma->vm_mm);

	if (ms_mm_lock_state(vma->vm_mm) == MS_MMAP_FREE &&
	    m->policy.vma_flags_lock == MS_VMA_FLAGS_LOCK_ASSERTED)
		ms_violation(m, "mmap lock not held for writing", vma->vm_start);
}

int ms_linux_remap_pfn_range(struct ms_vma *vma, unsigned long addr, unsigned long pfn,
			     unsigned long size, ms_pgprot_t prot)
{
	ms_vma_door();
	if (!vma)
		return -EINVAL;
	ms_linux_might_sleep("remap_pfn_range");
	assert_flags_lock(vma);
	return ms_remap_pfn_range(vma, addr, pfn, size, prot);
}

int ms_linux_vm_iomap_memory(struct ms_vma *vma, uint64_t start, unsigned long len)
{
	ms_vma_door();
	if (!vma)
		return -EINVAL;
	ms_linux_might_sleep("vm_iomap_memory");
	assert_flags_lock(vma);
	return ms_vm_iomap_memory(vma, start, len);
}

int ms_linux_vm_insert_page(struct ms_vma *vma, unsigned long addr, struct ms_struct_page *page)
{
	ms_vma_door();
	if (!vma)
		return -EINVAL;
	ms_linux_might_sleep("vm_insert_page");
	if (!(vma->vm_flags & MS_VM_MIXEDMAP) && ms_mm_lock_state(vma->vm_mm) == MS_MMAP_FREE) {
		ms_violation(ms_mm_machine(vma->vm_mm),
			     "vm_insert_page sets VM_MIXEDMAP, and nobody holds the mmap lock",
			     vma->vm_start);
		return ms_refuse(ms_mm_machine(vma->vm_mm), -EINVAL,
				 "vm_insert_page sets VM_MIXEDMAP, and nobody holds the mmap lock");
	}
	return ms_vm_insert_page(vma, addr, ms_page_struct_to_pfn(ms_mm_machine(vma->vm_mm), page));
}

void ms_linux_unmap_mapping(struct ms_machine *m, const void *key, uint64_t off, uint64_t len,
			    bool even_cows)
{
	if (m)
		ms_unmap_mapping_range(ms_file_of_mapping(m, key), off, len, even_cows);
}

void ms_linux_name_file(struct ms_file *file, const char *name)
{
	const char *slash = name ? strrchr(name, '/') : NULL;

	if (file && name && (uintptr_t)file < (uintptr_t)-4095)
		ms_file_set_name(
			file, ms_text(ms_file_machine(file), "%s", slash ? slash + 1 : name));
}

void ms_linux_get_file(struct ms_file *file)
{
	if (file)
		ms_file_driver_get(file);
}

void ms_linux_fput(struct ms_file *file)
{
	if (file)
		ms_file_driver_put(file);
}
