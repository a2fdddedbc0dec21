/*
 * Nothing is lost in silence: policies of full queues, gaps told where they are, exact counters
 *
 * A receiver that does not read is sent more than its queue and the kernel hold. What it then
 * reads, what it is told to have lost, and what the server counts must agree to the message.
 */

#include "t/conformance/suite.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* More than the largest of: kernel's buffers (about 200 KiB), queue_bytes, queue_messages. */
#define N_FLOOD  3000
#define PAD      400u
#define N_NAMES  10
#define BLOCK_MS 300

static const char full_queues[] =
        "hello_wait = 20;\n"
        "channels = {\n"
        "DO = { policy = \"drop-oldest\"; queue_bytes = 65536; };\n"
        "DN = { policy = \"drop-newest\"; queue_bytes = 65536; };\n"
        "DM = { policy = \"drop-oldest\"; queue_messages = 16; };\n"
        "CO = { policy = \"conflate\"; queue_bytes = 65536; };\n"
        "DI = { policy = \"disconnect\"; queue_bytes = 65536; };\n"
        "BL = { policy = \"block\"; queue_bytes = 65536; block_timeout = 300; };\n"
        "BP = { policy = \"block\"; queue_bytes = 65536; block_timeout = 300; };\n"
        "BW = { policy = \"block\"; queue_bytes = 65536; block_timeout = 60000; };\n"
        "};";

/* What a receiver has seen of a numbered flood. */
struct seen {
	int64_t next;       /* the number that comes next if nothing is lost */
	uint64_t lost;      /* as told before the last message */
	uint64_t n;         /* messages */
	unsigned misplaced; /* numbers that the gaps told right before do not explain */
	int64_t last[N_NAMES];
};

static void see(struct peer *p, const struct heard *h)
{
	struct seen *s = p->arg;
	const char *number = memchr(h->data, '#', h->len);
	int64_t n = number ? strtoll(number + 1, NULL, 10) : -1;
	uint64_t lost = p->lost - s->lost;

	if (n != s->next + (int64_t)lost)
		s->misplaced++;
	s->next = n + 1;
	s->lost = p->lost;
	s->n++;
	s->last[n % N_NAMES] = n;
}

/* Under conflation a message takes the place of an older one of its event: order holds for each. */
static void see_last(struct peer *p, const struct heard *h)
{
	struct seen *s = p->arg;
	const char *number = memchr(h->data, '#', h->len);
	int64_t n = number ? strtoll(number + 1, NULL, 10) : -1;

	s->misplaced += s->n >= N_NAMES && n <= s->last[n % N_NAMES];
	s->n++;
	s->last[n % N_NAMES] = n;
}

/* One of the flood: text "<number>#<number> padding"; several names, one after the other. */
static void emit_numbered(struct peer *from, int64_t n)
{
	char text[PAD + 1], json[PAD + 3], event[16];
	struct value v = {.type = NC_TEXT, .data = text, .len = PAD, .json = json};

	memset(text, '.', PAD);
	text[snprintf(text, PAD, "#%06" PRId64 " ", n)] = '.';
	text[PAD] = '\0';
	snprintf(json, sizeof(json), "\"%s\"", text);
	snprintf(event, sizeof(event), "n.%d", (int)(n % N_NAMES));
	assert_int_equal(peer_emit(from, event, &v), NC_OK);
}

static void flood(struct peer *from, int64_t first, int64_t n)
{
	for (int64_t i = first; i < first + n; i++)
		emit_numbered(from, i);
	peer_settle(from);
}

/* A receiver of the flood that does not read from now on. */
static struct peer *stalled_receiver(struct world *w, enum kind k, const char *channel,
                                     struct seen *s, peer_hear *how)
{
	struct peer *to = world_listener(w, k, channel, "n.*");

	peer_barrier(to);
	peer_ignore_sync(to);
	to->on_heard = how;
	to->arg = s;
	to->stalled = true;
	return to;
}

/* It reads again, until nothing is queued for it. */
static void drain(struct peer *to)
{
	uint64_t deadline = util_deadline();
	struct flow f;

	to->stalled = false;
	for (peer_flow(to, &f); f.queued > 0; peer_flow(to, &f))
		world_pause(to->world, deadline, "the queue of a receiver that reads to drain");
	peer_heed_sync(to);
	peer_barrier(to);
}

