/* SPDX-License-Identifier: GPL-2.0-only */
/* How others take pages of a process, and make them present: get_user_pages and its kin. */
#include "mm/lock.h"
#include "mm/move.h"
#include "mm/pgtable.h"
#include "mm/pin.h"

#define MS_GUP_FAULTS 8 /* so many faults for one page are taken for endless */

/* mirrors vm_fault_to_errno(), include/linux/mm.h, 5.10+: where a handler asks for another try
 * inside of a hook, the answer is EBUSY, since whoever it waits for is interrupted by the hook */
int ms_fault_errno(const struct ms_machine *m, ms_vm_fault_t ret)
{
	if ((ret & MS_VM_FAULT_RETRY) && m->in_hook)
		return -EBUSY;
	if (ret & MS_VM_FAULT_OOM)
		return -ENOMEM;
	if (ret & MS_VM_FAULT_HWPOISON)
		return -EHWPOISON;
	return ret & (MS_VM_FAULT_ERROR | MS_FAULT_ENDLESS) ? -EFAULT : 0;
}

/* For callers that do not say FOLL_HWPOISON. */
static int not_poison(int err)
{
	return err == -EHWPOISON ? -EFAULT : err;
}

static int refuse_vma(const struct ms_vma *vma, const char *why)
{
	return ms_refuse(ms_vma_machine(vma), -EFAULT, MS_VMA_WORDS " %s", MS_VMA_NUMBERS(vma),
			 ms_refusal_text(why));
}

/* Nobody would hear of writes to a page that is held for long, where the driver wants to.
 * mirrors writable_file_mapping_allowed(), mm/gup.c, 6.12+ */
static bool may_write_for_long(const struct ms_vma *vma)
{
	const uint64_t both = MS_VM_SHARED | MS_VM_WRITE;

	return ms_vma_machine(vma)->policy.longterm_write == MS_LONGTERM_WRITE_YES ||
	       (vma->vm_flags & both) != both || !vma->vm_ops ||
	       (!vma->vm_ops->page_mkwrite && !vma->vm_ops->pfn_mkwrite);
}

static int check_write(const struct ms_vma *vma, unsigned int how)
{
	if ((how & MS_GUP_LONGTERM) && (how & MS_GUP_PIN) && !may_write_for_long(vma))
		return refuse_vma(vma, "tells its driver of writes: not to be pinned for long");
	if (vma->vm_flags & MS_VM_WRITE)
		return 0;
	if (!(how & MS_GUP_FORCE) || ms_vma_is_hugetlb(vma) || !ms_is_cow_mapping(vma->vm_flags))
		return refuse_vma(vma, "is not writable");
	return 0;
}

// mirrors check_vma_flags(), mm/gup.c, 5.10+
int ms_check_vma_flags(const struct ms_vma *vma, unsigned int how)
{
	const bool force = how & MS_GUP_FORCE;

	if (vma->vm_flags & (MS_VM_IO | MS_VM_PFNMAP))
		return refuse_vma(vma, "is VM_IO or VM_PFNMAP: no pages can be taken");
	// arch_vma_access_permitted(): a protection key binds those who act for the process, too
	if ((vma->vm_flags & MS_VM_PKEY) && !(how & MS_GUP_REMOTE))
		return refuse_vma(vma, "has a protection key");
	if (how & MS_GUP_WRITE)
		return check_write(vma, how);
	if ((vma->vm_flags & MS_VM_READ) || (force && (vma->vm_flags & MS_VM_MAYREAD)))
		return 0;
	return refuse_vma(vma, "is not readable");
}

/* May the entry be used as it is?
 * mirrors follow_page_mask(), mm/gup.c, 5.10+ */
static bool followable(uint64_t entry, bool write)
{
	return (entry & MS_PTE_PRESENT) && (!write || (entry & MS_PTE_WRITE));
}

/* Of an entry that may be used but for the page behind it: an anonymous page of this process alone?
 */
static bool is_own_page(struct ms_machine *m, uint64_t entry, ms_pfn_t pfn)
{
	const struct ms_page *page;

	if ((entry & MS_PTE_SPECIAL) || !ms_pfn_is_ram(m, pfn))
		return false;
	page = ms_pfn_to_page(m, pfn);
	return page && (page->flags & MS_PG_ANON) && (page->flags & MS_PG_ANON_EXCLUSIVE);
}

