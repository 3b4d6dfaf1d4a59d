/* SPDX-License-Identifier: GPL-2.0-only */
/* Locks: what lockdep would say of their use, the mmap lock included. */
#include "world.h"

#define assert_violation(w, i, text) assert_string_equal(violation(&(w), i), text)

static void paired_use_says_nothing(void **state)
{
	static DEFINE_MUTEX(m);
	static DECLARE_RWSEM(sem);
	static DEFINE_SPINLOCK(spin);
	struct world w = world("6.12.117");
	unsigned long flags;

	for (int i = 0; i < 2; i++) {
		mutex_lock(&m);
		lockdep_assert_held(&m);
		down_read(&sem);
		spin_lock_irqsave(&spin, flags);
		assert_true(mutex_is_locked(&m));
		spin_unlock_irqrestore(&spin, flags);
		up_read(&sem);
		mutex_unlock(&m);
		down_write(&sem);
		lockdep_assert_held_write(&sem);
		downgrade_write(&sem);
		up_read(&sem);
	}
	assert_false(mutex_is_locked(&m));
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void a_mutex_taken_twice_is_a_deadlock(void **state)
{
	static DEFINE_MUTEX(m);
	struct world w = world("6.12.117");

	mutex_lock(&m);
	assert_int_equal(mutex_trylock(&m), 0);
	assert_int_equal(ms_violations(w.m), 0);
	mutex_lock(&m);
	assert_violation(w, 0, "m taken again: a deadlock");
	mutex_unlock(&m);
	mutex_unlock(&m);
	assert_int_equal(ms_violations(w.m), 1);
	mutex_unlock(&m);
	assert_violation(w, 1, "m released, and it is not held for writing");
	world_end(&w);
}

static void two_orders_of_two_locks_are_found_without_a_deadlock(void **state)
{
	static DEFINE_MUTEX(a);
	static DEFINE_MUTEX(b);
	static DEFINE_MUTEX(c);
	struct world w = world("6.12.117");

	mutex_lock(&a); // a -> b
	mutex_lock(&b);
	mutex_unlock(&b);
	mutex_unlock(&a);
	mutex_lock(&b); // b -> c
	mutex_lock(&c);
	mutex_unlock(&c);
	mutex_unlock(&b);
	assert_int_equal(ms_violations(w.m), 0);
	mutex_lock(&c); // c -> a closes the ring
	mutex_lock(&a);
	mutex_unlock(&a);
	mutex_unlock(&c);
	assert_violation(w, 0,
			 "possible circular locking: a taken under c, which was taken under it");
	assert_int_equal(ms_violations(w.m), 1);
	world_end(&w);
}

static void a_trylock_has_no_order(void **state)
{
	static DEFINE_MUTEX(a);
	static DEFINE_MUTEX(b);
	struct world w = world("6.12.117");

	mutex_lock(&a);
	mutex_lock(&b);
	mutex_unlock(&b);
	mutex_unlock(&a);
	mutex_lock(&b);
	assert_int_equal(mutex_trylock(&a), 1);
	mutex_unlock(&a);
	mutex_unlock(&b);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

struct dev {
	struct mutex lock;
};

static void init_dev(struct dev *dev)
{
	mutex_init(&dev->lock);
}

static void locks_initialised_at_one_place_are_of_one_kind(void **state)
{
	struct world w = world("6.12.117");
	struct dev parent, child;

	init_dev(&parent);
	init_dev(&child);
	mutex_lock(&parent.lock);
	mutex_lock_nested(&child.lock, 1);
	mutex_unlock(&child.lock);
	assert_int_equal(ms_violations(w.m), 0);
	mutex_lock(&child.lock);
	assert_violation(w, 0, "possible recursive locking: two of &dev->lock");
	mutex_unlock(&child.lock);
	mutex_unlock(&parent.lock);
	mutex_destroy(&parent.lock);
	mutex_destroy(&child.lock);
	assert_int_equal(ms_violations(w.m), 1);
	world_end(&w);
}

static void a_lock_must_be_initialised(void **state)
{
	struct world w = world("6.12.117");
	struct dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	mutex_lock(&dev->lock);
	assert_violation(w, 0, "a lock is used before it was initialised");
	mutex_unlock(&dev->lock);
	mutex_destroy(&dev->lock);
	mutex_lock(&dev->lock);
	assert_int_equal(ms_violation_get(w.m, 0)->times, 2);
	mutex_unlock(&dev->lock);
	kfree(dev);
	world_end(&w);
}

static void nothing_sleeps_under_a_spinlock(void **state)
{
	static DEFINE_SPINLOCK(spin);
	static DEFINE_MUTEX(m);
	struct world w = world("6.12.117");
	struct address_space mapping;
	void *p;

	address_space_init_once(&mapping);
	spin_lock(&spin);
	p = kmalloc(8, GFP_ATOMIC);
	assert_int_equal(ms_violations(w.m), 0);
	kfree(p);
	kfree(kmalloc(8, GFP_KERNEL));
	assert_violation(w, 0, "kmalloc may sleep, and spinlock spin is held");
	mutex_lock(&m);
	assert_violation(w, 1, "m may sleep, and spinlock spin is held");
	mutex_unlock(&m);
	unmap_mapping_range(&mapping, 0, 0, 1);
	assert_violation(w, 2, "unmap_mapping_range may sleep, and spinlock spin is held");
	spin_unlock(&spin);
	might_sleep();
	assert_int_equal(ms_violations(w.m), 3);
	world_end(&w);
}

static void assertions_of_locks_are_checked(void **state)
{
	static DECLARE_RWSEM(sem);
	struct world w = world("5.10.223");

	down_read(&sem);
	lockdep_assert_held(&sem);
	lockdep_assert_held_write(&sem);
	assert_violation(w, 0, "sem not held for writing");
	up_read(&sem);
	lockdep_assert_held(&sem);
	assert_violation(w, 1, "sem not held");
	mmap_assert_locked(w.mm);
	assert_violation(w, 2, "mmap lock not held");
	mmap_read_lock(w.mm);
	mmap_assert_locked(w.mm);
	mmap_assert_write_locked(w.mm);
	assert_violation(w, 3, "mmap lock not held for writing");
	mmap_read_unlock(w.mm);
	mmap_write_lock(w.mm);
	mmap_assert_write_locked(w.mm);
	mmap_write_downgrade(w.mm);
	mmap_read_unlock(w.mm);
	assert_int_equal(ms_violations(w.m), 4);
	world_end(&w);
}

static void who_holds_the_mmap_lock_keeps_others_out(void **state)
{
	struct world w = world("6.12.117");

	mmap_read_lock(w.mm);
	assert_int_equal(ms_munmap(w.mm, A, PAGE_SIZE), -EBUSY);
	assert_true(mmap_read_trylock(w.mm));
	mmap_read_unlock(w.mm);
	assert_false(mmap_write_trylock(w.mm));
	mmap_read_unlock(w.mm);
	assert_int_equal(ms_munmap(w.mm, A, PAGE_SIZE), 0);
	mmap_read_unlock(w.mm);
	assert_violation(w, 0, "mmap_lock released, and it is not held for reading");
	world_end(&w);
}

static void a_guard_ends_with_its_scope(void **state)
{
	static DEFINE_MUTEX(m);
	static DEFINE_SPINLOCK(spin);
	struct world w = world("6.12.117");

	{
		guard(mutex)(&m);
		assert_true(mutex_is_locked(&m));
		scoped_guard(spinlock, &spin) assert_true(lockdep_is_held(&spin));
		assert_false(lockdep_is_held(&spin));
	}
	assert_false(mutex_is_locked(&m));
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

/* ---- in a driver's callbacks ---- */

static DEFINE_MUTEX(dev_lock);

static vm_fault_t leaky_fault(struct vm_fault *vmf)
{
	mutex_lock(&dev_lock);
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(BAR));
}

static vm_fault_t again_fault(struct vm_fault *vmf)
{
	vm_fault_t ret;

	mmap_read_lock(vmf->vma->vm_mm);
	ret = vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(BAR));
	mmap_read_unlock(vmf->vma->vm_mm);
	return ret;
}

static vm_fault_t dropping_fault(struct vm_fault *vmf)
{
	vm_fault_t ret = vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(BAR));

	mmap_read_unlock(vmf->vma->vm_mm);
	return ret;
}

