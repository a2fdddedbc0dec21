/* socket.h - all that the client library asks of the system: sockets, clock, chance, environment */
#ifndef NC_CLIENT_SOCKET_H
#define NC_CLIENT_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* As much as fits in a Unix socket's address, terminated. */
#define SOCK_PATH_LEN 108u

/* Places that are tried for one channel. */
#define SOCK_PLACES_MAX 5

/* Send buffer of a connection over which long messages stream, as far as the system allows it: with
 * more at a time in it both sides sleep and wake up less often. */
#define SOCK_LONG_SNDBUF (256 << 10)

/* What a search for a server came to. */
struct sock_found {
	int fd;                   /* non-blocking; -1 where there is none */
	int sys_errno;            /* of NC_ESYS */
	char path[SOCK_PATH_LEN]; /* of fd; else of the place that refused, or that was tried last
	                           */
	/* all places without a server, with ", " between */
	char tried[SOCK_PLACES_MAX * (SOCK_PATH_LEN + 2)];
};

/* Puts the channel in the place of "%s", of which there is at most one. Returns 0, or -EINVAL: two
 * of them, or too long for a socket's address. */
int sock_path_expand(char out[SOCK_PATH_LEN], const char *template, const char *channel);

/* Connects to the channel's socket at `template`, or, where that is NULL, at the environment's
 * NC_SOCKET or at the first of the standard places where a server listens. Returns NC_OK; NC_AGAIN
 * (a server listens and has no room for a connection just now), NC_ENOSERVER, NC_EDENIED, NC_EINVAL
 * (NC_SOCKET names no possible path), NC_ESYS. */
int sock_connect(struct sock_found *out, const char *template, const char *channel);

/* What was read or written; -EAGAIN where nothing could be just now; other negative errno. Reading
 * returns 0 at the end. */
ssize_t sock_read(int fd, void *buf, size_t len);
ssize_t sock_write(int fd, struct iovec *iov, int n_iov);

/* Gives it a send buffer of SOCK_LONG_SNDBUF. */
void sock_widen(int fd);

/* Says that no more will be written. */
void sock_end_writing(int fd);

void sock_close(int fd);

/* Waits for `events` of poll(2); fd -1 only waits. timeout_ms -1 is for ever. Returns 1 where
 * something happened (a signal is something), 0 where not, or negative errno. */
int sock_poll(int fd, short events, int timeout_ms);

/* CLOCK_MONOTONIC. */
uint64_t sock_now_ns(void);

/* Random bytes, from the kernel. Before it has any (early at boot) they only differ from run to
 * run. */
void sock_random(void *buf, size_t len);

/* Who this process is to those that it connects to. */
void sock_self(uid_t *uid, gid_t *gid, pid_t *pid);

/* The program's short name. Never NULL. */
const char *sock_program_name(void);

#endif