/*
 * Would the process lose the page that is pinned for reading, once it writes to it? vma NULL: it is
 * not known, and the answer is on the safe side.
 * mirrors gup_must_unshare(), include/linux/mm.h, 6.1 .. 6.1; gup_must_unshare(), mm/internal.h,
 * 6.12+
 */
static bool must_unshare(struct ms_machine *m, const struct ms_vma *vma, uint64_t entry,
			 ms_pfn_t pfn, unsigned int how)
{
	const enum ms_policy_pin_exclusive rule = m->policy.pin_exclusive;
	const struct ms_page *page;

	if ((how & (MS_GUP_WRITE | MS_GUP_PIN)) != MS_GUP_PIN || (entry & MS_PTE_WRITE) ||
	    rule == MS_PIN_EXCLUSIVE_ANY || !ms_pfn_is_ram(m, pfn))
		return false;
	page = ms_pfn_to_page(m, pfn);
	// private hugetlb memory is not unshared here
	if (page && (page->flags & MS_PG_HUGETLB))
		return false;
	if (page && (page->flags & MS_PG_ANON) && !(entry & MS_PTE_SPECIAL))
		return !(page->flags & MS_PG_ANON_EXCLUSIVE);
	return rule == MS_PIN_EXCLUSIVE_ANON_AND_LONGTERM && (how & MS_GUP_LONGTERM) &&
	       (!vma || ms_is_cow_mapping(vma->vm_flags));
}

enum follow { FOLLOW, FAULT, UNSHARE };

/* What is to be done with the entry at addr. */
static enum follow follow(struct ms_mm *mm, ms_hva_t addr, uint64_t entry, unsigned int level,
			  unsigned int how)
{
	struct ms_machine *m = mm->machine;
	const ms_pfn_t pfn = ms_leaf_pfn(m, entry, level, addr);

	if (!(entry & MS_PTE_PRESENT))
		return FAULT;
	if (!(how & MS_GUP_WRITE))
		return must_unshare(m, ms_vma_lookup(mm, addr), entry, pfn, how) ? UNSHARE : FOLLOW;
	if (entry & MS_PTE_WRITE)
		return FOLLOW;
	// can_follow_write_pte(): by force, where the page was copied for it
	return (how & MS_GUP_FORCE) && is_own_page(m, entry, pfn) ? FOLLOW : FAULT;
}

/*
 * What a fault on somebody's behalf says: without the lock for reading it may not be dropped.
 * mirrors faultin_page(), mm/gup.c, 5.10+
 */
static unsigned int gup_flags(const struct ms_mm *mm, unsigned int how)
{
	const unsigned int retry = MS_FAULT_FLAG_ALLOW_RETRY | MS_FAULT_FLAG_KILLABLE;

	return (how & MS_GUP_WRITE ? MS_FAULT_FLAG_WRITE : 0) |
	       (how & MS_GUP_REMOTE ? MS_FAULT_FLAG_REMOTE : 0) | (mm->mmap_writer ? 0 : retry);
}

/*
 * Looks, faults, and looks again. The caller holds the mmap lock (mprotect: for writing). The flags
 * of the VMA were checked once, before: a handler that makes the VMA VM_PFNMAP in its first fault
 * is not refused.
 * mirrors __get_user_pages() and faultin_page(), mm/gup.c, 5.10+
 */
static int fault_in_page(struct ms_mm *mm, ms_hva_t addr, unsigned int how, unsigned int flags,
			 uint64_t *entry, unsigned int *level)
{
	ms_vm_fault_t ret = 0;

	mm->machine->processes->endless_mkwrite = false;
	for (unsigned int i = 0; i < MS_GUP_FAULTS; i++) {
		struct ms_vma *vma;
		enum follow next;
		int err;

		*entry = ms_pt_walk(mm, addr, level);
		next = follow(mm, addr, *entry, *level, how);
		if (next == FOLLOW)
			return 0;
		vma = ms_vma_lookup(mm, addr);
		if (!vma)
			return ms_refuse_no_vma(mm, -EFAULT, addr);
		ret = ms_handle_mm_fault(
			vma, addr, flags | (next == UNSHARE ? MS_FAULT_FLAG_UNSHARE : 0));
		err = ms_fault_errno(mm->machine, ret);
		if (err)
			return err;
		if (!(ret & MS_VM_FAULT_RETRY))
			continue;
		// who could not wait has another do it
		if (flags & MS_FAULT_FLAG_RETRY_NOWAIT)
			flags = gup_flags(mm, how);
		else
			flags |= MS_FAULT_FLAG_TRIED;
	}
	ms_endless_fault(mm, ret, addr);
	return -EFAULT;
}

