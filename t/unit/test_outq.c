/*
 * Unit tests of client/outq
 */

#include "libnc/client/outq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "libnc/wire/frame.h"
#include "t/unit/nomem.h"

#define HEAD_LEN (FRAME_EMIT_LEN + 2)

/* Writes an EMIT frame of `len` bytes, whose payload is filled with `mark`. */
static void frame_fill(uint8_t *p, size_t len, uint8_t mark)
{
	struct frame_emit f = {.channel = "c",
	                       .channel_len = 1,
	                       .event = "e",
	                       .event_len = 1,
	                       .flags = FRAME_T_BYTES,
	                       .payload_len = (uint32_t)(len - HEAD_LEN)};

	assert_int_equal(frame_emit_head_put(p, len, &f), HEAD_LEN);
	memset(p + HEAD_LEN, mark, len - HEAD_LEN);
}

static void push(struct outq *q, size_t len, uint8_t mark)
{
	uint8_t *p = outq_reserve(q, len);

	assert_non_null(p);
	frame_fill(p, len, mark);
	outq_commit(q, len);
}

static uint8_t front_mark(const struct outq *q)
{
	size_t len;
	const uint8_t *p = outq_front(q, &len);

	assert_non_null(p);
	return p[len - 1];
}

static size_t pending(const struct outq *q, bool skip_partial)
{
	struct iovec iov[64];
	int n = outq_gather(q, iov, 64, skip_partial);
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		assert_true(iov[i].iov_len > 0);
		len += iov[i].iov_len;
	}
	return len;
}

static void an_empty_queue_has_nothing_to_write(void **state)
{
	struct outq q;
	size_t len;

	(void)state;
	outq_init(&q, 1000, 10);
	assert_true(outq_is_empty(&q));
	assert_true(outq_is_half_empty(&q));
	assert_int_equal(pending(&q, false), 0);
	assert_int_equal(outq_partial(&q), 0);
	assert_null(outq_front(&q, &len));
	assert_int_equal(outq_drop_all(&q), 0);
	outq_rewind(&q);
	assert_int_equal(outq_stamp(&q, 1, 5), 5);
	outq_fini(&q);
}

static void frames_leave_in_order_and_are_counted_when_whole(void **state)
{
	struct outq q;

	(void)state;
	outq_init(&q, 1000, 10);
	push(&q, 40, 'a');
	push(&q, 50, 'b');
	push(&q, 60, 'c');
	assert_int_equal(pending(&q, false), 150);
	outq_advance(&q, 39);
	assert_int_equal(q.n_written, 0);
	assert_int_equal(outq_partial(&q), 1);
	assert_int_equal(pending(&q, false), 111);
	assert_int_equal(pending(&q, true), 110);
	outq_advance(&q, 1);
	assert_int_equal(q.n_written, 1);
	assert_int_equal(front_mark(&q), 'b');
	outq_advance(&q, 51);
	assert_int_equal(q.n_written, 2);
	assert_int_equal(outq_partial(&q), 59);
	outq_advance(&q, 59);
	assert_int_equal(q.n_written, 3);
	assert_true(outq_is_empty(&q));
	assert_true(list_empty(&q.segments));
	outq_fini(&q);
}

static void both_bounds_hold(void **state)
{
	struct outq q;

	(void)state;
	outq_init(&q, 100, 3);
	push(&q, 50, 'a');
	assert_true(outq_has_room(&q, 50));
	assert_false(outq_has_room(&q, 51));
	push(&q, 30, 'b');
	push(&q, 28, 'c');
	assert_false(outq_has_room(&q, 0));
	assert_false(outq_is_half_empty(&q));
	outq_pop(&q);
	outq_pop(&q);
	assert_true(outq_is_half_empty(&q));
	outq_fini(&q);
}

static void a_frame_above_the_bound_finds_room_only_where_nothing_whole_waits(void **state)
{
	struct outq q;

	(void)state;
	outq_init(&q, 100, 3);
	assert_true(outq_has_room(&q, 5000));
	push(&q, 5000, 'a');
	assert_false(outq_has_room(&q, 30));
	outq_advance(&q, 1);
	assert_true(outq_has_room(&q, 5000));
	push(&q, 5000, 'b');
	assert_false(outq_has_room(&q, 5000));
	outq_fini(&q);
}

