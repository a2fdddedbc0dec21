/*
 * Unit tests of base/map
 */

#include "libnc/base/map.h"
#include "t/unit/nomem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define N_KEYS 512

static const uint8_t seed[SIPHASH_KEY_LEN] = "sixteen bytes..";

/* Values are only addresses to the map: the number N is one of these. */
static char values[N_KEYS];

static void *value(unsigned n)
{
	return &values[n];
}

static unsigned number_of(void *v)
{
	return (unsigned)((char *)v - values);
}

/* xorshift64: the same operations in each run */
static uint64_t random_state = 88172645463325252u;

static unsigned draw(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state % below);
}

static void an_empty_map_finds_nothing(void **state)
{
	struct map m;
	struct map_walk w;

	(void)state;
	map_init(&m, MAP_BYTES, 10, seed);
	assert_null(map_get(&m, "x", 1));
	assert_null(map_del(&m, "x", 1));
	map_walk_begin(&m, &w);
	assert_null(map_walk_next(&m, &w));
	assert_null(map_walk_next(&m, &w));
	map_fini(&m);
}

static void keys_are_told_apart_by_all_their_bytes(void **state)
{
	struct map m;

	(void)state;
	map_init(&m, MAP_BYTES, 10, seed);
	assert_int_equal(map_put(&m, "a", 1, value(1)), 0);
	assert_int_equal(map_put(&m, "a\0", 2, value(2)), 0);
	assert_int_equal(map_put(&m, "a\0b", 3, value(3)), 0);
	assert_int_equal(map_put(&m, NULL, 0, value(4)), 0);
	assert_ptr_equal(map_get(&m, "a", 1), value(1));
	assert_ptr_equal(map_get(&m, "a\0", 2), value(2));
	assert_ptr_equal(map_get(&m, "a\0b", 3), value(3));
	assert_ptr_equal(map_get(&m, "", 0), value(4));
	assert_null(map_get(&m, "b", 1));
	assert_int_equal(map_len(&m), 4);
	map_fini(&m);
	assert_int_equal(map_len(&m), 0);
	assert_null(map_get(&m, "a", 1));
}

static void a_key_enters_once(void **state)
{
	struct map m;

	(void)state;
	map_init(&m, MAP_U64, 10, seed);
	assert_int_equal(map_put_u64(&m, 7, value(1)), 0);
	assert_int_equal(map_put_u64(&m, 7, value(2)), MAP_EXISTS);
	assert_ptr_equal(map_get_u64(&m, 7), value(1));
	assert_ptr_equal(map_del_u64(&m, 7), value(1));
	assert_null(map_del_u64(&m, 7));
	assert_int_equal(map_put_u64(&m, 7, value(2)), 0);
	assert_ptr_equal(map_get_u64(&m, 7), value(2));
	map_fini(&m);
}

static void a_full_map_says_so_and_lives_on(void **state)
{
	struct map m;

	(void)state;
	map_init(&m, MAP_U64, 100, seed);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(map_put_u64(&m, i, value(i)), 0);
	assert_int_equal(map_put_u64(&m, 100, value(100)), MAP_FULL);
	assert_int_equal(map_put_u64(&m, 99, value(99)), MAP_EXISTS);
	assert_ptr_equal(map_del_u64(&m, 50), value(50));
	assert_int_equal(map_put_u64(&m, 100, value(100)), 0);
	assert_int_equal(map_put_u64(&m, 50, value(50)), MAP_FULL);
	assert_int_equal(map_len(&m), 100);
	map_fini(&m);
	map_init(&m, MAP_U64, 0, seed);
	assert_int_equal(map_put_u64(&m, 1, value(1)), MAP_FULL);
	map_fini(&m);
}

/* Compares M with PRESENT, key by key and by a walk. */
static void check_against_model(const struct map *m, const bool *present, char keys[][8])
{
	struct map_walk w;
	unsigned n = 0, n_walked = 0;
	void *v;

	for (unsigned i = 0; i < N_KEYS; i++) {
		assert_ptr_equal(map_get(m, keys[i], strlen(keys[i])),
		                 present[i] ? value(i) : NULL);
		n += present[i];
	}
	assert_int_equal(map_len(m), n);
	map_walk_begin(m, &w);
	while ((v = map_walk_next(m, &w))) {
		unsigned i = number_of(v);

		assert_true(present[i]);
		assert_int_equal(w.len, strlen(keys[i]));
		assert_memory_equal(w.key, keys[i], w.len);
		n_walked++;
	}
	assert_int_equal(n_walked, n);
}

static void it_agrees_with_a_plain_table_over_many_changes(void **state)
{
	static char keys[N_KEYS][8];
	bool present[N_KEYS] = {false};
	struct map m;

	(void)state;
	for (unsigned i = 0; i < N_KEYS; i++)
		snprintf(keys[i], sizeof(keys[i]), "k%u", i);
	map_init(&m, MAP_BYTES, N_KEYS, seed);
	for (unsigned step = 0; step < 40000; step++) {
		unsigned i = draw(N_KEYS);
		/* it fills for a while, then empties, so that it grows and shrinks */
		bool put = draw(10) < (step / 4000 % 2 ? 2 : 8);

		if (put)
			assert_int_equal(map_put(&m, keys[i], strlen(keys[i]), value(i)),
			                 present[i] ? MAP_EXISTS : 0);
		else
			assert_ptr_equal(map_del(&m, keys[i], strlen(keys[i])),
			                 present[i] ? value(i) : NULL);
		present[i] = put;
		if (step % 997 == 0)
			check_against_model(&m, present, keys);
	}
	check_against_model(&m, present, keys);
	map_fini(&m);
}

