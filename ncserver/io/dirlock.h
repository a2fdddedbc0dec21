/* dirlock.h - one server at a time puts its sockets into a directory
 *
 * To see that a socket belongs to no living server and to replace it are two steps. Two servers
 * that start at once must not both take the first before one has taken the second; so whoever takes
 * them holds a lock on the file ".ncserver.lock" of that directory. A server holds it while it
 * starts or reloads, not while it runs: from then on its listening sockets speak for it. The file
 * is removed with the lock; one that a killed server left is locked by nobody, and is used again.
 */
#ifndef NC_IO_DIRLOCK_H
#define NC_IO_DIRLOCK_H

#include <stddef.h>
#include <sys/types.h>

struct fault;

#define DIRLOCK_NAME ".ncserver.lock"

/* How long others are waited for: at the start, and in a reload, which holds up the bus. */
#define DIRLOCK_START_MS  5000
#define DIRLOCK_RELOAD_MS 200

struct dirlock {
	int dir_fd;
	int fd;
	dev_t dev;
	ino_t ino;
};

struct dirlocks {
	size_t n;
	struct dirlock *list; /* by (dev, ino): all servers lock in one order */
};

/* Locks each of the directories `dirs` (the same one may occur more than once, under any name).
 * Returns 0, 1 with *f, or -ENOMEM; on error nothing is locked. */
int dirlocks_acquire(struct dirlocks *l, const char *const *dirs, size_t n, int timeout_ms,
                     struct fault *f);
void dirlocks_release(struct dirlocks *l);

#endif
