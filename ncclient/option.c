/*
 * The options of the command line
 *
 * An own walk rather than getopt_long(), which would take a negative number for options, and could
 * not tell which command an option belongs to.
 */

#include "ncclient/option.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ncclient/command.h"
#include "ncclient/text.h"

#define TIMEOUT_DEFAULT_MS  5000u
#define INTERVAL_DEFAULT_MS 1000u
#define INTERVAL_MIN_MS     100u

enum id {
	ID_SOCKET,
	ID_OUTPUT,
	ID_JSON,
	ID_CSV,
	ID_TIMEOUT,
	ID_QUIET,
	ID_WIDE,
	ID_HELP,
	ID_VERSION,
	ID_EXECUTE,
	ID_KEEP_GOING,
	ID_TEXT,
	ID_INT,
	ID_DOUBLE,
	ID_BOOL,
	ID_BYTES,
	ID_LINES,
	ID_BROADCAST,
	ID_COUNT,
	ID_RELIABLE,
	ID_RAW,
	ID_NO_RECONNECT,
	ID_DELAY,
	ID_BATCH,
	ID_ASCII,
	ID_SORT,
	ID_VIEW,
	ID_FORCE,
};

struct option {
	enum id id;
	char letter; /* or 0 */
	const char *name;
	const char *arg; /* or NULL */
	unsigned scopes;
	const char *help;
};

static const struct option table[] = {
        {ID_SOCKET, 's', "socket", "TEMPLATE", 0,
         "path of the sockets, %s standing for the channel"},
        {ID_OUTPUT, 'o', "output", "FORMAT", 0, "text, json or csv"},
        {ID_JSON, 0, "json", NULL, 0, "the same as -o json"},
        {ID_CSV, 0, "csv", NULL, 0, "the same as -o csv"},
        {ID_TIMEOUT, 't', "timeout", "TIME", 0, "how long to wait: 500ms, 5s (default), 2m"},
        {ID_WIDE, 'w', "wide", NULL, 0, "text as wide as it gets, ids in full"},
        {ID_QUIET, 'q', "quiet", NULL, 0, "no notices; errors by the exit status alone"},
        {ID_HELP, 'h', "help", NULL, 0, "this text, or that of a command"},
        {ID_VERSION, 'V', "version", NULL, 0, "the version"},
        {ID_EXECUTE, 'e', "execute", "CODE", OPTION_SCRIPT,
         "call functions; may stand several times"},
        {ID_KEEP_GOING, 'k', "keep-going", NULL, OPTION_SCRIPT | OPTION_EMIT,
         "go on after an error"},
        {ID_TEXT, 0, "text", NULL, OPTION_EMIT, "DATA is text"},
        {ID_INT, 0, "int", NULL, OPTION_EMIT, "DATA is a 64-bit integer"},
        {ID_DOUBLE, 0, "double", NULL, OPTION_EMIT, "DATA is a floating-point number"},
        {ID_BOOL, 0, "bool", NULL, OPTION_EMIT, "DATA is true or false"},
        {ID_BYTES, 0, "bytes", NULL, OPTION_EMIT, "DATA is bytes"},
        {ID_LINES, 'l', "lines", NULL, OPTION_EMIT,
         "each line of standard input is an event's data"},
        {ID_BROADCAST, 0, "broadcast", NULL, OPTION_EMIT, "set netcluster's broadcast mark"},
        {ID_COUNT, 'n', "count", "N", OPTION_LISTEN | OPTION_TOP, "end after N events, or N views"},
        {ID_RELIABLE, 0, "reliable", NULL, OPTION_LISTEN,
         "lose nothing, and hold up the senders instead"},
        {ID_RAW, 'r', "raw", NULL, OPTION_LISTEN, "print the data alone, as it is"},
        {ID_NO_RECONNECT, 0, "no-reconnect", NULL, OPTION_LISTEN | OPTION_EMIT,
         "end when the server goes"},
        {ID_DELAY, 'd', "delay", "TIME", OPTION_TOP, "between two views (default 1s)"},
        {ID_BATCH, 'b', "batch", NULL, OPTION_TOP, "print views one after the other"},
        {ID_SORT, 0, "sort", "COLUMN", OPTION_TOP, "sort by this column; -COLUMN: smallest first"},
        {ID_VIEW, 0, "view", "VIEW", OPTION_TOP, "begin with channels, clients or hosts"},
        {ID_ASCII, 0, "ascii", NULL, OPTION_TOP, "draw bars in ASCII"},
        {ID_FORCE, 0, "force", NULL, OPTION_KEY, "cut off hosts that do not hold the key"},
};

