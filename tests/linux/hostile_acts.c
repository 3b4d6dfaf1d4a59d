/* SPDX-License-Identifier: GPL-2.0-only */
/* What a driver could do wrong, wherever its code runs. */
#include "hostile.h"

#include <mapsim/linux/mmu_notifier.h>

const char *place_name(enum place place)
{
	static const char *const names[PLACES] = {
		"mmap",        "open",         "close",      "may_split",     "mremap",
		"mprotect",    "fault",        "fault's end", "huge_fault",   "page_mkwrite",
		"pfn_mkwrite", "access",       "pagesize",   "find_special_page", "file's open",
		"release",     "notifier's start", "notifier's end", "notifier's release", "hook"
	};

	return names[place];
}

/* The process, which the act may have ended before; NULL: it has. */
static struct mm_struct *living_mm(struct hostile *h)
{
	for (struct mm_struct *mm = ms_mm_next(h->m, NULL); mm; mm = ms_mm_next(h->m, mm))
		if (mm == h->mm)
			return mm;
	return NULL;
}

#define EVERYWHERE UINT64_MAX
#define PLACE(name) (UINT64_C(1) << (name))
/* There is no VMA, so nothing is done. */
#define NO_VMA \
	(PLACE(IN_FILE_OPEN) | PLACE(IN_RELEASE) | PLACE(IN_NOTIFIER_START) | \
	 PLACE(IN_NOTIFIER_END) | PLACE(IN_NOTIFIER_RELEASE))
#define FAULTS \
	(PLACE(IN_FAULT) | PLACE(AFTER_FAULT) | PLACE(IN_HUGE_FAULT) | PLACE(IN_PAGE_MKWRITE) | \
	 PLACE(IN_PFN_MKWRITE))
#define NO_FAULT (~FAULTS)

/* ---- fields of the VMA ---- */

#define CHANGE(name, ...) \
	static void name(struct hostile *h) \
	{ \
		struct vm_area_struct *vma = h->vma; \
\
		if (vma) { \
			__VA_ARGS__; \
		} \
	}

CHANGE(start_grows, vma->vm_start -= PAGE_SIZE)
CHANGE(start_shrinks, vma->vm_start += PAGE_SIZE)
CHANGE(end_grows, vma->vm_end += PAGE_SIZE)
CHANGE(end_before_start, vma->vm_end = 0)
CHANGE(start_inside_a_page, vma->vm_start += 1)
CHANGE(no_mm, vma->vm_mm = NULL)
CHANGE(other_mm, vma->vm_mm = h->other)
CHANGE(no_file, vma->vm_file = NULL)
CHANGE(other_file, vma->vm_file = h->files[1])
CHANGE(nobodys_file, vma->vm_file = (struct file *)h)
CHANGE(memory_file, vma->vm_file = h->memfd)
CHANGE(other_file_got, if (h->files[1]) vma->vm_file = get_file(h->files[1]))
CHANGE(other_file_set, if (h->files[1]) vma_set_file(vma, h->files[1]))
CHANGE(largest_pgoff, vma->vm_pgoff = ~0ul)
CHANGE(other_pgoff, vma->vm_pgoff += 3)
CHANGE(hugetlb, vma->vm_flags_word |= VM_HUGETLB)
CHANGE(other_sharing, vma->vm_flags_word ^= VM_SHARED | VM_MAYSHARE)
CHANGE(private_and_may_share, vma->vm_flags_word |= VM_SHARED)
CHANGE(no_flags, vma->vm_flags_word = 0)
CHANGE(all_flags, vma->vm_flags_word = ~0ul)
CHANGE(both_maps, vma->vm_flags_word |= VM_PFNMAP | VM_MIXEDMAP)
CHANGE(all_of_prot, vma->vm_page_prot = ~0ul)
CHANGE(no_prot, vma->vm_page_prot = 0)
CHANGE(prot_of_a_table, vma->vm_page_prot |= MS_PTE_TABLE)
CHANGE(prot_with_address, vma->vm_page_prot |= 0x12345000)
CHANGE(prot_of_no_type, vma->vm_page_prot |= MS_PTE_CACHE_MASK)
CHANGE(no_ops, vma->vm_ops = NULL)
CHANGE(freed_ops, void *p = kzalloc(sizeof(*vma->vm_ops), GFP_ATOMIC); vma->vm_ops = p; kfree(p))
CHANGE(zeroed, memset(vma, 0, sizeof(*vma)))
CHANGE(filled, memset(vma, 0x5a, offsetof(struct vm_area_struct, vm_ops)))
CHANGE(own_fields, vma->anon_vma = (void *)h; vma->pfnmap_ctx = (void *)h; vma->anon_chain = 7)
CHANGE(no_mm_and_insert, vma->vm_mm = NULL;
       vmf_insert_pfn(vma, vma->vm_start, PHYS_PFN(BAR)))
