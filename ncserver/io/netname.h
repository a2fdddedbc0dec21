/* netname.h - a list of hosts, "host:port", as addresses that are kept up to date
 *
 * Addresses in digits are there at once. Names are looked up one after the other in a thread of the
 * loop's pool, and again every NETNAME_AGAIN_MS: a host that has moved is found, and one whose name
 * is not known yet. While a name can't be looked up, the address that it had last stays.
 */
#ifndef NC_IO_NETNAME_H
#define NC_IO_NETNAME_H

#include <stddef.h>
#include <uv.h>

#include "ncserver/io/netaddr.h"

struct fault;
struct log;
struct netnames;

/* Hosts of a list. */
#define NETNAME_HOSTS_MAX 1024u
/* From the end of one round of look-ups to the next. */
#define NETNAME_AGAIN_MS 30000u

/* Begins with a list of `n` texts, which are copied. `family` is that of the socket: AF_INET, or
 * AF_INET6, which reaches both. on_change() is called when an address is new or another one, from
 * the loop only. `log` may be NULL. Returns 0; 1 with *f, which names what is no host and port, or
 * an address that the socket does not reach; or a negative errno. */
int netnames_new(struct netnames **out, uv_loop_t *loop, const char *const *list, size_t n,
                 int family, void (*on_change)(void *arg), void *arg, struct log *log,
                 struct fault *f);

/* Hosts of the list, known or not. */
size_t netnames_count(const struct netnames *names);

/* The address of the host at `i`, or NULL while it is not known. Valid until the next event. */
const struct netaddr *netnames_at(const struct netnames *names, size_t i);

/* Ends it; no call comes any more. The memory goes with the loop's callbacks. NULL is taken. */
void netnames_free(struct netnames *names);

#endif
