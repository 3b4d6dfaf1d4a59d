/* SPDX-License-Identifier: GPL-2.0-only */
/* The policy's own function for block sizes: what it is told, and what becomes of its answers. */
#include "world.h"

/* Answers `size`, and keeps what it was told last. */
struct chooser {
	uint64_t size;
	unsigned int calls;
	struct ms_block_inputs in;
};

static uint64_t choose(const struct ms_block_inputs *in, void *arg)
{
	struct chooser *c = arg;

	c->calls++;
	c->in = *in;
	return c->size;
}

static struct world choosing(const char *release, struct chooser *c)
{
	struct ms_policy p = *ms_policy_linux(release, MS_ARCH_ARM64);
	struct world w;

	p.choose_block = choose;
	p.choose_block_arg = c;
	world_start(&w, &p, NULL);
	return w;
}

static void set_slot(struct world *w, uint64_t size)
{
	assert_int_equal(ms_vm_set_slot(w->vm, 1, GPA, size, HVA, 0), 0);
	events(w);
}

static void assert_violation(struct world *w, const char *condition)
{
	const struct ms_event *ev = ms_trace_last(w->m, MS_EV_VIOLATION);

	assert_non_null(ev);
	assert_string_equal(ev->reason, condition);
	assert_int_equal(ms_trace_total(w->m, MS_EV_VIOLATION), 1);
}

/* ---- what it is told ---- */

static void function_is_told_all_that_a_size_can_depend_on(void **state)
{
	struct chooser c = { .size = 0 };
	struct world w = choosing("6.12.107", &c);

	map_bar(&w, HVA, 3 * MS_2M, MS_2M);
	set_slot(&w, 2 * MS_2M);
	assert_int_equal(ms_guest_read(w.vm, GPA + MS_2M + 0x5008).leaf.size, MS_2M);
	assert_int_equal(c.calls, 1);
	assert_int_equal(c.in.ipa, GPA + MS_2M + 0x5000);
	assert_int_equal(c.in.prot, MS_PROT_R);
	assert_int_equal(c.in.granule, 0);
	assert_int_equal(c.in.slot_gpa, GPA);
	assert_int_equal(c.in.slot_hva, HVA);
	assert_int_equal(c.in.slot_size, 2 * MS_2M);
	assert_false(c.in.logging);
	assert_int_equal(c.in.hva, HVA + MS_2M + 0x5000);
	assert_int_equal(c.in.vma_start, HVA);
	assert_int_equal(c.in.vma_end, HVA + 3 * MS_2M);
	assert_true(c.in.vma_flags & MS_VM_PFNMAP);
	assert_int_equal(c.in.vma_pgoff, (BAR + MS_2M) >> 12);
	assert_int_equal(ms_pgprot_cache(c.in.vma_page_prot), MS_CACHE_NGNRE);
	assert_int_equal(c.in.host_leaf, PAGE);
	assert_int_equal(c.in.pa, BAR + 2 * MS_2M + 0x5000);
	assert_true(c.in.writable);
	assert_true(c.in.device);
	assert_int_equal(c.in.size, MS_2M);
	assert_string_equal(c.in.reason,
			    "VMA and PA congruent modulo 2M, block inside VMA and memslot");
	world_end(&w);
}

/* The kernel takes the second page to lie a page behind the first; the host maps another there. */
static int remap_backwards(struct ms_file *file, struct ms_vma *vma)
{
	for (ms_hva_t addr = vma->vm_start; addr < vma->vm_end; addr += PAGE) {
		int ret = ms_remap_pfn_range(vma, addr, (BAR + vma->vm_end - addr) >> 12, PAGE,
					     vma->vm_page_prot);

		if (ret)
			return ret;
	}
	return 0;
}

static const struct ms_file_ops backwards = { .name = "backwards", .mmap = remap_backwards };

static void function_is_told_what_the_host_maps_at_the_touched_page(void **state)
{
	struct chooser c = { .size = 0 };
	struct world w = choosing("6.12.107", &c);

	map_file(&w, HVA, MS_2M, MS_PROT_RW, MS_MAP_SHARED, &backwards, 0);
	set_slot(&w, MS_2M);
	ms_guest_read(w.vm, GPA + PAGE);
	assert_int_equal(c.in.size, MS_2M);
	assert_int_equal(c.in.pa, BAR + MS_2M - PAGE);
	world_end(&w);
}

