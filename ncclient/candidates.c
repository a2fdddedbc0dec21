/*
 * What completion offers: names, channels, clients, events, files
 */

#include "ncclient/candidates.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "ncclient/actions.h"
#include "ncclient/command.h"
#include "ncclient/complete.h"
#include "ncclient/session.h"
#include "ncclient/value.h"

/* A person who presses Tab does not wait longer for a server that is stuck. */
#define ASK_MS 500u

void candidates_fini(struct candidates *c)
{
	for (size_t i = 0; i < CANDIDATES_EVENTS_MAX; i++)
		free(c->events[i]);
	*c = (struct candidates){0};
}

void candidates_heard(struct candidates *c, const char *event)
{
	size_t n = c->n_events < CANDIDATES_EVENTS_MAX ? c->n_events : CANDIDATES_EVENTS_MAX;
	char *copy;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(c->events[i], event))
			return;
	copy = strdup(event);
	if (!copy)
		return;
	free(c->events[c->n_events % CANDIDATES_EVENTS_MAX]);
	c->events[c->n_events % CANDIDATES_EVENTS_MAX] = copy;
	c->n_events++;
}

struct search {
	const struct candidates *known;
	struct session *s;
	const struct complete_place *place;
	const char *word; /* terminated */
	struct complete_list *list;
};

static void add(struct search *in, const char *s)
{
	/* without memory there is less to offer */
	(void)complete_add(in->list, s, in->word, strlen(in->word));
}

static void add_commands(struct search *in)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (command_at(i)->flags & COMMAND_IN_REPL)
			add(in, command_at(i)->name);
}

static void add_channels(struct search *in)
{
	struct value answer;

	if (session_ask_quietly(in->s, "nc-control-channels", NULL, ASK_MS, &answer))
		return;
	for (size_t i = 0; i < value_count(&answer); i++)
		add(in, value_str(value_get(&answer.items[i], "name"), ""));
	value_fini(&answer);
}

static void add_clients(struct search *in)
{
	char json[COMPLETE_ARG_LEN + 3];
	struct value answer;

	/* a channel's name needs no escapes; what does is none */
	if (strpbrk(in->place->before, "\"\\"))
		return;
	snprintf(json, sizeof(json), "\"%s\"", in->place->before);
	if (session_ask_quietly(in->s, "nc-control-showchannel", json, ASK_MS, &answer))
		return;
	for (size_t i = 0; i < value_count(&answer); i++)
		add(in, value_str(&answer.items[i], ""));
	value_fini(&answer);
}

static void add_keys(struct search *in)
{
	struct value answer;

	if (session_ask_quietly(in->s, "nc-control-keys", NULL, ASK_MS, &answer))
		return;
	for (size_t i = 0; i < value_count(&answer); i++)
		add(in, value_str(value_get(&answer.items[i], "id"), ""));
	value_fini(&answer);
}

static void add_events(struct search *in)
{
	for (size_t i = 0; i < CANDIDATES_EVENTS_MAX && in->known->events[i]; i++)
		add(in, in->known->events[i]);
}

static void add_files(struct search *in)
{
	char pattern[COMPLETE_ARG_LEN + 2];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s*", in->word);
	if (strpbrk(in->word, "*?[\\") || glob(pattern, GLOB_MARK, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		add(in, found.gl_pathv[i]);
	globfree(&found);
}

static void add_settings(struct search *in)
{
	const char *name;

	for (unsigned i = 0; (name = settings_name(i)); i++)
		add(in, name);
}

static void add_setting_values(struct search *in)
{
	const char *name;

	for (unsigned i = 0; (name = settings_value_name(in->place->before, i)); i++)
		add(in, name);
}

static void add_arguments(struct search *in)
{
	switch (in->place->command->params[in->place->arg].kind) {
	case PARAM_CHANNEL: add_channels(in); break;
	case PARAM_CLIENT: add_clients(in); break;
	case PARAM_EVENT:
	case PARAM_PATTERN: add_events(in); break;
	case PARAM_FILE: add_files(in); break;
	case PARAM_KEY: add_keys(in); break;
	case PARAM_TOPIC: add_commands(in); break;
	case PARAM_SETTING: add_settings(in); break;
	case PARAM_SETTING_VALUE: add_setting_values(in); break;
	case PARAM_JSON: break;
	}
}

void candidates_find(const struct candidates *c, struct session *s,
                     const struct complete_place *place, const char *word, size_t len,
                     struct complete_list *list)
{
	char copy[COMPLETE_ARG_LEN];
	struct search in = {.known = c, .s = s, .place = place, .word = copy, .list = list};

	if (len >= sizeof(copy))
		return;
	memcpy(copy, word, len);
	copy[len] = 0;
	if (place->kind == COMPLETE_FUNCTION)
		add_commands(&in);
	else
		add_arguments(&in);
}

const char *candidates_suffix(const struct complete_place *place, const char *candidate)
{
	const struct command *c = place->command;
	size_t len = strlen(candidate);
	bool single = place->quote == '\'';

	if (place->kind == COMPLETE_FUNCTION) {
		c = command_find(candidate, len);
		return c && command_params(c) ? "(" : "()";
	}
	/* a folder goes on */
	if (c->params[place->arg].kind == PARAM_FILE && len && candidate[len - 1] == '/')
		return "";
	if (place->arg + 1 < command_params_needed(c))
		return single ? "', " : "\", ";
	if (place->arg + 1 < command_params(c))
		return single ? "'" : "\"";
	return single ? "')" : "\")";
}