/* The page behind addr in a leaf; false: it has no struct page. The zero page has one. */
static bool leaf_page(const struct ms_machine *m, uint64_t entry, unsigned int level, ms_hva_t addr,
		      ms_pfn_t *pfn)
{
	*pfn = ms_leaf_pfn(m, entry, level, addr);
	if (entry & MS_PTE_SPECIAL)
		return ms_is_zero_pfn(m, *pfn);
	return ms_pfn_is_ram(m, *pfn);
}

/* quiet: a VMA of which no pages can be taken is refused without a word. */
static int get_user_page(struct ms_mm *mm, ms_hva_t addr, unsigned int how, bool quiet,
			 ms_pfn_t *pfn, bool *writable)
{
	unsigned int flags = gup_flags(mm, how);
	struct ms_vma *vma;
	unsigned int level;
	const uint64_t before = ms_refusals(mm->machine);
	uint64_t entry;
	int err;

	addr = ms_untagged_addr(mm->machine, addr);
	vma = ms_vma_lookup(mm, addr);
	if (!vma)
		return ms_refuse_no_vma(mm, -EFAULT, addr);
	if (quiet && (vma->vm_flags & (MS_VM_IO | MS_VM_PFNMAP)))
		return -EFAULT;
	err = ms_check_vma_flags(vma, how);
	if (err)
		return err;
	entry = ms_pt_walk(mm, addr, &level);
	if (follow(mm, addr, entry, level, how) != FOLLOW && !ms_mmap_may_read(mm))
		return ms_mmap_waits(mm);
	// x86's KVM does not wait the first time, as another could do it for the guest
	if (quiet && ms_is_x86(mm->machine))
		flags = (flags & ~MS_FAULT_FLAG_KILLABLE) | MS_FAULT_FLAG_RETRY_NOWAIT;
	err = fault_in_page(mm, addr, how, flags, &entry, &level);
	if (err)
		return (int)ms_answered(mm->machine, before, err, NULL);
	if (!leaf_page(mm->machine, entry, level, addr, pfn))
		return ms_refuse(mm->machine, -EFAULT, "%x maps no struct page", addr);
	ms_lru_accessed(mm, addr, *pfn);
	if (writable)
		*writable = entry & MS_PTE_WRITE;
	return 0;
}

/* One page.
 * mirrors __get_user_pages(), mm/gup.c, 5.10+ */
int ms_get_user_page(struct ms_mm *mm, ms_hva_t addr, bool write, ms_pfn_t *pfn, bool *writable)
{
	return mm ? get_user_page(mm, addr, write ? MS_GUP_WRITE : 0, false, pfn, writable)
		  : -EINVAL;
}

int ms_look_at_page(struct ms_mm *mm, ms_hva_t addr, unsigned int how, ms_pfn_t *pfn)
{
	return get_user_page(mm, addr, how, false, pfn, NULL);
}

int ms_try_get_user_page(struct ms_mm *mm, ms_hva_t addr, bool write, ms_pfn_t *pfn)
{
	return get_user_page(mm, addr, write ? MS_GUP_WRITE : 0, true, pfn, NULL);
}

/* From the page table alone: no VMA is asked, and special entries are refused. */
static bool get_fast(const struct ms_mm *mm, ms_hva_t addr, unsigned int how, ms_pfn_t *pfn)
{
	struct ms_machine *m = mm->machine;
	unsigned int level;
	uint64_t entry;

	addr = ms_untagged_addr(m, addr);
	if (addr >= mm->task_size)
		return false;
	entry = ms_pt_walk(mm, addr, &level);
	return followable(entry, how & MS_GUP_WRITE) && !(entry & MS_PTE_SPECIAL) &&
	       leaf_page(m, entry, level, addr, pfn) && !must_unshare(m, NULL, entry, *pfn, how);
}