CHANGE(zeroed_and_remap, memset(vma, 0, sizeof(*vma));
       remap_pfn_range(vma, A, PHYS_PFN(BAR), PAGE_SIZE, vma->vm_page_prot))
CHANGE(other_mm_and_touch, vma->vm_mm = h->other; ms_touch(living_mm(h), A, MS_PROT_R);
       ms_touch(living_mm(h), A + PAGE_SIZE, MS_PROT_W))
CHANGE(broken_and_checked, vma->vm_mm = NULL; vma->vm_end = 1; vma->vm_file = NULL;
       ms_machine_check(h->m, NULL))

static void empty_ops(struct hostile *h)
{
	static const struct vm_operations_struct none;

	if (h->vma)
		h->vma->vm_ops = &none;
}

static void vmf_of_nobody(struct hostile *h)
{
	if (h->vmf)
		h->vmf->vma = NULL;
}

static void vmf_elsewhere(struct hostile *h)
{
	if (h->vmf)
		h->vmf->address += 17;
}

static void vmf_of_other_page(struct hostile *h)
{
	if (h->vmf)
		h->vmf->pgoff = ~0ul;
}

static void vmf_for_another_access(struct hostile *h)
{
	if (h->vmf)
		*(unsigned int *)&h->vmf->flags = ~h->vmf->flags;
}

/* ---- locks ---- */

static void keeps_reading(struct hostile *h)
{
	mmap_read_lock(living_mm(h));
}

static void keeps_writing(struct hostile *h)
{
	mmap_write_lock(living_mm(h));
}

static void other_read_lock(struct hostile *h)
{
	mmap_read_lock(h->other);
}

static void other_write_lock(struct hostile *h)
{
	mmap_write_lock(h->other);
}

static void reads_no_more(struct hostile *h)
{
	mmap_read_unlock(living_mm(h));
}

static void writes_no_more(struct hostile *h)
{
	mmap_write_unlock(living_mm(h));
}

static void both_unlock(struct hostile *h)
{
	mmap_read_unlock(living_mm(h));
	mmap_read_unlock(living_mm(h));
	mmap_write_unlock(living_mm(h));
}

static void downgrade(struct hostile *h)
{
	mmap_write_downgrade(living_mm(h));
}

static void unlock_and_munmap(struct hostile *h)
{
	both_unlock(h);
	ms_munmap(living_mm(h), A, SZ_64M);
}

static void unlock_and_fault(struct hostile *h)
{
	both_unlock(h);
	ms_touch(living_mm(h), A + 5 * PAGE_SIZE, MS_PROT_W);
}

static void unlock_and_exit(struct hostile *h)
{
	both_unlock(h);
	ms_mm_exit(living_mm(h));
}

static void mutex_is_kept(struct hostile *h)
{
	mutex_lock(&h->mutex);
}

static void mutex_of_nobody(struct hostile *h)
{
	mutex_unlock(&h->mutex);
	mutex_unlock(&h->mutex);
}

static void spin_is_kept(struct hostile *h)
{
	spin_lock(&h->spin);
}

static void rcu_of_nobody(struct hostile *h)
{
	rcu_read_unlock();
}

/* ---- calls into what called ---- */

