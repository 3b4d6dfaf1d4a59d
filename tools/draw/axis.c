/* SPDX-License-Identifier: GPL-2.0-only */
#include "axis.h"

#include <stdlib.h>

#define GAP 34.0           /* pixels */
#define SMALLEST_WIDTH 7.0 /* that the shortest piece shall have */

static int by_value(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* Calls fn for each box of the space. */
static void for_each_box(uint32_t mm, const struct picture *pictures, size_t nr_pictures,
			 void (*fn)(const struct box *box, void *arg), void *arg)
{
	for (size_t p = 0; p < nr_pictures; p++)
		for (size_t f = 0; f < pictures[p].nr_frames; f++)
			for (size_t i = 0; i < pictures[p].frames[f].nr_boxes; i++)
				if (pictures[p].frames[f].boxes[i].lane.mm == mm)
					fn(&pictures[p].frames[f].boxes[i], arg);
}

static void count(const struct box *box, void *arg)
{
	size_t *n = arg;

	(void)box;
	*n += 2;
}

static void add_ends(const struct box *box, void *arg)
{
	uint64_t **to = arg;

	*(*to)++ = box->start;
	*(*to)++ = box->end;
}

/* A piece that a box covers is no gap. Pieces begin and end where boxes do. */
static void cover(const struct box *box, void *arg)
{
	struct axis *axis = arg;
	size_t low = 0, high = axis->nr_pieces;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (axis->pieces[middle].start < box->start)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < axis->nr_pieces && axis->pieces[low].start < box->end; low++)
		axis->pieces[low].gap = false;
}

static uint64_t length(const struct piece *piece)
{
	return piece->end - piece->start;
}

/* The sum of the lengths when none is drawn longer than `cap`. */
static double sum(const struct axis *axis, uint64_t cap)
{
	double all = 0;

	for (size_t i = 0; i < axis->nr_pieces; i++)
		if (!axis->pieces[i].gap)
			all += (double)(length(&axis->pieces[i]) < cap ? length(&axis->pieces[i])
								       : cap);
	return all;
}

/* The largest length at which pieces are cut for the shortest to be seen: found by halving. */
static uint64_t find_cap(const struct axis *axis, double width)
{
	uint64_t shortest = UINT64_MAX, longest = 0;

	for (size_t i = 0; i < axis->nr_pieces; i++) {
		if (axis->pieces[i].gap)
			continue;
		if (length(&axis->pieces[i]) < shortest)
			shortest = length(&axis->pieces[i]);
		if (length(&axis->pieces[i]) > longest)
			longest = length(&axis->pieces[i]);
	}
	while (longest > shortest && (double)shortest * width / sum(axis, longest) < SMALLEST_WIDTH)
		longest = longest / 2 > shortest ? longest / 2 : shortest;
	return longest;
}

static void place(struct axis *axis)
{
	size_t gaps = 0;
	double x = 0, width, scale, gap = GAP;

	for (size_t i = 0; i < axis->nr_pieces; i++)
		gaps += axis->pieces[i].gap;
	if ((double)gaps * gap > AXIS_WIDTH / 2)
		gap = AXIS_WIDTH / 2 / (double)gaps;
	width = AXIS_WIDTH - (double)gaps * gap;
	uint64_t cap = find_cap(axis, width);
	scale = width / sum(axis, cap);
	for (size_t i = 0; i < axis->nr_pieces; i++) {
		struct piece *piece = &axis->pieces[i];

		piece->cut = !piece->gap && length(piece) > cap;
		piece->x = x;
		piece->width =
			piece->gap ? gap : (double)(piece->cut ? cap : length(piece)) * scale;
		x += piece->width;
	}
}

int axis_make(struct axis *axis, uint32_t mm, const struct picture *pictures, size_t nr_pictures)
{
	size_t n = 0, used = 0;

	*axis = (struct axis){ .mm = mm };
	for_each_box(mm, pictures, nr_pictures, count, &n);
	uint64_t *ends = calloc(n + 1, sizeof(*ends)), *next = ends;
	axis->pieces = calloc(n + 1, sizeof(*axis->pieces));
	if (!ends || !axis->pieces) {
		free(ends);
		free(axis->pieces);
		return -1;
	}
	for_each_box(mm, pictures, nr_pictures, add_ends, &next);
	qsort(ends, n, sizeof(*ends), by_value);
	for (size_t i = 0; i < n; i++)
		if (!used || ends[i] != ends[used - 1])
			ends[used++] = ends[i];
	for (size_t i = 0; i + 1 < used; i++)
		axis->pieces[axis->nr_pieces++] =
			(struct piece){ .start = ends[i], .end = ends[i + 1], .gap = true };
	free(ends);
	for_each_box(mm, pictures, nr_pictures, cover, axis);
	if (axis->nr_pieces)
		place(axis);
	return 0;
}

void axis_free(struct axis *axis)
{
	free(axis->pieces);
}

double axis_x(const struct axis *axis, uint64_t addr)
{
	size_t low = 0, high = axis->nr_pieces;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (axis->pieces[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == axis->nr_pieces)
		return AXIS_WIDTH;
	const struct piece *piece = &axis->pieces[low];
	return piece->x + piece->width * (double)(addr - piece->start) / (double)length(piece);
}
