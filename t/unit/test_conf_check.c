/*
 * Unit tests of conf: what must hold between the values of a configuration
 */

#include "t/unit/conf_fixture.h"

#include <stdio.h>
#include <unistd.h>

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

static void control_is_what_it_is(void **state)
{
	static const struct text_case cases[] = {
	        {"channels = { control = {}; };", ""},
	        {"channels = { control = { mode = \"0600\"; admin = [ \"root\" ]; listen = [ \"root\" "
	         "]; }; };",
	         ""},
	        {"channels = {\ncontrol = {\npropagatetochannels = \".*\";\npropagatetonet = "
	         "true;\nfifo = true;\nemit = [ \"root\" ];\n}; };",
	         "t:3: error: channels.control.propagatetochannels: what is said on control reaches no "
	         "other channel\n"
	         "t:4: error: channels.control.propagatetonet: what is said on control stays on this "
	         "host\n"
	         "t:5: error: channels.control.fifo: control answers, which needs a socket\n"
	         "t:6: error: channels.control.emit: who may send requests to control is said by "
	         "\"admin\"\n"},
	        {"startcontrol = false;\nchannels = {\ncontrol = {}; };",
	         "t:3: error: channels.control: it is there, and \"startcontrol\" is false\n"},
	        {"startcontrol = false; channels = { A = {}; };", ""},
	        {"startcontrol = false;",
	         "t:1: error: there is no channel, and \"startcontrol\" is false\n"},
	        {"startcontrol = false;\nchannels = {};",
	         "t:2: error: there is no channel, and \"startcontrol\" is false\n"},
	        /* one that is wrong is said to be wrong, not to be missing */
	        {"startcontrol = false; channels = { A = 5; };",
	         "t:1: error: channels.A: expected a group of the channel's keys, found the integer "
	         "5\n"},
	};

	(void)state;
	CHECK(cases);
}

static void somebody_may_listen_and_connect(void **state)
{
	static const struct text_case cases[] = {
	        {"channels = { A = { listen = []; }; };",
	         "t:1: error: channels.A.listen: nobody may listen: what is the channel for?\n"},
	        {"channels = { A = { listen = [ \"root\" ]; emit = []; admin = []; }; };", ""},
	        {"channels = { A = { mode = \"0444\"; }; };",
	         "t:1: warning: channels.A.mode: \"0444\" lets nobody but root connect\n"},
	        {"channels = { A = { mode = \"0200\"; }; };", ""},
	};

	(void)state;
	CHECK(cases);
}

/* A fifo knows an owner, a group and everybody else; a list that says something else can't be
 * honoured. The fixture's server is uid 1000. */
