/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/firmware.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model firmware (<linux/firmware.h>)"
