/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A parsed script. The reader fills everything below; afterwards it is only read.
 *
 * "The recorder" is the program that carried the operations out on a real kernel and wrote the
 * recordings; there is one for each architecture. Playing a script does as it did.
 *
 *   text.c      numbers and words
 *   reader.c    lines and their order
 *   short.c     the short forms of scripts: 2M, @NAME
 *   header.c    header lines
 *   ops.c       operations
 *   values.c    what may stand after key= in an operation
 *   answers.c   answer lines
 *   recorder.c  lines in recordings that mean something else than they say
 *   script.c    questions about a script
 *   world.c     the machine that a header describes
 *   player*.c   operations carried out on that machine
 *   print.c     results and events as answer lines
 *   show.c      state as answer lines
 *   compare.c   ms_script_run() and ms_script_check()
 */
#ifndef MS_SCRIPT_INTERNAL_H
#define MS_SCRIPT_INTERNAL_H

#include <mapsim/drivers.h>
#include <mapsim/kvm.h>
#include <mapsim/machine.h>
#include <mapsim/script.h>

#include <assert.h>
#include <errno.h>
#include <string.h>

/* ---- text.c ---- */

/* Reads len bytes as a number, "0x1f" or "31". 0; -EINVAL: not a number; -ERANGE: over 64 bits. */
int ms_number(const char *s, size_t len, uint64_t *value);

/* A part of a line, which need not end by NUL. */
struct ms_word {
	const char *s;
	size_t len;
};
/* Arguments for "%.*s" that print a word in a message, of a long one the beginning. */
#define MS_SHOWN(word) (int)((word).len > 40 ? 40 : (word).len), (word).s
bool ms_word_is(struct ms_word word, const char *s);
/* Takes the part before the next `sep` (or all that is left) off *rest; false: nothing is left. */
bool ms_word_next(struct ms_word *rest, char sep, struct ms_word *word);
/* Splits "key=value" at the first '='; false: there is none. */
bool ms_word_split(struct ms_word word, struct ms_word *key, struct ms_word *value);

/* A name and what it stands for; tables end with a NULL name. */
struct ms_named {
	const char *name;
	uint64_t value;
};
const struct ms_named *ms_named_find(const struct ms_named *table, struct ms_word word);
/* The name of a value, NULL: none. */
const char *ms_named_of(const struct ms_named *table, uint64_t value);

/*
 * Writes the message into *err, for the line of that number (0: for no line), and answers -EINVAL.
 * err may be NULL, here and in every function below.
 */
