/*
 * Unit tests of mesh/session against a member that holds the key and lies: it says what no session
 * says. Nothing hangs, nothing grows beyond its bound, nothing is used that was freed.
 */

#include "libnc/wire/frame.h"
#include "mesh/wire.h"
#include "t/fuzz/mesh_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define LANE 77u
/* What takes longer hangs. */
#define HANGS_S 60u

static struct rig rig;

/* ---- what the session says, in clear since nothing is hidden ---- */

static struct {
	uint32_t token, window; /* of the last JOIN for LANE */
	unsigned n_joins;
	uint8_t to[MW_BOOT_LEN]; /* of the last CHALLENGE */
	struct mw_challenge challenge;
	unsigned n_challenges;
	unsigned n_answers;
} heard;

static void hear(void *arg, int from, const uint8_t *p, size_t len)
{
	struct mw_reader r = {p + MW_HEADER_LEN + MW_STAMP_LEN, len - MW_OVERHEAD};
	const uint8_t *to = NULL;
	struct mw_chunk c;

	(void)arg;
	while (!from && mw_next(&r, &c) > 0) {
		struct mw_list list;
		struct mw_join j;

		mw_list_begin(&list, &c);
		if (c.kind == MW_TO)
			to = c.body;
		while (c.kind == MW_JOIN && mw_join_next(&list, &j) > 0) {
			if (j.lane != LANE)
				continue;
			heard.token = j.token;
			heard.window = j.window;
			heard.n_joins++;
		}
		heard.n_answers += c.kind == MW_ANSWER;
		if (c.kind == MW_CHALLENGE && to && mw_challenge_get(&heard.challenge, &c)) {
			memcpy(heard.to, to, sizeof(heard.to));
			heard.n_challenges++;
		}
	}
}

/* ---- what the liar says ---- */

static uint8_t bytes[SEAL_DATAGRAM_MAX];
static struct mw_writer w;

/* Begins a datagram; what is written with `w` are its chunks. */
static void begin(bool to_us)
{
	mw_begin(&w, bytes, sizeof(bytes), 0);
	if (to_us)
		mw_put_to(&w, rig.hosts[0].config.boot);
}

static void say(void)
{
	size_t head = MW_HEADER_LEN + MW_STAMP_LEN;

	rig_say(&rig, bytes + head, w.len - head, false);
}

static void announce(uint64_t seq)
{
	struct mw_lane v = {
	        .lane = LANE, .name = "hostile", .name_len = 7, .members = 1, .seq = seq};

	begin(false);
	mw_open(&w, MW_LANES, 0, 64);
	mw_add_lane(&w, &v);
	mw_close(&w);
	say();
}

static void joined(uint64_t seq)
{
	struct mw_joined j = {.lane = LANE, .token = heard.token, .seq = seq};

	begin(true);
	mw_open(&w, MW_JOINED, 0, 22);
	mw_add_joined(&w, &j);
	mw_close(&w);
	say();
}

static void evicted(void)
{
	struct mw_evicted e = {.lane = LANE};

	begin(true);
	mw_open(&w, MW_EVICTED, 0, 6);
	mw_add_evicted(&w, &e);
	mw_close(&w);
	say();
}

static void head(uint64_t seq)
{
	struct mw_head h = {.lane = LANE, .seq = seq};

	begin(false);
	mw_put_head(&w, MW_HEAD, 0, &h);
	say();
}

/* A segment of `len` bytes that begins with a frame longer than itself. */
static void data(uint64_t seq, uint16_t len)
{
	struct mw_data d = {.lane = LANE, .seq = seq, .len = len};
	struct frame_emit f = {.sender = 1,
	                       .seq = 1,
	                       .channel = "hostile",
	                       .event = "e",
	                       .channel_len = 7,
	                       .event_len = 1,
	                       .payload_len = 60000,
	                       .flags = FRAME_T_BYTES};
	uint8_t *p;

	begin(false);
	p = mw_put_data(&w, &d);
	assert_non_null(p);
	memset(p, 0, len);
	assert_true(frame_emit_head_put(p, len, &f) > 0);
	say();
}

