/*
 * Unit tests of conf: files, included files, and where a file is looked for
 */

#include "t/unit/conf_fixture.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of its own for each test, with everything in it named by one letter or two. */
static char dir[] = "/tmp/test_conf_read.XXXXXX";
static char path_buf[4][512];

static const char *in_dir(unsigned slot, const char *name)
{
	snprintf(path_buf[slot], sizeof(path_buf[slot]), "%s/%s", dir, name);
	return path_buf[slot];
}

static const char *put(const char *name, const char *text)
{
	const char *path = in_dir(0, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0644), 0);
	return path;
}

static int make_dir(void **state)
{
	(void)state;
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[600];

	(void)state;
	snprintf(command, sizeof(command), "chmod -R u+w '%s' && rm -rf '%s'", dir, dir);
	return system(command);
}

/* Reads a file; *said has its problems, with the folder's name cut out of them. */
static struct conf *read_as(const char *path, uid_t uid, char **said)
{
	const struct conf_env env = {
	        .uid = uid, .runtime_dir = "/run/user/1000", .hostname = "box"};
	struct conf_problems problems = {0};
	struct conf *c = NULL;
	struct buf out;
	char *at;
	int r = conf_read(&c, path, &env, &problems);

	assert_true(r == 0 || r == 1);
	assert_int_equal(r == 0, c != NULL);
	assert_int_equal(r == 1, problems.n_errors > 0);
	buf_init(&out, 1 << 20);
	assert_int_equal(conf_problems_print(&out, &problems), 0);
	*said = strdup(buf_str(&out));
	assert_non_null(*said);
	while ((at = strstr(*said, dir)))
		memmove(at, at + strlen(dir), strlen(at + strlen(dir)) + 1);
	buf_fini(&out);
	conf_problems_fini(&problems);
	return c;
}

static void read_says(const char *path, const char *expected)
{
	char *said;

	conf_free(read_as(path, 1000, &said));
	assert_string_equal(said, expected);
	free(said);
}

static struct conf *read_ok(const char *path)
{
	char *said;
	struct conf *c = read_as(path, 1000, &said);

	assert_string_equal(said, "");
	assert_non_null(c);
	free(said);
	return c;
}

static void a_file_is_read_and_its_name_kept(void **state)
{
	const char *path = put("c", "port = 5;");
	struct conf *c = read_ok(path);

	(void)state;
	assert_string_equal(c->file, path);
	assert_false(c->is_json);
	assert_int_equal(c->port, 5);
	conf_free(c);
	c = read_ok(put("c", "{\"port\":6}"));
	assert_true(c->is_json);
	assert_int_equal(c->port, 6);
	conf_free(c);
}

static void a_file_that_can_not_be_read_is_named_with_the_reason(void **state)
{
	char path[600];

	(void)state;
	read_says(in_dir(1, "no"), "/no: error: cannot read /no: No such file or directory\n");
	read_says(dir, ": error: cannot read : Is a directory\n");
	read_says("/dev/null", "/dev/null: error: cannot read /dev/null: not a regular file\n");
	assert_int_equal(mkfifo(in_dir(1, "f"), 0600), 0);
	read_says(in_dir(1, "f"),
	          "/f: error: there is nothing in it (\"{}\" says: all as by default)\n");
	put("c", "");
	snprintf(path, sizeof(path), "%s/c/d", dir);
	read_says(path, "/c/d: error: cannot read /c/d: Not a directory\n");
	read_says(in_dir(1, "c"),
	          "/c: error: there is nothing in it (\"{}\" says: all as by default)\n");
	if (geteuid() == 0)
		return;
	assert_int_equal(chmod(put("c", "port = 5;"), 0), 0);
	read_says(in_dir(1, "c"), "/c: error: cannot read /c: Permission denied\n");
}

