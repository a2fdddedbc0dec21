/* The session: its begin, its end, and its time */
#include "mesh/key.h"
#include "mesh/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- chance: xorshift128+, seeded by the caller; for jitter only, never for secrets ---- */

uint64_t mesh_random(struct mesh *m)
{
	uint64_t a = m->rng[0], b = m->rng[1];

	m->rng[0] = b;
	a ^= a << 23;
	m->rng[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
	return m->rng[1] + b;
}

uint64_t mesh_jitter(struct mesh *m, uint64_t ns)
{
	return ns ? mesh_random(m) % ns : 0;
}

/* ---- token buckets ---- */

void bucket_init(struct bucket *b, uint64_t rate, int64_t max, uint64_t now)
{
	b->rate = rate;
	b->max = b->has = max;
	b->at = now;
}

bool bucket_has(struct bucket *b, uint64_t now)
{
	uint64_t past = now - b->at, more;

	if (!b->rate)
		return true;
	if (past >= NS_S) {
		b->has = b->max;
		b->at = now;
		return true;
	}
	more = past * b->rate / NS_S; /* fits: rate is below 2^34 */
	if (more) {
		b->at += more * NS_S / b->rate;
		b->has += (int64_t)more;
		if (b->has >= b->max) {
			b->has = b->max;
			b->at = now;
		}
	}
	return b->has > 0;
}

uint64_t bucket_when(const struct bucket *b)
{
	if (!b->rate || b->has > 0)
		return 0;
	return b->at + ((uint64_t)(1 - b->has) * NS_S + b->rate - 1) / b->rate;
}

/* ---- begin ---- */

void mesh_config_init(struct mesh_config *c)
{
	*c = (struct mesh_config){
	        .cluster = "netcluster",
	        .mtu = 1472,
	        .rate = RATE_DEFAULT,
	        .rcvbuf = 212992,
	        .memory_max = 64u << 20,
	        .lane_max = 4u << 20,
	        .announce_ms = 1000,
	        .liveness_ms = 5000,
	        .block_ms = 1000,
	        .max_peers = MESH_PEERS_MAX,
	};
}

static bool config_fits(const struct mesh_config *c)
{
	size_t host = c->host ? strlen(c->host) : 0;

	return host && host <= MESH_HOST_MAX && c->version &&
	       strlen(c->version) <= MESH_VERSION_MAX && c->cluster && strlen(c->cluster) <= 255 &&
	       c->mtu >= MESH_DATAGRAM_MIN && c->mtu <= MESH_DATAGRAM_MAX &&
	       c->rate < UINT64_C(1) << 34 && c->announce_ms && c->liveness_ms >= c->announce_ms &&
	       c->block_ms && c->max_peers && c->max_peers <= 65535 && c->lane_max >= 4 * c->mtu &&
	       c->memory_max >= c->lane_max;
}

static void set_up(struct mesh *m, uint64_t now)
{
	struct mesh_config *c = &m->cfg;
	uint64_t burst = c->rate / 250;

	strcpy(m->host, c->host);
	strcpy(m->version, c->version);
	strcpy(m->cluster, c->cluster);
	c->host = m->host;
	c->version = m->version;
	c->cluster = m->cluster;
	m->seg_len = m->pool.len = c->mtu - MW_OVERHEAD - MW_CHUNK_LEN - MW_DATA_LEN;
	map_init(&m->by_boot, MAP_BYTES, c->max_peers + NEW_MAX, c->hash_key);
	map_init(&m->by_host, MAP_BYTES, c->max_peers + NEW_MAX, c->hash_key);
	map_init(&m->ins, MAP_U64, MAP_MAX_ENTRIES, c->hash_key);
	map_init(&m->by_idx, MAP_U64, MESH_LANES_MAX, c->hash_key);
	list_init(&m->peers);
	list_init(&m->ctl);
	list_init(&m->asking);
	list_init(&m->active);
	list_init(&m->naks);
	list_init(&m->lanes);
	list_init(&m->busy);
	list_init(&m->repairing);
	m->env.random(m->env.arg, m->rng, sizeof(m->rng));
	m->rng[0] |= 1;
	m->next_peer_id = 1;
	bucket_init(&m->rate, c->rate, (int64_t)(burst > 131072 ? burst : 131072), now);
	bucket_init(&m->strangers, STRANGERS_PER_S, STRANGERS_PER_S / 10, now);
	bucket_init(&m->challenges, CHALLENGES_PER_S, CHALLENGES_PER_S / 4, now);
	bucket_init(&m->answers, ANSWERS_PER_S, ANSWERS_PER_S / 4, now);
	m->house_at = m->now = now;
	m->announce_at = now;
	m->announce_query = true;
}

int mesh_new(struct mesh **out, const struct mesh_config *c, const struct mesh_env *env,
             struct crypto *crypto, struct keyring *keys, uint64_t now)
{
	struct mesh *m;

	if (!config_fits(c) || !keys->current)
		return -EINVAL;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->cfg = *c;
	m->env = *env;
	m->crypto = crypto;
	m->keys = keys;
	set_up(m, now);
	if (seal_new(&m->seal, crypto) || seal_new(&m->stranger, crypto)) {
		mesh_free(m);
		return -ENOMEM;
	}
	mesh_keys_changed(m);
	*out = m;
	return 0;
}

void mesh_free(struct mesh *m)
{
	if (!m)
		return;
	while (!list_empty(&m->lanes))
		lane_free(m, list_entry(m->lanes.next, struct mesh_lane, link));
	while (!list_empty(&m->peers))
		peer_free(m, list_entry(m->peers.next, struct peer, link));
	map_fini(&m->by_boot);
	map_fini(&m->by_host);
	map_fini(&m->ins);
	map_fini(&m->by_idx);
	pool_clear(&m->pool);
	deadlines_fini(&m->dues);
	deadlines_fini(&m->statuses);
	seal_free(m->seal);
	seal_free(m->stranger);
	free(m);
}

/* ---- keys, interface ---- */

int mesh_seal_set(struct mesh *m, struct seal *s, const struct key *k, const uint8_t *boot)
{
	return seal_set(s, k, m->cluster, strlen(m->cluster), boot);
}

void mesh_keys_changed(struct mesh *m)
{
	struct list *it;

	/* without memory it is the current key's all the same, and tries again when it seals */
	(void)mesh_seal_set(m, m->seal, m->keys->current, m->cfg.boot);
	seal_clear(m->stranger);
	list_for_each(it, &m->peers) {
		struct peer *p = list_entry(it, struct peer, link);

		if (p->seal && !keyring_find(m->keys, seal_key_id(p->seal))) {
			seal_free(p->seal);
			p->seal = NULL;
		}
	}
	announce_soon(m, 0, m->now);
}

void mesh_set_rcvbuf(struct mesh *m, size_t rcvbuf)
{
	m->cfg.rcvbuf = rcvbuf;
	m->rooms.n_active = 0;
}

void mesh_probe(struct mesh *m, uint64_t now)
{
	m->announce_query = true;
	announce_soon(m, 0, now);
}

void mesh_offers_changed(struct mesh *m, uint64_t now)
{
	struct list *it, *in_it, *next;

	list_for_each(it, &m->peers) {
		struct peer *p = list_entry(it, struct peer, link);

		list_for_each_safe(in_it, next, &p->ins) {
			struct mesh_in *in = list_entry(in_it, struct mesh_in, link);
			uint32_t tag = le32_get(p->boot);
			void *obj;

			if (in->broken)
				continue;
			obj = m->env.accept(m->env.arg, p->host, tag, in->channel, in->class, in);
			if (obj == in->obj)
				continue;
			peer_note(m, p, MW_PART, in->idx, 0);
			in_free(m, in);
			if (obj)
				m->env.gone(m->env.arg, obj);
		}
	}
	mesh_probe(m, now);
}

/* ---- time ---- */

void mesh_tick(struct mesh *m, uint64_t now)
{
	struct deadline *d;

	m->now = now;
	nak_tick(m, now);
	while ((d = deadlines_first(&m->statuses)) && d->at <= now) {
		deadline_clear(&m->statuses, d);
		peer_ctl(m, list_entry(d, struct peer, status), CTL_STATUS);
	}
	if (peer_sweep_at(m) <= now)
		peer_sweep(m, now);
	proof_tick(m, now);
}

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t mesh_next_expiry(const struct mesh *m)
{
	uint64_t at = min64(min64(peer_sweep_at(m), proof_when(m)), m->announce_at);
	uint64_t rate = bucket_when(&m->rate);
	struct list *it;

	if (!list_empty(&m->ctl) || m->byes)
		return 0;
	list_for_each(it, &m->naks)
		at = min64(at, list_entry(it, struct mesh_in, nak_link)->nak_at);
	at = min64(at, deadlines_when(&m->statuses));
	list_for_each(it, &m->busy) {
		struct mesh_lane *l = list_entry(it, struct mesh_lane, busy_link);

		at = min64(at, l->head_at);
		if (lane_can_send(l)) {
			uint64_t pace = bucket_when(&l->pace);

			at = min64(at, pace > rate ? pace : rate);
		}
	}
	return list_empty(&m->repairing) ? at : min64(at, rate);
}

/* ---- the end ---- */

void mesh_leave(struct mesh *m, uint64_t now)
{
	m->leaving = true;
	announce_soon(m, 0, now);
}

bool mesh_is_drained(const struct mesh *m)
{
	const struct list *it;

	list_for_each(it, &m->lanes)
		if (lane_is_busy(list_entry(it, struct mesh_lane, link)))
			return false;
	return true;
}

void mesh_bye(struct mesh *m, uint64_t now)
{
	m->leaving = true;
	m->byes = BYES;
	m->announce_lane = 0;
	m->now = now;
}
