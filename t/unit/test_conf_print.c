/*
 * Unit tests of conf: what is printed reads back as the same configuration
 */

#include "t/unit/conf_fixture.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

/* How many random configurations are tried, each in both formats. */
#define N_RANDOM 400

/* A small generator, so that a seed means the same everywhere (Marsaglia 2003, xorshift64). */
static uint64_t random_state;

static unsigned pick(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 11) % n);
}

static const char *one_of(const char *const *list, unsigned n)
{
	return list[pick(n)];
}

#define ONE_OF(list) one_of(list, sizeof(list) / sizeof(*(list)))

static void add(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct buf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	assert_int_equal(buf_vprintf(b, fmt, args), 0);
	va_end(args);
}

static void add_acl(struct buf *b, const char *key, unsigned least)
{
	unsigned n = least + pick(4);

	add(b, ",\"%s\":[", key);
	for (unsigned i = 0; i < n; i++)
		add(b, pick(2) ? "%s\"%u\"" : "%s\"@%u\"", i ? "," : "", pick(5000));
	add(b, "]");
}

static const char *const regexes[] = {
        "false",
        "\".*\"",
        "\"^a\\\\.b$\"",
        "\"[\\\"']\"",
        "\"\xc3\xa4\\u00e9\xf0\x9f\x90\xb3\"",
        "\"a\\tb\\nc\\r\\f\\u0001\\u007f\"",
        "\"\\\\x41\\\\\\\\\"",
        "\"/\\/*#\"",
};
static const char *const policies[] = {"block", "drop-oldest", "drop-newest", "conflate",
                                       "disconnect"};
static const char *const nets[] = {"false", "true", "\"reliable\"", "\"best-effort\""};
static const char *const hosts[] = {"[]", "[\"z\",\"a\"]", "[\"h-1\"]"};
static const char *const modes[] = {"0660", "0600", "0666", "0777", "0222"};

static void add_channel(struct buf *b, unsigned i)
{
	static const char *const names[] = {"A", "log", "1st", "_x", "-", "9", "Zebra-2"};
	bool fifo = pick(3) == 0;

	add(b, "%s\"%s%u\":{\"dumptoconsole\":%s", i ? "," : "", ONE_OF(names), i,
	    pick(2) ? "true" : "false");
	if (pick(2))
		add(b, ",\"propagatetochannels\":%s", ONE_OF(regexes));
	if (pick(2))
		add(b, ",\"propagatetonet\":%s", ONE_OF(nets));
	if (pick(2))
		add(b, ",\"propagatefromnet\":true,\"netfrom\":%s", ONE_OF(hosts));
	if (pick(4) == 0)
		add(b, ",\"socket\":\"/own/%u/\\\"q\\\\%%\xc3\xb6\"", i);
	if (pick(2))
		add(b, ",\"mode\":\"%s\",\"owner\":%u,\"group\":\"%u\"", ONE_OF(modes), pick(9),
		    pick(9));
	if (fifo)
		add(b, ",\"fifo\":true");
	else if (pick(2))
		add_acl(b, "emit", 0);
	if (pick(2))
		add_acl(b, "listen", 1);
	if (pick(2))
		add_acl(b, "admin", 0);
	if (pick(2))
		add(b, ",\"policy\":\"%s\",\"queue_bytes\":%u,\"queue_messages\":%u",
		    ONE_OF(policies), 65536 + pick(1 << 29), 16 + pick(10000));
	if (pick(2))
		add(b, ",\"block_timeout\":%u,\"conflate_names\":%u,\"agent_pacing\":%s",
		    10 + pick(10000), 1 + pick(65536), pick(2) ? "true" : "false");
	if (pick(2))
		add(b, ",\"max_message\":%u", 1024 + pick(1 << 20));
	add(b, "}");
}