static void touch_again(struct hostile *h)
{
	ms_touch(living_mm(h), A + PAGE_SIZE, MS_PROT_R);
	ms_touch(living_mm(h), A + SZ_1M, MS_PROT_W);
}

static void munmap_itself(struct hostile *h)
{
	ms_munmap(living_mm(h), A, SZ_64M);
}

static void mmap_itself(struct hostile *h)
{
	ms_mmap(living_mm(h), A + SZ_4M, PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, h->now, 0);
}

static void mmap_in_another(struct hostile *h)
{
	ms_mmap(h->other, A + SZ_4M, 2 * PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, h->now,
		0);
	ms_touch(h->other, A + SZ_4M, MS_PROT_W);
	ms_munmap(h->other, A + SZ_4M, PAGE_SIZE);
}

static void fork_itself(struct hostile *h)
{
	ms_fork(living_mm(h));
}

static void end_itself(struct hostile *h)
{
	ms_mm_exit(living_mm(h));
}

/* Every process but those two; the child that a fork is making, too. */
static void end_children(struct hostile *h)
{
	for (struct mm_struct *mm = ms_mm_next(h->m, NULL), *next; mm; mm = next) {
		next = ms_mm_next(h->m, mm);
		if (mm != living_mm(h) && mm != h->other)
			ms_mm_exit(mm);
	}
}

static void free_machine(struct hostile *h)
{
	ms_machine_free(h->m);
}

static void unmap_mapping(struct hostile *h)
{
	unmap_mapping_range(h->now->f_mapping, 0, 0, 1);
}

static void madvise_all(struct hostile *h)
{
	ms_madvise(living_mm(h), A, SZ_64M, MS_MADV_DONTNEED);
	ms_madvise(living_mm(h), MEMFD, 8 * PAGE_SIZE, MS_MADV_REMOVE);
	ms_madvise(living_mm(h), A, 8 * PAGE_SIZE, MS_MADV_COLD);
}

static void take_pages(struct hostile *h)
{
	ms_pfn_t pfn;

	ms_get_user_page(living_mm(h), A + PAGE_SIZE, true, &pfn, NULL);
	ms_fixup_user_fault(living_mm(h), A, true);
}

static void check_machine(struct hostile *h)
{
	ms_machine_check(h->m, NULL);
}

static void save_state(struct hostile *h)
{
	ms_state_free(ms_state_save(h->m));
}

static void make_vm(struct hostile *h)
{
	struct ms_vm *vm = ms_vm_new(living_mm(h), 40);

	if (vm)
		ms_vm_set_slot(vm, 1, SZ_1G, SZ_1M, A, 0);
	if (vm)
		ms_guest_read(vm, SZ_1G);
}

/* ---- files ---- */

static void put_file(struct hostile *h)
{
	fput(h->now);
}

static void put_file_thrice(struct hostile *h)
{
	for (int i = 0; i < 3; i++)
		fput(h->now);
}

static void keep_file(struct hostile *h)
{
	get_file(h->now);
}

static void close_file(struct hostile *h)
{
	struct file *file = h->files[0];

	h->files[0] = NULL;
	if (file)
		ms_linux_close(file);
}

static void open_another(struct hostile *h)
{
	struct file *file = ms_linux_open(h->m, "hostile", O_RDWR);

	if (file)
		ms_linux_close(file);
}

static void open_and_keep(struct hostile *h)
{
	ms_linux_open(h->m, "hostile", O_RDWR);
}

static void no_f_op(struct hostile *h)
{
	h->now->f_op = NULL;
}

static void other_f_op(struct hostile *h)
{
	static const struct file_operations none;

	h->now->f_op = &none;
}

static void no_inode(struct hostile *h)
{
	h->now->f_inode = NULL;
	h->now->f_mapping = NULL;
}

/* ---- memory ---- */

static void free_misc(struct hostile *h)
{
	kfree(h->misc);
}

static void free_notifier(struct hostile *h)
{
	kfree(h->notifier);
}

static void deregister_twice(struct hostile *h)
{
	misc_deregister(h->misc);
	misc_deregister(h->misc);
}

