/* pacer.c - when a client that takes each read for whole packets may be given the next ones
 *
 * Three facts bound what one read can glue together. Nothing is written before what was there is
 * read (but for less than `low`): so whatever was written before the last chunk was consumed before
 * the last chunk was written, and lies in one read with the next chunk only if that read has been
 * running since then. Hence, if the last chunk was written PACER_SETTLE_NS ago, only that one
 * counts; and if it too was seen consumed PACER_SETTLE_NS ago, nothing does but what is still
 * unread.
 */
#include "ncserver/io/pacer.h"

enum pacer_verdict pacer_ask(struct pacer *p, size_t len, size_t unread, size_t low, uint64_t now,
                             uint64_t *due)
{
	if (unread > low) {
		p->low_at = 0;
		return PACER_WAIT_READ;
	}
	if (p->low_at == 0)
		p->low_at = now;
	if (now - p->low_at >= PACER_SETTLE_NS)
		p->glued = (uint32_t)unread;
	else if (now - p->last_at >= PACER_SETTLE_NS && p->glued > p->last)
		p->glued = p->last;
	if (p->glued + len <= PACER_READ_MAX || p->glued == unread)
		return PACER_WRITE;
	*due = p->low_at + PACER_SETTLE_NS;
	if (p->glued > p->last && p->last + len <= PACER_READ_MAX &&
	    *due > p->last_at + PACER_SETTLE_NS)
		*due = p->last_at + PACER_SETTLE_NS;
	return PACER_WAIT_UNTIL;
}

void pacer_wrote(struct pacer *p, size_t len, size_t unread, uint64_t now)
{
	size_t last = len + unread;

	/* Larger ones glue all the same; only that they do counts. */
	if (last > PACER_READ_MAX)
		last = PACER_READ_MAX;
	p->last = (uint32_t)last;
	p->glued += (uint32_t)(len > PACER_READ_MAX ? PACER_READ_MAX : len);
	if (p->glued > 2 * PACER_READ_MAX)
		p->glued = 2 * PACER_READ_MAX;
	p->last_at = now;
	p->low_at = 0;
}
