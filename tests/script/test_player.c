/* SPDX-License-Identifier: GPL-2.0-only */
/* What operations answer beyond the kernel's own answers: conventions of the recorder. */
#include "world.h"

#include "../kernels.h"

static void what_needs_a_vm_answers_enodev(void **state)
{
	assert_plays_as(ARM64 "> vm create ipa=31\n"
			      "< ret EINVAL\n"
			      "> slot id=1 gpa=0x80000000 size=0x1000 hva=0x200000000000\n"
			      "< ret ENODEV\n"
			      "> guest access=r gpa=0x80000000\n"
			      "< ret ENODEV\n"
			      "> dirty id=1 get\n"
			      "< ret ENODEV\n"
			      "> show s2 gpa=0x0 len=0x1000\n"
			      "< ret 0\n"
			      "> vm destroy\n"
			      "< ret 0\n");
}

static void a_second_vm_and_a_second_child_are_refused(void **state)
{
	assert_plays_as(ARM64 "> vm create\n"
			      "< ret 0\n"
			      "> vm create\n"
			      "< ret EEXIST\n"
			      "> fork\n"
			      "< ret 0\n"
			      "> fork\n"
			      "< ret EEXIST\n");
}

static void what_needs_a_process_that_is_gone_answers_esrch(void **state)
{
	assert_plays_as(ARM64 "> child munmap at=0x200000000000 len=0x1000\n"
			      "< ret ESRCH\n"
			      "> exit\n"
			      "< ret 0\n"
			      "> munmap at=0x200000000000 len=0x1000\n"
			      "< ret ESRCH\n"
			      "> fork\n"
			      "< ret ESRCH\n"
			      "> vm create\n"
			      "< ret ESRCH\n"
			      "> show memtypes\n"
			      "< ret 0\n");
}

/*
 *   slot 400:       |code|
 *   asked for:  |--------|
 */
static void the_guests_own_code_keeps_its_slot(void **state)
{
	assert_plays_as(ARM64
			"> vm create\n"
			"< ret 0\n"
			"> mmap anon off=0 at=0x200000000000 len=0x2000 prot=rw flags=private\n"
			"< ret 0\n"
			"> slot id=1 gpa=0xffffdff000 size=0x2000 hva=0x200000000000\n"
			"< ret EEXIST\n"
			"> slot id=1 gpa=0xffffdff000 size=0x1000 hva=0x200000000000\n"
			"< ret 0\n"
			"> guest access=w gpa=0xffffdff000\n"
			"< ret 0\n"
			"< s2.map ipa=0xffffdff000 size=0x1000 pa=ram prot=rw\n"
			"> show s2 gpa=0x0 len=0x10000000000\n"
			"< ret 0\n"
			"< s2 0xffffdff000 0x1000 pa=ram prot=rw size=0x1000\n");
}

static void zaps_outside_of_the_scripts_addresses_are_not_printed(void **state)
{
	assert_plays_as(ARM64
			"> mmap anon off=0 at=0x10000 len=0x1000 prot=rw flags=private\n"
			"< ret 0\n"
			"> munmap at=0x10000 len=0x1000\n"
			"< ret 0\n"
			"> mmap anon off=0 at=0x100000000000 len=0x1000 prot=rw flags=private\n"
			"< ret 0\n"
			"> munmap at=0x100000000000 len=0x1000\n"
			"< ret 0\n"
			"< zap va=0x100000000000 size=0x1000\n");
}

static void mappings_replace_others_only_where_they_say_fixed(void **state)
{
	assert_plays_as(
		ARM64 "> mmap bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
		      "< ret 0\n"
		      "> mmap anon off=0 at=0x200000000000 len=0x1000 prot=r flags=private\n"
		      "< ret EEXIST\n"
		      "> mmap anon off=0 at=0x200000000000 len=0x1000 prot=r flags=private,fixed\n"
		      "< ret 0\n"
		      "< zap va=0x200000000000 size=0x1000\n");
}

/* mremap to the same size looked for no VMA up to 5.15, so the kernel's half is as good as any. */
static void an_address_in_the_kernels_half_is_no_error(void **state)
{
	assert_plays_as("mapsim-recording 1\n"
			"kernel 5.10.223 arm64\n"
			"config page_size=4096 va_bits=48 thp=never cpu=test\n"
			"> mremap at=0xffffffffffff0000 len=0x1000 newlen=0x1000\n"
			"< ret 0\n");
}

/* The recorder's machine has 16 pages of 2M, and its files of them 24M each. */
static void pools_are_the_recorders_where_the_header_says_nothing(void **state)
{
	assert_plays_as(
		ARM64
		"> mmap hugetlb2m off=0 at=0x200000000000 len=0x1800000 prot=rw flags=private\n"
		"< ret 0\n"
		"> mmap hugetlb2m off=0 at=0x210000000000 len=0xa00000 prot=rw flags=private\n"
		"< ret ENOMEM\n"
		"> mmap hugetlb2m off=0 at=0x210000000000 len=0x800000 prot=rw flags=private\n"
		"< ret 0\n"
		"> mmap hugetlb64k off=0 at=0x220000000000 len=0x100000 prot=rw flags=private\n"
		"< ret 0\n"
		"> mmap hugetlb64k off=0 at=0x220000100000 len=0x10000 prot=rw flags=shared\n"
		"< ret ENOMEM\n");
}

