/*
 * Unit tests of wire/trie
 */

#include "libnc/wire/name.h"
#include "libnc/wire/trie.h"
#include "t/unit/nomem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t seed[16] = "a seed of sixtee";

/* Subscribers are single letters; what is reported is collected as a string. */
struct heard {
	char text[64];
	size_t len;
};

static void on_match(void *arg, void *subscriber)
{
	struct heard *h = arg;

	assert_true(h->len < sizeof(h->text) - 1);
	h->text[h->len++] = *(char *)subscriber;
	h->text[h->len] = 0;
}

static int by_letter(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/* The letters that hear the event, in alphabetical order. */
static const char *hear(const struct trie *t, const char *event)
{
	static struct heard h;

	h = (struct heard){0};
	trie_match(t, event, strlen(event), on_match, &h);
	qsort(h.text, h.len, 1, by_letter);
	return h.text;
}

static int add(struct trie *t, const char *pattern, const char *subscriber)
{
	return trie_add(t, pattern, strlen(pattern), (void *)(uintptr_t)subscriber);
}

static int del(struct trie *t, const char *pattern, const char *subscriber)
{
	return trie_remove(t, pattern, strlen(pattern), (void *)(uintptr_t)subscriber);
}

static const char a[] = "a", b[] = "b", c[] = "c", d[] = "d", e[] = "e", f[] = "f";

static void an_event_finds_all_the_patterns_that_match_it(void **state)
{
	struct trie *t = trie_new(100, seed);

	(void)state;
	assert_int_equal(add(t, "log.disk.full", a), TRIE_OK);
	assert_int_equal(add(t, "log.*.full", b), TRIE_OK);
	assert_int_equal(add(t, "log.>", c), TRIE_OK);
	assert_int_equal(add(t, ">", d), TRIE_OK);
	assert_int_equal(add(t, "*.disk.*", e), TRIE_OK);
	assert_int_equal(add(t, "log", f), TRIE_OK);
	assert_int_equal(trie_len(t), 6);
	assert_string_equal(hear(t, "log.disk.full"), "abcde");
	assert_string_equal(hear(t, "log.disk.empty"), "cde");
	assert_string_equal(hear(t, "log.tape.full"), "bcd");
	assert_string_equal(hear(t, "log"), "df");
	assert_string_equal(hear(t, "log.disk"), "cd");
	assert_string_equal(hear(t, "a.disk.b"), "de");
	assert_string_equal(hear(t, "logs"), "d");
	trie_free(t);
}

static void a_subscriber_hears_once_for_each_of_its_patterns(void **state)
{
	struct trie *t = trie_new(100, seed);

	(void)state;
	assert_int_equal(add(t, "x.*", a), TRIE_OK);
	assert_int_equal(add(t, "x.>", a), TRIE_OK);
	assert_int_equal(add(t, "x.y", a), TRIE_OK);
	assert_int_equal(add(t, "x.y", b), TRIE_OK);
	assert_string_equal(hear(t, "x.y"), "aaab");
	trie_free(t);
}

static void subscribers_of_one_pattern_are_told_in_the_order_of_adding(void **state)
{
	static const char *const subscribers[] = {e, b, d, a, c};
	struct trie *t = trie_new(100, seed);
	struct heard h = {0};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(add(t, "x", subscribers[i]), TRIE_OK);
	assert_int_equal(del(t, "x", d), TRIE_OK);
	assert_int_equal(add(t, "x", d), TRIE_OK);
	trie_match(t, "x", 1, on_match, &h);
	assert_string_equal(h.text, "ebacd");
	trie_free(t);
}

static void a_pair_is_there_once_and_removed_once(void **state)
{
	struct trie *t = trie_new(100, seed);

	(void)state;
	assert_int_equal(del(t, "x.y", a), TRIE_MISSING);
	assert_int_equal(add(t, "x.y", a), TRIE_OK);
	assert_int_equal(add(t, "x.y", a), TRIE_EXISTS);
	assert_int_equal(del(t, "x", a), TRIE_MISSING);
	assert_int_equal(del(t, "x.y", b), TRIE_MISSING);
	assert_int_equal(del(t, "x.*", a), TRIE_MISSING);
	assert_int_equal(del(t, "x.>", a), TRIE_MISSING);
	assert_int_equal(del(t, "x.y.z", a), TRIE_MISSING);
	assert_int_equal(trie_len(t), 1);
	assert_int_equal(del(t, "x.y", a), TRIE_OK);
	assert_int_equal(del(t, "x.y", a), TRIE_MISSING);
	assert_int_equal(trie_len(t), 0);
	assert_string_equal(hear(t, "x.y"), "");
	trie_free(t);
}

static void a_pattern_and_its_tail_are_two_things(void **state)
{
	struct trie *t = trie_new(100, seed);

	(void)state;
	assert_int_equal(add(t, "x", a), TRIE_OK);
	assert_int_equal(add(t, "x.>", a), TRIE_OK);
	assert_int_equal(del(t, "x", a), TRIE_OK);
	assert_string_equal(hear(t, "x"), "");
	assert_string_equal(hear(t, "x.y"), "a");
	trie_free(t);
}

static void what_is_no_pattern_is_refused(void **state)
{
	struct trie *t = trie_new(100, seed);

	(void)state;
	assert_int_equal(add(t, "", a), TRIE_INVALID);
	assert_int_equal(add(t, "x..y", a), TRIE_INVALID);
	assert_int_equal(add(t, "x*", a), TRIE_INVALID);
	assert_int_equal(add(t, ">.x", a), TRIE_INVALID);
	assert_int_equal(del(t, "x..y", a), TRIE_MISSING);
	assert_int_equal(trie_len(t), 0);
	trie_free(t);
}

static void what_is_no_event_matches_nothing(void **state)
{
	struct trie *t = trie_new(100, seed);
	char event[512];

	(void)state;
	assert_int_equal(add(t, ">", a), TRIE_OK);
	assert_int_equal(add(t, "*.*", b), TRIE_OK);
	assert_string_equal(hear(t, ""), "");
	memset(event, 'x', sizeof(event));
	for (size_t i = 1; i < 66; i += 2)
		event[i] = '.';
	event[67] = 0;
	assert_string_equal(hear(t, event), "");
	trie_free(t);
}

static void the_trie_is_full_at_its_maximum_of_pairs(void **state)
{
	struct trie *t = trie_new(2, seed);

	(void)state;
	assert_int_equal(add(t, "x.1", a), TRIE_OK);
	assert_int_equal(add(t, "x.2", a), TRIE_OK);
	assert_int_equal(add(t, "x.3.y", a), TRIE_FULL);
	assert_int_equal(add(t, "x.1", a), TRIE_EXISTS);
	assert_int_equal(trie_len(t), 2);
	assert_string_equal(hear(t, "x.3.y"), "");
	assert_int_equal(del(t, "x.1", a), TRIE_OK);
	assert_int_equal(add(t, "x.3.y", a), TRIE_OK);
	assert_string_equal(hear(t, "x.3.y"), "a");
	trie_free(t);
}

struct pairs {
	char text[256];
};

static void on_pair(void *arg, const char *pattern, size_t len, void *subscriber)
{
	struct pairs *p = arg;
	size_t at = strlen(p->text);

	snprintf(p->text + at, sizeof(p->text) - at, "%.*s=%s ", (int)len, pattern,
	         (const char *)subscriber);
}

static void every_pair_is_told_with_its_pattern(void **state)
{
	struct trie *t = trie_new(100, seed);
	struct pairs p = {""};

	(void)state;
	assert_int_equal(add(t, "x.*.z", a), TRIE_OK);
	assert_int_equal(add(t, "x.*.>", b), TRIE_OK);
	assert_int_equal(add(t, ">", c), TRIE_OK);
	assert_int_equal(add(t, "*", d), TRIE_OK);
	assert_int_equal(add(t, "x", e), TRIE_OK);
	assert_int_equal(add(t, "x", f), TRIE_OK);
	trie_each(t, on_pair, &p);
	assert_string_equal(p.text, "x.*.z=a x.*.>=b >=c *=d x=e x=f ");
	trie_free(t);
}

static void the_longest_pattern_comes_back_whole(void **state)
{
	struct trie *t = trie_new(100, seed);
	char pattern[NC_PATTERN_MAX + 1];
	struct pairs p = {""};

	(void)state;
	memset(pattern, 'x', NC_PATTERN_MAX);
	pattern[NC_PATTERN_MAX] = 0;
	pattern[NC_PATTERN_MAX - 2] = '.';
	pattern[NC_PATTERN_MAX - 1] = '>';
	assert_int_equal(add(t, pattern, ""), TRIE_OK);
	trie_each(t, on_pair, &p);
	assert_int_equal(strncmp(p.text, pattern, sizeof(p.text) - 1), 0);
	trie_free(t);
}

/* Runs out of memory at each allocation in turn; every failed add must leave no trace. */
static void without_memory_nothing_changes(void **state)
{
	bool done = false;

	(void)state;
	for (unsigned n = 0; !done; n++) {
		struct trie *t = trie_new(1000, seed);
		int r;

		assert_non_null(t);
		assert_int_equal(add(t, "x.y", a), TRIE_OK);
		/* fill the maps up to where they grow */
		for (int i = 0; i < 6; i++) {
			char pattern[16];

			snprintf(pattern, sizeof(pattern), "x.%d", i);
			assert_int_equal(add(t, pattern, b), TRIE_OK);
		}
		nomem_after(n);
		r = add(t, "x.y.long.chain.>", c);
		done = !nomem_off();
		assert_int_equal(r, done ? TRIE_OK : -ENOMEM);
		if (!done) {
			assert_int_equal(trie_len(t), 7);
			assert_string_equal(hear(t, "x.y.long.chain.end"), "");
		}
		assert_string_equal(hear(t, "x.y"), "a");
		assert_int_equal(del(t, "x.y", a), TRIE_OK);
		assert_int_equal(add(t, "x.y.long.chain.>", d), TRIE_OK);
		assert_string_equal(hear(t, "x.y.long.chain.end"), done ? "cd" : "d");
		trie_free(t);
	}
	for (unsigned n = 0; n < 2; n++) {
		nomem_after(n);
		assert_null(trie_new(1, seed));
		assert_true(nomem_off());
	}
}

static void a_wildcard_that_was_removed_is_heard_no_more(void **state)
{
	struct trie *t = trie_new(100, seed);

	(void)state;
	assert_int_equal(add(t, "x.*.z", a), TRIE_OK);
	assert_int_equal(add(t, "x.y.z", b), TRIE_OK);
	assert_int_equal(del(t, "x.*.z", a), TRIE_OK);
	assert_string_equal(hear(t, "x.y.z"), "b");
	assert_int_equal(add(t, "x.*.z", c), TRIE_OK);
	assert_string_equal(hear(t, "x.y.z"), "bc");
	trie_free(t);
}

/* The room for branches follows from that for pairs, so what stayed behind would fill it. */
static void nothing_stays_behind_a_removed_pattern(void **state)
{
	struct trie *t = trie_new(1, seed);
	char pattern[64];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(pattern, sizeof(pattern), "%d.a.*.b.c.d.e.%d.>", i, i);
		assert_int_equal(add(t, pattern, a), TRIE_OK);
		assert_int_equal(add(t, "other.a.*.b.c.d.e.f", a), TRIE_FULL);
		assert_int_equal(del(t, pattern, a), TRIE_OK);
	}
	trie_free(t);
}

