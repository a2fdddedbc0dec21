/* net_lane.c - lanes: the bytes between clients of the bus and the session
 *
 * What the session delivers is written straight into the bus's slab, and looked at when there is no
 * more, or another lane's turn comes: most datagrams hold less than a frame, or many small ones.
 */
#include "ncserver/io/net_impl.h"

#include "ncserver/bus/queue.h"
#include "ncserver/io/loop.h"
#include "ncserver/io/server.h"

#include <stdlib.h>
#include <string.h>

static struct net_lane *lane_of(const struct client *c)
{
	return bus_client_io(c);
}

static struct net_lane *lane_new(struct net *n, struct client *c, const char *channel,
                                 enum mesh_class class)
{
	struct net_lane *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->net = n;
	l->client = c;
	l->class = class;
	strncpy(l->channel, channel, sizeof(l->channel) - 1);
	list_init(&l->room);
	list_add_tail(&n->lanes, &l->link);
	bus_client_set_io(c, l);
	return l;
}

/* Frees it once neither side knows it any more. */
static void lane_drop(struct net_lane *l)
{
	if (l->client || l->in || l->out)
		return;
	list_del(&l->link);
	list_del(&l->room);
	free(l);
}

/* A client without a lane: nothing was done with it yet. */
static void client_drop(struct net *n, struct client *c)
{
	bus_broken(n->server->bus, c, server_now());
	bus_client_free(n->server->bus, c);
}

/* ---- in ---- */

void net_fill_done(struct net *n)
{
	struct net_lane *l = n->filling;
	size_t len = n->fill_len;

	n->filling = NULL;
	n->fill_len = n->fill_room = 0;
	if (l && len > 0)
		bus_input(n->server->bus, l->client, len, server_now());
}

void net_settle(struct server *s)
{
	if (s->net)
		net_fill_done(s->net);
}

/* Whether this host still wants what the lane brings. */
static bool is_wanted(const struct net_lane *l, const char *host)
{
	const struct conf *conf = bus_conf(l->net->server->bus);
	const struct conf_channel *ch = conf_channel(conf, l->channel);

	return !l->net->is_deaf && l->client && ch && conf_channel_hears_host(ch, host);
}

void *net_on_accept(void *arg, const char *host, uint32_t tag, const char *channel,
                    enum mesh_class class, struct mesh_in *in)
{
	struct net *n = arg;
	struct bus *bus = n->server->bus;
	struct net_lane *l = map_get_u64(&n->by_in, (uintptr_t)in);
	enum nc_error why = NC_OK;
	struct client *c;
	struct chan *ch;

	if (l)
		return is_wanted(l, host) ? l : NULL;
	ch = n->is_deaf ? NULL : bus_chan(bus, channel);
	if (!ch)
		return NULL;
	c = bus_open_lane_in(bus, ch, host, tag, server_now(), &why);
	if (!c) {
		if (why != NC_EDENIED)
			log_warning(&n->server->log, "a host is not heard", log_str("host", host),
			            log_str("channel", channel),
			            log_str("why", why == NC_EPROTO ? "its ids are another's"
			                                            : "no memory"));
		return NULL;
	}
	l = lane_new(n, c, channel, class);
	if (!l || map_put_u64(&n->by_in, (uintptr_t)in, l)) {
		client_drop(n, c);
		if (l) {
			l->client = NULL;
			lane_drop(l);
		}
		return NULL;
	}
	l->in = in;
	return l;
}

/* Room for more of the lane's stream. Returns whether there is. */
static bool get_room(struct net *n, struct net_lane *l)
{
	if (n->filling == l && n->fill_len < n->fill_room)
		return true;
	net_fill_done(n);
	if (!bus_wants_input(l->client))
		return false;
	if (bus_input_space(n->server->bus, l->client, &n->fill, &n->fill_room) < 0) {
		n->is_starved = true;
		loop_retry_soon(n->server);
		return false;
	}
	n->filling = l;
	return true;
}

size_t net_on_deliver(void *arg, void *obj, const uint8_t *p, size_t len)
{
	struct net *n = arg;
	struct net_lane *l = obj;
	size_t done = 0, part;

	/* its channel is gone, which the session hears of soon */
	if (!l->client)
		return len;
	while (done < len && get_room(n, l)) {
		part = n->fill_room - n->fill_len;
		part = part < len - done ? part : len - done;
		memcpy(n->fill + n->fill_len, p + done, part);
		n->fill_len += part;
		done += part;
	}
	return done;
}

void net_on_gap(void *arg, void *obj, uint64_t count, bool exact)
{
	struct net *n = arg;
	struct net_lane *l = obj;

	net_fill_done(n);
	if (l->client)
		bus_lane_gap(n->server->bus, l->client, count, exact, server_now());
}

void net_on_gone(void *arg, void *obj)
{
	struct net *n = arg;
	struct net_lane *l = obj;

	net_fill_done(n);
	map_del_u64(&n->by_in, (uintptr_t)l->in);
	l->in = NULL;
	if (l->client)
		bus_close_lane(n->server->bus, l->client, server_now());
	else
		lane_drop(l);
}

void net_lane_update(struct client *c, uint64_t now)
{
	struct net_lane *l = lane_of(c);

	if (!l || !l->in || !l->net || !bus_wants_input(c))
		return;
	mesh_in_resume(l->net->mesh, l->in, now);
	net_fill_done(l->net);
}

/* ---- out ---- */