/* All that was routed to it since it stood at `before` was read by it or told as lost. */
static void check_flow(struct peer *to, const struct flow *f, uint64_t n_messages)
{
	assert_int_equal(f->queued, 0);
	assert_int_equal(f->queued_bytes, 0);
	assert_int_equal(f->written, n_messages);
	assert_int_equal(f->dropped_total, to->lost);
	assert_int_equal(f->routed, n_messages + to->lost);
}

/* What the client has got over the wire in all. */
static uint64_t received(struct peer *p)
{
	struct nc_counters c;

	if (p->kind == JSON)
		return p->n_messages;
	nc_get_counters(p->nc, &c, sizeof(c));
	assert_int_equal(c.lost, p->lost);
	return c.received;
}

static void lossy(struct world *w, struct kinds k, const char *channel, peer_hear *how,
                  struct seen *s, struct flow *f)
{
	struct peer *reads = world_listener(w, k.to, channel, "n.*");
	struct peer *to = stalled_receiver(w, k.to, channel, s, how);
	struct peer *from = world_peer(w, k.from, channel);
	struct seen all = {.next = 0};

	reads->on_heard = see;
	reads->arg = &all;
	if (k.from == JSON)
		peer_listen(from, "nothing.here");
	/* settled in parts that fit a queue, so that who reads keeps up and loses nothing */
	for (int64_t n = 0; n < N_FLOOD; n += 10) {
		flood(from, n, 10);
		peer_barrier(reads);
	}
	assert_int_equal(all.n, N_FLOOD);
	assert_int_equal(all.misplaced, 0);
	assert_int_equal(reads->lost, 0);
	peer_flow(to, f);
	assert_true(f->queued > 0);
	assert_true(f->dropped_total > 0);
	assert_in_range(f->queued_bytes, 1, 65536 + 4 * PAD);
	drain(to);
	flood(from, N_FLOOD, N_NAMES);
	peer_barrier(to);
	assert_int_equal(s->misplaced, 0);
	assert_int_equal(s->n + to->lost, N_FLOOD + N_NAMES);
	assert_int_equal(s->next, N_FLOOD + N_NAMES);
	peer_flow(to, f);
	check_flow(to, f, received(to));
}

static void drop_oldest(struct world *w, struct kinds k)
{
	struct seen s = {.next = 0};
	struct flow f;

	lossy(w, k, "DO", see, &s, &f);
	assert_int_equal(f.drop_oldest, f.dropped_total);
}

static void drop_oldest_by_number(struct world *w, struct kinds k)
{
	struct seen s = {.next = 0};
	struct flow f;

	lossy(w, k, "DM", see, &s, &f);
	assert_int_equal(f.drop_oldest, f.dropped_total);
}

static void drop_newest(struct world *w, struct kinds k)
{
	struct seen s = {.next = 0};
	struct flow f;

	lossy(w, k, "DN", see, &s, &f);
	assert_int_equal(f.drop_newest, f.dropped_total);
}

static void conflate(struct world *w, struct kinds k)
{
	struct seen s = {.next = 0};
	struct peer *to = stalled_receiver(w, k.to, "CO", &s, see_last);
	struct peer *from = world_peer(w, k.from, "CO");
	struct flow f;

	if (k.from == JSON)
		peer_listen(from, "nothing.here");
	flood(from, 0, N_FLOOD);
	peer_flow(to, &f);
	assert_true(f.conflate > 0);
	drain(to);
	peer_flow(to, &f);
	/* a burst beyond the queue's bounds may have cost the oldest ones */
	assert_int_equal(f.conflate + f.drop_oldest, f.dropped_total);
	assert_int_equal(s.n + to->lost, N_FLOOD);
	assert_int_equal(s.misplaced, 0);
	/* the last one of each event is there */
	for (int i = 0; i < N_NAMES; i++)
		assert_int_equal(s.last[i], N_FLOOD - N_NAMES + i);
	check_flow(to, &f, received(to));
}

/* What is left of a connection that the server ended for slowness. */
static void expect_slow_end(struct peer *to)
{
	to->stalled = false;
	WORLD_UNTIL(to->world, to->ended);
	/* there may have been no room left to say why */
	if (to->error != NC_OK && to->error != NC_ECLOSED)
		assert_int_equal(to->error, NC_ESLOW);
}

