/* liar.c - see liar.h */
#include "t/sim/liar.h"

#include "libnc/base/endian.h"
#include "mesh/seal.h"
#include "mesh/wire.h"
#include "t/sim/host.h"
#include "t/sim/memory.h"
#include "t/sim/world.h"

#define TOKENS 16u /* of the lanes of its own that others have joined */

struct liar {
	struct host *host;
	struct rng rng;
	uint32_t lies;
	uint64_t counter;
	struct seal *open, *seal, *other;
	struct {
		uint32_t host;
		uint32_t token;
		uint16_t lane;
	} tokens[TOKENS];
	uint32_t n_tokens;
};

struct liar *liar_new(struct host *h, uint32_t lies, uint64_t seed)
{
	struct liar *l = sim_calloc(1, sizeof(*l));
	const char *cluster = h->config.cluster;
	struct mesh_stats now;

	host_stats(h, &now, NULL);
	*l = (struct liar){
	        .host = h, .lies = lies, .rng = rng_stream(seed, 999), .counter = now.counter};
	if (seal_new(&l->open, h->world->crypto) || seal_new(&l->seal, h->world->crypto) ||
	    seal_new(&l->other, h->world->crypto) ||
	    seal_set(l->open, h->keys.current, cluster, strlen(cluster), h->config.boot) ||
	    seal_set(l->seal, h->keys.current, cluster, strlen(cluster), h->config.boot))
		world_fail(h->world, "a liar can't be made");
	return l;
}

void liar_free(struct liar *l)
{
	if (!l)
		return;
	seal_free(l->open);
	seal_free(l->seal);
	seal_free(l->other);
	sim_free(l);
}

static bool lies(const struct liar *l, enum lie what)
{
	return l->lies & what;
}

/* Anything: near, far, the ends of the range. */
static uint64_t any(struct liar *l, uint64_t near)
{
	switch (rng_below(&l->rng, 6)) {
	case 0: return 0;
	case 1: return UINT64_MAX - rng_below(&l->rng, 3);
	case 2: return rng_next(&l->rng);
	case 3: return near + (UINT64_C(1) << rng_below(&l->rng, 60));
	default: return near + rng_below(&l->rng, 1000);
	}
}

/* ---- what its session says, altered in place ---- */

static void alter_status(struct liar *l, uint8_t *p, size_t len)
{
	for (p += 8, len -= 8; len >= 14; p += 14, len -= 14) {
		if (lies(l, LIE_CLOSED))
			le16_put(p + 10, 0);
		if (lies(l, LIE_WIDE)) {
			if (rng_chance(&l->rng, 500000))
				le64_put(p + 2, any(l, le64_get(p + 2)));
			le16_put(p + 10, UINT16_MAX);
			le16_put(p + 12, (uint16_t)any(l, 0));
		}
	}
}

static void alter_lanes(struct liar *l, uint8_t *p, size_t len)
{
	size_t one;

	for (; len >= 22 && len >= (one = 22u + p[3]); p += one, len -= one) {
		le16_put(p + 4, (uint16_t)any(l, 0));
		le64_put(p + 6, any(l, le64_get(p + 6)));
		le64_put(p + 14, any(l, le64_get(p + 14)));
	}
}

static void alter_chunk(struct liar *l, const struct mw_chunk *c, uint8_t *body)
{
	switch (c->kind) {
	case MW_STATUS:
		if (c->len >= 8)
			alter_status(l, body, c->len);
		break;
	case MW_LANES:
		if (lies(l, LIE_HEAD))
			alter_lanes(l, body, c->len);
		break;
	case MW_HEAD:
		if (lies(l, LIE_HEAD)) {
			le64_put(body + 2, any(l, le64_get(body + 2)));
			le64_put(body + 10, any(l, le64_get(body + 10)));
		}
		break;
	case MW_HEARD:
		if (lies(l, LIE_HEARD))
			rng_fill(&l->rng, body, c->len);
		break;
	case MW_ANNOUNCE:
		if (lies(l, LIE_ANNOUNCE))
			le32_put(body, (uint32_t)any(l, 0));
		break;
	default: break;
	}
}

