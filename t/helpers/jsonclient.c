/*
 * A client that knows netcluster's packets and nothing else
 */

#include "t/helpers/jsonclient.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/helpers/util.h"

static void bytes_reserve(struct jc_bytes *b, size_t more)
{
	if (b->room - b->len >= more)
		return;
	b->room = (b->room + more) * 2;
	b->p = realloc(b->p, b->room);
	assert_non_null(b->p);
}

static void bytes_drop(struct jc_bytes *b, size_t *off)
{
	if (*off == 0)
		return;
	b->len -= *off;
	memmove(b->p, b->p + *off, b->len);
	*off = 0;
}

static void bytes_free(struct jc_bytes *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

int jc_open(struct jc *c, const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int e;

	memset(c, 0, sizeof(*c));
	c->fd = -1;
	if (len >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, path, len + 1);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	/* it blocks while connecting only: a full backlog is waited for */
	if (connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		e = -errno;
		jc_close(c);
		return e;
	}
	return 0;
}

void jc_close(struct jc *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	bytes_free(&c->in);
	bytes_free(&c->out);
	c->in_off = c->out_off = c->scanned = 0;
}

static ssize_t send_some(struct jc *c, const char *p, size_t len)
{
	ssize_t n;

	do
		n = send(c->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int jc_write(struct jc *c, const void *p, size_t len)
{
	uint64_t deadline = util_deadline();
	const char *at = p;

	while (len > 0) {
		ssize_t n = send_some(c, at, len);
		struct pollfd f = {.fd = c->fd, .events = POLLOUT};

		if (n >= 0) {
			at += n;
			len -= (size_t)n;
			continue;
		}
		if (n != -EAGAIN)
			return (int)n;
		if (poll(&f, 1, util_left_ms(deadline)) == 0)
			return -ETIMEDOUT;
	}
	return 0;
}

int jc_write_in_pieces(struct jc *c, const void *p, size_t len, size_t piece)
{
	const char *at = p;

	while (len > 0) {
		size_t n = len < piece ? len : piece;
		int r = jc_write(c, at, n);

		if (r != 0)
			return r;
		at += n;
		len -= n;
	}
	return 0;
}

void jc_queue(struct jc *c, const void *p, size_t len)
{
	if (len == 0)
		return;
	bytes_reserve(&c->out, len);
	memcpy(c->out.p + c->out.len, p, len);
	c->out.len += len;
}

int jc_flush(struct jc *c)
{
	while (c->out_off < c->out.len) {
		ssize_t n = send_some(c, c->out.p + c->out_off, c->out.len - c->out_off);

		if (n < 0)
			return (int)n;
		c->out_off += (size_t)n;
	}
	bytes_drop(&c->out, &c->out_off);
	return 0;
}

size_t jc_queued(const struct jc *c)
{
	return c->out.len - c->out_off;
}

bool jc_fill(struct jc *c)
{
	ssize_t n;

	if (c->eof || c->fd < 0)
		return false;
	if (c->in_off > (64u << 10) && c->in_off * 2 > c->in.len) {
		c->scanned -= c->in_off;
		bytes_drop(&c->in, &c->in_off);
	}
	bytes_reserve(&c->in, 64u << 10);
	do
		n = recv(c->fd, c->in.p + c->in.len, c->in.room - c->in.len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		c->in.len += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		c->eof = true;
	return !c->eof;
}

const char *jc_take(struct jc *c, size_t *len)
{
	const char *start, *nul;

	if (c->in.len == c->in_off)
		return NULL;
	start = c->in.p + c->in_off;
	nul = memchr(c->in.p + c->scanned, '\0', c->in.len - c->scanned);
	if (!nul) {
		c->scanned = c->in.len;
		return NULL;
	}
	*len = (size_t)(nul - start);
	c->in_off += *len + 1;
	c->scanned = c->in_off;
	return start;
}

const char *jc_read(struct jc *c, size_t *len)
{
	uint64_t deadline = util_deadline();
	const char *packet;

	while (!(packet = jc_take(c, len))) {
		struct pollfd f = {.fd = c->fd, .events = POLLIN};

		if (c->eof)
			return NULL;
		if (poll(&f, 1, util_left_ms(deadline)) == 0)
			fail_msg("no packet came within %u ms", UTIL_DEADLINE_MS);
		jc_fill(c);
	}
	return packet;
}

bool jc_await_end(struct jc *c)
{
	uint64_t deadline = util_deadline();

	while (jc_fill(c)) {
		struct pollfd f = {.fd = c->fd, .events = POLLIN};

		c->in_off = c->scanned = c->in.len;
		if (poll(&f, 1, util_left_ms(deadline)) == 0)
			return false;
	}
	return true;
}