static void free_twice(struct hostile *h)
{
	void *p = kmalloc(64, GFP_ATOMIC);

	kfree(p);
	kfree(p);
}

static void free_the_vma(struct hostile *h)
{
	kfree(h->vma ? (void *)h->vma : (void *)h->now);
}

static void put_the_page(struct hostile *h)
{
	for (int i = 0; i < 3; i++)
		put_page(h->page);
}

static void free_the_page(struct hostile *h)
{
	__free_pages(h->page, 0);
}

static void lock_the_page(struct hostile *h)
{
	lock_page(h->page);
}

/* ---- entries ---- */

static void insert_no_pfn(struct hostile *h)
{
	if (!h->vma)
		return;
	vmf_insert_pfn(h->vma, h->vma->vm_start, ~0ul >> 12);
	remap_pfn_range(h->vma, h->vma->vm_start, 1ul << 41, PAGE_SIZE, h->vma->vm_page_prot);
}

static void insert_no_prot(struct hostile *h)
{
	if (h->vma)
		remap_pfn_range(h->vma, h->vma->vm_start, PHYS_PFN(BAR), PAGE_SIZE, __pgprot(~0ul));
}

static void remap_elsewhere(struct hostile *h)
{
	if (h->vma)
		remap_pfn_range(h->vma, h->vma->vm_end + SZ_1M, PHYS_PFN(BAR), 2 * PAGE_SIZE,
				h->vma->vm_page_prot);
}

static int write_garbage(pte_t *pte, unsigned long addr, void *data)
{
	*(uint64_t *)pte = ~0ull;
	return 0;
}

static int unmap_meanwhile(pte_t *pte, unsigned long addr, void *data)
{
	struct hostile *h = data;

	ms_munmap(living_mm(h), A, SZ_64M);
	ms_madvise(living_mm(h), A, SZ_64M, MS_MADV_DONTNEED);
	*(uint64_t *)pte = MS_PTE_TABLE;
	return 0;
}

static void apply_garbage(struct hostile *h)
{
	apply_to_page_range(living_mm(h), A, 3 * PAGE_SIZE, write_garbage, h);
}

static void apply_unmaps(struct hostile *h)
{
	apply_to_page_range(living_mm(h), A, 3 * PAGE_SIZE, unmap_meanwhile, h);
}

/* ---- notifiers ---- */

static void register_again(struct hostile *h)
{
	mmu_notifier_register(h->notifier, living_mm(h));
}

static void register_elsewhere(struct hostile *h)
{
	mmu_notifier_register(h->notifier, h->other);
}

static void unregister(struct hostile *h)
{
	mmu_notifier_unregister(h->notifier, living_mm(h));
}

static void unregister_and_free(struct hostile *h)
{
	if (!h->notifier)
		return;
	mmu_notifier_unregister(h->notifier, living_mm(h));
	kfree(h->notifier);
	h->notifier = NULL;
}

/* ---- all ---- */

#define ACT(name, legal) { #name, name, legal }

