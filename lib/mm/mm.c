/* SPDX-License-Identifier: GPL-2.0-only */
/* Address spaces: how they are made and destroyed. */
#include "mm/lock.h"
#include "mm/pgtable.h"
#include "mm/pin.h"

/*
 * x86 keeps the upper half for the kernel, and a guard page below it; the kernel of arm64 has a page
 * table of its own.
 * mirrors TASK_SIZE_MAX, arch/x86/include/asm/page_64_types.h, 5.10+; TASK_SIZE_64,
 * arch/arm64/include/asm/processor.h, 5.10+
 */
ms_hva_t ms_task_size(const struct ms_machine *m)
{
	const uint64_t all = UINT64_C(1) << m->config.va_bits;

	return ms_is_x86(m) ? (all >> 1) - m->page_size : all;
}

// mirrors mm_alloc(), kernel/fork.c, 5.10+
struct ms_mm *ms_mm_new(struct ms_machine *m)
{
	if (!m)
		return ms_refusal_null(-EINVAL);
	if (m->ending) {
		ms_violation(m, "driver makes a process while its machine ends", 0);
		return ms_refuse_null(m, -EBUSY, "the machine ends");
	}
	struct ms_mm *mm = ms_zalloc(&m->alloc, sizeof(*mm));

	if (!mm)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	mm->machine = m;
	mm->task_size = ms_task_size(m);
	while (ms_level_shift(m, mm->start_level) >= m->config.va_bits)
		mm->start_level++;
	if (ms_vma_tree_init(&mm->vmas, m)) {
		ms_free(&m->alloc, mm);
		return ms_refuse_null(m, -ENOMEM, "no memory");
	}
	mm->pgd = ms_pt_new_table(mm);
	if (!mm->pgd) {
		ms_vma_tree_destroy(&mm->vmas);
		ms_free(&m->alloc, mm);
		return ms_refuse_null(m, -ENOMEM, "no memory");
	}
	mm->id = ++m->nr_mm_ids;
	TAILQ_INSERT_TAIL(&m->processes->mms, mm, link);
	return mm;
}

/*
 * Every VMA has given its tables back. A driver may have made tables where it had no VMA, or in its
 * close handler: the kernel never frees these.
 * mirrors check_mm(), kernel/fork.c, 5.10+
 */
static void check_mm(const struct ms_mm *mm)
{
	if (mm->nr_tables > 1)
		ms_violation_by(mm->machine, MS_VIOLATION_DRIVER,
				"non-zero pgtables_bytes on freeing mm", 0, 0);
}

/* Nobody is in the middle of anything: a lock that is held was forgotten, and the kernel would wait
 * for it for ever. */
static void break_locks(struct ms_mm *mm)
{
	if (!ms_mmap_is_locked(mm))
		return;
	ms_violation(mm->machine, "a process ends, and driver code still holds its mmap lock", 0);
	mm->mmap_readers = 0;
	mm->mmap_writer = false;
}

static void refuse_exit(struct ms_machine *m)
{
	if (m->in_hook)
		ms_violation_by(m, MS_VIOLATION_TEST, "a hook ends a process that is in the kernel",
				0, 0);
	else
		ms_violation(m, "driver code ends a process that is in the kernel", 0);
}

/* Notifiers are released, everything is unmapped at once, then the VMAs are freed one by one.
 * mirrors exit_mmap(), mm/mmap.c, 5.10+ */
void ms_mm_exit(struct ms_mm *mm)
{
	struct ms_machine *m;
	struct ms_vma *vmas, *next;

	if (!mm)
		return;
	m = mm->machine;
	if (!ms_is_called(m))
		break_locks(mm);
	if (!ms_mmap_write_trylock(mm)) {
		refuse_exit(m);
		return;
	}
	mm->exiting = true;
	ms_notify_release(mm);
	vmas = ms_vma_tree_detach(mm, 0, mm->task_size, &(struct ms_vma_gap){ 0 });
	ms_unmap_region(mm, vmas, 0, mm->task_size, 0, 0);
	for (; vmas; vmas = next) {
		next = ms_linked(vmas)->next_detached;
		ms_vma_free(vmas, true);
	}
	check_mm(mm);
	ms_pt_free_tables(mm);
	ms_vma_tree_destroy(&mm->vmas);
	TAILQ_REMOVE(&m->processes->mms, mm, link);
	ms_free(&m->alloc, mm);
}

