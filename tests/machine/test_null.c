/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a refused call answers may be handed on: every public function that takes an object is given
 * NULL. ../script/test_null.c does the same for script.h, ../linux/test_null.c for the names of
 * linux.h; null_doors.py sees to it that none is forgotten.
 */
#include <mapsim/mapsim.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define VA UINT64_C(0x7e0000000000)
#define BAR UINT64_C(0x4000000000)

/* A machine with nothing but a process that maps a file. */
struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_vma *vma;
};

static int map_nothing(struct ms_file *file, struct ms_vma *vma)
{
	return 0;
}

static struct world world(void)
{
	static const struct ms_file_ops ops = { .name = "nothing", .mmap = map_nothing };
	struct world w = { .m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_X86_64)) };

	assert_non_null(w.m);
	w.mm = ms_mm_new(w.m);
	assert_non_null(w.mm);
	assert_true(ms_mmap(w.mm, VA, MS_4K, MS_PROT_R, MS_MAP_SHARED | MS_MAP_FIXED,
			    ms_file_new(w.m, &ops, MS_FMODE_READ, 0, NULL, NULL), 0) > 0);
	w.vma = ms_vma_lookup(w.mm, VA);
	assert_non_null(w.vma);
	return w;
}

static void world_end(struct world *w)
{
	assert_int_equal(ms_violations(w->m), 0);
	assert_int_equal(ms_machine_check(w->m, stderr), 0);
	ms_machine_free(w->m);
}

static void a_refused_release_is_never_followed_by_a_crash(void **state)
{
	const struct ms_policy *policy = ms_policy_linux("6.0.99-unheard-of", MS_ARCH_ARM64);
	struct ms_machine *m = ms_machine_new(policy);
	struct ms_device *bar = ms_device_add(m, "bar", BAR, MS_2M);
	struct ms_file *file = ms_pci_resource(bar);
	struct ms_mm *mm = ms_mm_new(m);
	int64_t hva = ms_mmap(mm, 0, MS_2M, MS_PROT_RW, MS_MAP_SHARED, file, 0);
	struct ms_vm *vm = ms_vm_new(mm, 40);

	assert_null(policy);
	assert_int_equal(hva, -EINVAL);
	assert_int_equal(ms_vm_set_slot(vm, 0, 0, MS_2M, (ms_hva_t)hva, 0), -EINVAL);
	assert_int_equal(ms_guest_read(vm, 0).err, -EINVAL);
	ms_vm_free(vm);
	ms_mm_exit(mm);
	ms_file_put(file);
	ms_trace_print(m, stderr);
	assert_int_equal(ms_machine_check(m, stderr), 0);
	ms_machine_free(m);
}

static void null_is_harmless_as_a_policy(void **state)
{
	struct ms_policy p = *ms_policy_get(0);
	uint64_t line = 0;

	assert_null(ms_policy_linux(NULL, MS_ARCH_ARM64));
	assert_null(ms_release_known(NULL, MS_ARCH_ARM64).policy);
	assert_null(ms_policy_cell(NULL, MS_ARCH_ARM64, 0).since);
	assert_int_equal(ms_policy_field(NULL, 0), -1);
	assert_int_equal(ms_policy_set(NULL, "vfio", "V3"), -EINVAL);
	assert_int_equal(ms_policy_set(&p, NULL, "V3"), -EINVAL);
	assert_int_equal(ms_policy_set(&p, "vfio", NULL), -EINVAL);
	assert_int_equal(ms_policy_set_text(NULL, "vfio=V3"), -EINVAL);
	assert_int_equal(ms_policy_set_text(&p, NULL), -EINVAL);
	assert_int_equal(ms_policy_set_lines(NULL, "vfio=V3", &line), -EINVAL);
	assert_int_equal(ms_policy_set_lines(&p, NULL, &line), -EINVAL);
}

static void never(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	fail();
}