/* Pages of files, which are written to for long, are left to who asks the VMA.
 * mirrors gup_fast_folio_allowed(), mm/gup.c, 6.12+ */
bool ms_gup_page_fast(struct ms_mm *mm, ms_hva_t addr, unsigned int how, ms_pfn_t *pfn)
{
	const unsigned int all = MS_GUP_PIN | MS_GUP_LONGTERM | MS_GUP_WRITE;
	struct ms_machine *m = mm->machine;

	if (how & MS_GUP_PIN)
		mm->has_pinned = true;
	if (!get_fast(mm, addr, how, pfn))
		return false;
	return (how & all) != all || m->policy.longterm_write == MS_LONGTERM_WRITE_YES ||
	       (ms_pfn_to_page(m, *pfn)->flags & MS_PG_ANON);
}

bool ms_try_get_user_page_fast(const struct ms_mm *mm, ms_hva_t addr, bool write, ms_pfn_t *pfn)
{
	if (!get_fast(mm, addr, write ? MS_GUP_WRITE : 0, pfn))
		return false;
	ms_lru_referenced(mm->machine, *pfn);
	return true;
}

static int why_not_fast(const struct ms_mm *mm, ms_hva_t addr, bool write)
{
	struct ms_machine *m = mm->machine;
	unsigned int level;
	uint64_t entry;

	if (addr >= mm->task_size)
		return ms_refuse_end(mm, -EFAULT, addr, 1);
	entry = ms_pt_walk(mm, addr, &level);
	if (!(entry & MS_PTE_PRESENT))
		return ms_refuse(m, -EFAULT, "nothing is mapped at %x", addr);
	if (!followable(entry, write))
		return ms_refuse(m, -EFAULT, "%x is mapped read-only", addr);
	return ms_refuse(m, -EFAULT, "%x maps no struct page", addr);
}

/* mirrors get_user_pages_fast_only(), mm/gup.c, 5.10+; gup_pgd_range(), mm/gup.c, 5.10 .. 6.1;
 * gup_fast_pgd_range(), mm/gup.c, 6.12+ */
int ms_get_user_page_fast(struct ms_mm *mm, ms_hva_t addr, bool write, ms_pfn_t *pfn)
{
	if (!mm)
		return -EINVAL;
	if (ms_try_get_user_page_fast(mm, addr, write, pfn))
		return 0;
	return why_not_fast(mm, ms_untagged_addr(mm->machine, addr), write);
}

/* One fault, and more only where the handler asks for another try. */
static int fixup_fault(struct ms_mm *mm, ms_hva_t addr, bool write)
{
	unsigned int flags = gup_flags(mm, write ? MS_GUP_WRITE : 0);
	ms_vm_fault_t ret = MS_VM_FAULT_RETRY;

	for (unsigned int i = 0; i < MS_GUP_FAULTS && (ret & MS_VM_FAULT_RETRY); i++) {
		struct ms_vma *vma = ms_vma_lookup(mm, addr);

		if (!vma)
			return ms_refuse_no_vma(mm, -EFAULT, addr);
		ret = ms_handle_mm_fault(vma, addr, flags);
		flags |= MS_FAULT_FLAG_TRIED;
		if (ms_fault_errno(mm->machine, ret))
			return ms_fault_errno(mm->machine, ret);
	}
	if (!(ret & MS_VM_FAULT_RETRY))
		return 0;
	ms_endless_fault(mm, ret, addr);
	return -EFAULT;
}

// mirrors fixup_user_fault(), mm/gup.c, 5.10+
int ms_fixup_user_fault(struct ms_mm *mm, ms_hva_t addr, bool write)
{
	struct ms_vma *vma;
	uint64_t before;
	int err;

	if (!mm)
		return -EINVAL;
	before = ms_refusals(mm->machine);
	addr = ms_untagged_addr(mm->machine, addr);
	vma = ms_vma_lookup(mm, addr);
	if (!vma)
		return ms_refuse_no_vma(mm, -EFAULT, addr);
	if (!(vma->vm_flags & (write ? MS_VM_WRITE : MS_VM_READ)))
		return refuse_vma(vma, write ? "is not writable" : "is not readable");
	if (!ms_mmap_may_read(mm))
		return ms_mmap_waits(mm);
	err = fixup_fault(mm, addr, write);
	if (err == -EHWPOISON)
		return ms_answered_as(mm->machine, before, not_poison(err));
	return (int)ms_answered(mm->machine, before, err, NULL);
}

