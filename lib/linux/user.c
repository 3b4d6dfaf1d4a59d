/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes of a process's memory, as driver code and the process itself read and write them: page by
 * page through its page table, with the faults that the CPU takes.
 */
#include "base/poison.h"
#include "linux/state.h"

enum fault { FAULTS, NO_FAULT };

/*
 * The page is present with the right that is asked for, or made so. false: the access faults, and
 * nobody mends it. *pa: where the page of addr lies.
 */
static bool reach(struct ms_mm *mm, ms_hva_t addr, unsigned int prot, enum fault fault, ms_pa_t *pa)
{
	struct ms_host_leaf leaf;

	if (fault == NO_FAULT && !ms_host_leaf(mm, addr, &leaf))
		return false;
	if (ms_touch(mm, addr, prot) != MS_ACCESS_OK || !ms_host_leaf(mm, addr, &leaf))
		return false;
	*pa = (leaf.entry & MS_PTE_PA_MASK) + (addr - leaf.start);
	return true;
}

/* What is in a page at pa; of what is no RAM, all ones: nothing answers there. */
static bool load(struct ms_machine *m, ms_pa_t pa, void *to, uint64_t n)
{
	const ms_pfn_t pfn = pa >> m->page_shift;
	const char *bytes;

	if (!ms_pfn_is_ram(m, pfn)) {
		memset(to, 0xff, n);
		return true;
	}
	bytes = ms_page_bytes(m, pfn, false);
	if (bytes)
		ms_copy_page_bytes(to, bytes + (pa & (m->page_size - 1)), n);
	else
		memset(to, 0, n);
	return true;
}

/* from NULL: zeroes. false: no memory for the page's bytes. */
static bool store(struct ms_machine *m, ms_pa_t pa, const void *from, uint64_t n)
{
	const ms_pfn_t pfn = pa >> m->page_shift;
	char *bytes;

	if (!ms_pfn_is_ram(m, pfn))
		return true;
	bytes = ms_page_bytes(m, pfn, from != NULL);
	if (!bytes)
		return !from;
	bytes += pa & (m->page_size - 1);
	if (from)
		ms_copy_page_bytes(bytes, from, n);
	else
		memset(bytes, 0, n);
	return true;
}

struct copy {
	struct ms_mm *mm;
	void *to;         /* of a read */
	const void *from; /* of a write; NULL: zeroes */
	bool write;
	enum fault fault;
};

static bool copy_part(const struct copy *c, ms_hva_t addr, uint64_t done, uint64_t n)
{
	struct ms_machine *m = ms_mm_machine(c->mm);
	ms_pa_t pa;

	if (!reach(c->mm, addr, c->write ? MS_PROT_W : MS_PROT_R, c->fault, &pa))
		return false;
	if (c->write)
		return store(m, pa, c->from ? (const char *)c->from + done : NULL, n);
	return load(m, pa, (char *)c->to + done, n);
}

/* Answers how many bytes are left. */
static unsigned long copy(const struct copy *c, ms_hva_t addr, unsigned long n)
{
	struct ms_machine *m = ms_mm_machine(c->mm);
	unsigned long done = 0;

	while (done < n) {
		const ms_hva_t at = addr + done;
		const uint64_t part =
			ms_min_u64(n - done, m->page_size - (at & (m->page_size - 1)));

		if (!copy_part(c, at, done, part))
			break;
		done += part;
	}
	return n - done;
}

// mirrors access_ok(), include/linux/uaccess.h, 5.10+
bool ms_linux_access_ok(unsigned long addr, unsigned long size)
{
	struct ms_machine *m = ms_linux_here("access_ok");
	const ms_hva_t end = m ? ms_task_size(m) : 0;

	return size <= end && addr <= end - size;
}

/* The process for which driver code runs, NULL: its memory cannot be reached. what NULL: no fault
 * is taken.
 * mirrors might_fault(), mm/memory.c, 5.10+ */
static struct ms_mm *user_mm(const char *what, unsigned long addr, unsigned long n)
{
	struct ms_machine *m = ms_linux_here(what ? what : "copy_from_user_nofault");
	struct ms_mm *mm = m ? m->call.mm : NULL;

	if (!m)
		return NULL;
	if (!mm) {
		ms_violation(m, ms_text(m, "%s outside of a process", what ? what : "a copy"),
			     addr);
		return NULL;
	}
	if (what)
		ms_linux_might_sleep(what);
	if (what && ms_mm_lock_state(mm) != MS_MMAP_FREE)
		ms_violation(m,
			     ms_text(m, "%s may fault, and the mmap lock is held: a deadlock",
					   what),
			     addr);
	return ms_linux_access_ok(addr, n) ? mm : NULL;
}

unsigned long ms_linux_read_user(void *to, unsigned long from, unsigned long n, const char *what)
{
	const struct copy c = {
		.mm = n ? user_mm(what, from, n) : NULL,
		.to = to,
		.fault = what ? FAULTS : NO_FAULT,
	};

	return c.mm ? copy(&c, from, n) : n;
}

unsigned long ms_linux_write_user(unsigned long to, const void *from, unsigned long n,
				  const char *what)
{
	const struct copy c = {
		.mm = n ? user_mm(what, to, n) : NULL,
		.from = from,
		.write = true,
		.fault = what ? FAULTS : NO_FAULT,
	};

	return c.mm ? copy(&c, to, n) : n;
}

unsigned long ms_linux_load(struct ms_mm *mm, void *to, unsigned long addr, unsigned long n)
{
	const struct copy c = { .mm = mm, .to = to, .fault = FAULTS };

	return mm && to ? copy(&c, addr, n) : n;
}

unsigned long ms_linux_store(struct ms_mm *mm, unsigned long addr, const void *from,
			     unsigned long n)
{
	const struct copy c = { .mm = mm, .from = from, .write = true, .fault = FAULTS };

	return mm && from ? copy(&c, addr, n) : n;
}

/* Of a page of RAM that is known: no fault, no right is asked for. */
bool ms_linux_page_bytes(struct ms_machine *m, ms_pfn_t pfn, uint64_t offset, void *buf, uint64_t n,
			 bool write)
{
	const ms_pa_t pa = (pfn << m->page_shift) + offset;

	return write ? store(m, pa, buf, n) : load(m, pa, buf, n);
}
