/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locks: <linux/mutex.h>, <linux/rwsem.h>, <linux/spinlock.h>, <linux/mmap_lock.h>,
 * <linux/lockdep.h>, <linux/cleanup.h>. There is one thread, so that a lock is never waited for:
 * its use is checked (see linux.h). A try succeeds when nobody holds the lock.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_MUTEX_H)
#define MAPSIM_LINUX_MUTEX_H

struct mutex {
	struct ms_linux_lock ms;
};

struct rw_semaphore {
	struct ms_linux_lock ms;
};

typedef struct spinlock {
	struct ms_linux_lock ms;
} spinlock_t;

#define __MUTEX_INITIALIZER(lockname) \
	{ \
		.ms = MS_LINUX_LOCK_INITIALIZER(MS_LINUX_LOCK_SLEEPING, #lockname) \
	}
#define __RWSEM_INITIALIZER(lockname) __MUTEX_INITIALIZER(lockname)
#define __SPIN_LOCK_UNLOCKED(lockname) \
	{ \
		.ms = MS_LINUX_LOCK_INITIALIZER(MS_LINUX_LOCK_SPINNING, #lockname) \
	}
#define DEFINE_MUTEX(lockname) struct mutex lockname = __MUTEX_INITIALIZER(lockname)
#define DECLARE_RWSEM(lockname) struct rw_semaphore lockname = __RWSEM_INITIALIZER(lockname)
#define DEFINE_SPINLOCK(lockname) spinlock_t lockname = __SPIN_LOCK_UNLOCKED(lockname)

#define mutex_init(lock) (*(lock) = (struct mutex)__MUTEX_INITIALIZER(lock))
#define init_rwsem(lock) (*(lock) = (struct rw_semaphore)__RWSEM_INITIALIZER(lock))
#define spin_lock_init(lock) (*(lock) = (spinlock_t)__SPIN_LOCK_UNLOCKED(lock))

/* A lock that goes away must not be held. */
static inline void mutex_destroy(struct mutex *lock)
{
	if (ms_linux_lock_is_held(&lock->ms))
		ms_linux_violation("mutex_destroy of a mutex that is held");
	lock->ms.magic = 0;
}

static inline void mutex_lock(struct mutex *lock)
{
	ms_linux_lock(&lock->ms, 0);
}

static inline void mutex_lock_nested(struct mutex *lock, unsigned int subclass)
{
	ms_linux_lock(&lock->ms, subclass ? MS_LINUX_LOCK_NESTED : 0);
}

/* No signal ever comes. */
static inline int __must_check mutex_lock_interruptible(struct mutex *lock)
{
	ms_linux_lock(&lock->ms, 0);
	return 0;
}

static inline int __must_check mutex_lock_killable(struct mutex *lock)
{
	return mutex_lock_interruptible(lock);
}

static inline int mutex_trylock(struct mutex *lock)
{
	return ms_linux_lock(&lock->ms, MS_LINUX_LOCK_TRY);
}

static inline void mutex_unlock(struct mutex *lock)
{
	ms_linux_unlock(&lock->ms, false);
}

static inline bool mutex_is_locked(struct mutex *lock)
{
	return ms_linux_lock_is_held(&lock->ms);
}

static inline void down_read(struct rw_semaphore *sem)
{
	ms_linux_lock(&sem->ms, MS_LINUX_LOCK_READ);
}

static inline int down_read_trylock(struct rw_semaphore *sem)
{
	return ms_linux_lock(&sem->ms, MS_LINUX_LOCK_READ | MS_LINUX_LOCK_TRY);
}

static inline int __must_check down_read_killable(struct rw_semaphore *sem)
{
	down_read(sem);
	return 0;
}

static inline void up_read(struct rw_semaphore *sem)
{
	ms_linux_unlock(&sem->ms, true);
}

static inline void down_write(struct rw_semaphore *sem)
{
	ms_linux_lock(&sem->ms, 0);
}

static inline int down_write_trylock(struct rw_semaphore *sem)
{
	return ms_linux_lock(&sem->ms, MS_LINUX_LOCK_TRY);
}

static inline int __must_check down_write_killable(struct rw_semaphore *sem)
{
	down_write(sem);
	return 0;
}

static inline void up_write(struct rw_semaphore *sem)
{
	ms_linux_unlock(&sem->ms, false);
}

static inline void downgrade_write(struct rw_semaphore *sem)
{
	ms_linux_lock_downgrade(&sem->ms);
}

static inline int rwsem_is_locked(struct rw_semaphore *sem)
{
	return ms_linux_lock_is_held(&sem->ms);
}

static inline void spin_lock(spinlock_t *lock)
{
	ms_linux_lock(&lock->ms, 0);
}

static inline int spin_trylock(spinlock_t *lock)
{
	return ms_linux_lock(&lock->ms, MS_LINUX_LOCK_TRY);
}

static inline void spin_unlock(spinlock_t *lock)
{
	ms_linux_unlock(&lock->ms, false);
}

#define spin_is_locked(lock) ms_linux_lock_is_held(&(lock)->ms)
#define spin_lock_nested(lock, subclass) \
	((void)ms_linux_lock(&(lock)->ms, (subclass) ? MS_LINUX_LOCK_NESTED : 0))
#define down_read_nested(sem, subclass) \
	((void)ms_linux_lock(&(sem)->ms, \
			     MS_LINUX_LOCK_READ | ((subclass) ? MS_LINUX_LOCK_NESTED : 0)))
#define down_write_nested(sem, subclass) \
	((void)ms_linux_lock(&(sem)->ms, (subclass) ? MS_LINUX_LOCK_NESTED : 0))

/* A spinlock that readers share. */
typedef struct {
	struct ms_linux_lock ms;
} rwlock_t;

#define __RW_LOCK_UNLOCKED(lockname) __SPIN_LOCK_UNLOCKED(lockname)
#define DEFINE_RWLOCK(lockname) rwlock_t lockname = __RW_LOCK_UNLOCKED(lockname)
#define rwlock_init(lock) (*(lock) = (rwlock_t)__RW_LOCK_UNLOCKED(lock))
#define read_lock(lock) ((void)ms_linux_lock(&(lock)->ms, MS_LINUX_LOCK_READ))
#define read_unlock(lock) ms_linux_unlock(&(lock)->ms, true)
#define write_lock(lock) ((void)ms_linux_lock(&(lock)->ms, 0))
#define write_unlock(lock) ms_linux_unlock(&(lock)->ms, false)
#define read_lock_irq(lock) read_lock(lock)
#define read_unlock_irq(lock) read_unlock(lock)
#define write_lock_irq(lock) write_lock(lock)
#define write_unlock_irq(lock) write_unlock(lock)
#define read_lock_bh(lock) read_lock(lock)
#define read_unlock_bh(lock) read_unlock(lock)
#define write_lock_bh(lock) write_lock(lock)
#define write_unlock_bh(lock) write_unlock(lock)
#define read_lock_irqsave(lock, flags) \
	do { \
		(flags) = 0; \
		read_lock(lock); \
	} while (0)
#define read_unlock_irqrestore(lock, flags) \
	do { \
		(void)(flags); \
		read_unlock(lock); \
	} while (0)
#define write_lock_irqsave(lock, flags) \
	do { \
		(flags) = 0; \
		write_lock(lock); \
	} while (0)
#define write_unlock_irqrestore(lock, flags) \
	do { \
		(void)(flags); \
		write_unlock(lock); \
	} while (0)

/* Kernels with PREEMPT_RT aside. */
typedef spinlock_t raw_spinlock_t;
#define __RAW_SPIN_LOCK_UNLOCKED(lockname) __SPIN_LOCK_UNLOCKED(lockname)
#define DEFINE_RAW_SPINLOCK(lockname) DEFINE_SPINLOCK(lockname)
#define raw_spin_lock_init(lock) spin_lock_init(lock)
#define raw_spin_lock(lock) spin_lock(lock)
#define raw_spin_unlock(lock) spin_unlock(lock)
#define raw_spin_lock_irqsave(lock, flags) spin_lock_irqsave(lock, flags)
#define raw_spin_unlock_irqrestore(lock, flags) spin_unlock_irqrestore(lock, flags)
#define local_irq_save(flags) ((void)((flags) = 0))
#define local_irq_restore(flags) ((void)(flags))
#define preempt_disable() barrier()
#define preempt_enable() barrier()

/* No interrupt ever comes. */
#define spin_lock_irq(lock) spin_lock(lock)
#define spin_unlock_irq(lock) spin_unlock(lock)
#define spin_lock_bh(lock) spin_lock(lock)
#define spin_unlock_bh(lock) spin_unlock(lock)
#define spin_lock_irqsave(lock, flags) \
	do { \
		(flags) = 0; \
		spin_lock(lock); \
	} while (0)
#define spin_unlock_irqrestore(lock, flags) \
	do { \
		(void)(flags); \
		spin_unlock(lock); \
	} while (0)

/* An assertion that a driver makes counts on every machine. */
#define lockdep_assert_held_read(lock) ms_linux_lock_assert(&(lock)->ms, false)
#define lockdep_assert_not_held(lock) ms_linux_lock_assert_not(&(lock)->ms)
#define lockdep_assert_held_once(lock) lockdep_assert_held(lock)
#define lockdep_set_class(lock, key) ((void)(lock), (void)(key))
#define lockdep_assert(condition) ((void)WARN_ON(!(condition)))
#define might_lock(lock) ((void)(lock))
#define might_sleep_if(condition) \
	do { \
		if (condition) \
			might_sleep(); \
	} while (0)

struct lock_class_key {
	char ms_nothing;
};

static inline void ms_linux_lock_assert_not(const struct ms_linux_lock *lock)
{
	if (ms_linux_lock_is_held(lock))
		ms_linux_violation("lockdep_assert_not_held: a lock is held");
}

#define lockdep_is_held(lock) ms_linux_lock_is_held(&(lock)->ms)
#define lockdep_assert_held(lock) ms_linux_lock_assert(&(lock)->ms, false)
#define lockdep_assert_held_write(lock) ms_linux_lock_assert(&(lock)->ms, true)
#define assert_spin_locked(lock) lockdep_assert_held(lock)

#define might_sleep() ms_linux_might_sleep("might_sleep")

/* ---- the mmap lock ---- */

static inline void mmap_read_lock(struct mm_struct *mm)
{
	ms_linux_mmap_lock(mm, MS_LINUX_LOCK_READ);
}

static inline bool mmap_read_trylock(struct mm_struct *mm)
{
	return ms_linux_mmap_lock(mm, MS_LINUX_LOCK_READ | MS_LINUX_LOCK_TRY);
}

static inline int mmap_read_lock_killable(struct mm_struct *mm)
{
	return ms_linux_mmap_lock(mm, MS_LINUX_LOCK_READ) ? 0 : -EINVAL;
}

static inline void mmap_read_unlock(struct mm_struct *mm)
{
	ms_linux_mmap_unlock(mm, true);
}

static inline void mmap_write_lock(struct mm_struct *mm)
{
	ms_linux_mmap_lock(mm, 0);
}

static inline bool mmap_write_trylock(struct mm_struct *mm)
{
	return ms_linux_mmap_lock(mm, MS_LINUX_LOCK_TRY);
}

static inline int mmap_write_lock_killable(struct mm_struct *mm)
{
	return ms_linux_mmap_lock(mm, 0) ? 0 : -EINVAL;
}

static inline void mmap_write_unlock(struct mm_struct *mm)
{
	ms_linux_mmap_unlock(mm, false);
}

static inline void mmap_write_downgrade(struct mm_struct *mm)
{
	ms_linux_mmap_downgrade(mm);
}

static inline void mmap_assert_locked(const struct mm_struct *mm)
{
	ms_linux_mmap_assert(mm, false);
}

static inline void mmap_assert_write_locked(const struct mm_struct *mm)
{
	ms_linux_mmap_assert(mm, true);
}

/* ---- guard(mutex)(&lock): released where its scope ends ---- */

#define DEFINE_MS_GUARD(guard_name, type, take, release) \
	typedef type *class_##guard_name##_t; \
	static inline class_##guard_name##_t class_##guard_name##_constructor(type *lock) \
	{ \
		take(lock); \
		return lock; \
	} \
	static inline void class_##guard_name##_destructor(class_##guard_name##_t *lock) \
	{ \
		if (*lock) \
			release(*lock); \
	}

DEFINE_MS_GUARD(mutex, struct mutex, mutex_lock, mutex_unlock)
DEFINE_MS_GUARD(spinlock, spinlock_t, spin_lock, spin_unlock)
DEFINE_MS_GUARD(spinlock_irq, spinlock_t, spin_lock, spin_unlock)
DEFINE_MS_GUARD(spinlock_irqsave, spinlock_t, spin_lock, spin_unlock)
DEFINE_MS_GUARD(spinlock_bh, spinlock_t, spin_lock, spin_unlock)
DEFINE_MS_GUARD(rwsem_read, struct rw_semaphore, down_read, up_read)
DEFINE_MS_GUARD(rwsem_write, struct rw_semaphore, down_write, up_write)
DEFINE_MS_GUARD(mmap_read_lock, struct mm_struct, mmap_read_lock, mmap_read_unlock)
DEFINE_MS_GUARD(mmap_write_lock, struct mm_struct, mmap_write_lock, mmap_write_unlock)

#define CLASS(name, var) \
	class_##name##_t var __attribute__((__cleanup__(class_##name##_destructor), __unused__)) = \
		class_##name##_constructor
#define guard(name) CLASS(name, MS_LINUX_UNIQUE(ms_guard))
#define scoped_guard(name, ...) \
	for (CLASS(name, ms_scope)(__VA_ARGS__), *ms_done = NULL; !ms_done; ms_done = (void *)1)

#endif
