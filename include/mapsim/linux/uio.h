/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/uio.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model iov_iter (<linux/uio.h>)"
