/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of `mapsim driver` (options.c, command.c): a driver is compiled and loaded once for
 * each version (build.c, glue.c, module.c); a play, which is a short list of steps (steps.c,
 * plays.c), is played on a kernel (player.c, ops.c) in a child process of its own (child.c), which
 * tells what was wrong on a pipe (parent.c). A search (search.c) is one child, too, in which
 * <mapsim/explore.h> plays all sequences of the steps that are letters. What was found is gathered
 * (findings.c), made short, and printed (print.c).
 *
 * Steps are a table of words, so that whoever enumerates plays needs to know nothing of them.
 */
#ifndef MAPSIM_TOOLS_DRIVER_H
#define MAPSIM_TOOLS_DRIVER_H

#include <mapsim/machine.h>
#include <mapsim/policy.h>

#include <stdio.h>

#define DRV_MAX_KERNELS 64
#define DRV_MAX_DEVICES 8
#define DRV_MAX_PARAMS 32
#define DRV_MAX_STEPS 16
#define DRV_MAX_RESOURCES 16
#define DRV_MAX_ARGS 6
#define DRV_MAX_FRAMES 24

/* A memory of a device: NAME=ADDRESS+SIZE. */
struct drv_device {
	const char *name;
	uint64_t pa, size;
};

struct drv_module;
struct drv_kernel {
	const char *release;
	enum ms_arch arch;
	const struct ms_policy *policy;
	bool compiles;                   /* with the names of its version */
	const struct drv_module *module; /* NULL: it is compiled for no version; not played */
};

struct drv_config {
	const char *source;
	const char *cflags; /* words for the compiler; NULL: none */
	char **defines;     /* each NAME or NAME=VALUE; ended by NULL */
	char **includes;    /* folders; ended by NULL */
	struct drv_kernel kernel[DRV_MAX_KERNELS];
	size_t nr_kernels;
	struct drv_device device[DRV_MAX_DEVICES];
	size_t nr_devices;
	const char *param[DRV_MAX_PARAMS]; /* NAME=VALUE */
	size_t nr_params;
	/* What a device on a bus has. BARs: index, physical address, bytes. Resources: 0 for memory
	 * and 1 for an interrupt, address or number, bytes or 1. */
	unsigned long long bar[6][3], resource[DRV_MAX_RESOURCES][3];
	size_t nr_bars, nr_resources;
	bool on_bus; /* the driver has a device on a bus, which can be unbound */
	bool has_revoke;
	unsigned int revoke; /* an ioctl's number */
	bool all, json, quick;
	unsigned int depth; /* steps of a search; 0: none */
	bool depth_is_said; /* on each kernel, however many states that are */
};

/* ---- steps ---- */

struct drv_op;
struct drv_step {
	const struct drv_op *op;
	bool child; /* by the child, not by the parent */
	size_t nr_args;
	char arg[DRV_MAX_ARGS][20];
};

struct drv_play {
	size_t nr;
	struct drv_step step[DRV_MAX_STEPS];
	uint64_t fail_alloc; /* the number of the allocation that fails; 0: none */
};

/* "open; map shared rw 4; child: read all". 0, or -1: *wrong says what is. */
int drv_play_parse(struct drv_play *play, const char *text, char *wrong, size_t size);
void drv_play_print(const struct drv_play *play, size_t nr, FILE *out);
/* Does a step need what the configuration has not (a way to revoke)? */
bool drv_play_fits(const struct drv_play *play, const struct drv_config *config);
/* The fixed list; NULL: no more. */
const char *drv_fixed_play(size_t i);
/* Those of it whose allocations are made to fail; NULL: no more. */
const char *drv_failing_play(size_t i);
/* The steps of which a search tries all sequences; NULL: no more. */
const char *drv_letter(size_t i);

/* ---- the module ---- */

/* A folder of its own for what is compiled (build.c). */
struct drv_build {
	char dir[64];
};
/* 0, or -1 after a message. */
int drv_build_begin(struct drv_build *build);
void drv_build_end(struct drv_build *build, size_t nr);
/* The i-th text and object, with the names of a version (KERNEL_VERSION()); code 0: of all versions.
 * 0; -1: the compiler refuses. */
