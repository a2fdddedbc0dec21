/* json.c - clients that speak JSON packets over a plain socket
 *
 * A packet is made once, and only the tag in its data changes. What arrives is a packet of the same
 * text, or, from a native publisher, one that the server made: in both the data stands last.
 */
#include "bench/ends.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/sock.h"

/* What stands before and after a payload, its NUL included. */
#define DATA_KEY "\"data\":\""
#define DATA_END "\"}"

struct packet {
	uint8_t *bytes;
	size_t len; /* with its NUL */
	uint8_t *payload;
};

static void packet_init(struct packet *p, const struct bench_options *o, const char *suffix)
{
	uint8_t *filler = check_filler(o->len);
	size_t cap = o->len + 512;
	int n;

	p->bytes = malloc(cap);
	if (!p->bytes)
		worker_fail("memory", ENOMEM);
	n = snprintf((char *)p->bytes, cap, "{\"event\":\"%.255s%s\"," DATA_KEY, o->event, suffix);
	p->payload = p->bytes + n;
	memcpy(p->payload, filler, o->len);
	memcpy(p->payload + o->len, DATA_END, sizeof(DATA_END));
	p->len = (size_t)n + o->len + sizeof(DATA_END);
	free(filler);
}

/* Connects, and says what it wants to hear (NULL: nothing), so that the server neither waits for it
 * to say something nor writes to who does not read. */
static int end_open(const struct bench_options *o, const struct daemon *d, const struct worker *w,
                    const char *suffix)
{
	int fd = sock_connect_path(end_at(o, d, w)), n;
	char listen[320];

	if (suffix)
		n = snprintf(listen, sizeof(listen),
		             "{\"event\":\"nc.listen\",\"data\":\"%.255s%s\"}", o->event, suffix);
	else
		n = snprintf(listen, sizeof(listen), "{\"event\":\"nc.listen\",\"data\":[]}");
	sock_write_all(fd, listen, (size_t)n + 1);
	return fd;
}

/* ---- throughput ---- */

struct source {
	const struct packet *p; /* whose payload is what is sent */
	int fd;
};

static void source_send(void *end, const uint8_t *payload, size_t len)
{
	const struct source *s = end;

	(void)payload;
	(void)len;
	sock_write_all(s->fd, s->p->bytes, s->p->len);
}

void json_publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	struct packet p;
	int fd = end_open(o, d, w, NULL);
	struct source s = {.p = &p, .fd = fd};
	size_t n = 0;
	uint8_t *batch;

	packet_init(&p, o, "");
	batch = malloc(SOCK_BATCH + p.len);
	if (!batch)
		worker_fail("memory", ENOMEM);
	worker_publishes(o, w, p.payload, source_send, &s);
	for (uint64_t i = 0; i < o->n_messages; i++) {
		worker_stamps(o, w, p.payload, i);
		memcpy(batch + n, p.bytes, p.len);
		n += p.len;
		if (n + p.len > SOCK_BATCH || o->work == BENCH_DELAY) {
			sock_write_all(fd, batch, n);
			n = 0;
		}
	}
	sock_write_all(fd, batch, n);
	close(fd);
	free(batch);
	free(p.bytes);
}

/* Takes one packet, its NUL not counted. Returns as check_take() does. */
static bool take_packet(struct check *k, const uint8_t *p, size_t len)
{
	size_t around = sizeof(DATA_KEY) - 1 + sizeof(DATA_END) - 1;
	const uint8_t *payload = p + len - (sizeof(DATA_END) - 1) - k->len;

	if (len < k->len + around ||
	    memcmp(payload - (sizeof(DATA_KEY) - 1), DATA_KEY, sizeof(DATA_KEY) - 1) != 0 ||
	    memcmp(payload + k->len, DATA_END, sizeof(DATA_END) - 1) != 0)
		return check_take(k, p, 0);
	return check_take(k, payload, k->len);
}

void json_subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	struct intake in;

	intake_init(&in, end_open(o, d, w, ""), o->len + 1024);
	worker_listens(o, w);
	for (;;) {
		const uint8_t *p, *nul;

		intake_read(&in);
		p = in.data + in.begin;
		while ((nul = memchr(p, 0, (size_t)(in.data + in.end - p)))) {
			if (take_packet(&w->check, p, (size_t)(nul - p))) {
				free(in.data);
				close(in.fd);
				return;
			}
			p = nul + 1;
		}
		in.begin = (size_t)(p - in.data);
	}
}

/* ---- latency ---- */

static void wait_packet(struct intake *in)
{
	uint8_t *nul;

	while (!(nul = memchr(in->data + in->begin, 0, in->end - in->begin)))
		intake_read(in);
	in->begin = (size_t)(nul + 1 - in->data);
}

void json_ping(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	struct packet p;
	struct intake in;

	packet_init(&p, o, ".ping");
	intake_init(&in, end_open(o, d, w, ".pong"), o->len + 1024);
	worker_ready(w);
	while (ping_goes_on(o, w)) {
		uint64_t begin_ns = bench_now_ns();

		sock_write_all(in.fd, p.bytes, p.len);
		wait_packet(&in);
		ping_took(w, begin_ns);
	}
}

void json_pong(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	struct packet p;
	struct intake in;

	packet_init(&p, o, ".pong");
	intake_init(&in, end_open(o, d, w, ".ping"), o->len + 1024);
	worker_listens(o, w);
	for (;;) {
		wait_packet(&in);
		sock_write_all(in.fd, p.bytes, p.len);
	}
}
