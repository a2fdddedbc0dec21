/*
 * Payloads: every type in both dialects, and the limits of size
 */

#include "t/conformance/suite.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define INT_VALUE(n)    NC_INT, &(const int64_t){n}, 8
#define DOUBLE_VALUE(d) NC_DOUBLE, &(const double){d}, 8
#define TEXT_VALUE(s)   NC_TEXT, s, sizeof(s) - 1
#define BYTES_VALUE(s)  NC_BYTES, s, sizeof(s) - 1
#define JSON_VALUE(s)   NC_JSON, s, sizeof(s) - 1, s
#define MANY_BYTES_BASE64                                                                          \
	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1"                 \
	"Njc4OTo7PD0+Pw=="

static const unsigned char sixty_four_bytes[] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

static const struct value values[] = {
        {"nothing", NC_EMPTY, NULL, 0, NULL},
        {"true", NC_BOOL, "\1", 1, "true"},
        {"false", NC_BOOL, "\0", 1, "false"},
        {"0", INT_VALUE(0), "0"},
        {"-1", INT_VALUE(-1), "-1"},
        {"2^53 + 1", INT_VALUE(9007199254740993), "9007199254740993"},
        {"the largest integer", INT_VALUE(INT64_MAX), "9223372036854775807"},
        {"the smallest integer", INT_VALUE(INT64_MIN), "-9223372036854775808"},
        {"1.5", DOUBLE_VALUE(1.5), "1.5"},
        {"a tenth", DOUBLE_VALUE(0.1), "0.1"},
        {"a third", DOUBLE_VALUE(1.0 / 3.0), "0.33333333333333331"},
        {"a huge double", DOUBLE_VALUE(1.7976931348623157e308), "1.7976931348623157e308"},
        {"a tiny double", DOUBLE_VALUE(5e-324), "5e-324"},
        {"a whole double", DOUBLE_VALUE(3.0), "3.0"},
        {"NaN", DOUBLE_VALUE(NAN), "null"},
        {"infinity", DOUBLE_VALUE(INFINITY), "null"},
        {"no text", TEXT_VALUE(""), "\"\""},
        {"a text", TEXT_VALUE("hello"), "\"hello\""},
        {"a text to escape", TEXT_VALUE("a\"b\\c/d\n\t\r\b\f\x01\x1f\x7f"),
         "\"a\\\"b\\\\c/d\\n\\t\\r\\b\\f\\u0001\\u001f\x7f\""},
        {"a text of many languages",
         TEXT_VALUE("\xc3\xa9 \xce\xb1 \xe6\xbc\xa2 \xf0\x9f\x90\x88 \xf4\x8f\xbf\xbd"),
         "\"\xc3\xa9 \xce\xb1 \xe6\xbc\xa2 \xf0\x9f\x90\x88 \xf4\x8f\xbf\xbd\""},
        {"a text that looks like JSON", TEXT_VALUE("{\"a\":[1]}"), "\"{\\\"a\\\":[1]}\""},
        {"no bytes", BYTES_VALUE(""), "{\"$bytes\":\"\"}"},
        {"one byte", BYTES_VALUE("\xff"), "{\"$bytes\":\"/w==\"}"},
        {"two bytes", BYTES_VALUE("\x00\xff"), "{\"$bytes\":\"AP8=\"}"},
        {"three bytes", BYTES_VALUE("\xfb\xf0\x0f"), "{\"$bytes\":\"+/AP\"}"},
        {"sixty-four bytes", NC_BYTES, sixty_four_bytes, 64,
         "{\"$bytes\":\"" MANY_BYTES_BASE64 "\"}"},
        {"an object", JSON_VALUE("{\"a\":1,\"b\":[true,null,\"x\"],\"c\":{\"d\":{}}}")},
        {"an array", JSON_VALUE("[1,2,3,[[]]]")},
        {"null", JSON_VALUE("null")},
        {"JSON with space around it", JSON_VALUE(" { \"a\" : 1 }\n")},
        {"a surrogate pair", JSON_VALUE("\"\\ud83d\\udc08\"")},
};
#define N_VALUES (sizeof(values) / sizeof(*values))

