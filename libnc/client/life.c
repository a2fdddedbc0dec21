/* life.c - opening, the attempt to connect, the end of a connection, and what is told of it
 *
 *              nc_open                    welcome                 end, comes back
 *   CLOSED ---------------> CONNECTING ------------> CONNECTED ----------------> RECONNECTING
 *      ^                        |                        ^                        |   |  ^
 *      |                        | end, comes back        +------ welcome ---------+   +--+ end
 *      +------------------------+----> RECONNECTING
 *        end for good, nc_disconnect (from each)
 *
 * While CONNECTING or RECONNECTING there is either a descriptor, and `deadline_ns` ends the
 * attempt, or `retry_ns` says when the next one comes.
 *
 * The end of a connection can be found inside calls that must not run callbacks (emit, flush); so
 * it is only noted in `tell`, and told by the next nc_process(). All changes of state are complete
 * before any user's function runs, since it may open, disconnect or free.
 */

#include "libnc/client/client.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

/* Errors after which coming back makes no sense: the answer would be the same. */
static bool error_is_final(int error)
{
	return error == NC_EDENIED || error == NC_EVERSION || error == NC_EPROTO;
}

/* ---- the descriptor */

static void client_tell_fd(nc_client *c, int fd)
{
	if (!c->fd_fn)
		return;
	client_hold(c);
	c->n_callbacks++;
	c->fd_fn(c, fd, c->fd_arg);
	c->n_callbacks--;
	client_release(c);
}

/* Closes the descriptor after having told it: who polls it must stop before its number can come
 * again. The last thing that a change of state does. */
static void client_close_fd(nc_client *c)
{
	int fd = c->fd;

	if (fd < 0)
		return;
	c->fd = -1;
	client_tell_fd(c, -1);
	sock_close(fd);
}

void client_gone(nc_client *c)
{
	c->state = NC_CLOSED;
	c->tell = 0;
	c->retry_ns = CLIENT_NEVER;
	c->deadline_ns = CLIENT_NEVER;
	conn_stop(&c->conn);
	client_close_fd(c);
	client_tell_fd(c, NC_FD_GONE);
}

/* ---- the end of a connection */

/* Leaves behind what belonged to one connection. What was emitted stays queued for the next one,
 * but for requests: their callers are told that they failed. */
static void client_reset(nc_client *c)
{
	conn_stop(&c->conn);
	outq_rewind(&c->out);
	request_fail_all(&c->requests, NC_ECLOSED);
	client_take_back_requests(c, 0);
	if (c->sync != CLIENT_SYNC_DONE)
		c->sync = CLIENT_SYNC_NONE;
	c->seq = 0;
	c->retry_ns = CLIENT_NEVER;
	c->deadline_ns = CLIENT_NEVER;
	c->is_blocked = false;
	c->is_write_dead = false;
	c->is_wide = false;
}

/* Closes for good. */
static void client_close(nc_client *c, int error)
{
	size_t n = outq_drop_all(&c->out);

	c->state = NC_CLOSED;
	c->end_error = error;
	c->was_full = false;
	c->n_unflushed = 0;
	if (!n)
		return;
	c->tell_dropped += n;
	c->tell |= CLIENT_TELL_DROPPED;
}

static void client_schedule(nc_client *c, uint64_t now_ns)
{
	uint64_t random;

	sock_random(&random, sizeof(random));
	c->state = NC_RECONNECTING;
	c->tell_delay_ms = (int)reconnect_next_ms(&c->backoff, random);
	c->retry_ns = now_ns + (uint64_t)c->tell_delay_ms * CLIENT_NS_PER_MS;
	c->tell |= CLIENT_TELL_RECONNECTING;
}

void client_end(nc_client *c, int error)
{
	uint64_t now_ns = sock_now_ns();
	bool was_connected = c->state == NC_CONNECTED;

	c->tell &= CLIENT_TELL_DROPPED;
	c->tell_error = error;
	c->tell_partial = c->out.cursor > 0;
	client_reset(c);
	if (was_connected) {
		reconnect_ended(&c->backoff, now_ns - c->connected_ns);
		c->tell |= CLIENT_TELL_DISCONNECTED;
	}
	if (c->opt.reconnect && !c->is_single && !error_is_final(error)) {
		client_schedule(c, now_ns);
	} else {
		client_close(c, error);
		/* nc_connect() returns what is to be told of its attempt */
		if (!c->is_single)
			c->tell |= CLIENT_TELL_CLOSED;
	}
	client_close_fd(c);
}

