/* netaddr.h - an IPv4 or IPv6 address with its port
 *
 * A value, compared and copied whole. IPv6 addresses of one link carry the index of their interface
 * (sin6_scope_id).
 */
#ifndef NC_IO_NETADDR_H
#define NC_IO_NETADDR_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* "[" address "%" interface "]:" port, with the 0. */
#define NETADDR_TEXT_MAX (INET6_ADDRSTRLEN + IF_NAMESIZE + 10)
/* A host name with its 0 (RFC 1035, 255 bytes on the wire). */
#define NETADDR_HOST_MAX 254

struct netaddr {
	union {
		struct sockaddr sa; /* sa.sa_family is AF_INET, AF_INET6, or 0: no address */
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
};

enum netaddr_error {
	NETADDR_OK = 0,
	NETADDR_NO_PORT,  /* "host" without ":port", or an IPv6 address without brackets */
	NETADDR_BAD_PORT, /* not 1 to 65535 */
	NETADDR_BAD_HOST, /* empty, too long, or no name */
};

/* Bytes of the sockaddr that it holds. */
static inline socklen_t netaddr_len(const struct netaddr *a)
{
	return a->sa.sa_family == AF_INET6 ? sizeof(a->in6) : sizeof(a->in);
}

/* The family and the address of `host` in digits ("10.0.0.1", "fe80::1%eth0"), port 0. Returns
 * whether it is one. */
bool netaddr_from_ip(struct netaddr *a, const char *host);

/* Splits "host:port" or "[IPv6]:port" into a name or an address in digits, and a port. Returns an
 * enum netaddr_error; nothing is looked up. */
int netaddr_split(char host[NETADDR_HOST_MAX], uint16_t *port, const char *text);

/* What is wrong with it, for a person. */
const char *netaddr_error_text(int err);

uint16_t netaddr_port(const struct netaddr *a);
void netaddr_set_port(struct netaddr *a, uint16_t port);

/* Whether the addresses, without ports and interfaces, are the same. */
bool netaddr_same_ip(const struct netaddr *a, const struct netaddr *b);

/* Whether all of it is the same. */
bool netaddr_equal(const struct netaddr *a, const struct netaddr *b);

bool netaddr_is_multicast(const struct netaddr *a);
bool netaddr_is_link_local(const struct netaddr *a);

/* Whether the first `bits` bits are the same, in one family. */
bool netaddr_in_prefix(const struct netaddr *a, const struct netaddr *prefix, unsigned bits);

/* ::ffff:a.b.c.d for a.b.c.d, as an IPv6 socket knows IPv4; and back, in place. Others stay. */
void netaddr_map(struct netaddr *a);
void netaddr_unmap(struct netaddr *a);

/* "10.0.0.1:4454" or "[fe80::1%eth0]:4454"; without a port (0) the address alone. Returns `text`.
 */
const char *netaddr_text(const struct netaddr *a, char text[NETADDR_TEXT_MAX]);

#endif
