/*
 * Unit tests of json/packet: the reader
 */

#include "libnc/json/packet.h"
#include "t/unit/nomem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct packet_reader *reader;

static int set_up(void **state)
{
	(void)state;
	reader = packet_reader_new();
	return reader ? 0 : -1;
}

/* The packet that was read last, in memory that ends with it; freed by the next read. */
static char *exact;

static int read_bytes(struct packet *out, const void *p, size_t len)
{
	free(exact);
	exact = malloc(len ? len : 1);
	assert_non_null(exact);
	if (len)
		memcpy(exact, p, len);
	return packet_read(reader, exact, len, out);
}

static int read_text(struct packet *out, const char *s)
{
	return read_bytes(out, s, strlen(s));
}

static int tear_down(void **state)
{
	(void)state;
	free(exact);
	packet_reader_free(reader);
	return 0;
}

static void assert_data(const struct packet *p, const char *want)
{
	assert_int_equal(p->data_len, strlen(want));
	assert_memory_equal(exact + p->data_off, want, p->data_len);
}

static void assert_event(const struct packet *p, const char *want)
{
	assert_int_equal(p->event_len, strlen(want));
	assert_memory_equal(p->event, want, p->event_len);
}

static void the_fields_of_an_agents_packet_are_found(void **state)
{
	struct packet p;

	(void)state;
	assert_int_equal(read_text(&p, "{\"channel\":\"A\",\"broadcast\":true,\"event\":\"log\","
	                               "\"data\":{\"x\":[1,2]}}"),
	                 PACKET_OK);
	assert_event(&p, "log");
	assert_data(&p, "{\"x\":[1,2]}");
	assert_true(p.broadcast);
	assert_false(p.has_nc);
	assert_false(p.nc_has_id);
	assert_int_equal(read_text(&p, "{\"event\":\"log\"}"), PACKET_OK);
	assert_int_equal(p.data_len, 0);
	assert_false(p.broadcast);
}

static void data_is_found_to_the_byte_around_any_white_space(void **state)
{
	static const char *const values[] = {
	        "1",        "-0",          "1.5e-3",       "true",
	        "false",    "null",        "\"\"",         "\"a\"",
	        "[]",       "{}",          "[1, 2]",       "{ \"a\" : [ ] }",
	        "\"\\\"\"", "\"\\u0041\"", "\"\xC3\xA4\"", "{\"data\":{\"event\":1}}",
	};
	static const char *const spaces[] = {"", " ", "\t", "\r\n", " \n\t\r  "};
	char text[256];
	struct packet p;

	(void)state;
	for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
		for (size_t s = 0; s < 5 * 5 * 5; s++) {
			const char *a = spaces[s % 5], *b = spaces[s / 5 % 5], *c = spaces[s / 25];

			snprintf(text, sizeof(text), "%s{\"event\":\"e\",%s\"data\"%s:%s%s%s}%s", a,
			         b, a, b, values[v], c, a);
			assert_int_equal(read_text(&p, text), PACKET_OK);
			assert_data(&p, values[v]);
			snprintf(text, sizeof(text), "{%s\"data\"%s:%s%s%s,%s\"event\"%s:\"e\"%s}",
			         a, b, c, values[v], a, b, c, a);
			assert_int_equal(read_text(&p, text), PACKET_OK);
			assert_data(&p, values[v]);
			assert_event(&p, "e");
		}
	}
}

static void the_last_of_equal_keys_counts(void **state)
{
	struct packet p;

	(void)state;
	assert_int_equal(read_text(&p, "{\"event\":1,\"data\":[1],\"event\":\"b\",\"data\":2,"
	                               "\"broadcast\":true,\"broadcast\":1}"),
	                 PACKET_OK);
	assert_event(&p, "b");
	assert_data(&p, "2");
	assert_false(p.broadcast);
	assert_int_equal(read_text(&p, "{\"event\":\"b\",\"event\":[\"c\"]}"), PACKET_E_EVENT);
	assert_int_equal(read_text(&p, "{\"event\":\"b\",\"\\u0065vent\":\"c\"}"), PACKET_OK);
	assert_event(&p, "c");
}

static void keys_of_inner_objects_are_nobodys_fields(void **state)
{
	struct packet p;

	(void)state;
	assert_int_equal(read_text(&p, "{\"x\":{\"event\":\"a\",\"data\":1,\"nc\":{\"id\":1}},"
	                               "\"event\":\"b\",\"y\":[{\"event\":\"c\",\"data\":2}]}"),
	                 PACKET_OK);
	assert_event(&p, "b");
	assert_int_equal(p.data_len, 0);
	assert_false(p.has_nc);
	assert_int_equal(read_text(&p, "{\"data\":{\"event\":\"a\"}}"), PACKET_E_EVENT);
}

