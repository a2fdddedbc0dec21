/*
 * Unit tests of ncclient/text, ncclient/table and ncclient/output
 */

#include "ncclient/output.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ncclient/literal.h"
#include "ncclient/table.h"
#include "ncclient/text.h"
#include "ncclient/value.h"
#include "ncclient/view.h"

/* What was printed to a memory stream. */
struct sink {
	FILE *f;
	char *text;
	size_t len;
};

static void sink_open(struct sink *s)
{
	*s = (struct sink){0};
	s->f = open_memstream(&s->text, &s->len);
	assert_non_null(s->f);
}

static void assert_sunk(struct sink *s, const char *expected)
{
	assert_int_equal(fclose(s->f), 0);
	assert_string_equal(s->text, expected);
	free(s->text);
}

static void utf8_is_decoded_strictly(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		uint32_t c;
	} cases[] = {
	        {"a", 1, 'a'},
	        {"\xc3\xa9", 2, 0xe9},
	        {"\xe2\x82\xac", 3, 0x20ac},
	        {"\xf0\x9f\x98\x80", 4, 0x1f600},
	        {"\x80", 0, 0},
	        {"\xc3", 0, 0},
	        {"\xc0\x80", 0, 0},
	        {"\xe0\x80\x80", 0, 0},
	        {"\xed\xa0\x80", 0, 0},
	        {"\xf4\x90\x80\x80", 0, 0},
	        {"\xff", 0, 0},
	        {"\xe2\x82", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t c = 0;
		char back[4];

		assert_int_equal(text_decode(cases[i].bytes, strlen(cases[i].bytes), &c),
		                 cases[i].len);
		if (!cases[i].len)
			continue;
		assert_int_equal(c, cases[i].c);
		assert_int_equal(text_encode(back, c), cases[i].len);
		assert_memory_equal(back, cases[i].bytes, cases[i].len);
	}
	assert_true(text_is_utf8("a\xc3\xa9", 3));
	assert_false(text_is_utf8("a\xc3", 2));
}

static void nothing_that_steers_a_terminal_is_printed(void **state)
{
	static const char evil[] = "a\033[2J\x7f\xc2\x9b\xff\xe2\x80\xae"
	                           "b";
	struct sink s;

	(void)state;
	sink_open(&s);
	text_put(s.f, evil, strlen(evil), true);
	assert_sunk(&s, "a\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
	                "b");
	sink_open(&s);
	text_put(s.f, evil, strlen(evil), false);
	assert_sunk(&s, "a?[2J????b");
}

static void text_is_fitted_by_its_width_on_the_screen(void **state)
{
	static const struct {
		const char *s;
		size_t width;
		bool right, utf8;
		const char *expected;
	} cases[] = {
	        {"abc", 5, false, true, "abc  "},
	        {"abc", 5, true, true, "  abc"},
	        {"abc", 3, false, true, "abc"},
	        {"abcd", 3, false, true, "ab\xe2\x80\xa6"},
	        {"abcd", 3, true, true, "ab\xe2\x80\xa6"},
	        {"abcd", 3, false, false, "ab~"},
	        {"\xc3\xa9\xc3\xa9", 3, false, true, "\xc3\xa9\xc3\xa9 "},
	        {"\xe6\xbc\xa2\xe5\xad\x97", 4, false, true, "\xe6\xbc\xa2\xe5\xad\x97"},
	        {"\xe6\xbc\xa2\xe5\xad\x97", 3, false, true, "\xe6\xbc\xa2\xe2\x80\xa6"},
	        {"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 4, false, true,
	         "\xe6\xbc\xa2\xe2\x80\xa6 "},
	        {"abc", 0, false, true, ""},
	};
	struct sink s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sink_open(&s);
		text_put_fit(s.f, cases[i].s, cases[i].width, cases[i].right, cases[i].utf8);
		assert_sunk(&s, cases[i].expected);
	}
	assert_int_equal(text_width("a\xc3\xa9\xe6\xbc\xa2\033", 7), 5);
	assert_int_equal(text_chars("a\xc3\xa9\xff\xe6\xbc\xa2", 7), 4);
}

