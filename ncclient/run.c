/*
 * Running commands: from function calls, from scripts, from the shell
 *
 * A command of the shell becomes a call whose arguments are texts, so that both run the same way.
 * Those whose words mean more than that (emit, listen, top) take them from the options.
 */

#include "ncclient/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncclient/actions.h"
#include "ncclient/call.h"
#include "ncclient/command.h"
#include "ncclient/literal.h"
#include "ncclient/option.h"
#include "ncclient/session.h"
#include "ncclient/text.h"
#include "ncclient/value.h"

/* ---- help */

static void put_commands(FILE *f, unsigned flag)
{
	char form[80];

	for (size_t i = 0; i < N_COMMANDS; i++) {
		const struct command *c = command_at(i);

		if (!(c->flags & flag))
			continue;
		if (flag == COMMAND_IN_REPL)
			command_form(c, form, sizeof(form));
		else
			command_words(c, form, sizeof(form));
		if (strlen(form) <= 30)
			fprintf(f, "  %-30s %s\n", form, c->summary);
		else
			fprintf(f, "  %s\n  %30s %s\n", form, "", c->summary);
	}
}

static void help_program(FILE *f)
{
	fputs("usage: ncclient [options] [command [word ...]]\n"
	      "       ncclient [options] -e 'function(...)' ...\n"
	      "       ncclient [options] < script\n\n"
	      "Looks into a running ncserver, and speaks on its channels. Without a command it\n"
	      "is a command line: functions are called there, help() lists them.\n\n"
	      "commands:\n",
	      f);
	put_commands(f, COMMAND_IN_SHELL);
	fputs("\noptions:\n", f);
	options_write_help(f, OPTION_ANYWHERE);
	options_write_help(f, OPTION_SCRIPT);
	fputs("\n'ncclient help COMMAND' tells more, ncclient(1) all.\n", f);
}

static unsigned scopes_of(enum command_id id)
{
	switch ((int)id) {
	case COMMAND_EMIT: return OPTION_EMIT;
	case COMMAND_LISTEN: return OPTION_LISTEN;
	case COMMAND_TOP: return OPTION_TOP;
	case COMMAND_KEYUSE:
	case COMMAND_KEYREMOVE: return OPTION_KEY;
	default: return 0;
	}
}

static void help_command(FILE *f, const struct command *c, bool in_repl)
{
	char form[80];

	if (!in_repl && (c->flags & COMMAND_IN_SHELL)) {
		command_words(c, form, sizeof(form));
		fprintf(f, "ncclient %s\n", form);
	}
	if (c->flags & COMMAND_IN_REPL) {
		command_form(c, form, sizeof(form));
		fprintf(f, "%s\n", form);
	}
	fprintf(f, "  %s\n", c->summary);
	if (c->help)
		fprintf(f, "\n%s", c->help);
	if (!in_repl && scopes_of(c->id)) {
		fputs("\noptions:\n", f);
		options_write_help(f, scopes_of(c->id));
	}
}

void run_help(struct session *s, const struct command *c)
{
	if (c)
		help_command(s->out.f, c, false);
	else
		help_program(s->out.f);
}

static enum status help_topic(struct session *s, const char *topic, bool as_function)
{
	const struct command *c = topic ? command_find(topic, strlen(topic)) : NULL;
	const char *meant = topic && !c ? command_suggest(topic) : NULL;

	if (!topic && as_function) {
		put_commands(s->out.f, COMMAND_IN_REPL);
		return STATUS_OK;
	}
	if (c && as_function) {
		help_command(s->out.f, c, true);
		return STATUS_OK;
	}
	if (!topic || c) {
		run_help(s, c);
		return STATUS_OK;
	}
	if (meant)
		session_complain(s, "no command %s; did you mean %s?", topic, meant);
	else
		session_complain(s, "no command %s", topic);
	return STATUS_USAGE;
}

/* ---- one call */

/* A text argument; NULL where it is left out, or null. */
static const char *arg(const struct call *call, size_t i)
{
	return i < call->n_args ? value_str(&call->args[i], NULL) : NULL;
}

static enum status run_listen(struct session *s, const struct options *o, const struct call *call)
{
	struct listen_options options = {
	        .count = o->count,
	        .limit_ms = o->has_timeout ? o->timeout_ms : 0,
	        .raw = o->raw,
	        .reliable = o->reliable,
	        .no_reconnect = o->no_reconnect,
	};