static void add_quotas(struct buf *b)
{
	unsigned n = pick(4);

	add(b, ",\"quotas\":[");
	for (unsigned i = 0; i < n; i++)
		add(b, "%s{\"user\":%u,\"connections\":%u,\"bytes\":%llu}", i ? "," : "",
		    i * 1000 + pick(1000), 1 + pick(100), 1ull << (16 + pick(25)));
	add(b, "]");
}

static void add_net(struct buf *b)
{
	if (pick(2))
		add(b, ",\"keys\":[\"/b\",\"/a \\\"\"],\"key\":\"/a \\\"\"");
	else
		add(b, ",\"insecure\":true");
	if (pick(2))
		add(b, ",\"cluster\":\"c-%u\",\"interface\":\"10.0.0.%u/24\"", pick(9), pick(9));
	if (pick(2))
		add(b, ",\"peers\":[\"h%u\",\"[::1]:%u\"]", pick(9), 1 + pick(9));
	if (pick(2))
		add(b, ",\"net_rate\":%llu,\"net_window\":%u,\"net_memory\":%llu",
		    100000ull << pick(20), 65536 + pick(1 << 29), 1ull << (30 + pick(4)));
	if (pick(2))
		add(b, ",\"net_rcvbuf\":%u,\"net_announce\":%u,\"net_liveness\":%u", pick(1 << 29),
		    100 + pick(1000), 2200 + pick(1000));
	if (pick(2))
		add(b, ",\"net_block_timeout\":%u,\"net_mtu\":%u", 10 + pick(1000),
		    548 + pick(8000));
}

static void random_conf(struct buf *b)
{
	static const char *const levels[] = {"error", "warning", "info", "debug"};
	unsigned n = pick(6);

	add(b, "{\"addr\":\"239.%u.2.3\",\"port\":%u,\"dumpnet\":%s", pick(256), 1 + pick(65535),
	    pick(2) ? "true" : "false");
	if (pick(2))
		add(b, ",\"socket\":\"/t%%%%\\\"/%%s.sock\"");
	if (pick(2))
		add(b, ",\"fifo_path\":\"/f/%%s\\\\\"");
	if (pick(2))
		add(b, ",\"host\":\"h-%u\",\"log_level\":\"%s\"", pick(10), ONE_OF(levels));
	if (pick(2))
		add(b, ",\"hello_wait\":%u,\"drain_timeout\":%u,\"probation\":%u", 1 + pick(60000),
		    pick(600000), pick(86400000));
	if (pick(2))
		add(b, ",\"slow_list\":%u,\"max_clients\":%u,\"max_subscriptions\":%u", pick(65536),
		    1 + pick(1 << 20), 1 + pick(1 << 20));
	if (pick(2))
		add(b, ",\"max_message\":%u,\"busy_poll_us\":%u", 1024 + pick(1 << 27), pick(1001));
	if (pick(2))
		add(b, ",\"quota\":{\"bytes\":%llu,\"subscriptions\":%u}", 1ull << (16 + pick(25)),
		    1 + pick(1 << 24));
	add_net(b);
	add_quotas(b);
	add(b, ",\"channels\":{");
	for (unsigned i = 0; i < n; i++)
		add_channel(b, i);
	add(b, "},\"startcontrol\":%s}", n && pick(2) ? "false" : "true");
}

static struct conf *parse(const struct buf *b)
{
	char *said;
	struct conf *c = fixture_parse(buf_str(b), b->len, &fixture_env, &said);

	if (!c)
		fail_msg("%s\n%s", said, buf_str(b));
	free(said);
	return c;
}

/* The other environment makes sure that nothing is left to defaults of this one. */
static struct conf *parse_elsewhere(const struct buf *b)
{
	static const struct conf_env env = {.uid = 0, .hostname = "other"};
	char *said;
	struct conf *c = fixture_parse(buf_str(b), b->len, &env, &said);

	if (!c)
		fail_msg("%s\n%s", said, buf_str(b));
	free(said);
	return c;
}

