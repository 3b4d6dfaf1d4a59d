/* SPDX-License-Identifier: GPL-2.0-only */
/* <asm/page.h>: linux.h has what drivers for both architectures use of it. */
#include <mapsim/linux.h>