	return listen_run(s, arg(call, 0), arg(call, 1) ? arg(call, 1) : ">", &options);
}

/* keyuse("id", true), or --force. */
static bool is_forced(const struct options *o, const struct call *call)
{
	return o->force || (call->n_args > 1 && (call->args[1].kind == VALUE_TRUE ||
	                                         !strcmp(value_str(&call->args[1], ""), "true")));
}

static enum status run_call(struct session *s, const struct options *o, const struct command *c,
                            const struct call *call, bool *quit)
{
	switch (c->id) {
	case COMMAND_SHOWCONFIG: return ask_simple(s, "nc-control-showconfig");
	case COMMAND_CHANNELS: return ask_simple(s, "nc-control-channels");
	case COMMAND_RULES: return ask_simple(s, "nc-control-rules");
	case COMMAND_STATS: return ask_simple(s, "nc-control-stats");
	case COMMAND_SLOW: return ask_simple(s, "nc-control-slow");
	case COMMAND_RELOADCONFIG: return ask_reload(s, arg(call, 0));
	case COMMAND_SHOWCHANNEL: return ask_channel(s, arg(call, 0));
	case COMMAND_SHOWCLIENT: return ask_client(s, arg(call, 0), arg(call, 1));
	case COMMAND_CLIENTS: return ask_clients(s, arg(call, 0));
	case COMMAND_PEERS: return ask_simple(s, "nc-control-peers");
	case COMMAND_NET: return ask_simple(s, "nc-control-net");
	case COMMAND_LANES: return ask_simple(s, "nc-control-lanes");
	case COMMAND_PROBE: return ask_probe(s);
	case COMMAND_KEYS: return ask_simple(s, "nc-control-keys");
	case COMMAND_KEYINSTALL: return ask_key_file(s, arg(call, 0));
	case COMMAND_KEYUSE:
		return ask_key(s, "nc-control-keyuse", arg(call, 0), is_forced(o, call));
	case COMMAND_KEYREMOVE:
		return ask_key(s, "nc-control-keyremove", arg(call, 0), is_forced(o, call));
	case COMMAND_TRACE: return ask_trace(s, arg(call, 0), arg(call, 1));
	case COMMAND_PING: return ask_ping(s, arg(call, 0));
	case COMMAND_EMIT:
		return emit_value(s, arg(call, 0), arg(call, 1),
		                  call->n_args > 2 ? &call->args[2] : NULL);
	case COMMAND_LISTEN: return run_listen(s, o, call);
	case COMMAND_WATCH: return watch_start(s, arg(call, 0), arg(call, 1) ? arg(call, 1) : ">");
	case COMMAND_UNWATCH: return watch_end(s, arg(call, 0));
	case COMMAND_TOP: return top_run(s, o);
	case COMMAND_SET: return settings_run(s, arg(call, 0), arg(call, 1));
	/* a word of the shell has become a call without a name */
	case COMMAND_HELP: return help_topic(s, arg(call, 0), call->name);
	case COMMAND_QUIT: *quit = true; return STATUS_OK;
	case N_COMMANDS: break;
	}
	return STATUS_USAGE;
}

/* ---- lines */

/* Says what is wrong with a line, and shows where. */
static void complain_line(struct session *s, const char *line, size_t len,
                          const struct run_place *place, const struct literal_error *error)
{
	size_t row, column, width;

	literal_place(line, len, error->at, &row, &column);
	if (place->name)
		session_complain(s, "%s %lu, column %zu: %s", place->name, place->number, column,
		                 error->text);
	else
		session_complain(s, "column %zu: %s", column, error->text);
	width = text_width(line, error->at < len ? error->at : len);
	/* where the line would wrap, a mark below it would point nowhere */
	if (s->quiet || text_width(line, len) + 2 > s->out.width || memchr(line, '\n', len))
		return;
	fputs("  ", s->err);
	text_put(s->err, line, len, s->out.utf8);
	fprintf(s->err, "\n  %*s^\n", (int)width, "");
}

static enum status run_calls(struct session *s, const struct options *o, const struct calls *calls,
                             const char *line, size_t len, const struct run_place *place,
                             bool *quit)
{
	enum status first = STATUS_OK, status;
	struct literal_error error;

	for (size_t i = 0; i < calls->n && !*quit; i++) {
		const struct command *c = command_check(&calls->items[i], &error);

		if (c) {
			status = run_call(s, o, c, &calls->items[i], quit);
		} else {
			complain_line(s, line, len, place, &error);
			status = STATUS_USAGE;
		}
		if (status && !first)
			first = status;
		if (status &&
		    (!s->keep_going || status == STATUS_INTERRUPTED || status == STATUS_TERMINATED))
			break;
	}
	return first;
}

