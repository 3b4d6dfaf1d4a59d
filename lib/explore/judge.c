/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong in a state. */
#include "explore/internal.h"

#include <mapsim/check.h>
#include <mapsim/drivers.h>
#include <mapsim/machine.h>
#include <mapsim/mm.h>
#include <mapsim/pat.h>
#include <mapsim/pfnmap.h>
#include <mapsim/phys.h>

#include <ctype.h>
#include <string.h>

/* Writes the text with N for each number, so that a finding at another address is the same. */
static void without_numbers(const char *text, char *to, size_t size)
{
	size_t n = 0;

	while (*text && n + 1 < size) {
		bool word = n && (isalnum((unsigned char)to[n - 1]) || to[n - 1] == '_');

		if (!word && !strncmp(text, "0x", 2)) {
			to[n++] = 'N';
			text += 2;
			while (isxdigit((unsigned char)*text))
				text++;
		} else {
			to[n++] = *text++;
		}
	}
	to[n] = '\0';
}

static bool matches(const struct ms_texts *patterns, const char *signature)
{
	for (size_t i = 0; i < patterns->nr; i++) {
		if (strstr(signature, patterns->text[i]))
			return true;
	}
	return false;
}

struct judging {
	const struct ms_world *world;
	struct ms_player *player;
	bool claims; /* claims are drivers', not of vfio-pci, which claims what it maps */
	struct ms_judged *judged;
};

static void tell(const struct judging *j, const char *signature)
{
	struct ms_judged *to = j->judged;

	if (to->nr == MS_MAX_JUDGED || matches(&j->world->ignore, signature))
		return;
	if (!matches(&j->world->go_on, signature))
		to->dead = true;
	for (unsigned int i = 0; i < to->nr; i++) {
		if (!strcmp(to->signature[i], signature))
			return;
	}
	snprintf(to->signature[to->nr++], MS_SIGNATURE, "%s", signature);
}

/* What is told of an event, with its text. */
static void tell_text(const struct judging *j, const char *kind, const char *what)
{
	char text[150], signature[MS_SIGNATURE];

	without_numbers(what ? what : "", text, sizeof(text));
	snprintf(signature, sizeof(signature), "%s: %s", kind, text);
	tell(j, signature);
}

static void judge_events(const struct judging *j, const struct ms_machine *m)
{
	const struct ms_event *ev;

	for (size_t i = 0; (ev = ms_violation_get(m, i)); i++) {
		if (ev->reason && !strncmp(ev->reason, "kernel crash", 12))
			j->judged->crashed = true;
		tell_text(j, "violation", ev->reason);
	}
	for (size_t i = 0; (ev = ms_trace_get(m, i)); i++) {
		if (ev->type == MS_EV_PAT_HAZARD)
			tell_text(j, "memory type", ev->reason);
	}
}

/* ---- what stands ---- */

static const char *whose(const struct ms_machine *m, const struct ms_mm *mm)
{
	return mm == ms_mm_next(m, NULL) ? "process" : "child";
}

/* One leaf, VMA by VMA: what of it has none, and what is claimed. */
static void judge_leaf(const struct judging *j, struct ms_mm *mm, const struct ms_host_leaf *l,
		       bool claims)
{
	struct ms_machine *m = ms_player_machine(j->player);
	const uint64_t page = ms_machine_config(m)->page_size;
	const ms_pa_t pa = l->entry & MS_PTE_PA_MASK;
	const bool ram = ms_pfn_is_ram(m, pa / page);
	ms_hva_t at = l->start;

	while (at - l->start < l->size) {
		const struct ms_vma *v = ms_vma_lookup(mm, at);

		if (!v) {
			tell_text(j, whose(m, mm), "an entry reaches where there is no VMA");
			break;
		}
		if ((l->entry & MS_PTE_WRITE) && !(v->vm_flags & MS_VM_WRITE))
			tell_text(j, whose(m, mm), "an entry is writable, and its VMA is not");
		at = v->vm_end;
	}
	if (claims && !ram && ms_iomem_is_exclusive(m, pa))
		tell_text(j, whose(m, mm), "device memory is mapped that a driver has claimed");
}

