/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/regulator/consumer.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model regulators (<linux/regulator/consumer.h>)"
