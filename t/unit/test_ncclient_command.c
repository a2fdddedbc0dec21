/*
 * Unit tests of ncclient/command, ncclient/complete and ncclient/option
 */

#include "ncclient/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ncclient/call.h"
#include "ncclient/complete.h"
#include "ncclient/literal.h"
#include "ncclient/option.h"

static void the_table_is_in_the_order_of_its_ids(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_COMMANDS; i++) {
		assert_int_equal(command_at(i)->id, i);
		assert_non_null(command_at(i)->summary);
		assert_ptr_equal(command_find(command_at(i)->name, strlen(command_at(i)->name)),
		                 command_at(i));
	}
}

static void optional_parameters_stand_behind_all_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_COMMANDS; i++)
		for (size_t p = 1; p < command_params(command_at(i)); p++)
			assert_true(!command_at(i)->params[p - 1].optional ||
			            command_at(i)->params[p].optional);
}

static void the_misspelling_of_the_original_is_taken(void **state)
{
	(void)state;
	assert_int_equal(command_find("reloaconfig", 11)->id, COMMAND_RELOADCONFIG);
	assert_int_equal(command_find("exit", 4)->id, COMMAND_QUIT);
	assert_null(command_find("show", 4));
}

static void forms_are_made_from_the_parameters(void **state)
{
	char out[100];

	(void)state;
	command_form(command_at(COMMAND_EMIT), out, sizeof(out));
	assert_string_equal(out, "emit(\"channel\", \"event\"[, data])");
	command_form(command_at(COMMAND_SET), out, sizeof(out));
	assert_string_equal(out, "set([\"setting\"[, \"value\"]])");
	command_form(command_at(COMMAND_STATS), out, sizeof(out));
	assert_string_equal(out, "stats()");
	command_words(command_at(COMMAND_EMIT), out, sizeof(out));
	assert_string_equal(out, "emit CHANNEL EVENT [DATA]");
}

static void assert_check(const char *line, enum command_id id)
{
	struct literal_error error;
	struct calls calls;
	const struct command *c;

	assert_int_equal(calls_parse(line, strlen(line), &calls, &error), 0);
	c = command_check(&calls.items[0], &error);
	if (!c)
		fail_msg("%s: %s", line, error.text);
	assert_int_equal(c->id, id);
	calls_fini(&calls);
}

static void assert_wrong(const char *line, size_t at, const char *why)
{
	struct literal_error error;
	struct calls calls;

	assert_int_equal(calls_parse(line, strlen(line), &calls, &error), 0);
	assert_null(command_check(&calls.items[0], &error));
	if (error.at != at || !strstr(error.text, why))
		fail_msg("%s: %s at %zu", line, error.text, error.at);
	calls_fini(&calls);
}

static void arguments_are_checked_against_the_parameters(void **state)
{
	(void)state;
	assert_check("emit('A','e')", COMMAND_EMIT);
	assert_check("emit('A','e',[1])", COMMAND_EMIT);
	assert_check("reloaconfig('x')", COMMAND_RELOADCONFIG);
	assert_check("clients(null)", COMMAND_CLIENTS);
	assert_wrong("emit('A')", 9, "\"event\" is missing: emit(\"channel\", \"event\"[, data])");
	assert_wrong("emit('A',1)", 9, "\"event\" is a text");
	assert_wrong("emit('A','e',1,2)", 15, "too many");
	assert_wrong("stats('x')", 6, "too many");
	assert_wrong("listen('A\\u0000')", 7, "NUL");
	assert_wrong(" sow()", 1, "did you mean slow()?");
	assert_wrong("shwoconfig()", 0, "did you mean showconfig()?");
	assert_wrong("frobnicate()", 0, "help() lists them");
}

static void distance_counts_typing_errors(void **state)
{
	(void)state;
	assert_int_equal(command_distance("", ""), 0);
	assert_int_equal(command_distance("abc", "abc"), 0);
	assert_int_equal(command_distance("", "abc"), 3);
	assert_int_equal(command_distance("abc", "acb"), 1);
	assert_int_equal(command_distance("kitten", "sitting"), 3);
	assert_int_equal(command_distance("list", "listen"), 2);
}

/* ---- completion */

static void assert_place(const char *line, enum complete_kind kind, size_t word_at)
{
	struct complete_place place;

	complete_find(line, strlen(line), &place);
	if (place.kind != kind || (kind != COMPLETE_NOTHING && place.word_at != word_at))
		fail_msg("'%s': kind %d at %zu", line, (int)place.kind, place.word_at);
}

