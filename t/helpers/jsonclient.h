/* jsonclient.h - a client that knows netcluster's packets and nothing else
 *
 * A Unix socket, JSON objects, a NUL behind each. It says exactly which bytes go out in which
 * write, so that packets can be joined, cut anywhere, or be no packets at all. It validates
 * nothing.
 */
#ifndef NC_T_HELPERS_JSONCLIENT_H
#define NC_T_HELPERS_JSONCLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct jc_bytes {
	char *p;
	size_t len;
	size_t room;
};

struct jc {
	int fd; /* -1: closed */
	bool eof;
	struct jc_bytes in;  /* came and not yet taken */
	struct jc_bytes out; /* queued and not yet written */
	size_t in_off;       /* of `in`, taken */
	size_t out_off;      /* of `out`, written */
	size_t scanned;      /* of `in`, known to hold no NUL */
};

/* Connects. Returns 0 or a negative errno. */
int jc_open(struct jc *c, const char *path);

/* Closes the socket and forgets what is queued. */
void jc_close(struct jc *c);

/* Writes bytes, all at once as far as the kernel takes them, waiting for room within the deadline.
 * Returns 0 or a negative errno (-EPIPE where the server has closed, -ETIMEDOUT). */
int jc_write(struct jc *c, const void *p, size_t len);

/* The same in writes of `piece` bytes each. */
int jc_write_in_pieces(struct jc *c, const void *p, size_t len, size_t piece);

/* Appends to what jc_flush writes. */
void jc_queue(struct jc *c, const void *p, size_t len);

/* Writes what is queued without waiting. Returns 0, -EAGAIN where something is left, or another
 * negative errno. */
int jc_flush(struct jc *c);

/* Bytes queued and not yet written. */
size_t jc_queued(const struct jc *c);

/* Reads what is there, once, without waiting. Returns false at the end of the connection. */
bool jc_fill(struct jc *c);

/* The next whole packet, terminated by its NUL, or NULL. It is valid until the next call. */
const char *jc_take(struct jc *c, size_t *len);

/* Waits for the next packet within the deadline. Returns NULL at the end of the connection. */
const char *jc_read(struct jc *c, size_t *len);

/* Waits within the deadline for the end of the connection, reading away what comes. Returns whether
 * it came. */
bool jc_await_end(struct jc *c);

#endif