/* A segment of `len` bytes of a SENDER that is longer, and counts for no message. */
static void note(uint64_t seq, uint16_t len)
{
	struct mw_data d = {.lane = LANE, .seq = seq, .len = len};
	uint8_t *p;

	begin(false);
	p = mw_put_data(&w, &d);
	assert_non_null(p);
	memset(p, 0, len);
	le32_put(p, len + 50u);
	p[4] = FRAME_SENDER;
	say();
}

/* Waits until the session has asked to join the lane once more. */
static void await_join(void)
{
	unsigned n = heard.n_joins;

	for (int i = 0; heard.n_joins == n && i < 1000; i++)
		rig_run(&rig, 10 * RIG_MS, false);
	assert_true(heard.n_joins > n);
}

static uint64_t memory_in(void)
{
	struct mesh_stats s;

	mesh_stats(rig.hosts[0].mesh, &s);
	return s.memory_in;
}

static int setup(void **state)
{
	(void)state;
	memset(&heard, 0, sizeof(heard));
	rig_init(&rig, false, hear, NULL);
	alarm(HANGS_S);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	alarm(0);
	rig_fini(&rig);
	return 0;
}

/* ---- sequences ---- */

static void a_lane_that_goes_on_far_ahead_is_followed_at_once(void **state)
{
	(void)state;
	announce(1);
	await_join();
	joined(1);
	evicted();
	await_join();
	joined(UINT64_C(1) << 62);
	rig_run(&rig, 10 * RIG_MS, false);
	rig_check(&rig);
}

static void a_lane_that_waits_is_not_followed_far_ahead(void **state)
{
	(void)state;
	announce(1);
	await_join();
	joined(1);
	rig.hosts[0].takes_little = true;
	data(1, 1000);
	evicted();
	await_join();
	joined(UINT64_C(1) << 40);
	head(UINT64_C(1) << 41);
	data((UINT64_C(1) << 40) + 1, 1000);
	rig.hosts[0].takes_little = false;
	rig_run(&rig, 10 * RIG_MS, false);
	rig_check(&rig);
}

static void the_last_sequences_that_there_are_take_no_memory_twice(void **state)
{
	uint64_t first = UINT64_MAX - 10000, held;

	(void)state;
	announce(1);
	await_join();
	joined(first);
	for (; first < UINT64_MAX - 60; first++) {
		data(first, 100);
		if (first % 16 == 0 || first > UINT64_MAX - 200)
			rig_run(&rig, RIG_MS, false);
	}
	assert_int_equal(memory_in(), 0);
	data(first + 10, 1000);
	held = memory_in();
	assert_true(held >= 1000);
	data(first + 10, 1000);
	assert_int_equal(memory_in(), held);
	/* the ring grows, and holds what it held */
	for (uint64_t q = first + 1; q < first + 18; q++)
		data(q, 100);
	assert_int_equal(memory_in(), held + 16 * 100);
	held = memory_in();
	data(first + 10, 1000);
	assert_int_equal(memory_in(), held);
}

/* Behind it come whole frames again: the hearer looks at what each begins with. */
static void a_frame_that_is_cut_and_counts_for_nothing_is_told_to_be_void(void **state)
{
	uint64_t before = rig.hosts[0].delivered;

	(void)state;
	announce(1);
	await_join();
	joined(1);
	note(1, 50);
	evicted();
	await_join();
	joined(5);
	for (uint64_t q = 5; q < 10; q++)
		note(q, 100);
	assert_int_equal(rig.hosts[0].delivered - before, 50 + 5 * 100);
}

/* ---- memory ---- */

static void segments_longer_than_any_are_not_held(void **state)
{
	struct mesh_stats s;

	(void)state;
	announce(1);
	await_join();
	joined(1);
	data(5, MESH_DATAGRAM_MAX);
	mesh_stats(rig.hosts[0].mesh, &s);
	assert_int_equal(s.memory_in, 0);
	assert_int_equal(s.dropped[MESH_DROP_SHORT], 1);
}