static void judge_processes(const struct judging *j)
{
	const struct ms_machine *m = ms_player_machine(j->player);
	struct ms_host_leaf l;

	for (struct ms_mm *mm = NULL; (mm = ms_mm_next(m, mm));) {
		for (ms_hva_t at = 0; ms_host_next_leaf(mm, at, UINT64_MAX, &l);
		     at = l.start + l.size)
			judge_leaf(j, mm, &l, j->claims);
	}
}

/*
 * arm64: device memory that a guest may execute is mapped to it as cacheable memory, which its
 * process has as device memory or not at all.
 */
static void judge_guest(const struct judging *j, struct ms_position *pos)
{
	const char *line = ms_script_arch(pos->letters->script) == MS_ARCH_ARM64
				   ? ms_position_look(pos, MS_LOOK_S2)
				   : NULL;

	for (; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *prot = strstr(line, " prot=");

		if (strncmp(line, "s2 ", 3) || !prot || !strstr(line, " pa=0x"))
			continue;
		if (strstr(line, " pa=0x") > prot)
			continue;
		if (memchr(prot + 6, 'x', strcspn(prot + 6, ", \n")))
			tell_text(j, "guest", "device memory is executable, and so cacheable");
	}
}

static void judge_types(const struct judging *j)
{
	struct ms_machine *m = ms_player_machine(j->player);

	if (ms_memtype_leaks(m, NULL, NULL))
		tell_text(j, "memory type", "a reservation that nobody will give back");
	if (ms_memtype_aliases(m, NULL, NULL) > 0)
		tell_text(j, "memory type", "a page is mapped with two at once");
}

/* The recorder's accesses of the CPU say themselves that they never end. */
static void judge_answer(const struct judging *j, const char *answer)
{
	if (!strncmp(answer, "ret RETRY", 9) && !j->judged->nr)
		tell(j, "endless: the same fault is handled for ever");
}

/* The model's own state is broken: mapsim is wrong, whatever the kernel does. */
static void judge_model(const struct judging *j, const struct ms_machine *m)
{
	char lines[1024] = "", text[120], signature[MS_SIGNATURE];

	if (!ms_machine_check(m, NULL))
		return;
	FILE *out = fmemopen(lines, sizeof(lines), "w");
	if (out) {
		ms_machine_check(m, out);
		fclose(out);
	}
	lines[strcspn(lines, "\n")] = '\0';
	without_numbers(lines, text, sizeof(text));
	snprintf(signature, sizeof(signature), "the model is broken: %s", text);
	tell(j, signature);
}

static void judge_user(const struct judging *j, struct ms_position *pos)
{
	const struct ms_explore_user *user = pos->letters->user;
	char text[120] = "", signature[MS_SIGNATURE];

	if (!user || !user->judge ||
	    !user->judge(pos->player, pos->own, text, sizeof(text), user->arg))
		return;
	text[strcspn(text, "\n")] = '\0';
	snprintf(signature, sizeof(signature), "judged: %s", text);
	tell(j, signature);
}

static struct judging judging(struct ms_position *pos, const struct ms_world *world,
			      struct ms_judged *judged)
{
	return (struct judging){
		.world = world,
		.player = pos->player,
		.claims = !world->has_vfio,
		.judged = judged,
	};
}

void ms_judge_events(struct ms_position *pos, const struct ms_world *world, const char *answer,
		     struct ms_judged *judged)
{
	const struct judging j = judging(pos, world, judged);

	judged->nr = 0;
	judged->dead = judged->crashed = false;
	judge_events(&j, ms_player_machine(pos->player));
	judge_answer(&j, answer);
}

int ms_judge_state(struct ms_position *pos, const struct ms_world *world, struct ms_judged *judged)
{
	const struct judging j = judging(pos, world, judged);
	struct ms_machine *m = ms_player_machine(pos->player);

	judge_processes(&j);
	judge_types(&j);
	judge_model(&j, m);
	judge_guest(&j, pos);
	judge_user(&j, pos);
	// what is left in the end; what stood before is not told again
	if (!ms_player_end(pos->player))
		return -ENOMEM;
	judge_events(&j, m);
	judge_types(&j);
	return 0;
}

int ms_judge(struct ms_position *pos, const struct ms_world *world, const char *answer,
	     struct ms_judged *judged)
{
	ms_judge_events(pos, world, answer, judged);
	return ms_judge_state(pos, world, judged);
}
