/* SPDX-License-Identifier: GPL-2.0-only */
/* Each cause for which a system call is refused, and its words. */
#include "world_of.h"

#include "refused.h"

#include "mm/lock.h"

#define PRIVATE (MS_MAP_PRIVATE | MS_MAP_FIXED_NOREPLACE)
#define ANON (PRIVATE | MS_MAP_ANONYMOUS)
#define SHARED (MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE)

static int accept(struct ms_file *file, struct ms_vma *vma)
{
	return 0;
}

static int refuse(struct ms_file *file, struct ms_vma *vma)
{
	return -EINVAL;
}

static int refuse_oddly(struct ms_file *file, struct ms_vma *vma)
{
	return -1234;
}

static int refuse_early(struct ms_file *file, struct ms_vma_desc *desc)
{
	return -EPERM;
}

static int remap_more(struct ms_file *file, struct ms_vma *vma)
{
	return ms_vm_iomap_memory(vma, BAR, PAGE);
}

static int remap_and_answer_otherwise(struct ms_file *file, struct ms_vma *vma)
{
	return remap_more(file, vma) ? -ENXIO : 0;
}

static int refuse_hole(struct ms_file *file, uint64_t off, uint64_t len)
{
	return -EROFS;
}

static struct ms_file *file_of(struct world *w, const struct ms_file_ops *ops, unsigned int fmode)
{
	struct ms_file *file = ms_file_new(w->m, ops, fmode, 16 * PAGE, NULL, NULL);

	assert_non_null(file);
	return file;
}

static int64_t map(struct world *w, uint64_t len, unsigned int prot, unsigned int flags,
		   struct ms_file *file, uint64_t off)
{
	return ms_mmap(w->mm, A, len, prot, flags, file, off);
}

static void mmap_of_wrong_arguments(void **state)
{
	struct world w = world("6.12.117");

	assert_refused(&w, map(&w, PAGE, MS_PROT_R, PRIVATE, NULL, 1), -EINVAL,
		       "offset 0x1 is not page aligned");
	assert_refused(&w, map(&w, PAGE, MS_PROT_R, ANON | 0x40000, NULL, 0), -EOPNOTSUPP,
		       "flags 0x40000 are not modelled");
	assert_refused(&w, map(&w, PAGE, MS_PROT_R, PRIVATE, NULL, 0), -ENOMEM,
		       "there is no file, and MAP_ANONYMOUS is not set");
	assert_refused(&w, map(&w, 0, MS_PROT_R, ANON, NULL, 0), -EINVAL, "the length is 0");
	assert_refused(&w, map(&w, UINT64_MAX, MS_PROT_R, ANON, NULL, 0), -ENOMEM,
		       "the length, rounded up to pages, wraps to 0");
	assert_refused(
		&w,
		map(&w, 3 * PAGE, MS_PROT_R, MS_MAP_FIXED_NOREPLACE | MS_MAP_ANONYMOUS, NULL, 0),
		-EINVAL, "flags 0x100020: anonymous memory is MAP_SHARED or MAP_PRIVATE");
	assert_refused(&w, ms_mmap(w.mm, A + 1, PAGE, MS_PROT_R, ANON, NULL, 0), -EINVAL,
		       "0x200000000001 is not page aligned");
	world_end(&w);
}

static void mmap_of_what_has_no_room(void **state)
{
	struct world w = world("6.12.117");
	const uint64_t end = UINT64_C(1) << 48;

	map_anon(&w, A, 2 * PAGE, MS_PROT_RW);
	assert_refused(&w, map_anon(&w, A + PAGE, PAGE, MS_PROT_R), -EEXIST,
		       "VMA 0x200000000000-0x200000002000 (rw-) is in the way");
	assert_refused(&w, map_anon(&w, end, PAGE, MS_PROT_R), -ENOMEM,
		       "0x1000 bytes at 0x1000000000000 end beyond user space, which ends at "
		       "0x1000000000000");
	assert_refused(&w, map_anon(&w, 0, end + PAGE, MS_PROT_R), -ENOMEM,
		       "0x1000000001000 bytes at 0x0 end beyond user space, which ends at "
		       "0x1000000000000");
	assert_refused(&w, map_anon(&w, 0, end, MS_PROT_R), -ENOMEM,
		       "0x1000000000000 bytes: the address space has 0xffffffff8000");
	assert_refused(&w,
		       ms_mmap(w.mm, 0, end - MS_1G, MS_PROT_R,
			       MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_NORESERVE, NULL, 0),
		       -ENOMEM, "no gap of 0xffffc0000000 bytes is left");
	assert_refused(&w, map_anon(&w, -PAGE + 1, PAGE, MS_PROT_R), -4095,
		       "address 0xfffffffffffff001 is taken for an error");
	assert_refused(&w, ms_mmap(w.mm, A + MS_2M, 2 * MS_1G, MS_PROT_RW, ANON, NULL, 0), -ENOMEM,
		       "overcommit: 0x80000000 bytes are more than the RAM that can be used, "
		       "0x3f000000 bytes");
	assert_refused(
		&w,
		ms_mmap(w.mm, A + MS_2M, 2 * MS_1G, MS_PROT_RW, SHARED | MS_MAP_ANONYMOUS, NULL, 0),
		-ENOMEM,
		"overcommit: 0x80000000 bytes are more than the RAM that can be used, "
		"0x3f000000 bytes");
	world_end(&w);
}

