/*
 * Unit tests of io/netname: names are looked up by the resolver of this host
 */

#include "ncserver/io/fault.h"
#include "ncserver/io/log.h"
#include "ncserver/io/netname.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
/* How long a look-up may take on a busy machine. */
#define PATIENCE_MS 20000

static uv_loop_t loop;
static unsigned n_changes;
static struct netnames *names;
static bool frees_itself;

static void on_change(void *arg)
{
	n_changes++;
	assert_ptr_equal(arg, &n_changes);
	if (frees_itself)
		netnames_free(names);
}

static int set_up(void **state)
{
	(void)state;
	n_changes = 0;
	names = NULL;
	frees_itself = false;
	return uv_loop_init(&loop);
}

static int tear_down(void **state)
{
	(void)state;
	if (!frees_itself)
		netnames_free(names);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static void begin(const char *const *list, size_t n, int family, struct log *log)
{
	struct fault f = {.text = ""};
	int r = netnames_new(&names, &loop, list, n, family, on_change, &n_changes, log, &f);

	if (r)
		print_error("%d %s\n", r, f.text);
	assert_int_equal(r, 0);
}

static const char *at(size_t i)
{
	static char text[NETADDR_TEXT_MAX];
	const struct netaddr *a = netnames_at(names, i);

	return a ? netaddr_text(a, text) : "unknown";
}

static void on_tick(uv_timer_t *t)
{
	--*(int *)t->data;
}

/* Runs until so many changes were told, or so many milliseconds are over. */
static void run_until(unsigned n, int ms)
{
	uv_timer_t timer;
	int left = ms / 10;

	uv_timer_init(&loop, &timer);
	timer.data = &left;
	uv_timer_start(&timer, on_tick, 10, 10);
	while (n_changes < n && left > 0)
		uv_run(&loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
}

static void addresses_in_digits_are_there_at_once(void **state)
{
	static const char *const list[] = {"10.0.0.1:4454", "[fd00::1]:1", "10.0.0.2:65535"};

	(void)state;
	begin(list, COUNT(list), AF_INET6, NULL);
	assert_int_equal(netnames_count(names), 3);
	assert_string_equal(at(0), "10.0.0.1:4454");
	assert_string_equal(at(1), "[fd00::1]:1");
	assert_string_equal(at(2), "10.0.0.2:65535");
	run_until(1, 50);
	assert_int_equal(n_changes, 0);
}

static void a_name_is_looked_up(void **state)
{
	static const char *const list[] = {"localhost:4454", "10.0.0.1:1", "localhost:4455"};

	(void)state;
	begin(list, COUNT(list), AF_INET, NULL);
	assert_string_equal(at(0), "unknown");
	assert_string_equal(at(1), "10.0.0.1:1");
	run_until(2, PATIENCE_MS);
	assert_int_equal(n_changes, 2);
	assert_string_equal(at(0), "127.0.0.1:4454");
	assert_string_equal(at(2), "127.0.0.1:4455");
}

static void a_name_that_is_not_found_holds_no_other_up(void **state)
{
	static const char *const list[] = {"no-such-host.invalid:1", "localhost:4454"};
	static char text[4096];
	struct log log;
	int p[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(p), 0);
	log_init(&log, p[1], LOG_LEVEL_INFO, NULL);
	begin(list, COUNT(list), AF_INET, &log);
	run_until(1, PATIENCE_MS);
	assert_int_equal(n_changes, 1);
	assert_string_equal(at(0), "unknown");
	assert_string_equal(at(1), "127.0.0.1:4454");
	log_fini(&log);
	close(p[1]);
	n = read(p[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(p[0]);
	assert_non_null(strstr(text, "host=no-such-host.invalid"));
	netnames_free(names);
	names = NULL;
}

static void what_is_no_host_and_port_is_named(void **state)
{
	static const struct {
		const char *text;
		int family;
		const char *says;
	} cases[] = {
	        {"10.0.0.1", AF_INET, "host \"10.0.0.1\": it is not \"host:port\""},
	        {"10.0.0.1:0", AF_INET, "the port is not 1 to 65535"},
	        {"a b:1", AF_INET, "neither a name nor an address"},
	        {"[fd00::1]:1", AF_INET, "an IPv6 address, where the network is IPv4"},
	        {"239.1.1.1:1", AF_INET, "a multicast address is no host"},
	        {"[ff02::1]:1", AF_INET6, "a multicast address is no host"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *list[] = {"10.0.0.1:1", cases[i].text};
		struct fault f;

		assert_int_equal(netnames_new(&names, &loop, list, 2, cases[i].family, on_change,
		                              NULL, NULL, &f),
		                 1);
		assert_non_null(strstr(f.text, cases[i].says));
	}
	names = NULL;
}

static void a_list_has_an_end(void **state)
{
	static const char *list[NETNAME_HOSTS_MAX + 1];
	struct fault f;

	(void)state;
	for (size_t i = 0; i < COUNT(list); i++)
		list[i] = "10.0.0.1:1";
	assert_int_equal(
	        netnames_new(&names, &loop, list, COUNT(list), AF_INET, on_change, NULL, NULL, &f),
	        1);
	assert_non_null(strstr(f.text, "at most 1024"));
	begin(list, NETNAME_HOSTS_MAX, AF_INET, NULL);
	assert_int_equal(netnames_count(names), NETNAME_HOSTS_MAX);
	netnames_free(names);
	begin(list, 0, AF_INET, NULL);
	assert_int_equal(netnames_count(names), 0);
}

static void it_may_be_freed_at_any_time(void **state)
{
	static const char *const list[] = {"localhost:1", "localhost:2"};

	(void)state;
	/* while it asks, */
	begin(list, COUNT(list), AF_INET, NULL);
	netnames_free(names);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(n_changes, 0);
	/* and within its own call */
	frees_itself = true;
	begin(list, COUNT(list), AF_INET, NULL);
	run_until(1, PATIENCE_MS);
	assert_int_equal(n_changes, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(addresses_in_digits_are_there_at_once),
	        TEST(a_name_is_looked_up),
	        TEST(a_name_that_is_not_found_holds_no_other_up),
	        TEST(what_is_no_host_and_port_is_named),
	        TEST(a_list_has_an_end),
	        TEST(it_may_be_freed_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
