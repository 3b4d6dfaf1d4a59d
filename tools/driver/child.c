/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays in a child process: what the driver does to itself, a crash, an endless loop, a recursion
 * without end, ends the child alone. The child writes lines on a pipe at once, so that what was
 * said before a crash is known:
 *
 *   B NUMBER                                                              of a play that begins
 *   P LETTER LETTER ...                                                   a search: the steps so far
 *   V STEP CLASS MM START END ADDR PA FRAMES|CONDITION|DRIVER|CALLBACK    a violation
 *   C STEP FRAMES|WORDS                                                   the driver is ended
 *   O …                                                                   the outcome
 *   S STATES OPERATIONS DEPTH WHOLE MAPPED REFUSED                        that of a search
 *
 * FRAMES: offsets in the driver's object, the innermost first, with commas between; "-": none.
 */
#define _GNU_SOURCE /* REG_RSP */
#include "driver.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#if HAVE_UNWIND
#include <unwind.h>
#endif

#define CPU_SECONDS 3
#define SIGNAL_STACK 65536u
#define MAX_SAID 1024u /* what a search says more of is said more than once */

static struct teller {
	const struct drv_module *module;
	int fd;
	size_t step;
	bool told; /* a mistake of the driver's: what follows may be its consequence */
	/* of a search: who keeps these */
	const uint16_t *path;
	const size_t *nr_path;
	bool *told_there;
	const bool *at_end;
	volatile sig_atomic_t calls, calls_before, idle; /* of the driver; when the clock ticked */
	uint64_t *said;                                  /* hashes of what was said */
	size_t nr_said;
} here; /* a signal's handler has no other argument */

static void say(const char *line, int len)
{
	while (len > 0) {
		ssize_t n = write(here.fd, line, (size_t)len);

		if (n <= 0)
			return;
		line += n;
		len -= (int)n;
	}
}

struct frames {
	char text[DRV_MAX_FRAMES * 12];
	size_t len, nr;
};