static void the_rights_of_a_fifo_are_what_emit_says(void **state)
{
	static const struct text_case cases[] = {
	        /* no list: the mode decides alone */
	        {"channels = { A = { fifo = true; }; B = { fifo = true; mode = \"0622\"; }; };",
	         ""},
	        {"channels = { A = { fifo = true; mode = \"0620\"; owner = 5; group = 7; emit = ( 5, "
	         "\"@7\" ); }; };",
	         ""},
	        {"channels = { A = { fifo = true; mode = \"0600\"; owner = 5; emit = ( 5 ); }; };",
	         ""},
	        {"channels = { A = { fifo = true; mode = \"0020\"; owner = 5; group = 7; emit = [ "
	         "\"@7\" ]; }; };",
	         ""},
	        /* the server's own user needs no name, and may have one */
	        {"channels = { A = { fifo = true; mode = \"0620\"; group = 7; emit = [ \"@7\" ]; }; "
	         "};",
	         ""},
	        {"channels = { A = { fifo = true; mode = \"0600\"; emit = ( 1000, 0 ); }; };", ""},
	        {"channels = { A = { fifo = false; emit = ( 5, 6 ); }; };", ""},
	        /* more names than it can say */
	        {"channels = { A = { fifo = true; mode = \"0600\"; owner = 5; emit = ( 5, 6 ); }; };",
	         "t:1: error: channels.A.fifo: \"emit\" names uid 6, and a fifo knows one user: its "
	         "owner (with a mode such as \"0600\")\n"},
	        {"channels = { A = { fifo = true; mode = \"0620\"; owner = 5; group = 7; emit = ( 5, "
	         "\"@7\", \"@8\" ); }; };",
	         "t:1: error: channels.A.fifo: \"emit\" names gid 8, and a fifo knows one group: its "
	         "own (with a mode such as \"0620\")\n"},
	        {"channels = { A = { fifo = true; mode = \"0400\"; owner = 5; group = 7; emit = ( 5, "
	         "\"@7\" ); }; };",
	         "t:1: error: channels.A.fifo: \"emit\" names uid 5, and a fifo knows one user: its "
	         "owner (with a mode such as \"0600\")\n"
	         "t:1: error: channels.A.fifo: \"emit\" names gid 7, and a fifo knows one group: its "
	         "own (with a mode such as \"0620\")\n"
	         "t:1: warning: channels.A.mode: \"0400\" lets nobody but root connect\n"},
	        /* fewer */
	        {"channels = { A = { fifo = true; mode = \"0622\"; owner = 5; group = 7; emit = ( 5, "
	         "\"@7\" ); }; };",
	         "t:1: error: channels.A.fifo: mode \"0622\" lets everybody write it, and \"emit\" does "
	         "not\n"},
	        {"channels = { A = { fifo = true; owner = 5; emit = ( 5 ); }; };",
	         "t:1: error: channels.A.fifo: mode \"0660\" lets the server's own group write it, and "
	         "\"emit\" does not\n"},
	        {"channels = { A = { fifo = true; owner = 6; group = 7; emit = ( \"@7\" ); }; };",
	         "t:1: error: channels.A.fifo: mode \"0660\" lets uid 6 write it, and \"emit\" does "
	         "not\n"},
	        {"channels = { A = { fifo = true; owner = 6; group = 7; emit = ( 6 ); }; };",
	         "t:1: error: channels.A.fifo: mode \"0660\" lets gid 7 write it, and \"emit\" does "
	         "not\n"},
	        {"channels = { A = { fifo = true; emit = []; }; };",
	         "t:1: error: channels.A.fifo: it is there to emit, and \"emit\" names nobody\n"},
	};

	(void)state;
	CHECK(cases);
}

static void no_two_channels_have_one_path(void **state)
{
	static const struct text_case cases[] = {
	        {"socket = \"/s/%s\"; channels = {\nA = { socket = \"/s/B\"; };\nB = {}; };",
	         "t:3: error: channels.B.socket: /s/B is the socket of channel A, too\n"},
	        {"channels = { A = { socket = \"/s/x\"; }; B = { socket = \"/s/x\"; };\n C = {\nsocket "
	         "= \"/s/x\"; }; };",
	         "t:1: error: channels.B.socket: /s/x is the socket of channel A, too\n"
	         "t:3: error: channels.C.socket: /s/x is the socket of channel B, too\n"},
	        {"socket = \"/s/%s\"; fifo_path = \"/s/%s\"; channels = { A = { fifo = true; }; };",
	         "t:1: error: channels.A.fifo: /s/A is the socket of channel A, too\n"},
	        {"socket = \"/s/%s\"; fifo_path = \"/s/%s-in\"; channels = { A = { fifo = true; }; "
	         "A-in = {}; };",
	         "t:1: error: channels.A-in.socket: /s/A-in is the fifo of channel A, too\n"},
	        {"socket = \"/s/%s\"; channels = { A = { socket = \"/s/control\"; }; };",
	         "t:1: error: channels.control.socket: /s/control is the socket of channel A, too\n"},
	};

	(void)state;
	CHECK(cases);
}