/* Others may be named for having been slow for a moment; one has gone. */
static void expect_in_slow_list(struct world *w, const char *channel, const char *reason)
{
	yajl_val answer = world_ask(w, "nc-control-slow", NULL);
	yajl_val list = util_json_at(answer, "answer");
	size_t n_gone = 0;

	assert_true(YAJL_IS_ARRAY(list));
	for (size_t i = 0; i < list->u.array.len; i++) {
		yajl_val v = list->u.array.values[i];

		assert_string_equal(util_json_text(v, "channel"), channel);
		assert_int_equal(util_json_int(v, "pid"), getpid());
		if (YAJL_IS_FALSE(util_json_at(v, "gone")))
			continue;
		assert_string_equal(util_json_text(v, "reason"), reason);
		n_gone++;
	}
	assert_int_equal(n_gone, 1);
	yajl_tree_free(answer);
}

static void disconnect_policy(struct world *w, struct kinds k)
{
	struct seen s = {.next = 0}, all = {.next = 0};
	struct peer *reads = world_listener(w, k.to, "DI", "n.*");
	struct peer *to = stalled_receiver(w, k.to, "DI", &s, see);
	struct peer *from = world_peer(w, k.from, "DI");
	struct flow before;

	reads->on_heard = see;
	reads->arg = &all;
	if (k.from == JSON)
		peer_listen(from, "nothing.here");
	for (int64_t n = 0; n < N_FLOOD; n += 30) {
		flood(from, n, 30);
		peer_barrier(reads);
	}
	assert_int_equal(all.n, N_FLOOD);
	assert_int_equal(all.misplaced, 0);
	expect_slow_end(to);
	/* what it read is the unbroken beginning */
	assert_int_equal(s.misplaced, 0);
	assert_int_equal(s.next, s.n);
	assert_in_range(s.n, 1, N_FLOOD - 1);
	assert_int_equal(to->lost, 0);
	channel_flow(w, "DI", &before);
	assert_true(before.disconnected > 0);
	assert_int_equal(before.disconnected, before.dropped_total);
	expect_in_slow_list(w, "DI", "disconnected");
}

/* It is stalled until its sender is, then reads on: nothing is lost, and all is in order. */
static void block_holds_the_sender(struct world *w, struct kinds k)
{
	struct seen s = {.next = 0};
	struct peer *to = stalled_receiver(w, k.to, "BW", &s, see);
	struct peer *from = world_peer(w, k.from, "BW");
	uint64_t deadline = util_deadline();
	yajl_val answer, v;
	bool paused = false;

	if (k.from == JSON)
		peer_listen(from, "nothing.here");
	for (int64_t n = 0; n < N_FLOOD; n++)
		emit_numbered(from, n);
	while (!paused) {
		world_pause(w, deadline, "the sender to be paused");
		answer = peer_client_object(from);
		paused = YAJL_IS_TRUE(util_json_at(answer, "answer.paused"));
		yajl_tree_free(answer);
	}
	answer = peer_client_object(to);
	v = util_json_at(answer, "answer");
	assert_true(YAJL_IS_TRUE(util_json_at(v, "blocked")));
	assert_true(util_json_int(v, "stalls.caused") > 0);
	assert_true(util_json_int(v, "out.queued") > 0);
	yajl_tree_free(answer);
	to->stalled = false;
	peer_settle(from);
	peer_heed_sync(to);
	peer_barrier(to);
	assert_int_equal(s.n, N_FLOOD);
	assert_int_equal(s.misplaced, 0);
	assert_int_equal(to->lost, 0);
	answer = peer_client_object(from);
	v = util_json_at(answer, "answer");
	assert_true(util_json_int(v, "stalls.suffered") > 0);
	assert_true(YAJL_IS_FALSE(util_json_at(v, "paused")));
	/* settled when it connected, when it listened, and now */
	assert_int_equal(util_json_int(v, "in.messages"), N_FLOOD + 2 + (k.from == JSON));
	yajl_tree_free(answer);
}

