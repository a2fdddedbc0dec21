/* place.c - a socket or a FIFO, and the path at which it stands
 *
 * Where something stands at the path already, the two names are exchanged in one step (renameat2),
 * so that a rollback can exchange them back. A file system that can't do that gets a plain rename,
 * and a rollback leaves nothing at the path then.
 */
#include "ncserver/io/place.h"

#include "ncserver/io/fault.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const kind_name[] = {"socket", "FIFO"};

void place_init(struct place *p)
{
	*p = (struct place){.fd = -1};
}

void place_fini(struct place *p)
{
	if (p->fd >= 0)
		close(p->fd);
	free(p->channel);
	free(p->path);
	free(p->temp);
	place_init(p);
}

bool place_is(const struct place *p, const struct place_want *w)
{
	if (p->state == PLACE_EMPTY || p->kind != w->kind || strcmp(p->path, w->path) != 0)
		return false;
	return p->is_activated ||
	       (p->mode == w->mode && p->owner == w->owner && p->group == w->group);
}

static int place_fault(const struct place *p, int err, const char *what, struct fault *f)
{
	return fault_set(f, fault_exit_of(err), "channel %s: %s %s %s: %s", p->channel, what,
	                 kind_name[p->kind], p->path, strerror(err));
}

/* "dir/.name.pid.random", beside the path and thus on the same file system. Of a long name only the
 * beginning, so that a path that just fits has a temporary name that fits too (see bind_temp). */
static char *temp_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash - path) + 1 : 0;
	uint32_t r = 0;
	char *temp;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) < 0)
		r = (uint32_t)(uintptr_t)&r;
	if (asprintf(&temp, "%.*s.%.32s.%ld.%08x", dir_len, path, path + dir_len, (long)getpid(),
	             r) < 0)
		return NULL;
	return temp;
}

static int fill(struct place *p, const struct place_want *w)
{
	place_init(p);
	p->kind = w->kind;
	p->mode = w->mode;
	p->owner = w->owner;
	p->group = w->group;
	p->channel = strdup(w->channel);
	p->path = strdup(w->path);
	p->temp = temp_name(w->path);
	if (p->channel && p->path && p->temp)
		return 0;
	place_fini(p);
	return -ENOMEM;
}

/* Binds to p->temp, also where that is longer than sun_path: then through the directory's
 * descriptor, which is short. Returns 0 or errno. */
