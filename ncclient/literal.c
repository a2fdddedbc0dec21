/*
 * Reading values: JSON, and what people type for it
 *
 * A recursive descent over at most LITERAL_DEPTH_MAX levels. Memory is bounded by a multiple of the
 * text's length. Strings must be UTF-8; the escape of half a surrogate pair, which JSON's grammar
 * allows and no UTF-8 can hold, becomes U+FFFD.
 */

#include "ncclient/literal.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ncclient/text.h"
#include "ncclient/value.h"

int literal_fail(struct literal_reader *r, size_t at, const char *fmt, ...)
{
	va_list args;

	r->error->at = at;
	va_start(args, fmt);
	vsnprintf(r->error->text, sizeof(r->error->text), fmt, args);
	va_end(args);
	return LITERAL_E_SYNTAX;
}

void literal_place(const char *text, size_t len, size_t at, size_t *line, size_t *column)
{
	size_t start = 0;

	*line = 1;
	for (size_t i = 0; i < at && i < len; i++) {
		if (text[i] != '\n')
			continue;
		(*line)++;
		start = i + 1;
	}
	*column = text_chars(text + start, (at < len ? at : len) - start) + 1;
}

int literal_peek(const struct literal_reader *r)
{
	return r->at < r->len ? (unsigned char)r->text[r->at] : -1;
}

void literal_skip_space(struct literal_reader *r)
{
	while (r->at < r->len && r->text[r->at] && strchr(" \t\r\n", r->text[r->at]))
		r->at++;
}

static bool is_name_char(int c)
{
	return isalnum(c) || c == '_' || c == '$';
}

/* Says what stands where something else was expected. */
static int fail_expected(struct literal_reader *r, const char *what)
{
	size_t n, word = 0;
	uint32_t c;

	if (r->at >= r->len)
		return literal_fail(r, r->at, "expected %s, but the text ends here", what);
	n = text_decode(r->text + r->at, r->len - r->at, &c);
	if (!n || text_is_control(c))
		return literal_fail(r, r->at, "expected %s, not byte 0x%02x", what,
		                    (unsigned char)r->text[r->at]);
	while (r->at + word < r->len && is_name_char((unsigned char)r->text[r->at + word]))
		word++;
	if (word > n)
		n = word > 30 ? 30 : word;
	return literal_fail(r, r->at, "expected %s, not '%.*s'", what, (int)n, r->text + r->at);
}

/* ---- strings */

static int read_hex4(struct literal_reader *r, uint32_t *out)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < 4; i++, r->at++) {
		int c = literal_peek(r);

		if (c < 0 || !isxdigit(c))
			return literal_fail(r, r->at, "\\u takes four hexadecimal digits");
		n = n << 4 | (uint32_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	*out = n;
	return 0;
}

/* Behind "\u". Half a pair stands for itself, that is for nothing that there is. */
static int read_unicode(struct literal_reader *r, uint32_t *out)
{
	uint32_t low;
	size_t back;
	int rc;

	rc = read_hex4(r, out);
	if (rc || *out < 0xd800 || *out > 0xdfff)
		return rc;
	back = r->at;
	if (*out < 0xdc00 && r->len - r->at >= 2 && !memcmp(r->text + r->at, "\\u", 2)) {
		r->at += 2;
		rc = read_hex4(r, &low);
		if (rc)
			return rc;
		if (low >= 0xdc00 && low <= 0xdfff) {
			*out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
			return 0;
		}
		r->at = back;
	}
	*out = 0xfffd;
	return 0;
}

static int read_escape(struct literal_reader *r, uint32_t *out)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	int c = literal_peek(r);
	const char *letter;

	if (c == 'u') {
		r->at++;
		return read_unicode(r, out);
	}
	letter = c > 0 ? strchr(letters, c) : NULL;
	if (letter)
		*out = (unsigned char)meanings[letter - letters];
	else if (c == '\'' && r->relaxed)
		*out = '\'';
	else
		return literal_fail(r, r->at - 1,
		                    "unknown escape; JSON has \\\" \\\\ \\/ \\b \\f "
		                    "\\n \\r \\t \\uHHHH");
	r->at++;
	return 0;
}

/* Reads a string, whose opening quote is next, into memory of its own. */
static int read_string(struct literal_reader *r, char **textp, size_t *lenp)
{
	size_t start = r->at, len = 0, n;
	char quote = r->text[r->at++];
	const char *end;
	uint32_t c;
	char *text;
	int rc;

	/* nothing in a string gets longer by reading it; the first quote that ends it, or the
	 * text, bounds it where no quote is escaped */
	for (end = r->text + r->at; end < r->text + r->len && *end != quote; end++)
		if (*end == '\\' && end + 1 < r->text + r->len)
			end++;
	text = malloc((size_t)(end - r->text) - r->at + 1);
	if (!text)
		return -ENOMEM;
	while (literal_peek(r) != quote) {
		n = text_decode(r->text + r->at, r->len - r->at, &c);
		rc = 0;
		if (r->at >= r->len)
			rc = literal_fail(r, start, "this string has no closing %c", quote);
		else if (!n)
			rc = literal_fail(r, r->at, "byte 0x%02x is not UTF-8",
			                  (unsigned char)r->text[r->at]);
		else if (c < 0x20)
			rc = literal_fail(r, r->at,
			                  "a control character stands in a string as "
			                  "\\u%04x",
			                  (unsigned)c);
		r->at += n;
		if (!rc && c == '\\')
			rc = read_escape(r, &c);
		if (rc) {
			free(text);
			return rc;
		}
		len += text_encode(text + len, c);
	}
	r->at++;
	text[len] = 0;
	*textp = text;
	*lenp = len;
	return 0;
}