static void an_event_with_escapes_is_decoded(void **state)
{
	static const struct {
		const char *written;
		const char *meant;
		int want;
	} cases[] = {
	        {"\\u0061.b", "a.b", PACKET_OK},
	        {"\\\"\\\\\\/", "\"\\/", PACKET_OK},
	        {"\\u00e4\\u4f60", "\xC3\xA4\xE4\xBD\xA0", PACKET_OK},
	        {"\\uD83D\\uDE00x", "\xF0\x9F\x98\x80x", PACKET_OK},
	        {"\xC3\xA4\\u0062",
	         "\xC3\xA4"
	         "b",
	         PACKET_OK},
	        {"a\\u0020b", "a b", PACKET_E_NAME},
	        {"a\\tb", "a\tb", PACKET_E_NAME},
	        {"a\\b\\f\\n\\r", "a\b\f\n\r", PACKET_E_NAME},
	        {"a\\u002a", "a*", PACKET_E_NAME},
	        /* half a pair is no character, and never some other one */
	        {"a\\ud83d", "a\xEF\xBF\xBD", PACKET_E_NAME},
	        {"\\ud83dxy", "\xEF\xBF\xBDxy", PACKET_E_NAME},
	        {"\\ud83d\\u0061",
	         "\xEF\xBF\xBD"
	         "a",
	         PACKET_E_NAME},
	        {"\\ud83d\\ud83d", "\xEF\xBF\xBD\xEF\xBF\xBD", PACKET_E_NAME},
	        {"\\ude00", "\xEF\xBF\xBD", PACKET_E_NAME},
	};
	char text[128];
	struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "{\"event\":\"%s\"}", cases[i].written);
		assert_int_equal(read_text(&p, text), cases[i].want);
		assert_event(&p, cases[i].meant);
	}
	assert_int_equal(read_text(&p, "{\"event\":\"\\u0000\"}"), PACKET_E_NAME);
	assert_int_equal(p.event_len, 1);
	assert_int_equal(p.event[0], 0);
}

static void an_illegal_event_name_is_told_with_the_rest_of_the_packet(void **state)
{
	char text[1024];
	struct packet p;

	(void)state;
	assert_int_equal(read_text(&p, "{\"event\":\"two words\",\"data\":7,\"nc\":{\"id\":3}}"),
	                 PACKET_E_NAME);
	assert_event(&p, "two words");
	assert_data(&p, "7");
	assert_true(p.nc_has_id);
	assert_int_equal(read_text(&p, "{\"event\":\"\"}"), PACKET_E_NAME);
	snprintf(text, sizeof(text), "{\"event\":\"%0255d\"}", 0);
	assert_int_equal(read_text(&p, text), PACKET_OK);
	assert_int_equal(p.event_len, 255);
	snprintf(text, sizeof(text), "{\"event\":\"%0256d\"}", 0);
	assert_int_equal(read_text(&p, text), PACKET_E_NAME);
	assert_int_equal(p.event_len, 256);
	snprintf(text, sizeof(text), "{\"event\":\"\\u0030%0254d\"}", 0);
	assert_int_equal(read_text(&p, text), PACKET_OK);
	assert_int_equal(p.event_len, 255);
	snprintf(text, sizeof(text), "{\"event\":\"\\u0030%0255d\"}", 0);
	assert_int_equal(read_text(&p, text), PACKET_E_NAME);
	snprintf(text, sizeof(text), "{\"event\":\"%0254d\\u00e4\"}", 0);
	assert_int_equal(read_text(&p, text), PACKET_E_NAME);
	assert_int_equal(p.event_len, 254);
}

