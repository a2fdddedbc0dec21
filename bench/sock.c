/* sock.c - plain blocking sockets */

#include "bench/sock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/bench.h"

#define SNDBUF_LEN (1 << 20)

int sock_connect_path(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), size = SNDBUF_LEN;

	if (strlen(path) >= sizeof(un.sun_path))
		worker_fail(path, ENAMETOOLONG);
	memcpy(un.sun_path, path, strlen(path) + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)))
		worker_fail(path, errno);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return fd;
}

void sock_write_all(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			worker_fail("write", errno);
		p += n;
		len -= (size_t)n;
	}
}

size_t sock_read_some(int fd, void *data, size_t len)
{
	ssize_t n;

	do
		n = recv(fd, data, len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		worker_fail("read", errno);
	if (n == 0)
		worker_fail("the daemon closed the connection", 0);
	return (size_t)n;
}

void intake_init(struct intake *in, int fd, size_t len)
{
	*in = (struct intake){.fd = fd, .cap = 2 * SOCK_READ + len};
	in->data = malloc(in->cap);
	if (!in->data)
		worker_fail("memory", ENOMEM);
}

void intake_read(struct intake *in)
{
	size_t left = in->end - in->begin, room;

	if (in->begin) {
		memmove(in->data, in->data + in->begin, left);
		in->begin = 0;
		in->end = left;
	}
	room = in->cap - in->end;
	in->end += sock_read_some(in->fd, in->data + in->end, room < SOCK_READ ? room : SOCK_READ);
}
