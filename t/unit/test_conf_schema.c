/*
 * Unit tests of conf: each key by itself, what it takes and how it refuses
 */

#include "t/unit/conf_fixture.h"

#include <inttypes.h>
#include <stdio.h>

#include "ncserver/conf/suggest.h"

/* A number and its limits, as the manual has them. `where` has a %s for the value. */
static const struct {
	const char *where;
	const char *path;
	int64_t min;
	int64_t max;
	const char *min_said;
	const char *max_said;
} numbers[] = {
        {"port = %s;", "port", 1, 65535, "1", "65535"},
        {"max_message = %s;", "max_message", 1024, 256 << 20, "1 KiB", "256 MiB"},
        {"hello_wait = %s;", "hello_wait", 1, 60000, "1 ms", "1 min"},
        {"drain_timeout = %s;", "drain_timeout", 0, 600000, "0 ms", "10 min"},
        {"probation = %s;", "probation", 0, 86400000, "0 ms", "24 h"},
        {"slow_list = %s;", "slow_list", 0, 65536, "0", "65536"},
        {"max_clients = %s;", "max_clients", 1, 1 << 20, "1", "1048576"},
        {"max_subscriptions = %s;", "max_subscriptions", 1, 1 << 20, "1", "1048576"},
        {"busy_poll_us = %s;", "busy_poll_us", 0, 1000, "0", "1000"},
        {"quota = { connections = %s; };", "quota.connections", 1, 1 << 20, "1", "1048576"},
        {"quota = { connection_rate = %s; };", "quota.connection_rate", 1, 1000000, "1", "1000000"},
        {"max_message = 1024; quota = { bytes = %s; };", "quota.bytes", 65536, 1ll << 40, "64 KiB",
         "1024 GiB"},
        {"quota = { subscriptions = %s; };", "quota.subscriptions", 1, 1 << 24, "1", "16777216"},
        {"channels = { A = { queue_bytes = %s; }; };", "channels.A.queue_bytes", 65536, 1 << 30,
         "64 KiB", "1 GiB"},
        {"channels = { A = { queue_messages = %s; }; };", "channels.A.queue_messages", 16, 10000000,
         "16", "10000000"},
        {"channels = { A = { block_timeout = %s; }; };", "channels.A.block_timeout", 10, 3600000,
         "10 ms", "1 h"},
        {"channels = { A = { conflate_names = %s; }; };", "channels.A.conflate_names", 1, 65536,
         "1", "65536"},
        {"channels = { A = { max_message = %s; }; };", "channels.A.max_message", 1024, 256 << 20,
         "1 KiB", "256 MiB"},
        {"quotas = ( { user = 5; connections = %s; } );", "quotas.connections", 1, 1 << 20, "1",
         "1048576"},
};

static void number_text(char *out, size_t len, const char *where, int64_t value)
{
	char digits[32];
	const char *at = strstr(where, "%s");

	snprintf(digits, sizeof(digits), "%" PRId64, value);
	snprintf(out, len, "%.*s%s%s", (int)(at - where), where, digits, at + 2);
}

static void every_number_has_its_limits(void **state)
{
	char text[256], said[256], *answer;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		number_text(text, sizeof(text), numbers[i].where, numbers[i].min);
		conf_free(fixture_conf(text));
		number_text(text, sizeof(text), numbers[i].where, numbers[i].max);
		conf_free(fixture_conf(text));
		number_text(text, sizeof(text), numbers[i].where, numbers[i].max + 1);
		conf_free(fixture_parse(text, strlen(text), &fixture_env, &answer));
		assert_non_null(strstr(answer, " is too much: at most "));
		snprintf(said, sizeof(said), "at most %s\n", numbers[i].max_said);
		assert_non_null(strstr(answer, said));
		snprintf(said, sizeof(said), "t:1: error: %s: ", numbers[i].path);
		assert_memory_equal(answer, said, strlen(said));
		free(answer);
		number_text(text, sizeof(text), numbers[i].where, numbers[i].min - 1);
		conf_free(fixture_parse(text, strlen(text), &fixture_env, &answer));
		snprintf(said, sizeof(said), "is too little: at least %s\n", numbers[i].min_said);
		assert_non_null(strstr(answer, said));
		free(answer);
	}
}