static void a_large_frame_has_a_segment_of_its_size(void **state)
{
	struct outq q;

	(void)state;
	outq_init(&q, SIZE_MAX, 10);
	push(&q, 30, 'a');
	push(&q, 1 << 20, 'b');
	push(&q, 30, 'c');
	assert_int_equal(list_entry(q.segments.next->next, struct outq_segment, link)->cap,
	                 1 << 20);
	outq_advance(&q, 30);
	assert_int_equal(front_mark(&q), 'b');
	outq_advance(&q, 1 << 20);
	assert_int_equal(front_mark(&q), 'c');
	outq_fini(&q);
}

static void the_oldest_go_until_there_is_room(void **state)
{
	struct outq q;

	(void)state;
	outq_init(&q, 100, 10);
	push(&q, 30, 'a');
	push(&q, 30, 'b');
	push(&q, 40, 'c');
	assert_int_equal(outq_drop_oldest(&q, 50), 2);
	assert_int_equal(front_mark(&q), 'c');
	assert_int_equal(q.n_dropped, 2);
	assert_int_equal(outq_drop_oldest(&q, 60), 0);
	assert_int_equal(outq_drop_oldest(&q, 5000), 1);
	assert_true(outq_is_empty(&q));
	outq_fini(&q);
}

static void a_partly_written_frame_is_never_dropped(void **state)
{
	struct iovec iov[4];
	struct outq q;

	(void)state;
	outq_init(&q, 150, 10);
	push(&q, 50, 'a');
	push(&q, 50, 'b');
	push(&q, 50, 'c');
	outq_advance(&q, 45);
	assert_int_equal(outq_drop_oldest(&q, 60), 2);
	assert_int_equal(front_mark(&q), 'a');
	push(&q, 60, 'd');
	assert_int_equal(outq_partial(&q), 5);
	assert_int_equal(outq_gather(&q, iov, 4, false), 2);
	assert_int_equal(iov[0].iov_len, 5);
	assert_int_equal(iov[1].iov_len, 60);
	outq_advance(&q, 5);
	assert_int_equal(front_mark(&q), 'd');
	assert_int_equal(q.n_in, q.n_written + q.n_dropped + q.n_messages);
	outq_fini(&q);
}

static void without_memory_a_partly_written_frame_is_kept_with_all_behind_it(void **state)
{
	struct outq q;

	(void)state;
	outq_init(&q, 100, 10);
	push(&q, 50, 'a');
	push(&q, 50, 'b');
	outq_advance(&q, 10);
	nomem_after(0);
	assert_int_equal(outq_drop_oldest(&q, 50), 0);
	assert_true(nomem_off());
	assert_false(outq_has_room(&q, 50));
	assert_int_equal(q.n_messages, 2);
	nomem_after(0);
	assert_null(outq_reserve(&q, 1 << 20));
	nomem_off();
	assert_int_equal(pending(&q, false), 90);
	outq_fini(&q);
}

static void a_new_connection_sends_the_cut_frame_again_whole(void **state)
{
	struct outq q;

	(void)state;
	outq_init(&q, 1000, 10);
	push(&q, 50, 'a');
	push(&q, 50, 'b');
	outq_advance(&q, 70);
	outq_rewind(&q);
	assert_int_equal(pending(&q, false), 50);
	assert_int_equal(front_mark(&q), 'b');
	assert_int_equal(q.n_written, 1);
	outq_fini(&q);
}

static void all_frames_are_stamped_with_rising_sequences(void **state)
{
	struct outq q;
	uint64_t seq = 7;

	(void)state;
	outq_init(&q, SIZE_MAX, SIZE_MAX);
	for (int i = 0; i < 500; i++)
		push(&q, 30 + (size_t)i * 10, (uint8_t)i);
	assert_int_equal(outq_stamp(&q, 99, seq), seq + 500);
	while (!outq_is_empty(&q)) {
		struct frame_emit f;
		size_t len;
		const uint8_t *p = outq_front(&q, &len);

		assert_int_equal(frame_emit_get(&f, p, len, UINT32_MAX), FRAME_OK);
		assert_int_equal(f.sender, 99);
		assert_int_equal(f.seq, seq++);
		outq_pop(&q);
	}
	outq_fini(&q);
}

