/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files whose operations are a driver's struct file_operations, and the misc devices that they are
 * opened by. Written against linux.h: struct file here is what the library calls ms_file.
 */
#include <mapsim/linux.h>

#include <mapsim/linux/cdev.h>

#include "core/pointer.h"
#include "core/refusal.h"
#include "linux/bridge.h"

#include <errno.h>

/* A device node. It outlives its registration while files are open that were opened through it. */
struct node {
	struct node *next;
	struct miscdevice *misc; // NULL: not registered (any more)
	struct inode inode;
	struct device device;
	unsigned int users; // files, and the registration
};

/* What a file has besides its struct file: ms_file_priv(). */
struct open_file {
	struct node *node;
	struct mmap_action action; // what mmap_prepare asked for
};

/* ---- operations, as the library calls them ---- */

/* What became of a file's operations since it was opened: the kernel would jump to nowhere. */
static int refuse_ops(struct file *file)
{
	ms_linux_violation("driver has taken the operations of an open file away");
	return ms_refuse(ms_file_machine(file), -ENODEV, "the file's operations were taken away");
}

static int call_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!file->f_op || !file->f_op->mmap)
		return refuse_ops(file);
	return file->f_op->mmap(file, vma);
}

#define REMAP_FLAGS (VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP)

// Becomes a remap of the whole VMA.
// mirrors simple_ioremap_prepare(), mm/memory.c, 7.2+
static int prepare_simple(struct ms_machine *m, struct vm_area_desc *desc)
{
	const phys_addr_t start = desc->action.simple_ioremap.start_phys_addr;
	const unsigned long size = desc->action.simple_ioremap.size + offset_in_page(start);
	const unsigned long pages = PFN_UP(size), pfn = PHYS_PFN(start);

	if (start + desc->action.simple_ioremap.size < start || pfn + pages < pfn)
		return ms_refuse(m, -EINVAL, "simple_ioremap: %x bytes at %x wrap around",
				 desc->action.simple_ioremap.size, start);
	if (desc->pgoff > pages || vma_desc_pages(desc) > pages - desc->pgoff)
		return ms_refuse(m, -EINVAL, "simple_ioremap: %u pages from page %u on, of %u",
				 vma_desc_pages(desc), desc->pgoff, pages);
	mmap_action_ioremap_full(desc, pfn + desc->pgoff);
	return 0;
}

// mirrors remap_pfn_range_prepare(), mm/memory.c, 7.2+
static int prepare_remap(struct ms_machine *m, struct vm_area_desc *desc)
{
	const struct mmap_action *action = &desc->action;
	const unsigned long start = action->remap.start, end = start + action->remap.size;

	if (start < desc->start || end > desc->end || end < start)
		return ms_refuse(m, -EFAULT, "remap of %x-%x outside of the VMA %x-%x", start, end,
				 desc->start, desc->end);
	if (is_cow_mapping(desc->vm_flags)) {
		if (start != desc->start || end != desc->end)
			return ms_refuse(m, -EINVAL, "VMA %x-%x is private: %x-%x is not all of it",
					 desc->start, desc->end, start, end);
		desc->pgoff = action->remap.start_pfn;
	}
	desc->vm_flags |= REMAP_FLAGS;
	return 0;
}

// mirrors map_kernel_pages_prepare(), mm/memory.c, 7.2+
static int prepare_kernel_pages(struct ms_machine *m, struct vm_area_desc *desc)
{
	const unsigned long start = desc->action.map_kernel.start;
	const unsigned long end = start + desc->action.map_kernel.nr_pages * PAGE_SIZE;

	if (!desc->action.map_kernel.pages)
		return ms_refuse(m, -EINVAL, "map_kernel_pages: there are no pages");
	VM_WARN_ON_ONCE((desc->vm_flags & (VM_PFNMAP | VM_MIXEDMAP)) == VM_PFNMAP);
	desc->vm_flags |= VM_MIXEDMAP;
	if (start < desc->start || end > desc->end || end < start)
		return ms_refuse(m, -EFAULT, "kernel pages at %x-%x outside of the VMA %x-%x",
				 start, end, desc->start, desc->end);
	return 0;
}

