/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The search: breadth first, in levels. A level's nodes are done in batches of chunks. Threads take
 * the chunks of a batch; what they found is put together in the order of the chunks, so that it
 * does not depend on who did which, or when.
 */
#include "explore/internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_CHUNKS 32u
#define MAX_JOBS BATCH_CHUNKS

unsigned int ms_explore_path(const struct ms_explore *x, size_t node, uint16_t *path)
{
	unsigned int len = 0;

	for (size_t n = node; n; n = x->nodes[n].parent)
		len++;
	for (unsigned int i = len; node; node = x->nodes[node].parent)
		path[--i] = x->nodes[node].letter;
	return len;
}

/* ---- a batch ---- */

struct batch {
	struct ms_chunk chunk[BATCH_CHUNKS];
	size_t nr;
	atomic_size_t taken;
	struct ms_worker worker[MAX_JOBS];
};

struct thread {
	const struct ms_explore *x;
	struct batch *batch;
	struct ms_worker *worker;
	pthread_t id;
};

static void *run_thread(void *arg)
{
	struct thread *t = arg;
	size_t i;

	while ((i = atomic_fetch_add(&t->batch->taken, 1)) < t->batch->nr)
		ms_chunk_run(t->x, t->worker, &t->batch->chunk[i]);
	return NULL;
}

/* A thread that cannot be had is done without: this one takes every chunk that is left. */
static void run_batch(struct ms_explore *x, struct batch *batch)
{
	struct thread threads[MAX_JOBS];
	unsigned int jobs = x->config.jobs < batch->nr ? x->config.jobs : (unsigned int)batch->nr;
	unsigned int started = 1;

	if (!jobs)
		return;
	atomic_store(&batch->taken, 0);
	for (unsigned int i = 0; i < jobs; i++) {
		threads[i] = (struct thread){ .x = x, .batch = batch, .worker = &batch->worker[i] };
	}
	while (started < jobs &&
	       !pthread_create(&threads[started].id, NULL, run_thread, &threads[started]))
		started++;
	run_thread(&threads[0]);
	for (unsigned int i = 1; i < started; i++)
		pthread_join(threads[i].id, NULL);
}

/* ---- what a batch has found ---- */

static bool is_last_level(const struct ms_explore *x)
{
	return x->depth + 1 >= x->config.depth;
}

/* Makes all room that adding the chunks' states can need, so that nothing fails in the middle. */
static int make_room(struct ms_explore *x, const struct batch *batch)
{
	size_t more = x->nr_nodes;

	for (size_t i = 0; i < batch->nr; i++) {
		if (batch->chunk[i].err)
			return batch->chunk[i].err;
		more += batch->chunk[i].nr_states;
	}
	while (!is_last_level(x) && more > x->nodes_capacity) {
		int err = ms_explore_grow((void **)&x->nodes, &x->nodes_capacity, x->nodes_capacity,
					  sizeof(*x->nodes));
		if (err)
			return err;
	}
	return 0;
}

static int add_state(struct ms_explore *x, const struct ms_new_state *s)
{
	int new = ms_visited_add(&x->visited, s->key);

	if (new <= 0)
		return new;
	// a state is not met before it was reached in a way from which the search goes on
	if (s->state != s->key) {
		new = s->dead ? 0 : ms_visited_add(&x->visited, s->state);
		if (new <= 0)
			return new;
	}
	x->states++;
	if (is_last_level(x) || s->dead)
		return 0;
	x->nodes[x->nr_nodes++] = (struct ms_node){ .parent = s->node, .letter = s->letter };
	return 0;
}

static int add_chunk(struct ms_explore *x, const struct ms_chunk *chunk)
{
	int err = 0;

	for (size_t i = 0; !err && i < chunk->found.nr; i++) {
		const struct ms_found *f = &chunk->found.found[i];
		struct ms_found *added;

		err = ms_found_add(&x->found, f->signature, f->path, f->len, false, &added);
		if (!err && added) {
			added->judged = f->judged;
			added->race = f->race;
		}
	}
	for (size_t i = 0; !err && i < chunk->nr_states; i++) {
		if (x->states >= x->config.states) {
			x->cut = true;
			break;
		}
		err = add_state(x, &chunk->states[i]);
	}
	x->operations += chunk->operations;
	return err;
}

/* Of the last level a shard has every n-th chunk: all that is before is little beside it. */
static bool is_own(const struct ms_explore *x, size_t chunk_in_level)
{
	return chunk_in_level % x->config.shards == x->config.shard;
}

