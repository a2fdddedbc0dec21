/* test_bus_limits.c - slow receivers, quotas, and who is refused */
#include "t/unit/bus_test.h"

static void a_slow_receiver_parks_its_senders_and_loses_nothing(void **state)
{
	static char data[1000];
	struct rig r;
	struct frame_emit f;
	uint64_t sent = 0;
	uint64_t got = 0;
	int a, b;

	(void)state;
	rig_init(&r, "{\"socket\":\"/tmp/x/%s\",\"channels\":{\"A\":{\"queue_bytes\":65536}}}");
	a = rig_native(&r, "A");
	b = rig_native(&r, "A");
	rig_listen(&r, b, ">");
	r.clients[b].kernel = 0;
	rig_turn(&r);
	while (bus_wants_input(r.clients[a].c)) {
		rig_emit(&r, a, "A", "x", data, sizeof(data));
		sent++;
		rig_turn(&r);
	}
	assert_true(sent > 20);
	assert_int_equal(r.clients[b].c->out.queued, sent - 1);
	r.clients[b].kernel = SIZE_MAX;
	rig_turn(&r);
	assert_true(bus_wants_input(r.clients[a].c));
	for (got = 0; got < sent; got++) {
		expect_emit(&r, b, &f);
		assert_int_equal(f.seq, got + 1);
	}
	expect_nothing(&r, b);
	rig_fini(&r);
}

static void who_blocks_too_long_is_disconnected_and_comes_back_on_probation(void **state)
{
	static char data[1000];
	struct rig r;
	int a, b;

	(void)state;
	rig_init(&r, "{\"socket\":\"/tmp/x/%s\",\"channels\":{\"A\":{\"queue_bytes\":65536,"
	             "\"block_timeout\":500}}}");
	a = rig_native(&r, "A");
	b = rig_accept(&r, "A", 1000, 77, NULL);
	rig_hello(&r, b, 0, 0);
	rig_listen(&r, b, ">");
	r.clients[b].kernel = 0;
	while (bus_wants_input(r.clients[a].c)) {
		rig_emit(&r, a, "A", "x", data, sizeof(data));
		rig_turn(&r);
	}
	rig_wait(&r, 499);
	assert_non_null(r.clients[b].c);
	rig_wait(&r, 2);
	assert_null(r.clients[b].c);
	assert_true(bus_wants_input(r.clients[a].c));
	b = rig_accept(&r, "A", 1000, 77, NULL);
	rig_hello(&r, b, 0, 0);
	assert_int_equal(r.clients[b].c->out.policy, FRAME_P_DROP_NEWEST);
	rig_wait(&r, 61000);
	assert_int_equal(r.clients[b].c->out.policy, FRAME_P_BLOCK);
	rig_fini(&r);
}

static void a_json_client_may_ask_to_lose_more_and_not_less(void **state)
{
	struct rig r;
	int j, k;

	(void)state;
	rig_init(
	        &r,
	        "{\"socket\":\"/tmp/x/%s\",\"channels\":{\"A\":{},\"B\":{\"policy\":\"drop-newest\"}}}");
	j = json_client(&r, "A");
	k = json_client(&r, "B");
	send_packet(&r, j, "{\"event\":\"nc.policy\",\"data\":\"drop-oldest\"}");
	assert_int_equal(r.clients[j].c->out.policy, FRAME_P_DROP_OLDEST);
	send_packet(&r, k, "{\"event\":\"nc.policy\",\"data\":\"block\"}");
	assert_int_equal(r.clients[k].c->out.policy, FRAME_P_DROP_NEWEST);
	assert_int_equal(r.clients[k].out.len, 0);
	send_packet(&r, k, "{\"event\":\"nc.policy\",\"data\":\"nonsense\"}");
	assert_non_null(strstr((char *)r.clients[k].out.data, "nc.error"));
	rig_fini(&r);
}

