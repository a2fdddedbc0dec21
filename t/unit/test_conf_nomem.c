/*
 * Unit tests of conf: what happens without memory
 *
 * libconfig and yajl are shared libraries whose own allocations are not reached here.
 */

#include "t/unit/conf_fixture.h"

#include <errno.h>

#include "t/unit/nomem.h"

static const char libconfig_text[] =
        "addr = \"239.1.2.3\"; host = \"x\"; quotas = ( { user = 5; connections = 9; } );\n"
        "channels = { A = { propagatetochannels = \"^B\"; emit = ( 5, \"@6\" ); listen = ( 7 );\n"
        "  socket = \"/s/a\"; }; B = { fifo = true; }; };\n";

static const char json_text[] =
        "{\"socket\":\"/s/%s\",\"channels\":{\"A\":{\"propagatetochannels\":\".*\","
        "\"listen\":[5,\"@6\"]},\"B\":{\"owner\":\"root\"}},\"quotas\":[{\"user\":5}]}";

/* With one more allocation each time, until it succeeds. */
static void assert_survives(const char *text)
{
	unsigned n = 0;

	for (;; n++) {
		struct conf_problems problems = {0};
		struct conf *c = NULL;
		int r;

		nomem_after(n);
		r = conf_parse(&c, text, strlen(text), "t", &fixture_env, &problems);
		if (nomem_off()) {
			/* a problem that finds no memory is counted, and so is an error */
			assert_true(r == -ENOMEM || (r == 0 && problems.n_more));
			assert_int_equal(r == 0, c != NULL);
			conf_free(c);
			conf_problems_fini(&problems);
			continue;
		}
		assert_int_equal(r, 0);
		assert_non_null(c);
		conf_free(c);
		conf_problems_fini(&problems);
		break;
	}
	assert_true(n > 20);
}

static void parsing_fails_and_leaves_nothing_behind(void **state)
{
	(void)state;
	assert_survives(libconfig_text);
	assert_survives(json_text);
}

static void errors_are_errors_even_when_they_can_not_be_kept(void **state)
{
	struct conf_problems problems = {0};
	struct conf *c = NULL;
	unsigned n = 0;
	int r;

	(void)state;
	do {
		conf_problems_fini(&problems);
		nomem_after(n++);
		r = conf_parse(&c, "prot = 5; port = 0;", 19, "t", &fixture_env, &problems);
		assert_true(r == -ENOMEM || r == 1);
		assert_null(c);
		if (r == 1)
			assert_int_equal(problems.n_errors, 2);
	} while (nomem_off());
	assert_int_equal(r, 1);
	assert_int_equal(problems.n, 2);
	conf_problems_fini(&problems);
}

static void the_default_fails_and_leaves_nothing_behind(void **state)
{
	struct conf *c;
	unsigned n = 0;

	(void)state;
	for (;; n++) {
		nomem_after(n);
		c = conf_default(&fixture_env);
		if (!nomem_off())
			break;
		assert_null(c);
	}
	assert_non_null(c);
	assert_true(n > 5);
	conf_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(parsing_fails_and_leaves_nothing_behind),
	        cmocka_unit_test(errors_are_errors_even_when_they_can_not_be_kept),
	        cmocka_unit_test(the_default_fails_and_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
