/* SPDX-License-Identifier: GPL-2.0-only */
/* A frame of a picture as SVG. */
#ifndef MAPSIM_DRAW_SVG_H
#define MAPSIM_DRAW_SVG_H

#include "axis.h"

#include <stdio.h>

/* What is the same in all frames that are compared: the spaces, and the lanes of each. */
struct layout {
	struct axis *axes;
	size_t nr_axes;
	struct lane *lanes; /* of all spaces, from top to bottom */
	size_t nr_lanes;
	double height; /* pixels of a frame */
};

/* 0, or -1: no memory. */
int layout_make(struct layout *layout, const struct picture *pictures, size_t nr_pictures);
void layout_free(struct layout *layout);

#define FRAME_WIDTH 1180.0 /* pixels */

/* The colours, for a <style>: of light and dark, by the reader's preference. */
extern const char svg_style[];
/* Text in which nothing is taken for markup. */
void svg_text(const char *text, FILE *out);
/* The elements of a frame, without the <svg> around them; its upper left corner is at 0,y. */
void svg_frame(const struct layout *layout, const struct frame *frame, double y, FILE *out);

#endif
