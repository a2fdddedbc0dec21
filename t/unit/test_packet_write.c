/*
 * Unit tests of json/packet: the writer
 */

#include "libnc/base/buf.h"
#include "libnc/base/endian.h"
#include "libnc/json/packet.h"
#include "t/unit/nomem.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What stands for the point in numbers that the C library writes and reads, as in a locale that may
 * not be installed; NULL for what really does. The link leads these calls through here; the first
 * has the name that fortified code uses. */
static const char *radix;

int __wrap___snprintf_chk(char *s, size_t n, int flag, size_t room, const char *fmt, ...)
        __attribute__((format(printf, 5, 6)));
int __wrap_snprintf(char *s, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
double __real_strtod(const char *s, char **end);
double __wrap_strtod(const char *s, char **end);

__attribute__((format(printf, 3, 0))) static int print(char *s, size_t n, const char *fmt,
                                                       va_list args)
{
	int len = vsnprintf(s, n, fmt, args);
	char *point = radix ? strchr(s, '.') : NULL;
	size_t radix_len;

	if (!point)
		return len;
	radix_len = strlen(radix);
	assert_true((size_t)len + radix_len <= n);
	memmove(point + radix_len, point + 1, strlen(point + 1) + 1);
	memcpy(point, radix, radix_len);
	return len + (int)radix_len - 1;
}

int __wrap___snprintf_chk(char *s, size_t n, int flag, size_t room, const char *fmt, ...)
{
	va_list args;
	int len;

	(void)flag;
	assert_true(n <= room);
	va_start(args, fmt);
	len = print(s, n, fmt, args);
	va_end(args);
	return len;
}

int __wrap_snprintf(char *s, size_t n, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = print(s, n, fmt, args);
	va_end(args);
	return len;
}

double __wrap_strtod(const char *s, char **end)
{
	const char *point = radix ? strstr(s, radix) : NULL;
	char text[64];

	if (!point)
		return __real_strtod(s, end);
	assert_null(end);
	/* what reads numbers in this locale would stop at a point of the other one */
	assert_null(strchr(s, '.'));
	text[0] = 0;
	strncat(text, s, (size_t)(point - s));
	strcat(text, ".");
	strcat(text, point + strlen(radix));
	return __real_strtod(text, NULL);
}

static const char uuid[] = "01234567-89ab-4def-8123-456789abcdef";

/* A frame on channel A with that payload. */
static struct frame_emit emit(uint8_t flags, const char *event, const void *payload, size_t len)
{
	return (struct frame_emit){.channel = "A",
	                           .channel_len = 1,
	                           .event = event,
	                           .event_len = (uint8_t)strlen(event),
	                           .flags = flags,
	                           .payload = payload,
	                           .payload_len = (uint32_t)len};
}

static void a_packet_is_written_in_netclusters_order(void **state)
{
	struct frame_emit f = emit(FRAME_T_TEXT | FRAME_F_BROADCAST, "log", "hi", 2);
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(packet_write(&b, &f, uuid, "{\"id\":1}"), 0);
	assert_string_equal(buf_str(&b),
	                    "{\"emmiteruuid\":\"01234567-89ab-4def-8123-456789abcdef\","
	                    "\"channel\":\"A\",\"broadcast\":true,\"event\":\"log\","
	                    "\"data\":\"hi\",\"nc\":{\"id\":1}}");
	assert_int_equal(b.len, strlen(buf_str(&b)) + 1);
	buf_clear(&b);
	f = emit(FRAME_T_EMPTY, "log", "", 0);
	assert_int_equal(packet_write(&b, &f, NULL, NULL), 0);
	assert_string_equal(buf_str(&b),
	                    "{\"channel\":\"A\",\"broadcast\":false,\"event\":\"log\"}");
	buf_fini(&b);
}

/* Writes the payload and compares what stands in `data`. */
static void assert_data(uint8_t type, const void *payload, size_t len, const char *want)
{
	static const char head[] =
	        "{\"channel\":\"A\",\"broadcast\":false,\"event\":\"e\",\"data\":";
	struct frame_emit f = emit(type, "e", payload, len);
	struct buf b;

	buf_init(&b, 1000);
	assert_int_equal(packet_write(&b, &f, NULL, NULL), 0);
	assert_memory_equal(b.data, head, sizeof(head) - 1);
	assert_int_equal(b.len, sizeof(head) - 1 + strlen(want) + 2);
	assert_memory_equal(b.data + sizeof(head) - 1, want, strlen(want));
	assert_memory_equal(b.data + b.len - 2, "}", 2);
	buf_fini(&b);
}

static void booleans_and_integers_are_themselves(void **state)
{
	static const int64_t integers[] = {0,         1,        -1, INT64_C(9007199254740993),
	                                   INT64_MIN, INT64_MAX};
	uint8_t bytes[8];
	char want[32];

	(void)state;
	assert_data(FRAME_T_BOOL, "\0", 1, "false");
	assert_data(FRAME_T_BOOL, "\1", 1, "true");
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		le64_put(bytes, (uint64_t)integers[i]);
		snprintf(want, sizeof(want), "%" PRId64, integers[i]);
		assert_data(FRAME_T_INT, bytes, 8, want);
	}
}

