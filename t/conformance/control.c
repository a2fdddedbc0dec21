/*
 * The control channel: what it shows, what it makes of nonsense, and whether it tells the truth
 */

#include "t/conformance/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* The object has exactly these keys, which stand with commas between them, in any order. */
static void expect_keys(yajl_val v, const char *keys)
{
	char *copy = util_format("%s", keys), *save = NULL;
	size_t n = 0;

	assert_true(YAJL_IS_OBJECT(v));
	for (char *key = strtok_r(copy, ",", &save); key; key = strtok_r(NULL, ",", &save), n++)
		if (!util_json_at(v, key))
			fail_msg("there is no key %s", key);
	free(copy);
	assert_int_equal(v->u.object.len, n);
}

static yajl_val first_of(yajl_val answer, const char *path)
{
	yajl_val list = util_json_at(answer, path);

	assert_true(YAJL_IS_ARRAY(list));
	assert_true(list->u.array.len > 0);
	return list->u.array.values[0];
}

#define FLOW_KEYS "routed,written,queued,queued_bytes,dropped,dropped_total"

static void expect_flow_keys(yajl_val v)
{
	expect_keys(v, FLOW_KEYS);
	expect_keys(util_json_at(v, "dropped"),
	            "drop_oldest,drop_newest,conflate,disconnected,untranslatable");
}

static void expect_channel_keys(yajl_val v)
{
	expect_keys(v, "name,socket,fifo,mode,policy,clients,published,published_bytes,refused,"
	               "flow,net,queue_limit,subscriptions,stalls");
	expect_keys(util_json_at(v, "net"), "class,arrived,arrived_bytes,refused,lost");
	expect_flow_keys(util_json_at(v, "flow"));
	expect_keys(util_json_at(v, "queue_limit"), "bytes,messages");
}

static void objects_are_whole(struct world *w, struct kinds k)
{
	struct peer *p = world_listener(w, k.from, "A", "x");
	yajl_val a = peer_client_object(p), v = util_json_at(a, "answer");

	expect_keys(v, "id,channel,dialect,label,pid,uid,gid,user,command,connected_at,patterns,"
	               "everything,policy,paused,blocked,in,out,stalls,probation");
	expect_keys(util_json_at(v, "in"), "messages,bytes,refused");
	expect_keys(util_json_at(v, "out"), FLOW_KEYS ",bytes");
	expect_keys(util_json_at(v, "stalls"), "caused,caused_ms,suffered,suffered_ms");
	yajl_tree_free(a);
	a = world_ask(w, "nc-control-channels", NULL);
	expect_channel_keys(first_of(a, "answer"));
	yajl_tree_free(a);
	a = world_ask(w, "nc-control-rules", NULL);
	expect_keys(first_of(a, "answer"), "channel,regex,reaches,net,widens");
	yajl_tree_free(a);
	a = world_ask(w, "nc-control-trace", "{\"channel\":\"A\",\"event\":\"x\"}");
	expect_keys(util_json_at(a, "answer"), "channel,event,channels,clients,net");
	expect_keys(first_of(a, "answer.clients"), "id,channel");
	yajl_tree_free(a);
	a = world_ask(w, "nc-control-stats", NULL);
	v = util_json_at(a, "answer");
	expect_keys(v, "version,host,pid,uid,boot,started_at,uptime_ms,config,clients,connections,"
	               "totals,routes,memory,loop,channels,users");
	expect_keys(util_json_at(v, "config"), "file,format,loaded_at,reloads,reload_errors");
	expect_keys(util_json_at(v, "connections"), "accepted,refused,quota,denied");
	expect_keys(util_json_at(v, "totals"),
	            "published,published_bytes,refused,bytes_in,bytes_out,flow");
	expect_flow_keys(util_json_at(v, "totals.flow"));
	expect_keys(util_json_at(v, "routes"), "entries,hits,misses,evictions");
	expect_keys(util_json_at(v, "memory"), "slabs,slab_bytes,queued_bytes");
	expect_keys(util_json_at(v, "loop"), "turns,reads,writes");
	expect_channel_keys(first_of(v, "channels"));
	expect_keys(first_of(v, "users"), "uid,user,connections,bytes,subscriptions,refused");
	assert_int_equal(util_json_int(v, "pid"), w->server.pid);
	yajl_tree_free(a);
}

