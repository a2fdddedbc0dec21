/* book.c - see book.h */
#include "t/sim/book.h"

#include "libnc/base/endian.h"
#include "libnc/wire/frame.h"
#include "t/sim/check.h"
#include "t/sim/host.h"
#include "t/sim/memory.h"
#include "t/sim/world.h"

#include <stdio.h>
#include <stdlib.h>

#define EVENT      "sim.message"
#define NUMBER_LEN 24u /* what a payload begins with: origin, lane, message, 8 bytes each */

struct origin *book_origin(struct host *h)
{
	struct world *w = h->world;
	struct origin *o = sim_calloc(1, sizeof(*o));

	if (w->n_origins == w->room_origins) {
		w->room_origins = w->room_origins ? 2 * w->room_origins : 64;
		w->origins = sim_realloc(w->origins, w->room_origins * sizeof(struct origin *));
	}
	*o = (struct origin){
	        .index = w->n_origins,
	        .host = h->index,
	        .boot_n = h->n_boots,
	        .tag = le32_get(h->config.boot),
	};
	memcpy(o->boot, h->config.boot, sizeof(o->boot));
	for (uint32_t i = 0; i < APP_LANES; i++) {
		o->ledgers[i].origin = o;
		o->ledgers[i].number = i;
	}
	w->origins[w->n_origins++] = o;
	return o;
}

void book_origin_free(struct origin *o)
{
	for (uint32_t i = 0; i < APP_LANES; i++)
		sim_free(o->ledgers[i].frame);
	sim_free(o);
}

/* ---- frames ---- */

/* What a message is follows from its origin, lane and number. */
static uint64_t message_seed(const struct world *w, const struct ledger *l, uint64_t n)
{
	return rng_mix(w->seed ^ rng_mix((uint64_t)l->origin->index << 8 | l->number) ^
	               n * 0x9e3779b97f4a7c15u);
}

/* Most messages are small; a few are as large as may be. */
static uint32_t payload_len(uint64_t seed, uint32_t max)
{
	uint64_t kind = seed % 1000, size = rng_mix(seed + 1);
	uint32_t top = kind < 700 ? 100 : kind < 930 ? 1500 : kind < 990 ? 16000 : max;

	if (top > max)
		top = max;
	return NUMBER_LEN + (uint32_t)(size % (top + 1));
}

static const uint8_t *payload_bytes(const struct world *w, uint64_t seed)
{
	return w->block + rng_mix(seed + 2) % APP_FRAME_MAX;
}

void book_frame(struct world *w, struct ledger *l, const struct app_habits *habits)
{
	uint64_t n = l->n_begun, seed = message_seed(w, l, n);
	uint32_t len =
	        habits->size_fixed ? habits->size_fixed : payload_len(seed, habits->size_max);
	struct frame_emit f = {.sender = (uint64_t)l->origin->tag << 32 | 1,
	                       .seq = n + 1,
	                       .event = EVENT,
	                       .event_len = sizeof(EVENT) - 1,
	                       .payload_len = len,
	                       .flags = FRAME_T_BYTES};
	char channel[16];
	uint8_t *p;

	f.channel_len = (uint8_t)snprintf(channel, sizeof(channel), "ch%u", l->number / 2);
	f.channel = channel;
	if (!l->frame)
		l->frame = sim_calloc(1, APP_FRAME_MAX + 1024);
	p = l->frame + frame_emit_head_put(l->frame, APP_FRAME_MAX, &f);
	le64_put(p, l->origin->index);
	le64_put(p + 8, l->number);
	le64_put(p + 16, n);
	memcpy(p + NUMBER_LEN, payload_bytes(w, seed), len - NUMBER_LEN);
	l->frame_len = (size_t)(p - l->frame) + len;
	l->frame_pos = 0;
}

/* ---- ears ---- */

/* What a liar hears, and what is heard of it, may be anything. */
static void fail_ear(struct ear *e, const char *what, uint64_t a, uint64_t b)
{
	if (e->host->liar || world_host(e->host->world, e->ledger->origin->host)->liar)
		return;
	world_fail(e->host->world,
	           "host%u, lane %s%u of host%u (boot %u): %s; expected message %llu, %llu missing "
	           "by gaps (%s): %llu, %llu",
	           e->host->index, e->ledger->number % 2 ? "best-effort ch" : "ch",
	           e->ledger->number / 2, e->ledger->origin->host, e->ledger->origin->boot_n, what,
	           (unsigned long long)e->next, (unsigned long long)e->gap,
	           e->is_exact ? "exact" : "not exact", (unsigned long long)a,
	           (unsigned long long)b);
}

