/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/dma-mapping.h>: linux.h has it, and linux/scatterlist.h what is of lists. */
#include <mapsim/linux/scatterlist.h>
