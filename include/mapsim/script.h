/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * script.h - scripts of mapping operations as text, played on a machine, and recordings of what
 * real kernels answered, compared with what the model answers.
 *
 * The format is described in tests/recordings/FORMAT.md. A script is a recording without answers;
 * its header may be missing. Reading is strict: what is not in the format is an error that names
 * the line, never skipped. Scripts belong to no machine: they live until ms_script_free().
 *
 * A script, player, text or file that is NULL is refused: the answer is NULL, -EINVAL or 0, or
 * nothing is done. The place for an error (struct ms_script_error) may be NULL.
 */
#ifndef MAPSIM_SCRIPT_H
#define MAPSIM_SCRIPT_H

#include <mapsim/hazard.h>
#include <mapsim/machine.h>
#include <mapsim/policy.h>
#include <mapsim/types.h>

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ms_script;
struct ms_player;

/** Why a text was refused, or cannot be played: a constructor's reason has a line number here, and
 * there is no machine that could keep it. */
struct ms_script_error {
	uint64_t line;  ///< 1 is the first; 0: no line in particular
	char what[256]; ///< one sentence without '\n'
};

/** The kernel to play on in place of the header's. Members may be NULL: as the header says. */
struct ms_script_kernel {
	const char *release; ///< "6.12.107"
	const char *arch;    ///< "arm64" or "x86_64"
};

#define MS_SCRIPT_MAX_LINE 4096u               ///< bytes of a line without its '\n'
#define MS_SCRIPT_MAX_SIZE (UINT64_C(1) << 26) ///< bytes of a text

/**
 * Reads a text of `size` bytes. kernel may be NULL. A text without a header gets the one of the
 * architecture's recordings (page size 4096, its devices and RAM) and the newest recorded kernel,
 * or `kernel`. A text without a header or without answers is a script, in which sizes may be
 * written as 64K, 2M, 1G, and @NAME, @NAME+N, @NAME-N and @NAME.size stand for a device's address
 * and size; ms_script_get_op() gives the numbers. NULL, and errno says why, and *err in words.
 * EINVAL: refused; ENOMEM.
 */
struct ms_script *ms_script_parse(const char *text, size_t size,
				  const struct ms_script_kernel *kernel,
				  struct ms_script_error *err);
/** As above of a file, read to its end; EIO: it cannot be read. */
struct ms_script *ms_script_read(FILE *in, const struct ms_script_kernel *kernel,
				 struct ms_script_error *err);
/** NULL is allowed. */
void ms_script_free(struct ms_script *script);

const char *ms_script_release(const struct ms_script *script);
enum ms_arch ms_script_arch(const struct ms_script *script); ///< of NULL: MS_ARCH_ARM64
/** "6.12.107 arm64", with " 16k", " 64k" or " dic" added where the machine is such a one, and "
 * kvm" where an x86 CPU has +svm in `cpu`. */
const char *ms_script_kernel_name(const struct ms_script *script);

/** The rules that it is played by: those of its kernel, and what was set since. */
const struct ms_policy *ms_script_policy(const struct ms_script *script);
/**
 * Sets rules from lines as ms_policy_set_lines() takes them. 0; -EINVAL: nothing is changed, and
 * *err names the line of `text` and what is wrong.
 */
int ms_script_set_rules(struct ms_script *script, const char *text, struct ms_script_error *err);

struct ms_script_op {
	const char *text; ///< the operation without "> "
	uint64_t line;
	size_t nr_answers; ///< lines that start with "< "
};
size_t ms_script_nr_ops(const struct ms_script *script);
/** The i-th operation; all zero: there is none. */
struct ms_script_op ms_script_get_op(const struct ms_script *script, size_t i);
/** The j-th line of its answer with its "< ", *line (may be NULL) is where it stands. NULL: there
 * is none. */
const char *ms_script_get_answer(const struct ms_script *script, size_t i, size_t j,
				 uint64_t *line);

/**
 * A fresh machine as the header says, with a process to execute the operations. The script must
 * outlive it. NULL, and errno says why, and *err in words: a machine refuses the header's
 * configuration, RAM, device or MTRR, as it refuses the calls for these; ENOMEM.
 */
struct ms_player *ms_player_new(const struct ms_script *script, struct ms_script_error *err);
void ms_player_free(struct ms_player *player);
/** The machine; its trace holds the events of the last operation. */
struct ms_machine *ms_player_machine(struct ms_player *player);
/**
 * Executes the i-th operation and gives its answer: lines as in the format, each with its '\n'.
 * Operations are meant to be executed in order, each once. NULL: no memory for the text, or no such
 * operation. Valid until the next call.
 */