static void names_of_functions_are_completed_where_a_call_begins(void **state)
{
	(void)state;
	assert_place("", COMPLETE_FUNCTION, 0);
	assert_place("sho", COMPLETE_FUNCTION, 0);
	assert_place("  sho", COMPLETE_FUNCTION, 2);
	assert_place("stats(); ru", COMPLETE_FUNCTION, 9);
	assert_place("stats();", COMPLETE_FUNCTION, 8);
	assert_place("emit('a(\"','b'); sh", COMPLETE_FUNCTION, 17);
	assert_place("stats ", COMPLETE_NOTHING, 0);
	assert_place("stats()", COMPLETE_NOTHING, 0);
}

static void assert_argument(const char *line, enum command_id id, size_t arg, size_t word_at,
                            char quote, const char *before)
{
	struct complete_place place;

	complete_find(line, strlen(line), &place);
	if (place.kind != COMPLETE_ARGUMENT)
		fail_msg("'%s': kind %d", line, (int)place.kind);
	assert_int_equal(place.command->id, id);
	assert_int_equal(place.arg, arg);
	assert_int_equal(place.word_at, word_at);
	assert_int_equal(place.quote, quote);
	assert_string_equal(place.before, before);
}

static void arguments_are_known_by_function_and_number(void **state)
{
	(void)state;
	assert_argument("clients(", COMMAND_CLIENTS, 0, 8, 0, "");
	assert_argument("clients(\"", COMMAND_CLIENTS, 0, 9, '"', "");
	assert_argument("clients('ab", COMMAND_CLIENTS, 0, 9, '\'', "");
	assert_argument("showclient( \"A\" , \"12", COMMAND_SHOWCLIENT, 1, 19, '"', "A");
	assert_argument("stats(); showclient('A',", COMMAND_SHOWCLIENT, 1, 24, 0, "A");
	assert_argument("emit('x,y','lo", COMMAND_EMIT, 1, 12, '\'', "x,y");
	assert_place("showclient(\"A\"", COMPLETE_NOTHING, 0);
	assert_place("clients('A','B", COMPLETE_NOTHING, 0);
	assert_place("emit('A','e',{x:'", COMPLETE_NOTHING, 0);
	assert_place("nonsense('", COMPLETE_NOTHING, 0);
}

static void candidates_are_sorted_and_share_a_beginning(void **state)
{
	struct complete_list list = {0};

	(void)state;
	assert_int_equal(complete_common(&list), 0);
	assert_int_equal(complete_add(&list, "showconfig", "sh", 2), 0);
	assert_int_equal(complete_add(&list, "slow", "sh", 2), 0);
	assert_int_equal(complete_add(&list, "showclient", "sh", 2), 0);
	assert_int_equal(complete_add(&list, "showclient", "sh", 2), 0);
	assert_int_equal(complete_add(&list, "showchannel", "sh", 2), 0);
	assert_int_equal(list.n, 3);
	assert_string_equal(list.items[0], "showchannel");
	assert_string_equal(list.items[2], "showconfig");
	assert_int_equal(complete_common(&list), 5);
	complete_fini(&list);
}

/* ---- options */

static int parse(struct options *o, char *error, const char *first, ...)
{
	static char *argv[16];
	int argc = 0;
	va_list args;

	argv[argc++] = (char *)"ncclient";
	va_start(args, first);
	for (const char *s = first; s; s = va_arg(args, const char *))
		argv[argc++] = (char *)s;
	va_end(args);
	argv[argc] = NULL;
	return options_parse(o, argc, argv, error);
}

static void options_stand_anywhere(void **state)
{
	char error[OPTION_ERROR_LEN];
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, error, "-s", "/x/%s", "listen", "A", "--count", "3", "log.>",
	                       "--json", "-t250ms", NULL),
	                 0);
	assert_string_equal(o.socket, "/x/%s");
	assert_int_equal(o.n_words, 3);
	assert_string_equal(o.words[0], "listen");
	assert_string_equal(o.words[2], "log.>");
	assert_int_equal(o.count, 3);
	assert_int_equal(o.output, OUTPUT_JSON);
	assert_int_equal(o.timeout_ms, 250);
	assert_int_equal(options_check_scope(&o, OPTION_LISTEN, "listen", error), 0);
	assert_int_equal(options_check_scope(&o, OPTION_EMIT, "emit", error), -1);
	assert_string_equal(error, "--count is no option of emit");
}

