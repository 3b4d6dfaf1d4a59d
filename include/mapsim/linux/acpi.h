/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/acpi.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model ACPI (<linux/acpi.h>)"