int drv_build_preprocess(const struct drv_build *build, const struct drv_config *config,
			 unsigned int code, size_t i);
int drv_build_compile(const struct drv_build *build, const struct drv_config *config,
		      unsigned int code, size_t i);
bool drv_build_same(const struct drv_build *build, size_t i, size_t j);
/* The compiler's last messages; and the first error of them. */
void drv_build_messages(const struct drv_build *build, bool failed);
void drv_build_why(const struct drv_build *build, char *why, size_t size);

struct ms_module_param;
struct drv_module {
	unsigned int code;       /* the version's, 0: names of all versions */
	struct drv_module *same; /* whose text is the same */
	char why[256];           /* it does not compile */
	char path[96];           /* of the shared object */
	void *handle;            /* NULL: it is not loaded */
	uintptr_t base, start, end;     /* where it is loaded; its code is [start, end) */
	char *data;                     /* its static variables */
	size_t data_size;               /* bytes */
	int (*init)(void);
	void (*exit)(void);
	long (*ioctl)(struct ms_file *file, unsigned int cmd, unsigned long arg);
	const struct ms_module_param *(*params)(size_t *n);
	int (*find)(struct ms_machine *m, const unsigned long long (*bar)[3], size_t nr_bars,
		    const unsigned long long (*res)[3], size_t nr_res, int *found);
	int (*unbind)(void);
};

extern const char drv_glue[]; /* compiled with the driver */

/* One for each text that the versions of the kernels make of the driver, and one for the rest. */
struct drv_modules {
	struct drv_build build;
	struct drv_module module[DRV_MAX_KERNELS + 1];
	size_t nr;
	char why[256]; /* the first kernel's error for which it does not compile */
};
/* Gives each kernel its module. 0, or -1 after a message. */
int drv_modules_load(struct drv_modules *all, struct drv_config *config);
void drv_modules_unload(struct drv_modules *all);
/* Sets the parameters of the command line; in a child, since it changes the module. */
int drv_module_set_params(const struct drv_module *module, const struct drv_config *config,
			  char *wrong, size_t size);

/* Where in the driver's source an address is. */
struct drv_place {
	char function[64];
	char file[96]; /* without folders */
	unsigned int line;
};
/* The first of the frames that is the driver's own code; false: none is. Offsets in the object. */
bool drv_module_place(const struct drv_module *module, const struct drv_config *config,
		      const uint64_t *frame, size_t nr, struct drv_place *place);

/* ---- playing ---- */

enum drv_what {
	DRV_VIOLATION,
	DRV_CRASH,  /* a signal ended the driver */
	DRV_REFUSED /* the module cannot be loaded */
};

/* What a child has told. */
struct drv_report {
	enum drv_what what;
	size_t step;                   /* at which; play->nr: at the end, when all is closed */
	const struct drv_play *play;   /* NULL: that which is played */
	bool hangs;                    /* a crash that took all its time */
	struct ms_violation violation; /* texts are the report's reader's */
	uint64_t frame[DRV_MAX_FRAMES];
	size_t nr_frames;
};

struct drv_outcome {
	uint64_t plays;
	unsigned int steps, mapped, refused; /* steps that were played; mmaps by their answers */
	uint64_t allocs;                     /* of the last play */
	char device[16][64]; /* names of those that are registered */
	size_t nr_devices;
	bool on_bus;
	bool refused_init;
	char why[256]; /* the module was not loaded, or its device not taken */
};

typedef void drv_tell(const struct drv_report *report, void *arg);
/* Plays nr plays in child processes, as few as there can be; device: number of the device that
 * `open` opens. *outcome: of all of them. 0; -1: no process. */
int drv_run(const struct drv_config *config, const struct drv_kernel *kernel, size_t device,
	    const struct drv_play *play, size_t nr, struct drv_outcome *outcome, drv_tell *tell,
	    void *arg);

/* What the child's player tells; see player.c. */
struct drv_teller {
	void (*step)(size_t step, void *arg);
	void (*violation)(const struct ms_violation *v, void *arg);
	void *arg;
};
void drv_player_play(const struct drv_config *config, const struct drv_kernel *kernel,
		     size_t device, const struct drv_play *play, struct drv_outcome *outcome,
		     const struct drv_teller *teller);