// mirrors mmap_action_prepare(), mm/util.c, 7.2+
static int prepare_action(struct ms_machine *m, struct vm_area_desc *desc)
{
	int err = 0;

	if (WARN_ON_ONCE(desc->action.error_override &&
			 !IS_ERR_VALUE((long)desc->action.error_override)))
		return ms_refuse(m, -EINVAL, "mmap_prepare: error_override is no errno");
	if (desc->action.type == MMAP_SIMPLE_IO_REMAP)
		err = prepare_simple(m, desc);
	if (err || desc->action.type == MMAP_NOTHING)
		return err;
	if (desc->action.type == MMAP_MAP_KERNEL_PAGES)
		return prepare_kernel_pages(m, desc);
	return prepare_remap(m, desc);
}

static int call_mmap_prepare(struct file *file, struct ms_vma_desc *out)
{
	struct ms_machine *m = ms_file_machine(file);
	struct open_file *of = ms_file_priv(file);
	struct vm_area_desc desc = {
		.mm = out->mm,
		.file = file,
		.start = out->start,
		.end = out->end,
		.pgoff = out->pgoff,
		.vm_file = file,
		.vm_flags = out->vm_flags,
		.page_prot = out->page_prot,
		.vm_ops = out->vm_ops,
		.private_data = out->private_data,
	};
	int err;

	if (!file->f_op || !file->f_op->mmap_prepare)
		return refuse_ops(file);
	err = file->f_op->mmap_prepare(&desc);
	if (!err)
		err = prepare_action(m, &desc);
	if (err)
		return err;
	if (desc.vm_file != file) {
		ms_linux_violation("mmap_prepare gives another vm_file: not modelled");
		return ms_refuse(m, -EINVAL, "mmap_prepare gives another vm_file");
	}
	out->pgoff = desc.pgoff;
	out->vm_flags = desc.vm_flags;
	out->page_prot = desc.page_prot;
	out->vm_ops = desc.vm_ops;
	out->private_data = desc.private_data;
	of->action = desc.action;
	return 0;
}

// mirrors map_kernel_pages_complete(), mm/memory.c, 7.2+
static int complete_kernel_pages(struct vm_area_struct *vma, const struct mmap_action *action)
{
	unsigned long nr_pages = action->map_kernel.nr_pages;

	return vm_insert_pages(vma, action->map_kernel.start, action->map_kernel.pages, &nr_pages);
}

// mirrors call_vma_mapped(), mm/util.c, 7.2+
static int call_mapped(struct vm_area_struct *vma)
{
	void *data = vma->vm_private_data;
	int err;

	if (!vma->vm_ops || !vma->vm_ops->mapped)
		return 0;
	err = vma->vm_ops->mapped(vma->vm_start, vma->vm_end, vma->vm_pgoff, vma->vm_file, &data);
	if (!err)
		vma->vm_private_data = data;
	return err;
}

// mirrors mmap_action_complete(), mm/util.c, 7.2+
static int complete_action(struct file *file, struct vm_area_struct *vma)
{
	const struct mmap_action action = ((struct open_file *)ms_file_priv(file))->action;
	struct ms_machine *m = ms_file_machine(file);
	const uint64_t before = ms_linux_refusals(m);
	int err = 0;

	if (action.type == MMAP_MAP_KERNEL_PAGES)
		err = complete_kernel_pages(vma, &action);
	else if (action.type != MMAP_NOTHING)
		err = ms_remap_pfn_range(vma, action.remap.start, action.remap.start_pfn,
					 action.remap.size, action.remap.pgprot);
	if (!err)
		err = call_mapped(vma);
	return err && action.error_override ? ms_answered_as(m, before, action.error_override)
					    : err;
}

// vfs_fallocate(): a character device
static int punch_hole(struct file *file, uint64_t off, uint64_t len)
{
	(void)off, (void)len;
	return ms_refuse(ms_file_machine(file), -ENODEV,
			 "a device's file has no holes: it is no regular file");
}

