/* SPDX-License-Identifier: GPL-2.0-only */
/* What processes do. */
#include "api.h"

#include <errno.h>
#include <stdlib.h>

/* All that prot, flags or advice may be, and sometimes what they may not. */
static unsigned int prot_of(uint8_t byte)
{
	return byte % 9 == 8 ? byte : byte % 8 ? byte % 8 : MS_PROT_RW;
}

static unsigned int map_flags_of(uint8_t byte)
{
	static const unsigned int fixed[] = { MS_MAP_FIXED, MS_MAP_FIXED, MS_MAP_FIXED_NOREPLACE,
					      0 };
	unsigned int flags = byte & 1 ? MS_MAP_SHARED : MS_MAP_PRIVATE;

	flags |= fixed[byte >> 1 & 3];
	if ((byte >> 3 & 7) == 7)
		flags |= MS_MAP_POPULATE;
	if ((byte >> 3 & 7) == 6)
		flags |= MS_MAP_NORESERVE;
	return byte == 0xff ? 0xffff : flags;
}

void api_mmap(struct api_side *s, const uint8_t *r)
{
	struct ms_mm *mm = api_mm(s, r);
	uint64_t base, len = api_small_length(s, r);
	struct ms_file *file = api_file(s, r[5], &base);
	uint64_t off = base + (r[6] & 0x80 ? r[6] % 8 * s->block : r[6] % 128 * s->page);

	if (!mm)
		return;
	api_result(s, ms_mmap(mm, api_address(s, r), len, prot_of(r[5] >> 4 ^ r[7] >> 5),
			      map_flags_of(r[7]) | (file ? 0 : MS_MAP_ANONYMOUS), file,
			      file ? off : 0));
}

void api_munmap(struct api_side *s, const uint8_t *r)
{
	struct ms_mm *mm = api_mm(s, r);

	if (mm)
		api_result(s, ms_munmap(mm, api_address(s, r), api_length(s, r)));
}

void api_mprotect(struct api_side *s, const uint8_t *r)
{
	struct ms_mm *mm = api_mm(s, r);

	if (mm)
		api_result(s, ms_mprotect(mm, api_address(s, r), api_length(s, r),
					  r[5] % 9 == 8 ? r[5] : r[5] % 8));
}

void api_mremap(struct api_side *s, const uint8_t *r)
{
	const uint8_t to[RECORD] = { 0, r[1] >> 2, r[6], r[7], r[5] };
	struct ms_mm *mm = api_mm(s, r);
	uint64_t len = api_length(s, r);
	uint64_t new_len = r[5] & 0x80 ? api_small_length(s, to) : len;

	if (mm)
		api_result(s, ms_mremap(mm, api_address(s, r), len, new_len, r[5] & 0xf,
					api_address(s, to)));
}

void api_madvise(struct api_side *s, const uint8_t *r)
{
	struct ms_mm *mm = api_mm(s, r);

	if (mm)
		api_result(s, ms_madvise(mm, api_address(s, r), api_length(s, r),
					 (enum ms_advice)(r[5] % (MS_MADV_COLLAPSE + 1))));
}

void api_mlock(struct api_side *s, const uint8_t *r)
{
	struct ms_mm *mm = api_mm(s, r);

	if (!mm)
		return;
	if (r[5] & 1)
		api_result(s, ms_mlock(mm, api_address(s, r), api_length(s, r)));
	else
		api_result(s, ms_munlock(mm, api_address(s, r), api_length(s, r)));
}

void api_touch(struct api_side *s, const uint8_t *r)
{
	static const unsigned int access[] = { MS_PROT_R, MS_PROT_W, MS_PROT_W, MS_PROT_X };
	ms_hva_t addr = api_address(s, r) + r[6];
	struct ms_mm *mm = api_mm(s, r);

	for (unsigned int n = r[4] % 16 + 1; mm && n; n--, addr += s->page) {
		enum ms_access ended = ms_touch(mm, addr, access[r[5] % 4]);

		api_answer(s, ended);
		if (ended != MS_ACCESS_OK)
			api_refused(s);
	}
}

