/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules that are set on the command line: --set RULE=VALUE, --policy FILE. */
#include "tool.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_POLICY_SIZE (1u << 20) /* bytes of a policy file */

/* Lines go behind what was set before; of two for one rule the last holds. */
static int append(struct rules *rules, const char *text, size_t len)
{
	size_t old = rules->text ? strlen(rules->text) : 0;
	char *grown = realloc(rules->text, old + len + 2);

	if (!grown)
		err(EXIT_UNREADABLE, NULL);
	memcpy(grown + old, text, len);
	strcpy(grown + old + len, "\n");
	rules->text = grown;
	return 0;
}

static const char *what_is_wrong(int ret)
{
	return ret == -ENOENT ? "no such rule" : "not RULE=VALUE, or the rule has no such value";
}

int rules_set(struct rules *rules, const char *setting)
{
	struct ms_policy scratch = *ms_policy_get(0);
	int ret = ms_policy_set_text(&scratch, setting);

	if (!ret)
		return append(rules, setting, strlen(setting));
	warnx("--set %s: %s; `mapsim kernels RELEASE` lists the rules", setting,
	      what_is_wrong(ret));
	return -1;
}

static char *read_text(const char *path)
{
	char *text = malloc(MAX_POLICY_SIZE + 1);
	FILE *in = fopen(path, "re");
	size_t len = 0;

	if (!text)
		err(EXIT_UNREADABLE, NULL);
	if (in)
		len = fread(text, 1, MAX_POLICY_SIZE + 1, in);
	if (!in || ferror(in))
		warn("%s", path);
	else if (len > MAX_POLICY_SIZE || memchr(text, '\0', len))
		warnx("%s: larger than 1 MiB, or not a text", path);
	else {
		fclose(in);
		text[len] = '\0';
		return text;
	}
	if (in)
		fclose(in);
	free(text);
	return NULL;
}

int rules_read(struct rules *rules, const char *path)
{
	struct ms_policy scratch = *ms_policy_get(0);
	char *text = read_text(path);
	uint64_t line = 0;
	int ret;

	if (!text)
		return -1;
	ret = ms_policy_set_lines(&scratch, text, &line);
	if (ret)
		warnx("%s: line %llu: %s", path, (unsigned long long)line, what_is_wrong(ret));
	else
		append(rules, text, strlen(text));
	free(text);
	return ret ? -1 : 0;
}

void rules_apply(const struct rules *rules, struct ms_script *script)
{
	struct ms_script_error error;

	/* every line was tried before */
	if (rules->text && ms_script_set_rules(script, rules->text, &error))
		errx(EXIT_UNREADABLE, "%s", error.what);
}

void rules_free(struct rules *rules)
{
	free(rules->text);
	rules->text = NULL;
}