static int mm_init(struct ms_machine *m)
{
	struct ms_processes *p = ms_zalloc(&m->alloc, sizeof(*p));

	if (!p)
		return -ENOMEM;
	TAILQ_INIT(&p->mms);
	SLIST_INIT(&p->delayed);
	LIST_INIT(&p->files);
	LIST_INIT(&p->mappings);
	RB_INIT(&p->mappings_by_key);
	ms_pool_init(&p->vmas, &m->alloc, sizeof(struct ms_linked_vma));
	ms_pool_init(&p->vma_nodes, &m->alloc, sizeof(union ms_vma_node));
	m->processes = p;
	ms_hugetlb_init(m);
	ms_raw_init(m);
	ms_taken_init(m);
	return 0;
}

static void mm_empty(struct ms_machine *m)
{
	struct ms_mm *mm;

	while ((mm = TAILQ_FIRST(&m->processes->mms)))
		ms_mm_exit(mm);
	ms_files_destroy(m);
}

static void mm_destroy(struct ms_machine *m)
{
	ms_raw_destroy(m);
	ms_taken_destroy(m);
	ms_pool_destroy(&m->processes->vmas);
	ms_pool_destroy(&m->processes->vma_nodes);
	ms_free(&m->alloc, m->processes);
	m->processes = NULL;
}

const struct ms_room ms_mm_room = {
	.name = "mm",
	.init = mm_init,
	.empty = mm_empty,
	.destroy = mm_destroy,
	.check = ms_mm_check,
	.hash = ms_mm_hash,
};

uint32_t ms_mm_id(const struct ms_mm *mm)
{
	return mm ? mm->id : 0;
}

struct ms_machine *ms_mm_machine(const struct ms_mm *mm)
{
	return mm ? mm->machine : NULL;
}

struct ms_mm *ms_mm_next(const struct ms_machine *m, const struct ms_mm *mm)
{
	if (!m)
		return NULL;
	return mm ? TAILQ_NEXT(mm, link) : TAILQ_FIRST(&m->processes->mms);
}

unsigned int ms_mm_map_count(const struct ms_mm *mm)
{
	return mm ? mm->map_count : 0;
}

// mirrors show_smap_vma_flags(), fs/proc/task_mmu.c, 5.10+
const char *ms_vma_flags_str(const struct ms_vma *vma, char *buf, size_t size)
{
	// in the order of the bits
	static const struct {
		uint64_t flag;
		char name[3];
	} names[] = {
		{ MS_VM_READ, "rd" },       { MS_VM_WRITE, "wr" },
		{ MS_VM_EXEC, "ex" },       { MS_VM_SHARED, "sh" },
		{ MS_VM_MAYREAD, "mr" },    { MS_VM_MAYWRITE, "mw" },
		{ MS_VM_MAYEXEC, "me" },    { MS_VM_MAYSHARE, "ms" },
		{ MS_VM_PFNMAP, "pf" },     { MS_VM_LOCKED, "lo" },
		{ MS_VM_IO, "io" },         { MS_VM_DONTCOPY, "dc" },
		{ MS_VM_DONTEXPAND, "de" }, { MS_VM_ACCOUNT, "ac" },
		{ MS_VM_NORESERVE, "nr" },  { MS_VM_HUGETLB, "ht" },
		{ MS_VM_PAT, "ar" },        { MS_VM_WIPEONFORK, "wf" },
		{ MS_VM_DONTDUMP, "dd" },   { MS_VM_SOFTDIRTY, "sd" },
		{ MS_VM_MIXEDMAP, "mm" },   { MS_VM_HUGEPAGE, "hg" },
		{ MS_VM_NOHUGEPAGE, "nh" }, { MS_VM_ALLOW_ANY_UNCACHED, "??" },
	};
	size_t len = 0;

	if (buf && size)
		buf[0] = '\0';
	if (!buf || !vma)
		return buf;
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
