/* conn.c - one connection: its descriptor, and what the loop is asked to watch
 *
 * The loop is level-triggered: what is watched and not taken comes back at once. So nothing is
 * watched that can't be acted on. A client whose reading is paused is not watched for reading, and
 * thus not for its end either; the end is found when reading goes on.
 */
#include "ncserver/io/conn.h"

#include "ncserver/bus/queue.h"
#include "ncserver/io/fifo.h"
#include "ncserver/io/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_poll(uv_poll_t *handle, int status, int events);

/* ---- what is watched ---- */

static bool wants_read(const struct conn *c)
{
	if (c->is_eof || c->waits == CONN_WAIT_MEMORY || c->waits == CONN_WAIT_REST)
		return false;
	if (c->server->state >= SERVER_READING && c->n_unread == 0)
		return false;
	return bus_wants_input(c->client);
}

void conn_update(struct conn *c)
{
	int mask = (wants_read(c) ? UV_READABLE : 0) | (c->wants_write ? UV_WRITABLE : 0);

	if (mask == c->mask || uv_is_closing((uv_handle_t *)&c->poll))
		return;
	c->mask = (uint8_t)mask;
	if (mask == 0)
		uv_poll_stop(&c->poll);
	else
		uv_poll_start(&c->poll, mask, on_poll);
}

static void set_blocked(struct conn *c, bool is_blocked, uint64_t now)
{
	if (c->is_blocked == is_blocked)
		return;
	c->is_blocked = is_blocked;
	bus_output_blocked(c->server->bus, c->client, is_blocked, now);
}

void conn_wait(struct conn *c, enum conn_wait what)
{
	struct server *s = c->server;

	list_del(&c->wait);
	c->waits = (uint8_t)what;
	switch (what) {
	case CONN_WAIT_NOTHING: break;
	case CONN_WAIT_MEMORY: list_add_tail(&s->starved, &c->wait); break;
	case CONN_WAIT_MOMENT: list_add_tail(&s->settling, &c->wait); break;
	case CONN_WAIT_REST: list_add_tail(&s->ending, &c->wait); break;
	}
}

static void starve(struct conn *c)
{
	log_warning(&c->server->log, "no memory for a connection, waiting");
	conn_wait(c, CONN_WAIT_MEMORY);
}

/* ---- reading ---- */

static void note_read(struct conn *c, size_t n)
{
	if (c->n_unread == 0)
		return;
	c->n_unread -= n < c->n_unread ? n : c->n_unread;
	if (c->n_unread == 0)
		c->server->n_unread--;
}

static void broken(struct conn *c, uint64_t now)
{
	note_read(c, c->n_unread);
	c->is_eof = true;
	bus_broken(c->server->bus, c->client, now);
}

static void ended(struct conn *c, uint64_t now)
{
	note_read(c, c->n_unread);
	c->is_eof = true;
	bus_input_eof(c->server->bus, c->client, now);
}

/* One read. Returns the bytes that were read, 0 where there is nothing more now; *filled says
 * whether the room was used up. */
static size_t read_once(struct conn *c, uint64_t now, bool *filled)
{
	struct server *s = c->server;
	uint8_t *p;
	size_t room;
	ssize_t n;

	*filled = false;
	if (bus_input_space(s->bus, c->client, &p, &room) < 0) {
		starve(c);
		return 0;
	}
	if (s->state >= SERVER_READING && room > c->n_unread)
		room = c->n_unread;
	s->counters->reads++;
	n = c->fifo ? read(c->fd, p, room) : recv(c->fd, p, room, MSG_DONTWAIT);
	if (n > 0) {
		*filled = (size_t)n == room;
		note_read(c, (size_t)n);
		bus_input(s->bus, c->client, (size_t)n, now);
		return (size_t)n;
	}
	if (n == 0) {
		ended(c, now);
	} else if (errno == EAGAIN) {
		/* What was counted is gone: somebody else has read it (a FIFO). */
		note_read(c, c->n_unread);
	} else if (errno != EINTR) {
		broken(c, now);
	}
	return 0;
}

bool conn_read(struct conn *c, uint64_t now)
{
	bool filled = false;
	size_t n = 0;

	for (int i = 0; i < 2; i++) {
		if (c->is_eof || !bus_wants_input(c->client))
			return false;
		if (c->server->state >= SERVER_READING && c->n_unread == 0)
			return false;
		n = read_once(c, now, &filled);
		if (n == 0 || !filled)
			break;
	}
	return n > 0;
}

void conn_read_rest(struct conn *c)
{
	int n = 0;

	if (!c->is_eof && ioctl(c->fd, FIONREAD, &n) == 0 && n > 0) {
		c->n_unread = (size_t)n;
		c->server->n_unread++;
	}
	conn_update(c);
}

/* ---- writing ---- */

void conn_end(struct conn *c)
{
	c->is_deaf = true;
	c->wants_write = false;
	conn_wait(c, CONN_WAIT_REST);
	conn_update(c);
}

/* Returns whether to go on. */
static bool on_write_error(struct conn *c, int err, uint64_t now)
{
	switch (err) {
	case EINTR: return true;
	case EAGAIN:
		c->wants_write = true;
		set_blocked(c, true, now);
		return false;
	case ENOBUFS:
	case ENOMEM:
		set_blocked(c, true, now);
		starve(c);
		return false;
	default:
		/* The other side takes nothing more, but what it sent is still to be routed. */
		set_blocked(c, true, now);
		conn_end(c);
		return false;
	}
}

static size_t iov_sum(const struct iovec *iov, int n)
{
	size_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += iov[i].iov_len;
	return sum;
}

