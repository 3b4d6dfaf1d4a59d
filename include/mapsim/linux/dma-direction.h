/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/dma-direction.h>: linux.h has what a device needs of it. */
#include <mapsim/linux.h>
