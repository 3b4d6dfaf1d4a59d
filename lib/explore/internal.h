/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/explore:
 *
 *   world.c     the lines of a world
 *   alphabet.c  questions about a world; its script
 *   expand.c    names, sums and sets in an operation; the letters that it stands for
 *   position.c  one machine with what the user keeps beside it: played, saved, put back, hashed
 *   judge.c     what is wrong in the state that an operation has led to
 *   visited.c   hashes of states that were met
 *   search.c    breadth first, in levels, by several threads
 *   worker.c    a machine that goes from node to node
 *   chunk.c     the part of a level that one thread does
 *   race.c      letters in the middle of others
 *   walk.c      random walks
 *   finding.c   what was found, and its script
 *   plan.c      some operations on a machine of their own
 *   shrink.c    a shorter and simpler script for the same finding
 *   decide.c    the rule by which a kernel has a finding
 *   diff.c      what tells two values of a rule apart
 *   part.c      the part of a script that does
 *   save.c      a search's standing as bytes
 */
#ifndef MS_EXPLORE_INTERNAL_H
#define MS_EXPLORE_INTERNAL_H

#include <mapsim/explore.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Writes the message, for the line of that number (0: for no line), and answers -EINVAL. */
int ms_world_fail(struct ms_script_error *err, uint64_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Makes room for one more behind the n elements of an array. 0, -ENOMEM. */
int ms_explore_grow(void **array, size_t *capacity, size_t n, size_t size);

/* ---- a world ---- */

struct ms_world_name {
	char *name;
	uint64_t value;
};

/* Texts, in their order. */
struct ms_texts {
	char **text;
	uint64_t *line; /* of the world, from which it came */
	size_t nr, capacity, line_capacity;
};
/* Adds a text, which it takes over, also when it fails. 0, -ENOMEM. */
int ms_texts_add(struct ms_texts *texts, char *text, uint64_t line);
void ms_texts_free(struct ms_texts *texts);

struct ms_world {
	struct ms_world_name *names;
	size_t nr_names, names_capacity;
	struct ms_texts header;  /* config, device, bar, ram, mtrr lines, and directives "#!" */
	struct ms_texts setup;   /* operations */
	struct ms_texts letters; /* operations */
	struct ms_texts kernels, ignore, go_on;
	bool arch[2];  /* by enum ms_arch */
	bool has_vfio; /* some operation is of vfio-pci */
	unsigned int depth;
	uint64_t states;
};

/*
 * Writes an operation out: each choice of a set's elements is an operation of its own, with names
 * and sums replaced by numbers. They are added to *into, but for those that are there already.
 * 0; -EINVAL with *err; -ENOMEM.
 */
int ms_world_expand(const struct ms_world *world, const char *text, uint64_t line,
		    struct ms_texts *into, struct ms_script_error *err);
/* The value of "A+2M-4K". 0; -EINVAL with *err. */
int ms_world_sum(const struct ms_world *world, const char *text, size_t len, uint64_t line,
		 uint64_t *value, struct ms_script_error *err);
/*
 * The world as a script on a kernel: its setup, then each letter once, then looks. NULL with *err:
 * lines of the world are named.
 */
struct ms_script *ms_world_script(const struct ms_world *world,
				  const struct ms_script_kernel *kernel,
				  struct ms_script_error *err);
/* The i-th operation of a script that shows a state and changes nothing; NULL: no more. */
const char *ms_world_look(size_t i);

/* ---- position.c ---- */

/*
 * What is searched. By number: letters of the script, from its operation nr_setup on; the user's;
 * then, from nr on, looks: operations of the script that change nothing, and are in no alphabet.
 */
struct ms_letters {
	struct ms_script *script;
	size_t nr_setup, nr_script; /* operations of the setup, letters of the script */
	size_t nr;                  /* letters, the user's included */
	size_t nr_looks;
	const struct ms_explore_user *user;
};

struct ms_position {
	const struct ms_letters *letters;
	struct ms_player *player;
	void *own; /* the user's */
	uint16_t path[MS_EXPLORE_MAX_DEPTH];
	unsigned int len;
};

/* A state that a position was in. */
struct ms_saved {
	struct ms_player_state *state;
	uint16_t path[MS_EXPLORE_MAX_DEPTH];
	unsigned int len;
	void *own;
};

/* A fresh machine, on which the setup was played. 0, or a negative errno. */
int ms_position_begin(struct ms_position *pos, const struct ms_letters *letters);
void ms_position_end(struct ms_position *pos);
/* Plays a letter; *answer as ms_player_step() gives it, of the user's own "". 0, negative errno. */
int ms_position_play(struct ms_position *pos, unsigned int letter, const char **answer);
#define MS_LOOK_S2 4u /* show s2 */
/* What a look shows. NULL: no memory, or there is no such look. */
const char *ms_position_look(struct ms_position *pos, size_t look);
/* What the next operation changes is judged against the state as it is now. */
void ms_position_mark(struct ms_position *pos);
/* 0, negative errno. */
int ms_position_save(struct ms_position *pos, struct ms_saved *saved);
int ms_position_restore(struct ms_position *pos, const struct ms_saved *saved);
void ms_position_drop(struct ms_position *pos, struct ms_saved *saved);
uint64_t ms_position_hash(struct ms_position *pos);

/* ---- judge.c ---- */

#define MS_SIGNATURE 256u /* bytes, with the NUL */
#define MS_MAX_JUDGED 8u  /* findings of one state; more are not told */

struct ms_judged {
	char signature[MS_MAX_JUDGED][MS_SIGNATURE];
	unsigned int nr;
	bool dead;    /* the state is not gone on from, or only if everything is */
	bool crashed; /* there is nothing to go on from: the kernel has crashed */
};

/* What has gone wrong in an operation that was answered so: it begins *judged anew. */
void ms_judge_events(struct ms_position *pos, const struct ms_world *world, const char *answer,
		     struct ms_judged *judged);
/*
 * Adds what is wrong in the state that the operation has led to. It plays the end, which changes
 * the machine. 0, negative errno.
 */
int ms_judge_state(struct ms_position *pos, const struct ms_world *world, struct ms_judged *judged);
/* Both. */
int ms_judge(struct ms_position *pos, const struct ms_world *world, const char *answer,
	     struct ms_judged *judged);

/* ---- visited.c ---- */

/* Mixes len bytes into a hash. */
uint64_t ms_mix_text(uint64_t hash, const char *text, size_t len);

/* A set of hashes; 0 is in each. */
struct ms_visited {
	uint64_t *slot;
	size_t capacity, nr;
};
bool ms_visited_has(const struct ms_visited *v, uint64_t hash);
/* 1: it is new; 0: it was there; -ENOMEM. */
int ms_visited_add(struct ms_visited *v, uint64_t hash);
void ms_visited_clear(struct ms_visited *v); /* keeps the memory */
void ms_visited_free(struct ms_visited *v);

/* ---- a search ---- */

struct ms_node {
	uint32_t parent;
	uint16_t letter;
};

/* A letter in the middle of the last one of a path. nth 0: none is. */
struct ms_race {
	uint16_t letter;
	uint8_t point, nth; /* enum ms_hook_point, from 1 on */
};

struct ms_found {
	char signature[MS_SIGNATURE];
	unsigned int judged; /* bytes before the signature that ms_judge() gives */
	struct ms_race race;
	uint16_t path[MS_EXPLORE_MAX_DEPTH];
	unsigned int len;
	bool by_walk;
	/* made when it is asked for */
	char *script, *rule, *without;
	bool made;
};

struct ms_found_list {
	struct ms_found *found;
	size_t nr, capacity;
};
/* The finding of that signature, or NULL. */
struct ms_found *ms_found_find(const struct ms_found_list *list, const char *signature);
/* Adds one, or puts a shorter path in place of a longer one. *added (may be NULL) gets the one that
 * was added or changed, or NULL. 0, -ENOMEM. */
int ms_found_add(struct ms_found_list *list, const char *signature, const uint16_t *path,
		 unsigned int len, bool by_walk, struct ms_found **added);
void ms_found_free(struct ms_found_list *list);

struct ms_explore {
	const struct ms_world *world;
	struct ms_explore_config config;
	struct ms_explore_user user;
	struct ms_letters letters;
	char *release, *rules;
	char *header; /* lines of a script for this kernel */
	struct ms_node *nodes;
	size_t nr_nodes, nodes_capacity;
	struct ms_visited visited;
	size_t level_start;
	size_t level_end; /* nodes from here on are deeper by one letter than those before */
	size_t next;      /* the first node that was not gone on from */
	unsigned int depth;
	uint64_t states, operations, walks;
	struct ms_found_list found;
	bool begun, cut;
};

/* The lines of a header as ms_script_run() prints them for the script. NULL: no memory. */
char *ms_explore_header(const struct ms_script *script);
/* The letters of the search's kernel with rules (lines RULE=VALUE, or NULL) set. The script is the
 * caller's to free, also on an error. 0; -EINVAL with *err; -ENOMEM. */
int ms_explore_letters(const struct ms_explore *x, const char *rules, struct ms_letters *to,
		       struct ms_script_error *err);
/* The letters from the first state to a node. Answers how many. */
unsigned int ms_explore_path(const struct ms_explore *x, size_t node, uint16_t *path);

/* ---- worker.c ---- */

/* What one thread has: a machine, and the states along the path of the node at hand. */
struct ms_worker {
	struct ms_position pos;
	bool begun;
	uint16_t path[MS_EXPLORE_MAX_DEPTH];
	struct ms_saved saved[MS_EXPLORE_MAX_DEPTH + 1]; /* saved[i]: after i letters of path */
	unsigned int nr_saved;
};
/* Does nothing when it has begun. 0, negative errno. */
int ms_worker_begin(struct ms_worker *w, const struct ms_letters *letters);
void ms_worker_end(struct ms_worker *w);
/*
 * Lets saved[len] be the state after the path, which need not be the state that pos is in. Nodes
 * come in the order of their paths, so that most of the path is that of the node before, whose
 * states are there. 0, negative errno.
 */
int ms_worker_go_to(struct ms_worker *w, const uint16_t *path, unsigned int len);

/* ---- chunk.c ---- */

#define MS_CHUNK_NODES 128u

struct ms_new_state {
	uint64_t state; /* its hash */
	uint64_t key;   /* the same, or another number where it was reached in a way of note */
	uint32_t node;
	uint16_t letter;
	bool dead;
};

/* A part of a level: its nodes are gone on from, and what came of it is noted. */
struct ms_chunk {
	size_t first, end; /* nodes */
	struct ms_new_state *states;
	size_t nr_states, states_capacity;
	struct ms_found_list found;
	struct ms_visited seen;
	uint64_t operations;
	bool race; /* letters are played in the middle of others, too */
	int err;
};

/* Goes on from each node of the chunk. */
void ms_chunk_run(const struct ms_explore *x, struct ms_worker *w, struct ms_chunk *chunk);
void ms_chunk_free(struct ms_chunk *chunk);

/* ---- race.c ---- */

/* Plays each letter in the middle of each other, in the state after the path. 0, negative errno. */
int ms_race_from(const struct ms_explore *x, struct ms_worker *w, struct ms_chunk *chunk,
		 const uint16_t *path, unsigned int len);

/* ---- walk.c, shrink.c, decide.c ---- */

/* The walks that are left. 0; 1: stopped; negative errno. */
int ms_explore_walk(struct ms_explore *x);

#define MS_PLAN_OPS 256u
struct ms_plan_op {
	uint32_t op;        /* of the setup, or a letter + nr_setup */
	uint8_t point, nth; /* nth not 0: in the middle of the next one, as struct ms_race says */
};
struct ms_plan {
	struct ms_plan_op op[MS_PLAN_OPS];
	unsigned int nr;
};
/* The setup and the letters of a path, with one in the middle of the last if race is not NULL; what
 * is beyond MS_PLAN_OPS is left out. */
void ms_plan_of(const struct ms_explore *x, const uint16_t *path, unsigned int len,
		const struct ms_race *race, struct ms_plan *plan);
/* The plan as a text with a header; to be freed. NULL: no memory. */
char *ms_plan_text(const struct ms_explore *x, const struct ms_plan *plan, const char *comment);
/* A machine of its own for a plan: pos is at its beginning. rules: lines RULE=VALUE, or NULL. */
struct ms_plan_player {
	struct ms_letters letters;
	struct ms_position pos;
	unsigned int nr_script; /* operations of the script so far */
};
int ms_plan_begin(const struct ms_explore *x, const struct ms_plan *plan, const char *rules,
		  struct ms_plan_player *to);
/* Plays the plan's i-th operation. 0, negative errno. */
int ms_plan_play(const struct ms_explore *x, const struct ms_plan *plan, unsigned int i,
		 struct ms_plan_player *p, const char **answer);
void ms_plan_end(struct ms_plan_player *p);
/* Whether a plan shows what it is to show. 1, 0, or a negative errno. */
typedef int ms_plan_shows_fn(const struct ms_explore *x, const struct ms_plan *plan,
			     const void *what);
/* Makes the plan shorter and simpler, as long as it shows the same. 0, negative errno. */
int ms_plan_shrink(const struct ms_explore *x, struct ms_plan *plan, ms_plan_shows_fn *shows,
		   const void *what);
/* Whether the plan leads to a finding of the signature. 1, 0, or a negative errno. */
int ms_plan_finds(const struct ms_explore *x, const struct ms_plan *plan, const char *rules,
		  const char *signature);
/* Fills in rule and without. 0, negative errno. */
int ms_found_decide(const struct ms_explore *x, const struct ms_plan *plan, struct ms_found *f);
/* Fills in what is made when it is asked for. 0, negative errno. */
int ms_found_make(const struct ms_explore *x, struct ms_found *f);

#endif