static void numbers_fit_few_columns(void **state)
{
	static const struct {
		double n;
		const char *count, *bytes;
	} cases[] = {
	        {0, "0", "0B"},
	        {9999, "9999", "9999B"},
	        {10000, "10.0k", "10.0kB"},
	        {12345, "12.3k", "12.3kB"},
	        {99949, "99.9k", "99.9kB"},
	        {99950, "100k", "100kB"},
	        {999499, "999k", "999kB"},
	        {999500, "1.00M", "1.00MB"},
	        {1.234e9, "1.23G", "1.23GB"},
	        {18446744073709551615.0, "18.4E", "18.4EB"},
	};
	char out[TEXT_NUMBER_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(text_count(out, cases[i].n), cases[i].count);
		assert_string_equal(text_bytes(out, cases[i].n), cases[i].bytes);
	}
	assert_string_equal(text_rate(out, 0.01), "0");
	assert_string_equal(text_rate(out, 0.25), "0.2");
	assert_string_equal(text_rate(out, 9.94), "9.9");
	assert_string_equal(text_rate(out, 9.96), "10");
	assert_string_equal(text_rate(out, 54321), "54.3k");
}

static void durations_are_written_and_read(void **state)
{
	static const struct {
		const char *s;
		uint64_t ms;
	} good[] = {{"0", 0},     {"1", 1000},    {"0.5", 500},    {".25s", 250},
	            {"10ms", 10}, {"2m", 120000}, {"1h", 3600000}, {"240h", 864000000}};
	static const char *const bad[] = {"", "s", ".", "1 s", "1d", "-1", "1e3", "241h", "1s5"};
	char out[TEXT_NUMBER_LEN];
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(text_read_duration(good[i].s, &ms), 0);
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(text_read_duration(bad[i], &ms), -1);
	assert_string_equal(text_duration(out, 999), "999ms");
	assert_string_equal(text_duration(out, 1250), "1.2s");
	assert_string_equal(text_duration(out, 185000), "3m05s");
	assert_string_equal(text_duration(out, 7620000), "2h07m");
	assert_string_equal(text_duration(out, UINT64_C(1047600000)), "12d03h");
	assert_string_equal(text_duration(out, UINT64_C(86400000) * 400), "400d");
}

static void times_are_local(void **state)
{
	char out[TEXT_NUMBER_LEN];

	(void)state;
	setenv("TZ", "UTC-2", 1);
	assert_string_equal(text_time(out, UINT64_C(1700000000123)), "2023-11-15 00:13:20");
	assert_string_equal(text_clock(out, UINT64_C(1700000000123)), "00:13:20.123");
}

/* ---- tables */

static struct table *small_table(void)
{
	static const char *const cells[] = {"alpha", "7", "some free text", "x", "b", "1234",
	                                    "t",     "yy"};
	struct table *t = table_new();

	assert_non_null(t);
	table_column(t, "NAME", 0);
	table_column(t, "N", TABLE_RIGHT);
	table_column(t, "TEXT", TABLE_CUT);
	table_column(t, "MORE", TABLE_OPTIONAL);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		assert_int_equal(table_cell(t, cells[i]), 0);
	assert_int_equal(table_rows(t), 2);
	return t;
}

static void assert_table(size_t width, const char *expected)
{
	struct table_look look = {.width = width, .utf8 = true};
	struct table *t = small_table();
	struct sink s;

	sink_open(&s);
	table_write_text(t, s.f, &look);
	assert_sunk(&s, expected);
	table_free(t);
}

static void columns_are_aligned(void **state)
{
	(void)state;
	assert_table(0, "NAME      N  TEXT            MORE\n"
	                "alpha     7  some free text  x\n"
	                "b      1234  t               yy\n");
}