/* The socket is full. */
static void enlarge(struct conn *c)
{
	int len = CONN_LONG_SNDBUF;

	if (c->is_long || !bus_output_is_long(c->client))
		return;
	c->is_long = true;
	(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &len, sizeof(len));
}

/* Writes what is to be written next. Returns whether all of it was taken and more may follow. */
static bool write_once(struct conn *c, struct iovec *iov, uint64_t now)
{
	struct server *s = c->server;
	struct msghdr msg = {.msg_iov = iov};
	size_t len, unread = 0;
	bool paced = false;
	ssize_t n;
	int n_iov = bus_output(s->bus, c->client, iov, &paced);

	c->wants_write = false;
	if (n_iov <= 0)
		return false;
	len = iov_sum(iov, n_iov);
	/* A reload may have switched pacing off. */
	if (!paced)
		conn_widen(c);
	if (paced && !conn_pace(c, len, now, &unread)) {
		set_blocked(c, true, now);
		return false;
	}
	msg.msg_iovlen = (size_t)n_iov;
	s->counters->writes++;
	n = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return on_write_error(c, errno, now);
	if (paced)
		pacer_wrote(&c->pacer, (size_t)n, unread, now);
	c->is_begun = paced && (size_t)n < len;
	bus_output_done(s->bus, c->client, (size_t)n, now);
	if ((size_t)n == len)
		return true;
	enlarge(c);
	c->wants_write = true;
	set_blocked(c, true, now);
	return false;
}

void conn_flush(struct conn *c, uint64_t now)
{
	struct iovec iov[QUEUE_IOV_MAX];

	if (c->fifo || c->is_deaf || c->waits != CONN_WAIT_NOTHING)
		return;
	set_blocked(c, false, now);
	for (unsigned i = 0; i < CONN_WRITES_MAX; i++) {
		if (!write_once(c, iov, now)) {
			conn_update(c);
			return;
		}
	}
	/* There may be more: as soon as the others had their turn. */
	c->wants_write = true;
	conn_update(c);
}

void conn_flush_new(struct conn *c, uint64_t now)
{
	if (!c->wants_write)
		conn_flush(c, now);
}

/* ---- the loop ---- */

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct conn *c = handle->data;
	uint64_t now = server_now();

	if (status < 0) {
		/* The other side went without having read everything, and libuv has stopped
		 * watching. The error is taken away, since it would be told again and again; what
		 * was sent before it, and the end, are found by reading. */
		int err = 0;
		socklen_t len = sizeof(err);

		(void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
		c->mask = 0;
		events = UV_READABLE | UV_WRITABLE;
	}
	if ((events & UV_WRITABLE) && c->wants_write)
		conn_flush(c, now);
	if (events & UV_READABLE)
		conn_read(c, now);
	conn_update(c);
}

void conn_run_starved(struct server *s, uint64_t now)
{
	struct list hungry, *it, *next;

	list_init(&hungry);
	list_splice_tail(&hungry, &s->starved);
	list_for_each_safe(it, next, &hungry) {
		struct conn *c = list_entry(it, struct conn, wait);

		conn_wait(c, c->is_deaf ? CONN_WAIT_REST : CONN_WAIT_NOTHING);
		conn_flush(c, now);
		conn_update(c);
	}
}

/* Returns whether there was something to do. */
static bool run_ending(struct conn *c, uint64_t now)
{
	if (!c->is_eof && !bus_wants_input(c->client))
		return false;
	if (conn_read(c, now))
		return true;
	if (!c->is_eof && c->waits == CONN_WAIT_REST && bus_wants_input(c->client))
		broken(c, now);
	if (c->is_eof)
		conn_wait(c, CONN_WAIT_NOTHING);
	return true;
}

bool conn_run_ending(struct server *s, uint64_t now)
{
	struct list *it, *next;
	bool any = false;

	list_for_each_safe(it, next, &s->ending) {
		struct conn *c = list_entry(it, struct conn, wait);

		any |= run_ending(c, now);
	}
	return any;
}

struct conn *conn_of(const struct client *client)
{
	return bus_client_io(client);
}

struct conn *conn_new(struct server *s, int fd, struct client *client, struct fifo *fifo)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	/* Checks that the descriptor can be watched; fails where the kernel has no memory. */
	if (uv_poll_init(&s->loop, &c->poll, fd) < 0) {
		free(c);
		return NULL;
	}
	c->poll.data = c;
	c->server = s;
	c->client = client;
	c->fifo = fifo;
	c->fd = fd;
	list_init(&c->wait);
	list_init(&c->link);
	list_add_tail(&s->conns, &c->link);
	s->n_conns++;
	bus_client_set_io(client, c);
	conn_update(c);
	return c;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* Leaves nothing unread behind: the kernel would tell the other side of a reset, where it should
 * find the end, after all that was written to it. */
static void discard_input(int fd)
{
	char scratch[16384];
	size_t sum = 0;
	ssize_t n;

	if (shutdown(fd, SHUT_RDWR) < 0)
		return;
	do {
		n = recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT);
		sum += n > 0 ? (size_t)n : 0;
	} while (n > 0 && sum < CONN_DISCARD_MAX);
}

void conn_close(struct conn *c, uint64_t now)
{
	struct server *s = c->server;
	struct fifo *fifo = c->fifo;

	note_read(c, c->n_unread);
	conn_wait(c, CONN_WAIT_NOTHING);
	c->is_closing = true;
	conn_flush(c, now);
	conn_wait(c, CONN_WAIT_NOTHING);
	list_del(&c->link);
	s->n_conns--;
	bus_client_free(s->bus, c->client);
	c->client = NULL;
	if (!fifo)
		discard_input(c->fd);
	uv_close((uv_handle_t *)&c->poll, on_closed);
	close(c->fd);
	if (fifo)
		fifo_on_client_gone(fifo);
}