static void negative_numbers_and_a_dash_are_words(void **state)
{
	char error[OPTION_ERROR_LEN];
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, error, "emit", "A", "e", "--int", "-5", NULL), 0);
	assert_int_equal(o.n_words, 4);
	assert_string_equal(o.words[3], "-5");
	assert_int_equal(o.payload, PAYLOAD_INT);
	assert_int_equal(parse(&o, error, "emit", "A", "e", "--double", "-.5", NULL), 0);
	assert_int_equal(parse(&o, error, "emit", "A", "e", "--bytes", "-", NULL), 0);
	assert_string_equal(o.words[3], "-");
	assert_int_equal(parse(&o, error, "emit", "A", "e", "--text", "--", "--json", NULL), 0);
	assert_string_equal(o.words[3], "--json");
	assert_int_equal(o.output, OUTPUT_TEXT);
}

static void letters_are_bundled(void **state)
{
	char error[OPTION_ERROR_LEN];
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, error, "top", "-bn3", "-d", "0.5", "--sort=-name", NULL), 0);
	assert_true(o.batch);
	assert_int_equal(o.count, 3);
	assert_int_equal(o.interval_ms, 500);
	assert_string_equal(o.sort, "-name");
	assert_int_equal(parse(&o, error, "-qke", "a()", "-e", "b()", NULL), 0);
	assert_true(o.quiet && o.keep_going);
	assert_int_equal(o.n_scripts, 2);
	assert_string_equal(o.scripts[1], "b()");
}

static void wrong_options_are_named(void **state)
{
	char error[OPTION_ERROR_LEN];
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, error, "--jsn", NULL), -1);
	assert_string_equal(error, "no option --jsn; did you mean --json?");
	assert_int_equal(parse(&o, error, "--frobnicate=1", NULL), -1);
	assert_string_equal(error, "no option --frobnicate");
	assert_int_equal(parse(&o, error, "-qX", NULL), -1);
	assert_string_equal(error, "no option -X in '-qX'");
	assert_int_equal(parse(&o, error, "-o", NULL), -1);
	assert_string_equal(error, "-o takes FORMAT");
	assert_int_equal(parse(&o, error, "--output", "xml", NULL), -1);
	assert_string_equal(error, "-o takes text, json or csv, not 'xml'");
	assert_int_equal(parse(&o, error, "--json=1", NULL), -1);
	assert_string_equal(error, "--json takes nothing");
	assert_int_equal(parse(&o, error, "-n", "0", NULL), -1);
	assert_int_equal(parse(&o, error, "-n", "-1", NULL), -1);
	assert_int_equal(parse(&o, error, "-n", "3x", NULL), -1);
	assert_int_equal(parse(&o, error, "-t", "5y", NULL), -1);
	assert_int_equal(parse(&o, error, "-t", "0", NULL), -1);
	assert_int_equal(parse(&o, error, "-d", "1ms", NULL), -1);
	assert_int_equal(parse(&o, error, "--text", "--int", NULL), -1);
	assert_int_equal(parse(&o, error, "-e", "a()", "stats", NULL), -1);
}

static void scripts_are_counted(void **state)
{
	char *argv[2 * OPTION_SCRIPTS_MAX + 4] = {(char *)"ncclient"};
	char error[OPTION_ERROR_LEN];
	struct options o;
	int argc = 1;

	(void)state;
	for (size_t i = 0; i < OPTION_SCRIPTS_MAX; i++) {
		argv[argc++] = (char *)"-e";
		argv[argc++] = (char *)"a()";
	}
	assert_int_equal(options_parse(&o, argc, argv, error), 0);
	assert_int_equal(o.n_scripts, OPTION_SCRIPTS_MAX);
	argv[argc++] = (char *)"-e";
	argv[argc++] = (char *)"a()";
	assert_int_equal(options_parse(&o, argc, argv, error), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_table_is_in_the_order_of_its_ids),
	        cmocka_unit_test(optional_parameters_stand_behind_all_others),
	        cmocka_unit_test(the_misspelling_of_the_original_is_taken),
	        cmocka_unit_test(forms_are_made_from_the_parameters),
	        cmocka_unit_test(arguments_are_checked_against_the_parameters),
	        cmocka_unit_test(distance_counts_typing_errors),
	        cmocka_unit_test(names_of_functions_are_completed_where_a_call_begins),
	        cmocka_unit_test(arguments_are_known_by_function_and_number),
	        cmocka_unit_test(candidates_are_sorted_and_share_a_beginning),
	        cmocka_unit_test(options_stand_anywhere),
	        cmocka_unit_test(negative_numbers_and_a_dash_are_words),
	        cmocka_unit_test(letters_are_bundled),
	        cmocka_unit_test(wrong_options_are_named),
	        cmocka_unit_test(scripts_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
