/*
 * Unit tests of io/netaddr and io/netif: addresses as text, and which interface is meant
 */

#include "ncserver/io/fault.h"
#include "ncserver/io/netaddr.h"
#include "ncserver/io/netif.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static struct netaddr ip(const char *text)
{
	struct netaddr a;

	assert_true(netaddr_from_ip(&a, text));
	return a;
}

static void a_peer_is_a_host_and_a_port(void **state)
{
	static const struct {
		const char *text;
		int err;
		const char *host;
		unsigned port;
	} cases[] = {
	        {"10.0.0.1:4454", NETADDR_OK, "10.0.0.1", 4454},
	        {"node-7.example.org:1", NETADDR_OK, "node-7.example.org", 1},
	        {"[::1]:65535", NETADDR_OK, "::1", 65535},
	        {"[fd00::1]:4454", NETADDR_OK, "fd00::1", 4454},
	        {"10.0.0.1", NETADDR_NO_PORT, "", 0},
	        {"node", NETADDR_NO_PORT, "", 0},
	        {"fd00::1:4454", NETADDR_NO_PORT, "", 0},
	        {"[fd00::1]", NETADDR_NO_PORT, "", 0},
	        {"[fd00::1]4454", NETADDR_NO_PORT, "", 0},
	        {"[fd00::1", NETADDR_BAD_HOST, "", 0},
	        {"[10.0.0.1]:1", NETADDR_BAD_HOST, "", 0},
	        {"[]:1", NETADDR_BAD_HOST, "", 0},
	        {":4454", NETADDR_BAD_HOST, "", 0},
	        {"-x:4454", NETADDR_BAD_HOST, "", 0},
	        {"a b:4454", NETADDR_BAD_HOST, "", 0},
	        {"host:", NETADDR_BAD_PORT, "", 0},
	        {"host:0", NETADDR_BAD_PORT, "", 0},
	        {"host:65536", NETADDR_BAD_PORT, "", 0},
	        {"host:4294967297", NETADDR_BAD_PORT, "", 0},
	        {"host:18446744073709551617", NETADDR_BAD_PORT, "", 0},
	        {"host:12x", NETADDR_BAD_PORT, "", 0},
	        {"host:-1", NETADDR_BAD_PORT, "", 0},
	        {"", NETADDR_NO_PORT, "", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char host[NETADDR_HOST_MAX];
		uint16_t port = 0;
		int err = netaddr_split(host, &port, cases[i].text);

		if (err != cases[i].err)
			print_error("%s\n", cases[i].text);
		assert_int_equal(err, cases[i].err);
		if (err) {
			assert_true(strlen(netaddr_error_text(err)) > 0);
			continue;
		}
		assert_string_equal(host, cases[i].host);
		assert_int_equal(port, cases[i].port);
	}
}

static void a_host_name_has_an_end(void **state)
{
	char text[NETADDR_HOST_MAX + 8], host[NETADDR_HOST_MAX];
	uint16_t port;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + NETADDR_HOST_MAX - 1, ":1", 3);
	assert_int_equal(netaddr_split(host, &port, text), NETADDR_OK);
	assert_int_equal(strlen(host), NETADDR_HOST_MAX - 1);
	text[NETADDR_HOST_MAX - 1] = 'a';
	memcpy(text + NETADDR_HOST_MAX, ":1", 3);
	assert_int_equal(netaddr_split(host, &port, text), NETADDR_BAD_HOST);
}