/* A toolchain whose unwinder does not link, as that of musl-gcc, says no line of the driver's. */
#if HAVE_UNWIND
static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *arg)
{
	struct frames *frames = arg;
	int before = 0;
	uintptr_t pc = _Unwind_GetIPInfo(context, &before);

	// a return address is behind the call
	if (!before && pc)
		pc--;
	if (pc >= here.module->start && pc < here.module->end) {
		frames->len += (size_t)snprintf(frames->text + frames->len,
						sizeof(frames->text) - frames->len, "%s%" PRIxPTR,
						frames->nr ? "," : "", pc - here.module->base);
		frames->nr++;
	}
	return frames->nr == DRV_MAX_FRAMES - 1 ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static const char *frames_of(struct frames *frames)
{
	*frames = (struct frames){ .text = "-" };
	_Unwind_Backtrace(add_frame, frames);
	return frames->text;
}
#else
static const char *frames_of(struct frames *frames)
{
	*frames = (struct frames){ .text = "-" };
	return frames->text;
}
#endif

/* One line, whatever a text contains. */
static void flatten(char *text)
{
	for (; *text; text++)
		if (*text == '\n' || *text == '|')
			*text = ' ';
}

/* In a search: the path comes before what is said of it. */
static void say_path(void)
{
	char line[16 + 6 * DRV_MAX_STEPS] = "P";
	int len = 1;

	if (!here.path)
		return;
	for (size_t i = 0; i < *here.nr_path; i++)
		len += snprintf(line + len, sizeof(line) - (size_t)len, " %u", here.path[i]);
	line[len++] = '\n';
	say(line, len);
	here.step = *here.at_end ? *here.nr_path : *here.nr_path - !!*here.nr_path;
}

/* A search comes by the same mistake again and again; the first time is the shortest. */
static bool was_said(const struct ms_violation *v, const char *frames)
{
	uint64_t hash = v->whose;

	if (!here.path)
		return false;
	for (const char *p = v->condition; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	for (const char *p = frames; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < here.nr_said; i++)
		if (here.said[i] == hash)
			return true;
	if (here.nr_said < MAX_SAID)
		here.said[here.nr_said++] = hash;
	return false;
}

void drv_child_violation(const struct ms_violation *v, void *arg)
{
	bool *told = here.told_there ? here.told_there : &here.told;
	char condition[256], line[1024];
	struct frames frames;
	int len;

	(void)arg;
	if (v->whose == MS_VIOLATION_DRIVER) {
		if (*told)
			return;
		*told = true;
	}
	if (was_said(v, frames_of(&frames)))
		return;
	say_path();
	snprintf(condition, sizeof(condition), "%s", v->condition);
	flatten(condition);
	len = snprintf(line, sizeof(line),
		       "V %zu %u %u %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64
		       " %s|%s|%.63s|%s\n",
		       here.step, v->whose, v->mm, v->vma_start, v->vma_end, v->addr, v->pa,
		       frames_of(&frames), condition, v->driver ? v->driver : "",
		       v->callback ? v->callback : "");
	say(line, len < (int)sizeof(line) ? len : (int)sizeof(line) - 1);
}

static void tell_step(size_t step, void *arg)
{
	(void)arg;
	here.step = step;
	here.calls++;
}

void drv_child_path(const uint16_t *path, const size_t *nr, bool *told, const bool *at_end)
{
	here.path = path;
	here.nr_path = nr;
	here.told_there = told;
	here.at_end = at_end;
}

void drv_child_lives(void)
{
	here.calls++;
}

static uintptr_t stack_pointer(const ucontext_t *context)
{
#if defined(__x86_64__)
	return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
	return context->uc_mcontext.sp;
#else
	(void)context;
	return 0;
#endif
}

static void ended(int signal, siginfo_t *info, void *context)
{
	const uintptr_t sp = stack_pointer(context), at = (uintptr_t)info->si_addr;
	const char *words = "the driver crashes: a bad address is accessed (SIGSEGV)";
	struct frames frames;
	char line[512];

	if (signal == SIGXCPU)
		words = "the driver does not come back: it hangs";
	else if (signal == SIGSEGV && sp && at - (sp - 65536) < 131072)
		words = "the driver's stack overflows: a recursion without end";
	else if (signal == SIGABRT)
		words = "the driver's process is aborted";
	else if (signal == SIGFPE)
		words = "the driver crashes: a division by zero (SIGFPE)";
	else if (signal == SIGILL)
		words = "the driver crashes: an illegal instruction (SIGILL)";
	else if (signal == SIGBUS)
		words = "the driver crashes: a bad address is accessed (SIGBUS)";
	if (here.told_there ? *here.told_there : here.told)
		words = "-";
	say_path();
	say(line,
	    snprintf(line, sizeof(line), "C %zu %s|%s\n", here.step, frames_of(&frames), words));
	_exit(1);
}

/* All of it takes its time: what hangs is one step. */
static void tick(int signal, siginfo_t *info, void *context)
{
	here.idle = here.calls == here.calls_before ? here.idle + 1 : 0;
	here.calls_before = here.calls;
	if (here.idle >= CPU_SECONDS)
		ended(SIGXCPU, info, context);
	(void)signal;
}

static void limit(int resource, rlim_t soft, rlim_t hard)
{
	const struct rlimit limit = { .rlim_cur = soft, .rlim_max = hard };

	setrlimit(resource, &limit);
}

static void guard(void)
{
	const struct itimerval second = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	const struct sigaction ticks = { .sa_sigaction = tick,
					 .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	static char stack[SIGNAL_STACK];
	const stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = ended,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND };

	sigaltstack(&own, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	limit(RLIMIT_CORE, 0, 0);
	limit(RLIMIT_FSIZE, 0, 0);
	sigaction(SIGPROF, &ticks, NULL);
	setitimer(ITIMER_PROF, &second, NULL);
}

static void tell_outcome(const struct drv_outcome *o)
{
	char line[2048];
	int len = snprintf(line, sizeof(line), "O %u %u %u %" PRIu64 " %d %d|%s", o->steps, o->mapped,
			   o->refused, o->allocs, o->refused_init, o->on_bus, o->why);

	for (size_t i = 0; i < o->nr_devices; i++)
		len += snprintf(line + len, sizeof(line) - (size_t)len, "|%s", o->device[i]);
	line[len++] = '\n';
	say(line, len);
}

/* Each on a machine of its own, with the module as if it had just been loaded. */
_Noreturn void drv_child_play(const struct drv_config *config, const struct drv_kernel *kernel,
			      size_t device, const struct drv_play *play, size_t first, size_t nr,
			      int fd)
{
	const struct drv_teller teller = { tell_step, drv_child_violation, NULL };
	const struct drv_module *module = kernel->module;
	char wrong[256], line[32], *fresh = malloc(module->data_size + 1);

	here = (struct teller){ .module = module, .fd = fd };
	guard();
	if (!fresh || drv_module_set_params(module, config, wrong, sizeof(wrong)))
		_exit(2); // the parent has tried them
	memcpy(fresh, module->data, module->data_size);
	for (size_t i = first; i < nr; i++) {
		struct drv_outcome outcome = { 0 };

		memcpy(module->data, fresh, module->data_size);
		here.told = false;
		here.step = 0;
		say(line, snprintf(line, sizeof(line), "B %zu\n", i));
		drv_player_play(config, kernel, device, &play[i], &outcome, &teller);
		tell_outcome(&outcome);
	}
	_exit(0);
}

_Noreturn void drv_child_search(const struct drv_config *config, const struct drv_kernel *kernel,
				   struct drv_search *search, int fd)
{
	static uint64_t said[MAX_SAID];
	char line[128], wrong[256];

	here = (struct teller){ .module = kernel->module, .fd = fd, .said = said };
	guard();
	if (drv_module_set_params(kernel->module, config, wrong, sizeof(wrong)))
		_exit(2);
	drv_search_play(config, kernel, search);
	say(line, snprintf(line, sizeof(line), "S %" PRIu64 " %" PRIu64 " %u %d %u %u\n",
			   search->states, search->operations, search->depth, search->whole,
			   search->mapped, search->refused));
	_exit(0);
}