/* It never reads: after block_timeout it goes, and the others have missed nothing. */
static void block_ends_the_slow(struct world *w, struct kinds k)
{
	struct seen s = {.next = 0}, all = {.next = 0};
	struct peer *reads = world_listener(w, k.to, "BL", "n.*");
	struct peer *to = stalled_receiver(w, k.to, "BL", &s, see);
	struct peer *from = world_peer(w, k.from, "BL");
	struct flow before;

	reads->on_heard = see;
	reads->arg = &all;
	if (k.from == JSON)
		peer_listen(from, "nothing.here");
	peer_barrier(reads);
	flood(from, 0, N_FLOOD);
	peer_barrier(reads);
	assert_int_equal(all.n, N_FLOOD);
	assert_int_equal(all.misplaced, 0);
	expect_slow_end(to);
	assert_int_equal(s.misplaced, 0);
	assert_int_equal(s.next, s.n);
	channel_flow(w, "BL", &before);
	assert_int_equal(before.queued, 0);
	assert_true(before.disconnected > 0);
	assert_int_equal(before.disconnected, before.dropped_total);
	expect_in_slow_list(w, "BL", "disconnected");
}

/* What a receiver leaves unread when it goes by itself is counted, and nothing else is. */
static void leaving_with_a_queue(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "BW");
	struct seen s = {.next = 0};
	struct peer *to = stalled_receiver(w, k.to, "BW", &s, see);
	struct flow f, g;
	uint64_t deadline = util_deadline();

	for (int64_t n = 0; n < N_FLOOD; n++)
		emit_numbered(from, n);
	for (peer_flow(to, &f); f.queued == 0; peer_flow(to, &f))
		world_pause(w, deadline, "something to be queued");
	channel_flow(w, "BW", &f);
	peer_leave(to);
	peer_settle(from);
	channel_flow(w, "BW", &g);
	assert_int_equal(g.queued, 0);
	assert_true(g.disconnected >= f.queued);
	assert_int_equal(g.disconnected, g.dropped_total);
	assert_true(g.routed >= f.routed);
}

/* What is routed to it is written (until the kernel takes no more), queued or dropped; when it
 * goes, what was queued is dropped too, and nothing else. */
static void never_reads(struct world *w, struct kinds k)
{
	static const char *const channels[] = {"DO", "DN", "DM", "CO"};

	for (size_t i = 0; i < sizeof(channels) / sizeof(*channels); i++) {
		struct seen s = {.next = 0};
		struct peer *to = stalled_receiver(w, k.to, channels[i], &s, see);
		struct peer *from = world_peer(w, k.from, channels[i]);
		struct flow f0, f, g;

		if (k.from == JSON)
			peer_listen(from, "nothing.here");
		peer_flow(to, &f0);
		flood(from, 0, N_FLOOD);
		peer_flow(to, &f);
		assert_int_equal(f.routed - f0.routed, N_FLOOD);
		assert_true(f.queued > 0 && f.dropped_total > 0);
		/* nothing moves on */
		flood(from, N_FLOOD, N_NAMES);
		peer_flow(to, &g);
		assert_int_equal(g.written, f.written);
		assert_int_equal(g.routed, f.routed + N_NAMES);
		peer_leave(to);
		channel_flow(w, channels[i], &f);
		assert_int_equal(f.queued, 0);
		assert_int_equal(f.queued_bytes, 0);
		assert_int_equal(f.disconnected, g.queued);
		assert_int_equal(f.dropped_total, g.dropped_total + g.queued);
		assert_int_equal(s.n, 0);
	}
}

/* Where the channel ends it for that, all that was routed to it stands in its socket, or is counted
 * as dropped by its leaving. */
static void never_reads_and_goes(struct world *w, struct kinds k)
{
	static const char *const channels[] = {"DI", "BL"};

	for (size_t i = 0; i < 2; i++) {
		struct seen s = {.next = 0};
		struct peer *to = stalled_receiver(w, k.to, channels[i], &s, see);
		struct peer *from = world_peer(w, k.from, channels[i]);
		struct flow before, f;

		if (k.from == JSON)
			peer_listen(from, "nothing.here");
		channel_flow(w, channels[i], &before);
		assert_int_equal(before.dropped_total, 0);
		flood(from, 0, N_FLOOD);
		expect_slow_end(to);
		channel_flow(w, channels[i], &f);
		assert_int_equal(f.queued, 0);
		assert_true(f.disconnected > 0);
		assert_int_equal(f.dropped_total, f.disconnected);
		/* what it finds in its socket is the unbroken beginning of the flood */
		assert_int_equal(s.misplaced, 0);
		assert_int_equal(s.next, s.n);
		assert_true(s.n > 0 && s.n + (uint64_t)f.disconnected <= N_FLOOD);
		/* the world's own client got the one event that settled the flood, and it the rest
		 */
		assert_int_equal(f.written - before.written, s.n + 1);
		assert_int_equal(f.routed - before.routed, s.n + 1 + (uint64_t)f.disconnected);
	}
}

