/*
 * Unit tests of conf: what a file means
 */

#include "t/unit/conf_fixture.h"

/* The sample that netcluster ships, with the comments of its README. */
static const char netcluster_sample[] = "{\n"
                                        "  // the network\n"
                                        "  \"addr\": \"224.0.0.0\",\n"
                                        "  \"port\": 4454,\n"
                                        "  \"dumpnet\": true,\n"
                                        "  \"connecttonet\": true,\n"
                                        "  \"startcontrol\": true, // ALWAYS\n"
                                        "  \"channels\": {\n"
                                        "    \"control\": {\n"
                                        "      \"propagatetochannels\": false,\n"
                                        "      \"propagatetonet\": false,\n"
                                        "      \"dumptoconsole\": false\n"
                                        "    },\n"
                                        "    \"A\": {\n"
                                        "      \"propagatetochannels\": \".*\",\n"
                                        "      \"propagatetonet\": false,\n"
                                        "      \"dumptoconsole\": false\n"
                                        "    },\n"
                                        "    /* and B */\n"
                                        "    \"B\": {\n"
                                        "      \"propagatetochannels\": \".*\",\n"
                                        "      \"propagatetonet\": false,\n"
                                        "      \"dumptoconsole\": true\n"
                                        "    }\n"
                                        "  }\n"
                                        "} // the end";

static void assert_default_channel(const struct conf_channel *c)
{
	assert_null(c->regex);
	assert_int_equal(c->net, CONF_NET_OFF);
	assert_false(c->from_net || c->net_from.set);
	assert_false(c->dumptoconsole);
	assert_int_equal(c->mode, 0660);
	assert_int_equal(c->owner, (uid_t)-1);
	assert_int_equal(c->group, (gid_t)-1);
	assert_false(c->emit.set);
	assert_false(c->listen.set);
	assert_false(c->admin.set);
	assert_int_equal(c->queue.policy, FRAME_P_BLOCK);
	assert_int_equal(c->queue.bytes, 4 << 20);
	assert_int_equal(c->queue.messages, 100000);
	assert_int_equal(c->queue.block_timeout_ms, 1000);
	assert_int_equal(c->queue.conflate_names, 1024);
	assert_int_equal(c->max_message, 16 << 20);
	assert_true(c->agent_pacing);
	assert_null(c->fifo);
}

static void assert_default_top(const struct conf *c)
{
	assert_string_equal(c->addr, "239.192.44.54");
	assert_int_equal(c->port, 4454);
	assert_false(c->dumpnet);
	assert_true(c->connecttonet);
	assert_true(c->startcontrol);
	assert_string_equal(c->cluster, "netcluster");
	assert_null(c->interface);
	assert_null(c->key);
	assert_false(c->peers.set || c->keys.set || c->insecure);
	assert_true(c->net_rate == 500000000);
	assert_int_equal(c->net_block_timeout_ms, 1000);
	assert_int_equal(c->net_mtu, 0);
	assert_int_equal(c->net_window, 4 << 20);
	assert_int_equal(c->net_memory, 64 << 20);
	assert_int_equal(c->net_rcvbuf, 4 << 20);
	assert_int_equal(c->net_announce_ms, 1000);
	assert_int_equal(c->net_liveness_ms, 5000);
	assert_string_equal(c->host, "box");
	assert_string_equal(c->socket, "/run/user/1000/netcluster/%s.sock");
	assert_string_equal(c->fifo, "/run/user/1000/netcluster/%s.fifo");
	assert_int_equal(c->max_message, 16 << 20);
	assert_int_equal(c->hello_wait_ms, 100);
	assert_int_equal(c->drain_timeout_ms, 5000);
	assert_int_equal(c->probation_ms, 60000);
	assert_int_equal(c->slow_list, 256);
	assert_int_equal(c->max_clients, 65536);
	assert_int_equal(c->max_subscriptions, 4096);
	assert_int_equal(c->busy_poll_us, 0);
	assert_int_equal(c->log_level, 2);
	assert_int_equal(c->quota.connections, 1024);
	assert_int_equal(c->quota.connection_rate, 200);
	assert_int_equal(c->quota.bytes, 256 << 20);
	assert_int_equal(c->quota.subscriptions, 65536);
	assert_int_equal(c->n_overrides, 0);
}

static void the_default_is_channel_control_alone(void **state)
{
	struct conf *c = conf_default(&fixture_env);

	(void)state;
	assert_non_null(c);
	assert_null(c->file);
	assert_default_top(c);
	assert_int_equal(c->n_channels, 1);
	assert_string_equal(c->channels[0].name, "control");
	assert_string_equal(c->channels[0].socket, "/run/user/1000/netcluster/control.sock");
	assert_int_equal(c->channels[0].line, 0);
	assert_default_channel(&c->channels[0]);
	conf_free(c);
}

