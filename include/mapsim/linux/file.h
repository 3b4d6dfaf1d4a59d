/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/file.h>: linux.h has all of it. */
#include <mapsim/linux.h>
