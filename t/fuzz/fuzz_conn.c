/*
 * Fuzz target: what a server sends to a client
 *
 * The first eight bytes seed a random source, the others are the server's. A client gets them
 * twice: in one piece, and cut, paused and answered at random. Both times the same must come of it:
 * the same messages, the same statuses, the same end. Handlers ask everything that can be asked of
 * a message, and unsubscribe and subscribe. The read buffer never grows beyond twice what has
 * arrived.
 */

#include "t/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libnc/client/client.h"

/* What came of the bytes: a sum over all that was seen (FNV-1a), and how it ended. */
struct outcome {
	uint64_t sum;
	uint64_t n;
	int end;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void add(struct outcome *o, const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		o->sum = (o->sum ^ b[i]) * UINT64_C(0x100000001B3);
	o->n++;
}

static void add_text(struct outcome *o, const char *text)
{
	add(o, text, strlen(text) + 1);
}

static void add_number(struct outcome *o, int64_t v)
{
	add(o, &v, sizeof(v));
}

static void add_message(struct outcome *o, const nc_msg *m)
{
	struct nc_sender from;
	const char *packet;
	int64_t i = 0;
	double d = 0;
	size_t len;
	int b = 0;

	nc_msg_sender(m, &from);
	packet = nc_msg_packet(m, &len);
	check(packet || !len);
	add_text(o, nc_msg_event(m));
	add_text(o, nc_msg_channel(m));
	add(o, nc_msg_data(m), nc_msg_len(m));
	add(o, packet, len);
	check(!memcmp(nc_msg_text(m), nc_msg_data(m) ? nc_msg_data(m) : "", nc_msg_len(m)));
	add_number(o, (int64_t)nc_msg_type(m));
	add_number(o, nc_msg_broadcast(m));
	add_number(o, nc_msg_bool(m, &b) + b);
	add_number(o, nc_msg_int(m, &i));
	add_number(o, i);
	add_number(o, nc_msg_double(m, &d));
	add(o, &d, sizeof(d));
	add_number(o, (int64_t)(from.id ^ from.seq));
	add_number(o, from.has_cred ? (int64_t)from.uid : -1);
	add_text(o, from.host);
}

static void on_message(nc_client *c, const nc_msg *m, void *arg)
{
	struct outcome *o = arg;
	nc_msg *copy = nc_msg_dup(m);

	check(copy != NULL);
	add_message(o, m);
	add_message(o, copy);
	nc_msg_free(copy);
	if (o->n % 7 == 0) {
		check(nc_off(c, ">", on_message, o) == NC_OK);
		check(nc_on(c, ">", on_message, o) == NC_OK);
	}
}

static void on_reply(nc_client *c, int error, const nc_msg *m, void *arg)
{
	(void)c;
	add_number(arg, error);
	if (m)
		add_message(arg, m);
}

static void on_status(nc_client *c, const struct nc_status *s, void *arg)
{
	struct outcome *o = arg;

	add_number(o, s->kind);
	add_number(o, s->error);
	add_number(o, (int64_t)s->count + s->exact);
	add_text(o, s->text);
	if (s->kind == NC_STATUS_CONNECTED)
		check(nc_request(c, "ask", NC_EMPTY, NULL, 0, 1000000, on_reply, o) == NC_OK);
}

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Writes a part of what the client has to say, as a socket would. */
static void drain(nc_client *c, uint64_t *random)
{
	struct iovec iov[CONN_IOV_MAX];
	size_t len;

	conn_gather(&c->conn, iov, true, &len);
	conn_wrote(&c->conn, len ? next_random(random) % (len + 1) : 0);
}

/* Parses until nothing more comes of it, with pauses where `random` is given. */
static int parse(nc_client *c, uint64_t *random)
{
	int r;

	do {
		c->conn.pause = random && next_random(random) % 4 == 0;
		r = conn_parse(&c->conn);
		c->conn.pause = true;
		if (r == NC_OK && random && c->conn.state != CONN_STOPPED)
			drain(c, random);
	} while (r == NC_OK && conn_has_frames(&c->conn));
	c->conn.pause = false;
	return r;
}

static void feed(nc_client *c, const uint8_t *p, size_t len, uint64_t *random, struct outcome *o)
{
	while (len && o->end == NC_OK && c->conn.state != CONN_STOPPED) {
		size_t room, n;
		uint8_t *space = conn_space(&c->conn, &room);

		check(space && room);
		n = random ? 1 + next_random(random) % 64 : len;
		n = n < len ? n : len;
		n = n < room ? n : room;
		memcpy(space, p, n);
		conn_took(&c->conn, n);
		check(c->conn.in_cap <= CONN_READ_LEN || c->conn.in_cap <= 2 * c->conn.in_end);
		o->end = parse(c, random);
		p += n;
		len -= n;
	}
}

static struct outcome run(const uint8_t *p, size_t len, uint64_t *random)
{
	struct conn_hello hello = {.channel = "A", .label = "fuzz"};
	struct outcome o = {.sum = UINT64_C(0xCBF29CE484222325)};
	nc_client *c;

	check(nc_new(&c, "A") == NC_OK);
	nc_on_status(c, on_status, &o);
	check(nc_on(c, ">", on_message, &o) == NC_OK);
	check(conn_start(&c->conn, &hello) == 0);
	c->state = NC_CONNECTING;
	feed(c, p, len, random, &o);
	/* what the last pause left */
	if (o.end == NC_OK && c->conn.state != CONN_STOPPED)
		o.end = parse(c, NULL);
	if (c->conn.end_text)
		add_text(&o, c->conn.end_text);
	nc_free(c);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct outcome whole, cut;
	uint64_t random;

	if (len < sizeof(random))
		return 0;
	random = le64_get(data) | 1;
	whole = run(data + sizeof(random), len - sizeof(random), NULL);
	cut = run(data + sizeof(random), len - sizeof(random), &random);
	check(whole.end == cut.end);
	check(whole.n == cut.n && whole.sum == cut.sum);
	return 0;
}