/* Cuts the nodes from x->next on into chunks. Answers the node behind them. */
static size_t cut_into_chunks(const struct ms_explore *x, struct batch *batch, size_t level_start)
{
	size_t at = x->next;

	batch->nr = 0;
	while (at < x->level_end && batch->nr < BATCH_CHUNKS) {
		size_t end =
			at + MS_CHUNK_NODES < x->level_end ? at + MS_CHUNK_NODES : x->level_end;

		const bool own = is_own(x, (at - level_start) / MS_CHUNK_NODES);

		if (own || !is_last_level(x))
			batch->chunk[batch->nr++] = (struct ms_chunk){
				.first = at,
				.end = end,
				.race = own && x->config.race,
			};
		at = end;
	}
	return at;
}

static int one_batch(struct ms_explore *x, struct batch *batch)
{
	size_t end = cut_into_chunks(x, batch, x->level_start);
	int err;

	run_batch(x, batch);
	err = make_room(x, batch);
	for (size_t i = 0; !err && i < batch->nr; i++)
		err = add_chunk(x, &batch->chunk[i]);
	for (size_t i = 0; i < batch->nr; i++)
		ms_chunk_free(&batch->chunk[i]);
	if (!err)
		x->next = end;
	return err;
}

/* ---- levels ---- */

/* The first state is a node, and may have findings of its own. */
static int begin(struct ms_explore *x)
{
	struct ms_position pos;
	struct ms_judged judged;
	int err = ms_position_begin(&pos, &x->letters);

	if (err)
		return err;
	err = ms_explore_grow((void **)&x->nodes, &x->nodes_capacity, 0, sizeof(*x->nodes));
	if (!err)
		err = ms_visited_add(&x->visited, ms_position_hash(&pos)) < 0 ? -ENOMEM : 0;
	if (!err)
		err = ms_judge(&pos, x->world, "", &judged);
	for (unsigned int i = 0; !err && i < judged.nr; i++)
		err = ms_found_add(&x->found, judged.signature[i], NULL, 0, false, NULL);
	ms_position_end(&pos);
	if (err)
		return err;
	x->nodes[0] = (struct ms_node){ 0 };
	x->nr_nodes = x->level_end = x->states = 1;
	x->begun = true;
	return 0;
}

static bool is_done(const struct ms_explore *x)
{
	return x->depth >= x->config.depth || x->cut || x->next == x->nr_nodes;
}

static void next_level(struct ms_explore *x)
{
	if (x->next < x->level_end)
		return;
	x->depth++;
	x->level_start = x->level_end;
	x->level_end = x->nr_nodes;
}

static bool stop(struct ms_explore *x)
{
	const struct ms_explore_progress progress = ms_explore_progress(x);

	return x->config.progress && x->config.progress(&progress, x->config.arg);
}

int ms_explore_run(struct ms_explore *x)
{
	int ret = x ? 0 : -EINVAL;

	if (x && !x->begun)
		ret = begin(x);
	struct batch *batch = ret ? NULL : calloc(1, sizeof(*batch));
	if (!ret && !batch)
		ret = -ENOMEM;
	while (!ret && !is_done(x)) {
		ret = one_batch(x, batch);
		if (!ret)
			next_level(x);
		if (!ret && stop(x))
			ret = 1;
	}
	for (unsigned int i = 0; batch && i < MAX_JOBS; i++)
		ms_worker_end(&batch->worker[i]);
	free(batch);
	return ret ? ret : ms_explore_walk(x);
}

struct ms_explore_progress ms_explore_progress(const struct ms_explore *x)
{
	if (!x)
		return (struct ms_explore_progress){ 0 };
	return (struct ms_explore_progress){
		.depth = x->depth,
		.states = x->states,
		.frontier = x->nr_nodes - x->next,
		.operations = x->operations,
		.walks = x->walks,
		.findings = x->found.nr,
	};
}

bool ms_explore_is_cut(const struct ms_explore *x)
{
	return x && x->cut;
}

/* ---- made and freed ---- */

static int fail(struct ms_script_error *err, const char *what)
{
	return ms_world_fail(err, 0, "%s", what);
}

