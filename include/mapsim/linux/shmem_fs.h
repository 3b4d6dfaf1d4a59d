/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/shmem_fs.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model the kernel's own shmem files; tests have ms_memfd_new() (<linux/shmem_fs.h>)"