static void what_is_held_is_bounded_however_long_segments_are(void **state)
{
	struct mesh_stats s;

	(void)state;
	announce(1);
	await_join();
	joined(1);
	for (uint64_t q = 2; q < heard.window; q++) {
		data(q, 8900);
		rig_check(&rig);
	}
	mesh_stats(rig.hosts[0].mesh, &s);
	assert_true(s.memory_in > rig.hosts[0].config.memory_max / 2);
	assert_true(s.dropped[MESH_DROP_MEMORY] > 0);
}

/* ---- boots ---- */

/* A boot of the liar's own. */
struct liar {
	uint8_t boot[MW_BOOT_LEN];
	struct mesh_addr addr;
	struct seal *seal;
	uint64_t counter;
};

static void liar_init(struct liar *l, uint8_t number)
{
	struct key key;

	*l = (struct liar){.addr = {.len = 4, .bytes = {9, 9, 9, number}}};
	memset(l->boot, number, sizeof(l->boot));
	key_init_insecure(&key);
	assert_int_equal(seal_new(&l->seal, rig.crypto), 0);
	assert_int_equal(seal_set(l->seal, &key, rig.hosts[1].config.cluster,
	                          strlen(rig.hosts[1].config.cluster), l->boot),
	                 0);
}

/* Seals what was written. */
static void liar_seal(struct liar *l)
{
	mw_header_put(bytes, 0, ++l->counter, l->boot);
	assert_int_equal(seal_datagram(l->seal, l->counter, bytes, MW_HEADER_LEN,
	                               bytes + MW_HEADER_LEN, w.len - MW_HEADER_LEN, bytes + w.len),
	                 0);
}

static void liar_say(struct liar *l)
{
	liar_seal(l);
	mesh_recv(rig.hosts[0].mesh, bytes, w.len + MW_TAG_LEN, &l->addr, false, rig.now);
}

/* Waits for a challenge, and answers it. */
static void liar_answer(struct liar *l, const char *name)
{
	struct mw_announce a = {.host = name,
	                        .host_len = (uint8_t)strlen(name),
	                        .version = "1",
	                        .version_len = 1,
	                        .interval_ms = 1000};
	unsigned n = heard.n_challenges;

	while (heard.n_challenges == n || memcmp(heard.to, l->boot, sizeof(heard.to)))
		rig_run(&rig, RIG_MS, false);
	mw_begin(&w, bytes, heard.challenge.size, 0);
	mw_put_to(&w, rig.hosts[0].config.boot);
	mw_put_announce(&w, 0, &a);
	mw_put_challenge(&w, MW_ANSWER, &heard.challenge);
	mw_pad(&w, heard.challenge.size);
	liar_say(l);
}

static void one_that_takes_the_name_of_a_later_boot_is_swept_alone(void **state)
{
	struct liar first, second;
	struct mesh_stats s;

	(void)state;
	liar_init(&first, 0x51);
	liar_init(&second, 0x52);
	begin(false);
	liar_say(&first);
	liar_answer(&first, "same");
	begin(false);
	liar_say(&second);
	liar_answer(&second, "same");
	liar_answer(&second, "same");
	mesh_stats(rig.hosts[0].mesh, &s);
	assert_int_equal(s.n_peers_up, 2);
	/* it contests the name, and the bearer is silent */
	liar_answer(&first, "same");
	rig_run(&rig, 3000 * RIG_MS, false);
	mesh_stats(rig.hosts[0].mesh, &s);
	assert_int_equal(s.n_peers_up, 2);
	assert_int_equal(s.n_peers, 2);
	seal_free(first.seal);
	seal_free(second.seal);
}