static void mmap_of_a_file(void **state)
{
	static const struct ms_file_ops ok = { .name = "ok", .mmap = accept }, none = { 0 };
	struct world w = world("6.12.117");
	const unsigned int both = MS_FMODE_READ | MS_FMODE_WRITE;
	struct ms_file *file = file_of(&w, &ok, both);

	assert_refused(&w, map(&w, PAGE, MS_PROT_R, PRIVATE, file, -PAGE), -EOVERFLOW,
		       "0x1000 bytes at offset 0xfffffffffffff000: the file's mappings end at "
		       "offset 0x10000");
	assert_refused(&w, map(&w, 17 * PAGE, MS_PROT_R, PRIVATE, file, 0), -EOVERFLOW,
		       "0x11000 bytes: the file's mappings end at offset 0x10000");
	assert_refused(&w, map(&w, PAGE, MS_PROT_R, MS_MAP_FIXED_NOREPLACE, file, 0), -EINVAL,
		       "flags 0x100000: neither MAP_SHARED nor MAP_PRIVATE");
	assert_refused(&w, map(&w, PAGE, MS_PROT_R, SHARED | MS_MAP_PRIVATE, file, 0), -EOPNOTSUPP,
		       "MAP_SHARED_VALIDATE refuses the flags 0x100000");
	assert_refused(&w, map(&w, PAGE, MS_PROT_RW, SHARED, file_of(&w, &ok, MS_FMODE_READ), 0),
		       -EACCES, "the file is not open for writing");
	assert_refused(&w, map(&w, PAGE, MS_PROT_R, SHARED, file_of(&w, &ok, MS_FMODE_WRITE), 0),
		       -EACCES, "the file is not open for reading");
	assert_refused(
		&w, map(&w, PAGE, MS_PROT_X, PRIVATE, file_of(&w, &ok, both | MS_FMODE_NOEXEC), 0),
		-EPERM, "the file is on a noexec mount");
	assert_refused(&w, map(&w, PAGE, MS_PROT_R, PRIVATE, file_of(&w, &none, both), 0), -ENODEV,
		       "the file has no ->mmap");
	world_end(&w);
}

static void mmap_of_a_driver_that_refuses(void **state)
{
	static const struct ms_file_ops named = { .name = "dev", .mmap = refuse },
					early = { .name = "dev", .mmap_prepare = refuse_early },
					odd = { .mmap = refuse_oddly },
					deep = { .mmap = remap_more },
					other = { .name = "x", .mmap = remap_and_answer_otherwise };
	struct world w = world("7.2.13");
	const unsigned int both = MS_FMODE_READ | MS_FMODE_WRITE;

	assert_refused(&w, map(&w, PAGE, MS_PROT_R, SHARED, file_of(&w, &named, both), 0), -EINVAL,
		       "dev: ->mmap answers -EINVAL");
	assert_refused(&w, map(&w, PAGE, MS_PROT_R, SHARED, file_of(&w, &early, both), 0), -EPERM,
		       "dev: ->mmap_prepare answers -EPERM");
	assert_refused(&w, map(&w, PAGE, MS_PROT_R, SHARED, file_of(&w, &odd, both), 0), -1234,
		       "file: ->mmap answers -1234");
	assert_refused(&w, map(&w, 2 * PAGE, MS_PROT_R, SHARED, file_of(&w, &deep, both), 0),
		       -EINVAL,
		       "VMA 0x200000000000-0x200000002000 (r--) shows page 0 onward: there are 1");
	assert_refused(&w, map(&w, 2 * PAGE, MS_PROT_R, SHARED, file_of(&w, &other, both), 0),
		       -ENXIO, "x: ->mmap answers -ENXIO");
	world_end(&w);
}