static void nothing_stays_behind_a_pattern_that_failed(void **state)
{
	struct trie *t = trie_new(2, seed);
	char pattern[64];

	(void)state;
	/* with this the maps have the memory that they start with */
	assert_int_equal(add(t, "x", a), TRIE_OK);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(pattern, sizeof(pattern), "%u.a.b.c.d.e", i);
		nomem_after(i % 6);
		assert_int_equal(add(t, pattern, a), -ENOMEM);
		assert_true(nomem_off());
	}
	assert_int_equal(add(t, pattern, a), TRIE_OK);
	trie_free(t);
}

static void ten_thousand_pairs_come_and_go(void **state)
{
	enum { N = 10000 };
	static char subscribers[N];
	struct trie *t = trie_new(N, seed);
	char pattern[64];
	int n;

	(void)state;
	for (int i = 0; i < N; i++) {
		subscribers[i] = (char)('a' + i % 26);
		n = snprintf(pattern, sizeof(pattern), "room.%d.%s", i / 4, i % 4 ? "chat" : "*");
		assert_int_equal(trie_add(t, pattern, (size_t)n, &subscribers[i]), TRIE_OK);
	}
	assert_int_equal(trie_len(t), N);
	assert_int_equal(trie_add(t, "x", 1, subscribers), TRIE_FULL);
	assert_int_equal(strlen(hear(t, "room.1234.chat")), 4);
	assert_int_equal(strlen(hear(t, "room.1234.talk")), 1);
	for (int i = N - 1; i >= 0; i--) {
		n = snprintf(pattern, sizeof(pattern), "room.%d.%s", i / 4, i % 4 ? "chat" : "*");
		assert_int_equal(trie_remove(t, pattern, (size_t)n, &subscribers[i]), TRIE_OK);
	}
	assert_int_equal(trie_len(t), 0);
	assert_string_equal(hear(t, "room.1234.chat"), "");
	trie_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_event_finds_all_the_patterns_that_match_it),
	        cmocka_unit_test(a_subscriber_hears_once_for_each_of_its_patterns),
	        cmocka_unit_test(subscribers_of_one_pattern_are_told_in_the_order_of_adding),
	        cmocka_unit_test(a_pair_is_there_once_and_removed_once),
	        cmocka_unit_test(a_pattern_and_its_tail_are_two_things),
	        cmocka_unit_test(what_is_no_pattern_is_refused),
	        cmocka_unit_test(what_is_no_event_matches_nothing),
	        cmocka_unit_test(the_trie_is_full_at_its_maximum_of_pairs),
	        cmocka_unit_test(every_pair_is_told_with_its_pattern),
	        cmocka_unit_test(the_longest_pattern_comes_back_whole),
	        cmocka_unit_test(without_memory_nothing_changes),
	        cmocka_unit_test(a_wildcard_that_was_removed_is_heard_no_more),
	        cmocka_unit_test(nothing_stays_behind_a_removed_pattern),
	        cmocka_unit_test(nothing_stays_behind_a_pattern_that_failed),
	        cmocka_unit_test(ten_thousand_pairs_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
