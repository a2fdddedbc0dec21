/*
 * Visitors that do not keep to the protocol, and those that ask
 *
 * None of them says anything that would count as a whole message. What they leave half done is
 * theirs alone: nobody must notice, and nothing must be left of it.
 */

#include "t/soak/visitor.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t/helpers/jsonclient.h"
#include "t/helpers/raw.h"
#include "t/soak/question.h"

/* Connections of a crowd. */
#define CROWD_MAX 200

/* As much as the kernel takes now. Returns whether the connection still stands. */
static bool push(struct jc *c, const void *p, size_t len)
{
	int r;

	jc_queue(c, p, len);
	r = jc_flush(c);
	atomic_fetch_add(&soak->totals.garbage, len);
	return r == 0 || r == -EAGAIN;
}

static void linger(unsigned ms)
{
	for (uint64_t end = util_now_ms() + ms; !visit_must_go() && util_left_ms(end) > 0;)
		poll(NULL, 0, util_left_ms(end) < 50 ? util_left_ms(end) : 50);
}

static size_t noise(char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (char)chance();
	return len;
}

static void say_hello(struct jc *c)
{
	struct raw r = {.len = 0};

	raw_hello(&r);
	push(c, r.p, r.len);
}

/* ---- what they do, each with a connection of its own */

/* Garbage at full speed, until the server has had enough, and some more. */
static void flood(struct jc *c, const char *channel)
{
	char bytes[4096];

	(void)channel;
	if (chance_one_in(2))
		say_hello(c);
	else if (chance_one_in(2))
		push(c, "{", 1);
	for (int i = 0; i < 200 && !visit_must_go(); i++)
		if (jc_queued(c) == 0 && !push(c, bytes, noise(bytes, sizeof(bytes))))
			break;
}

/* The id that its WELCOME gives it; 0 where another thing came, as to one who was so late with its
 * hello that it was taken for a JSON client. */
static uint64_t await_welcome(struct jc *c)
{
	enum { WELCOME = 2, KIND_AT = 4, ID_AT = 16, ENOUGH = 24 };
	uint64_t id = 0;

	for (uint64_t end = util_now_ms() + 5000; util_left_ms(end) > 0 && !visit_must_go();) {
		struct pollfd f = {.fd = c->fd, .events = POLLIN};

		if (poll(&f, 1, 50) > 0 && !jc_fill(c))
			break;
		if (c->in.len >= ENOUGH)
			break;
	}
	if (c->in.len < ENOUGH || c->in.p[KIND_AT] != WELCOME)
		return 0;
	for (int i = 7; i >= 0; i--)
		id = id << 8 | (uint8_t)c->in.p[ID_AT + i];
	return id;
}

/* A good frame of which the end never comes: it is killed in the midst of it, or goes. */
static void half_frame(struct jc *c, const char *channel)
{
	static const char event[] = "s.1.1";
	struct raw r = {.len = 0};
	char letters[3000];
	size_t n = strlen(channel);
	uint32_t whole = chance_one_in(4) ? 15u << 20 : 200000;

	say_hello(c);
	raw_prefix(&r, whole, 3, 0x04, (uint8_t)n, sizeof(event) - 1);
	raw_u64(&r, await_welcome(c));
	raw_u64(&r, 1);
	raw_bytes(&r, channel, n);
	raw_bytes(&r, event, sizeof(event) - 1);
	memset(letters, 'x', sizeof(letters));
	push(c, r.p, r.len);
	for (int i = 0; i < 60 && !visit_must_go(); i++) {
		push(c, letters, chance_below(sizeof(letters)) + 1);
		linger(chance_below(40));
	}
}

/* A packet of which the end never comes. */
static void half_packet(struct jc *c, const char *channel)
{
	static const char start[] = "{\"event\":\"nc.listen\",\"data\":\"x\"}\0"
	                            "{\"event\":\"s.1.1\",\"data\":\"";
	char letters[3000];

	(void)channel;
	memset(letters, 'x', sizeof(letters));
	push(c, start, sizeof(start) - 1);
	for (int i = 0; i < 60 && !visit_must_go(); i++) {
		push(c, letters, chance_below(sizeof(letters)) + 1);
		linger(chance_below(40));
	}
}

/* Questions upon questions, and no ear for the answers. */
static void pings(struct jc *c, const char *channel)
{
	struct raw r = {.len = 0};

	(void)channel;
	say_hello(c);
	for (int i = 0; i < 200; i++) {
		raw_prefix(&r, 8, 6, 0, 0, 0);
		raw_u64(&r, (uint64_t)i);
	}
	for (int i = 0; i < 1000 && !visit_must_go(); i++) {
		if (jc_queued(c) > 0)
			linger(1);
		if (jc_queued(c) == 0 ? !push(c, r.p, r.len) : jc_flush(c) == -EPIPE)
			break;
	}
}

/* Says nothing, or one byte, and hears nothing. */
static void silence(struct jc *c, const char *channel)
{
	(void)channel;
	if (chance_one_in(2))
		push(c, chance_one_in(2) ? "\xff" : "{", 1);
	linger(chance_below(3000));
}

/* A claim of a length that no memory would do for. */
static void boast(struct jc *c, const char *channel)
{
	struct raw r = {.len = 0};

	(void)channel;
	say_hello(c);
	raw_prefix(&r, 0xfffffff0u, (uint8_t)chance_below(16), (uint8_t)chance(), (uint8_t)chance(),
	           (uint8_t)chance());
	push(c, r.p, r.len);
	linger(chance_below(500));
}

