/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/nospec.h>: no CPU guesses here, so that an index is what it is. */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#endif
#ifndef array_index_nospec
#define array_index_nospec(index, size) ((void)(size), (index))
#endif