static void the_default_of_the_process_itself_exists(void **state)
{
	struct conf *c = conf_default(NULL);

	(void)state;
	assert_non_null(c);
	assert_non_null(conf_channel(c, "control"));
	assert_int_equal(c->socket[0], '/');
	conf_free(c);
}

static void an_empty_object_is_the_default(void **state)
{
	static const char *const texts[] = {
	        "{}", " // nothing\n{ }", "channels = {};", "channels = ();", "startcontrol = true",
	};
	struct conf *d = conf_default(&fixture_env);

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct conf *c = fixture_conf(texts[i]);

		assert_true(conf_equal(c, d));
		assert_int_equal(c->is_json, i < 2);
		conf_free(c);
	}
	conf_free(d);
}

static void netclusters_own_file_is_read(void **state)
{
	struct conf *c = fixture_conf(netcluster_sample);

	(void)state;
	assert_true(c->is_json);
	assert_string_equal(c->addr, "224.0.0.0");
	assert_true(c->dumpnet);
	assert_int_equal(c->n_channels, 3);
	assert_string_equal(c->channels[0].name, "A");
	assert_string_equal(c->channels[0].regex, ".*");
	assert_int_equal(c->channels[0].line, 14);
	assert_string_equal(c->channels[1].name, "B");
	assert_true(c->channels[1].dumptoconsole);
	assert_string_equal(c->channels[2].name, "control");
	assert_default_channel(&c->channels[2]);
	assert_ptr_equal(conf_channel(c, "B"), &c->channels[1]);
	assert_null(conf_channel(c, "C"));
	conf_free(c);
}

static const char every_key[] =
        "# all keys, none at its default\n"
        "addr = \"239.1.2.3\"; port = 5000; dumpnet = true; connecttonet = false;\n"
        "startcontrol = true; host = \"lab-1\";\n"
        "socket = \"/srv/nc/%s.s\"; fifo_path = \"/srv/nc/in-%s\";\n"
        "max_message = \"1 MiB\"; hello_wait = 50; drain_timeout = \"2 s\"; probation = 0;\n"
        "slow_list = 10; max_clients = 100; max_subscriptions = 7; busy_poll_us = 20;\n"
        "log_level = \"debug\"; cluster = \"lab\"; interface = \"10.0.0.0/8\"; key = \"/b\";\n"
        "peers = [ \"a:1\", \"[fe80::1%eth0]:2\" ]; keys = [ \"/a\", \"/b\" ]; insecure = false;\n"
        "net_rate = \"2 Gbit\"; net_block_timeout = 100; net_window = 65536; net_memory = 1048576;\n"
        "net_mtu = 1400; net_rcvbuf = 0; net_announce = 200; net_liveness = \"1 s\";\n"
        "quota = { connections = 8; connection_rate = 4; bytes = 4294967296; subscriptions = 9; };\n"
        "quotas = ( { user = 1002; connections = 99; }, { user = \"1001\"; bytes = \"1GiB\"; } );\n"
        "channels = {\n"
        "  A = {\n"
        "    propagatetochannels = \"^B\"; propagatetonet = \"best-effort\"; dumptoconsole = true;\n"
        "    socket = \"/srv/a\"; mode = \"0620\"; owner = \"root\"; group = \"1000\";\n"
        "    emit = [ \"@1000\" ]; listen = ( 7, \"@root\", \"7\", \"5\" ); admin = [ ];\n"
        "    policy = \"conflate\"; queue_bytes = \"64 KiB\"; queue_messages = 16;\n"
        "    block_timeout = \"1 min\"; conflate_names = 5; max_message = 2048;\n"
        "    agent_pacing = false; fifo = true; propagatefromnet = true; netfrom = [ \"z\", \"a\" ];\n"
        "  };\n"
        "  B : { propagatetonet = true; group = 1000; };\n"
        "};\n";

static void assert_net_keys(const struct conf *c, const struct conf_channel *a)
{
	assert_string_equal(c->cluster, "lab");
	assert_string_equal(c->interface, "10.0.0.0/8");
	assert_int_equal(c->peers.n, 2);
	assert_string_equal(c->peers.list[1], "[fe80::1%eth0]:2");
	assert_int_equal(c->keys.n, 2);
	assert_string_equal(c->keys.list[0], "/a");
	assert_string_equal(c->key, "/b");
	assert_true(c->net_rate == 2000000000);
	assert_int_equal(c->net_block_timeout_ms, 100);
	assert_int_equal(c->net_window, 65536);
	assert_int_equal(c->net_memory, 1 << 20);
	assert_int_equal(c->net_mtu, 1400);
	assert_int_equal(c->net_rcvbuf, 0);
	assert_int_equal(c->net_announce_ms, 200);
	assert_int_equal(c->net_liveness_ms, 1000);
	assert_true(a->from_net);
	assert_true(conf_channel_hears_host(a, "a"));
	assert_true(conf_channel_hears_host(a, "z"));
	assert_false(conf_channel_hears_host(a, "b"));
	assert_true(conf_channel_hears_host(conf_channel(c, "B"), "b"));
	assert_false(conf_channel_hears_host(conf_channel(c, "control"), "b"));
	/* it is not connected */
	assert_false(conf_needs_net(c));
}