static void put_node(struct ms_machine *m, struct node *node)
{
	if (--node->users == 0)
		ms_linux_release(m, node);
}

// f_op is NULL where ->open failed, and then ->release is not called.
static void release(struct file *file)
{
	struct ms_machine *m = ms_file_machine(file), *former = ms_linux_use(m);
	struct open_file *of = ms_file_priv(file);

	if (file->f_op && file->f_op->release)
		file->f_op->release(file->f_inode, file);
	ms_linux_use(former);
	put_node(m, of->node);
	ms_linux_release(m, of);
}

static const struct ms_file_ops mmap_ops = {
	.name = "driver",
	.locks = true,
	.looked_at = true,
	.mmap = call_mmap,
	.punch_hole = punch_hole,
	.release = release,
};

static const struct ms_file_ops mmap_prepare_ops = {
	.name = "driver",
	.locks = true,
	.looked_at = true,
	.mmap_prepare = call_mmap_prepare,
	.mmap = complete_action,
	.punch_hole = punch_hole,
	.release = release,
};

static const struct ms_file_ops no_mmap_ops = {
	.name = "driver",
	.punch_hole = punch_hole,
	.release = release,
};

// A driver has ->mmap or ->mmap_prepare; having both is a bug.
// mirrors can_mmap_file(), include/linux/fs.h, 7.2+
static const struct ms_file_ops *ops_of(const struct ms_machine *m,
					const struct file_operations *fops)
{
	if (WARN_ON_ONCE(fops->mmap && fops->mmap_prepare))
		return &no_mmap_ops;
	if (fops->mmap_prepare)
		return ms_linux_knows_mmap_prepare(m) ? &mmap_prepare_ops : &no_mmap_ops;
	return fops->mmap ? &mmap_ops : &no_mmap_ops;
}

/* ---- nodes ---- */

static struct node *node_new(struct ms_machine *m, unsigned int minor)
{
	struct node *node = ms_linux_zalloc(m, sizeof(*node));

	if (!node)
		return NULL;
	node->users = 1;
	node->inode.i_minor = minor;
	node->inode.i_mapping = &node->inode.i_data;
	node->inode.i_data = (struct address_space){ .host = &node->inode, .ms_machine = m };
	return node;
}

static struct node *node_named(struct ms_machine *m, const char *name)
{
	void **nodes = name ? ms_linux_devices(m) : NULL;

	for (struct node *node = nodes ? *nodes : NULL; node; node = node->next)
		if (!strcmp(node->misc->name, name))
			return node;
	return NULL;
}

static bool minor_is_taken(const struct node *nodes, int minor)
{
	for (; nodes; nodes = nodes->next)
		if (nodes->misc->minor == minor)
			return true;
	return false;
}

bool ms_linux_page_size_fits(struct ms_machine *m, unsigned int page_shift)
{
	if (ms_linux_page_shift(m) == page_shift)
		return true;
	ms_linux_violation("a driver that was compiled for another page size (PAGE_SHIFT)");
	ms_refuse(m, -EINVAL, "the driver was compiled for pages of %u bytes, the machine has %u",
		  UINT64_C(1) << page_shift, UINT64_C(1) << ms_linux_page_shift(m));
	return false;
}

int ms_linux_misc_register(struct miscdevice *misc, unsigned int page_shift)
{
	struct ms_machine *m = ms_linux_machine();
	void **nodes = m ? ms_linux_devices(m) : NULL;
	struct node *node;
	int minor;

	if (!misc)
		return -EINVAL;
	if (!nodes)
		return m ? ms_refuse(m, -ENOMEM, "no memory") : -ENOMEM;
	if (!misc->name || !misc->fops)
		return ms_refuse(m, -EINVAL, "misc_register: a device has a name and operations");
	if (!ms_linux_page_size_fits(m, page_shift))
		return -EINVAL;
	if (node_named(m, misc->name))
		return ms_refuse(m, -EEXIST, "misc_register: the device is registered already");
	minor = misc->minor;
	if (minor == MISC_DYNAMIC_MINOR)
		for (minor = 127; minor_is_taken(*nodes, minor);)
			minor--;
	else if (minor_is_taken(*nodes, minor))
		return ms_refuse(m, -EBUSY, "misc_register: another device has minor %u", minor);
	if (minor < 0)
		return ms_refuse(m, -EBUSY, "misc_register: no minor is free");
	node = node_new(m, (unsigned int)minor);
	if (!node)
		return ms_refuse(m, -ENOMEM, "no memory");
	node->device = (struct device){ .parent = misc->parent, .init_name = misc->name };
	node->misc = misc;
	node->next = *nodes;
	*nodes = node;
	misc->minor = minor;
	misc->this_device = &node->device;
	INIT_LIST_HEAD(&misc->list);
	return 0;
}

