/* test_queue.c - what a receiver gets out of a queue is what went in, or is told as lost exactly
 * there */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "libnc/base/buf.h"
#include "ncserver/bus/queue.h"
#include "ncserver/bus/ring.h"
#include "ncserver/conf/conf.h"

/* A queue, and a reader that takes its stream apart. */
struct rig {
	struct slab_pool pool;
	struct slab *cur;
	struct conf_queue conf;
	struct queue q;
	uint64_t next_seq; /* of the next message */
	uint64_t last;     /* sequence number that the reader is at, lost ones included */
	uint64_t got;
	uint64_t told;
	uint64_t control;
	bool in_order; /* each message must follow the last one and the gap */
	uint64_t last_of[64];
	uint8_t stream[1 << 22];
	size_t stream_len;
	uint32_t rng;
};

static uint32_t rnd(struct rig *r, uint32_t n)
{
	r->rng = r->rng * 1664525u + 1013904223u;
	return (r->rng >> 8) % n;
}

static struct rig *rig_new(enum frame_policy policy, uint64_t bytes, uint32_t messages)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	slab_pool_init(&r->pool);
	r->conf = (struct conf_queue){
	        .policy = policy, .bytes = bytes, .messages = messages, .conflate_names = 16};
	queue_init(&r->q, &r->pool, &r->conf, policy, "A");
	r->next_seq = 1;
	r->in_order = true;
	r->rng = 1;
	return r;
}

static void check_flow(const struct rig *r)
{
	const struct queue_flow *f = &r->q.flow;

	for (uint32_t i = 0; i < r->q.n_ents; i++) {
		const struct qent *e = ring_at(&r->q, i);
		uint32_t n;

		if (e->kind != QENT_DATA)
			continue;
		if (queue_fit_len(r->q.dialect, e->p, e->len, e->len, &n) != e->len || n != e->n)
			fail_msg("entry %u of %u", i, r->q.n_ents);
	}
	assert_int_equal(f->routed, f->written + r->q.queued + queue_flow_dropped(f));
}

static void rig_free(struct rig *r)
{
	queue_fini(&r->q);
	check_flow(r);
	assert_int_equal(r->q.queued, 0);
	assert_int_equal(r->q.bytes, 0);
	slab_unref(r->cur);
	slab_pool_fini(&r->pool);
	free(r);
}

/* Writes a message of event e<event> into the current slab. */
static struct range message(struct rig *r, uint32_t event, uint32_t payload)
{
	char name[16];
	struct frame_emit f = {.sender = 7,
	                       .seq = r->next_seq++,
	                       .channel = "A",
	                       .channel_len = 1,
	                       .event = name,
	                       .payload_len = payload,
	                       .flags = FRAME_T_BYTES};
	struct range out;
	size_t n;

	f.event_len = (uint8_t)snprintf(name, sizeof(name), "e%u", event);
	n = frame_emit_head_len(&f) + payload;
	if (!r->cur || slab_room(r->cur) < n) {
		slab_unref(r->cur);
		r->cur = slab_new(&r->pool, n > SLAB_LEN ? (uint32_t)n : SLAB_LEN);
		assert_non_null(r->cur);
	}
	out = (struct range){
	        .slab = r->cur, .p = r->cur->data + r->cur->used, .len = (uint32_t)n, .n = 1};
	frame_emit_head_put(r->cur->data + r->cur->used, n, &f);
	memset(r->cur->data + r->cur->used + n - payload, (int)(f.seq & 0xFF), payload);
	r->cur->used += (uint32_t)n;
	return out;
}