struct nonsense {
	const char *question;
	const char *data;
};

static const struct nonsense nonsense[] = {
        {"nc-control-showchannel", NULL},
        {"nc-control-showchannel", "null"},
        {"nc-control-showchannel", "7"},
        {"nc-control-showchannel", "[\"A\"]"},
        {"nc-control-showchannel", "\"nowhere\""},
        {"nc-control-showchannel", "\"\""},
        {"nc-control-showchannel", "\"../../../../etc/passwd\""},
        {"nc-control-showclient", NULL},
        {"nc-control-showclient", "\"A\""},
        {"nc-control-showclient", "{}"},
        {"nc-control-showclient", "{\"channel\":\"A\"}"},
        {"nc-control-showclient", "{\"client\":\"x\"}"},
        {"nc-control-showclient", "{\"channel\":\"A\",\"client\":\"\"}"},
        {"nc-control-showclient", "{\"channel\":\"A\",\"client\":7}"},
        {"nc-control-showclient", "{\"channel\":{},\"client\":[]}"},
        {"nc-control-showclient", "{\"channel\":\"nowhere\",\"client\":\"x\"}"},
        {"nc-control-showclient",
         "{\"channel\":\"A\",\"client\":\"00000000-0000-4000-8000-000000000000\"}"},
        {"nc-control-clients", "{\"channel\":\"nowhere\"}"},
        {"nc-control-trace", NULL},
        {"nc-control-trace", "{}"},
        {"nc-control-trace", "{\"channel\":\"nowhere\",\"event\":\"x\"}"},
        {"nc-control-trace", "{\"channel\":\"A\",\"event\":\"a..b\"}"},
        {"nc-control-trace", "{\"channel\":\"A\",\"event\":7}"},
        {"nc-control-trace", "{\"channel\":\"A\",\"event\":\"x\\u0000y\"}"},
        {"nc-control-trace", "{\"channel\":\"A\\u0000\",\"event\":\"x\"}"},
        {"nc-control-showchannel", "\"A\\u0000B\""},
        {"nc-control-reloadconfig", "\"\\u0000\""},
        {"nc-control-reloadconfig", "{\"format\":\"json\",\"text\":\"{}\\u0000{\"}"},
        {"nc-control-reloadconfig", "7"},
        {"nc-control-reloadconfig", "[]"},
        {"nc-control-reloadconfig", "\"/etc/passwd\""},
        {"nc-control-reloadconfig", "{\"format\":\"xml\",\"text\":\"\"}"},
        {"nc-control-reloadconfig", "{\"format\":\"json\",\"text\":7}"},
        {"nc-control-reloadconfig", "{\"format\":\"json\",\"text\":\"{\"}"},
        {"nc-control-reloadconfig",
         "{\"format\":\"libconfig\",\"text\":\"@include \\\"/etc/passwd\\\"\\n\"}"},
        {"nc-control-reloadconfig", "{\"channels\":{\"A\":{\"propagatetochannels\":\"(\"}}}"},
        {"nc-control-reloadconfig", "{\"channels\":{\"a/b\":{}}}"},
        {"nc-control-shutdown", NULL},
        {"nc-control-", NULL},
        {"nc-control-showchannel-response", "\"A\""},
};
#define N_NONSENSE (sizeof(nonsense) / sizeof(*nonsense))

/* The error of an answer with an id. */
static void expect_error(const struct heard *h, const struct nonsense *n)
{
	size_t len = 0, text_len = 0;
	const char *nc = util_json_raw(h->packet, h->packet_len, "nc", &len);
	const char *text = nc ? util_json_raw(nc, len, "error", &text_len) : NULL;

	if (!text || text_len <= 2)
		fail_msg("%s %s: %s", n->question, n->data ? n->data : "", h->packet);
}

