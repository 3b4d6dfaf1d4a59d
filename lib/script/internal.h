/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A parsed script. Everything below is filled by the reader and only read afterwards.
 *
 *   text.c    numbers, words                              values.c   what may stand after key=
 *   reader.c  lines, their order                        header.c   the header
 *   world.c   the machine that a header asks for        ops.c      operations
 *   answers.c which answers exist
 *   player*.c show.c  operations on the model           print.c    events and state as answer lines
 *   compare.c run and check                             script.c   what a script is asked for
 *   recorder.c what the kernels' recorders could not print
 */
#ifndef MS_SCRIPT_INTERNAL_H
#define MS_SCRIPT_INTERNAL_H

#include "machine/print.h"

#include <mapsim/drivers.h>
#include <mapsim/kvm.h>
#include <mapsim/script.h>

/* ---- text.c ---- */

/* A number as the format writes it, "0x1f" or "31", of exactly len bytes. -EINVAL, -ERANGE. */
int ms_number(const char *s, size_t len, uint64_t *value);

/* Part of a line. */
struct ms_word {
	const char *s;
	size_t len;
};
/* Arguments for "%.*s": as much of a refused word as a message shows. */
#define MS_SHOWN(word) (int)((word).len > 40 ? 40 : (word).len), (word).s
bool ms_word_is(struct ms_word word, const char *s);
/* Takes the part up to the next `sep` off *rest; false: nothing is left. */
bool ms_word_next(struct ms_word *rest, char sep, struct ms_word *word);
/* Splits "key=value"; false: there is no '='. */
bool ms_word_split(struct ms_word word, struct ms_word *key, struct ms_word *value);

/* A name and what it stands for; tables end with a NULL name. */
struct ms_named {
	const char *name;
	uint64_t value;
};
const struct ms_named *ms_named_find(const struct ms_named *table, struct ms_word word);
/* The name of a value, NULL: none. */
const char *ms_named_of(const struct ms_named *table, uint64_t value);

/* Fills *err for `line` and answers -EINVAL. err may be NULL, here and below. */
int ms_script_fail(struct ms_script_error *err, uint64_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Empties *err. */
void ms_script_no_error(struct ms_script_error *err);

#define MS_NO_SCRIPT "there is no script"

/* ---- header.c, world.c ---- */

#define MS_MAX_HEADER_ITEMS 64u /* devices, other BARs, ranges of RAM and of the MTRRs, each */

struct ms_header_device {
	char *name;
	ms_pa_t pa;
	uint64_t size;
	bool prefetchable;
	bool has_mtrr;
	int mtrr; /* as ms_device_set_mtrr() takes it */
};

/* Another BAR of a device: nothing but vfio-pci knows it. */
struct ms_header_bar {
	size_t device;
	unsigned int index;
	ms_pa_t pa;
	uint64_t size;
	bool assumed; /* no line says so: only if there is room for it */
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

/* Lines of a header come in this order; from DEVICE on they may repeat, and none must be there. */
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
	char *rules; /* of directives: lines RULE=VALUE in place of the kernel's; NULL: none */
	struct ms_machine_config config;
	unsigned int vm_ipa_bits; /* of a VM that does not say */
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

/* A line that is neither comment, operation nor answer: which one it is, MS_HL_DONE: none. */
enum ms_header_line ms_header_which(const char *line);
/* Reads one header line into *header. 0, -EINVAL with *err, -ENOMEM. */
int ms_header_line(struct ms_header *header, enum ms_header_line which, const char *line,
		   uint64_t number, struct ms_script_error *err);
/* The kernel of *header becomes `kernel`, where that says something. */
int ms_header_kernel(struct ms_header *header, const struct ms_script_kernel *kernel,
		     struct ms_script_error *err);
/* The header of a script that has none: lines ended by '\n' each, to be freed. NULL: no memory. */
char *ms_header_default(enum ms_arch arch, enum ms_thp_mode thp);
/* After the last line: the policy, the label. line: for messages. */
int ms_header_finish(struct ms_header *header, uint64_t line, struct ms_script_error *err);
/* The pools of huge pages that the header does not say. */
void ms_header_pools(struct ms_header *header);
void ms_header_free(struct ms_header *header);
/* A machine as the header says; NULL with *err. */
struct ms_machine *ms_header_machine(const struct ms_header *header, struct ms_script_error *err);
extern const struct ms_named ms_thp_modes[];
extern const struct ms_named ms_shmem_modes[];
bool ms_arch_parse(struct ms_word word, enum ms_arch *arch);
const char *ms_arch_name(enum ms_arch arch);

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
	MS_OP_KINDS
};

/* Everything that can stand in an operation as key=value or as a word of its own. */
enum ms_op_key {
	MS_K_OFF,
	MS_K_AT,
	MS_K_LEN,
	MS_K_NEWLEN,
	MS_K_TO,
	MS_K_DONTUNMAP,
	MS_K_PROT,
	MS_K_MAP_FLAGS, /* MS_MAP_* */
	MS_K_PIECES,    /* op->pieces */
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
	MS_OP_KEYS
};

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
	bool child;                 /* the child executes it */
	enum ms_source_kind source; /* RESOURCE also for a plain device name */
	size_t device;              /* index in the header, of sources from RESOURCE on */
	uint32_t has;               /* bit of each enum ms_op_key that was given */
	uint64_t value[MS_OP_KEYS];
	struct ms_piece *pieces;
	size_t npieces;
};