static void optional_columns_go_only_where_cutting_does_not_help(void **state)
{
	(void)state;
	assert_table(32, "NAME      N  TEXT           MORE\n"
	                 "alpha     7  some free te\xe2\x80\xa6  x\n"
	                 "b      1234  t              yy\n");
	assert_table(25, "NAME      N  TEXT    MORE\n"
	                 "alpha     7  some \xe2\x80\xa6  x\n"
	                 "b      1234  t       yy\n");
	assert_table(24, "NAME      N  TEXT\n"
	                 "alpha     7  some free \xe2\x80\xa6\n"
	                 "b      1234  t\n");
	/* what cannot be helped is wider */
	assert_table(10, "NAME      N  TEXT\n"
	                 "alpha     7  some \xe2\x80\xa6\n"
	                 "b      1234  t\n");
}

static void csv_is_quoted_where_it_must_be(void **state)
{
	static const struct {
		const char *field, *expected;
	} cases[] = {
	        {"", ""},
	        {"a b", "a b"},
	        {"a,b", "\"a,b\""},
	        {"say \"x\"", "\"say \"\"x\"\"\""},
	        {"a\nb", "\"a\nb\""},
	        {"a\rb", "\"a\rb\""},
	        {" a", "\" a\""},
	        {"\xc3\xa9", "\xc3\xa9"},
	};
	struct table *t = small_table();
	struct sink s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sink_open(&s);
		table_write_csv_field(s.f, cases[i].field, strlen(cases[i].field));
		assert_sunk(&s, cases[i].expected);
	}
	sink_open(&s);
	table_write_csv(t, s.f, true);
	assert_sunk(&s, "NAME,N,TEXT,MORE\r\nalpha,7,some free text,x\r\nb,1234,t,yy\r\n");
	table_free(t);
}

/* ---- answers */

static void assert_answer(const struct view *view, enum output_format format, const char *json,
                          const char *expected)
{
	struct output o = {.format = format, .utf8 = true, .width = 80};
	struct literal_error error;
	struct value v;
	struct sink s;

	if (literal_parse(json, strlen(json), false, &v, &error))
		fail_msg("%s: %s", json, error.text);
	sink_open(&s);
	o.f = s.f;
	assert_int_equal(output_answer(&o, view, &v), 0);
	value_fini(&v);
	assert_sunk(&s, expected);
}

static const char clients_json[] =
        "[{\"id\":\"0123456789ab-cdef\",\"channel\":\"A\",\"pid\":42,\"user\":\"joe\","
        "\"command\":\"a,b\",\"blocked\":true,\"paused\":false,\"patterns\":[\"log.>\",\"x\"],"
        "\"in\":{\"messages\":12345,\"bytes\":7},\"out\":{\"written\":5,\"queued\":0,"
        "\"dropped_total\":3}}]";

static void a_list_of_objects_becomes_a_table(void **state)
{
	(void)state;
	assert_answer(
	        &view_clients, OUTPUT_TEXT, clients_json,
	        "CHANNEL  ID        PID  USER  COMMAND     IN  OUT  QUEUED  DROPPED  STATE\n"
	        "A        01234567   42  joe   a,b      12.3k    5       0        3  blocked\n");
	assert_answer(&view_clients, OUTPUT_TEXT, "[]", "no clients\n");
}

static void csv_of_a_table_names_fields_by_their_paths(void **state)
{
	static const char start[] = "channel,id,pid,user,command,in.messages,out.written,";
	struct output o = {.format = OUTPUT_CSV, .utf8 = true, .width = 80};
	struct literal_error error;
	struct value v;
	struct sink s;

	(void)state;
	assert_int_equal(literal_parse(clients_json, strlen(clients_json), false, &v, &error), 0);
	sink_open(&s);
	o.f = s.f;
	assert_int_equal(output_answer(&o, &view_clients, &v), 0);
	assert_int_equal(fclose(s.f), 0);
	assert_memory_equal(s.text, start, strlen(start));
	assert_non_null(strstr(s.text, ",in.bytes,"));
	assert_non_null(
	        strstr(s.text, "\r\nA,0123456789ab-cdef,42,joe,\"a,b\",12345,5,0,3,,,log.> x,"));
	free(s.text);
	value_fini(&v);
}

