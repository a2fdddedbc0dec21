/*
 * Unit tests of mesh/replay
 */

#include "mesh/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define N_STEPS 4000000u
/* More counters than such a walk gets over: a bit for each in the model. */
#define SPACE (1u << 28)

static struct replay r;

static void take(uint64_t counter)
{
	assert_true(replay_check(&r, counter));
	replay_commit(&r, counter);
	assert_false(replay_check(&r, counter));
}

static void the_first_datagram_begins_anywhere(void **state)
{
	static const uint64_t counters[] = {0,          1,
	                                    63,         64,
	                                    65535,      65536,
	                                    0xFFFFFFFF, UINT64_C(1) << 32,
	                                    UINT64_MAX, UINT64_MAX - 1};

	(void)state;
	for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
		replay_init(&r, 0);
		take(counters[i]);
	}
}

static void nothing_below_the_first_is_taken(void **state)
{
	(void)state;
	replay_init(&r, 1000);
	assert_false(replay_check(&r, 0));
	assert_false(replay_check(&r, 999));
	take(1002);
	assert_false(replay_check(&r, 999));
	take(1000);
	take(1001);
	replay_init(&r, UINT64_MAX);
	assert_false(replay_check(&r, UINT64_MAX - 1));
	take(UINT64_MAX);
}

static void what_comes_late_is_taken_within_the_window_only(void **state)
{
	(void)state;
	replay_init(&r, 0);
	take(100000);
	take(100000 - REPLAY_WINDOW + 1);
	assert_false(replay_check(&r, 100000 - REPLAY_WINDOW));
	assert_false(replay_check(&r, 0));
	take(100001);
	assert_false(replay_check(&r, 100000 - REPLAY_WINDOW + 1));
	assert_false(replay_check(&r, 100000));
	take(100001 - REPLAY_WINDOW + 1);
}

static void a_jump_forgets_exactly_what_leaves_the_window(void **state)
{
	static const uint64_t jumps[] = {1,     2,     63,    64,    65,    127,    128,     1000,
	                                 32768, 65534, 65535, 65536, 65537, 131072, 1u << 20};

	(void)state;
	for (size_t i = 0; i < sizeof(jumps) / sizeof(*jumps); i++) {
		for (uint64_t base = 200000; base < 200130; base += 13) {
			uint64_t top = base + jumps[i];

			replay_init(&r, 0);
			for (uint64_t c = base - REPLAY_WINDOW + 1; c <= base; c++)
				replay_commit(&r, c);
			take(top);
			for (uint64_t c = top - REPLAY_WINDOW - 2; c <= top + 2; c++) {
				bool is_old = top >= REPLAY_WINDOW && c <= top - REPLAY_WINDOW;
				bool is_known = (c > base - REPLAY_WINDOW && c <= base) || c == top;

				if (replay_check(&r, c) != (!is_old && !is_known))
					fail_msg("jump %lu to %lu: %lu", (unsigned long)jumps[i],
					         (unsigned long)top, (unsigned long)c);
			}
		}
	}
}

static uint64_t random_state;

/* xorshift64* (Vigna, 2016) */
static uint64_t draw(uint64_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717) % n;
}

/* Far ahead now and then, at the window's edge, anywhere in it or near, or close to the top. */
static uint64_t draw_counter(uint64_t top)
{
	uint64_t back;

	switch (draw(4096)) {
	case 0: return top + draw(3 * REPLAY_WINDOW);
	case 1: return top + REPLAY_WINDOW - 2 + draw(4);
	}
	switch (draw(8)) {
	case 0: back = REPLAY_WINDOW - 3 + draw(6); break;
	case 1: back = draw(2 * REPLAY_WINDOW); break;
	case 2: back = draw(REPLAY_WINDOW); break;
	case 3: return top + 1 + draw(3);
	default: back = draw(256);
	}
	return back < top ? top - back : 0;
}

/* Walks over counters from `offset` on, and asks a model that remembers everything. */
static void walk(uint64_t seed, uint64_t offset, uint64_t first)
{
	uint8_t *seen = calloc(SPACE / 8, 1);
	uint64_t top = first;
	bool is_begun = false;
	unsigned n_taken = 0;

	assert_non_null(seen);
	random_state = seed;
	replay_init(&r, offset + first);
	for (unsigned i = 0; i < N_STEPS; i++) {
		uint64_t c = draw_counter(top);
		bool expected, is_genuine = draw(8) > 0;

		assert_true(c < SPACE);
		expected = c >= first && !(seen[c / 8] >> c % 8 & 1) &&
		           (!is_begun || c + REPLAY_WINDOW > top);
		if (replay_check(&r, offset + c) != expected)
			fail_msg("seed %lu, step %u: %lu, top %lu", (unsigned long)seed, i,
			         (unsigned long)c, (unsigned long)top);
		/* a forged one is checked and never committed */
		if (!expected || !is_genuine)
			continue;
		replay_commit(&r, offset + c);
		seen[c / 8] |= (uint8_t)(1u << c % 8);
		top = !is_begun || c > top ? c : top;
		is_begun = true;
		n_taken++;
	}
	assert_true(n_taken > N_STEPS / 8);
	free(seen);
}

static void it_says_what_a_model_without_limits_says(void **state)
{
	(void)state;
	walk(1, 0, 0);
	walk(2, 0, 123);
	walk(3, (UINT64_C(1) << 32) - 100000, 7);
	walk(4, UINT64_MAX - SPACE + 1, 70000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_first_datagram_begins_anywhere),
	        cmocka_unit_test(nothing_below_the_first_is_taken),
	        cmocka_unit_test(what_comes_late_is_taken_within_the_window_only),
	        cmocka_unit_test(a_jump_forgets_exactly_what_leaves_the_window),
	        cmocka_unit_test(it_says_what_a_model_without_limits_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