static void null_is_harmless_as_a_machine(void **state)
{
	assert_null(ms_machine_new(NULL));
	assert_null(ms_machine_new_config(NULL, NULL));
	assert_non_null(ms_machine_refusal(NULL, NULL));
	assert_null(ms_machine_policy(NULL));
	assert_null(ms_machine_config(NULL));
	ms_machine_fail_alloc(NULL, 1);
	assert_null(ms_last_refusal(NULL).reason);
	assert_null(ms_last_reason(NULL));
	assert_int_equal(ms_machine_allocs(NULL), 0);
	ms_machine_set_hook(NULL, MS_HOOK_DRIVER_MMAP, never, NULL);
	assert_int_equal(ms_machine_check(NULL, stderr), 0);
	ms_machine_free(NULL);
}

static void null_is_harmless_as_a_state(void **state)
{
	struct world w = world();

	assert_null(ms_state_save(NULL));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ms_state_restore(w.m, NULL), -EINVAL);
	assert_int_equal(ms_state_restore(NULL, NULL), -EINVAL);
	assert_int_equal(ms_state_keep(NULL, NULL, 1), -EINVAL);
	ms_state_free(NULL);
	assert_int_equal(ms_machine_hash(NULL), 0);
	assert_int_equal(ms_machine_hash_with(NULL, NULL, 1), 0);
	assert_int_equal(ms_state_bytes(NULL), 0);
	world_end(&w);
}

static void null_is_harmless_as_a_machine_to_trace(void **state)
{
	struct world w = world();
	const struct ms_event ev = { .type = MS_EV_ZAP };

	assert_int_equal(ms_trace_len(NULL), 0);
	assert_null(ms_trace_get(NULL, 0));
	assert_int_equal(ms_trace_count(NULL, MS_EV_ZAP), 0);
	assert_int_equal(ms_trace_total(NULL, MS_EV_ZAP), 0);
	assert_null(ms_trace_last(NULL, MS_EV_ZAP));
	ms_trace_clear(NULL);
	ms_trace_keep(NULL, 0);
	assert_int_equal(ms_trace_lost(NULL), 0);
	assert_int_equal(ms_violations(NULL), 0);
	assert_null(ms_violation_get(NULL, 0));
	assert_int_equal(ms_violations_of(NULL, ~0u), 0);
	assert_int_equal(ms_violation_causes(NULL), 0);
	assert_null(ms_violation_cause(NULL, 1));
	ms_violation_observe(NULL, NULL, NULL);
	ms_event_print(NULL, &ev, stderr);
	ms_event_print(w.m, NULL, stderr);
	ms_event_print(w.m, &ev, NULL);
	ms_event_print_fields(NULL, &ev, stderr);
	ms_event_print_fields(w.m, NULL, stderr);
	ms_event_print_fields(w.m, &ev, NULL);
	ms_prot_print(MS_PROT_R, NULL);
	ms_tdp_bits_print(MS_TDP_DIRTY, NULL);
	ms_error_print(-EINVAL, NULL);
	ms_trace_print(NULL, stderr);
	ms_trace_print(w.m, NULL);
	world_end(&w);
}

static void null_is_harmless_to_the_memory_map(void **state)
{
	struct world w = world();

	assert_int_equal(ms_ram_add(NULL, 0, MS_1G), -EINVAL);
	assert_int_equal(ms_mtrr_add(NULL, 0, MS_1G, MS_CACHE_WB), -EINVAL);
	assert_null(ms_device_add(NULL, "bar", BAR, MS_2M));
	assert_null(ms_device_add(w.m, NULL, BAR, MS_2M));
	ms_device_set_prefetchable(NULL, true);
	ms_device_set_mtrr(NULL, MS_CACHE_WB);
	ms_device_set_memory(NULL, false);
	assert_null(ms_device_find(NULL, "bar"));
	assert_null(ms_device_find(w.m, NULL));
	assert_null(ms_device_name(NULL));
	assert_int_equal(ms_device_pa(NULL), 0);
	assert_int_equal(ms_device_size(NULL), 0);
	assert_false(ms_pfn_is_ram(NULL, 1));
	assert_int_equal(ms_ram_free_pages(NULL), 0);
	world_end(&w);
}

