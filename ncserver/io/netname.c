/* netname.c - a list of hosts, "host:port", as addresses that are kept up to date */
#include "ncserver/io/netname.h"

#include "ncserver/io/fault.h"
#include "ncserver/io/log.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct host {
	char name[NETADDR_HOST_MAX];
	uint16_t port;
	bool is_name;
	bool is_missed;      /* the last look-up failed, which was told */
	struct netaddr addr; /* sa_family 0: not known */
};

struct netnames {
	uv_timer_t timer;
	uv_getaddrinfo_t req;
	void (*on_change)(void *arg);
	void *arg;
	struct log *log;
	int family;
	bool is_asking; /* req is under way, for hosts[next] */
	bool is_freed;
	unsigned n_pending; /* callbacks that keep the memory */
	size_t next, n;
	struct host hosts[];
};

static void on_timer(uv_timer_t *timer);

static void drop(struct netnames *names)
{
	if (--names->n_pending == 0)
		free(names);
}

static void on_closed(uv_handle_t *handle)
{
	drop(handle->data);
}

/* Takes a look-up's result. Returns whether it is news. */
static bool take(struct netnames *names, struct host *h, int status, const struct addrinfo *found)
{
	struct netaddr a = {.in6 = {0}};

	if (status || !found || found->ai_addrlen > sizeof(a)) {
		if (!h->is_missed && names->log)
			log_warning(names->log, "a host of the list is not found, trying again",
			            log_str("host", h->name),
			            log_str("why", status ? uv_strerror(status) : "no address"));
		h->is_missed = true;
		return false;
	}
	h->is_missed = false;
	memcpy(&a, found->ai_addr, found->ai_addrlen);
	netaddr_set_port(&a, h->port);
	if (h->addr.sa.sa_family && netaddr_equal(&a, &h->addr))
		return false;
	h->addr = a;
	return true;
}

static void ask_on(struct netnames *names);

static void on_found(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
	struct netnames *names = req->data;
	bool is_news = false;

	names->is_asking = false;
	if (!names->is_freed)
		is_news = take(names, &names->hosts[names->next], status, found);
	uv_freeaddrinfo(found);
	if (!names->is_freed) {
		names->next++;
		ask_on(names);
		/* last, since it may free */
		if (is_news)
			names->on_change(names->arg);
	}
	drop(names);
}

/* Looks up the next one, or waits for the next round. */
static void ask_on(struct netnames *names)
{
	struct addrinfo hints = {.ai_family = names->family == AF_INET ? AF_INET : AF_UNSPEC,
	                         .ai_socktype = SOCK_DGRAM,
	                         .ai_flags = AI_ADDRCONFIG};

	for (; names->next < names->n; names->next++) {
		struct host *h = &names->hosts[names->next];
		int err;

		if (!h->is_name)
			continue;
		names->req.data = names;
		err = uv_getaddrinfo(names->timer.loop, &names->req, on_found, h->name, NULL,
		                     &hints);
		if (err == 0) {
			names->is_asking = true;
			names->n_pending++;
			return;
		}
		/* no memory, or a name that can't be one: perhaps with the next round */
		(void)take(names, h, err, NULL);
	}
	uv_timer_start(&names->timer, on_timer, NETNAME_AGAIN_MS, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct netnames *names = timer->data;

	names->next = 0;
	ask_on(names);
}

static int read_host(struct host *h, const char *text, int family, struct fault *f)
{
	int err = netaddr_split(h->name, &h->port, text);

	if (err)
		return fault_set(f, EX_CONFIG, "host \"%s\": %s", text, netaddr_error_text(err));
	h->is_name = !netaddr_from_ip(&h->addr, h->name);
	if (h->is_name)
		return 0;
	if (family == AF_INET && h->addr.sa.sa_family == AF_INET6)
		return fault_set(f, EX_CONFIG,
		                 "host \"%s\": an IPv6 address, where the network is IPv4", text);
	if (netaddr_is_multicast(&h->addr))
		return fault_set(f, EX_CONFIG, "host \"%s\": a multicast address is no host", text);
	netaddr_set_port(&h->addr, h->port);
	return 0;
}

int netnames_new(struct netnames **out, uv_loop_t *loop, const char *const *list, size_t n,
                 int family, void (*on_change)(void *arg), void *arg, struct log *log,
                 struct fault *f)
{
	struct netnames *names;
	bool has_names = false;

	if (n > NETNAME_HOSTS_MAX)
		return fault_set(f, EX_CONFIG, "a list of %zu hosts, and at most %u can be", n,
		                 NETNAME_HOSTS_MAX);
	names = calloc(1, sizeof(*names) + n * sizeof(*names->hosts));
	if (!names)
		return -ENOMEM;
	names->n = n;
	names->family = family;
	names->on_change = on_change;
	names->arg = arg;
	names->log = log;
	for (size_t i = 0; i < n; i++) {
		if (read_host(&names->hosts[i], list[i], family, f)) {
			free(names);
			return 1;
		}
		has_names |= names->hosts[i].is_name;
	}
	uv_timer_init(loop, &names->timer);
	names->timer.data = names;
	names->n_pending = 1;
	if (has_names)
		ask_on(names);
	*out = names;
	return 0;
}

size_t netnames_count(const struct netnames *names)
{
	return names->n;
}

const struct netaddr *netnames_at(const struct netnames *names, size_t i)
{
	return names->hosts[i].addr.sa.sa_family ? &names->hosts[i].addr : NULL;
}

void netnames_free(struct netnames *names)
{
	if (!names || names->is_freed)
		return;
	names->is_freed = true;
	/* a look-up that has begun ends by itself, and is then forgotten */
	if (names->is_asking)
		(void)uv_cancel((uv_req_t *)&names->req);
	uv_close((uv_handle_t *)&names->timer, on_closed);
}
