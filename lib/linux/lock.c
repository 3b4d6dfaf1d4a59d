/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locks that are never waited for, because there is one thread; what is wrong with their use is a
 * violation. Mirrors what kernel/locking/lockdep.c looks for, as far as one thread can show it: the
 * order of two locks is wrong when each was seen to be taken while the other was held.
 */
#include "linux/state.h"

#include <stdio.h>

#define NO_CLASS MS_LINUX_CLASSES
#define MMAP_CLASS 0

/* ---- classes and their order ---- */

static unsigned int class_of(struct ms_machine *m, struct ms_linux *lx,
			     const struct ms_linux_lock *lock)
{
	for (unsigned int i = 1; i < lx->nr_classes; i++) {
		const struct ms_lock_class *class = &lx->class[i];

		if (class->line == lock->line && !strcmp(class->name, lock->name) &&
		    !strcmp(class->file, lock->file))
			return i;
	}
	if (lx->nr_classes == MS_LINUX_CLASSES) {
		ms_log(m, "too many kinds of locks: the order of some is not checked", 0, 0);
		return NO_CLASS;
	}
	lx->class[lx->nr_classes] = (struct ms_lock_class){ .name = lock->name,
							    .file = lock->file,
							    .line = lock->line };
	return lx->nr_classes++;
}

/* Was a lock of class `to` ever taken, over however many others, after one of `from`? */
static bool leads_to(const struct ms_linux *lx, unsigned int from, unsigned int to)
{
	uint64_t seen = UINT64_C(1) << from, todo = seen;

	while (todo) {
		const unsigned int class = (unsigned int)__builtin_ctzll(todo);

		todo &= todo - 1;
		if (lx->class[class].after >> to & 1)
			return true;
		todo |= lx->class[class].after & ~seen;
		seen |= lx->class[class].after;
	}
	return false;
}

static void note_order(struct ms_machine *m, struct ms_linux *lx, unsigned int first,
		       unsigned int then, bool nested)
{
	if (first == NO_CLASS || then == NO_CLASS)
		return;
	if (first == then) {
		if (!nested)
			ms_violation(m,
				     ms_text(m, "possible recursive locking: two of %s",
					     lx->class[then].name),
				     0);
		return;
	}
	if (lx->class[first].after >> then & 1)
		return;
	if (leads_to(lx, then, first))
		ms_violation(m,
			     ms_text(m,
				     "possible circular locking: %s taken under %s, which was "
				     "taken under it",
				     lx->class[then].name, lx->class[first].name),
			     0);
	lx->class[first].after |= UINT64_C(1) << then;
}

/* ---- what is held ---- */

/* Is a driver called under the mmap lock of its process? The call that led to it holds that lock.
 */
static bool mmap_lock_of_call(const struct ms_machine *m)
{
	return m->call.mm && ms_mm_lock_state(m->call.mm) != MS_MMAP_FREE;
}

static bool is_held(const struct ms_machine *m, const void *lock)
{
	for (unsigned int i = 0; i < m->call.locks; i++)
		if (m->kernel->held[i].lock == lock)
			return true;
	return false;
}

static void note_orders(struct ms_machine *m, struct ms_linux *lx, unsigned int class, bool nested)
{
	if (mmap_lock_of_call(m) && !is_held(m, m->call.mm))
		note_order(m, lx, MMAP_CLASS, class, nested);
	for (unsigned int i = 0; i < m->call.locks; i++)
		note_order(m, lx, lx->held[i].class, class, nested);
}

static void push(struct ms_machine *m, struct ms_linux *lx, const void *lock, unsigned int class,
		 bool spins)
{
	if (m->call.locks == MS_LINUX_HELD) {
		ms_violation(m, "too many locks held at once", 0);
		return;
	}
	lx->held[m->call.locks++] =
		(struct ms_held){ .lock = lock, .class = class, .spins = spins };
}

static void pop(struct ms_machine *m, struct ms_linux *lx, const void *lock)
{
	unsigned int i = m->call.locks;

	while (i > 0 && lx->held[i - 1].lock != lock)
		i--;
	if (!i)
		return;
	memmove(&lx->held[i - 1], &lx->held[i], (m->call.locks - i) * sizeof(lx->held[0]));
	m->call.locks--;
}