static void mmap_of_hugetlb_files(void **state)
{
	struct ms_machine_config config = { .hugetlb = { { MS_2M, 1 } } };
	struct world w = world_config(ms_policy_linux("6.12.117", MS_ARCH_ARM64), &config);
	struct ms_file *file = ms_memfd_hugetlb_new(w.m, 2 * MS_2M, MS_2M);
	struct ms_file *all = ms_memfd_hugetlb_new(w.m, 2 * MS_1G, MS_1G);

	assert_refused(&w, ms_mmap(w.mm, A + PAGE, MS_2M, MS_PROT_RW, SHARED, file, 0), -EINVAL,
		       "0x200000001000 is not aligned to the file's huge pages, 0x200000 bytes");
	assert_refused(&w, map(&w, MS_2M, MS_PROT_RW, SHARED, file, PAGE), -EINVAL,
		       "offset 0x1000 is not aligned to the file's huge pages, 0x200000 bytes");
	assert_refused(&w, map(&w, 2 * MS_2M, MS_PROT_RW, SHARED, file, 0), -ENOMEM,
		       "2 huge pages of 0x200000 bytes are needed, 1 are left");
	assert_refused(&w, map(&w, 2 * MS_1G, MS_PROT_RW, PRIVATE, all, 0), -ENOMEM,
		       "2 huge pages of 0x40000000 bytes are needed, 1 are left");
	assert_null_refused(&w, ms_memfd_hugetlb_new(w.m, MS_2M, 3 * PAGE), -EINVAL,
			    "the machine has no huge pages of 0x3000 bytes");
	world_end(&w);
}

/* Three VMAs of two pages, two pages apart: the limit. */
static struct world crowded(const char *release)
{
	struct ms_machine_config config = { .thp = MS_THP_NEVER, .max_map_count = 3 };
	struct world w = world_config(ms_policy_linux(release, MS_ARCH_ARM64), &config);

	for (int i = 0; i < 3; i++)
		map_anon(&w, A + i * 4 * PAGE, 3 * PAGE, MS_PROT_RW);
	return w;
}

static void too_many_vmas(void **state)
{
	struct world w = crowded("6.12.117");

	assert_refused(&w, ms_munmap(w.mm, A + PAGE, PAGE), -ENOMEM,
		       "process 1 has 3 VMAs: max_map_count is 3");
	assert_refused(&w, ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_R), -ENOMEM,
		       "process 1 has 3 VMAs: max_map_count is 3");
	assert_refused(&w, ms_mlock(w.mm, A + PAGE, PAGE), -ENOMEM,
		       "process 1 has 3 VMAs: max_map_count is 3");
	assert_refused(&w, ms_mremap(w.mm, A, PAGE, 2 * PAGE, MS_MREMAP_MAYMOVE, 0), -ENOMEM,
		       "process 1 has 3 VMAs, and may need 4 more: max_map_count is 3");
	// the fourth may be made, no more
	map_anon(&w, A + MS_2M, PAGE, MS_PROT_R);
	assert_refused(&w, map_anon(&w, A + 2 * MS_2M, PAGE, MS_PROT_R), -ENOMEM,
		       "process 1 has 4 VMAs: max_map_count is 3");
	world_end(&w);
	w = crowded("7.3.4");
	assert_refused(&w, ms_mremap(w.mm, A, PAGE, 2 * PAGE, MS_MREMAP_MAYMOVE, 0), -ENOMEM,
		       "process 1 has 3 VMAs, and may need 4 more: max_map_count is 3");
	world_end(&w);
}

static void an_errno_that_becomes_another_keeps_its_reason(void **state)
{
	struct world w =
		crowded(kernel_where(MS_ARCH_ARM64, "madv_split_limit", "ENOMEM")->release);

	assert_refused(&w, ms_madvise(w.mm, A + PAGE, PAGE, MS_MADV_DONTFORK), -ENOMEM,
		       "process 1 has 3 VMAs: max_map_count is 3");
	world_end(&w);
	w = crowded(kernel_where(MS_ARCH_ARM64, "madv_split_limit", "EAGAIN")->release);
	assert_refused(&w, ms_madvise(w.mm, A + PAGE, PAGE, MS_MADV_DONTFORK), -EAGAIN,
		       "process 1 has 3 VMAs: max_map_count is 3");
	world_end(&w);
}

static void munmap_of_wrong_arguments(void **state)
{
	struct world w = world("6.12.117");

	assert_refused(&w, ms_munmap(w.mm, A + 1, PAGE), -EINVAL,
		       "0x200000000001 is not page aligned");
	assert_refused(&w, ms_munmap(w.mm, A, 0), -EINVAL, "the length is 0");
	assert_refused(&w, ms_munmap(w.mm, A, UINT64_C(1) << 48), -EINVAL,
		       "0x1000000000000 bytes at 0x200000000000 end beyond user space, which ends "
		       "at 0x1000000000000");
	world_end(&w);
}