static void nonsense_is_answered(struct world *w, struct kinds k)
{
	struct peer *asks = world_new_peer(w, JSON, "control"), *a = world_peer(w, k.from, "A");
	yajl_val before = world_ask(w, "nc-control-showconfig", NULL), after;

	assert_int_equal(peer_connect(asks), 0);
	for (size_t i = 0; i < N_NONSENSE; i++) {
		const struct nonsense *n = &nonsense[i];
		char *text;

		if (k.from == NATIVE) {
			text = world_ask_in_vain(w, n->question, n->data);
			assert_true(strlen(text) > 0);
		} else {
			text = util_format("{\"event\":\"%s\",\"data\":%s,\"nc\":{\"id\":%zu}}",
			                   n->question, n->data ? n->data : "null", i);
			peer_packet(asks, text);
			WORLD_UNTIL(w, asks->n_heard == i + 1);
			expect_error(&asks->heard[i], n);
		}
		free(text);
	}
	/* nothing has changed, and nobody has noticed */
	after = world_ask(w, "nc-control-showconfig", NULL);
	yajl_tree_free(before);
	yajl_tree_free(after);
	peer_settle(a);
	peer_barrier(a);
	assert_int_equal(a->n_heard, 0);
}

/* Whether the list of an answer names exactly those of the peers that have heard something. */
static void trace_is_true(struct world *w, const char *channel, const char *event,
                          struct peer **peers, size_t n_peers)
{
	char *json = util_format("{\"channel\":\"%s\",\"event\":\"%s\"}", channel, event);
	yajl_val a = world_ask(w, "nc-control-trace", json);
	yajl_val list = util_json_at(a, "answer.clients");
	size_t n = 0;

	assert_true(YAJL_IS_ARRAY(list));
	for (size_t i = 0; i < n_peers; i++) {
		yajl_val object = peer_client_object(peers[i]);
		const char *id = util_json_text(object, "answer.id");
		bool listed = false;

		for (size_t c = 0; c < list->u.array.len; c++)
			listed |= strcmp(util_json_text(list->u.array.values[c], "id"), id) == 0;
		if (listed != (peers[i]->n_heard > 0))
			fail_msg("%s on %s: peer %zu is %slisted and heard %zu", event, channel, i,
			         listed ? "" : "not ", peers[i]->n_heard);
		n += listed;
		yajl_tree_free(object);
	}
	assert_int_equal(list->u.array.len, n);
	yajl_tree_free(a);
	free(json);
}

static void trace_tells_who_hears(struct world *w, struct kinds k)
{
	static const struct {
		const char *channel, *pattern;
	} interest[] = {
	        {"A", "log.>"}, {"A", "log.*"}, {"A", "other"},
	        {"B", "log.x"}, {"B", "*.x"},   {"C", "log.>"},
	};
	static const char *const events[] = {"log.x", "log.x.y", "other", "none"};
	enum { N = sizeof(interest) / sizeof(*interest) };
	struct peer *to[N], *from;

	for (size_t i = 0; i < N; i++)
		to[i] = world_listener(w, (i + k.from) % N_KINDS, interest[i].channel,
		                       interest[i].pattern);
	/* it hears all, and would itself be listed, did it not emit from elsewhere */
	from = world_peer(w, NATIVE, "A");
	for (size_t e = 0; e < sizeof(events) / sizeof(*events); e++) {
		peer_emit_int(from, events[e], 1);
		peer_settle(from);
		for (size_t i = 0; i < N; i++)
			peer_barrier(to[i]);
		trace_is_true(w, "A", events[e], to, N);
		for (size_t i = 0; i < N; i++)
			peer_forget(to[i]);
	}
}

static void totals(struct world *w, int64_t *published, int64_t *accepted)
{
	yajl_val a = world_ask(w, "nc-control-stats", NULL);

	*published = util_json_int(a, "answer.totals.published");
	*accepted = util_json_int(a, "answer.connections.accepted");
	yajl_tree_free(a);
}

