/*
 * Unit tests of netcluster/nc_uv.h, in a real loop with a real socket
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <netcluster/nc_uv.h>

#include "t/unit/fake_server.h"

struct world {
	struct fake f;
	uv_loop_t loop;
	uv_timer_t guard; /* ends a test that hangs */
	uv_timer_t timer; /* its data is NULL while it is not open */
	nc_client *c;
	nc_uv *uv;
	unsigned n_heard;
	unsigned n_act;
	void (*act)(struct world *w);
};

static void do_free(struct world *w)
{
	nc_free(w->c);
	w->c = NULL;
}

static void on_guard(uv_timer_t *t)
{
	(void)t;
	fail_msg("the loop did not end in time");
}

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	fake_open(&w.f);
	uv_loop_init(&w.loop);
	uv_timer_init(&w.loop, &w.guard);
	uv_timer_start(&w.guard, on_guard, 10000, 0);
	uv_unref((uv_handle_t *)&w.guard);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	/* what a failed test left */
	do_free(w);
	if (w->timer.data)
		uv_close((uv_handle_t *)&w->timer, NULL);
	uv_close((uv_handle_t *)&w->guard, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	/* it fails where a handle was left open */
	assert_int_equal(uv_loop_close(&w->loop), 0);
	fake_close(&w->f);
	return 0;
}

static void hear(nc_client *c, const nc_msg *m, void *arg)
{
	struct world *w = arg;

	(void)c;
	(void)m;
	w->n_heard++;
	if (w->act && w->n_heard == w->n_act)
		w->act(w);
}

static void begin(struct world *w)
{
	w->c = fake_client(&w->f);
	assert_int_equal(nc_setopt_int(w->c, NC_OPT_RECONNECT_MIN_MS, 1), NC_OK);
	assert_int_equal(nc_on(w->c, ">", hear, w), NC_OK);
	assert_int_equal(nc_uv_attach(&w->loop, w->c, &w->uv), 0);
}

/* Lets the server's and the client's side come together. */
static void greet(struct world *w)
{
	fake_accept(&w->f);
	fake_expect_hello(&w->f);
	fake_welcome(&w->f);
	while (nc_state(w->c) != NC_CONNECTED)
		uv_run(&w->loop, UV_RUN_ONCE);
}

static void connect_it(struct world *w)
{
	begin(w);
	assert_int_equal(nc_open(w->c), NC_OK);
	greet(w);
}

static void the_loop_runs_the_clients_handlers(void **state)
{
	struct world *w = *state;

	connect_it(w);
	for (int i = 0; i < 100; i++)
		fake_emit(&w->f, "e", "x", (uint64_t)i + 1);
	w->n_act = 100;
	w->act = do_free;
	/* it ends by itself when the client goes, inside a handler */
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(w->n_heard, 100);
	assert_null(w->c);
}

static void on_timer(uv_timer_t *t)
{
	struct world *w = t->data;
	size_t len;

	if (!w->n_act++) {
		assert_int_equal(nc_emit_text(w->c, "from-timer", "x"), NC_OK);
		return;
	}
	fake_expect(&w->f, FRAME_LISTEN, &len);
	fake_expect_emit(&w->f, "from-timer");
	do_free(w);
	uv_close((uv_handle_t *)t, NULL);
	t->data = NULL;
}

static void what_other_callbacks_emit_goes_out_before_the_loop_waits(void **state)
{
	struct world *w = *state;

	connect_it(w);
	uv_timer_init(&w->loop, &w->timer);
	w->timer.data = w;
	uv_timer_start(&w->timer, on_timer, 1, 5);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(w->n_act, 2);
}

static void it_follows_the_client_to_a_new_descriptor(void **state)
{
	struct world *w = *state;

	connect_it(w);
	for (int i = 0; i < 5; i++) {
		fake_hang_up(&w->f);
		while (nc_state(w->c) == NC_CONNECTED || nc_fd(w->c) < 0)
			uv_run(&w->loop, UV_RUN_ONCE);
		greet(w);
	}
	fake_emit(&w->f, "e", "x", 1);
	while (!w->n_heard)
		uv_run(&w->loop, UV_RUN_ONCE);
	do_free(w);
}

