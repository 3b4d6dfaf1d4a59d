/* SPDX-License-Identifier: GPL-2.0-only */
/* A task for each process for which driver code has run. Written against linux.h, as file.c. */
#include <mapsim/linux.h>

#include "linux/bridge.h"

struct process {
	struct process *next;
	uint32_t id; // ms_mm_id(); 0: no process
	struct task_struct task;
	struct cred cred;
	struct user_struct user;
};

/* Where there is no machine or no memory: a task without anything. Nobody may write it. */
static const struct user_struct nobody_user = { .__count = REFCOUNT_INIT(1) };
static const struct cred nobody_cred = { .user = (struct user_struct *)&nobody_user };
static const struct task_struct nobody = {
	.comm = "swapper",
	.group_leader = (struct task_struct *)&nobody,
	.real_parent = (struct task_struct *)&nobody,
	.cred = &nobody_cred,
	.real_cred = &nobody_cred,
	.usage = REFCOUNT_INIT(1),
};

static void make_task(struct process *process, struct mm_struct *mm)
{
	struct task_struct *task = &process->task;

	process->id = ms_mm_id(mm);
	process->user.__count = (refcount_t)REFCOUNT_INIT(1);
	process->cred.user = &process->user;
	*task = (struct task_struct){
		.mm = mm,
		.active_mm = mm,
		.pid = (pid_t)process->id,
		.tgid = (pid_t)process->id,
		.group_leader = task,
		.real_parent = task,
		.cred = &process->cred,
		.real_cred = &process->cred,
		.usage = REFCOUNT_INIT(1),
		.flags = mm ? 0 : PF_KTHREAD,
	};
	snprintf(task->comm, sizeof(task->comm), mm ? "process-%u" : "kthread",
		 (unsigned int)process->id);
}

static struct task_struct *task_of(struct ms_machine *m, struct mm_struct *mm)
{
	void **processes = ms_linux_tasks(m);
	struct process *process = processes ? *processes : NULL;

	while (process && process->id != ms_mm_id(mm))
		process = process->next;
	if (process || !processes)
		return process ? &process->task : (struct task_struct *)&nobody;
	process = ms_linux_zalloc(m, sizeof(*process));
	if (!process)
		return (struct task_struct *)&nobody;
	make_task(process, mm);
	process->next = *processes;
	*processes = process;
	return &process->task;
}

struct task_struct *ms_linux_current(void)
{
	struct ms_machine *m = ms_linux_machine();

	return m ? task_of(m, ms_linux_current_mm()) : (struct task_struct *)&nobody;
}

struct task_struct *ms_linux_task(struct mm_struct *mm)
{
	return mm ? task_of(ms_mm_machine(mm), mm) : NULL;
}

void ms_linux_tasks_destroy(struct ms_machine *m, void *tasks)
{
	for (struct process *process = tasks, *next; process; process = next) {
		next = process->next;
		ms_linux_release(m, process);
	}
}
