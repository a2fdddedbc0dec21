/* load.c - the bytes of a configuration file
 *
 * A file is read once, whole and within CONF_TEXT_MAX, before anything looks at it, so that what is
 * checked is what is used. A name never makes the server wait or do anything but read: a fifo
 * without a writer reads as empty, and what is neither a file nor a pipe is refused.
 */

#include "ncserver/conf/load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libnc/base/buf.h"
#include "libnc/base/utf8.h"
#include "ncserver/conf/problem.h"

#define READ_LEN 65536u

static int read_all(struct buf *out, int fd)
{
	for (;;) {
		size_t room = out->max - out->len;
		ssize_t n;
		int r;

		if (room > READ_LEN)
			room = READ_LEN;
		if (!room)
			return -EFBIG;
		r = buf_reserve(out, room);
		if (r)
			return r;
		do
			n = read(fd, buf_tail(out), room);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return -errno;
		if (!n)
			return 0;
		buf_advance(out, (size_t)n);
	}
}

/* Opens what may be read without surprise. Returns the descriptor or -errno. */
static int open_file(const char *path, bool included, struct stat *st)
{
	/* not waiting for the writer of a fifo; once it is there, reads may wait for it */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, st))
		r = -errno;
	else if (S_ISDIR(st->st_mode))
		r = -EISDIR;
	else if (!S_ISREG(st->st_mode) && (included || !S_ISFIFO(st->st_mode)))
		r = -ENOTSUP;
	else if (fcntl(fd, F_SETFL, 0))
		r = -errno;
	if (r) {
		close(fd);
		return r;
	}
	return fd;
}

static const char *reason(int r)
{
	switch (r) {
	case -EFBIG: return "larger than 4 MiB";
	case -ENOTSUP: return "not a regular file";
	default: return strerror(-r);
	}
}

static void warn_of_writers(const char *path, const struct stat *st, const struct load_place *place,
                            struct conf_problems *problems)
{
	if (st->st_uid != 0)
		problems_add(problems, true, place->file, place->line,
		             "%s belongs to uid %u: who can write it is root in effect", path,
		             (unsigned)st->st_uid);
	if (st->st_mode & S_IWOTH)
		problems_add(problems, true, place->file, place->line,
		             "%s is writable by everybody: who can write it is root in effect",
		             path);
	else if (st->st_mode & S_IWGRP && st->st_gid != 0)
		problems_add(problems, true, place->file, place->line,
		             "%s is writable by its group (gid %u): who can write it is root in "
		             "effect",
		             path, (unsigned)st->st_gid);
}

int load_file(struct buf *out, const char *path, bool included, uid_t euid,
              const struct load_place *place, struct conf_problems *problems)
{
	struct stat st;
	int fd = open_file(path, included, &st), r = fd;

	if (fd >= 0) {
		r = read_all(out, fd);
		close(fd);
	}
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		problems_add(problems, false, place->file, place->line, "cannot read %s: %s", path,
		             reason(r));
		problems->is_unreadable |= !included;
		return 1;
	}
	if (euid == 0 && S_ISREG(st.st_mode))
		warn_of_writers(path, &st, place, problems);
	return 0;
}

bool load_is_text(const char *text, size_t len, const char *name, struct conf_problems *problems)
{
	size_t good = utf8_valid_len(text, len);
	const char *nul = memchr(text, 0, good);
	unsigned line = 1;

	if (good == len && !nul)
		return true;
	if (nul)
		good = (size_t)(nul - text);
	for (size_t i = 0; i < good; i++)
		line += text[i] == '\n';
	problems_add(problems, false, name, line, nul ? "a NUL byte in the text" : "not UTF-8");
	return false;
}
