/* SPDX-License-Identifier: GPL-2.0-only */
/* MMU notifiers: whoever has page tables that follow those of an mm hears of each range before and
 * after it changes. */
#include "mm/lock.h"

#include "core/pointer.h"
#include "mm/pgtable.h"

/* ---- who is registered ---- */

static bool is_registered(const struct ms_machine *m, const struct ms_mmu_notifier *mn)
{
	const struct ms_mm *mm;

	TAILQ_FOREACH (mm, &m->processes->mms, link)
		if (ms_check_is_registered(mm, mn))
			return true;
	return false;
}

// mirrors mmu_notifier_register(), mm/mmu_notifier.c, 5.10+
int ms_mmu_notifier_add(struct ms_mm *mm, struct ms_mmu_notifier *mn,
			const struct ms_mmu_notifier_ops *ops)
{
	struct ms_machine *m = mm->machine;
	struct ms_mmu_notifier **p = &mm->notifiers;

	if (is_registered(m, mn)) {
		ms_violation(m, "a notifier is registered a second time", 0);
		return ms_refuse(m, -EINVAL, "the notifier is registered");
	}
	if (mm->exiting) {
		ms_violation(m, "a notifier is registered with a process that ends", 0);
		return ms_refuse(m, -EINVAL, "process %u ends", mm->id);
	}
	while (*p)
		p = &(*p)->next;
	mn->ops = ops;
	mn->next = NULL;
	*p = mn;
	return 0;
}

void ms_mmu_notifier_register(struct ms_mm *mm, struct ms_mmu_notifier *mn)
{
	if (mm && mn && mn->ops)
		ms_mmu_notifier_add(mm, mn, mn->ops);
}

// mirrors mmu_notifier_unregister(), mm/mmu_notifier.c, 5.10+
void ms_mmu_notifier_unregister(struct ms_mm *mm, struct ms_mmu_notifier *mn)
{
	if (!mm || !mn)
		return;
	for (struct ms_mmu_notifier **p = &mm->notifiers; *p; p = &(*p)->next) {
		if (*p != mn)
			continue;
		// those who are telling them all go on behind it
		for (struct ms_notifier_walk *w = mm->walks; w; w = w->outer)
			if (w->next == mn)
				w->next = mn->next;
		*p = mn->next;
		return;
	}
}

bool ms_mmu_notifiers_use(const struct ms_machine *m, uintptr_t from, uintptr_t to)
{
	const struct ms_mmu_notifier *mn;
	const struct ms_mm *mm;

	TAILQ_FOREACH (mm, &m->processes->mms, link)
		for (mn = mm->notifiers; mn; mn = mn->next)
			if (ms_lies_in(mn, from, to) || ms_lies_in(mn->ops, from, to))
				return true;
	return false;
}

/* ---- telling them ---- */

void ms_mmu_notifier_trust(struct ms_machine *m, const struct ms_mmu_notifier_ops *ops)
{
	m->processes->own_notifiers = ops;
}

/* The library's own are told in any case, and call nobody. */
static bool may_call(struct ms_machine *m, const struct ms_mmu_notifier *mn, uint64_t addr)
{
	if (mn->ops != m->processes->own_notifiers)
		return ms_call_begin(m, addr);
	m->call.depth++;
	return true;
}

/*
 * Walks over the notifiers: a notifier that is told may take itself or another one off. The process
 * cannot end meanwhile.
 */
static void begin(struct ms_notifier_walk *w, struct ms_mm *mm)
{
	w->next = mm->notifiers;
	w->outer = mm->walks;
	mm->walks = w;
	w->hold = ms_mmap_hold(mm);
}

static struct ms_mmu_notifier *next(struct ms_notifier_walk *w)
{
	struct ms_mmu_notifier *mn = w->next;

	w->next = mn ? mn->next : NULL;
	return mn;
}

static void end(struct ms_notifier_walk *w, struct ms_mm *mm, ms_hva_t addr)
{
	mm->walks = w->outer;
	if (!ms_mmap_unhold(mm, &w->hold))
		ms_violation(mm->machine, "a notifier returns with the mmap lock not as it was",
			     addr);
	ms_handlers_verify(mm->machine);
}

/* mirrors mmu_notifier_invalidate_range_start(), include/linux/mmu_notifier.h, 5.10+;
 * __mmu_notifier_invalidate_range_start(), mm/mmu_notifier.c, 5.10+ */
void ms_notify_start(struct ms_mm *mm, ms_hva_t start, ms_hva_t end_of_range,
		     enum ms_notifier_event event)
{
	struct ms_machine *m = mm->machine;
	struct ms_mmu_notifier *mn;
	struct ms_notifier_walk w;