void ms_linux_misc_deregister(struct miscdevice *misc)
{
	struct ms_machine *m = ms_linux_machine();
	void **nodes = m ? ms_linux_devices(m) : NULL;
	struct node *node = nodes ? *nodes : NULL, *before = NULL;

	if (!misc)
		return;
	while (node && node->misc != misc) {
		before = node;
		node = node->next;
	}
	if (!node) {
		if (m)
			ms_linux_violation("misc_deregister of what is not registered");
		return;
	}
	if (before)
		before->next = node->next;
	else
		*nodes = node->next;
	node->misc = NULL;
	misc->this_device = NULL;
	put_node(m, node);
}

void ms_linux_devices_destroy(struct ms_machine *m, void *devices)
{
	for (struct node *node = devices, *next; node; node = next) {
		next = node->next;
		put_node(m, node);
	}
}

const char *ms_linux_device(struct ms_machine *m, size_t i)
{
	void **nodes = m ? ms_linux_devices(m) : NULL;
	struct ms_machine *former;
	const struct node *node;
	const char *name;
	size_t nr = 0;

	for (node = nodes ? *nodes : NULL; node; node = node->next)
		nr++;
	if (i >= nr) {
		former = ms_linux_use(m);
		name = m ? ms_linux_chrdev_name(m, i - nr) : NULL;
		ms_linux_use(former);
		return name;
	}
	// the newest is the first
	for (node = *nodes; nr - 1 > i; nr--)
		node = node->next;
	return node->misc->name;
}

const void *ms_linux_device_next(const void *devices, const void *device, const char **name,
				 unsigned int *minor)
{
	const struct node *node = device ? ((const struct node *)device)->next : devices;

	if (node) {
		*name = node->misc->name;
		*minor = node->inode.i_minor;
	}
	return node;
}

const char *ms_linux_devices_use(const struct ms_machine *m, const void *devices, uintptr_t from,
				 uintptr_t to)
{
	for (const struct node *node = devices; node; node = node->next) {
		if (ms_lies_in(node->misc, from, to))
			return "a registered misc device";
		if (ms_lies_in(node->misc->fops, from, to) || ms_lies_in(node->misc->name, from, to))
			return "what a registered misc device has";
	}
	for (struct file *file = NULL; (file = ms_file_next(m, file));)
		if (ms_lies_in(file->f_op, from, to))
			return "the operations of an open file";
	return NULL;
}

/* ---- opening ---- */

static struct file *file_new(struct ms_machine *m, struct node *node,
			     const struct file_operations *fops, int flags, void *private_data)
{
	const fmode_t fmode = (fmode_t)(flags & O_ACCMODE) + 1;
	struct open_file *of = ms_linux_zalloc(m, sizeof(*of));
	struct file *file;

	if (!of)
		return NULL;
	of->node = node;
	file = ms_file_new(m, ops_of(m, fops), fmode, UINT64_MAX, &node->inode.i_data, of);
	if (!file) {
		ms_linux_release(m, of);
		return NULL;
	}
	node->users++;
	if (node->misc)
		ms_linux_name_file(file, node->misc->name);
	*file = (struct file){
		.f_op = fops,
		.f_inode = &node->inode,
		.f_mapping = &node->inode.i_data,
		.private_data = private_data,
		.f_mode = fmode,
		.f_flags = (unsigned int)flags,
	};
	return file;
}