static void the_header_says_how_many_huge_pages_there_are(void **state)
{
	assert_plays_as(
		"mapsim-recording 1\n"
		"kernel 6.12.107 arm64\n"
		"config page_size=4096 va_bits=48 hugetlb2m=1 hugetlb64k=0\n"
		"ram pa=0x40000000 size=0x10000000\n"
		"> mmap hugetlb2m off=0 at=0x200000000000 len=0x400000 prot=rw flags=shared\n"
		"< ret ENOMEM\n"
		"> mmap hugetlb2m off=0 at=0x200000000000 len=0x200000 prot=rw flags=shared\n"
		"< ret 0\n"
		"> mmap hugetlb64k off=0 at=0x210000000000 len=0x10000 prot=rw flags=shared\n"
		"< ret ENOMEM\n"
		"> mmap hugetlb32m off=0 at=0x220000000000 len=0x4000000 prot=rw flags=shared\n"
		"< ret 0\n");
}

static void a_write_combining_file_that_is_not_there_is_enoent(void **state)
{
	assert_plays_as(ARM64
			"> mmap odd_wc off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			"< ret ENOENT\n");
}

static void tables_of_the_other_process_are_marked(void **state)
{
	assert_plays_as(ARM64 "> mmap bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			      "< ret 0\n"
			      "> fork\n"
			      "< ret 0\n"
			      "> revoke bar\n"
			      "< ret 0\n"
			      "< zap va=0x200000000000 size=0x1000\n"
			      "< zap va=0x200000000000 size=0x1000 mm=child\n"
			      "> child munmap at=0x200000000000 len=0x1000\n"
			      "< ret 0\n"
			      "< zap va=0x200000000000 size=0x1000\n");
}

/* The private mapping's first page is a copy: the fork finds no address to track. */
static void what_a_failed_fork_cleans_up_is_the_childs(void **state)
{
	assert_plays_as(X86(
		"6.12.107") "> mmap anon off=0 at=0x200000000000 len=0x1000 prot=rw flags=private\n"
			    "< ret 0\n"
			    "> mmap bar off=0 at=0x200000002000 len=0x1000 prot=rw flags=private\n"
			    "< ret 0\n"
			    "< pat.reserve start=0x100000000 end=0x100001000 type=UC-\n"
			    "> touch at=0x200000002000 access=w\n"
			    "< ret 0\n"
			    "> fork\n"
			    "< ret ENOMEM\n"
			    "< pat.clear va=0x200000002000 mm=child\n"
			    "< zap va=0x200000000000 size=0x1000 mm=child\n"
			    "< pat.untrack va=0x200000002000 pfn=0 size=0 mm=child\n"
			    "< zap va=0x200000002000 size=0x1000 mm=child\n"
			    "> munmap at=0x200000000000 len=0x3000\n"
			    "< ret 0\n"
			    "< zap va=0x200000000000 size=0x1000\n"
			    "< pat.untrack va=0x200000002000 pfn=0 size=0\n"
			    "< pat.free start=0x100000000 end=0x100001000\n"
			    "< zap va=0x200000002000 size=0x1000\n");
}

/* The notifiers of a VM that was given up go on, until the child that has its files, too, ends. */
static void a_vm_lives_as_long_as_a_child_that_has_its_files(void **state)
{
	assert_plays_as(ARM64
			"> mmap anon off=0 at=0x200000000000 len=0x2000 prot=rw flags=private\n"
			"< ret 0\n"
			"> vm create\n"
			"< ret 0\n"
			"> slot id=1 gpa=0x80000000 size=0x2000 hva=0x200000000000\n"
			"< ret 0\n"
			"> fork\n"
			"< ret 0\n"
			"> vm destroy\n"
			"< ret 0\n"
			"> guest access=r gpa=0x80000000\n"
			"< ret ENODEV\n"
			"> munmap at=0x200000000000 len=0x1000\n"
			"< ret 0\n"
			"< s2.unmap ipa=0x80000000 size=0x1000\n"
			"< zap va=0x200000000000 size=0x1000\n"
			"> vm create\n"
			"< ret 0\n"
			"> child exit\n"
			"< ret 0\n"
			"< zap va=0x200000000000 size=0x2000\n"
			"> munmap at=0x200000001000 len=0x1000\n"
			"< ret 0\n"
			"< zap va=0x200000001000 size=0x1000\n");
}

static void a_vm_that_is_younger_than_the_child_goes_at_once(void **state)
{
	assert_plays_as(ARM64
			"> mmap anon off=0 at=0x200000000000 len=0x1000 prot=rw flags=private\n"
			"< ret 0\n"
			"> fork\n"
			"< ret 0\n"
			"> vm create\n"
			"< ret 0\n"
			"> slot id=1 gpa=0x80000000 size=0x1000 hva=0x200000000000\n"
			"< ret 0\n"
			"> vm destroy\n"
			"< ret 0\n"
			"> munmap at=0x200000000000 len=0x1000\n"
			"< ret 0\n"
			"< zap va=0x200000000000 size=0x1000\n");
}

static void anonymous_memory_has_no_offset_in_show_vmas(void **state)
{
	assert_plays_as(ARM64
			"> mmap anon off=0 at=0x200000000000 len=0x1000 prot=rw flags=private\n"
			"< ret 0\n"
			"> show vmas at=0x0 len=0xffffffffffffffff\n"
			"< ret 0\n"
			"< vma 0x200000000000 0x200000001000 rw-p 0x0 rd,wr,mr,mw,me,ac\n");
}

/*
 *   bar     |0    1    2    3|
 *   VMA     |0    2 |       3|      pieces at VMA offsets 0, 0x1000 (shifted) and 0x3000
 */
static void runs_of_entries_end_where_the_physical_address_jumps(void **state)
{
	assert_plays_as(
		ARM64 "> mmap driver:bar off=0 at=0x200000000000 len=0x4000 prot=rw flags=shared "
		      "pieces=0+0x1000,0x1000+0x1000:0x1000,0x3000+0x1000 type=nGnRE\n"
		      "< ret 0\n"
		      "> show ptes at=0x200000000000 len=0x4000\n"
		      "< ret 0\n"
		      "< pte 0x200000000000 0x1000 pa=0x8000000000 type=nGnRE prot=rw size=0x1000\n"
		      "< pte 0x200000001000 0x1000 pa=0x8000002000 type=nGnRE prot=rw size=0x1000\n"
		      "< pte 0x200000003000 0x1000 pa=0x8000003000 type=nGnRE prot=rw size=0x1000\n"
		      "> show present at=0x200000000000 len=0x4000\n"
		      "< ret 0\n"
		      "< present 0x200000000000 0x2000\n"
		      "< present 0x200000003000 0x1000\n");
}

static void what_may_be_executed_is_shown_of_cacheable_memory_on_arm64(void **state)
{
	assert_plays_as(
		ARM64 "> mmap driver:bar off=0 at=0x200000000000 len=0x1000 prot=rwx flags=shared "
		      "pieces=0+0x1000 type=WB\n"
		      "< ret 0\n"
		      "> mmap driver:bar off=0 at=0x200000001000 len=0x1000 prot=rwx flags=shared "
		      "pieces=0+0x1000 type=NC\n"
		      "< ret 0\n"
		      "> show ptes at=0x200000000000 len=0x2000\n"
		      "< ret 0\n"
		      "< pte 0x200000000000 0x1000 pa=0x8000000000 type=WB prot=rwx size=0x1000\n"
		      "< pte 0x200000001000 0x1000 pa=0x8000000000 type=NC prot=rw size=0x1000\n");
}

/* A page that one process made is found by fault-around of the other's mapping of the same file. */
static void a_memory_file_that_a_child_maps_first_is_its_own(void **state)
{
	assert_plays_as(
		ARM64 "> fork\n"
		      "< ret 0\n"
		      "> child mmap memfd off=0 at=0x200000000000 len=0x2000 prot=rw flags=shared\n"
		      "< ret 0\n"
		      "> child touch at=0x200000001000 access=w\n"
		      "< ret 0\n"
		      "> mmap memfd off=0 at=0x200000000000 len=0x2000 prot=rw flags=shared\n"
		      "< ret 0\n"
		      "> touch at=0x200000000000 access=r\n"
		      "< ret 0\n"
		      "> show present at=0x200000000000 len=0x2000\n"
		      "< ret 0\n"
		      "< present 0x200000000000 0x1000\n"
		      "> child exit\n"
		      "< ret 0\n"
		      "< zap va=0x200000000000 size=0x2000\n"
		      "> fork\n"
		      "< ret 0\n"
		      "> child mmap memfd off=0 at=0x200000100000 len=0x2000 prot=r flags=shared\n"
		      "< ret 0\n"
		      "> child touch at=0x200000101000 access=r\n"
		      "< ret 0\n"
		      "> child show present at=0x200000100000 len=0x2000\n"
		      "< ret 0\n"
		      "< present 0x200000100000 0x2000\n");
}

static void other_bars_of_a_device_are_freed_with_it(void **state)
{
	assert_plays_as("mapsim-recording 1\n"
			"kernel 7.2.13 x86_64\n"
			"config page_size=4096 pa_bits=40\n"
			"device bar pa=0x100000000 size=0x10000 mtrr=WB prefetchable=1\n"
			"bar bar index=0 pa=0xfe000000 size=0x100\n"
			"bar bar index=4 pa=0xfe001000 size=0x1000\n"
			"> mmap vfio:bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			"< ret 0\n"
			"> exit\n"
			"< ret 0\n"
			"< zap va=0x200000000000 size=0x1000\n"
			"< pat.free start=0xfe000000 end=0xfe001000\n"
			"< pat.free start=0x100000000 end=0x100010000\n"
			"< pat.free start=0xfe001000 end=0xfe002000\n");
}

static void mtrr_lines_say_where_cacheable_memory_may_be_mapped(void **state)
{
	assert_plays_as(
		X86("6.12.117") "mtrr pa=0x80000000 size=0x1000 type=UC\n"
				"> mmap devmem_nosync off=0x80000000 at=0x200000000000 len=0x1000 "
				"prot=r flags=shared\n"
				"< ret 0\n"
				"< pat.reserve start=0x80000000 end=0x80001000 type=WB\n"
				"> mmap devmem_nosync off=0xc0000000 at=0x200000001000 len=0x1000 "
				"prot=r flags=shared\n"
				"< ret 0\n"
				"< pat.reserve start=0xc0000000 end=0xc0001000 type=WB\n"
				"> show ptes at=0x200000000000 len=0x2000\n"
				"< ret 0\n"
				"< pte 0x200000000000 0x1000 pa=0x80000000 type=UC- prot=r "
				"size=0x1000\n"
				"< pte 0x200000001000 0x1000 pa=0xc0000000 type=WB prot=r "
				"size=0x1000\n");
}

/* RAM ends within the page at 0x9f000, and begins after the first one. */
static void pages_that_are_partly_ram_and_the_first_of_x86_are_shown_as_ram(void **state)
{
	assert_plays_as(X86("6.12.117") "ram pa=0x1000 size=0x9ec00\n"
					"> mmap devmem off=0x0 at=0x200000000000 len=0x1000 "
					"prot=r flags=shared\n"
					"< ret 0\n"
					"< pat.reserve start=0x0 end=0x1000 type=UC-\n"
					"> mmap devmem off=0x9f000 at=0x200000002000 len=0x2000 "
					"prot=r flags=shared\n"
					"< ret 0\n"
					"< pat.reserve start=0x9f000 end=0xa1000 type=UC-\n"
					"> show ptes at=0x200000000000 len=0x4000\n"
					"< ret 0\n"
					"< pte 0x200000000000 0x1000 pa=ram type=UC- prot=r "
					"size=0x1000\n"
					"< pte 0x200000002000 0x1000 pa=ram type=UC- prot=r "
					"size=0x1000\n"
					"< pte 0x200000003000 0x1000 pa=0xa0000 type=UC- prot=r "
					"size=0x1000\n");
}

static void the_first_page_is_no_ram_where_x86_has_guests(void **state)
{
	assert_plays_as("mapsim-recording 1\nkernel 6.12.117 x86_64\n"
			"config page_size=4096 pat=on cpu=max,+svm\n"
			"ram pa=0x1000 size=0x9ec00\n"
			"> mmap devmem off=0x0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			"< ret 0\n"
			"< pat.reserve start=0x0 end=0x1000 type=UC-\n"
			"> show ptes at=0x200000000000 len=0x1000\n"
			"< ret 0\n"
			"< pte 0x200000000000 0x1000 pa=0x0 type=UC- prot=r size=0x1000\n");
}

static void the_local_apic_is_not_for_devmem_up_to_6_5(void **state)
{
	assert_plays_as(X86("6.1.192") "> mmap devmem off=0xfee00000 at=0x200000000000 len=0x1000 "
				       "prot=r flags=shared\n"
				       "< ret EPERM\n"
				       "< zap va=0x200000000000 size=0x1000\n");
	assert_plays_as(X86("6.6.9") "> mmap devmem off=0xfee00000 at=0x200000000000 len=0x1000 "
				     "prot=r flags=shared\n"
				     "< ret 0\n"
				     "< pat.reserve start=0xfee00000 end=0xfee01000 type=UC-\n");
}

/* A mapping of 2M that is lazy=huge is read once: how much is present then? */
static void assert_lazy_huge_leaf(const struct ms_policy *kernel, unsigned int size)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "mapsim-recording 1\n"
		 "kernel %s arm64\n"
		 "config page_size=4096 va_bits=48 ipa_bits=40 thp=always\n"
		 "device bar pa=0x8000000000 size=0x200000 prefetchable=1\n"
		 "> mmap driver:bar off=0 at=0x200000000000 len=0x200000 prot=rw "
		 "flags=shared pieces=0+0x200000 type=nGnRE lazy=huge\n"
		 "< ret 0\n"
		 "> touch at=0x200000000000 access=r\n"
		 "< ret 0\n"
		 "> show present at=0x200000000000 len=0x200000\n"
		 "< ret 0\n"
		 "< present 0x200000000000 0x%x\n",
		 kernel->release, size);
	assert_plays_as(text);
}

