/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of a process, as driver code takes them and gives them back: get_user_pages and its kin. */
#include "linux/state.h"

static unsigned int how_of(unsigned int flags)
{
	return (flags & MS_LINUX_FOLL_WRITE ? MS_GUP_WRITE : 0u) |
	       (flags & MS_LINUX_FOLL_FORCE ? MS_GUP_FORCE : 0u) |
	       (flags & MS_LINUX_FOLL_LONGTERM ? MS_GUP_LONGTERM : 0u);
}

/* What the flags may not say together. 0, -EINVAL.
 * mirrors is_valid_gup_flags(), mm/gup.c, 5.10 .. 6.1; is_valid_gup_args(), mm/gup.c, 6.12+ */
static int check_flags(struct ms_machine *m, unsigned int flags, unsigned int way, bool has_pages)
{
	const bool pin = way & MS_LINUX_GUP_PIN;

	if (flags & MS_LINUX_FOLL_PIN)
		ms_violation(m, "FOLL_PIN is no flag for drivers: pin_user_pages() says it", 0);
	else if (pin && (flags & MS_LINUX_FOLL_GET))
		ms_violation(m, "pin_user_pages with FOLL_GET", 0);
	else if (!pin && (flags & MS_LINUX_FOLL_LONGTERM))
		ms_violation(m, "FOLL_LONGTERM without a pin: get_user_pages does not do that", 0);
	else if (pin && !has_pages)
		ms_violation(m, "pin_user_pages without room for the pages", 0);
	else
		return 0;
	return ms_refuse(m, -EINVAL, "get_user_pages: flags that may not be said together");
}

/* Is the mmap lock held as the function wants it? false: it would wait for ever. */
static bool check_lock(struct ms_mm *mm, unsigned int way, unsigned long addr)
{
	struct ms_machine *m = ms_mm_machine(mm);

	if (!(way & (MS_LINUX_GUP_FAST | MS_LINUX_GUP_UNLOCKED))) {
		ms_linux_mmap_assert(mm, false);
		return true;
	}
	if (ms_mm_lock_state(mm) == MS_MMAP_FREE)
		return true;
	ms_violation(m, "pages are taken, which takes the mmap lock, and it is held: a deadlock",
		     addr);
	ms_refuse(m, -EFAULT, "the mmap lock is held");
	return false;
}

/* Of a few at a time, so that no memory is needed for their numbers. */
#define MS_GUP_AT_ONCE 16u

struct take {
	struct ms_mm *mm;
	unsigned int how, way;
	struct ms_struct_page **pages; /* may be NULL */
	struct ms_vma **vmas;          /* may be NULL */
};

static void tell(const struct take *t, unsigned long i, unsigned long addr, ms_pfn_t pfn)
{
	if (t->pages)
		t->pages[i] = ms_pfn_to_page_struct(ms_mm_machine(t->mm), pfn);
	if (t->vmas)
		t->vmas[i] = ms_vma_lookup(t->mm, addr);
}

/* From the page tables alone; answers how many. */
static unsigned long take_fast(const struct take *t, unsigned long addr, unsigned long npages)
{
	struct ms_machine *m = ms_mm_machine(t->mm);
	unsigned long i;
	ms_pfn_t pfn;

	for (i = 0; i < npages; i++) {
		const unsigned long at = addr + (i << m->page_shift);

		if (!ms_gup_page_fast(t->mm, at, t->how, &pfn) ||
		    ms_gup_pages(t->mm, at, 1, t->how, &pfn) != 1)
			break;
		tell(t, i, at, pfn);
	}
	return i;
}

/* Answers how many, or of none the error. */
static long take_slowly(const struct take *t, unsigned long addr, unsigned long npages,
			unsigned long done)
{
	struct ms_machine *m = ms_mm_machine(t->mm);
	ms_pfn_t pfn[MS_GUP_AT_ONCE];

	while (done < npages) {
		const unsigned long at = addr + (done << m->page_shift);
		const uint64_t n = ms_min_u64(npages - done, MS_GUP_AT_ONCE);
		const int64_t taken = ms_gup_pages(t->mm, at, n, t->how, pfn);

		for (int64_t i = 0; i < taken; i++)
			tell(t, done + (unsigned long)i,
			     at + ((unsigned long)i << m->page_shift), pfn[i]);
		if (taken > 0)
			done += (unsigned long)taken;
		if (taken != (int64_t)n)
			return done ? (long)done : (long)taken;
	}
	return (long)done;
}