/* Pushes `n` messages of one event at once, as a run or (n 1) as a chain of parts. */
static enum queue_result push(struct rig *r, uint32_t event, uint32_t n, uint32_t payload,
                              bool chain)
{
	struct range list[64];
	enum queue_result rc;
	char key[16];
	struct batch b = {.ranges = list, .n = n, .key = key, .chain = chain};

	b.key_len = (uint32_t)snprintf(key, sizeof(key), "A.e%u", event);
	for (uint32_t i = 0; i < n; i++) {
		struct range m = message(r, event, payload);

		if (b.n_ranges && list[b.n_ranges - 1].slab == m.slab &&
		    list[b.n_ranges - 1].p + list[b.n_ranges - 1].len == m.p) {
			list[b.n_ranges - 1].len += m.len;
			list[b.n_ranges - 1].n++;
		} else {
			slab_ref(m.slab);
			list[b.n_ranges++] = m;
		}
		b.len += m.len;
	}
	if (chain) {
		uint32_t cut = list[0].len / 3;

		list[1] = list[0];
		list[0].len = cut;
		list[1].p += cut;
		list[1].len -= cut;
		b.n_ranges = 2;
	}
	rc = queue_push(&r->q, &b);
	/* the parts of a chain are of one slab, referred to once */
	for (uint32_t i = 0; i < (chain ? 1 : b.n_ranges); i++)
		slab_unref(list[i].slab);
	return rc;
}

static void read_message(struct rig *r, const uint8_t *p, uint32_t len)
{
	struct frame_emit f;
	int event;

	assert_int_equal(frame_emit_get(&f, p, len, NC_MESSAGE_MAX), FRAME_OK);
	for (uint32_t i = 0; i < f.payload_len; i++)
		assert_int_equal(f.payload[i], f.seq & 0xFF);
	assert_true(f.event[0] == 'e' && f.event_len <= 3);
	event = f.event[1] - '0';
	if (f.event_len == 3)
		event = event * 10 + (f.event[2] - '0');
	if (r->in_order)
		assert_int_equal(f.seq, r->last + 1);
	assert_true(f.seq > r->last_of[event]);
	r->last_of[event] = f.seq;
	r->last = f.seq;
	r->got++;
}

/* Takes whole frames off the stream. */
static void read_stream(struct rig *r)
{
	size_t off = 0;

	while (r->stream_len - off >= FRAME_PREFIX_LEN) {
		const uint8_t *p = r->stream + off;
		struct frame_prefix x = frame_prefix_get(p);
		struct frame_gap g;

		assert_true(x.len >= FRAME_PREFIX_LEN);
		if (r->stream_len - off < x.len)
			break;
		if (x.kind == FRAME_GAP) {
			assert_int_equal(frame_gap_get(&g, p, x.len), FRAME_OK);
			assert_true(g.count > 0);
			r->told += g.count;
			r->last += g.count;
		} else if (x.kind == FRAME_EMIT) {
			read_message(r, p, x.len);
		} else {
			assert_true(x.kind == FRAME_PONG || x.kind == FRAME_SENDER);
			r->control++;
		}
		off += x.len;
	}
	memmove(r->stream, r->stream + off, r->stream_len - off);
	r->stream_len -= off;
}

/* The kernel takes up to `max` bytes. */
static void take(struct rig *r, size_t max)
{
	struct iovec iov[QUEUE_IOV_MAX];
	int n = queue_peek(&r->q, iov, false);
	size_t done = 0;

	for (int i = 0; i < n && done < max; i++) {
		size_t len = iov[i].iov_len < max - done ? iov[i].iov_len : max - done;

		assert_true(r->stream_len + len <= sizeof(r->stream));
		memcpy(r->stream + r->stream_len, iov[i].iov_base, len);
		r->stream_len += len;
		done += len;
	}
	queue_wrote(&r->q, done);
	check_flow(r);
	read_stream(r);
}

static void take_all(struct rig *r)
{
	while (!queue_is_empty(&r->q))
		take(r, SIZE_MAX);
}

static void expect_end(struct rig *r)
{
	take_all(r);
	assert_int_equal(r->stream_len, 0);
	assert_int_equal(r->got + r->told, r->next_seq - 1);
	assert_int_equal(r->q.flow.written, r->got);
	assert_int_equal(queue_flow_dropped(&r->q.flow), r->told);
	assert_int_equal(r->q.control_len, 0);
}