/* ---- ranges ---- */

/* mirrors populate_vma_page_range(), mm/gup.c, 5.10+; faultin_vma_page_range(), mm/gup.c,
 * 5.14 .. 6.8; faultin_page_range(), mm/gup.c, 6.9+ */
int ms_fault_in_range(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, bool write)
{
	const unsigned int how = write ? MS_GUP_WRITE : 0;
	struct ms_mm *mm = vma->vm_mm;
	int err = 0;

	while (start < end && !err) {
		unsigned int level;
		uint64_t entry;

		err = fault_in_page(mm, start, how, gup_flags(mm, how), &entry, &level);
		if (!err) {
			uint64_t size = ms_level_size(mm->machine, level);

			if (level == MS_LEVEL_PTE && !(entry & MS_PTE_SPECIAL))
				ms_lru_accessed(mm, start, ms_pte_pfn(mm->machine, entry));
			start = ms_align_down(start, size) + size;
		}
	}
	// from 5.18 on the queues to the LRU lists are emptied at the end, for the sake of mlock
	if (mm->machine->policy.anon_reuse != MS_ANON_REUSE_SOLE_REFERENCE)
		ms_lru_drain(mm->machine);
	return err;
}

/* Page by page: up to 5.17 each page is marked, and the queue emptied, before the next one is
 * faulted in. */
static int populate_locked(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, bool write)
{
	struct ms_mm *mm = vma->vm_mm;

	for (; start < end; start += mm->machine->page_size) {
		int err = ms_fault_in_range(vma, start, start + 1, write);

		if (err)
			return err;
		ms_mlock_page(vma, start);
	}
	return 0;
}

/* Private writable memory is written to, so that it is copied now.
 * mirrors populate_vma_page_range(), mm/gup.c, 5.10+ */
static int populate_vma(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	bool write = (vma->vm_flags & (MS_VM_WRITE | MS_VM_SHARED)) == MS_VM_WRITE;

	int err;

	// Any of the three rights suffices.
	if (!(vma->vm_flags & MS_VM_ACCESS))
		return refuse_vma(vma, "gives no access");
	// FOLL_FORCE: to read what may be executed alone
	err = ms_check_vma_flags(vma, write ? MS_GUP_WRITE : MS_GUP_FORCE);
	if (err)
		return err;
	if ((vma->vm_flags & MS_VM_LOCKED) &&
	    ms_vma_machine(vma)->policy.anon_reuse == MS_ANON_REUSE_SOLE_REFERENCE)
		return not_poison(populate_locked(vma, start, end, write));
	return not_poison(ms_fault_in_range(vma, start, end, write));
}

// mirrors __mm_populate(), mm/gup.c, 5.10+
static int mm_populate(struct ms_mm *mm, ms_hva_t start, uint64_t len, bool ignore_errors)
{
	const ms_hva_t end = start + len;

	while (start < end) {
		struct ms_vma *vma = ms_find_vma_intersection(mm, start, end);
		int err = 0;
		ms_hva_t stop;

		if (!vma)
			break;
		stop = ms_min_u64(end, vma->vm_end);
		if (!(vma->vm_flags & (MS_VM_IO | MS_VM_PFNMAP)))
			err = populate_vma(vma, ms_max_u64(start, vma->vm_start), stop);
		if (err && !ignore_errors)
			return err;
		start = stop;
	}
	return 0;
}

// mirrors mm_populate(), include/linux/mm.h, 5.10+
void ms_mm_populate(struct ms_mm *mm, ms_hva_t start, uint64_t len)
{
	mm_populate(mm, start, len, true);
}

int ms_mm_populate_strict(struct ms_mm *mm, ms_hva_t start, uint64_t len)
{
	return mm_populate(mm, start, len, false);
}
