/*
 * Packets that are none: who writes them is told, goes or stays as the protocol says, and nobody
 * else notices
 */

#include "t/conformance/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "t/conformance/witness.h"

static const char limited[] = "hello_wait = 20;\n"
                              "channels = { A = { max_message = 65536; }; B = {}; };";

struct bad_packet {
	const char *name;
	const char *bytes;
	size_t len;
	int error; /* NC_OK: it is not told */
	bool goes;
};

#define BAD(s)        s, sizeof(s) /* with the NUL that ends a literal */
#define BAD_NO_NUL(s) s, sizeof(s) - 1

/* 255 bytes, the most that a name may have. */
#define FIFTY     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
#define LONG_NAME FIFTY FIFTY FIFTY FIFTY FIFTY "fffff"

static const struct bad_packet bad_packets[] = {
        {"a word", BAD("hello"), NC_EJSON, true},
        {"white space", BAD(" \n\t"), NC_EJSON, true},
        {"null", BAD("null"), NC_EPROTO, true},
        {"a number", BAD("7"), NC_EPROTO, true},
        {"a string", BAD("\"event\""), NC_EPROTO, true},
        {"an array", BAD("[{\"event\":\"a\"}]"), NC_EPROTO, true},
        {"an empty object", BAD("{}"), NC_EPROTO, true},
        {"no event", BAD("{\"data\":1}"), NC_EPROTO, true},
        {"an event that is a number", BAD("{\"event\":7}"), NC_EPROTO, true},
        {"an event that is null", BAD("{\"event\":null}"), NC_EPROTO, true},
        {"an event at the wrong depth", BAD("{\"x\":{\"event\":\"a\"}}"), NC_EPROTO, true},
        {"an event in an array", BAD("{\"event\":[\"a\"]}"), NC_EPROTO, true},
        {"half an object", BAD("{\"event\":\"a\""), NC_EJSON, true},
        {"half a string", BAD("{\"event\":\"a"), NC_EJSON, true},
        {"two objects", BAD("{\"event\":\"a\"}{\"event\":\"b\"}"), NC_EJSON, true},
        {"something behind", BAD("{\"event\":\"a\"}x"), NC_EJSON, true},
        {"a comma too many", BAD("{\"event\":\"a\",}"), NC_EJSON, true},
        {"a key without quotes", BAD("{event:\"a\"}"), NC_EJSON, true},
        {"single quotes", BAD("{'event':'a'}"), NC_EJSON, true},
        {"a comment", BAD("{\"event\":\"a\"/*x*/}"), NC_EJSON, true},
        {"NaN", BAD("{\"event\":\"a\",\"data\":NaN}"), NC_EJSON, true},
        {"a leading zero", BAD("{\"event\":\"a\",\"data\":01}"), NC_EJSON, true},
        {"a control character", BAD("{\"event\":\"a\",\"data\":\"\x01\"}"), NC_EJSON, true},
        {"an unknown escape", BAD("{\"event\":\"a\",\"data\":\"\\x\"}"), NC_EJSON, true},
        {"no UTF-8", BAD("{\"event\":\"a\",\"data\":\"\xff\"}"), NC_EJSON, true},
        {"an overlong character", BAD("{\"event\":\"a\",\"data\":\"\xc0\x80\"}"), NC_EJSON, true},
        {"a surrogate in UTF-8", BAD("{\"event\":\"a\",\"data\":\"\xed\xa0\x80\"}"), NC_EJSON,
         true},
        {"half a character", BAD("{\"event\":\"a\",\"data\":\"\xe6\xbc\"}"), NC_EJSON, true},
        {"a byte order mark", BAD("\xef\xbb\xbf{\"event\":\"a\"}"), NC_EJSON, true},
        {"the preface in the middle", BAD(" \xffNC\x01"), NC_EJSON, true},
        {"HTTP", BAD("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), NC_EJSON, true},
        {"a good one, then a bad one", BAD("{\"event\":\"nc.x\"}\0]"), NC_EJSON, true},
        {"an illegal name", BAD("{\"event\":\"a b\"}"), NC_ENAME, false},
        {"an illegal name by escapes", BAD("{\"event\":\"a\\u0000b\"}"), NC_ENAME, false},
        {"half a surrogate pair in a name", BAD("{\"event\":\"a\\ud800\"}"), NC_ENAME, false},
        {"a name too long by escapes", BAD("{\"event\":\"\\u0061" LONG_NAME "\"}"), NC_ENAME,
         false},
        {"a reserved name", BAD("{\"event\":\"nc.gap\",\"data\":{}}"), NC_ERESERVED, false},
};

static void expect_told(struct peer *p, const struct bad_packet *b)
{
	struct world *w = p->world;

	if (b->goes)
		WORLD_UNTIL(w, p->ended);
	else
		WORLD_UNTIL(w, p->n_errors > 0 || p->ended);
	if (p->ended != b->goes || p->error != b->error || !p->text[0])
		fail_msg("%s: %s, and it %s; \"%s\"", b->name, nc_strerror(p->error),
		         p->ended ? "goes" : "stays", p->text);
	if (!b->goes)
		peer_settle(p);
	peer_close(p);
}

static void bad_json(struct world *w, struct kinds k)
{
	struct witnesses s;

	(void)k;
	witnesses_come(w, &s);
	for (size_t i = 0; i < sizeof(bad_packets) / sizeof(*bad_packets); i++) {
		struct peer *p = world_peer(w, JSON, "A");

		peer_write(p, bad_packets[i].bytes, bad_packets[i].len);
		expect_told(p, &bad_packets[i]);
		witnesses_talk(&s);
	}
}

/* The first thing that a connection says, too. */
static void bad_json_first(struct world *w, struct kinds k)
{
	struct witnesses s;

	(void)k;
	witnesses_come(w, &s);
	for (size_t i = 0; i < sizeof(bad_packets) / sizeof(*bad_packets); i++) {
		struct peer *p = world_new_peer(w, JSON, "A");

		assert_int_equal(peer_connect(p), 0);
		peer_write(p, bad_packets[i].bytes, bad_packets[i].len);
		expect_told(p, &bad_packets[i]);
	}
	witnesses_talk(&s);
}

/* Empty packets are passed over: who writes nothing else is a client like others. */
static void nothing_but_nul(struct world *w, struct kinds k)
{
	static const char nuls[20000];
	struct witnesses s;
	struct peer *p = world_new_peer(w, JSON, "A");

	(void)k;
	witnesses_come(w, &s);
	assert_int_equal(peer_connect(p), 0);
	peer_write(p, nuls, sizeof(nuls));
	witnesses_talk(&s);
	peer_settle(p);
	assert_int_equal(p->n_errors, 0);
}

/* A packet that is `depth` levels deep, the packet's own object included; to be freed. */
static char *deep_packet(size_t depth)
{
	char *nested = malloc(2 * depth), *packet;

	assert_non_null(nested);
	memset(nested, '[', depth - 1);
	memset(nested + depth - 1, ']', depth - 1);
	nested[2 * (depth - 1)] = '\0';
	packet = util_format("{\"event\":\"deep\",\"data\":%s}", nested);
	free(nested);
	return packet;
}

static void deep_json(struct world *w, struct kinds k)
{
	static const size_t too_deep[] = {129, 1000, 20000};
	struct peer *to = world_listener(w, k.to, "A", "deep"), *p = world_peer(w, JSON, "A");
	char *packet = deep_packet(128);

	peer_packet(p, packet);
	free(packet);
	peer_settle(p);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 1);
	for (size_t i = 0; i < 3; i++) {
		p = world_peer(w, JSON, "A");
		packet = deep_packet(too_deep[i]);
		peer_packet(p, packet);
		free(packet);
		WORLD_UNTIL(w, p->ended);
		assert_int_equal(p->error, NC_EDEPTH);
	}
	peer_barrier(to);
	assert_int_equal(to->n_heard, 1);
}

/* It is refused when it has become too large, not when it ends: this one never does. */
static void endless_packet(struct world *w, struct kinds k)
{
	static const char head[] = "{\"event\":\"x\",\"data\":\"";
	static char part[4096];
	struct witnesses s;
	struct peer *p = world_peer(w, JSON, "A");
	uint64_t deadline = util_deadline();

	(void)k;
	witnesses_come(w, &s);
	memset(part, 'x', sizeof(part));
	peer_write(p, head, sizeof(head) - 1);
	for (size_t n = 0; n < 15; n++)
		peer_write(p, part, sizeof(part));
	witnesses_talk(&s);
	assert_false(p->ended);
	while (!p->ended) {
		if (jc_queued(&p->jc) == 0)
			peer_write(p, part, sizeof(part));
		world_turn(w, deadline, "the endless packet to be refused");
	}
	assert_int_equal(p->error, NC_ETOOBIG);
	witnesses_talk(&s);
}

/* Half packets of clients that leave, or stay and say no more, are nobody's event. */
static void half_packets(struct world *w, struct kinds k)
{
	static const char whole[] = "{\"event\":\"half\",\"data\":[1,2,3]}";
	struct witnesses s;
	struct peer *stays = world_peer(w, JSON, "A");

	(void)k;
	witnesses_come(w, &s);
	peer_write(stays, whole, sizeof(whole) - 1);
	for (size_t n = 1; n < sizeof(whole); n++) {
		struct peer *p = world_peer(w, JSON, "A");

		peer_write(p, whole, n);
		peer_close(p);
	}
	witnesses_talk(&s);
	/* its NUL makes it one */
	peer_write(stays, "", 1);
	WORLD_UNTIL(w, s.p[0]->n_heard == 1 && s.p[1]->n_heard == 1);
}

static const struct behaviour list[] = {
        {"packets that are none are told, and end the connection or not, as they must", ONCE,
         bad_json, limited},
        {"the first bytes of a connection are no different", ONCE, bad_json_first, limited},
        {"nothing but NULs are no packets", ONCE, nothing_but_nul, limited},
        {"128 levels of JSON arrive, more end the connection", EACH, deep_json, limited},
        {"a packet without end is refused when it is too large", ONCE, endless_packet, limited},
        {"half a packet is nobody's event", ONCE, half_packets, limited},
};

const struct theme hostile_json_theme = {"hostile JSON", list, sizeof(list) / sizeof(*list)};