static void alias(const struct ms_memtype_alias *found, void *arg)
{
	fail();
}

static void entry(const struct ms_memtype *found, void *arg)
{
	fail();
}

static void null_is_harmless_to_memtypes(void **state)
{
	struct world w = world();
	struct ms_memtype got;
	enum ms_cache type;

	assert_int_equal(ms_memtype_reserve(NULL, BAR, BAR + MS_4K, MS_CACHE_UC, &type), -EINVAL);
	assert_int_equal(ms_memtype_free(NULL, BAR, BAR + MS_4K), -EINVAL);
	assert_int_equal(ms_memtype_lookup(NULL, BAR), MS_CACHE_UC_MINUS);
	assert_false(ms_memtype_get(NULL, 0, &got));
	assert_int_equal(ms_memtype_leaks(NULL, entry, NULL), 0);
	assert_int_equal(ms_memtype_aliases(NULL, alias, NULL), -EINVAL);
	assert_false(ms_pat_free_reached_list(NULL));
	assert_int_equal(ms_ioremap(NULL, BAR, MS_4K, MS_CACHE_UC), -EINVAL);
	assert_int_equal(ms_iounmap(NULL, BAR, MS_4K), -EINVAL);
	ms_memtype_walk(NULL, 0, UINT64_MAX, entry, NULL);
	assert_int_equal(ms_memtype_reserve(w.m, BAR, BAR + MS_4K, MS_CACHE_UC, NULL), 0);
	ms_memtype_walk(w.m, 0, UINT64_MAX, NULL, NULL);
	assert_int_equal(ms_memtype_free(w.m, BAR, BAR + MS_4K), 0);
	world_end(&w);
}

static void null_is_harmless_as_a_vma_to_track(void **state)
{
	struct world w = world();
	ms_pgprot_t prot = 0;

	assert_int_equal(ms_track_pfn_remap(NULL, &prot, 1, VA, MS_4K), -EINVAL);
	ms_track_pfn_insert(NULL, &prot, 1);
	assert_int_equal(prot, 0);
	assert_int_equal(ms_track_pfn_copy(NULL, w.vma, 0), -EINVAL);
	assert_int_equal(ms_track_pfn_copy(w.vma, NULL, 0), -EINVAL);
	ms_untrack_pfn(NULL, 0, 0, 0);
	ms_untrack_pfn_clear(NULL);
	assert_int_equal(ms_pfnmap_ctx_dup(NULL, w.vma), -EINVAL);
	assert_int_equal(ms_pfnmap_ctx_dup(w.vma, NULL), -EINVAL);
	ms_pfnmap_ctx_put(NULL);
	world_end(&w);
}

static void null_is_harmless_as_a_process(void **state)
{
	struct world w = world();

	assert_null(ms_mm_new(NULL));
	ms_mm_exit(NULL);
	assert_int_equal(ms_mm_id(NULL), 0);
	assert_null(ms_mm_machine(NULL));
	assert_null(ms_mm_next(NULL, NULL));
	assert_null(ms_mm_next(NULL, w.mm));
	assert_int_equal(ms_mm_map_count(NULL), 0);
	assert_int_equal(
		ms_mmap(NULL, VA, MS_4K, MS_PROT_R, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL, 0),
		-EINVAL);
	assert_int_equal(ms_mmap(w.mm, 0, MS_4K, MS_PROT_R, MS_MAP_SHARED, NULL, 0), -ENOMEM);
	assert_int_equal(ms_munmap(NULL, VA, MS_4K), -EINVAL);
	assert_int_equal(ms_mprotect(NULL, VA, MS_4K, MS_PROT_R), -EINVAL);
	assert_int_equal(ms_mremap(NULL, VA, MS_4K, MS_2M, MS_MREMAP_MAYMOVE, 0), -EINVAL);
	assert_int_equal(ms_madvise(NULL, VA, MS_4K, MS_MADV_DONTNEED), -EINVAL);
	assert_int_equal(ms_mlock(NULL, VA, MS_4K), -EINVAL);
	assert_int_equal(ms_munlock(NULL, VA, MS_4K), -EINVAL);
	errno = 0;
	assert_null(ms_fork(NULL));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ms_touch(NULL, VA, MS_PROT_R), MS_ACCESS_SIGSEGV);
	world_end(&w);
}

