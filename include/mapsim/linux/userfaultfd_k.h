/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/userfaultfd_k.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model userfaultfd (<linux/userfaultfd_k.h>)"