static void the_arm64_recorders_driver_inserts_a_huge_leaf_where_it_was_built_to(void **state)
{
	assert_lazy_huge_leaf(kernel_where(MS_ARCH_ARM64, "recorder_lazy_huge", "PAGES"), 0x1000);
	assert_lazy_huge_leaf(kernel_where(MS_ARCH_ARM64, "recorder_lazy_huge", "LEAVES"),
			      0x200000);
}

/* The second lazy mapping begins behind the first, whose pieces are forgotten. */
static void the_arm64_recorders_driver_remembers_one_lazy_mapping(void **state)
{
	assert_plays_as(ARM64
			"> mmap driver:bar off=0 at=0x200000000000 len=0x4000 prot=rw flags=shared "
			"pieces=0+0x4000 type=nGnRE lazy\n"
			"< ret 0\n"
			"> touch at=0x200000000000 access=r\n"
			"< ret 0\n"
			"> mmap driver:odd off=0 at=0x200000400000 len=0x1000 prot=rw flags=shared "
			"pieces=0+0x1000 type=nGnRE lazy\n"
			"< ret 0\n"
			"> touch at=0x200000001000 access=r\n"
			"< ret SIGBUS\n"
			"> touch at=0x200000400000 access=r\n"
			"< ret 0\n");
}

