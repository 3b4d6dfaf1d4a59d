/* SPDX-License-Identifier: GPL-2.0-only */
/* Plays operations on files and devices, and the kernel's own claims and ioremaps. */
#include "script/player.h"

/* The recorder's memory files in bytes: how large, and of which huge pages (0: of none). */
static const struct {
	uint64_t size, huge;
} memory_files[] = {
	[MS_SRC_MEMFD] = { 64 * UINT64_C(0x100000), 0 },
	[MS_SRC_HUGETLB_64K] = { UINT64_C(0x100000), UINT64_C(0x10000) },
	[MS_SRC_HUGETLB_2M] = { 24 * UINT64_C(0x100000), MS_2M },
	[MS_SRC_HUGETLB_32M] = { 64 * UINT64_C(0x100000), 16 * MS_2M },
	[MS_SRC_HUGETLB_1G] = { MS_1G, MS_1G },
};

/* Puts `opened` into *kept and answers it. Where it is NULL, *err becomes `why`. */
static struct ms_file *keep(struct ms_file **kept, struct ms_file *opened, int why, int *err)
{
	*kept = opened;
	*err = opened ? 0 : why;
	return opened;
}

/*
 * Why a file was not opened: if nothing was allocated since `allocs` were counted, it was refused,
 * which is `why`; else memory was out.
 */
static int no_file(const struct ms_player *p, uint64_t allocs, int why)
{
	return ms_machine_allocs(p->m) == allocs ? why : -ENOMEM;
}

/* The file of driver:NAME, which is told the pieces before each mmap. */
static struct ms_file *open_pieces(struct ms_player *p, const struct ms_op *op, int *err)
{
	enum ms_pieces_mode mode = (enum ms_pieces_mode)op->value[MS_K_LAZY];
	enum ms_cache type = (enum ms_cache)op->value[MS_K_TYPE];
	struct ms_file *file = p->driver[op->device];

	if (!file) {
		file = keep(&p->driver[op->device], ms_pieces_open_physical(p->m), -ENOMEM, err);
		// the driver on arm64 keeps the pieces in one variable, not in each VMA
		if (file && p->header->arch == MS_ARCH_ARM64)
			ms_pieces_one_lazy(file);
	}
	if (!file)
		return NULL;
	if (mode == MS_PIECES_LAZY_HUGE &&
	    ms_machine_policy(p->m)->recorder_lazy_huge == MS_RECORDER_LAZY_HUGE_PAGES)
		mode = MS_PIECES_LAZY;
	*err = ms_pieces_plan(file, mode, type, op->pieces, op->npieces);
	return *err ? NULL : file;
}

/*
 * A process opens a memory file when it first maps it. A child has those that were open at the
 * fork; what parent and child open afterwards are two files.
 */
static struct ms_file *open_memory(struct ms_player *p, const struct ms_op *op, int *err)
{
	const enum ms_source_kind source = op->source;
	struct ms_file **kept =
		op->child && !p->inherited[source] ? &p->child_file[source] : &p->file[source];
	uint64_t size = memory_files[source].size, huge = memory_files[source].huge;
	uint64_t allocs = ms_machine_allocs(p->m);
	struct ms_file *file;

	if (*kept)
		return *kept;
	if (!huge)
		return keep(kept, ms_memfd_new(p->m, size), -ENOMEM, err);
	// ENODEV: the machine has no huge pages of this size
	file = ms_memfd_hugetlb_new(p->m, size, huge);
	return keep(kept, file, no_file(p, allocs, -ENODEV), err);
}

struct ms_file *ms_player_open(struct ms_player *p, const struct ms_op *op, int *err)
{
	struct ms_device *device = p->device[op->device];
	uint64_t allocs = ms_machine_allocs(p->m);
	struct ms_file *file;

	switch (op->source) {
	case MS_SRC_DRIVER:
		return open_pieces(p, op, err);
	case MS_SRC_RESOURCE:
		return keep(&file, ms_pci_resource(device), -ENOMEM, err);
	case MS_SRC_RESOURCE_WC:
		file = ms_pci_resource_wc(device);
		return keep(&file, file, no_file(p, allocs, -ENOENT), err);
	case MS_SRC_VFIO:
		file = p->vfio[op->device];
		if (file)
			return file;
		p->vfio_opened[op->device] = ++p->nr_vfio_opened;
		return keep(&p->vfio[op->device], ms_vfio_open(device), -ENOMEM, err);
	case MS_SRC_DEVMEM:
	case MS_SRC_DEVMEM_NOSYNC:
		file = p->file[op->source];
		return file ? file
			    : keep(&p->file[op->source],
				   ms_devmem_open(p->m, op->source == MS_SRC_DEVMEM), -ENOMEM, err);
	default:
		return open_memory(p, op, err);
	}
}

static void close_file(struct ms_file **file)
{
	ms_file_put(*file);
	*file = NULL;
}