/* ---- the attempt to connect */

static uint32_t hello_features(const nc_client *c)
{
	return FRAME_FEAT_SENDER | (c->opt.echo ? FRAME_FEAT_ECHO : 0);
}

static void client_begin(nc_client *c, int fd)
{
	struct conn_hello hello = {
	        .channel = c->channel,
	        .label = c->opt.label,
	        .features = hello_features(c),
	        .policy = (uint8_t)(c->opt.receive_policy + 1),
	};

	if (conn_start(&c->conn, &hello)) {
		sock_close(fd);
		client_end(c, client_fail(c, NC_ENOMEM, "no memory"));
		return;
	}
	c->retry_ns = CLIENT_NEVER;
	c->fd = fd;
	client_flush(c);
	client_tell_fd(c, fd);
}

/* A server whose backlog is full is there all the same: it is asked again soon. */
static int client_retry_soon(nc_client *c, uint64_t now_ns)
{
	uint64_t random;

	sock_random(&random, sizeof(random));
	c->retry_ns = now_ns + (CLIENT_BUSY_RETRY_MS + random % (CLIENT_BUSY_RETRY_MS + 1)) *
	                               CLIENT_NS_PER_MS;
	return NC_AGAIN;
}

static int client_connect_failed(nc_client *c, const struct sock_found *found, int error)
{
	c->sys_errno = found->sys_errno;
	if (error == NC_EINVAL)
		client_fail(c, error, "NC_SOCKET is no possible path of a socket");
	else if (error == NC_EDENIED || error == NC_ESYS)
		client_fail_sys(c, found->sys_errno, found->path);
	else
		client_fail(c, error, "no server of channel \"%s\" at %s", c->channel,
		            found->tried);
	client_end(c, error);
	return error;
}

int client_attempt(nc_client *c, uint64_t now_ns)
{
	int timeout_ms = c->is_single ? c->single_ms : (int)c->opt.connect_timeout_ms;
	struct sock_found found;
	int r;

	if (c->deadline_ns == CLIENT_NEVER && timeout_ms >= 0)
		c->deadline_ns = now_ns + (uint64_t)timeout_ms * CLIENT_NS_PER_MS;
	r = sock_connect(&found, c->opt.socket, c->channel);
	if (r == NC_AGAIN)
		return client_retry_soon(c, now_ns);
	if (r)
		return client_connect_failed(c, &found, r);
	memcpy(c->path, found.path, sizeof(c->path));
	client_begin(c, found.fd);
	return NC_OK;
}

int client_open(nc_client *c)
{
	int r;

	if (c->state != NC_CLOSED || c->is_freed)
		return NC_ESTATE;
	c->n_epochs++;
	c->state = NC_CONNECTING;
	c->error_text[0] = 0;
	c->tell &= CLIENT_TELL_DROPPED;
	c->out.max_bytes = c->inbox.max_bytes = c->opt.queue_bytes;
	c->out.max_messages = c->inbox.max_messages = c->opt.queue_messages;
	reconnect_init(&c->backoff, c->opt.reconnect_min_ms, c->opt.reconnect_max_ms);
	r = client_attempt(c, sock_now_ns());
	if (r == NC_ESYS || r == NC_EINVAL)
		client_close(c, r);
	if (c->state != NC_CLOSED) {
		/* who polls must ask for the timer now */
		if (c->fd < 0)
			client_tell_fd(c, -1);
		return NC_OK;
	}
	/* it is returned, and need not be told */
	c->tell &= CLIENT_TELL_DROPPED;
	c->retry_ns = CLIENT_NEVER;
	return c->end_error;
}

int nc_open(nc_client *c)
{
	int r;

	client_hold(c);
	r = client_open(c);
	return client_release(c) ? NC_ECLOSED : r;
}

/* ---- the welcome */

static bool frame_is_within(void *arg, const uint8_t *frame, size_t len)
{
	struct frame_prefix h = frame_prefix_get(frame);
	const uint32_t *max_payload = arg;

	return len - FRAME_EMIT_LEN - h.a - h.b <= *max_payload;
}

