/*
 * Unit tests of conf: the two formats as such, and what is wrong with a text before its keys are
 */

#include "t/unit/conf_fixture.h"

struct text_case {
	const char *text;
	const char *said;
};

static void check(const struct text_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fixture_says(cases[i].text, cases[i].said);
}

#define CHECK(cases) check(cases, sizeof(cases) / sizeof(*(cases)))

static void a_text_that_says_nothing_is_no_configuration(void **state)
{
	static const char said[] =
	        "t: error: there is nothing in it (\"{}\" says: all as by default)\n";
	const struct text_case cases[] = {
	        {"", said},
	        {" \n\t\r\n", said},
	        {"# a comment\n// another\n/* and\none more */ \n", said},
	        {"/* without an end", said},
	        {"\xef\xbb\xbf", said},
	};

	(void)state;
	CHECK(cases);
}

static void what_is_not_text_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *said;
	} cases[] = {
	        {"a\0b", 3, "t:1: error: a NUL byte in the text\n"},
	        {"port = 1;\n\n\0", 12, "t:3: error: a NUL byte in the text\n"},
	        {"{\n\"\xff\"}", 6, "t:2: error: not UTF-8\n"},
	        {"host = \"\xc3", 9, "t:1: error: not UTF-8\n"},
	        {"\xff\xfe{\0}\0", 6, "t:1: error: not UTF-8\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *said;

		assert_null(fixture_parse(cases[i].text, cases[i].len, &fixture_env, &said));
		assert_string_equal(said, cases[i].said);
		free(said);
	}
}

static void more_than_the_limit_is_not_looked_at(void **state)
{
	size_t len = CONF_TEXT_MAX + 1;
	char *text = malloc(len), *said;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', len);
	assert_null(fixture_parse(text, len, &fixture_env, &said));
	assert_string_equal(said, "t: error: larger than 4 MiB\n");
	free(said);
	memcpy(text, "{}", 2);
	conf_free(fixture_parse(text, len - 1, &fixture_env, &said));
	assert_string_equal(said, "");
	free(said);
	free(text);
}

/* What a text begins with says which format it is; both are accepted with all that may stand before
 * and behind. */
