/* socket.c - all that the client library asks of the system: sockets, clock, chance, environment
 *
 * The only file of the library with system calls, so that the rest can be tested without any.
 *
 * A socket of the standard places is only trusted where its folder is one that nobody else can
 * write to: those of root, of the user's session, and one under /tmp that is the user's own.
 */

#include "libnc/client/socket.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <netcluster/nc.h>

#define PLACE_ROOT   "/run/netcluster/%s.sock"
#define PLACE_LEGACY "/var/run/netcluster-%s"

/* The templates to be tried, in order. */
struct places {
	int n;
	char list[SOCK_PLACES_MAX][SOCK_PATH_LEN];
};

_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == SOCK_PATH_LEN, "sun_path");

int sock_path_expand(char out[SOCK_PATH_LEN], const char *template, const char *channel)
{
	const char *mark = strstr(template, "%s");
	int n;

	if (!mark) {
		n = snprintf(out, SOCK_PATH_LEN, "%s", template);
	} else {
		if (strstr(mark + 2, "%s"))
			return -EINVAL;
		n = snprintf(out, SOCK_PATH_LEN, "%.*s%s%s", (int)(mark - template), template,
		             channel, mark + 2);
	}
	return n > 0 && (size_t)n < SOCK_PATH_LEN ? 0 : -EINVAL;
}

/* Adds a template; one that is too long can't be the place of any server, and is left out. */
static __attribute__((format(printf, 2, 3))) void places_add(struct places *p, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(p->list[p->n], SOCK_PATH_LEN, fmt, args);
	va_end(args);
	if (n > 0 && (size_t)n < SOCK_PATH_LEN)
		p->n++;
}

static bool folder_is_private(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IRWXG | S_IRWXO));
}

static void places_standard(struct places *p)
{
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
	char tmp[64];

	if (geteuid() == 0)
		places_add(p, "%s", PLACE_ROOT);
	if (runtime && runtime[0] == '/' && !strstr(runtime, "%s"))
		places_add(p, "%s/netcluster/%%s.sock", runtime);
	snprintf(tmp, sizeof(tmp), "/tmp/netcluster-%lu", (unsigned long)geteuid());
	if (folder_is_private(tmp))
		places_add(p, "%s/%%s.sock", tmp);
	if (geteuid() != 0)
		places_add(p, "%s", PLACE_ROOT);
	places_add(p, "%s", PLACE_LEGACY);
}

/* Connects to one path. Returns as sock_connect() does. */
static int connect_to(struct sock_found *out)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int r;

	memcpy(addr.sun_path, out->path, strlen(out->path) + 1);
	out->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (out->fd < 0) {
		out->sys_errno = errno;
		return NC_ESYS;
	}
	do
		r = connect(out->fd, (const struct sockaddr *)&addr, sizeof(addr));
	while (r < 0 && errno == EINTR);
	if (!r)
		return NC_OK;
	out->sys_errno = errno;
	sock_close(out->fd);
	out->fd = -1;
	switch (out->sys_errno) {
	case EAGAIN: return NC_AGAIN;
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED: return NC_ENOSERVER;
	case EACCES:
	case EPERM: return NC_EDENIED;
	default: return NC_ESYS;
	}
}

static void add_tried(struct sock_found *out)
{
	size_t len = strlen(out->tried);

	snprintf(out->tried + len, sizeof(out->tried) - len, "%s%s", len ? ", " : "", out->path);
}

static int connect_standard(struct sock_found *out, const char *channel)
{
	struct sock_found refused = {.fd = -1};
	struct places places = {0};

	places_standard(&places);
	for (int i = 0; i < places.n; i++) {
		int r;

		if (sock_path_expand(out->path, places.list[i], channel))
			continue;
		r = connect_to(out);
		if (r == NC_OK || r == NC_AGAIN || r == NC_ESYS)
			return r;
		add_tried(out);
		if (r == NC_EDENIED)
			refused = *out;
	}
	if (!refused.path[0])
		return NC_ENOSERVER;
	/* a server that refuses says more than places where there is none */
	*out = refused;
	return NC_EDENIED;
}

int sock_connect(struct sock_found *out, const char *template, const char *channel)
{
	*out = (struct sock_found){.fd = -1};
	if (!template)
		template = secure_getenv("NC_SOCKET");
	if (!template || !*template)
		return connect_standard(out, channel);
	if (sock_path_expand(out->path, template, channel))
		return NC_EINVAL;
	add_tried(out);
	return connect_to(out);
}

ssize_t sock_read(int fd, void *buf, size_t len)
{
	ssize_t n;

	do
		n = recv(fd, buf, len, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t sock_write(int fd, struct iovec *iov, int n_iov)
{
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = (size_t)n_iov};
	ssize_t n;

	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

void sock_widen(int fd)
{
	int len = SOCK_LONG_SNDBUF;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &len, sizeof(len));
}

void sock_end_writing(int fd)
{
	/* fails only where the other side is gone already */
	(void)shutdown(fd, SHUT_WR);
}

void sock_close(int fd)
{
	/* Linux closes it even where it says EINTR */
	(void)close(fd);
}

int sock_poll(int fd, short events, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = events};
	int r = poll(&p, 1, timeout_ms);

	if (r < 0)
		return errno == EINTR ? 1 : -errno;
	return r > 0;
}

uint64_t sock_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void sock_random(void *buf, size_t len)
{
	uint64_t x = sock_now_ns() ^ ((uint64_t)getpid() << 40);
	uint8_t *p = buf;

	if (getrandom(buf, len, GRND_NONBLOCK) == (ssize_t)len)
		return;
	/* splitmix64, S. Vigna */
	for (size_t i = 0; i < len; i++) {
		uint64_t z = x += UINT64_C(0x9E3779B97F4A7C15);

		z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
		p[i] = (uint8_t)(z ^ (z >> 31));
	}
}

void sock_self(uid_t *uid, gid_t *gid, pid_t *pid)
{
	*uid = geteuid();
	*gid = getegid();
	*pid = getpid();
}

const char *sock_program_name(void)
{
	return program_invocation_short_name ? program_invocation_short_name : "";
}
