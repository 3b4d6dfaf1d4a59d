/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MMU notifiers of drivers, with the kernel's names, over those of lib/mm. Written against linux.h,
 * as file.c. The memory is the driver's: what the library needs is inside of the driver's struct.
 */
#include <mapsim/linux.h>

#include "linux/bridge.h"

struct ms_driver_call {
	struct ms_machine *machine;
	struct mm_struct *mm;
};

static struct ms_driver_call enter(struct mm_struct *mm)
{
	struct ms_driver_call call = { .machine = ms_linux_use(ms_mm_machine(mm)) };

	call.mm = ms_linux_set_current_mm(ms_mm_machine(mm), mm);
	return call;
}

static void leave(const struct ms_driver_call *call)
{
	ms_linux_set_current_mm(ms_linux_machine(), call->mm);
	ms_linux_use(call->machine);
}

/* The kernel's names of the events. */
static enum mmu_notifier_event event_of(enum ms_notifier_event event)
{
	switch (event) {
	case MS_NOTIFY_UNMAP:
		return MMU_NOTIFY_UNMAP;
	case MS_NOTIFY_PROTECTION_VMA:
		return MMU_NOTIFY_PROTECTION_VMA;
	case MS_NOTIFY_PROTECTION_PAGE:
		return MMU_NOTIFY_PROTECTION_PAGE;
	case MS_NOTIFY_RELEASE:
		return MMU_NOTIFY_RELEASE;
	case MS_NOTIFY_CLEAR:
		break;
	}
	return MMU_NOTIFY_CLEAR;
}

static struct mmu_notifier_range range_of(struct mm_struct *mm, ms_hva_t start, ms_hva_t end,
					  enum ms_notifier_event event)
{
	return (struct mmu_notifier_range){
		.mm = mm,
		.start = start,
		.end = end,
		.flags = MMU_NOTIFIER_RANGE_BLOCKABLE,
		.event = event_of(event),
	};
}

/* ---- mmu_notifier ---- */

static struct mmu_notifier *notifier_of(struct ms_mmu_notifier *mn)
{
	return container_of(mn, struct mmu_notifier, ms);
}

static void range_start(struct ms_mmu_notifier *ms, struct mm_struct *mm, ms_hva_t start,
			ms_hva_t end, enum ms_notifier_event event)
{
	struct mmu_notifier *mn = notifier_of(ms);
	const struct mmu_notifier_range range = range_of(mm, start, end, event);
	struct ms_driver_call call;

	if (!mn->ops->invalidate_range_start)
		return;
	call = enter(mm);
	if (mn->ops->invalidate_range_start(mn, &range))
		ms_linux_violation("invalidate_range_start fails, and it was allowed to block");
	leave(&call);
}

static void range_end(struct ms_mmu_notifier *ms, struct mm_struct *mm, ms_hva_t start,
		      ms_hva_t end, enum ms_notifier_event event)
{
	struct mmu_notifier *mn = notifier_of(ms);
	const struct mmu_notifier_range range = range_of(mm, start, end, event);
	struct ms_driver_call call;

	if (!mn->ops->invalidate_range_end)
		return;
	call = enter(mm);
	mn->ops->invalidate_range_end(mn, &range);
	leave(&call);
}

static bool is_young(struct ms_mmu_notifier *ms, struct mm_struct *mm, ms_hva_t addr)
{
	struct mmu_notifier *mn = notifier_of(ms);
	struct ms_driver_call call;
	bool young;

	if (!mn->ops->test_young)
		return false;
	call = enter(mm);
	young = mn->ops->test_young(mn, mm, addr);
	leave(&call);
	return young;
}

static bool age(struct ms_mmu_notifier *ms, struct mm_struct *mm, ms_hva_t start,
			ms_hva_t end)
{
	struct mmu_notifier *mn = notifier_of(ms);
	struct ms_driver_call call;
	bool young;

	if (!mn->ops->clear_young)
		return false;
	call = enter(mm);
	young = mn->ops->clear_young(mn, mm, start, end);
	leave(&call);
	return young;
}

/* The mm goes, and with it the registration. */
static void released(struct ms_mmu_notifier *ms, struct mm_struct *mm)
{
	struct mmu_notifier *mn = notifier_of(ms);
	struct ms_driver_call call;

	mn->ms_registered = false;
	if (!mn->ops->release)
		return;
	call = enter(mm);
	mn->ops->release(mn, mm);
	leave(&call);
}

static const struct ms_mmu_notifier_ops notifier_ops = {
	.invalidate_range_start = range_start,
	.invalidate_range_end = range_end,
	.test_young = is_young,
	.clear_young = age,
	.release = released,
};

// mirrors mmu_notifier_register(), mm/mmu_notifier.c, 5.10+
int ms_linux_mmu_notifier_register(struct mmu_notifier *mn, struct mm_struct *mm)
{
	int err;

	if (!mn || !mn->ops || !mm)
		return -EINVAL;
	err = ms_linux_notifier_add(mm, &mn->ms, &notifier_ops);
	if (err)
		return err;
	mn->mm = mm;
	mn->users = 1;
	mn->ms_registered = true;
	return 0;
}

/* ->release is called unless the process's end has done it.
 * mirrors mmu_notifier_unregister(), mm/mmu_notifier.c, 5.10+ */