static void assert_reads_back(const struct conf *c, int (*print)(struct buf *, const struct conf *))
{
	struct conf *again;
	struct buf text, text_again;

	buf_init(&text, CONF_TEXT_MAX);
	buf_init(&text_again, CONF_TEXT_MAX);
	assert_int_equal(print(&text, c), 0);
	again = parse_elsewhere(&text);
	assert_true(conf_equal(c, again));
	assert_int_equal(print(&text_again, again), 0);
	assert_string_equal(buf_str(&text), buf_str(&text_again));
	buf_fini(&text);
	buf_fini(&text_again);
	conf_free(again);
}

static void what_is_printed_reads_back_as_the_same(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= N_RANDOM; seed++) {
		struct buf text;
		struct conf *c;

		random_state = seed * 0x9e3779b97f4a7c15ull;
		buf_init(&text, CONF_TEXT_MAX);
		random_conf(&text);
		c = parse(&text);
		assert_reads_back(c, conf_print_json);
		assert_reads_back(c, conf_print_json_lines);
		assert_reads_back(c, conf_print_libconfig);
		conf_free(c);
		buf_fini(&text);
	}
}

static void the_default_reads_back_as_the_same(void **state)
{
	struct conf *c = conf_default(&fixture_env);

	(void)state;
	assert_reads_back(c, conf_print_json);
	assert_reads_back(c, conf_print_json_lines);
	assert_reads_back(c, conf_print_libconfig);
	conf_free(c);
}

static void each_value_may_have_a_line_of_its_own(void **state)
{
	struct conf *c = fixture_conf("channels = { A = { emit = ( 5, \"root\" ); }; };");
	struct buf b;

	(void)state;
	buf_init(&b, CONF_TEXT_MAX);
	assert_int_equal(conf_print_json_lines(&b, c), 0);
	assert_ptr_equal(
	        strstr(buf_str(&b), "{\n\t\"addr\": \"239.192.44.54\",\n\t\"port\": 4454,\n"),
	        buf_str(&b));
	assert_non_null(strstr(buf_str(&b), "\n\t\"channels\": {\n\t\t\"A\": {\n\t\t\t\"propag"));
	assert_non_null(strstr(buf_str(&b), "\n\t\t\t\"emit\": [\n\t\t\t\t\"0\",\n"));
	assert_non_null(strstr(buf_str(&b), "\n\t\"quotas\": []\n}"));
	buf_fini(&b);
	conf_free(c);
}

static void netclusters_keys_come_first_in_its_order(void **state)
{
	struct conf *c = fixture_conf("channels = { A = { propagatetochannels = \".*\"; "
	                              "dumptoconsole = true; emit = ( 5 ); fifo = false; }; };");
	struct buf b;

	(void)state;
	buf_init(&b, CONF_TEXT_MAX);
	assert_int_equal(conf_print_json(&b, c), 0);
	assert_string_equal(
	        buf_str(&b),
	        "{\"addr\":\"239.192.44.54\",\"port\":4454,\"dumpnet\":false,\"connecttonet\":true,"
	        "\"startcontrol\":true,\"channels\":{"
	        "\"A\":{\"propagatetochannels\":\".*\",\"propagatetonet\":false,\"dumptoconsole\":true,"
	        "\"propagatefromnet\":false,"
	        "\"mode\":\"0660\",\"emit\":[\"5\"],\"policy\":\"block\",\"queue_bytes\":4194304,"
	        "\"queue_messages\":100000,\"block_timeout\":1000,\"conflate_names\":1024,"
	        "\"max_message\":16777216,\"agent_pacing\":true,\"fifo\":false},"
	        "\"control\":{\"propagatetochannels\":false,\"propagatetonet\":false,"
	        "\"dumptoconsole\":false,\"propagatefromnet\":false,"
	        "\"mode\":\"0660\",\"policy\":\"block\","
	        "\"queue_bytes\":4194304,\"queue_messages\":100000,\"block_timeout\":1000,"
	        "\"conflate_names\":1024,\"max_message\":16777216,\"agent_pacing\":true,"
	        "\"fifo\":false}},"
	        "\"host\":\"box\",\"cluster\":\"netcluster\",\"insecure\":false,"
	        "\"net_rate\":500000000,\"net_mtu\":0,\"net_block_timeout\":1000,\"net_window\":4194304,"
	        "\"net_memory\":67108864,\"net_rcvbuf\":4194304,\"net_announce\":1000,"
	        "\"net_liveness\":5000,"
	        "\"socket\":\"/run/user/1000/netcluster/%s.sock\","
	        "\"fifo_path\":\"/run/user/1000/netcluster/%s.fifo\",\"max_message\":16777216,"
	        "\"hello_wait\":100,\"drain_timeout\":5000,\"probation\":60000,\"slow_list\":256,"
	        "\"max_clients\":65536,\"max_subscriptions\":4096,\"busy_poll_us\":0,"
	        "\"log_level\":\"info\",\"quota\":{\"connections\":1024,\"connection_rate\":200,"
	        "\"bytes\":268435456,\"subscriptions\":65536},\"quotas\":[]}");
	buf_fini(&b);
	conf_free(c);
}

