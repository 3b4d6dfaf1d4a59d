/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes are what processes and a guest do with a driver, and what the driver answers, which is
 * mostly wrong (hostile.c).
 *
 * - Whatever it does, nothing is read or written that is not there, and each call comes back.
 * - When the processes have ended, all that the driver did wrong was reported as a violation, or
 *   the machine is in order.
 */
#include "hostile.h"

static struct mm_struct *some_mm(struct play *p)
{
	struct mm_struct *mm = p->mm[hostile_below(p, NR_MMS)];

	return mm ? mm : p->mm[0]; // NULL: that ends
}

/* ---- processes and the guest ---- */

struct target {
	struct mm_struct *mm;
	unsigned long addr, len;
};

static struct target some_target(struct play *p)
{
	struct target t = { .mm = some_mm(p) };

	t.addr = hostile_address(p);
	t.len = hostile_length(p);
	return t;
}

static void do_mmap(struct play *p)
{
	struct file *file = p->file[hostile_below(p, NR_FILES)];
	const unsigned int flags = (file ? 0 : MS_MAP_ANONYMOUS) |
				   (hostile_below(p, 2) ? MS_MAP_SHARED : MS_MAP_PRIVATE);
	const unsigned int how[] = { MS_MAP_FIXED, 0, MS_MAP_FIXED | MS_MAP_POPULATE,
				     MS_MAP_FIXED_NOREPLACE };
	const struct target t = some_target(p);
	const unsigned int prot = hostile_below(p, 8);
	const unsigned int where = how[hostile_below(p, ARRAY_SIZE(how))];

	ms_mmap(t.mm, t.addr, t.len, prot, flags | where, file, hostile_below(p, 4) * PAGE_SIZE);
}

static void do_mremap(struct play *p)
{
	static const unsigned int flags[] = { 0, MS_MREMAP_MAYMOVE,
					      MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED,
					      MS_MREMAP_MAYMOVE | MS_MREMAP_DONTUNMAP };
	const struct target t = some_target(p);
	const unsigned long new_len = hostile_below(p, 2) ? t.len : hostile_length(p);
	const unsigned int how = flags[hostile_below(p, ARRAY_SIZE(flags))];

	ms_mremap(t.mm, t.addr, t.len, new_len, how, hostile_address(p));
}

static void do_fork(struct play *p)
{
	for (unsigned int i = 1; i < NR_MMS; i++)
		if (!p->mm[i]) {
			p->mm[i] = ms_fork(p->mm[0]);
			return;
		}
	if (p->depth)
		return; // p->mm would not tell it
	ms_mm_exit(p->mm[1]);
	p->mm[1] = NULL;
}

static void do_guest(struct play *p)
{
	const unsigned int prot[] = { MS_PROT_R, MS_PROT_W, MS_PROT_X };

	const unsigned long mb = hostile_below(p, 8), page = hostile_below(p, 8);

	if (p->vm)
		ms_guest_touch(p->vm, GPA + mb * SZ_1M + page * PAGE_SIZE,
			       prot[hostile_below(p, 3)]);
}

static void do_slot(struct play *p)
{
	const unsigned int id = hostile_below(p, 2);
	const unsigned long gpa = GPA + hostile_below(p, 3) * SZ_2M, len = hostile_length(p);
	const unsigned long hva = VA + hostile_below(p, 8) * SZ_1M;

	if (p->vm)
		ms_vm_set_slot(p->vm, id, gpa, len, hva,
			       hostile_below(p, 2) ? MS_SLOT_LOG_DIRTY : 0);
}

/* An ioctl of the driver: it looks a VMA up, and does not care for locks. */
static void do_ioctl(struct play *p)
{
	struct mm_struct *mm = some_mm(p);
	struct vm_area_struct *vma = vma_lookup(mm, hostile_address(p));
	const bool lock = hostile_below(p, 2);

	if (lock)
		mmap_read_lock(mm);
	if (vma && vma->vm_private_data == p && vma->vm_file)
		hostile_insert(p, vma, hostile_address(p));
	if (lock)
		mmap_read_unlock(mm);
}

static void do_files(struct play *p)
{
	const unsigned int i = hostile_below(p, NR_FILES);

	struct file *file = p->file[i];

	p->file[i] = NULL;
	if (file)
		ms_linux_close(file);
	else
		p->file[i] = ms_linux_file(p->m, i == 2 ? &hostile_prepare_fops : &hostile_fops,
					   O_RDWR, p);
}

