/* netif.h - which interface the mesh speaks over
 *
 * It is named by its name ("eth0"), by a prefix that one of its addresses lies in ("10.77.0.0/24"),
 * or by an address ("10.77.0.1"). Where nothing is named, the only one that could be meant is
 * taken: up, able to multicast, no loopback, with an address of the family. Among several nothing
 * is chosen: they are listed instead.
 */
#ifndef NC_IO_NETIF_H
#define NC_IO_NETIF_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "ncserver/io/netaddr.h"

struct fault;

/* An address of an interface; an interface with several stands in a list several times. */
struct netif {
	char name[IF_NAMESIZE];
	unsigned index;
	unsigned mtu;
	bool is_up;      /* by its administrator */
	bool is_running; /* has a carrier */
	bool is_loopback;
	bool can_multicast;
	struct netaddr addr; /* port 0; sa_family 0: it has none */
};

enum netif_error {
	NETIF_OK = 0,
	NETIF_BAD,     /* that is no name, prefix or address */
	NETIF_ABSENT,  /* there is none now, or it is down, or has no address; it may come */
	NETIF_SEVERAL, /* more than one could be meant */
};

/* All addresses of all interfaces, in the kernel's order; to be freed. Returns 0 or a negative
 * errno. */
int netif_list(struct netif **list, size_t *n);

/* Chooses from a list the interface that `spec` (NULL or "": nothing) names, for AF_INET or
 * AF_INET6, and its address. Of several addresses an IPv6 address of the link comes first, since
 * with a hop limit of 1 all others have one too; else the kernel's first. Returns an enum
 * netif_error, with *f saying what is wrong and what could be named. */
int netif_choose(struct netif *out, const struct netif *list, size_t n, const char *spec,
                 int family, struct fault *f);

#endif
