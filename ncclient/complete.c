/*
 * What could stand at the cursor
 *
 * A line that is being typed is not yet a line that parses, so this walks over it by itself: it
 * knows strings, nesting and separators, and nothing else.
 */

#include "ncclient/complete.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ncclient/call.h"
#include "ncclient/command.h"

/* The state of the walk. */
struct walk {
	size_t name_at;  /* of the word that was last begun outside of parentheses */
	size_t name_len; /* 0: none */
	size_t depth;    /* of ( [ { */
	bool in_call;
	size_t arg;
	size_t text_at;  /* of the string that was last begun, behind its quote */
	size_t text_len; /* of the argument, where it is a complete string */
	char quote;      /* of the string that is open, or 0 */
	size_t word_at;  /* of what is typed without quotes */
	char before[COMPLETE_ARG_LEN];
};

static void end_argument(struct walk *w, const char *line)
{
	w->before[0] = 0;
	if (w->text_len && w->text_len < COMPLETE_ARG_LEN) {
		memcpy(w->before, line + w->text_at, w->text_len);
		w->before[w->text_len] = 0;
	}
	w->text_len = 0;
	w->arg++;
}

/* Steps over a byte outside of strings and inside of a call. */
static void step_call(struct walk *w, const char *line, size_t i)
{
	switch (line[i]) {
	case '(':
	case '[':
	case '{': w->depth++; break;
	case ')':
	case ']':
	case '}':
		if (--w->depth)
			break;
		w->in_call = false;
		w->name_len = 0;
		break;
	case ',':
		if (w->depth == 1)
			end_argument(w, line);
		break;
	case '"':
	case '\'':
		w->quote = line[i];
		w->text_at = i + 1;
		break;
	default: return;
	}
	w->word_at = i + 1;
}

static void step_outside(struct walk *w, const char *line, size_t i)
{
	if (call_is_name_char((unsigned char)line[i])) {
		if (!w->name_len)
			w->name_at = i;
		w->name_len = i + 1 - w->name_at;
		return;
	}
	if (line[i] == '(' && w->name_len) {
		w->in_call = true;
		w->depth = 1;
		w->arg = 0;
		w->text_len = 0;
		w->before[0] = 0;
		w->word_at = i + 1;
		return;
	}
	if (line[i] != ' ' && line[i] != '\t')
		w->name_len = 0;
}

static void walk(struct walk *w, const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (w->quote) {
			if (line[i] == '\\') {
				i++;
			} else if (line[i] == w->quote) {
				w->quote = 0;
				w->text_len = w->depth == 1 ? i - w->text_at : 0;
				w->word_at = i + 1;
			}
		} else if (w->in_call) {
			step_call(w, line, i);
			if (w->word_at == i && (line[i] == ' ' || line[i] == '\t'))
				w->word_at = i + 1;
		} else {
			step_outside(w, line, i);
		}
	}
}

void complete_find(const char *line, size_t len, struct complete_place *out)
{
	struct walk w = {0};

	*out = (struct complete_place){0};
	walk(&w, line, len);
	if (!w.in_call) {
		bool inside = w.name_len && w.name_at + w.name_len == len;
		bool fresh = !len || line[len - 1] == ' ' || line[len - 1] == ';';

		if (w.name_len && !inside)
			return;
		if (!inside && !fresh)
			return;
		out->kind = COMPLETE_FUNCTION;
		out->word_at = inside ? w.name_at : len;
		return;
	}
	if (w.depth != 1 || (!w.quote && w.text_len))
		return;
	out->command = command_find(line + w.name_at, w.name_len);
	if (!out->command || w.arg >= command_params(out->command))
		return;
	out->kind = COMPLETE_ARGUMENT;
	out->quote = w.quote;
	out->word_at = w.quote ? w.text_at : w.word_at;
	out->arg = w.arg;
	memcpy(out->before, w.before, sizeof(out->before));
}

int complete_add(struct complete_list *l, const char *s, const char *prefix, size_t len)
{
	size_t i = 0;
	char *copy;

	if (strncmp(s, prefix, len) || l->n == COMPLETE_LIST_MAX)
		return 0;
	while (i < l->n && strcmp(l->items[i], s) < 0)
		i++;
	if (i < l->n && !strcmp(l->items[i], s))
		return 0;
	if (l->n == l->n_room) {
		size_t room = l->n_room ? l->n_room * 2 : 32;
		char **items = reallocarray(l->items, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		l->items = items;
		l->n_room = room;
	}
	copy = strdup(s);
	if (!copy)
		return -ENOMEM;
	memmove(l->items + i + 1, l->items + i, (l->n - i) * sizeof(*l->items));
	l->items[i] = copy;
	l->n++;
	return 0;
}

size_t complete_common(const struct complete_list *l)
{
	size_t n = l->n ? strlen(l->items[0]) : 0;

	for (size_t i = 1; i < l->n; i++) {
		size_t same = 0;

		while (same < n && l->items[i][same] == l->items[0][same])
			same++;
		n = same;
	}
	return n;
}

void complete_fini(struct complete_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct complete_list){0};
}
