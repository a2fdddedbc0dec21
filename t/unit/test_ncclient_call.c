/*
 * Unit tests of ncclient/call and ncclient/literal
 */

#include "ncclient/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ncclient/literal.h"
#include "ncclient/value.h"

/* The value as compact JSON, to be freed. */
static char *written(const struct value *v, bool pretty)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	value_write(f, v, pretty);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void assert_reads(const char *text, bool relaxed, const char *expected)
{
	struct literal_error error;
	struct value v;
	char *out;
	int rc = literal_parse(text, strlen(text), relaxed, &v, &error);

	if (rc)
		fail_msg("%s: %s at %zu", text, error.text, error.at);
	out = written(&v, false);
	assert_string_equal(out, expected);
	free(out);
	value_fini(&v);
}

static void assert_refused(const char *text, bool relaxed, size_t at, const char *why)
{
	struct literal_error error = {0};
	struct value v;

	if (literal_parse(text, strlen(text), relaxed, &v, &error) != LITERAL_E_SYNTAX)
		fail_msg("%s was read", text);
	assert_int_equal(v.kind, VALUE_NULL);
	if (error.at != at || !strstr(error.text, why))
		fail_msg("%s: %s at %zu, not %s at %zu", text, error.text, error.at, why, at);
}

static void json_is_read_and_written_unchanged(void **state)
{
	static const char *const texts[] = {
	        "null",
	        "true",
	        "false",
	        "0",
	        "-0",
	        "12",
	        "-1.5e+10",
	        "1E400",
	        "18446744073709551615",
	        "\"\"",
	        "\"a\\\"b\\\\c\\n\\u0001\"",
	        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
	        "[]",
	        "{}",
	        "[1,[2,{\"a\":[]}],null]",
	        "{\"a\":1,\"b\":{\"c\":\"d\"},\"a\":2}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_reads(texts[i], false, texts[i]);
		assert_reads(texts[i], true, texts[i]);
	}
	assert_reads(" \t\r\n[ 1 , 2 ]\n", false, "[1,2]");
}

static void escapes_become_characters(void **state)
{
	(void)state;
	assert_reads("\"\\u00e9\\u20ac\\ud83d\\ude00\\/\"", false,
	             "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80/\"");
	assert_reads("\"\\ud83d\"", false, "\"\xef\xbf\xbd\"");
	assert_reads("\"\\ud83dx\\ude00\"", false, "\"\xef\xbf\xbdx\xef\xbf\xbd\"");
	assert_reads("\"\\ud83d\\ud83d\\ude00\"", false, "\"\xef\xbf\xbd\xf0\x9f\x98\x80\"");
	assert_reads("\"a\\u0000b\"", false, "\"a\\u0000b\"");
}

static void what_could_steer_a_terminal_is_written_as_escapes(void **state)
{
	(void)state;
	assert_reads("\"\x7f\xc2\x9b\xe2\x80\xae\"", false, "\"\\u007f\\u009b\\u202e\"");
	assert_reads("\"\\u001b[2J\"", false, "\"\\u001b[2J\"");
}

static void the_relaxed_form_takes_what_javascript_takes(void **state)
{
	(void)state;
	assert_reads("{x:1, 'y': 'it\\'s', $z_1: [\"a\"]}", true,
	             "{\"x\":1,\"y\":\"it's\",\"$z_1\":[\"a\"]}");
	assert_refused("{x:1}", false, 1, "a key in double quotes");
	assert_refused("'a'", false, 0, "double quotes");
	assert_refused("\"\\'\"", false, 1, "unknown escape");
}

