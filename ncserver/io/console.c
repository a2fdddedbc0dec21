/* console.c - the packets of channels with dumptoconsole, a line each, on standard output
 *
 * A packet may be written over several lines, and hold anything within its strings but raw control
 * characters: what is below a space becomes a space, so that one packet is one line.
 */
#include "ncserver/io/console.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>

void console_init(struct console *c, int fd)
{
	sink_init(&c->sink, fd);
	buf_init(&c->buf, CONSOLE_BUF_MAX);
	c->n_skipped = 0;
}

void console_fini(struct console *c)
{
	console_flush(c);
	buf_fini(&c->buf);
	sink_fini(&c->sink);
}

static int put_packet(struct buf *b, const char *channel, const char *text, size_t len)
{
	size_t shown = len > CONSOLE_PACKET_MAX ? CONSOLE_PACKET_MAX : len, from;
	int err = buf_printf(b, "%s ", channel);

	from = b->len;
	if (!err)
		err = buf_append(b, text, shown);
	for (size_t i = from; !err && i < b->len; i++) {
		if (b->data[i] < ' ' || b->data[i] == 0x7f)
			b->data[i] = ' ';
	}
	if (!err && shown < len)
		err = buf_printf(b, "... (%zu bytes in all)", len);
	return err ? err : buf_append_byte(b, '\n');
}

void console_packet(struct console *c, const char *channel, const char *text, size_t len)
{
	size_t before = c->buf.len;
	int err = 0;

	if (c->n_skipped > 0)
		err = buf_printf(&c->buf, "(%" PRIu64 " packets not shown)\n", c->n_skipped);
	if (!err)
		err = put_packet(&c->buf, channel, text, len);
	if (err) {
		buf_truncate(&c->buf, before);
		c->n_skipped++;
		return;
	}
	c->n_skipped = 0;
}

void console_flush(struct console *c)
{
	size_t done = 0;
	ssize_t n = 0;

	while (done < c->buf.len) {
		n = sink_write(&c->sink, c->buf.data + done, c->buf.len - done);
		if (n < 0)
			break;
		done += (size_t)n;
	}
	if (done == c->buf.len)
		buf_clear(&c->buf);
	else if (n == -EAGAIN)
		buf_consume(&c->buf, done);
	else
		/* A full disk, or nobody at the other end: nothing of it will ever be read. */
		buf_clear(&c->buf);
}
