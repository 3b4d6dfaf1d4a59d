/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong in a state. */
#include "explore/internal.h"

#include <mapsim/check.h>
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

static void tell(const struct judging *j, const char *kind, const char *what)
{
	struct ms_judged *to = j->judged;
	char text[MS_SIGNATURE], *at = to->signature[to->nr < MS_MAX_JUDGED ? to->nr : 0];

	if (to->nr == MS_MAX_JUDGED)
		return;
	without_numbers(what, text, sizeof(text));
	snprintf(at, MS_SIGNATURE, "%s%s%.150s", kind, *text ? ": " : "", text);
	if (matches(&j->world->ignore, at))
		return;
	if (!matches(&j->world->go_on, at))
		to->dead = true;
	for (unsigned int i = 0; i < to->nr; i++) {
		if (!strcmp(to->signature[i], at))
			return;
	}
	to->nr++;
}

static void judge_events(const struct judging *j, const struct ms_machine *m)
{
	const struct ms_event *ev;

	for (size_t i = 0; (ev = ms_violation_get(m, i)); i++)
		tell(j, "violation", ev->reason ? ev->reason : "");
}

static void judge_answer(const struct judging *j, const char *answer)
{
	if (!strncmp(answer, "ret RETRY", 9))
		tell(j, "endless fault", "");
}

/* The model's own state is broken: mapsim is wrong, whatever the kernel does. */
static void judge_model(const struct judging *j, const struct ms_machine *m)
{
	char lines[1024] = "";

	if (!ms_machine_check(m, NULL))
		return;
	FILE *out = fmemopen(lines, sizeof(lines), "w");
	if (out) {
		ms_machine_check(m, out);
		fclose(out);
	}
	lines[strcspn(lines, "\n")] = '\0';
	tell(j, "the model is broken", lines);
}

static void judge_user(const struct judging *j, struct ms_position *pos)
{
	const struct ms_explore_user *user = pos->letters->user;
	char text[MS_SIGNATURE] = "";

	if (user && user->judge &&
	    user->judge(pos->player, pos->own, text, sizeof(text), user->arg))
		tell(j, "judged", text);
}

int ms_judge(struct ms_position *pos, const struct ms_world *world, const char *answer,
	     struct ms_judged *judged)
{
	const struct judging j = { world, judged };
	struct ms_machine *m = ms_player_machine(pos->player);

	judged->nr = 0;
	judged->dead = false;
	judge_events(&j, m);
	judge_answer(&j, answer);
	judge_model(&j, m);
	judge_user(&j, pos);
	if (!ms_player_end(pos->player))
		return -ENOMEM;
	judge_events(&j, m);
	return 0;
}
