/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/i2c.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model I2C (<linux/i2c.h>)"
