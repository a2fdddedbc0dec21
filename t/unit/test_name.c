/*
 * Unit tests of wire/name
 */

#include "libnc/wire/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define A63  "abcdefghijklmnopqrstuvwxyz0123456789-_ABCDEFGHIJKLMNOPQRSTUVWXY"
#define A255 A63 A63 A63 A63 "xyz"
/* tokens of one letter */
#define T8  "a.a.a.a.a.a.a.a"
#define T32 T8 "." T8 "." T8 "." T8

struct check_case {
	const char *s;
	enum name_result want;
};

static void run_cases(const struct check_case *cases, size_t n,
                      enum name_result (*check)(const char *, size_t))
{
	for (size_t i = 0; i < n; i++) {
		enum name_result got = check(cases[i].s, strlen(cases[i].s));

		if (got != cases[i].want)
			print_error("\"%s\": %s\n", cases[i].s, name_result_str(got));
		assert_int_equal(got, cases[i].want);
	}
}

#define RUN(cases, check) run_cases(cases, sizeof(cases) / sizeof((cases)[0]), check)

static void a_channel_is_one_token_of_63_letters_digits_and_dashes(void **state)
{
	static const struct check_case cases[] = {
	        {"A", NAME_OK},         {"a-b_C9", NAME_OK},  {A63, NAME_OK},
	        {"-", NAME_OK},         {"control", NAME_OK}, {"", NAME_E_EMPTY},
	        {A63 "a", NAME_E_LONG}, {"a.b", NAME_E_CHAR}, {"a/b", NAME_E_CHAR},
	        {"a b", NAME_E_CHAR},   {"a*", NAME_E_CHAR},  {"\xC3\xA4", NAME_E_CHAR},
	        {"a\n", NAME_E_CHAR},   {"..", NAME_E_CHAR},  {"a@", NAME_E_CHAR},
	        {"a[", NAME_E_CHAR},    {"a`", NAME_E_CHAR},  {"a{", NAME_E_CHAR},
	        {"a:", NAME_E_CHAR},
	};

	(void)state;
	RUN(cases, name_check_channel);
	assert_int_equal(name_check_channel("a\0b", 3), NAME_E_CHAR);
}

static void an_event_is_tokens_of_printable_characters(void **state)
{
	static const struct check_case cases[] = {
	        {"log", NAME_OK},
	        {"a.b.c", NAME_OK},
	        {"nc-control-showconfig", NAME_OK},
	        {"\"quoted\\'", NAME_OK},
	        {"gr\xC3\xBC\xC3\x9F"
	         "e.\xE4\xBD\xA0\xE5\xA5\xBD.\xF0\x9F\x98\x80",
	         NAME_OK},
	        {A255, NAME_OK},
	        {T32, NAME_OK},
	        {"", NAME_E_EMPTY},
	        {".", NAME_E_EMPTY},
	        {"a.", NAME_E_EMPTY},
	        {".a", NAME_E_EMPTY},
	        {"a..b", NAME_E_EMPTY},
	        {A255 "x", NAME_E_LONG},
	        {T32 ".a", NAME_E_TOKENS},
	        {"a b", NAME_E_CHAR},
	        {"a\tb", NAME_E_CHAR},
	        {"a\x7F", NAME_E_CHAR},
	        {"a\x1F", NAME_E_CHAR},
	        {"*", NAME_E_WILD},
	        {"a.>", NAME_E_WILD},
	        {"a*b", NAME_E_WILD},
	};

	(void)state;
	RUN(cases, name_check_event);
	assert_int_equal(name_check_event("a\0b", 3), NAME_E_CHAR);
}

static void invisible_characters_stand_in_no_event(void **state)
{
	static const struct check_case cases[] = {
	        {"a\xC2\x80", NAME_E_CHAR},    /* U+0080 */
	        {"a\xC2\x85", NAME_E_CHAR},    /* next line */
	        {"a\xC2\xA0", NAME_E_CHAR},    /* no-break space */
	        {"a\xC2\xA1", NAME_OK},        /* U+00A1 */
	        {"a\xC2\xAD", NAME_E_CHAR},    /* soft hyphen */
	        {"\xD8\x9C", NAME_E_CHAR},     /* Arabic letter mark */
	        {"\xE1\x9A\x80", NAME_E_CHAR}, /* Ogham space */
	        {"\xE2\x80\x82", NAME_E_CHAR}, /* en space */
	        {"a\xE2\x80\x8B"
	         "b",
	         NAME_E_CHAR}, /* zero-width space */
	        {"a\xE2\x80\x8C"
	         "b",
	         NAME_OK}, /* zero-width non-joiner */
	        {"a\xE2\x80\x8D"
	         "b",
	         NAME_OK},                     /* zero-width joiner */
	        {"\xE2\x80\x8E", NAME_E_CHAR}, /* left-to-right mark */
	        {"\xE2\x80\xA8", NAME_E_CHAR}, /* line separator */
	        {"\xE2\x80\xAE", NAME_E_CHAR}, /* right-to-left override */
	        {"\xE2\x81\xA0", NAME_E_CHAR}, /* word joiner */
	        {"\xE3\x80\x80", NAME_E_CHAR}, /* ideographic space */
	        {"\xEF\xBB\xBF"
	         "a",
	         NAME_E_CHAR},                     /* byte order mark */
	        {"\xEF\xB7\x90", NAME_E_CHAR},     /* U+FDD0 */
	        {"\xEF\xBF\xBD", NAME_OK},         /* replacement character */
	        {"\xEF\xBF\xBF", NAME_E_CHAR},     /* U+FFFF */
	        {"\xF4\x8F\xBF\xBE", NAME_E_CHAR}, /* U+10FFFE */
	        {"\xF3\xA0\x81\x81", NAME_E_CHAR}, /* tag letter */
	};

	(void)state;
	RUN(cases, name_check_event);
}

