/* dirlock.c - one server at a time puts its sockets into a directory
 *
 * Removing a lock file races with those who have opened it and wait: after each lock it is checked
 * that the file still stands under its name, else one begins again.
 */
#include "ncserver/io/dirlock.h"

#include "ncserver/io/fault.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Between two attempts. */
#define DIRLOCK_PAUSE_MS 2

static bool stands_under_its_name(const struct dirlock *l)
{
	struct stat mine, there;

	return fstat(l->fd, &mine) == 0 &&
	       fstatat(l->dir_fd, DIRLOCK_NAME, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

/* Returns 0, or a negative errno: -EWOULDBLOCK where somebody else has it. */
static int try_lock(struct dirlock *l)
{
	int err;

	l->fd = openat(l->dir_fd, DIRLOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (l->fd < 0)
		return -errno;
	if (flock(l->fd, LOCK_EX | LOCK_NB) < 0)
		err = -errno;
	else if (!stands_under_its_name(l))
		err = -EWOULDBLOCK;
	else
		return 0;
	close(l->fd);
	l->fd = -1;
	return err;
}

static int lock_one(struct dirlock *l, int *timeout_ms)
{
	const struct timespec pause = {.tv_nsec = DIRLOCK_PAUSE_MS * 1000000L};
	int err;

	for (;;) {
		err = try_lock(l);
		/* A file that another user's server holds can't even be opened. */
		if (err != -EWOULDBLOCK && err != -EACCES)
			return err;
		if (err == -EACCES && faccessat(l->dir_fd, DIRLOCK_NAME, F_OK, 0) < 0)
			return err;
		if (*timeout_ms <= 0)
			return err;
		nanosleep(&pause, NULL);
		*timeout_ms -= DIRLOCK_PAUSE_MS;
	}
}

static void release_one(struct dirlock *l)
{
	if (l->fd >= 0) {
		unlinkat(l->dir_fd, DIRLOCK_NAME, 0);
		close(l->fd);
	}
	close(l->dir_fd);
}

static int compare(const void *a, const void *b)
{
	const struct dirlock *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static int open_dir(struct dirlocks *l, const char *dir, struct fault *f)
{
	struct dirlock *d = &l->list[l->n];
	struct stat st;

	d->fd = -1;
	d->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (d->dir_fd < 0 || fstat(d->dir_fd, &st) < 0) {
		int err = errno;

		if (d->dir_fd >= 0)
			close(d->dir_fd);
		return fault_set(f, fault_exit_of(err), "directory %s: %s", dir, strerror(err));
	}
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	for (size_t i = 0; i < l->n; i++) {
		if (compare(&l->list[i], d) == 0) {
			close(d->dir_fd);
			return 0;
		}
	}
	l->n++;
	return 0;
}

static int open_all(struct dirlocks *l, const char *const *dirs, size_t n, struct fault *f)
{
	for (size_t i = 0; i < n; i++) {
		int err = open_dir(l, dirs[i], f);

		if (err)
			return err;
	}
	qsort(l->list, l->n, sizeof(*l->list), compare);
	return 0;
}

static int lock_fault(const struct dirlock *l, int err, struct fault *f)
{
	char link[64], dir[256];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", l->dir_fd);
	len = readlink(link, dir, sizeof(dir) - 1);
	dir[len < 0 ? 0 : len] = '\0';
	if (err == -EWOULDBLOCK)
		return fault_set(
		        f, FAULT_EXIT_BUSY,
		        "another server is starting in %s and does not get on (it holds %s)", dir,
		        DIRLOCK_NAME);
	return fault_set(f, fault_exit_of(err), "lock file %s/%s: %s", dir, DIRLOCK_NAME,
	                 strerror(-err));
}

int dirlocks_acquire(struct dirlocks *l, const char *const *dirs, size_t n, int timeout_ms,
                     struct fault *f)
{
	int err;

	*l = (struct dirlocks){0};
	if (n == 0)
		return 0;
	l->list = calloc(n, sizeof(*l->list));
	if (!l->list)
		return -ENOMEM;
	err = open_all(l, dirs, n, f);
	for (size_t i = 0; !err && i < l->n; i++) {
		err = lock_one(&l->list[i], &timeout_ms);
		if (err)
			err = lock_fault(&l->list[i], err, f);
	}
	if (err)
		dirlocks_release(l);
	return err;
}

void dirlocks_release(struct dirlocks *l)
{
	while (l->n > 0)
		release_one(&l->list[--l->n]);
	free(l->list);
	*l = (struct dirlocks){0};
}
