/* SPDX-License-Identifier: GPL-2.0-only */
/* An address space: its VMA tree, its beginning and its end. */
#include "mm/lock.h"

static int vma_cmp(const struct ms_vma *a, const struct ms_vma *b)
{
	return a->vm_start < b->vm_start ? -1 : a->vm_start > b->vm_start;
}

RB_GENERATE_INTERNAL(ms_vma_tree, ms_vma, node, vma_cmp, static __attribute__((unused)))

struct ms_mm *ms_mm_new(struct ms_machine *m)
{
	struct ms_mm *mm = ms_zalloc(m, sizeof(*mm));

	if (!mm)
		return NULL;
	mm->machine = m;
	RB_INIT(&mm->vmas);
	mm->task_size = UINT64_C(1) << m->config.va_bits;
	// x86 keeps the upper half for the kernel and a guard page below it; arm64 has a table of
	// its own
	if (ms_is_x86(m))
		mm->task_size = (mm->task_size >> 1) - m->page_size;
	while (ms_level_shift(m, mm->start_level) >= m->config.va_bits)
		mm->start_level++;
	mm->pgd = ms_pt_new_table(mm);
	if (!mm->pgd) {
		ms_free(m, mm);
		return NULL;
	}
	mm->id = ++m->next_mm_id;
	TAILQ_INSERT_TAIL(&m->mms, mm, link);
	return mm;
}

/* Detaches every VMA into an address-ordered chain through node.rbe_right. */
static struct ms_vma *detach_all(struct ms_mm *mm)
{
	struct ms_vma *first = RB_MIN(ms_vma_tree, &mm->vmas), *vma = first, *next;

	// The chain's link is the tree's right pointer: collect the order before any link is
	// overwritten.
	for (struct ms_vma **tail = &first; vma; vma = next) {
		next = RB_NEXT(ms_vma_tree, &mm->vmas, vma);
		ms_vma_tree_remove(mm, vma);
		vma->node.rbe_right = NULL;
		*tail = vma;
		tail = &vma->node.rbe_right;
	}
	return first;
}

/* exit_mmap(), mm/mmap.c: release, one unmap_vmas over everything, then the VMAs go one by one */
void ms_mm_exit(struct ms_mm *mm)
{
	struct ms_machine *m;
	struct ms_vma *vmas, *next;

	if (!mm)
		return;
	m = mm->machine;
	if (!ms_mmap_write_trylock(mm)) {
		ms_violation(m, "a hook ends a process that is in the kernel", 0);
		return;
	}
	ms_notify_release(mm);
	vmas = detach_all(mm);
	ms_unmap_region(mm, vmas, 0, mm->task_size, 0, 0);
	for (; vmas; vmas = next) {
		next = vmas->node.rbe_right;
		ms_vma_free(vmas, true);
	}
	while (mm->deposits)
		ms_pt_free_table(mm, ms_pt_withdraw(mm));
	ms_pt_free_table(mm, mm->pgd);
	TAILQ_REMOVE(&m->mms, mm, link);
	ms_free(m, mm);
}

void ms_mms_destroy(struct ms_machine *m)
{
	struct ms_mm *mm;

	while ((mm = TAILQ_FIRST(&m->mms)))
		ms_mm_exit(mm);
}

uint32_t ms_mm_id(const struct ms_mm *mm)
{
	return mm->id;
}

struct ms_machine *ms_mm_machine(const struct ms_mm *mm)
{
	return mm->machine;
}

unsigned int ms_mm_map_count(const struct ms_mm *mm)
{
	return mm->map_count;
}

int ms_vma_tree_insert(struct ms_mm *mm, struct ms_vma *vma)
{
	if (RB_INSERT(ms_vma_tree, &mm->vmas, vma))
		return -EEXIST;
	mm->map_count++;
	return 0;
}

void ms_vma_tree_remove(struct ms_mm *mm, struct ms_vma *vma)
{
	RB_REMOVE(ms_vma_tree, &mm->vmas, vma);
	mm->map_count--;
	if (mm->last_vma == vma)
		mm->last_vma = NULL;
}

