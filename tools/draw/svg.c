/* SPDX-License-Identifier: GPL-2.0-only */
#include "svg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LEFT 150.0       /* pixels: the names of lanes */
#define LANE_HEIGHT 28.0 /* of which the box has */
#define BOX_HEIGHT 22.0
#define HEAD_HEIGHT 26.0 /* a space's name */
#define AXIS_HEIGHT 40.0 /* its addresses */
#define LETTER 6.4       /* a letter's width, about */
#define ADDRESS_WIDTH 88.0

/*
 * Colours that those who do not tell red from green can tell apart (Okabe and Ito). What they mean
 * is written in the boxes, too.
 */
#define LIGHT \
	"{--ink:#1b1b1b;--soft:#6a6a6a;--paper:#fff;--line:#c9c9c9;--vma:#dcdcdc;--slot:#e9e2f3;" \
	"--page:#56b4e9;--pmd:#e69f00;--pud:#009e73;--dev:#cfd8dc;--claim:#cc79a7;--type:#f0e442;" \
	"--wrong:#d55e00;--new:#0072b2}\n"
#define DARK \
	"{--ink:#ececec;--soft:#a2a2a2;--paper:#16181b;--line:#484b50;--vma:#3a3d42;" \
	"--slot:#453b57;--page:#1f6f9f;--pmd:#94670a;--pud:#0b6b51;--dev:#37474f;" \
	"--claim:#7d4566;--type:#6f6a1f;--wrong:#ff7a33;--new:#6cc0ff}\n"
const char svg_style[] =
	":root,:root[data-theme=light]" LIGHT "@media(prefers-color-scheme:dark){:root" DARK "}\n"
	":root[data-theme=dark]" DARK
	".map text{font:11px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:var(--ink)}\n"
	".map .paper{fill:var(--paper)}.map .name{font-weight:bold;font-size:13px}\n"
	".map .lane{text-anchor:end;fill:var(--soft)}.map .addr{fill:var(--soft);font-size:10px}\n"
	".map rect{stroke:var(--line);stroke-width:1}.map .vmas{fill:var(--vma)}\n"
	".map .slots{fill:var(--slot)}.map .page{fill:var(--page)}.map .pmd{fill:var(--pmd)}\n"
	".map .pud{fill:var(--pud)}.map .devices{fill:var(--dev)}.map .claims{fill:var(--claim)}\n"
	".map .memtypes{fill:var(--type)}.map .new{stroke:var(--new);stroke-width:2.5}\n"
	".map .gone{fill:none;stroke:var(--soft);stroke-dasharray:3 3}\n"
	".map .wrong{stroke:var(--wrong);stroke-width:3}.map .tick,.map .grid{stroke:var(--line);"
	"stroke-width:1}.map .tick{stroke:var(--paper);stroke-opacity:.6}\n"
	".map .mark{fill:var(--soft)}\n"
	".map .alarm{fill:var(--wrong);font-weight:bold}\n";

static const char *const lane_class[] = {
	[LANE_VMAS] = "vmas",         [LANE_HOST] = "",
	[LANE_SLOTS] = "slots",       [LANE_GUEST] = "",
	[LANE_DEVICES] = "devices",   [LANE_CLAIMS] = "claims",
	[LANE_MEMTYPES] = "memtypes",
};

static int by_lane(const void *left, const void *right)
{
	return lane_compare(left, right);
}

/* Each lane once, sorted. -1: no memory. */
static int find_lanes(struct layout *layout, const struct picture *pictures, size_t nr_pictures)
{
	size_t n = 0, used = 0;

	for (size_t p = 0; p < nr_pictures; p++)
		for (size_t f = 0; f < pictures[p].nr_frames; f++)
			n += pictures[p].frames[f].nr_boxes;
	layout->lanes = calloc(n + 1, sizeof(*layout->lanes));
	if (!layout->lanes)
		return -1;
	n = 0;
	for (size_t p = 0; p < nr_pictures; p++)
		for (size_t f = 0; f < pictures[p].nr_frames; f++)
			for (size_t i = 0; i < pictures[p].frames[f].nr_boxes; i++)
				layout->lanes[n++] = pictures[p].frames[f].boxes[i].lane;
	qsort(layout->lanes, n, sizeof(*layout->lanes), by_lane);
	for (size_t i = 0; i < n; i++)
		if (!used || lane_compare(&layout->lanes[i], &layout->lanes[used - 1]))
			layout->lanes[used++] = layout->lanes[i];
	layout->nr_lanes = used;
	return 0;
}