/* mirrors get_user_pages() and pin_user_pages(), mm/gup.c, 5.10+; internal_get_user_pages_fast(),
 * mm/gup.c, 5.10 .. 6.1; gup_fast_fallback(), mm/gup.c, 6.12+ */
long ms_linux_gup(struct ms_mm *mm, unsigned long addr, unsigned long npages, unsigned int flags,
		  unsigned int way, struct ms_struct_page **pages, struct ms_vma **vmas)
{
	if (!mm)
		return ms_linux_refuse(-EFAULT, "get_user_pages: there is no process");
	struct ms_machine *m = ms_mm_machine(mm);
	struct take t = { mm, how_of(flags), way, pages, vmas };
	const bool locks = way & (MS_LINUX_GUP_FAST | MS_LINUX_GUP_UNLOCKED);
	unsigned long done = 0;
	long answer = check_flags(m, flags, way, pages);

	if (answer || !npages)
		return answer;
	t.how |= (way & MS_LINUX_GUP_PIN ? MS_GUP_PIN : 0u) |
		 (way & MS_LINUX_GUP_REMOTE ? MS_GUP_REMOTE : 0u);
	addr &= ~(m->page_size - 1);
	if (npages > ms_task_size(m) >> m->page_shift)
		return ms_refuse(m, -EFAULT, "%u pages are more than a process has", npages);
	if (!(way & MS_LINUX_GUP_ONLY))
		ms_linux_might_sleep("get_user_pages");
	if (!(way & MS_LINUX_GUP_ONLY) && !check_lock(mm, way, addr))
		return -EFAULT;
	if (way & MS_LINUX_GUP_FAST)
		done = take_fast(&t, addr, npages);
	if ((way & MS_LINUX_GUP_ONLY) || done == npages)
		return (long)done;
	if (locks)
		ms_mm_lock(mm, true);
	answer = take_slowly(&t, addr, npages, done);
	if (locks)
		ms_mm_unlock(mm, true);
	return answer;
}

/* mirrors unpin_user_page(), mm/gup.c, 5.10+; gup_put_folio(), mm/gup.c, 6.1+ */
void ms_linux_unpin(struct ms_struct_page *page)
{
	struct ms_machine *m = ms_linux_here("unpin_user_page");
	const ms_pfn_t pfn = ms_page_struct_to_pfn(m, page);
	uint32_t references;

	if (!m)
		return;
	if (!page || !ms_pfn_is_ram(m, pfn)) {
		ms_violation(m, "unpin_user_page of what is no page of RAM", 0);
		return;
	}
	references = ms_unpin(m, pfn);
	if (!references)
		return;
	if (references > 1)
		ms_page_put(m, ms_page_head(m, pfn), references - 1);
	ms_linux_pages_put(m, pfn);
}

bool ms_linux_maybe_pinned(const struct ms_struct_page *page)
{
	struct ms_machine *m = ms_linux_here("page_maybe_dma_pinned");

	return m && page && ms_page_maybe_pinned(m, ms_page_struct_to_pfn(m, page));
}

int ms_linux_fixup_user_fault(struct ms_mm *mm, unsigned long addr, bool write)
{
	if (!mm)
		return ms_linux_refuse(-EFAULT, "fixup_user_fault: there is no process");
	ms_linux_might_sleep("fixup_user_fault");
	ms_linux_mmap_assert(mm, false);
	return ms_fixup_user_fault(mm, addr, write);
}

unsigned int ms_linux_filemap_map_pages(struct ms_vm_fault *vmf, unsigned long first,
					unsigned long last)
{
	return vmf && vmf->vma ? ms_filemap_map_pages(vmf, first, last) : MS_VM_FAULT_SIGBUS;
}
