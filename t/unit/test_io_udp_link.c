/*
 * Unit tests of io/udp and io/netwatch: interfaces that go and come back, and change meanwhile
 */

#include "t/unit/udp_rig.h"

static bool until_change(const struct host *h, unsigned n)
{
	for (unsigned i = 0; i < PATIENCE_MS / 10 && h->n_changes < n; i++)
		run_for(10);
	return h->n_changes >= n;
}

/* Both hear `n` more. */
static void check_passage(uint64_t n)
{
	uint64_t at = b.n;

	meet();
	send_numbered(&a, NULL, at, n);
	assert_true(until_equal(&b.n, at + n, PATIENCE_MS));
	assert_true(until_equal(&a.n, at + n, PATIENCE_MS));
	assert_int_equal(b.n_wrong, 0);
}

/* Both were told, once. */
static void check_change(unsigned n, bool is_up, const char *why)
{
	assert_true(until_change(&a, n));
	assert_true(until_change(&b, n));
	assert_int_equal(a.state.is_up, is_up);
	if (!strstr(a.state.why, why))
		print_error("%s\n", a.state.why);
	assert_non_null(strstr(a.state.why, why));
	assert_int_equal(a.n_changes, n);
}

static void an_interface_goes_and_comes_back(void **state)
{
	static const int families[] = {AF_INET, AF_INET6};

	(void)state;
	NEED_NAMESPACE();
	for (size_t i = 0; i < COUNT(families); i++) {
		struct netaddr g = group(families[i]), own;
		struct udp_out lost = {.data = "x", .len = 1};
		struct udp_counters n;

		open_hosts(&(struct udp_options){.group = &g, .interface = "mesh0"});
		own = udp_state(a.udp)->own;
		assert_true(udp_state(a.udp)->is_up);
		check_passage(10);
		command("ip link set mesh0 down");
		check_change(1, false, "\"mesh0\" is down");
		assert_int_equal(udp_send(a.udp, &lost, 1), 1);
		assert_int_equal(lost.err, -ENETDOWN);
		udp_count(a.udp, &n);
		assert_int_equal(n.down, 1);
		command("ip link set mesh0 up");
		check_change(2, true, "");
		/* the same port, so that others find it */
		assert_true(netaddr_equal(&a.state.own, &own));
		check_passage(10);
		udp_free(a.udp);
		udp_free(b.udp);
		a.udp = b.udp = NULL;
	}
}

static void an_interface_is_taken_away_and_made_anew(void **state)
{
	static const int families[] = {AF_INET, AF_INET6};

	(void)state;
	NEED_NAMESPACE();
	for (size_t i = 0; i < COUNT(families); i++) {
		struct netaddr g = group(families[i]);
		/* unnamed, it is mesh0 at first; mesh1 has no address of IPv4 */
		struct udp_options o = {.group = &g,
		                        .interface = families[i] == AF_INET ? "" : "mesh0"};
		unsigned index = if_nametoindex("mesh0");

		open_hosts(&o);
		assert_string_equal(udp_state(a.udp)->interface, "mesh0");
		command("ip link del mesh0");
		check_change(1, false, "there is no interface \"mesh0\"");
		make_link();
		check_change(2, true, "");
		assert_int_not_equal(if_nametoindex("mesh0"), index);
		check_passage(10);
		udp_free(a.udp);
		udp_free(b.udp);
		a.udp = b.udp = NULL;
	}
}

static bool until_alone(const struct host *h)
{
	for (unsigned i = 0; i < PATIENCE_MS / 10 && udp_state(h->udp)->is_shared; i++)
		run_for(10);
	return !udp_state(h->udp)->is_shared;
}

static void what_is_sent_comes_back_only_where_others_hear_it(void **state)
{
	static const int families[] = {AF_INET, AF_INET6};

	(void)state;
	NEED_NAMESPACE();
	for (size_t i = 0; i < COUNT(families); i++) {
		struct netaddr g = group(families[i]);
		struct udp_options o = {.group = &g, .interface = "mesh0"};

		open_host(&a, &o);
		assert_false(udp_state(a.udp)->is_shared);
		send_numbered(&a, NULL, 0, 10);
		run_for(50);
		assert_int_equal(a.n, 0);
		/* the second one knows at once, the first one when it hears the second */
		open_host(&b, &o);
		assert_true(udp_state(b.udp)->is_shared);
		check_passage(10);
		udp_free(b.udp);
		b.udp = NULL;
		assert_true(until_alone(&a));
		udp_free(a.udp);
		a.udp = NULL;
	}
}

static void a_carrier_goes_and_comes_back(void **state)
{
	struct netaddr g = group(AF_INET);

	(void)state;
	NEED_NAMESPACE();
	open_hosts(&(struct udp_options){.group = &g, .interface = "mesh0"});
	command("ip link set mesh1 down");
	check_change(1, false, "no carrier");
	command("ip link set mesh1 up");
	check_change(2, true, "");
	check_passage(10);
}

