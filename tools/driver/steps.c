/* SPDX-License-Identifier: GPL-2.0-only */
/* The steps of plays: words that are read, played (player.c) and printed by one table. */
#include "player.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const struct drv_op drv_ops[] = {
	{ "open", drv_op_open, "[read|write] [sync]", "opens the device" },
	{ "map", drv_op_map, "[shared|private] [r|w|rw|rx|none] [PAGES] [at PAGE|at end-N]",
	  "maps it; end: of the first --device" },
	{ "read", drv_op_read, "[first|middle|last|all]", "reads pages of the newest mapping" },
	{ "write", drv_op_write, "[first|middle|last|all]", "writes to them" },
	{ "unmap", drv_op_unmap, "[first|middle|last|all]", "munmap" },
	{ "protect", drv_op_protect, "r|w|rw|none [first|middle|last|all]", "mprotect" },
	{ "grow", drv_op_grow, "", "mremap to twice the length" },
	{ "shrink", drv_op_shrink, "", "mremap to half the length" },
	{ "move", drv_op_move, "[keep]", "mremap to another address; keep: MREMAP_DONTUNMAP" },
	{ "zap", drv_op_zap, "", "madvise(MADV_DONTNEED)" },
	{ "pin", drv_op_pin, "[write]", "get_user_pages of all pages" },
	{ "fork", drv_op_fork, "", "forks a child, which has the mappings, too" },
	{ "exit", drv_op_exit, "", "ends the process" },
	{ "close", drv_op_close, "", "closes the file that was opened last" },
	{ "ioctl", drv_op_ioctl, "NUMBER [ARG]", "calls the driver's ioctl" },
	{ "revoke", drv_op_revoke, "", "the ioctl of --revoke; then the devices' memory is off" },
	{ "unbind", drv_op_unbind, "", "the device on a bus goes; then its memory is off" },
	{ "guest", drv_op_guest, "[readonly]", "gives the newest mapping to a guest as a memslot" },
	{ "guest-read", drv_op_guest_read, "[first|middle|last|all]", "the guest reads it" },
	{ "guest-write", drv_op_guest_write, "[first|middle|last|all]", "the guest writes to it" },
};

static const struct drv_op *find_op(const char *name)
{
	for (size_t i = 0; i < sizeof(drv_ops) / sizeof(drv_ops[0]); i++)
		if (!strcmp(drv_ops[i].name, name))
			return &drv_ops[i];
	return NULL;
}

/* Is the word among those of a synopsis? Words in capitals stand for numbers. */
static bool is_word_of(const char *synopsis, const char *word)
{
	const size_t len = strlen(word);

	for (const char *at = synopsis; (at = strstr(at, word)); at += len)
		if ((at == synopsis || strchr("[| ", at[-1])) &&
		    (!at[len] || strchr("]| ", at[len])))
			return true;
	if (!strncmp(word, "end-", 4))
		return strstr(synopsis, "end-N") && isdigit((unsigned char)word[4]);
	if (isdigit((unsigned char)*word)) {
		char *end;

		strtoull(word, &end, 0);
		return !*end && (strstr(synopsis, "PAGE") || strstr(synopsis, "NUMBER"));
	}
	return false;
}

static int parse_step(struct drv_step *step, char *text, char *wrong, size_t size)
{
	char *save = NULL, *word = strtok_r(text, " \t\n", &save);

	*step = (struct drv_step){ 0 };
	if (word && !strcmp(word, "child:")) {
		step->child = true;
		word = strtok_r(NULL, " \t\n", &save);
	}
	step->op = word ? find_op(word) : NULL;
	if (!step->op) {
		snprintf(wrong, size, word ? "no step \"%.40s\"" : "an empty step", word);
		return -1;
	}
	while ((word = strtok_r(NULL, " \t\n", &save))) {
		if (step->nr_args == DRV_MAX_ARGS || strlen(word) >= sizeof(step->arg[0]) ||
		    !is_word_of(step->op->synopsis, word)) {
			snprintf(wrong, size, "%s %s: \"%.40s\" is none of it", step->op->name,
				 step->op->synopsis, word);
			return -1;
		}
		strcpy(step->arg[step->nr_args++], word);
	}
	return 0;
}

int drv_play_parse(struct drv_play *play, const char *text, char *wrong, size_t size)
{
	char *copy = strdup(text), *save = NULL;
	int ret = copy ? 0 : -1;

	*play = (struct drv_play){ 0 };
	for (char *part = copy ? strtok_r(copy, ";", &save) : NULL; part && !ret;
	     part = strtok_r(NULL, ";", &save)) {
		if (play->nr == DRV_MAX_STEPS) {
			snprintf(wrong, size, "more than %d steps", DRV_MAX_STEPS);
			ret = -1;
		} else {
			ret = parse_step(&play->step[play->nr++], part, wrong, size);
		}
	}
	free(copy);
	return ret;
}

void drv_play_print(const struct drv_play *play, size_t nr, FILE *out)
{
	for (size_t i = 0; i < nr && i < play->nr; i++) {
		const struct drv_step *step = &play->step[i];

		fprintf(out, "%s%s%s", i ? "; " : "", step->child ? "child: " : "", step->op->name);
		for (size_t j = 0; j < step->nr_args; j++)
			fprintf(out, " %s", step->arg[j]);
	}
}

bool drv_play_fits(const struct drv_play *play, const struct drv_config *config)
{
	for (size_t i = 0; i < play->nr; i++)
		if ((play->step[i].op->play == drv_op_revoke && !config->has_revoke) ||
		    (play->step[i].op->play == drv_op_unbind && !config->on_bus))
			return false;
	return true;
}