static void function_is_told_of_memory_and_permission_faults_too(void **state)
{
	struct chooser c = { .size = 0 };
	struct world w = choosing("6.12.117", &c);

	map_anon(&w, HVA, MS_2M);
	set_slot(&w, MS_2M);
	assert_int_equal(ms_guest_write(w.vm, GPA + PAGE).leaf.size, MS_2M);
	assert_int_equal(c.in.prot, MS_PROT_W);
	assert_int_equal(c.in.host_leaf, MS_2M);
	assert_false(c.in.device);
	assert_int_equal(ms_guest_exec(w.vm, GPA + 3 * PAGE).exit, MS_GUEST_OK);
	assert_int_equal(c.calls, 2);
	assert_int_equal(c.in.prot, MS_PROT_X);
	assert_int_equal(c.in.granule, MS_2M);
	assert_int_equal(c.in.size, MS_2M);
	assert_string_equal(c.in.reason, "permission fault on a block keeps its size");
	world_end(&w);
}

static ms_vm_fault_t insert_page(struct ms_vm_fault *vmf)
{
	return ms_vmf_insert_pfn(vmf->vma, vmf->address,
				 (BAR + (vmf->address - vmf->vma->vm_start)) >> 12);
}

static const struct ms_vm_ops lazy_vm_ops = { .fault = insert_page };

static int mmap_lazy(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_flags |= MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND | MS_VM_DONTDUMP;
	vma->vm_page_prot = ms_pgprot_device(vma->vm_page_prot);
	vma->vm_ops = &lazy_vm_ops;
	return 0;
}

static const struct ms_file_ops lazy_ops = { .name = "lazy", .mmap = mmap_lazy };

static void where_the_host_maps_nothing_yet_the_block_is_taken_to_go_on(void **state)
{
	struct chooser c = { .size = 0 };
	struct world w = choosing("6.12.107", &c);

	map_file(&w, HVA, MS_2M, MS_PROT_RW, MS_MAP_SHARED, &lazy_ops, 0);
	set_slot(&w, MS_2M);
	assert_int_equal(ms_guest_read(w.vm, GPA + 3 * PAGE).leaf.size, MS_2M);
	assert_int_equal(c.in.host_leaf, 0);
	assert_int_equal(c.in.pa, BAR + 3 * PAGE);
	world_end(&w);
}

/* ---- its answers ---- */

static void a_larger_block_than_the_kernels_is_mapped(void **state)
{
	struct chooser c = { .size = MS_2M };
	struct world w = choosing("6.12.117", &c);
	struct ms_s2_leaf leaf;

	map_bar(&w, HVA, MS_2M, 0);
	set_slot(&w, MS_2M);
	leaf = ms_guest_read(w.vm, GPA + 3 * PAGE).leaf;
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x200000 pa=0x8000000000 prot=rw,device\n");
	assert_string_equal(leaf.reason, "size chosen by the policy's function");
	assert_string_equal(c.in.reason, "host maps less than 2M here");
	world_end(&w);
}

static void a_gib_is_mapped_where_the_host_has_pages(void **state)
{
	struct chooser c = { .size = MS_1G };
	struct world w = choosing("6.12.117", &c);

	map_bar(&w, HVA, MS_1G, MS_1G);
	set_slot(&w, MS_1G);
	assert_int_equal(ms_guest_read(w.vm, GPA + 3 * MS_2M).leaf.size, MS_1G);
	assert_string_equal(
		events(&w),
		"s2.map ipa=0x80000000 size=0x40000000 pa=0x8040000000 prot=rw,device\n");
	world_end(&w);
}

static void pages_in_place_of_a_block_look_up_the_touched_page(void **state)
{
	struct chooser c = { .size = PAGE };
	struct world w = choosing("6.12.107", &c);
	struct ms_host_leaf leaf;

	map_file(&w, HVA, MS_2M, MS_PROT_RW, MS_MAP_SHARED, &lazy_ops, 0);
	set_slot(&w, MS_2M);
	assert_int_equal(ms_guest_read(w.vm, GPA + 3 * PAGE).exit, MS_GUEST_OK);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80003000 size=0x1000 pa=0x8000003000 prot=rw,device\n");
	assert_true(ms_host_leaf(w.mm, HVA + 3 * PAGE, &leaf));
	world_end(&w);
}

