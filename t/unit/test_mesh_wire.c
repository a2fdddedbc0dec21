/* Unit tests of mesh/wire and mesh/stream: the bytes of nc-mesh(7) */

#include "libnc/wire/frame.h"
#include "mesh/stream.h"
#include "mesh/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SIZE 1472

static uint8_t datagram[SIZE];
static const uint8_t boot[MW_BOOT_LEN] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static struct mw_writer begin(size_t size)
{
	struct mw_writer w;

	memset(datagram, 0xEE, sizeof(datagram));
	mw_begin(&w, datagram, size, 0x01020304);
	return w;
}

/* The bytes of the one chunk that was written. */
static void expect(const struct mw_writer *w, const void *bytes, size_t n)
{
	assert_int_equal(w->len, MW_HEADER_LEN + MW_STAMP_LEN + n);
	assert_memory_equal(datagram + MW_HEADER_LEN + MW_STAMP_LEN, bytes, n);
}

#define EXPECT(w, ...)                                                                             \
	do {                                                                                       \
		static const uint8_t expected_[] = {__VA_ARGS__};                                  \
		expect((w), expected_, sizeof(expected_));                                         \
	} while (0)

static struct mw_chunk chunk(const struct mw_writer *w)
{
	struct mw_reader r = {datagram + MW_HEADER_LEN + MW_STAMP_LEN,
	                      w->len - MW_HEADER_LEN - MW_STAMP_LEN};
	struct mw_chunk c;

	assert_int_equal(mw_next(&r, &c), 1);
	return c;
}