	MS_EMIT(m, .type = MS_EV_NOTIFIER_START, .mm = mm->id, .va = start,
		.size = end_of_range - start, .notifier = (uint8_t)event);
	if (!mm->notifiers)
		return;
	begin(&w, mm);
	while ((mn = next(&w))) {
		if (!mn->ops->invalidate_range_start || !may_call(m, mn, start))
			continue;
		mn->ops->invalidate_range_start(mn, mm, start, end_of_range, event);
		ms_call_end(m);
	}
	end(&w, mm, start);
}

/* mirrors mmu_notifier_invalidate_range_end(), include/linux/mmu_notifier.h, 5.10+;
 * __mmu_notifier_invalidate_range_end(), mm/mmu_notifier.c, 5.10+ */
void ms_notify_end(struct ms_mm *mm, ms_hva_t start, ms_hva_t end_of_range,
		   enum ms_notifier_event event)
{
	struct ms_machine *m = mm->machine;
	struct ms_mmu_notifier *mn;
	struct ms_notifier_walk w;

	if (mm->notifiers) {
		begin(&w, mm);
		while ((mn = next(&w))) {
			if (!mn->ops->invalidate_range_end || !may_call(m, mn, start))
				continue;
			mn->ops->invalidate_range_end(mn, mm, start, end_of_range, event);
			ms_call_end(m);
		}
		end(&w, mm, start);
	}
	MS_EMIT(m, .type = MS_EV_NOTIFIER_END, .mm = mm->id, .va = start,
		.size = end_of_range - start, .notifier = (uint8_t)event);
}

/* mirrors set_pte_at_notify(), include/linux/mmu_notifier.h, 5.10 .. 6.9;
 * __mmu_notifier_change_pte(), mm/mmu_notifier.c, 5.10 .. 6.9 */
void ms_notify_change_pte(struct ms_mm *mm, ms_hva_t addr, uint64_t entry)
{
	struct ms_machine *m = mm->machine;
	struct ms_mmu_notifier *mn;
	struct ms_notifier_walk w;

	if (m->policy.notifier_change_pte != MS_NOTIFIER_CHANGE_PTE_YES)
		return;
	MS_EMIT(m, .type = MS_EV_CHANGE_PTE, .mm = mm->id, .va = addr, .pa = ms_pte_pa(entry),
		.prot = entry & MS_PTE_WRITE ? MS_PROT_W : 0);
	begin(&w, mm);
	while ((mn = next(&w))) {
		if (!mn->ops->change_pte || !may_call(m, mn, addr))
			continue;
		mn->ops->change_pte(mn, mm, addr, entry);
		ms_call_end(m);
	}
	end(&w, mm, addr);
}

// mirrors __mmu_notifier_release(), mm/mmu_notifier.c, 5.10+
void ms_notify_release(struct ms_mm *mm)
{
	struct ms_machine *m = mm->machine;
	struct ms_mmu_notifier *mn;
	struct ms_mmap_hold hold = ms_mmap_hold(mm);

	while ((mn = mm->notifiers)) {
		mm->notifiers = mn->next;
		mn->next = NULL;
		if (!mn->ops->release || !may_call(m, mn, 0))
			continue;
		mn->ops->release(mn, mm);
		ms_call_end(m);
	}
	if (!ms_mmap_unhold(mm, &hold))
		ms_violation(m, "a notifier returns with the mmap lock not as it was", 0);
}

bool ms_check_is_registered(const struct ms_mm *mm, const struct ms_mmu_notifier *mn)
{
	const struct ms_mmu_notifier *at = mm->notifiers;

	while (at && at != mn)
		at = at->next;
	return at;
}

// mirrors __mmu_notifier_clear_young(), mm/mmu_notifier.c, 5.10+
bool ms_mm_clear_young(struct ms_mm *mm, ms_hva_t start, ms_hva_t end_of_range)
{
	struct ms_notifier_walk w;
	struct ms_mmu_notifier *mn;
	bool young = false;

	if (!mm || start >= end_of_range)
		return false;
	begin(&w, mm);
	while ((mn = next(&w))) {
		if (!mn->ops->clear_young || !may_call(mm->machine, mn, start))
			continue;
		young |= mn->ops->clear_young(mn, mm, start, end_of_range);
		ms_call_end(mm->machine);
	}
	end(&w, mm, start);
	return young;
}

/* The first that says yes ends it.
 * mirrors __mmu_notifier_test_young(), mm/mmu_notifier.c, 5.10+ */
bool ms_mm_test_young(struct ms_mm *mm, ms_hva_t addr)
{
	struct ms_notifier_walk w;
	struct ms_mmu_notifier *mn;
	bool young = false;

	if (!mm)
		return false;
	begin(&w, mm);
	while (!young && (mn = next(&w))) {
		if (!mn->ops->test_young || !may_call(mm->machine, mn, addr))
			continue;
		young = mn->ops->test_young(mn, mm, addr);
		ms_call_end(mm->machine);
	}
	end(&w, mm, addr);
	return young;
}

struct ms_mmu_notifier *ms_mm_first_notifier(const struct ms_mm *mm)
{
	return mm->notifiers;
}
