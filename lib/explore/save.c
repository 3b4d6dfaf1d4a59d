/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A search's standing as bytes: a line that names the format, then numbers of 64 bits, the low byte
 * first, and for each state what it was reached by. Hashes of machines may change from one release
 * of mapsim to the next, which is therefore named, too.
 */
#include "explore/internal.h"

#include <mapsim/machine.h>

#include <stdlib.h>
#include <string.h>

#define MAGIC "mapsim-explore 1\n"

/* ---- numbers ---- */

static void put(FILE *out, uint64_t value)
{
	unsigned char bytes[8];

	for (unsigned int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(value >> (8 * i));
	fwrite(bytes, 1, sizeof(bytes), out);
}

static bool get(FILE *in, uint64_t *value)
{
	unsigned char bytes[8];

	*value = 0;
	if (fread(bytes, 1, sizeof(bytes), in) != sizeof(bytes))
		return false;
	for (unsigned int i = 0; i < 8; i++)
		*value |= (uint64_t)bytes[i] << (8 * i);
	return true;
}

/* ---- of what the standing is ---- */

static uint64_t mix_text(uint64_t h, const char *s)
{
	for (; s && *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return (h ^ 1) * UINT64_C(0x100000001b3);
}

static uint64_t mix_number(uint64_t h, uint64_t value)
{
	for (unsigned int i = 0; i < 8; i++)
		h = (h ^ ((value >> (8 * i)) & 0xff)) * UINT64_C(0x100000001b3);
	return h;
}

/* A number that is another one for another world, kernel, bound or user. */
static uint64_t identity(const struct ms_explore *x)
{
	uint64_t h = mix_text(UINT64_C(0xcbf29ce484222325), x->header);

	for (size_t i = 0; i < ms_script_nr_ops(x->letters.script); i++)
		h = mix_text(h, ms_script_get_op(x->letters.script, i).text);
	for (size_t i = 0; i < x->user.nr_ops; i++)
		h = mix_text(h, x->user.op_name(i, x->user.arg));
	for (size_t i = 0; i < x->world->ignore.nr; i++)
		h = mix_text(h, x->world->ignore.text[i]);
	for (size_t i = 0; i < x->world->go_on.nr; i++)
		h = mix_text(h, x->world->go_on.text[i]);
	h = mix_number(h, x->letters.nr_setup);
	h = mix_number(h, x->config.depth);
	h = mix_number(h, x->config.states);
	h = mix_number(h, x->config.shard);
	h = mix_number(h, x->config.shards);
	h = mix_number(h, x->config.seed);
	h = mix_number(h, x->config.walk_len);
	h = mix_number(h, x->config.race);
	return mix_number(h, x->config.go_on);
}

/* ---- saved ---- */

static void put_found(FILE *out, const struct ms_found *f)
{
	fwrite(f->signature, 1, sizeof(f->signature), out);
	put(out, f->len);
	put(out, f->by_walk);
	put(out, f->judged);
	put(out, (uint64_t)f->race.letter << 16 | (uint64_t)f->race.point << 8 | f->race.nth);
	for (unsigned int i = 0; i < f->len; i++)
		put(out, f->path[i]);
}

int ms_explore_save(const struct ms_explore *x, FILE *out)
{
	if (!x || !out)
		return -EINVAL;
	const uint64_t numbers[] = {
		identity(x),  x->begun,      x->cut,      x->depth,      x->level_start,
		x->level_end, x->next,       x->states,   x->operations, x->walks,
		x->nr_nodes,  x->visited.nr, x->found.nr,
	};

	fputs(MAGIC, out);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		put(out, numbers[i]);
	for (size_t i = 0; i < x->nr_nodes; i++)
		put(out, (uint64_t)x->nodes[i].parent << 16 | x->nodes[i].letter);
	for (size_t i = 0; i < x->visited.capacity; i++) {
		if (x->visited.slot[i])
			put(out, x->visited.slot[i]);
	}
	for (size_t i = 0; i < x->found.nr; i++)
		put_found(out, &x->found.found[i]);
	return fflush(out) || ferror(out) ? -EIO : 0;
}

/* ---- taken up ---- */

struct standing {
	uint64_t identity, begun, cut, depth, level_start, level_end, next, states, operations,
		walks, nr_nodes, nr_visited, nr_found;
};

static bool get_standing(FILE *in, struct standing *s)
{
	char magic[sizeof(MAGIC)] = "";

	return fread(magic, 1, sizeof(MAGIC) - 1, in) == sizeof(MAGIC) - 1 &&
	       !strcmp(magic, MAGIC) && get(in, &s->identity) && get(in, &s->begun) &&
	       get(in, &s->cut) && get(in, &s->depth) && get(in, &s->level_start) &&
	       get(in, &s->level_end) && get(in, &s->next) && get(in, &s->states) &&
	       get(in, &s->operations) && get(in, &s->walks) && get(in, &s->nr_nodes) &&
	       get(in, &s->nr_visited) && get(in, &s->nr_found);
}

static bool is_sound(const struct ms_explore *x, const struct standing *s)
{
	return s->begun <= 1 && s->cut <= 1 && s->depth <= x->config.depth &&
	       s->states <= x->config.states + 1 && s->nr_nodes <= s->states &&
	       s->level_start <= s->next && s->next <= s->level_end &&
	       s->level_end <= s->nr_nodes && s->nr_visited <= UINT32_MAX && s->nr_found <= 100000;
}

static int get_nodes(FILE *in, struct ms_explore *to, const struct standing *s, size_t nr_letters)
{
	for (uint64_t i = 0; i < s->nr_nodes; i++) {
		uint64_t value;

		if (!get(in, &value))
			return -EINVAL;
		const struct ms_node node = { (uint32_t)(value >> 16), (uint16_t)value };
		// a parent stands before its children, so that every path ends
		if ((i && node.parent >= i) || (i && node.letter >= nr_letters))
			return -EINVAL;
		if (ms_explore_grow((void **)&to->nodes, &to->nodes_capacity, i, sizeof(node)))
			return -ENOMEM;
		to->nodes[to->nr_nodes++] = node;
	}
	for (uint64_t i = 0; i < s->nr_visited; i++) {
		uint64_t hash;

		if (!get(in, &hash))
			return -EINVAL;
		if (ms_visited_add(&to->visited, hash) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int get_found(FILE *in, struct ms_explore *to, size_t nr_letters)
{
	char signature[MS_SIGNATURE];
	uint16_t path[MS_EXPLORE_MAX_DEPTH];
	uint64_t len, by_walk, letter, judged, race;
	struct ms_found *f;

	if (fread(signature, 1, sizeof(signature), in) != sizeof(signature) ||
	    memchr(signature, '\0', sizeof(signature)) == NULL || !get(in, &len) ||
	    len > MS_EXPLORE_MAX_DEPTH || !get(in, &by_walk) || !get(in, &judged) ||
	    judged > strlen(signature) || !get(in, &race) || race >> 16 >= nr_letters ||
	    (race >> 8 & 0xff) >= MS_HOOK_POINTS)
		return -EINVAL;
	for (uint64_t i = 0; i < len; i++) {
		if (!get(in, &letter) || letter >= nr_letters)
			return -EINVAL;
		path[i] = (uint16_t)letter;
	}
	int err = ms_found_add(&to->found, signature, path, (unsigned int)len, by_walk, &f);
	if (err || !f)
		return err;
	f->judged = (unsigned int)judged;
	f->race = (struct ms_race){ (uint16_t)(race >> 16), (uint8_t)(race >> 8), (uint8_t)race };
	return 0;
}

/* Puts what was read in place of what the search has. */
static void take(struct ms_explore *x, struct ms_explore *read, const struct standing *s)
{
	free(x->nodes);
	ms_visited_free(&x->visited);
	ms_found_free(&x->found);
	x->nodes = read->nodes;
	x->nr_nodes = read->nr_nodes;
	x->nodes_capacity = read->nodes_capacity;
	x->visited = read->visited;
	x->found = read->found;
	x->begun = s->begun;
	x->cut = s->cut;
	x->depth = (unsigned int)s->depth;
	x->level_start = s->level_start;
	x->level_end = s->level_end;
	x->next = s->next;
	x->states = s->states;
	x->operations = s->operations;
	x->walks = s->walks;
}

int ms_explore_load(struct ms_explore *x, FILE *in, struct ms_script_error *err)
{
	struct ms_explore read = { 0 };
	struct standing s;

	if (!x || !in)
		return ms_world_fail(err, 0, "there is no %s", x ? "file" : "search");
	if (!get_standing(in, &s))
		return ms_world_fail(err, 0, "not a search's standing of this release of mapsim");
	if (s.identity != identity(x))
		return ms_world_fail(err, 0, "of another world, kernel or bound");
	int ret = is_sound(x, &s) ? get_nodes(in, &read, &s, x->letters.nr) : -EINVAL;
	for (uint64_t i = 0; !ret && i < s.nr_found; i++)
		ret = get_found(in, &read, x->letters.nr);
	if (!ret) {
		take(x, &read, &s);
		return 0;
	}
	free(read.nodes);
	ms_visited_free(&read.visited);
	ms_found_free(&read.found);
	if (ret == -EINVAL)
		return ms_world_fail(err, 0, "cut short, or broken");
	ms_world_fail(err, 0, "no memory");
	return ret;
}
