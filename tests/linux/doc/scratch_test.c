/* SPDX-License-Identifier: GPL-2.0-only */
#include <mapsim/linux.h>
#include "scratch.c"

static void map_and_read(const struct ms_policy *kernel, unsigned int flags)
{
	static const struct file_operations fops = { .mmap = scratch_mmap };
	const struct ms_machine_config config = { .fatal_violations = true };
	struct ms_machine *m = ms_machine_new_config(kernel, &config);
	struct mm_struct *mm = ms_mm_new(m);
	struct file *file = ms_linux_file(m, &fops, O_RDWR, NULL);

	ms_device_add(m, "scratch", 0xfd000000, PAGE_SIZE);
	ms_touch(mm, ms_mmap(mm, 0, PAGE_SIZE, MS_PROT_RW, flags, file, 0), MS_PROT_R);
	ms_machine_free(m);
}

int main(void)
{
	map_and_read(ms_policy_linux("6.12.117", MS_ARCH_X86_64), MS_MAP_SHARED);
	map_and_read(ms_policy_linux("6.12.117", MS_ARCH_X86_64), MS_MAP_PRIVATE);
}