void hostile_step(struct play *p)
{
	struct ms_device *bar = ms_device_find(p->m, "bar");
	struct ms_machine *former;
	struct target t;
	ms_pfn_t pfn;

	if (p->steps++ >= MOST_STEPS)
		return;
	former = ms_linux_use(p->m);
	switch (hostile_below(p, 16)) {
	case 0:
	case 1:
		do_mmap(p);
		break;
	case 2:
		t = some_target(p);
		ms_munmap(t.mm, t.addr, t.len);
		break;
	case 3:
		do_mremap(p);
		break;
	case 4:
		t = some_target(p);
		ms_mprotect(t.mm, t.addr, t.len, hostile_below(p, 8));
		break;
	case 5:
		do_fork(p);
		break;
	case 6:
		t = some_target(p);
		ms_madvise(t.mm, t.addr, t.len,
			   (enum ms_advice)hostile_below(p, MS_MADV_COLLAPSE + 1));
		break;
	case 7:
		do_guest(p);
		break;
	case 8:
		do_slot(p);
		break;
	case 9:
		do_ioctl(p);
		break;
	case 10:
		do_files(p);
		break;
	case 11:
		t = some_target(p);
		ms_get_user_page(t.mm, t.addr, hostile_below(p, 2), &pfn, NULL);
		break;
	case 12:
		ms_machine_fail_alloc(p->m, hostile_below(p, 30));
		break;
	case 13:
		if (bar)
			ms_device_set_memory(bar, hostile_below(p, 2));
		break;
	default:
		t = some_target(p);
		ms_touch(t.mm, t.addr, 1u << hostile_below(p, 3));
		break;
	}
	ms_linux_use(former);
}

/* ---- tests ---- */

/* All rules that kernels ever had are in reach; what a number stands for may change with them. */
static const struct ms_policy *choose_kernel(unsigned int choice)
{
	size_t n = 0;

	while (ms_policy_get(n))
		n++;
	return ms_policy_get(choice % n);
}

static bool begin(struct play *p)
{
	const struct ms_policy *policy = choose_kernel(hostile_below(p, 256));
	const enum ms_arch arch = policy->arch;

	p->m = ms_machine_new(policy);
	if (!p->m)
		return false;
	ms_ram_add(p->m, RAM, SZ_16M);
	ms_device_add(p->m, "bar", BAR, SZ_8M);
	p->mm[0] = ms_mm_new(p->m);
	for (unsigned int i = 0; i < NR_FILES; i++)
		p->file[i] = ms_linux_file(p->m, i == 2 ? &hostile_prepare_fops : &hostile_fops,
					   O_RDWR, p);
	if (arch == MS_ARCH_ARM64)
		p->vm = ms_vm_new(p->mm[0], 40);
	ms_linux_use(p->m);
	p->notifier = kzalloc(sizeof(*p->notifier), GFP_KERNEL);
	p->notifier->ops = &hostile_notifier_ops;
	p->hooks = hostile_below(p, 8) ? 0 : hostile_below(p, 256) | hostile_below(p, 256) << 8;
	if (p->hooks)
		for (int i = 0; i < MS_HOOK_POINTS; i++)
			ms_machine_set_hook(p->m, (enum ms_hook_point)i, hostile_hook, p);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct play p = { .at = data, .end = data + size };
	size_t wrong;
	bool blamed;

	hostile_play = &p;
	if (!begin(&p))
		return 0;
	while (p.at < p.end && p.steps < MOST_STEPS)
		hostile_step(&p);
	ms_machine_fail_alloc(p.m, 0);
	for (unsigned int i = 0; i < NR_MMS; i++) {
		struct mm_struct *mm = p.mm[i];

		p.mm[i] = NULL; // whoever is called by its end
		ms_mm_exit(mm);
	}
	p.steps = MOST_STEPS; // whoever is called from now on does nothing
	blamed = ms_violations(p.m);
	wrong = ms_machine_check(p.m, blamed ? NULL : stderr);
	if (wrong && !blamed)
		fuzz_fail("%zu things are not in order, and there is no violation", wrong);
	ms_machine_free(p.m);
	return 0;
}