static void all_types(struct world *w, struct kinds k)
{
	struct peer *to = world_listener(w, k.to, "A", "value");
	struct peer *from = world_peer(w, k.from, "A");

	for (size_t i = 0; i < N_VALUES; i++)
		if (peer_emit(from, "value", &values[i]) != NC_OK)
			fail_msg("%s is not taken", values[i].name);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, N_VALUES);
	for (size_t i = 0; i < N_VALUES; i++)
		if (!heard_is(&to->heard[i], &values[i]))
			fail_msg("%s: heard type %d, %.*s", values[i].name, to->heard[i].type,
			         (int)to->heard[i].len, to->heard[i].data);
	assert_int_equal(to->n_gaps, 0);
	assert_int_equal(from->n_errors, 0);
}

/* JSON whose numbers and booleans libnc takes for values of its own. */
struct read_as {
	const char *json;
	bool is_int, is_double, is_bool;
	int64_t i;
	double d;
};

struct readings {
	const struct read_as *expected;
	size_t n;
	char wrong[128];
};

static void read_one(nc_client *c, const nc_msg *m, void *arg)
{
	struct readings *r = arg;
	const struct read_as *e = &r->expected[r->n++];
	int64_t i = 0;
	double d = 0;
	int b = -1;

	(void)c;
	if ((nc_msg_int(m, &i) == NC_OK) != e->is_int || (e->is_int && i != e->i) ||
	    (nc_msg_double(m, &d) == NC_OK) != e->is_double || (e->is_double && d != e->d) ||
	    (nc_msg_bool(m, &b) == NC_OK) != e->is_bool || (e->is_bool && b != (int)e->i))
		snprintf(r->wrong, sizeof(r->wrong), "%s read as %lld, %g, %d", e->json,
		         (long long)i, d, b);
}

static void json_numbers(struct world *w, struct kinds k)
{
	static const struct read_as cases[] = {
	        {"7", true, true, false, 7, 7.0},
	        {"-0", true, true, false, 0, 0.0},
	        {"9223372036854775807", true, true, false, INT64_MAX, 9223372036854775807.0},
	        {"9223372036854775808", false, true, false, 0, 9223372036854775808.0},
	        {"2.5", false, true, false, 0, 2.5},
	        {"true", false, false, true, 1, 0},
	        {"false", false, false, true, 0, 0},
	        {"null", false, false, false, 0, 0},
	        {"\"7\"", false, false, false, 0, 0},
	        {"[7]", false, false, false, 0, 0},
	};
	enum { N = sizeof(cases) / sizeof(*cases) };
	struct readings r = {.expected = cases};
	struct peer *from = world_peer(w, JSON, "A");
	struct peer *to = world_peer(w, NATIVE, "A");

	(void)k;
	assert_int_equal(nc_on_event(to->nc, "n", read_one, &r), NC_OK);
	peer_settle(to);
	for (size_t i = 0; i < N; i++) {
		struct value v = {.json = cases[i].json};

		peer_emit(from, "n", &v);
	}
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(r.n, N);
	assert_string_equal(r.wrong, "");
}

#define LIMIT 4096
static const char limited[] = "channels = { A = { max_message = 4096; }; };";

static int emit_size(struct peer *from, size_t len)
{
	char *bytes = malloc(len + 1);
	struct value v = {.type = NC_BYTES, .data = bytes, .len = len};
	int r;

	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 7 + len);
	r = peer_emit(from, "sized", &v);
	free(bytes);
	return r;
}