static void an_address_reads_as_it_was_written(void **state)
{
	static const struct {
		const char *ip;
		uint16_t port;
		const char *text;
	} cases[] = {
	        {"10.0.0.1", 0, "10.0.0.1"},     {"10.0.0.1", 80, "10.0.0.1:80"},
	        {"fd00::1", 0, "fd00::1"},       {"fd00::1", 80, "[fd00::1]:80"},
	        {"fe80::1%lo", 0, "fe80::1%lo"}, {"fe80::1%lo", 9, "[fe80::1%lo]:9"},
	        {"fe80::1%1", 0, "fe80::1%lo"},  {"fe80::1%99999", 0, "fe80::1%99999"},
	        {"239.1.2.3", 5, "239.1.2.3:5"}, {"ff15::1", 5, "[ff15::1]:5"},
	};
	struct netaddr a;
	char text[NETADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		a = ip(cases[i].ip);
		assert_int_equal(netaddr_port(&a), 0);
		netaddr_set_port(&a, cases[i].port);
		assert_int_equal(netaddr_port(&a), cases[i].port);
		assert_string_equal(netaddr_text(&a, text), cases[i].text);
	}
	assert_false(netaddr_from_ip(&a, "10.0.0.256"));
	assert_false(netaddr_from_ip(&a, "fe80::1%no-such-interface"));
	assert_false(netaddr_from_ip(&a, "fe80::1%"));
	assert_false(netaddr_from_ip(&a, "10.0.0.1%lo"));
	assert_false(netaddr_from_ip(&a, ""));
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(netaddr_from_ip(&a, text));
	assert_string_equal(netaddr_text(&(struct netaddr){.in6 = {0}}, text), "no address");
}

static void addresses_are_compared_by_all_that_matters(void **state)
{
	struct netaddr a = ip("10.0.0.1"), b = ip("10.0.0.1"), c = ip("fe80::1%1"),
	               d = ip("fe80::1%2");

	(void)state;
	assert_true(netaddr_equal(&a, &b));
	netaddr_set_port(&b, 1);
	assert_true(netaddr_same_ip(&a, &b));
	assert_false(netaddr_equal(&a, &b));
	b = ip("10.0.0.2");
	assert_false(netaddr_same_ip(&a, &b));
	assert_false(netaddr_same_ip(&a, &c));
	assert_true(netaddr_same_ip(&c, &d));
	assert_false(netaddr_equal(&c, &d));
	netaddr_map(&a);
	assert_int_equal(a.sa.sa_family, AF_INET6);
	assert_false(netaddr_equal(&a, &b));
	netaddr_unmap(&a);
	b = ip("10.0.0.1");
	assert_true(netaddr_equal(&a, &b));
	netaddr_unmap(&c);
	assert_int_equal(c.sa.sa_family, AF_INET6);
}