static vm_fault_t locking_fault(struct vm_fault *vmf)
{
	vm_fault_t ret;

	mmap_assert_locked(vmf->vma->vm_mm);
	assert_ptr_equal(current->mm, vmf->vma->vm_mm);
	mutex_lock(&dev_lock);
	ret = vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(BAR));
	mutex_unlock(&dev_lock);
	return ret;
}

static vm_fault_t (*the_fault)(struct vm_fault *vmf);

static vm_fault_t any_fault(struct vm_fault *vmf)
{
	return the_fault(vmf);
}

static int any_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = any_fault };

	mmap_assert_write_locked(vma->vm_mm);
	vm_flags_set(vma, VM_PFNMAP | VM_IO);
	vma->vm_ops = &ops;
	return 0;
}

static const struct file_operations any_fops = { .mmap = any_mmap };

static struct world faulted(vm_fault_t (*fault)(struct vm_fault *vmf))
{
	struct world w = world("6.12.117");

	the_fault = fault;
	assert_int_equal(map(&w, A, 1, ms_linux_file(w.m, &any_fops, O_RDWR, NULL)), A);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	return w;
}

static void a_lock_held_at_the_end_of_a_callback_is_found(void **state)
{
	struct world w = faulted(leaky_fault);

	assert_violation(w, 0, "driver returns with a lock held");
	mutex_unlock(&dev_lock);
	world_end(&w);
}