static void a_file_has_a_bound(void **state)
{
	const char *path = put("c", "port = 5;");
	FILE *f = fopen(path, "a");

	(void)state;
	assert_non_null(f);
	for (size_t n = strlen("port = 5;"); n < CONF_TEXT_MAX; n++)
		fputc(' ', f);
	fflush(f);
	conf_free(read_ok(path));
	fputc(' ', f);
	fclose(f);
	read_says(path, "/c: error: cannot read /c: larger than 4 MiB\n");
}

static void included_files_are_put_in(void **state)
{
	struct conf *c;

	(void)state;
	assert_int_equal(mkdir(in_dir(1, "sub"), 0755), 0);
	put("a", "port = 5;\nchannels = {\n@include \"b\"\n  D = {};\n};\n");
	put("b", "B = {};\n@include \"sub/c\"");
	/* relative to the file that says it */
	put("sub/c", "C = {};@include \"e\"");
	put("sub/e", "");
	c = read_ok(in_dir(1, "a"));
	assert_int_equal(c->n_channels, 4);
	assert_non_null(conf_channel(c, "B"));
	assert_non_null(conf_channel(c, "C"));
	assert_int_equal(conf_channel(c, "D")->line, 4);
	assert_string_equal(c->file, in_dir(1, "a"));
	conf_free(c);
}

static void an_absolute_name_is_taken_as_it_is(void **state)
{
	char text[600];
	struct conf *c;

	(void)state;
	put("b", "port = 7;");
	snprintf(text, sizeof(text), "@include \"%s/b\"", dir);
	c = read_ok(put("a", text));
	assert_int_equal(c->port, 7);
	conf_free(c);
}

static void errors_are_told_with_the_file_they_are_in(void **state)
{
	(void)state;
	put("a", "port = 0;\nchannels = {\n  @include \"b\" Z = 5;\n  D = 5;\n};\nprot = 5;\n");
	put("b", "B = {\n mode = 5; };\n\nC = { fifo = 5; };");
	read_says(
	        in_dir(1, "a"),
	        "/a:1: error: port: 0 is too little: at least 1\n"
	        "/a:3: error: channels.Z: expected a group of the channel's keys, found the integer "
	        "5\n"
	        "/a:4: error: channels.D: expected a group of the channel's keys, found the integer "
	        "5\n"
	        "/a:6: error: prot: unknown key; did you mean \"port\"?\n"
	        "/b:2: error: channels.B.mode: expected an octal string such as \"0660\", found the "
	        "integer 5\n"
	        "/b:4: error: channels.C.fifo: expected true or false, found the integer 5\n");
	put("a", "port = 5;\n\n@include \"b\"\n");
	put("b", "\nport = 6;");
	read_says(in_dir(1, "a"), "/b:2: error: port: stands twice, first in /a:1\n");
	put("b", "\nhost = \"x\n\";\n = 5;");
	read_says(in_dir(1, "a"), "/b:4: error: syntax error\n");
	put("b", "x = {\n@include \"c\"\n");
	put("c", "}}");
	read_says(in_dir(1, "a"), "/c:1: error: '}' closes nothing\n");
}

static void files_that_can_not_be_included_are_told_where_they_are_asked_for(void **state)
{
	(void)state;
	put("a", "\n@include \"no\"\n@include \".\"\n@include \"f\"\n@include \"b\"\nprot = 5;");
	put("b", "@include \"/dev/zero\"\nhost = \"\xff\";");
	assert_int_equal(mkfifo(in_dir(1, "f"), 0600), 0);
	read_says(in_dir(1, "a"), "/a:2: error: cannot read /no: No such file or directory\n"
	                          "/a:3: error: cannot read /.: Is a directory\n"
	                          "/a:4: error: cannot read /f: not a regular file\n"
	                          "/b:2: error: not UTF-8\n");
	put("b", "@include \"/dev/zero\"");
	read_says(in_dir(1, "a"), "/a:2: error: cannot read /no: No such file or directory\n"
	                          "/a:3: error: cannot read /.: Is a directory\n"
	                          "/a:4: error: cannot read /f: not a regular file\n"
	                          "/b:1: error: cannot read /dev/zero: not a regular file\n");
}

