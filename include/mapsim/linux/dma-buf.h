/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/dma-buf.h>: buffers that one driver exports and others, or processes, map. A test finds the
 * file of a descriptor by ms_linux_fd_file(), gives it to ms_mmap() and closes it as the process would.
 * Not modelled, and so not there: fences and reservations, vmap.
 */
#include <mapsim/linux.h>
#include <mapsim/linux/scatterlist.h>
#ifndef MAPSIM_LINUX_DMA_BUF_H
#define MAPSIM_LINUX_DMA_BUF_H

struct dma_buf;
struct dma_buf_attachment;
struct dma_resv;

struct dma_buf_ops {
	bool cache_sgt_mapping;
	int (*attach)(struct dma_buf *dmabuf, struct dma_buf_attachment *attach);
	void (*detach)(struct dma_buf *dmabuf, struct dma_buf_attachment *attach);
	int (*pin)(struct dma_buf_attachment *attach);
	void (*unpin)(struct dma_buf_attachment *attach);
	struct sg_table *(*map_dma_buf)(struct dma_buf_attachment *attach,
					enum dma_data_direction dir);
	void (*unmap_dma_buf)(struct dma_buf_attachment *attach, struct sg_table *table,
			      enum dma_data_direction dir);
	void (*release)(struct dma_buf *dmabuf);
	int (*begin_cpu_access)(struct dma_buf *dmabuf, enum dma_data_direction dir);
	int (*end_cpu_access)(struct dma_buf *dmabuf, enum dma_data_direction dir);
	int (*mmap)(struct dma_buf *dmabuf, struct vm_area_struct *vma);
};

struct dma_buf {
	size_t size; ///< bytes
	struct file *file;
	struct list_head attachments;
	const struct dma_buf_ops *ops;
	const char *exp_name, *name;
	struct module *owner;
	void *priv;
	struct dma_resv *resv;
};

struct dma_buf_attachment {
	struct dma_buf *dmabuf;
	struct device *dev;
	struct list_head node;
	void *priv;
};

struct dma_buf_export_info {
	const char *exp_name;
	struct module *owner;
	const struct dma_buf_ops *ops;
	size_t size;
	int flags;
	struct dma_resv *resv;
	void *priv;
};

#define DEFINE_DMA_BUF_EXPORT_INFO(name) struct dma_buf_export_info name = { .exp_name = "mapsim" }

/* mirrors dma_buf_mmap_internal(), drivers/dma-buf/dma-buf.c, 5.10+ */
static inline int ms_dma_buf_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct dma_buf *dmabuf = (struct dma_buf *)file->private_data;
	const unsigned long pages = dmabuf->size >> PAGE_SHIFT;

	if (!dmabuf->ops->mmap)
		return ms_linux_refuse(-EINVAL, "the exporter of the dma-buf has no ->mmap");
	if (vma->vm_pgoff > pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return ms_linux_refuse(-EINVAL, "more than the dma-buf has");
	return dmabuf->ops->mmap(dmabuf, vma);
}

static inline int ms_dma_buf_release(struct inode *inode, struct file *file)
{
	struct dma_buf *dmabuf = (struct dma_buf *)file->private_data;

	(void)inode;
	ms_linux_fd_forget(file);
	if (!dmabuf)
		return 0;
	WARN_ON(!list_empty(&dmabuf->attachments));
	dmabuf->ops->release(dmabuf);
	kfree(dmabuf);
	return 0;
}

static const struct file_operations ms_dma_buf_fops __maybe_unused = {
	.mmap = ms_dma_buf_mmap,
	.release = ms_dma_buf_release,
};

/* An ERR_PTR: -EINVAL, and a violation: an operation is missing; -ENOMEM. */
static inline struct dma_buf *dma_buf_export(const struct dma_buf_export_info *info)
{
	struct dma_buf *dmabuf;

	if (WARN_ON(!info || !info->priv || !info->ops || !info->ops->map_dma_buf ||
		    !info->ops->unmap_dma_buf || !info->ops->release) ||
	    WARN_ON(!info->ops->pin != !info->ops->unpin))
		return (struct dma_buf *)ERR_PTR(-EINVAL);
	dmabuf = (struct dma_buf *)kzalloc(sizeof(*dmabuf), GFP_KERNEL);
	if (!dmabuf)
		return (struct dma_buf *)ERR_PTR(-ENOMEM);
	dmabuf->file = anon_inode_getfile("dmabuf", &ms_dma_buf_fops, NULL, info->flags);
	if (IS_ERR(dmabuf->file)) {
		kfree(dmabuf);
		return (struct dma_buf *)ERR_PTR(-ENOMEM);
	}
	dmabuf->file->private_data = dmabuf;
	dmabuf->size = info->size;
	dmabuf->ops = info->ops;
	dmabuf->priv = info->priv;
	dmabuf->resv = info->resv;
	dmabuf->exp_name = info->exp_name;
	dmabuf->owner = info->owner;
	INIT_LIST_HEAD(&dmabuf->attachments);
	return dmabuf;
}

