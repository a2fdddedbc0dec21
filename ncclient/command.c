/*
 * Commands by name, their form, and whether a call of one is right
 */

#include "ncclient/command.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ncclient/call.h"
#include "ncclient/literal.h"
#include "ncclient/value.h"

const struct command *command_find(const char *name, size_t len)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		const struct command *c = command_at(i);

		if (strlen(c->name) == len && !memcmp(c->name, name, len))
			return c;
		if (c->alias && strlen(c->alias) == len && !memcmp(c->alias, name, len))
			return c;
	}
	return NULL;
}

#define DISTANCE_LEN 32u

size_t command_distance(const char *a, const char *b)
{
	size_t rows[3][DISTANCE_LEN + 1] = {{0}}, *prev = rows[0], *row = rows[1], *next = rows[2];
	size_t len_a = strnlen(a, DISTANCE_LEN), len_b = strnlen(b, DISTANCE_LEN);

	for (size_t j = 0; j <= len_b; j++)
		row[j] = j;
	for (size_t i = 1; i <= len_a; i++) {
		size_t *spare = prev;

		next[0] = i;
		for (size_t j = 1; j <= len_b; j++) {
			size_t d = row[j - 1] + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < d)
				d = row[j] + 1;
			if (next[j - 1] + 1 < d)
				d = next[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    prev[j - 2] + 1 < d)
				d = prev[j - 2] + 1;
			next[j] = d;
		}
		prev = row;
		row = next;
		next = spare;
	}
	return row[len_b];
}

const char *command_suggest(const char *name)
{
	const char *best = NULL;
	size_t best_distance = strlen(name) < 5 ? 2 : 3;

	for (size_t i = 0; i < N_COMMANDS; i++) {
		const struct command *c = command_at(i);
		size_t d = command_distance(name, c->name);

		if (d >= best_distance)
			continue;
		best_distance = d;
		best = c->name;
	}
	return best;
}

size_t command_params(const struct command *c)
{
	size_t n = 0;

	while (n < COMMAND_PARAMS_MAX && c->params[n].name)
		n++;
	return n;
}

size_t command_params_needed(const struct command *c)
{
	size_t n = 0;

	while (n < COMMAND_PARAMS_MAX && c->params[n].name && !c->params[n].optional)
		n++;
	return n;
}

/* snprintf() behind what already stands in OUT. */
__attribute__((format(printf, 3, 4))) static void append(char *out, size_t size, const char *fmt,
                                                         ...)
{
	size_t len = strlen(out);
	va_list args;

	va_start(args, fmt);
	vsnprintf(out + len, size - len, fmt, args);
	va_end(args);
}

void command_form(const struct command *c, char *out, size_t size)
{
	size_t n = command_params(c), n_open = 0;

	snprintf(out, size, "%s(", c->name);
	for (size_t i = 0; i < n; i++) {
		const char *quote = c->params[i].kind == PARAM_JSON ? "" : "\"";

		if (c->params[i].optional) {
			append(out, size, "[");
			n_open++;
		}
		append(out, size, "%s%s%s%s", i ? ", " : "", quote, c->params[i].name, quote);
	}
	while (n_open--)
		append(out, size, "]");
	append(out, size, ")");
}

void command_words(const struct command *c, char *out, size_t size)
{
	size_t n_open = 0;

	snprintf(out, size, "%s", c->name);
	for (size_t i = 0; i < command_params(c); i++) {
		char upper[32] = "";

		for (size_t j = 0; c->params[i].name[j] && j + 1 < sizeof(upper); j++)
			upper[j] = (char)toupper((unsigned char)c->params[i].name[j]);
		append(out, size, c->params[i].optional ? " [%s" : " %s", upper);
		n_open += c->params[i].optional;
	}
	while (n_open--)
		append(out, size, "]");
}

static const struct command *fail(struct literal_error *error, size_t at, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

static const struct command *fail(struct literal_error *error, size_t at, const char *fmt, ...)
{
	va_list args;

	error->at = at;
	va_start(args, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, args);
	va_end(args);
	return NULL;
}

const struct command *command_check(const struct call *call, struct literal_error *error)
{
	const struct command *c = command_find(call->name, strlen(call->name));
	const char *meant;
	char form[80];
	size_t n;

	if (!c || !(c->flags & COMMAND_IN_REPL)) {
		meant = command_suggest(call->name);
		if (meant)
			return fail(error, call->name_at, "no function %.40s(); did you mean %s()?",
			            call->name, meant);
		return fail(error, call->name_at, "no function %.40s(); help() lists them",
		            call->name);
	}
	n = command_params(c);
	command_form(c, form, sizeof(form));
	if (call->n_args > n)
		return fail(error, call->args[n].at, "too many arguments: %s", form);
	if (call->n_args < command_params_needed(c))
		return fail(error, call->end_at, "\"%s\" is missing: %s",
		            c->params[call->n_args].name, form);
	for (size_t i = 0; i < call->n_args; i++) {
		const struct value *arg = &call->args[i];

		if (c->params[i].kind == PARAM_JSON || arg->kind == VALUE_STRING)
			continue;
		if (c->params[i].optional && arg->kind == VALUE_NULL)
			continue;
		return fail(error, arg->at, "\"%s\" is a text, in quotes", c->params[i].name);
	}
	for (size_t i = 0; i < call->n_args; i++)
		if (call->args[i].kind == VALUE_STRING && c->params[i].kind != PARAM_JSON &&
		    strlen(call->args[i].text) != call->args[i].len)
			return fail(error, call->args[i].at, "\"%s\" contains a NUL",
			            c->params[i].name);
	return c;
}
