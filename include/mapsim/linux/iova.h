/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/iova.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model IOVAs (<linux/iova.h>)"