static void assert_every_key(const struct conf *c)
{
	const struct conf_channel *a = conf_channel(c, "A"), *b = conf_channel(c, "B");

	assert_string_equal(c->addr, "239.1.2.3");
	assert_int_equal(c->port, 5000);
	assert_true(c->dumpnet);
	assert_false(c->connecttonet);
	assert_string_equal(c->host, "lab-1");
	assert_string_equal(c->socket, "/srv/nc/%s.s");
	assert_string_equal(c->fifo, "/srv/nc/in-%s");
	assert_int_equal(c->max_message, 1 << 20);
	assert_int_equal(c->hello_wait_ms, 50);
	assert_int_equal(c->drain_timeout_ms, 2000);
	assert_int_equal(c->probation_ms, 0);
	assert_int_equal(c->slow_list, 10);
	assert_int_equal(c->max_clients, 100);
	assert_int_equal(c->max_subscriptions, 7);
	assert_int_equal(c->busy_poll_us, 20);
	assert_int_equal(c->log_level, 3);
	assert_int_equal(c->quota.connections, 8);
	assert_int_equal(c->quota.connection_rate, 4);
	assert_true(c->quota.bytes == 4294967296);
	assert_int_equal(c->quota.subscriptions, 9);
	assert_int_equal(c->n_overrides, 2);
	assert_int_equal(c->overrides[0].uid, 1001);
	assert_int_equal(c->overrides[1].uid, 1002);
	assert_string_equal(a->regex, "^B");
	assert_int_equal(a->net, CONF_NET_BEST_EFFORT);
	assert_true(a->dumptoconsole);
	assert_string_equal(a->socket, "/srv/a");
	assert_int_equal(a->mode, 0620);
	assert_int_equal(a->owner, 0);
	assert_int_equal(a->group, 1000);
	assert_true(a->emit.set);
	assert_int_equal(a->emit.n_uids, 0);
	assert_int_equal(a->emit.n_gids, 1);
	assert_int_equal(a->emit.gids[0], 1000);
	assert_int_equal(a->listen.n_uids, 2);
	assert_int_equal(a->listen.uids[0], 5);
	assert_int_equal(a->listen.uids[1], 7);
	assert_int_equal(a->listen.gids[0], 0);
	assert_true(a->admin.set);
	assert_int_equal(a->admin.n_uids + a->admin.n_gids, 0);
	assert_int_equal(a->queue.policy, FRAME_P_CONFLATE);
	assert_int_equal(a->queue.bytes, 65536);
	assert_int_equal(a->queue.messages, 16);
	assert_int_equal(a->queue.block_timeout_ms, 60000);
	assert_int_equal(a->queue.conflate_names, 5);
	assert_int_equal(a->max_message, 2048);
	assert_false(a->agent_pacing);
	assert_string_equal(a->fifo, "/srv/nc/in-A");
	assert_int_equal(b->net, CONF_NET_RELIABLE);
	assert_string_equal(b->socket, "/srv/nc/B.s");
	assert_int_equal(b->max_message, 1 << 20);
}

static void every_key_reaches_its_place(void **state)
{
	char *said;
	struct conf *c = fixture_parse(every_key, strlen(every_key), &fixture_env, &said);

	(void)state;
	assert_string_equal(
	        said,
	        "t:15: warning: channels.A.propagatetochannels: gid 1000 may listen to B, and so hears A "
	        "without the right to listen there\n");
	assert_non_null(c);
	assert_every_key(c);
	assert_net_keys(c, conf_channel(c, "A"));
	assert_int_equal(conf_quota_of(c, 1001)->bytes, 1 << 30);
	assert_int_equal(conf_quota_of(c, 1001)->connections, 8);
	assert_int_equal(conf_quota_of(c, 1002)->connections, 99);
	assert_ptr_equal(conf_quota_of(c, 1003), &c->quota);
	free(said);
	conf_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_default_is_channel_control_alone),
	        cmocka_unit_test(the_default_of_the_process_itself_exists),
	        cmocka_unit_test(an_empty_object_is_the_default),
	        cmocka_unit_test(netclusters_own_file_is_read),
	        cmocka_unit_test(every_key_reaches_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
