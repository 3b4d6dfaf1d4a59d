/* SPDX-License-Identifier: GPL-2.0-only */
/* Which rules a release has, and how that is known. */
#include "policy/internal.h"

#include <stdio.h>
#include <string.h>

#define MAX_DIGITS 6u

static bool is_arch(enum ms_arch arch)
{
	return arch == MS_ARCH_ARM64 || arch == MS_ARCH_X86_64;
}

/* Reads decimal digits without leading zeros; the end of them, or NULL. */
static const char *parse_part(const char *s, unsigned int *part)
{
	const char *first = s;

	*part = 0;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (s - first >= (ptrdiff_t)MAX_DIGITS)
			return NULL;
		*part = *part * 10 + (unsigned int)(*s - '0');
	}
	return s == first || (*first == '0' && s - first > 1) ? NULL : s;
}

/* Two or three numbers; the end of them, or NULL. */
static const char *parse_version(const char *s, struct ms_version *v)
{
	v->point = 0;
	s = parse_part(s, &v->major);
	if (!s || *s++ != '.')
		return NULL;
	s = parse_part(s, &v->minor);
	return s && *s == '.' ? parse_part(s + 1, &v->point) : s;
}

/* Below 0, 0, above 0. */
static int series_cmp(const struct ms_version *a, const struct ms_version *b)
{
	if (a->major != b->major)
		return a->major < b->major ? -1 : 1;
	return a->minor == b->minor ? 0 : a->minor < b->minor ? -1 : 1;
}

/*
 * The last step of the release's line that is not after it: of its own branch, or of mainline up to
 * where the branch left it. Steps rise, and those of a branch come behind their x.y, so the last
 * one that fits is the one. NULL: the release is older than all.
 */
static const struct ms_step *find_step(const struct ms_version *v, enum ms_arch arch)
{
	const struct ms_step *found = NULL;

	for (size_t i = 0; i < ms_nr_steps[arch]; i++) {
		const struct ms_step *step = &ms_steps[arch][i];
		int order = series_cmp(&step->from, v);

		if (step->from.point ? !order && step->from.point <= v->point : order <= 0)
			found = step;
	}
	return found;
}

/* Was the release's line looked through as far as it? *end: how far it was. */
static bool looked_through(const struct ms_version *v, struct ms_version *end)
{
	*end = ms_branches[0].end;
	if (series_cmp(v, end) > 0)
		return false;
	*end = (struct ms_version){ v->major, v->minor, 0 };
	for (size_t i = 1; i < ms_nr_branches; i++) {
		if (!series_cmp(&ms_branches[i].end, v))
			*end = ms_branches[i].end;
	}
	return v->point <= end->point;
}

static bool same_version(const char *release, const struct ms_version *v)
{
	struct ms_version other;
	const char *end = parse_version(release, &other);

	return end && !*end && !series_cmp(&other, v) && other.point == v->point;
}

static bool is_recorded(const struct ms_version *v, enum ms_arch arch)
{
	for (size_t i = 0; i < ms_nr_recorded; i++) {
		if (same_version(ms_recorded[i].release, v))
			return ms_recorded[i].arches & (1u << arch);
	}
	return false;
}

static void print_version(char *out, size_t size, const struct ms_version *v)
{
	if (v->point)
		snprintf(out, size, "%u.%u.%u", v->major, v->minor, v->point);
	else
		snprintf(out, size, "%u.%u", v->major, v->minor);
}

/* Where a kernel that calls itself so says which upstream release it comes from. */
static const char *where_upstream(const char *suffix)
{
	if (strstr(suffix, ".el") || strstr(suffix, ".amzn"))
		return "its vendor's backports are in none; take the rules of the numbers in front, "
		       "change those that were backported (mapsim run --policy)";
	if (strstr(suffix, "-generic") || strstr(suffix, "-lowlatency") || strstr(suffix, "-aws") ||
	    strstr(suffix, "-azure") || strstr(suffix, "-gcp") || strstr(suffix, "-oem"))
		return "the upstream release is the last word of /proc/version_signature";
	if (strstr(suffix, "-amd64") || strstr(suffix, "-arm64") || strstr(suffix, "-cloud"))
		return "the upstream release stands behind \"Debian\" in `uname -v`";
	return "of one's own it is the numbers in front; of a distribution `uname -v` or the "
	       "package's version may tell it";
}

/* Builds that keep the upstream release's number and little else of their own. */
static bool names_upstream(const char *suffix)
{
	return strstr(suffix, ".fc") || !strncmp(suffix, "-arch", 5) ||
	       !strncmp(suffix, "-gentoo", 7);
}