/* ---- tests ---- */

static void a_burst_goes_out_as_one_range(void **state)
{
	struct rig *r = rig_new(FRAME_P_BLOCK, 4 << 20, 100000);
	struct iovec iov[QUEUE_IOV_MAX];

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(push(r, 1, 50, 64, false), QUEUE_OK);
	assert_int_equal(r->q.queued, 1000);
	assert_int_equal(queue_peek(&r->q, iov, false), 1);
	expect_end(r);
	assert_int_equal(r->got, 1000);
	rig_free(r);
}

static void a_queue_that_is_empty_holds_no_memory(void **state)
{
	struct rig *r = rig_new(FRAME_P_BLOCK, 4 << 20, 100000);

	(void)state;
	for (int i = 0; i < 500; i++) {
		push(r, 1, 1, 100, false);
		if (i == 250)
			queue_set_blocked(&r->q, true);
		slab_unref(r->cur);
		r->cur = NULL;
	}
	expect_end(r);
	assert_int_equal(r->pool.n_live, 0);
	assert_null(r->q.own);
	rig_free(r);
}

static void a_blocked_queue_does_not_pin_slabs_for_a_few_bytes(void **state)
{
	struct rig *r = rig_new(FRAME_P_BLOCK, 4 << 20, 100000);

	(void)state;
	queue_set_blocked(&r->q, true);
	for (int i = 0; i < 100; i++) {
		push(r, 1, 1, 100, false);
		/* somebody else's traffic fills the slab */
		slab_unref(r->cur);
		r->cur = NULL;
	}
	assert_true(r->pool.bytes_live <= 2 * QUEUE_COPY_MAX);
	assert_true(queue_charge(&r->q) >= 100 * 128);
	expect_end(r);
	rig_free(r);
}

static void what_is_pinned_is_copied_out_when_the_reader_blocks(void **state)
{
	struct rig *r = rig_new(FRAME_P_BLOCK, 4 << 20, 100000);

	(void)state;
	for (int i = 0; i < 10; i++) {
		push(r, 1, 1, 100, false);
		slab_unref(r->cur);
		r->cur = NULL;
	}
	assert_true(r->pool.bytes_live >= 10 * SLAB_LEN);
	take(r, 30);
	queue_set_blocked(&r->q, true);
	assert_true(r->pool.bytes_live <= 2 * QUEUE_COPY_MAX);
	expect_end(r);
	rig_free(r);
}

static void drop_oldest_keeps_the_newest_within_the_limit(void **state)
{
	struct rig *r = rig_new(FRAME_P_DROP_OLDEST, 64 << 10, 1000000);

	(void)state;
	queue_set_blocked(&r->q, true);
	for (int i = 0; i < 100; i++)
		push(r, 1, 50, 1000, false);
	assert_true(r->q.bytes <= r->conf.bytes);
	assert_true(r->q.bytes > r->conf.bytes - 1100);
	assert_int_equal(r->q.flow.dropped[QUEUE_DROP_OLDEST], 5000 - r->q.queued);
	expect_end(r);
	assert_int_equal(r->last, 5000);
	rig_free(r);
}

static void drop_newest_keeps_the_oldest_within_the_limit(void **state)
{
	struct rig *r = rig_new(FRAME_P_DROP_NEWEST, 64 << 10, 1000000);

	(void)state;
	queue_set_blocked(&r->q, true);
	for (int i = 0; i < 100; i++)
		push(r, 1, 50, 1000, false);
	assert_true(r->q.bytes <= r->conf.bytes);
	assert_int_equal(r->q.flow.dropped[QUEUE_DROP_NEWEST], 5000 - r->q.queued);
	expect_end(r);
	rig_free(r);
}