#define N_OPTIONS (sizeof(table) / sizeof(table[0]))
_Static_assert(N_OPTIONS <= 64, "options.seen has 64 bits");

static int fail(char error[static OPTION_ERROR_LEN], const char *fmt, ...)
        __attribute__((format(printf, 2, 3)));

static int fail(char error[static OPTION_ERROR_LEN], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(error, OPTION_ERROR_LEN, fmt, args);
	va_end(args);
	return -1;
}

static int read_count(const char *s, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return -1;
	errno = 0;
	*out = strtoull(s, &end, 10);
	return *end || errno || !*out ? -1 : 0;
}

static int set_payload(struct options *o, enum option_payload payload, char *error)
{
	if (o->payload != PAYLOAD_JSON && o->payload != payload)
		return fail(error, "data has one type: choose one of --text, --int, --double, "
		                   "--bool, --bytes");
	o->payload = payload;
	return 0;
}

/* Options that take something. */
static int set_with_arg(struct options *o, const struct option *opt, const char *arg, char *error)
{
	switch ((int)opt->id) {
	case ID_SOCKET: o->socket = arg; return 0;
	case ID_SORT: o->sort = arg; return 0;
	case ID_VIEW:
		if (strcmp(arg, "channels") && strcmp(arg, "clients") && strcmp(arg, "hosts"))
			return fail(error, "--view takes channels, clients or hosts, not '%s'",
			            arg);
		o->view = arg;
		return 0;
	case ID_OUTPUT:
		if (output_read_format(arg, &o->output))
			return fail(error, "-o takes text, json or csv, not '%s'", arg);
		return 0;
	case ID_TIMEOUT:
		if (text_read_duration(arg, &o->timeout_ms) || !o->timeout_ms)
			return fail(error, "-t takes a time as 500ms, 5s or 2m, not '%s'", arg);
		o->has_timeout = true;
		return 0;
	case ID_DELAY:
		if (text_read_duration(arg, &o->interval_ms) || o->interval_ms < INTERVAL_MIN_MS)
			return fail(error, "-d takes a time of at least 100ms, not '%s'", arg);
		return 0;
	case ID_COUNT:
		if (read_count(arg, &o->count))
			return fail(error, "-n takes a number above 0, not '%s'", arg);
		return 0;
	default: break;
	}
	if (o->n_scripts == OPTION_SCRIPTS_MAX)
		return fail(error, "more than %u times -e: use a script", OPTION_SCRIPTS_MAX);
	o->scripts[o->n_scripts++] = arg;
	return 0;
}

static int set_option(struct options *o, const struct option *opt, const char *arg, char *error)
{
	o->seen |= UINT64_C(1) << (opt - table);
	switch (opt->id) {
	case ID_JSON: o->output = OUTPUT_JSON; break;
	case ID_CSV: o->output = OUTPUT_CSV; break;
	case ID_WIDE: o->wide = true; break;
	case ID_QUIET: o->quiet = true; break;
	case ID_HELP: o->help = true; break;
	case ID_VERSION: o->version = true; break;
	case ID_KEEP_GOING: o->keep_going = true; break;
	case ID_TEXT: return set_payload(o, PAYLOAD_TEXT, error);
	case ID_INT: return set_payload(o, PAYLOAD_INT, error);
	case ID_DOUBLE: return set_payload(o, PAYLOAD_DOUBLE, error);
	case ID_BOOL: return set_payload(o, PAYLOAD_BOOL, error);
	case ID_BYTES: return set_payload(o, PAYLOAD_BYTES, error);
	case ID_LINES: o->lines = true; break;
	case ID_BROADCAST: o->broadcast = true; break;
	case ID_RELIABLE: o->reliable = true; break;
	case ID_RAW: o->raw = true; break;
	case ID_NO_RECONNECT: o->no_reconnect = true; break;
	case ID_BATCH: o->batch = true; break;
	case ID_ASCII: o->ascii = true; break;
	case ID_FORCE: o->force = true; break;
	case ID_SOCKET:
	case ID_OUTPUT:
	case ID_TIMEOUT:
	case ID_EXECUTE:
	case ID_COUNT:
	case ID_DELAY:
	case ID_SORT:
	case ID_VIEW: return set_with_arg(o, opt, arg, error);
	}
	return 0;
}

