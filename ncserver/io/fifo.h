/* fifo.h - a FIFO as a second way into a channel, for scripts
 *
 * Whoever may write to the FIFO, as its mode says, emits: JSON packets of at most PIPE_BUF bytes,
 * each ended by a newline or a NUL. All writers are one pseudo-client of the bus. The FIFO is open
 * for writing here too, so that it has no end.
 */
#ifndef NC_IO_FIFO_H
#define NC_IO_FIFO_H

#include <stdbool.h>

#include "libnc/base/list.h"
#include "ncserver/io/place.h"

struct chan;
struct conn;
struct server;

struct fifo {
	struct list link; /* server.fifos once it is started */
	struct server *server;
	struct chan *chan;
	struct conn *conn; /* NULL: none now, tried again soon */
	struct place place;
	bool is_closing;
};

/* Makes a FIFO with an empty place. Returns NULL without memory. */
struct fifo *fifo_new(struct server *s);

/* Reads from it, for `chan`, from the next turn on. */
void fifo_start(struct fifo *f, struct chan *chan);

/* Its pseudo-client has gone: there will be a new one. */
void fifo_on_client_gone(struct fifo *f);

/* Makes the pseudo-client, where there is none. */
void fifo_resume(struct fifo *f);

/* Gives it another place: the same file with other owners or another mode. Takes over *place. */
void fifo_move(struct fifo *f, struct place *place);

/* Unlinks it if it was made here, reads what is in it, ends the pseudo-client, and frees it when
 * that has gone. */
void fifo_retire(struct fifo *f);

/* Frees one that was not started, or whose pseudo-client has gone; undoes a place that is not
 * committed. */
void fifo_free(struct fifo *f);

#endif