static void the_id_in_nc_is_an_unsigned_number(void **state)
{
	static const struct {
		const char *nc;
		bool has_nc;
		bool has_id;
		uint64_t id;
	} cases[] = {
	        {"{\"id\":7}", true, true, 7},
	        {"{\"id\":0}", true, true, 0},
	        {"{\"id\":18446744073709551615}", true, true, UINT64_MAX},
	        {"{\"id\":18446744073709551616}", true, false, 0},
	        {"{\"id\":99999999999999999999999}", true, false, 0},
	        {"{\"id\":-1}", true, false, 0},
	        {"{\"id\":1.0}", true, false, 0},
	        {"{\"id\":1e3}", true, false, 0},
	        {"{\"id\":\"7\"}", true, false, 0},
	        {"{\"id\":null}", true, false, 0},
	        {"{\"id\":[7]}", true, false, 0},
	        {"{\"id\":{\"id\":7}}", true, false, 0},
	        {"{\"x\":{\"id\":7}}", true, false, 0},
	        {"{\"x\":[],\"id\":5,\"y\":{}}", true, true, 5},
	        {"{\"id\":5,\"id\":6}", true, true, 6},
	        {"{\"id\":5,\"id\":true}", true, false, 0},
	        {"{\"id\":5,\"id\":{}}", true, false, 0},
	        {"{\"id\":5},\"nc\":{}", true, false, 0},
	        {"{\"id\":5},\"nc\":1", false, false, 0},
	        {"5,\"nc\":{\"id\":4}", true, true, 4},
	        {"{}", true, false, 0},
	        {"[{\"id\":7}]", false, false, 0},
	        {"true", false, false, 0},
	};
	char text[128];
	struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "{\"nc\":%s,\"event\":\"e\"}", cases[i].nc);
		assert_int_equal(read_text(&p, text), PACKET_OK);
		assert_int_equal(p.has_nc, cases[i].has_nc);
		assert_int_equal(p.nc_has_id, cases[i].has_id);
		if (p.nc_has_id)
			assert_true(p.nc_id == cases[i].id);
	}
}

static void what_is_no_object_is_refused(void **state)
{
	static const char *const texts[] = {
	        "1", "null", "\"event\"", "[]", "[{\"event\":\"e\"}]", " true "};
	struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(read_text(&p, texts[i]), PACKET_E_OBJECT);
	assert_int_equal(read_text(&p, "{}"), PACKET_E_EVENT);
	assert_int_equal(read_text(&p, "{\"event\":null}"), PACKET_E_EVENT);
}

#define OBJECT(inside) "{\"event\":\"e\"" inside "}"

static void what_is_no_json_is_refused(void **state)
{
	static const char *const texts[] = {
	        "",
	        " ",
	        "{",
	        "{\"event\":\"e\"",
	        "{\"event\":\"e",
	        "{\"event\":\"e\"}}",
	        "{\"event\":\"e\"} x",
	        "{\"event\":\"e\"}{\"event\":\"e\"}",
	        "{\"event\":\"e\"}1",
	        "{\"event\":\"e\"}\"",
	        "{\"event\":\"e\"} \"x",
	        "{\"event\":\"e\"}-",
	        "{\"event\":\"e\"}t",
	        "{\"event\":\"e\"}}",
	        "{'event':'e'}",
	        "{event:\"e\"}",
	        OBJECT(","),
	        OBJECT(",\"a\""),
	        OBJECT(",\"a\":"),
	        OBJECT(",\"a\":01"),
	        OBJECT(",\"a\":1."),
	        OBJECT(",\"a\":.5"),
	        OBJECT(",\"a\":+1"),
	        OBJECT(",\"a\":-"),
	        OBJECT(",\"a\":1e"),
	        OBJECT(",\"a\":0x10"),
	        OBJECT(",\"a\":NaN"),
	        OBJECT(",\"a\":Infinity"),
	        OBJECT(",\"a\":undefined"),
	        OBJECT(",\"a\":tru"),
	        OBJECT(",\"a\":truex"),
	        OBJECT(",\"a\":[1,]"),
	        OBJECT(",\"a\":[,1]"),
	        OBJECT(",\"a\":[1 2]"),
	        OBJECT(",\"a\":{\"b\":1,}"),
	        OBJECT(",\"a\":{1:1}"),
	        OBJECT(",\"a\":]"),
	        OBJECT(",\"a\":\"\\x\""),
	        OBJECT(",\"a\":\"\\u12g4\""),
	        OBJECT(",\"a\":\"\\u12\""),
	        OBJECT(",\"a\":\"line\nbreak\""),
	        OBJECT(",\"a\":\"tab\there\""),
	        OBJECT(",\"a\":\"feed\fhere\""),
	        OBJECT(",\"a\":\"\x80\""),
	        OBJECT(",\"a\":\"\xC3\""),
	        OBJECT(",\"a\":\"\xC0\xAF\""),
	        OBJECT(",\"a\":\"\xED\xA0\x80\""),
	        OBJECT(",\"a\":\"\xF4\x90\x80\x80\""),
	        OBJECT(",/* no */\"a\":1"),
	        OBJECT(" // no\n"),
	        OBJECT("\v"),
	        OBJECT("\f"),
	        OBJECT("\xC2\xA0"),
	        "\xEF\xBB\xBF" OBJECT(""),
	};
	struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int got = read_text(&p, texts[i]);

		if (got != PACKET_E_JSON)
			print_error("%s\n", texts[i]);
		assert_int_equal(got, PACKET_E_JSON);
		assert_string_not_equal(packet_reader_error(reader), "");
		assert_null(strchr(packet_reader_error(reader), '\n'));
	}
	assert_int_equal(read_bytes(&p, "{\"event\":\"a\0b\"}", 15), PACKET_E_JSON);
	assert_int_equal(read_bytes(&p, "{\"event\":\"a\"}\0", 14), PACKET_E_JSON);
}

