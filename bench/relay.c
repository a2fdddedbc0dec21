/* relay.c - the limit: two hops over plain sockets, and nothing else
 *
 * The daemon copies what it reads from one client to all others: no names, no routes, no header but
 * the length that the clients need, blocking writes. What a bus is compared with, since no bus over
 * sockets can be faster.
 */
#include "bench/bench.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/sock.h"

#define RELAY_CLIENTS_MAX 1024
#define RELAY_SNDBUF      (1 << 20)
#define LEN_LEN           4u

/* ---- the daemon ---- */

struct relay {
	struct pollfd fds[1 + RELAY_CLIENTS_MAX]; /* the first one listens */
	int n;
	uint8_t data[SOCK_BATCH];
};

static int relay_listen(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof(un)) || listen(fd, 128))
		worker_fail(path, errno);
	return fd;
}

static void relay_accept(struct relay *r)
{
	int fd = accept(r->fds[0].fd, NULL, NULL), size = RELAY_SNDBUF;

	if (fd < 0)
		return;
	if (r->n > RELAY_CLIENTS_MAX) {
		close(fd);
		return;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	r->fds[r->n++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void relay_write(int fd, const uint8_t *p, size_t len)
{
	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		/* it went; its own descriptor tells of it */
		if (n < 0)
			return;
		p += n;
		len -= (size_t)n;
	}
}

/* Returns whether the client is still there. */
static bool relay_copy(struct relay *r, int from)
{
	ssize_t n = read(r->fds[from].fd, r->data, sizeof(r->data));

	if (n < 0 && errno == EINTR)
		return true;
	for (int to = 1; n > 0 && to < r->n; to++)
		if (to != from)
			relay_write(r->fds[to].fd, r->data, (size_t)n);
	return n > 0;
}

static int relay_main(const char *path)
{
	static struct relay r;

	r.fds[0] = (struct pollfd){.fd = relay_listen(path), .events = POLLIN};
	r.n = 1;
	for (;;) {
		if (poll(r.fds, (nfds_t)r.n, -1) < 0 && errno != EINTR)
			worker_fail("poll", errno);
		if (r.fds[0].revents)
			relay_accept(&r);
		for (int i = 1; i < r.n; i++) {
			if (!r.fds[i].revents || relay_copy(&r, i))
				continue;
			close(r.fds[i].fd);
			r.fds[i--] = r.fds[--r.n];
		}
	}
}

/* ---- its clients ---- */

static void publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *filler = check_filler(o->len);
	uint32_t len = (uint32_t)o->len;
	size_t frame_len = LEN_LEN + o->len, n = 0;
	uint8_t *batch = malloc(SOCK_BATCH + frame_len);
	int fd = sock_connect_path(d->at);

	if (!batch)
		worker_fail("memory", ENOMEM);
	worker_ready(w);
	for (uint64_t i = 0; i < o->n_messages; i++) {
		check_put(filler, false, check_tag(w->id, i));
		memcpy(batch + n, &len, LEN_LEN);
		memcpy(batch + n + LEN_LEN, filler, o->len);
		n += frame_len;
		if (n + frame_len > SOCK_BATCH) {
			sock_write_all(fd, batch, n);
			n = 0;
		}
	}
	sock_write_all(fd, batch, n);
	close(fd);
	free(batch);
	free(filler);
}

/* Takes the whole messages that are there. Returns whether the last came. */
static bool take_all(struct check *k, struct intake *in)
{
	uint32_t len;

	while (in->end - in->begin >= LEN_LEN) {
		memcpy(&len, in->data + in->begin, LEN_LEN);
		if (in->end - in->begin - LEN_LEN < len)
			return false;
		if (check_take(k, in->data + in->begin + LEN_LEN, len))
			return true;
		in->begin += LEN_LEN + len;
	}
	return false;
}

static void subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	struct intake in;

	intake_init(&in, sock_connect_path(d->at), o->len);
	worker_ready(w);
	do
		intake_read(&in);
	while (!take_all(&w->check, &in));
	free(in.data);
	close(in.fd);
}

static void read_whole(int fd, uint8_t *p, size_t len)
{
	while (len) {
		size_t n = sock_read_some(fd, p, len);

		p += n;
		len -= n;
	}
}

static void ping(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	int fd = sock_connect_path(d->at);

	worker_ready(w);
	while (ping_goes_on(o, w)) {
		uint64_t begin_ns = bench_now_ns();

		sock_write_all(fd, payload, o->len);
		read_whole(fd, payload, o->len);
		ping_took(w, begin_ns);
	}
	close(fd);
	free(payload);
}

static void pong(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	int fd = sock_connect_path(d->at);

	worker_ready(w);
	for (;;) {
		read_whole(fd, payload, o->len);
		sock_write_all(fd, payload, o->len);
	}
}

static void prepare(const struct bench_options *o, struct daemon *d)
{
	(void)o;
	snprintf(d->at, sizeof(d->at), "%s/sock", d->dir);
	d->argv[0] = "/proc/self/exe";
	d->argv[1] = "--daemon";
	d->argv[2] = d->at;
}

static const struct bench_kind kind = {
        .name = "relay",
        .prepare = prepare,
        .publish = publish,
        .subscribe = subscribe,
        .ping = ping,
        .pong = pong,
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--daemon"))
		return relay_main(argv[2]);
	return bench_main(&kind, argc, argv);
}