static void the_limit_in_messages_holds_too(void **state)
{
	struct rig *r = rig_new(FRAME_P_DROP_OLDEST, 4 << 20, 100);

	(void)state;
	queue_set_blocked(&r->q, true);
	push(r, 1, 60, 10, false);
	push(r, 1, 60, 10, false);
	assert_int_equal(r->q.queued, 100);
	assert_int_equal(r->q.flow.dropped[QUEUE_DROP_OLDEST], 20);
	expect_end(r);
	rig_free(r);
}

static void a_message_of_which_a_byte_is_written_is_never_dropped(void **state)
{
	struct rig *r = rig_new(FRAME_P_DROP_OLDEST, 64 << 10, 4);

	(void)state;
	for (int chain = 0; chain < 2; chain++) {
		push(r, 1, 1, 5000, chain);
		push(r, 1, 3, 100, false);
		take(r, 2500);
		queue_set_blocked(&r->q, true);
		for (int i = 0; i < 10; i++)
			push(r, 1, 2, 100, false);
		expect_end(r);
		queue_set_blocked(&r->q, false);
	}
	rig_free(r);
}

static void conflate_keeps_the_last_of_each_event(void **state)
{
	struct rig *r = rig_new(FRAME_P_CONFLATE, 1 << 20, 1000);

	(void)state;
	r->in_order = false;
	queue_set_blocked(&r->q, true);
	for (uint32_t i = 0; i < 300; i++)
		push(r, i % 3, 5, 20, false);
	assert_int_equal(r->q.queued, 3);
	assert_int_equal(r->q.flow.dropped[QUEUE_DROP_CONFLATE], 1497);
	expect_end(r);
	assert_int_equal(r->last_of[0], 1490);
	assert_int_equal(r->last_of[1], 1495);
	assert_int_equal(r->last_of[2], 1500);
	rig_free(r);
}

static void nothing_is_overtaken_where_conflate_goes_and_comes_again(void **state)
{
	static const enum frame_policy between[] = {FRAME_P_BLOCK, FRAME_P_DROP_OLDEST,
	                                            FRAME_P_DROP_NEWEST, FRAME_P_DISCONNECT};

	(void)state;
	for (size_t i = 0; i < sizeof(between) / sizeof(*between); i++) {
		struct rig *r = rig_new(FRAME_P_CONFLATE, 1 << 20, 1000);

		/* the head is begun, and stays */
		push(r, 1, 1, 20, false);
		queue_set_blocked(&r->q, true);
		push(r, 0, 3, 20, false);
		queue_set_conf(&r->q, &r->conf, between[i]);
		push(r, 0, 5, 20, false);
		queue_set_conf(&r->q, &r->conf, FRAME_P_CONFLATE);
		push(r, 0, 4, 20, false);
		/* e1, the one of the first three, five, and the last of four */
		assert_int_equal(r->q.queued, 8);
		expect_end(r);
		assert_int_equal(r->last_of[0], 13);
		rig_free(r);
	}
}

static void conflate_is_capped_in_names(void **state)
{
	struct rig *r = rig_new(FRAME_P_CONFLATE, 1 << 20, 1000);

	(void)state;
	r->in_order = false;
	queue_set_blocked(&r->q, true);
	for (uint32_t i = 0; i < 64; i++)
		push(r, i, 1, 20, false);
	assert_int_equal(r->q.queued, r->conf.conflate_names);
	expect_end(r);
	rig_free(r);
}

/* Each rare event waits in a slab that was filled by a frequent one, whose copies are all replaced.
 */
static void a_conflating_queue_does_not_pin_what_was_replaced(void **state)
{
	struct rig *r = rig_new(FRAME_P_CONFLATE, 1 << 20, 1000);
	uint64_t most = 0;

	(void)state;
	r->in_order = false;
	r->conf.conflate_names = 64;
	queue_set_blocked(&r->q, true);
	for (uint32_t i = 1; i < 60; i++) {
		uint64_t own;

		push(r, 0, 70, 1000, false);
		push(r, i, 1, 20, false);
		own = r->pool.bytes_live - (sizeof(*r->cur) + r->cur->cap);
		most = own > most ? own : most;
	}
	assert_int_equal(r->q.queued, 60);
	assert_true(most < 6 * (uint64_t)QUEUE_COPY_MAX + 5 * r->q.bytes);
	expect_end(r);
	rig_free(r);
}