static void a_client_may_be_opened_before_it_is_attached(void **state)
{
	struct world *w = *state;

	w->c = fake_client(&w->f);
	assert_int_equal(nc_open(w->c), NC_OK);
	assert_int_equal(nc_uv_attach(&w->loop, w->c, &w->uv), 0);
	greet(w);
	do_free(w);
}

static void detaching_leaves_the_client_as_it_is(void **state)
{
	struct world *w = *state;

	connect_it(w);
	nc_uv_detach(w->uv);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(nc_state(w->c), NC_CONNECTED);
	fake_emit(&w->f, "e", "x", 1);
	assert_int_equal(nc_process(w->c), NC_OK);
	assert_int_equal(w->n_heard, 1);
	do_free(w);
}

static void do_detach(struct world *w)
{
	nc_uv_detach(w->uv);
}

static void detaching_inside_a_handler_ends_the_loop(void **state)
{
	struct world *w = *state;

	connect_it(w);
	w->n_act = 1;
	w->act = do_detach;
	fake_emit(&w->f, "e", "x", 1);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	do_free(w);
}

static void do_disconnect(struct world *w)
{
	assert_int_equal(nc_disconnect(w->c, 0), NC_OK);
}

static void a_closed_client_keeps_no_loop_alive_and_may_be_opened_again(void **state)
{
	struct world *w = *state;

	connect_it(w);
	w->n_act = 1;
	w->act = do_disconnect;
	fake_emit(&w->f, "e", "x", 1);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(nc_state(w->c), NC_CLOSED);
	fake_hang_up(&w->f);
	assert_int_equal(nc_open(w->c), NC_OK);
	greet(w);
	fake_emit(&w->f, "e", "x", 1);
	while (w->n_heard < 2)
		uv_run(&w->loop, UV_RUN_ONCE);
	do_free(w);
}

static void disconnect_and_close(uv_timer_t *t)
{
	struct world *w = t->data;

	do_disconnect(w);
	uv_close((uv_handle_t *)t, NULL);
	t->data = NULL;
}

static void a_client_that_another_callback_disconnects_keeps_no_loop_alive(void **state)
{
	struct world *w = *state;

	connect_it(w);
	uv_timer_init(&w->loop, &w->timer);
	w->timer.data = w;
	uv_timer_start(&w->timer, disconnect_and_close, 1, 0);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(nc_state(w->c), NC_CLOSED);
	/* opened anew while there is no server, it must find the one that comes */
	fake_hang_up(&w->f);
	fake_stop_listening(&w->f);
	assert_int_equal(nc_open(w->c), NC_OK);
	assert_int_equal(nc_state(w->c), NC_RECONNECTING);
	uv_run(&w->loop, UV_RUN_ONCE);
	fake_listen(&w->f);
	while (nc_fd(w->c) < 0)
		assert_true(uv_run(&w->loop, UV_RUN_ONCE));
	greet(w);
	do_free(w);
}

static void a_client_that_is_never_opened_keeps_no_loop_alive(void **state)
{
	struct world *w = *state;

	begin(w);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	do_free(w);
}

static void without_a_server_only_the_timer_runs(void **state)
{
	struct world *w = *state;

	fake_stop_listening(&w->f);
	begin(w);
	assert_int_equal(nc_open(w->c), NC_OK);
	for (int i = 0; i < 5; i++)
		uv_run(&w->loop, UV_RUN_ONCE);
	assert_int_equal(nc_state(w->c), NC_RECONNECTING);
	fake_listen(&w->f);
	while (nc_fd(w->c) < 0)
		uv_run(&w->loop, UV_RUN_ONCE);
	greet(w);
	do_free(w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(the_loop_runs_the_clients_handlers),
	        TEST(what_other_callbacks_emit_goes_out_before_the_loop_waits),
	        TEST(it_follows_the_client_to_a_new_descriptor),
	        TEST(a_client_may_be_opened_before_it_is_attached),
	        TEST(detaching_leaves_the_client_as_it_is),
	        TEST(detaching_inside_a_handler_ends_the_loop),
	        TEST(a_closed_client_keeps_no_loop_alive_and_may_be_opened_again),
	        TEST(a_client_that_another_callback_disconnects_keeps_no_loop_alive),
	        TEST(a_client_that_is_never_opened_keeps_no_loop_alive),
	        TEST(without_a_server_only_the_timer_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
