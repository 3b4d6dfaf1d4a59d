/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong after an operation, and what of it is new. */
#include "script/player.h"

#include <stdlib.h>
#include <string.h>

/* Keeps the memory types of device memory, to be compared next time. */
static bool keep_types(struct ms_player *p)
{
	const size_t n = ms_mapped_types(p->m, NULL, 0);
	struct ms_mapped_type *types;

	p->nr_types = 0;
	if (!n)
		return true;
	types = reallocarray(p->types, n, sizeof(*types));
	if (!types)
		return false;
	p->types = types;
	p->nr_types = ms_mapped_types(p->m, types, n);
	return true;
}

size_t ms_player_hazards(struct ms_player *p, ms_hazard_fn *tell, void *arg)
{
	size_t n, more;

	if (!p)
		return 0;
	n = ms_hazards_of_events(p->m, tell, arg);
	if (p->guest.vm)
		n += ms_hazards_of_guest(p->guest.vm, p->guest.gpa, p->guest.prot, &p->guest.access,
					 tell, arg);
	n += ms_hazards_of_types(p->m, p->types, p->nr_types, tell, arg);
	more = p->ended ? ms_hazards_at_end(p->m, tell, arg) : ms_hazards(p->m, tell, arg);
	if (!keep_types(p) || more == SIZE_MAX)
		return SIZE_MAX;
	return n + more;
}

/* ---- what is new ---- */

struct news {
	struct ms_player *p;
	FILE *out;
	const struct ms_hazard_list *before;
	struct ms_hazard_list now;
	bool no_memory;
};

static bool was_there(const struct ms_hazard_list *list, const struct ms_hazard *h)
{
	for (size_t i = 0; i < list->n; i++)
		if (ms_hazard_equal(&list->v[i], h))
			return true;
	return false;
}

static void keep(struct news *news, const struct ms_hazard *h)
{
	struct ms_hazard_list *now = &news->now;

	if (now->n == now->max) {
		const size_t max = now->max ? 2 * now->max : 16;
		struct ms_hazard *v = reallocarray(now->v, max, sizeof(*v));

		if (!v) {
			news->no_memory = true;
			return;
		}
		now->v = v;
		now->max = max;
	}
	now->v[now->n++] = *h;
}

/* What has happened is new each time; what stands is so once. */
static void add(const struct ms_hazard *h, void *arg)
{
	struct news *news = arg;

	if (h->kind <= MS_HAZARD_TYPE_LEAK && h->kind != MS_HAZARD_TYPE_CHANGED)
		keep(news, h);
	if (was_there(news->before, h))
		return;
	fputs(MS_HAZARD_LINE, news->out);
	ms_hazard_print(news->p->m, h, news->out);
}

int ms_player_print_hazards(struct ms_player *p, struct ms_hazard_list *before, FILE *out)
{
	struct news news = { .p = p, .out = out, .before = before };

	if (ms_player_hazards(p, add, &news) == SIZE_MAX)
		news.no_memory = true;
	free(before->v);
	*before = news.now;
	return news.no_memory ? -ENOMEM : 0;
}
