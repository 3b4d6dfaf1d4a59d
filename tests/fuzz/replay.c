/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay PATH...: gives each file, and each file of a folder in order of names, to the fuzzer that
 * it is linked with. What a fuzzer found wrong ends the program.
 */
#include "fuzz.h"

#include <dirent.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void replay_file(const char *path)
{
	FILE *in = fopen(path, "rb");
	uint8_t *data;
	size_t size;
	struct stat st;

	if (!in || fstat(fileno(in), &st))
		err(2, "%s", path);
	// exactly as long as the input, so that a read beyond it is seen
	size = (size_t)st.st_size;
	data = malloc(size ? size : 1);
	if (!data || fread(data, 1, size, in) != size)
		err(2, "%s", path);
	fclose(in);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static unsigned long replay_folder(const char *path)
{
	struct dirent **entry;
	int n = scandir(path, &entry, is_visible, alphasort);

	if (n < 0)
		err(2, "%s", path);
	for (int i = 0; i < n; i++) {
		char file[4096];

		if (snprintf(file, sizeof(file), "%s/%s", path, entry[i]->d_name) >=
		    (int)sizeof(file))
			errx(2, "%s: name too long", path);
		replay_file(file);
		free(entry[i]);
	}
	free(entry);
	return (unsigned long)n;
}

int main(int argc, char **argv)
{
	unsigned long files = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st))
			err(2, "%s", argv[i]);
		if (S_ISDIR(st.st_mode)) {
			files += replay_folder(argv[i]);
		} else {
			replay_file(argv[i]);
			files++;
		}
	}
	printf("%lu inputs\n", files);
	return files ? 0 : 2;
}