/* 100 bytes fit with the name that a socket has while it is made, 101 do not. */
static void a_path_must_fit_a_sockets_address(void **state)
{
	char path[256], text[600], said[600];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[100] = 0;
	snprintf(text, sizeof(text), "channels = { A = { socket = \"%s\"; }; };", path);
	conf_free(fixture_conf(text));
	path[100] = 'x';
	path[101] = 0;
	snprintf(text, sizeof(text), "channels = { A = { socket = \"%s\"; }; };", path);
	snprintf(said, sizeof(said),
	         "t:1: error: channels.A.socket: %s has 101 bytes: at most 100, so that it fits a "
	         "socket's address\n",
	         path);
	fixture_says(text, said);
	/* and the one that a template makes: 94 and "control" */
	path[94] = 0;
	snprintf(text, sizeof(text), "socket = \"%s%%s\";", path);
	snprintf(
	        said, sizeof(said),
	        "t:1: error: channels.control.socket: %scontrol has 101 bytes: at most 100, so that "
	        "it fits a socket's address\n",
	        path);
	fixture_says(text, said);
}

static void a_fifo_has_a_bound_too(void **state)
{
	char path[1001], text[1200], *said;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[999] = 0;
	snprintf(text, sizeof(text), "fifo_path = \"%s%%s\"; channels = { A = { fifo = true; }; };",
	         path);
	conf_free(fixture_conf(text));
	path[999] = 'x';
	path[1000] = 0;
	snprintf(text, sizeof(text), "fifo_path = \"%s%%s\"; channels = { A = { fifo = true; }; };",
	         path);
	assert_null(fixture_parse(text, strlen(text), &fixture_env, &said));
	assert_string_equal(said,
	                    "t:1: error: channels.A.fifo: its path has 1001 bytes: at most 1000\n");
	free(said);
}

static void a_message_that_no_quota_allows_is_warned_of(void **state)
{
	static const struct text_case cases[] = {
	        {"max_message = 65536; quota = { bytes = 65536; };", ""},
	        {"max_message = 65537;\nquota = { bytes = 65536; };",
	         "t:2: warning: \"max_message\" is more than the 65536 bytes that \"quota\" gives a "
	         "user\n"},
	        {"max_message = 65536; quota = { bytes = 65536; };\nchannels = { A = { max_message = "
	         "65537; }; B = { max_message = 65536; }; };",
	         "t:2: warning: channels.A.max_message: more than the 65536 bytes that \"quota\" gives "
	         "a user\n"},
	};

	(void)state;
	CHECK(cases);
}

#define NET_A "channels = { A = { propagatetonet = true; }; };"
#define NO_KEYS                                                                                    \
	"t:1: error: channels with \"propagatetonet\" need \"keys\" (ncserver --keygen), or "      \
	"\"insecure\" = true, or \"connecttonet\" = false\n"

static void what_leaves_the_host_is_sealed_or_said_to_be_insecure(void **state)
{
	static const struct text_case cases[] = {
	        {"channels = { A = { propagatetonet = false; }; };", ""},
	        {NET_A, NO_KEYS},
	        {"channels = { A = { propagatetonet = \"best-effort\"; }; };", NO_KEYS},
	        {"keys = [];" NET_A, NO_KEYS},
	        {"connecttonet = false;" NET_A, ""},
	        {"keys = [ \"/a.key\", \"/b.key\" ]; key = \"/b.key\";" NET_A, ""},
	        {"keys = [ \"/a.key\" ];\nkey = \"/b.key\";" NET_A,
	         "t:2: error: \"key\": /b.key is none of \"keys\"\n"},
	        {NET_A "\ninsecure = true;",
	         "t:2: warning: whoever reaches the network hears and emits on channels with "
	         "\"propagatetonet\"\n"},
	        {"keys = [ \"/a.key\" ];\ninsecure = true;",
	         "t:2: error: \"insecure\" is true, and there are \"keys\": one of them is not "
	         "meant\n"},
	};

	(void)state;
	CHECK(cases);
}

