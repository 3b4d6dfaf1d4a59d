/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/page_ref.h>: linux.h has all of it. */
#include <mapsim/linux.h>
