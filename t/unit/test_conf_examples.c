/*
 * Unit tests of conf: the example configurations and the manual page say what the code does
 */

#include "t/unit/conf_fixture.h"

#include <ctype.h>
#include <stdio.h>

#include "ncserver/conf/schema.h"

static char *read_tree(const char *name)
{
	const char *top = getenv("TOP_SRCDIR");
	char path[4096], *text = malloc(1 << 20);
	size_t len;
	FILE *f;

	assert_non_null(text);
	assert_true(snprintf(path, sizeof(path), "%s/%s", top ? top : ".", name) <
	            (int)sizeof(path));
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s: cannot be opened", path);
	len = fread(text, 1, (1 << 20) - 1, f);
	text[len] = 0;
	fclose(f);
	return text;
}

static void every_example_is_read_without_a_word(void **state)
{
	static const char *const names[] = {
	        "conf/ncserver.conf",
	        "conf/quickstart.conf",
	        "conf/netcluster.json",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *text = read_tree(names[i]);

		conf_free(fixture_conf(text));
		free(text);
	}
}

static void the_example_of_a_server_shows_the_defaults(void **state)
{
	char *text = read_tree("conf/ncserver.conf"), *p;
	struct conf *a = fixture_conf("channels = { events = {}; };"), *b, *c;

	(void)state;
	b = fixture_conf(text);
	assert_true(conf_equal(a, b));
	/* with all keys that it shows with their defaults: those right behind a # */
	for (p = text; (p = strchr(p, '#')); p++)
		if (isalpha((unsigned char)p[1]))
			*p = ' ';
	c = fixture_conf(text);
	assert_true(conf_equal(a, c));
	conf_free(a);
	conf_free(b);
	conf_free(c);
	free(text);
}

/* Every key stands in the example, with its default or as one that can be given. */
static void the_example_of_a_server_shows_every_key(void **state)
{
	static const struct schema *const groups[] = {&schema_top, &schema_channel, &schema_quota};
	char *text = read_tree("conf/ncserver.conf");

	(void)state;
	for (size_t g = 0; g < sizeof(groups) / sizeof(*groups); g++) {
		for (size_t i = 0; i < groups[g]->n_keys; i++) {
			const char *name = groups[g]->keys[i].name;
			char shown[64];

			/* that of lists of channels */
			if (!strcmp(name, "name"))
				continue;
			snprintf(shown, sizeof(shown), "%s = ", name);
			if (!strstr(text, shown))
				fail_msg("%s is not shown", name);
		}
	}
	free(text);
}

static void quickstart_brings_events_to_those_who_watch(void **state)
{
	char *text = read_tree("conf/quickstart.conf");
	struct conf_env env = fixture_env;
	char *said;
	struct conf *c;

	(void)state;
	env.socket_override = "/tmp/q/%s.sock";
	c = fixture_parse(text, strlen(text), &env, &said);
	assert_string_equal(said, "");
	assert_string_equal(conf_channel(c, "events")->socket, "/tmp/q/events.sock");
	assert_string_equal(conf_channel(c, "events")->regex, "^watch$");
	assert_string_equal(conf_channel(c, "watch")->socket, "/tmp/q/watch.sock");
	assert_non_null(conf_channel(c, "control"));
	free(said);
	conf_free(c);
	free(text);
}

/* Whether the page has an entry of its own for the key: ".It Va key". */
static bool page_has(const char *page, const char *name)
{
	char entry[64];
	const char *at;

	snprintf(entry, sizeof(entry), "\n.It Va %s\n", name);
	at = strstr(page, entry);
	return at != NULL;
}

static void the_manual_has_an_entry_for_every_key(void **state)
{
	static const struct schema *const groups[] = {&schema_top, &schema_channel, &schema_quota,
	                                              &schema_override};
	char *page = read_tree("man/ncserver.conf.5");

	(void)state;
	for (size_t g = 0; g < sizeof(groups) / sizeof(*groups); g++)
		for (size_t i = 0; i < groups[g]->n_keys; i++)
			if (!page_has(page, groups[g]->keys[i].name))
				fail_msg("%s is not in ncserver.conf(5)", groups[g]->keys[i].name);
	free(page);
}

static bool is_key(const char *name, size_t len)
{
	static const struct schema *const groups[] = {&schema_top, &schema_channel, &schema_quota,
	                                              &schema_override};

	for (size_t g = 0; g < sizeof(groups) / sizeof(*groups); g++)
		for (size_t i = 0; i < groups[g]->n_keys; i++)
			if (strlen(groups[g]->keys[i].name) == len &&
			    !memcmp(groups[g]->keys[i].name, name, len))
				return true;
	return false;
}

static void the_manual_has_no_entry_for_what_is_no_key(void **state)
{
	char *page = read_tree("man/ncserver.conf.5");

	(void)state;
	for (char *p = page; (p = strstr(p, "\n.It Va ")); p++) {
		const char *name = p + strlen("\n.It Va ");

		if (!is_key(name, strcspn(name, "\n")))
			fail_msg("%.*s is no key", (int)strcspn(name, "\n"), name);
	}
	free(page);
}

/* Takes what stands in the page between .Bd -literal and .Ed, with mdoc's escapes undone. */
static size_t next_example(char **p, char *out, size_t max)
{
	static const char start[] = "\n.Bd -literal -offset indent\n", end[] = "\n.Ed\n";
	char *at = strstr(*p, start), *stop;
	size_t n = 0;

	if (!at)
		return 0;
	at += sizeof(start) - 1;
	stop = strstr(at, end);
	assert_non_null(stop);
	for (; at < stop && n < max - 1; at++) {
		if (at[0] == '\\' && at[1] == 'e') {
			out[n++] = '\\';
			at++;
		} else if (!memcmp(at, "\\(aq", 4)) {
			out[n++] = '\'';
			at += 3;
		} else {
			out[n++] = *at;
		}
	}
	out[n] = 0;
	*p = stop;
	return n;
}

/* All examples of a page that look like a configuration are one. */
static void check_examples(const char *name, size_t at_least)
{
	char *page = read_tree(name), *p = page, text[4096];
	size_t n = 0;

	while (next_example(&p, text, sizeof(text))) {
		char *said;

		if (!strstr(text, "channels") && !strstr(text, " = "))
			continue;
		conf_free(fixture_parse(text, strlen(text), &fixture_env, &said));
		if (strstr(said, ": error: "))
			fail_msg("%s\n%s", said, text);
		free(said);
		n++;
	}
	assert_true(n >= at_least);
	free(page);
}

static void the_examples_of_the_manuals_are_configurations(void **state)
{
	(void)state;
	check_examples("man/ncserver.conf.5", 4);
	check_examples("man/nc-rules.7", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_example_is_read_without_a_word),
	        cmocka_unit_test(the_example_of_a_server_shows_the_defaults),
	        cmocka_unit_test(the_example_of_a_server_shows_every_key),
	        cmocka_unit_test(quickstart_brings_events_to_those_who_watch),
	        cmocka_unit_test(the_manual_has_an_entry_for_every_key),
	        cmocka_unit_test(the_manual_has_no_entry_for_what_is_no_key),
	        cmocka_unit_test(the_examples_of_the_manuals_are_configurations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