static int unknown_long(const char *name, size_t len, char *error)
{
	const char *best = NULL;
	size_t best_distance = 3;
	char copy[40];

	snprintf(copy, sizeof(copy), "%.*s", (int)(len > 39 ? 39 : len), name);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		size_t d = command_distance(copy, table[i].name);

		if (d >= best_distance)
			continue;
		best_distance = d;
		best = table[i].name;
	}
	if (best)
		return fail(error, "no option --%s; did you mean --%s?", copy, best);
	return fail(error, "no option --%s", copy);
}

/* Takes "--name", "--name=arg" or, with NEXT, "--name arg". Returns how many words it took, or -1.
 */
static int take_long(struct options *o, const char *word, const char *next, char *error)
{
	size_t len = strcspn(word + 2, "=");
	const char *arg = word[2 + len] ? word + 2 + len + 1 : NULL;

	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option *opt = &table[i];
		int took = 1;

		if (strlen(opt->name) != len || memcmp(opt->name, word + 2, len))
			continue;
		if (!opt->arg && arg)
			return fail(error, "--%s takes nothing", opt->name);
		if (opt->arg && !arg) {
			if (!next)
				return fail(error, "--%s takes %s", opt->name, opt->arg);
			arg = next;
			took = 2;
		}
		return set_option(o, opt, arg, error) ? -1 : took;
	}
	return unknown_long(word + 2, len, error);
}

static const struct option *find_letter(char letter)
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (table[i].letter && table[i].letter == letter)
			return &table[i];
	return NULL;
}

/* Takes "-abc", "-aARG" or "-a ARG". Returns as take_long(). */
static int take_letters(struct options *o, const char *word, const char *next, char *error)
{
	for (const char *p = word + 1; *p; p++) {
		const struct option *opt = find_letter(*p);

		if (!opt)
			return fail(error, "no option -%c in '%.80s'",
			            isprint((unsigned char)*p) ? *p : '?', word);
		if (!opt->arg) {
			if (set_option(o, opt, NULL, error))
				return -1;
			continue;
		}
		if (p[1])
			return set_option(o, opt, p + 1, error) ? -1 : 1;
		if (!next)
			return fail(error, "-%c takes %s", *p, opt->arg);
		return set_option(o, opt, next, error) ? -1 : 2;
	}
	return 1;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] && word[1] != '.' && !isdigit((unsigned char)word[1]);
}

int options_parse(struct options *o, int argc, char **argv, char error[static OPTION_ERROR_LEN])
{
	int n_words = 0, i = 1;

	*o = (struct options){.timeout_ms = TIMEOUT_DEFAULT_MS,
	                      .interval_ms = INTERVAL_DEFAULT_MS,
	                      .words = argv};
	while (i < argc) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;
		int took = 1;

		if (!strcmp(argv[i], "--")) {
			for (i++; i < argc; i++)
				argv[n_words++] = argv[i];
			break;
		}
		if (!is_option(argv[i]))
			argv[n_words++] = argv[i];
		else if (argv[i][1] == '-')
			took = take_long(o, argv[i], next, error);
		else
			took = take_letters(o, argv[i], next, error);
		if (took < 0)
			return -1;
		i += took;
	}
	o->n_words = (size_t)n_words;
	if (o->n_scripts && o->n_words)
		return fail(error, "either -e or a command, not both (found '%.80s')", o->words[0]);
	return 0;
}

int options_check_scope(const struct options *o, unsigned scopes, const char *what,
                        char error[static OPTION_ERROR_LEN])
{
	for (size_t i = 0; i < N_OPTIONS; i++)
		if ((o->seen >> i & 1) && table[i].scopes && !(table[i].scopes & scopes))
			return fail(error, "--%s is no option of %s", table[i].name, what);
	return 0;
}

void options_write_help(FILE *f, unsigned scope)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		const struct option *opt = &table[i];
		char form[40];

		if (scope ? !(opt->scopes & scope) : opt->scopes != 0)
			continue;
		snprintf(form, sizeof(form), "--%s%s%s", opt->name, opt->arg ? " " : "",
		         opt->arg ? opt->arg : "");
		if (opt->letter)
			fprintf(f, "  -%c, %-20s %s\n", opt->letter, form, opt->help);
		else
			fprintf(f, "      %-20s %s\n", form, opt->help);
	}
}

void options_write_names(FILE *f)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		if (table[i].letter)
			fprintf(f, "-%c\n", table[i].letter);
		fprintf(f, "--%s\n", table[i].name);
	}
}
