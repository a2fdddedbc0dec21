/*
 * Fuzz target: the trie against a list
 *
 * The input is a script, one operation per line: "+S pattern" adds a pair with subscriber S (any
 * byte), "-S pattern" removes it, "?event" looks one up. Each answer is compared with that of a
 * list of pairs that is searched from end to end.
 */

#include "t/fuzz/fuzz.h"

#include "libnc/wire/name.h"
#include "libnc/wire/trie.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PAIRS 40u

struct pair {
	char pattern[NC_PATTERN_MAX];
	size_t len;
	uint8_t subscriber;
};

static struct pair pairs[MAX_PAIRS];
static size_t n_pairs;

/* Subscribers are places in here; the values count what each one heard. */
static int heard[256];

static void check(bool holds)
{
	if (!holds)
		abort();
}

static struct pair *find(const char *pattern, size_t len, uint8_t subscriber)
{
	for (size_t i = 0; i < n_pairs; i++)
		if (pairs[i].subscriber == subscriber && pairs[i].len == len &&
		    !memcmp(pairs[i].pattern, pattern, len))
			return &pairs[i];
	return NULL;
}

static int list_add(const char *pattern, size_t len, uint8_t subscriber)
{
	struct pair *p = &pairs[n_pairs];

	if (name_check_pattern(pattern, len) != NAME_OK)
		return TRIE_INVALID;
	if (find(pattern, len, subscriber))
		return TRIE_EXISTS;
	if (n_pairs == MAX_PAIRS)
		return TRIE_FULL;
	memcpy(p->pattern, pattern, len);
	p->len = len;
	p->subscriber = subscriber;
	n_pairs++;
	return TRIE_OK;
}

static int list_remove(const char *pattern, size_t len, uint8_t subscriber)
{
	struct pair *p = find(pattern, len, subscriber);

	if (!p)
		return TRIE_MISSING;
	*p = pairs[--n_pairs];
	return TRIE_OK;
}

static void on_match(void *arg, void *subscriber)
{
	check(arg == heard);
	++*(int *)subscriber;
}

static void look_up(const struct trie *t, const char *event, size_t len)
{
	int want[256] = {0};

	if (name_check_event(event, len) != NAME_OK)
		return;
	for (size_t i = 0; i < n_pairs; i++)
		want[pairs[i].subscriber] += name_match(pairs[i].pattern, pairs[i].len, event, len);
	memset(heard, 0, sizeof(heard));
	trie_match(t, event, len, on_match, heard);
	check(!memcmp(heard, want, sizeof(want)));
}

static void on_pair(void *arg, const char *pattern, size_t len, void *subscriber)
{
	size_t *n = arg;

	check(find(pattern, len, (uint8_t)((int *)subscriber - heard)) != NULL);
	++*n;
}

static void check_all(const struct trie *t)
{
	size_t n = 0;

	trie_each(t, on_pair, &n);
	check(n == n_pairs && trie_len(t) == n_pairs);
}

static void run_line(struct trie *t, const char *s, size_t len)
{
	uint8_t subscriber;

	if (len && s[0] == '?')
		look_up(t, s + 1, len - 1);
	if (len < 3 || s[2] != ' ')
		return;
	subscriber = (uint8_t)s[1];
	if (s[0] == '+')
		check(trie_add(t, s + 3, len - 3, &heard[subscriber]) ==
		      list_add(s + 3, len - 3, subscriber));
	else if (s[0] == '-')
		check(trie_remove(t, s + 3, len - 3, &heard[subscriber]) ==
		      list_remove(s + 3, len - 3, subscriber));
	else
		return;
	check_all(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t seed[16] = {7};
	struct trie *t = trie_new(MAX_PAIRS, seed);
	const char *s = (const char *)data;

	check(t != NULL);
	n_pairs = 0;
	while (len) {
		const char *end = memchr(s, '\n', len);
		size_t line_len = end ? (size_t)(end - s) : len;

		run_line(t, s, line_len);
		line_len += end != NULL;
		s += line_len;
		len -= line_len;
	}
	trie_free(t);
	return 0;
}