void api_gup(struct api_side *s, const uint8_t *r)
{
	struct ms_mm *mm = api_mm(s, r);
	ms_hva_t addr = api_address(s, r);
	bool writable = false;
	ms_pfn_t pfn = 0;

	if (!mm)
		return;
	switch (r[5] % 3) {
	case 0:
		api_result(s, ms_get_user_page(mm, addr, r[6] & 1, &pfn, &writable));
		break;
	case 1:
		api_result(s, ms_get_user_page_fast(mm, addr, r[6] & 1, &pfn));
		break;
	case 2:
		api_result(s, ms_fixup_user_fault(mm, addr, r[6] & 1));
		break;
	}
	api_answer(s, pfn << 1 | writable);
}

static void look_at_vmas(struct api_side *s, struct ms_mm *mm)
{
	struct ms_vma *vma = ms_find_vma(mm, 0);
	unsigned int count = 0;
	ms_hva_t end = 0;

	for (; vma; vma = ms_vma_next(vma), count++) {
		char flags[MS_VMFLAGS_MAX];

		if (vma->vm_start < end || vma->vm_end <= vma->vm_start)
			fuzz_fail("a VMA at %#llx is empty or overlaps the one before",
				  (unsigned long long)vma->vm_start);
		end = vma->vm_end;
		api_answer(s, vma->vm_start ^ vma->vm_flags << 20);
		api_answer(s, vma->vm_end ^ vma->vm_pgoff << 20 ^ vma->vm_page_prot);
		for (const char *c = ms_vma_flags_str(vma, flags, sizeof(flags)); *c; c++)
			api_answer(s, (uint64_t)*c);
	}
	if (count != ms_mm_map_count(mm))
		fuzz_fail("%u VMAs, and map_count is %u", count, ms_mm_map_count(mm));
}

static void look_at_leaves(struct api_side *s, struct ms_mm *mm)
{
	ms_hva_t at = 0, last = 0;
	struct ms_host_leaf leaf, same;

	while (ms_host_next_leaf(mm, at, UINT64_MAX, &leaf)) {
		struct ms_vma *vma = ms_vma_lookup(mm, leaf.start);
		uint64_t entry;

		if (leaf.start < last || !vma)
			fuzz_fail("a leaf at %#llx that is in no VMA, or not the next one",
				  (unsigned long long)leaf.start);
		if (!ms_host_leaf(mm, leaf.start, &same) || same.entry != leaf.entry ||
		    ms_host_walk(mm, leaf.start, &entry) != leaf.level)
			fuzz_fail("a leaf at %#llx is there or not, depending on who asks",
				  (unsigned long long)leaf.start);
		api_answer(s, leaf.start ^ leaf.entry << 8 ^ leaf.size);
		last = at = leaf.start + leaf.size;
	}
}

void api_look(struct api_side *s, const uint8_t *r)
{
	struct ms_mm *mm = api_mm(s, r);
	struct ms_pfnmap_leaf leaf = { .pfn = 0 };
	struct ms_vma *vma;

	if (!mm)
		return;
	look_at_vmas(s, mm);
	look_at_leaves(s, mm);
	vma = ms_vma_lookup(mm, api_address(s, r));
	// a huge leaf in the way is the kernel's BUG where only PTEs are known
	if (vma && vma->vm_flags & (MS_VM_PFNMAP | MS_VM_IO))
		api_result(s, ms_follow_pfnmap(vma, api_address(s, r), &leaf));
	api_answer(s, leaf.pfn);
}

void api_fork(struct api_side *s, const uint8_t *r)
{
	struct ms_mm *mm = api_mm(s, r);
	unsigned int free_slot = 0;

	while (free_slot < API_MMS && s->mm[free_slot])
		free_slot++;
	if (!mm || free_slot == API_MMS)
		return;
	errno = 0;
	s->mm[free_slot] = ms_fork(mm);
	if (!s->mm[free_slot] && !errno)
		fuzz_fail("fork: no child, and no error");
	api_result(s, s->mm[free_slot] ? 0 : -errno);
}

void api_new_mm(struct api_side *s, const uint8_t *r)
{
	struct ms_mm **mm = &s->mm[r[1] >> 4 & 3];

	if (!*mm)
		*mm = ms_mm_new(s->m);
	api_answer(s, !*mm);
}

void api_exit_mm(struct api_side *s, const uint8_t *r)
{
	struct ms_mm **mm = &s->mm[r[1] >> 4 & 3], *exits = *mm;

	// a process cannot end while a call of its own goes on
	if (s->depth || !exits)
		return;
	*mm = NULL;
	ms_mm_exit(exits);
}