static void null_is_harmless_as_a_file(void **state)
{
	static const struct ms_file_ops ops = { .name = "nothing" };
	struct world w = world();

	assert_null(ms_file_new(NULL, &ops, MS_FMODE_READ, 0, NULL, NULL));
	// a file without operations is one that cannot be mapped
	assert_int_equal(ms_mmap(w.mm, 0, MS_4K, MS_PROT_R, MS_MAP_SHARED,
				 ms_file_new(w.m, NULL, MS_FMODE_READ, 0, NULL, NULL), 0),
			 -ENODEV);
	assert_null(ms_memfd_new(NULL, MS_4K));
	assert_null(ms_memfd_hugetlb_new(NULL, MS_2M, MS_2M));
	assert_null(ms_file_priv(NULL));
	assert_null(ms_file_machine(NULL));
	ms_file_put(NULL);
	world_end(&w);
}

static void null_is_harmless_as_a_process_to_look_at(void **state)
{
	struct world w = world();
	struct ms_host_leaf leaf = { .size = MS_4K };
	char buf[MS_VMFLAGS_MAX] = "rd";
	ms_pfn_t pfn = 0;
	bool writable;
	uint64_t desc = 1;

	assert_null(ms_find_vma(NULL, VA));
	assert_null(ms_vma_lookup(NULL, VA));
	assert_null(ms_vma_next(NULL));
	assert_int_equal(ms_vma_kernel_pagesize(NULL), 0);
	assert_ptr_equal(ms_vma_flags_str(NULL, buf, sizeof(buf)), buf);
	assert_string_equal(buf, "");
	assert_null(ms_vma_flags_str(w.vma, NULL, sizeof(buf)));
	assert_false(ms_host_next_leaf(NULL, 0, UINT64_MAX, &leaf));
	assert_false(ms_host_leaf(NULL, VA, &leaf));
	assert_false(ms_host_leaf_is_valid(NULL, &leaf));
	assert_false(ms_host_leaf_is_valid(w.mm, NULL));
	assert_int_equal(ms_host_walk(NULL, VA, &desc), 0);
	assert_int_equal(desc, 0);
	assert_int_equal(ms_get_user_page(NULL, VA, false, &pfn, &writable), -EINVAL);
	assert_int_equal(ms_get_user_page_fast(NULL, VA, false, &pfn), -EINVAL);
	assert_int_equal(ms_fixup_user_fault(NULL, VA, false), -EINVAL);
	world_end(&w);
}

static void null_is_harmless_as_a_process_to_notify(void **state)
{
	static const struct ms_mmu_notifier_ops ops;
	struct ms_mmu_notifier mn = { .ops = &ops };
	struct world w = world();

	ms_mmu_notifier_register(NULL, &mn);
	ms_mmu_notifier_register(w.mm, NULL);
	ms_mmu_notifier_unregister(NULL, &mn);
	ms_mmu_notifier_unregister(w.mm, NULL);
	world_end(&w);
}

