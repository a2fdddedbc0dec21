/*
 * Unit tests of io/options
 */

#include "ncserver/io/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct options o;
static char said[1024];

/* Parses a command line that is written with spaces. Returns what options_parse() does. */
static int parse(const char *line)
{
	static char text[256];
	char *argv[16] = {NULL}, *save = NULL;
	int argc = 0, result;
	FILE *err = fmemopen(said, sizeof(said), "w");

	memset(said, 0, sizeof(said));
	snprintf(text, sizeof(text), "ncserver %s", line);
	for (char *p = strtok_r(text, " ", &save); p; p = strtok_r(NULL, " ", &save))
		argv[argc++] = p;
	result = options_parse(&o, argc, argv, err);
	fclose(err);
	return result;
}

static void a_bare_command_runs_with_the_standard_configuration(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_int_equal(o.action, OPTIONS_RUN);
	assert_null(o.file);
	assert_null(o.socket);
	assert_int_equal(o.log_level, -1);
	assert_int_equal(o.ready_fd, -1);
}

static void all_options_are_understood(void **state)
{
	(void)state;
	assert_int_equal(parse("-s /x/%s.sock -l debug --ready-fd 2 /etc/a.conf"), 0);
	assert_string_equal(o.socket, "/x/%s.sock");
	assert_int_equal(o.log_level, 3);
	assert_int_equal(o.ready_fd, 2);
	assert_string_equal(o.file, "/etc/a.conf");
	assert_int_equal(parse("/etc/a.conf --log-level=error --socket=/y/%s"), 0);
	assert_int_equal(o.log_level, 0);
	assert_string_equal(o.socket, "/y/%s");
	assert_string_equal(o.file, "/etc/a.conf");
	assert_int_equal(parse("-- -odd-name"), 0);
	assert_string_equal(o.file, "-odd-name");
}

static void each_action_has_its_option(void **state)
{
	static const struct {
		const char *line;
		enum options_action action;
	} cases[] = {
	        {"-h", OPTIONS_HELP},
	        {"--help", OPTIONS_HELP},
	        {"-V", OPTIONS_VERSION},
	        {"--version", OPTIONS_VERSION},
	        {"--check-config", OPTIONS_CHECK},
	        {"--check-config a.conf", OPTIONS_CHECK},
	        {"--print-config", OPTIONS_PRINT_JSON},
	        {"--print-config a.conf", OPTIONS_PRINT_JSON},
	        {"--print-config=json", OPTIONS_PRINT_JSON},
	        {"--print-config=libconfig a.conf", OPTIONS_PRINT_LIBCONFIG},
	        {"--keygen", OPTIONS_KEYGEN},
	        {"--keygen --cipher=aes-256-gcm a.key", OPTIONS_KEYGEN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(parse(cases[i].line), 0);
		assert_int_equal(o.action, cases[i].action);
		assert_string_equal(said, "");
	}
}

static void a_key_has_a_cipher(void **state)
{
	(void)state;
	assert_int_equal(parse("--keygen a.key"), 0);
	assert_int_equal(o.cipher, CIPHER_AES_256_GCM);
	assert_string_equal(o.file, "a.key");
	assert_int_equal(parse("--cipher chacha20-poly1305 --keygen"), 0);
	assert_int_equal(o.cipher, CIPHER_CHACHA20_POLY1305);
	assert_null(o.file);
}

static void what_is_wrong_is_named(void **state)
{
	static const char *const cases[][2] = {
	        {"-x", "-x: unknown option"},
	        {"--nonsense", "--nonsense: unknown option"},
	        {"-s", "-s: a value is missing"},
	        {"--socket", "--socket: a value is missing"},
	        {"-l loud", "loud: error, warning, info or debug expected"},
	        {"--print-config=xml", "xml: json or libconfig expected"},
	        {"--ready-fd 999", "999: not an open descriptor"},
	        {"--ready-fd -1", "-1: not an open descriptor"},
	        {"--ready-fd 1x", "1x: not an open descriptor"},
	        {"a.conf b.conf", "more than one configuration file: a.conf, b.conf"},
	        {"--keygen a.key b.key", "more than one key file: a.key, b.key"},
	        {"--keygen --cipher aes", "aes: aes-256-gcm or chacha20-poly1305 expected"},
	        {"--keygen --cipher none", "none: aes-256-gcm or chacha20-poly1305 expected"},
	        {"--cipher aes-256-gcm a.conf", "--cipher belongs to --keygen"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(parse(cases[i][0]), 1);
		if (!strstr(said, cases[i][1]))
			fail_msg("%s: \"%s\"", cases[i][0], said);
	}
}

static void the_help_names_every_option(void **state)
{
	static const char *const names[] = {"--help",         "--version", "--check-config",
	                                    "--print-config", "--socket",  "--log-level",
	                                    "--ready-fd",     "--keygen",  "--cipher"};
	char text[4096] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	options_help(out);
	fclose(out);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_non_null(strstr(text, names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_bare_command_runs_with_the_standard_configuration),
	        cmocka_unit_test(all_options_are_understood),
	        cmocka_unit_test(each_action_has_its_option),
	        cmocka_unit_test(a_key_has_a_cipher),
	        cmocka_unit_test(what_is_wrong_is_named),
	        cmocka_unit_test(the_help_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
