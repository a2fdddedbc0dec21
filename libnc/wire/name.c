/* name.c - the grammar of channel names, event names and event patterns
 *
 * One walk over the tokens checks events and patterns alike; they differ only in whether a token
 * may be a wildcard. Matching trusts that both sides have been checked, and is a walk of two
 * cursors without back-tracking: '*' takes one whole token and '>' stands at the end, so there is
 * never a choice.
 */

#include "libnc/wire/name.h"

#include "libnc/base/utf8.h"

#include <string.h>

const uint8_t name_channel_chars[256] = {
        ['-'] = 1, ['_'] = 1, ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
};

/* Ranges beyond ASCII that no name holds; name.h says why. Sorted. */
static const struct {
	uint32_t first;
	uint32_t last;
} refused[] = {
        {0x0080, 0x00A0},   /* C1 controls, no-break space */
        {0x00AD, 0x00AD},   /* soft hyphen */
        {0x061C, 0x061C},   /* Arabic letter mark */
        {0x1680, 0x1680},   /* Ogham space */
        {0x180E, 0x180E},   /* Mongolian vowel separator */
        {0x2000, 0x200B},   /* spaces, zero-width space */
        {0x200E, 0x200F},   /* direction marks */
        {0x2028, 0x202F},   /* line and paragraph separator, direction, narrow space */
        {0x205F, 0x206F},   /* mathematical space, joiners, direction, deprecated formats */
        {0x3000, 0x3000},   /* ideographic space */
        {0xFDD0, 0xFDEF},   /* noncharacters */
        {0xFEFF, 0xFEFF},   /* byte order mark */
        {0xFFF9, 0xFFFB},   /* interlinear annotation */
        {0xE0000, 0xE007F}, /* tags */
};

const char *name_result_str(enum name_result r)
{
	switch (r) {
	case NAME_OK: return "no error";
	case NAME_E_EMPTY: return "empty name or token";
	case NAME_E_LONG: return "name is too long";
	case NAME_E_TOKENS: return "too many tokens";
	case NAME_E_CHAR: return "character that no name may hold";
	case NAME_E_UTF8: return "name is not UTF-8";
	case NAME_E_WILD: return "wildcard where none may stand";
	}
	return "unknown name error";
}

enum name_result name_check_channel(const char *s, size_t len)
{
	if (!len)
		return NAME_E_EMPTY;
	if (len > NC_CHANNEL_MAX)
		return NAME_E_LONG;
	return name_is_channel(s, len) ? NAME_OK : NAME_E_CHAR;
}

static enum name_result check_wide(uint32_t c)
{
	/* the last two of each plane are noncharacters */
	if ((c & 0xFFFE) == 0xFFFE)
		return NAME_E_CHAR;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (c >= refused[i].first && c <= refused[i].last)
			return NAME_E_CHAR;
	return NAME_OK;
}

/* Checks one token without wildcards. */
static enum name_result check_token(const char *s, size_t len)
{
	enum name_result r = NAME_OK;
	size_t step;

	for (size_t i = 0; i < len && r == NAME_OK; i += step) {
		uint32_t c;

		step = utf8_decode(s + i, len - i, &c);
		if (!step)
			return NAME_E_UTF8;
		if (c == '*' || c == '>')
			r = NAME_E_WILD;
		else if (c <= ' ' || c == 0x7F)
			r = NAME_E_CHAR;
		else if (c >= 0x80)
			r = check_wide(c);
	}
	return r;
}

/* The length of the token at `s`, of at most `len` bytes. */
static size_t token_len(const char *s, size_t len)
{
	const char *dot = len ? memchr(s, '.', len) : NULL;

	return dot ? (size_t)(dot - s) : len;
}

/* Whether the token is a wildcard that may stand there. */
static bool is_wildcard(const char *token, size_t len, bool is_last)
{
	return len == 1 && (token[0] == '*' || (token[0] == '>' && is_last));
}

static enum name_result check(const char *s, size_t len, size_t max, bool wildcards)
{
	size_t at = 0;

	if (!len)
		return NAME_E_EMPTY;
	if (len > max)
		return NAME_E_LONG;
	for (unsigned n_tokens = 1;; n_tokens++) {
		size_t n = token_len(s + at, len - at);
		enum name_result r;

		if (!n)
			return NAME_E_EMPTY;
		if (n_tokens > NC_TOKENS_MAX)
			return NAME_E_TOKENS;
		if (!wildcards || !is_wildcard(s + at, n, at + n == len)) {
			r = check_token(s + at, n);
			if (r != NAME_OK)
				return r;
		}
		at += n;
		if (at == len)
			return NAME_OK;
		at++; /* a dot at the end leaves an empty token */
	}
}

enum name_result name_check_event(const char *s, size_t len)
{
	return check(s, len, NC_EVENT_MAX, false);
}

enum name_result name_check_pattern(const char *s, size_t len)
{
	return check(s, len, NC_PATTERN_MAX, true);
}

bool name_event_is_reserved(const char *s, size_t len)
{
	if (!len)
		return false;
	if (s[0] == '$' || s[0] == '_')
		return true;
	if (len < 2 || s[0] != 'n' || s[1] != 'c')
		return false;
	return len == 2 || s[2] == '.' || s[2] == '-';
}

bool name_pattern_is_exact(const char *s, size_t len)
{
	/* the grammar lets these bytes stand nowhere but as a wildcard */
	return !len || (!memchr(s, '*', len) && !memchr(s, '>', len));
}

bool name_match(const char *pattern, size_t pattern_len, const char *event, size_t event_len)
{
	for (;;) {
		size_t p = token_len(pattern, pattern_len), e = token_len(event, event_len);

		if (p == 1 && pattern[0] == '>')
			return true;
		if (!(p == 1 && pattern[0] == '*') && (p != e || memcmp(pattern, event, p) != 0))
			return false;
		if (p == pattern_len || e == event_len)
			return p == pattern_len && e == event_len;
		pattern += p + 1;
		pattern_len -= p + 1;
		event += e + 1;
		event_len -= e + 1;
	}
}
