/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/seq_file.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model files that are read as text (<linux/seq_file.h>)"
