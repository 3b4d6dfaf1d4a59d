/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/of.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model device trees (<linux/of.h>)"
