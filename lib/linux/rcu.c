/* SPDX-License-Identifier: GPL-2.0-only */
/* rcu_read_lock() and what waits for its end. */
#include "linux/state.h"

#define MAX_OFFSET 4096u

void ms_linux_rcu_read_lock(void)
{
	struct ms_machine *m = ms_linux_here("rcu_read_lock");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;

	if (lx)
		lx->rcu_depth++;
}

/* A callback may queue others, which come behind it. */
static void run_callbacks(struct ms_linux *lx)
{
	while (lx->rcu && !lx->rcu_depth) {
		struct ms_rcu_head *head = lx->rcu;

		lx->rcu = head->next;
		if (!lx->rcu)
			lx->rcu_end = &lx->rcu;
		if ((uintptr_t)head->func < MAX_OFFSET)
			ms_linux_free((char *)head - (uintptr_t)head->func);
		else
			head->func(head);
	}
}

void ms_linux_rcu_read_unlock(void)
{
	struct ms_machine *m = ms_linux_here("rcu_read_unlock");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;

	if (!lx)
		return;
	if (!lx->rcu_depth) {
		ms_violation(m, "rcu_read_unlock without rcu_read_lock", 0);
		return;
	}
	lx->rcu_depth--;
	run_callbacks(lx);
}

unsigned int ms_linux_rcu_depth(void)
{
	struct ms_machine *m = ms_current_machine();

	return m ? (m->kernel ? m->kernel->rcu_depth : 0) + m->call.rcu : 0;
}

static void queue(struct ms_linux *lx, struct ms_rcu_head *head)
{
	head->next = NULL;
	*lx->rcu_end = head;
	lx->rcu_end = &head->next;
	run_callbacks(lx);
}

void ms_linux_call_rcu(void *rcu_head, void (*func)(void *head))
{
	struct ms_machine *m = ms_linux_here("call_rcu");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	struct ms_rcu_head *head = rcu_head;

	if (!lx || !head || !func)
		return;
	head->func = func;
	queue(lx, head);
}

/* In the place of the function stands how far the head lies behind the start of its object.
 * mirrors kvfree_call_rcu(), kernel/rcu/tree.c, 5.10 .. 6.12 */
void ms_linux_kfree_rcu(void *rcu_head, const void *object)
{
	struct ms_machine *m = ms_linux_here("kfree_rcu");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	struct ms_rcu_head *head = rcu_head;

	if (!lx || !object)
		return;
	if (!head) {
		ms_linux_synchronize_rcu("kfree_rcu of one argument");
		ms_linux_free(object);
		return;
	}
	const uintptr_t offset = (uintptr_t)head - (uintptr_t)object;

	if (offset >= MAX_OFFSET) {
		ms_violation(m, "kfree_rcu: the rcu_head is not in the first 4096 bytes", 0);
		return;
	}
	head->func = (void (*)(void *))offset;
	queue(lx, head);
}

void ms_linux_synchronize_rcu(const char *what)
{
	struct ms_machine *m = ms_linux_here(what);

	if (m && m->kernel && m->kernel->rcu_depth)
		ms_violation(m,
			     ms_text(m, "%s inside of rcu_read_lock(): a deadlock", what), 0);
	else
		ms_linux_might_sleep(what);
}

/* The machine ends inside of a reader: the functions are the driver's, and are not called. */
void ms_linux_rcu_destroy(struct ms_machine *m, struct ms_linux *lx)
{
	(void)m;
	lx->rcu = NULL;
	lx->rcu_end = &lx->rcu;
}

bool ms_linux_is_capable(void)
{
	struct ms_machine *m = ms_linux_here("capable");

	return m && !(m->kernel && m->kernel->incapable);
}

bool ms_linux_set_capable(struct ms_machine *m, bool capable)
{
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	bool former;

	if (!lx)
		return false;
	former = !lx->incapable;
	lx->incapable = !capable;
	return former;
}

void ms_linux_wait_for_ever(const char *condition)
{
	struct ms_machine *m = ms_linux_here("a wait");

	if (m)
		ms_violation(m,
			     ms_text(m, "waits for %s, which nobody makes true: sleeps for ever",
					   condition),
			     0);
}
