/*
 * Replays a fuzz corpus as a test
 *
 * Stands in for libFuzzer's main, so that every fuzz target runs under any compiler in `make
 * check`. For the program fuzz_<thing> it feeds each file of $TOP_SRCDIR/t/fuzz/corpus/<thing>, as
 * one test in TAP, or the files named on the command line. A crash ends the program before its plan
 * is fulfilled, which the harness counts as a failure. An empty or missing corpus is a failure too:
 * a parser of foreign bytes has one.
 */

#include "t/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads PATH whole into memory of exactly its size, so that a read past its end is seen by ASan. */
static uint8_t *read_file(const char *path, size_t *lenp)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL, *exact;
	size_t len = 0, n;

	if (!f)
		return NULL;
	do {
		uint8_t *more = realloc(data, len + 65536);

		if (!more)
			abort();
		data = more;
		n = fread(data + len, 1, 65536, f);
		len += n;
	} while (n);
	if (ferror(f)) {
		free(data);
		fclose(f);
		return NULL;
	}
	fclose(f);
	exact = malloc(len ? len : 1);
	if (!exact)
		abort();
	if (len)
		memcpy(exact, data, len);
	free(data);
	*lenp = len;
	return exact;
}

/* Names the input before feeding it: after a crash the last line says which one it was. */
static void replay(const char *path)
{
	size_t len;
	uint8_t *data;

	printf("# %s\n", path);
	data = read_file(path, &len);
	if (!data) {
		printf("Bail out! %s: %s\n", path, strerror(errno));
		exit(EXIT_FAILURE);
	}
	LLVMFuzzerTestOneInput(data, len);
	free(data);
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Returns the number of inputs in FOLDER. */
static int replay_folder(const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_input, alphasort);

	for (int i = 0; i < n; i++) {
		char *path;

		if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0)
			abort();
		replay(path);
		free(path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return n;
}

int main(int argc, char **argv)
{
	const char *top = getenv("TOP_SRCDIR");
	const char *name = strstr(program_invocation_short_name, "fuzz_");
	char *folder;
	int n;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			replay(argv[i]);
		return EXIT_SUCCESS;
	}
	if (!name) {
		fprintf(stderr, "usage: fuzz_<thing> [FILE ...]\n");
		return EXIT_FAILURE;
	}
	if (asprintf(&folder, "%s/t/fuzz/corpus/%s", top ? top : ".", name + strlen("fuzz_")) < 0)
		abort();
	printf("1..1\n");
	n = replay_folder(folder);
	if (n > 0)
		printf("ok 1 - %s takes the %d inputs of its corpus\n", name, n);
	else
		printf("not ok 1 - %s has a corpus (%s)\n", name, folder);
	free(folder);
	return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
