/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * explore.h - a search for what is wrong with a kernel, a driver, or a policy.
 *
 * A *world* is a text: a machine, operations that set it up, and an *alphabet* of operations, each
 * of which is a *letter* (docs/worlds.md describes the format). A search plays all sequences of
 * letters, the short ones first, on the model of one kernel. A state that was met before is not
 * gone on from, so that a sequence is the shortest to its state. What is found in a state is a
 * *finding*: something that the kernel lets stand wrong, a violation, a fault that never ends. Of
 * findings that are alike (the same *signature*) the shortest script is kept.
 *
 * What a search answers depends on the world, the kernel and the bounds alone, not on the number of
 * jobs, nor on time. It is no proof: two states with the same hash of 64 bits are taken for one,
 * and beyond the bounds nothing is looked at but by random walks.
 *
 * A world or search that is NULL is refused: the answer is NULL, -EINVAL or 0, or nothing is done.
 * Places for errors (struct ms_script_error) may be NULL.
 */
#ifndef MAPSIM_EXPLORE_H
#define MAPSIM_EXPLORE_H

#include <mapsim/script.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a world ---- */

struct ms_world;

#define MS_WORLD_MAX_LETTERS 4096u
#define MS_EXPLORE_MAX_DEPTH 64u ///< letters of a script

/**
 * Reads a world of `size` bytes. NULL, and errno says why, and *err the line and what is wrong with
 * it. EINVAL: refused, also where an operation is none of the format; ENOMEM. It lives until
 * ms_world_free().
 */
struct ms_world *ms_world_parse(const char *text, size_t size, struct ms_script_error *err);
/** As above of a file, read to its end; EIO: it cannot be read. */
struct ms_world *ms_world_read(FILE *in, struct ms_script_error *err);
/** NULL is allowed. */
void ms_world_free(struct ms_world *world);

bool ms_world_has_arch(const struct ms_world *world, enum ms_arch arch);
/** The i-th release that the world names; NULL: no more. */
const char *ms_world_kernel(const struct ms_world *world, size_t i);
unsigned int ms_world_depth(const struct ms_world *world); ///< its bound, in letters
uint64_t ms_world_states(const struct ms_world *world);    ///< its bound
size_t ms_world_nr_letters(const struct ms_world *world);
/** The i-th letter as an operation of a script, without "> "; NULL: there is none. */
const char *ms_world_letter(const struct ms_world *world, size_t i);

/* ---- a search ---- */

struct ms_explore;

/**
 * What a user adds to a world: a driver, a device, operations, and what must hold. Members may be
 * NULL (nr_ops 0). With several jobs each has players of its own, and the functions are called from
 * several threads at once; never for one player from two.
 */
struct ms_explore_user {
	/** On each fresh player before the world's setup. *own is what the others get for it. 0, or
	 * a negative errno, which ends the search. */
	int (*begin)(struct ms_player *player, void **own, void *arg);
	/** Before the player is freed. */
	void (*end)(struct ms_player *player, void *own, void *arg);
	/** Letters beside the world's, which need have none then. A name is one line of text. op: 0, or a negative errno which
	 * ends the search; what the operation itself answers is the user's own affair. */
	size_t nr_ops;
	const char *(*op_name)(size_t op, void *arg);
	int (*op)(size_t op, struct ms_player *player, void *own, void *arg);
	/** A copy of `own` as it is now; NULL: no memory. What of it lies in the machine (kmalloc
	 * of linux.h) comes and goes with the machine's state, and need not be copied. */
	void *(*save)(const void *own, void *arg);
	void (*restore)(void *own, const void *saved, void *arg);
	void (*drop)(void *saved, void *arg);
	/** Equal where no operation can tell two apart. */
	uint64_t (*hash)(const void *own, void *arg);
	/** What is wrong after an operation, one line without numbers that differ each time; false:
	 * nothing is. */
	bool (*judge)(struct ms_player *player, const void *own, char *text, size_t size,
		      void *arg);
	void *arg;
};

/** How far a search has come. */
struct ms_explore_progress {
	unsigned int depth;  ///< of the states that are gone on from
	uint64_t states;     ///< different ones so far, the first included
	uint64_t frontier;   ///< that are to be gone on from
	uint64_t operations; ///< carried out so far
	uint64_t walks;      ///< random walks that have ended
	size_t findings;
};

