/* notify.h - tells a service manager how it stands, by the protocol of sd_notify(3)
 *
 * The protocol is a datagram of lines to the socket that NOTIFY_SOCKET names. Without one, or when
 * it does not take a datagram at once, nothing happens: whoever supervises this process notices by
 * its own means.
 */
#ifndef NC_IO_NOTIFY_H
#define NC_IO_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Bytes of one message; a status beyond is cut. */
#define NOTIFY_MAX 512u

struct notify {
	int fd; /* -1: nobody to tell */
	struct sockaddr_un addr;
	socklen_t addr_len;
	uint64_t watchdog_ns; /* how often the manager wants to hear WATCHDOG=1; 0: never */
};

/* What the environment says; NULL where a variable is not set. */
struct notify_env {
	const char *socket;        /* NOTIFY_SOCKET: a path, or "@name" for an abstract one */
	const char *watchdog_usec; /* WATCHDOG_USEC */
	const char *watchdog_pid;  /* WATCHDOG_PID */
};

/* Returns 0, also where there is nobody to tell; -EINVAL for a socket that can't be meant; or why
 * no socket could be made. On error nobody is told. */
int notify_init(struct notify *n, const struct notify_env *env);
void notify_fini(struct notify *n);

/* All sockets listen (again, after notify_reloading()). */
void notify_ready(const struct notify *n, const char *status);
void notify_reloading(const struct notify *n);
void notify_stopping(const struct notify *n, const char *status);
void notify_status(const struct notify *n, const char *status);
void notify_watchdog(const struct notify *n);

#endif
