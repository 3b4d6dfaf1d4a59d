/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/skbuff.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model networks (<linux/skbuff.h>)"