static void runs_are_cut_to_the_range_that_was_asked_for(void **state)
{
	assert_plays_as(ARM64 "> mmap bar off=0 at=0x200000000000 len=0x4000 prot=r flags=shared\n"
			      "< ret 0\n"
			      "> show present at=0x200000001000 len=0x2000\n"
			      "< ret 0\n"
			      "< present 0x200000001000 0x2000\n");
}

static void dirty_pages_are_printed_as_runs_before_the_events(void **state)
{
	assert_plays_as(ARM64
			"> vm create\n"
			"< ret 0\n"
			"> mmap anon off=0 at=0x200000000000 len=0x100000 prot=rw flags=private\n"
			"< ret 0\n"
			"> slot id=1 gpa=0x80000000 size=0x100000 hva=0x200000000000 flags=log\n"
			"< ret 0\n"
			"< s2.wrprotect ipa=0x80000000 size=0x100000\n"
			"> guest access=w gpa=0x8003f000\n"
			"< ret 0\n"
			"< s2.map ipa=0x8003f000 size=0x1000 pa=ram prot=rw\n"
			"> guest access=w gpa=0x80040000\n"
			"< ret 0\n"
			"< s2.map ipa=0x80040000 size=0x1000 pa=ram prot=rw\n"
			"> dirty id=1 get\n"
			"< ret 0\n"
			"< dirty first=0x3f pages=0x2\n"
			"< s2.wrprotect ipa=0x8003f000 size=0x1000\n"
			"< s2.wrprotect ipa=0x80040000 size=0x1000\n");
}

static void ioremap_slots_are_eight_and_hold_one_each(void **state)
{
	assert_plays_as(X86("6.12.107") "> ioremap bar id=0 off=0x0 len=0x1000 type=UC-\n"
					"< ret 0\n"
					"< pat.reserve start=0x100000000 end=0x100001000 type=UC-\n"
					"> ioremap bar id=0 type=UC-\n"
					"< ret EINVAL\n"
					"> ioremap bar id=8 type=UC-\n"
					"< ret EINVAL\n"
					"> iounmap bar id=1\n"
					"< ret EINVAL\n"
					"> iounmap bar id=0\n"
					"< ret 0\n"
					"< pat.free start=0x100000000 end=0x100001000\n");
}