const struct act acts[] = {
	ACT(start_grows, NO_VMA),
	ACT(start_shrinks, NO_VMA),
	ACT(end_grows, NO_VMA),
	ACT(end_before_start, NO_VMA),
	ACT(start_inside_a_page, NO_VMA),
	ACT(no_mm, NO_VMA),
	ACT(other_mm, NO_VMA),
	ACT(no_file, NO_VMA),
	ACT(other_file, NO_VMA),
	ACT(nobodys_file, NO_VMA),
	ACT(memory_file, NO_VMA),
	ACT(other_file_got, NO_VMA),
	ACT(other_file_set, NO_VMA | PLACE(IN_MMAP)),
	ACT(largest_pgoff, NO_VMA),
	ACT(other_pgoff, NO_VMA | PLACE(IN_MMAP)),
	ACT(hugetlb, NO_VMA),
	ACT(other_sharing, NO_VMA),
	ACT(private_and_may_share, EVERYWHERE),
	ACT(no_flags, NO_VMA),
	ACT(all_flags, NO_VMA),
	ACT(both_maps, EVERYWHERE),
	ACT(all_of_prot, NO_VMA),
	ACT(no_prot, NO_VMA),
	ACT(prot_of_a_table, NO_VMA),
	ACT(prot_with_address, NO_VMA),
	ACT(prot_of_no_type, NO_VMA),
	ACT(no_ops, EVERYWHERE),
	ACT(empty_ops, EVERYWHERE),
	ACT(freed_ops, NO_VMA | PLACE(IN_CLOSE)),
	ACT(zeroed, NO_VMA),
	ACT(filled, NO_VMA),
	ACT(own_fields, NO_VMA),
	ACT(no_mm_and_insert, NO_VMA),
	ACT(zeroed_and_remap, NO_VMA),
	ACT(other_mm_and_touch, NO_VMA),
	ACT(broken_and_checked, NO_VMA),
	ACT(vmf_of_nobody, NO_FAULT),
	ACT(vmf_elsewhere, NO_FAULT),
	ACT(vmf_of_other_page, NO_FAULT),
	ACT(vmf_for_another_access, NO_FAULT),
	ACT(keeps_reading, 0),
	ACT(keeps_writing, 0),
	ACT(other_read_lock, 0),
	ACT(other_write_lock, 0),
	ACT(reads_no_more, 0),
	ACT(writes_no_more, 0),
	ACT(both_unlock, 0),
	ACT(downgrade, 0),
	ACT(unlock_and_munmap, 0),
	ACT(unlock_and_fault, 0),
	ACT(unlock_and_exit, 0),
	ACT(mutex_is_kept, 0),
	ACT(mutex_of_nobody, 0),
	ACT(spin_is_kept, 0),
	ACT(rcu_of_nobody, 0),
	ACT(touch_again, EVERYWHERE),
	ACT(munmap_itself, EVERYWHERE),
	ACT(mmap_itself, EVERYWHERE & ~PLACE(IN_RELEASE)),
	ACT(mmap_in_another, EVERYWHERE & ~PLACE(IN_RELEASE)),
	ACT(fork_itself, EVERYWHERE),
	ACT(end_itself, PLACE(IN_FILE_OPEN) | PLACE(IN_RELEASE)),
	ACT(end_children, EVERYWHERE),
	ACT(free_machine, 0),
	ACT(unmap_mapping, EVERYWHERE),
	ACT(madvise_all, EVERYWHERE),
	ACT(take_pages, EVERYWHERE),
	ACT(check_machine, EVERYWHERE),
	ACT(save_state, EVERYWHERE),
	ACT(make_vm, EVERYWHERE),
	ACT(put_file, 0),
	ACT(put_file_thrice, 0),
	ACT(keep_file, EVERYWHERE & ~PLACE(IN_RELEASE)),
	ACT(close_file, EVERYWHERE),
	ACT(open_another, EVERYWHERE),
	ACT(open_and_keep, EVERYWHERE),
	ACT(no_f_op, EVERYWHERE & ~PLACE(IN_FILE_OPEN)),
	ACT(other_f_op, EVERYWHERE),
	ACT(no_inode, EVERYWHERE),
	ACT(free_misc, 0),
	ACT(free_notifier, 0),
	ACT(deregister_twice, 0),
	ACT(free_twice, 0),
	ACT(free_the_vma, 0),
	ACT(put_the_page, 0),
	ACT(free_the_page, EVERYWHERE),
	ACT(lock_the_page, EVERYWHERE),
	ACT(insert_no_pfn, NO_VMA),
	ACT(insert_no_prot, NO_VMA),
	ACT(remap_elsewhere, NO_VMA),
	ACT(apply_garbage, 0),
	ACT(apply_unmaps, 0),
	ACT(register_again, PLACE(IN_NOTIFIER_RELEASE)),
	ACT(register_elsewhere, PLACE(IN_NOTIFIER_RELEASE)),
	ACT(unregister, EVERYWHERE),
	ACT(unregister_and_free, EVERYWHERE),
	{ NULL, NULL, 0 },
};
