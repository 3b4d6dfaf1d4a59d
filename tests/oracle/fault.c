/* SPDX-License-Identifier: GPL-2.0-only */
/* Page-table entries: faults, zaps, changes of protection. */
#include "flat.h"

bool flat_cow(const struct area *a)
{
	return (a->flags & (MS_VM_SHARED | MS_VM_MAYWRITE)) == MS_VM_MAYWRITE;
}

/* Entries that map the frame, of whatever process. */
unsigned int flat_users(const struct flat *f, unsigned int frame)
{
	unsigned int users = 0;

	for (unsigned int n = 0; n < PROCESSES; n++)
		for (unsigned int i = 0; f->p[n].alive && i < PAGES; i++)
			users += (f->p[n].e[i].kind == E_FRAME || f->p[n].e[i].kind == E_CACHE) &&
				 f->p[n].e[i].what == frame;
	return users;
}

/* The first of them. */
unsigned int flat_new_frames(struct flat *f, unsigned int count)
{
	unsigned int first = f->frames + 1;

	if (first + count >= MAX_FRAMES) {
		f->full = true;
		return 1;
	}
	f->frames += count;
	for (unsigned int i = first; i <= f->frames; i++) {
		f->exclusive[i] = true;
		f->folio[i] = count > 1 ? first : 0;
	}
	return first;
}

/* The part of anon_vma_compatible() that looks at more than the two objects. */
static bool shares_anon(const struct flat *f, const struct area *a, const struct area *b)
{
	if (f->policy->private_file_merge == MS_PRIVATE_FILE_MERGE_BOTH_OFFSETS &&
	    a->anon_pgoff + 1 != b->anon_pgoff)
		return false;
	return a->vma && b->vma && a->file == b->file && a->pgoff + 1 == b->pgoff &&
	       !((a->flags ^ b->flags) & ~(MS_VM_ACCESS | MS_VM_SOFTDIRTY));
}

/* anon_vma_prepare: the next VMA's, the previous one's, or a new one. */
void flat_prepare_anon(struct flat *f, struct process *p, unsigned int page)
{
	unsigned int first = flat_first(p, page), end = flat_end(p, page);
	const struct area *next = end < PAGES ? &p->a[end] : NULL;
	const struct area *prev = first ? &p->a[first - 1] : NULL;
	unsigned int anon = 0;

	if (p->a[page].anon)
		return;
	if (next && next->anon && next->chain == 1 && shares_anon(f, &p->a[end - 1], next))
		anon = next->anon;
	else if (prev && prev->anon && prev->chain == 1 && shares_anon(f, prev, &p->a[first]))
		anon = prev->anon;
	else
		anon = ++f->anons;
	for (unsigned int i = first; i < end; i++) {
		p->a[i].anon = anon;
		p->a[i].chain = 1;
	}
}

void flat_fill(struct process *p, unsigned int page, struct entry e)
{
	p->populated = true;
	p->table[page / BLOCK] = true;
	p->e[page] = e;
}

/* A page of its own; what was there before is copied, and who watches is told. */
static enum ms_access own_copy(struct flat *f, struct process *p, unsigned int page)
{
	struct entry old = p->e[page];
	bool copied = old.kind != E_NONE;
	unsigned int frame = flat_new_frames(f, 1);

	flat_lru_add_copy(f, &p->a[page], frame);
	f->copy_of[frame] = old.kind == E_FRAME ? (unsigned int)old.what : 0;
	flat_prepare_anon(f, p, page);
	if (copied)
		flat_notify(f, p, page, page + 1);
	flat_fill(p, page,
		  (struct entry){ .kind = E_FRAME,
				  .what = frame,
				  .write = true,
				  .dirty = true,
				  .cache = p->a[page].cache });
	if (copied)
		flat_change_pte(f, p, page);
	flat_left(f, &p->a[page], &old);
	if (p->a[page].flags & MS_VM_LOCKED)
		flat_lock_copy(f, frame, &old);
	return MS_ACCESS_OK;
}

/* Entries of one process that map pages of a huge page, each its own. */
static unsigned int mapped_by(const struct flat *f, const struct process *p, unsigned int head)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < PAGES; i++)
		count += p->e[i].kind == E_FRAME && f->folio[p->e[i].what] == head;
	return count;
}

/* wp_can_reuse_anon_folio() of a page of a huge page whose leaf was split. */
static bool reuses_part(const struct flat *f, const struct process *p, unsigned int frame)
{
	unsigned int here;

	switch (f->policy->anon_large_reuse) {
	case MS_ANON_LARGE_REUSE_IF_SOLE_REFERENCE:
		return flat_holders(f, frame) == 1;
	case MS_ANON_LARGE_REUSE_IF_ALL_MAPPED_HERE:
		here = mapped_by(f, p, f->folio[frame]);
		return here > 1 && here == flat_holders(f, frame);
	default:
		return false;
	}
}

