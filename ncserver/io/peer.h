/* peer.h - who is at the other end of a Unix socket, as the kernel says */
#ifndef NC_IO_PEER_H
#define NC_IO_PEER_H

struct peer;

/* Fills in the user, groups, process and command's name of the other end of `fd`. Groups beyond
 * BUS_GROUPS_MAX are left out: no list admits by them. Returns 0 or a negative errno. */
int peer_of(struct peer *p, int fd);

#endif
