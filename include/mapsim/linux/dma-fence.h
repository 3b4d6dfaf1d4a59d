/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/dma-fence.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model fences (<linux/dma-fence.h>)"