static void what_a_vmas_callbacks_refuse(void **state)
{
	static const struct ms_file_ops ops = { .name = "dev", .mmap = driver_mmap };
	struct driver d = { .veto = -EBUSY };
	struct world w = world_where("mmap_fixed", "UNMAP_FIRST");
	struct ms_file *file = ms_file_new(w.m, &ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, &d);

	d.ops.may_split = driver_may_split;
	d.ops.mremap = driver_mremap;
	assert_int_equal(map(&w, 4 * PAGE, MS_PROT_RW, SHARED, file, 0), A);
	assert_refused(&w, ms_munmap(w.mm, A, PAGE), -EBUSY, "dev: ->may_split answers -EBUSY");
	assert_refused(&w, ms_mprotect(w.mm, A, PAGE, MS_PROT_R), -EBUSY,
		       "dev: ->may_split answers -EBUSY");
	assert_refused(
		&w, ms_mremap(w.mm, A, 4 * PAGE, 4 * PAGE, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, B),
		-EBUSY, "dev: ->mremap answers -EBUSY");
	assert_refused(&w, map(&w, PAGE, MS_PROT_R, MS_MAP_SHARED | MS_MAP_FIXED, file, 0), -ENOMEM,
		       "dev: ->may_split answers -EBUSY");
	world_end(&w);
}

static void mprotect_of_wrong_arguments(void **state)
{
	static const struct ms_file_ops ops = { .mmap = accept };
	struct world w = world("6.12.117");

	assert_refused(&w, ms_mprotect(w.mm, A + 1, PAGE, MS_PROT_R), -EINVAL,
		       "0x200000000001 is not page aligned");
	assert_refused(&w, ms_mprotect(w.mm, A, -A, MS_PROT_R), -ENOMEM,
		       "0xffffe00000000000 bytes at 0x200000000000 wrap");
	assert_refused(&w, ms_mprotect(w.mm, A, PAGE, 0x10), -EINVAL, "prot 0x10 is not known");
	assert_refused(&w, ms_mprotect(w.mm, A, PAGE, MS_PROT_R), -ENOMEM,
		       "no VMA at 0x200000000000");
	map_anon(&w, A, PAGE, MS_PROT_RW);
	assert_refused(&w, ms_mprotect(w.mm, A, 2 * PAGE, MS_PROT_R), -ENOMEM,
		       "no VMA at 0x200000001000");
	ms_mmap(w.mm, B, PAGE, MS_PROT_R, SHARED, file_of(&w, &ops, MS_FMODE_READ), 0);
	assert_refused(&w, ms_mprotect(w.mm, B, PAGE, MS_PROT_RW), -EACCES,
		       "VMA 0x210000000000-0x210000001000 (r--) may at most become r-x, rw- was "
		       "asked for");
	map_anon(&w, B + MS_1G, 2 * MS_1G, MS_PROT_R);
	assert_refused(&w, ms_mprotect(w.mm, B + MS_1G, 2 * MS_1G, MS_PROT_RW), -ENOMEM,
		       "overcommit: 0x80000000 bytes are more than the RAM that can be used, "
		       "0x3f000000 bytes");
	world_end(&w);
}

static int64_t move(struct world *w, uint64_t old_len, uint64_t new_len, unsigned int flags,
		    ms_hva_t to)
{
	return ms_mremap(w->mm, A, old_len, new_len, flags, to);
}

static void mremap_of_wrong_arguments(const char *release)
{
	const unsigned int fixed = MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED;
	const unsigned int keep = MS_MREMAP_MAYMOVE | MS_MREMAP_DONTUNMAP;
	struct world w = world(release);

	map_anon(&w, A, 4 * PAGE, MS_PROT_RW);
	assert_refused(&w, move(&w, PAGE, PAGE, 0x10, 0), -EINVAL, "flags 0x10 are not known");
	assert_refused(&w, move(&w, PAGE, PAGE, MS_MREMAP_FIXED, B), -EINVAL,
		       "MREMAP_FIXED and MREMAP_DONTUNMAP need MREMAP_MAYMOVE");
	assert_refused(&w, ms_mremap(w.mm, A + 1, PAGE, PAGE, 0, 0), -EINVAL,
		       "0x200000000001 is not page aligned");
	assert_refused(&w, move(&w, PAGE, 0, 0, 0), -EINVAL, "the new length is 0");
	assert_refused(&w, move(&w, PAGE, 2 * PAGE, keep, 0), -EINVAL,
		       "MREMAP_DONTUNMAP: the lengths differ");
	assert_refused(&w, move(&w, PAGE, PAGE, fixed, B + 1), -EINVAL,
		       "0x210000000001 is not page aligned");
	assert_refused(&w, move(&w, PAGE, PAGE, fixed, UINT64_C(1) << 48), -EINVAL,
		       "0x1000 bytes at 0x1000000000000 end beyond user space, which ends at "
		       "0x1000000000000");
	assert_refused(&w, move(&w, 2 * PAGE, 2 * PAGE, fixed, A + PAGE), -EINVAL,
		       "old and new place overlap: 0x200000000000-0x200000002000, "
		       "0x200000001000-0x200000003000");
	assert_refused(&w, ms_mremap(w.mm, B, PAGE, PAGE, fixed, A + MS_2M), -EFAULT,
		       "no VMA at 0x210000000000");
	assert_refused(&w, ms_mremap(w.mm, B, PAGE, 2 * PAGE, MS_MREMAP_MAYMOVE, 0), -EFAULT,
		       "no VMA at 0x210000000000");
	world_end(&w);
}