/* A resource file in sysfs is one file, however often it is opened: there is nothing to close. */
void ms_play_close(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	(void)mm;
	ms_print_ret(p, 0);
	if (op->source == MS_SRC_VFIO)
		close_file(&p->vfio[op->device]);
	else if (op->source == MS_SRC_DRIVER)
		close_file(&p->driver[op->device]);
	else if (op->source < MS_SRC_RESOURCE)
		close_file(&p->file[op->source]);
}

void ms_player_inherit(struct ms_player *p)
{
	for (size_t i = 0; i < MS_SRC_RESOURCE; i++)
		p->inherited[i] = p->file[i];
}

void ms_player_close_child_files(struct ms_player *p)
{
	for (size_t i = 0; i < MS_SRC_RESOURCE; i++)
		close_file(&p->child_file[i]);
}

/* Of the vfio devices that are open the one that was opened last; NULL: none is open. */
static struct ms_file **last_vfio(struct ms_player *p)
{
	size_t last = 0;

	for (size_t i = 1; i < MS_MAX_HEADER_ITEMS; i++) {
		if (p->vfio[i] && (!p->vfio[last] || p->vfio_opened[i] > p->vfio_opened[last]))
			last = i;
	}
	return p->vfio[last] ? &p->vfio[last] : NULL;
}

/*
 * When a process exits, the kernel releases the file first that was opened last: exit_files() puts
 * them in the order of their numbers, and task_work_run() takes them from a stack. In what order
 * memory files and /dev/mem are released has no effect.
 */
void ms_player_close_all(struct ms_player *p)
{
	struct ms_file **vfio;

	while ((vfio = last_vfio(p)))
		close_file(vfio);
	for (size_t i = 0; i < MS_MAX_HEADER_ITEMS; i++)
		close_file(&p->driver[i]);
	for (size_t i = 0; i < MS_SRC_RESOURCE; i++)
		close_file(&p->file[i]);
	ms_player_close_child_files(p);
}

void ms_play_vfio_memory(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	struct ms_op open = *op;
	int err;

	(void)mm;
	open.source = MS_SRC_VFIO;
	struct ms_file *file = ms_player_open(p, &open, &err);
	if (file)
		ms_print_ret(p, ms_vfio_set_memory(file, ms_op_has(op, MS_K_ON)));
	else
		ms_print_ret_no_file(p, err);
}

/* ---- ranges of a BAR ---- */

struct range {
	uint64_t off, len;
	ms_pa_t pa;
};

static struct range range_of(const struct ms_player *p, const struct ms_op *op)
{
	const struct ms_device *device = p->device[op->device];
	struct range range = { .len = ms_device_size(device) };

	if (ms_op_has(op, MS_K_OFF))
		range.off = op->value[MS_K_OFF];
	if (ms_op_has(op, MS_K_LEN))
		range.len = op->value[MS_K_LEN];
	range.pa = ms_device_pa(device) + range.off;
	return range;
}

void ms_play_claim(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	struct range range = range_of(p, op);

	(void)mm;
	ms_print_ret(p, ms_iomem_claim(p->m, range.pa, range.len));
}

void ms_play_release(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	struct range range = range_of(p, op);

	(void)mm;
	ms_print_ret(p, ms_iomem_release(p->m, range.pa, range.len));
}

void ms_play_revoke(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	struct range range = range_of(p, op);
	int err = 0;

	(void)mm;
	if (op->source == MS_SRC_DRIVER)
		ms_pieces_revoke(p->device[op->device], range.off, range.len);
	else
		err = ms_iomem_claim(p->m, range.pa, range.len);
	if (!err && op->source != MS_SRC_DRIVER)
		err = ms_iomem_release(p->m, range.pa, range.len);
	ms_print_ret(p, err);
}

/* ---- ioremaps ---- */

void ms_play_ioremap(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	struct range range = range_of(p, op);
	uint64_t slot = op->value[MS_K_ID];
	int err;

	(void)mm;
	if (slot >= MS_IOREMAP_SLOTS || p->ioremap[slot].size || !range.len) {
		ms_print_ret_own(p, -EINVAL, "no such slot of ioremaps, it is in use, or no bytes");
		return;
	}
	err = ms_ioremap(p->m, range.pa, range.len, (enum ms_cache)op->value[MS_K_TYPE]);
	if (!err) {
		p->ioremap[slot].pa = range.pa;
		p->ioremap[slot].size = range.len;
	}
	ms_print_ret(p, err);
}

/* The kernel's iounmap() has no result: that it could not free a memtype is in the events. */
static int iounmap_slot(struct ms_player *p, uint64_t slot)
{
	if (slot >= MS_IOREMAP_SLOTS || !p->ioremap[slot].size)
		return -EINVAL;
	ms_iounmap(p->m, p->ioremap[slot].pa, p->ioremap[slot].size);
	p->ioremap[slot].size = 0;
	return 0;
}

void ms_play_iounmap(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	(void)mm;
	ms_print_ret_own(p, iounmap_slot(p, op->value[MS_K_ID]), "no ioremap has this number");
}

void ms_player_drop_ioremaps(struct ms_player *p)
{
	for (uint64_t slot = 0; slot < MS_IOREMAP_SLOTS; slot++)
		iounmap_slot(p, slot);
}
