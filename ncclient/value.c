/*
 * A JSON value in memory
 *
 * A tree by value: each container owns an array of its items. It is only built by literal.c, which
 * bounds its depth, so that the recursion here is bounded too.
 */

#include "ncclient/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncclient/text.h"

void value_fini(struct value *v)
{
	for (size_t i = 0; i < v->n_items; i++)
		value_fini(&v->items[i]);
	free(v->items);
	free(v->key);
	free(v->text);
	*v = (struct value){0};
}

int value_set_string(struct value *v, const char *s, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, s, len);
	copy[len] = 0;
	value_fini(v);
	v->kind = VALUE_STRING;
	v->text = copy;
	v->len = len;
	return 0;
}

struct value *value_push(struct value *v, size_t *n_room)
{
	struct value *item;

	if (v->n_items == *n_room) {
		size_t room = *n_room ? *n_room * 2 : 4;
		struct value *items = reallocarray(v->items, room, sizeof(*items));

		if (!items)
			return NULL;
		v->items = items;
		*n_room = room;
	}
	item = &v->items[v->n_items++];
	*item = (struct value){0};
	return item;
}

static const struct value *get(const struct value *v, const char *key, size_t len)
{
	if (!v || v->kind != VALUE_OBJECT)
		return NULL;
	for (size_t i = v->n_items; i; i--) {
		const struct value *item = &v->items[i - 1];

		if (item->key_len == len && !memcmp(item->key, key, len))
			return item;
	}
	return NULL;
}

const struct value *value_get(const struct value *v, const char *key)
{
	return get(v, key, strlen(key));
}

const struct value *value_path(const struct value *v, const char *path)
{
	while (v && *path) {
		size_t len = strcspn(path, ".");

		v = get(v, path, len);
		path += len + (path[len] == '.');
	}
	return v;
}

const char *value_str(const struct value *v, const char *fallback)
{
	return v && v->kind == VALUE_STRING ? v->text : fallback;
}

uint64_t value_u64(const struct value *v, uint64_t fallback)
{
	char *end;
	unsigned long long n;
	double d;

	if (!v || v->kind != VALUE_NUMBER || v->text[0] == '-')
		return fallback;
	errno = 0;
	n = strtoull(v->text, &end, 10);
	if (!*end && !errno)
		return n;
	d = strtod(v->text, &end);
	return d >= 0 && d < 0x1p64 ? (uint64_t)d : fallback;
}

bool value_bool(const struct value *v)
{
	return v && v->kind == VALUE_TRUE;
}

size_t value_count(const struct value *v)
{
	return v ? v->n_items : 0;
}

static void put_escaped(FILE *f, uint32_t c)
{
	switch (c) {
	case '"': fputs("\\\"", f); break;
	case '\\': fputs("\\\\", f); break;
	case '\b': fputs("\\b", f); break;
	case '\f': fputs("\\f", f); break;
	case '\n': fputs("\\n", f); break;
	case '\r': fputs("\\r", f); break;
	case '\t': fputs("\\t", f); break;
	default: fprintf(f, "\\u%04x", (unsigned)c); break;
	}
}

void value_write_string(FILE *f, const char *s, size_t len)
{
	uint32_t c;
	size_t n;

	putc('"', f);
	for (; len; s += n, len -= n) {
		n = text_decode(s, len, &c);
		if (!n) {
			n = 1;
			fputs("\xef\xbf\xbd", f);
		} else if (c == '"' || c == '\\' || text_is_control(c)) {
			put_escaped(f, c);
		} else {
			fwrite(s, 1, n, f);
		}
	}
	putc('"', f);
}

static void put_line(FILE *f, unsigned depth)
{
	putc('\n', f);
	while (depth--)
		putc('\t', f);
}

static void write_at(FILE *f, const struct value *v, bool pretty, unsigned depth);

static void write_items(FILE *f, const struct value *v, bool pretty, unsigned depth)
{
	for (size_t i = 0; i < v->n_items; i++) {
		const struct value *item = &v->items[i];

		if (i)
			putc(',', f);
		if (pretty)
			put_line(f, depth + 1);
		if (v->kind == VALUE_OBJECT) {
			value_write_string(f, item->key, item->key_len);
			fputs(pretty ? ": " : ":", f);
		}
		write_at(f, item, pretty, depth + 1);
	}
	if (pretty && v->n_items)
		put_line(f, depth);
}

static void write_at(FILE *f, const struct value *v, bool pretty, unsigned depth)
{
	switch (v->kind) {
	case VALUE_NULL: fputs("null", f); break;
	case VALUE_FALSE: fputs("false", f); break;
	case VALUE_TRUE: fputs("true", f); break;
	case VALUE_NUMBER: fputs(v->text, f); break;
	case VALUE_STRING: value_write_string(f, v->text, v->len); break;
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		putc(v->kind == VALUE_ARRAY ? '[' : '{', f);
		write_items(f, v, pretty, depth);
		putc(v->kind == VALUE_ARRAY ? ']' : '}', f);
		break;
	}
}

void value_write(FILE *f, const struct value *v, bool pretty)
{
	write_at(f, v, pretty, 0);
}