int ms_script_fail(struct ms_script_error *err, uint64_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same of memory that cannot be had: answers -ENOMEM. */
int ms_script_no_memory(struct ms_script_error *err);
/* A constructor's answer: sets errno. */
void *ms_script_null(int err);
/* Makes *err empty. */
void ms_script_no_error(struct ms_script_error *err);

#define MS_NO_SCRIPT "there is no script"

/* ---- header.c, world.c ---- */

/* The most lines that a header can have of each kind: device, bar, ram, mtrr. */
#define MS_MAX_HEADER_ITEMS 64u

struct ms_header_device {
	char *name;
	ms_pa_t pa;
	uint64_t size;
	bool prefetchable;
	bool has_mtrr;
	int mtrr; /* as ms_device_set_mtrr() takes it */
};

/* Another BAR of a device. No operation can name it; vfio-pci claims it with the device. */
struct ms_header_bar {
	size_t device;
	unsigned int index;
	ms_pa_t pa;
	uint64_t size;
	bool assumed; /* no line of the header names it: left out where something else is there */
};

struct ms_header_ram {
	ms_pa_t pa;
	uint64_t size;
};

struct ms_header_mtrr {
	ms_pa_t pa;
	uint64_t size;
	int type; /* as ms_mtrr_add() takes it */
};

/*
 * The lines of a header, in the order in which they come. Those from DEVICE on may be missing, or
 * be there several times.
 */
enum ms_header_line {
	MS_HL_MAGIC,
	MS_HL_KERNEL,
	MS_HL_CONFIG,
	MS_HL_DEVICE,
	MS_HL_BAR,
	MS_HL_RAM,
	MS_HL_MTRR,
	MS_HL_DONE
};

struct ms_header {
	char release[24];
	enum ms_arch arch;
	struct ms_policy policy;
	char *rules; /* lines RULE=VALUE of the directives #!rule=; NULL: there are none */
	struct ms_machine_config config;
	unsigned int vm_ipa_bits; /* arm64: of a VM that is created without ipa= */
	bool svm;                 /* x86: the recorder's CPU had AMD's virtualization */
	struct ms_header_device device[MS_MAX_HEADER_ITEMS];
	size_t nr_devices;
	struct ms_header_bar bar[MS_MAX_HEADER_ITEMS];
	size_t nr_bars;
	struct ms_header_ram ram[MS_MAX_HEADER_ITEMS];
	size_t nr_ram;
	struct ms_header_mtrr mtrr[MS_MAX_HEADER_ITEMS];
	size_t nr_mtrr;
	char label[64]; /* ms_script_kernel_name() */
};

/* Which line of a header it is, by its first word; MS_HL_DONE: it is none. */
enum ms_header_line ms_header_which(const char *line);
/* Reads one header line into *header. 0, -EINVAL with *err, -ENOMEM. */
int ms_header_line(struct ms_header *header, enum ms_header_line which, const char *line,
		   uint64_t number, struct ms_script_error *err);
/* Puts the release and the architecture of `kernel`, where they are not NULL, into *header. */
int ms_header_kernel(struct ms_header *header, const struct ms_script_kernel *kernel,
		     struct ms_script_error *err);
/* The text of the header for a script that has none, to be freed. NULL: no memory. */
char *ms_header_default(enum ms_arch arch, enum ms_thp_mode thp);
/* After the last header line: finds the policy, and fills in what the lines do not say. */
int ms_header_finish(struct ms_header *header, uint64_t line, struct ms_script_error *err);
/* Fills in the pools of huge pages that the header does not say. */
void ms_header_pools(struct ms_header *header);
void ms_header_free(struct ms_header *header);
/* Makes the machine that the header describes; NULL with *err. */
struct ms_machine *ms_header_machine(const struct ms_header *header, struct ms_script_error *err);
extern const struct ms_named ms_thp_modes[];
extern const struct ms_named ms_shmem_modes[];
bool ms_arch_parse(struct ms_word word, enum ms_arch *arch);

/* ---- short.c ---- */

/*
 * Writes out an operation (without "> ") or a header line as a recording has it, with numbers in
 * place of sizes such as 2M and of @NAME, a device of the header. 0: the caller frees *written.
 * -EINVAL with *err, -ENOMEM.
 */
int ms_short_write_out(const struct ms_header *header, const char *text, uint64_t line,
		       char **written, struct ms_script_error *err);

/* ---- operations: ops.c and values.c ---- */

enum ms_op_kind {
	MS_OP_MMAP,
	MS_OP_MUNMAP,
	MS_OP_MPROTECT,
	MS_OP_MREMAP,
	MS_OP_MADVISE,
	MS_OP_MLOCK,
	MS_OP_MUNLOCK,
	MS_OP_TOUCH,
	MS_OP_SHOW_VMAS,
	MS_OP_SHOW_PTES,
	MS_OP_SHOW_PRESENT,
	MS_OP_EXIT,
	MS_OP_FORK,
	MS_OP_CLOSE,
	MS_OP_VFIO_MEMORY,
	MS_OP_REVOKE,
	MS_OP_CLAIM,
	MS_OP_RELEASE,
	MS_OP_IOREMAP,
	MS_OP_IOUNMAP,
	MS_OP_SHOW_MEMTYPES,
	MS_OP_VM_CREATE,
	MS_OP_VM_DESTROY,
	MS_OP_SLOT,
	MS_OP_GUEST,
	MS_OP_DIRTY,
	MS_OP_SHOW_S2,
	MS_OP_PREFAULT,
	MS_OP_KVM,
	MS_OP_NX_RECOVER,
	MS_OP_AGE,
	MS_OP_TEST_AGE,
	MS_OP_KINDS
};

/* Everything that can stand in an operation as key=value or as a single word. */
enum ms_op_key {
	MS_K_OFF,
	MS_K_AT,
	MS_K_LEN,
	MS_K_NEWLEN,
	MS_K_TO,
	MS_K_DONTUNMAP,
	MS_K_PROT,
	MS_K_MAP_FLAGS, /* MS_MAP_* */
	MS_K_PIECES,    /* the values are in op->pieces */
	MS_K_TYPE,      /* enum ms_cache */
	MS_K_LAZY,      /* enum ms_pieces_mode */
	MS_K_ADVICE,    /* enum ms_advice */
	MS_K_ACCESS,    /* MS_PROT_R or W */
	MS_K_ON,
	MS_K_OFF_WORD,
	MS_K_ID,
	MS_K_DIRTY, /* MS_DIRTY_* */
	MS_K_IPA,
	MS_K_SPLIT,
	MS_K_GPA,
	MS_K_SIZE,
	MS_K_HVA,
	MS_K_SLOT_FLAGS, /* MS_SLOT_* */
	MS_K_GUEST_ACCESS,
	MS_K_GET,
	MS_K_CLEAR,
	MS_K_FIRST,
	MS_K_PAGES,
	MS_K_ZAP,              /* 1: of the slot alone */
	MS_K_NX,               /* 1: the VM's huge pages may be executable */
	MS_K_NX_HUGE_PAGES,    /* enum ms_nx_huge_pages */
	MS_K_EAGER_PAGE_SPLIT, /* 0 or 1 */
	MS_OP_KEYS
};
static_assert(MS_OP_KEYS <= 32, "ms_op.has has a bit for each key");

#define MS_DIRTY_MANUAL 1u
#define MS_DIRTY_INITSET 2u

enum ms_source_kind {
	MS_SRC_ANON,
	MS_SRC_MEMFD,
	MS_SRC_HUGETLB_64K,
	MS_SRC_HUGETLB_2M,
	MS_SRC_HUGETLB_32M,
	MS_SRC_HUGETLB_1G,
	MS_SRC_DEVMEM,
	MS_SRC_DEVMEM_NOSYNC,
	MS_SRC_RESOURCE,
	MS_SRC_RESOURCE_WC,
	MS_SRC_VFIO,
	MS_SRC_DRIVER,
	MS_SRC_KINDS
};

struct ms_op {
	enum ms_op_kind kind;
	bool child;                 /* the child carries it out, not the worker */
	unsigned int at;            /* 1 + enum ms_hook_point: in the middle of the next; 0: not */
	unsigned int at_nth;        /* ... when that comes there for the nth time */
	enum ms_source_kind source; /* MS_SRC_RESOURCE also where only a device is named */
	size_t device;              /* index into the header's, of sources from RESOURCE on */
	uint32_t has;               /* a bit for each enum ms_op_key that was given */
	uint64_t value[MS_OP_KEYS]; /* 0 of keys that were not given */
	struct ms_piece *pieces;
	size_t npieces;
};

static inline bool ms_op_has(const struct ms_op *op, enum ms_op_key key)
{
	return op->has & (1u << key);
}

/* Whether an operation can be carried out in the middle of another. */
bool ms_op_can_interrupt(enum ms_op_kind kind);
/* Reads an operation (without "> ") into *op. 0, -EINVAL with *err, -ENOMEM. */
int ms_op_parse(struct ms_op *op, const char *text, const struct ms_header *header, uint64_t line,
		struct ms_script_error *err);

struct ms_op_parser {
	struct ms_op *op;
	const struct ms_header *header;
	uint64_t line;
	const char *name; /* of the operation, for messages */
	struct ms_script_error *err;
};
/* Reads the value of a key into p->op (values.c). 0, -EINVAL with p->err, -ENOMEM. */
int ms_value_parse(struct ms_op_parser *p, enum ms_op_key key, struct ms_word value);
/* Reads a source (anon, memfd, NAME, NAME_wc, vfio:NAME, driver:NAME ...) into p->op. Likewise. */
int ms_source_parse(struct ms_op_parser *p, struct ms_word word);
bool ms_cache_parse(struct ms_word word, enum ms_cache *cache);

/* ---- answers.c ---- */

/* Refuses a line (without "< ") that is no answer. first: it is the first after its operation. */
int ms_answer_check(const char *text, bool first, uint64_t line, struct ms_script_error *err);

/* ---- the whole: reader.c ---- */

enum ms_item_kind { MS_ITEM_BLANK, MS_ITEM_COMMENT, MS_ITEM_HEADER, MS_ITEM_OP, MS_ITEM_ANSWER };

struct ms_item {
	const char *text; /* the line; of an OP and an ANSWER without "> " and "< " */
	uint32_t line;
	uint32_t op; /* of an OP: its index in ops */
	enum ms_item_kind kind;
};

struct ms_script_entry {
	struct ms_op op;
	size_t item;                     /* the index of its line in items */
	size_t first_answer, nr_answers; /* which elements of answers are its own */
};

struct ms_script {
	struct ms_header header;
	char *text;  /* what was read, each '\n' replaced by NUL */
	char **made; /* texts that were not read: a header, lines that had short forms */
	size_t nr_made, made_capacity;
	struct ms_item *items;
	size_t nr_items, items_capacity;
	struct ms_script_entry *ops;
	size_t nr_ops, ops_capacity;
	size_t *answers; /* the indices of answer lines in items */
	size_t nr_answers, answers_capacity;
};

/* ---- recorder.c ---- */

/*
 * Whether an answer line is what the recorder printed when its buffer was full: the operation's
 * events from there on are missing in the recording.
 */
bool ms_recorder_lost_events(const char *answer);
/* How each comment of MS_SCRIPT_EXPLAIN begins. */
#define MS_WHY "# why: "
/* How the comment begins after which the memtypes stand that outlived the script's processes. */
#define MS_HAZARD_LINE "# hazard: "
#define MS_LEFT_BEHIND "# left behind on the memtype list"
/* How a directive begins after which RULE=VALUE stands, a rule in place of the kernel's. */
#define MS_RULE_DIRECTIVE "#!rule="
/*
 * Whether a comment tells what happened when the script was recorded or played. Such comments are
 * not printed again; those that belong to the script are.
 */
bool ms_recorder_comment(const char *comment);

#endif
