/* activate.c - listening sockets that a service manager hands over, as sd_listen_fds(3) has it */
#include "ncserver/io/activate.h"

#include "ncserver/io/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* SD_LISTEN_FDS_START */
#define FIRST_FD 3

static bool is_for_us(const struct activate_env *env)
{
	return env->fds && env->pid && strtoll(env->pid, NULL, 10) == getpid();
}

/* What is wrong with a descriptor, or NULL and its address. */
static const char *fault_of(int fd, struct sockaddr_un *addr)
{
	socklen_t len = sizeof(*addr), optlen = sizeof(int);
	int type = 0, listening = 0;

	memset(addr, 0, sizeof(*addr));
	if (getsockname(fd, (struct sockaddr *)addr, &len) < 0)
		return errno == ENOTSOCK ? "not a socket" : strerror(errno);
	if (addr->sun_family != AF_UNIX)
		return "not a Unix socket";
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &optlen) < 0 || type != SOCK_STREAM)
		return "not a stream socket";
	optlen = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &optlen) < 0 || !listening)
		return "does not listen";
	if (len <= offsetof(struct sockaddr_un, sun_path) || addr->sun_path[0] != '/')
		return "has no path";
	return NULL;
}

static int look_at(struct activated *one, int fd, const char **names)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	struct sockaddr_un addr;
	size_t len = *names ? strcspn(*names, ":") : 0;

	one->fd = fd;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (len > 0) {
		one->name = strndup(*names, len);
		if (!one->name)
			return -ENOMEM;
	}
	if (*names)
		*names += (*names)[len] ? len + 1 : len;
	one->fault = fault_of(fd, &addr);
	if (one->fault)
		return 0;
	memcpy(path, addr.sun_path, sizeof(addr.sun_path));
	path[sizeof(addr.sun_path)] = '\0';
	one->path = strdup(path);
	return one->path ? 0 : -ENOMEM;
}

int activation_init(struct activation *a, const struct activate_env *env)
{
	const char *names = env->names;
	unsigned long n;
	int err = 0;

	*a = (struct activation){0};
	if (!is_for_us(env))
		return 0;
	n = strtoul(env->fds, NULL, 10);
	if (n == 0)
		return 0;
	if (n > ACTIVATE_MAX)
		n = ACTIVATE_MAX;
	a->list = calloc(n, sizeof(*a->list));
	if (!a->list)
		return -ENOMEM;
	for (; a->n < n && !err; a->n++)
		err = look_at(&a->list[a->n], FIRST_FD + (int)a->n, &names);
	if (err)
		activation_fini(a, NULL, NULL);
	return err;
}

/* "/run/x" and "/var/run/x" are one path where /var/run leads to /run. */
static bool same_path(const char *a, const char *b)
{
	const char *base_a = strrchr(a, '/'), *base_b = strrchr(b, '/');
	char dir_a[PATH_MAX], dir_b[PATH_MAX];
	struct stat st_a, st_b;

	if (strcmp(a, b) == 0)
		return true;
	if (!base_a || !base_b || strcmp(base_a, base_b) != 0)
		return false;
	rundir_of(dir_a, sizeof(dir_a), a);
	rundir_of(dir_b, sizeof(dir_b), b);
	return stat(dir_a, &st_a) == 0 && stat(dir_b, &st_b) == 0 && st_a.st_dev == st_b.st_dev &&
	       st_a.st_ino == st_b.st_ino;
}

static struct activated *find(const struct activation *a, const char *path)
{
	for (size_t i = 0; i < a->n; i++) {
		struct activated *one = &a->list[i];

		if (one->fd >= 0 && !one->fault && same_path(one->path, path))
			return one;
	}
	return NULL;
}

bool activation_has(const struct activation *a, const char *path)
{
	return find(a, path) != NULL;
}

int activation_take(struct activation *a, const char *path)
{
	struct activated *one = find(a, path);
	int fd = one ? one->fd : -1;

	if (one)
		one->fd = -1;
	return fd;
}

void activation_fini(struct activation *a, void (*tell)(void *arg, const struct activated *one),
                     void *arg)
{
	for (size_t i = 0; i < a->n; i++) {
		struct activated *one = &a->list[i];

		if (one->fd >= 0) {
			if (tell)
				tell(arg, one);
			close(one->fd);
		}
		free(one->name);
		free(one->path);
	}
	free(a->list);
	*a = (struct activation){0};
}
