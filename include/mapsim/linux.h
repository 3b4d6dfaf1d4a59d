/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * linux.h - the kernel's names, for driver code that is to run in a unit test as it is.
 *
 * What a driver's mmap, fault, open and close (and the module around them) use: struct file, struct
 * vm_area_struct, vm_operations_struct, remap_pfn_range, vmf_insert_pfn, VM_PFNMAP, kzalloc, mutex,
 * list_head, dev_info, misc_register ... The driver's text does not change. What is not provided
 * does not compile, and the compiler names it; nothing is silently ignored.
 *
 * A driver includes its <linux/...> headers. The compiler finds them with -I .../include/mapsim:
 * each of them is this header. A test includes <mapsim/linux.h> before any other header of mapsim,
 * then the driver's .c file, or is linked with it.
 *
 * **Types.** The driver's struct vm_area_struct *is* the library's struct ms_vma: this header gives
 * the library's structures the kernel's tags (ms_vma, ms_vm_ops, ms_vm_fault, ms_mm, ms_file become
 * vm_area_struct, vm_operations_struct, vm_fault, mm_struct, file), which is why it comes first.
 * Both names may be used in a test.
 *
 * **Which machine?** Functions that are given a VMA, a file or an mm work on its machine. Others,
 * as kmalloc and printk, go by a pointer that belongs to the thread: the library sets it around
 * each call into a driver and takes it back, a test sets it around its own calls of driver
 * functions (ms_linux_use()). So two machines never see each other, even if a driver of one makes
 * the other call a driver. The driver's own static variables are the test's to reset.
 *
 * **Which kernel?** How the calls behave is the machine's policy. How they are spelled has changed
 * with the versions, too. Unless told otherwise this header takes all spellings at once; defining
 * MS_LINUX_VERSION_CODE (as KERNEL_VERSION(6, 12, 0)) makes it as strict as that version's headers:
 * vm_flags cannot be assigned from 6.3 on, vm_flags_set() does not exist before, mmap_prepare comes
 * with 6.16, pfn_t goes with 6.17. LINUX_VERSION_CODE is that version, or 6.12.0.
 * docs/linux-names.md lists what there is, and in which versions.
 *
 * **Which page size?** PAGE_SHIFT is a constant, as in a kernel: 12, or what MS_LINUX_PAGE_SHIFT
 * says (14 and 16 for arm64 machines with such pages). Registering the driver on a machine with
 * other pages is refused.
 *
 * What the kernel BUGs or WARNs about is a violation (ms_violations()). BUG() and BUG_ON() report
 * and go on: nobody can leave the driver's function on its behalf. With fatal_violations in the
 * machine's configuration they end the program, as they should end a machine.
 *
 * Locks are checked, not waited for, as there is one thread: taken twice, released without being
 * held, still held at the end of a callback, taken in two orders, taken while a spinlock is held if
 * they may sleep. The mmap lock takes part.
 *
 * A machine, process, VMA, file, inode, device or function to call that is NULL is refused, where a
 * kernel would read address 0: the answer is NULL, -EINVAL, SIGBUS, 0 or false, or nothing is done.
 * A lock, list, counter or buffer is the driver's own memory, and has to be there.
 */
#ifndef MAPSIM_LINUX_H
#define MAPSIM_LINUX_H

#ifdef MAPSIM_TYPES_H
#error "include <mapsim/linux.h> before the other headers of mapsim: it renames their structures"
#endif
#ifndef __LP64__
#error "<mapsim/linux.h> needs a compiler with 64-bit longs, as the kernels that it stands for"
#endif

#define ms_vma vm_area_struct
#define ms_vm_ops vm_operations_struct
#define ms_vm_fault vm_fault
#define ms_mm mm_struct
#define ms_file file
#define ms_struct_page page

#include <mapsim/linux/version.h>

#if defined(MS_LINUX_VERSION_CODE) && MS_LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define MS_VM_FLAGS_CONST const
#endif
#if defined(MS_LINUX_VERSION_CODE) && MS_LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define MS_VMA_FLAGS_NAME ms_flags
#endif