/* ---- searching ---- */

#define DRV_MAX_LETTERS 64
#define DRV_MAX_SKIPS 16

struct drv_letters {
	struct drv_step step[DRV_MAX_LETTERS];
	size_t nr;
	bool banned[DRV_MAX_LETTERS]; /* it has ended the driver more than once */
};

/* A sequence that ends the driver's process, and is not played again. */
struct drv_skip {
	uint16_t path[DRV_MAX_STEPS];
	size_t nr;
	bool at_end; /* when all is closed after it */
};

struct drv_search {
	const struct drv_letters *letters;
	size_t device;
	struct drv_skip skip[DRV_MAX_SKIPS];
	size_t nr_skips;
	bool no_end; /* closing everything has ended the driver more than once */
	/* the bounds; afterwards what has come of it: to which depth all sequences were tried */
	uint64_t states;
	unsigned int depth;  /* steps, opening included */
	unsigned int coming; /* that is being tried */
	uint64_t operations;
	unsigned int mapped, refused; /* mmaps by their answers */
	bool whole;                   /* nothing was cut */
};

/* Those of the letters that the configuration has something for. */
void drv_letters(struct drv_letters *letters, const struct drv_config *config);
/* In the child: searches, and tells by the functions below. */
void drv_search_play(const struct drv_config *config, const struct drv_kernel *kernel,
		     struct drv_search *search);
/* A child's whole life; it tells what it plays by lines to fd. */
_Noreturn void drv_child_play(const struct drv_config *config, const struct drv_kernel *kernel,
			      size_t device, const struct drv_play *play, size_t first, size_t nr,
			      int fd);
_Noreturn void drv_child_search(const struct drv_config *config, const struct drv_kernel *kernel,
				struct drv_search *search, int fd);
/* In a child: what stands at the head of what is said from now on; *told: as below. */
void drv_child_path(const uint16_t *path, const size_t *nr, bool *told, const bool *at_end);
/* The driver was called: it does not hang. */
void drv_child_lives(void);
/* Tells a violation of a step, but not after one of the driver's (*told). */
void drv_child_violation(const struct ms_violation *v, void *arg);
/*
 * Searches in child processes: a sequence that ends one is told, and left out by the next. 0; -1:
 * no process.
 */
int drv_search(const struct drv_config *config, const struct drv_kernel *kernel,
	       struct drv_search *search, drv_tell *tell, void *arg);

/* ---- findings ---- */

struct drv_finding {
	enum drv_what what;
	enum ms_violation_class whose;
	bool hangs;
	char condition[256], driver[64], callback[24];
	bool has_place;
	struct drv_place place;
	uint64_t kernels; /* a bit each of the configuration's */
	struct drv_play play;
	size_t steps;  /* of play, until it is found */
	size_t kernel; /* the example's */
	size_t device;
	struct ms_violation example;
};

/* Frames that were looked up before: a mistake comes from the same place many times. */
struct drv_known {
	uint64_t hash;
	bool found;
	struct drv_place place;
};

struct drv_findings {
	struct drv_finding *finding;
	size_t nr;
	struct drv_known *known;
	size_t nr_known;
	uint64_t plays, steps, mapped, refused;
	uint64_t states, sequences; /* of searches */
	unsigned int depth;         /* to which each search has come, ... */
	unsigned int deepest;       /* ... and one of them */
	unsigned int hangs;         /* plays that had to be ended from outside */
};

struct drv_finding *drv_findings_add(struct drv_findings *findings, const struct drv_config *config,
				     const struct drv_play *play, size_t kernel, size_t device,
				     const struct drv_report *report);
/* The same kind as the other. */
bool drv_finding_like(const struct drv_finding *a, const struct drv_finding *b);
void drv_findings_free(struct drv_findings *findings);
bool drv_finding_counts(const struct drv_finding *finding);
/* why: what the compiler says where it does not compile. */
void drv_print(const struct drv_findings *findings, const struct drv_config *config,
	       const char *why);
void drv_print_json(const struct drv_findings *findings, const struct drv_config *config);

#endif