static void the_error_says_where_and_why(void **state)
{
	struct packet p;

	(void)state;
	assert_int_equal(read_text(&p, "{\"event\":\"e\",\"a\":1,\xFF"), PACKET_E_JSON);
	assert_string_equal(packet_reader_error(reader), "byte 19: not UTF-8");
	assert_int_equal(read_text(&p, "{}\v"), PACKET_E_JSON);
	assert_string_equal(packet_reader_error(reader), "byte 2: invalid white space");
	assert_int_equal(read_text(&p, "{\"event\":"), PACKET_E_JSON);
	assert_string_equal(packet_reader_error(reader), "byte 9: parse error: premature EOF");
	assert_int_equal(read_text(&p, "{} {}"), PACKET_E_JSON);
	assert_string_equal(packet_reader_error(reader), "byte 3: more than one JSON text");
}

/* {"event":"e","data":[[[...]]]} of the given depth, the packet's own object counted. */
static char *nested(unsigned depth, size_t *len)
{
	static const char head[] = "{\"data\":", tail[] = ",\"event\":\"e\"}";
	char *s = malloc(sizeof(head) + sizeof(tail) + 2 * (size_t)depth), *at;

	assert_non_null(s);
	at = s + sprintf(s, "%s", head);
	memset(at, '[', depth - 1);
	at += depth - 1;
	memset(at, ']', depth - 1);
	at += depth - 1;
	at += sprintf(at, "%s", tail);
	*len = (size_t)(at - s);
	return s;
}

static void nesting_is_limited(void **state)
{
	static const struct {
		unsigned depth;
		int want;
	} cases[] = {
	        {NC_JSON_DEPTH_MAX, PACKET_OK},
	        {NC_JSON_DEPTH_MAX + 1, PACKET_E_DEPTH},
	        {100000, PACKET_E_DEPTH},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len, data_len = 2 * (size_t)(cases[i].depth - 1);
		char *s = nested(cases[i].depth, &len);
		struct packet p;

		assert_int_equal(read_bytes(&p, s, len), cases[i].want);
		/* the data alone, which is to stand in a packet, has the same limit */
		assert_int_equal(packet_check_json(s + 8, data_len), cases[i].want);
		free(s);
	}
}

static void one_json_text_is_checked_as_data(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
	        {"1", PACKET_OK},
	        {" 1 ", PACKET_OK},
	        {"\"a\"", PACKET_OK},
	        {"null", PACKET_OK},
	        {"{\"a\":[1]}", PACKET_OK},
	        {"-1.5e+300", PACKET_OK},
	        {"123456789012345678901234567890", PACKET_OK},
	        {"1e999", PACKET_OK},
	        {"\"\\ud800\"", PACKET_OK},
	        {"", PACKET_E_JSON},
	        {"1 2", PACKET_E_JSON},
	        {"01", PACKET_E_JSON},
	        {"\"a", PACKET_E_JSON},
	        {"nul", PACKET_E_JSON},
	        {"\v1", PACKET_E_JSON},
	        {"\"\xFF\"", PACKET_E_JSON},
	        {"[", PACKET_E_JSON},
	        {"-", PACKET_E_JSON},
	        {"1.", PACKET_E_JSON},
	        {"1\"", PACKET_E_JSON},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int got = packet_check_json(cases[i].text, strlen(cases[i].text));

		if (got != cases[i].want)
			print_error("%s\n", cases[i].text);
		assert_int_equal(got, cases[i].want);
	}
	assert_int_equal(packet_check_json("1\0", 2), PACKET_E_JSON);
}

