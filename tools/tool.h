/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands of mapsim. */
#ifndef MAPSIM_TOOL_H
#define MAPSIM_TOOL_H

#include <mapsim/script.h>

/* Exit codes. */
enum { EXIT_SAME = 0, EXIT_DIFFERS = 1, EXIT_UNREADABLE = 2 };

int check_command(int argc, char **argv);
int run_command(int argc, char **argv);
int kernels_command(int argc, char **argv);

/* Reads a script from a file ("-": standard input); NULL after a message on standard error. */
struct ms_script *read_script(const char *path, const struct ms_script_kernel *kernel);
/* An error of reading or playing, as a message. */
void script_warn(const char *path, const struct ms_script_error *err);

#endif