static void an_address_is_followed(void **state)
{
	struct netaddr g = group(AF_INET);
	char text[NETADDR_TEXT_MAX];

	(void)state;
	NEED_NAMESPACE();
	open_hosts(&(struct udp_options){.group = &g, .interface = "10.78.0.0/24"});
	/* one more changes nothing, nor does another interface that could be meant */
	command("ip address add 10.78.0.9/24 dev mesh0");
	command("ip address add 10.78.0.2/24 dev mesh1");
	check_passage(10);
	assert_int_equal(a.n_changes, 0);
	command("ip address del 10.78.0.2/24 dev mesh1");
	command("ip address del 10.78.0.9/24 dev mesh0");
	command("ip address del 10.78.0.1/24 dev mesh0");
	check_change(1, false, "no interface that is up has an address in 10.78.0.0/24");
	command("ip address add 10.78.0.3/24 dev mesh0");
	check_change(2, true, "");
	netaddr_set_port(&a.state.own, 0);
	assert_string_equal(netaddr_text(&a.state.own, text), "10.78.0.3");
	check_passage(10);
	command("ip address del 10.78.0.3/24 dev mesh0");
	check_change(3, false, "");
	command("ip address add 10.78.0.1/24 dev mesh0");
	check_change(4, true, "");
}

static void a_new_ipv6_address_is_waited_for(void **state)
{
	struct netaddr g = group(AF_INET6);

	(void)state;
	NEED_NAMESPACE();
	command("ip link del mesh0");
	command("ip link add mesh0 type veth peer name mesh1");
	command("ip link set mesh0 up && ip link set mesh1 up");
	/* until it is proved unique, it can't be bound to */
	open_hosts(&(struct udp_options){.group = &g, .interface = "mesh0", .may_wait = true});
	assert_false(udp_state(a.udp)->is_up);
	check_change(1, true, "");
	check_passage(10);
	command("ip link del mesh0");
	make_link();
}

static void an_interface_may_be_waited_for(void **state)
{
	struct netaddr g = group(AF_INET);
	struct udp_options o = {.group = &g, .interface = "lo"};
	struct fault f;
	struct udp *u;

	(void)state;
	NEED_NAMESPACE();
	set_lo(SIOCSIFFLAGS, false, 0);
	assert_int_equal(udp_new(&u, &loop, &o, &handlers, &a, &f), 1);
	assert_non_null(strstr(f.text, "\"lo\" is down"));
	o.may_wait = true;
	open_hosts(&o);
	assert_false(udp_state(a.udp)->is_up);
	assert_int_equal(udp_state(a.udp)->own.sa.sa_family, 0);
	set_lo(SIOCSIFFLAGS, true, 0);
	assert_true(until_change(&a, 1));
	assert_true(until_change(&b, 1));
	send_numbered(&a, NULL, 0, 10);
	assert_true(until_equal(&b.n, 10, PATIENCE_MS));
}

static void the_mtu_is_followed(void **state)
{
	struct netaddr g = group(AF_INET);
	static const uint8_t data[1400];
	struct udp_out v[10];
	struct udp_counters n;

	(void)state;
	NEED_NAMESPACE();
	open_hosts(&(struct udp_options){.group = &g});
	assert_int_equal(udp_state(a.udp)->mtu, 65536);
	assert_int_equal(udp_state(a.udp)->len_max, UDP_LEN_MAX);
	/* smaller before it is told: a packet to be cut is refused, but not for being one */
	set_lo(SIOCSIFMTU, false, 1400);
	for (size_t i = 0; i < COUNT(v); i++)
		v[i] = (struct udp_out){.data = data, .len = 1373};
	assert_int_equal(udp_send(a.udp, v, COUNT(v)), COUNT(v));
	for (size_t i = 0; i < COUNT(v); i++)
		assert_int_equal(v[i].err, -EMSGSIZE);
	assert_true(udp_state(a.udp)->has_gso);
	assert_true(until_change(&a, 1));
	assert_int_equal(a.state.mtu, 1400);
	assert_int_equal(a.state.len_max, 1372);
	assert_true(a.state.is_up);
	udp_count(a.udp, &n);
	assert_int_equal(n.too_big, COUNT(v));
	assert_int_equal(n.gso_error, 0);
	b.next = a.next = UINT64_MAX;
	for (size_t i = 0; i < COUNT(v); i++)
		v[i].len = 1372;
	assert_int_equal(udp_send(a.udp, v, COUNT(v)), COUNT(v));
	assert_true(until_equal(&b.n, COUNT(v), PATIENCE_MS));
	udp_count(a.udp, &n);
	assert_int_equal(n.packets_out, 1);
	set_lo(SIOCSIFMTU, false, 65536);
	assert_true(until_change(&a, 2));
	assert_int_equal(a.state.mtu, 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(an_interface_goes_and_comes_back),
	        TEST(an_interface_is_taken_away_and_made_anew),
	        TEST(what_is_sent_comes_back_only_where_others_hear_it),
	        TEST(a_carrier_goes_and_comes_back),
	        TEST(an_address_is_followed),
	        TEST(a_new_ipv6_address_is_waited_for),
	        TEST(an_interface_may_be_waited_for),
	        TEST(the_mtu_is_followed),
	};

	return cmocka_run_group_tests(tests, isolate, NULL);
}