static void files_close_with_the_last_process(void **state)
{
	assert_plays_as(X86(
		"6.12.107") "> mmap vfio:bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			    "< ret 0\n"
			    "< pat.reserve start=0x100000000 end=0x100010000 type=UC-\n"
			    "> fork\n"
			    "< ret 0\n"
			    "< pat.clear va=0x200000000000 mm=child\n"
			    "> exit\n"
			    "< ret 0\n"
			    "< pat.untrack va=0x200000000000 pfn=0 size=0\n"
			    "< zap va=0x200000000000 size=0x1000\n"
			    "> child exit\n"
			    "< ret 0\n"
			    "< pat.untrack va=0x200000000000 pfn=0 size=0\n"
			    "< zap va=0x200000000000 size=0x1000\n"
			    "< pat.free start=0x100000000 end=0x100010000\n");
}

static void vfio_devices_close_last_opened_first(void **state)
{
	assert_plays_as("mapsim-recording 1\n"
			"kernel 6.12.107 x86_64\n"
			"config page_size=4096 va_bits=48 pa_bits=40 pat=on thp=never\n"
			"device a pa=0x100000000 size=0x10000 prefetchable=1 mtrr=WB\n"
			"device b pa=0x100010000 size=0x10000 prefetchable=1 mtrr=WB\n"
			"device c pa=0x100020000 size=0x10000 prefetchable=1 mtrr=WB\n"
			"> mmap vfio:b off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			"< ret 0\n"
			"< pat.reserve start=0x100010000 end=0x100020000 type=UC-\n"
			"> mmap vfio:c off=0 at=0x200000001000 len=0x1000 prot=r flags=shared\n"
			"< ret 0\n"
			"< pat.reserve start=0x100020000 end=0x100030000 type=UC-\n"
			"> mmap vfio:a off=0 at=0x200000002000 len=0x1000 prot=r flags=shared\n"
			"< ret 0\n"
			"< pat.reserve start=0x100000000 end=0x100010000 type=UC-\n"
			"> munmap at=0x200000000000 len=0x3000\n"
			"< ret 0\n"
			"< pat.untrack va=0x200000000000 pfn=0 size=0\n"
			"< zap va=0x200000000000 size=0x1000\n"
			"< pat.untrack va=0x200000001000 pfn=0 size=0\n"
			"< zap va=0x200000001000 size=0x1000\n"
			"< pat.untrack va=0x200000002000 pfn=0 size=0\n"
			"< zap va=0x200000002000 size=0x1000\n"
			"> exit\n"
			"< ret 0\n"
			"< pat.free start=0x100000000 end=0x100010000\n"
			"< pat.free start=0x100020000 end=0x100030000\n"
			"< pat.free start=0x100010000 end=0x100020000\n");
}