enum status run_line(struct session *s, const struct options *o, const char *line, size_t len,
                     const struct run_place *place, bool *quit)
{
	struct literal_error error;
	struct calls calls;
	enum status status;
	int rc = calls_parse(line, len, &calls, &error);

	if (rc < 0) {
		session_complain(s, "%s", strerror(-rc));
		return STATUS_OS;
	}
	if (rc) {
		complain_line(s, line, len, place, &error);
		return STATUS_USAGE;
	}
	status = run_calls(s, o, &calls, line, len, place, quit);
	calls_fini(&calls);
	return status;
}

/* Notes how a line of a script ended. Returns whether the next one runs. */
static bool goes_on(const struct session *s, enum status status, enum status *first)
{
	if (status && !*first)
		*first = status;
	return !status ||
	       (s->keep_going && status != STATUS_INTERRUPTED && status != STATUS_TERMINATED);
}

enum status run_scripts(struct session *s, const struct options *o)
{
	enum status first = STATUS_OK;
	bool quit = false;

	for (size_t i = 0; i < o->n_scripts && !quit; i++) {
		struct run_place place = {.name = "-e", .number = i + 1};
		enum status status =
		        run_line(s, o, o->scripts[i], strlen(o->scripts[i]), &place, &quit);

		if (!goes_on(s, status, &first))
			break;
	}
	return first;
}

enum status run_stdin(struct session *s, const struct options *o)
{
	struct run_place place = {.name = "line"};
	enum status first = STATUS_OK;
	bool quit = false;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	while (!quit && (len = getline(&line, &room, stdin)) >= 0) {
		place.number++;
		if (len && line[len - 1] == '\n')
			len--;
		if (!goes_on(s, run_line(s, o, line, (size_t)len, &place, &quit), &first))
			break;
	}
	if (!first && ferror(stdin)) {
		session_complain(s, "cannot read standard input: %s", strerror(errno));
		first = STATUS_IO;
	}
	free(line);
	return first;
}

/* ---- words */

static enum status complain_usage(struct session *s, const struct command *c, const char *what)
{
	char form[80];

	command_words(c, form, sizeof(form));
	session_complain(s, "%s; usage: ncclient %s", what, form);
	return STATUS_USAGE;
}

static const struct command *find_word(struct session *s, const char *word)
{
	const struct command *c = command_find(word, strlen(word));
	const char *meant;

	if (c && (c->flags & COMMAND_IN_SHELL))
		return c;
	meant = c ? NULL : command_suggest(word);
	if (strchr(word, '('))
		session_complain(s, "no command %s; functions are called with -e", word);
	else if (meant)
		session_complain(s, "no command %s; did you mean %s?", word, meant);
	else
		session_complain(s, "no command %s; 'ncclient --help' lists them", word);
	return NULL;
}

static enum status run_as_call(struct session *s, const struct options *o, const struct command *c)
{
	struct value args[COMMAND_PARAMS_MAX] = {0};
	struct call call = {.args = args, .n_args = o->n_words - 1};
	enum status status = STATUS_OK;
	bool quit = false;

	for (size_t i = 0; i < call.n_args && !status; i++)
		if (value_set_string(&args[i], o->words[i + 1], strlen(o->words[i + 1])))
			status = STATUS_OS;
	if (!status)
		status = run_call(s, o, c, &call, &quit);
	for (size_t i = 0; i < call.n_args; i++)
		value_fini(&args[i]);
	return status;
}

enum status run_words(struct session *s, const struct options *o)
{
	const struct command *c = find_word(s, o->words[0]);
	char error[OPTION_ERROR_LEN];
	size_t n = o->n_words - 1;

	if (!c)
		return STATUS_USAGE;
	if (o->help) {
		run_help(s, c);
		return STATUS_OK;
	}
	if (options_check_scope(o, scopes_of(c->id), c->name, error)) {
		session_complain(s, "%s", error);
		return STATUS_USAGE;
	}
	if (n > command_params(c))
		return complain_usage(s, c, "too many words");
	if (n < command_params_needed(c))
		return complain_usage(s, c, "too few words");
	return c->id == COMMAND_EMIT ? emit_words(s, o) : run_as_call(s, o, c);
}
