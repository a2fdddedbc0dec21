/*
 * Unit tests of io/outbox: in which order datagrams leave
 */

#include "ncserver/io/fault.h"
#include "ncserver/io/netname.h"
#include "ncserver/io/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct outbox b;

/* A datagram for each letter: "a" to "z" to a host of that name, "*" to all. */
static void made(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++) {
		struct netaddr *to = &b.made[i].to;

		b.bytes[i] = (uint8_t)i;
		b.made[i] = (struct outbox_made){.data = b.bytes + i, .len = 1};
		if (text[i] == '*')
			continue;
		to->in.sin_family = AF_INET;
		to->in.sin_port = htons(4454);
		to->in.sin_addr.s_addr = htonl(0x0a000000u + (uint8_t)text[i]);
	}
	outbox_order(&b, n);
}

/* Whether `out` holds the datagrams of these numbers, each to whom `to` names. */
static void expect(const uint8_t *number, const char *to)
{
	assert_int_equal(b.n_out, strlen(to));
	assert_int_equal(b.n_done, 0);
	for (size_t i = 0; i < b.n_out; i++) {
		const struct udp_out *o = &b.out[i];

		assert_int_equal(o->len, 1);
		assert_int_equal(*(const uint8_t *)o->data, number[i]);
		if (to[i] == '*')
			assert_null(o->to);
		else
			assert_int_equal(ntohl(o->to->in.sin_addr.s_addr) & 0xff, (uint8_t)to[i]);
	}
}

static void datagrams_to_one_destination_leave_one_after_the_other(void **state)
{
	static const uint8_t mixed[] = {0, 2, 4, 6, 1, 3, 7, 5}, few[] = {0, 2, 1};

	(void)state;
	assert_int_equal(outbox_init(&b, NULL), 0);
	made("*a*a*b*a");
	expect(mixed, "****aaab");
	made("b*b");
	expect(few, "bb*");
	made("");
	expect(few, "");
	outbox_fini(&b);
}

static void on_change(void *arg)
{
	(void)arg;
}

static void without_a_group_what_is_for_all_goes_to_each_peer_in_turn(void **state)
{
	static const char *const list[] = {"10.0.0.112:4454", "10.0.0.113:4454"}; /* p, q */
	static const uint8_t order[] = {1, 3, 0, 2, 0, 2};
	struct netnames *names;
	struct fault f;
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	assert_int_equal(netnames_new(&names, &loop, list, 2, AF_INET, on_change, NULL, NULL, &f),
	                 0);
	assert_int_equal(outbox_init(&b, names), 0);
	made("*q*q");
	expect(order, "qqppqq");
	outbox_fini(&b);
	netnames_free(names);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(datagrams_to_one_destination_leave_one_after_the_other),
	        cmocka_unit_test(without_a_group_what_is_for_all_goes_to_each_peer_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
