/* SPDX-License-Identifier: GPL-2.0-only */
/* MMU notifiers: whoever has page tables that follow those of an mm hears of each range before and
 * after it changes. */
#include "mm/pgtable.h"

// mirrors mmu_notifier_register(), mm/mmu_notifier.c, 5.10+
void ms_mmu_notifier_register(struct ms_mm *mm, struct ms_mmu_notifier *mn)
{
	if (!mm || !mn)
		return;
	struct ms_mmu_notifier **p = &mm->notifiers;

	while (*p)
		p = &(*p)->next;
	mn->next = NULL;
	*p = mn;
}

// mirrors mmu_notifier_unregister(), mm/mmu_notifier.c, 5.10+
void ms_mmu_notifier_unregister(struct ms_mm *mm, struct ms_mmu_notifier *mn)
{
	if (!mm || !mn)
		return;
	for (struct ms_mmu_notifier **p = &mm->notifiers; *p; p = &(*p)->next) {
		if (*p == mn) {
			*p = mn->next;
			return;
		}
	}
}

/* mirrors mmu_notifier_invalidate_range_start(), include/linux/mmu_notifier.h, 5.10+;
 * __mmu_notifier_invalidate_range_start(), mm/mmu_notifier.c, 5.10+ */
void ms_notify_start(struct ms_mm *mm, ms_hva_t start, ms_hva_t end, enum ms_notifier_event event)
{
	MS_EMIT(mm->machine, .type = MS_EV_NOTIFIER_START, .mm = mm->id, .va = start,
		.size = end - start, .notifier = (uint8_t)event);
	for (struct ms_mmu_notifier *mn = mm->notifiers; mn; mn = mn->next)
		if (mn->ops->invalidate_range_start)
			mn->ops->invalidate_range_start(mn, mm, start, end, event);
}

/* mirrors mmu_notifier_invalidate_range_end(), include/linux/mmu_notifier.h, 5.10+;
 * __mmu_notifier_invalidate_range_end(), mm/mmu_notifier.c, 5.10+ */
void ms_notify_end(struct ms_mm *mm, ms_hva_t start, ms_hva_t end, enum ms_notifier_event event)
{
	for (struct ms_mmu_notifier *mn = mm->notifiers; mn; mn = mn->next)
		if (mn->ops->invalidate_range_end)
			mn->ops->invalidate_range_end(mn, mm, start, end, event);
	MS_EMIT(mm->machine, .type = MS_EV_NOTIFIER_END, .mm = mm->id, .va = start,
		.size = end - start, .notifier = (uint8_t)event);
}

/* mirrors set_pte_at_notify(), include/linux/mmu_notifier.h, 5.10 .. 6.9;
 * __mmu_notifier_change_pte(), mm/mmu_notifier.c, 5.10 .. 6.9 */
void ms_notify_change_pte(struct ms_mm *mm, ms_hva_t addr, uint64_t entry)
{
	if (mm->machine->policy.notifier_change_pte != MS_NOTIFIER_CHANGE_PTE_YES)
		return;
	MS_EMIT(mm->machine, .type = MS_EV_CHANGE_PTE, .mm = mm->id, .va = addr,
		.pa = ms_pte_pa(entry), .prot = entry & MS_PTE_WRITE ? MS_PROT_W : 0);
	for (struct ms_mmu_notifier *mn = mm->notifiers; mn; mn = mn->next)
		if (mn->ops->change_pte)
			mn->ops->change_pte(mn, mm, addr, entry);
}

// mirrors __mmu_notifier_release(), mm/mmu_notifier.c, 5.10+
void ms_notify_release(struct ms_mm *mm)
{
	struct ms_mmu_notifier *mn;

	while ((mn = mm->notifiers)) {
		mm->notifiers = mn->next;
		mn->next = NULL;
		if (mn->ops->release)
			mn->ops->release(mn, mm);
	}
}

bool ms_check_is_registered(const struct ms_mm *mm, const struct ms_mmu_notifier *mn)
{
	const struct ms_mmu_notifier *at = mm->notifiers;

	while (at && at != mn)
		at = at->next;
	return at;
}

// mirrors __mmu_notifier_clear_young(), mm/mmu_notifier.c, 5.10+
bool ms_mm_clear_young(struct ms_mm *mm, ms_hva_t start, ms_hva_t end)
{
	bool young = false;

	if (!mm || start >= end)
		return false;
	for (struct ms_mmu_notifier *mn = mm->notifiers; mn; mn = mn->next)
		if (mn->ops->clear_young)
			young |= mn->ops->clear_young(mn, mm, start, end);
	return young;
}

/* The first that says yes ends it.
 * mirrors __mmu_notifier_test_young(), mm/mmu_notifier.c, 5.10+ */
bool ms_mm_test_young(struct ms_mm *mm, ms_hva_t addr)
{
	if (!mm)
		return false;
	for (struct ms_mmu_notifier *mn = mm->notifiers; mn; mn = mn->next)
		if (mn->ops->test_young && mn->ops->test_young(mn, mm, addr))
			return true;
	return false;
}

struct ms_mmu_notifier *ms_mm_first_notifier(const struct ms_mm *mm)
{
	return mm->notifiers;
}
