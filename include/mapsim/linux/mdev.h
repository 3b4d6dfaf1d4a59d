/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/mdev.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model mediated devices (<linux/mdev.h>)"
