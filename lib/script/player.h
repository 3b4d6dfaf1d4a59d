/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What plays a script: a machine, and on it what the recorder had on a real kernel. These are a
 * worker process and maybe its forked child, the files that they have open, a VM, and ioremaps that
 * a kernel module held for the recorder.
 */
#ifndef MS_SCRIPT_PLAYER_H
#define MS_SCRIPT_PLAYER_H

#include "script/internal.h"

#include <mapsim/pat.h>

#define MS_IOREMAP_SLOTS 8u

/* How the operation at hand ended, for ms_player_reason(). */
struct ms_player_last {
	uint64_t refusals; /* of the machine before it */
	bool refused;
	int err;         /* its answer; 0: a word, or the recorder's own for the same thing */
	const char *why; /* it was not the machine that refused; else NULL */
};

#define MS_PLAYER_MAX_AT 8u
/* An operation that waits for the next one to come to a hook point for the nth time. */
struct ms_player_at {
	const struct ms_op *op;
	enum ms_hook_point point;
	unsigned int nth;
	bool reached;
	char *answer; /* while the next one is carried out; NULL: no memory, or not reached */
};

struct ms_player {
	const struct ms_script *script;
	const struct ms_header *header;
	struct ms_machine *m;
	uint64_t page_size;                            /* of the machine, in bytes */
	struct ms_device *device[MS_MAX_HEADER_ITEMS]; /* those of the header, in its order */
	struct ms_mm *worker, *child;                  /* NULL: not there yet, or gone */
	struct ms_vm *vm;                              /* the worker's */
	/* The VM whose files the child inherited: `vm`, or one that the worker destroyed since. */
	struct ms_vm *child_vm;
	struct ms_file *file[MS_SRC_RESOURCE]; /* by source, the worker's; NULL: not open */
	/* Of memory files: those that the child made for itself, and which of the worker's were
	 * open at the fork, so that the child has them, too. */
	struct ms_file *child_file[MS_SRC_RESOURCE];
	bool inherited[MS_SRC_RESOURCE];
	struct ms_file *vfio[MS_MAX_HEADER_ITEMS];
	struct ms_file *driver[MS_MAX_HEADER_ITEMS];   /* driver:NAME, one for each device */
	unsigned int vfio_opened[MS_MAX_HEADER_ITEMS]; /* a number that rises with each opening */
	unsigned int nr_vfio_opened;
	struct {
		ms_pa_t pa;
		uint64_t size; /* 0: the slot is empty */
	} ioremap[MS_IOREMAP_SLOTS];
	/* The access of a guest that the operation at hand was; vm NULL: it was none. */
	struct {
		struct ms_vm *vm;
		ms_ipa_t gpa;
		unsigned int prot;
		struct ms_guest_access access;
	} guest;
	bool ended; /* ms_player_end() was called */
	/* Memory types as they were when hazards were asked for (judge.c). */
	struct ms_mapped_type *types;
	size_t nr_types;
	struct ms_player_last last;
	struct ms_player_at at[MS_PLAYER_MAX_AT];
	unsigned int nr_at;
	bool watch;   /* hook points are counted also when nothing waits for them */
	bool in_hook; /* an operation is carried out in the middle of another */
	unsigned int came[MS_HOOK_POINTS]; /* how often the last operation came to each */
	FILE *out;    /* where the answers are written to; NULL: there was none yet */
	char *answer; /* that to the operation at hand, once it is whole */
	size_t answer_size;
};

/*
 * Carries out an operation and writes the first line of its answer, and what belongs to it alone.
 * mm: of the process that does it; NULL only where the operation needs no process.
 */
typedef void ms_op_fn(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm);

static inline bool ms_player_is_x86(const struct ms_player *p)
{
	return p->header->arch == MS_ARCH_X86_64;
}

/* print.c: the first line of every answer, and the events after it. err: 0 or a negative errno. */
void ms_print_ret(struct ms_player *p, int err);
void ms_print_ret_word(struct ms_player *p, const char *word);
/* As ms_print_ret() for what the recorder, and not the kernel, refuses. */
void ms_print_ret_own(struct ms_player *p, int err, const char *why);
/* A file could not be opened: the recorder's open answers err, whatever the machine's has answered.
 */
