/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/spi/spi.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model SPI (<linux/spi/spi.h>)"