static void files_that_include_themselves_end(void **state)
{
	(void)state;
	put("a", "@include \"a\"\n");
	read_says(in_dir(1, "a"), "/a:1: error: @include: more than 10 files in one another\n");
	/* doubling at each of ten levels */
	put("a", "@include \"b\"\n");
	put("b", "@include \"c\"\n@include \"c\"\n");
	put("c", "@include \"d\"\n@include \"d\"\n");
	put("d", "@include \"e\"\n@include \"e\"\n");
	put("e", "@include \"f\"\n@include \"f\"\n");
	put("f", "@include \"g\"\n@include \"g\"\n");
	put("g", "@include \"h\"\n@include \"h\"\n");
	put("h", "@include \"i\"\n@include \"i\"\n");
	put("i", "@include \"j\"\n@include \"j\"\n");
	put("j", "# the end\n");
	read_says(in_dir(1, "a"), "/b:2: error: @include: more than 256 files\n");
}

static void root_is_told_who_else_can_write_its_file(void **state)
{
	const char *path = put("a", "@include \"b\"\n");
	char *said;

	(void)state;
	put("b", "port = 5;\n");
	path = in_dir(1, "a");
	if (geteuid() != 0)
		skip();
	conf_free(read_as(path, 0, &said));
	assert_string_equal(said, "");
	free(said);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(chmod(in_dir(2, "b"), 0664), 0);
	assert_int_equal(chown(in_dir(2, "b"), 5, 6), 0);
	conf_free(read_as(path, 0, &said));
	assert_string_equal(
	        said,
	        "/a: warning: /a is writable by everybody: who can write it is root in effect\n"
	        "/a:1: warning: /b belongs to uid 5: who can write it is root in effect\n"
	        "/a:1: warning: /b is writable by its group (gid 6): who can write it is root in "
	        "effect\n");
	free(said);
	/* who is no other than the one who runs it is not told */
	conf_free(read_as(path, 1000, &said));
	assert_string_equal(said, "");
	free(said);
}

static void the_socket_template_of_the_start_wins(void **state)
{
	struct conf_env env = fixture_env;
	static const char text[] = "socket = \"/srv/%s\"; channels = { A = {}; B = { socket = "
	                           "\"/own\"; }; };";
	char *said;
	struct conf *c;

	(void)state;
	env.socket_override = "/tmp/q/%s.sock";
	c = fixture_parse(text, strlen(text), &env, &said);
	assert_string_equal(said, "");
	free(said);
	assert_string_equal(c->socket, "/tmp/q/%s.sock");
	assert_string_equal(c->fifo, "/tmp/q/%s.fifo");
	assert_string_equal(c->channels[0].socket, "/tmp/q/A.sock");
	assert_string_equal(c->channels[1].socket, "/own");
	conf_free(c);
	c = conf_default(&env);
	assert_string_equal(c->channels[0].socket, "/tmp/q/control.sock");
	conf_free(c);
	env.socket_override = "relative/%s";
	c = fixture_parse(text, strlen(text), &env, &said);
	assert_null(c);
	assert_string_equal(said, "(command line): error: socket: \"relative/%s\" is not an "
	                          "absolute path\n");
	free(said);
}

