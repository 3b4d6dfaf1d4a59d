/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong in a state. */
#include "explore/internal.h"

#include <mapsim/check.h>
#include <mapsim/hazard.h>
#include <mapsim/machine.h>

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

/* The first process of a machine is the one that a script begins with. */
static const char *whose(const struct ms_hazard *h)
{
	return h->vm ? "guest, " : h->mm > 1 ? "child, " : h->mm ? "process, " : "";
}

/* "guest-beyond-vma: mapped where the process has no VMA (device, guest, kernel, RULE=VALUE)" */
static void tell_hazard(const struct ms_hazard *h, void *arg)
{
	const struct judging *j = arg;
	char text[120], signature[MS_SIGNATURE];

	without_numbers(h->text ? h->text : "", text, sizeof(text));
	snprintf(signature, sizeof(signature), "%s: %s (%s%s%s%s%s%s%s)", ms_hazard_name(h->kind),
		 text, h->device ? "device, " : "", whose(h), ms_blame_name(h->blame),
		 h->rule ? ", " : "", h->rule ? h->rule : "", h->rule && h->value ? "=" : "",
		 h->rule && h->value ? h->value : "");
	if (h->kind == MS_HAZARD_CRASH)
		j->judged->crashed = true;
	tell(j, signature);
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

void ms_judge_events(struct ms_position *pos, const struct ms_world *world, const char *answer,
		     struct ms_judged *judged)
{
	struct judging j = { world, judged };

	judged->nr = 0;
	judged->dead = judged->crashed = false;
	ms_hazards_of_events(ms_player_machine(pos->player), tell_hazard, &j);
	judge_answer(&j, answer);
}

int ms_judge_state(struct ms_position *pos, const struct ms_world *world, struct ms_judged *judged)
{
	struct judging j = { world, judged };

	if (ms_player_hazards(pos->player, tell_hazard, &j) == SIZE_MAX)
		return -ENOMEM;
	judge_model(&j, ms_player_machine(pos->player));
	judge_user(&j, pos);
	// what is left in the end; what stood before is not told again
	if (!ms_player_end(pos->player) ||
	    ms_player_hazards(pos->player, tell_hazard, &j) == SIZE_MAX)
		return -ENOMEM;
	return 0;
}

int ms_judge(struct ms_position *pos, const struct ms_world *world, const char *answer,
	     struct ms_judged *judged)
{
	ms_judge_events(pos, world, answer, judged);
	return ms_judge_state(pos, world, judged);
}
