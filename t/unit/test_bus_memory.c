/* test_bus_memory.c - what peers make the bus hold, and that it lets go of it */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ncserver/bus/client.h"
#include "ncserver/bus/state.h"
#include "t/unit/bus_rig.h"

#define LONG_LEN (4u << 20)

static const char one_channel[] = "{\"socket\":\"/tmp/x/%s\",\"channels\":{\"A\":{}}}";

/* A JSON client that hears nothing. */
static int json_sender(struct rig *r)
{
	static const char deaf[] = "{\"event\":\"nc.listen\",\"data\":[]}";
	int i = rig_accept(r, "A", 1000, 1, NULL);

	assert_int_equal(rig_send(r, i, deaf, sizeof(deaf), sizeof(deaf)), sizeof(deaf));
	rig_turn(r);
	return i;
}

static void a_long_packet_leaves_nothing_but_what_follows_it(void **state)
{
	static const char head[] = "{\"event\":\"x\",\"data\":\"";
	static const char tail[] = "\"}\0{\"event\":\"y\"";
	char *text = malloc(sizeof(head) + LONG_LEN + sizeof(tail));
	size_t n = 0;
	struct rig r;
	int i;

	(void)state;
	assert_non_null(text);
	rig_init(&r, one_channel);
	i = json_sender(&r);
	memcpy(text, head, sizeof(head) - 1);
	n += sizeof(head) - 1;
	memset(text + n, 'y', LONG_LEN);
	n += LONG_LEN;
	memcpy(text + n, tail, sizeof(tail) - 1);
	n += sizeof(tail) - 1;
	assert_int_equal(rig_send(&r, i, text, n, 50000), n);
	rig_turn(&r);
	assert_int_equal(r.bus->totals.published, 1);
	/* the slab that all receive into, and the beginning of the second packet */
	assert_true(r.bus->pool.bytes_live < SLAB_LEN + 4096);
	assert_int_equal(rig_send(&r, i, "}", 2, 2), 2);
	rig_turn(&r);
	assert_int_equal(r.bus->totals.published, 2);
	free(text);
	rig_fini(&r);
}

static void a_long_translation_is_not_kept(void **state)
{
	char *text = malloc(LONG_LEN);
	struct rig r;
	int a;

	(void)state;
	assert_non_null(text);
	rig_init(&r, one_channel);
	a = rig_native(&r, "A");
	rig_accept(&r, "A", 1000, 2, NULL);
	rig_wait(&r, 200);
	memset(text, 'z', LONG_LEN);
	rig_emit(&r, a, "A", "x", text, LONG_LEN);
	rig_turn(&r);
	assert_true(r.clients[1].out.len > LONG_LEN);
	assert_true(r.bus->scratch.cap <= 1u << 20);
	rig_emit(&r, a, "A", "x", "short", 5);
	rig_turn(&r);
	free(text);
	rig_fini(&r);
}

static void what_cannot_be_translated_is_lost_for_each(void **state)
{
	static const char bad[] = "\xff";
	struct rig r;
	int a;

	(void)state;
	rig_init(&r, one_channel);
	a = rig_native(&r, "A");
	for (int i = 0; i < 10; i++)
		rig_accept(&r, "A", 1000, 2, NULL);
	rig_wait(&r, 200);
	rig_emit(&r, a, "A", "x", bad, 1);
	rig_emit(&r, a, "A", "x", "good", 4);
	rig_turn(&r);
	for (int i = 1; i <= 10; i++) {
		const struct queue_flow *f = &r.clients[i].c->out.flow;
		const char *p = (const char *)r.clients[i].out.data;

		assert_int_equal(f->routed, 2);
		assert_int_equal(f->written, 1);
		assert_int_equal(f->dropped[QUEUE_DROP_UNTRANSLATABLE], 1);
		assert_non_null(strstr(p, "\"reason\":\"untranslatable\""));
		assert_non_null(strstr(p + strlen(p) + 1, "good"));
	}
	rig_fini(&r);
}

/* A walk over all clients that writes each one's id made a question cost milliseconds. */
static void a_clients_id_is_read_back_from_its_text(void **state)
{
	static const uint64_t ids[] = {0, 1, 0x0123456789abcdef, UINT64_MAX, 0xff00ff00ff00ff00};
	char text[CLIENT_UUID_LEN + 1];
	struct rig r;
	uint64_t id;

	(void)state;
	rig_init(&r, one_channel);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		client_uuid(r.bus, ids[i], text);
		assert_true(client_uuid_get(r.bus, text, &id));
		assert_int_equal(id, ids[i]);
		for (size_t k = 0; k < CLIENT_UUID_LEN; k++) {
			char c = text[k];

			text[k] = 'G';
			assert_false(client_uuid_get(r.bus, text, &id));
			text[k] = c;
		}
	}
	assert_false(client_uuid_get(r.bus, "", &id));
	text[CLIENT_UUID_LEN - 1] = '\0';
	assert_false(client_uuid_get(r.bus, text, &id));
	rig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_long_packet_leaves_nothing_but_what_follows_it),
	        cmocka_unit_test(a_long_translation_is_not_kept),
	        cmocka_unit_test(what_cannot_be_translated_is_lost_for_each),
	        cmocka_unit_test(a_clients_id_is_read_back_from_its_text),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
