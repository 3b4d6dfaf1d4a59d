/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/timer.h>: linux/workqueue.h has it. */
#include <mapsim/linux/workqueue.h>