static void null_is_harmless_as_a_vma_for_pfns(void **state)
{
	struct ms_vm_fault vmf = { .address = VA };
	struct ms_pfnmap_leaf leaf;
	ms_pfn_t pfn;

	assert_int_equal(ms_remap_pfn_range(NULL, VA, 1, MS_4K, 0), -EINVAL);
	assert_int_equal(ms_vm_iomap_memory(NULL, BAR, MS_4K), -EINVAL);
	assert_int_equal(ms_vmf_insert_pfn(NULL, VA, 1), MS_VM_FAULT_SIGBUS);
	assert_int_equal(ms_vmf_insert_pfn_prot(NULL, VA, 1, 0), MS_VM_FAULT_SIGBUS);
	assert_int_equal(ms_vmf_insert_mixed(NULL, VA, 1), MS_VM_FAULT_SIGBUS);
	assert_int_equal(ms_vmf_insert_pfn_pmd(NULL, 1, false), MS_VM_FAULT_SIGBUS);
	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, 1, false), MS_VM_FAULT_SIGBUS);
	assert_int_equal(ms_vmf_insert_pfn_pud(NULL, 1, false), MS_VM_FAULT_SIGBUS);
	assert_int_equal(ms_vmf_insert_pfn_pud(&vmf, 1, false), MS_VM_FAULT_SIGBUS);
	assert_int_equal(ms_vm_insert_page(NULL, VA, 1), -EINVAL);
	ms_zap_vma_ptes(NULL, VA, MS_4K);
	ms_unmap_mapping_range(NULL, 0, 0, true);
	assert_int_equal(ms_follow_pfnmap(NULL, VA, &leaf), -EINVAL);
	assert_false(ms_vm_normal_page(NULL, VA, 0, &pfn));
}

static void null_is_harmless_as_a_device(void **state)
{
	assert_null(ms_pci_resource(NULL));
	assert_null(ms_pci_resource_wc(NULL));
	assert_null(ms_pci_resource_open(NULL, false, MS_FMODE_READ));
	assert_null(ms_devmem_open(NULL, true));
	assert_null(ms_vfio_open(NULL));
	assert_null(ms_vfio_open_region(NULL, 0));
	assert_int_equal(ms_vfio_add_bar(NULL, 0, NULL), -EINVAL);
	assert_int_equal(ms_vfio_offset(NULL), 0);
	assert_int_equal(ms_vfio_set_memory(NULL, false), -ENODEV);
	assert_int_equal(ms_vfio_set_prepopulate(NULL, true), -ENODEV);
	assert_null(ms_pieces_open(NULL, MS_PIECES_LAZY, MS_CACHE_WC, NULL, 0));
	assert_null(ms_pieces_open_physical(NULL));
	assert_int_equal(ms_pieces_plan(NULL, MS_PIECES_LAZY, MS_CACHE_WC, NULL, 0), -EINVAL);
	assert_int_equal(ms_pieces_one_lazy(NULL), -EINVAL);
	ms_pieces_revoke(NULL, 0, MS_4K);
	assert_null(ms_lazy_open(NULL, 0, MS_CACHE_WC, 0));
	assert_int_equal(ms_iomem_claim(NULL, BAR, MS_4K), -EINVAL);
	assert_int_equal(ms_iomem_release(NULL, BAR, MS_4K), -EINVAL);
	assert_false(ms_iomem_is_exclusive(NULL, BAR));
	ms_iomem_set_strict(NULL, MS_IOMEM_OPEN);
}

static void assert_refused(struct ms_guest_access access)
{
	assert_int_equal(access.exit, MS_GUEST_ERROR);
	assert_int_equal(access.err, -EINVAL);
	assert_int_equal(access.leaf.size, 0);
}

static void null_is_harmless_as_a_vm(void **state)
{
	struct world w = world();
	uint64_t bitmap, npages, left = 0;

	assert_null(ms_vm_new(NULL, 0));
	assert_int_equal(errno, EINVAL);
	assert_null(ms_vm_new_config(NULL, NULL));
	ms_vm_free(NULL);
	assert_int_equal(ms_vm_id(NULL), 0);
	assert_int_equal(ms_vm_set_slot(NULL, 0, 0, MS_2M, VA, 0), -EINVAL);
	assert_int_equal(ms_vm_get_dirty(NULL, 0, &bitmap, 1, &npages), -EINVAL);
	assert_int_equal(ms_vm_slot_pages(NULL, 0), 0);
	assert_int_equal(ms_vm_clear_dirty(NULL, 0, 0, 64), -EINVAL);
	assert_refused(ms_guest_touch(NULL, 0, MS_PROT_R));
	assert_refused(ms_guest_read(NULL, 0));
	assert_refused(ms_guest_write(NULL, 0));
	assert_refused(ms_guest_exec(NULL, 0));
	assert_null(ms_vm_s2(NULL));
	assert_null(ms_vm_tdp(NULL));
	assert_int_equal(ms_vm_prefault(NULL, 0, MS_2M, &left), -EINVAL);
	assert_int_equal(left, MS_2M);
	ms_kvm_set_nx_huge_pages(NULL, MS_NX_HUGE_PAGES_FORCE);
	ms_kvm_set_eager_page_split(NULL, false);
	ms_kvm_recover_nx_huge_pages(NULL);
	assert_false(ms_mm_clear_young(NULL, VA, VA + MS_4K));
	assert_false(ms_mm_test_young(NULL, VA));
	world_end(&w);
}