// do_dentry_open(): ->open may give the file another address_space
static int open_file(struct ms_machine *m, struct file *file)
{
	struct node *node = ((struct open_file *)ms_file_priv(file))->node;
	const uint64_t before = ms_linux_refusals(m);
	const struct file_operations *fops = file->f_op;
	int err = 0;

	if (fops->open && !ms_linux_call_begin(m)) {
		err = -EBUSY;
	} else if (fops->open) {
		err = fops->open(file->f_inode, file);
		ms_linux_call_end(m);
	}
	if (file->f_inode != &node->inode || !file->f_mapping) {
		ms_linux_violation("->open changes f_inode of its file, or clears f_mapping");
		file->f_inode = &node->inode;
		file->f_mapping = &node->inode.i_data;
	}
	if (!err && !file->f_op) {
		ms_linux_violation("->open clears f_op of its file");
		file->f_op = fops;
	}
	// replace_fops(): what is called from now on
	if (!err && file->f_op != fops)
		ms_linux_file_set_ops(file, ops_of(m, file->f_op));
	if (err) {
		file->f_op = NULL;
		ms_answered(m, before, err, "driver: ->open answers this error");
	} else if (file->f_mapping != &file->f_inode->i_data) {
		err = ms_linux_file_set_mapping(file, file->f_mapping);
	}
	if (err)
		ms_file_put(file);
	return (int)ms_answered(m, before, err, NULL);
}

// Answers the file, or NULL with errno set.
static struct file *open_node(struct ms_machine *m, struct node *node, int flags)
{
	struct file *file = file_new(m, node, node->misc->fops, flags, node->misc);
	int err;

	if (!file)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	err = open_file(m, file);
	return err ? ms_refusal_null(err) : file;
}

/* A device that is no misc device: by its number. */
static struct file *open_cdev(struct ms_machine *m, const char *name, int flags)
{
	dev_t devt;
	struct cdev *cdev = ms_linux_cdev_named(m, name, &devt);
	struct node *node;
	struct file *file;
	int err;

	if (!devt)
		return ms_refuse_null(m, -ENOENT, "open: nobody has registered such a device");
	if (!cdev)
		return ms_refuse_null(m, -ENXIO, "open: nobody serves device number %u:%u",
				      MAJOR(devt), MINOR(devt));
	node = node_new(m, MINOR(devt));
	if (!node)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	node->inode.i_rdev = devt;
	node->inode.i_cdev = cdev;
	file = file_new(m, node, cdev->ops, flags, NULL);
	put_node(m, node); // the file's alone
	if (!file)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	err = open_file(m, file);
	return err ? ms_refusal_null(err) : file;
}

struct file *ms_linux_open_device(struct ms_machine *m, const char *name, int flags)
{
	struct ms_machine *former;
	struct node *node;
	struct file *file;

	if (!m)
		return ms_refusal_null(-EINVAL);
	if (!name)
		return ms_refuse_null(m, -EINVAL, "open: a device has a name");
	former = ms_linux_use(m);
	node = node_named(m, name);
	file = node ? open_node(m, node, flags) : open_cdev(m, name, flags);
	ms_linux_use(former);
	return file;
}

struct file *ms_linux_open_fops(struct ms_machine *m, const struct file_operations *fops, int flags,
				void *private_data, unsigned int page_shift)
{
	struct ms_machine *former;
	struct file *file = NULL;
	struct node *node;

	if (!m)
		return ms_refusal_null(-EINVAL);
	if (!fops)
		return ms_refuse_null(m, -EINVAL, "a file has operations");
	former = ms_linux_use(m);
	if (!ms_linux_page_size_fits(m, page_shift)) {
		ms_linux_use(former);
		return ms_refusal_null(-EINVAL);
	}
	node = node_new(m, 0);
	if (node) {
		file = file_new(m, node, fops, flags, private_data);
		put_node(m, node); // the file's alone
	}
	ms_linux_use(former);
	return file ? file : ms_refuse_null(m, -ENOMEM, "no memory");
}
