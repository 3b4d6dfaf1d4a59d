/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * States with the same hash are the same: plays sequences of operations, the short ones first, and
 * where two lead to the same hash, plays each operation on both states. The answers must be equal,
 * and so must be the hashes behind them: so no longer sequence tells the two apart either, as far
 * as hashes are different where states are.
 *
 *     test_script_hashes [--states N] [--kernel RELEASE] FILE...
 *
 * A file has lines of a script, "# ALPHABET", and the operations. What shows the state is added.
 */
#include <mapsim/mapsim.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 12u

static const char shows[] = "> show vmas at=0x200000000000 len=0x10000000\n"
			    "> show ptes at=0x200000000000 len=0x10000000\n"
			    "> show s2 gpa=0x80000000 len=0x30000000\n"
			    "> show memtypes\n"
			    "> child show vmas at=0x200000000000 len=0x10000000\n"
			    "> child show ptes at=0x200000000000 len=0x10000000\n";

struct node {
	uint64_t hash;
	struct ms_player_state *state;
	unsigned int len;
	uint16_t path[MAX_DEPTH];
	uint64_t *answer, *after; /* of each letter; NULL: not played yet */
};

struct search {
	struct ms_script *script;
	struct ms_player *player;
	size_t setup, letters; /* operations of the script, the shows among the letters */
	struct node *node;
	size_t nr, most;
	size_t *slot, nr_slots; /* 1 + the number of the node with a hash */
	size_t pairs, differences;
};

static uint64_t text_hash(const char *text)
{
	uint64_t h = 1;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return h;
}

static const char *step(struct search *s, size_t letter)
{
	const char *answer = ms_player_step(s->player, s->setup + letter);

	if (!answer)
		errx(EXIT_FAILURE, "no memory");
	return answer;
}

static void back_to(struct search *s, const struct node *node)
{
	if (ms_player_restore(s->player, node->state))
		errx(EXIT_FAILURE, "a state is not put back");
}

static const char *letter_text(const struct search *s, size_t letter)
{
	return ms_script_get_op(s->script, s->setup + letter).text;
}

static void print_path(const struct search *s, const struct node *node)
{
	for (unsigned int i = 0; i < node->len; i++)
		fprintf(stderr, "    > %s\n", letter_text(s, node->path[i]));
}

/* What each letter answers in the state, and what hash is behind it. */
static void profile(struct search *s, struct node *node)
{
	node->answer = calloc(s->letters, sizeof(*node->answer));
	node->after = calloc(s->letters, sizeof(*node->after));
	if (!node->answer || !node->after)
		err(EXIT_FAILURE, NULL);
	for (size_t i = 0; i < s->letters; i++) {
		back_to(s, node);
		node->answer[i] = text_hash(step(s, i));
		node->after[i] = ms_player_hash(s->player);
	}
}

static void say_difference(struct search *s, struct node *a, struct node *b, size_t letter)
{
	if (s->differences++ > 2)
		return;
	fprintf(stderr, "two states with the same hash, first\n");
	print_path(s, a);
	back_to(s, a);
	fprintf(stderr, "  > %s\n%s  then the hash is %llx; second\n", letter_text(s, letter),
		step(s, letter), (unsigned long long)a->after[letter]);
	print_path(s, b);
	back_to(s, b);
	fprintf(stderr, "  > %s\n%s  then the hash is %llx\n", letter_text(s, letter),
		step(s, letter), (unsigned long long)b->after[letter]);
}

static void compare(struct search *s, struct node *a, struct node *b)
{
	s->pairs++;
	if (!a->answer)
		profile(s, a);
	profile(s, b);
	for (size_t i = 0; i < s->letters; i++)
		if (a->answer[i] != b->answer[i] || a->after[i] != b->after[i]) {
			say_difference(s, a, b, i);
			break;
		}
	free(b->answer);
	free(b->after);
}

static size_t *slot_of(struct search *s, uint64_t hash)
{
	size_t i = hash & (s->nr_slots - 1);

	while (s->slot[i] && s->node[s->slot[i] - 1].hash != hash)
		i = (i + 1) & (s->nr_slots - 1);
	return &s->slot[i];
}