static void a_kernel_that_claims_bars_at_open_has_done_so_before_the_script(void **state)
{
	assert_plays_as(X86(
		"7.2.13") "> show memtypes\n"
			  "< ret 0\n"
			  "< memtype 0x100000000 0x100010000 UC-\n"
			  "> mmap vfio:bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			  "< ret 0\n");
}

/* The ISA range is never on the list, and only some recorders see that it is freed. */
static void frees_that_end_early_are_printed_where_the_recorder_sees_them(void **state)
{
	assert_plays_as(X86(
		"6.12.107") "> mmap devmem off=0xa0000 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			    "< ret 0\n"
			    "< pat.reserve start=0xa0000 end=0xa1000 type=UC-\n"
			    "> munmap at=0x200000000000 len=0x1000\n"
			    "< ret 0\n"
			    "< pat.untrack va=0x200000000000 pfn=0 size=0\n"
			    "< pat.free start=0xa0000 end=0xa1000\n"
			    "< zap va=0x200000000000 size=0x1000\n");
	assert_plays_as(X86(
		"5.10.223") "> mmap devmem off=0xa0000 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			    "< ret 0\n"
			    "< pat.reserve start=0xa0000 end=0xa1000 type=UC-\n"
			    "> munmap at=0x200000000000 len=0x1000\n"
			    "< ret 0\n"
			    "< pat.untrack va=0x200000000000 pfn=0 size=0\n"
			    "< zap va=0x200000000000 size=0x1000\n");
}

/* No policy has the name of this kernel, which had been recorded nonetheless. */
static void recorders_are_known_by_the_release_of_the_header_too(void **state)
{
	assert_plays_as(X86(
		"6.19.0") "> mmap devmem off=0xa0000 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			  "< ret 0\n"
			  "< pat.reserve start=0xa0000 end=0xa1000 type=UC-\n"
			  "> munmap at=0x200000000000 len=0x1000\n"
			  "< ret 0\n"
			  "< zap va=0x200000000000 size=0x1000\n");
}

static void memtypes_that_outlive_everybody_are_told_at_the_end(void **state)
{
	assert_plays_as(X86(
		"6.12.107") "> mmap bar off=0 at=0x200000000000 len=0x2000 prot=r flags=shared\n"
			    "< ret 0\n"
			    "< pat.reserve start=0x100000000 end=0x100002000 type=UC-\n"
			    "> munmap at=0x200000000000 len=0x1000\n"
			    "< ret 0\n"
			    "< pat.untrack va=0x200000000000 pfn=0 size=0\n"
			    "< pat.free start=0x100000000 end=0x100001000 ret=EINVAL\n"
			    "< zap va=0x200000000000 size=0x1000\n"
			    "# left behind on the memtype list after the script's process ended:\n"
			    "# memtype 0x100000000 0x100001000 UC-\n");
}

static void comments_stay_and_the_recorders_go(void **state)
{
	static const char text[] = ARM64 "# debian kernel 6.12.107\n"
					 "# Asks: what?\n"
					 "> fork\n"
					 "# kernel log: something\n"
					 "\n"
					 "# the end\n";
	struct ms_script *script = parsed(text);
	struct ms_script_error err;
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	assert_int_equal(ms_script_run(script, 0, out, &err), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(printed, ARM64 "# Asks: what?\n> fork\n< ret 0\n\n# the end\n");
	free(printed);
	ms_script_free(script);
}

static void explanations_are_comments_that_do_not_stay(void **state)
{
	struct ms_script *script =
		parsed(ARM64 "> mmap bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			     "> munmap at=0x200000000000 len=0x1000\n");
	struct ms_script_error err;
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	assert_int_equal(ms_script_run(script, MS_SCRIPT_EXPLAIN, out, &err), 0);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(printed, "# why: notifier.start"));
	ms_script_free(script);

	script = parsed(printed);
	free(printed);
	out = open_memstream(&printed, &size);
	assert_int_equal(ms_script_run(script, 0, out, &err), 0);
	assert_int_equal(fclose(out), 0);
	assert_null(strstr(printed, "# why:"));
	free(printed);
	ms_script_free(script);
}

static void a_refusal_is_explained_before_the_events(void **state)
{
	struct ms_script *script = parsed(
		ARM64 "> mmap anon off=0 at=0x200000000000 len=0x1000 prot=r flags=private\n"
		      "> mmap anon off=0 at=0x200000000000 len=0x1000 prot=r flags=private\n");
	struct ms_script_error err;
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	assert_int_equal(ms_script_run(script, MS_SCRIPT_EXPLAIN, out, &err), 0);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(printed,
			       "< ret EEXIST\n"
			       "# why: refused: VMA 0x200000000000-0x200000001000 (r--) is "
			       "in the way\n"));
	free(printed);
	ms_script_free(script);
}

/* NULL: the operation is not refused. */
static void assert_reasons(const char *text, const char *const *reasons, size_t nr)
{
	struct ms_script *script = parsed(text);
	struct ms_player *player = ms_player_new(script, NULL);

	assert_non_null(player);
	assert_null(ms_player_reason(player));
	assert_int_equal(ms_script_nr_ops(script), nr);
	for (size_t i = 0; i < nr; i++) {
		assert_non_null(ms_player_step(player, i));
		if (reasons[i])
			assert_string_equal(ms_player_reason(player), reasons[i]);
		else
			assert_null(ms_player_reason(player));
	}
	assert_non_null(ms_player_end(player));
	assert_null(ms_player_reason(player));
	ms_player_free(player);
	ms_script_free(script);
}

static void what_the_kernel_refuses_has_its_reason(void **state)
{
	static const char *const reasons[] = {
		"no VMA at 0x200000000000",
		"0x200000000001 is not page aligned",
		"the machine has no huge pages of 0x2000000 bytes",
		NULL,
	};

	assert_reasons(X86("6.12.117") "> touch at=0x200000000000 access=r\n"
				       "> munmap at=0x200000000001 len=0x1000\n"
				       "> mmap hugetlb32m off=0 at=0x220000000000 len=0x4000000 "
				       "prot=rw flags=shared\n"
				       "> munmap at=0x200000000000 len=0x1000\n",
		       reasons, sizeof(reasons) / sizeof(reasons[0]));
}

static void what_the_recorder_refuses_has_its_reason(void **state)
{
	static const char *const x86[] = {
		"no ioremap has this number",
		"no such slot of ioremaps, it is in use, or no bytes",
		NULL,
		NULL,
	};
	static const char *const arm64[] = {
		"there is no VM",
		"there is no VM",
		"there is no VM",
		NULL,
		"there is a VM already",
		NULL,
		"the process has a child already",
		NULL,
		"the process is gone, or was never there",
	};

	assert_reasons(X86("6.12.117") "> iounmap bar id=3\n"
				       "> ioremap bar id=8 type=UC-\n"
				       "> ioremap bar id=3 type=UC-\n"
				       "> iounmap bar id=3\n",
		       x86, sizeof(x86) / sizeof(x86[0]));
	assert_reasons(ARM64 "> dirty id=1 get\n"
			     "> slot id=1 gpa=0x80000000 size=0x1000 hva=0x200000000000\n"
			     "> guest access=r gpa=0x80000000\n"
			     "> vm create\n"
			     "> vm create\n"
			     "> fork\n"
			     "> fork\n"
			     "> exit\n"
			     "> fork\n",
		       arm64, sizeof(arm64) / sizeof(arm64[0]));
}

static void what_an_x86_guest_does_not_get_has_its_reason(void **state)
{
	static const char *const reasons[] = {
		"there is no VM",
		NULL,
		"ipa 0x90000000: no memslot",
		"ipa 0x90000000: no memslot",
		"ipa 0x90001000: no memslot",
		"the guest's own page table ends at 1T",
		"the guest's addresses have 48 bits",
		"ipa 0x90000000: no memslot",
		NULL,
		NULL,
		"ipa 0x80000000: the nested table cannot map the page",
	};

	assert_reasons(X86("7.3.4") "> prefault gpa=0x90000000 size=0x1000\n"
				    "> vm create\n"
				    "> guest access=r gpa=0x90000000\n"
				    "> guest access=r gpa=0x90000000\n"
				    "> guest access=x gpa=0x90001000\n"
				    "> guest access=r gpa=0x10000000000\n"
				    "> guest access=r gpa=0x800000000000\n"
				    "> prefault gpa=0x90000000 size=0x1000\n"
				    "> mmap driver:bar off=0x200000000000 at=0x200000000000 "
				    "len=0x1000 prot=rw flags=shared pieces=0x0+0x1000 lazy\n"
				    "> slot id=1 gpa=0x80000000 size=0x1000 hva=0x200000000000\n"
				    "> guest access=r gpa=0x80000000\n",
		       reasons, sizeof(reasons) / sizeof(reasons[0]));
}

static void the_end_of_a_script_is_a_step_of_its_own(void **state)
{
	struct ms_script *script = parsed(
		ARM64
		"> mmap bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared,populate\n");
	struct ms_player *player = ms_player_new(script, NULL);
	struct ms_machine *m = ms_player_machine(player);

	assert_non_null(ms_player_step(player, 0));
	assert_int_equal(ms_trace_count(m, MS_EV_ZAP), 0);
	assert_string_equal(ms_player_end(player), "");
	assert_int_equal(ms_trace_count(m, MS_EV_ZAP), 1);
	ms_player_free(player);
	ms_script_free(script);
}

/* A range that covers a part of an entry shows the part; one is rounded to whole pages. */
static void what_an_x86_guest_has_is_shown_by_entry_and_page(void **state)
{
	assert_plays_as(X86(
		"7.3.4") "> vm create\n"
			 "< ret 0\n"
			 "> mmap memfd off=0 at=0x200000000000 len=0x4000 prot=rw flags=shared\n"
			 "< ret 0\n"
			 "> slot id=1 gpa=0x80000000 size=0x4000 hva=0x200000000000\n"
			 "< ret 0\n"
			 "> slot id=2 gpa=0xffffdff000 size=0x2000 hva=0x200000000000\n"
			 "< ret EEXIST\n"
			 "> guest access=w gpa=0x80000000\n"
			 "< ret 0\n"
			 "< s2.map ipa=0x80000000 size=0x1000 pa=ram prot=rwx type=WB bits=hmad leaf=0x1000\n"
			 "> guest access=w gpa=0x80001000\n"
			 "< ret 0\n"
			 "< s2.map ipa=0x80001000 size=0x1000 pa=ram prot=rwx type=WB bits=hmad leaf=0x1000\n"
			 "> guest access=r gpa=0x80003000\n"
			 "< ret 0\n"
			 "< s2.map ipa=0x80003000 size=0x1000 pa=ram prot=rwx type=WB bits=hmad leaf=0x1000\n"
			 "> guest access=r gpa=0x80004000\n"
			 "< ret MMIO\n"
			 "< s2.mmio ipa=0x80004000 size=0x1000 leaf=0x1000\n"
			 "> guest access=x gpa=0x80005000\n"
			 "< ret EXIT17\n"
			 "< s2.mmio ipa=0x80005000 size=0x1000 leaf=0x1000\n"
			 "> guest access=r gpa=0x80005000\n"
			 "< ret MMIO\n"
			 "> show s2 gpa=0x0 len=0x10000000000\n"
			 "< ret 0\n"
			 "< s2 0x80000000 0x2000 pa=ram type=WB prot=rwx size=0x1000 bits=hmad\n"
			 "< s2 0x80003000 0x1000 pa=ram type=WB prot=rwx size=0x1000 bits=hmad\n"
			 "< s2-mmio 0x80004000 0x2000\n"
			 "> show s2 gpa=0x80001234 len=0x1000\n"
			 "< ret 0\n"
			 "< s2 0x80001000 0x1000 pa=ram type=WB prot=rwx size=0x1000 bits=hmad\n"
			 "> vm destroy\n"
			 "< ret 0\n"
			 "< s2.zap ipa=0x80000000 size=0x2000 leaf=0x1000\n"
			 "< s2.zap ipa=0x80003000 size=0x1000 leaf=0x1000\n");
}

/*
 *  one table | the next
 *  |1ff:w|   |200:w|     |202:w|
 *  age       [----------------)
 */
static void equal_changes_of_neighbouring_entries_are_one_line(void **state)
{
	assert_plays_as(X86(
		"7.3.4") "> vm create\n"
			 "< ret 0\n"
			 "> mmap memfd off=0 at=0x200000000000 len=0x4000 prot=rw flags=shared\n"
			 "< ret 0\n"
			 "> slot id=1 gpa=0x801ff000 size=0x4000 hva=0x200000000000\n"
			 "< ret 0\n"
			 "> guest access=w gpa=0x801ff000\n"
			 "< ret 0\n"
			 "< s2.map ipa=0x801ff000 size=0x1000 pa=ram prot=rwx type=WB bits=hmad leaf=0x1000\n"
			 "> guest access=w gpa=0x80200000\n"
			 "< ret 0\n"
			 "< s2.map ipa=0x80200000 size=0x1000 pa=ram prot=rwx type=WB bits=hmad leaf=0x1000\n"
			 "> guest access=w gpa=0x80202000\n"
			 "< ret 0\n"
			 "< s2.map ipa=0x80202000 size=0x1000 pa=ram prot=rwx type=WB bits=hmad leaf=0x1000\n"
			 "> age at=0x200000000000 len=0x4000\n"
			 "< ret 0\n"
			 "< young 1\n"
			 "< s2.age ipa=0x801ff000 size=0x4000\n"
			 "< s2.change ipa=0x801ff000 size=0x2000 prot=rwx bits=hmd leaf=0x1000\n"
			 "< s2.change ipa=0x80202000 size=0x1000 prot=rwx bits=hmd leaf=0x1000\n"
			 "> age at=0x200000000000 len=0x4000\n"
			 "< ret 0\n"
			 "< young 0\n"
			 "< s2.age ipa=0x801ff000 size=0x4000\n"
			 "> guest access=r gpa=0x80202000\n"
			 "< ret 0\n"
			 "> test-age at=0x200000003000 len=0x1000\n"
			 "< ret 0\n"
			 "< young 1\n"
			 "< s2.test-age ipa=0x80202000 size=0x1000\n"
			 "> munmap at=0x200000000000 len=0x4000\n"
			 "< ret 0\n"
			 "< s2.unmap ipa=0x801ff000 size=0x4000\n"
			 "< s2.zap ipa=0x801ff000 size=0x2000 leaf=0x1000\n"
			 "< s2.zap ipa=0x80202000 size=0x1000 leaf=0x1000\n"
			 "< zap va=0x200000000000 size=0x4000\n");
}

static void parameters_of_kvm_need_no_vm_and_what_needs_one_says_so(void **state)
{
	assert_plays_as(X86("7.3.4") "> kvm eager_page_split=N\n"
				     "< ret 0\n"
				     "> kvm nx_huge_pages=force\n"
				     "< ret 0\n"
				     "> prefault gpa=0x0 size=0x1000\n"
				     "< ret ENODEV\n"
				     "< left 0x1000\n"
				     "> guest access=r gpa=0x0\n"
				     "< ret ENODEV\n"
				     "> show s2 gpa=0x0 len=0x1000\n"
				     "< ret 0\n"
				     "> vm create nx=off\n"
				     "< ret 0\n"
				     "> kvm nx_huge_pages=off\n"
				     "< ret 0\n"
				     "< s2.zap-all\n"
				     "> nx-recover\n"
				     "< ret 0\n"
				     "> exit\n"
				     "< ret 0\n"
				     "> age at=0x0 len=0x1000\n"
				     "< ret ESRCH\n"
				     "> test-age at=0x0 len=0x1000\n"
				     "< ret ESRCH\n");
}

static void page_tables_of_the_x86_guest_end_at_a_tebibyte(void **state)
{
	assert_plays_as(X86("7.3.4") "> vm create\n"
				     "< ret 0\n"
				     "> guest access=w gpa=0xffffdff000\n"
				     "< ret MMIO\n"
				     "< s2.mmio ipa=0xffffdff000 size=0x1000 leaf=0x1000\n"
				     "> guest access=r gpa=0x10000000000\n"
				     "< ret EXC14\n"
				     "> guest access=x gpa=0x800000000000\n"
				     "< ret EXC13\n"
				     "> guest access=r gpa=0xffff800000000000\n"
				     "< ret EXC14\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_needs_a_vm_answers_enodev),
		cmocka_unit_test(a_second_vm_and_a_second_child_are_refused),
		cmocka_unit_test(what_needs_a_process_that_is_gone_answers_esrch),
		cmocka_unit_test(the_guests_own_code_keeps_its_slot),
		cmocka_unit_test(zaps_outside_of_the_scripts_addresses_are_not_printed),
		cmocka_unit_test(mappings_replace_others_only_where_they_say_fixed),
		cmocka_unit_test(an_address_in_the_kernels_half_is_no_error),
		cmocka_unit_test(pools_are_the_recorders_where_the_header_says_nothing),
		cmocka_unit_test(the_header_says_how_many_huge_pages_there_are),
		cmocka_unit_test(a_write_combining_file_that_is_not_there_is_enoent),
		cmocka_unit_test(tables_of_the_other_process_are_marked),
		cmocka_unit_test(what_a_failed_fork_cleans_up_is_the_childs),
		cmocka_unit_test(a_vm_lives_as_long_as_a_child_that_has_its_files),
		cmocka_unit_test(a_vm_that_is_younger_than_the_child_goes_at_once),
		cmocka_unit_test(anonymous_memory_has_no_offset_in_show_vmas),
		cmocka_unit_test(runs_of_entries_end_where_the_physical_address_jumps),
		cmocka_unit_test(what_may_be_executed_is_shown_of_cacheable_memory_on_arm64),
		cmocka_unit_test(a_memory_file_that_a_child_maps_first_is_its_own),
		cmocka_unit_test(other_bars_of_a_device_are_freed_with_it),
		cmocka_unit_test(mtrr_lines_say_where_cacheable_memory_may_be_mapped),
		cmocka_unit_test(pages_that_are_partly_ram_and_the_first_of_x86_are_shown_as_ram),
		cmocka_unit_test(the_first_page_is_no_ram_where_x86_has_guests),
		cmocka_unit_test(the_local_apic_is_not_for_devmem_up_to_6_5),
		cmocka_unit_test(
			the_arm64_recorders_driver_inserts_a_huge_leaf_where_it_was_built_to),
		cmocka_unit_test(the_arm64_recorders_driver_remembers_one_lazy_mapping),
		cmocka_unit_test(the_end_of_a_script_is_a_step_of_its_own),
		cmocka_unit_test(runs_are_cut_to_the_range_that_was_asked_for),
		cmocka_unit_test(dirty_pages_are_printed_as_runs_before_the_events),
		cmocka_unit_test(ioremap_slots_are_eight_and_hold_one_each),
		cmocka_unit_test(files_close_with_the_last_process),
		cmocka_unit_test(vfio_devices_close_last_opened_first),
		cmocka_unit_test(a_kernel_that_claims_bars_at_open_has_done_so_before_the_script),
		cmocka_unit_test(frees_that_end_early_are_printed_where_the_recorder_sees_them),
		cmocka_unit_test(recorders_are_known_by_the_release_of_the_header_too),
		cmocka_unit_test(memtypes_that_outlive_everybody_are_told_at_the_end),
		cmocka_unit_test(comments_stay_and_the_recorders_go),
		cmocka_unit_test(explanations_are_comments_that_do_not_stay),
		cmocka_unit_test(a_refusal_is_explained_before_the_events),
		cmocka_unit_test(what_the_kernel_refuses_has_its_reason),
		cmocka_unit_test(what_the_recorder_refuses_has_its_reason),
		cmocka_unit_test(what_an_x86_guest_does_not_get_has_its_reason),
		cmocka_unit_test(what_an_x86_guest_has_is_shown_by_entry_and_page),
		cmocka_unit_test(equal_changes_of_neighbouring_entries_are_one_line),
		cmocka_unit_test(parameters_of_kvm_need_no_vm_and_what_needs_one_says_so),
		cmocka_unit_test(page_tables_of_the_x86_guest_end_at_a_tebibyte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
