/* lane.c - lanes: their making, whom they stand for, and their end */
#include "ncserver/bus/lane.h"

#include <stdlib.h>
#include <string.h>

#include "libnc/base/map.h"
#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/deliver.h"
#include "ncserver/bus/input.h"
#include "ncserver/bus/state.h"
#include "ncserver/bus/users.h"
#include "ncserver/conf/conf.h"

/* ---- other hosts ---- */

struct origins {
	struct map by_tag;
};

struct origins *origins_new(const uint8_t seed[16])
{
	struct origins *o = malloc(sizeof(*o));

	if (o)
		map_init(&o->by_tag, MAP_U64, UINT32_MAX / 8, seed);
	return o;
}

void origins_free(struct origins *o)
{
	if (!o)
		return;
	map_fini(&o->by_tag);
	free(o);
}

static struct origin *origin_new(struct origins *o, const char *host, uint32_t tag)
{
	struct origin *new = calloc(1, sizeof(*new));

	if (!new)
		return NULL;
	new->tag = tag;
	strncpy(new->host, host, sizeof(new->host) - 1);
	if (map_put_u64(&o->by_tag, tag, new)) {
		free(new);
		return NULL;
	}
	return new;
}

/* Two hosts with one tag could pass for each other: the second is not heard. */
static struct origin *origin_ref(struct bus *b, const char *host, uint32_t tag, enum nc_error *why)
{
	struct origin *o = map_get_u64(&b->origins->by_tag, tag);

	if (tag == b->tag || (o && strcmp(o->host, host) != 0)) {
		*why = NC_EPROTO;
		return NULL;
	}
	if (!o)
		o = origin_new(b->origins, host, tag);
	if (!o)
		*why = NC_ENOMEM;
	else
		o->refs++;
	return o;
}

static void origin_unref(struct origins *all, struct origin *o)
{
	if (--o->refs > 0)
		return;
	map_del_u64(&all->by_tag, o->tag);
	free(o);
}

struct frame_sender buslane_sender(const struct client *from, uint64_t id, bool *known)
{
	const struct lane *l = from->lane;
	const struct lane_sender *s;
	struct frame_sender f = {.sender = id,
	                         .uid = (uint32_t)from->uid,
	                         .gid = (uint32_t)from->gid,
	                         .pid = (uint32_t)from->pid,
	                         .host = from->bus->env.host};

	*known = true;
	if (l) {
		s = &l->origin->senders[id % NC_SENDER_SLOTS];
		*known = s->id == id;
		f.uid = *known ? s->uid : UINT32_MAX;
		f.gid = *known ? s->gid : UINT32_MAX;
		f.pid = *known ? s->pid : 0;
		f.host = l->origin->host;
	}
	f.host_len = (uint8_t)strnlen(f.host, UINT8_MAX);
	return f;
}

/* ---- lanes ---- */

enum bus_lane bus_client_lane(const struct client *c)
{
	return c->lane ? c->lane->kind : BUS_LANE_NONE;
}

/* A pseudo-client that is welcomed already. */
static struct client *lane_new(struct chan *ch, enum bus_lane kind, uint64_t now)
{
	struct bus *b = ch->bus;
	const struct peer peer = {.uid = b->env.uid, .gid = 0, .pid = 0, .comm = "(net)"};
	struct lane *l = calloc(1, sizeof(*l));
	struct user *user = l ? users_hold(b->users, peer.uid, now) : NULL;
	struct client *c = user ? client_new(ch, &peer, user, now) : NULL;

	b->now = now;
	if (!c) {
		if (user)
			users_release(user);
		free(l);
		return NULL;
	}
	l->kind = kind;
	c->lane = l;
	c->dialect = DIALECT_NATIVE;
	c->prefaced = c->welcomed = true;
	c->may_admin = false;
	c->may_emit = kind == BUS_LANE_IN;
	c->may_listen = kind == BUS_LANE_OUT;
	b->n_lanes++;
	ch->n_lanes++;
	client_set_policy(c);
	return c;
}

struct client *bus_open_lane_out(struct bus *b, struct chan *ch, uint64_t now)
{
	struct client *c;

	if (ch->lane_out || b->stopping)
		return NULL;
	c = lane_new(ch, BUS_LANE_OUT, now);
	if (!c)
		return NULL;
	c->wants_sender = true;
	c->lane->told_since = now;
	ch->lane_out = c;
	chan_memo_clear(ch);
	return c;
}

struct client *bus_open_lane_in(struct bus *b, struct chan *ch, const char *host, uint32_t tag,
                                uint64_t now, enum nc_error *why)
{
	struct origin *o;
	struct client *c;

	*why = NC_ESHUTDOWN;
	if (b->stopping)
		return NULL;
	*why = NC_EDENIED;
	if (ch->is_control || !conf_channel_hears_host(ch->conf, host))
		return NULL;
	o = origin_ref(b, host, tag, why);
	if (!o)
		return NULL;
	c = lane_new(ch, BUS_LANE_IN, now);
	if (!c) {
		*why = NC_ENOMEM;
		origin_unref(b->origins, o);
		return NULL;
	}
	c->lane->origin = o;
	c->label = strdup(host);
	*why = NC_OK;
	return c;
}

void bus_lane_gap(struct bus *b, struct client *c, uint64_t count, bool exact, uint64_t now)
{
	struct lane *l = c->lane;

	b->now = now;
	if (c->dead)
		return;
	l->exact = exact && (l->exact || !l->has_gap);
	if (__builtin_add_overflow(l->gap, count, &l->gap))
		l->gap = UINT64_MAX;
	l->has_gap = true;
	/* otherwise when what waits has been delivered */
	if (bus_wants_input(c))
		input_lane_gap(c);
	client_recharge(c);
}

void bus_close_lane(struct bus *b, struct client *c, uint64_t now)
{
	if (c->lane->kind == BUS_LANE_IN) {
		bus_input_eof(b, c, now);
		return;
	}
	b->now = now;
	client_kill(c, NC_ECLOSED);
}

void buslane_free(struct client *c)
{
	struct lane *l = c->lane;

	if (c->chan->lane_out == c) {
		c->chan->lane_out = NULL;
		chan_memo_clear(c->chan);
	}
	if (l->origin)
		origin_unref(c->bus->origins, l->origin);
	c->bus->n_lanes--;
	c->chan->n_lanes--;
	free(l);
	c->lane = NULL;
}

static bool hears(const struct client *t)
{
	return !t->dead && !t->lane && (t->everything || t->n_patterns > 0);
}

void buslane_lose(struct client *c, uint64_t n, bool exact)
{
	struct chan *ch = c->chan;
	uint32_t n_reach = chan_net_reach(ch);

	ch->net.lost += n;
	for (uint32_t i = 0; i < n_reach; i++) {
		struct list *it;

		list_for_each(it, &ch->reach[i]->clients) {
			struct client *t = list_entry(it, struct client, link);

			if (!hears(t))
				continue;
			queue_tell_gap(&t->out, n, exact);
			client_set_dirty(t);
		}
	}
}