static void json_is_the_answer_on_one_line(void **state)
{
	(void)state;
	assert_answer(&view_clients, OUTPUT_JSON, "[ {\"id\" : \"x\"} ]", "[{\"id\":\"x\"}]\n");
	assert_answer(&view_done, OUTPUT_JSON, "\"done\"", "\"done\"\n");
}

static void other_shapes_have_their_own_form(void **state)
{
	(void)state;
	assert_answer(&view_ids, OUTPUT_TEXT, "[\"a-1\",\"b-2\"]", "a-1\nb-2\n");
	assert_answer(&view_ids, OUTPUT_CSV, "[\"a-1\",\"b-2\"]", "id\r\na-1\r\nb-2\r\n");
	assert_answer(&view_ids, OUTPUT_TEXT, "[]", "no clients\n");
	assert_answer(&view_done, OUTPUT_TEXT, "\"done\"", "done\n");
	assert_answer(&view_done, OUTPUT_CSV, "\"done\"", "result\r\ndone\r\n");
	assert_answer(&view_config, OUTPUT_TEXT, "{\"a\":1}", "{\n\t\"a\": 1\n}\n");
	assert_answer(&view_config, OUTPUT_CSV,
	              "{\"a\":{\"b\":[\"x\",{\"c\":null}],\"d\":\"1,2\"},\"e\":{}}",
	              "path,value\r\na.b[0],x\r\na.b[1].c,\r\na.d,\"1,2\"\r\ne,{}\r\n");
	assert_answer(&view_ping, OUTPUT_TEXT,
	              "{\"server\":\"ncserver 1\",\"host\":\"h\",\"channel\":\"control\","
	              "\"socket\":\"/s\",\"round_trip_ms\":0.25}",
	              "server           ncserver 1\nhost             h\nchannel          control\n"
	              "socket           /s\nround trip (ms)  0.25\n");
}

static void a_record_may_hold_tables(void **state)
{
	(void)state;
	assert_answer(&view_trace, OUTPUT_TEXT,
	              "{\"channel\":\"A\",\"event\":\"log\",\"channels\":[\"A\",\"B\"],"
	              "\"clients\":[{\"id\":\"x-y\",\"channel\":\"B\"}]}",
	              "channel  A\nevent    log\nreaches  A B\n\nCHANNEL  ID\nB        x-y\n");
}

static void an_unexpected_answer_is_shown_as_it_is(void **state)
{
	(void)state;
	assert_answer(&view_clients, OUTPUT_TEXT, "\"what\"", "\"what\"\n");
	assert_answer(&view_done, OUTPUT_CSV, "[1]", "[1]\n");
	/* members that are missing, or are something else, do no harm */
	assert_answer(&view_rules, OUTPUT_TEXT, "[{\"channel\":7,\"reaches\":3,\"net\":false}]",
	              "CHANNEL  REGEX  REACHES  NET  WIDENS\n7        -      3        no   -\n");
}

static int set_locale(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(utf8_is_decoded_strictly),
	        cmocka_unit_test(nothing_that_steers_a_terminal_is_printed),
	        cmocka_unit_test(text_is_fitted_by_its_width_on_the_screen),
	        cmocka_unit_test(numbers_fit_few_columns),
	        cmocka_unit_test(durations_are_written_and_read),
	        cmocka_unit_test(times_are_local),
	        cmocka_unit_test(columns_are_aligned),
	        cmocka_unit_test(optional_columns_go_only_where_cutting_does_not_help),
	        cmocka_unit_test(csv_is_quoted_where_it_must_be),
	        cmocka_unit_test(a_list_of_objects_becomes_a_table),
	        cmocka_unit_test(csv_of_a_table_names_fields_by_their_paths),
	        cmocka_unit_test(json_is_the_answer_on_one_line),
	        cmocka_unit_test(other_shapes_have_their_own_form),
	        cmocka_unit_test(a_record_may_hold_tables),
	        cmocka_unit_test(an_unexpected_answer_is_shown_as_it_is),
	};

	return cmocka_run_group_tests(tests, set_locale, NULL);
}