static void groups_and_links_are_known(void **state)
{
	static const struct {
		const char *ip;
		bool is_multicast, is_link_local;
	} cases[] = {
	        {"224.0.0.0", true, false},        {"239.255.255.255", true, false},
	        {"223.255.255.255", false, false}, {"240.0.0.0", false, false},
	        {"ff02::1", true, true},           {"ff15::1", true, false},
	        {"fe80::1", false, true},          {"fd00::1", false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct netaddr a = ip(cases[i].ip);

		assert_int_equal(netaddr_is_multicast(&a), cases[i].is_multicast);
		assert_int_equal(netaddr_is_link_local(&a), cases[i].is_link_local);
	}
}

static void a_prefix_holds_what_begins_with_it(void **state)
{
	static const struct {
		const char *ip, *prefix;
		unsigned bits;
		bool is_in;
	} cases[] = {
	        {"10.77.0.9", "10.77.0.0", 24, true},    {"10.77.1.9", "10.77.0.0", 24, false},
	        {"10.77.1.9", "10.77.0.0", 23, true},    {"10.77.2.9", "10.77.0.0", 23, false},
	        {"10.77.0.9", "10.77.0.9", 32, true},    {"10.77.0.8", "10.77.0.9", 32, false},
	        {"10.77.0.9", "0.0.0.0", 0, true},       {"fd00::1", "0.0.0.0", 0, false},
	        {"fd00:1::1", "fd00:1::", 64, true},     {"fd00:1:0:1::1", "fd00:1::", 64, false},
	        {"fd00:1:0:1::1", "fd00:1::", 63, true}, {"fd00::1", "fd00::1", 128, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct netaddr a = ip(cases[i].ip), b = ip(cases[i].prefix);

		assert_int_equal(netaddr_in_prefix(&a, &b, cases[i].bits), cases[i].is_in);
	}
}

/* ---- the choice ---- */

static struct netif one(const char *name, unsigned index, const char *addr, const char *flags)
{
	struct netif i = {.index = index, .mtu = 1500};

	strcpy(i.name, name);
	if (addr)
		i.addr = ip(addr);
	i.is_up = strchr(flags, 'u') != NULL;
	i.is_running = i.is_up;
	i.can_multicast = strchr(flags, 'm') != NULL;
	i.is_loopback = strchr(flags, 'l') != NULL;
	return i;
}

static void the_interface_that_is_meant_is_taken(void **state)
{
	const struct netif host[] = {
	        one("lo", 1, NULL, "ul"),          one("eth0", 2, NULL, "um"),
	        one("wlan0", 3, NULL, "m"),        one("wg0", 4, NULL, "u"),
	        one("eth1", 5, NULL, "um"),        one("lo", 1, "127.0.0.1", "ul"),
	        one("lo", 1, "::1", "ul"),         one("eth0", 2, "10.77.0.1", "um"),
	        one("eth0", 2, "10.78.0.1", "um"), one("eth0", 2, "fd77::1", "um"),
	        one("eth0", 2, "fe80::2%2", "um"), one("wlan0", 3, "192.168.1.7", "m"),
	        one("wg0", 4, "10.99.0.1", "u"),   one("eth1", 5, "10.88.0.1", "um"),
	        one("eth1", 5, "fe80::5%5", "um"),
	};
	static const struct {
		const char *spec;
		int family, err;
		const char *says; /* the interface and its address, or a part of the fault */
	} cases[] = {
	        {NULL, AF_INET, NETIF_SEVERAL, "eth0 (10.77.0.1), eth1 (10.88.0.1)"},
	        {"", AF_INET6, NETIF_SEVERAL, "eth0 (fd77::1), eth1 (fe80::5"},
	        {"eth0", AF_INET, NETIF_OK, "eth0 10.77.0.1"},
	        {"eth0", AF_INET6, NETIF_OK, "eth0 fe80::2%2"},
	        {"eth1", AF_INET, NETIF_OK, "eth1 10.88.0.1"},
	        {"lo", AF_INET, NETIF_OK, "lo 127.0.0.1"},
	        {"lo", AF_INET6, NETIF_OK, "lo ::1"},
	        {"wg0", AF_INET, NETIF_OK, "wg0 10.99.0.1"},
	        {"wg0", AF_INET6, NETIF_ABSENT, "\"wg0\" has no IPv6 address"},
	        {"wlan0", AF_INET, NETIF_ABSENT, "\"wlan0\" is down"},
	        {"eht0", AF_INET, NETIF_ABSENT,
	         "no interface \"eht0\"; there is eth0 (10.77.0.1), eth0 (10.78.0.1), eth1"},
	        {"10.78.0.1", AF_INET, NETIF_OK, "eth0 10.78.0.1"},
	        {"10.78.0.0/16", AF_INET, NETIF_OK, "eth0 10.78.0.1"},
	        {"10.76.0.0/14", AF_INET, NETIF_OK, "eth0 10.77.0.1"},
	        {"10.0.0.0/8", AF_INET, NETIF_SEVERAL, "several interfaces have an address in"},
	        {"10.79.0.0/24", AF_INET, NETIF_ABSENT, "address in 10.79.0.0/24"},
	        {"192.168.1.7", AF_INET, NETIF_ABSENT, "has the address 192.168.1.7"},
	        {"127.0.0.1", AF_INET, NETIF_OK, "lo 127.0.0.1"},
	        {"fd77::/64", AF_INET6, NETIF_OK, "eth0 fd77::1"},
	        {"fe80::5", AF_INET6, NETIF_OK, "eth1 fe80::5%5"},
	        {"fe80::/10", AF_INET6, NETIF_SEVERAL, "fe80::/10"},
	        {"fd77::1", AF_INET, NETIF_BAD, "family of the group, IPv4"},
	        {"10.77.0.1", AF_INET6, NETIF_BAD, "family of the group, IPv6"},
	        {"10.77.0.0/33", AF_INET, NETIF_BAD, "0 to 32"},
	        {"10.77.0.0/", AF_INET, NETIF_BAD, "no prefix"},
	        {"10.77.0.0/x", AF_INET, NETIF_BAD, "no prefix"},
	        {"10.77.0.0/4294967300", AF_INET, NETIF_BAD, "no prefix"},
	        {"eth0/24", AF_INET, NETIF_BAD, "no prefix"},
	        {"fd77::/129", AF_INET6, NETIF_BAD, "0 to 128"},
	        {"an-interface-with-a-long-name", AF_INET, NETIF_BAD, "no name, prefix or"},
	        {"eth 0", AF_INET, NETIF_BAD, "no name, prefix or"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct netif out = {0};
		struct fault f = {0};
		char addr[NETADDR_TEXT_MAX], text[NETADDR_TEXT_MAX + 32];
		int err = netif_choose(&out, host, COUNT(host), cases[i].spec, cases[i].family, &f);

		if (err != cases[i].err)
			print_error("%s: %s\n", cases[i].spec, f.text);
		assert_int_equal(err, cases[i].err);
		snprintf(text, sizeof(text), "%s %s", out.name, netaddr_text(&out.addr, addr));
		if (err && !strstr(f.text, cases[i].says))
			print_error("%s\n", f.text);
		if (err)
			assert_non_null(strstr(f.text, cases[i].says));
		else if (cases[i].family == AF_INET6 && strchr(cases[i].says, '%'))
			/* indices may be other names here */
			assert_int_equal(out.addr.in6.sin6_scope_id, out.index);
		else
			assert_string_equal(text, cases[i].says);
	}
}

static void the_only_one_need_not_be_named(void **state)
{
	const struct netif host[] = {
	        one("lo", 1, "127.0.0.1", "ul"),   one("docker0", 2, "172.17.0.1", "m"),
	        one("wg0", 3, "10.99.0.1", "u"),   one("eth0", 4, "10.77.0.1", "um"),
	        one("eth0", 4, "10.78.0.1", "um"),
	};
	struct netif out;
	struct fault f;

	(void)state;
	assert_int_equal(netif_choose(&out, host, 5, NULL, AF_INET, &f), NETIF_OK);
	assert_string_equal(out.name, "eth0");
	assert_int_equal(netif_choose(&out, host, 3, NULL, AF_INET, &f), NETIF_ABSENT);
	assert_non_null(strstr(f.text, "there is none"));
	assert_int_equal(netif_choose(&out, host, 5, NULL, AF_INET6, &f), NETIF_ABSENT);
	assert_int_equal(netif_choose(&out, host, 0, "eth0", AF_INET, &f), NETIF_ABSENT);
}

static void many_candidates_are_counted(void **state)
{
	struct netif many[200];
	struct netif out;
	struct fault f;

	(void)state;
	for (unsigned i = 0; i < COUNT(many); i++) {
		char name[IF_NAMESIZE], addr[32];

		snprintf(name, sizeof(name), "interface%u", i);
		snprintf(addr, sizeof(addr), "10.0.%u.1", i);
		many[i] = one(name, i + 1, addr, "um");
	}
	assert_int_equal(netif_choose(&out, many, COUNT(many), NULL, AF_INET, &f), NETIF_SEVERAL);
	assert_non_null(strstr(f.text, "interface0 (10.0.0.1), interface1"));
	assert_non_null(strstr(f.text, " and 18"));
	assert_non_null(strstr(f.text, " more; one must be named"));
}

static void the_hosts_own_interfaces_are_found(void **state)
{
	struct netif *list;
	size_t n;
	bool has_lo = false;

	(void)state;
	assert_int_equal(netif_list(&list, &n), 0);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].name, "lo") != 0)
			continue;
		has_lo = true;
		assert_true(list[i].is_loopback);
		assert_true(list[i].mtu > 0);
		assert_int_equal(list[i].index, if_nametoindex("lo"));
	}
	assert_true(has_lo);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_peer_is_a_host_and_a_port),
	        cmocka_unit_test(a_host_name_has_an_end),
	        cmocka_unit_test(an_address_reads_as_it_was_written),
	        cmocka_unit_test(addresses_are_compared_by_all_that_matters),
	        cmocka_unit_test(groups_and_links_are_known),
	        cmocka_unit_test(a_prefix_holds_what_begins_with_it),
	        cmocka_unit_test(the_interface_that_is_meant_is_taken),
	        cmocka_unit_test(the_only_one_need_not_be_named),
	        cmocka_unit_test(many_candidates_are_counted),
	        cmocka_unit_test(the_hosts_own_interfaces_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
