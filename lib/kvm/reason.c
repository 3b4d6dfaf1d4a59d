/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a mapping has its size, or why an abort mapped nothing: the texts of events and leaves. */
#include "kvm/internal.h"

/* One text for each page size: 4K, 16K and 64K pages have PMD blocks of 2M, 32M and 512M. */
#define PMD(before, after) \
	{ \
		before "2M" after, before "32M" after, before "512M" after \
	}
#define PUD(before, after) \
	{ \
		before "1G" after, before "64G" after, before "4T" after \
	}
#define SAME(text) \
	{ \
		text, text, text \
	}

static const char *const texts[MS_WHY_COUNT][3] = {
	[MS_WHY_VMA_PUD] = PUD("VMA and PA congruent modulo ", ", block inside VMA and memslot"),
	[MS_WHY_VMA_PMD] = PMD("VMA and PA congruent modulo ", ", block inside VMA and memslot"),
	[MS_WHY_VMA_PUD_END_UNCHECKED] = PUD("VMA and PA congruent modulo ",
					     ", fault at the block's start: VMA end not checked"),
	[MS_WHY_VMA_PMD_END_UNCHECKED] = PMD("VMA and PA congruent modulo ",
					     ", fault at the block's start: VMA end not checked"),
	[MS_WHY_HUGETLB_PUD] = PUD("hugetlb page of ", ", block inside memslot"),
	[MS_WHY_HUGETLB_PMD] = PMD("hugetlb page of ", " or its multiple, block inside memslot"),
	[MS_WHY_PMD_GPA_NOT_CONGRUENT] =
		PUD("gpa and hva not congruent modulo ", ", smaller block"),
	[MS_WHY_PMD_SLOT_START] =
		PUD("block of ", " would begin before the memslot, smaller block"),
	[MS_WHY_PMD_SLOT_END] = PUD("block of ", " would end after the memslot, smaller block"),
	[MS_WHY_HOST_LEAF] = PMD("host maps at least ", " here, block inside memslot"),
	[MS_WHY_HOST_LEAF_PUD] = PUD("host maps at least ", " here, block inside memslot"),
	[MS_WHY_THP] = PMD("page of a transparent huge page of ", ", block inside memslot"),
	[MS_WHY_PERM_BLOCK] = SAME("permission fault on a block keeps its size"),
	[MS_WHY_POLICY] = SAME("size chosen by the policy's function"),
	[MS_WHY_PA_MISALIGNED] =
		SAME("block chosen, but PA not aligned to it: smaller leaves laid"),

	[MS_WHY_LOGGING] = SAME("dirty logging maps pages"),
	[MS_WHY_PFNMAP_PAGES] = SAME("VM_PFNMAP is mapped by pages"),
	[MS_WHY_VMA_NOT_CONGRUENT] = PMD("VMA and PA not congruent modulo ", ""),
	[MS_WHY_VMA_START] = PMD("block of ", " would begin before the VMA"),
	[MS_WHY_VMA_END] = PMD("block of ", " would end after the VMA"),
	[MS_WHY_GPA_NOT_CONGRUENT] = PMD("gpa and hva not congruent modulo ", ""),
	[MS_WHY_SLOT_START] = PMD("block of ", " would begin before the memslot"),
	[MS_WHY_SLOT_END] = PMD("block of ", " would end after the memslot"),
	[MS_WHY_HUGETLB_CONT_PTE] = SAME("hugetlb page of contiguous PTEs is mapped by pages"),
	[MS_WHY_DEVICE_NOT_UPGRADED] =
		SAME("device memory does not take the size of its host leaf"),
	[MS_WHY_HOST_LEAF_SMALL] = PMD("host maps less than ", " here"),
	[MS_WHY_NOT_THP] =
		PMD("not a page of a transparent huge page of ", " that is mapped whole"),
	[MS_WHY_PREMAP] = SAME("memslot creation maps VM_PFNMAP by pages"),
	[MS_WHY_CHANGE_PTE] = SAME("change_pte maps one page"),

	[MS_WHY_NX_FETCH] = SAME("a fetch gets a page: blocks are not executable (nx_huge_pages)"),
	[MS_WHY_NX_TABLE] = SAME("a fetch has made the block small (nx_huge_pages)"),

	[MS_WHY_NO_SLOT] = SAME("no memslot"),
	[MS_WHY_SLOT_READONLY] = SAME("write to a read-only memslot"),
	[MS_WHY_BEYOND_IPA] = SAME("beyond the IPA space"),
	[MS_WHY_NO_VMA] = SAME("no VMA at the host address"),
	[MS_WHY_NO_MEMORY] = SAME("no memory for tables"),
	[MS_WHY_NO_PFN] = SAME("host has no page there"),
	[MS_WHY_LEAF_READONLY] = SAME("host entry is read-only"),
	[MS_WHY_POISON] = SAME("host page is poisoned"),
	[MS_WHY_CACHEABLE_UNSUPPORTED] = SAME("cacheable VM_PFNMAP needs FWB and DIC"),
	[MS_WHY_EXEC_DEVICE] = SAME("instruction fetch from device memory"),
	[MS_WHY_MTE] = SAME("VMA does not allow MTE"),
	[MS_WHY_MTE_NO_PAGE] = SAME("memory has no page that could be tagged"),
	[MS_WHY_READ_PERMISSION] = SAME("permission fault of a read"),
	[MS_WHY_NOTIFIER_RETRY] = SAME("MMU notifier ran since the VMA was looked at: retry"),
	[MS_WHY_HOST_ENTRY_GONE] = SAME("host entry is not valid: retry"),
	[MS_WHY_SAME_LEAF] = SAME("entry was already there: retry"),
	[MS_WHY_MM_GONE] = SAME("the VM's process is gone"),
	[MS_WHY_LOCKED] = SAME("a lock is held by what the hook interrupted"),
};

#undef PMD
#undef PUD
#undef SAME

const char *ms_kvm_reason(const struct ms_machine *m, enum ms_kvm_reason why)
{
	return texts[why][(m->page_shift - 12) / 2];
}
