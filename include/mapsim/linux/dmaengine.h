/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/dmaengine.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model DMA engines (<linux/dmaengine.h>)"