/* A native client may ask for less than its channel promises, and never for more. */
static void wished_policy(struct world *w, struct kinds k)
{
	static const struct {
		const char *channel;
		int wish;
		const char *granted;
	} wishes[] = {
	        {"BL", NC_POLICY_DROP_OLDEST, "drop-oldest"},
	        {"BL", NC_POLICY_CONFLATE, "conflate"},
	        {"BL", NC_POLICY_DROP_NEWEST, "drop-newest"},
	        {"BL", NC_POLICY_BLOCK, "block"},
	        {"BL", NC_POLICY_DISCONNECT, "block"},
	        {"DN", NC_POLICY_BLOCK, "drop-newest"},
	        {"DN", NC_POLICY_DROP_OLDEST, "drop-newest"},
	        {"DI", NC_POLICY_BLOCK, "disconnect"},
	        {"DI", NC_POLICY_DROP_OLDEST, "drop-oldest"},
	};

	(void)k;
	for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++) {
		struct peer *p = world_new_peer(w, NATIVE, wishes[i].channel);
		yajl_val answer;

		assert_int_equal(nc_setopt_int(p->nc, NC_OPT_RECEIVE_POLICY, wishes[i].wish),
		                 NC_OK);
		assert_int_equal(peer_connect(p), 0);
		answer = peer_client_object(p);
		assert_string_equal(util_json_text(answer, "answer.policy"), wishes[i].granted);
		yajl_tree_free(answer);
		peer_leave(p);
	}
}

/* It asked to be dropped from, so it holds up nobody on a channel that blocks. */
static void wish_holds_nobody_up(struct world *w, struct kinds k)
{
	struct seen s = {.next = 0};
	struct peer *to = world_new_peer(w, NATIVE, "BW");
	struct peer *from = world_peer(w, k.from, "BW");
	struct flow f;

	assert_int_equal(nc_setopt_int(to->nc, NC_OPT_RECEIVE_POLICY, NC_POLICY_DROP_OLDEST),
	                 NC_OK);
	assert_int_equal(peer_connect(to), 0);
	peer_listen(to, "n.*");
	to->on_heard = see;
	to->arg = &s;
	peer_ignore_sync(to);
	to->stalled = true;
	flood(from, 0, N_FLOOD);
	drain(to);
	assert_int_equal(s.misplaced, 0);
	assert_int_equal(s.n + to->lost, N_FLOOD);
	peer_flow(to, &f);
	assert_true(f.drop_oldest > 0);
	check_flow(to, &f, received(to));
}

/* A process that was thrown out for slowness holds up nobody when it comes back, for a time. */
static void probation(struct world *w, struct kinds k)
{
	struct seen s = {.next = 0};
	struct peer *to = stalled_receiver(w, k.to, "BP", &s, see);
	struct peer *from = world_peer(w, k.from, "BP");
	struct flow f;
	yajl_val answer;

	if (k.from == JSON)
		peer_listen(from, "nothing.here");
	flood(from, 0, N_FLOOD);
	expect_slow_end(to);
	peer_close(to);
	s = (struct seen){.next = 0};
	to = stalled_receiver(w, k.to, "BP", &s, see);
	answer = peer_client_object(to);
	assert_true(YAJL_IS_TRUE(util_json_at(answer, "answer.probation")));
	assert_string_equal(util_json_text(answer, "answer.policy"), "drop-newest");
	yajl_tree_free(answer);
	flood(from, 0, N_FLOOD);
	drain(to);
	flood(from, N_FLOOD, 1);
	peer_barrier(to);
	assert_int_equal(s.misplaced, 0);
	assert_int_equal(s.n + to->lost, N_FLOOD + 1);
	peer_flow(to, &f);
	assert_true(f.drop_newest > 0);
	check_flow(to, &f, received(to));
}