static void counters_are_exact(struct world *w, struct kinds k)
{
	int64_t published[2], accepted[2];
	struct peer *from = world_peer(w, k.from, "A");

	world_peer(w, k.to, "A");
	totals(w, &published[0], &accepted[0]);
	for (int64_t n = 0; n < 777; n++)
		peer_emit_int(from, "x", n);
	world_peer(w, k.to, "A");
	peer_settle(from);
	totals(w, &published[1], &accepted[1]);
	/* two settlings; and one question, which is a message on control only if it has no id */
	assert_int_equal(published[1] - published[0], 777 + 2);
	assert_int_equal(accepted[1] - accepted[0], 1);
}

/* After a flood nothing is left of it: no bytes in queues, and few slabs. */
static void memory_comes_back(struct world *w, struct kinds k)
{
	static const char text[2000];
	const struct value v = {
	        .type = NC_BYTES, .data = text, .len = sizeof(text), .json = "\"bytes\""};
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to[3], *stalled = world_listener(w, k.to, "A", "big");
	yajl_val a;

	stalled->stalled = true;
	for (size_t i = 0; i < 3; i++)
		to[i] = world_listener(w, k.to, "A", "big");
	for (int n = 0; n < 1000; n++)
		assert_int_equal(peer_emit(from, "big", &v), NC_OK);
	peer_settle(from);
	stalled->stalled = false;
	for (size_t i = 0; i < 3; i++)
		peer_barrier(to[i]);
	peer_barrier(stalled);
	assert_int_equal(stalled->n_heard, 1000);
	a = world_ask(w, "nc-control-stats", NULL);
	assert_int_equal(util_json_int(a, "answer.memory.queued_bytes"), 0);
	assert_in_range(util_json_int(a, "answer.memory.slab_bytes"), 0, 4u << 20);
	yajl_tree_free(a);
}

/* Resident memory of the server, KiB. */
static unsigned long rss_kib(const struct world *w)
{
	char *path = util_format("/proc/%d/status", (int)w->server.pid);
	char *text = util_read_file(path), *at = text ? strstr(text, "VmRSS:") : NULL;
	unsigned long kib = at ? strtoul(at + strlen("VmRSS:"), NULL, 10) : 0;

	assert_true(kib > 0);
	free(text);
	free(path);
	return kib;
}

/* What a burst took goes back to the kernel, also where something that came later lives on. */
static void kernel_gets_memory_back(struct world *w, struct kinds k)
{
	static char text[1000];
	const struct value v = {.type = NC_TEXT, .data = text, .len = sizeof(text)};
	struct peer *from, *to = world_listener(w, NATIVE, "A", "big");
	uint64_t deadline;
	unsigned long kib;

	(void)k;
#ifdef __SANITIZE_ADDRESS__
	suite_skip("the sanitizer's allocator keeps what is freed");
#endif
	memset(text, 'x', sizeof(text));
	from = world_peer(w, NATIVE, "A");
	to->stalled = true;
	for (int n = 0; n < 30000; n++)
		assert_int_equal(peer_emit(from, "big", &v), NC_OK);
	peer_settle(from);
	for (int i = 0; i < 20; i++)
		world_peer(w, NATIVE, "A");
	assert_true(rss_kib(w) > 30000);
	to->stalled = false;
	peer_barrier(to);
	assert_int_equal(to->n_heard, 30000);
	for (deadline = util_deadline(); (kib = rss_kib(w)) > 12000;)
		world_pause(w, deadline, "the memory of a burst to be given back");
}

static const char roomy[] = "channels = { A = { queue_bytes = 67108864; }; };";

static const char ruled[] = "hello_wait = 20;\n"
                            "channels = { A = { propagatetochannels = \"B\"; }; B = {}; C = {}; };";

static const struct behaviour list[] = {
        {"what is shown has the fields that nc-protocol(7) names", EACH, objects_are_whole, NULL},
        {"nonsense is answered with an error, and changes nothing", EACH, nonsense_is_answered,
         NULL},
        {"trace names exactly those who hear an event", EACH, trace_tells_who_hears, ruled},
        {"totals count every message and connection", PAIRS, counters_are_exact, NULL},
        {"the memory of a flood is given back", PAIRS, memory_comes_back, NULL},
        {"the kernel gets back what a burst took", ONCE, kernel_gets_memory_back, roomy},
};

const struct theme control_theme = {"control", list, sizeof(list) / sizeof(*list)};