/* Seals what was written at `p`, and returns how long it is with its tag. */
static size_t seal(struct liar *l, uint8_t *p, size_t len)
{
	mw_header_put(p, l->host->keys.current->id, ++l->counter, l->host->config.boot);
	if (seal_datagram(l->seal, l->counter, p, MW_HEADER_LEN, p + MW_HEADER_LEN,
	                  len - MW_HEADER_LEN, p + len))
		world_fail(l->host->world, "a lie can't be sealed");
	return len + MW_TAG_LEN;
}

void liar_alter(struct liar *l, uint8_t *p, size_t len)
{
	size_t sealed = len - MW_HEADER_LEN - MW_TAG_LEN;
	uint8_t *body = p + MW_HEADER_LEN;
	struct mw_reader r = {body + MW_STAMP_LEN, sealed - MW_STAMP_LEN};
	struct mw_chunk c;

	if (seal_open(l->open, le64_get(p + 8), p, MW_HEADER_LEN, body, sealed, body + sealed)) {
		world_fail(l->host->world, "what a liar's session says can't be opened");
		return;
	}
	while (mw_next(&r, &c) > 0)
		alter_chunk(l, &c, p + (c.body - p));
	seal(l, p, len - MW_TAG_LEN);
}

/* ---- what it hears ---- */

static void note_joins(struct liar *l, const struct mw_chunk *c, uint32_t host)
{
	struct mw_list list;
	struct mw_join j;

	mw_list_begin(&list, c);
	while (mw_join_next(&list, &j) > 0) {
		uint32_t i = l->n_tokens++ % TOKENS;

		l->tokens[i].host = host;
		l->tokens[i].token = j.token;
		l->tokens[i].lane = j.lane;
	}
}

void liar_overhear(struct liar *l, const struct datagram *d)
{
	const char *cluster = l->host->config.cluster;
	uint8_t bytes[MESH_DATAGRAM_MAX];
	size_t sealed = d->len - MW_HEADER_LEN - MW_TAG_LEN;
	struct mw_reader r = {bytes + MW_HEADER_LEN + MW_STAMP_LEN, sealed - MW_STAMP_LEN};
	struct mw_chunk c;

	if (d->group || d->src == NET_FORGED || d->len < MW_OVERHEAD)
		return;
	memcpy(bytes, d->bytes, d->len);
	if (seal_set(l->other, l->host->keys.current, cluster, strlen(cluster), bytes + 16) ||
	    seal_open(l->other, le64_get(bytes + 8), bytes, MW_HEADER_LEN, bytes + MW_HEADER_LEN,
	              sealed, bytes + MW_HEADER_LEN + sealed))
		return;
	while (mw_next(&r, &c) > 0)
		if (c.kind == MW_JOIN)
			note_joins(l, &c, d->src);
}

/* ---- what it says by itself ---- */

static void put_nak(struct liar *l, struct mw_writer *w, uint16_t lane)
{
	uint64_t base = rng_chance(&l->rng, 500000) ? 1 : any(l, 1);
	struct mw_range range = {.seq = base, .n = UINT16_MAX};

	if (!mw_open_nak(w, lane, base))
		return;
	for (unsigned i = 0; i < 4 && mw_add_range(w, &base, &range); i++)
		range.seq = base;
	mw_close(w);
}

static void put_status(struct liar *l, struct mw_writer *w, uint16_t lane)
{
	struct mw_echo e = {(uint32_t)rng_next(&l->rng), (uint32_t)any(l, 0)};
	struct mw_status s = {.lane = lane,
	                      .cum = lies(l, LIE_WIDE) ? any(l, 1) : 1,
	                      .window = lies(l, LIE_WIDE) ? UINT16_MAX : 0};

	if (mw_open(w, MW_STATUS, 0, 8 + 14) && mw_add_echo(w, &e) && mw_add_status(w, &s))
		mw_close(w);
}

static void put_join(struct liar *l, struct mw_writer *w, uint16_t lane)
{
	struct mw_join j = {.lane = lane,
	                    .token = (uint32_t)rng_next(&l->rng),
	                    .window = lies(l, LIE_WIDE) ? UINT32_MAX : 0};

	if (rng_chance(&l->rng, 3000) && mw_open(w, MW_PART, 0, 2)) {
		mw_add_part(w, lane);
		mw_close(w);
	}
	if (mw_open(w, MW_JOIN, 0, 10)) {
		mw_add_join(w, &j);
		mw_close(w);
	}
}

