/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The child's part of a search: the steps that are letters are a user's operations of
 * <mapsim/explore.h>, which plays all their sequences, the short ones first, and goes on from each
 * state once. Everything that a step may change comes back when the search puts a state back: the
 * machine with what the driver got of it, the driver's static variables (ms_state_keep()), and the
 * player. What the driver has got from the C library would not; drivers get nothing there.
 *
 * After each step that leads to a new state everything is closed and the module is unloaded, as at
 * the end of a play.
 */
#include "player.h"

#include <mapsim/explore.h>
#include <mapsim/state.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST 2u /* files, and mappings of a process */

/* What is saved and put back beside the machine. */
struct own {
	struct drv_player player;
	uint16_t path[DRV_MAX_STEPS];
	size_t nr;
	bool told;   /* a mistake of the driver's: nothing is played after it */
	bool at_end; /* all is being closed */
};

/* The child has one search. */
struct searching {
	const struct drv_module *module;
	const struct drv_config *config;
	struct drv_search *search;
	struct drv_teller teller;
	struct drv_outcome outcome;
	char *fresh; /* the static variables of the module before it was loaded first */
	struct own own;
};

void drv_letters(struct drv_letters *letters, const struct drv_config *config)
{
	const char *text;
	char wrong[64];

	*letters = (struct drv_letters){ 0 };
	for (size_t i = 0; (text = drv_letter(i)) && letters->nr < DRV_MAX_LETTERS; i++) {
		struct drv_play play;

		if (!drv_play_parse(&play, text, wrong, sizeof(wrong)) &&
		    drv_play_fits(&play, config))
			letters->step[letters->nr++] = play.step[0];
	}
}

/* ---- for <mapsim/explore.h> ---- */

static const char *op_name(size_t op, void *arg)
{
	const struct searching *s = arg;

	return s->search->letters->step[op].op->name;
}

static bool is_left_out(const struct searching *s, bool at_end)
{
	const struct own *own = &s->own;

	if (at_end ? s->search->no_end : s->search->letters->banned[own->path[own->nr - 1]])
		return true;
	for (size_t i = 0; i < s->search->nr_skips; i++) {
		const struct drv_skip *skip = &s->search->skip[i];

		if (skip->at_end == at_end && skip->nr == own->nr &&
		    !memcmp(skip->path, own->path, own->nr * sizeof(own->path[0])))
			return true;
	}
	return false;
}

/* What a third file or mapping shows, a second one has shown. */
static bool is_enough(const struct drv_player *p, const struct drv_step *step)
{
	return (step->op->play == drv_op_open && p->nr_files == MOST) ||
	       (step->op->play == drv_op_map && p->process[step->child].nr_maps == MOST);
}

static int play_letter(size_t op, struct ms_player *player, void *mine, void *arg)
{
	struct searching *s = arg;
	struct own *own = mine;

	(void)player;
	if (own->told || own->nr == DRV_MAX_STEPS)
		return 0;
	own->path[own->nr++] = (uint16_t)op;
	drv_child_lives();
	if (!is_left_out(s, false) && !is_enough(&own->player, &s->search->letters->step[op]))
		drv_player_step(&own->player, &s->search->letters->step[op]);
	return 0;
}

static int begin(struct ms_player *player, void **mine, void *arg)
{
	struct searching *s = arg;
	int err;

	memcpy(s->module->data, s->fresh, s->module->data_size);
	s->own = (struct own){ .player = { .module = s->module,
					   .config = s->config,
					   .teller = &s->teller,
					   .outcome = &s->outcome,
					   .m = ms_player_machine(player) } };
	s->outcome = (struct drv_outcome){ 0 };
	*mine = &s->own;
	drv_child_path(s->own.path, &s->own.nr, &s->own.told, &s->own.at_end);
	err = s->module->data_size
		      ? ms_state_keep(s->own.player.m, s->module->data, s->module->data_size)
		      : 0;
	err = err ? err : drv_player_begin(&s->own.player, s->search->device, 0);
	if (err)
		return err;
	// nothing can be done with a device before it is open
	play_letter(0, player, &s->own, s);
	return 0;
}

static void *save(const void *mine, void *arg)
{
	struct own *copy = malloc(sizeof(*copy));

	(void)arg;
	if (copy)
		*copy = *(const struct own *)mine;
	return copy;
}

static void restore(void *mine, const void *saved, void *arg)
{
	(void)arg;
	*(struct own *)mine = *(const struct own *)saved;
}

