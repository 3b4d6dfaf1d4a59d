/* SPDX-License-Identifier: GPL-2.0-only */
/* Another process's memory, as a debugger reads and writes it. */
#include "linux/state.h"

/* VMAs of which no page can be taken are asked. Answers the bytes, 0 or less: none.
 * mirrors __access_remote_vm(), mm/memory.c, 5.10+ */
static int ask_vma(struct ms_mm *mm, ms_hva_t addr, void *buf, int len, bool write)
{
	struct ms_machine *m = ms_mm_machine(mm);
	struct ms_vma *vma = ms_vma_lookup(mm, addr);
	int bytes;

	if (!vma)
		return 0;
	if (!vma->vm_ops || !vma->vm_ops->access) {
		ms_refuse(m, -EIO, "no page can be taken at %x, and its VMA has no ->access", addr);
		return 0;
	}
	bytes = ms_vma_call_access(vma, addr, buf, len, write);
	if (bytes <= 0)
		ms_refuse(m, bytes ? bytes : -EIO, "->access of the VMA at %x answers this", addr);
	return bytes;
}

/* Answers how many bytes were reached at addr. */
static int access_part(struct ms_mm *mm, ms_hva_t addr, void *buf, int len, unsigned int how)
{
	const bool write = how & MS_GUP_WRITE;
	struct ms_machine *m = ms_mm_machine(mm);
	const uint64_t offset = addr & (m->page_size - 1);
	ms_pfn_t pfn;
	int bytes;

	if (ms_look_at_page(mm, addr, how | MS_GUP_REMOTE, &pfn))
		return ask_vma(mm, addr, buf, len, write);
	bytes = (int)ms_min_u64((uint64_t)len, m->page_size - offset);
	return ms_linux_page_bytes(m, pfn, offset, buf, (uint64_t)bytes, write) ? bytes : 0;
}

// mirrors __access_remote_vm(), mm/memory.c, 5.10+
static int access_remote(struct ms_mm *mm, ms_hva_t addr, void *buf, int len, unsigned int how)
{
	int done = 0;

	if (!mm || !buf || len < 0)
		return 0;
	if (ms_mm_lock_state(mm) == MS_MMAP_WRITE) {
		ms_refuse(ms_mm_machine(mm), -EBUSY, "the mmap lock is held for writing");
		return 0;
	}
	ms_mm_lock(mm, true);
	while (done < len) {
		int bytes = access_part(mm, addr + (unsigned int)done, (char *)buf + done,
					len - done, how);

		if (bytes <= 0)
			break;
		done += bytes < len - done ? bytes : len - done;
	}
	ms_mm_unlock(mm, true);
	return done;
}

int ms_access_remote_vm(struct ms_mm *mm, ms_hva_t addr, void *buf, int len, bool write)
{
	return access_remote(mm, addr, buf, len, write ? MS_GUP_WRITE : 0);
}

int ms_linux_access_vm(struct ms_mm *mm, unsigned long addr, void *buf, int len, bool write,
		       bool force)
{
	return access_remote(mm, addr, buf, len,
			     (write ? MS_GUP_WRITE : 0u) | (force ? MS_GUP_FORCE : 0u));
}

/*
 * The device's registers do not exist: reading finds all ones, writing does nothing. What counts is
 * whether the kernel can map them.
 * mirrors generic_access_phys(), mm/memory.c, 5.10+
 */
int ms_generic_access_phys(struct ms_vma *vma, ms_hva_t addr, void *buf, int len, bool write)
{
	if (!vma || !buf || len < 0)
		return -EINVAL;
	struct ms_machine *m = ms_mm_machine(vma->vm_mm);
	const uint64_t offset = addr & (m->page_size - 1);
	struct ms_pfnmap_leaf leaf;
	void *mapped;
	int err;

	if (!(vma->vm_flags & (MS_VM_IO | MS_VM_PFNMAP)))
		return ms_refuse(m, -EINVAL, "generic_access_phys: the VMA shows no raw pfns");
	err = ms_follow_pfnmap(vma, addr, &leaf);
	if (err)
		return err;
	if (write && !leaf.writable)
		return ms_refuse(m, -EINVAL, "generic_access_phys: %x is not writable", addr);
	mapped = ms_linux_ioremap(leaf.pfn << m->page_shift,
				  ms_align_up((uint64_t)len + offset, m->page_size),
				  ms_pgprot_cache(leaf.prot));
	if (!mapped)
		return ms_refuse(m, -ENOMEM, "generic_access_phys: ioremap_prot of %x is refused",
				 leaf.pfn << m->page_shift);
	if (!write)
		memset(buf, 0xff, (size_t)len);
	ms_linux_iounmap(mapped);
	return len;
}
