/* conn_pace.c - writing to a client that takes each read for whole packets
 *
 * pacer.h says when a chunk may be written. Here is how to know that the client has read, without
 * asking again and again: a Unix socket polls as writable while at most a quarter of SO_SNDBUF is
 * unread by the other side. Set to its minimum (4608 bytes, of which a quarter holds no two
 * buffers of the smallest kind), it becomes writable exactly when all but perhaps one tiny piece
 * has been read. Before the next chunk is written it is set back, since a write is cut into pieces
 * of at most half of it, and a chunk must become one piece: then the reader sees all of it or
 * nothing.
 *
 * The loop's timers tick in milliseconds; the moments that are waited for here are shorter, and
 * have a timer of their own.
 */
#include "ncserver/io/conn.h"

#include "ncserver/bus/queue.h"
#include "ncserver/io/server.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

/* The least that makes one piece of a chunk: the kernel takes (SO_SNDBUF / 2 - 64) bytes at most
 * for one; with room for its own books. */
#define SNDBUF_WIDE_MIN ((int)(2 * (QUEUE_PACED_MAX + 4096)))

static int get_sndbuf(int fd)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &len) < 0 ? 0 : value;
}

/* The kernel doubles what it is given; what it tells is doubled. */
static void set_sndbuf(int fd, int value)
{
	value /= 2;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, sizeof(value));
}

static void learn_sndbuf(struct conn *c)
{
	c->sndbuf = get_sndbuf(c->fd);
	if (c->sndbuf >= SNDBUF_WIDE_MIN)
		return;
	c->sndbuf = SNDBUF_WIDE_MIN;
	set_sndbuf(c->fd, c->sndbuf);
}

void conn_widen(struct conn *c)
{
	if (!c->is_narrow)
		return;
	set_sndbuf(c->fd, c->sndbuf);
	c->is_narrow = false;
}

/* What polling does not tell from nothing, in bytes of the kernel's memory: it says writable while
 * (unread + 1) * 4 <= SO_SNDBUF. Asked once, since it is the kernel's own. */
static size_t low_mark(struct conn *c)
{
	struct server *s = c->server;

	if (s->paced_low == 0) {
		set_sndbuf(c->fd, 0);
		s->paced_low = (size_t)get_sndbuf(c->fd) / 4 - 1;
		set_sndbuf(c->fd, c->sndbuf);
	}
	return s->paced_low;
}

static void wait_until(struct conn *c, uint64_t due, uint64_t now)
{
	struct server *s = c->server;
	struct itimerspec its = {0};

	c->due = due;
	c->wants_write = false;
	conn_wait(c, CONN_WAIT_MOMENT);
	if (s->settle_at <= due)
		return;
	s->settle_at = due;
	due = due > now ? due - now : 1;
	its.it_value.tv_sec = (time_t)(due / 1000000000u);
	its.it_value.tv_nsec = (long)(due % 1000000000u);
	(void)timerfd_settime(s->settle_fd, 0, &its, NULL);
}

bool conn_pace(struct conn *c, size_t len, uint64_t now, size_t *unread)
{
	uint64_t due = 0;
	int outq = 0;
	size_t low;

	if (c->sndbuf == 0)
		learn_sndbuf(c);
	*unread = 0;
	if (c->is_begun)
		return true;
	low = low_mark(c);
	if (ioctl(c->fd, SIOCOUTQ, &outq) == 0 && outq > 0)
		*unread = (size_t)outq;
	if (c->is_closing) {
		/* Why it is disconnected: one small chunk more, if a read can hold it too. */
		conn_widen(c);
		return *unread + len <= PACER_READ_MAX;
	}
	switch (pacer_ask(&c->pacer, len, *unread, low, now, &due)) {
	case PACER_WRITE: conn_widen(c); return true;
	case PACER_WAIT_UNTIL: wait_until(c, due, now); return false;
	case PACER_WAIT_READ: break;
	}
	if (!c->is_narrow)
		set_sndbuf(c->fd, 0);
	c->is_narrow = true;
	c->wants_write = true;
	return false;
}

void conn_run_settling(struct server *s, uint64_t now)
{
	struct list late, *it, *next;

	if (s->settle_at > now)
		return;
	s->settle_at = UINT64_MAX;
	list_init(&late);
	list_splice_tail(&late, &s->settling);
	list_for_each_safe(it, next, &late) {
		struct conn *c = list_entry(it, struct conn, wait);

		conn_wait(c, CONN_WAIT_NOTHING);
		if (c->due > now)
			wait_until(c, c->due, now);
		else
			conn_flush(c, now);
	}
}
