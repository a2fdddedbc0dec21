/*
 * Runs the conformance suite
 *
 * usage: conformance [PATTERN]
 *
 * One TAP test for each behaviour and each choice of kinds. PATTERN (with * and ?) chooses tests by
 * name. Servers are real ones: $NCSERVER, else that of the build.
 */

#include "t/conformance/suite.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* Room for all behaviours times all kinds. */
#define RUNS_MAX 512u

const char suite_plain_config[] = "hello_wait = 20;\n"
                                  "channels = { A = {}; B = {}; C = {}; };";

struct run {
	const struct behaviour *behaviour;
	struct kinds kinds;
	struct world world;
	bool failed;
};

/* Of the test that runs. */
static bool is_skipped;

void suite_skip(const char *why)
{
	is_skipped = true;
	printf("# %s\n", why);
	skip();
}

static int set_up(void **state)
{
	struct run *r = *state;
	const char *config = r->behaviour->config;

	r->failed = true;
	is_skipped = false;
	world_init(&r->world, config ? config : suite_plain_config);
	return 0;
}

static void test(void **state)
{
	struct run *r = *state;

	r->behaviour->test(&r->world, r->kinds);
	r->failed = false;
}

static int tear_down(void **state)
{
	struct run *r = *state;

	world_fini(&r->world, r->failed && !is_skipped);
	return 0;
}

static size_t add(struct CMUnitTest *tests, size_t n, const struct theme *t,
                  const struct behaviour *b, struct kinds k)
{
	struct run *r = calloc(1, sizeof(*r));
	char *name;

	if (!r || n == RUNS_MAX)
		abort();
	r->behaviour = b;
	r->kinds = k;
	if (b->over == ONCE)
		name = util_format("%s: %s", t->name, b->says);
	else if (b->over == EACH)
		name = util_format("%s: %s (%s)", t->name, b->says, kind_name(k.from));
	else
		name = util_format("%s: %s (%s to %s)", t->name, b->says, kind_name(k.from),
		                   kind_name(k.to));
	tests[n] = (struct CMUnitTest){.name = name,
	                               .test_func = test,
	                               .setup_func = set_up,
	                               .teardown_func = tear_down,
	                               .initial_state = r};
	return n + 1;
}

static size_t add_theme(struct CMUnitTest *tests, size_t n, const struct theme *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct behaviour *b = &t->list[i];
		unsigned runs = b->over == ONCE ? 1 : b->over == EACH ? 2 : 4;

		for (unsigned r = 0; r < runs; r++) {
			struct kinds k = {.from = r & 1, .to = runs == 4 ? r >> 1 : r & 1};

			n = add(tests, n, t, b, k);
		}
	}
	return n;
}

int main(int argc, char **argv)
{
	static const struct theme *const themes[] = {
	        &delivery_theme,       &propagation_theme, &pattern_theme, &payload_theme,
	        &packet_theme,         &accounting_theme,  &sender_theme,  &rights_theme,
	        &handler_theme,        &connection_theme,  &control_theme, &hostile_json_theme,
	        &hostile_native_theme, &reload_theme,      &restart_theme, &flood_theme,
	        &fault_theme,
	};
	static struct CMUnitTest tests[RUNS_MAX];
	size_t n = 0;
	int failed;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	unsetenv("NC_SOCKET");
	for (size_t i = 0; i < sizeof(themes) / sizeof(*themes); i++)
		n = add_theme(tests, n, themes[i]);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = _cmocka_run_group_tests("conformance", tests, n, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		free(tests[i].initial_state);
		free((char *)tests[i].name);
	}
	return failed;
}
