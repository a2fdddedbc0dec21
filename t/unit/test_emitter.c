/*
 * Unit tests of client/emitter
 */

#include "libnc/client/emitter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "t/unit/nomem.h"

static const uint8_t seed[16] = {1, 2, 3};

/* What ran, as letters in order. */
struct script {
	struct emitter e;
	char log[256];
	bool stop;
};

/* A handler's argument: its letter, and what it does to the emitter. */
struct actor {
	struct script *s;
	char letter;
	const char *remove_pattern;
	struct actor *remove;
	const char *add_pattern;
	struct actor *add;
	bool stops;
	bool clears;
};

static void act(nc_client *c, const nc_msg *m, void *arg)
{
	struct actor *a = arg;
	size_t n = strlen(a->s->log);

	(void)c;
	(void)m;
	assert_true(n + 1 < sizeof(a->s->log));
	a->s->log[n] = a->letter;
	a->s->log[n + 1] = 0;
	if (a->remove)
		emitter_remove(&a->s->e, a->remove_pattern, act, a->remove);
	if (a->add)
		assert_int_equal(emitter_add(&a->s->e, a->add_pattern, act, a->add, false), NC_OK);
	if (a->clears)
		emitter_remove(&a->s->e, NULL, NULL, NULL);
	if (a->stops)
		a->s->stop = true;
}

static void begin(struct script *s)
{
	memset(s, 0, sizeof(*s));
	emitter_init(&s->e, seed);
}

static void add(struct script *s, const char *pattern, struct actor *a, char letter)
{
	a->s = s;
	a->letter = letter;
	assert_int_equal(emitter_add(&s->e, pattern, act, a, false), NC_OK);
}

/* Runs the handlers of an event, and returns the letters of those that ran. */
static const char *run(struct script *s, const char *event)
{
	struct emitter_plan *p = emitter_lookup(&s->e, event, strlen(event));

	assert_non_null(p);
	assert_string_equal(p->event, event);
	s->log[0] = 0;
	s->stop = false;
	emitter_run(&s->e, p, NULL, NULL, &s->stop);
	return s->log;
}

static void handlers_run_in_the_order_of_adding_across_patterns(void **state)
{
	struct script s;
	struct actor a[6] = {{0}};

	(void)state;
	begin(&s);
	add(&s, ">", &a[0], 'a');
	add(&s, "log.x", &a[1], 'b');
	add(&s, "log.*", &a[2], 'c');
	add(&s, "log.x", &a[3], 'd');
	add(&s, ">", &a[4], 'e');
	add(&s, "other", &a[5], 'f');
	assert_string_equal(run(&s, "log.x"), "abcde");
	assert_string_equal(run(&s, "log.y"), "ace");
	assert_string_equal(run(&s, "other"), "aef");
	assert_string_equal(run(&s, "log.x"), "abcde");
	emitter_fini(&s.e);
}

static void nobody_hears_what_nobody_asked_for(void **state)
{
	struct script s;
	struct actor a = {0};

	(void)state;
	begin(&s);
	assert_string_equal(run(&s, "x"), "");
	add(&s, "y", &a, 'y');
	assert_string_equal(run(&s, "x"), "");
	assert_string_equal(run(&s, "y"), "y");
	emitter_fini(&s.e);
}

static void names_that_break_the_grammar_are_heard_by_nobody(void **state)
{
	static const char *const names[] = {"", ".", "a..b", "a.", "a b", "a.*", ">", "\xFF"};
	struct script s;
	struct actor a = {0};

	(void)state;
	begin(&s);
	add(&s, ">", &a, 'a');
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_string_equal(run(&s, names[i]), "");
	emitter_fini(&s.e);
}

