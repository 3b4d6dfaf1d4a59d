/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/usb.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model USB (<linux/usb.h>)"