/* Sums over clients, channels and all of it agree, also after clients have gone. */
static void sums_agree(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to[4];
	struct flow f, sum = {.routed = 0}, total;
	yajl_val answer, list;

	for (size_t i = 0; i < 4; i++)
		to[i] = world_listener(w, i % 2 ? JSON : NATIVE, i / 2 ? "B" : "A", ">");
	for (int64_t n = 0; n < 500; n++)
		peer_emit_int(from, "x", n);
	peer_settle(from);
	for (size_t i = 0; i < 4; i++)
		peer_barrier(to[i]);
	peer_leave(to[1]);
	peer_leave(to[2]);
	answer = world_ask(w, "nc-control-stats", NULL);
	flow_read(&total, util_json_at(answer, "answer.totals.flow"));
	list = util_json_at(answer, "answer.channels");
	assert_true(YAJL_IS_ARRAY(list));
	for (size_t i = 0; i < list->u.array.len; i++) {
		flow_read(&f, util_json_at(list->u.array.values[i], "flow"));
		sum.routed += f.routed;
		sum.written += f.written;
		sum.queued += f.queued;
		sum.dropped_total += f.dropped_total;
	}
	assert_int_equal(sum.routed, total.routed);
	assert_int_equal(sum.written, total.written);
	assert_int_equal(sum.queued, total.queued);
	assert_int_equal(sum.dropped_total, total.dropped_total);
	assert_true(total.routed >= 500 * 4);
	assert_int_equal(total.dropped_total, 0);
	yajl_tree_free(answer);
}

static void client_object(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to = world_listener(w, k.from, "A", ">");
	yajl_val answer, v;

	for (int64_t n = 0; n < 10; n++)
		peer_emit_int(from, "x", n);
	peer_settle(from);
	peer_barrier(to);
	answer = peer_client_object(from);
	v = util_json_at(answer, "answer");
	assert_string_equal(util_json_text(v, "channel"), "A");
	assert_string_equal(util_json_text(v, "dialect"), k.from == JSON ? "json" : "native");
	assert_int_equal(util_json_int(v, "pid"), getpid());
	assert_int_equal(util_json_int(v, "uid"), getuid());
	assert_int_equal(util_json_int(v, "gid"), getgid());
	/* connecting, and settling, was one each */
	assert_int_equal(util_json_int(v, "in.messages"), 12);
	assert_int_equal(util_json_int(v, "in.refused"), 0);
	assert_true(util_json_int(v, "connected_at") > 1600000000000);
	assert_true(YAJL_IS_FALSE(util_json_at(v, "paused")));
	assert_true(YAJL_IS_FALSE(util_json_at(v, "probation")));
	assert_non_null(util_json_at(v, "command"));
	yajl_tree_free(answer);
}

static const char same_channel_rule[] =
        "hello_wait = 20;\n"
        "channels = { A = { propagatetochannels = \"B\"; }; B = {}; };";

static const struct behaviour list[] = {
        {"drop-oldest tells what it lost, where it lost it", PAIRS, drop_oldest, full_queues},
        {"a queue full by the number of messages loses and tells the same way", PAIRS,
         drop_oldest_by_number, full_queues},
        {"drop-newest tells what it lost, where it lost it", PAIRS, drop_newest, full_queues},
        {"conflate keeps the last of each event, and tells how many it lost", PAIRS, conflate,
         full_queues},
        {"disconnect ends the slow one, and others miss nothing", PAIRS, disconnect_policy,
         full_queues},
        {"block holds the sender until the receiver reads on, and loses nothing", PAIRS,
         block_holds_the_sender, full_queues},
        {"block ends who blocks for too long, and others miss nothing", PAIRS, block_ends_the_slow,
         full_queues},
        {"who was ended for blocking is on probation when it comes back", PAIRS, probation,
         full_queues},
        {"what a leaver had not read is counted as dropped by its leaving", PAIRS,
         leaving_with_a_queue, full_queues},
        {"of one that never reads all is accounted for, under each policy that drops", PAIRS,
         never_reads, full_queues},
        {"and under those that end it", PAIRS, never_reads_and_goes, full_queues},
        {"a client is granted a lossier policy than its channel's, never a stricter one", ONCE,
         wished_policy, full_queues},
        {"a client that wished to lose holds up nobody", EACH, wish_holds_nobody_up, full_queues},
        {"sums over clients, channels and totals agree", EACH, sums_agree, same_channel_rule},
        {"a client is shown with who it is and what it did", EACH, client_object, NULL},
};

const struct theme accounting_theme = {"accounting", list, sizeof(list) / sizeof(*list)};
