/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/device/class.h>: cdev.h has it. */
#include <mapsim/linux/cdev.h>