/* Evicts a host of a lane of its own, and lets it in again elsewhere. */
static void put_joined(struct liar *l, struct mw_writer *w, uint32_t host)
{
	for (uint32_t i = 0; i < TOKENS && i < l->n_tokens; i++) {
		struct mw_evicted e = {l->tokens[i].lane, l->tokens[i].token};
		struct mw_joined j = {l->tokens[i].lane, l->tokens[i].token, any(l, 1), any(l, 1)};

		if (l->tokens[i].host != host)
			continue;
		if (mw_open(w, MW_JOINED, 0, 22) && mw_add_joined(w, &j))
			mw_close(w);
		if (rng_chance(&l->rng, 100000) && mw_open(w, MW_EVICTED, 0, 6) &&
		    mw_add_evicted(w, &e))
			mw_close(w);
	}
}

static void put_head(struct liar *l, struct mw_writer *w, uint16_t lane)
{
	struct mw_head h = {lane, any(l, 1), any(l, 1)};

	mw_put_head(w, rng_chance(&l->rng, 10000) ? MW_END : MW_HEAD,
	            (uint8_t)rng_below(&l->rng, 2), &h);
}

/* A challenge of either size, or an announcement that all are to answer. */
static void put_question(struct liar *l, struct mw_writer *w)
{
	const struct mesh_config *c = &l->host->config;
	struct mw_announce a = {.interval_ms = 1000,
	                        .host_len = (uint8_t)strlen(l->host->name),
	                        .version_len = (uint8_t)strlen(c->version),
	                        .host = l->host->name,
	                        .version = c->version};
	struct mw_challenge v = {.size = rng_chance(&l->rng, 500000) ? MW_CHALLENGE_SIZE
	                                                             : (uint16_t)c->mtu};

	if (rng_chance(&l->rng, 300000)) {
		mw_put_announce(w, MW_F_QUERY, &a);
		return;
	}
	rng_fill(&l->rng, v.nonce, sizeof(v.nonce));
	mw_put_challenge(w, MW_CHALLENGE, &v);
	mw_pad(w, v.size);
}

/* One datagram of lies; `to_boot` is the one that it is for. */
static void say(struct liar *l, const struct host *about, const struct host *to, bool group)
{
	uint8_t bytes[MESH_DATAGRAM_MAX];
	uint16_t lane = rng_chance(&l->rng, 700000) ? 0 : (uint16_t)rng_below(&l->rng, 8);
	struct mesh_addr nobody = {0};
	struct mw_writer w;

	mw_begin(&w, bytes, l->host->config.mtu, (uint32_t)rng_next(&l->rng));
	mw_put_to(&w, about->config.boot);
	if (about != to) {
		put_nak(l, &w, lane);
	} else {
		if (lies(l, LIE_ASK) && rng_chance(&l->rng, 500000)) {
			put_question(l, &w);
		} else {
			if (lies(l, LIE_NAK))
				put_nak(l, &w, lane);
			if (l->lies & (LIE_CLOSED | LIE_WIDE))
				put_status(l, &w, lane);
			if (lies(l, LIE_JOIN))
				put_join(l, &w, lane);
			if (lies(l, LIE_JOINED))
				put_joined(l, &w, to->index);
			if (lies(l, LIE_HEAD))
				put_head(l, &w, lane);
		}
	}
	net_send(&l->host->world->net, l->host, bytes, seal(l, bytes, w.len),
	         group ? &nobody : &to->addr);
}

void liar_speak(struct liar *l)
{
	struct world *w = l->host->world;
	const struct host *to = world_host(w, (uint32_t)rng_below(&l->rng, w->n));

	if (!l->host->mesh)
		return;
	if (lies(l, LIE_HUSH))
		say(l, world_host(w, 0), world_host(w, 1), false);
	if (to->mesh && to != l->host)
		say(l, to, to, rng_chance(&l->rng, 200000));
}