/* The boot that a lane is of, by the tag in its frames. */
static struct origin *origin_of(struct world *w, const char *host, uint32_t tag)
{
	for (uint32_t i = w->n_origins; i--;)
		if (w->origins[i]->tag == tag &&
		    !strcmp(world_host(w, w->origins[i]->host)->name, host))
			return w->origins[i];
	return NULL;
}

struct ear *book_accept(struct host *h, const char *host, uint32_t tag, const char *channel,
                        enum mesh_class class, struct mesh_in *in)
{
	struct world *w = h->world;
	struct origin *o = origin_of(w, host, tag);
	unsigned long c = strtoul(channel + 2, NULL, 10);
	struct ear *e, *before;
	struct ledger *l;

	if (!o || strncmp(channel, "ch", 2) || c >= APP_CHANNELS) {
		world_fail(w, "host%u: accept() of a lane that there is not: %s of %s, tag %08x",
		           h->index, channel, host, tag);
		return NULL;
	}
	l = &o->ledgers[2 * c + (class == MESH_BEST_EFFORT)];
	if (!l->was_open)
		world_fail(w, "host%u: accept() of %s of %s, which was never opened", h->index,
		           channel, host);
	for (before = h->app.ears; before && before->ledger != l; before = before->next_ear)
		;
	if (!(h->app.habits.accepts >> c & 1))
		return NULL; /* one that is heard gets its gone() */
	if (before && before->in == in)
		return before; /* asked again, since the offers have changed */
	if (before && before->in)
		world_fail(w, "host%u: accept() of %s of %s, which is heard already", h->index,
		           channel, host);
	e = sim_calloc(1, sizeof(*e));
	*e = (struct ear){.host = h,
	                  .ledger = l,
	                  .in = in,
	                  .next_ear = h->app.ears,
	                  .heard_at = w->now,
	                  .is_exact = true};
	if (before && before->knows) {
		e->next = before->next;
		e->was_evicted = true; /* it has been away */
	}
	h->app.ears = e;
	world_trace(w, "h%u hears %s of %s, %s", h->index, channel, host,
	            class == MESH_RELIABLE ? "reliable" : "best-effort");
	return e;
}

/* Message `n` is heard. */
static void hear(struct ear *e, uint64_t n)
{
	if (n >= e->ledger->n_begun)
		fail_ear(e, "a message that was never written", n, e->ledger->n_begun);
	if (n < e->next)
		fail_ear(e, "a message for the second time, or too late", n, 0);
	if (e->knows && !e->gap && n > e->next)
		fail_ear(e, "messages are missing, without a word", n, n - e->next);
	if (e->knows && e->gap && n - e->next != e->gap)
		fail_ear(e, "a gap that counts wrong", n, n - e->next);
	if (!e->knows && e->gap > n)
		fail_ear(e, "a gap of more than there was", n, 0);
	e->heard++;
	e->heard_at = e->host->world->now;
	e->next = n + 1;
	e->gap = 0;
	e->is_exact = true;
	e->knows = true;
	e->was_evicted = false;
	e->host->world->n_delivered++;
}

/* A whole frame is compared with the one that was written. */
static void check_frame(struct ear *e, const uint8_t *p, size_t len)
{
	struct ledger *l = e->ledger;
	struct frame_emit f;
	uint64_t n, seed;
	char channel[16];

	snprintf(channel, sizeof(channel), "ch%u", l->number / 2);
	if (frame_emit_get(&f, p, len, APP_FRAME_MAX) != FRAME_OK || f.payload_len < NUMBER_LEN ||
	    f.event_len != sizeof(EVENT) - 1 || memcmp(f.event, EVENT, f.event_len) ||
	    f.channel_len != strlen(channel) || memcmp(f.channel, channel, f.channel_len) ||
	    le64_get(f.payload) != l->origin->index || le64_get(f.payload + 8) != l->number ||
	    f.sender != ((uint64_t)l->origin->tag << 32 | 1)) {
		fail_ear(e, "a frame that nobody wrote", len, 0);
		return;
	}
	n = le64_get(f.payload + 16);
	seed = message_seed(e->host->world, l, n);
	if (f.seq != n + 1 || memcmp(f.payload + NUMBER_LEN, payload_bytes(e->host->world, seed),
	                             f.payload_len - NUMBER_LEN))
		fail_ear(e, "a message that was altered", n, 0);
	hear(e, n);
}