/* The player is in the state behind the path. */
static void meet(struct search *s, const struct node *from, size_t letter)
{
	struct node node = { .hash = ms_player_hash(s->player), .len = from ? from->len + 1 : 0 };
	size_t *slot = slot_of(s, node.hash);

	if (from) {
		memcpy(node.path, from->path, sizeof(node.path));
		node.path[from->len] = (uint16_t)letter;
	}
	node.state = ms_player_save(s->player);
	if (!node.hash || !node.state)
		errx(EXIT_FAILURE, "no memory");
	if (*slot) {
		compare(s, &s->node[*slot - 1], &node);
		ms_player_state_free(node.state);
	} else if (s->nr < s->most) {
		s->node[s->nr] = node;
		*slot = ++s->nr;
	} else {
		ms_player_state_free(node.state);
	}
}

static void run(struct search *s)
{
	meet(s, NULL, 0);
	for (size_t n = 0; n < s->nr; n++) {
		if (s->node[n].len == MAX_DEPTH)
			continue;
		for (size_t i = 0; i < s->letters; i++) {
			back_to(s, &s->node[n]);
			step(s, i);
			meet(s, &s->node[n], i);
		}
	}
}

/* ---- a file ---- */

static char *read_text(const char *path, size_t *setup)
{
	FILE *in = fopen(path, "r");
	char line[400], *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool letters = false;

	if (!in || !out)
		err(EXIT_FAILURE, "%s", path);
	for (*setup = 0; fgets(line, sizeof(line), in);) {
		letters |= !strncmp(line, "# ALPHABET", 10);
		*setup += !letters && line[0] == '>';
		fputs(line, out);
		if (!strchr(line, '\n'))
			fputc('\n', out);
	}
	fputs(shows, out);
	fclose(in);
	if (fclose(out))
		err(EXIT_FAILURE, "%s", path);
	return text;
}

static size_t try_file(const char *path, const char *release, size_t most)
{
	const char *name = strrchr(path, '/');
	const bool x86 = !strncmp(name ? name + 1 : path, "x86", 3);
	const struct ms_script_kernel kernel = { release, x86 ? "x86_64" : "arm64" };
	struct search s = { .most = most, .nr_slots = 1 };
	struct ms_script_error error;
	char *text = read_text(path, &s.setup);

	s.script = ms_script_parse(text, strlen(text), strstr(text, "\nkernel ") ? NULL : &kernel,
				   &error);
	if (!s.script)
		errx(EXIT_FAILURE, "%s: line %llu: %s", path, (unsigned long long)error.line,
		     error.what);
	s.player = ms_player_new(s.script, &error);
	s.letters = ms_script_nr_ops(s.script) - s.setup;
	while (s.nr_slots < 4 * most)
		s.nr_slots *= 2;
	s.slot = calloc(s.nr_slots, sizeof(*s.slot));
	s.node = calloc(most, sizeof(*s.node));
	if (!s.player || !s.slot || !s.node)
		errx(EXIT_FAILURE, "%s: no memory", path);
	for (size_t i = 0; i < s.setup; i++)
		ms_player_step(s.player, i);
	run(&s);
	printf("%s %s: %zu states, %zu pairs, %zu differ\n", path, release, s.nr, s.pairs,
	       s.differences);
	for (size_t i = 0; i < s.nr; i++) {
		ms_player_state_free(s.node[i].state);
		free(s.node[i].answer);
		free(s.node[i].after);
	}
	free(s.node);
	free(s.slot);
	ms_player_free(s.player);
	ms_script_free(s.script);
	free(text);
	return s.differences;
}

int main(int argc, char **argv)
{
	const char *release = "6.12.107";
	size_t most = 150, differences = 0;
	int i = 1;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (!strcmp(argv[i], "--states"))
			most = strtoul(argv[i + 1], NULL, 10);
		else
			release = argv[i + 1];
	}
	if (i >= argc || !most)
		errx(2, "usage: %s [--states N] [--kernel RELEASE] FILE...", argv[0]);
	for (; i < argc; i++)
		differences += try_file(argv[i], release, most);
	return differences ? EXIT_FAILURE : 0;
}
