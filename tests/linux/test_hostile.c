/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hostile drivers: each thing that a driver could do wrong (hostile_acts.c), in each of the places
 * where its code runs, on several kernels. Whatever it does, the machine goes on, tells it as a
 * violation where it is none of the kernel's business to allow it, and ends.
 */
#include "hostile.h"

#include <unistd.h>

struct hostile hostile;
static bool is_loud; // with any argument: says what comes next

/* The process, which an act may have ended; NULL: it has. */
static struct mm_struct *living(void)
{
	for (struct mm_struct *mm = ms_mm_next(hostile.m, NULL); mm; mm = ms_mm_next(hostile.m, mm))
		if (mm == hostile.mm)
			return mm;
	hostile.mm = NULL;
	return NULL;
}

/* ---- where the act is done ---- */

static void here(enum place place, struct vm_area_struct *vma, struct vm_fault *vmf,
		 struct file *file)
{
	if (hostile.place != place || hostile.done >= hostile.most)
		return;
	hostile.done++;
	hostile.vma = vma;
	hostile.vmf = vmf;
	hostile.now = file ? file : vma ? vma->vm_file : hostile.file;
	hostile.act->fn(&hostile);
	hostile.vma = NULL;
	hostile.vmf = NULL;
}

static void do_open(struct vm_area_struct *vma)
{
	here(IN_OPEN, vma, NULL, NULL);
}

static void do_close(struct vm_area_struct *vma)
{
	here(IN_CLOSE, vma, NULL, NULL);
}

static int do_split(struct vm_area_struct *vma, unsigned long addr)
{
	here(IN_MAY_SPLIT, vma, NULL, NULL);
	return 0;
}

static int do_mremap(struct vm_area_struct *vma)
{
	here(IN_MREMAP, vma, NULL, NULL);
	return 0;
}

static int do_mprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end,
		       unsigned long newflags)
{
	here(IN_MPROTECT, vma, NULL, NULL);
	return 0;
}

/* The answer, which also a VMA that became another one gets. */
static vm_fault_t answer(struct vm_fault *vmf)
{
	if (hostile.pages == 2)
		return vmf_insert_mixed(vmf->vma, vmf->address, pfn_to_pfn_t(PHYS_PFN(BAR)));
	if (hostile.pages) {
		get_page(hostile.page);
		vmf->page = hostile.page;
		return 0;
	}
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(BAR) + vmf->pgoff % BAR_PAGES);
}

static vm_fault_t do_fault(struct vm_fault *vmf)
{
	here(IN_FAULT, vmf->vma, vmf, NULL);
	return answer(vmf);
}

static vm_fault_t do_late_fault(struct vm_fault *vmf)
{
	const vm_fault_t ret = answer(vmf);

	here(AFTER_FAULT, vmf->vma, vmf, NULL);
	return ret;
}

static vm_fault_t do_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	here(IN_HUGE_FAULT, vmf->vma, vmf, NULL);
	return VM_FAULT_FALLBACK;
}

static vm_fault_t do_page_mkwrite(struct vm_fault *vmf)
{
	here(IN_PAGE_MKWRITE, vmf->vma, vmf, NULL);
	lock_page(hostile.page);
	return VM_FAULT_LOCKED;
}

static vm_fault_t do_pfn_mkwrite(struct vm_fault *vmf)
{
	here(IN_PFN_MKWRITE, vmf->vma, vmf, NULL);
	return 0;
}

static int do_access(struct vm_area_struct *vma, unsigned long addr, void *buf, int len, int write)
{
	here(IN_ACCESS, vma, NULL, NULL);
	return len;
}

static unsigned long do_pagesize(struct vm_area_struct *vma)
{
	here(IN_PAGESIZE, vma, NULL, NULL);
	return PAGE_SIZE;
}

static struct page *do_special(struct vm_area_struct *vma, unsigned long addr)
{
	here(IN_SPECIAL, vma, NULL, NULL);
	return NULL;
}

static const struct vm_operations_struct ops = {
	.open = do_open,
	.close = do_close,
	.may_split = do_split,
	.mremap = do_mremap,
	.mprotect = do_mprotect,
	.fault = do_fault,
	.huge_fault = do_huge_fault,
	.page_mkwrite = do_page_mkwrite,
	.pfn_mkwrite = do_pfn_mkwrite,
	.access = do_access,
	.pagesize = do_pagesize,
	.find_special_page = do_special,
};