void ms_linux_mmu_notifier_unregister(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct ms_driver_call call;

	if (!mn || !mn->ms_registered)
		return;
	ms_linux_might_sleep("mmu_notifier_unregister");
	mn->ms_registered = false;
	if (mn->ops->release) {
		call = enter(mm);
		mn->ops->release(mn, mm);
		leave(&call);
	}
	ms_mmu_notifier_unregister(mm, &mn->ms);
}

// mirrors find_get_mmu_notifier() and mmu_notifier_get_locked(), mm/mmu_notifier.c, 5.10+
struct mmu_notifier *ms_linux_mmu_notifier_get(const struct mmu_notifier_ops *ops,
					       struct mm_struct *mm)
{
	struct mmu_notifier *mn;
	int err;

	if (!ops || !ops->alloc_notifier || !mm)
		return (struct mmu_notifier *)ERR_PTR(-EINVAL);
	ms_linux_might_sleep("mmu_notifier_get");
	for (struct ms_mmu_notifier *ms = ms_linux_first_notifier(mm); ms; ms = ms->next) {
		mn = ms->ops == &notifier_ops ? notifier_of(ms) : NULL;
		if (!mn || mn->ops != ops || !mn->users)
			continue;
		mn->users++;
		return mn;
	}
	mn = ops->alloc_notifier(mm);
	if (IS_ERR_OR_NULL(mn))
		return mn ? mn : (struct mmu_notifier *)ERR_PTR(-ENOMEM);
	mn->ops = ops;
	err = ms_linux_mmu_notifier_register(mn, mm);
	if (!err)
		return mn;
	ops->free_notifier(mn);
	return (struct mmu_notifier *)ERR_PTR(err);
}

/* A grace period later, which is at once here; ->release is not called.
 * mirrors mmu_notifier_put(), mm/mmu_notifier.c, 5.10+ */
void ms_linux_mmu_notifier_put(struct mmu_notifier *mn)
{
	if (!mn)
		return;
	if (!mn->users) {
		ms_linux_violation("mmu_notifier_put without mmu_notifier_get");
		return;
	}
	if (--mn->users)
		return;
	if (mn->ms_registered)
		ms_mmu_notifier_unregister(mn->mm, &mn->ms);
	mn->ms_registered = false;
	if (mn->ops->free_notifier)
		mn->ops->free_notifier(mn);
}

/* ---- mmu_interval_notifier: of a part of the address space ---- */

static struct mmu_interval_notifier *interval_of(struct ms_mmu_notifier *mn)
{
	return container_of(mn, struct mmu_interval_notifier, ms);
}

// mirrors mn_itree_invalidate(), mm/mmu_notifier.c, 5.10+
static void interval_start(struct ms_mmu_notifier *ms, struct mm_struct *mm, ms_hva_t start,
			   ms_hva_t end, enum ms_notifier_event event)
{
	struct mmu_interval_notifier *mni = interval_of(ms);
	const struct mmu_notifier_range range = range_of(mm, start, end, event);
	struct ms_driver_call call;

	if (end <= mni->interval_tree.start || start > mni->interval_tree.last)
		return;
	mni->ms_next_seq += 2;
	call = enter(mm);
	if (!mni->ops->invalidate(mni, &range, mni->ms_next_seq))
		ms_linux_violation("an interval notifier refuses, and it was allowed to block");
	else if (mni->invalidate_seq != mni->ms_next_seq)
		ms_linux_violation("an interval notifier did not call mmu_interval_set_seq");
	leave(&call);
}

/* All of it goes.
 * mirrors mn_itree_release(), mm/mmu_notifier.c, 5.10+ */
static void interval_release(struct ms_mmu_notifier *ms, struct mm_struct *mm)
{
	struct mmu_interval_notifier *mni = interval_of(ms);

	interval_start(ms, mm, 0, ~0ul, MS_NOTIFY_RELEASE);
	mni->ms_registered = false;
}

static const struct ms_mmu_notifier_ops interval_ops = {
	.invalidate_range_start = interval_start,
	.release = interval_release,
};

// mirrors mmu_interval_notifier_insert(), mm/mmu_notifier.c, 5.10+
int ms_linux_mmu_interval_notifier_insert(struct mmu_interval_notifier *mni, struct mm_struct *mm,
					  unsigned long start, unsigned long length,
					  const struct mmu_interval_notifier_ops *ops)
{
	unsigned long last;
	int err;

	if (!mni || !mm || !ops || !ops->invalidate)
		return -EINVAL;
	if (!length || __builtin_add_overflow(start, length - 1, &last))
		return -EOVERFLOW;
	err = ms_linux_notifier_add(mm, &mni->ms, &interval_ops);
	if (err)
		return err;
	mni->mm = mm;
	mni->ops = ops;
	mni->interval_tree.start = start;
	mni->interval_tree.last = last;
	mni->ms_next_seq = mni->invalidate_seq = 1;
	mni->ms_registered = true;
	return 0;
}

// mirrors mmu_interval_notifier_remove(), mm/mmu_notifier.c, 5.10+
void ms_linux_mmu_interval_notifier_remove(struct mmu_interval_notifier *mni)
{
	ms_linux_might_sleep("mmu_interval_notifier_remove");
	if (!mni || !mni->ms_registered)
		return;
	mni->ms_registered = false;
	ms_mmu_notifier_unregister(mni->mm, &mni->ms);
}
