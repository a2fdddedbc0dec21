/* loop.c - the descriptor, processing and waiting
 *
 * nc_process() is the only place where user functions run (but for the fd callback). It does not
 * ask what poll(2) found: it tries to read, which costs one system call where there was nothing,
 * and works under every kind of loop. It reads before it writes, and whether or not it can write:
 * two programs that flood each other would else block each other for ever.
 */

#include "libnc/client/client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

/* However little a turn is to read, it is worth a system call. */
#define LOOP_READ_MIN 4096u

/* ---- what to poll for */

int nc_fd(const nc_client *c)
{
	return c->fd;
}

void nc_on_fd(nc_client *c, nc_fd_cb *fn, void *arg)
{
	c->fd_fn = fn;
	c->fd_arg = arg;
}

short nc_events(const nc_client *c)
{
	if (c->fd < 0)
		return 0;
	return client_has_output(c) ? POLLIN | POLLOUT : POLLIN;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Whether there is something to do that no descriptor and no timer announces. */
static bool client_is_busy(const nc_client *c)
{
	return c->tell || !outq_is_empty(&c->inbox) || c->is_write_dead ||
	       client_is_writable_owed(c) || conn_has_frames(&c->conn);
}

int nc_timeout(const nc_client *c)
{
	uint64_t next_ns;
	int ms;

	if (client_is_busy(c))
		return 0;
	next_ns = earlier(c->retry_ns, earlier(c->deadline_ns, request_next_ns(&c->requests)));
	ms = client_ms_until(next_ns);
	if (c->state != NC_CLOSED && c->out.n_spares + c->inbox.n_spares &&
	    (ms < 0 || ms > CLIENT_SPARE_MS))
		ms = CLIENT_SPARE_MS;
	return ms;
}

/* ---- processing */

static void client_end_parse(nc_client *c, int error)
{
	const char *text = c->conn.end_text;

	client_fail(c, error, "%s", text && *text ? text : nc_strerror(error));
	client_end(c, error);
}

static void client_end_read(nc_client *c, ssize_t n)
{
	bool is_end = n == 0 || n == -ECONNRESET || n == -EPIPE || n == -EAGAIN;

	c->sys_errno = (int)-n;
	if (!is_end)
		client_fail_sys(c, (int)-n, c->path);
	else if (c->state == NC_CONNECTED)
		client_fail(c, NC_ECLOSED, "the server closed the connection");
	else
		/* it does so without a word when it has no memory, or too many to tell at once */
		client_fail(c, NC_ECLOSED,
		            "the server closed the connection at once: no memory, or too many "
		            "connections at once");
	client_end(c, NC_ECLOSED);
}

/* Reads at most `max` bytes and handles what came. Returns the bytes read; 0 where there is no more
 * for now. */
static size_t client_read_once(nc_client *c, size_t max)
{
	size_t len = 0;
	uint8_t *p = conn_space(&c->conn, &len);
	ssize_t n;
	int r;

	if (len > max)
		len = max;
	if (!p) {
		client_end(c, client_fail(c, NC_ENOMEM, "no memory for a message"));
		return 0;
	}
	n = sock_read(c->fd, p, len);
	if (n <= 0) {
		/* what can't be written to, and says nothing more, is gone */
		if (n != -EAGAIN || c->is_write_dead)
			client_end_read(c, n);
		return 0;
	}
	c->counters.received_bytes += (uint64_t)n;
	conn_took(&c->conn, (size_t)n);
	r = conn_parse(&c->conn);
	if (r)
		client_end_parse(c, r);
	/* less than there was room for is all there was */
	return (size_t)n < len ? 0 : (size_t)n;
}

static size_t at_least(size_t n, size_t min)
{
	return n > min ? n : min;
}

static void client_read(nc_client *c)
{
	unsigned n_epochs = c->n_epochs;
	size_t total = 0, n;
	int r;

	/* what a pause left */
	r = conn_parse(&c->conn);
	if (r)
		client_end_parse(c, r);
	while (c->fd >= 0 && c->n_epochs == n_epochs && !c->conn.pause &&
	       total < c->opt.process_bytes) {
		n = client_read_once(c, at_least(c->opt.process_bytes - total, LOOP_READ_MIN));
		if (!n)
			break;
		total += n;
	}
}

static void client_check_deadline(nc_client *c, uint64_t now_ns)
{
	if (now_ns < c->deadline_ns)
		return;
	if (c->fd >= 0)
		client_fail(c, NC_ETIMEOUT, "%s: no welcome in time", c->path);
	else
		client_fail(c, NC_ETIMEOUT, "the server has no room for a connection");
	client_end(c, NC_ETIMEOUT);
}

static int client_process(nc_client *c)
{
	uint64_t now_ns = sock_now_ns();

	c->conn.pause = false;
	client_tell(c);
	if (c->retry_ns <= now_ns)
		client_attempt(c, now_ns);
	if (c->fd >= 0)
		client_read(c);
	client_run_inbox(c);
	client_check_deadline(c, now_ns);
	client_run_requests(c, now_ns);
	client_tell(c);
	if (c->fd >= 0)
		client_flush(c);
	client_run_writable(c);
	conn_trim(&c->conn);
	outq_trim(&c->out);
	outq_trim(&c->inbox);
	return c->state == NC_CLOSED ? c->end_error : NC_OK;
}

int nc_process(nc_client *c)
{
	int r;

	if (c->n_callbacks)
		return NC_ESTATE;
	client_hold(c);
	r = client_process(c);
	return client_release(c) ? NC_ECLOSED : r;
}

/* ---- waiting */

/* nc_wait() for a client that is held. */
static int client_wait(nc_client *c, int timeout_ms)
{
	int own_ms = nc_timeout(c), r, n;
	bool is_own = own_ms >= 0 && (timeout_ms < 0 || own_ms <= timeout_ms);

	if (c->state == NC_CLOSED && own_ms < 0)
		return c->end_error;
	n = sock_poll(c->fd, nc_events(c), is_own ? own_ms : timeout_ms);
	if (n < 0) {
		c->sys_errno = -n;
		return NC_ESYS;
	}
	r = nc_process(c);
	return r == NC_OK && n == 0 && !is_own ? NC_ETIMEOUT : r;
}

int nc_wait(nc_client *c, int timeout_ms)
{
	int r;

	if (c->n_callbacks)
		return NC_ESTATE;
	client_hold(c);
	r = client_wait(c, timeout_ms);
	return client_release(c) ? NC_ECLOSED : r;
}

void nc_stop(nc_client *c)
{
	c->is_stopped = true;
	c->conn.pause = true;
}

int nc_run(nc_client *c)
{
	int r = NC_OK;

	if (c->n_callbacks)
		return NC_ESTATE;
	client_hold(c);
	c->is_stopped = false;
	while (r == NC_OK && !c->is_stopped && !c->is_freed)
		r = client_wait(c, -1);
	if (c->is_stopped)
		r = NC_OK;
	return client_release(c) ? NC_ECLOSED : r;
}

int nc_connect(nc_client *c, int timeout_ms)
{
	int r;

	if (c->n_callbacks)
		return NC_ESTATE;
	client_hold(c);
	c->is_single = true;
	c->single_ms = timeout_ms;
	r = client_open(c);
	while (r == NC_OK && c->state == NC_CONNECTING)
		r = client_wait(c, -1);
	c->is_single = false;
	if (r && c->state == NC_CONNECTING)
		(void)nc_disconnect(c, 0);
	return client_release(c) ? NC_ECLOSED : r;
}

int nc_sync(nc_client *c, int timeout_ms)
{
	uint64_t deadline_ns = client_deadline(timeout_ms);
	int r = NC_OK, ms;

	if (c->n_callbacks || c->state != NC_CONNECTED)
		return NC_ESTATE;
	client_hold(c);
	c->sync = CLIENT_SYNC_OWED;
	c->sync_after = c->out.n_in;
	c->sync_token++;
	client_flush(c);
	while (c->sync == CLIENT_SYNC_OWED || c->sync == CLIENT_SYNC_SENT) {
		ms = client_ms_until(deadline_ns);
		r = ms ? client_wait(c, ms) : NC_ETIMEOUT;
		if (r)
			break;
	}
	if (c->sync == CLIENT_SYNC_DONE)
		r = NC_OK;
	else if (r == NC_OK)
		r = NC_ECLOSED;
	c->sync = CLIENT_SYNC_NONE;
	return client_release(c) ? NC_ECLOSED : r;
}

int nc_emit_wait(nc_client *c, const char *event, enum nc_type type, const void *data, size_t len,
                 unsigned flags, int timeout_ms)
{
	uint64_t deadline_ns;
	int r = NC_AGAIN, ms;

	if (c->n_callbacks)
		return NC_ESTATE;
	if (!client_emit_waits(c, len))
		r = nc_emit(c, event, type, data, len, flags);
	if (r != NC_AGAIN)
		return r;
	deadline_ns = client_deadline(timeout_ms);
	client_hold(c);
	while (r == NC_AGAIN && (ms = client_ms_until(deadline_ns))) {
		/* why it failed, if it did, the next emit says */
		(void)client_wait(c, ms);
		if (c->is_freed)
			r = NC_ECLOSED;
		else if (!client_emit_waits(c, len))
			r = nc_emit(c, event, type, data, len, flags);
	}
	/* the socket took nothing in time, but there may be room in the queue */
	if (r == NC_AGAIN)
		r = nc_emit(c, event, type, data, len, flags);
	return client_release(c) ? NC_ECLOSED : r;
}