static int do_mmap(struct file *file, struct vm_area_struct *vma)
{
	static struct vm_operations_struct late;

	late = ops;
	late.fault = do_late_fault;
	vma->vm_ops = hostile.place == AFTER_FAULT ? &late : &ops;
	if (hostile.pages == 0)
		vm_flags_set(vma, VM_IO | VM_PFNMAP);
	if (hostile.pages == 2)
		vm_flags_set(vma, VM_MIXEDMAP);
	here(IN_MMAP, vma, NULL, file);
	return 0;
}

static int do_file_open(struct inode *inode, struct file *file)
{
	here(IN_FILE_OPEN, NULL, NULL, file);
	return 0;
}

static int do_release(struct inode *inode, struct file *file)
{
	here(IN_RELEASE, NULL, NULL, file);
	for (unsigned int i = 0; i < ARRAY_SIZE(hostile.files); i++)
		if (hostile.files[i] == file)
			hostile.files[i] = NULL;
	return 0;
}

static const struct file_operations fops = {
	.open = do_file_open,
	.mmap = do_mmap,
	.release = do_release,
};

static int notify_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	here(IN_NOTIFIER_START, NULL, NULL, NULL);
	return 0;
}

static void notify_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	here(IN_NOTIFIER_END, NULL, NULL, NULL);
}

static void notify_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	here(IN_NOTIFIER_RELEASE, NULL, NULL, NULL);
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start = notify_start,
	.invalidate_range_end = notify_end,
	.release = notify_release,
};

static void hook(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct mm_struct *child = ms_mm_next(hostile.m, hostile.other);
	// with two that have the same addresses nobody knows whose VMA it is
	struct vm_area_struct *vma = child ? NULL : ms_vma_lookup(living(), addr);

	if (hostile.hook == (int)point)
		here(IN_HOOK, vma, NULL, NULL);
}

/* ---- what processes do meanwhile ---- */

static void begin(const struct ms_policy *kernel)
{
	hostile.m = ms_machine_new(kernel);
	assert_non_null(hostile.m);
	assert_int_equal(ms_ram_add(hostile.m, RAM, 16 << 20), 0);
	assert_non_null(ms_device_add(hostile.m, "bar", BAR, BAR_PAGES * PAGE_SIZE));
	hostile.mm = ms_mm_new(hostile.m);
	hostile.other = ms_mm_new(hostile.m);
	hostile.memfd = ms_memfd_new(hostile.m, 16 * PAGE_SIZE);
	ms_linux_use(hostile.m);
	hostile.page = alloc_page(GFP_KERNEL);
	hostile.page->mapping = (struct address_space *)&hostile; // it is of a file's
	hostile.misc = kzalloc(sizeof(*hostile.misc), GFP_KERNEL);
	hostile.misc->minor = MISC_DYNAMIC_MINOR;
	hostile.misc->name = "hostile";
	hostile.misc->fops = &fops;
	assert_int_equal(misc_register(hostile.misc), 0);
	hostile.notifier = kzalloc(sizeof(*hostile.notifier), GFP_KERNEL);
	hostile.notifier->ops = &notifier_ops;
	assert_int_equal(mmu_notifier_register(hostile.notifier, hostile.mm), 0);
	mutex_init(&hostile.mutex);
	spin_lock_init(&hostile.spin);
	for (int i = 0; i < MS_HOOK_POINTS; i++)
		ms_machine_set_hook(hostile.m, (enum ms_hook_point)i, hook, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(hostile.files); i++)
		hostile.files[i] = ms_linux_open(hostile.m, "hostile", O_RDWR);
	hostile.file = hostile.files[0];
}

static void map_at(unsigned long addr, struct file *file)
{
	struct file *which = file ? file : hostile.memfd;

	ms_mmap(living(), addr, 8 * PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, which, 0);
	ms_mmap(living(), addr + SZ_1M, 4 * PAGE_SIZE, MS_PROT_RW,
		MS_MAP_PRIVATE | MS_MAP_FIXED, which, PAGE_SIZE);
}

static void use(unsigned long addr)
{
	char bytes[8] = { 0 };
	ms_pfn_t pfn;

	for (unsigned long at = addr; at < addr + 3 * PAGE_SIZE; at += PAGE_SIZE) {
		ms_touch(living(), at, MS_PROT_R);
		ms_touch(living(), at, MS_PROT_W);
		ms_touch(living(), at + SZ_1M, MS_PROT_W);
	}
	ms_get_user_page(living(), addr + 4 * PAGE_SIZE, true, &pfn, NULL);
	if (living())
		access_process_vm(ms_linux_task(living()), addr, bytes, sizeof(bytes), 0);
	if (ms_vma_lookup(living(), addr))
		ms_vma_kernel_pagesize(ms_vma_lookup(living(), addr));
}

