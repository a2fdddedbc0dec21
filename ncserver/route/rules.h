/* rules.h - which channels a channel's events reach
 *
 * Takes the names of all channels and, for each, its regex (netcluster's propagatetochannels:
 * unanchored, as JavaScript's RegExp.test), and gives for each channel the list of channels that
 * its events reach. Regexes are PCRE2 without JIT, with match and depth limits, in UTF mode, and
 * are matched here and never again: once per rule and channel. A channel always reaches itself
 * first, exactly once, however its own regex matches; "control" is reached by no rule and reaches
 * nobody; propagation is one hop.
 */
#ifndef NC_ROUTE_RULES_H
#define NC_ROUTE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Work that one match may cost, far above what a sane name needs: 63 bytes of subject. */
#define RULES_MATCH_LIMIT 100000u
#define RULES_DEPTH_LIMIT 1000u
/* Bytes of a regex. */
#define RULES_REGEX_MAX 1024u

struct rules;

struct rules_in {
	const char *name;
	const char *regex; /* NULL: none */
};

struct rules_error {
	size_t channel; /* index of the channel whose rule is at fault */
	size_t offset;  /* in the regex, bytes */
	char text[256]; /* PCRE2's message, or which limit was hit against which name */
};

/* Whether a regex compiles. Returns 0, 1 with *err filled in, or -ENOMEM. */
int rules_check_regex(const char *regex, struct rules_error *err);

/* Builds the table for n channels. Returns 0 and *out; 1 with *err filled in; -ENOMEM. */
int rules_new(struct rules **out, const struct rules_in *in, size_t n, struct rules_error *err);
void rules_free(struct rules *r);

/* Indexes of the channels that events of channel `i` reach, `i` first, then rising. *n is their
 * number. */
const uint32_t *rules_reach(const struct rules *r, size_t i, size_t *n);

/* Indexes of the channels whose events reach channel `i`, `i` first, then rising. */
const uint32_t *rules_sources(const struct rules *r, size_t i, size_t *n);

#endif