static void sizes_and_times_have_units(void **state)
{
	static const struct {
		const char *value;
		uint64_t bytes; /* of "quota.bytes"; 0: refused */
		uint32_t ms;    /* of "probation"; UINT32_MAX: refused */
	} cases[] = {
	        {"\"65536\"", 0, UINT32_MAX},
	        {"\"65536 B\"", 65536, UINT32_MAX},
	        {"\"70000B\"", 70000, UINT32_MAX},
	        {"\"100 KiB\"", 102400, UINT32_MAX},
	        {"\"3MiB\"", 3 << 20, UINT32_MAX},
	        {"\"2 GiB\"", 2ull << 30, UINT32_MAX},
	        {"\"2 GB\"", 0, UINT32_MAX},
	        {"\"2 mib\"", 0, UINT32_MAX},
	        {"\"2  MiB\"", 0, UINT32_MAX},
	        {"\" 2 MiB\"", 0, UINT32_MAX},
	        {"\"2 MiB \"", 0, UINT32_MAX},
	        {"\"-2 MiB\"", 0, UINT32_MAX},
	        {"\"+2 MiB\"", 0, UINT32_MAX},
	        {"\"1.5 MiB\"", 0, UINT32_MAX},
	        {"\"99999999999 GiB\"", 0, UINT32_MAX},
	        {"\"99999999999999999999 B\"", 0, UINT32_MAX},
	        {"\"MiB\"", 0, UINT32_MAX},
	        {"\"\"", 0, UINT32_MAX},
	        {"1.5", 0, UINT32_MAX},
	        {"true", 0, UINT32_MAX},
	        {"\"250 ms\"", 0, 250},
	        {"\"2s\"", 0, 2000},
	        {"\"0 s\"", 0, 0},
	        {"\"5 min\"", 0, 300000},
	        {"\"3 h\"", 0, 10800000},
	        {"\"3 d\"", 0, UINT32_MAX},
	        {"70000", 70000, 70000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[128], *said;
		struct conf *c;

		snprintf(text, sizeof(text), "max_message = 1024; quota = { bytes = %s; };",
		         cases[i].value);
		c = fixture_parse(text, strlen(text), &fixture_env, &said);
		assert_true((c ? c->quota.bytes : 0) == cases[i].bytes);
		conf_free(c);
		free(said);
		snprintf(text, sizeof(text), "probation = %s;", cases[i].value);
		c = fixture_parse(text, strlen(text), &fixture_env, &said);
		assert_int_equal(c ? c->probation_ms : UINT32_MAX, cases[i].ms);
		conf_free(c);
		free(said);
	}
}

struct text_case {
	const char *text;
	const char *said;
};

static void wrong_types_are_told_with_what_was_expected(void **state)
{
	static const struct text_case cases[] = {
	        {"dumpnet = 1;",
	         "t:1: error: dumpnet: expected true or false, found the integer 1\n"},
	        {"dumpnet = \"true\";",
	         "t:1: error: dumpnet: expected true or false, found the string \"true\"\n"},
	        {"port = \"4454\";",
	         "t:1: error: port: expected an integer, found the string \"4454\"\n"},
	        {"port = 1.5;", "t:1: error: port: expected an integer, found the number 1.5\n"},
	        {"port = {};", "t:1: error: port: expected an integer, found a group\n"},
	        {"port = [];", "t:1: error: port: expected an integer, found a list\n"},
	        {"{\"port\":null}", "t:1: error: port: expected an integer, found null\n"},
	        {"addr = 224;", "t:1: error: addr: expected a string, found the integer 224\n"},
	        {"host = true;", "t:1: error: host: expected a string, found true\n"},
	        {"max_message = 1.5;",
	         "t:1: error: max_message: expected an integer of bytes, or a string such as \"64 "
	         "KiB\" (KiB, MiB, GiB), found the number 1.5\n"},
	        {"probation = \"soon\";",
	         "t:1: error: probation: expected an integer of milliseconds, or a string such as "
	         "\"500 ms\" or \"1 s\" (ms, s, min, h), found the string \"soon\"\n"},
	        {"quota = 5;",
	         "t:1: error: quota: expected a group such as { connections = 100; }, "
	         "found the integer 5\n"},
	        {"quotas = {};", "t:1: error: quotas: expected a list of groups such as { user = "
	                         "\"alice\"; connections = 5; }, found a group\n"},
	        {"quotas = ( 5 );",
	         "t:1: error: quotas: expected a group such as { user = \"alice\"; "
	         "connections = 5; }, found the integer 5\n"},
	        {"channels = 5;",
	         "t:1: error: channels: expected a group with the channels' names as "
	         "keys, or a list of groups with a \"name\", found the integer 5\n"},
	        {"channels = { A = 5; };",
	         "t:1: error: channels.A: expected a group of the channel's "
	         "keys, found the integer 5\n"},
	        {"{\"channels\":[5]}",
	         "t:1: error: channels: expected a group of the channel's keys, "
	         "found the integer 5\n"},
	        {"channels = { A = { propagatetochannels = true; }; };",
	         "t:1: error: channels.A.propagatetochannels: expected false, or a string with a regex "
	         "of channel names, such as \"^log\", found true\n"},
	        {"channels = { A = { propagatetonet = 1; }; };",
	         "t:1: error: channels.A.propagatetonet: expected true, false, \"reliable\" or "
	         "\"best-effort\", found the integer 1\n"},
	        {"channels = { A = { mode = 660; }; };",
	         "t:1: error: channels.A.mode: expected an octal string such as \"0660\", found the "
	         "integer 660\n"},
	        {"channels = { A = { emit = \"alice\"; }; };",
	         "t:1: error: channels.A.emit: expected a list such as [ \"alice\", \"@staff\" ], found "
	         "the string \"alice\"\n"},
	        {"channels = { A = { emit = ( true, {}, \"\", \"@\" ); }; };",
	         "t:1: error: channels.A.emit: expected a user such as \"alice\" or a group such as "
	         "\"@staff\", found true\n"
	         "t:1: error: channels.A.emit: expected a user such as \"alice\" or a group such as "
	         "\"@staff\", found a group\n"
	         "t:1: error: channels.A.emit: expected a user such as \"alice\" or a group such as "
	         "\"@staff\", found the string \"\"\n"
	         "t:1: error: channels.A.emit: expected a user such as \"alice\" or a group such as "
	         "\"@staff\", found the string \"@\"\n"},
	        {"channels = { A = { owner = true; policy = 5; }; };",
	         "t:1: error: channels.A.owner: expected a user: a name in quotes, or an id, found "
	         "true\n"
	         "t:1: error: channels.A.policy: expected a string, found the integer 5\n"},
	        {"channels = { A = { fifo = \"x\"; socket = 5; }; };",
	         "t:1: error: channels.A.socket: expected a path, found the integer 5\n"
	         "t:1: error: channels.A.fifo: expected true or false, found the string \"x\"\n"},
	        {"socket = 5;", "t:1: error: socket: expected a path with %s in it, such as "
	                        "\"/run/netcluster/%s.sock\", found the integer 5\n"},
	        {"host = \"a string that is longer than forty characters, and told in part\"; log_level "
	         "= 3",
	         "t:1: error: host: \"a string that is longer than forty characters, and told in part\" "
	         "is no name of a host: 1 to 63 letters, digits, '-' and '_'\n"
	         "t:1: error: log_level: expected a string, found the integer 3\n"},
	        {"port = \"a string that is longer than forty char\xc3\xa4"
	         "cters\";",
	         "t:1: error: port: expected an integer, found the string \"a string that is longer "
	         "than forty char...\"\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		fixture_says(cases[i].text, cases[i].said);
}

static void unknown_keys_and_words_are_told_with_what_may_be_meant(void **state)
{
	static const struct text_case cases[] = {
	        {"prot = 5;", "t:1: error: prot: unknown key; did you mean \"port\"?\n"},
	        {"chanels = {};", "t:1: error: chanels: unknown key; did you mean \"channels\"?\n"},
	        {"StartControl = true;",
	         "t:1: error: StartControl: unknown key; did you mean \"startcontrol\"?\n"},
	        {"hello = 5;", "t:1: error: hello: unknown key; did you mean \"hello_wait\"?\n"},
	        {"colour = 5;", "t:1: error: colour: unknown key\n"},
	        {"emit = [];", "t:1: error: emit: unknown key here; it belongs into a channel\n"},
	        {"connections = 5;",
	         "t:1: error: connections: unknown key here; it belongs into \"quota\"\n"},
	        {"channels = { A = { log_level = \"info\"; propagatetochanels = false; }; };",
	         "t:1: error: channels.A.log_level: unknown key here; it belongs into the whole server\n"
	         "t:1: error: channels.A.propagatetochanels: unknown key; did you mean "
	         "\"propagatetochannels\"?\n"},
	        {"quota = { conections = 5; mode = \"0660\"; };",
	         "t:1: error: quota.conections: unknown key; did you mean \"connections\"?\n"
	         "t:1: error: quota.mode: unknown key here; it belongs into a channel\n"},
	        {"quotas = ( { user = 1; byte = 5; } );",
	         "t:1: error: quotas.byte: unknown key; did you mean \"bytes\"?\n"},
	        {"log_level = \"warn\";",
	         "t:1: error: log_level: unknown value \"warn\"; did you mean \"warning\"?\n"},
	        {"log_level = \"loud\";",
	         "t:1: error: log_level: unknown value \"loud\": one of \"error\", \"warning\", "
	         "\"info\", \"debug\"\n"},
	        {"channels = { A = { policy = \"drop\"; propagatetonet = \"besteffort\"; }; };",
	         "t:1: error: channels.A.propagatetonet: unknown value \"besteffort\"; did you mean "
	         "\"best-effort\"?\n"
	         "t:1: error: channels.A.policy: unknown value \"drop\"; did you mean "
	         "\"drop-oldest\"?\n"},
	        {"{\"\": 5, \"a\\nb\": 5}", "t:1: error: \"\": unknown key\n"
	                                    "t:1: error: a?b: unknown key\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		fixture_says(cases[i].text, cases[i].said);
}

static void what_is_no_name_path_or_address_is_refused(void **state)
{
	static const struct text_case cases[] = {
	        {"addr = \"10.0.0.1\";", "t:1: error: addr: \"10.0.0.1\" is no multicast address "
	                                 "(224.0.0.0 to 239.255.255.255, or from ff00::)\n"},
	        {"addr = \"\";",
	         "t:1: error: addr: \"\" is no multicast address (224.0.0.0 to 239.255.255.255, or from ff00::)\n"},
	        {"addr = \"240.0.0.0\";", "t:1: error: addr: \"240.0.0.0\" is no multicast address "
	                                  "(224.0.0.0 to 239.255.255.255, or from ff00::)\n"},
	        {"addr = \"224.0.0.0\";", ""},
	        {"addr = \"239.255.255.255\";", ""},
	        {"addr = \"ff12::6e63\";", ""},
	        {"addr = \"fe80::1\";", "t:1: error: addr: \"fe80::1\" is no multicast address "
	                                "(224.0.0.0 to 239.255.255.255, or from ff00::)\n"},
	        {"interface = \"\";",
	         "t:1: error: interface: \"\" is no interface: a name such as \"eth0\", a prefix such "
	         "as \"10.0.0.0/24\", or an address\n"},
	        {"keys = ( \"a\", \"/x\", \"/x\", 5 );",
	         "t:1: error: keys: \"a\" is not an absolute path\n"
	         "t:1: error: keys: \"/x\" stands twice\n"
	         "t:1: error: keys: expected a string, found the integer 5\n"},
	        {"keys = \"/x\";", "t:1: error: keys: expected a list of paths such as [ "
	                           "\"/etc/netcluster/a.key\" ], found the string \"/x\"\n"},
	        {"peers = [ \"\", \"a b\", \"[::1]:5\" ];",
	         "t:1: error: peers: \"\" is no host, as \"10.0.0.7\", \"lab-2:4454\" or "
	         "\"[fe80::1%eth0]:4454\"\n"
	         "t:1: error: peers: \"a b\" is no host, as \"10.0.0.7\", \"lab-2:4454\" or "
	         "\"[fe80::1%eth0]:4454\"\n"},
	        {"channels = { A = { propagatetonet = false; netfrom = [ \"a.b\" ]; }; };",
	         "t:1: error: channels.A.netfrom: \"a.b\" is no name of a host\n"
	         "t:1: warning: channels.A.netfrom: nothing arrives: \"propagatetonet\" is false\n"},
	        {"host = \"a.b\";",
	         "t:1: error: host: \"a.b\" is no name of a host: 1 to 63 letters, "
	         "digits, '-' and '_'\n"},
	        {"socket = \"/run/x\";",
	         "t:1: error: socket: \"/run/x\" has no %s, which the channel's "
	         "name is put for\n"},
	        {"socket = \"/run/%s/%s\";",
	         "t:1: error: socket: \"/run/%s/%s\" has more than one %s\n"},
	        {"socket = \"run/%s\";",
	         "t:1: error: socket: \"run/%s\" is not an absolute path\n"},
	        {"socket = \"/run/%s/\";", "t:1: error: socket: \"/run/%s/\" ends with a slash\n"},
	        {"socket = \"/run/%d%s\";",
	         "t:1: error: socket: \"/run/%d%s\" has a '%' that is neither %s nor %%\n"},
	        {"socket = \"/run/%s%\";",
	         "t:1: error: socket: \"/run/%s%\" has a '%' that is neither %s nor %%\n"},
	        {"socket = \"/run/\\x07%s\";",
	         "t:1: error: socket: \"/run/?%s\" has a control character in it\n"},
	        {"fifo_path = \"/run/x\";",
	         "t:1: error: fifo_path: \"/run/x\" has no %s, which the "
	         "channel's name is put for\n"},
	        {"channels = { A = { socket = \"a\"; }; B = { socket = \"/%s\"; }; C = { socket = "
	         "\"\"; }; };",
	         "t:1: error: channels.A.socket: \"a\" is not an absolute path\n"
	         "t:1: error: channels.B.socket: \"/%s\" has a %s in it, which only the \"socket\" of "
	         "the whole server may\n"
	         "t:1: error: channels.C.socket: \"\" is not an absolute path\n"},
	        {"channels = { A = { mode = \"0888\"; }; B = { mode = \"\"; }; C = { mode = \"01777\"; "
	         "}; D = { mode = \"-1\"; }; E = { mode = \"7\"; }; };",
	         "t:1: error: channels.A.mode: \"0888\" is no octal mode from \"0000\" to \"0777\"\n"
	         "t:1: error: channels.B.mode: \"\" is no octal mode from \"0000\" to \"0777\"\n"
	         "t:1: error: channels.C.mode: \"01777\" is no octal mode from \"0000\" to \"0777\"\n"
	         "t:1: error: channels.D.mode: \"-1\" is no octal mode from \"0000\" to \"0777\"\n"},
	        {"channels = { a*b = {}; };",
	         "t:1: error: channels: \"a*b\" is no name of a channel (1 "
	         "to 63 letters, digits, '-' and '_'): character that no "
	         "name may hold\n"},
	        {"{\"channels\":{\"\":{},\"a b\":{},\"a/b\":{}}}",
	         "t:1: error: channels: \"\" is no name of a channel (1 to 63 letters, digits, '-' and "
	         "'_'): empty name or token\n"
	         "t:1: error: channels: \"a b\" is no name of a channel (1 to 63 letters, digits, '-' "
	         "and '_'): character that no name may hold\n"
	         "t:1: error: channels: \"a/b\" is no name of a channel (1 to 63 letters, digits, '-' "
	         "and '_'): character that no name may hold\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		fixture_says(cases[i].text, cases[i].said);
}

static void regexes_are_compiled_when_they_are_read(void **state)
{
	static const struct text_case cases[] = {
	        {"channels = { A = { propagatetochannels = \"a(b\"; }; };",
	         "t:1: error: channels.A.propagatetochannels: bad regex at offset 3: missing closing "
	         "parenthesis\n"},
	        {"channels = {\n A = {\n propagatetochannels =\n \"*\"; }; B = { "
	         "propagatetochannels = \"[\"; }; };",
	         "t:3: error: channels.A.propagatetochannels: bad regex at offset 0: quantifier does "
	         "not follow a repeatable item\n"
	         "t:4: error: channels.B.propagatetochannels: bad regex at offset 1: missing "
	         "terminating ] for character class\n"},
	        {"channels = { A = { propagatetochannels = \"\"; }; };",
	         "t:1: warning: channels.A.propagatetochannels: an empty regex means no rule: write "
	         "false, or \".*\" for all\n"},
	        {"channels = { A = { propagatetochannels = false; }; };", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		fixture_says(cases[i].text, cases[i].said);
}

static void users_and_groups_are_looked_up(void **state)
{
	static const struct text_case cases[] = {
	        {"channels = { A = { owner = \"no-such-user\"; group = \"no-such-group\"; emit = [ "
	         "\"root\", \"no-such-user\", \"@no-such-group\" ]; }; };",
	         "t:1: error: channels.A.owner: unknown user \"no-such-user\"\n"
	         "t:1: error: channels.A.group: unknown group \"no-such-group\"\n"
	         "t:1: error: channels.A.emit: unknown user \"no-such-user\"\n"
	         "t:1: error: channels.A.emit: unknown group \"no-such-group\"\n"},
	        {"channels = { A = { owner = 4294967295; group = -1; emit = ( \"4294967296\", -5 ); }; "
	         "};",
	         "t:1: error: channels.A.owner: 4294967295 is no id of a user\n"
	         "t:1: error: channels.A.group: -1 is no id of a group\n"
	         "t:1: error: channels.A.emit: 4294967296 is no id of a user\n"
	         "t:1: error: channels.A.emit: -5 is no id of a user\n"},
	        {"quotas = ( { connections = 5; }, { user = \"no-such-user\"; }, { user = 5; }, { user "
	         "= \"5\"; } );",
	         "t:1: error: quotas: an entry of \"quotas\" wants a \"user\"\n"
	         "t:1: error: quotas.user: unknown user \"no-such-user\"\n"
	         "t:1: error: quotas: uid 5 stands twice\n"},
	};
	struct conf *c;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		fixture_says(cases[i].text, cases[i].said);
	c = fixture_conf("channels = { A = { owner = \"root\"; group = \"root\"; listen = ( "
	                 "\"root\", 4294967294, \"@root\", 0 ); }; };");
	assert_int_equal(c->channels[0].owner, 0);
	assert_int_equal(c->channels[0].group, 0);
	assert_int_equal(c->channels[0].listen.n_uids, 2);
	assert_int_equal(c->channels[0].listen.n_gids, 1);
	conf_free(c);
}

static void channels_may_stand_in_a_list(void **state)
{
	static const struct text_case cases[] = {
	        {"channels = ( { name = \"A\"; },\n { name = \"A\"; } );",
	         "t:2: error: channels: channel \"A\" stands twice, first in line 1\n"},
	        {"channels = ( { mode = \"0600\"; }, { name = 5; }, { name = \"a b\"; } );",
	         "t:1: error: channels: a channel in a list wants a \"name\"\n"
	         "t:1: error: channels: expected the channel's name in quotes, found the integer 5\n"
	         "t:1: error: channels: \"a b\" is no name of a channel (1 to 63 letters, digits, '-' "
	         "and '_'): character that no name may hold\n"},
	        {"channels = { A = { name = \"B\"; }; };",
	         "t:1: error: channels.A.name: the name of a channel in a group is its key\n"},
	};
	struct conf *c;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		fixture_says(cases[i].text, cases[i].said);
	c = fixture_conf("channels = ( { name = \"B\"; }, { name = \"1a\"; mode = \"0600\"; } );");
	assert_int_equal(c->n_channels, 3);
	assert_string_equal(c->channels[0].name, "1a");
	assert_int_equal(c->channels[0].mode, 0600);
	assert_string_equal(c->channels[1].name, "B");
	assert_string_equal(c->channels[2].name, "control");
	conf_free(c);
}

static void lists_are_bounded(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	assert_int_equal(buf_append_str(&b, "channels = { A = { listen = [ 0"), 0);
	for (int i = 1; i < 256; i++)
		assert_int_equal(buf_printf(&b, ", %d", i), 0);
	assert_int_equal(buf_append_str(&b, " ]; }; };"), 0);
	conf_free(fixture_conf(buf_str(&b)));
	buf_truncate(&b, b.len - strlen(" ]; }; };"));
	assert_int_equal(buf_append_str(&b, ", 256 ]; }; };"), 0);
	fixture_says(buf_str(&b),
	             "t:1: error: channels.A.listen: 257 names are too many: at most 256\n");
	buf_clear(&b);
	assert_int_equal(buf_append_str(&b, "startcontrol = false; channels = {"), 0);
	for (int i = 0; i < 1024; i++)
		assert_int_equal(buf_printf(&b, "c%d = {};", i), 0);
	assert_int_equal(buf_append_str(&b, "};"), 0);
	conf_free(fixture_conf(buf_str(&b)));
	buf_truncate(&b, b.len - 2);
	assert_int_equal(buf_append_str(&b, "d = {}; };"), 0);
	fixture_says(buf_str(&b),
	             "t:1: error: channels: 1025 channels are too many: at most 1024\n");
	/* control, which nobody named, is one of them */
	buf_truncate(&b, b.len - strlen("d = {}; };"));
	memcpy(b.data, "startcontrol = true ;", 21);
	assert_int_equal(buf_append_str(&b, "};"), 0);
	fixture_says(buf_str(&b),
	             "t:1: error: channels: 1025 channels are too many: at most 1024\n");
	buf_truncate(&b, b.len - strlen("c1023 = {};};"));
	assert_int_equal(buf_append_str(&b, "control = {};};"), 0);
	conf_free(fixture_conf(buf_str(&b)));
	buf_fini(&b);
}

/* What does not fit in the list is counted, and none of it is an error less. */
static void problems_are_bounded_and_counted(void **state)
{
	struct buf b;
	char *said, *last;
	size_t n = 0;

	(void)state;
	buf_init(&b, 1 << 20);
	for (int i = 0; i < 150; i++)
		assert_int_equal(buf_printf(&b, "zzz%d = %d\n", i, i), 0);
	assert_null(fixture_parse(buf_str(&b), b.len, &fixture_env, &said));
	for (char *p = said; (p = strchr(p, '\n')); p++)
		n++;
	assert_int_equal(n, 101);
	last = strstr(said, "and ");
	assert_string_equal(last, "and 50 more\n");
	free(said);
	buf_fini(&b);
}

static void distances_are_those_of_damerau_and_levenshtein(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		unsigned distance;
	} cases[] = {{"", "", 0},         {"", "abc", 3},          {"abc", "abc", 0},
	             {"abc", "ABC", 0},   {"abc", "abd", 1},       {"abc", "ab", 1},
	             {"abc", "acb", 1},   {"prot", "port", 1},     {"kitten", "sitting", 3},
	             {"ca", "abc", 3},    {"abcdef", "badcfe", 3}, {"listen", "silent", 4},
	             {"emit", "timer", 4}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(suggest_distance(cases[i].a, cases[i].b), cases[i].distance);
		assert_int_equal(suggest_distance(cases[i].b, cases[i].a), cases[i].distance);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_number_has_its_limits),
	        cmocka_unit_test(sizes_and_times_have_units),
	        cmocka_unit_test(wrong_types_are_told_with_what_was_expected),
	        cmocka_unit_test(unknown_keys_and_words_are_told_with_what_may_be_meant),
	        cmocka_unit_test(what_is_no_name_path_or_address_is_refused),
	        cmocka_unit_test(regexes_are_compiled_when_they_are_read),
	        cmocka_unit_test(users_and_groups_are_looked_up),
	        cmocka_unit_test(channels_may_stand_in_a_list),
	        cmocka_unit_test(lists_are_bounded),
	        cmocka_unit_test(problems_are_bounded_and_counted),
	        cmocka_unit_test(distances_are_those_of_damerau_and_levenshtein),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
