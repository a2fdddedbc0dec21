/*
 * A line of the command line: calls of functions
 *
 * Knows no function: commands.c looks the names up, and checks number and kind of the arguments.
 */

#include "ncclient/call.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncclient/literal.h"
#include "ncclient/value.h"

bool call_is_name_char(int c)
{
	return isalnum(c) || c == '_' || c == '-' || c == '.';
}

/* White space, and a comment, which reaches to the end. */
static void skip_blank(struct literal_reader *r)
{
	literal_skip_space(r);
	if (literal_peek(r) == '#' || (r->len - r->at >= 2 && !memcmp(r->text + r->at, "//", 2)))
		r->at = r->len;
}

static int read_name(struct literal_reader *r, struct call *call)
{
	size_t start = r->at;
	int c = literal_peek(r);

	if (c < 0 || isdigit(c) || c == '-' || !call_is_name_char(c))
		return literal_fail(r, r->at, "expected the name of a function; help() lists them");
	while (call_is_name_char(literal_peek(r)))
		r->at++;
	call->name_at = start;
	call->name = strndup(r->text + start, r->at - start);
	return call->name ? 0 : -ENOMEM;
}

static int read_call(struct literal_reader *r, struct call *call)
{
	struct value list = {.kind = VALUE_ARRAY};
	int rc = read_name(r, call);

	if (rc)
		return rc;
	literal_skip_space(r);
	if (literal_peek(r) == '(') {
		r->at++;
		rc = literal_read_list(r, &list, ')');
	}
	call->end_at = r->at;
	call->args = list.items;
	call->n_args = list.n_items;
	return rc;
}

static int read_line(struct literal_reader *r, struct calls *out)
{
	int rc;

	for (;;) {
		skip_blank(r);
		if (literal_peek(r) == ';') {
			r->at++;
			continue;
		}
		if (r->at >= r->len)
			return 0;
		if (out->n == CALL_MAX)
			return literal_fail(r, r->at, "more than %u calls on one line", CALL_MAX);
		out->n++;
		rc = read_call(r, &out->items[out->n - 1]);
		if (rc)
			return rc;
		skip_blank(r);
		if (r->at < r->len && literal_peek(r) != ';')
			return literal_fail(r, r->at, "expected '(', ';' or the end");
	}
}

int calls_parse(const char *line, size_t len, struct calls *out, struct literal_error *error)
{
	struct literal_reader r = {.text = line, .len = len, .relaxed = true, .error = error};
	int rc;

	out->n = 0;
	out->items = calloc(CALL_MAX, sizeof(*out->items));
	if (!out->items)
		return -ENOMEM;
	rc = read_line(&r, out);
	if (rc)
		calls_fini(out);
	return rc;
}

void calls_fini(struct calls *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct value list = {.kind = VALUE_ARRAY};

		list.items = c->items[i].args;
		list.n_items = c->items[i].n_args;
		value_fini(&list);
		free(c->items[i].name);
	}
	free(c->items);
	*c = (struct calls){0};
}
