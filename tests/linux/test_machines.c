/* SPDX-License-Identifier: GPL-2.0-only */
/* Two machines with the same driver never see each other, whoever calls whom. */
#include "world.h"

/* The driver's state is in its files, as it has to be for two machines. */
struct state {
	struct mutex lock;
	struct world *other; // whose mapping a fault of this one touches
	void *memory;
};

static vm_fault_t state_fault(struct vm_fault *vmf)
{
	struct state *s = vmf->vma->vm_private_data;
	struct ms_machine *here = ms_linux_machine();

	assert_ptr_equal(here, ms_mm_machine(vmf->vma->vm_mm));
	assert_ptr_equal(current->mm, vmf->vma->vm_mm);
	mutex_lock(&s->lock);
	if (s->other)
		assert_int_equal(ms_touch(s->other->mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_ptr_equal(ms_linux_machine(), here);
	assert_ptr_equal(current->mm, vmf->vma->vm_mm);
	s->memory = kmalloc(32, GFP_KERNEL);
	pr_info("fault\n");
	mutex_unlock(&s->lock);
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(BAR));
}

static int state_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = state_fault };

	vm_flags_set(vma, VM_PFNMAP | VM_IO);
	vma->vm_private_data = file->private_data;
	vma->vm_ops = &ops;
	return 0;
}

static const struct file_operations state_fops = { .mmap = state_mmap };

static struct state *map_state(struct world *w)
{
	struct state *s;

	ms_linux_use(w->m);
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	mutex_init(&s->lock);
	assert_int_equal(map(w, A, 1, ms_linux_file(w->m, &state_fops, O_RDWR, s)), A);
	ms_linux_use(NULL);
	return s;
}

static void each_machine_has_its_own_memory_and_messages(void **state)
{
	struct world a = world("6.12.117"), b = world("5.10.223");

	map_state(&a);
	map_state(&b);
	ms_touch(a.mm, A, MS_PROT_R);
	assert_int_equal(ms_linux_allocated(a.m), 2);
	assert_int_equal(ms_linux_allocated(b.m), 1);
	assert_int_equal(ms_trace_count(a.m, MS_EV_LOG), 1);
	assert_int_equal(ms_trace_count(b.m, MS_EV_LOG), 0);
	assert_null(ms_linux_machine());
	world_end(&a);
	ms_touch(b.mm, A, MS_PROT_R);
	assert_int_equal(ms_linux_allocated(b.m), 2);
	assert_int_equal(ms_violations(b.m), 0);
	world_end(&b);
}

static void a_fault_inside_of_a_fault_of_the_other_machine_comes_back(void **state)
{
	struct world a = world("6.12.117"), b = world("5.10.223");

	map_state(&a)->other = &b;
	map_state(&b);
	assert_int_equal(ms_touch(a.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_linux_allocated(a.m), 2);
	assert_int_equal(ms_linux_allocated(b.m), 2);
	assert_int_equal(ms_violations(a.m), 0);
	assert_int_equal(ms_violations(b.m), 0);
	assert_null(ms_linux_machine());
	world_end(&a);
	world_end(&b);
}

static void a_tests_own_choice_survives_the_calls_of_the_library(void **state)
{
	struct world a = world("6.12.117"), b = world("5.10.223");

	map_state(&a);
	assert_null(ms_linux_use(b.m));
	ms_touch(a.mm, A, MS_PROT_R);
	assert_ptr_equal(ms_linux_machine(), b.m);
	assert_ptr_equal(ms_linux_use(a.m), b.m);
	ms_machine_free(a.m);
	assert_null(ms_linux_machine()); // nobody is left with a machine that is gone
	ms_machine_free(b.m);
}

static void the_same_name_can_be_registered_on_both(void **state)
{
	struct world a = world("6.12.117"), b = world("5.10.223");
	struct miscdevice on_a = { .minor = MISC_DYNAMIC_MINOR,
				   .name = "dev",
				   .fops = &state_fops };
	struct miscdevice on_b = on_a;

	ms_linux_use(a.m);
	assert_int_equal(misc_register(&on_a), 0);
	ms_linux_use(b.m);
	assert_int_equal(misc_register(&on_b), 0);
	misc_deregister(&on_b);
	assert_null(ms_linux_open(b.m, "dev", O_RDWR));
	assert_non_null(ms_linux_open(a.m, "dev", O_RDWR));
	world_end(&a);
	world_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_machine_has_its_own_memory_and_messages),
		cmocka_unit_test(a_fault_inside_of_a_fault_of_the_other_machine_comes_back),
		cmocka_unit_test(a_tests_own_choice_survives_the_calls_of_the_library),
		cmocka_unit_test(the_same_name_can_be_registered_on_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
