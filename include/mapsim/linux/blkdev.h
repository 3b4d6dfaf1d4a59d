/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/blkdev.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model block devices (<linux/blkdev.h>)"
