/* pacer.h - when a client that takes each read for whole packets may be given the next ones
 *
 * netcluster's agent reads up to 64 KiB at a time and takes what it got for whole packets; a packet
 * that is cut at the end of a read ends its process. So it is given chunks of whole packets, each
 * of which enters its socket in one piece, and never so much that one read could end inside one.
 *
 * What one read can return is what was unread when it began, and what is written while it runs: a
 * read takes piece after piece as long as there is one and its buffer has room. The pacer therefore
 * counts as glued what may lie within one and the same read, and keeps it within 64 KiB. A read is
 * a system call that does not wait: what was consumed PACER_SETTLE_NS ago was consumed by another
 * read than the next one.
 *
 * Pure: what is unread, and the time, are told by the caller.
 */
#ifndef NC_IO_PACER_H
#define NC_IO_PACER_H

#include <stddef.h>
#include <stdint.h>

/* The agent's read. */
#define PACER_READ_MAX 65536u

/* How long a read may take at most, from the first piece to the last: copying 64 KiB takes some
 * ten microseconds, and the rest is for a reader that is interrupted in the middle. */
#define PACER_SETTLE_NS UINT64_C(200000)

struct pacer {
	uint32_t glued;   /* bytes that may lie within one read with what is written next */
	uint32_t last;    /* bytes of the last chunk, and what was unread when it was written */
	uint64_t last_at; /* when it was written; 0: never */
	uint64_t low_at;  /* when nothing was first seen unread after it; 0: not yet */
};

enum pacer_verdict {
	PACER_WRITE,      /* now */
	PACER_WAIT_READ,  /* when the client has read: ask again then */
	PACER_WAIT_UNTIL, /* at *due: ask again then */
};

/* May a chunk of `len` bytes be written at `now`, with `unread` bytes of memory unread, where up to
 * `low` count as nothing (the kernel does not tell smaller amounts apart)? A chunk larger than
 * PACER_READ_MAX can't arrive whole, and is admitted as soon as nothing else is in its way. */
enum pacer_verdict pacer_ask(struct pacer *p, size_t len, size_t unread, size_t low, uint64_t now,
                             uint64_t *due);

/* That chunk was written. */
void pacer_wrote(struct pacer *p, size_t len, size_t unread, uint64_t now);

#endif