static void the_same_handler_may_be_added_twice_and_goes_one_by_one(void **state)
{
	struct script s;
	struct actor a = {0};

	(void)state;
	begin(&s);
	add(&s, "x", &a, 'a');
	add(&s, "x", &a, 'a');
	assert_int_equal(emitter_count(&s.e, "x"), 2);
	assert_string_equal(run(&s, "x"), "aa");
	assert_int_equal(emitter_remove(&s.e, "x", act, &a), NC_OK);
	assert_string_equal(run(&s, "x"), "a");
	assert_int_equal(emitter_remove(&s.e, "x", act, &a), NC_OK);
	assert_string_equal(run(&s, "x"), "");
	assert_int_equal(emitter_remove(&s.e, "x", act, &a), NC_ENOENT);
	emitter_fini(&s.e);
}

static void removing_takes_exactly_what_was_named(void **state)
{
	struct script s;
	struct actor a = {0}, b = {0}, c = {0};

	(void)state;
	begin(&s);
	add(&s, "x", &a, 'a');
	add(&s, "x", &b, 'b');
	add(&s, "x", &c, 'c');
	add(&s, ">", &a, 'a');
	assert_int_equal(emitter_remove(&s.e, "x", act, &b), NC_OK);
	assert_string_equal(run(&s, "x"), "aca");
	assert_int_equal(emitter_remove(&s.e, "*", act, &a), NC_ENOENT);
	assert_int_equal(emitter_remove(&s.e, "y", act, &a), NC_ENOENT);
	assert_int_equal(emitter_remove(&s.e, NULL, act, &a), NC_ENOENT);
	assert_int_equal(emitter_remove(&s.e, "x", NULL, NULL), NC_OK);
	assert_string_equal(run(&s, "x"), "a");
	assert_int_equal(emitter_count(&s.e, NULL), 1);
	assert_int_equal(emitter_remove(&s.e, NULL, NULL, NULL), NC_OK);
	assert_int_equal(emitter_remove(&s.e, NULL, NULL, NULL), NC_ENOENT);
	assert_int_equal(emitter_count(&s.e, NULL), 0);
	emitter_fini(&s.e);
}

static void once_runs_once(void **state)
{
	struct script s;
	struct actor a = {0}, b = {0};

	(void)state;
	begin(&s);
	a.s = &s;
	a.letter = 'a';
	assert_int_equal(emitter_add(&s.e, "x.*", act, &a, true), NC_OK);
	add(&s, "x.y", &b, 'b');
	assert_string_equal(run(&s, "x.y"), "ab");
	assert_string_equal(run(&s, "x.y"), "b");
	assert_int_equal(emitter_count(&s.e, "x.*"), 0);
	emitter_fini(&s.e);
}

static void a_once_handler_is_gone_before_it_runs(void **state)
{
	struct script s;
	struct actor a = {0};

	(void)state;
	begin(&s);
	/* it tries to remove itself, and adds itself again: neither disturbs */
	a = (struct actor){.s = &s,
	                   .letter = 'a',
	                   .remove_pattern = "x",
	                   .remove = &a,
	                   .add_pattern = "x",
	                   .add = &a};
	assert_int_equal(emitter_add(&s.e, "x", act, &a, true), NC_OK);
	assert_string_equal(run(&s, "x"), "a");
	assert_int_equal(emitter_count(&s.e, "x"), 1);
	emitter_fini(&s.e);
}

static void a_handler_that_was_removed_meanwhile_does_not_run(void **state)
{
	struct script s;
	struct actor a = {0}, b = {0}, c = {0};

	(void)state;
	begin(&s);
	add(&s, "x", &a, 'a');
	add(&s, "*", &b, 'b');
	add(&s, "x", &c, 'c');
	a.remove_pattern = "*";
	a.remove = &b;
	assert_string_equal(run(&s, "x"), "ac");
	a.remove = NULL;
	assert_string_equal(run(&s, "x"), "ac");
	emitter_fini(&s.e);
}