static void mremap_of_wrong_arguments_in_either_order(void **state)
{
	mremap_of_wrong_arguments("5.10.223");
	mremap_of_wrong_arguments("7.3.4");
}

static void mremap_of_a_vma_that_does_not_allow_it(void **state)
{
	static const struct ms_file_ops ops = { .name = "dev", .mmap = driver_mmap };
	struct driver d = { .vm_flags = MS_VM_DONTEXPAND };
	struct world w = world("6.12.117");
	struct ms_file *file = ms_file_new(w.m, &ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, &d);

	map_anon(&w, A, 2 * PAGE, MS_PROT_RW);
	map_anon(&w, A + 3 * PAGE, PAGE, MS_PROT_R);
	assert_refused(&w, move(&w, 0, PAGE, MS_MREMAP_MAYMOVE, 0), -EINVAL,
		       "VMA 0x200000000000-0x200000002000 (rw-) is not shared, and the old length "
		       "is 0");
	assert_refused(&w, move(&w, 3 * PAGE, 4 * PAGE, MS_MREMAP_MAYMOVE, 0), -EFAULT,
		       "VMA 0x200000000000-0x200000002000 (rw-) does not reach to 0x200000003000");
	assert_refused(&w, move(&w, 2 * PAGE, 4 * PAGE, 0, 0), -ENOMEM,
		       "VMA 0x200000000000-0x200000002000 (rw-) cannot grow in place, nor move: no "
		       "MREMAP_MAYMOVE");
	assert_refused(&w, move(&w, 2 * PAGE, 2 * MS_1G, MS_MREMAP_MAYMOVE, 0), -ENOMEM,
		       "overcommit: 0x7fffe000 bytes are more than the RAM that can be used, "
		       "0x3f000000 bytes");
	ms_mmap(w.mm, B, PAGE, MS_PROT_R, SHARED, file, 0);
	assert_refused(&w, ms_mremap(w.mm, B, PAGE, 2 * PAGE, MS_MREMAP_MAYMOVE, 0), -EFAULT,
		       "VMA 0x210000000000-0x210000001000 (r--) is VM_DONTEXPAND or VM_PFNMAP: "
		       "cannot grow");
	assert_refused(
		&w, ms_mremap(w.mm, B, PAGE, PAGE, MS_MREMAP_MAYMOVE | MS_MREMAP_DONTUNMAP, 0),
		-EINVAL, "VMA 0x210000000000-0x210000001000 (r--) does not allow MREMAP_DONTUNMAP");
	world_end(&w);
}

static void mremap_of_hugetlb_memory(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = ms_memfd_hugetlb_new(w.m, 2 * MS_2M, MS_2M);
	const unsigned int fixed = MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED;

	map(&w, MS_2M, MS_PROT_RW, SHARED, file, 0);
	assert_refused(&w, move(&w, MS_2M, MS_2M, fixed, B + PAGE), -EINVAL,
		       "0x200000000000 and 0x210000001000 are not both aligned to huge pages of "
		       "0x200000 bytes");
	assert_refused(&w, move(&w, MS_2M, 2 * MS_2M, MS_MREMAP_MAYMOVE, 0), -EINVAL,
		       "VMA 0x200000000000-0x200000200000 (rw-) is hugetlb: cannot grow");
	assert_refused(&w, ms_munmap(w.mm, A, PAGE), -EINVAL,
		       "VMA 0x200000000000-0x200000200000 (rw-) cannot be split at "
		       "0x200000001000: its huge pages have 0x200000 bytes");
	world_end(&w);
}

