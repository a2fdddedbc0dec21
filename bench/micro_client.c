/* micro_client.c - what the client library costs by itself
 *
 * Nanoseconds per message of 64 bytes, without a server and, but for the last row, without the
 * kernel: emit() into the queue, and from the bytes of a read to the handler. The last row writes
 * to a socket that a thread empties. Each row is the fastest of five: what the machine did beside
 * only ever adds.
 *
 *     usage: micro_client [ROUNDS]
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <netcluster/nc.h>

#include "libnc/client/client.h"

#define MESSAGE_LEN 64u

/* As many as a program emits between two writes. */
#define BURST 500u

static const char *const names[] = {"log.line", "cpu.load", "mem.free.mib", "tick",
                                    "sensor.room-4.temperature"};

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Runs `bench`, which returns its nanoseconds per message, and prints the best. */
static void report(const char *what, double (*bench)(unsigned rounds, unsigned n_names),
                   unsigned rounds, unsigned n_names)
{
	double best = 0;

	for (int i = 0; i < 5; i++) {
		double ns = bench(rounds, n_names);

		best = i == 0 || ns < best ? ns : best;
	}
	printf("%-34s %8.1f ns  %8.2f M/s\n", what, best, 1e3 / best);
}

/* Lets the client believe that a server has said this. */
static void feed(nc_client *c, const uint8_t *p, size_t len)
{
	while (len) {
		size_t room, n;
		uint8_t *space = conn_space(&c->conn, &room);

		if (!space)
			die("conn_space");
		n = len < room ? len : room;
		memcpy(space, p, n);
		conn_took(&c->conn, n);
		if (conn_parse(&c->conn) != NC_OK)
			die("conn_parse");
		p += n;
		len -= n;
	}
}

/* A client that is welcomed on `fd`, which may be -1. */
static nc_client *welcomed_client(int fd)
{
	struct conn_hello hello = {.channel = "bench", .label = ""};
	struct frame_welcome w = {.version = 1,
	                          .sender = 1,
	                          .max_payload = NC_MESSAGE_DEFAULT,
	                          .channel = "bench",
	                          .channel_len = 5,
	                          .host = "",
	                          .server = ""};
	uint8_t frame[128];
	struct iovec iov[CONN_IOV_MAX];
	nc_client *c;
	size_t len;

	if (nc_new(&c, "bench") || nc_setopt_int(c, NC_OPT_QUEUE_BYTES, 1 << 30))
		die("nc_new");
	if (conn_start(&c->conn, &hello))
		die("conn_start");
	conn_gather(&c->conn, iov, false, &len);
	conn_wrote(&c->conn, len);
	c->fd = fd;
	c->state = NC_CONNECTING;
	c->out.max_bytes = c->inbox.max_bytes = c->opt.queue_bytes;
	feed(c, frame, frame_welcome_put(frame, sizeof(frame), &w));
	return c;
}

static double bench_emit(unsigned rounds, unsigned n_names)
{
	nc_client *c = welcomed_client(-1);
	char data[MESSAGE_LEN] = {0};
	double ns = 0;

	c->opt.batch_bytes = SIZE_MAX;
	for (unsigned r = 0; r < rounds; r++) {
		double start = now();

		for (unsigned i = 0; i < BURST; i++)
			if (nc_emit_bytes(c, names[i % n_names], data, sizeof(data)))
				die("nc_emit");
		ns += now() - start;
		outq_drop_all(&c->out);
	}
	nc_free(c);
	return ns / rounds / BURST;
}

static uint64_t n_heard;

static void on_message(nc_client *c, const nc_msg *m, void *arg)
{
	(void)c;
	(void)arg;
	n_heard += nc_msg_len(m) == MESSAGE_LEN;
}

static double bench_hear(unsigned rounds, unsigned n_names)
{
	static uint8_t frames[CONN_READ_LEN];
	nc_client *c = welcomed_client(-1);
	size_t len = 0;
	unsigned n = 0;
	double start, ns;

	nc_on(c, ">", on_message, NULL);
	for (;; n++) {
		const char *name = names[n % n_names];
		struct frame_emit f = {.sender = 2,
		                       .seq = n + 1,
		                       .channel = "bench",
		                       .channel_len = 5,
		                       .event = name,
		                       .event_len = (uint8_t)strlen(name),
		                       .flags = FRAME_T_BYTES,
		                       .payload_len = MESSAGE_LEN};

		if (sizeof(frames) - len < frame_emit_head_len(&f) + MESSAGE_LEN)
			break;
		len += frame_emit_head_put(frames + len, sizeof(frames) - len, &f);
		memset(frames + len, 0, MESSAGE_LEN);
		len += MESSAGE_LEN;
	}
	n_heard = 0;
	start = now();
	for (unsigned r = 0; r < rounds * BURST / n; r++)
		feed(c, frames, len);
	ns = now() - start;
	nc_free(c);
	return ns / (double)n_heard;
}

static void *swallow(void *arg)
{
	static char waste[1 << 18];
	int fd = *(int *)arg;

	while (read(fd, waste, sizeof(waste)) > 0)
		;
	return NULL;
}

static double bench_write(unsigned rounds, unsigned n_names)
{
	char data[MESSAGE_LEN] = {0};
	pthread_t thread;
	double start, ns;
	int fds[2];
	nc_client *c;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		die("socketpair");
	if (pthread_create(&thread, NULL, swallow, &fds[1]))
		die("pthread_create");
	c = welcomed_client(fds[0]);
	start = now();
	for (unsigned i = 0; i < rounds * BURST; i++)
		if (nc_emit_bytes(c, names[i % n_names], data, sizeof(data)))
			die("nc_emit");
	nc_flush(c);
	ns = now() - start;
	nc_free(c);
	pthread_join(thread, NULL);
	close(fds[1]);
	return ns / rounds / BURST;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 4000;

	if (!rounds) {
		fprintf(stderr, "usage: micro_client [ROUNDS]\n");
		return EXIT_FAILURE;
	}
	report("emit, one name", bench_emit, rounds, 1);
	report("emit, five names", bench_emit, rounds, 5);
	report("parse and dispatch, one name", bench_hear, rounds, 1);
	report("parse and dispatch, five names", bench_hear, rounds, 5);
	report("emit, written to a socket", bench_write, rounds, 1);
	return EXIT_SUCCESS;
}