int layout_make(struct layout *layout, const struct picture *pictures, size_t nr_pictures)
{
	*layout = (struct layout){ 0 };
	if (find_lanes(layout, pictures, nr_pictures))
		return -1;
	layout->axes = calloc(layout->nr_lanes + 1, sizeof(*layout->axes));
	bool failed = !layout->axes;
	for (size_t i = 0; !failed && i < layout->nr_lanes; i++) {
		const uint32_t mm = layout->lanes[i].mm;

		layout->height += LANE_HEIGHT;
		if (i && layout->lanes[i - 1].mm == mm)
			continue;
		layout->height += HEAD_HEIGHT + AXIS_HEIGHT;
		failed = axis_make(&layout->axes[layout->nr_axes], mm, pictures, nr_pictures);
		layout->nr_axes += !failed;
	}
	if (!failed)
		return 0;
	layout_free(layout);
	return -1;
}

void layout_free(struct layout *layout)
{
	for (size_t i = 0; i < layout->nr_axes; i++)
		axis_free(&layout->axes[i]);
	free(layout->axes);
	free(layout->lanes);
}

void svg_text(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else if ((unsigned char)*text >= ' ' || *text == '\n' || *text == '\t')
			fputc(*text, out);
	}
}

/* As much of the label as the box has room for, by whole words. */
static void label(const struct box *box, double x, double width, double y, FILE *out)
{
	size_t room = width > 8 ? (size_t)((width - 6) / LETTER) : 0, n = strlen(box->label);
	char text[sizeof(box->label)];

	while (n > room) {
		while (n && box->label[n - 1] != ' ')
			n--;
		while (n && box->label[n - 1] == ' ')
			n--;
	}
	if (!n || box->change == BOX_GONE)
		return;
	memcpy(text, box->label, n);
	text[n] = '\0';
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\">", x + 4, y + 15);
	svg_text(text, out);
	fputs("</text>", out);
}

/* Where one leaf ends and the next begins, if there is room to see it. */
static void ticks(const struct axis *axis, const struct box *box, double y, FILE *out)
{
	uint64_t n = box->leaf ? (box->end - box->start) / box->leaf : 0;
	double width = axis_x(axis, box->end) - axis_x(axis, box->start);

	if (n < 2 || width / (double)n < 4)
		return;
	for (uint64_t at = box->start + box->leaf; at < box->end; at += box->leaf) {
		double x = LEFT + axis_x(axis, at);

		fprintf(out,
			"<line class=\"tick\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", x,
			y, x, y + BOX_HEIGHT);
	}
}

static const char *leaf_class(uint64_t leaf)
{
	return leaf < UINT64_C(1) << 18 ? "page" : leaf < UINT64_C(1) << 29 ? "pmd" : "pud";
}

static void draw_box(const struct axis *axis, const struct box *box, double y, FILE *out)
{
	const double x = LEFT + axis_x(axis, box->start);
	double width = LEFT + axis_x(axis, box->end) - x;
	const char *class = box->leaf ? leaf_class(box->leaf) : lane_class[box->lane.kind];

	if (width < 2)
		width = 2;
	fprintf(out, "<g><title>");
	svg_text(box->title, out);
	fprintf(out, "\n%#" PRIx64 "-%#" PRIx64 "%s</title>", box->start, box->end,
		box->change == BOX_NEW    ? "\nnew"
		: box->change == BOX_GONE ? "\ngone"
					  : "");
	fprintf(out,
		"<rect class=\"%s%s%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\"/>",
		box->change == BOX_GONE ? "gone" : class, box->change == BOX_NEW ? " new" : "",
		box->wrong ? " wrong" : "", x, y, width, BOX_HEIGHT);
	ticks(axis, box, y, out);
	label(box, x, width, y, out);
	if (box->wrong)
		fprintf(out, "<text class=\"alarm\" x=\"%.1f\" y=\"%.1f\">!</text>", x + width - 9,
			y + 15);
	fputs("</g>\n", out);
}

