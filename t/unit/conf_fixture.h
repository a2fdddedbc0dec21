/*
 * What the tests of the configuration share: a fixed environment, and parsing in one call
 */
#ifndef NC_T_UNIT_CONF_FIXTURE_H
#define NC_T_UNIT_CONF_FIXTURE_H

#include "libnc/base/buf.h"
#include "ncserver/conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct conf_env fixture_env = {
        .uid = 1000,
        .runtime_dir = "/run/user/1000",
        .hostname = "box.example.org",
};

/* Parses a text that is named "t". Returns the configuration or NULL, and in *said all problems, a
 * line each, for free(). */
static inline struct conf *fixture_parse(const char *text, size_t len, const struct conf_env *env,
                                         char **said)
{
	struct conf_problems problems = {0};
	struct conf *c = NULL;
	struct buf out;
	int r = conf_parse(&c, text, len, "t", env, &problems);

	assert_true(r == 0 || r == 1);
	assert_int_equal(r == 1, problems.n_errors > 0);
	assert_int_equal(r == 0, c != NULL);
	buf_init(&out, 1 << 20);
	assert_int_equal(conf_problems_print(&out, &problems), 0);
	*said = strdup(buf_str(&out));
	assert_non_null(*said);
	buf_fini(&out);
	conf_problems_fini(&problems);
	return c;
}

/* Parses what must be right, and say nothing. */
static inline struct conf *fixture_conf(const char *text)
{
	char *said;
	struct conf *c = fixture_parse(text, strlen(text), &fixture_env, &said);

	assert_string_equal(said, "");
	assert_non_null(c);
	free(said);
	return c;
}

/* The text as a configuration: all problems are as expected, line by line. */
static inline void fixture_says(const char *text, const char *expected)
{
	char *said;

	conf_free(fixture_parse(text, strlen(text), &fixture_env, &said));
	assert_string_equal(said, expected);
	free(said);
}

#endif
