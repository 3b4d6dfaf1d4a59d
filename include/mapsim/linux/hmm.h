/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/hmm.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model hmm_range_fault() (<linux/hmm.h>)"
