/* lctoken.c - the tokens of libconfig's format
 *
 * Each token is copied, changed or refused. Only so much is known of what may follow what as is
 * needed to tell a key from a value, and to keep from libconfig what it would leak.
 */

#include "ncserver/conf/lcpass.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libnc/base/utf8.h"
#include "ncserver/conf/cnode.h"
#include "ncserver/conf/lcword.h"

static bool in_list(struct lcpass *ps)
{
	const struct lcscope *s = lcpass_inner(ps);

	return s && s->bracket != '{';
}

/* Whether a value may come now. */
static bool value_fits(struct lcpass *ps)
{
	return ps->last == LC_ASSIGN ||
	       (in_list(ps) && (ps->last == LC_OPEN || ps->last == LC_COMMA));
}

static int count_value(struct lcpass *ps, const struct lccursor *c)
{
	/* with the root there is one node more */
	if (++ps->n_values < CNODE_MAX)
		return 0;
	return lcpass_refuse(ps, c, c->line, "too many values");
}

/* Notes the key whose '=' has come; a group must not have it yet. */
static int add_key(struct lcpass *ps, const struct lccursor *c)
{
	const struct lcscope *s = lcpass_inner(ps);
	size_t first = s ? s->first_key : 0;

	if (ps->n_all_keys++ >= CNODE_ALL_KEYS_MAX)
		return lcpass_refuse(ps, c, c->line, "more than %u keys", CNODE_ALL_KEYS_MAX);
	if (ps->n_keys - first >= CNODE_KEYS_MAX)
		return lcpass_refuse(ps, c, c->line, "more than %u keys in one group",
		                     CNODE_KEYS_MAX);
	for (size_t i = first; i < ps->n_keys; i++) {
		const struct lckey *k = &ps->keys[i];

		if (k->len != ps->name.len || memcmp(k->s, ps->name.s, k->len))
			continue;
		if (k->file == ps->name.file)
			lcpass_complain(ps, c, ps->name.line,
			                "%.*s: stands twice, first in line %u", (int)k->len, k->s,
			                k->line);
		else
			lcpass_complain(ps, c, ps->name.line, "%.*s: stands twice, first in %s:%u",
			                (int)k->len, k->s, k->file, k->line);
		return 0;
	}
	if (ps->n_keys == ps->keys_cap) {
		size_t cap = ps->keys_cap ? 2 * ps->keys_cap : 64;
		struct lckey *more = reallocarray(ps->keys, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		ps->keys = more;
		ps->keys_cap = cap;
	}
	ps->keys[ps->n_keys++] = ps->name;
	return 0;
}

static int on_open(struct lcpass *ps, struct lccursor *c)
{
	if (ps->depth == CONF_DEPTH_MAX)
		return lcpass_refuse(ps, c, c->line, "nested too deeply");
	ps->scopes[ps->depth++] = (struct lcscope){*c->p, c->file, c->line, ps->n_keys};
	ps->last = LC_OPEN;
	return count_value(ps, c);
}

static int on_close(struct lcpass *ps, struct lccursor *c)
{
	const struct lcscope *s = lcpass_inner(ps);
	char partner = *c->p == '}' ? '{' : *c->p == ']' ? '[' : '(';

	if (!s)
		return lcpass_refuse(ps, c, c->line, "'%c' closes nothing", *c->p);
	if (s->bracket != partner)
		return lcpass_refuse(ps, c, c->line, "'%c' closes the '%c' of line %u", *c->p,
		                     s->bracket, s->line);
	ps->n_keys = s->first_key;
	ps->depth--;
	ps->last = LC_END;
	return 0;
}

static int on_punctuation(struct lcpass *ps, struct lccursor *c)
{
	int r = 0;

	switch (*c->p) {
	case '{':
	case '[':
	case '(': r = on_open(ps, c); break;
	case '}':
	case ']':
	case ')': r = on_close(ps, c); break;
	case '=':
	case ':':
		if (ps->last == LC_NAME)
			r = add_key(ps, c);
		ps->last = LC_ASSIGN;
		break;
	case ',': ps->last = LC_COMMA; break;
	default: ps->last = LC_END; break;
	}
	if (r)
		return r;
	return lcpass_put(ps, c->p++, 1);
}

/* A comment has become nothing, or newlines. */
static int on_comment(struct lcpass *ps, struct lccursor *c)
{
	unsigned line = c->line, n = 0;

	if (*c->p == '#' || c->p[1] == '/') {
		while (c->p < c->end && *c->p != '\n')
			c->p++;
		return 0;
	}
	for (c->p += 2; c->end - c->p >= 2 && memcmp(c->p, "*/", 2); c->p++)
		n += *c->p == '\n';
	if (c->end - c->p < 2)
		return lcpass_refuse(ps, c, line, "a comment without an end");
	c->p += 2;
	c->line += n;
	/* two tokens that only a comment parts stay two */
	return n ? lcpass_put_newlines(ps, n) : lcpass_put(ps, " ", 1);
}

static int put_string_byte(struct lcpass *ps, struct lccursor *c, unsigned *n_lines)
{
	size_t len = 1;

	if (*c->p == '\n') {
		(*n_lines)++;
		c->p++;
		return lcpass_put(ps, "\\n", 2);
	}
	if (*c->p == '\\') {
		if (c->end - c->p < 2 || !lcword_is_escape(c->p, c->end))
			lcpass_complain(ps, c, c->line + *n_lines,
			                "an unknown escape in a string (a backslash is \"\\\\\")");
		len = c->end - c->p < 2 ? 1 : 2;
		if (len == 2 && c->p[1] == '\n')
			len = 1;
	}
	c->p += len;
	return lcpass_put(ps, c->p - len, len);
}

static int on_string(struct lcpass *ps, struct lccursor *c)
{
	unsigned n_lines = 0;
	int r;

	if (!value_fits(ps) && ps->last != LC_STRING)
		return lcpass_refuse(
		        ps, c, c->line,
		        "a string where none may stand (a key has no quotes; or is a ';' or ',' missing?)");
	r = ps->last == LC_STRING ? 0 : count_value(ps, c);
	ps->last = LC_STRING;
	if (!r)
		r = lcpass_put(ps, c->p++, 1);
	while (!r && c->p < c->end && *c->p != '"')
		r = put_string_byte(ps, c, &n_lines);
	if (r)
		return r;
	if (c->p == c->end)
		return lcpass_refuse(ps, c, c->line, "a string without an end");
	c->line += n_lines;
	r = lcpass_put(ps, c->p++, 1);
	return r ? r : lcpass_put_newlines(ps, n_lines);
}

static int on_number(struct lcpass *ps, const struct lccursor *c, const char *word)
{
	int64_t value;
	int r = lcword_integer(&value, word);

	ps->last = LC_VALUE;
	if (!r)
		return buf_printf(&ps->t->out, "%lldL", (long long)value);
	if (lcword_is_float(word))
		return lcpass_put(ps, word, strlen(word));
	if (r == -ERANGE)
		lcpass_complain(ps, c, c->line, "%s: a number beyond 64 bits", word);
	else
		lcpass_complain(
		        ps, c, c->line,
		        "%s: neither a number nor a name, which begins with a letter (a channel of "
		        "that name goes into a list: channels = ( { name = \"%s\"; } ))",
		        word, word);
	return 0;
}

static int on_name(struct lcpass *ps, const struct lccursor *c, const char *word)
{
	ps->name = (struct lckey){c->p, strlen(word), c->file, c->line};
	if (!value_fits(ps)) {
		ps->last = LC_NAME;
		return lcpass_put(ps, word, strlen(word));
	}
	ps->last = LC_VALUE;
	if (!strcasecmp(word, "true") || !strcasecmp(word, "false"))
		return lcpass_put(ps, word, strlen(word));
	lcpass_complain(
	        ps, c, c->line,
	        "%s: a bare word (text stands in quotes, and what is on or off is true or false)",
	        word);
	return 0;
}

static int on_word(struct lcpass *ps, struct lccursor *c)
{
	size_t len = lcword_len(c->p, c->end);
	char word[256];
	int r = 0;

	if (len >= sizeof(word))
		return lcpass_refuse(ps, c, c->line, "a word of %zu characters", len);
	memcpy(word, c->p, len);
	word[len] = 0;
	if (value_fits(ps))
		r = count_value(ps, c);
	if (!r)
		r = lcword_is_name(word) ? on_name(ps, c, word) : on_number(ps, c, word);
	c->p += len;
	return r;
}

static bool begins(const struct lccursor *c, const char *s)
{
	size_t len = strlen(s);

	return (size_t)(c->end - c->p) >= len && !memcmp(c->p, s, len);
}

static int on_blank(struct lcpass *ps, struct lccursor *c)
{
	c->p++;
	return lcpass_put(ps, " ", 1);
}

static int on_stranger(struct lcpass *ps, struct lccursor *c)
{
	uint32_t character;
	size_t len = utf8_decode(c->p, (size_t)(c->end - c->p), &character);

	return lcpass_refuse(ps, c, c->line, "'%.*s' means nothing here", (int)len, c->p);
}

int lcpass_token(struct lcpass *ps, struct lccursor *c)
{
	if (*c->p == '\n') {
		c->p++;
		c->line++;
		return lcpass_put_newlines(ps, 1);
	}
	if (strchr(" \t\r\f", *c->p))
		return on_blank(ps, c);
	if (*c->p == '#' || begins(c, "//") || begins(c, "/*"))
		return on_comment(ps, c);
	if (*c->p == '"')
		return on_string(ps, c);
	if (strchr("{}[]()=:,;", *c->p))
		return on_punctuation(ps, c);
	if (begins(c, "@include"))
		return lcpass_include(ps, c);
	if (lcword_len(c->p, c->end))
		return on_word(ps, c);
	return on_stranger(ps, c);
}