static int check_config(const struct ms_world *world, const struct ms_explore_config *c,
			struct ms_script_error *err)
{
	if (c->depth > MS_EXPLORE_MAX_DEPTH || c->walk_len > MS_EXPLORE_MAX_DEPTH)
		return ms_world_fail(err, 0, "a depth is at most %u letters", MS_EXPLORE_MAX_DEPTH);
	if (c->states > UINT32_MAX)
		return fail(err, "more states than 4294967295");
	if (c->shards && c->shard >= c->shards)
		return fail(err, "there is no such shard");
	if (c->user && c->user->nr_ops && (!c->user->op || !c->user->op_name))
		return fail(err, "the user's operations have no function, or no names");
	if (c->user && !c->user->save != !c->user->restore)
		return fail(err, "the user's data can be saved, but not put back, or the reverse");
	if (!ms_world_nr_letters(world) && (!c->user || !c->user->nr_ops))
		return fail(err, "there is no letter: no line that begins with '*'");
	if (ms_world_nr_letters(world) + (c->user ? c->user->nr_ops : 0) > UINT16_MAX)
		return fail(err, "too many letters");
	return 0;
}

static void defaults(struct ms_explore *x, const struct ms_explore_config *config)
{
	struct ms_explore_config *c = &x->config;

	*c = *config;
	c->depth = c->depth ? c->depth : x->world->depth;
	c->states = c->states ? c->states : x->world->states;
	c->walk_len = c->walk_len ? c->walk_len : 24;
	c->jobs = c->jobs ? c->jobs : 1;
	c->jobs = c->jobs > MAX_JOBS ? MAX_JOBS : c->jobs;
	c->shards = c->shards ? c->shards : 1;
	if (config->user) {
		x->user = *config->user;
		c->user = &x->user;
	}
}

int ms_explore_letters(const struct ms_explore *x, const char *rules, struct ms_letters *to,
		       struct ms_script_error *err)
{
	enum ms_arch arch =
		ms_world_has_arch(x->world, MS_ARCH_ARM64) ? MS_ARCH_ARM64 : MS_ARCH_X86_64;
	const struct ms_script_kernel kernel = {
		.release = x->config.release,
		.arch = x->config.arch ? x->config.arch : ms_arch_name(arch),
	};

	to->script = ms_world_script(x->world, &kernel, err);
	if (!to->script)
		return -errno;
	if (!ms_world_has_arch(x->world, ms_script_arch(to->script)))
		return ms_world_fail(err, 0, "the world is not of %s", kernel.arch);
	to->nr_setup = x->world->setup.nr;
	to->nr_script = x->world->letters.nr;
	to->nr = to->nr_script + (x->config.user ? x->user.nr_ops : 0);
	to->nr_looks = ms_script_nr_ops(to->script) - to->nr_setup - to->nr_script;
	to->user = x->config.user;
	int ret = x->config.rules ? ms_script_set_rules(to->script, x->config.rules, err) : 0;
	if (!ret && rules)
		ret = ms_script_set_rules(to->script, rules, err);
	return ret;
}

static int read_script(struct ms_explore *x, struct ms_script_error *err)
{
	int ret = ms_explore_letters(x, NULL, &x->letters, err);

	if (ret)
		return ret;
	x->header = ms_explore_header(x->letters.script);
	return x->header ? 0 : -ENOMEM;
}

static int copy_texts(struct ms_explore *x)
{
	x->release = strdup(ms_script_release(x->letters.script));
	x->rules = strdup(x->config.rules ? x->config.rules : "");
	if (!x->release || !x->rules)
		return -ENOMEM;
	x->config.release = x->release;
	x->config.arch = ms_arch_name(ms_script_arch(x->letters.script));
	x->config.rules = x->config.rules ? x->rules : NULL;
	return 0;
}

struct ms_explore *ms_explore_new(const struct ms_world *world,
				  const struct ms_explore_config *config,
				  struct ms_script_error *err)
{
	static const struct ms_explore_config none;
	struct ms_explore *x = NULL;
	int ret;

	if (err)
		*err = (struct ms_script_error){ .line = 0 };
	config = config ? config : &none;
	ret = world ? check_config(world, config, err) : fail(err, "there is no world");
	if (!ret) {
		x = calloc(1, sizeof(*x));
		ret = x ? 0 : -ENOMEM;
	}
	if (!ret) {
		x->world = world;
		defaults(x, config);
		ret = read_script(x, err);
	}
	if (!ret)
		ret = copy_texts(x);
	if (!ret)
		return x;
	if (ret == -ENOMEM)
		fail(err, "no memory");
	ms_explore_free(x);
	errno = -ret;
	return NULL;
}

void ms_explore_free(struct ms_explore *x)
{
	if (!x)
		return;
	ms_script_free(x->letters.script);
	ms_visited_free(&x->visited);
	ms_found_free(&x->found);
	free(x->nodes);
	free(x->release);
	free(x->rules);
	free(x->header);
	free(x);
}

const char *ms_explore_kernel_name(const struct ms_explore *x)
{
	return x ? ms_script_kernel_name(x->letters.script) : NULL;
}
