/*
 * netcluster's packets to the byte: how they may be written, and what is written for native events
 */

#include "t/conformance/suite.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char utf8[] = "{\"channel\":\"A\",\"broadcast\":false,\"event\":\"u\","
                           "\"data\":\"\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x90\x88\"}";

static void joined_packets(struct world *w, struct kinds k)
{
	static const char joined[] = "{\"event\":\"j\",\"data\":0}\0{\"event\":\"j\",\"data\":1}\0"
	                             "{\"event\":\"j\",\"data\":2}";
	struct peer *from = world_peer(w, JSON, "A");
	struct peer *to = world_listener(w, k.to, "A", "j");

	/* three whole ones, then two and a half and the rest, each line in one write */
	assert_int_equal(jc_write(&from->jc, joined, sizeof(joined)), 0);
	assert_int_equal(jc_write(&from->jc, joined, sizeof(joined) - 9), 0);
	assert_int_equal(jc_write(&from->jc, joined + sizeof(joined) - 9, 9), 0);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(heard_int(&to->heard[i]), i % 3);
}

static void packets_in_pieces(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, JSON, "A");
	struct peer *to = world_listener(w, k.to, "A", "u");

	/* byte by byte, so that each character is cut, too; and in pieces of other sizes */
	for (size_t piece = 1; piece < sizeof(utf8); piece += 5)
		assert_int_equal(jc_write_in_pieces(&from->jc, utf8, sizeof(utf8), piece), 0);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, (sizeof(utf8) + 3) / 5);
	for (size_t i = 0; i < to->n_heard; i++) {
		assert_int_equal(to->heard[i].packet_len, sizeof(utf8) - 1);
		assert_memory_equal(to->heard[i].packet, utf8, sizeof(utf8) - 1);
	}
}

/* Half of it is settled into the server before the rest comes, at each byte of a character. */
static void cut_inside_a_character(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, JSON, "A"), *other = world_peer(w, NATIVE, "A");
	struct peer *to = world_listener(w, k.to, "A", "u");
	size_t cat = (size_t)(strstr(utf8, "\xf0\x9f") - utf8), n = 0;

	for (size_t cut = cat; cut <= cat + 4; cut++) {
		assert_int_equal(jc_write(&from->jc, utf8, cut), 0);
		peer_emit_int(other, "u", (int64_t)cut);
		peer_settle(other);
		assert_int_equal(jc_write(&from->jc, utf8 + cut, sizeof(utf8) - cut), 0);
		peer_settle(from);
		peer_barrier(to);
		n += 2;
		assert_int_equal(to->n_heard, n);
		assert_int_equal(heard_int(&to->heard[n - 2]), cut);
		assert_memory_equal(to->heard[n - 1].packet, utf8, sizeof(utf8) - 1);
	}
}

static const char *const forms[] = {
        "{\"event\":\"f\"}",
        "{\"event\":\"f\",\"data\":null}",
        "{\"data\":1,\"event\":\"f\"}",
        "\n{ \"event\" : \"f\" , \"data\" : [ ] }\r\n",
        "{\"event\":\"other\",\"event\":\"f\",\"data\":1,\"data\":2}",
        "{\"emmiteruuid\":\"00000000-0000-4000-8000-000000000000\",\"event\":\"f\"}",
        "{\"emmiteruuid\":{\"not\":[\"a string\"]},\"channel\":7,\"broadcast\":\"x\",\"event\":\"f\"}",
        "{\"\\u0065vent\":\"f\"}",
        "{\"event\":\"\\u0066\"}",
        "{\"event\":\"f\",\"nested\":{\"event\":\"g\",\"data\":3},\"data\":{\"event\":\"h\"}}",
        "{\"event\":\"f\",\"channel\":\"B\",\"data\":\"\\u0000\"}",
        "{\"event\":\"f\",\"nc\":{\"future\":[1,2]},\"data\":0}",
};
#define N_FORMS (sizeof(forms) / sizeof(*forms))

static void every_form(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, JSON, "A");
	struct peer *to = world_listener(w, k.to, "A", "f");

	for (size_t i = 0; i < N_FORMS; i++)
		peer_packet(from, forms[i]);
	peer_settle(from);
	peer_barrier(to);
	if (to->n_heard != N_FORMS)
		fail_msg("%zu of %zu forms heard; %s", to->n_heard, N_FORMS, from->text);
	for (size_t i = 0; i < N_FORMS; i++) {
		assert_int_equal(to->heard[i].packet_len, strlen(forms[i]));
		assert_memory_equal(to->heard[i].packet, forms[i], strlen(forms[i]));
		if (k.to == NATIVE) {
			assert_string_equal(to->heard[i].event, "f");
			assert_string_equal(to->heard[i].channel, "A");
		}
	}
	if (k.to == NATIVE) {
		assert_int_equal(to->heard[0].type, NC_EMPTY);
		assert_string_equal(to->heard[1].data, "null");
		assert_string_equal(to->heard[4].data, "2");
		assert_string_equal(to->heard[9].data, "{\"event\":\"h\"}");
	}
}

/* {"emmiteruuid":"<v4 uuid>", and then exactly this. */
static void check_made(const struct heard *h, const char *rest)
{
	static const char head[] = "{\"emmiteruuid\":\"",
	                  uuid[] = "xxxxxxxx-xxxx-4xxx-Nxxx-xxxxxxxxxxxx";
	const char *p = h->packet + sizeof(head) - 1;

	assert_non_null(h->packet);
	assert_memory_equal(h->packet, head, sizeof(head) - 1);
	for (const char *u = uuid; *u; u++, p++) {
		if (*u == 'x')
			assert_non_null(strchr("0123456789abcdef", *p));
		else if (*u == 'N')
			assert_non_null(strchr("89ab", *p));
		else
			assert_int_equal(*p, *u);
	}
	assert_string_equal(p, rest);
}