static void an_error_points_at_its_place(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *why;
	} cases[] = {
	        {"", 0, "the text ends here"},
	        {"  ", 2, "the text ends here"},
	        {"log", 0, "text needs quotes"},
	        {"nul", 0, "not 'nul'"},
	        {"truefalse", 0, "not 'truefalse'"},
	        {"\"abc", 0, "no closing"},
	        {"\"abc\\", 4, "unknown escape"},
	        {"\"a\nb\"", 2, "\\u000a"},
	        {"\"a\xff\"", 2, "not UTF-8"},
	        {"\"\xed\xa0\x80\"", 1, "not UTF-8"},
	        {"\"\xc0\x80\"", 1, "not UTF-8"},
	        {"\"\\u12g4\"", 5, "four hexadecimal digits"},
	        {"\"\\x\"", 1, "unknown escape"},
	        {"01", 0, "does not begin with 0"},
	        {"-", 1, "a digit"},
	        {"1.", 2, "a digit"},
	        {".5", 0, "a value"},
	        {"1e", 2, "a digit"},
	        {"1 2", 2, "the end"},
	        {"[1,]", 3, "a value"},
	        {"[1 2]", 3, "',' or ']'"},
	        {"[", 1, "the text ends here"},
	        {"{\"a\":1,}", 7, "a key"},
	        {"{\"a\" 1}", 5, "':'"},
	        {"{\"a\":}", 5, "a value"},
	        {"{1:2}", 1, "a key"},
	        {"\x1b[2J", 0, "byte 0x1b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_refused(cases[i].text, false, cases[i].at, cases[i].why);
		if (!strstr(cases[i].text, "{1"))
			assert_refused(cases[i].text, true, cases[i].at, cases[i].why);
	}
}

static void nesting_is_read_to_its_limit_and_no_further(void **state)
{
	char text[2 * (LITERAL_DEPTH_MAX + 1) + 1];
	struct literal_error error;
	struct value v;

	(void)state;
	for (size_t depth = LITERAL_DEPTH_MAX; depth <= LITERAL_DEPTH_MAX + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		if (depth == LITERAL_DEPTH_MAX) {
			assert_int_equal(literal_parse(text, 2 * depth, false, &v, &error), 0);
			value_fini(&v);
		} else {
			assert_int_equal(literal_parse(text, 2 * depth, false, &v, &error),
			                 LITERAL_E_SYNTAX);
			assert_int_equal(error.at, LITERAL_DEPTH_MAX);
		}
	}
}

static void the_text_need_not_be_terminated(void **state)
{
	static const char text[] = {'[', '1', '2'};
	struct literal_error error;
	struct value v;

	(void)state;
	assert_int_equal(literal_parse(text, 2, false, &v, &error), LITERAL_E_SYNTAX);
	assert_int_equal(literal_parse(text + 1, 2, false, &v, &error), 0);
	assert_int_equal(value_u64(&v, 0), 12);
	value_fini(&v);
}

static void members_are_found_by_their_path(void **state)
{
	static const char text[] = "{\"a\":{\"b\":7,\"n\":-1,\"s\":\"x\",\"f\":1.9e1,\"b\":8},"
	                           "\"big\":18446744073709551615,\"t\":true}";
	struct literal_error error;
	struct value v;

	(void)state;
	assert_int_equal(literal_parse(text, strlen(text), false, &v, &error), 0);
	assert_int_equal(value_u64(value_path(&v, "a.b"), 0), 8);
	assert_int_equal(value_u64(value_path(&v, "a.n"), 5), 5);
	assert_int_equal(value_u64(value_path(&v, "a.f"), 0), 19);
	assert_true(value_u64(value_path(&v, "big"), 0) == UINT64_MAX);
	assert_string_equal(value_str(value_path(&v, "a.s"), ""), "x");
	assert_string_equal(value_str(value_path(&v, "a.b"), "none"), "none");
	assert_true(value_bool(value_get(&v, "t")));
	assert_null(value_path(&v, "a.b.c"));
	assert_null(value_path(&v, "x"));
	assert_ptr_equal(value_path(&v, ""), &v);
	value_fini(&v);
}

static void pretty_json_is_indented_by_tabs(void **state)
{
	static const char text[] = "{\"a\":[1,{}],\"b\":[]}";
	struct literal_error error;
	struct value v;
	char *out;

	(void)state;
	assert_int_equal(literal_parse(text, strlen(text), false, &v, &error), 0);
	out = written(&v, true);
	assert_string_equal(out, "{\n\t\"a\": [\n\t\t1,\n\t\t{}\n\t],\n\t\"b\": []\n}");
	free(out);
	value_fini(&v);
}