static void null_is_harmless_as_a_stage_2_table(void **state)
{
	const struct ms_s2_config config = { .page_shift = 12, .ipa_bits = 40 };
	const struct ms_s2_host host = { .ctx = NULL };
	struct ms_s2_cache cache = { 0 };
	struct ms_s2_leaf leaf = { .size = MS_4K };

	assert_null(ms_s2_new(NULL, &host));
	assert_int_equal(errno, EINVAL);
	assert_null(ms_s2_new(&config, NULL));
	assert_null(ms_s2_new(&config, &host));
	ms_s2_free(NULL);
	assert_int_equal(ms_s2_map(NULL, 0, MS_4K, 0, MS_PROT_R, &cache), -EINVAL);
	assert_int_equal(ms_s2_unmap(NULL, 0, MS_4K), -EINVAL);
	assert_int_equal(ms_s2_wrprotect(NULL, 0, MS_4K), -EINVAL);
	assert_int_equal(ms_s2_relax(NULL, 0, MS_PROT_R), -EINVAL);
	assert_int_equal(ms_s2_mkyoung(NULL, 0), -EINVAL);
	assert_false(ms_s2_test_clear_young(NULL, 0, MS_4K, true));
	assert_int_equal(ms_s2_split(NULL, 0, MS_2M, &cache), -EINVAL);
	assert_int_equal(ms_s2_flush(NULL, 0, MS_4K), -EINVAL);
	ms_s2_flush_vmid(NULL);
	assert_false(ms_s2_get_leaf(NULL, 0, &leaf));
	assert_int_equal(leaf.size, 0);
	leaf.size = MS_4K;
	assert_false(ms_s2_next_leaf(NULL, 0, MS_1G, &leaf));
	assert_int_equal(leaf.size, 0);
	assert_int_equal(ms_s2_walk_level(NULL, 0), 0);
	assert_int_equal(ms_s2_start_level(NULL), 0);
	assert_int_equal(ms_s2_root_pages(NULL), 0);
	assert_int_equal(ms_s2_level_size(NULL, 3), 0);
	assert_int_equal(ms_s2_table_pages(NULL), 0);
	assert_non_null(ms_s2_check(NULL));
}

static bool always_allowed(void *ctx, ms_ipa_t ipa, unsigned int level)
{
	return true;
}