const char *ms_player_step(struct ms_player *player, size_t i);
/**
 * After the last operation: the processes end, then their files and VM are closed and ioremaps
 * given back, as where a script ends. Answers one comment line, "# memtype START END TYPE", for
 * each entry of the x86 memtype list that outlives all that and touches a device. The trace holds
 * the events of the end. NULL: no memory for the text. Valid until the next call.
 */
const char *ms_player_end(struct ms_player *player);

/**
 * Lets the i-th operation wait for the one that is executed next, and be carried out in its middle
 * when that comes to the hook point for the nth time (1: the first), as "at POINT#N: OPERATION"
 * does in a script. The answer of that one says then what this one has answered. 0; -EINVAL: there
 * is none such, or it ends a process or a VM, or makes one; -ENOSPC: eight wait already.
 */
int ms_player_at(struct ms_player *player, size_t i, enum ms_hook_point point, unsigned int nth);
/** Whether hook points are counted also while no operation waits. Not at first. */
void ms_player_watch(struct ms_player *player, bool on);
/** How often the last operation came to a hook point, operations in its middle left out. 0 also
 * where nothing waited and nothing was counted. */
unsigned int ms_player_came(const struct ms_player *player, enum ms_hook_point point);

/**
 * What a player is at a moment, with its machine (state.h): saved, and put back any number of
 * times. So operations may be executed again, or others in their place. NULL with errno, 0 or a
 * negative errno, as ms_state_save() and ms_state_restore() answer; the texts of ms_player_step()
 * and ms_player_end() are no longer valid then. ENOMEM also of restoring.
 */
struct ms_player_state;
struct ms_player_state *ms_player_save(struct ms_player *player);
int ms_player_restore(struct ms_player *player, const struct ms_player_state *s);
void ms_player_state_free(struct ms_player_state *s); ///< NULL is allowed
/** ms_machine_hash() of the player's machine, with the parts that its objects play: which operation
 * answers what from here on. 0 as there, and of NULL. */
uint64_t ms_player_hash(const struct ms_player *player);
size_t ms_player_state_bytes(const struct ms_player_state *s);

/** Why the last operation was refused, if it was: its answer is an errno, a signal, or an exit of
 * the guest. NULL: it was not. Valid until the next call. */
const char *ms_player_reason(struct ms_player *player);
/**
 * Prints why the last operation was refused, if it was, and every event of it, also those that the
 * format has no line for, with the model's reason: one a line, each after `before`.
 */
void ms_player_explain(struct ms_player *player, const char *before, FILE *out);

/**
 * What is wrong after the last operation, or after ms_player_end() (hazard.h): the machine as it
 * stands, the events of the operation, how its guest's access ended, and device memory whose type
 * has changed since the call before of this function (but by an mmap, which maps anew); in the end
 * what is left. A hazard that stands
 * is told each time. Answers how many. SIZE_MAX: no memory for a part of it.
 */
size_t ms_player_hazards(struct ms_player *player, ms_hazard_fn *tell, void *arg);

/** Why an operation was refused, and every event with its reason, as comments after the answer. */
#define MS_SCRIPT_EXPLAIN 0x1u
/** After each answer the hazards that the operation has brought about, and at the end of all those
 * of ms_player_end(), as comments. */
#define MS_SCRIPT_HAZARDS 0x2u
/**
 * Plays the script on a fresh machine and prints it with its answers. flags: MS_SCRIPT_* or 0.
 * Playing what was printed again prints the same. 0, -ENOMEM, -EINVAL; -EIO: `out` could not be
 * written, and errno says why.
 */
int ms_script_run(const struct ms_script *script, unsigned int flags, FILE *out,
		  struct ms_script_error *err);

/** Prints the script's header as ms_script_run() does, with its directives: what stands before the
 * first operation. 0; -EINVAL; -EIO: `out` could not be written. */
int ms_script_print_header(const struct ms_script *script, FILE *out);

/** One operation that the model answered otherwise than the kernel. */
struct ms_script_difference {
	size_t op;
	uint64_t line;      ///< of the first line that differs, or the operation's
	const char *kernel; ///< that line without "< "; NULL: the kernel's answer ended before
	const char *model;  ///< the model's, likewise
	const char *answer; ///< all of the model's answer, as ms_player_step() gave it
	struct ms_player *player; ///< just after the operation
};
struct ms_script_count {
	size_t answers; ///< operations
	size_t same;    ///< operations whose whole answer is the same
};
/**
 * Plays a recording and compares every answer; goes on after a difference. differs (may be NULL) is
 * called for each. 0; -EINVAL: it cannot be played, or an operation has no answer; -ENOMEM.
 */
int ms_script_check(const struct ms_script *script,
		    void (*differs)(const struct ms_script_difference *diff, void *arg), void *arg,
		    struct ms_script_count *count, struct ms_script_error *err);

#ifdef __cplusplus
}
#endif
#endif
