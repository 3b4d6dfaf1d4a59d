/* SPDX-License-Identifier: GPL-2.0-only */
/* Refusals and their words. */
#include "core/core.h"

#include <inttypes.h>
#include <stdio.h>

int ms_refuse_args(struct ms_machine *m, int err, const char *format, const uint64_t *args,
		   size_t nr)
{
	struct ms_refused *r = &m->refused;

	// the last of the arguments is there for those that have none
	nr = ms_min_u64(nr - 1, MS_REFUSAL_ARGS);
	r->number++;
	r->err = err;
	r->format = format;
	memcpy(r->arg, args, nr * sizeof(*args));
	return err;
}

void *ms_refusal_null(int err)
{
	errno = -err;
	return NULL;
}

int64_t ms_answered_error(struct ms_machine *m, uint64_t before, int64_t err, const char *otherwise)
{
	if (m->refused.number == before || m->refused.err != err)
		ms_refuse(m, (int)err, otherwise ? otherwise : "no memory");
	return err;
}

int ms_answered_as(struct ms_machine *m, uint64_t before, int err)
{
	if (m->refused.number != before)
		m->refused.err = err;
	return (int)ms_answered(m, before, err, NULL);
}

static void print_rights(FILE *out, uint64_t prot)
{
	fputc(prot & MS_PROT_R ? 'r' : '-', out);
	fputc(prot & MS_PROT_W ? 'w' : '-', out);
	fputc(prot & MS_PROT_X ? 'x' : '-', out);
}

static void print_arg(FILE *out, char conversion, uint64_t arg)
{
	switch (conversion) {
	case 'x':
		fprintf(out, "0x%" PRIx64, arg);
		break;
	case 'u':
		fprintf(out, "%" PRIu64, arg);
		break;
	case 'r':
		print_rights(out, arg);
		break;
	default:
		fputs((const char *)(uintptr_t)arg, out);
	}
}

/* false: no memory to print with; the format has to do. */
static bool print_reason(struct ms_refused *r)
{
	FILE *out = fmemopen(r->text, sizeof(r->text), "w");
	size_t arg = 0;

	if (!out)
		return false;
	for (const char *s = r->format; *s; s++) {
		if (*s != '%')
			fputc(*s, out);
		else if (*++s && arg < MS_REFUSAL_ARGS)
			print_arg(out, *s, r->arg[arg++]);
	}
	fclose(out);
	r->text[sizeof(r->text) - 1] = '\0';
	return true;
}

struct ms_refusal ms_last_refusal(struct ms_machine *m)
{
	struct ms_refused *r = m ? &m->refused : NULL;

	if (!r || !r->number)
		return (struct ms_refusal){ 0 };
	return (struct ms_refusal){
		.number = r->number,
		.err = r->err,
		.reason = print_reason(r) ? r->text : r->format,
	};
}

const char *ms_last_reason(struct ms_machine *m)
{
	return ms_last_refusal(m).reason;
}