/** Zero fields take the default in brackets. */
struct ms_explore_config {
	const char *release;        ///< "6.12.107" [the newest recorded one]
	const char *arch;           ///< "arm64", "x86_64" [the first that the world names]
	const char *rules;          ///< lines RULE=VALUE in place of the kernel's; NULL: none
	unsigned int depth;         ///< letters of a script, at most [the world's]
	uint64_t states;            ///< bound of states [the world's]; each takes about 24 bytes
	uint64_t walks;             ///< random walks after the search [0]
	unsigned int walk_len;      ///< letters of a walk [24]
	uint64_t seed;              ///< of the walks
	unsigned int jobs;          ///< threads [1]
	unsigned int shard, shards; ///< this is shard 0 .. shards - 1 of a search [0 of 1]
	bool go_on;                 ///< also from states with findings
	bool race; ///< also each letter in the middle of each other, at each hook point that it
		   ///< comes to; the script has both, and at most `depth` letters. The user's own
		   ///< operations are left out
	const struct ms_explore_user *user;
	/** Called now and then, from the thread that called ms_explore_run(). true: stop there. */
	bool (*progress)(const struct ms_explore_progress *progress, void *arg);
	void *arg;
};

/**
 * A search that has not begun. The world must outlive it; config is copied, what it points to is
 * not, but for the texts. NULL, and errno says why, and *err in words. EINVAL: refused; ENOMEM.
 */
struct ms_explore *ms_explore_new(const struct ms_world *world,
				  const struct ms_explore_config *config,
				  struct ms_script_error *err);
void ms_explore_free(struct ms_explore *explore); ///< NULL is allowed
/**
 * Searches up to the bounds, or until progress() stops it. 0: it has come to its end; 1: it was
 * stopped, and goes on where it was when it is called again. -ENOMEM, or what the user's functions
 * answered: it stands where it was before the part that failed.
 */
int ms_explore_run(struct ms_explore *explore);
struct ms_explore_progress ms_explore_progress(const struct ms_explore *explore);
/** Whether the bound of states cut it short. */
bool ms_explore_is_cut(const struct ms_explore *explore);
/** "6.12.107 arm64", as ms_script_kernel_name(). */
const char *ms_explore_kernel_name(const struct ms_explore *explore);

/**
 * A search's standing as bytes, from which another one of the same world, kernel and bounds goes
 * on. 0; -EIO: `out` cannot be written.
 */
int ms_explore_save(const struct ms_explore *explore, FILE *out);
/** Takes up what ms_explore_save() wrote. -EINVAL with *err: it is of another world, kernel or
 * bound, or no such thing; -ENOMEM. Then the search is one that has not begun. */
int ms_explore_load(struct ms_explore *explore, FILE *in, struct ms_script_error *err);

struct ms_finding {
	const char *signature; ///< what it is, one line; findings with one signature are one
	const char *rule;      ///< "RULE=VALUE" of the kernel's that decides; NULL: none does alone
	const char *without;   ///< values of the rule with which it vanishes, "VALUE, VALUE"; NULL
	unsigned int letters;  ///< of the shortest script
	const char *script;    ///< the script, with its header; as a text for mapsim run
	bool by_walk;          ///< a random walk found it: a shorter script is not excluded
};
/**
 * The i-th finding, in the order in which they were found; signature NULL: no more. At the first
 * call since the search has run scripts are shrunk and rules tried. Valid until the search runs
 * again or is freed.
 */
struct ms_finding ms_explore_finding(struct ms_explore *explore, size_t i);

/* ---- two kernels ---- */

/** What tells two values of a rule apart. */
struct ms_witness {
	unsigned int letters;
	char *script;    ///< the shortest script, with its header; NULL: none up to the bound
	uint64_t states; ///< different pairs of states that were met
	bool cut;        ///< the bound of states, or progress(), cut the search short
};
/**
 * Searches the shortest script of the world to which two kernels answer otherwise that differ in
 * one rule alone: config's kernel, and the same with rule = value. Only depth, states, rules,
 * release, arch, user and progress of config are looked at. 1: found, and the caller frees
 * witness->script; 0: there is none up to the bound; -EINVAL with *err; -ENOMEM.
 */
int ms_explore_rule(const struct ms_world *world, const struct ms_explore_config *config,
		    const char *rule, const char *value, struct ms_witness *witness,
		    struct ms_script_error *err);
/**
 * As ms_explore_rule(), but in the operations of one script, in their order: operations are left
 * out as long as the rest is answered otherwise, so that none of them can be missed. Where only
 * the states differ, an operation that shows them ("show vmas ...") is added at the end.
 * witness->letters counts all operations. The script may have answers, which are not looked at.
 */
int ms_explore_rule_in(const struct ms_script *script, const char *rule, const char *value,
		       struct ms_witness *witness, struct ms_script_error *err);

#ifdef __cplusplus
}
#endif
#endif
