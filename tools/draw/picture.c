/* SPDX-License-Identifier: GPL-2.0-only */
/* Plays a script and keeps what there is to see after each operation. */
#define _GNU_SOURCE /* open_memstream */
#include "picture.h"

#include "../tool.h"

#include <mapsim/hazard.h>
#include <mapsim/machine.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int lane_compare(const struct lane *a, const struct lane *b)
{
	if (a->mm != b->mm)
		return a->mm < b->mm ? -1 : 1;
	if (a->vm != b->vm)
		return a->vm < b->vm ? -1 : 1;
	return (int)a->kind - (int)b->kind;
}

struct box *frame_add(struct frame *frame, struct lane lane, uint64_t start, uint64_t end)
{
	/* the array grows at powers of two */
	if (!(frame->nr_boxes & (frame->nr_boxes - 1))) {
		size_t room = frame->nr_boxes ? 2 * frame->nr_boxes : 1;
		struct box *boxes = reallocarray(frame->boxes, room, sizeof(*boxes));

		if (!boxes)
			return NULL;
		frame->boxes = boxes;
	}
	struct box *box = &frame->boxes[frame->nr_boxes++];
	*box = (struct box){ .lane = lane, .start = start, .end = end };
	return box;
}

static int box_compare(const void *left, const void *right)
{
	const struct box *a = left, *b = right;
	int lanes = lane_compare(&a->lane, &b->lane);

	if (lanes)
		return lanes;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	return strcmp(a->title, b->title);
}

static bool has(const struct frame *frame, const struct box *box)
{
	return frame->nr_there &&
	       bsearch(box, frame->boxes, frame->nr_there, sizeof(*box), box_compare);
}

/* Marks what is new since `before`, and adds what was there and is not. -1: no memory. */
static int compare(struct frame *now, const struct frame *before)
{
	for (size_t i = 0; i < now->nr_there; i++)
		now->boxes[i].change = has(before, &now->boxes[i]) ? BOX_SAME : BOX_NEW;
	for (size_t i = 0; i < before->nr_there; i++) {
		const struct box *old = &before->boxes[i];
		struct box *box;

		if (has(now, old))
			continue;
		box = frame_add(now, old->lane, old->start, old->end);
		if (!box)
			return -1;
		*box = *old;
		box->change = BOX_GONE;
		box->wrong = false;
	}
	return 0;
}

struct judge {
	struct frame *frame;
	const struct ms_machine *m;
	FILE *out;
};

/* Does the hazard lie in the box? */
static bool concerns(const struct ms_hazard *h, const struct box *box)
{
	uint64_t addr = h->addr;

	if (h->vm && (box->lane.kind != LANE_GUEST || box->lane.vm != h->vm))
		return false;
	if (h->vm)
		addr = h->hva;
	else if (h->mm && (box->lane.kind != LANE_HOST || box->lane.mm != h->mm))
		return false;
	else if (!h->mm && box->lane.mm != PHYSICAL)
		return false;
	else if (!h->mm)
		addr = h->pa;
	return box->change != BOX_GONE && addr < box->end &&
	       addr + (h->size ? h->size : 1) > box->start;
}

static void mark(const struct ms_hazard *hazard, void *arg)
{
	struct judge *judge = arg;

	for (size_t i = 0; i < judge->frame->nr_boxes; i++)
		judge->frame->boxes[i].wrong |= concerns(hazard, &judge->frame->boxes[i]);
	judge->frame->nr_wrong++;
	ms_hazard_print(judge->m, hazard, judge->out);
}

/* What `print` writes; NULL: no memory. */
static char *text_of(void (*print)(FILE *out, void *arg), void *arg)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	print(out, arg);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

static void print_events(FILE *out, void *player)
{
	ms_player_explain(player, "", out);
}

struct wrong {
	struct frame *frame;
	struct ms_player *player;
};

static void print_wrong(FILE *out, void *arg)
{
	const struct wrong *wrong = arg;
	struct judge judge = { wrong->frame, ms_player_machine(wrong->player), out };

	ms_player_hazards(wrong->player, mark, &judge);
}

/* -1: no memory */
static int keep(struct picture *picture, struct ms_player *player, const char *op,
		const char *answer)
{
	struct frame *frame = &picture->frames[picture->nr_frames++];
	struct wrong wrong = { frame, player };

	frame->op = op;
	frame->answer = strdup(answer);
	frame->events = text_of(print_events, player);
	if (frame_look(frame, ms_player_machine(player), picture->page_size))
		return -1;
	frame->nr_there = frame->nr_boxes;
	if (frame->nr_boxes)
		qsort(frame->boxes, frame->nr_boxes, sizeof(*frame->boxes), box_compare);
	if (picture->nr_frames > 1 && compare(frame, frame - 1))
		return -1;
	frame->wrong = text_of(print_wrong, &wrong);
	return frame->answer && frame->events && frame->wrong ? 0 : -1;
}

static int play(struct picture *picture, struct ms_player *player)
{
	const size_t n = ms_script_nr_ops(picture->script);
	const char *answer;

	picture->page_size = ms_machine_config(ms_player_machine(player))->page_size;
	picture->frames = calloc(n + 1, sizeof(*picture->frames));
	if (!picture->frames || keep(picture, player, "the start", ""))
		return -1;
	for (size_t i = 0; i < n; i++) {
		answer = ms_player_step(player, i);
		if (!answer ||
		    keep(picture, player, ms_script_get_op(picture->script, i).text, answer))
			return -1;
	}
	return 0;
}

int picture_take(struct picture *picture, struct ms_script *script, const char *path)
{
	struct ms_script_error error;
	struct ms_player *player = ms_player_new(script, &error);

	*picture = (struct picture){ .script = script, .kernel = ms_script_kernel_name(script) };
	if (!player) {
		script_warn(path, &error);
		return -1;
	}
	int ret = play(picture, player);
	if (ret)
		warnx("%s: no memory", path);
	ms_player_free(player);
	return ret;
}

void picture_free(struct picture *picture)
{
	for (size_t i = 0; i < picture->nr_frames; i++) {
		free(picture->frames[i].answer);
		free(picture->frames[i].events);
		free(picture->frames[i].wrong);
		free(picture->frames[i].boxes);
	}
	free(picture->frames);
}
