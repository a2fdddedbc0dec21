/* peer_redis.c - the same work through redis-server (PUBLISH, SUBSCRIBE) and hiredis */

#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

#include <hiredis/hiredis.h>

/* Commands that are sent together, in bytes: as much as others write at once. */
#define PIPELINE_BYTES 65536u
#define COMMAND_BYTES  40u

static redisContext *end_open(const struct daemon *d)
{
	redisContext *c = redisConnectUnix(d->at);

	if (!c || c->err)
		worker_fail(c ? c->errstr : "memory", 0);
	return c;
}

static redisReply *take_reply(redisContext *c)
{
	void *reply;

	if (redisGetReply(c, &reply) != REDIS_OK)
		worker_fail(c->errstr, 0);
	return reply;
}

static void drop_replies(redisContext *c, uint64_t n)
{
	while (n--)
		freeReplyObject(take_reply(c));
}

static void send_all(redisContext *c)
{
	int is_done = 0;

	while (!is_done)
		if (redisBufferWrite(c, &is_done) != REDIS_OK)
			worker_fail(c->errstr, 0);
}

static void listen_to(redisContext *c, const char *channel)
{
	freeReplyObject(redisCommand(c, "SUBSCRIBE %s", channel));
}

static void publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint64_t most = PIPELINE_BYTES / (o->len + COMMAND_BYTES) + 1, n_open = 0;
	uint8_t *payload = check_filler(o->len);
	redisContext *c = end_open(d);

	worker_ready(w);
	for (uint64_t i = 0; i < o->n_messages;) {
		uint64_t n = 0;

		for (; n < most && i < o->n_messages; n++, i++) {
			check_put(payload, false, check_tag(w->id, i));
			redisAppendCommand(c, "PUBLISH bench %b", payload, o->len);
		}
		send_all(c);
		/* the replies to a batch are read while the next one is under way */
		drop_replies(c, n_open);
		n_open = n;
	}
	drop_replies(c, n_open);
}

static void subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	redisContext *c = end_open(d);
	bool is_done = false;

	(void)o;
	listen_to(c, "bench");
	worker_ready(w);
	while (!is_done) {
		redisReply *r = take_reply(c);

		is_done = r->elements == 3 &&
		          check_take(&w->check, r->element[2]->str, r->element[2]->len);
		freeReplyObject(r);
	}
}

static void ping(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	redisContext *to = end_open(d), *from = end_open(d);

	listen_to(from, "pong");
	worker_ready(w);
	while (ping_goes_on(o, w)) {
		uint64_t begin_ns = bench_now_ns();

		redisAppendCommand(to, "PUBLISH ping %b", payload, o->len);
		send_all(to);
		drop_replies(from, 1);
		ping_took(w, begin_ns);
		/* not a part of the round trip */
		drop_replies(to, 1);
	}
}

static void pong(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	redisContext *to = end_open(d), *from = end_open(d);

	listen_to(from, "ping");
	worker_ready(w);
	for (;;) {
		drop_replies(from, 1);
		redisAppendCommand(to, "PUBLISH pong %b", payload, o->len);
		send_all(to);
		drop_replies(to, 1);
	}
}

static void prepare(const struct bench_options *o, struct daemon *d)
{
	static const char *const argv[] = {"redis-server",
	                                   "--port",
	                                   "0",
	                                   "--save",
	                                   "",
	                                   "--appendonly",
	                                   "no",
	                                   "--client-output-buffer-limit",
	                                   "pubsub 0 0 0",
	                                   "--maxclients",
	                                   "15000",
	                                   "--unixsocket",
	                                   "sock"};

	(void)o;
	snprintf(d->at, sizeof(d->at), "%s/sock", d->dir);
	for (size_t i = 0; i < sizeof(argv) / sizeof(argv[0]); i++)
		d->argv[i] = argv[i];
}

static const struct bench_kind kind = {
        .name = "redis",
        .prepare = prepare,
        .publish = publish,
        .subscribe = subscribe,
        .ping = ping,
        .pong = pong,
};

int main(int argc, char **argv)
{
	return bench_main(&kind, argc, argv);
}