static bool is_release_candidate(const char *suffix)
{
	return !strncmp(suffix, "-rc", 3) && suffix[3] >= '0' && suffix[3] <= '9';
}

static void refuse(struct ms_release *r, const char *name, const char *end)
{
	const int len = end ? (int)(end - name) : 0;

	if (name && *name == 'v')
		snprintf(r->text, sizeof(r->text), "not an upstream release: without the v");
	else if (!end || (*end != '-' && *end != '+' && *end != '_'))
		snprintf(r->text, sizeof(r->text),
			 "not an upstream release: two or three numbers with dots between them");
	else if (is_release_candidate(end))
		snprintf(r->text, sizeof(r->text),
			 "a release candidate has no rules of its own: %.*s, or the one before it",
			 len, name);
	else if (names_upstream(end))
		snprintf(r->text, sizeof(r->text),
			 "a distribution's build: %.*s is the upstream release", len, name);
	else
		snprintf(r->text, sizeof(r->text),
			 "not an upstream release, but a build of one: %s", where_upstream(end));
}

static void describe(struct ms_release *r, const struct ms_version *v)
{
	struct ms_version end;
	const char *rules = r->policy->release;

	r->recorded = is_recorded(v, r->policy->arch);
	r->beyond = !looked_through(v, &end);
	print_version(r->end, sizeof(r->end), &end);
	if (r->beyond)
		snprintf(r->text, sizeof(r->text),
			 "the rules of %s; its line was looked through up to %s: all are inferred",
			 rules, r->end);
	else
		snprintf(r->text, sizeof(r->text),
			 "its line's rules, last changed in %s; looked through up to %s%s", rules,
			 r->end, r->recorded ? "; recorded" : "");
}

struct ms_release ms_release_known(const char *release, enum ms_arch arch)
{
	struct ms_release r = { 0 };
	struct ms_version v;
	const char *end = release ? parse_version(release, &v) : NULL;

	if (!is_arch(arch)) {
		snprintf(r.text, sizeof(r.text), "no such architecture");
	} else if (!end || *end) {
		refuse(&r, release, end);
	} else {
		const struct ms_step *step = find_step(&v, arch);

		if (step) {
			r.policy = &step->policy;
			describe(&r, &v);
		} else {
			snprintf(r.text, sizeof(r.text),
				 "older than %s, the oldest release whose rules are known",
				 ms_steps[arch][0].policy.release);
		}
	}
	return r;
}

/* The release's step and its numbers; NULL: it is refused, as ms_release_known() says. */
static const struct ms_step *step_of(const char *release, enum ms_arch arch, struct ms_version *v)
{
	const char *end = release && is_arch(arch) ? parse_version(release, v) : NULL;

	return end && !*end ? find_step(v, arch) : NULL;
}

const struct ms_policy *ms_policy_linux(const char *release, enum ms_arch arch)
{
	struct ms_version v;
	const struct ms_step *step = step_of(release, arch, &v);

	return step ? &step->policy : NULL;
}

const struct ms_policy *ms_policy_get(size_t i)
{
	for (enum ms_arch arch = MS_ARCH_ARM64; arch <= MS_ARCH_X86_64; arch++) {
		if (i < ms_nr_steps[arch])
			return &ms_steps[arch][i].policy;
		i -= ms_nr_steps[arch];
	}
	return NULL;
}

const char *ms_release_recorded(size_t i, enum ms_arch arch)
{
	for (size_t n = 0; is_arch(arch) && n < ms_nr_recorded; n++) {
		if (!(ms_recorded[n].arches & (1u << arch)))
			continue;
		if (!i--)
			return ms_recorded[n].release;
	}
	return NULL;
}

struct ms_policy_cell ms_policy_cell(const char *release, enum ms_arch arch, size_t field)
{
	struct ms_policy_cell cell = { 0 };
	struct ms_version v, end;
	const struct ms_step *step = step_of(release, arch, &v);

	if (!step || !ms_policy_field_applies(field, arch))
		return cell;
	const struct ms_rule_cell *known = &ms_rules[field].cell[step->cell[field]];
	cell.since = known->since;
	cell.how = looked_through(&v, &end) ? known->how : MS_EVIDENCE_INFERRED;
	cell.evidence = known->evidence;
	return cell;
}

const char *ms_evidence_name(enum ms_evidence how)
{
	static const char *const names[] = { "inferred", "changelog", "source", "recorded" };

	return how <= MS_EVIDENCE_RECORDED ? names[how] : "?";
}