static int bind_temp(const struct place *p)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	char *slash = strrchr(p->temp, '/');
	int dir_fd = -1, n, err;

	n = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", p->temp);
	if (n >= (int)sizeof(addr.sun_path)) {
		if (slash)
			*slash = '\0';
		dir_fd = open(slash ? p->temp : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		err = errno;
		if (slash)
			*slash = '/';
		if (dir_fd < 0)
			return err;
		n = snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dir_fd,
		             slash ? slash + 1 : p->temp);
	}
	err = 0;
	if (n >= (int)sizeof(addr.sun_path))
		err = ENAMETOOLONG;
	else if (bind(p->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		err = errno;
	if (dir_fd >= 0)
		close(dir_fd);
	return err;
}

/* Gives the file under p->temp its owner and mode, in this order, since a new owner clears bits.
 * Returns 0 or errno. */
static int dress(struct place *p)
{
	struct stat st;

	if ((p->owner != (uid_t)-1 || p->group != (gid_t)-1) &&
	    lchown(p->temp, p->owner, p->group) < 0)
		return errno;
	if (chmod(p->temp, p->mode) < 0 || lstat(p->temp, &st) < 0)
		return errno;
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	return 0;
}

static int make_socket(struct place *p)
{
	int err;

	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return errno;
	err = bind_temp(p);
	if (err)
		return err;
	p->state = PLACE_PREPARED;
	err = dress(p);
	if (!err && listen(p->fd, PLACE_BACKLOG) < 0)
		err = errno;
	return err;
}

static int make_fifo(struct place *p)
{
	int err;

	if (mkfifo(p->temp, 0600) < 0)
		return errno;
	p->state = PLACE_PREPARED;
	/* Open for writing too: so it never ends when the last writer goes. Before it is dressed,
	 * since its mode need not let its own server read. */
	p->fd = open(p->temp, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (p->fd < 0)
		return errno;
	err = dress(p);
	return err;
}

static bool same_file(const struct stat *st, const struct place *p)
{
	return st->st_dev == p->dev && st->st_ino == p->ino;
}

/* Gives a FIFO that was found the owner and mode that are asked for. Returns 0 or errno. */
static int dress_found(struct place *p, const struct stat *st)
{
	uid_t owner = p->owner == (uid_t)-1 ? st->st_uid : p->owner;
	gid_t group = p->group == (gid_t)-1 ? st->st_gid : p->group;

	p->was.mode = st->st_mode & 07777;
	p->was.owner = st->st_uid;
	p->was.group = st->st_gid;
	if (owner == st->st_uid && group == st->st_gid && p->mode == p->was.mode)
		return 0;
	p->is_changed = true;
	if ((owner != st->st_uid || group != st->st_gid) && fchown(p->fd, owner, group) < 0)
		return errno;
	return fchmod(p->fd, p->mode) < 0 ? errno : 0;
}

static void undress_found(struct place *p)
{
	if (!p->is_changed)
		return;
	/* Best effort: who may change it may change it back. */
	if (fchown(p->fd, p->was.owner, p->was.group) < 0 || fchmod(p->fd, p->was.mode) < 0)
		return;
	p->is_changed = false;
}

/* Shares the FIFO of the place that is replaced. Returns 0 or 1 with *f. */
static int inherit_fifo(struct place *p, const struct place *from, struct fault *f)
{
	struct stat st;
	int err;

	p->fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
	if (p->fd < 0 || fstat(p->fd, &st) < 0)
		return place_fault(p, errno, "cannot open", f);
	p->dev = from->dev;
	p->ino = from->ino;
	p->is_found = from->is_found;
	p->is_inherited = true;
	p->state = PLACE_PREPARED;
	err = dress_found(p, &st);
	return err ? place_fault(p, err, "cannot set owner and mode of", f) : 0;
}

/* Takes the FIFO that stands at the path, if nobody reads it. Returns 0 or 1 with *f. */
static int take_fifo(struct place *p, struct fault *f)
{
	struct stat st;
	int probe, err;

	/* Opening for writing alone succeeds only where somebody reads. */
	probe = open(p->path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (probe >= 0) {
		close(probe);
		return fault_set(f, FAULT_EXIT_BUSY,
		                 "channel %s: another process reads from the FIFO %s", p->channel,
		                 p->path);
	}
	p->fd = open(p->path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (p->fd < 0 || fstat(p->fd, &st) < 0)
		return place_fault(p, errno, "cannot open", f);
	if (!S_ISFIFO(st.st_mode))
		return fault_set(f, EX_CANTCREAT, "channel %s: %s exists and is no FIFO",
		                 p->channel, p->path);
	/* Whoever owns a file says who may write into it. */
	if (st.st_uid != geteuid() && st.st_uid != 0 && st.st_uid != p->owner)
		return fault_set(f, EX_NOPERM, "channel %s: the FIFO %s belongs to user %lu",
		                 p->channel, p->path, (unsigned long)st.st_uid);
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	p->is_found = true;
	p->state = PLACE_PREPARED;
	err = dress_found(p, &st);
	return err ? place_fault(p, err, "cannot set owner and mode of", f) : 0;
}

static int prepare_fifo(struct place *p, const struct place *replaces, struct fault *f)
{
	struct stat st;
	int err;

	if (lstat(p->path, &st) < 0) {
		err = make_fifo(p);
		return err ? place_fault(p, err, "cannot make", f) : 0;
	}
	if (!S_ISFIFO(st.st_mode))
		return fault_set(f, EX_CANTCREAT, "channel %s: %s exists and is no FIFO",
		                 p->channel, p->path);
	if (replaces && replaces->kind == PLACE_FIFO && same_file(&st, replaces))
		return inherit_fifo(p, replaces, f);
	return take_fifo(p, f);
}

int place_prepare(struct place *p, const struct place_want *w, const struct place *replaces,
                  struct fault *f)
{
	int err = fill(p, w);

	if (err)
		return err;
	if (p->kind == PLACE_FIFO) {
		err = prepare_fifo(p, replaces, f);
	} else {
		err = make_socket(p);
		if (err)
			err = place_fault(p, err, "cannot make", f);
	}
	if (err)
		place_rollback(p);
	return err;
}

int place_adopt(struct place *p, const struct place_want *w, int fd)
{
	int err = fill(p, w);

	if (err)
		return err;
	p->fd = fd;
	p->is_activated = true;
	p->state = PLACE_PREPARED;
	return 0;
}

/* ---- the path ---- */

static int busy_fault(const struct place *p, int fd, struct fault *f)
{
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		cred.pid = 0;
	if (cred.pid == getpid())
		return fault_set(f, EX_CONFIG, "channel %s: %s is the socket of another channel",
		                 p->channel, p->path);
	return fault_set(f, FAULT_EXIT_BUSY, "another server (pid %ld) serves channel %s at %s",
	                 (long)cred.pid, p->channel, p->path);
}

/* Connects to what stands at the path: only a socket that nobody listens on may be replaced.
 * Returns 0 or 1 with *f. */
static int check_dead(const struct place *p, struct fault *f)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, err = 0, result;

	if (strlen(p->path) >= sizeof(addr.sun_path))
		return place_fault(p, ENAMETOOLONG, "cannot make", f);
	memcpy(addr.sun_path, p->path, strlen(p->path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return place_fault(p, errno, "cannot make", f);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		err = errno;
	switch (err) {
	case 0:
	case EAGAIN: /* its queue of connections is full: it lives */
		result = busy_fault(p, fd, f);
		break;
	case ECONNREFUSED:
	case ENOENT: result = 0; break;
	default: result = place_fault(p, err, "cannot tell who listens on", f);
	}
	close(fd);
	return result;
}

/* Whether what stands at the path, if anything, may go. *is_there says if something is. */
static int check_path(const struct place *p, place_is_ours *is_ours, void *arg, bool *is_there,
                      struct fault *f)
{
	struct stat st;

	*is_there = lstat(p->path, &st) == 0;
	if (!*is_there)
		return errno == ENOENT ? 0 : place_fault(p, errno, "cannot make", f);
	if (p->kind == PLACE_FIFO || !S_ISSOCK(st.st_mode))
		return fault_set(f, EX_CANTCREAT, "channel %s: %s exists and is no %s", p->channel,
		                 p->path, kind_name[p->kind]);
	if (is_ours && is_ours(arg, st.st_dev, st.st_ino))
		return 0;
	return check_dead(p, f);
}

/* Returns 0 or errno. */
static int put_under_path(struct place *p, bool is_there)
{
	unsigned flags = is_there ? RENAME_EXCHANGE : RENAME_NOREPLACE;

	if (renameat2(AT_FDCWD, p->temp, AT_FDCWD, p->path, flags) == 0) {
		p->has_displaced = is_there;
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	return rename(p->temp, p->path) < 0 ? errno : 0;
}

int place_publish(struct place *p, place_is_ours *is_ours, void *arg, struct fault *f)
{
	bool is_there;
	int err;

	if (!p->is_activated && !p->is_found && !p->is_inherited) {
		err = check_path(p, is_ours, arg, &is_there, f);
		if (err)
			return err;
		err = put_under_path(p, is_there);
		if (err)
			return place_fault(p, err, "cannot put into place", f);
	}
	p->state = PLACE_PUBLISHED;
	return 0;
}

void place_commit(struct place *p)
{
	if (p->has_displaced)
		unlink(p->temp);
	p->has_displaced = false;
	p->is_changed = false;
	p->is_inherited = false;
	p->state = PLACE_STANDING;
}

static void unlink_if_ours(const struct place *p)
{
	struct stat st;

	if (lstat(p->path, &st) == 0 && same_file(&st, p))
		unlink(p->path);
}

static void unpublish(struct place *p)
{
	if (!p->has_displaced)
		unlink_if_ours(p);
	else if (renameat2(AT_FDCWD, p->temp, AT_FDCWD, p->path, RENAME_EXCHANGE) == 0)
		unlink(p->temp);
}

void place_rollback(struct place *p)
{
	undress_found(p);
	if (!p->is_activated && !p->is_found && !p->is_inherited) {
		if (p->state == PLACE_PREPARED)
			unlink(p->temp);
		else if (p->state == PLACE_PUBLISHED)
			unpublish(p);
	}
	place_fini(p);
}

void place_unlink(struct place *p)
{
	if (p->state == PLACE_STANDING && !p->is_activated && !p->is_found)
		unlink_if_ours(p);
}
