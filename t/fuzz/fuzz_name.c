/*
 * Fuzz target: names, patterns, and whether they match
 *
 * The input is a pattern and an event, each on its line. The grammar is held against what can be
 * said of its bytes without knowing it, and the matcher against one that tries every way to share
 * the tokens out.
 */

#include "t/fuzz/fuzz.h"

#include "libnc/base/utf8.h"
#include "libnc/wire/name.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct text {
	const char *s;
	size_t len;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static size_t count(struct text t, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < t.len; i++)
		n += t.s[i] == c;
	return n;
}

/* Whether the dots leave no token empty, and not too many of them. */
static bool has_tokens(struct text t)
{
	if (!t.len || t.s[0] == '.' || t.s[t.len - 1] == '.')
		return false;
	for (size_t i = 1; i < t.len; i++)
		if (t.s[i] == '.' && t.s[i - 1] == '.')
			return false;
	return count(t, '.') < NC_TOKENS_MAX;
}

static bool is_ascii(struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		if ((uint8_t)t.s[i] >= 0x80)
			return false;
	return true;
}

static bool has_control(struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		if ((uint8_t)t.s[i] <= ' ' || t.s[i] == 0x7F)
			return true;
	return false;
}

/* All that the grammar asks but for the characters beyond ASCII. */
static bool may_be_event(struct text t)
{
	return has_tokens(t) && t.len <= NC_EVENT_MAX && !has_control(t) && !count(t, '*') &&
	       !count(t, '>') && utf8_valid(t.s, t.len);
}

static void check_event(struct text t)
{
	enum name_result event = name_check_event(t.s, t.len);
	enum name_result pattern = name_check_pattern(t.s, t.len);

	if (may_be_event(t))
		check(is_ascii(t) ? event == NAME_OK : event == NAME_OK || event == NAME_E_CHAR);
	else
		check(event != NAME_OK);
	if (event == NAME_OK)
		check(pattern == NAME_OK && name_pattern_is_exact(t.s, t.len));
	else if (pattern == NAME_OK)
		check(!name_pattern_is_exact(t.s, t.len));
	(void)name_event_is_reserved(t.s, t.len);
}

static void check_channel(struct text t)
{
	bool is_channel = t.len > 0 && t.len <= NC_CHANNEL_MAX;

	for (size_t i = 0; i < t.len; i++)
		if (!memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_",
		            t.s[i], 64))
			is_channel = false;
	check((name_check_channel(t.s, t.len) == NAME_OK) == is_channel);
	check(name_is_channel(t.s, t.len) == is_channel);
	if (is_channel)
		check(name_check_event(t.s, t.len) == NAME_OK);
}

static struct text first_token(struct text t)
{
	const char *dot = memchr(t.s, '.', t.len);

	return (struct text){.s = t.s, .len = dot ? (size_t)(dot - t.s) : t.len};
}

/* What is behind the first token and its dot; .s is NULL where there is nothing. */
static struct text rest(struct text t, struct text token)
{
	if (token.len == t.len)
		return (struct text){0};
	return (struct text){.s = t.s + token.len + 1, .len = t.len - token.len - 1};
}

/* The definition, as slow as it reads. */
static bool naive_match(struct text pattern, struct text event)
{
	struct text p, e;

	if (!pattern.s || !event.s)
		return !pattern.s && !event.s;
	p = first_token(pattern);
	e = first_token(event);
	if (p.len == 1 && p.s[0] == '>') {
		struct text left = rest(event, e);

		/* one token, or one more than that */
		return !left.s || naive_match(pattern, left);
	}
	if (!(p.len == 1 && p.s[0] == '*') && (p.len != e.len || memcmp(p.s, e.s, p.len) != 0))
		return false;
	return naive_match(rest(pattern, p), rest(event, e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *line = len ? memchr(data, '\n', len) : NULL;
	struct text pattern = {.s = (const char *)data, .len = len}, event;

	if (!line)
		return 0;
	pattern.len = (size_t)(line - pattern.s);
	event = (struct text){.s = line + 1, .len = len - pattern.len - 1};
	check_event(pattern);
	check_event(event);
	check_channel(pattern);
	check_channel(event);
	if (name_check_pattern(pattern.s, pattern.len) == NAME_OK &&
	    name_check_event(event.s, event.len) == NAME_OK)
		check(name_match(pattern.s, pattern.len, event.s, event.len) ==
		      naive_match(pattern, event));
	return 0;
}