static inline bool ms_op_has(const struct ms_op *op, enum ms_op_key key)
{
	return op->has & (1u << key);
}

/* Parses an operation (without "> "). 0, -EINVAL with *err, -ENOMEM. */
int ms_op_parse(struct ms_op *op, const char *text, const struct ms_header *header, uint64_t line,
		struct ms_script_error *err);

struct ms_op_parser {
	struct ms_op *op;
	const struct ms_header *header;
	uint64_t line;
	const char *name; /* of the operation, for messages */
	struct ms_script_error *err;
};
/* The value of a key that has one; values.c. */
int ms_value_parse(struct ms_op_parser *p, enum ms_op_key key, struct ms_word value);
/* anon, memfd, NAME, NAME_wc, vfio:NAME, driver:NAME ... */
int ms_source_parse(struct ms_op_parser *p, struct ms_word word);
bool ms_cache_parse(struct ms_word word, enum ms_cache *cache);

/* ---- answers.c ---- */

/* Whether a line (without "< ") is an answer of the format. first: it comes first. */
int ms_answer_check(const char *text, bool first, uint64_t line, struct ms_script_error *err);

/* ---- the whole: reader.c ---- */

enum ms_item_kind { MS_ITEM_BLANK, MS_ITEM_COMMENT, MS_ITEM_HEADER, MS_ITEM_OP, MS_ITEM_ANSWER };

struct ms_item {
	const char *text; /* the line; of an OP, and of an ANSWER, without its first two bytes */
	uint32_t line;
	uint32_t op; /* OP: index into ops */
	enum ms_item_kind kind;
};

struct ms_script_entry {
	struct ms_op op;
	size_t item;                     /* of its text */
	size_t first_answer, nr_answers; /* into answers */
};

struct ms_script {
	struct ms_header header;
	char *text;  /* what was read, lines ended by NUL */
	char **made; /* texts that were made: a header, operations with numbers for @NAME */
	size_t nr_made, made_capacity;
	struct ms_item *items;
	size_t nr_items, items_capacity;
	struct ms_script_entry *ops;
	size_t nr_ops, ops_capacity;
	size_t *answers; /* indices of items */
	size_t nr_answers, answers_capacity;
	bool has_header;
};

/* ---- recorder.c ---- */

/*
 * Whether an answer line says that the recorder's buffer was full: the events of the operation from
 * there on are not known.
 */
bool ms_recorder_lost_events(const char *answer);
/* Before each comment of MS_SCRIPT_EXPLAIN. */
#define MS_WHY "# why: "
/* The comment before the memtypes that outlive everybody. */
#define MS_LEFT_BEHIND "# left behind on the memtype list"
/* Before a directive RULE=VALUE: the rule has this value in place of the kernel's. */
#define MS_RULE_DIRECTIVE "#!rule="
/* Whether a comment is the recorder's, about what happened, and not the script's. */
bool ms_recorder_comment(const char *comment);

#endif
