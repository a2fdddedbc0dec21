/* sink.h - a descriptor for text that may be lost, but never holds up its writer
 *
 * Standard output and error belong to somebody else: a terminal that was stopped, a pipe whose
 * reader sleeps, a full disk. A daemon that writes its log there must not wait for any of them. The
 * flag O_NONBLOCK is no answer, since it would also bind everybody who shares the open file.
 */
#ifndef NC_IO_SINK_H
#define NC_IO_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct sink {
	int fd;
	bool is_own;    /* fd was opened here: closed by sink_fini() */
	bool is_socket; /* MSG_DONTWAIT does it */
	bool is_polled; /* the kernel is asked for room before each write */
};

/* Writes to `fd` from now on, which stays open, and the caller's. */
void sink_init(struct sink *s, int fd);
void sink_fini(struct sink *s);

/* Writes what the other side takes now. Returns the bytes taken, perhaps fewer than len; -EAGAIN;
 * or what is wrong with it (-ENOSPC, -EPIPE, -EBADF and so on). Pieces of at most PIPE_BUF bytes
 * are taken whole by a pipe. */
ssize_t sink_write(struct sink *s, const void *p, size_t len);

#endif
