/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/proc_fs.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model /proc (<linux/proc_fs.h>)"
