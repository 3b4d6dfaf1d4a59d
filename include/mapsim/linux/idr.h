/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/idr.h>: xarray.h has it. */
#include <mapsim/linux/xarray.h>