static bool keep_odd(void *arg, const uint8_t *frame, size_t len)
{
	unsigned *n = arg;

	(*n)++;
	return frame[len - 1] & 1;
}

static void a_filter_takes_out_what_it_is_to(void **state)
{
	struct outq q;
	unsigned n_seen = 0, n_left = 0;

	(void)state;
	outq_init(&q, SIZE_MAX, SIZE_MAX);
	for (unsigned i = 0; i < 200; i++)
		push(&q, i % 10 == 0 ? 20000 : 3000, (uint8_t)i);
	assert_int_equal(outq_filter(&q, keep_odd, &n_seen), 100);
	assert_int_equal(n_seen, 200);
	assert_int_equal(q.n_messages, 100);
	assert_int_equal(q.n_dropped, 100);
	assert_int_equal(q.n_bytes, pending(&q, false));
	for (; !outq_is_empty(&q); n_left++) {
		assert_int_equal(front_mark(&q), n_left * 2 + 1);
		outq_pop(&q);
	}
	assert_int_equal(n_left, 100);
	assert_true(list_empty(&q.segments));
	outq_fini(&q);
}

static void a_filter_leaves_what_is_begun(void **state)
{
	struct outq q;
	unsigned n_seen = 0;

	(void)state;
	outq_init(&q, SIZE_MAX, SIZE_MAX);
	for (unsigned i = 0; i < 40; i++)
		push(&q, 3000, (uint8_t)i);
	outq_advance(&q, 1);
	assert_int_equal(outq_filter(&q, keep_odd, &n_seen), 19);
	assert_int_equal(n_seen, 39);
	assert_int_equal(outq_partial(&q), 2999);
	assert_int_equal(pending(&q, false), 21 * 3000 - 1);
	assert_int_equal(front_mark(&q), 0);
	outq_advance(&q, 2999);
	assert_int_equal(front_mark(&q), 1);
	/* it may be all that there is */
	outq_advance(&q, 19 * 3000 + 1);
	n_seen = 0;
	assert_int_equal(outq_filter(&q, keep_odd, &n_seen), 0);
	assert_int_equal(n_seen, 0);
	assert_int_equal(q.n_messages, 1);
	outq_fini(&q);
}

static void a_place_that_was_reserved_and_not_used_leaves_no_trace(void **state)
{
	struct outq q;

	(void)state;
	outq_init(&q, 1000, 10);
	assert_non_null(outq_reserve(&q, 100));
	assert_non_null(outq_reserve(&q, 1 << 20));
	assert_true(outq_is_empty(&q));
	assert_int_equal(pending(&q, false), 0);
	push(&q, 40, 'a');
	assert_non_null(outq_reserve(&q, 1 << 20));
	assert_int_equal(outq_drop_all(&q), 1);
	push(&q, 40, 'b');
	assert_int_equal(front_mark(&q), 'b');
	outq_fini(&q);
}

/* A stream of numbered frames through random operations; the model knows which number is where. */
struct model {
	uint8_t marks[4096];
	size_t lens[4096];
	size_t head, tail, cursor;
};

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static void model_advance(struct model *m, size_t n)
{
	m->cursor += n;
	while (m->head < m->tail && m->cursor >= m->lens[m->head])
		m->cursor -= m->lens[m->head++];
}

static void model_drop_oldest(struct model *m, size_t n)
{
	if (m->cursor && n) {
		m->marks[m->head + n] = m->marks[m->head];
		m->lens[m->head + n] = m->lens[m->head];
	}
	m->head += n;
}

static void check_against_model(const struct outq *q, const struct model *m)
{
	assert_int_equal(q->n_messages, m->tail - m->head);
	assert_int_equal(q->cursor, m->cursor);
	assert_int_equal(q->n_in, q->n_written + q->n_dropped + q->n_messages);
	if (m->head < m->tail)
		assert_int_equal(front_mark(q), m->marks[m->head]);
}

/* Fills `n` segments and takes all of it out again. */
static void wash(struct outq *q, size_t n)
{
	for (size_t i = 0; i < 8 * n; i++)
		push(q, OUTQ_SEGMENT_LEN / 8, 1);
	outq_advance(q, n * OUTQ_SEGMENT_LEN);
	assert_true(outq_is_empty(q));
}