/* do_wp_page() of an anonymous page. */
static bool reuses(struct flat *f, const struct process *p, unsigned int frame)
{
	if (f->policy->anon_reuse == MS_ANON_REUSE_SOLE_REFERENCE)
		return flat_holders(f, frame) == 1 && !flat_queued(f, frame);
	if (f->exclusive[frame])
		return true;
	if (f->folio[frame])
		return reuses_part(f, p, frame);
	return flat_is_sole(f, frame);
}

static enum ms_access write_protected(struct flat *f, struct process *p, unsigned int page)
{
	struct entry *e = &p->e[page];

	if (p->a[page].flags & MS_VM_SHARED) {
		e->write = e->dirty = e->soft = true;
		return MS_ACCESS_OK;
	}
	if (e->kind == E_FRAME && reuses(f, p, (unsigned int)e->what)) {
		f->exclusive[e->what] = true;
		e->write = e->dirty = true;
		return MS_ACCESS_OK;
	}
	return own_copy(f, p, page);
}

static bool pfnmap_huge(const struct flat *f, const struct area *a)
{
	switch (f->policy->pfnmap_huge_fault) {
	case MS_PFNMAP_HUGE_FAULT_NEVER:
		return false;
	case MS_PFNMAP_HUGE_FAULT_ALWAYS:
		return !(a->flags & MS_VM_NOHUGEPAGE);
	default:
		return flat_thp_allowed(f, a);
	}
}

/* A driver's own page, or 2M of them where VMA, address and BAR allow and no table is there yet. */
static void driver_fault(struct flat *f, struct process *p, unsigned int page, bool write)
{
	const struct area *a = &p->a[page];
	unsigned int base = page / BLOCK * BLOCK;
	bool huge = a->source == SRC_DRIVER_HUGE && !p->table[page / BLOCK] && pfnmap_huge(f, a) &&
		    flat_fits_leaf(p, page) && !(p->a[base].pgoff % BLOCK);
	struct entry e = { .kind = E_PFN,
			   .what = a->pgoff,
			   .write = a->flags & MS_VM_WRITE,
			   .dirty = write,
			   .cache = a->cache };

	if (flat_tracks(f))
		e.cache = flat_lookup(f, a->pgoff << 12);
	if (!huge) {
		flat_fill(p, page, e);
		return;
	}
	p->leaf[page / BLOCK] = true;
	for (unsigned int i = base; i < PAGES && i < base + BLOCK; i++) {
		e.what = p->a[i].pgoff;
		p->e[i] = e;
	}
}

static void file_frame(struct flat *f, uint64_t pgoff)
{
	if (f->memfd[pgoff])
		return;
	f->memfd[pgoff] = flat_new_frames(f, 1);
	flat_lru_add(f, f->memfd[pgoff]);
	f->exclusive[f->memfd[pgoff]] = false;
	f->cached[f->memfd[pgoff]] = true;
}

static void map_file_page(struct flat *f, struct process *p, unsigned int page, bool write)
{
	const struct area *a = &p->a[page];

	flat_fill(p, page,
		  (struct entry){ .kind = E_CACHE,
				  .what = f->memfd[a->pgoff],
				  .write = (a->flags & MS_VM_SHARED) && (a->flags & MS_VM_WRITE),
				  .dirty = write,
				  .cache = a->cache });
}

/* do_fault_around: what the file has of the 64K around, from the VMA's start on. */
static void fault_around(struct flat *f, struct process *p, unsigned int page)
{
	unsigned int first = flat_first(p, page), end = flat_end(p, page);
	unsigned int skew = (WINDOW >> 12) % 16;
	unsigned int from = (page + skew) / 16 * 16 < skew ? 0 : (page + skew) / 16 * 16 - skew;
	unsigned int to;

	from = from < first ? first : from;
	to = from + 16 < end ? from + 16 : end;
	if (to > (page / BLOCK + 1) * BLOCK)
		to = (page / BLOCK + 1) * BLOCK;
	for (; from < to; from++)
		if (p->e[from].kind == E_NONE && f->memfd[p->a[from].pgoff])
			map_file_page(f, p, from, false);
}

/* do_read_fault, do_shared_fault, do_cow_fault */
static enum ms_access file_fault(struct flat *f, struct process *p, unsigned int page, bool write)
{
	bool private = !(p->a[page].flags & MS_VM_SHARED);

	if (!write)
		fault_around(f, p, page);
	if (p->e[page].kind != E_NONE)
		return MS_ACCESS_OK;
	file_frame(f, p->a[page].pgoff);
	if (write && private)
		return own_copy(f, p, page);
	map_file_page(f, p, page, write);
	return MS_ACCESS_OK;
}

static enum ms_access absent(struct flat *f, struct process *p, unsigned int page, bool write)
{
	const struct area *a = &p->a[page];

	if (a->source >= SRC_DRIVER_LAZY) {
		driver_fault(f, p, page, write);
		return MS_ACCESS_OK;
	}
	if (a->source == SRC_VFIO)
		return flat_vfio_fault(f, p, page, write);
	if (a->source == SRC_MEMFD)
		return file_fault(f, p, page, write);
	if (a->source != SRC_ANON)
		return MS_ACCESS_SIGBUS;
	if (flat_huge_fault(f, p, page, write))
		return MS_ACCESS_OK;
	if (write)
		return own_copy(f, p, page);
	flat_fill(p, page, (struct entry){ .kind = E_ZERO, .cache = a->cache });
	return MS_ACCESS_OK;
}