void ms_linux_might_sleep(const char *what)
{
	struct ms_machine *m = ms_current_machine();

	if (m && (m->call.rcu || (m->kernel && m->kernel->rcu_depth))) {
		ms_violation(m, ms_text(m, "%s may sleep, and rcu_read_lock() is held", what), 0);
		return;
	}
	if (m && m->kernel && m->kernel->atomic)
		ms_violation(m, ms_text(m, "%s may sleep, and a timer's function runs", what), 0);
	for (unsigned int i = 0; m && i < m->call.locks; i++) {
		const struct ms_held *held = &m->kernel->held[i];

		if (!held->spins)
			continue;
		ms_violation(m,
			     ms_text(m, "%s may sleep, and spinlock %s is held", what,
				     m->kernel->class[held->class % MS_LINUX_CLASSES].name),
			     0);
		return;
	}
}

void ms_linux_sleeps(const char *what, unsigned long jiffies_at_most)
{
	ms_linux_might_sleep(what);
	ms_linux_run_pending(ms_current_machine(), jiffies_at_most);
}

/* ---- mutex, rwsem, spinlock ---- */

static bool lock_is_valid(struct ms_machine *m, struct ms_linux_lock *lock)
{
	if (lock->magic == MS_LINUX_LOCK_MAGIC)
		return true;
	ms_violation(m, "a lock is used before it was initialised", 0);
	*lock = (struct ms_linux_lock){ .magic = MS_LINUX_LOCK_MAGIC,
					.name = "(not initialised)",
					.file = "" };
	return false;
}

bool ms_linux_lock_is_held(const struct ms_linux_lock *lock)
{
	return lock->magic == MS_LINUX_LOCK_MAGIC && (lock->writers || lock->readers);
}

static bool try_would_fail(const struct ms_linux_lock *lock, bool read)
{
	return lock->writers || (!read && lock->readers);
}

bool ms_linux_lock(struct ms_linux_lock *lock, unsigned int how)
{
	struct ms_machine *m = ms_linux_here("a lock");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	const bool read = how & MS_LINUX_LOCK_READ, try = how & MS_LINUX_LOCK_TRY;
	unsigned int class = NO_CLASS;

	if (m)
		lock_is_valid(m, lock);
	if (try && try_would_fail(lock, read))
		return false;
	if (lx) {
		class = class_of(m, lx, lock);
		if (lock->kind == MS_LINUX_LOCK_SLEEPING && !try)
			ms_linux_might_sleep(lock->name);
		if (is_held(m, lock) && !try)
			ms_violation(m, ms_text(m, "%s taken again: a deadlock", lock->name), 0);
		else if (!try)
			note_orders(m, lx, class, how & MS_LINUX_LOCK_NESTED);
		push(m, lx, lock, class, lock->kind == MS_LINUX_LOCK_SPINNING);
	}
	if (read)
		lock->readers++;
	else
		lock->writers++;
	return true;
}

void ms_linux_unlock(struct ms_linux_lock *lock, bool read)
{
	struct ms_machine *m = ms_linux_here("a lock");
	unsigned int *count = read ? &lock->readers : &lock->writers;

	if (m && !lock_is_valid(m, lock))
		return;
	if (!*count) {
		if (m)
			ms_violation(m,
				     ms_text(m, "%s released, and it is not held%s", lock->name,
					     read ? " for reading" : " for writing"),
				     0);
		return;
	}
	(*count)--;
	if (m && m->kernel)
		pop(m, m->kernel, lock);
}

void ms_linux_lock_downgrade(struct ms_linux_lock *lock)
{
	struct ms_machine *m = ms_linux_here("a lock");

	if (!lock->writers) {
		if (m)
			ms_violation(m,
				     "downgrade_write of a semaphore that is not held for writing",
				     0);
		return;
	}
	lock->writers--;
	lock->readers++;
}

