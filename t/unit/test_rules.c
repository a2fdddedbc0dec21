/*
 * Unit tests of route/rules
 */

#include "ncserver/route/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define N_MAX 8

/* Channels with their regexes, and what each reaches: the names in order, separated by spaces. */
struct reach_case {
	struct rules_in in[N_MAX];
	const char *reach[N_MAX];
	const char *sources[N_MAX];
};

static const struct reach_case reach_cases[] = {
        /* no rule: only itself */
        {{{"A", NULL}, {"B", NULL}}, {"A", "B"}, {"A", "B"}},
        /* one way, and the other way */
        {{{"A", "^B$"}, {"B", NULL}}, {"A B", "B"}, {"A", "B A"}},
        {{{"A", NULL}, {"B", "^A$"}}, {"A", "B A"}, {"A B", "B"}},
        /* a rule that matches its own channel gives no second copy */
        {{{"A", "A"}, {"B", "[AB]"}}, {"A", "B A"}, {"A B", "B"}},
        /* two channels with one regex */
        {{{"A", ".*"}, {"B", ".*"}, {"C", NULL}}, {"A B C", "B A C", "C"}, {"A B", "B A", "C A B"}},
        /* alternatives that overlap reach once */
        {{{"A", "B|B1|B"}, {"B", NULL}, {"B1", NULL}}, {"A B B1", "B", "B1"}, {"A", "B A", "B1 A"}},
        /* one hop: what A reaches is not followed further */
        {{{"A", "^B$"}, {"B", "^C$"}, {"C", NULL}}, {"A B", "B C", "C"}, {"A", "B A", "C B"}},
        /* unanchored, as RegExp.test: anywhere in the name, case counts */
        {{{"A", "g"}, {"log", NULL}, {"LOG", NULL}, {"gate", NULL}},
         {"A log gate", "log", "LOG", "gate"},
         {"A", "log A", "LOG", "gate A"}},
        /* control is reached by nobody and reaches nobody */
        {{{"A", ".*"}, {"control", ".*"}, {"B", NULL}},
         {"A B", "control", "B"},
         {"A", "control", "B A"}},
        {{{"A", "control"}, {"control", NULL}, {"control2", NULL}},
         {"A control2", "control", "control2"},
         {"A", "control", "control2 A"}},
        {{{"control", "^A$"}, {"A", "^A$"}, {"B", "^A$"}},
         {"control", "A", "B A"},
         {"control", "A B", "B"}},
        /* nothing matches */
        {{{"A", "^$"}, {"B", "[]"}}, {"A", "B"}, {"A", "B"}},
        /* look-ahead: all but some */
        {{{"A", "^(?!B$)"}, {"B", NULL}, {"C", NULL}}, {"A C", "B", "C"}, {"A", "B", "C A"}},
        /* JavaScript's escapes, and a group that did not take part */
        {{{"A", "^\\u0042$"}, {"B", "(x)?\\1C"}, {"C", NULL}},
         {"A B", "B C", "C"},
         {"A", "B A", "C B"}},
        /* an empty regex matches every name */
        {{{"A", ""}, {"B", NULL}}, {"A B", "B"}, {"A", "B A"}},
        {{{"A", "-"}, {"a-b", NULL}, {"_", "\\w"}},
         {"A a-b", "a-b", "_ A a-b"},
         {"A _", "a-b A _", "_"}},
};

static void join(char *out, size_t len, const struct rules_in *in, const uint32_t *list, size_t n)
{
	out[0] = 0;
	for (size_t i = 0; i < n; i++)
		snprintf(out + strlen(out), len - strlen(out), "%s%s", i ? " " : "",
		         in[list[i]].name);
}

static void each_channel_reaches_what_its_rule_matches(void **state)
{
	(void)state;
	for (size_t c = 0; c < sizeof(reach_cases) / sizeof(*reach_cases); c++) {
		const struct reach_case *t = &reach_cases[c];
		struct rules_error err;
		struct rules *r;
		size_t n = 0, len;
		char text[1024];

		while (n < N_MAX && t->in[n].name)
			n++;
		assert_int_equal(rules_new(&r, t->in, n, &err), 0);
		for (size_t i = 0; i < n; i++) {
			const uint32_t *list = rules_reach(r, i, &len);

			join(text, sizeof(text), t->in, list, len);
			assert_string_equal(text, t->reach[i]);
			list = rules_sources(r, i, &len);
			join(text, sizeof(text), t->in, list, len);
			assert_string_equal(text, t->sources[i]);
		}
		rules_free(r);
	}
}

static void no_channels_make_an_empty_table(void **state)
{
	struct rules_error err;
	struct rules *r;

	(void)state;
	assert_int_equal(rules_new(&r, NULL, 0, &err), 0);
	rules_free(r);
	rules_free(NULL);
}

