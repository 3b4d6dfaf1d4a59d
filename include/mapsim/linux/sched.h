/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The process for which driver code runs: <linux/sched.h> and its kin, <linux/capability.h>,
 * <linux/cred.h>, <linux/signal.h>. There is one task for each process, whose thread is its only
 * one; where driver code runs for no process (module_init, a release at the end) current is a task
 * without an mm. No signal ever comes.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_SCHED_H)
#define MAPSIM_LINUX_SCHED_H

#define TASK_COMM_LEN 16
#define TASK_RUNNING 0x0
#define TASK_INTERRUPTIBLE 0x1
#define TASK_UNINTERRUPTIBLE 0x2
#define TASK_KILLABLE 0x102
#define TASK_NORMAL (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE)
#define PF_EXITING 0x4u
#define PF_KTHREAD 0x200000u

typedef struct {
	unsigned int val;
} kuid_t;

typedef struct {
	unsigned int val;
} kgid_t;

#define KUIDT_INIT(value) ((kuid_t){ value })
#define KGIDT_INIT(value) ((kgid_t){ value })
#define GLOBAL_ROOT_UID KUIDT_INIT(0)
#define GLOBAL_ROOT_GID KGIDT_INIT(0)

struct user_namespace;

struct user_struct {
	refcount_t __count;
	atomic_long_t locked_vm; // pages
	kuid_t uid;
};

struct cred {
	kuid_t uid, euid, fsuid;
	kgid_t gid, egid, fsgid;
	struct user_struct *user;
};

struct task_struct {
	struct mm_struct *mm, *active_mm;
	pid_t pid, tgid; // the number of the process (ms_mm_id()); 0: no process
	char comm[TASK_COMM_LEN];
	unsigned int flags; // PF_
	unsigned int __state;
	struct task_struct *group_leader, *real_parent;
	const struct cred *cred, *real_cred;
	refcount_t usage;
};

/* Never NULL. Lives as long as the machine. */
#define current (ms_linux_current())
#define current_cred() ((const struct cred *)current->cred)
#define current_user() (current->cred->user)
#define current_uid() (current->cred->uid)
#define current_euid() (current->cred->euid)
#define current_gid() (current->cred->gid)
#define current_fsuid() (current->cred->fsuid)

static inline bool uid_eq(kuid_t a, kuid_t b)
{
	return a.val == b.val;
}

static inline struct task_struct *get_task_struct(struct task_struct *task)
{
	if (task)
		refcount_inc(&task->usage);
	return task;
}

static inline void put_task_struct(struct task_struct *task)
{
	if (task)
		refcount_dec(&task->usage);
}

static inline struct user_struct *get_uid(struct user_struct *user)
{
	if (user)
		refcount_inc(&user->__count);
	return user;
}

static inline void free_uid(struct user_struct *user)
{
	if (user)
		refcount_dec(&user->__count);
}

static inline pid_t task_pid_nr(const struct task_struct *task)
{
	return task ? task->pid : 0;
}

static inline pid_t task_tgid_nr(const struct task_struct *task)
{
	return task ? task->tgid : 0;
}

#define task_pid_vnr(task) task_pid_nr(task)
#define task_tgid_vnr(task) task_tgid_nr(task)

static inline char *get_task_comm(char *to, const struct task_struct *task)
{
	memcpy(to, task->comm, TASK_COMM_LEN);
	return to;
}

#define same_thread_group(a, b) ((a)->tgid == (b)->tgid)

#define signal_pending(task) ((void)(task), 0)
#define fatal_signal_pending(task) ((void)(task), 0)
#define __set_current_state(state) (current->__state = (state))
#define set_current_state(state) (current->__state = (state))
#define cond_resched() (ms_linux_might_sleep("cond_resched"), 0)

/* ---- rights: a process has all of them, until ms_linux_set_capable() says otherwise ---- */

#define CAP_DAC_OVERRIDE 1
#define CAP_IPC_LOCK 14
#define CAP_SYS_MODULE 16
#define CAP_SYS_RAWIO 17
#define CAP_SYS_ADMIN 21
#define CAP_SYS_BOOT 22
#define CAP_SYS_NICE 23
#define CAP_SYS_RESOURCE 24
#define CAP_NET_ADMIN 12
#define CAP_NET_RAW 13
#define CAP_PERFMON 38
#define CAP_BPF 39

static inline bool capable(int cap)
{
	(void)cap;
	return ms_linux_is_capable();
}

#define perfmon_capable() capable(CAP_PERFMON)
#define ns_capable(ns, cap) capable(cap)
#define capable_noaudit(cap) capable(cap)

/* ---- limits: none ---- */

#ifndef RLIMIT_MEMLOCK
#define RLIMIT_MEMLOCK 8
#endif
#define rlimit(which) ((void)(which), ULONG_MAX)

/* ---- kernel lockdown: off ---- */

enum lockdown_reason { LOCKDOWN_NONE, LOCKDOWN_DEV_MEM, LOCKDOWN_PCI_ACCESS, LOCKDOWN_IOPORT };
#define security_locked_down(what) ((void)(what), 0)

#define TAINT_PROPRIETARY_MODULE 0
#define TAINT_USER 6
#define TAINT_WARN 9
enum lockdep_ok { LOCKDEP_STILL_OK, LOCKDEP_NOW_UNRELIABLE };
#define add_taint(flag, lockdep_ok) ((void)(flag), (void)(lockdep_ok))

#endif
