/* peer.h - what world.c needs of its peers, beyond world.h */
#ifndef NC_T_HELPERS_PEER_H
#define NC_T_HELPERS_PEER_H

#include <poll.h>

#include "t/helpers/world.h"

/* Fills in what to poll for. Returns the timeout that the peer wants, -1: none. */
int peer_prepare(struct peer *p, struct pollfd *fd);

/* Lets the peer do its work after a poll. */
void peer_run(struct peer *p, short revents);

#endif