static void madvise_of_wrong_arguments(void **state)
{
	struct world w = world("6.12.117");

	assert_refused(&w, ms_madvise(w.mm, A, PAGE, (enum ms_advice)77), -EINVAL,
		       "advice 77 is not known");
	assert_refused(&w, ms_madvise(w.mm, A + 1, PAGE, MS_MADV_FREE), -EINVAL,
		       "0x200000000001 is not page aligned");
	assert_refused(&w, ms_madvise(w.mm, A, UINT64_MAX, MS_MADV_FREE), -EINVAL,
		       "0xffffffffffffffff bytes at 0x200000000000 wrap");
	assert_refused(&w, ms_madvise(w.mm, A, PAGE, MS_MADV_DONTNEED), -ENOMEM,
		       "no VMA at 0x200000000000");
	map_anon(&w, A + PAGE, PAGE, MS_PROT_RW);
	assert_refused(&w, ms_madvise(w.mm, A, 2 * PAGE, MS_MADV_DONTNEED), -ENOMEM,
		       "no VMA at 0x200000000000");
	assert_refused(&w, ms_madvise(w.mm, A + PAGE, 2 * PAGE, MS_MADV_POPULATE_READ), -ENOMEM,
		       "no VMA at 0x200000002000");
	world_end(&w);
}

static void madvise_of_a_vma_that_does_not_allow_it(void **state)
{
	static const struct ms_file_ops ops = { .name = "dev",
						.mmap = driver_mmap,
						.punch_hole = refuse_hole },
					holeless = { .mmap = accept };
	struct driver d = { .vm_flags = MS_VM_PFNMAP | MS_VM_IO };
	struct world w = world("6.12.117");
	const unsigned int both = MS_FMODE_READ | MS_FMODE_WRITE;
	struct ms_file *file = ms_file_new(w.m, &ops, both, 0, NULL, &d);
	const ms_hva_t locked = A + MS_2M, readable = A + 2 * MS_2M;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, locked, PAGE, MS_PROT_RW);
	ms_mlock(w.mm, locked, PAGE);
	map_anon(&w, readable, PAGE, MS_PROT_R);
	ms_mmap(w.mm, B, PAGE, MS_PROT_RW, SHARED, file, 0);
	assert_refused(&w, ms_madvise(w.mm, B, PAGE, MS_MADV_DOFORK), -EINVAL,
		       "VMA 0x210000000000-0x210000001000 (rw-) is a driver's: MADV_DOFORK");
	assert_refused(&w, ms_madvise(w.mm, B, PAGE, MS_MADV_DODUMP), -EINVAL,
		       "VMA 0x210000000000-0x210000001000 (rw-) is a driver's: MADV_DODUMP");
	assert_refused(&w, ms_madvise(w.mm, B, PAGE, MS_MADV_WIPEONFORK), -EINVAL,
		       "VMA 0x210000000000-0x210000001000 (rw-) is not private anonymous memory");
	assert_refused(&w, ms_madvise(w.mm, B, PAGE, MS_MADV_DONTNEED), -EINVAL,
		       "VMA 0x210000000000-0x210000001000 (rw-) is VM_PFNMAP");
	assert_refused(&w, ms_madvise(w.mm, locked, PAGE, MS_MADV_DONTNEED), -EINVAL,
		       "VMA 0x200000200000-0x200000201000 (rw-) is locked");
	assert_refused(&w, ms_madvise(w.mm, locked, PAGE, MS_MADV_COLD), -EINVAL,
		       "VMA 0x200000200000-0x200000201000 (rw-) is locked, VM_PFNMAP or hugetlb");
	assert_refused(&w, ms_madvise(w.mm, locked, PAGE, MS_MADV_REMOVE), -EINVAL,
		       "VMA 0x200000200000-0x200000201000 (rw-) is locked");
	assert_refused(&w, ms_madvise(w.mm, A, PAGE, MS_MADV_REMOVE), -EINVAL,
		       "VMA 0x200000000000-0x200000001000 (rw-) has no file");
	assert_refused(&w, ms_madvise(w.mm, B, PAGE, MS_MADV_REMOVE), -EROFS,
		       "dev: ->punch_hole answers -EROFS");
	ms_mmap(w.mm, B + MS_2M, PAGE, MS_PROT_RW, PRIVATE, file_of(&w, &holeless, both), 0);
	assert_refused(&w, ms_madvise(w.mm, B + MS_2M, PAGE, MS_MADV_REMOVE), -EACCES,
		       "VMA 0x210000200000-0x210000201000 (rw-) is not shared and writable");
	ms_mmap(w.mm, B + 2 * MS_2M, PAGE, MS_PROT_RW, SHARED, file_of(&w, &holeless, both), 0);
	assert_refused(&w, ms_madvise(w.mm, B + 2 * MS_2M, PAGE, MS_MADV_REMOVE), -EOPNOTSUPP,
		       "the file has no ->fallocate");
	assert_refused(&w, ms_madvise(w.mm, B + MS_2M, PAGE, MS_MADV_FREE), -EINVAL,
		       "VMA 0x210000200000-0x210000201000 (rw-) is not anonymous");
	assert_refused(&w, ms_madvise(w.mm, B, PAGE, MS_MADV_POPULATE_READ), -EINVAL,
		       "VMA 0x210000000000-0x210000001000 (rw-) is VM_IO or VM_PFNMAP: no pages "
		       "can be taken");
	assert_refused(&w, ms_madvise(w.mm, readable, PAGE, MS_MADV_POPULATE_WRITE), -EINVAL,
		       "VMA 0x200000400000-0x200000401000 (r--) is not writable");
	world_end(&w);
}