static void pages_are_mapped_in_place_of_a_thp_block(void **state)
{
	struct chooser c = { .size = PAGE };
	struct world w = choosing("7.2.13", &c);

	map_anon(&w, HVA, MS_2M);
	set_slot(&w, MS_2M);
	assert_int_equal(ms_guest_write(w.vm, GPA + 3 * PAGE).leaf.size, PAGE);
	assert_int_equal(ms_guest_write(w.vm, GPA + 4 * PAGE).leaf.size, PAGE);
	assert_int_equal(c.calls, 2);
	world_end(&w);
}

static void page_of_a_block_at_a_permission_fault_replaces_it(void **state)
{
	struct chooser c = { .size = 0 };
	struct world w = choosing("6.12.117", &c);

	map_anon(&w, HVA, MS_2M);
	set_slot(&w, MS_2M);
	assert_int_equal(ms_guest_write(w.vm, GPA).leaf.size, MS_2M);
	events(&w);
	c.size = PAGE;
	assert_int_equal(ms_guest_exec(w.vm, GPA + 3 * PAGE).leaf.size, PAGE);
	assert_string_equal(events(&w), "s2.map ipa=0x80003000 size=0x1000 pa=ram prot=rwx\n");
	world_end(&w);
}

static void with_16k_pages_the_map_begins_where_the_kernels_would(void **state)
{
	const struct ms_machine_config config = { .page_size = 0x4000 };
	struct chooser c = { .size = 0x4000 };
	struct ms_policy p = *ms_policy_linux("6.12.107", MS_ARCH_ARM64);
	struct world w;

	p.choose_block = choose;
	p.choose_block_arg = &c;
	world_start(&w, &p, &config);
	map_anon(&w, HVA, 0x2000000);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 0x2000000, HVA, 0), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA + 0x5000).leaf.size, 0x4000);
	assert_int_equal(c.in.ipa, GPA + 0x4000);
	assert_string_equal(events(&w), "s2.map ipa=0x80005000 size=0x4000 pa=ram prot=rw\n");
	world_end(&w);
}

/* ---- answers that are refused ---- */

static void size_that_no_level_has_is_refused(void **state)
{
	static const uint64_t sizes[] = { 1, 0x10000, 2 * MS_2M, MS_1G * 512 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct chooser c = { .size = sizes[i] };
		struct world w = choosing("6.12.107", &c);

		ms_trace_keep(w.m, 1u << MS_EV_VIOLATION);
		map_bar(&w, HVA, 2 * MS_2M, 0);
		set_slot(&w, 2 * MS_2M);
		assert_int_equal(ms_guest_read(w.vm, GPA + PAGE).leaf.size, MS_2M);
		assert_violation(&w, "choose_block: no size of a page or a block");
		world_end(&w);
	}
}

static void block_that_leaves_the_slot_is_refused(void **state)
{
	struct chooser c = { .size = MS_2M };
	struct world w = choosing("6.12.117", &c);

	ms_trace_keep(w.m, 1u << MS_EV_VIOLATION);
	map_bar(&w, HVA, MS_2M, 0);
	set_slot(&w, MS_2M - PAGE);
	assert_int_equal(ms_guest_read(w.vm, GPA + PAGE).leaf.size, PAGE);
	assert_violation(&w, "choose_block: block does not fit the memslot");
	world_end(&w);
}

static void block_at_a_pa_that_is_not_congruent_is_refused(void **state)
{
	struct chooser c = { .size = MS_2M };
	struct world w = choosing("6.12.117", &c);

	ms_trace_keep(w.m, 1u << MS_EV_VIOLATION);
	map_bar(&w, HVA, MS_2M, PAGE);
	set_slot(&w, MS_2M);
	assert_int_equal(ms_guest_read(w.vm, GPA + PAGE).leaf.size, PAGE);
	assert_violation(&w, "choose_block: IPA and PA are not congruent");
	world_end(&w);
}

static void refused_size_leaves_the_kernels_block_and_its_reason(void **state)
{
	struct chooser c = { .size = MS_1G };
	struct world w = choosing("6.12.107", &c);
	struct ms_s2_leaf leaf;

	map_bar(&w, HVA, MS_1G, MS_2M);
	set_slot(&w, MS_1G);
	leaf = ms_guest_read(w.vm, GPA + MS_2M + PAGE).leaf;
	assert_int_equal(leaf.size, MS_2M);
	assert_int_equal(leaf.pa, BAR + 2 * MS_2M);
	assert_string_equal(leaf.reason,
			    "VMA and PA congruent modulo 2M, block inside VMA and memslot");
	assert_int_equal(ms_trace_total(w.m, MS_EV_VIOLATION), 1);
	world_end(&w);
}