static void change(unsigned long addr)
{
	struct mm_struct *child;

	ms_mprotect(living(), addr + PAGE_SIZE, PAGE_SIZE, MS_PROT_R);
	child = ms_fork(living());
	ms_mprotect(living(), addr + PAGE_SIZE, PAGE_SIZE, MS_PROT_RW);
	ms_munmap(living(), addr + 6 * PAGE_SIZE, PAGE_SIZE);
	ms_madvise(living(), addr, PAGE_SIZE, MS_MADV_DONTNEED);
	ms_mremap(living(), addr, 2 * PAGE_SIZE, 2 * PAGE_SIZE,
		  MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, addr + SZ_2M);
	ms_mremap(living(), addr + SZ_2M, PAGE_SIZE, 2 * PAGE_SIZE, MS_MREMAP_MAYMOVE, 0);
	if (child && child == ms_mm_next(hostile.m, hostile.other)) {
		ms_touch(child, addr + 2 * PAGE_SIZE, MS_PROT_W);
		ms_mm_exit(child);
	}
}

static void play(void)
{
	for (hostile.pages = 0; hostile.pages < 3; hostile.pages++) {
		map_at(A + hostile.pages * SZ_64M, hostile.files[0]);
		use(A + hostile.pages * SZ_64M);
		change(A + hostile.pages * SZ_64M);
	}
	map_at(MEMFD, NULL);
	use(MEMFD);
	for (unsigned int i = 0; i < ARRAY_SIZE(hostile.files); i++) {
		struct file *file = hostile.files[i];

		hostile.files[i] = NULL;
		if (file)
			ms_linux_close(file);
	}
	ms_mm_exit(living());
}

/* ---- tests ---- */

static void run(const struct ms_policy *kernel, const struct act *act, enum place place, int point,
		unsigned int most)
{
	const bool legal = act->legal >> place & 1;
	uint64_t blamed;

	if (is_loud)
		fprintf(stderr, "%s in %s, hook %d, %u times\n", act->name, place_name(place), point,
			most);
	memset(&hostile, 0, sizeof(hostile));
	hostile.act = act;
	hostile.place = place;
	hostile.hook = point;
	hostile.most = most;
	begin(kernel);
	alarm(20);
	play();
	alarm(0);
	blamed = ms_violations(hostile.m);
	if (ms_machine_check(hostile.m, blamed ? NULL : stderr) && !blamed)
		fail_msg("%s in %s: not whole, and nothing is told", act->name, place_name(place));
	if (hostile.done && !legal && !blamed && place != IN_HOOK)
		fail_msg("%s in %s: nothing is told", act->name, place_name(place));
	hostile.reached[place] |= hostile.done;
	ms_linux_use(NULL);
	ms_machine_free(hostile.m);
}

static void whatever_a_driver_does_is_told_and_not_fatal(void **state)
{
	static const struct {
		const char *release;
		enum ms_arch arch;
	} kernels[] = {
		{ "6.12.117", MS_ARCH_X86_64 },
		{ "5.10.223", MS_ARCH_X86_64 },
		{ "7.3.4", MS_ARCH_ARM64 },
	};
	bool reached[PLACES] = { false };

	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++)
		for (const struct act *act = acts; act->fn; act++)
			for (int place = 0; place < IN_HOOK; place++)
				for (unsigned int most = 1; most < 100; most += 98) {
					run(ms_policy_linux(kernels[k].release, kernels[k].arch),
					    act, place, 0, most);
					reached[place] |= hostile.done;
				}
	for (int place = 0; place < IN_HOOK; place++)
		if (!reached[place] && place != IN_SPECIAL)
			fail_msg("%s is never reached", place_name(place));
}

static void whatever_a_hook_does_is_not_fatal(void **state)
{
	for (const struct act *act = acts; act->fn; act++)
		for (int point = 0; point < MS_HOOK_POINTS; point++)
			run(ms_policy_linux("6.12.117", MS_ARCH_X86_64), act, IN_HOOK, point, 2);
}

int main(int argc, char **argv)
{
	is_loud = argc > 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_a_driver_does_is_told_and_not_fatal),
		cmocka_unit_test(whatever_a_hook_does_is_not_fatal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
