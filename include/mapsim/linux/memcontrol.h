/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/memcontrol.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model memory cgroups (<linux/memcontrol.h>)"
