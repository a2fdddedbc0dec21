/* notify.c - tells a service manager how it stands, by the protocol of sd_notify(3) */
#include "ncserver/io/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t watchdog_of(const struct notify_env *env)
{
	char *end;
	unsigned long long usec;

	/* Without a pid it is meant for whoever finds it, as in sd_watchdog_enabled(3). */
	if (env->watchdog_pid && strtoll(env->watchdog_pid, NULL, 10) != getpid())
		return 0;
	if (!env->watchdog_usec)
		return 0;
	usec = strtoull(env->watchdog_usec, &end, 10);
	if (end == env->watchdog_usec || *end || usec > UINT64_MAX / 1000)
		return 0;
	return usec * 1000;
}

int notify_init(struct notify *n, const struct notify_env *env)
{
	size_t len = env->socket ? strlen(env->socket) : 0;

	*n = (struct notify){.fd = -1};
	if (len == 0)
		return 0;
	if ((env->socket[0] != '/' && env->socket[0] != '@') || len < 2 ||
	    len >= sizeof(n->addr.sun_path))
		return -EINVAL;
	n->addr.sun_family = AF_UNIX;
	memcpy(n->addr.sun_path, env->socket, len);
	if (env->socket[0] == '@')
		n->addr.sun_path[0] = '\0';
	n->addr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n->fd < 0)
		return -errno;
	n->watchdog_ns = watchdog_of(env);
	return 0;
}

void notify_fini(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
	n->watchdog_ns = 0;
}

static void tell(const struct notify *n, const char *state, const char *status)
{
	char text[NOTIFY_MAX];
	int len;

	if (n->fd < 0)
		return;
	len = snprintf(text, sizeof(text), "%s%s%s", state, status ? "STATUS=" : "",
	               status ? status : "");
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(text))
		len = sizeof(text) - 1;
	(void)sendto(n->fd, text, (size_t)len, MSG_NOSIGNAL, (const struct sockaddr *)&n->addr,
	             n->addr_len);
}

void notify_ready(const struct notify *n, const char *status)
{
	tell(n, "READY=1\n", status);
}

void notify_reloading(const struct notify *n)
{
	struct timespec ts;
	char text[64];

	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n",
	         (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u);
	tell(n, text, NULL);
}

void notify_stopping(const struct notify *n, const char *status)
{
	tell(n, "STOPPING=1\n", status);
}

void notify_status(const struct notify *n, const char *status)
{
	tell(n, "", status);
}

void notify_watchdog(const struct notify *n)
{
	tell(n, "WATCHDOG=1\n", NULL);
}