static void a_line_is_calls_with_values(void **state)
{
	static const char line[] =
	        " showclient('A', \"id\") ; emit(\"A\",\"e\",{x:[1,2]});quit // bye (";
	struct literal_error error;
	struct calls calls;
	char *json;

	(void)state;
	assert_int_equal(calls_parse(line, strlen(line), &calls, &error), 0);
	assert_int_equal(calls.n, 3);
	assert_string_equal(calls.items[0].name, "showclient");
	assert_int_equal(calls.items[0].name_at, 1);
	assert_int_equal(calls.items[0].n_args, 2);
	assert_string_equal(calls.items[0].args[0].text, "A");
	assert_int_equal(calls.items[0].args[1].at, 17);
	assert_int_equal(calls.items[1].n_args, 3);
	json = written(&calls.items[1].args[2], false);
	assert_string_equal(json, "{\"x\":[1,2]}");
	free(json);
	assert_string_equal(calls.items[2].name, "quit");
	assert_int_equal(calls.items[2].n_args, 0);
	calls_fini(&calls);
}

static void a_line_may_hold_nothing(void **state)
{
	static const char *const lines[] = {"",     "  ",  ";", " ; ;", "# showconfig()",
	                                    "// x", ";# x"};
	struct literal_error error;
	struct calls calls;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(calls_parse(lines[i], strlen(lines[i]), &calls, &error), 0);
		assert_int_equal(calls.n, 0);
		calls_fini(&calls);
	}
}

static void a_bad_line_says_its_column(void **state)
{
	static const struct {
		const char *line;
		size_t at;
		const char *why;
	} cases[] = {
	        {"emit(\"A\",log)", 9, "text needs quotes"},
	        {"emit(\"A\" \"b\")", 9, "',' or ')'"},
	        {"emit(\"A\",)", 9, "a value"},
	        {"emit(\"A\"", 8, "',' or ')'"},
	        {"emit(", 5, "a value"},
	        {"(1)", 0, "the name of a function"},
	        {"3()", 0, "the name of a function"},
	        {"-x()", 0, "the name of a function"},
	        {"a() b()", 4, "'(', ';' or the end"},
	        {"a b", 2, "'(', ';' or the end"},
	        {"a(1))", 4, "'(', ';' or the end"},
	        {"a();\x01", 4, "the name of a function"},
	};
	struct literal_error error;
	struct calls calls;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(calls_parse(cases[i].line, strlen(cases[i].line), &calls, &error),
		                 LITERAL_E_SYNTAX);
		if (error.at != cases[i].at || !strstr(error.text, cases[i].why))
			fail_msg("%s: %s at %zu", cases[i].line, error.text, error.at);
		assert_int_equal(calls.n, 0);
	}
}

static void calls_on_a_line_are_counted(void **state)
{
	char line[3 * (CALL_MAX + 1) + 1] = "";
	struct literal_error error;
	struct calls calls;

	(void)state;
	for (size_t i = 0; i < CALL_MAX; i++)
		strcat(line, "a; ");
	assert_int_equal(calls_parse(line, strlen(line), &calls, &error), 0);
	assert_int_equal(calls.n, CALL_MAX);
	calls_fini(&calls);
	strcat(line, "a; ");
	assert_int_equal(calls_parse(line, strlen(line), &calls, &error), LITERAL_E_SYNTAX);
	assert_int_equal(error.at, 3 * CALL_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(json_is_read_and_written_unchanged),
	        cmocka_unit_test(escapes_become_characters),
	        cmocka_unit_test(what_could_steer_a_terminal_is_written_as_escapes),
	        cmocka_unit_test(the_relaxed_form_takes_what_javascript_takes),
	        cmocka_unit_test(an_error_points_at_its_place),
	        cmocka_unit_test(nesting_is_read_to_its_limit_and_no_further),
	        cmocka_unit_test(the_text_need_not_be_terminated),
	        cmocka_unit_test(members_are_found_by_their_path),
	        cmocka_unit_test(pretty_json_is_indented_by_tabs),
	        cmocka_unit_test(a_line_is_calls_with_values),
	        cmocka_unit_test(a_line_may_hold_nothing),
	        cmocka_unit_test(a_bad_line_says_its_column),
	        cmocka_unit_test(calls_on_a_line_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