static void madvise_of_hugetlb_memory(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = ms_memfd_hugetlb_new(w.m, 2 * MS_2M, MS_2M);

	map(&w, MS_2M, MS_PROT_RW, SHARED, file, 0);
	assert_refused(&w, ms_madvise(w.mm, A + PAGE, PAGE, MS_MADV_DONTNEED), -EINVAL,
		       "0x200000001000 is not aligned to huge pages of 0x200000 bytes");
	assert_refused(&w, ms_madvise(w.mm, A, MS_2M, MS_MADV_FREE), -EINVAL,
		       "VMA 0x200000000000-0x200000200000 (rw-) is hugetlb");
	world_end(&w);
}

static int collapse(struct world *w, ms_hva_t at, uint64_t len)
{
	return ms_madvise(w->mm, at, len, MS_MADV_COLLAPSE);
}

static void what_is_not_collapsed(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 2 * MS_2M, MS_PROT_RW);
	assert_refused(&w, collapse(&w, A, MS_2M), -EINVAL,
		       "VMA 0x200000000000-0x200000400000 (rw-) has no anonymous page yet");
	ms_touch(w.mm, A, MS_PROT_W);
	assert_refused(&w, collapse(&w, A + MS_2M, MS_2M), -EINVAL,
		       "nothing of the block is mapped, at 0x200000200000");
	ms_mprotect(w.mm, A, 2 * MS_2M, MS_PROT_R);
	assert_refused(&w, collapse(&w, A, MS_2M), -EINVAL,
		       "no page of the block is writable, at 0x200000000000");
	map_anon(&w, B, PAGE, MS_PROT_RW);
	assert_refused(&w, collapse(&w, B, PAGE), -EINVAL,
		       "VMA 0x210000000000-0x210000001000 (rw-) has no room for a huge page, or "
		       "its offset does not match");
	ms_madvise(w.mm, A, 2 * MS_2M, MS_MADV_NOHUGEPAGE);
	assert_refused(&w, collapse(&w, A, MS_2M), -EINVAL,
		       "VMA 0x200000000000-0x200000400000 (r--) is VM_NOHUGEPAGE, hugetlb or a "
		       "driver's");
	world_end(&w);
}

static void what_of_a_file_is_not_collapsed(void **state)
{
	static const struct ms_file_ops ops = { .mmap = accept };
	struct world w = world("6.12.117");
	struct ms_file *file = ms_memfd_new(w.m, 2 * MS_2M);
	struct ms_file *driver = ms_file_new(w.m, &ops, MS_FMODE_READ, 0, NULL, NULL);

	map(&w, MS_2M, MS_PROT_RW, SHARED, file, 0);
	assert_refused(&w, collapse(&w, A, MS_2M), -EINVAL,
		       "no page of the block is cached, or none can be, at 0x200000000000");
	ms_mmap(w.mm, B, MS_2M, MS_PROT_R, SHARED, driver, 0);
	assert_refused(
		&w, collapse(&w, B, MS_2M), -EINVAL,
		"VMA 0x210000000000-0x210000200000 (r--) is a file's that has no huge pages");
	world_end(&w);
}

static void mlock_of_wrong_arguments(void **state)
{
	struct world w = world("6.12.117");

	assert_refused(&w, ms_mlock(w.mm, A, PAGE), -ENOMEM, "no VMA at 0x200000000000");
	assert_refused(&w, ms_mlock(w.mm, A, -A + PAGE), -EINVAL,
		       "0xffffe00000001000 bytes at 0x200000000000 wrap");
	assert_refused(&w, ms_munlock(w.mm, A, PAGE), -ENOMEM, "no VMA at 0x200000000000");
	map_anon(&w, A, PAGE, MS_PROT_R);
	assert_refused(&w, ms_munlock(w.mm, A, 2 * PAGE), -ENOMEM, "no VMA at 0x200000001000");
	map_anon(&w, B, PAGE, 0);
	assert_refused(&w, ms_mlock(w.mm, B, PAGE), -ENOMEM,
		       "VMA 0x210000000000-0x210000001000 (---) gives no access");
	world_end(&w);
}