static void drop(void *saved, void *arg)
{
	(void)arg;
	free(saved);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* Which object plays which part, and where the mappings are. */
static uint64_t hash(const void *mine, void *arg)
{
	const struct own *own = mine;
	const struct drv_player *p = &own->player;
	const void *object[DRV_FILES + DRV_PROCESSES + 1] = { p->process[0].mm, p->process[1].mm,
							      p->vm };
	uint64_t h = own->told;

	(void)arg;
	memcpy(&object[DRV_PROCESSES + 1], p->file, p->nr_files * sizeof(p->file[0]));
	h = mix(h, ms_machine_hash_with(p->m, object, sizeof(object) / sizeof(object[0])));
	for (size_t i = 0; i < DRV_PROCESSES; i++)
		for (size_t j = 0; j < p->process[i].nr_maps; j++) {
			h = mix(h, p->process[i].map[j].addr);
			h = mix(h, p->process[i].map[j].len + i);
		}
	return mix(mix(h, p->nr_slots), p->slot_size);
}

/* Plays the end on a copy, since the machine is put back afterwards. It tells by itself. */
static bool play_end(struct ms_player *player, const void *mine, char *text, size_t size, void *arg)
{
	struct searching *s = arg;
	struct own before = *(const struct own *)mine;

	(void)player, (void)text, (void)size;
	s->own.at_end = true;
	drv_child_lives();
	if (!is_left_out(s, true))
		drv_player_end(&s->own.player);
	s->own = before;
	return false;
}

/* ---- the search ---- */

/* Less RAM than a play has: its table of pages is a part of every state. */
#define SEARCH_RAM_SIZE (UINT64_C(8) << 20)

/* Only the machine: all else is done in begin(). */
static struct ms_world *world_of(const struct drv_kernel *kernel)
{
	char text[256];
	int len = snprintf(text, sizeof(text),
			   "mapsim-world 1\narch %s\nconfig page_size=4096\n"
			   "ram pa=0x%" PRIx64 " size=0x%" PRIx64 "\n",
			   ms_arch_name(kernel->arch), DRV_RAM_START, SEARCH_RAM_SIZE);

	return ms_world_parse(text, (size_t)len, NULL);
}

static bool note_progress(const struct ms_explore_progress *progress, void *arg)
{
	struct drv_search *search = arg;

	// of a level that is cut short the one before was whole
	search->depth = search->coming;
	search->coming = progress->depth + 1;
	return false;
}

static void explore(struct searching *s, const struct ms_world *world,
		    const struct drv_kernel *kernel)
{
	const struct ms_explore_user user = {
		.begin = begin,
		.nr_ops = s->search->letters->nr,
		.op_name = op_name,
		.op = play_letter,
		.save = save,
		.restore = restore,
		.drop = drop,
		.hash = hash,
		.judge = play_end,
		.arg = s,
	};
	const struct ms_explore_config config = {
		.release = kernel->release,
		.arch = ms_arch_name(kernel->arch),
		.depth = s->search->depth - 1,
		.states = s->search->states,
		.go_on = true, // own.told ends a sequence
		.user = &user,
		.progress = note_progress,
		.arg = s->search,
	};
	struct ms_explore *x = ms_explore_new(world, &config, NULL);
	int ret = x ? ms_explore_run(x) : -errno;
	const struct ms_explore_progress progress = ms_explore_progress(x);

	s->search->whole = !ret && !ms_explore_is_cut(x);
	if (s->search->whole)
		s->search->depth = config.depth + 1;
	s->search->states = progress.states;
	s->search->operations = progress.operations;
	s->search->mapped = s->outcome.mapped;
	s->search->refused = s->outcome.refused;
	ms_explore_free(x);
}

void drv_search_play(const struct drv_config *config, const struct drv_kernel *kernel,
		     struct drv_search *search)
{
	const struct drv_module *module = kernel->module;
	static struct searching s;
	struct ms_world *world = world_of(kernel);

	s = (struct searching){
		.module = module,
		.config = config,
		.search = search,
		.teller = { .violation = drv_child_violation },
		.fresh = malloc(module->data_size + 1),
	};
	search->coming = 1;
	search->whole = false;
	if (world && s.fresh) {
		memcpy(s.fresh, module->data, module->data_size);
		explore(&s, world, kernel);
	}
	free(s.fresh);
	ms_world_free(world);
}
