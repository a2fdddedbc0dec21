/* trie.h - patterns to their subscribers, at the cost of the name's tokens
 *
 * Holds (pattern, subscriber) pairs; a subscriber is an opaque pointer. A look-up walks the tokens
 * of an event name through exact, '*' and '>' branches, so it costs by the tokens of the name and
 * the number of matches, not by the number of patterns. A subscriber is reported once for each of
 * its patterns that matches: within one pattern in the order of adding, across patterns in no
 * particular one. A caller who needs an order keeps a serial number in its objects and sorts;
 * removing duplicates is the caller's affair too (it has a mark on its objects, the trie does not).
 *
 * The trie owns copies of the tokens. Empty branches go with their last subscriber. No I/O, no
 * globals.
 */
#ifndef NC_WIRE_TRIE_H
#define NC_WIRE_TRIE_H

#include <stddef.h>
#include <stdint.h>

struct trie;

enum trie_result {
	TRIE_OK = 0,
	TRIE_EXISTS,  /* that pair is there already */
	TRIE_MISSING, /* no such pair */
	TRIE_INVALID, /* not a valid pattern */
	TRIE_FULL,    /* max_pairs reached */
};

/* Makes an empty trie that holds at most `max_pairs` pairs; `seed` (16 bytes) keys its hash maps.
 * Returns NULL without memory. */
struct trie *trie_new(size_t max_pairs, const uint8_t seed[16]);

/* Frees the trie (NULL is fine); the subscribers are not touched. */
void trie_free(struct trie *t);

/* Adds a pair. Returns TRIE_OK, TRIE_EXISTS, TRIE_INVALID, TRIE_FULL or -ENOMEM (then nothing
 * changed). */
int trie_add(struct trie *t, const char *pattern, size_t len, void *subscriber);

/* Removes a pair. Returns TRIE_OK or TRIE_MISSING. Never fails for want of memory. */
int trie_remove(struct trie *t, const char *pattern, size_t len, void *subscriber);

/* Calls `on_match` for each pair whose pattern matches the (valid) event name. The callback must
 * not change the trie. */
void trie_match(const struct trie *t, const char *event, size_t len,
                void (*on_match)(void *arg, void *subscriber), void *arg);

/* Calls `on_pair` for every pair, in no particular order. */
void trie_each(const struct trie *t,
               void (*on_pair)(void *arg, const char *pattern, size_t len, void *subscriber),
               void *arg);

/* Pairs in the trie. */
size_t trie_len(const struct trie *t);

#endif