void book_bytes(struct ear *e, const uint8_t *p, size_t len)
{
	uint32_t want;

	while (len && !e->host->world->failed) {
		size_t k;

		want = e->len < FRAME_PREFIX_LEN ? FRAME_PREFIX_LEN : frame_prefix_get(e->buf).len;
		if (want < FRAME_PREFIX_LEN || want > APP_FRAME_MAX + 1024) {
			fail_ear(e, "a frame that can't be", want, 0);
			return;
		}
		if (e->room < want) {
			e->room = want + 1024;
			e->buf = sim_realloc(e->buf, e->room);
		}
		k = want - e->len < len ? want - e->len : len;
		memcpy(e->buf + e->len, p, k);
		e->len += k;
		p += k;
		len -= k;
		if (e->len == want && want > FRAME_PREFIX_LEN) {
			check_frame(e, e->buf, e->len);
			e->len = 0;
		} else if (e->len == FRAME_PREFIX_LEN &&
		           frame_prefix_get(e->buf).len == FRAME_PREFIX_LEN) {
			fail_ear(e, "a frame that nobody wrote", FRAME_PREFIX_LEN, 0);
			return;
		}
	}
}

void book_gap(struct ear *e, uint64_t count, bool exact)
{
	world_trace(e->host->world, "h%u misses %llu messages of h%u ch%u%s, %s", e->host->index,
	            (unsigned long long)count, e->ledger->origin->host, e->ledger->number / 2,
	            e->ledger->number % 2 ? " best-effort" : "", exact ? "exact" : "at least");
	if (!count && !e->len)
		fail_ear(e, "a gap of nothing", 0, 0);
	e->len = 0;
	e->gap += count;
	e->missed += count;
	if (!exact)
		e->is_exact = false;
	if (!e->in)
		fail_ear(e, "gap() on a lane that has ended", count, 0);
	if (e->knows && e->next + e->gap > e->ledger->n_begun)
		fail_ear(e, "a gap of more than was written", e->next + e->gap, e->ledger->n_begun);
	if (!exact && !e->ledger->origin->is_over && !check_is_excused(e))
		fail_ear(e, "a gap that is not exact, though its sender lives", count, 0);
	check_gap_cause(e);
}

void book_gone(struct ear *e)
{
	world_trace(e->host->world, "h%u hears ch%u of h%u no more", e->host->index,
	            e->ledger->number / 2, e->ledger->origin->host);
	if (!e->in)
		fail_ear(e, "gone() for the second time", 0, 0);
	e->in = NULL;
	e->len = 0;
}

/* ---- the end ---- */

/* The ear of a host for a lane, or NULL. */
static const struct ear *ear_of(const struct host *h, const struct ledger *l)
{
	const struct ear *e = h->app.ears;

	while (e && !(e->ledger == l && e->in))
		e = e->next_ear;
	return e;
}

/* Whether a host should hear a lane of another one. */
static bool is_to_hear(const struct host *h, const struct ledger *l)
{
	const struct host *from = &h->world->hosts[l->origin->host];

	return h != from && !h->liar && !from->liar && h->mesh && !h->app.is_leaving && l->lane &&
	       (h->app.habits.accepts >> (l->number / 2) & 1) && host_sees(h, from) == MESH_PEER_UP;
}

static bool is_told(const struct host *h, const struct ledger *l, char *why, size_t cap)
{
	const struct ear *e = ear_of(h, l);

	if (e && e->knows && e->next + e->gap == l->n_written)
		return true;
	snprintf(why, cap,
	         "host%u has heard %llu and missed %llu of the %llu messages of host%u, lane %u%s",
	         h->index, e ? (unsigned long long)e->next : 0, e ? (unsigned long long)e->gap : 0,
	         (unsigned long long)l->n_written, l->origin->host, l->number,
	         !e             ? ", not heard"
	         : e->is_paused ? ", paused"
	         : !e->knows    ? ", heard nothing"
	                        : "");
	return false;
}

bool app_is_settled(const struct app *a, char *why, size_t cap)
{
	const struct world *w = a->host->world;

	for (uint32_t i = 0; i < APP_LANES; i++) {
		const struct ledger *l = &a->origin->ledgers[i];

		if (!l->lane)
			continue;
		if (l->short_since || l->frame_pos) {
			snprintf(why, cap, "host%u: lane %u takes nothing", a->host->index, i);
			return false;
		}
		for (uint32_t k = 0; k < w->n; k++)
			if (is_to_hear(&w->hosts[k], l) && !is_told(&w->hosts[k], l, why, cap))
				return false;
	}
	return true;
}

void app_last_words(struct app *a)
{
	const struct world *w = a->host->world;

	for (uint32_t i = 0; i < APP_LANES; i++) {
		struct ledger *l = &a->origin->ledgers[i];
		bool is_unheard = false;

		for (uint32_t k = 0; k < w->n && l->lane; k++) {
			const struct ear *e = ear_of(&w->hosts[k], l);

			if (is_to_hear(&w->hosts[k], l) && (!e || !e->knows))
				is_unheard = true;
		}
		if (is_unheard || l->frame_pos)
			app_write(a, l, 1);
	}
	host_pump(a->host);
}