void ms_linux_lock_assert(const struct ms_linux_lock *lock, bool write)
{
	struct ms_machine *m = ms_linux_here("lockdep_assert_held");

	if (!m || (write ? lock->writers > 0 : ms_linux_lock_is_held(lock)))
		return;
	ms_violation(m,
		     ms_text(m, "%s not held%s",
			     lock->magic == MS_LINUX_LOCK_MAGIC ? lock->name : "a lock",
			     write ? " for writing" : ""),
		     0);
}

/* ---- the mmap lock ---- */

/*
 * The lock is asked for by code that holds it already: the kernel would deadlock. Only a try for
 * reading succeeds, where the lock is held for reading.
 */
static bool lock_again(struct ms_mm *mm, bool read, bool try)
{
	struct ms_machine *m = ms_mm_machine(mm);

	if (try && (!read || ms_mm_lock_state(mm) == MS_MMAP_WRITE))
		return false;
	if (!try)
		ms_violation(m, "mmap_lock taken again: a deadlock", 0);
	m->call.mmap_again++;
	return true;
}

/*
 * The mmap lock under which the library calls a driver is not among the held locks of this file: it
 * is lib/mm that knows of it.
 */
bool ms_linux_mmap_lock(struct ms_mm *mm, unsigned int how)
{
	if (!mm)
		return false;
	struct ms_machine *m = ms_mm_machine(mm);
	struct ms_linux *lx = ms_linux_of(m);
	const bool read = how & MS_LINUX_LOCK_READ, try = how & MS_LINUX_LOCK_TRY;

	if (ms_mm_lock_state(mm) != MS_MMAP_FREE)
		return lock_again(mm, read, try);
	if (lx && !try) {
		ms_linux_might_sleep("mmap_lock");
		note_orders(m, lx, MMAP_CLASS, false);
	}
	ms_mm_lock(mm, read);
	if (lx)
		push(m, lx, mm, MMAP_CLASS, false);
	return true;
}

void ms_linux_mmap_unlock(struct ms_mm *mm, bool read)
{
	if (!mm)
		return;
	struct ms_machine *m = ms_mm_machine(mm);

	if (m->call.mmap_again) {
		m->call.mmap_again--;
		return;
	}
	if (ms_mm_lock_state(mm) != (read ? MS_MMAP_READ : MS_MMAP_WRITE)) {
		ms_violation(m,
			     read ? "mmap_lock released, and it is not held for reading"
				  : "mmap_lock released, and it is not held for writing",
			     0);
		return;
	}
	ms_mm_unlock(mm, read);
	if (m->kernel)
		pop(m, m->kernel, mm);
}

void ms_linux_mmap_downgrade(struct ms_mm *mm)
{
	if (!mm)
		return;
	if (ms_mm_lock_state(mm) == MS_MMAP_WRITE)
		ms_mm_lock_downgrade(mm);
	else
		ms_violation(ms_mm_machine(mm),
			     "mmap_lock downgraded, and it is not held for writing", 0);
}

// mirrors mmap_assert_locked() and mmap_assert_write_locked(), include/linux/mmap_lock.h, 5.10+
void ms_linux_mmap_assert(const struct ms_mm *mm, bool write)
{
	if (!mm)
		return;
	if (write && ms_mm_lock_state(mm) != MS_MMAP_WRITE)
		ms_violation(ms_mm_machine(mm), "mmap lock not held for writing", 0);
	else if (ms_mm_lock_state(mm) == MS_MMAP_FREE)
		ms_violation(ms_mm_machine(mm), "mmap lock not held", 0);
}

// mirrors vma_start_write(), include/linux/mm.h, 6.4 .. 6.12; vma_start_write(),
// include/linux/mmap_lock.h, 7.2+
void ms_linux_vma_start_write(struct ms_vma *vma)
{
	ms_vma_door();
	if (!vma)
		return;
	struct ms_machine *m = ms_mm_machine(vma->vm_mm);

	if (m->policy.vma_flags_lock != MS_VMA_FLAGS_LOCK_UNCHECKED &&
	    ms_mm_lock_state(vma->vm_mm) != MS_MMAP_WRITE)
		ms_violation(m, "mmap lock not held for writing", vma->vm_start);
	ms_handlers_open_flags(vma);
}