static const struct {
	double v;
	const char *want;
} doubles[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {100, "100"},
        {123456.789, "123456.789"},
        {0.30000000000000004, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {9007199254740992.0, "9007199254740992"},
        {1e20, "100000000000000000000"},
        {1e21, "1e+21"},
        {-1.25e21, "-1.25e+21"},
        {1e-6, "0.000001"},
        {1.5e-6, "0.0000015"},
        {1e-7, "1e-7"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
        {NAN, "null"},
};

static void assert_doubles(void)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
		le64_put_double(bytes, doubles[i].v);
		assert_data(FRAME_T_DOUBLE, bytes, 8, doubles[i].want);
	}
}

static void doubles_are_written_as_javascript_does(void **state)
{
	(void)state;
	assert_doubles();
}

static void the_radix_character_of_the_locale_changes_nothing(void **state)
{
	(void)state;
	radix = ",";
	assert_doubles();
	radix = "\xD9\xAB"; /* the Arabic one, of two bytes */
	assert_doubles();
	radix = NULL;
}

static void every_double_reads_back_as_itself(void **state)
{
	uint64_t bits = 88172645463325252; /* xorshift64, G. Marsaglia 2003 */
	char text[128];
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (int i = 0; i < 20000; i++) {
		struct frame_emit f;
		uint8_t bytes[8];
		double v, again;

		bits ^= bits << 13;
		bits ^= bits >> 7;
		bits ^= bits << 17;
		le64_put(bytes, bits);
		v = le64_get_double(bytes);
		if (!isfinite(v))
			continue;
		f = emit(FRAME_T_DOUBLE, "e", bytes, 8);
		buf_clear(&b);
		assert_int_equal(packet_write(&b, &f, NULL, NULL), 0);
		snprintf(text, sizeof(text), "%s", strstr(buf_str(&b), "\"data\":") + 7);
		again = strtod(text, NULL);
		assert_memory_equal(&v, &again, sizeof(v));
	}
	buf_fini(&b);
}

