/* activate.h - listening sockets that a service manager hands over, as sd_listen_fds(3) has it
 *
 * They begin at descriptor 3; LISTEN_FDS says how many, LISTEN_PID for whom, LISTEN_FDNAMES what
 * the manager calls them. Here a socket is found by the path that it is bound to, and nothing else.
 */
#ifndef NC_IO_ACTIVATE_H
#define NC_IO_ACTIVATE_H

#include <stdbool.h>
#include <stddef.h>

/* Descriptors that are looked at: one for each channel that can be configured. */
#define ACTIVATE_MAX 1024u

/* What the environment says; NULL where a variable is not set. */
struct activate_env {
	const char *fds;   /* LISTEN_FDS */
	const char *pid;   /* LISTEN_PID */
	const char *names; /* LISTEN_FDNAMES */
};

struct activated {
	int fd;            /* -1: taken */
	char *name;        /* what the manager calls it, or NULL */
	char *path;        /* where it is bound, or NULL */
	const char *fault; /* why it can't be used, or NULL */
};

struct activation {
	size_t n;
	struct activated *list;
};

/* Looks at what was handed over and sets close-on-exec on all of it. Returns 0 or -ENOMEM. */
int activation_init(struct activation *a, const struct activate_env *env);

/* Whether there is a socket that is bound to `path` and not yet taken. */
bool activation_has(const struct activation *a, const char *path);

/* Takes the socket that is bound to `path` (or to that file by another name of its directory); it
 * is the caller's then. Returns the descriptor, or -1. */
int activation_take(struct activation *a, const char *path);

/* Closes what was not taken. `tell`, if not NULL, hears of each. */
void activation_fini(struct activation *a, void (*tell)(void *arg, const struct activated *one),
                     void *arg);

#endif
