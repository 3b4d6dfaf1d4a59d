/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers by which a driver hands files to a process: one table of descriptors for the machine. */
#include "linux/state.h"

struct ms_descriptor {
	SLIST_ENTRY(ms_descriptor) link;
	struct ms_file *file;
	int fd;
};

#define FIRST_FD 3 /* behind those that every process begins with */

static struct ms_descriptor *find(const struct ms_linux *lx, int fd)
{
	struct ms_descriptor *d;

	SLIST_FOREACH (d, &lx->descriptors, link)
		if (d->fd == fd)
			return d;
	return NULL;
}

/* mirrors get_unused_fd_flags() and fd_install(), fs/file.c, 5.10+ */
int ms_linux_fd_install(struct ms_file *file)
{
	struct ms_linux *lx = file ? ms_linux_of(ms_file_machine(file)) : NULL;
	struct ms_descriptor *d;

	if (!file)
		return -EINVAL;
	d = lx ? ms_zalloc(&ms_file_machine(file)->alloc, sizeof(*d)) : NULL;
	if (!d)
		return ms_refuse(ms_file_machine(file), -ENOMEM, "no memory");
	d->file = file;
	for (d->fd = FIRST_FD; find(lx, d->fd);)
		d->fd++;
	SLIST_INSERT_HEAD(&lx->descriptors, d, link);
	return d->fd;
}

struct ms_file *ms_linux_fd_file(struct ms_machine *m, int fd)
{
	const struct ms_descriptor *d = m && m->kernel ? find(m->kernel, fd) : NULL;

	if (!m)
		return ms_refusal_null(-EINVAL);
	return d ? d->file : ms_refuse_null(m, -EBADF, "no file has this descriptor");
}

void ms_linux_fd_forget(const struct ms_file *file)
{
	struct ms_machine *m = file ? ms_file_machine(file) : NULL;
	struct ms_descriptor *d, *next;

	if (!m || !m->kernel)
		return;
	for (d = SLIST_FIRST(&m->kernel->descriptors); d; d = next) {
		next = SLIST_NEXT(d, link);
		if (d->file != file)
			continue;
		SLIST_REMOVE(&m->kernel->descriptors, d, ms_descriptor, link);
		ms_free(&m->alloc, d);
	}
}

void ms_linux_fds_destroy(struct ms_machine *m)
{
	struct ms_descriptor *d;

	while ((d = SLIST_FIRST(&m->kernel->descriptors))) {
		SLIST_REMOVE_HEAD(&m->kernel->descriptors, link);
		ms_free(&m->alloc, d);
	}
}