static void text_is_escaped_where_json_asks_for_it(void **state)
{
	(void)state;
	assert_data(FRAME_T_TEXT, "", 0, "\"\"");
	assert_data(FRAME_T_TEXT, "a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
	assert_data(FRAME_T_TEXT, "\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	assert_data(FRAME_T_TEXT, "\0\1\x1F\x7F", 4, "\"\\u0000\\u0001\\u001f\x7F\"");
	assert_data(FRAME_T_TEXT, "\xC3\xA4\xF0\x9F\x98\x80", 6, "\"\xC3\xA4\xF0\x9F\x98\x80\"");
}

static void bytes_are_base64(void **state)
{
	static const uint8_t all[] = {0xFB, 0xFF, 0xBF, 0, 0x10, 0x83};

	(void)state;
	assert_data(FRAME_T_BYTES, "", 0, "{\"$bytes\":\"\"}");
	assert_data(FRAME_T_BYTES, "f", 1, "{\"$bytes\":\"Zg==\"}");
	assert_data(FRAME_T_BYTES, "fo", 2, "{\"$bytes\":\"Zm8=\"}");
	assert_data(FRAME_T_BYTES, "foo", 3, "{\"$bytes\":\"Zm9v\"}");
	assert_data(FRAME_T_BYTES, "foobar", 6, "{\"$bytes\":\"Zm9vYmFy\"}");
	assert_data(FRAME_T_BYTES, all, sizeof(all), "{\"$bytes\":\"+/+/ABCD\"}");
}

static void json_is_copied_as_it_is(void **state)
{
	static const char json[] = " { \"b\" : 1.0e0, \"a\" : [ 12345678901234567890 ] }\n";

	(void)state;
	assert_data(FRAME_T_JSON, json, sizeof(json) - 1, json);
}

static void the_data_of_a_wrapped_packet_is_its_slice(void **state)
{
	static const char packet[] = "{\"event\":\"e\",\"data\":[1]}";
	uint8_t options[10] = {FRAME_O_DATA, 8, 20, 0, 0, 0, 3};
	struct frame_emit f = emit(FRAME_T_JSON | FRAME_F_WRAPPED, "e", packet, sizeof(packet) - 1);
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	f.options = options;
	f.options_len = sizeof(options);
	assert_int_equal(packet_write(&b, &f, NULL, NULL), 0);
	assert_non_null(strstr(buf_str(&b), "\"data\":[1]}"));
	options[2] = 200;
	assert_int_equal(packet_write(&b, &f, NULL, NULL), PACKET_E_JSON);
	buf_fini(&b);
}

static void what_is_not_valid_appends_nothing(void **state)
{
	static char deep[2 * NC_JSON_DEPTH_MAX];
	const struct {
		struct frame_emit f;
		int want;
	} cases[] = {
	        {emit(FRAME_T_TEXT, "e", "\xFF", 1), PACKET_E_JSON},
	        {emit(FRAME_T_TEXT, "e", "a\xC3", 2), PACKET_E_JSON},
	        {emit(FRAME_T_JSON, "e", "[1,]", 4), PACKET_E_JSON},
	        {emit(FRAME_T_JSON, "e", "1\0", 2), PACKET_E_JSON},
	        {emit(FRAME_T_JSON, "e", "1,\"x\":2", 7), PACKET_E_JSON},
	        {emit(FRAME_T_JSON, "e", deep, sizeof(deep)), PACKET_E_DEPTH},
	        {emit(FRAME_T_EMPTY, "\xFF", "", 0), PACKET_E_JSON},
	};
	struct buf b;

	(void)state;
	memset(deep, '[', NC_JSON_DEPTH_MAX);
	memset(deep + NC_JSON_DEPTH_MAX, ']', NC_JSON_DEPTH_MAX);
	buf_init(&b, 1000);
	assert_int_equal(buf_append_str(&b, "before"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(packet_write(&b, &cases[i].f, uuid, NULL), cases[i].want);
		assert_string_equal(buf_str(&b), "before");
	}
	assert_int_equal(packet_append_string(&b, "a\xFF", 2), PACKET_E_JSON);
	assert_string_equal(buf_str(&b), "before");
	buf_fini(&b);
	buf_init(&b, 5);
	assert_int_equal(packet_append_string(&b, "abcd", 4), -EMSGSIZE);
	assert_int_equal(b.len, 0);
	assert_int_equal(packet_append_string(&b, "abc", 3), 0);
	assert_string_equal(buf_str(&b), "\"abc\"");
	buf_fini(&b);
}

static void a_packet_fits_whole_or_not_at_all(void **state)
{
	struct frame_emit cases[] = {
	        emit(FRAME_T_TEXT, "e", "some\ntext", 9),
	        emit(FRAME_T_BYTES, "e", "some bytes", 10),
	        emit(FRAME_T_JSON, "e", "[1]", 3),
	        emit(FRAME_T_INT, "e", "\1\2\3\4\5\6\7\0", 8),
	        emit(FRAME_T_DOUBLE, "e", "\1\2\3\4\5\6\7\0", 8),
	        emit(FRAME_T_BOOL, "e", "\1", 1),
	        emit(FRAME_T_EMPTY, "e", "", 0),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf whole;

		buf_init(&whole, 1000);
		assert_int_equal(packet_write(&whole, &cases[i], uuid, "{}"), 0);
		for (size_t max = 0; max < whole.len; max++) {
			struct buf b;

			buf_init(&b, max);
			assert_int_equal(packet_write(&b, &cases[i], uuid, "{}"), -EMSGSIZE);
			assert_int_equal(b.len, 0);
			buf_fini(&b);
		}
		buf_fini(&whole);
	}
}

static void without_memory_nothing_is_appended(void **state)
{
	static const char text[1000] = {'a'};
	struct frame_emit f = emit(FRAME_T_BYTES, "e", text, sizeof(text));
	unsigned n = 0;
	bool failed;

	(void)state;
	do {
		struct buf b;

		buf_init(&b, 10000);
		assert_int_equal(buf_append_str(&b, "before"), 0);
		nomem_after(n++);
		failed = packet_write(&b, &f, uuid, NULL) != 0;
		assert_int_equal(nomem_off(), failed);
		if (failed)
			assert_string_equal(buf_str(&b), "before");
		buf_fini(&b);
	} while (failed && n < 100);
	assert_true(n > 1 && n < 100);
}

static void what_is_written_is_read_again(void **state)
{
	struct packet_reader *r = packet_reader_new();
	static const char event[] = "a.\"q\\\xC3\xA4";
	struct frame_emit f = emit(FRAME_T_TEXT | FRAME_F_BROADCAST, event, "x\ty", 3);
	struct packet p;
	struct buf b;

	(void)state;
	assert_non_null(r);
	buf_init(&b, 1000);
	assert_int_equal(packet_write(&b, &f, uuid, "{\"id\":12}"), 0);
	assert_int_equal(packet_read(r, (const char *)b.data, b.len - 1, &p), PACKET_OK);
	assert_int_equal(p.event_len, sizeof(event) - 1);
	assert_memory_equal(p.event, event, sizeof(event) - 1);
	assert_int_equal(p.data_len, 6);
	assert_memory_equal(b.data + p.data_off, "\"x\\ty\"", 6);
	assert_true(p.broadcast);
	assert_true(p.nc_has_id);
	assert_int_equal(p.nc_id, 12);
	buf_fini(&b);
	packet_reader_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_packet_is_written_in_netclusters_order),
	        cmocka_unit_test(booleans_and_integers_are_themselves),
	        cmocka_unit_test(doubles_are_written_as_javascript_does),
	        cmocka_unit_test(the_radix_character_of_the_locale_changes_nothing),
	        cmocka_unit_test(every_double_reads_back_as_itself),
	        cmocka_unit_test(text_is_escaped_where_json_asks_for_it),
	        cmocka_unit_test(bytes_are_base64),
	        cmocka_unit_test(json_is_copied_as_it_is),
	        cmocka_unit_test(the_data_of_a_wrapped_packet_is_its_slice),
	        cmocka_unit_test(what_is_not_valid_appends_nothing),
	        cmocka_unit_test(a_packet_fits_whole_or_not_at_all),
	        cmocka_unit_test(without_memory_nothing_is_appended),
	        cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