/* ---- locks and races ---- */

static void block_of_a_logged_slot_was_mapped_under_the_read_lock(void **state)
{
	struct chooser c = { .size = 0 };
	struct world w = choosing("6.1.192", &c);

	ms_trace_keep(w.m, 1u << MS_EV_VIOLATION);
	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.size, PAGE);
	c.size = MS_2M;
	assert_int_equal(ms_guest_write(w.vm, GPA).leaf.size, MS_2M);
	assert_violation(&w, "Attempted stage-2 map outside of write lock");
	world_end(&w);
}

static void unmap_once(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	ms_machine_set_hook(m, point, NULL, NULL);
	assert_int_equal(ms_munmap(arg, HVA, MS_2M), 0);
}

static void chosen_block_is_given_up_when_its_memory_goes(void **state)
{
	struct chooser c = { .size = MS_2M };
	struct world w = choosing("6.12.117", &c);

	map_bar(&w, HVA, MS_2M, 0);
	set_slot(&w, MS_2M);
	ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, unmap_once, w.mm);
	assert_int_equal(ms_guest_read(w.vm, GPA).err, -EFAULT);
	assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x200000\n");
	world_end(&w);
}

/* Another vCPU breaks the block whose permissions this one is about to relax. */
struct breaker {
	struct chooser *chooser;
	struct ms_vm *vm;
};

static void write_one_page(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct breaker *b = arg;

	ms_machine_set_hook(m, point, NULL, NULL);
	b->chooser->size = PAGE;
	assert_int_equal(ms_guest_write(b->vm, GPA + 5 * PAGE).exit, MS_GUEST_OK);
	b->chooser->size = MS_2M;
}

static void relax_of_a_block_that_is_gone_tells_so(void **state)
{
	struct chooser c = { .size = MS_2M };
	struct world w = choosing("6.12.117", &c);
	struct breaker b = { &c, w.vm };

	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.prot, MS_PROT_R);
	events(&w);
	ms_machine_set_hook(w.m, MS_HOOK_S2_MMU_LOCK, write_one_page, &b);
	assert_int_equal(ms_guest_exec(w.vm, GPA + 3 * PAGE).leaf.size, MS_2M);
	assert_string_equal(events(&w), "s2.map ipa=0x80005000 size=0x1000 pa=ram prot=rw\n"
					"s2.relax ipa=0x80000000 prot=rx ret=EAGAIN\n"
					"s2.map ipa=0x80000000 size=0x200000 pa=ram prot=rx\n");
	world_end(&w);
}

/* The first page is one of memory, the others are a BAR's. */
static int remap_ram_and_bar(struct ms_file *file, struct ms_vma *vma)
{
	int ret = ms_remap_pfn_range(vma, vma->vm_start, MS_1G >> 12, PAGE, vma->vm_page_prot);

	vma->vm_pgoff = BAR >> 12;
	return ret ? ret
		   : ms_remap_pfn_range(vma, vma->vm_start + PAGE, (BAR + PAGE) >> 12,
					vma->vm_end - vma->vm_start - PAGE, vma->vm_page_prot);
}

static void page_of_a_block_is_what_it_is_and_not_what_the_blocks_first_is(void **state)
{
	static const struct ms_file_ops ops = { .name = "mixed", .mmap = remap_ram_and_bar };
	struct ms_policy p = *ms_policy_linux("6.12.107", MS_ARCH_ARM64);
	struct chooser c = { .size = PAGE };
	struct world w;

	assert_int_equal(ms_policy_set(&p, "pfn_refcount_test", "NO"), 0);
	p.choose_block = choose;
	p.choose_block_arg = &c;
	world_start(&w, &p, NULL);
	map_file(&w, HVA, MS_2M, MS_PROT_RW, MS_MAP_SHARED, &ops, 0);
	set_slot(&w, MS_2M);
	assert_int_equal(ms_guest_read(w.vm, GPA + 3 * PAGE).leaf.prot,
			 MS_PROT_RW | MS_PROT_DEVICE);
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.prot, MS_PROT_RW);
	world_end(&w);
}

/*
 *  VMA        |-------|     the middle of a block around it
 *  block   |-------------|
 */