static void without_memory_that_is_the_reason(void **state)
{
	struct world w = world("6.12.117");

	ms_machine_fail_alloc(w.m, 1);
	assert_null_refused(&w, ms_mm_new(w.m), -ENOMEM, "no memory");
	ms_machine_fail_alloc(w.m, 1);
	assert_null_refused(&w, ms_memfd_new(w.m, PAGE), -ENOMEM, "no memory");
	ms_machine_fail_alloc(w.m, 1);
	assert_null_refused(&w, ms_file_new(w.m, NULL, 0, 0, NULL, NULL), -ENOMEM, "no memory");
	ms_machine_fail_alloc(w.m, 1);
	assert_null_refused(&w, ms_fork(w.mm), -ENOMEM, "no memory");
	ms_machine_fail_alloc(w.m, 1);
	assert_refused(&w, map_anon(&w, A, PAGE, MS_PROT_R), -ENOMEM, "no memory");
	map_anon(&w, A, PAGE, MS_PROT_R);
	ms_machine_fail_alloc(w.m, 1);
	assert_access(&w, ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OOM, -ENOMEM, "no memory");
	world_end(&w);
}

static void who_waits_is_told_for_which_lock(void **state)
{
	struct world w = world("6.12.117");
	const char *reading = "the mmap lock of process 1 is held for reading";
	const char *writing = "the mmap lock of process 1 is held for writing";
	const char *mmu = "the MMU lock of a VM of process 1 is held";

	map_anon(&w, A, PAGE, MS_PROT_R);
	ms_mm_lock(w.mm, true);
	assert_refused(&w, map_anon(&w, B, PAGE, MS_PROT_R), -EBUSY, reading);
	assert_refused(&w, ms_munmap(w.mm, A, PAGE), -EBUSY, reading);
	assert_refused(&w, ms_mprotect(w.mm, A, PAGE, MS_PROT_RW), -EBUSY, reading);
	assert_refused(&w, ms_mremap(w.mm, A, PAGE, PAGE, 0, 0), -EBUSY, reading);
	assert_refused(&w, ms_mlock(w.mm, A, PAGE), -EBUSY, reading);
	assert_refused(&w, ms_munlock(w.mm, A, PAGE), -EBUSY, reading);
	assert_refused(&w, ms_madvise(w.mm, A, PAGE, MS_MADV_DONTFORK), -EBUSY, reading);
	assert_null_refused(&w, ms_fork(w.mm), -EBUSY, reading);
	ms_mm_unlock(w.mm, true);
	ms_mm_lock(w.mm, false);
	assert_refused(&w, ms_madvise(w.mm, A, PAGE, MS_MADV_DONTNEED), -EBUSY, writing);
	assert_access(&w, ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_WAITS, -EBUSY, writing);
	ms_mm_unlock(w.mm, false);
	ms_mm_block_notifiers(w.mm);
	assert_refused(&w, ms_munmap(w.mm, A, PAGE), -EBUSY, mmu);
	ms_mm_unblock_notifiers(w.mm);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mmap_of_wrong_arguments),
		cmocka_unit_test(mmap_of_what_has_no_room),
		cmocka_unit_test(mmap_of_a_file),
		cmocka_unit_test(mmap_of_a_driver_that_refuses),
		cmocka_unit_test(mmap_of_hugetlb_files),
		cmocka_unit_test(too_many_vmas),
		cmocka_unit_test(an_errno_that_becomes_another_keeps_its_reason),
		cmocka_unit_test(munmap_of_wrong_arguments),
		cmocka_unit_test(what_a_vmas_callbacks_refuse),
		cmocka_unit_test(mprotect_of_wrong_arguments),
		cmocka_unit_test(mremap_of_wrong_arguments_in_either_order),
		cmocka_unit_test(mremap_of_a_vma_that_does_not_allow_it),
		cmocka_unit_test(mremap_of_hugetlb_memory),
		cmocka_unit_test(madvise_of_wrong_arguments),
		cmocka_unit_test(madvise_of_a_vma_that_does_not_allow_it),
		cmocka_unit_test(madvise_of_hugetlb_memory),
		cmocka_unit_test(what_is_not_collapsed),
		cmocka_unit_test(what_of_a_file_is_not_collapsed),
		cmocka_unit_test(mlock_of_wrong_arguments),
		cmocka_unit_test(without_memory_that_is_the_reason),
		cmocka_unit_test(who_waits_is_told_for_which_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
