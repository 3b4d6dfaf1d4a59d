/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The axis of a space. It is to scale, but what is long and has nothing in it that begins or ends
 * is cut to a length that leaves the rest visible; what no box covers is a gap of one width.
 *
 *     |#|######//######|#|  ...  |####|
 *      4K     2M-8K     4K  gap    2M
 */
#ifndef MAPSIM_DRAW_AXIS_H
#define MAPSIM_DRAW_AXIS_H

#include "picture.h"

struct piece {
	uint64_t start, end; /* [start, end) */
	double x, width;     /* pixels */
	bool gap;            /* nothing is here in any frame */
	bool cut;            /* shorter than it would be to scale */
};

struct axis {
	uint32_t mm; /* the space, as in struct lane */
	struct piece *pieces;
	size_t nr_pieces;
};

/* The axis of a space for all frames of all pictures. 0, or -1: no memory. */
int axis_make(struct axis *axis, uint32_t mm, const struct picture *pictures, size_t nr_pictures);
void axis_free(struct axis *axis);
/* Where an address that lies on the axis is, in pixels. */
double axis_x(const struct axis *axis, uint64_t addr);

#define AXIS_WIDTH 1000.0 /* pixels, gaps included */

#endif