static void null_is_harmless_as_a_second_level_table(void **state)
{
	const struct ms_tdp_config config = { .levels = 4, .pa_bits = 40, .ad_bits = true };
	const struct ms_tdp_host host = { .ctx = NULL };
	struct ms_tdp *tdp = NULL;

	assert_int_equal(ms_tdp_new(NULL, &config, &host), -EINVAL);
	assert_int_equal(ms_tdp_new(&tdp, NULL, &host), -EINVAL);
	assert_int_equal(ms_tdp_new(&tdp, &config, NULL), -EINVAL);
	assert_int_equal(ms_tdp_new(&tdp, &config, &host), -EINVAL);
	ms_tdp_free(NULL);
	ms_tdp_set_nx_huge_pages(NULL, true);
	assert_int_equal(ms_tdp_map(NULL, 0, MS_TDP_4K, 0, MS_PROT_R), -EINVAL);
	assert_int_equal(ms_tdp_set(NULL, 0, MS_PROT_R), -EINVAL);
	assert_int_equal(ms_tdp_mark_mmio(NULL, 0, 0), -EINVAL);
	assert_int_equal(ms_tdp_zap(NULL, 0, MS_4K), 0);
	assert_false(ms_tdp_zap_table(NULL, 0, MS_TDP_2M));
	assert_false(ms_tdp_tag_table(NULL, 0, MS_TDP_2M, true));
	assert_false(ms_tdp_table_is_tagged(NULL, 0, MS_TDP_2M));
	ms_tdp_zap_all(NULL);
	assert_false(ms_tdp_wrprotect(NULL, 0, MS_4K, MS_TDP_4K, MS_TDP_PROTECT_WRITE));
	assert_false(ms_tdp_wrprotect_word(NULL, 0, 1, MS_TDP_PROTECT_WRITE));
	assert_false(ms_tdp_clear_young(NULL, 0, MS_4K));
	assert_false(ms_tdp_test_young(NULL, 0));
	assert_int_equal(ms_tdp_split(NULL, 0, MS_4K, MS_TDP_4K), -EINVAL);
	assert_int_equal(ms_tdp_recover(NULL, 0, MS_4K, always_allowed, NULL), 0);
}

static void null_is_harmless_as_a_second_level_table_to_look_at(void **state)
{
	struct ms_tdp_leaf leaf = { .size = MS_4K };
	struct ms_tdp_mark mark = { .entry = 1 };
	struct ms_tdp_piece piece;
	unsigned int level = 1;

	assert_false(ms_tdp_get_leaf(NULL, 0, &leaf));
	assert_int_equal(leaf.size, 0);
	leaf.size = MS_4K;
	assert_false(ms_tdp_next_leaf(NULL, 0, MS_1G, &leaf));
	assert_int_equal(leaf.size, 0);
	leaf.size = MS_4K;
	ms_tdp_describe(NULL, 1, MS_TDP_4K, &leaf);
	assert_int_equal(leaf.size, 0);
	assert_false(ms_tdp_next_mmio(NULL, 0, MS_1G, &mark));
	assert_int_equal(mark.entry, 0);
	assert_int_equal(ms_tdp_walk(NULL, 0, &level), 0);
	assert_int_equal(level, 0);
	assert_int_equal(ms_tdp_limit(NULL), 0);
	assert_int_equal(ms_tdp_tables(NULL), 0);
	assert_non_null(ms_tdp_check(NULL));
	assert_int_equal(ms_tdp_run_piece(NULL, 0, &piece), 0);
}

static void null_is_harmless_as_a_cache_of_tables(void **state)
{
	const struct ms_s2_run run = { .count = 1 };
	struct ms_s2_cache cache = { 0 };

	assert_int_equal(ms_s2_cache_topup(NULL, &cache, 1), -EINVAL);
	assert_int_equal(ms_s2_cache_fill(NULL, &cache, 1, 1), -EINVAL);
	assert_int_equal(ms_s2_cache_topup(NULL, NULL, 1), -EINVAL);
	ms_s2_cache_free(NULL, &cache);
	ms_s2_cache_free(NULL, NULL);
	assert_int_equal(ms_s2_cache_min(NULL), 0);
	assert_int_equal(ms_s2_split_tables(NULL, MS_2M), 0);
	assert_int_equal(ms_s2_run_count(NULL).desc, 0);
	assert_int_equal(ms_s2_run_count(&run).desc, 0);
	ms_s2_run_tell(NULL);
	ms_s2_run_tell(&run);
}