/* Small messages find room between large ones that do not. */
static void what_finds_no_room_takes_none(void **state)
{
	struct rig *r = rig_new(FRAME_P_DROP_NEWEST, 64 << 10, 100000);
	uint64_t own;

	(void)state;
	queue_set_blocked(&r->q, true);
	push(r, 1, 55, 1000, false);
	for (int i = 0; i < 50; i++) {
		for (int k = 0; k < 5; k++)
			push(r, 1, 1, 20000, false);
		push(r, 1, 1, 20, false);
	}
	assert_int_equal(r->q.queued, 55 + 50);
	own = r->pool.bytes_live - (sizeof(*r->cur) + r->cur->cap);
	assert_true(own < 4 * (uint64_t)QUEUE_COPY_MAX);
	expect_end(r);
	rig_free(r);
}

static void what_is_copied_out_is_not_copied_again(void **state)
{
	struct rig *r = rig_new(FRAME_P_DROP_NEWEST, 4 << 20, 100000);
	const uint8_t *first;

	(void)state;
	push(r, 1, 500, 1000, false);
	take(r, 30);
	queue_set_blocked(&r->q, true);
	push(r, 1, 500, 1000, false);
	first = ring_at(&r->q, 0)->p;
	for (int i = 0; i < 10; i++) {
		queue_set_blocked(&r->q, false);
		queue_set_blocked(&r->q, true);
	}
	assert_ptr_equal(ring_at(&r->q, 0)->p, first);
	expect_end(r);
	rig_free(r);
}

static void disconnect_overflows_and_takes_nothing(void **state)
{
	struct rig *r = rig_new(FRAME_P_DISCONNECT, 64 << 10, 1000);

	(void)state;
	queue_set_blocked(&r->q, true);
	push(r, 1, 60, 1000, false);
	assert_int_equal(push(r, 1, 60, 1000, false), QUEUE_OVERFLOW);
	assert_int_equal(r->q.flow.routed, 60);
	queue_drop_all(&r->q);
	assert_int_equal(r->q.flow.dropped[QUEUE_DROP_DISCONNECTED], 60);
	rig_free(r);
}

static void the_rest_of_a_begun_message_survives_drop_all(void **state)
{
	struct rig *r = rig_new(FRAME_P_BLOCK, 4 << 20, 1000);

	(void)state;
	push(r, 1, 10, 1000, false);
	take(r, 1500);
	queue_drop_all(&r->q);
	take_all(r);
	assert_int_equal(r->got, 2);
	assert_int_equal(r->stream_len, 0);
	assert_int_equal(r->q.flow.dropped[QUEUE_DROP_DISCONNECTED], 8);
	rig_free(r);
}

static void block_takes_one_batch_beyond_the_limit_and_no_more(void **state)
{
	struct rig *r = rig_new(FRAME_P_BLOCK, 64 << 10, 1000000);

	(void)state;
	queue_set_blocked(&r->q, true);
	while (queue_has_room(&r->q))
		push(r, 1, 10, 1000, false);
	assert_true(queue_charge(&r->q) >= r->conf.bytes);
	assert_true(queue_charge(&r->q) <= r->conf.bytes + 2 * QUEUE_COPY_MAX);
	assert_false(queue_has_drained(&r->q));
	while (!queue_has_drained(&r->q))
		take(r, 1000);
	expect_end(r);
	rig_free(r);
}

static int note(struct rig *r)
{
	struct frame_sender f = {.sender = 7, .host = "here", .host_len = 4};
	uint8_t frame[64];

	return queue_note(&r->q, frame, frame_sender_put(frame, sizeof(frame), &f));
}

