/* place.h - a socket or a FIFO, and the path at which it stands
 *
 * A place is prepared under a temporary name beside its path, complete with mode, owner and, for a
 * socket, listening; published by one rename; then committed, or rolled back as if nothing had
 * been. So a client never meets a socket that does not listen yet or has the wrong mode, and a
 * start or a reload that fails leaves what stood there before.
 *
 * A path is taken from a dead server's socket, never from one that still listens, and never from
 * anything else. At the end only the very file that was made here is unlinked. What a service
 * manager handed over (is_activated), and a FIFO that was there before (is_found), is never
 * unlinked.
 */
#ifndef NC_IO_PLACE_H
#define NC_IO_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

struct fault;

/* Connections that wait to be accepted; the kernel cuts it to net.core.somaxconn. */
#define PLACE_BACKLOG 4096

enum place_kind {
	PLACE_SOCKET,
	PLACE_FIFO,
};

/* What is asked for; strings are the configuration's. */
struct place_want {
	enum place_kind kind;
	const char *channel; /* for messages */
	const char *path;
	mode_t mode;
	uid_t owner; /* (uid_t)-1: leave */
	gid_t group; /* (gid_t)-1: leave */
};

enum place_state {
	PLACE_EMPTY = 0,
	PLACE_PREPARED,  /* under its temporary name */
	PLACE_PUBLISHED, /* under its path; what stood there has the temporary name */
	PLACE_STANDING,  /* committed */
};

struct place {
	enum place_kind kind;
	enum place_state state;
	bool is_activated;
	bool is_found;
	bool is_inherited;  /* until committed, the file is that of the place that is replaced */
	bool has_displaced; /* what stood at the path before has the name `temp` */
	bool is_changed;    /* a FIFO in use, whose old owner and mode are in `was` */
	int fd;             /* listening socket, or FIFO, open for both directions; or -1 */
	char *channel;
	char *path;
	char *temp;
	dev_t dev; /* of the file that was made here */
	ino_t ino;
	mode_t mode; /* as asked for */
	uid_t owner;
	gid_t group;
	struct {
		mode_t mode;
		uid_t owner;
		gid_t group;
	} was;
};

/* Makes an empty place. */
void place_init(struct place *p);

/* Makes the socket or FIFO under a temporary name. A FIFO that stands at the path already is used
 * as it is, with owner and mode as wanted: so its writers stay; `replaces`, or NULL, is our own
 * place that uses it now. Returns 0, 1 with *f, -ENOMEM; on error the place is empty. */
int place_prepare(struct place *p, const struct place_want *w, const struct place *replaces,
                  struct fault *f);

/* Takes over a listening socket that was handed to us; `fd` belongs to the place afterwards.
 * Returns 0 or -ENOMEM. */
int place_adopt(struct place *p, const struct place_want *w, int fd);

/* Says whether a file is that of a standing place of this server, and may be replaced. */
typedef bool place_is_ours(void *arg, dev_t dev, ino_t ino);

/* Puts it under its path, with the directory locked (dirlock.h). Returns 0 or 1 with *f. */
int place_publish(struct place *p, place_is_ours *is_ours, void *arg, struct fault *f);

/* Removes what was displaced: the place stands. */
void place_commit(struct place *p);

/* Undoes place_publish() and place_prepare(): the place is empty. An adopted descriptor is closed.
 */
void place_rollback(struct place *p);

/* Takes the name away from a standing place, if the file there is still ours. Its descriptor is
 * open, so that a socket counts as living until it has no name any more: no lock is needed. */
void place_unlink(struct place *p);

/* Closes the descriptor and frees the memory; the name stays. The place is empty. */
void place_fini(struct place *p);

/* Whether a standing place is what is asked for: same path, mode, owner and group. */
bool place_is(const struct place *p, const struct place_want *w);

#endif
