/* emit_lines.c - each line of the standard input becomes an event
 *
 * The simplest way to handle a full queue: nc_emit_wait() waits for room, so that a slow channel
 * slows the reading of the input, and no line is lost. At the end everything is written before the
 * program leaves.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <netcluster/nc.h>

/* How long the last lines may take. */
#define LAST_MS 5000

static int usage(FILE *to, int status)
{
	fputs("usage: emit_lines CHANNEL EVENT\n"
	      "Emits each line of the standard input as EVENT, a text.\n",
	      to);
	return status;
}

static int fail(const nc_client *c, int error)
{
	fprintf(stderr, "emit_lines: %s: %s\n", nc_strerror(error), c ? nc_error_text(c) : "");
	return EXIT_FAILURE;
}

/* Emits all lines. Returns an enum nc_error. */
static int emit_all(nc_client *c, const char *event)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int r = NC_OK;

	while (r == NC_OK && (len = getline(&line, &size, stdin)) >= 0) {
		if (len && line[len - 1] == '\n')
			len--;
		r = nc_emit_wait(c, event, NC_TEXT, line, (size_t)len, 0, -1);
		/* a line at a terminal is to be seen at once, those of a file may go together */
		if (r == NC_OK)
			(void)nc_flush(c);
	}
	free(line);
	return r;
}

int main(int argc, char **argv)
{
	nc_client *c;
	int r;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout, EXIT_SUCCESS);
	if (argc != 3)
		return usage(stderr, EXIT_FAILURE);
	r = nc_new(&c, argv[1]);
	if (r)
		return fail(NULL, r);
	r = nc_connect(c, LAST_MS);
	if (!r)
		r = emit_all(c, argv[2]);
	if (!r)
		r = nc_disconnect(c, LAST_MS);
	r = r ? fail(c, r) : EXIT_SUCCESS;
	nc_free(c);
	return r;
}