static void a_fault_has_the_mmap_lock_already(void **state)
{
	struct world w = faulted(again_fault);

	assert_violation(w, 0, "mmap_lock taken again: a deadlock");
	assert_int_equal(ms_violations(w.m), 1);
	world_end(&w);
	w = faulted(dropping_fault);
	assert_violation(w, 0, "driver returns with the mmap lock not as it was");
	assert_int_equal(ms_munmap(w.mm, A, PAGE_SIZE), 0);
	world_end(&w);
}

/*
 * The order of vfio-pci 5.8: faults take the device's lock under the mmap lock, and so the way that
 * revokes must not take the mmap lock under the device's.
 */
static void the_order_against_the_mmap_lock_is_checked(void **state)
{
	struct world w = faulted(locking_fault);

	assert_int_equal(ms_violations(w.m), 0);
	mutex_lock(&dev_lock);
	assert_true(mmap_read_trylock(w.mm));
	mmap_read_unlock(w.mm);
	assert_int_equal(ms_violations(w.m), 0);
	mmap_read_lock(w.mm);
	assert_violation(
		w, 0,
		"possible circular locking: mmap_lock taken under dev_lock, which was taken under it");
	mmap_read_unlock(w.mm);
	mutex_unlock(&dev_lock);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paired_use_says_nothing),
		cmocka_unit_test(a_mutex_taken_twice_is_a_deadlock),
		cmocka_unit_test(two_orders_of_two_locks_are_found_without_a_deadlock),
		cmocka_unit_test(a_trylock_has_no_order),
		cmocka_unit_test(locks_initialised_at_one_place_are_of_one_kind),
		cmocka_unit_test(a_lock_must_be_initialised),
		cmocka_unit_test(nothing_sleeps_under_a_spinlock),
		cmocka_unit_test(assertions_of_locks_are_checked),
		cmocka_unit_test(who_holds_the_mmap_lock_keeps_others_out),
		cmocka_unit_test(a_guard_ends_with_its_scope),
		cmocka_unit_test(a_lock_held_at_the_end_of_a_callback_is_found),
		cmocka_unit_test(a_fault_has_the_mmap_lock_already),
		cmocka_unit_test(the_order_against_the_mmap_lock_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