/* One access of the CPU. */
enum ms_access flat_touch(struct flat *f, struct process *p, unsigned int page, bool write)
{
	const struct area *a = &p->a[page];
	struct entry *e = &p->e[page];
	unsigned int base = page / BLOCK * BLOCK;

	if (!a->vma || !(a->flags & MS_VM_ACCESS) || (write && !(a->flags & MS_VM_WRITE)))
		return MS_ACCESS_SIGSEGV;
	if (flat_hugetlb(a))
		return flat_hugetlb_fault(f, p, page, write);
	p->populated = true;
	if (e->kind == E_NONE)
		return absent(f, p, page, write);
	if (write && !e->write && flat_huge_write(f, p, page))
		return MS_ACCESS_OK;
	if (write && e->kind == E_NONE)
		return absent(f, p, page, write);
	if (write && !e->write)
		return write_protected(f, p, page);
	for (unsigned int i = base; p->leaf[base / BLOCK] && i < PAGES && i < base + BLOCK; i++)
		p->e[i].dirty |= write;
	e->dirty |= write;
	return MS_ACCESS_OK;
}

/* Entries go; up to 6.15 a VMA with VM_PAT loses its reservation with the first of them. */
void flat_zap(struct flat *f, struct process *p, unsigned int at, unsigned int end)
{
	if (p->a[at].flags & MS_VM_PFNMAP)
		flat_untrack(f, p, at);
	for (; at < end; at++) {
		unsigned int base = at / BLOCK * BLOCK;

		if (p->leaf[at / BLOCK] && (at > base || base + BLOCK > end))
			flat_split_leaf(f, p, at / BLOCK);
		p->leaf[at / BLOCK] = false;
		flat_left(f, &p->a[at], &p->e[at]);
		p->e[at] = (struct entry){ 0 };
	}
}

/* can_change_pte_writable of a private page, can_change_pmd_writable of a huge one. */
static bool writable_at_once(const struct flat *f, const struct entry *e, bool leaf, bool hugetlb)
{
	unsigned int frame = (unsigned int)e->what;

	if (e->kind != E_FRAME || hugetlb)
		return false;
	if (leaf)
		return f->policy->mprotect_pmd_upgrade != MS_MPROTECT_PMD_UPGRADE_NO &&
		       f->exclusive[f->folio[frame]];
	if (f->policy->mprotect_pte_upgrade == MS_MPROTECT_PTE_UPGRADE_SHARED_ONLY)
		return false;
	return f->exclusive[frame] &&
	       (e->dirty || f->policy->mprotect_pte_upgrade == MS_MPROTECT_PTE_UPGRADE_ANON_ANY);
}

/* vma_wants_writenotify: kernfs has a page_mkwrite, so only what is dirty is writable at once. */
static bool shared_writable(const struct flat *f, const struct area *a, const struct entry *e)
{
	bool seen = e->soft || f->policy->arch == MS_ARCH_ARM64 ||
		    f->policy->mprotect_shared_upgrade == MS_MPROTECT_SHARED_UPGRADE_DIRTY;

	return (a->source != SRC_BAR && a->source != SRC_BAR_WC) || (e->dirty && seen);
}

/* PROTECTION_VMA: from what is populated on. */
static void tell_of_protection(struct flat *f, const struct process *p, unsigned int at,
			       unsigned int end)
{
	if (flat_hugetlb(&p->a[at]))
		flat_notify(f, p, at, end);
	if (!p->populated || flat_hugetlb(&p->a[at]))
		return;
	if (f->policy->mprotect_notify == MS_MPROTECT_NOTIFY_PER_1G_FROM_FIRST_PMD)
		while (at < end && !p->table[at / BLOCK] && !p->leaf[at / BLOCK])
			at++;
	if (at < end)
		flat_notify(f, p, at, end);
}

/* change_pte_range: the flags are the new ones already. */
void flat_change_protection(struct flat *f, struct process *p, unsigned int at, unsigned int end)
{
	unsigned int first = at;

	tell_of_protection(f, p, at, end);
	for (; at < end; at++) {
		const struct area *a = &p->a[at];
		struct entry *e = &p->e[at];
		unsigned int base = at / BLOCK * BLOCK;

		if (p->leaf[at / BLOCK] && (first > base || base + BLOCK > end))
			flat_split_leaf(f, p, at / BLOCK);
		e->none = !(a->flags & MS_VM_ACCESS);
		e->write = a->flags & MS_VM_WRITE &&
			   (a->flags & MS_VM_SHARED
				    ? shared_writable(f, a, e)
				    : writable_at_once(f, e, p->leaf[at / BLOCK], flat_hugetlb(a)));
		// x86's pte_modify() keeps the type of the entry, arm64's takes the VMA's
		if (f->policy->arch == MS_ARCH_ARM64)
			e->cache = a->cache;
	}
}
