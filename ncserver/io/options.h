/* options.h - the command line of ncserver */
#ifndef NC_IO_OPTIONS_H
#define NC_IO_OPTIONS_H

#include "mesh/crypto.h"

#include <stdio.h>

enum options_action {
	OPTIONS_RUN = 0,
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_CHECK,           /* --check-config */
	OPTIONS_PRINT_JSON,      /* --print-config, --print-config=json */
	OPTIONS_PRINT_LIBCONFIG, /* --print-config=libconfig */
	OPTIONS_KEYGEN,          /* --keygen */
};

/* Strings are those of argv. */
struct options {
	enum options_action action;
	const char *file;   /* NULL: the standard places; of --keygen, the key's, NULL: standard
	                     * output */
	const char *socket; /* -s: instead of the configuration's template; or NULL */
	int log_level;      /* -l: instead of the configuration's; or -1 */
	int ready_fd;       /* --ready-fd; or -1 */
	enum cipher cipher; /* --cipher, for --keygen */
};

/* Reads the command line. Returns 0, or 1 after a message on `err`: the exit status is EX_USAGE
 * then. */
int options_parse(struct options *o, int argc, char **argv, FILE *err);

void options_help(FILE *out);

#endif