static void limits_of_the_network_fit_together(void **state)
{
	static const struct text_case cases[] = {
	        {"net_announce = 1000; net_liveness = \"2 s\";", ""},
	        {"net_announce = 1000;\nnet_liveness = 1999;",
	         "t:2: error: \"net_liveness\" of 1999 ms is less than two times \"net_announce\", "
	         "1000 ms\n"},
	        {"net_window = \"2 MiB\";\nnet_memory = \"1 MiB\";",
	         "t:2: error: \"net_memory\" is less than \"net_window\"\n"},
	        {"net_rate = 0; net_mtu = 548;", ""},
	        {"net_mtu = 547;",
	         "t:1: error: \"net_mtu\" of 547 bytes: at least 548, or 0 for what "
	         "the interface takes\n"},
	        {"net_rate = \"99 kbit\";",
	         "t:1: error: \"net_rate\" of 99000 bit/s: at least 100000, or 0 for no limit\n"},
	        {"channels = { A = {\npropagatefromnet = true;\nnetfrom = [ \"x\" ]; }; };",
	         "t:2: warning: channels.A.propagatefromnet: nothing arrives: \"propagatetonet\" is "
	         "false\n"
	         "t:3: warning: channels.A.netfrom: nothing arrives: \"propagatetonet\" is false\n"},
	        {"channels = { control = {\nnetfrom = []; }; };",
	         "t:2: error: channels.control.netfrom: control hears no other host\n"},
	};

	(void)state;
	CHECK(cases);
}

static void a_regex_that_costs_too_much_is_an_error(void **state)
{
	(void)state;
	fixture_says("channels = {\nA = { propagatetochannels = \"(a+)+$\"; };\n"
	             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa- = {}; };",
	             "t:2: error: channels.A.propagatetochannels: too costly: hits the match limit "
	             "against the channel name "
	             "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-\"\n");
}

#define EMIT_A "t:1: warning: channels.A.propagatetochannels: "

static void rules_that_widen_rights_are_named(void **state)
{
	static const struct text_case cases[] = {
	        /* the same rights on both */
	        {"channels = { A = { propagatetochannels = \".*\"; }; B = {}; };", ""},
	        {"channels = { A = { propagatetochannels = \".*\"; emit = ( 5 ); }; B = { emit = ( 4, "
	         "5 ); }; };",
	         ""},
	        {"channels = { A = { propagatetochannels = \".*\"; emit = ( 5, \"@7\" ); listen = ( 5 ); "
	         "}; B = { mode = \"0666\"; listen = ( 5 ); }; };",
	         ""},
	        /* who may emit */
	        {"channels = { A = { propagatetochannels = \"B\"; emit = ( 5 ); }; B = { emit = ( 6 ); "
	         "}; };",
	         EMIT_A "uid 5 may emit on A, and so reaches B without the right to emit there\n"},
	        {"channels = { A = { propagatetochannels = \"B\"; emit = ( \"@5\" ); }; B = { emit = ( "
	         "5 ); }; };",
	         EMIT_A "gid 5 may emit on A, and so reaches B without the right to emit there\n"},
	        {"channels = { A = { propagatetochannels = \"B\"; mode = \"0662\"; }; B = { emit = ( 5 "
	         "); listen = ( 5 ); }; };",
	         EMIT_A
	         "everybody may emit on A, and so reaches B without the right to emit there\n"},
	        {"channels = { A = { propagatetochannels = \"B\"; owner = 5; }; B = {}; };",
	         EMIT_A "uid 5 may emit on A, and so reaches B without the right to emit there\n"},
	        {"channels = { A = { propagatetochannels = \"B\"; owner = 5; mode = \"0400\"; }; B = "
	         "{ mode = \"0600\"; }; };",
	         "t:1: warning: channels.A.mode: \"0400\" lets nobody but root connect\n"},
	        /* who may listen */
	        {"channels = { A = { propagatetochannels = \"B\"; listen = ( 5 ); }; B = { listen = ( "
	         "5, 6, 0 ); }; };",
	         EMIT_A
	         "uid 6 may listen to B, and so hears A without the right to listen there\n"},
	        {"channels = { A = { propagatetochannels = \"B\"; }; B = { mode = \"0666\"; }; };",
	         EMIT_A "everybody may listen to B, and so hears A without the right to listen "
	                "there\n"},
	        /* both */
	        {"channels = { A = { propagatetochannels = \"B\"; emit = ( 5 ); listen = ( 5 ); }; B = "
	         "{ emit = ( 6 ); listen = ( 6 ); }; };",
	         EMIT_A
	         "uid 5 may emit on A, and so reaches B without the right to emit there; uid 6 "
	         "may listen to B, and so hears A without the right to listen there\n"},
	        /* nothing leads to control */
	        {"channels = { A = { propagatetochannels = \".*\"; mode = \"0666\"; }; };", ""},
	};

	(void)state;
	CHECK(cases);
}

