/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/irq.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model interrupts (<linux/irq.h>)"
