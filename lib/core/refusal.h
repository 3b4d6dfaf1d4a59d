/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why the machine has refused something. Whoever decides to refuse says so here, with the numbers
 * that decided; they become words when somebody asks (ms_last_refusal()).
 *
 * The innermost refusal is the one to be told: who only passes an error on says nothing.
 */
#ifndef MS_CORE_REFUSAL_H
#define MS_CORE_REFUSAL_H

#include <stddef.h>
#include <stdint.h>

#define MS_REFUSAL_ARGS 6

struct ms_refused {
	uint64_t number; /* refusals so far */
	int err;
	const char *format; /* static */
	uint64_t arg[MS_REFUSAL_ARGS];
	char text[256]; /* made when asked for */
};

struct ms_machine;

/* nr: of args, one of which comes ahead of those that count. Answers err. */
__attribute__((cold)) int ms_refuse_args(struct ms_machine *m, int err, const char *format,
					 const uint64_t *args, size_t nr);
/*
 * return ms_refuse(m, -EINVAL, "%x is not page aligned", addr);
 *
 * Answers err. format: static text, in which %x is a number in hexadecimal, %u in decimal, %r the
 * rights of MS_PROT_R, W and X, and %s a text (ms_refusal_text()) that lives as long as the
 * machine.
 */
#define ms_refuse(m, err, ...) ms_refuse_split((m), (err), __VA_ARGS__, 0)
#define ms_refuse_split(m, err, format, ...) \
	ms_refuse_args((m), (err), (format), (const uint64_t[]){ __VA_ARGS__ }, \
		       sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))
static inline uint64_t ms_refusal_text(const char *text)
{
	return (uintptr_t)text;
}
/* The same for a constructor: sets errno, answers NULL. */
#define ms_refuse_null(m, err, ...) ms_refusal_null(ms_refuse(m, err, __VA_ARGS__))
void *ms_refusal_null(int err);

__attribute__((cold)) int64_t ms_answered_error(struct ms_machine *m, uint64_t before, int64_t err,
						const char *otherwise);
/*
 * Passes on what a call that began at refusal number `before` answers: an error of which nobody has
 * said why has the reason `otherwise`, NULL: "no memory". Answers err.
 */
static inline int64_t ms_answered(struct ms_machine *m, uint64_t before, int64_t err,
				  const char *otherwise)
{
	return err < 0 ? ms_answered_error(m, before, err, otherwise) : err;
}
/*
 * The same where the call answers another error than the one that it was told of: the reason of the
 * refusal since `before` becomes that of err. Without any it is "no memory".
 */
__attribute__((cold)) int ms_answered_as(struct ms_machine *m, uint64_t before, int err);

#endif