/* A packet whose data is a string of n_escapes escapes, which yajl decodes into a buffer of its
 * own.
 */
static char *escaped(size_t n_escapes, size_t *len)
{
	static const char head[] = "{\"event\":\"e\",\"data\":\"";
	char *s = malloc(sizeof(head) + 2 * n_escapes + 2), *at = s;

	assert_non_null(s);
	at += sprintf(at, "%s", head);
	for (size_t i = 0; i < n_escapes; i++)
		at += sprintf(at, "\\n");
	memcpy(at, "\"}", 2);
	*len = (size_t)(at + 2 - s);
	return s;
}

static void a_nul_is_found_however_it_is_surrounded(void **state)
{
	static const struct {
		const char *text;
		bool has_nul;
	} rows[] = {
	        {"", false},
	        {"\"\"", false},
	        {"\"\\u0000\"", true},
	        {"\"a\\u0000b\"", true},
	        {"{\"\\u0000\":1}", true},
	        {"[1,{\"a\":[\"\\\\\\u0000\"]}]", true},
	        {"\"\\\\u0000\"", false},
	        {"\"\\u0001\\u00001\"", true},
	        {"\"\\u0001\\u1000\\u0010\"", false},
	        {"\"u0000\\n\"", false},
	        {"\"\\\"\"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(packet_has_nul(rows[i].text, strlen(rows[i].text)),
		                 rows[i].has_nul);
}

static void a_large_packet_is_read_beyond_the_arena(void **state)
{
	struct packet p;
	size_t len;
	char *s = escaped(1 << 19, &len);

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(read_bytes(&p, s, len), PACKET_OK);
		assert_int_equal(p.data_off, 20);
		assert_int_equal(p.data_len, len - 21);
		/* a string that never ends is held back as a whole */
		assert_int_equal(read_bytes(&p, s, len - 2), PACKET_E_JSON);
	}
	free(s);
}

static void without_memory_a_packet_is_refused_and_the_next_one_read(void **state)
{
	unsigned n = 0;
	struct packet p;
	size_t len;
	char *s = escaped(30000, &len);
	int r;

	(void)state;
	nomem_after(0);
	assert_null(packet_reader_new());
	assert_true(nomem_off());
	do {
		nomem_after(n++);
		r = packet_read(reader, s, len, &p);
		if (!nomem_off())
			break;
		assert_int_equal(r, -ENOMEM);
		assert_int_equal(read_text(&p, "{\"event\":\"e\"}"), PACKET_OK);
	} while (n < 100);
	assert_int_equal(r, PACKET_OK);
	assert_true(n > 1 && n < 100);
	nomem_after(0);
	assert_int_equal(packet_check_json(s, len - 2), -ENOMEM);
	/* what is small needs none */
	assert_int_equal(packet_check_json("{\"a\":[1,\"\\n\"]}", 14), PACKET_OK);
	assert_true(nomem_off());
	free(s);
}

static void every_result_has_a_text_of_its_own(void **state)
{
	(void)state;
	for (int a = PACKET_OK; a <= PACKET_E_NAME; a++)
		for (int b = PACKET_OK; b < a; b++)
			assert_string_not_equal(packet_result_str((enum packet_result)a),
			                        packet_result_str((enum packet_result)b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_fields_of_an_agents_packet_are_found),
	        cmocka_unit_test(data_is_found_to_the_byte_around_any_white_space),
	        cmocka_unit_test(the_last_of_equal_keys_counts),
	        cmocka_unit_test(keys_of_inner_objects_are_nobodys_fields),
	        cmocka_unit_test(an_event_with_escapes_is_decoded),
	        cmocka_unit_test(an_illegal_event_name_is_told_with_the_rest_of_the_packet),
	        cmocka_unit_test(the_id_in_nc_is_an_unsigned_number),
	        cmocka_unit_test(what_is_no_object_is_refused),
	        cmocka_unit_test(what_is_no_json_is_refused),
	        cmocka_unit_test(the_error_says_where_and_why),
	        cmocka_unit_test(nesting_is_limited),
	        cmocka_unit_test(one_json_text_is_checked_as_data),
	        cmocka_unit_test(a_nul_is_found_however_it_is_surrounded),
	        cmocka_unit_test(a_large_packet_is_read_beyond_the_arena),
	        cmocka_unit_test(without_memory_a_packet_is_refused_and_the_next_one_read),
	        cmocka_unit_test(every_result_has_a_text_of_its_own),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