static void the_format_is_told_by_the_content(void **state)
{
	static const struct {
		const char *text;
		bool json;
	} cases[] = {
	        {"{\"port\":5}", true},        {"\xef\xbb\xbf{\"port\":5}", true},
	        {"\xef\xbb\xbfport=5", false}, {"// c\n/* d */ {\"port\":5 /* e */} // f", true},
	        {"/* { */ port = 5", false},   {"# {\nport : 5", false},
	        {"\r\n port=5L", false},       {"port=0x5;", false},
	        {"port=+5 # c", false},        {"port=5/**/;/***/", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct conf *c = fixture_conf(cases[i].text);

		assert_int_equal(c->port, 5);
		assert_int_equal(c->is_json, cases[i].json);
		conf_free(c);
	}
}

static void json_that_is_none_is_refused_with_its_line(void **state)
{
	const struct text_case cases[] = {
	        {"{", "t:1: error: parse error: premature EOF\n"},
	        {"{\n\"port\": 5\n", "t:3: error: parse error: premature EOF\n"},
	        {"{\"port\": 5,}",
	         "t:1: error: parse error: invalid object key (must be a string)\n"},
	        {"{\n\n\"port\" 5}",
	         "t:3: error: parse error: object key and value must be separated by "
	         "a colon (':')\n"},
	        {"{}\n{}", "t:2: error: parse error: trailing garbage\n"},
	        {"{\"port\": 99999999999999999999}", "t:1: error: parse error: integer overflow\n"},
	        {"{\"port\": yes}", "t:1: error: lexical error: invalid char in json text.\n"},
	        {"{\"host\": \"a\nb\"}",
	         "t:1: error: lexical error: invalid character inside string.\n"},
	        {"{ /* }", "t:1: error: parse error: premature EOF\n"},
	        {"{\"host\":\n \"a\\u0000b\"}", "t:2: error: a string with \\u0000 in it\n"},
	        {"{\"a\\u0000b\": 1}", "t:1: error: a string with \\u0000 in it\n"},
	        {"[]", "t:1: error: a configuration is an object: { \"channels\": ... }\n"},
	        {"[[[[[[[[[[[[[[[[[", "t:1: error: nested too deeply\n"},
	};

	(void)state;
	CHECK(cases);
}

static void keys_that_stand_twice_are_told_with_both_lines(void **state)
{
	const struct text_case cases[] = {
	        {"{\"port\":5,\n\"port\":6}", "t:2: error: port: stands twice, first in line 1\n"},
	        {"{\"channels\":{\"A\":{},\n\n\"A\":{\"mode\":\"0600\",\"mode\":\"0600\"}}}",
	         "t:3: error: A: stands twice, first in line 1\n"
	         "t:3: error: mode: stands twice, first in line 3\n"},
	        {"port=5;\nport=6;\n  port=7", "t:2: error: port: stands twice, first in line 1\n"
	                                       "t:3: error: port: stands twice, first in line 1\n"},
	        {"channels={A={};\nB={};\nA={};};channels={};",
	         "t:3: error: A: stands twice, first in line 1\n"
	         "t:3: error: channels: stands twice, first in line 1\n"},
	        /* the same key in other groups is none */
	        {"channels = { A = { mode = \"0600\"; }; B = { mode = \"0600\"; }; };", ""},
	        {"{\"channels\":{\"A\":{\"mode\":\"0600\"},\"B\":{\"mode\":\"0600\"}}}", ""},
	};

	(void)state;
	CHECK(cases);
}

static void libconfig_that_is_none_is_refused_with_its_line(void **state)
{
	const struct text_case cases[] = {
	        {"port", "t:1: error: syntax error\n"},
	        {"port = ;", "t:1: error: syntax error\n"},
	        {"\nport = 5 5;", "t:2: error: syntax error\n"},
	        {"port = = 5", "t:1: error: syntax error\n"},
	        {"a = [ 1, \"x\" ];", "t:1: error: mismatched element type in array\n"},
	        {"/* c", "t: error: there is nothing in it (\"{}\" says: all as by default)\n"},
	        {"a = 1;\n/* b\nc", "t:2: error: a comment without an end\n"},
	        {"a = 1; /*/", "t:1: error: a comment without an end\n"},
	        {"a = 1; /", "t:1: error: '/' means nothing here\n"},
	        {"host\n=\n\"x\n\n", "t:3: error: a string without an end\n"},
	        {"host = \"x\\",
	         "t:1: error: an unknown escape in a string (a backslash is \"\\\\\")\n"
	         "t:1: error: a string without an end\n"},
	        {"host = \"a\\qb\n\\u0041\\x00\\x4\"",
	         "t:1: error: an unknown escape in a string (a backslash is \"\\\\\")\n"
	         "t:2: error: an unknown escape in a string (a backslash is \"\\\\\")\n"
	         "t:2: error: an unknown escape in a string (a backslash is \"\\\\\")\n"
	         "t:2: error: an unknown escape in a string (a backslash is \"\\\\\")\n"},
	        {"host = \"\\xff\"", "t:1: error: a string that is not UTF-8\n"},
	        {"\"port\" = 5;",
	         "t:1: error: a string where none may stand (a key has no quotes; or is "
	         "a ';' or ',' missing?)\n"},
	        {"port = 5, \"x\"",
	         "t:1: error: a string where none may stand (a key has no quotes; or "
	         "is a ';' or ',' missing?)\n"},
	        {"a = ( 1 \"x\" )",
	         "t:1: error: a string where none may stand (a key has no quotes; or "
	         "is a ';' or ',' missing?)\n"},
	        {"channels = {\n A = {\n", "t:2: error: '{' is never closed\n"},
	        {"channels = {\n ] ", "t:2: error: ']' closes the '{' of line 1\n"},
	        {"port = 5; }", "t:1: error: '}' closes nothing\n"},
	        {"dumpnet = yes;\nconnecttonet = off;\nport = 6",
	         "t:1: error: yes: a bare word (text stands in quotes, and what is on or off is true or "
	         "false)\n"
	         "t:2: error: off: a bare word (text stands in quotes, and what is on or off is true or "
	         "false)\n"},
	        {"port = 99999999999999999999; max_clients = 0x10000000000000000",
	         "t:1: error: 99999999999999999999: a number beyond 64 bits\n"
	         "t:1: error: 0x10000000000000000: a number beyond 64 bits\n"},
	        {"channels = { 1a = {}; };",
	         "t:1: error: 1a: neither a number nor a name, which begins with a letter (a channel of "
	         "that name goes into a list: channels = ( { name = \"1a\"; } ))\n"},
	        {"port = 5\xc3\xa4;", "t:1: error: '\xc3\xa4' means nothing here\n"},
	        {"port = $;", "t:1: error: '$' means nothing here\n"},
	        {"a=([([([([([([([([(1", "t:1: error: nested too deeply\n"},
	};

	(void)state;
	CHECK(cases);
}

/* Each value at its own line, whatever stands between. */
static void values_are_where_they_stand(void **state)
{
	const struct text_case cases[] = {
	        {"a = \"x\ny\n\" /* c\nd */ \"z\"; b = 1; # e\n\nc = 2;",
	         "t:1: error: a: unknown key\n"
	         "t:4: error: b: unknown key\n"
	         "t:6: error: c: unknown key\n"},
	        {"{ \"a\": \"x\\ny\",\n /* c\nd */ \"b\": [1,\n2], \"c\": {\n}\n}",
	         "t:1: error: a: unknown key\n"
	         "t:3: error: b: unknown key\n"
	         "t:4: error: c: unknown key\n"},
	};

	(void)state;
	CHECK(cases);
}

static void strings_mean_what_they_say(void **state)
{
	static const struct {
		const char *text;
		const char *regex;
	} cases[] = {
	        {"channels={A={propagatetochannels=\"^a\\\\.b\\\"$\";};};", "^a\\.b\"$"},
	        {"channels={A={propagatetochannels=\"a\" \"b\"\n /* c */ \"d\";};};", "abd"},
	        {"channels={A={propagatetochannels=\"a\n# b\";};};", "a\n# b"},
	        {"channels={A={propagatetochannels=\"\\x41\\t\\n\";};};", "A\t\n"},
	        {"channels={A={propagatetochannels=\"\xc3\xa4\\xc3\\xa4\";};};",
	         "\xc3\xa4\xc3\xa4"},
	        {"{\"channels\":{\"A\":{\"propagatetochannels\":\"\\u0041\\\\.\\n\"}}}", "A\\.\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct conf *c = fixture_conf(cases[i].text);

		assert_string_equal(c->channels[0].regex, cases[i].regex);
		conf_free(c);
	}
}

static void integers_are_not_cut_off(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
	        {"quota = { bytes = 4294967296; };", 1ull << 32},
	        {"quota = { bytes = 4294967296L; };", 1ull << 32},
	        {"quota = { bytes = 4294967296LL; };", 1ull << 32},
	        {"quota = { bytes = 0x100000000; };", 1ull << 32},
	        {"quota = { bytes = 2147483648; };", 1ull << 31},
	        {"quota = { bytes = 0099999999; };", 99999999},
	        {"{\"quota\":{\"bytes\":1099511627776}}", 1ull << 40},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct conf *c = fixture_conf(cases[i].text);

		assert_true(c->quota.bytes == cases[i].bytes);
		conf_free(c);
	}
}

/* A text that was sent must not open a file, wherever it says so. */
static void a_text_that_was_sent_includes_nothing(void **state)
{
	static const char said[] =
	        "t:1: error: @include is refused: a text that was sent opens no file\n";
	const struct text_case cases[] = {
	        {"@include \"/etc/passwd\"\n", said},
	        {"@include\t\"x\"", said},
	        {" port = 5; @include \"x\"", said},
	        {"@include", "t:1: error: @include wants the name of a file in quotes\n"},
	        {"@include \"x\n\"", "t:1: error: @include wants the name of a file in quotes\n"},
	        {"@includes \"x\"", "t:1: error: @include wants the name of a file in quotes\n"},
	        {"@port = 5", "t:1: error: '@' means nothing here\n"},
	        /* not where it is none */
	        {"/*\n@include \"/etc/passwd\"\n*/ port = 5; # @include \"x\"\n", ""},
	        {"channels = { A = { propagatetochannels = \"\n@include\n\"; }; };", ""},
	};

	(void)state;
	CHECK(cases);
}

/* A group with more keys than any may have, in either format. */
static void the_number_of_keys_is_bounded(void **state)
{
	struct buf libconfig, json;

	(void)state;
	buf_init(&libconfig, CONF_TEXT_MAX);
	buf_init(&json, CONF_TEXT_MAX);
	assert_int_equal(buf_append_str(&json, "{"), 0);
	for (int i = 0; i < 1281; i++) {
		assert_int_equal(buf_printf(&libconfig, "k%d=1\n", i), 0);
		assert_int_equal(buf_printf(&json, "%s\"k%d\":1\n", i ? "," : "", i), 0);
	}
	fixture_says(buf_str(&libconfig), "t:1281: error: more than 1280 keys in one group\n");
	fixture_says(buf_str(&json), "t:1281: error: too many values\n");
	buf_fini(&libconfig);
	buf_fini(&json);
}

/* As many groups of a thousand keys each as it takes. */
static void the_number_of_keys_in_all_groups_is_bounded(void **state)
{
	struct buf libconfig, json;

	(void)state;
	buf_init(&libconfig, CONF_TEXT_MAX);
	buf_init(&json, CONF_TEXT_MAX);
	assert_int_equal(buf_append_str(&libconfig, "a=("), 0);
	assert_int_equal(buf_append_str(&json, "{\"a\":["), 0);
	for (int i = 0; i < 1 << 16; i++) {
		const char *sep = i % 1024 ? "," : i ? "}\n,{" : "{";

		assert_int_equal(buf_printf(&libconfig, "%sk%d=1", sep, i), 0);
		assert_int_equal(buf_printf(&json, "%s\"k%d\":1", sep, i), 0);
	}
	fixture_says(buf_str(&libconfig), "t:64: error: more than 65536 keys\n");
	fixture_says(buf_str(&json), "t:64: error: too many values\n");
	buf_fini(&libconfig);
	buf_fini(&json);
}

static void the_number_of_values_is_bounded(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, CONF_TEXT_MAX);
	assert_int_equal(buf_append_str(&text, "{\"a\":["), 0);
	for (int i = 0; i < (1 << 18) + 1; i++)
		assert_int_equal(buf_append_str(&text, "1,"), 0);
	fixture_says(buf_str(&text), "t:1: error: too many values\n");
	/* the same list for libconfig */
	memcpy(text.data, " a = [", 6);
	fixture_says(buf_str(&text), "t:1: error: too many values\n");
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_text_that_says_nothing_is_no_configuration),
	        cmocka_unit_test(what_is_not_text_is_refused_with_its_line),
	        cmocka_unit_test(more_than_the_limit_is_not_looked_at),
	        cmocka_unit_test(the_format_is_told_by_the_content),
	        cmocka_unit_test(json_that_is_none_is_refused_with_its_line),
	        cmocka_unit_test(keys_that_stand_twice_are_told_with_both_lines),
	        cmocka_unit_test(libconfig_that_is_none_is_refused_with_its_line),
	        cmocka_unit_test(values_are_where_they_stand),
	        cmocka_unit_test(strings_mean_what_they_say),
	        cmocka_unit_test(integers_are_not_cut_off),
	        cmocka_unit_test(a_text_that_was_sent_includes_nothing),
	        cmocka_unit_test(the_number_of_keys_is_bounded),
	        cmocka_unit_test(the_number_of_keys_in_all_groups_is_bounded),
	        cmocka_unit_test(the_number_of_values_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