static void null_is_harmless_to_enumerate(void **state)
{
	struct world w = world();
	struct ms_host_run host;
	struct ms_guest_run guest;
	struct ms_slot slot;
	struct ms_claimed claim;

	assert_null(ms_device_next(NULL, NULL));
	assert_null(ms_device_at(NULL, BAR));
	assert_false(ms_device_memory(NULL));
	assert_null(ms_file_next(NULL, NULL));
	assert_null(ms_file_name(NULL));
	assert_null(ms_vfio_bar(NULL));
	assert_false(ms_iomem_is_file(NULL));
	assert_false(ms_iomem_next_claim(NULL, 0, &claim));
	assert_false(ms_host_next_run(NULL, 0, UINT64_MAX, &host));
	assert_null(ms_vm_next(NULL, NULL));
	assert_null(ms_vm_next(w.m, NULL));
	assert_null(ms_vm_mm(NULL));
	assert_false(ms_vm_next_slot(NULL, 0, &slot));
	assert_false(ms_vm_get_slot(NULL, 0, &slot));
	assert_false(ms_guest_next_run(NULL, 0, UINT64_MAX, &guest));
	world_end(&w);
}

static void no_hazard(const struct ms_hazard *hazard, void *arg)
{
	fail();
}

static void null_has_no_hazard(void **state)
{
	struct world w = world();
	struct ms_vm *vm = ms_vm_new(w.mm, 0);
	struct ms_guest_access access = { .exit = MS_GUEST_RETRY };
	struct ms_hazard hazard = { .kind = MS_HAZARD_ENDLESS };

	assert_int_equal(ms_hazards(NULL, no_hazard, NULL), 0);
	assert_int_equal(ms_hazards(w.m, NULL, NULL), 0);
	assert_int_equal(ms_hazards_of_events(NULL, no_hazard, NULL), 0);
	assert_int_equal(ms_hazards_of_guest(NULL, 0, MS_PROT_R, &access, no_hazard, NULL), 0);
	assert_int_equal(ms_hazards_of_guest(vm, 0, MS_PROT_R, NULL, no_hazard, NULL), 0);
	assert_int_equal(ms_hazards_of_guest(vm, 0, MS_PROT_R, &access, NULL, NULL), 1);
	assert_int_equal(ms_hazards_at_end(NULL, no_hazard, NULL), 0);
	assert_int_equal(ms_mapped_types(NULL, NULL, 0), 0);
	assert_int_equal(ms_hazards_of_types(NULL, NULL, 1, no_hazard, NULL), 0);
	assert_int_equal(ms_hazards_of_types(w.m, NULL, 1, no_hazard, NULL), 0);
	assert_false(ms_hazard_equal(&hazard, NULL));
	assert_false(ms_hazard_equal(NULL, &hazard));
	ms_hazard_print(NULL, &hazard, stderr);
	ms_hazard_print(w.m, NULL, stderr);
	ms_hazard_print(w.m, &hazard, NULL);
	ms_vm_free(vm);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_release_is_never_followed_by_a_crash),
		cmocka_unit_test(null_is_harmless_as_a_policy),
		cmocka_unit_test(null_is_harmless_as_a_machine),
		cmocka_unit_test(null_is_harmless_as_a_state),
		cmocka_unit_test(null_is_harmless_as_a_machine_to_trace),
		cmocka_unit_test(null_is_harmless_to_the_memory_map),
		cmocka_unit_test(null_is_harmless_to_memtypes),
		cmocka_unit_test(null_is_harmless_as_a_vma_to_track),
		cmocka_unit_test(null_is_harmless_as_a_process),
		cmocka_unit_test(null_is_harmless_as_a_file),
		cmocka_unit_test(null_is_harmless_as_a_process_to_look_at),
		cmocka_unit_test(null_is_harmless_as_a_process_to_notify),
		cmocka_unit_test(null_is_harmless_as_a_vma_for_pfns),
		cmocka_unit_test(null_is_harmless_as_a_device),
		cmocka_unit_test(null_is_harmless_as_a_vm),
		cmocka_unit_test(null_is_harmless_as_a_stage_2_table),
		cmocka_unit_test(null_is_harmless_as_a_second_level_table),
		cmocka_unit_test(null_is_harmless_as_a_second_level_table_to_look_at),
		cmocka_unit_test(null_is_harmless_as_a_cache_of_tables),
		cmocka_unit_test(null_is_harmless_to_enumerate),
		cmocka_unit_test(null_has_no_hazard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