static void a_handler_may_remove_itself_or_everything(void **state)
{
	struct script s;
	struct actor a = {0}, b = {0}, c = {0};

	(void)state;
	begin(&s);
	add(&s, "x", &a, 'a');
	add(&s, "x", &b, 'b');
	add(&s, ">", &c, 'c');
	a.remove_pattern = "x";
	a.remove = &a;
	assert_string_equal(run(&s, "x"), "abc");
	assert_string_equal(run(&s, "x"), "bc");
	b.clears = true;
	assert_string_equal(run(&s, "x"), "b");
	assert_string_equal(run(&s, "x"), "");
	emitter_fini(&s.e);
}

static void a_handler_that_was_added_meanwhile_runs_from_the_next_message_on(void **state)
{
	struct script s;
	struct actor a = {0}, b = {0};

	(void)state;
	begin(&s);
	add(&s, "x", &a, 'a');
	b.s = &s;
	b.letter = 'b';
	a.add_pattern = "x";
	a.add = &b;
	assert_string_equal(run(&s, "x"), "a");
	a.add = NULL;
	assert_string_equal(run(&s, "x"), "ab");
	emitter_fini(&s.e);
}

static void a_handler_that_stops_is_the_last(void **state)
{
	struct script s;
	struct actor a = {0}, b = {0};

	(void)state;
	begin(&s);
	add(&s, "x", &a, 'a');
	add(&s, "x", &b, 'b');
	a.stops = true;
	assert_string_equal(run(&s, "x"), "a");
	emitter_fini(&s.e);
}

static void look_ups_inside_a_handler_leave_the_running_plan_alone(void **state)
{
	struct script s;
	struct actor a = {0}, b = {0};
	struct emitter_plan *p;

	(void)state;
	begin(&s);
	add(&s, ">", &a, 'a');
	add(&s, ">", &b, 'b');
	p = emitter_lookup(&s.e, "x", 1);
	p->refs++;
	/* many more names than there are slots, so that each slot is used anew */
	for (int i = 0; i < 1000; i++) {
		char name[16];
		int n = snprintf(name, sizeof(name), "n%d", i);

		assert_int_equal(emitter_lookup(&s.e, name, (size_t)n)->n_handlers, 2);
	}
	p->refs--;
	emitter_run(&s.e, p, NULL, NULL, &s.stop);
	assert_string_equal(s.log, "ab");
	emitter_fini(&s.e);
}

static void bad_patterns_are_refused(void **state)
{
	static const char *const patterns[] = {"", ".", "a.>.b", "a*", "a b", "\xC3", "a..b"};
	struct script s;

	(void)state;
	begin(&s);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		assert_int_equal(emitter_add(&s.e, patterns[i], act, NULL, false), NC_ENAME);
	assert_int_equal(emitter_count(&s.e, NULL), 0);
	emitter_fini(&s.e);
}

/* Tells the server all, and returns what as "+pattern" and "-pattern". */
static const char *tell(struct emitter *e)
{
	static char text[512];
	const char *pattern;
	size_t len, n = 0;
	bool listen;

	text[0] = 0;
	while (emitter_next_change(e, &pattern, &len, &listen)) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%c%.*s", n ? " " : "",
		                      listen ? '+' : '-', (int)len, pattern);
		emitter_told(e);
	}
	return text;
}

static void the_server_is_told_the_first_and_the_last_of_a_pattern(void **state)
{
	struct script s;
	struct actor a = {0}, b = {0};

	(void)state;
	begin(&s);
	add(&s, "x", &a, 'a');
	assert_string_equal(tell(&s.e), "+x");
	add(&s, "x", &b, 'b');
	assert_string_equal(tell(&s.e), "");
	emitter_remove(&s.e, "x", act, &a);
	assert_string_equal(tell(&s.e), "");
	emitter_remove(&s.e, "x", act, &b);
	assert_string_equal(tell(&s.e), "-x");
	assert_string_equal(tell(&s.e), "");
	emitter_fini(&s.e);
}