static void subscriptions_are_counted_per_client_and_user(void **state)
{
	struct frame_prefix x = {0};
	struct rig r;
	const uint8_t *p = NULL;
	int a, b;

	(void)state;
	rig_init(&r, "{\"socket\":\"/tmp/x/%s\",\"max_subscriptions\":5,"
	             "\"quota\":{\"subscriptions\":7},\"channels\":{\"A\":{}}}");
	a = rig_native(&r, "A");
	b = rig_native(&r, "A");
	for (const char *e = "abcdeaa"; *e; e++)
		rig_listen(&r, a, (char[]){*e, 0});
	rig_turn(&r);
	assert_false(next_frame(&r, a, &x, &p));
	rig_listen(&r, a, "f");
	rig_listen(&r, b, "a");
	rig_listen(&r, b, "b");
	rig_turn(&r);
	assert_false(next_frame(&r, b, &x, &p));
	rig_listen(&r, b, "c");
	rig_turn(&r);
	for (int i = a; i <= b; i++) {
		assert_true(next_frame(&r, i, &x, &p));
		assert_int_equal(x.kind, FRAME_ERROR);
		assert_int_equal(le16_get(p + 8), NC_EQUOTA);
		assert_false(next_frame(&r, i, &x, &p));
	}
	rig_fini(&r);
}

/* A connection that is refused hears why, in its dialect. */
static void expect_refusal(struct rig *r, int i, bool native, enum nc_error code)
{
	struct frame_prefix x = {0};
	const uint8_t *p = NULL;

	if (native) {
		rig_send(r, i, FRAME_PREFACE, FRAME_PREFACE_LEN, 4);
		rig_turn(r);
		assert_true(next_frame(r, i, &x, &p));
		assert_int_equal(x.kind, FRAME_ERROR);
		assert_int_equal(x.a, 1);
		assert_int_equal(le16_get(p + 8), code);
	} else {
		char text[64];

		rig_wait(r, 150);
		snprintf(text, sizeof(text), "\"event\":\"nc.error\",\"data\":{\"code\":%d",
		         (int)code);
		assert_non_null(strstr((char *)r->clients[i].out.data, text));
	}
	assert_null(r->clients[i].c);
}

static void who_is_refused_hears_why(void **state)
{
	enum nc_error why;
	struct rig r;
	int a, b, i;

	(void)state;
	rig_init(&r, "{\"socket\":\"/tmp/x/%s\",\"max_clients\":4,"
	             "\"quota\":{\"connections\":3,\"connection_rate\":10},"
	             "\"channels\":{\"A\":{},\"B\":{\"emit\":[\"5\"],\"listen\":[\"5\"]}}}");
	a = rig_accept(&r, "A", 1000, 1, &why);
	b = rig_accept(&r, "A", 1000, 2, &why);
	rig_accept(&r, "A", 1000, 3, &why);
	assert_int_equal(why, NC_OK);
	for (int native = 0; native < 2; native++) {
		i = rig_accept(&r, "A", 1000, 4, &why);
		assert_int_equal(why, NC_EQUOTA);
		expect_refusal(&r, i, native, NC_EQUOTA);
		i = rig_accept(&r, "B", 1001, 5, &why);
		assert_int_equal(why, NC_EDENIED);
		expect_refusal(&r, i, native, NC_EDENIED);
	}
	rig_accept(&r, "A", 1002, 6, &why);
	assert_int_equal(why, NC_OK);
	i = rig_accept(&r, "A", 1003, 7, &why);
	assert_int_equal(why, NC_EQUOTA);
	expect_refusal(&r, i, true, NC_EQUOTA);
	/* those who go make room */
	rig_close(&r, a);
	rig_close(&r, b);
	rig_turn(&r);
	rig_accept(&r, "A", 1000, 8, &why);
	assert_int_equal(why, NC_OK);
	rig_fini(&r);
}

