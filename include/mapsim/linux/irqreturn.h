/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/irqreturn.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model interrupts (<linux/irqreturn.h>)"
