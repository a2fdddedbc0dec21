/* name.h - the grammar of channel names, event names and event patterns
 *
 * A channel name is one token [A-Za-z0-9_-]+ of at most NC_CHANNEL_MAX bytes. An event name is
 * tokens separated by '.', each of at least one printable, non-space UTF-8 character without '*'
 * and '>'. A pattern is an event name in which a token may be '*' (exactly one token) and the last
 * one '>' (one token or more). These are the subjects of NATS, and mean the same.
 *
 * "Printable, non-space" beyond ASCII: no control character, no white space of Unicode, and none of
 * the invisible ones that would make two names look the same or reorder a line of a log: soft
 * hyphen, zero-width space, word joiners, the marks that set the direction of writing, annotation
 * and tag characters, byte order mark, and noncharacters. Zero-width (non-)joiner, variation
 * selectors and private characters pass, because real words and symbols are written with them.
 */
#ifndef NC_WIRE_NAME_H
#define NC_WIRE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libnc/wire/limits.h"

enum name_result {
	NAME_OK = 0,
	NAME_E_EMPTY,  /* no byte, or an empty token */
	NAME_E_LONG,   /* more than the limit's bytes */
	NAME_E_TOKENS, /* more than NC_TOKENS_MAX tokens */
	NAME_E_CHAR,   /* a space, a control character, or a character outside the grammar */
	NAME_E_UTF8,   /* not UTF-8 */
	NAME_E_WILD,   /* '*' or '>' where none may stand */
};

/* The text of a result. Never NULL. */
const char *name_result_str(enum name_result r);

enum name_result name_check_channel(const char *s, size_t len);
enum name_result name_check_event(const char *s, size_t len);
enum name_result name_check_pattern(const char *s, size_t len);

/* Whether an event may come from servers only: its first token is "nc", or begins with "nc-", '$'
 * or '_'. */
bool name_event_is_reserved(const char *s, size_t len);

/* Whether a (valid) pattern holds no wildcard, so that it matches one name. */
bool name_pattern_is_exact(const char *s, size_t len);

/* Whether `event` (valid) matches `pattern` (valid). */
bool name_match(const char *pattern, size_t pattern_len, const char *event, size_t event_len);

/* Inline: on the path of every message. */

/* 1 for the characters of a channel name. */
extern const uint8_t name_channel_chars[256];

/* Whether name_check_channel() would say NAME_OK. */
static inline bool name_is_channel(const char *s, size_t len)
{
	uint8_t all = 1;

	for (size_t i = 0; i < len; i++)
		all &= name_channel_chars[(uint8_t)s[i]];
	return all && len > 0 && len <= NC_CHANNEL_MAX;
}

#endif