static void notes_are_bounded_where_messages_are_dropped(void **state)
{
	struct rig *r = rig_new(FRAME_P_DROP_OLDEST, 64 << 10, 100);

	(void)state;
	queue_set_blocked(&r->q, true);
	for (int i = 0; i < 10000; i++) {
		note(r);
		push(r, 1, 1, 10, false);
	}
	assert_true(r->q.note_len <= QUEUE_NOTES_MAX + 64);
	assert_true(r->q.bytes <= r->conf.bytes + QUEUE_NOTES_MAX + 64);
	expect_end(r);
	assert_int_equal(r->q.note_len, 0);
	assert_int_equal(note(r), 0);
	take_all(r);
	rig_free(r);
}

/* ---- JSON ---- */

static struct range packets(struct rig *r, uint32_t n, uint32_t len)
{
	struct range out;

	if (!r->cur || slab_room(r->cur) < n * len) {
		slab_unref(r->cur);
		r->cur = slab_new(&r->pool, SLAB_LEN);
		assert_non_null(r->cur);
	}
	out = (struct range){
	        .slab = r->cur, .p = r->cur->data + r->cur->used, .len = n * len, .n = n};
	for (uint32_t i = 0; i < n; i++) {
		memset(r->cur->data + r->cur->used, 'x', len - 1);
		r->cur->data[r->cur->used + len - 1] = 0;
		r->cur->used += len;
	}
	return out;
}

static void push_packets(struct rig *r, uint32_t n, uint32_t len)
{
	struct range m = packets(r, n, len);
	struct batch b = {
	        .ranges = &m, .n_ranges = 1, .n = n, .len = m.len, .key = "A.x", .key_len = 3};

	queue_push(&r->q, &b);
}

static void a_paced_chunk_is_whole_packets_of_at_most_32_KiB(void **state)
{
	struct rig *r = rig_new(FRAME_P_BLOCK, 4 << 20, 100000);
	struct iovec iov[QUEUE_IOV_MAX];
	uint64_t n_chunks = 0;

	(void)state;
	r->q.dialect = QUEUE_JSON;
	for (uint32_t i = 0; i < 200; i++)
		push_packets(r, 1 + i % 7, 100 + i * 37);
	push_packets(r, 1, 100000);
	push_packets(r, 3, 50);
	while (!queue_is_empty(&r->q)) {
		int n = queue_peek(&r->q, iov, true);
		size_t len = 0;
		size_t n_nul = 0;

		assert_true(n > 0);
		for (int i = 0; i < n; i++) {
			len += iov[i].iov_len;
			for (size_t k = 0; k < iov[i].iov_len; k++)
				n_nul += ((const char *)iov[i].iov_base)[k] == 0;
		}
		assert_int_equal(((const char *)iov[n - 1].iov_base)[iov[n - 1].iov_len - 1], 0);
		assert_true(len <= QUEUE_PACED_MAX || n_nul == 1);
		queue_wrote(&r->q, len);
		check_flow(r);
		n_chunks++;
	}
	assert_true(n_chunks > 10);
	rig_free(r);
}

static void gaps_in_json_are_packets(void **state)
{
	struct rig *r = rig_new(FRAME_P_DROP_NEWEST, 64 << 10, 10);
	struct iovec iov[QUEUE_IOV_MAX];
	const char *told = "{\"channel\":\"A\",\"event\":\"nc.gap\",\"data\":{\"count\":15,"
	                   "\"reason\":\"drop-newest\",\"exact\":true}}";

	(void)state;
	r->q.dialect = QUEUE_JSON;
	queue_set_blocked(&r->q, true);
	push_packets(r, 25, 100);
	assert_int_equal(queue_peek(&r->q, iov, true), 1);
	queue_wrote(&r->q, iov[0].iov_len);
	assert_int_equal(queue_peek(&r->q, iov, true), 1);
	assert_int_equal(iov[0].iov_len, strlen(told) + 1);
	assert_string_equal(iov[0].iov_base, told);
	queue_wrote(&r->q, iov[0].iov_len);
	assert_true(queue_is_empty(&r->q));
	rig_free(r);
}