static void what_comes_and_goes_untold_is_never_told(void **state)
{
	struct script s;
	struct actor a = {0};

	(void)state;
	begin(&s);
	for (int i = 0; i < 1000; i++) {
		add(&s, "x", &a, 'a');
		emitter_remove(&s.e, "x", act, &a);
	}
	assert_false(emitter_has_changes(&s.e));
	add(&s, "x", &a, 'a');
	assert_string_equal(tell(&s.e), "+x");
	for (int i = 0; i < 1000; i++) {
		emitter_remove(&s.e, "x", act, &a);
		add(&s, "x", &a, 'a');
	}
	assert_false(emitter_has_changes(&s.e));
	assert_int_equal(map_len(&s.e.patterns), 1);
	emitter_fini(&s.e);
}

static void a_new_session_is_told_every_pattern_in_order(void **state)
{
	struct script s;
	struct actor a = {0};

	(void)state;
	begin(&s);
	add(&s, "z", &a, 'a');
	add(&s, "y", &a, 'a');
	add(&s, "x", &a, 'a');
	assert_string_equal(tell(&s.e), "+z +y +x");
	emitter_remove(&s.e, "y", act, &a);
	emitter_forget(&s.e);
	assert_string_equal(tell(&s.e), "+z +x");
	assert_int_equal(map_len(&s.e.patterns), 2);
	emitter_forget(&s.e);
	emitter_forget(&s.e);
	assert_string_equal(tell(&s.e), "+z +x");
	emitter_fini(&s.e);
}

static void without_memory_nothing_changes(void **state)
{
	struct script s;
	struct actor a = {0}, b = {0};
	unsigned n = 0;
	int r;

	(void)state;
	begin(&s);
	add(&s, "x", &a, 'a');
	tell(&s.e);
	b.s = &s;
	b.letter = 'b';
	do {
		nomem_after(n++);
		r = emitter_add(&s.e, "x.y.z", act, &b, false);
		nomem_off();
		if (r) {
			assert_int_equal(r, NC_ENOMEM);
			assert_int_equal(emitter_count(&s.e, NULL), 1);
			assert_false(emitter_has_changes(&s.e));
			assert_int_equal(map_len(&s.e.patterns), 1);
		}
	} while (r);
	assert_true(n > 2);
	nomem_after(0);
	assert_null(emitter_lookup(&s.e, "x.y.z", 5));
	nomem_off();
	assert_string_equal(run(&s, "x.y.z"), "b");
	emitter_fini(&s.e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(handlers_run_in_the_order_of_adding_across_patterns),
	        cmocka_unit_test(nobody_hears_what_nobody_asked_for),
	        cmocka_unit_test(names_that_break_the_grammar_are_heard_by_nobody),
	        cmocka_unit_test(the_same_handler_may_be_added_twice_and_goes_one_by_one),
	        cmocka_unit_test(removing_takes_exactly_what_was_named),
	        cmocka_unit_test(once_runs_once),
	        cmocka_unit_test(a_once_handler_is_gone_before_it_runs),
	        cmocka_unit_test(a_handler_that_was_removed_meanwhile_does_not_run),
	        cmocka_unit_test(a_handler_may_remove_itself_or_everything),
	        cmocka_unit_test(a_handler_that_was_added_meanwhile_runs_from_the_next_message_on),
	        cmocka_unit_test(a_handler_that_stops_is_the_last),
	        cmocka_unit_test(look_ups_inside_a_handler_leave_the_running_plan_alone),
	        cmocka_unit_test(bad_patterns_are_refused),
	        cmocka_unit_test(the_server_is_told_the_first_and_the_last_of_a_pattern),
	        cmocka_unit_test(what_comes_and_goes_untold_is_never_told),
	        cmocka_unit_test(a_new_session_is_told_every_pattern_in_order),
	        cmocka_unit_test(without_memory_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
