/* SPDX-License-Identifier: GPL-2.0-only */
/* Files and misc devices: <linux/fs.h>, <linux/miscdevice.h>, <linux/anon_inodes.h>. */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_FS_H)
#define MAPSIM_LINUX_FS_H

#define FMODE_READ 0x1u
#define FMODE_WRITE 0x2u

struct inode;
struct module;
struct poll_table_struct;
struct cdev;
struct fasync_struct;

struct address_space {
	struct inode *host;
	struct ms_machine *ms_machine;
};

struct inode {
	umode_t i_mode;
	unsigned int i_minor;
	dev_t i_rdev;
	struct cdev *i_cdev;
	loff_t i_size;
	struct address_space *i_mapping;
	struct address_space i_data;
	void *i_private;
};

/* <linux/proc_fs.h>: what proc_create_data() was given. */
#if MS_LINUX_SINCE(5, 17)
#define pde_data(inode) ((void *)(inode)->i_private)
#endif
#if MS_LINUX_BEFORE(5, 17)
#define PDE_DATA(inode) ((void *)(inode)->i_private)
#endif

/* dev_t as the kernel has it: 12 bits, and 20. */
#undef major
#undef minor
#define MINORBITS 20
#define MINORMASK ((1U << MINORBITS) - 1)
#define MAJOR(dev) ((unsigned int)((dev) >> MINORBITS))
#define MINOR(dev) ((unsigned int)((dev)&MINORMASK))
#define MKDEV(ma, mi) (((dev_t)(ma) << MINORBITS) | (mi))

static inline unsigned int imajor(const struct inode *inode)
{
	return inode ? MAJOR(inode->i_rdev) : 0;
}

static inline unsigned int iminor(const struct inode *inode)
{
	return inode ? inode->i_minor : 0;
}

/* The first bytes of what the library calls a file. */
struct file {
	const struct file_operations *f_op;
	struct inode *f_inode;
	struct address_space *f_mapping;
	void *private_data;
	loff_t f_pos;
	fmode_t f_mode;
	unsigned int f_flags;
};

_Static_assert(sizeof(struct file) <= MS_FILE_HEAD_BYTES, "a file has no room for struct file");

static inline struct inode *file_inode(const struct file *file)
{
	return file ? file->f_inode : NULL;
}

struct vm_area_desc;

/*
 * mmap or mmap_prepare, open and release are called by the library; the others are for the test to
 * call through f_op.
 */
struct file_operations {
	struct module *owner;
	loff_t (*llseek)(struct file *file, loff_t offset, int whence);
	ssize_t (*read)(struct file *file, char __user *buf, size_t size, loff_t *pos);
	ssize_t (*write)(struct file *file, const char __user *buf, size_t size, loff_t *pos);
	unsigned int (*poll)(struct file *file, struct poll_table_struct *table);
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	long (*compat_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	int (*open)(struct inode *inode, struct file *file);
	int (*flush)(struct file *file, void *id);
	int (*release)(struct inode *inode, struct file *file);
	int (*fsync)(struct file *file, loff_t start, loff_t end, int datasync);
	int (*fasync)(int fd, struct file *file, int on);
#if MS_LINUX_SINCE(6, 16)
	int (*mmap_prepare)(struct vm_area_desc *desc);
#else
	int (*ms_mmap_prepare)(struct vm_area_desc *desc); // NULL: the library looks there
#endif
};
_Static_assert(sizeof(struct file_operations) == 14 * sizeof(void *),
	       "struct file_operations has another layout than the library's");

static inline loff_t noop_llseek(struct file *file, loff_t offset, int whence)
{
	(void)offset, (void)whence;
	return file ? file->f_pos : -EINVAL;
}

static inline loff_t no_llseek(struct file *file, loff_t offset, int whence)
{
	(void)file, (void)offset, (void)whence;
	return -ESPIPE;
}

/* Times of files are not modelled. */
#define file_update_time(file) ((void)(file), 0)
#define file_accessed(file) ((void)(file))
#define i_size_read(inode) ((inode)->i_size)

static inline loff_t default_llseek(struct file *file, loff_t offset, int whence)
{
	if (!file || (whence != 0 && whence != 1) || (whence ? file->f_pos + offset : offset) < 0)
		return -EINVAL;
	return file->f_pos = whence ? file->f_pos + offset : offset;
}

static inline int stream_open(struct inode *inode, struct file *file)
{
	(void)inode, (void)file;
	return 0;
}

static inline int nonseekable_open(struct inode *inode, struct file *file)
{
	(void)inode, (void)file;
	return 0;
}

static inline struct file *get_file(struct file *file)
{
	ms_linux_get_file(file);
	return file;
}

static inline void fput(struct file *file)
{
	ms_linux_fput(file);
}

/* The VMA is to be one of another file, in its ->mmap. */
static inline void vma_set_file(struct vm_area_struct *vma, struct file *file)
{
	struct file *former;

	if (!vma || !file)
		return;
	former = vma->vm_file;
	vma->vm_file = get_file(file);
	fput(former);
}

/* An address_space of the driver's own, for the f_mapping of its files. */
static inline void address_space_init_once(struct address_space *mapping)
{
	if (mapping)
		*mapping = (struct address_space){ .ms_machine = ms_linux_machine() };
}

static inline void unmap_mapping_range(struct address_space *mapping, loff_t holebegin,
				       loff_t holelen, int even_cows)
{
	ms_linux_might_sleep("unmap_mapping_range");
	if (!mapping)
		return;
	ms_linux_unmap_mapping(mapping->ms_machine, mapping, (u64)holebegin, (u64)holelen,
			       even_cows);
}

static inline void unmap_mapping_pages(struct address_space *mapping, pgoff_t start, pgoff_t nr,
				       bool even_cows)
{
	unmap_mapping_range(mapping, (loff_t)start << PAGE_SHIFT, (loff_t)nr << PAGE_SHIFT,
			    even_cows);
}

/* NULL, never an ERR_PTR, does not come: no memory is ERR_PTR(-ENOMEM). */
static inline struct file *anon_inode_getfile(const char *name, const struct file_operations *fops,
					      void *priv, int flags)
{
	struct file *file = ms_linux_open_fops(ms_linux_machine(), fops, flags, priv, PAGE_SHIFT);

	ms_linux_name_file(file, name);
	return file ? file : (struct file *)ERR_PTR(-ENOMEM);
}

/* ---- misc devices ---- */

#define MISC_DYNAMIC_MINOR 255

struct attribute_group;

struct miscdevice {
	int minor;
	const char *name;
	const struct file_operations *fops;
	struct list_head list;
	struct device *parent;
	struct device *this_device;
	const struct attribute_group **groups;
	const char *nodename;
	umode_t mode;
};

int ms_linux_misc_register(struct miscdevice *misc, unsigned int page_shift);
void ms_linux_misc_deregister(struct miscdevice *misc);

/*
 * On the machine for which the driver's code runs. ->open finds the struct miscdevice in
 * private_data. Whoever registers a name a second time gets -EEXIST.
 */
static inline int misc_register(struct miscdevice *misc)
{
	return ms_linux_misc_register(misc, PAGE_SHIFT);
}

static inline void misc_deregister(struct miscdevice *misc)
{
	ms_linux_misc_deregister(misc);
}

#endif