void ms_print_ret_no_file(struct ms_player *p, int err);
void ms_print_ret_address(struct ms_player *p, int64_t ret, ms_hva_t wanted);
void ms_print_events(struct ms_player *p, const struct ms_op *op);
/* Whether the recorder prints this physical address as "ram". */
bool ms_player_is_ram(const struct ms_player *p, ms_pa_t pa);

/* player.c: carries an operation out; mm: the process that does it, NULL: it is gone. */
void ms_player_carry_out(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm);
/* player_at.c: an operation that waits; before and after one that may be interrupted. */
void ms_player_play_at(struct ms_player *p, const struct ms_op *op);
void ms_player_begin_at(struct ms_player *p);
void ms_player_end_at(struct ms_player *p);

/* player_mm.c */
ms_op_fn ms_play_mmap, ms_play_munmap, ms_play_mprotect, ms_play_mremap, ms_play_madvise,
	ms_play_mlock, ms_play_munlock, ms_play_touch, ms_play_fork, ms_play_exit;
/* player_dev.c */
ms_op_fn ms_play_close, ms_play_vfio_memory, ms_play_revoke, ms_play_claim, ms_play_release,
	ms_play_ioremap, ms_play_iounmap;
/* The file of an operation's source, which is opened if it is not yet. NULL with *err. */
struct ms_file *ms_player_open(struct ms_player *p, const struct ms_op *op, int *err);
void ms_player_close_all(struct ms_player *p);
void ms_player_inherit(struct ms_player *p);           /* at fork */
void ms_player_close_child_files(struct ms_player *p); /* at the child's exit */
void ms_player_drop_ioremaps(struct ms_player *p);
/* player_kvm.c */
void ms_player_close_vm(struct ms_player *p);       /* the worker's files of its VM */
void ms_player_close_child_vm(struct ms_player *p); /* the child's */
ms_op_fn ms_play_vm_create, ms_play_vm_destroy, ms_play_slot, ms_play_guest, ms_play_dirty,
	ms_play_prefault, ms_play_kvm, ms_play_nx_recover, ms_play_age, ms_play_test_age;
/* judge.c: prints, after `before` each, the hazards that were not there when the list was filled
 * last, and fills it anew. -ENOMEM. */
struct ms_hazard_list {
	struct ms_hazard *v;
	size_t n, max;
};
int ms_player_print_hazards(struct ms_player *p, struct ms_hazard_list *before, FILE *out);
/* show.c */
ms_op_fn ms_play_show_vmas, ms_play_show_ptes, ms_play_show_present, ms_play_show_memtypes,
	ms_play_show_s2;
/* Writes a line for each memtype that touches a device; each begins with `before`. */
void ms_print_memtypes(struct ms_player *p, const char *before);

static inline uint64_t ms_lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The end of [at, at + len); where that wraps, the last address. */
static inline uint64_t ms_range_end(uint64_t at, uint64_t len)
{
	return len > UINT64_MAX - at ? UINT64_MAX : at + len;
}

/*
 * The recorder's own code in the guest, in a slot of its own: the vCPU runs there between the
 * accesses of a script. It is one page on arm64, and four on x86, where the guest's descriptor
 * tables and page tables are with it. Answers do not show them.
 */
#define MS_GUEST_CODE_START UINT64_C(0xffffe00000)
#define MS_GUEST_CODE_END UINT64_C(0x10000000000)
#define MS_GUEST_CODE_SLOT 400u
#define MS_GUEST_CODE_HVA UINT64_C(0x700000000000)
static inline uint64_t ms_guest_code_size(const struct ms_player *p)
{
	return ms_player_is_x86(p) ? 4 * p->page_size : p->page_size;
}
/* Where scripts map. Answers do not show zaps elsewhere, which are of the recorder's own memory. */
#define MS_SCRIPT_VA_START UINT64_C(0x100000000000)
#define MS_SCRIPT_VA_END UINT64_C(0x600000000000)

#endif