/* ---- everything at random ---- */

static void random_run(enum frame_policy policy, uint32_t seed)
{
	struct rig *r = rig_new(policy, 64 << 10, 200);

	r->rng = seed;
	r->in_order = policy != FRAME_P_CONFLATE;
	for (int i = 0; i < 3000; i++) {
		uint32_t what = rnd(r, 100);
		uint8_t pong[16];

		if (what < 45) {
			if (policy == FRAME_P_BLOCK && !queue_has_room(&r->q))
				continue;
			push(r, rnd(r, 30), 1 + rnd(r, 20), rnd(r, 10) ? rnd(r, 300) : rnd(r, 9000),
			     false);
		} else if (what < 50) {
			if (policy == FRAME_P_BLOCK && !queue_has_room(&r->q))
				continue;
			push(r, rnd(r, 30), 1, 20000 + rnd(r, 60000), true);
		} else if (what < 85) {
			take(r, rnd(r, 4) ? rnd(r, 3000) : rnd(r, 100000));
		} else if (what < 90) {
			queue_set_blocked(&r->q, rnd(r, 2));
		} else if (what < 92) {
			note(r);
		} else if (what < 95) {
			frame_ping_put(pong, sizeof(pong), FRAME_PONG, 1);
			assert_int_equal(queue_control(&r->q, pong, sizeof(pong)), 0);
		} else {
			slab_unref(r->cur);
			r->cur = NULL;
		}
		check_flow(r);
		if (policy != FRAME_P_BLOCK)
			assert_true(r->q.queued <= r->conf.messages);
	}
	expect_end(r);
	assert_int_equal(r->pool.n_live, r->cur ? 1 : 0);
	rig_free(r);
}

static void at_random_nothing_is_lost_untold(void **state)
{
	static const enum frame_policy policies[] = {FRAME_P_BLOCK, FRAME_P_DROP_OLDEST,
	                                             FRAME_P_DROP_NEWEST, FRAME_P_CONFLATE};

	(void)state;
	for (size_t p = 0; p < sizeof(policies) / sizeof(policies[0]); p++)
		for (uint32_t seed = 1; seed <= 20; seed++)
			random_run(policies[p], seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_burst_goes_out_as_one_range),
	        cmocka_unit_test(a_queue_that_is_empty_holds_no_memory),
	        cmocka_unit_test(a_blocked_queue_does_not_pin_slabs_for_a_few_bytes),
	        cmocka_unit_test(what_is_pinned_is_copied_out_when_the_reader_blocks),
	        cmocka_unit_test(drop_oldest_keeps_the_newest_within_the_limit),
	        cmocka_unit_test(drop_newest_keeps_the_oldest_within_the_limit),
	        cmocka_unit_test(the_limit_in_messages_holds_too),
	        cmocka_unit_test(a_message_of_which_a_byte_is_written_is_never_dropped),
	        cmocka_unit_test(conflate_keeps_the_last_of_each_event),
	        cmocka_unit_test(nothing_is_overtaken_where_conflate_goes_and_comes_again),
	        cmocka_unit_test(conflate_is_capped_in_names),
	        cmocka_unit_test(a_conflating_queue_does_not_pin_what_was_replaced),
	        cmocka_unit_test(what_finds_no_room_takes_none),
	        cmocka_unit_test(what_is_copied_out_is_not_copied_again),
	        cmocka_unit_test(disconnect_overflows_and_takes_nothing),
	        cmocka_unit_test(the_rest_of_a_begun_message_survives_drop_all),
	        cmocka_unit_test(block_takes_one_batch_beyond_the_limit_and_no_more),
	        cmocka_unit_test(notes_are_bounded_where_messages_are_dropped),
	        cmocka_unit_test(a_paced_chunk_is_whole_packets_of_at_most_32_KiB),
	        cmocka_unit_test(gaps_in_json_are_packets),
	        cmocka_unit_test(at_random_nothing_is_lost_untold),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