static inline void get_dma_buf(struct dma_buf *dmabuf)
{
	get_file(dmabuf->file);
}

static inline void dma_buf_put(struct dma_buf *dmabuf)
{
	if (!WARN_ON(!dmabuf || !dmabuf->file))
		fput(dmabuf->file);
}

/* With a reference. An ERR_PTR: -EBADF; -EINVAL: it is another file. */
static inline struct dma_buf *dma_buf_get(int fd)
{
	struct file *file = ms_linux_fd_file(ms_linux_machine(), fd);

	if (!file)
		return (struct dma_buf *)ERR_PTR(-EBADF);
	if (!file->f_op || file->f_op->mmap != ms_dma_buf_mmap)
		return (struct dma_buf *)ERR_PTR(-EINVAL);
	get_file(file);
	return (struct dma_buf *)file->private_data;
}

/* From now on the file is the process's. */
static inline int dma_buf_fd(struct dma_buf *dmabuf, int flags)
{
	(void)flags;
	return dmabuf && dmabuf->file ? ms_linux_fd_install(dmabuf->file) : -EINVAL;
}

/* The VMA becomes one of the buffer's file.
 * mirrors dma_buf_mmap(), drivers/dma-buf/dma-buf.c, 5.10+ */
static inline int dma_buf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma,
			       unsigned long pgoff)
{
	unsigned long pages;

	if (WARN_ON(!dmabuf || !vma))
		return -EINVAL;
	if (!dmabuf->ops->mmap)
		return ms_linux_refuse(-EINVAL, "the exporter of the dma-buf has no ->mmap");
	if (pgoff + vma_pages(vma) < pgoff)
		return -EOVERFLOW;
	pages = dmabuf->size >> PAGE_SHIFT;
	if (pgoff > pages || vma_pages(vma) > pages - pgoff)
		return ms_linux_refuse(-EINVAL, "more than the dma-buf has");
	vma_set_file(vma, dmabuf->file);
	vma->vm_pgoff = pgoff;
	return dmabuf->ops->mmap(dmabuf, vma);
}

/* ---- importers ---- */

static inline struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf, struct device *dev)
{
	struct dma_buf_attachment *attach;
	int err = 0;

	if (WARN_ON(!dmabuf || !dev))
		return (struct dma_buf_attachment *)ERR_PTR(-EINVAL);
	attach = (struct dma_buf_attachment *)kzalloc(sizeof(*attach), GFP_KERNEL);
	if (!attach)
		return (struct dma_buf_attachment *)ERR_PTR(-ENOMEM);
	attach->dmabuf = dmabuf;
	attach->dev = dev;
	if (dmabuf->ops->attach)
		err = dmabuf->ops->attach(dmabuf, attach);
	if (err) {
		kfree(attach);
		return (struct dma_buf_attachment *)ERR_PTR(err);
	}
	list_add(&attach->node, &dmabuf->attachments);
	return attach;
}

static inline void dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	if (WARN_ON(!dmabuf || !attach || attach->dmabuf != dmabuf))
		return;
	list_del(&attach->node);
	if (dmabuf->ops->detach)
		dmabuf->ops->detach(dmabuf, attach);
	kfree(attach);
}

static inline struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *attach,
						      enum dma_data_direction dir)
{
	struct sg_table *table;

	if (WARN_ON(!attach || !attach->dmabuf))
		return (struct sg_table *)ERR_PTR(-EINVAL);
	table = attach->dmabuf->ops->map_dma_buf(attach, dir);
	return table ? table : (struct sg_table *)ERR_PTR(-ENOMEM);
}

static inline void dma_buf_unmap_attachment(struct dma_buf_attachment *attach,
					    struct sg_table *table, enum dma_data_direction dir)
{
	if (!WARN_ON(!attach || !attach->dmabuf || !table))
		attach->dmabuf->ops->unmap_dma_buf(attach, table, dir);
}

#endif