static void paths_by_default_depend_on_who_runs_it(void **state)
{
	static const struct {
		struct conf_env env;
		const char *socket;
		const char *path;
		const char *host;
	} cases[] = {
	        {{.uid = 0, .runtime_dir = "/run/user/0", .hostname = "a"},
	         "/run/netcluster/%s.sock",
	         "/run/netcluster/control.sock",
	         "a"},
	        {{.uid = 7, .runtime_dir = "/run/user/7", .hostname = "a.b.c"},
	         "/run/user/7/netcluster/%s.sock",
	         "/run/user/7/netcluster/control.sock",
	         "a"},
	        {{.uid = 7, .runtime_dir = NULL, .hostname = ""},
	         "/tmp/netcluster-7/%s.sock",
	         "/tmp/netcluster-7/control.sock",
	         "localhost"},
	        {{.uid = 7, .runtime_dir = "relative", .hostname = NULL},
	         "/tmp/netcluster-7/%s.sock",
	         "/tmp/netcluster-7/control.sock",
	         "localhost"},
	        {{.uid = 7, .runtime_dir = "/odd%s", .hostname = "(none)"},
	         "/odd%%s/netcluster/%s.sock",
	         "/odd%s/netcluster/control.sock",
	         "localhost"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct conf *c = conf_default(&cases[i].env);

		assert_string_equal(c->socket, cases[i].socket);
		assert_string_equal(c->channels[0].socket, cases[i].path);
		assert_string_equal(c->host, cases[i].host);
		conf_free(c);
	}
}

static void a_fifo_stands_beside_the_socket(void **state)
{
	static const struct {
		const char *socket;
		const char *fifo;
	} cases[] = {
	        {"/s/%s.sock", "/s/%s.fifo"},
	        {"/s/netcluster-%s", "/s/netcluster-%s.fifo"},
	        {"/s/%s/x.sock", "/s/%s/x.fifo"},
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct conf *c;

		snprintf(text, sizeof(text), "socket = \"%s\";", cases[i].socket);
		c = fixture_conf(text);
		assert_string_equal(c->fifo, cases[i].fifo);
		conf_free(c);
	}
}

static void assert_found(uid_t uid, const char *expected)
{
	const struct conf_env env = {.uid = uid};
	char *found = conf_find(&env);

	if (expected)
		assert_string_equal(found, expected);
	else if (found)
		/* a machine may have one installed */
		assert_memory_equal(found, "/", 1);
	free(found);
}

static void the_standard_places_are_looked_at_in_order(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_dir(1, ".config"), 0700), 0);
	assert_int_equal(mkdir(in_dir(1, ".config/netcluster"), 0700), 0);
	assert_int_equal(mkdir(in_dir(1, "netcluster"), 0700), 0);
	setenv("HOME", dir, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("NCSERVER_CONF");
	assert_found(1000, NULL);
	put(".config/netcluster/ncserver.conf", "{}");
	assert_found(1000, in_dir(1, ".config/netcluster/ncserver.conf"));
	/* root has no home of its own for this */
	assert_found(0, NULL);
	put("netcluster/ncserver.conf", "{}");
	setenv("XDG_CONFIG_HOME", dir, 1);
	assert_found(1000, in_dir(1, "netcluster/ncserver.conf"));
	setenv("XDG_CONFIG_HOME", "relative", 1);
	assert_found(1000, in_dir(1, ".config/netcluster/ncserver.conf"));
	/* named, though not there: whoever names it is to hear that */
	setenv("NCSERVER_CONF", "/no/such/file", 1);
	assert_found(1000, "/no/such/file");
	assert_found(0, "/no/such/file");
	unsetenv("NCSERVER_CONF");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(a_file_is_read_and_its_name_kept),
	        TEST(a_file_that_can_not_be_read_is_named_with_the_reason),
	        TEST(a_file_has_a_bound),
	        TEST(included_files_are_put_in),
	        TEST(an_absolute_name_is_taken_as_it_is),
	        TEST(errors_are_told_with_the_file_they_are_in),
	        TEST(files_that_can_not_be_included_are_told_where_they_are_asked_for),
	        TEST(files_that_include_themselves_end),
	        TEST(root_is_told_who_else_can_write_its_file),
	        TEST(the_socket_template_of_the_start_wins),
	        TEST(paths_by_default_depend_on_who_runs_it),
	        TEST(a_fifo_stands_beside_the_socket),
	        TEST(the_standard_places_are_looked_at_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