static void block_that_leaves_the_vma_is_told(void **state)
{
	struct chooser c = { .size = MS_2M };
	struct world w = choosing("6.12.117", &c);
	const struct ms_event *ev;

	map_bar(&w, HVA + PAGE, 3 * PAGE, PAGE);
	set_slot(&w, MS_2M);
	ms_trace_keep(w.m, 1u << MS_EV_VIOLATION);
	assert_int_equal(ms_guest_read(w.vm, GPA + 2 * PAGE).leaf.size, MS_2M);
	assert_int_equal(ms_trace_len(w.m), 2);
	ev = ms_trace_get(w.m, 0);
	assert_string_equal(ev->reason, "guest block reaches below its VMA");
	assert_int_equal(ev->addr, GPA);
	assert_int_equal(ev->pa, BAR);
	ev = ms_trace_get(w.m, 1);
	assert_string_equal(ev->reason, "guest block reaches beyond its VMA");
	assert_int_equal(ev->addr, GPA + 4 * PAGE);
	assert_int_equal(ev->pa, BAR + 4 * PAGE);
	world_end(&w);
}

static void function_is_told_of_a_log(void **state)
{
	struct chooser c = { .size = 0 };
	struct world w = choosing("6.12.117", &c);

	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).leaf.size, PAGE);
	assert_true(c.in.logging);
	world_end(&w);
}

static ms_vm_fault_t insert_the_first_page(struct ms_vm_fault *vmf)
{
	if (vmf->address != vmf->vma->vm_start)
		return MS_VM_FAULT_SIGBUS;
	return ms_vmf_insert_pfn(vmf->vma, vmf->address, BAR >> 12);
}

static int mmap_first_page(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = { .fault = insert_the_first_page };
	int ret = mmap_lazy(file, vma);

	vma->vm_ops = &ops;
	return ret;
}

/* The kernel would map the block, having looked up its first page alone. */
static void chosen_page_must_be_there(void **state)
{
	static const struct ms_file_ops ops = { .name = "first page", .mmap = mmap_first_page };
	struct chooser c = { .size = 0 };
	struct world w = choosing("6.12.107", &c);

	map_file(&w, HVA, MS_2M, MS_PROT_RW, MS_MAP_SHARED, &ops, BAR);
	set_slot(&w, MS_2M);
	c.size = PAGE;
	assert_int_equal(ms_guest_read(w.vm, GPA + 3 * PAGE).err, -EFAULT);
	c.size = 0;
	assert_int_equal(ms_guest_read(w.vm, GPA + 3 * PAGE).leaf.size, MS_2M);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(function_is_told_all_that_a_size_can_depend_on),
		cmocka_unit_test(function_is_told_what_the_host_maps_at_the_touched_page),
		cmocka_unit_test(function_is_told_of_memory_and_permission_faults_too),
		cmocka_unit_test(where_the_host_maps_nothing_yet_the_block_is_taken_to_go_on),
		cmocka_unit_test(a_larger_block_than_the_kernels_is_mapped),
		cmocka_unit_test(a_gib_is_mapped_where_the_host_has_pages),
		cmocka_unit_test(pages_in_place_of_a_block_look_up_the_touched_page),
		cmocka_unit_test(pages_are_mapped_in_place_of_a_thp_block),
		cmocka_unit_test(page_of_a_block_at_a_permission_fault_replaces_it),
		cmocka_unit_test(with_16k_pages_the_map_begins_where_the_kernels_would),
		cmocka_unit_test(size_that_no_level_has_is_refused),
		cmocka_unit_test(block_that_leaves_the_slot_is_refused),
		cmocka_unit_test(block_at_a_pa_that_is_not_congruent_is_refused),
		cmocka_unit_test(refused_size_leaves_the_kernels_block_and_its_reason),
		cmocka_unit_test(block_of_a_logged_slot_was_mapped_under_the_read_lock),
		cmocka_unit_test(chosen_block_is_given_up_when_its_memory_goes),
		cmocka_unit_test(relax_of_a_block_that_is_gone_tells_so),
		cmocka_unit_test(page_of_a_block_is_what_it_is_and_not_what_the_blocks_first_is),
		cmocka_unit_test(block_that_leaves_the_vma_is_told),
		cmocka_unit_test(function_is_told_of_a_log),
		cmocka_unit_test(chosen_page_must_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