static void set_blocked(struct net_lane *l, bool is_blocked, uint64_t now)
{
	if (l->is_blocked == is_blocked)
		return;
	l->is_blocked = is_blocked;
	bus_output_blocked(l->net->server->bus, l->client, is_blocked, now);
}

static void want_room(struct net_lane *l)
{
	if (!list_linked(&l->room))
		list_add_tail(&l->net->rooms, &l->room);
}

void net_on_writable(void *arg, void *user)
{
	(void)arg;
	want_room(user);
}

static size_t sum(const struct iovec *iov, int n)
{
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += iov[i].iov_len;
	return len;
}

void net_lane_flush(struct client *c, uint64_t now)
{
	struct net_lane *l = lane_of(c);
	struct iovec iov[QUEUE_IOV_MAX];
	bool paced;

	if (!l || !l->out || !l->net || l->is_blocked)
		return;
	for (;;) {
		int n = bus_output(l->net->server->bus, c, iov, &paced);
		ssize_t taken;

		if (n == 0)
			return;
		taken = mesh_lane_write(l->net->mesh, l->out, iov, n, now);
		if (taken < 0) {
			log_error(&l->net->server->log, "a lane is broken, closing it",
			          log_str("channel", l->channel), log_err((int)taken));
			bus_close_lane(l->net->server->bus, c, now);
			return;
		}
		if (taken > 0)
			bus_output_done(l->net->server->bus, c, (size_t)taken, now);
		if ((size_t)taken < sum(iov, n)) {
			set_blocked(l, true, now);
			return;
		}
	}
}

bool net_write_rooms(struct net *n, uint64_t now)
{
	struct list all;
	bool any = !list_empty(&n->rooms);

	list_init(&all);
	list_splice_tail(&all, &n->rooms);
	while (!list_empty(&all)) {
		struct net_lane *l = list_entry(all.next, struct net_lane, room);

		list_del(&l->room);
		if (!l->client)
			continue;
		set_blocked(l, false, now);
		net_lane_flush(l->client, now);
	}
	return any;
}

static void close_out(struct net_lane *l, uint64_t now)
{
	if (l->client)
		net_lane_flush(l->client, now);
	if (l->out)
		mesh_lane_close(l->net->mesh, l->out, now);
	l->out = NULL;
	list_del(&l->room);
	if (l->client)
		bus_close_lane(l->net->server->bus, l->client, now);
}

static struct net_lane *find_out(struct net *n, const char *channel)
{
	struct list *it;

	list_for_each(it, &n->lanes) {
		struct net_lane *l = list_entry(it, struct net_lane, link);

		if (l->out && l->client && strcmp(l->channel, channel) == 0)
			return l;
	}
	return NULL;
}

static enum mesh_class class_of(const struct conf_channel *ch)
{
	return ch->net == CONF_NET_BEST_EFFORT ? MESH_BEST_EFFORT : MESH_RELIABLE;
}

static void open_out(struct net *n, const struct conf_channel *ch, uint64_t now)
{
	struct bus *bus = n->server->bus;
	struct client *c = bus_open_lane_out(bus, bus_chan(bus, ch->name), now);
	struct net_lane *l = c ? lane_new(n, c, ch->name, class_of(ch)) : NULL;

	if (l)
		l->out = mesh_lane_open(n->mesh, ch->name, l->class, l, now);
	if (l && l->out)
		return;
	log_error(&n->server->log, "a channel does not leave this host: no memory, or too many",
	          log_str("channel", ch->name), log_uint("limit", MESH_LANES_MAX));
	if (c)
		client_drop(n, c);
	if (l) {
		l->client = NULL;
		lane_drop(l);
	}
}

void net_lanes_out(struct net *n, uint64_t now)
{
	const struct conf *conf = bus_conf(n->server->bus);
	struct list *it, *next;
	struct client *c;

	list_for_each_safe(it, next, &n->lanes) {
		struct net_lane *l = list_entry(it, struct net_lane, link);
		const struct conf_channel *ch = conf_channel(conf, l->channel);

		if (l->out && (!ch || ch->net == CONF_NET_OFF || class_of(ch) != l->class))
			close_out(l, now);
	}
	/* a channel has one lane out: the old one goes before the new one comes */
	while ((c = bus_next_dead(n->server->bus)))
		loop_bury(n->server, c, now);
	for (size_t i = 0; i < conf->n_channels; i++) {
		const struct conf_channel *ch = &conf->channels[i];

		if (ch->net != CONF_NET_OFF && !find_out(n, ch->name))
			open_out(n, ch, now);
	}
}

/* ---- the end ---- */

void net_lane_dead(struct client *c, uint64_t now)
{
	struct net_lane *l = lane_of(c);

	if (!l) {
		return;
	}
	if (l->net && l->net->filling == l)
		net_fill_done(l->net);
	l->client = NULL;
	list_del(&l->room);
	if (l->out && l->net)
		mesh_lane_close(l->net->mesh, l->out, now);
	l->out = NULL;
	lane_drop(l);
}

void net_lanes_end(struct net *n, uint64_t now)
{
	net_fill_done(n);
	while (!list_empty(&n->lanes)) {
		struct net_lane *l = list_entry(n->lanes.next, struct net_lane, link);

		list_del(&l->link);
		list_del(&l->room);
		l->out = NULL;
		if (l->client)
			bus_close_lane(n->server->bus, l->client, now);
		l->net = NULL;
		lane_drop(l);
	}
}
