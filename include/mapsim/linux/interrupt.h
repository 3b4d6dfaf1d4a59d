/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/interrupt.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model interrupts (<linux/interrupt.h>)"