static void printing_stops_at_the_bound_of_the_buffer(void **state)
{
	struct conf *c = conf_default(&fixture_env);
	struct buf b;

	(void)state;
	for (size_t max = 0; max < 600; max += 37) {
		buf_init(&b, max);
		assert_int_equal(conf_print_json(&b, c), -EMSGSIZE);
		assert_int_equal(conf_print_libconfig(&b, c), -EMSGSIZE);
		buf_fini(&b);
	}
	conf_free(c);
}

/* One key of a channel or of the whole is enough to make a difference. */
static void equality_sees_every_key(void **state)
{
	static const char *const channel[] = {
	        "propagatetochannels = \"B\";",
	        "propagatetonet = true;",
	        "propagatefromnet = true;",
	        "netfrom = [];",
	        "netfrom = [ \"a\", \"b\" ];",
	        "netfrom = [ \"b\", \"a\" ];",
	        "dumptoconsole = true;",
	        "socket = \"/x\";",
	        "mode = \"0600\";",
	        "owner = 5;",
	        "group = 5;",
	        "emit = ();",
	        "emit = ( 5 );",
	        "emit = ( \"@5\" );",
	        "listen = ( 5 );",
	        "admin = ();",
	        "policy = \"disconnect\";",
	        "queue_bytes = 65536;",
	        "queue_messages = 16;",
	        "block_timeout = 10;",
	        "conflate_names = 1;",
	        "max_message = 1024;",
	        "agent_pacing = false;",
	        "fifo = true;",
	};
	static const char *const top[] = {"addr = \"224.0.0.1\";",
	                                  "port = 1;",
	                                  "dumpnet = true;",
	                                  "connecttonet = false;",
	                                  "host = \"x\";",
	                                  "cluster = \"x\";",
	                                  "interface = \"eth0\";",
	                                  "peers = [ \"a\" ];",
	                                  "keys = [ \"/a\" ];",
	                                  "keys = [ \"/a\" ]; key = \"/a\";",
	                                  "insecure = true;",
	                                  "net_rate = 0;",
	                                  "net_mtu = 1000;",
	                                  "net_block_timeout = 10;",
	                                  "net_window = 65536;",
	                                  "net_memory = \"1 GiB\";",
	                                  "net_rcvbuf = 0;",
	                                  "net_announce = 100;",
	                                  "net_liveness = \"1 min\";",
	                                  "socket = \"/x/%s\";",
	                                  "fifo_path = \"/x/%s\";",
	                                  "max_message = 1024;",
	                                  "hello_wait = 1;",
	                                  "drain_timeout = 1;",
	                                  "probation = 1;",
	                                  "slow_list = 1;",
	                                  "max_clients = 1;",
	                                  "max_subscriptions = 1;",
	                                  "busy_poll_us = 1;",
	                                  "log_level = \"debug\";",
	                                  "quota = { connections = 1; };",
	                                  "quotas = ( { user = 5; } );"};
	struct conf *all[80];
	size_t n = 0;
	char text[256], *said;

	(void)state;
	all[n++] = fixture_conf("keys = [ \"/k\" ]; channels = { A = {}; };");
	for (size_t i = 0; i < sizeof(channel) / sizeof(*channel); i++) {
		snprintf(text, sizeof(text), "keys = [ \"/k\" ]; channels = { A = { %s }; };",
		         channel[i]);
		all[n++] = fixture_parse(text, strlen(text), &fixture_env, &said);
		free(said);
	}
	for (size_t i = 0; i < sizeof(top) / sizeof(*top); i++) {
		snprintf(text, sizeof(text), "channels = { A = {}; }; %s", top[i]);
		all[n++] = fixture_conf(text);
	}
	all[n++] = fixture_conf("channels = { B = {}; };");
	all[n++] = fixture_conf("channels = {};");
	all[n++] = fixture_conf("channels = { A = {}; }; startcontrol = false;");
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			assert_int_equal(conf_equal(all[i], all[j]), i == j);
	for (size_t i = 0; i < sizeof(channel) / sizeof(*channel); i++) {
		const struct conf_channel *a = &all[0]->channels[0], *b = &all[i + 1]->channels[0];

		assert_false(conf_channel_equal(a, b));
		assert_true(conf_channel_equal(b, b));
		assert_int_equal(conf_channel_same_socket(a, b), !strstr(channel[i], "socket"));
	}
	for (size_t i = 0; i < n; i++)
		conf_free(all[i]);
}