static void native_sizes(struct world *w, struct kinds k)
{
	static const size_t sizes[] = {0, 1, LIMIT - 1, LIMIT};
	struct peer *to = world_listener(w, k.to, "A", "sized");
	struct peer *from = world_peer(w, NATIVE, "A");

	assert_int_equal(nc_max_message(from->nc), LIMIT);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(emit_size(from, sizes[i]), NC_OK);
	assert_int_equal(emit_size(from, LIMIT + 1), NC_ETOOBIG);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 4);
	for (size_t i = 0; i < 4; i++) {
		size_t quoted = strlen("{\"$bytes\":\"\"}") + (sizes[i] + 2) / 3 * 4;

		assert_int_equal(to->heard[i].len, k.to == JSON ? quoted : sizes[i]);
		if (k.to == NATIVE)
			for (size_t n = 0; n < sizes[i]; n++)
				assert_int_equal((unsigned char)to->heard[i].data[n],
				                 (unsigned char)(n * 7 + sizes[i]));
	}
}

/* A packet of exactly `len` bytes, without its NUL; to be freed. */
static char *sized_packet(size_t len)
{
	static const char head[] = "{\"event\":\"sized\",\"data\":\"";
	char *packet = malloc(len + 1);

	assert_non_null(packet);
	assert_true(len > sizeof(head) + 1);
	memset(packet, 'x', len);
	memcpy(packet, head, sizeof(head) - 1);
	memcpy(packet + len - 2, "\"}", 3);
	return packet;
}

static void json_sizes(struct world *w, struct kinds k)
{
	static const size_t sizes[] = {64, LIMIT - 1, LIMIT};
	struct peer *to = world_listener(w, k.to, "A", "sized");
	struct peer *from = world_peer(w, JSON, "A");
	char *packet;

	for (size_t i = 0; i < 3; i++) {
		packet = sized_packet(sizes[i]);
		peer_packet(from, packet);
		free(packet);
	}
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(to->heard[i].packet_len, sizes[i]);
	packet = sized_packet(LIMIT + 1);
	peer_packet(from, packet);
	free(packet);
	WORLD_UNTIL(w, from->ended);
	assert_int_equal(from->n_errors, 1);
	assert_int_equal(from->error, NC_ETOOBIG);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 3);
}

/* The limit is that of the channel on which it is emitted: a small one's receivers take more. */
static const char different_limits[] =
        "channels = {\n"
        "A = { max_message = 65536; propagatetochannels = \"B\"; };\n"
        "B = { max_message = 1024; }; };";

static void limit_is_the_emitters(struct world *w, struct kinds k)
{
	struct peer *to = world_listener(w, k.to, "B", "sized");
	struct peer *from = world_peer(w, NATIVE, "A"), *small = world_peer(w, NATIVE, "B");

	assert_int_equal(nc_max_message(from->nc), 65536);
	assert_int_equal(nc_max_message(small->nc), 1024);
	assert_int_equal(emit_size(from, 65536), NC_OK);
	assert_int_equal(emit_size(small, 1025), NC_ETOOBIG);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 1);
}

/* Values that JSON has no form for. */
static const struct value bad[] = {
        {"no UTF-8", TEXT_VALUE("\xff\xfe"), NULL},
        {"half a character", TEXT_VALUE("ab\xc3"), NULL},
        {"a surrogate", TEXT_VALUE("\xed\xa0\x80"), NULL},
        {"no JSON", NC_JSON, "{a:1}", 5, NULL},
        {"half of it", NC_JSON, "[1,2", 4, NULL},
        {"two of them", NC_JSON, "1 2", 3, NULL},
        {"NUL in JSON", NC_JSON, "[1\0]", 4, NULL},
};
#define N_BAD (sizeof(bad) / sizeof(*bad))

/* How many were told as lost when each was heard: each number is preceded by as many bad ones. */
struct losses {
	int64_t n;
	unsigned wrong;
};

static void hear_number(struct peer *p, const struct heard *h)
{
	struct losses *l = p->arg;

	if (heard_int(h) != l->n++ || p->lost != (uint64_t)heard_int(h))
		l->wrong++;
}