void client_welcomed(nc_client *c)
{
	struct nc_status s = {.kind = NC_STATUS_CONNECTED, .text = ""};
	unsigned n_epochs = c->n_epochs;

	c->state = NC_CONNECTED;
	c->deadline_ns = CLIENT_NEVER;
	c->connected_ns = sock_now_ns();
	c->counters.connects++;
	c->tell &= CLIENT_TELL_DROPPED;
	c->source.self.id = c->conn.id;
	c->source.self.host = c->conn.host;
	s.count = outq_filter(&c->out, frame_is_within, &c->conn.max_payload);
	c->seq = outq_stamp(&c->out, c->conn.id, 1) - 1;
	emitter_forget(&c->emitter);
	if (!s.count) {
		client_tell_status(c, &s);
		return;
	}
	struct nc_status dropped = {.kind = NC_STATUS_DROPPED,
	                            .error = NC_ETOOBIG,
	                            .text = "larger than the server takes",
	                            .count = s.count,
	                            .exact = 1};

	s.count = 0;
	client_tell_status(c, &s);
	if (c->n_epochs == n_epochs)
		client_tell_status(c, &dropped);
}

/* ---- what is told */

void client_tell_status(nc_client *c, const struct nc_status *s)
{
	if (!c->status_fn || c->is_freed)
		return;
	c->n_callbacks++;
	c->status_fn(c, s, c->status_arg);
	c->n_callbacks--;
}

static struct nc_status client_make_status(nc_client *c, enum client_tell what)
{
	struct nc_status s = {.error = c->tell_error, .text = c->error_text, .exact = 1};

	switch (what) {
	case CLIENT_TELL_DISCONNECTED:
		s.kind = NC_STATUS_DISCONNECTED;
		s.count = c->tell_partial;
		break;
	case CLIENT_TELL_DROPPED:
		s.kind = NC_STATUS_DROPPED;
		s.error = NC_OK;
		s.text = "the queue had no room";
		if (c->state == NC_CLOSED)
			s.text = "the client was closed";
		s.count = c->tell_dropped;
		c->tell_dropped = 0;
		break;
	case CLIENT_TELL_RECONNECTING:
		s.kind = NC_STATUS_RECONNECTING;
		s.delay_ms = c->tell_delay_ms;
		break;
	case CLIENT_TELL_CLOSED: s.kind = NC_STATUS_CLOSED; break;
	}
	return s;
}

void client_tell(nc_client *c)
{
	while (c->tell && !c->is_freed) {
		enum client_tell what = (enum client_tell)(c->tell & -c->tell);
		struct nc_status s = client_make_status(c, what);

		c->tell &= ~(unsigned)what;
		client_tell_status(c, &s);
	}
}

/* ---- nc_disconnect */

/* Throws away what comes in, so that a server that waits for us to read can read what we send.
 * Returns whether the connection is still there. */
static bool client_read_nothing(nc_client *c)
{
	uint8_t waste[16384];
	ssize_t n;

	do
		n = sock_read(c->fd, waste, sizeof(waste));
	while (n > 0);
	return n == -EAGAIN;
}

/* Writes until nothing is left, the connection is gone or the time is up. Returns whether all was
 * written. */
static bool client_write_rest(nc_client *c, uint64_t deadline_ns)
{
	for (;;) {
		int r = client_flush(c), ms = client_ms_until(deadline_ns);

		if (r != NC_AGAIN)
			return r == NC_OK;
		if (!ms || sock_poll(c->fd, nc_events(c), ms) < 0 || !client_read_nothing(c))
			return false;
	}
}

/* Waits until the server has seen the end: it may refuse to read on where it finds that it can't
 * write to us any more, and what it had not yet read would be lost. */
static void client_linger(nc_client *c, uint64_t deadline_ns)
{
	int ms;

	sock_end_writing(c->fd);
	while ((ms = client_ms_until(deadline_ns)) && client_read_nothing(c))
		if (sock_poll(c->fd, POLLIN, ms) <= 0)
			return;
}

int nc_disconnect(nc_client *c, int timeout_ms)
{
	bool all = outq_is_empty(&c->out);
	uint64_t deadline_ns;

	if (c->state == NC_CLOSED)
		return NC_ESTATE;
	deadline_ns = client_deadline(c->n_callbacks ? 0 : timeout_ms);
	if (c->state == NC_CONNECTED) {
		bool done = client_write_rest(c, deadline_ns);

		all = outq_is_empty(&c->out);
		if (done && !conn_put_bye(&c->conn) && client_write_rest(c, deadline_ns))
			client_linger(c, deadline_ns);
	}
	client_hold(c);
	c->n_epochs++;
	client_reset(c);
	client_close(c, NC_ECLOSED);
	c->tell = 0;
	c->tell_dropped = 0;
	client_fail(c, NC_ECLOSED, "disconnected");
	client_close_fd(c);
	client_release(c);
	return all ? NC_OK : NC_AGAIN;
}