static void lane_name(const struct lane *lane, double y, FILE *out)
{
	static const char *const names[] = {
		[LANE_VMAS] = "VMAs",
		[LANE_HOST] = "page table",
		[LANE_SLOTS] = "slots",
		[LANE_GUEST] = "guest",
		[LANE_DEVICES] = "devices",
		[LANE_CLAIMS] = "claims",
		[LANE_MEMTYPES] = "memory types",
	};

	fprintf(out, "<text class=\"lane\" x=\"%.0f\" y=\"%.1f\">%s", LEFT - 10, y + 15,
		names[lane->kind]);
	if (lane->vm)
		fprintf(out, " of VM %" PRIu32, lane->vm);
	fputs("</text>\n", out);
}

/* A diamond at a multiple of 1G, a triangle at one of 2M. */
static void alignment_mark(uint64_t addr, double x, double y, FILE *out)
{
	if (!(addr & ((UINT64_C(1) << 30) - 1)))
		fprintf(out, "<path class=\"mark\" d=\"M%.1f %.1fl4 4l-4 4l-4-4z\"/>", x, y);
	else if (!(addr & ((UINT64_C(1) << 21) - 1)))
		fprintf(out, "<path class=\"mark\" d=\"M%.1f %.1fl4 6h-8z\"/>", x, y);
}

static void draw_axis(const struct axis *axis, double top, double y, FILE *out)
{
	double free_from = 0, last_x = LEFT + AXIS_WIDTH - ADDRESS_WIDTH / 2;

	for (size_t i = 0; i <= axis->nr_pieces; i++) {
		const struct piece *piece = &axis->pieces[i < axis->nr_pieces ? i : i - 1];
		const uint64_t addr = i < axis->nr_pieces ? piece->start : piece->end;
		const double x = LEFT + (i < axis->nr_pieces ? piece->x : piece->x + piece->width);

		fprintf(out,
			"<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", x,
			top, x, y + 4);
		alignment_mark(addr, x, y + 5, out);
		if (x >= free_from && (i == axis->nr_pieces || x + ADDRESS_WIDTH < last_x)) {
			const bool last = x + ADDRESS_WIDTH > FRAME_WIDTH;

			fprintf(out,
				"<text class=\"addr\" x=\"%.1f\" y=\"%.1f\"%s>%" PRIx64 "</text>",
				x, y + 24, last ? " text-anchor=\"end\"" : "", addr);
			free_from = x + ADDRESS_WIDTH;
		}
	}
}

/* Where the axis is not to scale: "//" on it, and dots where nothing is. */
static void draw_cuts(const struct axis *axis, double y, FILE *out)
{
	for (size_t i = 0; i < axis->nr_pieces; i++) {
		const struct piece *piece = &axis->pieces[i];
		const double x = LEFT + piece->x + piece->width / 2;

		if (piece->gap || piece->cut)
			fprintf(out,
				"<text class=\"addr\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>",
				x, y + 8, piece->gap ? "..." : "//");
	}
	fputc('\n', out);
}

static void draw_lane(const struct axis *axis, const struct lane *lane, const struct frame *frame,
		      double y, FILE *out)
{
	lane_name(lane, y, out);
	for (size_t i = 0; i < frame->nr_boxes; i++)
		if (!lane_compare(&frame->boxes[i].lane, lane))
			draw_box(axis, &frame->boxes[i], y, out);
}

void svg_frame(const struct layout *layout, const struct frame *frame, double y, FILE *out)
{
	const struct lane *lane = layout->lanes, *end = lane + layout->nr_lanes;

	for (size_t a = 0; a < layout->nr_axes; a++) {
		const struct axis *axis = &layout->axes[a];
		const double top = y + HEAD_HEIGHT;
		size_t lanes = 0;

		while (lane + lanes < end && lane[lanes].mm == axis->mm)
			lanes++;
		fprintf(out, "<text class=\"name\" x=\"8\" y=\"%.1f\">", y + 17);
		if (axis->mm == PHYSICAL)
			fputs("physical memory", out);
		else
			fprintf(out, "process %" PRIu32, axis->mm);
		fputs("</text>\n", out);
		y = top + (double)lanes * LANE_HEIGHT;
		draw_axis(axis, top, y, out);
		for (size_t i = 0; i < lanes; i++)
			draw_lane(axis, lane++, frame, top + (double)i * LANE_HEIGHT, out);
		draw_cuts(axis, y, out);
		y += AXIS_HEIGHT;
	}
}