/* Emits 0, a bad one, 1, a bad one, and so on. */
static void emit_good_and_bad(struct peer *from)
{
	for (size_t i = 0; i < N_BAD; i++) {
		peer_emit_int(from, "mixed", (int64_t)i);
		assert_int_equal(peer_emit(from, "mixed", &bad[i]), NC_OK);
	}
	peer_emit_int(from, "mixed", N_BAD);
	peer_settle(from);
}

/* It has not shown its dialect while they come, so that all of them are translated at once. */
static void untranslatable_while_undecided(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, NATIVE, "A"), *json = world_new_peer(w, JSON, "A");
	uint64_t deadline = util_deadline();
	size_t n = channel_clients(w, "A");
	struct losses l = {.n = 0};

	(void)k;
	json->on_heard = hear_number;
	json->arg = &l;
	assert_int_equal(peer_connect(json), 0);
	while (channel_clients(w, "A") == n)
		world_pause(w, deadline, "the server to know of a connection");
	emit_good_and_bad(from);
	peer_write(json, " ", 1);
	peer_barrier(json);
	assert_int_equal(l.n, N_BAD + 1);
	assert_int_equal(l.wrong, 0);
	assert_int_equal(json->lost, N_BAD);
}

/* What is no valid text or JSON reaches native clients; JSON ones are told that it is missing,
 * right where it is missing. */
static void untranslatable(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, NATIVE, "A");
	struct peer *native = world_listener(w, NATIVE, "A", "mixed");
	struct peer *json = world_listener(w, JSON, "A", "mixed");
	struct losses l = {.n = 0};
	struct flow f;

	(void)k;
	json->on_heard = hear_number;
	json->arg = &l;
	emit_good_and_bad(from);
	peer_barrier(native);
	peer_barrier(json);
	assert_int_equal(native->n_heard, 2 * N_BAD + 1);
	for (size_t i = 0; i < N_BAD; i++) {
		const struct heard *h = &native->heard[2 * i + 1];

		assert_int_equal(h->type, bad[i].type);
		assert_int_equal(h->len, bad[i].len);
		assert_memory_equal(h->data, bad[i].data, bad[i].len);
	}
	assert_int_equal(native->lost, 0);
	assert_int_equal(l.n, N_BAD + 1);
	assert_int_equal(json->lost, N_BAD);
	peer_flow(json, &f);
	assert_int_equal(f.untranslatable, N_BAD);
	assert_int_equal(f.written, json->n_messages);
	assert_int_equal(l.wrong, 0);
}

static void broadcast_is_carried(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_listener(w, k.to, "A", "cast");

	if (k.from == NATIVE) {
		assert_int_equal(nc_emit(from->nc, "cast", NC_EMPTY, NULL, 0, NC_BROADCAST), NC_OK);
		assert_int_equal(nc_emit(from->nc, "cast", NC_EMPTY, NULL, 0, 0), NC_OK);
	} else {
		peer_packet(from, "{\"event\":\"cast\",\"broadcast\":true}");
		peer_packet(from, "{\"event\":\"cast\",\"broadcast\":false}");
	}
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 2);
	assert_true(to->heard[0].broadcast);
	assert_false(to->heard[1].broadcast);
}

static const struct behaviour list[] = {
        {"every type of value arrives as what it is", PAIRS, all_types, NULL},
        {"numbers and booleans of JSON are read as values by libnc", ONCE, json_numbers, NULL},
        {"payloads of 0, 1, limit - 1 and limit bytes arrive, one more is refused", EACH,
         native_sizes, limited},
        {"packets of up to the limit arrive, one more byte ends the connection", EACH, json_sizes,
         limited},
        {"the limit of size is that of the emitter's channel", EACH, limit_is_the_emitters,
         different_limits},
        {"what can't be translated to JSON is told there as a gap", ONCE, untranslatable, NULL},
        {"also in what waited for a connection that shows its dialect late", ONCE,
         untranslatable_while_undecided, "hello_wait = 60000; channels = { A = {}; };"},
        {"netcluster's broadcast argument is carried along", PAIRS, broadcast_is_carried, NULL},
};

const struct theme payload_theme = {"payload", list, sizeof(list) / sizeof(*list)};