/* Waits until the session has given a boot up. */
static void await_gone(void)
{
	struct mesh_stats s;

	do {
		rig_run(&rig, 1000 * RIG_MS, false);
		mesh_stats(rig.hosts[0].mesh, &s);
	} while (s.n_peers_up > 0);
}

/* Whoever plays datagrams of a boot that is away can't make the session ask in the wrong place when
 * it comes back. */
static void a_boot_that_comes_back_is_asked_where_it_is(void **state)
{
	const struct mesh_addr elsewhere = {.len = 4, .bytes = {6, 6, 6, 6}};
	uint8_t old[MESH_DATAGRAM_MAX], missed[MESH_DATAGRAM_MAX];
	struct mesh_stats s;
	struct liar l;
	size_t len;
	unsigned n;

	(void)state;
	liar_init(&l, 0x53);
	begin(false);
	liar_say(&l);
	liar_answer(&l, "away");
	liar_answer(&l, "away");
	begin(false);
	len = w.len + MW_TAG_LEN;
	liar_seal(&l);
	memcpy(old, bytes, len);
	memcpy(missed, bytes, len);
	mesh_recv(rig.hosts[0].mesh, missed, len, &l.addr, false, rig.now);
	begin(false);
	liar_seal(&l);
	memcpy(missed, bytes, len);
	await_gone();
	/* what was heard before begins nothing */
	n = heard.n_challenges;
	mesh_recv(rig.hosts[0].mesh, old, len, &elsewhere, false, rig.now);
	rig_run(&rig, 2000 * RIG_MS, false);
	assert_int_equal(heard.n_challenges, n);
	/* what was not is overtaken by what comes from the boot itself */
	mesh_recv(rig.hosts[0].mesh, missed, len, &elsewhere, false, rig.now);
	begin(false);
	liar_say(&l);
	liar_answer(&l, "away");
	liar_answer(&l, "away");
	mesh_stats(rig.hosts[0].mesh, &s);
	assert_int_equal(s.n_peers_up, 1);
	seal_free(l.seal);
}

static void challenge(struct liar *l, uint8_t nonce)
{
	struct mw_challenge c = {.size = MW_CHALLENGE_SIZE};

	memset(c.nonce, nonce, sizeof(c.nonce));
	mw_begin(&w, bytes, MW_CHALLENGE_SIZE, 0);
	mw_put_to(&w, rig.hosts[0].config.boot);
	mw_put_challenge(&w, MW_CHALLENGE, &c);
	mw_pad(&w, MW_CHALLENGE_SIZE);
	liar_say(l);
}

/* What one asks too often is not answered, so that others are. */
static void one_that_challenges_all_the_time_leaves_answers_for_others(void **state)
{
	struct liar many, other;
	unsigned n;

	(void)state;
	liar_init(&many, 0x54);
	liar_init(&other, 0x55);
	for (unsigned i = 0; i < 500; i++) {
		challenge(&many, (uint8_t)i);
		rig_run(&rig, RIG_MS, false);
	}
	n = heard.n_answers;
	assert_in_range(n, 4, 40);
	challenge(&other, 1);
	rig_run(&rig, RIG_MS, false);
	assert_int_equal(heard.n_answers, n + 1);
	seal_free(many.seal);
	seal_free(other.seal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(a_lane_that_goes_on_far_ahead_is_followed_at_once,
	                                        setup, teardown),
	        cmocka_unit_test_setup_teardown(a_lane_that_waits_is_not_followed_far_ahead, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(
	                the_last_sequences_that_there_are_take_no_memory_twice, setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                a_frame_that_is_cut_and_counts_for_nothing_is_told_to_be_void, setup,
	                teardown),
	        cmocka_unit_test_setup_teardown(segments_longer_than_any_are_not_held, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(what_is_held_is_bounded_however_long_segments_are,
	                                        setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                one_that_takes_the_name_of_a_later_boot_is_swept_alone, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_boot_that_comes_back_is_asked_where_it_is, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(
	                one_that_challenges_all_the_time_leaves_answers_for_others, setup,
	                teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
