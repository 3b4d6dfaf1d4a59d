/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/mod_devicetable.h>: the tables are in the headers of their buses. */
#include <mapsim/linux/pci.h>
#include <mapsim/linux/platform_device.h>
