/* stop.h - the end of a server: what was sent is delivered, within a time
 *
 * At the signal the sockets lose their names, so that a next server can start at once; who had
 * connected by then is accepted. What each connection has sent by then is read (state READING);
 * then clients are told, and what is queued for them is written (WRITING). All of it within the
 * configured drain_timeout; a second signal ends it at once.
 */
#ifndef NC_IO_STOP_H
#define NC_IO_STOP_H

#include <stdint.h>

struct server;

/* Goes on to the next state when there is nothing left to do in this one. Once per turn. */
void stop_turn(struct server *s, uint64_t now);

/* Closes everything now. */
void stop_now(struct server *s);

#endif