static void a_name_that_is_not_utf8_is_refused(void **state)
{
	static const struct check_case cases[] = {
	        {"\x80", NAME_E_UTF8},
	        {"a\xFF", NAME_E_UTF8},
	        {"a\xC3", NAME_E_UTF8},
	        {"a\xC3.b", NAME_E_UTF8},
	        {"\xC0\xAF", NAME_E_UTF8},
	        {"\xED\xA0\x80", NAME_E_UTF8},
	        {"\xF5\x80\x80\x80", NAME_E_UTF8},
	};

	(void)state;
	RUN(cases, name_check_event);
	RUN(cases, name_check_pattern);
}

static void wildcards_stand_in_patterns_as_whole_tokens_only(void **state)
{
	static const struct check_case cases[] = {
	        {"*", NAME_OK},
	        {">", NAME_OK},
	        {"a.*", NAME_OK},
	        {"a.>", NAME_OK},
	        {"*.b.*", NAME_OK},
	        {"*.>", NAME_OK},
	        {"a.b", NAME_OK},
	        {T32, NAME_OK},
	        {">.a", NAME_E_WILD},
	        {"a.>.b", NAME_E_WILD},
	        {"a*", NAME_E_WILD},
	        {"**", NAME_E_WILD},
	        {">>", NAME_E_WILD},
	        {"a.b>", NAME_E_WILD},
	        {"a.>.", NAME_E_WILD},
	        {"", NAME_E_EMPTY},
	        {"*.", NAME_E_EMPTY},
	        {"a b", NAME_E_CHAR},
	        {T32 ".>", NAME_E_TOKENS},
	};

	(void)state;
	RUN(cases, name_check_pattern);
}

static void the_servers_own_events_are_known_by_their_first_token(void **state)
{
	static const struct {
		const char *event;
		bool reserved;
	} cases[] = {
	        {"nc", true},    {"nc.gap", true},   {"nc-control-showconfig", true},
	        {"nc-", true},   {"$x", true},       {"$", true},
	        {"_", true},     {"_inbox.1", true}, {"ncx", false},
	        {"n", false},    {"NC.gap", false},  {"a.nc", false},
	        {"a._b", false}, {"a.$b", false},    {"nc_x", false},
	        {"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool got = name_event_is_reserved(cases[i].event, strlen(cases[i].event));

		if (got != cases[i].reserved)
			print_error("\"%s\"\n", cases[i].event);
		assert_int_equal(got, cases[i].reserved);
	}
}

static void a_pattern_is_exact_when_it_holds_no_wildcard(void **state)
{
	(void)state;
	assert_true(name_pattern_is_exact("a.b", 3));
	assert_false(name_pattern_is_exact("a.*", 3));
	assert_false(name_pattern_is_exact(">", 1));
}

static void patterns_match_as_nats_subjects_do(void **state)
{
	static const struct {
		const char *pattern;
		const char *event;
		bool match;
	} cases[] = {
	        {"a", "a", true},          {"a", "b", false},        {"a", "aa", false},
	        {"aa", "a", false},        {"a", "a.b", false},      {"a.b", "a", false},
	        {"a.b", "a.b", true},      {"a.b", "axb", false},    {"*", "a", true},
	        {"*", "a.b", false},       {"*.*", "a.b", true},     {"*.*", "a", false},
	        {"a.*", "a.b", true},      {"a.*", "a", false},      {"a.*", "a.b.c", false},
	        {"*.b", "a.b", true},      {"*.b", "a.c", false},    {"a.*.c", "a.b.c", true},
	        {"a.*.c", "a.b.d", false}, {">", "a", true},         {">", "a.b.c", true},
	        {"a.>", "a", false},       {"a.>", "a.b", true},     {"a.>", "a.b.c", true},
	        {"a.>", "b.c", false},     {"*.>", "a", false},      {"*.>", "a.b.c", true},
	        {"a.*.>", "a.b", false},   {"a.*.>", "a.b.c", true}, {"ab.*", "a.b", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool got = name_match(cases[i].pattern, strlen(cases[i].pattern), cases[i].event,
		                      strlen(cases[i].event));

		if (got != cases[i].match)
			print_error("\"%s\" on \"%s\"\n", cases[i].pattern, cases[i].event);
		assert_int_equal(got, cases[i].match);
	}
}

static void every_result_has_a_text_of_its_own(void **state)
{
	(void)state;
	for (int a = NAME_OK; a <= NAME_E_WILD; a++)
		for (int b = NAME_OK; b < a; b++)
			assert_string_not_equal(name_result_str((enum name_result)a),
			                        name_result_str((enum name_result)b));
	assert_non_null(name_result_str((enum name_result)99));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_channel_is_one_token_of_63_letters_digits_and_dashes),
	        cmocka_unit_test(an_event_is_tokens_of_printable_characters),
	        cmocka_unit_test(invisible_characters_stand_in_no_event),
	        cmocka_unit_test(a_name_that_is_not_utf8_is_refused),
	        cmocka_unit_test(wildcards_stand_in_patterns_as_whole_tokens_only),
	        cmocka_unit_test(the_servers_own_events_are_known_by_their_first_token),
	        cmocka_unit_test(a_pattern_is_exact_when_it_holds_no_wildcard),
	        cmocka_unit_test(patterns_match_as_nats_subjects_do),
	        cmocka_unit_test(every_result_has_a_text_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