#include <mapsim/machine.h>
#include <mapsim/mm.h>
#include <mapsim/pfnmap.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>
#include <mapsim/trace.h>

#include <mapsim/linux/ms_calls.h>

#include <mapsim/linux/compiler.h>
#include <mapsim/linux/minmax.h>
#include <mapsim/linux/bitops.h>
#include <mapsim/linux/list.h>
#include <mapsim/linux/printk.h>
#include <mapsim/linux/page.h>
#include <mapsim/linux/slab.h>
#include <mapsim/linux/mutex.h>
#include <mapsim/linux/atomic.h>
#include <mapsim/linux/rcupdate.h>
#include <mapsim/linux/mm_types.h>
#include <mapsim/linux/sched.h>
#include <mapsim/linux/mm.h>
#include <mapsim/linux/vma_flags.h>
#include <mapsim/linux/fs.h>
#include <mapsim/linux/wait.h>
#include <mapsim/linux/uaccess.h>
#include <mapsim/linux/module.h>
#include <mapsim/linux/io.h>
#include <mapsim/linux/dma.h>
#include <mapsim/linux/device.h>
#include <mapsim/linux/mmu_notifier.h>
#include <mapsim/linux/gup.h>
#include <mapsim/linux/mm_access.h>
#include <mapsim/linux/alloc_obj.h>
#include <mapsim/linux/cleanup.h>

/* ---- what a test calls ---- */

/**
 * Makes m the machine of this thread's driver code until told otherwise; NULL: none. Answers the
 * former one. Needed only around a test's own calls of driver functions.
 */
static inline struct ms_machine *ms_linux_use(struct ms_machine *m)
{
	return ms_linux_set_machine(m);
}

/**
 * Makes mm the process for which driver code runs, and its machine this thread's; NULL: neither.
 * Answers the former process. Needed around a test's own calls of driver functions that look at
 * current or at user memory; ms_linux_ioctl() and its kin do it.
 */
static inline struct mm_struct *ms_linux_as(struct mm_struct *mm)
{
	struct mm_struct *former = ms_linux_current_mm();

	if (!mm) {
		ms_linux_set_current_mm(ms_linux_machine(), NULL);
		return former;
	}
	ms_linux_set_machine(ms_mm_machine(mm));
	ms_linux_set_current_mm(ms_mm_machine(mm), mm);
	return former;
}

/**
 * ioctl(2), read(2), write(2) and poll(2) of the process mm, as the driver's operations answer
 * them. addr: of the process's memory. -EINVAL: NULL; -ENOTTY, -EINVAL: the driver has no such
 * operation (poll: as the kernel, what is always ready).
 */
static inline long ms_linux_ioctl(struct mm_struct *mm, struct file *file, unsigned int cmd,
				  unsigned long arg)
{
	struct ms_machine *machine = ms_linux_machine();
	struct mm_struct *former;
	long answer;

	if (!mm || !file || !file->f_op)
		return -EINVAL;
	if (!file->f_op->unlocked_ioctl)
		return -ENOTTY;
	ms_linux_use(ms_mm_machine(mm));
	former = ms_linux_as(mm);
	answer = file->f_op->unlocked_ioctl(file, cmd, arg);
	ms_linux_set_current_mm(ms_mm_machine(mm), former);
	ms_linux_use(machine);
	return answer;
}

static inline ssize_t ms_linux_read(struct mm_struct *mm, struct file *file, unsigned long addr,
				    size_t size)
{
	struct ms_machine *machine = ms_linux_machine();
	struct mm_struct *former;
	ssize_t answer;

	if (!mm || !file || !file->f_op || !file->f_op->read)
		return -EINVAL;
	ms_linux_use(ms_mm_machine(mm));
	former = ms_linux_as(mm);
	answer = file->f_op->read(file, (char *)addr, size, &file->f_pos);
	ms_linux_set_current_mm(ms_mm_machine(mm), former);
	ms_linux_use(machine);
	return answer;
}