/* ---- numbers and words */

static size_t skip_digits(struct literal_reader *r)
{
	size_t start = r->at;

	while (isdigit(literal_peek(r)))
		r->at++;
	return r->at - start;
}

static int read_number(struct literal_reader *r, struct value *v)
{
	size_t start = r->at, first;

	if (literal_peek(r) == '-')
		r->at++;
	first = r->at;
	if (!skip_digits(r))
		return fail_expected(r, "a digit");
	if (r->text[first] == '0' && r->at - first > 1)
		return literal_fail(r, first, "a number does not begin with 0");
	if (literal_peek(r) == '.') {
		r->at++;
		if (!skip_digits(r))
			return fail_expected(r, "a digit");
	}
	if (literal_peek(r) == 'e' || literal_peek(r) == 'E') {
		r->at++;
		if (literal_peek(r) == '+' || literal_peek(r) == '-')
			r->at++;
		if (!skip_digits(r))
			return fail_expected(r, "a digit");
	}
	v->text = strndup(r->text + start, r->at - start);
	if (!v->text)
		return -ENOMEM;
	v->len = r->at - start;
	v->kind = VALUE_NUMBER;
	return 0;
}

static size_t name_len(const struct literal_reader *r)
{
	size_t n = 0;

	while (r->at + n < r->len && is_name_char((unsigned char)r->text[r->at + n]))
		n++;
	return n;
}

static int read_word(struct literal_reader *r, struct value *v)
{
	static const struct {
		const char *word;
		enum value_kind kind;
	} words[] = {{"null", VALUE_NULL}, {"true", VALUE_TRUE}, {"false", VALUE_FALSE}};
	size_t n = name_len(r);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (n != strlen(words[i].word) || memcmp(r->text + r->at, words[i].word, n))
			continue;
		v->kind = words[i].kind;
		r->at += n;
		return 0;
	}
	return fail_expected(r, n ? "a value (text needs quotes)" : "a value");
}

/* ---- containers */

static int read_value(struct literal_reader *r, struct value *v, unsigned depth);

static int read_key(struct literal_reader *r, struct value *item)
{
	int c = literal_peek(r), rc;
	size_t n;

	if (c == '"' || (c == '\'' && r->relaxed)) {
		rc = read_string(r, &item->key, &item->key_len);
		if (rc)
			return rc;
	} else {
		n = r->relaxed && !isdigit(c) ? name_len(r) : 0;
		if (!n)
			return fail_expected(r, r->relaxed ? "a key" : "a key in double quotes");
		item->key = strndup(r->text + r->at, n);
		if (!item->key)
			return -ENOMEM;
		item->key_len = n;
		r->at += n;
	}
	literal_skip_space(r);
	if (literal_peek(r) != ':')
		return fail_expected(r, "':'");
	r->at++;
	literal_skip_space(r);
	return 0;
}

/* Reads what stands between brackets, behind the opening one; with keys where it is an object. */
static int read_items(struct literal_reader *r, struct value *v, char close, unsigned depth)
{
	char expected[] = "',' or '}'";
	size_t n_room = 0;

	literal_skip_space(r);
	if (literal_peek(r) == close) {
		r->at++;
		return 0;
	}
	for (;;) {
		struct value *item = value_push(v, &n_room);
		int rc;

		if (!item)
			return -ENOMEM;
		rc = v->kind == VALUE_OBJECT ? read_key(r, item) : 0;
		if (!rc)
			rc = read_value(r, item, depth);
		if (rc)
			return rc;
		literal_skip_space(r);
		if (literal_peek(r) != ',')
			break;
		r->at++;
		literal_skip_space(r);
	}
	if (literal_peek(r) != close) {
		expected[sizeof(expected) - 3] = close;
		return fail_expected(r, expected);
	}
	r->at++;
	return 0;
}

static int read_container(struct literal_reader *r, struct value *v, unsigned depth)
{
	bool object = literal_peek(r) == '{';

	if (depth >= LITERAL_DEPTH_MAX)
		return literal_fail(r, r->at, "nested deeper than %u levels", LITERAL_DEPTH_MAX);
	v->kind = object ? VALUE_OBJECT : VALUE_ARRAY;
	r->at++;
	return read_items(r, v, object ? '}' : ']', depth + 1);
}

static int read_value(struct literal_reader *r, struct value *v, unsigned depth)
{
	int c = literal_peek(r), rc;

	v->at = r->at;
	if (c == '{' || c == '[')
		return read_container(r, v, depth);
	if (c == '"' || (c == '\'' && r->relaxed)) {
		rc = read_string(r, &v->text, &v->len);
		if (!rc)
			v->kind = VALUE_STRING;
		return rc;
	}
	if (c == '\'')
		return literal_fail(r, r->at, "JSON has strings in double quotes only");
	if (c == '-' || isdigit(c))
		return read_number(r, v);
	return read_word(r, v);
}

int literal_read_list(struct literal_reader *r, struct value *list, char close)
{
	*list = (struct value){.kind = VALUE_ARRAY};
	return read_items(r, list, close, 0);
}

int literal_parse(const char *text, size_t len, bool relaxed, struct value *v,
                  struct literal_error *error)
{
	struct literal_reader r = {.text = text, .len = len, .relaxed = relaxed, .error = error};
	int rc;

	literal_skip_space(&r);
	*v = (struct value){0};
	rc = read_value(&r, v, 0);
	if (!rc) {
		literal_skip_space(&r);
		if (r.at == r.len)
			return 0;
		rc = fail_expected(&r, "the end");
	}
	value_fini(v);
	return rc;
}