/* The order of a list, and a name that stands twice in it, mean nothing. */
static void lists_are_sets(void **state)
{
	struct conf *a = fixture_conf("channels = { A = { emit = ( 7, \"@9\", 5, \"@8\" ); }; };");
	struct conf *b = fixture_conf(
	        "channels = ( { name = \"A\"; emit = ( \"@8\", 5, 7, \"@9\", 5 ); } );");

	(void)state;
	assert_true(conf_equal(a, b));
	conf_free(a);
	conf_free(b);
}

static void a_list_admits_those_it_names(void **state)
{
	struct conf *c =
	        fixture_conf("channels = { A = { emit = ( 5, 7, \"@70\", \"@90\" ); listen "
	                     "= ( 0 ); admin = (); }; };");
	const struct conf_channel *a = &c->channels[0];
	const gid_t staff[] = {10, 90}, others[] = {5, 7};
	const struct conf_acl none = {0};

	(void)state;
	assert_true(conf_acl_admits(&a->emit, 5, NULL, 0));
	assert_true(conf_acl_admits(&a->emit, 7, others, 2));
	assert_true(conf_acl_admits(&a->emit, 1, staff, 2));
	assert_false(conf_acl_admits(&a->emit, 1, staff, 1));
	assert_false(conf_acl_admits(&a->emit, 70, others, 2));
	assert_false(conf_acl_admits(&a->emit, 0, others, 2));
	assert_true(conf_acl_admits(&a->listen, 0, NULL, 0));
	assert_false(conf_acl_admits(&a->listen, 1, staff, 2));
	assert_false(conf_acl_admits(&a->admin, 0, staff, 2));
	assert_true(conf_acl_admits(&none, 12345, NULL, 0));
	conf_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_is_printed_reads_back_as_the_same),
	        cmocka_unit_test(the_default_reads_back_as_the_same),
	        cmocka_unit_test(each_value_may_have_a_line_of_its_own),
	        cmocka_unit_test(netclusters_keys_come_first_in_its_order),
	        cmocka_unit_test(printing_stops_at_the_bound_of_the_buffer),
	        cmocka_unit_test(equality_sees_every_key),
	        cmocka_unit_test(lists_are_sets),
	        cmocka_unit_test(a_list_admits_those_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
