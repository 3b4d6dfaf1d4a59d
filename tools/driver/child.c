/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A play in a child process: what the driver does to itself, a crash, an endless loop, a recursion
 * without end, ends the child alone. The child writes lines on a pipe at once, so that what was
 * said before a crash is known:
 *
 *   V STEP CLASS MM START END ADDR PA FRAMES|CONDITION|DRIVER|CALLBACK    a violation
 *   C STEP FRAMES|WORDS                                                   the driver is ended
 *   O …                                                                   the outcome
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
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#if HAVE_UNWIND
#include <unwind.h>
#endif

#define CPU_SECONDS 3
#define WALL_SECONDS 60
#define SIGNAL_STACK 65536u

/* ---- the child ---- */

static struct teller {
	const struct drv_module *module;
	int fd;
	size_t step;
	bool told; /* a mistake of the driver's: what follows may be its consequence */
} here;            /* a signal's handler has no other argument */

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

static void tell_violation(const struct ms_violation *v, void *arg)
{
	char condition[256], line[1024];
	struct frames frames;
	int len;

	(void)arg;
	if (v->whose == MS_VIOLATION_DRIVER) {
		if (here.told)
			return;
		here.told = true;
	}
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

	if (signal == SIGXCPU || signal == SIGALRM)
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
	if (here.told)
		words = "-";
	say(line,
	    snprintf(line, sizeof(line), "C %zu %s|%s\n", here.step, frames_of(&frames), words));
	_exit(1);
}

static void limit(int resource, rlim_t soft, rlim_t hard)
{
	const struct rlimit limit = { .rlim_cur = soft, .rlim_max = hard };

	setrlimit(resource, &limit);
}

static void guard(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGXCPU, SIGALRM };
	static char stack[SIGNAL_STACK];
	const stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = ended,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND };

	sigaltstack(&own, NULL);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	limit(RLIMIT_CPU, CPU_SECONDS, CPU_SECONDS + 2);
	limit(RLIMIT_CORE, 0, 0);
	limit(RLIMIT_FSIZE, 0, 0);
	alarm(WALL_SECONDS);
}

static void tell_outcome(const struct drv_outcome *o)
{
	char line[2048];
	int len = snprintf(line, sizeof(line), "O %u %u %u %" PRIu64 " %d|%s", o->steps, o->mapped,
			   o->refused, o->allocs, o->refused_init, o->why);

	for (size_t i = 0; i < o->nr_devices; i++)
		len += snprintf(line + len, sizeof(line) - (size_t)len, "|%s", o->device[i]);
	line[len++] = '\n';
	say(line, len);
}

static _Noreturn void child(const struct drv_module *module, const struct drv_config *config,
			    const struct drv_kernel *kernel, size_t device,
			    const struct drv_play *play, int fd)
{
	const struct drv_teller teller = { tell_step, tell_violation, NULL };
	struct drv_outcome outcome = { 0 };
	char wrong[256];

	here = (struct teller){ .module = module, .fd = fd };
	guard();
	if (drv_module_set_params(module, config, wrong, sizeof(wrong)))
		_exit(2); // the parent has tried them
	drv_player_play(module, config, kernel, device, play, &outcome, &teller);
	tell_outcome(&outcome);
	_exit(0);
}

/* ---- the parent ---- */

static void read_frames(char *text, struct drv_report *report)
{
	char *save = NULL;

	for (char *word = strtok_r(text, ",", &save); word && *word != '-';
	     word = strtok_r(NULL, ",", &save))
		if (report->nr_frames < DRV_MAX_FRAMES)
			report->frame[report->nr_frames++] = strtoull(word, NULL, 16);
}

static void read_violation(char *line, drv_tell *tell, void *arg)
{
	struct drv_report report = { .what = DRV_VIOLATION };
	struct ms_violation *v = &report.violation;
	char frames[DRV_MAX_FRAMES * 12] = "", *save = NULL;
	unsigned int whose;

	if (sscanf(line, "V %zu %u %u %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %287[^|]",
		   &report.step, &whose, &v->mm, &v->vma_start, &v->vma_end, &v->addr, &v->pa,
		   frames) != 8)
		return;
	v->whose = (enum ms_violation_class)whose;
	v->condition = v->driver = v->callback = "";
	strtok_r(line, "|", &save);
	v->condition = strsep(&save, "|");
	v->driver = save ? strsep(&save, "|") : "";
	v->callback = save ? save : "";
	read_frames(frames, &report);
	tell(&report, arg);
}

static void read_crash(char *line, drv_tell *tell, void *arg)
{
	struct drv_report report = { .what = DRV_CRASH };
	char frames[DRV_MAX_FRAMES * 12] = "", *bar = strchr(line, '|');

	if (!bar || sscanf(line, "C %zu %287[^|]", &report.step, frames) != 2)
		return;
	if (!strcmp(bar + 1, "-"))
		return; // after a mistake that was told
	report.violation.condition = bar + 1;
	report.hangs = strstr(bar + 1, "hangs");
	report.violation.driver = report.violation.callback = "";
	read_frames(frames, &report);
	tell(&report, arg);
}

static void read_outcome(char *line, struct drv_outcome *o)
{
	char *save = NULL, *word;
	int refused;

	if (sscanf(line, "O %u %u %u %" SCNu64 " %d", &o->steps, &o->mapped, &o->refused,
		   &o->allocs, &refused) != 5)
		return;
	o->refused_init = refused;
	save = strchr(line, '|');
	if (!save)
		return;
	save++;
	word = strsep(&save, "|");
	snprintf(o->why, sizeof(o->why), "%s", word);
	while (save && o->nr_devices < 16) {
		word = strsep(&save, "|");
		snprintf(o->device[o->nr_devices++], sizeof(o->device[0]), "%s", word);
	}
}

/* How the child ended, where it could not say so itself. */
static void tell_killed(int status, drv_tell *tell, void *arg)
{
	struct drv_report report = { .what = DRV_CRASH };

	report.violation.condition = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
					     ? "the driver's process is killed: it takes too much"
					     : "the driver's process ends by a signal";
	report.violation.driver = report.violation.callback = "";
	tell(&report, arg);
}

static bool read_lines(int fd, struct drv_outcome *outcome, drv_tell *tell, void *arg)
{
	FILE *in = fdopen(fd, "r");
	bool crashed = false;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while (in && (len = getline(&line, &size, in)) > 0) {
		line[len - 1] = '\0';
		if (*line == 'V')
			read_violation(line, tell, arg);
		else if (*line == 'O')
			read_outcome(line, outcome);
		else if (*line == 'C') {
			crashed = true;
			read_crash(line, tell, arg);
		}
	}
	free(line);
	if (in)
		fclose(in);
	return crashed;
}

int drv_run(const struct drv_module *module, const struct drv_config *config,
	    const struct drv_kernel *kernel, size_t device, const struct drv_play *play,
	    struct drv_outcome *outcome, drv_tell *tell, void *arg)
{
	int fd[2], status = 0;
	bool crashed;
	pid_t pid;

	*outcome = (struct drv_outcome){ 0 };
	if (pipe(fd))
		return -1;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(fd[0]);
		child(module, config, kernel, device, play, fd[1]);
	}
	close(fd[1]);
	if (pid < 0) {
		close(fd[0]);
		return -1;
	}
	crashed = read_lines(fd[0], outcome, tell, arg);
	waitpid(pid, &status, 0);
	if (!crashed && WIFSIGNALED(status))
		tell_killed(status, tell, arg);
	return 0;
}