/* One direction is closed, and the other one not read. */
static void half_closed(struct jc *c, const char *channel)
{
	(void)channel;
	if (chance_one_in(2))
		say_hello(c);
	shutdown(c->fd, chance_one_in(2) ? SHUT_WR : SHUT_RD);
	linger(chance_below(1000));
}

/* Patterns until there are too many. */
static void greedy(struct jc *c, const char *channel)
{
	char pattern[64];

	(void)channel;
	say_hello(c);
	for (unsigned i = 0; i < 5000 && !visit_must_go(); i++) {
		struct raw r = {.len = 0};
		int n = snprintf(pattern, sizeof(pattern), "x.%u.*", i);

		raw_prefix(&r, (uint32_t)n, 4, 0, 0, (uint8_t)n);
		raw_bytes(&r, pattern, (size_t)n);
		if (jc_queued(c) > 0 || !push(c, r.p, r.len))
			break;
	}
	linger(chance_below(500));
}

/* ---- crowds */

static void crowd(enum soak_channel ch, unsigned number)
{
	unsigned n = 20 + chance_below(CROWD_MAX - 20);
	static struct jc all[CROWD_MAX];
	char path[UTIL_PATH_MAX];

	server_socket(soak_server, channel_name(ch, number), path);
	for (unsigned i = 0; i < n; i++)
		if (jc_open(&all[i], path) == 0 && chance_one_in(2))
			say_hello(&all[i]);
	linger(chance_below(300));
	for (unsigned i = 0; i < n; i++)
		jc_close(&all[i]);
}

void visit_rude(uint32_t number)
{
	static void (*const native_only[])(struct jc *, const char *) = {half_frame, boast, pings,
	                                                                 greedy};
	static void (*const any[])(struct jc *, const char *) = {
	        half_frame, boast, pings, greedy, flood, silence, half_packet, flood, half_closed};
	enum soak_channel ch = chance_below(N_CHANNELS);
	unsigned which = chance_below(PASSING_MAX);
	/* who is taken for a JSON client hears all, and holds up the others where it does not read
	 */
	bool must_be_native = ch == CH_CALM || ch == CH_FIFO;
	const char *channel = channel_name(ch, which);
	char path[UTIL_PATH_MAX];
	struct jc c;

	(void)number;
	if (!must_be_native && chance_one_in(8)) {
		crowd(ch, which);
		return;
	}
	server_socket(soak_server, channel, path);
	for (unsigned n = 1 + chance_below(10); n > 0 && !visit_must_go(); n--) {
		if (jc_open(&c, path) != 0)
			break;
		if (must_be_native)
			native_only[chance_below(sizeof(native_only) / sizeof(*native_only))](
			        &c, channel);
		else
			any[chance_below(sizeof(any) / sizeof(*any))](&c, channel);
		jc_close(&c);
	}
}

/* ---- askers */

static void ask_nonsense(nc_client *nc)
{
	static const struct {
		const char *event;
		const char *data;
	} questions[] = {
	        {"nc-control-showchannel", "\"nowhere\""},
	        {"nc-control-showclient", "{\"channel\":{},\"client\":[]}"},
	        {"nc-control-reloadconfig",
	         "{\"channels\":{\"A\":{\"propagatetochannels\":\"(\"}}}"},
	        {"nc-control-reloadconfig", "{\"format\":\"libconfig\",\"text\":\"channels = {\"}"},
	        {"nc-control-trace", "{\"channel\":\"calm\",\"event\":\"a..b\"}"},
	        {"nc-control-riddle", NULL},
	};
	size_t i = chance_below(sizeof(questions) / sizeof(*questions));
	int error;
	char *text = question_ask(nc, questions[i].event, questions[i].data, &error);

	if (!text || error == NC_OK)
		soak_fail("%s was answered: %s", questions[i].event, text ? text : "not at all");
	free(text);
}

static void ask_something(nc_client *nc)
{
	static const char *const plain[] = {"nc-control-showconfig", "nc-control-rules",
	                                    "nc-control-slow", "nc-control-channels"};
	static const char trace[] = "{\"channel\":\"calm\",\"event\":\"s.1.1\"}";

	switch (chance_below(5)) {
	case 0: question_check_stats(nc); break;
	case 1: question_check_clients(nc); break;
	case 2: ask_nonsense(nc); break;
	case 3: yajl_tree_free(question_tree(nc, "nc-control-trace", trace)); break;
	case 4: yajl_tree_free(question_tree(nc, plain[chance_below(4)], NULL)); break;
	default: break;
	}
}

/* Asks as netcluster's tools do, and does not wait for what is said. */
static void ask_and_go(void)
{
	static const char question[] = "{\"event\":\"nc-control-clients\"}";
	char path[UTIL_PATH_MAX];
	struct jc c;

	if (jc_open(&c, server_socket(soak_server, "control", path)) != 0)
		return;
	for (int i = 0; i < 20; i++)
		jc_queue(&c, question, sizeof(question));
	jc_flush(&c);
	linger(chance_below(100));
	jc_close(&c);
}

void visit_asker(uint32_t number)
{
	nc_client *nc;

	(void)number;
	if (chance_one_in(4)) {
		ask_and_go();
		return;
	}
	nc = question_connect("an asker", false);
	if (!nc) {
		atomic_fetch_add(&soak->totals.turned_away, 1);
		return;
	}
	for (unsigned n = 1 + chance_below(10); n > 0 && !visit_must_go(); n--) {
		ask_something(nc);
		linger(chance_below(300));
	}
	nc_disconnect(nc, 1000);
	nc_free(nc);
}
