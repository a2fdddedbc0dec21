/* udp.c - the life of the sockets of udp.h, their state and their counters */
#include "ncserver/io/udp.h"

#include "ncserver/io/udp_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int check_options(const struct udp_options *o, struct fault *f)
{
	char text[NETADDR_TEXT_MAX];

	if (!o->group)
		return 0;
	if (!netaddr_is_multicast(o->group))
		return fault_set(f, EX_CONFIG, "%s is no multicast address",
		                 netaddr_text(o->group, text));
	if (netaddr_port(o->group) == 0)
		return fault_set(f, EX_CONFIG, "the group %s has no port",
		                 netaddr_text(o->group, text));
	return 0;
}

static struct udp *alloc(const struct udp_options *o)
{
	struct udp *u = calloc(1, sizeof(*u));
	size_t len = o->read_len ? o->read_len : UDP_READ_LEN;

	if (!u)
		return NULL;
	u->opt = *o;
	u->opt.read_len = len;
	if (o->budget == 0)
		u->opt.budget = UDP_BUDGET;
	if (o->ttl == 0)
		u->opt.ttl = 1;
	if (o->group) {
		u->group = *o->group;
		u->opt.group = &u->group;
		u->opt.family = o->group->sa.sa_family;
	} else if (o->family == 0) {
		u->opt.family = AF_INET;
	}
	if (o->interface && *o->interface) {
		/* a longer one is none, which is told by its first bytes as well */
		strncpy(u->spec, o->interface, sizeof(u->spec) - 1);
		u->is_spec_found = true;
	}
	u->opt.interface = u->spec;
	u->state.len_max = UDP_LEN_MAX;
	u->rx.n_used = UDP_READ_MSGS;
	u->rx.data = malloc(UDP_READ_MSGS * len);
	if (!u->rx.data) {
		free(u);
		return NULL;
	}
	return u;
}

void udp_unref(struct udp *u)
{
	if (--u->n_handles > 0)
		return;
	free(u->rx.data);
	free(u);
}

/* Finds the interface and opens. Returns as udp_new(). */
static int start(struct udp *u, struct fault *f)
{
	struct netif netif;
	int r = udp_link_find(u, &netif, f), err;

	if (r < 0)
		return r;
	if (r == NETIF_OK) {
		err = udp_open(u, &netif, f);
		if (!err) {
			udp_link_set(u, &netif, NULL);
			return 0;
		}
		/* as an IPv6 address is while it is being proved unique */
		if (err == -EADDRNOTAVAIL)
			r = NETIF_ABSENT;
	}
	if (r != NETIF_ABSENT || !u->opt.may_wait)
		return 1;
	udp_link_set(u, NULL, f->text);
	netwatch_ask(u->watch, UDP_RETRY_MS);
	if (u->opt.log)
		log_warning(u->opt.log, "waiting for the network", log_str("why", f->text));
	return 0;
}

int udp_new(struct udp **out, uv_loop_t *loop, const struct udp_options *o,
            const struct udp_handlers *h, void *arg, struct fault *f)
{
	struct udp *u;
	int r = check_options(o, f);

	if (r)
		return r;
	u = alloc(o);
	if (!u)
		return -ENOMEM;
	u->loop = loop;
	u->on = *h;
	u->arg = arg;
	u->n_handles = 2;
	uv_timer_init(loop, &u->loop_timer);
	u->loop_timer.data = u;
	r = netwatch_new(&u->watch, loop, udp_link_check, u);
	if (!r)
		r = start(u, f);
	if (r) {
		udp_free(u);
		return r;
	}
	*out = u;
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	udp_unref(handle->data);
}

void udp_free(struct udp *u)
{
	if (!u || u->is_freed)
		return;
	u->is_freed = true;
	uv_close((uv_handle_t *)&u->loop_timer, on_timer_closed);
	netwatch_free(u->watch);
	udp_close(u);
	udp_unref(u);
}

const struct udp_state *udp_state(const struct udp *u)
{
	return &u->state;
}

void udp_count(struct udp *u, struct udp_counters *out)
{
	if (u->own)
		udp_count_drops(u->own);
	if (u->grp)
		udp_count_drops(u->grp);
	*out = u->n;
}
