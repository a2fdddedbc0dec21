/*
 * The commands, as data
 *
 * One table says for each command its names, its parameters and its help. Function calls, words of
 * the shell's command line, help() and completion all work from it; run.c holds what they do.
 */
#ifndef NC_NCCLIENT_COMMAND_H
#define NC_NCCLIENT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct call;
struct literal_error;

enum command_id {
	COMMAND_SHOWCONFIG,
	COMMAND_RELOADCONFIG,
	COMMAND_SHOWCHANNEL,
	COMMAND_SHOWCLIENT,
	COMMAND_CHANNELS,
	COMMAND_CLIENTS,
	COMMAND_RULES,
	COMMAND_STATS,
	COMMAND_SLOW,
	COMMAND_TRACE,
	COMMAND_PEERS,
	COMMAND_NET,
	COMMAND_LANES,
	COMMAND_PROBE,
	COMMAND_KEYS,
	COMMAND_KEYINSTALL,
	COMMAND_KEYUSE,
	COMMAND_KEYREMOVE,
	COMMAND_EMIT,
	COMMAND_LISTEN,
	COMMAND_WATCH,
	COMMAND_UNWATCH,
	COMMAND_TOP,
	COMMAND_PING,
	COMMAND_SET,
	COMMAND_HELP,
	COMMAND_QUIT,
	N_COMMANDS,
};

/* What a parameter is: decides how it is checked and completed. */
enum param_kind {
	PARAM_CHANNEL,
	PARAM_CLIENT,
	PARAM_EVENT,
	PARAM_PATTERN,
	PARAM_FILE,
	PARAM_KEY,     /* the id of one */
	PARAM_TOPIC,   /* name of a command */
	PARAM_SETTING, /* of set() */
	PARAM_SETTING_VALUE,
	PARAM_JSON, /* any value */
};

#define COMMAND_PARAMS_MAX 3u

struct param {
	const char *name; /* NULL: no such parameter */
	enum param_kind kind;
	bool optional;
};

enum command_flags {
	COMMAND_IN_SHELL = 1u << 0, /* ncclient NAME ... */
	COMMAND_IN_REPL = 1u << 1,  /* NAME(...) */
};

struct command {
	enum command_id id;
	const char *name;
	const char *alias; /* another name, or NULL */
	unsigned flags;
	struct param params[COMMAND_PARAMS_MAX];
	const char *summary; /* one line */
	const char *help;    /* the rest, lines with newlines, or NULL */
};

/* The command with that number, below N_COMMANDS: the order of help(). */
const struct command *command_at(size_t i);

/* The command of that name or alias, of LEN bytes; NULL where there is none. */
const struct command *command_find(const char *name, size_t len);

/* The name of a command or option that was probably meant by NAME; NULL where none is near. */
const char *command_suggest(const char *name);

/* How far apart two names are: insertions, deletions, replacements and swaps of neighbours. */
size_t command_distance(const char *a, const char *b);

size_t command_params(const struct command *c);
size_t command_params_needed(const struct command *c);

/* Writes the form of a call, 'emit("channel", "event"[, data])', to OUT. */
void command_form(const struct command *c, char *out, size_t size);

/* Writes its form in the shell, 'emit CHANNEL EVENT [DATA]', to OUT. */
void command_words(const struct command *c, char *out, size_t size);

/* Looks up the function that is called, and checks number and kind of the arguments. Returns NULL
 * and sets *ERROR where something is wrong. */
const struct command *command_check(const struct call *call, struct literal_error *error);

#endif