static void a_walk_keeps_the_order_of_insertion_under_any_seed(void **state)
{
	(void)state;
	for (uint8_t s = 0; s < 8; s++) {
		const uint8_t other_seed[SIPHASH_KEY_LEN] = {s};
		struct map_walk w;
		struct map m;

		map_init(&m, MAP_U64, N_KEYS, other_seed);
		for (unsigned i = 0; i < N_KEYS; i++)
			assert_int_equal(map_put_u64(&m, (i * 7919) % 100003, value(i)), 0);
		map_walk_begin(&m, &w);
		for (unsigned i = 0; i < N_KEYS; i++) {
			assert_ptr_equal(map_walk_next(&m, &w), value(i));
			assert_true(w.number == (i * 7919) % 100003);
		}
		assert_null(map_walk_next(&m, &w));
		map_fini(&m);
	}
}

/* During one walk over N_KEYS / 2 entries, removes and inserts at random; counts visits. */
static void walk_amid_changes(void)
{
	unsigned visits[N_KEYS] = {0}, half = N_KEYS / 2, next = half, last = 0;
	bool removed_early[N_KEYS] = {false};
	struct map_walk w;
	struct map m;
	void *v;

	map_init(&m, MAP_U64, N_KEYS, seed);
	for (unsigned i = 0; i < half; i++)
		assert_int_equal(map_put_u64(&m, i, value(i)), 0);
	map_walk_begin(&m, &w);
	while ((v = map_walk_next(&m, &w))) {
		unsigned i = number_of(v), gone = draw(half);

		assert_true(i >= last);
		last = i;
		visits[i]++;
		if (map_del_u64(&m, gone) && !visits[gone])
			removed_early[gone] = true;
		if (draw(2))
			map_del_u64(&m, i);
		for (unsigned k = draw(4); k && next < N_KEYS; k--, next++)
			assert_int_equal(map_put_u64(&m, next, value(next)), 0);
	}
	for (unsigned i = 0; i < N_KEYS; i++)
		assert_int_equal(visits[i], i < half && !removed_early[i]);
	map_fini(&m);
}

static void a_walk_survives_removals_and_insertions(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++)
		walk_amid_changes();
}

static void a_map_that_shrinks_gives_memory_back(void **state)
{
	struct map m;
	uint32_t most;

	(void)state;
	map_init(&m, MAP_U64, N_KEYS, seed);
	for (unsigned i = 0; i < N_KEYS; i++)
		assert_int_equal(map_put_u64(&m, i, value(i)), 0);
	most = m.n_room;
	for (unsigned i = 0; i < N_KEYS; i++)
		assert_ptr_equal(map_del_u64(&m, i), value(i));
	assert_true(m.n_room * 16 <= most);
	assert_int_equal(map_len(&m), 0);
	map_fini(&m);
}

/* A queue of keys, each new one beside an old one that goes: room must not grow with time. */
static void room_is_bounded_by_the_entries_that_live_together(void **state)
{
	struct map m;

	(void)state;
	map_init(&m, MAP_U64, 16, seed);
	for (uint64_t i = 0; i < 100000; i++) {
		assert_int_equal(map_put_u64(&m, i, value((unsigned)(i % N_KEYS))), 0);
		if (i >= 15)
			assert_non_null(map_del_u64(&m, i - 15));
	}
	assert_true(m.n_room <= 32);
	map_fini(&m);
}

static void without_memory_nothing_changes(void **state)
{
	unsigned n_failures = 0;
	struct map m;

	(void)state;
	map_init(&m, MAP_U64, N_KEYS, seed);
	for (unsigned i = 0; i < N_KEYS; i++) {
		/* two allocations make room: each of them fails once */
		for (unsigned n = 0;; n++) {
			int r;

			nomem_after(n);
			r = map_put_u64(&m, i, value(i));
			if (!nomem_off()) {
				assert_int_equal(r, 0);
				break;
			}
			assert_int_equal(r, -ENOMEM);
			assert_int_equal(map_len(&m), i);
			assert_null(map_get_u64(&m, i));
			n_failures++;
		}
		for (unsigned k = 0; k <= i; k += 7)
			assert_ptr_equal(map_get_u64(&m, k), value(k));
	}
	assert_true(n_failures >= 2);
	/* one that can't shrink goes on as it is */
	nomem_after(0);
	for (unsigned i = 0; i < N_KEYS; i++)
		assert_ptr_equal(map_del_u64(&m, i), value(i));
	assert_true(nomem_off());
	assert_int_equal(map_put_u64(&m, 1, value(1)), 0);
	assert_ptr_equal(map_get_u64(&m, 1), value(1));
	map_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_empty_map_finds_nothing),
	        cmocka_unit_test(keys_are_told_apart_by_all_their_bytes),
	        cmocka_unit_test(a_key_enters_once),
	        cmocka_unit_test(a_full_map_says_so_and_lives_on),
	        cmocka_unit_test(it_agrees_with_a_plain_table_over_many_changes),
	        cmocka_unit_test(a_walk_keeps_the_order_of_insertion_under_any_seed),
	        cmocka_unit_test(a_walk_survives_removals_and_insertions),
	        cmocka_unit_test(a_map_that_shrinks_gives_memory_back),
	        cmocka_unit_test(room_is_bounded_by_the_entries_that_live_together),
	        cmocka_unit_test(without_memory_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