struct ms_vma *ms_find_vma(struct ms_mm *mm, ms_hva_t addr)
{
	struct ms_vma *vma = mm->last_vma, *found = NULL;

	if (vma && addr >= vma->vm_start && addr < vma->vm_end)
		return vma;
	for (vma = RB_ROOT(&mm->vmas); vma;) {
		if (vma->vm_end <= addr) {
			vma = RB_RIGHT(vma, node);
			continue;
		}
		found = vma;
		if (vma->vm_start <= addr)
			break;
		vma = RB_LEFT(vma, node);
	}
	if (found)
		mm->last_vma = found;
	return found;
}

struct ms_vma *ms_vma_lookup(struct ms_mm *mm, ms_hva_t addr)
{
	struct ms_vma *vma = ms_find_vma(mm, addr);

	return vma && vma->vm_start <= addr ? vma : NULL;
}

struct ms_vma *ms_find_vma_intersection(struct ms_mm *mm, ms_hva_t start, ms_hva_t end)
{
	struct ms_vma *vma = ms_find_vma(mm, start);

	return vma && vma->vm_start < end ? vma : NULL;
}

struct ms_vma *ms_find_vma_before(struct ms_mm *mm, ms_hva_t addr)
{
	struct ms_vma *found = NULL;

	for (struct ms_vma *vma = RB_ROOT(&mm->vmas); vma;) {
		if (vma->vm_start < addr) {
			found = vma;
			vma = RB_RIGHT(vma, node);
		} else {
			vma = RB_LEFT(vma, node);
		}
	}
	return found;
}

struct ms_vma *ms_vma_next(const struct ms_vma *vma)
{
	return RB_NEXT(ms_vma_tree, NULL, (struct ms_vma *)(uintptr_t)vma);
}

struct ms_vma *ms_vma_prev(const struct ms_vma *vma)
{
	return RB_PREV(ms_vma_tree, NULL, (struct ms_vma *)(uintptr_t)vma);
}

const char *ms_vma_flags_str(const struct ms_vma *vma, char *buf, size_t size)
{
	// in the order of the bits, as show_smap_vma_flags() prints them
	static const struct {
		uint64_t flag;
		char name[3];
	} names[] = {
		{ MS_VM_READ, "rd" },
		{ MS_VM_WRITE, "wr" },
		{ MS_VM_EXEC, "ex" },
		{ MS_VM_SHARED, "sh" },
		{ MS_VM_MAYREAD, "mr" },
		{ MS_VM_MAYWRITE, "mw" },
		{ MS_VM_MAYEXEC, "me" },
		{ MS_VM_MAYSHARE, "ms" },
		{ MS_VM_PFNMAP, "pf" },
		{ MS_VM_LOCKED, "lo" },
		{ MS_VM_IO, "io" },
		{ MS_VM_DONTCOPY, "dc" },
		{ MS_VM_DONTEXPAND, "de" },
		{ MS_VM_ACCOUNT, "ac" },
		{ MS_VM_NORESERVE, "nr" },
		{ MS_VM_HUGETLB, "ht" },
		{ MS_VM_PAT, "ar" },
		{ MS_VM_WIPEONFORK, "wf" },
		{ MS_VM_DONTDUMP, "dd" },
		{ MS_VM_SOFTDIRTY, "sd" },
		{ MS_VM_MIXEDMAP, "mm" },
		{ MS_VM_HUGEPAGE, "hg" },
		{ MS_VM_NOHUGEPAGE, "nh" },
		{ MS_VM_MTE_ALLOWED, "mt" },
		{ MS_VM_ALLOW_ANY_UNCACHED, "??" },
	};
	size_t len = 0;

	if (size)
		buf[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(vma->vm_flags & names[i].flag) || len + 4 > size)
			continue;
		if (len)
			buf[len++] = ',';
		memcpy(buf + len, names[i].name, 3);
		len += 2;
	}
	return buf;
}
