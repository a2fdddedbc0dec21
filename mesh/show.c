/* Looking in: states and reasons by name, peers, lanes, counters */
#include "mesh/key.h"
#include "mesh/state.h"

#include <string.h>

const char *mesh_peer_state_str(enum mesh_peer_state s)
{
	switch (s) {
	case MESH_PEER_NEW: return "new";
	case MESH_PEER_ONE_WAY: return "one-way";
	case MESH_PEER_UP: return "up";
	case MESH_PEER_SUSPECT: return "suspect";
	case MESH_PEER_LEFT: return "left";
	case MESH_PEER_GONE: return "gone";
	case MESH_PEER_REFUSED_NAME: return "refused: duplicate host name";
	case MESH_PEER_REFUSED_MTU: return "refused: MTU";
	case MESH_PEER_REFUSED_SELF: return "refused: bears our own name";
	}
	return "unknown";
}

const char *mesh_drop_str(enum mesh_drop d)
{
	switch (d) {
	case MESH_DROP_SHORT: return "short";
	case MESH_DROP_VERSION: return "version";
	case MESH_DROP_KEY: return "key";
	case MESH_DROP_AUTH: return "auth";
	case MESH_DROP_OWN: return "own";
	case MESH_DROP_REPLAY: return "replay";
	case MESH_DROP_UNPROVEN: return "unproven";
	case MESH_DROP_FLOOD: return "flood";
	case MESH_DROP_CHUNK: return "chunk";
	case MESH_DROP_LANE: return "lane";
	case MESH_DROP_JOINING: return "joining";
	case MESH_DROP_WINDOW: return "window";
	case MESH_DROP_DUPLICATE: return "duplicate";
	case MESH_DROP_MEMORY: return "memory";
	case MESH_DROP_N: break;
	}
	return "unknown";
}

/* The tightest of our lanes that it hears. */
static uint64_t tightest(const struct peer *p)
{
	uint64_t w = p->n_out ? UINT64_MAX : 0;
	const struct list *it;

	list_for_each(it, &p->members) {
		struct member *mb = list_entry(it, struct member, peer_link);
		uint64_t left = mb->limit > mb->lane->sent ? mb->limit - mb->lane->sent : 0;

		w = left < w ? left : w;
	}
	return w;
}

void peer_info(const struct peer *p, struct mesh_peer_info *info)
{
	uint64_t span = p->top > p->first ? p->top - p->first : 0;

	*info = (struct mesh_peer_info){
	        .host = p->host,
	        .version = p->version,
	        .addr = p->addr,
	        .state = p->state,
	        .state_since_ns = p->since,
	        .last_heard_ns = p->heard_at,
	        .rtt_ns = p->srtt,
	        .mtu_passes = p->passes,
	        .multicast_heard = p->multicast_heard,
	        .n_in = p->n_in,
	        .n_out = p->n_out,
	        .datagrams = p->datagrams,
	        .bytes = p->bytes,
	        .lost = span > p->datagrams ? span - p->datagrams : 0,
	        .replayed = p->replayed,
	        .naks_in = p->naks_in,
	        .naks_out = p->naks_out,
	        .repairs_in = p->repairs_in,
	        .repairs_out = p->repairs_out,
	        .gaps = p->gaps,
	        .evictions = p->evictions,
	        .window = tightest(p),
	        .key_id = p->key_id,
	};
	memcpy(info->boot, p->boot, sizeof(info->boot));
}

void mesh_each_peer(const struct mesh *m, void (*fn)(void *arg, const struct mesh_peer_info *info),
                    void *arg)
{
	const struct list *it;

	list_for_each(it, &m->peers) {
		struct mesh_peer_info info;

		peer_info(list_entry(it, struct peer, link), &info);
		fn(arg, &info);
	}
}

void mesh_each_lane(const struct mesh *m, void (*fn)(void *arg, const struct mesh_lane_info *info),
                    void *arg)
{
	const struct list *it, *in_it;

	list_for_each(it, &m->lanes) {
		const struct mesh_lane *l = list_entry(it, struct mesh_lane, link);
		struct mesh_lane_info info = {
		        .channel = l->channel,
		        .class = l->class,
		        .n_members = l->n_members,
		        .next_seq = l->next,
		        .first_seq = l->base,
		        .messages = l->messages,
		        .bytes = l->bytes,
		        .held = l->buf_cap,
		        .waiting = l->short_write || (l->sent < l->next && l->limit <= l->sent),
		};

		if (!l->closing)
			fn(arg, &info);
	}
	list_for_each(it, &m->peers) {
		const struct peer *p = list_entry(it, struct peer, link);

		list_for_each(in_it, &p->ins) {
			const struct mesh_in *in = list_entry(in_it, struct mesh_in, link);
			struct mesh_lane_info info = {
			        .channel = in->channel,
			        .host = p->host,
			        .class = in->class,
			        .n_members = in->members,
			        .next_seq = in->high,
			        .first_seq = in->next,
			        .messages = in->messages,
			        .bytes = in->bytes,
			        .gaps = in->gaps,
			        .waiting = in->stalled,
			};

			fn(arg, &info);
		}
	}
}

void mesh_stats(const struct mesh *m, struct mesh_stats *s)
{
	*s = m->stats;
	s->counter = m->counter;
	s->n_peers_up = m->n_up;
}

uint32_t mesh_key_lacking(struct mesh *m, uint32_t id, uint64_t now,
                          void (*fn)(void *arg, const char *host), void *arg)
{
	uint32_t n = 0, i;
	struct list *it;

	list_for_each(it, &m->peers) {
		struct peer *p = list_entry(it, struct peer, link);
		bool counts =
		        p->proven || (p->state == MESH_PEER_GONE && now - p->since < MEMORY_NS);

		for (i = 0; i < p->n_keys && p->keys[i] != id; i++)
			;
		if (!counts || (i < p->n_keys))
			continue;
		n++;
		fn(arg, p->host);
	}
	return n;
}
