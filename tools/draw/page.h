/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole drawings: a picture of one moment as SVG, and a page that steps through all as HTML. */
#ifndef MAPSIM_DRAW_PAGE_H
#define MAPSIM_DRAW_PAGE_H

#include "svg.h"

#define MAX_PICTURES 2 /* kernels beside each other */

/* The frame with number `step` of each picture, one below the other. */
void page_svg(const struct layout *layout, const struct picture *pictures, size_t nr_pictures,
	      size_t step, FILE *out);
/* One file with all in it, which needs no other. */
void page_html(const struct layout *layout, const struct picture *pictures, size_t nr_pictures,
	       const char *title, FILE *out);

#endif
