/* sink.c - a descriptor for text that may be lost, but never holds up its writer
 *
 * Pipes and terminals are opened a second time, through /proc, so that O_NONBLOCK is ours alone.
 * Where that is not allowed the kernel is asked for room first, and given at most PIPE_BUF bytes:
 * a pipe that says POLLOUT takes that much without waiting. Regular files never wait.
 */
#include "ncserver/io/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int reopen_nonblocking(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void sink_init(struct sink *s, int fd)
{
	struct stat st;
	int twin;

	*s = (struct sink){.fd = fd};
	if (fstat(fd, &st) < 0)
		return; /* closed: each write will say so */
	s->is_socket = S_ISSOCK(st.st_mode);
	if (!S_ISFIFO(st.st_mode) && !(S_ISCHR(st.st_mode) && isatty(fd)))
		return;
	twin = reopen_nonblocking(fd);
	s->is_own = twin >= 0;
	s->is_polled = twin < 0;
	if (s->is_own)
		s->fd = twin;
}

void sink_fini(struct sink *s)
{
	if (s->is_own)
		close(s->fd);
	*s = (struct sink){.fd = -1};
}

ssize_t sink_write(struct sink *s, const void *p, size_t len)
{
	ssize_t n;

	if (s->is_polled) {
		struct pollfd pfd = {.fd = s->fd, .events = POLLOUT};

		if (poll(&pfd, 1, 0) <= 0 || !(pfd.revents & POLLOUT))
			return pfd.revents ? -EPIPE : -EAGAIN;
		if (len > PIPE_BUF)
			len = PIPE_BUF;
	}
	do {
		n = s->is_socket ? send(s->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL)
		                 : write(s->fd, p, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}