static void the_rate_of_new_connections_is_bounded(void **state)
{
	enum nc_error why;
	struct rig r;
	int i;

	(void)state;
	rig_init(&r, "{\"socket\":\"/tmp/x/%s\",\"quota\":{\"connection_rate\":10},"
	             "\"channels\":{\"A\":{}}}");
	for (int n = 0; n < 10; n++) {
		i = rig_accept(&r, "A", 1000, 1, &why);
		assert_int_equal(why, NC_OK);
		rig_close(&r, i);
		rig_turn(&r);
	}
	rig_accept(&r, "A", 1000, 2, &why);
	assert_int_equal(why, NC_EQUOTA);
	rig_accept(&r, "A", 1001, 3, &why);
	assert_int_equal(why, NC_OK);
	rig_wait(&r, 101);
	rig_accept(&r, "A", 1000, 4, &why);
	assert_int_equal(why, NC_OK);
	/* no more than so many wait to hear why */
	for (int n = 0; n < 50; n++)
		rig_accept(&r, "A", 1000, 5, &why);
	assert_true(r.bus->n_refused <= BUS_REFUSED_MAX);
	rig_fini(&r);
}

static void who_was_slow_is_known_when_it_is_gone(void **state)
{
	static char data[1000];
	struct rig r;
	char *answer;
	int a, b, k;

	(void)state;
	rig_init(&r, "{\"socket\":\"/tmp/x/%s\",\"channels\":{\"A\":{\"queue_bytes\":65536,"
	             "\"policy\":\"drop-newest\"}}}");
	a = rig_native(&r, "A");
	b = rig_accept(&r, "A", 1000, 4711, NULL);
	rig_hello(&r, b, 0, 0);
	rig_listen(&r, b, ">");
	r.clients[b].kernel = 0;
	for (int i = 0; i < 100; i++) {
		rig_emit(&r, a, "A", "x", data, sizeof(data));
		rig_turn(&r);
	}
	rig_close(&r, b);
	rig_turn(&r);
	k = rig_accept(&r, "control", 0, 1, NULL);
	send_packet(&r, k, "{\"event\":\"nc-control-slow\",\"nc\":{\"id\":1}}");
	answer = (char *)r.clients[k].out.data;
	assert_non_null(strstr(answer, "\"pid\":4711"));
	assert_non_null(strstr(answer, "\"reason\":\"dropping\""));
	assert_non_null(strstr(answer, "\"gone\":true"));
	rig_fini(&r);
}

static void half_a_message_counts_against_the_quota(void **state)
{
	static char half[200000];
	struct rig r;
	int a, b;

	(void)state;
	rig_init(&r, "{\"socket\":\"/tmp/x/%s\",\"quota\":{\"bytes\":1048576},"
	             "\"channels\":{\"A\":{}}}");
	b = json_client(&r, "A");
	memset(half, ' ', sizeof(half));
	for (int i = 0; i < 8; i++) {
		a = json_client(&r, "A");
		rig_send(&r, a, half, sizeof(half), 5000);
		rig_turn(&r);
		if (!r.clients[a].c)
			break;
	}
	assert_null(r.clients[a].c);
	assert_non_null(strstr((char *)r.clients[a].out.data, "quota of 1048576 bytes"));
	assert_non_null(r.clients[b].c);
	rig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_slow_receiver_parks_its_senders_and_loses_nothing),
	        cmocka_unit_test(who_blocks_too_long_is_disconnected_and_comes_back_on_probation),
	        cmocka_unit_test(a_json_client_may_ask_to_lose_more_and_not_less),
	        cmocka_unit_test(subscriptions_are_counted_per_client_and_user),
	        cmocka_unit_test(who_is_refused_hears_why),
	        cmocka_unit_test(the_rate_of_new_connections_is_bounded),
	        cmocka_unit_test(who_was_slow_is_known_when_it_is_gone),
	        cmocka_unit_test(half_a_message_counts_against_the_quota),
	};

	return cmocka_run_group_tests_name("limits of the bus", tests, NULL, NULL);
}
