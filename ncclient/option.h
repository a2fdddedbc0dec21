/*
 * The options of the command line
 *
 * Options stand anywhere, before or behind the command and its words; "--" ends them. A word that
 * is a negative number, or "-" alone, is no option. The options are data: usage text, the check
 * which command takes which, and the tests of manual page and completions work from them.
 */
#ifndef NC_NCCLIENT_OPTION_H
#define NC_NCCLIENT_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ncclient/output.h"

/* Where an option makes sense. */
enum option_scope {
	OPTION_ANYWHERE = 0,
	OPTION_EMIT = 1u << 0,
	OPTION_LISTEN = 1u << 1,
	OPTION_TOP = 1u << 2,
	OPTION_KEY = 1u << 4,    /* keyuse, keyremove */
	OPTION_SCRIPT = 1u << 3, /* with -e and with a script on standard input */
};

/* What the words of emit are. */
enum option_payload {
	PAYLOAD_JSON,
	PAYLOAD_TEXT,
	PAYLOAD_INT,
	PAYLOAD_DOUBLE,
	PAYLOAD_BOOL,
	PAYLOAD_BYTES,
};

#define OPTION_SCRIPTS_MAX 64u
#define OPTION_ERROR_LEN   160u

struct options {
	/* anywhere */
	const char *socket; /* template, or NULL */
	enum output_format output;
	uint64_t timeout_ms;
	bool has_timeout;
	bool quiet;
	bool wide;
	bool help;
	bool version;
	/* scripts */
	const char *scripts[OPTION_SCRIPTS_MAX]; /* -e, in their order */
	size_t n_scripts;
	bool keep_going;
	/* emit */
	enum option_payload payload;
	bool lines;
	bool broadcast;
	/* listen, top */
	uint64_t count; /* 0: no end */
	bool reliable;
	bool raw;
	bool no_reconnect;
	uint64_t interval_ms;
	bool batch;
	bool ascii;
	const char *sort; /* or NULL */
	const char *view; /* or NULL */
	/* keyuse, keyremove */
	bool force;
	/* the command and its words; point into argv */
	char **words;
	size_t n_words;
	uint64_t seen; /* a bit for each option of the table */
};

/*
 * Takes ARGV apart; its words are moved to the front. A command on its own may stand in words[0].
 *
 * Returns 0, or -1 where something is wrong, which ERROR says.
 */
int options_parse(struct options *o, int argc, char **argv, char error[static OPTION_ERROR_LEN]);

/* Checks that all options fit what is going to be done, which takes those of SCOPES; WHAT names it
 * in the message. Returns 0, or -1 and ERROR. */
int options_check_scope(const struct options *o, unsigned scopes, const char *what,
                        char error[static OPTION_ERROR_LEN]);

/* Prints a line for each option of SCOPE. */
void options_write_help(FILE *f, unsigned scope);

/* Prints the names of all options, one on each line, "-s" and "--socket" apart. */
void options_write_names(FILE *f);

#endif
