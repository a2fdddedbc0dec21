/*
 * Unit tests of io/pacer
 */

#include "ncserver/io/pacer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define LOW    1151u
#define SETTLE PACER_SETTLE_NS
#define KIB    1024u

static uint64_t start = 1000000000;

static void the_first_chunks_go_at_once(void **state)
{
	struct pacer p = {0};
	uint64_t due;

	(void)state;
	assert_int_equal(pacer_ask(&p, 32 * KIB, 0, LOW, start, &due), PACER_WRITE);
	pacer_wrote(&p, 32 * KIB, 0, start);
	/* Read already: both fit into one read, should it still be running. */
	assert_int_equal(pacer_ask(&p, 32 * KIB, 0, LOW, start + 1, &due), PACER_WRITE);
}

static void nothing_is_written_before_the_last_was_read(void **state)
{
	struct pacer p = {0};
	uint64_t due;

	(void)state;
	pacer_wrote(&p, 100, 0, start);
	assert_int_equal(pacer_ask(&p, 100, LOW + 1, LOW, start + 1, &due), PACER_WAIT_READ);
	assert_int_equal(pacer_ask(&p, 100, LOW + 1, LOW, start + 1000 * SETTLE, &due),
	                 PACER_WAIT_READ);
	assert_int_equal(pacer_ask(&p, 100, LOW, LOW, start + 1000 * SETTLE, &due), PACER_WRITE);
}

static void what_one_read_might_glue_stays_within_it(void **state)
{
	struct pacer p = {0};
	uint64_t due = 0;

	(void)state;
	pacer_wrote(&p, 32 * KIB, 0, start);
	pacer_wrote(&p, 32 * KIB, 0, start + 10);
	/* A third one in the same read would be cut. */
	assert_int_equal(pacer_ask(&p, 1, 0, LOW, start + 20, &due), PACER_WAIT_UNTIL);
	assert_int_equal(due, start + 10 + SETTLE);
	assert_int_equal(pacer_ask(&p, 32 * KIB, 0, LOW, due, &due), PACER_WRITE);
	/* By then only the second one counts. */
	assert_int_equal(p.glued, 32 * KIB);
}

static void a_slow_trickle_is_never_held_up(void **state)
{
	struct pacer p = {0};
	uint64_t due, now = start;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		assert_int_equal(pacer_ask(&p, 200, 0, LOW, now, &due), PACER_WRITE);
		pacer_wrote(&p, 200, 0, now);
		now += SETTLE;
	}
}

static void a_small_piece_unread_counts(void **state)
{
	struct pacer p = {0};
	uint64_t due = 0, now = start;

	(void)state;
	pacer_wrote(&p, 300, 0, now);
	/* 900 bytes of the kernel's memory hold them, not told apart from nothing. */
	assert_int_equal(pacer_ask(&p, 32 * KIB, 900, LOW, now + 1, &due), PACER_WRITE);
	pacer_wrote(&p, 32 * KIB, 900, now + 1);
	assert_int_equal(pacer_ask(&p, 32 * KIB, 0, LOW, now + 2, &due), PACER_WAIT_UNTIL);
	assert_int_equal(due, now + 2 + SETTLE);
	assert_int_equal(pacer_ask(&p, 32 * KIB, 0, LOW, due, &due), PACER_WRITE);
}

static void a_small_piece_that_is_never_read_does_not_hold_up_for_ever(void **state)
{
	struct pacer p = {0};
	uint64_t due = 0;

	(void)state;
	pacer_wrote(&p, 40 * KIB, 0, start);
	pacer_wrote(&p, 300, 0, start + 1);
	assert_int_equal(pacer_ask(&p, 32 * KIB, 900, LOW, start + 2, &due), PACER_WAIT_UNTIL);
	assert_int_equal(pacer_ask(&p, 32 * KIB, 900, LOW, due, &due), PACER_WRITE);
}

static void a_packet_beyond_every_read_waits_for_the_others_only(void **state)
{
	struct pacer p = {0};
	uint64_t due = 0;

	(void)state;
	assert_int_equal(pacer_ask(&p, 1u << 20, 0, LOW, start, &due), PACER_WRITE);
	pacer_wrote(&p, 1u << 20, 0, start);
	assert_int_equal(pacer_ask(&p, 1u << 20, 0, LOW, start + 1, &due), PACER_WAIT_UNTIL);
	assert_int_equal(due, start + 1 + SETTLE);
	assert_int_equal(pacer_ask(&p, 1u << 20, 0, LOW, due, &due), PACER_WRITE);
}

/*
 * The whole contract, against the worst reader there can be: a read takes piece after piece, and
 * between any two of them it may be interrupted, for as long as a read may take, while chunks are
 * written.
 */
struct reader {
	uint32_t pieces[4096]; /* unread */
	unsigned n_pieces;
	size_t got; /* in the read that runs; 0: none runs */
	uint64_t read_at;
	bool cut;
};

static uint32_t next_random(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return *s;
}

static size_t unread(const struct reader *r)
{
	size_t sum = 0;

	for (unsigned i = 0; i < r->n_pieces; i++)
		sum += r->pieces[i] + 700;
	return sum;
}

static void take_piece(struct reader *r, uint64_t now)
{
	if (r->n_pieces == 0) {
		r->got = 0;
		return;
	}
	if (r->got == 0)
		r->read_at = now;
	r->got += r->pieces[0];
	memmove(r->pieces, r->pieces + 1, --r->n_pieces * sizeof(*r->pieces));
	if (r->got > PACER_READ_MAX)
		r->cut = true;
	if (r->got >= PACER_READ_MAX)
		r->got = 0;
}

static void no_read_is_ever_cut(void **state)
{
	uint32_t seed = 20260101;
	struct pacer p = {0};
	struct reader r = {0};
	uint64_t now = start, due = 0;
	unsigned long n_written = 0;

	(void)state;
	for (unsigned i = 0; i < 2000000; i++) {
		uint32_t dice = next_random(&seed);

		now += dice % 40000;
		/* A read that has run for as long as it may ends. */
		if (r.got > 0 && now - r.read_at >= SETTLE)
			r.got = 0;
		if (dice & 0x100000) {
			take_piece(&r, now);
		} else {
			size_t len = next_random(&seed) % (dice & 0x200000 ? 300 : 32 * KIB) + 1;

			if (pacer_ask(&p, len, unread(&r), LOW, now, &due) != PACER_WRITE)
				continue;
			pacer_wrote(&p, len, unread(&r), now);
			r.pieces[r.n_pieces++] = (uint32_t)len;
			n_written++;
		}
		assert_false(r.cut);
	}
	assert_true(n_written > 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_first_chunks_go_at_once),
	        cmocka_unit_test(nothing_is_written_before_the_last_was_read),
	        cmocka_unit_test(what_one_read_might_glue_stays_within_it),
	        cmocka_unit_test(a_slow_trickle_is_never_held_up),
	        cmocka_unit_test(a_small_piece_unread_counts),
	        cmocka_unit_test(a_small_piece_that_is_never_read_does_not_hold_up_for_ever),
	        cmocka_unit_test(a_packet_beyond_every_read_waits_for_the_others_only),
	        cmocka_unit_test(no_read_is_ever_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
