// SPDX-License-Identifier: GPL-2.0-only
/* Drivers that end their kernel: at address 0, in an endless loop, in a recursion without end. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

struct state {
	unsigned int ready;
};

static struct state *volatile state __maybe_unused;

static void __maybe_unused wait_until_ready(void)
{
	static volatile unsigned int ready;

	while (!ready)
		continue;
}

static unsigned int __maybe_unused again(volatile unsigned int depth)
{
	return again(depth + 1) + depth;
}

static int crashes_mmap(struct file *file, struct vm_area_struct *vma)
{
#if defined(FIXED)
	return -EINVAL;
#elif defined(HANG)
	wait_until_ready();
	return 0;
#elif defined(RECURSION)
	return again(0) ? -EINVAL : 0;
#else
	return state->ready ? 0 : -EINVAL;
#endif
}

static const struct file_operations crashes_fops = {
	.owner = THIS_MODULE,
	.mmap = crashes_mmap,
};

static struct miscdevice crashes_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "crashes",
	.fops = &crashes_fops,
};
module_misc_device(crashes_misc);

MODULE_LICENSE("GPL");
