/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * policy.h - a kernel version as data: every rule in which kernels differ is a field here. The
 * rules, what their values mean, and since when which line of kernels has them stand in
 * lib/policy/rules, from which policy_rules.h is made; docs/rules.md is the same for reading.
 *
 * ms_policy_linux() hands out a constant; a user copies it, changes fields or sets a function, and
 * gives it to ms_machine_new(). Any combination of enumerators is a valid policy, also ones that no
 * kernel shipped. A policy, release or text that is NULL is refused like one that is not known.
 */
#ifndef MAPSIM_POLICY_H
#define MAPSIM_POLICY_H

#include <mapsim/policy_rules.h>
#include <mapsim/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** All that the size of a stage-2 mapping can be chosen from, at a fault. Sizes are bytes. */
struct ms_block_inputs {
	ms_ipa_t ipa;      ///< of the fault, page aligned
	unsigned int prot; ///< the access: MS_PROT_R, W or X
	uint64_t granule;  ///< of the leaf that forbade the access; 0: nothing is mapped
	/* the memslot */
	ms_ipa_t slot_gpa;
	ms_hva_t slot_hva;
	uint64_t slot_size;
	bool logging; ///< it has a dirty log
	/* the process */
	ms_hva_t hva;                ///< that ipa shows
	ms_hva_t vma_start, vma_end; ///< [start, end), as the rest of the VMA when it was sampled
	uint64_t vma_flags;          ///< MS_VM_*
	uint64_t vma_pgoff;          ///< in pages
	uint64_t vma_page_prot;      ///< ms_pgprot_t
	uint64_t host_leaf;          ///< of the host's leaf at hva; 0: nothing is present
	/* what was looked up: by the kernel at a block's first page, which decides for all */
	ms_pa_t pa; ///< of hva; where the host maps nothing there yet: if it goes on as it begins
	bool writable;
	bool device; ///< not System RAM for KVM
	/* what the kernel's rules would do */
	uint64_t size;
	const char *reason; ///< static text
};

/**
 * Answers the size of the mapping: a page or a block that the granule has (2M, 1G with 4K pages);
 * 0: as the kernel. The block is the one around in->ipa; for another size than the kernel's the
 * page that was touched is looked up where the kernel looked up another. A size that is not
 * supported, leaves the memslot, or for which guest address, host address and PA are not congruent,
 * is a violation, and the kernel's choice holds. That the host maps the whole block is not asked
 * for.
 */
typedef uint64_t ms_choose_block_fn(const struct ms_block_inputs *in, void *arg);

struct ms_policy {
	enum ms_arch arch;
	char release[24]; ///< the release from which on its line has these rules, e.g. "6.12.113"

	MS_POLICY_RULES

	/** The user's own choice of stage-2 block sizes; NULL: the kernel's. */
	ms_choose_block_fn *choose_block;
	void *choose_block_arg;
};

/**
 * The rules of an upstream release on an architecture: "6.12.107", "6.17" ("6.17.0" is the same). A
 * stable release has the rules of the mainline release that its branch left from, and what its own
 * branch took up to it. `release` of the answer is where its line last changed a rule: 6.6.20 and
 * 6.6 may be one policy, with one pointer. NULL: not an upstream
 * release, older than all, or no such architecture; ms_release_known() says in words which.
 */
const struct ms_policy *ms_policy_linux(const char *release, enum ms_arch arch);
/** The i-th set of rules, by architecture and rising release; NULL: no more. */
const struct ms_policy *ms_policy_get(size_t i);

/** How it is known that a rule has a value, from weak to strong. */
enum ms_evidence {
	MS_EVIDENCE_INFERRED,  ///< nothing but its neighbours speaks for it
	MS_EVIDENCE_CHANGELOG, ///< the release's list of commits names the change
	MS_EVIDENCE_SOURCE,    ///< read in the source
	MS_EVIDENCE_RECORDED,  ///< a recording, of this release or of another for which the same entry
			       ///< of the history holds, tells the value from another
};
/** "recorded"; never NULL. */
const char *ms_evidence_name(enum ms_evidence how);

/** What is known about a release as a whole. */
struct ms_release {
	const struct ms_policy *policy; ///< as ms_policy_linux() answers; NULL: refused
	bool recorded;                  ///< this very release was recorded on that architecture
	bool beyond;                    ///< newer than `end`: all of its rules are inferred
	char end[24];                   ///< how far its line was looked through, "6.6.119", "7.3"
	char text[240]; ///< which rules it has and how that is known, or why refused
};
struct ms_release ms_release_known(const char *release, enum ms_arch arch);
/** The i-th recorded release of an architecture, rising; NULL: no more. */
const char *ms_release_recorded(size_t i, enum ms_arch arch);

/** Since when a release's line has its value of a rule, and how that is known. Static texts. */
struct ms_policy_cell {
	const char *since;    ///< NULL: refused release, or a rule without a meaning on `arch`
	enum ms_evidence how; ///< INFERRED of a release `beyond`, whatever the evidence says
	const char *evidence; ///< "recorded arm64/6.12.117/dev-small; changelog ..."
};
struct ms_policy_cell ms_policy_cell(const char *release, enum ms_arch arch, size_t field);

/** Rules as text, for printing and for setting by name; `field` is 0 .. nr_fields-1. */
size_t ms_policy_nr_fields(void);
const char *ms_policy_field_name(size_t field);      ///< "s2_pfnmap_block", NULL: no such field
const char *ms_policy_field_doc(size_t field);       ///< what it decides, NULL: no such field
const char *ms_policy_field_functions(size_t field); ///< the kernel's, NULL: no such field
/** What it belongs to, "KVM: memslots, ..."; the rules of a subject follow each other. NULL: no such
 * field. */
const char *ms_policy_field_subject(size_t field);
/** Does the rule mean anything on an architecture? */
bool ms_policy_field_applies(size_t field, enum ms_arch arch);
int ms_policy_field(const struct ms_policy *p, size_t field); ///< the value's number, -1: no field
/** "FROM_VM_PGOFF", NULL: no such value. A field's values are 0, 1, ... up to the first NULL. */
const char *ms_policy_value_name(size_t field, int value);
const char *ms_policy_value_doc(size_t field, int value); ///< what it means, NULL: no such value
/** Why no kernel has the value ("proposed, never merged"); NULL: some have it, or no such value. */
const char *ms_policy_value_never(size_t field, int value);
/** Sets a field by the names above; -EINVAL: no such field or value, and nothing is changed. */
int ms_policy_set(struct ms_policy *p, const char *field, const char *value);
/** The same from "RULE=VALUE". -ENOENT: no such rule, -EINVAL: no such value, or no '='. */
int ms_policy_set_text(struct ms_policy *p, const char *setting);
/**
 * The same from lines "RULE=VALUE", each ended by '\n' or the text's end; blanks around it, empty
 * lines and what follows a '#' are passed over. A line "arch=arm64" or "arch=x86_64" is -EXDEV for
 * rules of the other architecture. All lines or none: on an error nothing is changed and *line (may
 * be NULL) is the first that is wrong, 1 the first of all.
 */
int ms_policy_set_lines(struct ms_policy *p, const char *text, uint64_t *line);

#ifdef __cplusplus
}
#endif
#endif