static void segments_are_kept_until_nothing_comes(void **state)
{
	struct outq q;

	(void)state;
	outq_init(&q, SIZE_MAX, SIZE_MAX);
	wash(&q, OUTQ_SPARE_MAX + 5);
	assert_int_equal(q.n_spares, OUTQ_SPARE_MAX);
	outq_trim(&q);
	assert_int_equal(q.n_spares, OUTQ_SPARE_MAX);
	/* they are what is used next, without any memory being there */
	nomem_after(0);
	wash(&q, OUTQ_SPARE_MAX);
	assert_false(nomem_off());
	push(&q, OUTQ_SEGMENT_LEN / 8, 1);
	assert_int_equal(q.n_spares, OUTQ_SPARE_MAX - 1);
	outq_trim(&q);
	assert_int_equal(q.n_spares, OUTQ_SPARE_MAX - 1);
	/* nothing came since, though something still waits */
	outq_trim(&q);
	assert_int_equal(q.n_spares, 0);
	assert_int_equal(front_mark(&q), 1);
	outq_pop(&q);
	assert_true(outq_is_empty(&q));
	/* few are not kept, nor those of another size */
	wash(&q, OUTQ_SPARE_FEW);
	assert_int_equal(q.n_spares, 0);
	for (int i = 0; i < OUTQ_SPARE_FEW + 5; i++)
		push(&q, OUTQ_SHARE_LEN + 1, 2);
	while (!outq_is_empty(&q))
		outq_pop(&q);
	assert_int_equal(q.n_spares, 0);
	/* dropping everything drops them too */
	wash(&q, OUTQ_SPARE_MAX);
	assert_int_equal(q.n_spares, OUTQ_SPARE_MAX);
	outq_drop_all(&q);
	assert_int_equal(q.n_spares, 0);
	outq_fini(&q);
}

static void random_operations_agree_with_a_model(void **state)
{
	static struct model m;

	(void)state;
	for (uint32_t seed = 1; seed <= 30; seed++) {
		uint32_t x = seed * 2654435761u;
		struct outq q;

		m.head = m.tail = m.cursor = 0;
		outq_init(&q, 200000, 40);
		while (m.tail < 4000) {
			size_t len = HEAD_LEN + 1 +
			             next_random(&x) % (next_random(&x) % 8 ? 2000 : 50000);
			size_t left = pending(&q, false);

			switch (next_random(&x) % 4) {
			case 0:
			case 1:
				model_drop_oldest(&m, outq_drop_oldest(&q, len));
				assert_true(outq_has_room(&q, len));
				m.marks[m.tail] = (uint8_t)m.tail;
				push(&q, len, (uint8_t)m.tail);
				m.lens[m.tail++] = len;
				break;
			case 2:
				if (left) {
					size_t n = next_random(&x) % (left + 1);

					outq_advance(&q, n);
					model_advance(&m, n);
				}
				break;
			default:
				if (next_random(&x) % 16 == 0) {
					outq_rewind(&q);
					m.cursor = 0;
				}
			}
			check_against_model(&q, &m);
		}
		outq_fini(&q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_empty_queue_has_nothing_to_write),
	        cmocka_unit_test(frames_leave_in_order_and_are_counted_when_whole),
	        cmocka_unit_test(both_bounds_hold),
	        cmocka_unit_test(a_frame_above_the_bound_finds_room_only_where_nothing_whole_waits),
	        cmocka_unit_test(a_large_frame_has_a_segment_of_its_size),
	        cmocka_unit_test(the_oldest_go_until_there_is_room),
	        cmocka_unit_test(a_partly_written_frame_is_never_dropped),
	        cmocka_unit_test(without_memory_a_partly_written_frame_is_kept_with_all_behind_it),
	        cmocka_unit_test(a_new_connection_sends_the_cut_frame_again_whole),
	        cmocka_unit_test(all_frames_are_stamped_with_rising_sequences),
	        cmocka_unit_test(a_filter_takes_out_what_it_is_to),
	        cmocka_unit_test(a_filter_leaves_what_is_begun),
	        cmocka_unit_test(a_place_that_was_reserved_and_not_used_leaves_no_trace),
	        cmocka_unit_test(segments_are_kept_until_nothing_comes),
	        cmocka_unit_test(random_operations_agree_with_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
