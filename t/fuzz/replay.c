/*
 * Replays a fuzz corpus as a test
 *
 * Stands in for libFuzzer's main, so that every fuzz target runs under any compiler in `make
 * check`. For the program fuzz_<thing> it feeds each file of $top_srcdir/t/fuzz/corpus/<thing>, or
 * the files named on the command line, and prints one line of TAP for each. A crash ends the
 * program before its plan is fulfilled, which the harness counts as a failure. An empty or missing
 * corpus is a failure too: a parser of foreign bytes has one.
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

static int replay(const char *path, unsigned number)
{
	size_t len;
	uint8_t *data = read_file(path, &len);

	if (!data) {
		printf("not ok %u - %s: %s\n", number, path, strerror(errno));
		return -1;
	}
	LLVMFuzzerTestOneInput(data, len);
	free(data);
	printf("ok %u - %s\n", number, path);
	return 0;
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay_folder(const char *folder)
{
	struct dirent **entries;
	int n, status = 0;

	n = scandir(folder, &entries, is_input, alphasort);
	if (n <= 0) {
		printf("1..1\nnot ok 1 - %s holds a corpus\n", folder);
		return -1;
	}
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		char path[4096];

		if (snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name) >=
		    (int)sizeof(path))
			abort();
		if (replay(path, (unsigned)i + 1))
			status = -1;
		free(entries[i]);
	}
	free(entries);
	return status;
}

int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	const char *name = strstr(program_invocation_short_name, "fuzz_");
	char folder[4096];
	int status = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1) {
		printf("1..%d\n", argc - 1);
		for (int i = 1; i < argc; i++)
			if (replay(argv[i], (unsigned)i))
				status = -1;
		return status ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (!name || snprintf(folder, sizeof(folder), "%s/t/fuzz/corpus/%s", top ? top : ".",
	                      name + strlen("fuzz_")) >= (int)sizeof(folder)) {
		fprintf(stderr, "usage: fuzz_<thing> [FILE ...]\n");
		return EXIT_FAILURE;
	}
	return replay_folder(folder) ? EXIT_FAILURE : EXIT_SUCCESS;
}