static void a_header_is_what_the_page_shows(void **state)
{
	static const uint8_t golden[] = {0x4D, 1, 0, 0, 4, 3, 2, 1, 8, 7, 6,  5,  4,  3,  2,  1,
	                                 0,    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	uint8_t bytes[MW_OVERHEAD] = {0};
	struct mw_header h;
	bool version;
	size_t i;

	(void)state;
	mw_header_put(bytes, 0x01020304, UINT64_C(0x0102030405060708), boot);
	assert_memory_equal(bytes, golden, sizeof(golden));
	assert_true(mw_header_get(&h, bytes, sizeof(bytes), &version));
	assert_int_equal(h.key_id, 0x01020304);
	assert_true(h.counter == UINT64_C(0x0102030405060708));
	assert_memory_equal(h.boot, boot, sizeof(boot));
	assert_false(mw_header_get(&h, bytes, sizeof(bytes) - 1, &version));
	assert_false(version);
	for (i = 0; i < 4; i++) {
		bytes[i] ^= 0x10;
		assert_false(mw_header_get(&h, bytes, sizeof(bytes), &version));
		assert_true(version);
		bytes[i] ^= 0x10;
	}
}

static void a_segment_is_what_the_page_shows(void **state)
{
	struct mw_data d = {
	        .lane = 0x0102, .first = 1, .msgs = 7, .seq = 9, .len = 3, .repair = true};
	struct mw_writer w = begin(SIZE);
	uint8_t *p = mw_put_data(&w, &d);
	struct mw_chunk c;
	struct mw_data got = {0};

	(void)state;
	memcpy(p, "abc", 3);
	EXPECT(&w, 2, 0x10, 19, 0, 2, 1, 1, 0, 7, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 'c');
	c = chunk(&w);
	assert_true(mw_data_get(&got, &c));
	assert_int_equal(got.lane, d.lane);
	assert_int_equal(got.first, 1);
	assert_int_equal(got.msgs, 7);
	assert_true(got.seq == 9);
	assert_int_equal(got.len, 3);
	assert_true(got.repair);
	assert_memory_equal(got.payload, "abc", 3);
	/* No bytes at all, or a first frame that begins behind them. */
	c.len = MW_DATA_LEN;
	assert_false(mw_data_get(&got, &c));
	c.len = MW_DATA_LEN + 1;
	assert_false(mw_data_get(&got, &c));
}

static void heads_and_proofs_are_what_the_page_shows(void **state)
{
	struct mw_head h = {.lane = 3, .seq = 0x0A, .msgs = 0x0B}, got;
	struct mw_challenge v = {.size = 300}, back;
	struct mw_refuse r = {.reason = MW_REFUSE_MTU, .size = 1452}, refused;
	struct mw_writer w = begin(SIZE);
	struct mw_chunk c;

	(void)state;
	assert_true(mw_put_head(&w, MW_HEAD, MW_F_ASK, &h));
	EXPECT(&w, 3, 1, 18, 0, 3, 0, 10, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0);
	c = chunk(&w);
	assert_true(mw_head_get(&got, &c));
	assert_true(got.lane == 3 && got.seq == 10 && got.msgs == 11);
	c.len--;
	assert_false(mw_head_get(&got, &c));

	memcpy(v.nonce, boot, sizeof(v.nonce));
	w = begin(SIZE);
	assert_true(mw_put_challenge(&w, MW_CHALLENGE, &v));
	EXPECT(&w, 15, 0, 18, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 44, 1);
	c = chunk(&w);
	assert_true(mw_challenge_get(&back, &c));
	assert_int_equal(back.size, 300);
	c.len++;
	assert_false(mw_challenge_get(&back, &c));

	memcpy(r.nonce, boot, sizeof(r.nonce));
	w = begin(SIZE);
	assert_true(mw_put_refuse(&w, &r));
	EXPECT(&w, 17, 0, 20, 0, 2, 0, 0xAC, 5, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	       15);
	c = chunk(&w);
	assert_true(mw_refuse_get(&refused, &c));
	assert_int_equal(refused.size, 1452);
}

static void lists_are_what_the_page_shows(void **state)
{
	struct mw_lane lane = {.lane = 1,
	                       .class = 1,
	                       .name_len = 2,
	                       .members = 5,
	                       .seq = 6,
	                       .msgs = 7,
	                       .name = "ab"},
	               lane_got;
	struct mw_status s = {.lane = 1, .cum = 2, .window = 3}, s_got;
	struct mw_joined j = {.lane = 1, .token = 2, .seq = 3, .msgs = 4}, j_got;
	struct mw_echo e = {5, 6}, e_got;
	struct mw_writer w = begin(SIZE);
	struct mw_list list;
	struct mw_chunk c;

	(void)state;
	assert_true(mw_open(&w, MW_LANES, 0, 24));
	assert_true(mw_add_lane(&w, &lane));
	mw_close(&w);
	EXPECT(&w, 12, 0, 24, 0, 1, 0, 1, 2, 5, 0, 6, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0,
	       'a', 'b');
	c = chunk(&w);
	mw_list_begin(&list, &c);
	assert_int_equal(mw_lanes_next(&list, &lane_got), 1);
	assert_int_equal(lane_got.members, 5);
	assert_memory_equal(lane_got.name, "ab", 2);
	assert_int_equal(mw_lanes_next(&list, &lane_got), 0);
	c.len--;
	mw_list_begin(&list, &c);
	assert_int_equal(mw_lanes_next(&list, &lane_got), -1);

	w = begin(SIZE);
	assert_true(mw_open(&w, MW_STATUS, 0, 22));
	assert_true(mw_add_echo(&w, &e) && mw_add_status(&w, &s));
	mw_close(&w);
	EXPECT(&w, 5, 0, 22, 0, 5, 0, 0, 0, 6, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0);
	c = chunk(&w);
	assert_true(mw_status_begin(&list, &e_got, &c));
	assert_int_equal(e_got.held_us, 6);
	assert_int_equal(mw_status_next(&list, &s_got), 1);
	assert_true(s_got.cum == 2 && s_got.window == 3);
	assert_int_equal(mw_status_next(&list, &s_got), 0);

	w = begin(SIZE);
	assert_true(mw_open(&w, MW_JOINED, 0, 22));
	assert_true(mw_add_joined(&w, &j));
	mw_close(&w);
	EXPECT(&w, 8, 0, 22, 0, 1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0);
	c = chunk(&w);
	mw_list_begin(&list, &c);
	assert_int_equal(mw_joined_next(&list, &j_got), 1);
	assert_true(j_got.seq == 3 && j_got.msgs == 4 && j_got.token == 2);
}

static void ranges_of_a_nak_count_from_where_the_last_one_ended(void **state)
{
	static const struct mw_range ranges[] = {{1000, 1}, {1005, 10}, {66000, 65535}};
	struct mw_writer w = begin(SIZE);
	struct mw_range got;
	struct mw_list list;
	struct mw_chunk c;
	uint64_t base = 1000;
	uint16_t lane;
	size_t i;

	(void)state;
	assert_true(mw_open_nak(&w, 7, base));
	for (i = 0; i < 3; i++)
		assert_true(mw_add_range(&w, &base, &ranges[i]));
	assert_false(mw_add_range(&w, &base, &(struct mw_range){base + 70000, 1}));
	mw_close(&w);
	c = chunk(&w);
	assert_true(mw_nak_begin(&list, &lane, &c));
	assert_int_equal(lane, 7);
	for (i = 0; i < 3; i++) {
		assert_int_equal(mw_nak_next(&list, &got), 1);
		assert_true(got.seq == ranges[i].seq);
		assert_int_equal(got.n, ranges[i].n);
	}
	assert_int_equal(mw_nak_next(&list, &got), 0);
}

static void a_range_that_is_empty_or_beyond_all_numbers_is_refused(void **state)
{
	uint8_t body[14] = {7, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 1, 0};
	struct mw_chunk c = {.kind = MW_NAK, .len = sizeof(body), .body = body};
	struct mw_range got;
	struct mw_list list;
	uint16_t lane;

	(void)state;
	assert_true(mw_nak_begin(&list, &lane, &c));
	assert_int_equal(mw_nak_next(&list, &got), -1);
	memset(body + 2, 0, 12);
	assert_true(mw_nak_begin(&list, &lane, &c));
	assert_int_equal(mw_nak_next(&list, &got), -1);
}

static void padding_fills_a_datagram_to_the_byte(void **state)
{
	size_t size, left;

	(void)state;
	for (size = 400; size < 420; size++) {
		struct mw_writer w = begin(SIZE);
		struct mw_reader r;
		struct mw_chunk c;

		mw_put_to(&w, boot);
		for (left = 0; left < 12; left++) {
			struct mw_writer v = w;
			size_t n = size - MW_TAG_LEN - v.len - MW_CHUNK_LEN - left;

			mw_open(&v, MW_HEARD, 0, n);
			memset(v.p + v.len, 1, n);
			v.len += n;
			mw_close(&v);
			mw_pad(&v, size);
			assert_int_equal(v.len, size - MW_TAG_LEN);
			r = (struct mw_reader){datagram + 36, v.len - 36};
			assert_int_equal(mw_next(&r, &c), 1);
			assert_int_equal(mw_next(&r, &c), 1);
			if (left >= MW_CHUNK_LEN) {
				assert_int_equal(mw_next(&r, &c), 1);
				assert_int_equal(c.kind, MW_PAD);
			}
			assert_int_equal(mw_next(&r, &c), 0);
		}
	}
}

static void what_does_not_fit_is_not_written(void **state)
{
	struct mw_writer w = begin(100);
	size_t before = w.len;
	struct mw_announce a = {.host_len = 60, .host = (const char *)datagram, .version = ""};
	struct mw_data d = {.len = 100};

	(void)state;
	assert_false(mw_put_announce(&w, 0, &a));
	assert_null(mw_put_data(&w, &d));
	assert_int_equal(w.len, before);
}

static void a_chunk_that_overruns_the_datagram_is_refused(void **state)
{
	const uint8_t bytes[] = {MW_KEYS, 0, 5, 0, 1, 2, 3, 4};
	struct mw_reader r = {bytes, sizeof(bytes)};
	struct mw_chunk c;

	(void)state;
	assert_int_equal(mw_next(&r, &c), -1);
}

/* ---- streams ---- */

static size_t put_emit(uint8_t *p, uint32_t payload)
{
	struct frame_emit f = {.sender = 1,
	                       .seq = 1,
	                       .channel = "c",
	                       .channel_len = 1,
	                       .event = "e",
	                       .event_len = 1,
	                       .flags = FRAME_T_BYTES,
	                       .payload_len = payload};

	return frame_emit_head_put(p, 256, &f) + payload;
}

static void a_stream_is_counted_the_same_wherever_it_is_cut(void **state)
{
	uint8_t bytes[512] = {0};
	struct frame_gap g = {.count = 41, .reason = FRAME_GAP_DROP_OLDEST, .exact = 1};
	size_t a = put_emit(bytes, 50), n, cut, first;
	size_t b = a + frame_gap_put(bytes + a, 256, &g);

	(void)state;
	n = b + put_emit(bytes + b, 30);
	for (cut = 1; cut < n; cut++) {
		struct stream s = {0};
		bool in_head = (cut < 16) || (cut > a && cut < a + 16) || (cut > b && cut < b + 16);

		if (in_head) {
			/* No segment ends there, and one that does is no piece of a stream. */
			assert_false(stream_walk(&s, bytes, cut, &first));
			continue;
		}
		assert_true(stream_walk(&s, bytes, cut, &first));
		assert_int_equal(first, 0);
		assert_true(s.begun == (cut <= a ? 1u : cut <= b ? 42u : 43u));
		assert_true(stream_walk(&s, bytes + cut, n - cut, &first));
		assert_int_equal(first, cut <= a ? a - cut : cut <= b ? b - cut : n - cut);
		assert_true(s.begun == 43);
		assert_true(stream_whole(&s) == 43);
	}
}

static void who_a_sender_is_counts_for_nothing_even_where_it_is_cut(void **state)
{
	struct frame_sender who = {.sender = 7, .host = "h", .host_len = 1};
	uint8_t bytes[100];
	struct stream s = {.begun = 5};
	size_t n = frame_sender_put(bytes, sizeof(bytes), &who), first;

	(void)state;
	assert_true(stream_walk(&s, bytes, 20, &first));
	assert_true(s.left > 0);
	assert_true(s.begun == 5);
	assert_true(stream_whole(&s) == 5);
	assert_true(stream_walk(&s, bytes + 20, n - 20, &first));
	assert_true(stream_whole(&s) == 5);
}

static void frames_that_no_lane_carries_are_refused(void **state)
{
	uint8_t hello[16] = {16, 0, 0, 0, FRAME_HELLO}, little[16] = {15, 0, 0, 0, FRAME_EMIT},
	        large[16] = {0, 0, 0, 0x11, FRAME_EMIT}, gap[16] = {17, 0, 0, 0, FRAME_GAP};
	uint64_t msgs;

	(void)state;
	assert_int_equal(stream_head(hello, &msgs), 0);
	assert_int_equal(stream_head(little, &msgs), 0);
	assert_int_equal(stream_head(large, &msgs), 0);
	assert_int_equal(stream_head(gap, &msgs), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_header_is_what_the_page_shows),
	        cmocka_unit_test(a_segment_is_what_the_page_shows),
	        cmocka_unit_test(heads_and_proofs_are_what_the_page_shows),
	        cmocka_unit_test(lists_are_what_the_page_shows),
	        cmocka_unit_test(ranges_of_a_nak_count_from_where_the_last_one_ended),
	        cmocka_unit_test(a_range_that_is_empty_or_beyond_all_numbers_is_refused),
	        cmocka_unit_test(padding_fills_a_datagram_to_the_byte),
	        cmocka_unit_test(what_does_not_fit_is_not_written),
	        cmocka_unit_test(a_chunk_that_overruns_the_datagram_is_refused),
	        cmocka_unit_test(a_stream_is_counted_the_same_wherever_it_is_cut),
	        cmocka_unit_test(who_a_sender_is_counts_for_nothing_even_where_it_is_cut),
	        cmocka_unit_test(frames_that_no_lane_carries_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