static void a_regex_that_does_not_compile_is_named_with_its_offset(void **state)
{
	static const struct {
		const char *regex;
		size_t offset;
		const char *text;
	} cases[] = {
	        {"ab(c", 4, "missing closing parenthesis"},
	        {"*", 0, "quantifier does not follow"},
	        {"abc[", 4, "missing terminating ]"},
	        {"a\xff", 1, "UTF-8 error"},
	        {"\\C", 2, "\\C"},
	        {"x{3,2}", 5, "out of order"},
	};
	struct rules_error err;
	struct rules *r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rules_in in[] = {{"A", NULL}, {"B", cases[i].regex}};

		memset(&err, 0xff, sizeof(err));
		assert_int_equal(rules_check_regex(cases[i].regex, &err), 1);
		assert_int_equal(err.offset, cases[i].offset);
		assert_non_null(strstr(err.text, cases[i].text));
		assert_int_equal(rules_new(&r, in, 2, &err), 1);
		assert_int_equal(err.channel, 1);
		assert_int_equal(err.offset, cases[i].offset);
	}
	assert_int_equal(rules_check_regex("^(A|B)[0-9]*$", &err), 0);
}

static void the_regex_of_control_is_not_even_looked_at(void **state)
{
	struct rules_in in[] = {{"control", "("}, {"B", NULL}};
	struct rules_error err;
	struct rules *r;

	(void)state;
	assert_int_equal(rules_new(&r, in, 2, &err), 0);
	rules_free(r);
}

static void a_regex_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
	char regex[RULES_REGEX_MAX + 2];
	struct rules_error err;

	(void)state;
	memset(regex, 'a', sizeof(regex));
	regex[RULES_REGEX_MAX] = 0;
	assert_int_equal(rules_check_regex(regex, &err), 0);
	regex[RULES_REGEX_MAX] = 'a';
	regex[RULES_REGEX_MAX + 1] = 0;
	assert_int_equal(rules_check_regex(regex, &err), 1);
	assert_non_null(strstr(err.text, "longer than 1024 bytes"));
}

static void deep_and_huge_regexes_are_refused_by_the_compiler(void **state)
{
	char nested[201];
	struct rules_error err;

	(void)state;
	memset(nested, '(', 100);
	memset(nested + 100, ')', 100);
	nested[200] = 0;
	assert_int_equal(rules_check_regex(nested, &err), 1);
	assert_int_equal(rules_check_regex("(((a{1000}){1000}){1000}){1000}", &err), 1);
}

static void a_regex_that_costs_too_much_is_refused_with_the_name_it_chokes_on(void **state)
{
	static const char *const regexes[] = {"(a+)+$", "^(a|aa)+$", "^(\\w*)*$", "^(\\w+\\w+)+$"};
	const char *victim = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-";
	struct rules_error err;
	struct rules *r;

	(void)state;
	for (size_t i = 0; i < sizeof(regexes) / sizeof(*regexes); i++) {
		struct rules_in in[] = {{"x", NULL}, {"y", regexes[i]}, {victim, NULL}};

		assert_int_equal(rules_check_regex(regexes[i], &err), 0);
		memset(&err, 0, sizeof(err));
		assert_int_equal(rules_new(&r, in, 3, &err), 1);
		assert_int_equal(err.channel, 1);
		assert_non_null(strstr(err.text, "limit"));
		assert_non_null(strstr(err.text, victim));
		/* short names do not reach the limit: the same rule stands */
		assert_int_equal(rules_new(&r, in, 2, &err), 0);
		rules_free(r);
	}
}

/* The limit on work holds against what a regex itself says. */
static void a_regex_can_not_raise_its_own_limits(void **state)
{
	struct rules_in in[] = {
	        {"x", "(*LIMIT_MATCH=4000000000)(a+)+$"},
	        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-", NULL},
	};
	struct rules_error err;
	struct rules *r;

	(void)state;
	assert_int_equal(rules_new(&r, in, 2, &err), 1);
}

/* A thousand channels that all reach all: the size of the largest table. */
static void the_largest_table_is_made_and_is_right(void **state)
{
	enum { N = 1024 };
	static char names[N][16];
	static struct rules_in in[N];
	struct rules_error err;
	struct rules *r;
	size_t n;

	(void)state;
	for (int i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "c%d", i);
		in[i].name = names[i];
		in[i].regex = i % 2 ? "[02468]$" : ".*";
	}
	assert_int_equal(rules_new(&r, in, N, &err), 0);
	for (size_t i = 0; i < N; i++) {
		const uint32_t *list = rules_reach(r, i, &n);

		assert_int_equal(n, i % 2 ? N / 2 + 1 : N);
		assert_int_equal(list[0], i);
		for (size_t j = 2; j < n; j++)
			assert_true(list[j - 1] < list[j] && list[j] != i);
		rules_sources(r, i, &n);
		assert_int_equal(n, i % 2 ? N / 2 + 1 : N);
	}
	rules_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_channel_reaches_what_its_rule_matches),
	        cmocka_unit_test(no_channels_make_an_empty_table),
	        cmocka_unit_test(a_regex_that_does_not_compile_is_named_with_its_offset),
	        cmocka_unit_test(the_regex_of_control_is_not_even_looked_at),
	        cmocka_unit_test(a_regex_may_be_as_long_as_the_limit_and_no_longer),
	        cmocka_unit_test(deep_and_huge_regexes_are_refused_by_the_compiler),
	        cmocka_unit_test(a_regex_that_costs_too_much_is_refused_with_the_name_it_chokes_on),
	        cmocka_unit_test(a_regex_can_not_raise_its_own_limits),
	        cmocka_unit_test(the_largest_table_is_made_and_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