static void made_packets(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, NATIVE, "A");
	struct peer *to = world_listener(w, JSON, "A", ">");
	yajl_val answer = peer_client_object(from);
	const char *id = util_json_text(util_json_at(answer, "answer"), "id");

	(void)k;
	assert_int_equal(nc_emit_int(from->nc, "a.b", -5), NC_OK);
	assert_int_equal(nc_emit_empty(from->nc, "a.b"), NC_OK);
	assert_int_equal(nc_emit(from->nc, "\xc3\xa9.\"q\\", NC_TEXT, "x", 1, NC_BROADCAST), NC_OK);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 3);
	check_made(&to->heard[0],
	           "\",\"channel\":\"A\",\"broadcast\":false,\"event\":\"a.b\",\"data\":-5}");
	check_made(&to->heard[1], "\",\"channel\":\"A\",\"broadcast\":false,\"event\":\"a.b\"}");
	check_made(&to->heard[2], "\",\"channel\":\"A\",\"broadcast\":true,"
	                          "\"event\":\"\xc3\xa9.\\\"q\\\\\",\"data\":\"x\"}");
	/* the id is the one by which the control channel knows the sender */
	assert_memory_equal(to->heard[0].packet + strlen("{\"emmiteruuid\":\""), id, strlen(id));
	yajl_tree_free(answer);
}

/* Old tools write nothing but this, and must be answered by exactly that. The others on the channel
 * hear the question, too, as they hear all that is emitted there. */
static void control_as_ever(struct world *w, struct kinds k)
{
	static const char question[] = "{\"channel\":\"control\",\"broadcast\":false,"
	                               "\"event\":\"nc-control-showchannel\",\"data\":\"A\"}";
	struct peer *asks = world_new_peer(w, JSON, "control");
	struct peer *watches = world_new_peer(w, JSON, "control");
	const struct heard *answer;
	size_t n, len = 0;

	(void)k;
	world_peer(w, JSON, "A");
	n = channel_clients(w, "A");
	assert_int_equal(peer_connect(asks), 0);
	assert_int_equal(peer_connect(watches), 0);
	peer_packet(asks, question);
	WORLD_UNTIL(w, asks->n_heard == 1 && watches->n_heard == 2);
	assert_string_equal(watches->heard[0].packet, question);
	assert_string_equal(asks->heard[0].packet, watches->heard[1].packet);
	answer = &asks->heard[0];
	assert_string_equal(answer->event, "nc-control-showchannel-response");
	assert_string_equal(answer->channel, "control");
	/* n uuids in quotes, commas between them, brackets around */
	assert_int_equal(answer->len, n * 38 + n - 1 + 2);
	assert_int_equal(answer->data[0], '[');
	assert_null(util_json_raw(answer->packet, answer->packet_len, "nc", &len));
}

static void control_with_an_id(struct world *w, struct kinds k)
{
	struct peer *asks = world_new_peer(w, JSON, "control");
	struct peer *watches = world_new_peer(w, JSON, "control");
	size_t len = 0;
	const char *nc;

	(void)k;
	assert_int_equal(peer_connect(asks), 0);
	assert_int_equal(peer_connect(watches), 0);
	peer_packet(asks,
	            "{\"event\":\"nc-control-showchannel\",\"data\":\"A\",\"nc\":{\"id\":7}}");
	WORLD_UNTIL(w, asks->n_heard == 1);
	nc = util_json_raw(asks->heard[0].packet, asks->heard[0].packet_len, "nc", &len);
	assert_non_null(nc);
	assert_true(util_json_equal(nc, len, "{\"id\":7}", 8));
	peer_packet(asks, "{\"event\":\"nc-control-showchannel\",\"data\":\"no-such\","
	                  "\"nc\":{\"id\":18446744073709551615}}");
	WORLD_UNTIL(w, asks->n_heard == 2);
	nc = util_json_raw(asks->heard[1].packet, asks->heard[1].packet_len, "nc", &len);
	assert_non_null(nc);
	nc = util_json_raw(nc, len, "id", &len);
	assert_int_equal(len, strlen("18446744073709551615"));
	assert_memory_equal(nc, "18446744073709551615", len);
	/* without an id all hear it: for the other client this is the first that it hears */
	peer_packet(asks, "{\"event\":\"nc-control-showchannel\",\"data\":\"no-such\"}");
	WORLD_UNTIL(w, watches->n_heard == 2 && asks->n_heard == 3);
	assert_string_equal(watches->heard[0].event, "nc-control-showchannel");
	nc = util_json_raw(watches->heard[1].data, watches->heard[1].len, "error", &len);
	assert_non_null(nc);
	assert_true(len > 2);
}

static const struct behaviour list[] = {
        {"several packets in one write are several events", EACH, joined_packets, NULL},
        {"a packet in many writes is one event", EACH, packets_in_pieces, NULL},
        {"others go on while a packet is cut inside a character", EACH, cut_inside_a_character,
         NULL},
        {"whatever its form, a packet travels byte for byte", EACH, every_form, NULL},
        {"a native event becomes netcluster's packet, field by field", ONCE, made_packets, NULL},
        {"a question as netcluster asks it is answered to all, as netcluster does", ONCE,
         control_as_ever, NULL},
        {"a question with an id is answered to its asker alone", ONCE, control_with_an_id, NULL},
};

const struct theme packet_theme = {"packets", list, sizeof(list) / sizeof(*list)};
