/*
 * Running commands: from function calls, from scripts, from the shell
 */
#ifndef NC_NCCLIENT_RUN_H
#define NC_NCCLIENT_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "ncclient/status.h"

struct call;
struct command;
struct options;
struct session;

/* What stands before a command's own complaint: where a line of a script came from. */
struct run_place {
	const char *name; /* "-e", "line"; NULL: the line was typed */
	unsigned long number;
};

/*
 * Runs all calls on a line of LEN bytes, until one fails (or with the session's keep_going, all).
 * Sets *QUIT where quit() was called.
 *
 * Returns the first status that is not STATUS_OK.
 */
enum status run_line(struct session *s, const struct options *o, const char *line, size_t len,
                     const struct run_place *place, bool *quit);

/* Runs the -e options, or else the script on standard input. */
enum status run_scripts(struct session *s, const struct options *o);
enum status run_stdin(struct session *s, const struct options *o);

/* Runs the command in the words of O. */
enum status run_words(struct session *s, const struct options *o);

/* Prints what --help prints for the whole program, or (with C) for one command. */
void run_help(struct session *s, const struct command *c);

#endif