/* A channel without a group belongs to the group of the server. */
static void the_servers_own_group_is_a_group_like_others(void **state)
{
	char text[256], said[512];

	(void)state;
	snprintf(
	        text, sizeof(text),
	        "channels = { A = { propagatetochannels = \"B\"; emit = ( \"@%u\" ); }; B = {}; };",
	        (unsigned)getegid());
	conf_free(fixture_conf(text));
	snprintf(
	        text, sizeof(text),
	        "channels = { A = { propagatetochannels = \"B\"; emit = ( \"@%u\" ); }; B = {}; };",
	        (unsigned)getegid() + 1);
	snprintf(said, sizeof(said),
	         EMIT_A "gid %u may emit on A, and so reaches B without the right to emit there\n",
	         (unsigned)getegid() + 1);
	fixture_says(text, said);
}

static void many_widened_channels_are_summed_up(void **state)
{
	struct buf b;
	char *said;
	size_t n = 0;

	(void)state;
	buf_init(&b, 1 << 20);
	assert_int_equal(buf_append_str(&b, "channels = { A = { mode = \"0666\"; "
	                                    "propagatetochannels = \"^c\"; listen = ( 5 ); };\n"),
	                 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(buf_printf(&b, "c%d = { emit = ( 5 ); listen = ( 5 ); };\n", i),
		                 0);
	assert_int_equal(buf_append_str(&b, "};"), 0);
	conf_free(fixture_parse(buf_str(&b), b.len, &fixture_env, &said));
	for (char *p = said; (p = strstr(p, "everybody may emit on A")); p++)
		n++;
	assert_int_equal(n, 8);
	assert_non_null(strstr(said, EMIT_A "it widens rights towards 12 more channels\n"));
	free(said);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(control_is_what_it_is),
	        cmocka_unit_test(somebody_may_listen_and_connect),
	        cmocka_unit_test(the_rights_of_a_fifo_are_what_emit_says),
	        cmocka_unit_test(no_two_channels_have_one_path),
	        cmocka_unit_test(a_path_must_fit_a_sockets_address),
	        cmocka_unit_test(a_fifo_has_a_bound_too),
	        cmocka_unit_test(a_message_that_no_quota_allows_is_warned_of),
	        cmocka_unit_test(what_leaves_the_host_is_sealed_or_said_to_be_insecure),
	        cmocka_unit_test(limits_of_the_network_fit_together),
	        cmocka_unit_test(a_regex_that_costs_too_much_is_an_error),
	        cmocka_unit_test(rules_that_widen_rights_are_named),
	        cmocka_unit_test(the_servers_own_group_is_a_group_like_others),
	        cmocka_unit_test(many_widened_channels_are_summed_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