static inline ssize_t ms_linux_write(struct mm_struct *mm, struct file *file, unsigned long addr,
				     size_t size)
{
	struct ms_machine *machine = ms_linux_machine();
	struct mm_struct *former;
	ssize_t answer;

	if (!mm || !file || !file->f_op || !file->f_op->write)
		return -EINVAL;
	ms_linux_use(ms_mm_machine(mm));
	former = ms_linux_as(mm);
	answer = file->f_op->write(file, (const char *)addr, size, &file->f_pos);
	ms_linux_set_current_mm(ms_mm_machine(mm), former);
	ms_linux_use(machine);
	return answer;
}

static inline unsigned int ms_linux_poll(struct mm_struct *mm, struct file *file)
{
	struct ms_machine *machine = ms_linux_machine();
	struct mm_struct *former;
	unsigned int answer;

	if (!mm || !file || !file->f_op)
		return EPOLLERR;
	if (!file->f_op->poll)
		return EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM;
	ms_linux_use(ms_mm_machine(mm));
	former = ms_linux_as(mm);
	answer = file->f_op->poll(file, NULL);
	ms_linux_set_current_mm(ms_mm_machine(mm), former);
	ms_linux_use(machine);
	return answer;
}

/**
 * insmod: runs the function that module_init() named (ms_module_init, see module.h) on m. Answers
 * what it does; -EINVAL: there is no machine, and nothing was run.
 */
static inline int ms_linux_insmod(struct ms_machine *m, int (*init)(void))
{
	struct ms_machine *former;
	int err;

	if (!m || !init)
		return -EINVAL;
	former = ms_linux_use(m);
	err = init();
	ms_linux_use(former);
	return err;
}

/** rmmod: runs the function that module_exit() named. */
static inline void ms_linux_rmmod(struct ms_machine *m, void (*exit)(void))
{
	struct ms_machine *former;

	if (!m || !exit)
		return;
	former = ms_linux_use(m);
	exit();
	ms_linux_use(former);
}

/**
 * open(2) of /dev/NAME, a device that a driver has registered on m, or of the character device of a
 * number, "MAJOR:MINOR"; flags: O_RDWR, O_RDONLY,
 * O_WRONLY, with O_SYNC or what the driver looks at. The file, for ms_mmap(). NULL, and errno says
 * why. ENOENT: nobody registered the name; EINVAL: no machine or no name; ENOMEM; what ->open
 * answers.
 */
static inline struct file *ms_linux_open(struct ms_machine *m, const char *name, int flags)
{
	return ms_linux_open_device(m, name, flags);
}

/**
 * A file with these operations, without a device and without calling ->open: what
 * anon_inode_getfile() makes. For trying handlers alone. NULL, and errno says why. EINVAL: no
 * machine, no operations, or a driver compiled for another page size; ENOMEM.
 */
static inline struct file *ms_linux_file(struct ms_machine *m, const struct file_operations *fops,
					 int flags, void *private_data)
{
	struct file *file = ms_linux_open_fops(m, fops, flags, private_data, PAGE_SHIFT);

	ms_linux_name_file(file, __BASE_FILE__);
	return file;
}

/** close(2): the file lives on while a VMA maps it, then ->release is called. NULL is allowed. */
static inline void ms_linux_close(struct file *file)
{
	ms_file_put(file);
}

/**
 * For a test's end, when the driver was removed, its files were closed and nothing maps it any
 * more: what it took and has not given back, each as a violation with its physical address. That is
 * memory (kmalloc, pages), regions, ioremaps, devices that are still registered, locks that are
 * still held; and memtype reservations of mappings that are gone. Answers how many.
 */
static inline size_t ms_linux_leaks(struct ms_machine *m)
{
	return ms_linux_report_leaks(m);
}

/** Allocations (kmalloc and kin, pages) that driver code made on m and has not freed. */
static inline size_t ms_linux_allocated(const struct ms_machine *m)
{
	return ms_linux_live(m);
}

#endif
