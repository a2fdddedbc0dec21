/* scenario_hostile.c - what enemies do, and what they reach: nothing */
#include "t/sim/scenario.h"

#include "libnc/base/endian.h"
#include "t/sim/check.h"
#include "t/sim/liar.h"
#include "t/sim/memory.h"
#include "t/sim/world.h"

/* Datagrams that were overheard. */
#define TAPE_MAX 3000u
struct tape {
	uint32_t n;
	uint32_t victim; /* whose datagrams are withheld while one is wanted */
	bool is_withholding;
	struct datagram *datagrams[TAPE_MAX];
};

static bool record(struct world *w, struct datagram *d, uint32_t dst)
{
	struct tape *t = w->scenario_data;

	(void)dst;
	if (t->n < TAPE_MAX && (!t->n || t->datagrams[t->n - 1] != d))
		t->datagrams[t->n++] = datagram_ref(d);
	return true;
}

static struct tape *tape_begin(struct world *w)
{
	w->scenario_data = sim_calloc(1, sizeof(struct tape));
	w->net.tap = record;
	return w->scenario_data;
}

static void tape_end(struct world *w)
{
	struct tape *t = w->scenario_data;

	w->net.tap = NULL;
	while (t->n)
		datagram_unref(t->datagrams[--t->n]);
}

/* All that was recorded is sent to a host again, now and then from another address. */
static void play(struct world *w, struct host *to)
{
	struct tape *t = w->scenario_data;

	for (uint32_t i = 0; i < t->n && !w->failed; i++) {
		const struct datagram *d = t->datagrams[i];
		struct mesh_addr from = d->from;

		if (rng_chance(&w->rng, 100000))
			rng_fill(&w->rng, from.bytes + 2, 6);
		net_inject(&w->net, to, d->bytes, d->len, &from, d->group);
		if (i % 50 == 49)
			world_run(w, w->now + MS);
	}
}

static void expect_silence(struct world *w, uint64_t heard, const char *when)
{
	if (w->n_delivered != heard)
		world_fail(w, "%llu messages are heard from a recording, %s",
		           (unsigned long long)(w->n_delivered - heard), when);
}

/* A session is recorded, and played to hosts that were there, that have restarted, and both. */
static void replay(struct world *w)
{
	struct host *a = world_host(w, 0), *b = world_host(w, 1);
	uint64_t heard;

	w->demands.no_leave = true;
	scenario_habits(w);
	w->net.kinds[0].delay_ns = 50 * US;
	tape_begin(w);
	scenario_boot(w, 100 * MS);
	world_run(w, w->now + S);
	w->is_quiet = true;
	world_run(w, w->now + 2 * S);
	w->net.tap = NULL;
	heard = w->n_delivered;

	play(w, b);
	expect_silence(w, heard, "by one that was there");
	host_crash(b);
	host_boot(b);
	play(w, b);
	world_run(w, w->now + 2 * S);
	play(w, b);
	expect_silence(w, heard, "by one that has restarted");
	host_crash(a);
	host_boot(a);
	play(w, b);
	world_run(w, w->now + 2 * S);
	play(w, a);
	play(w, b);
	expect_silence(w, heard, "after its sender's restart");
	host_crash(a);
	host_crash(b);
	host_boot(a);
	host_boot(b);
	play(w, a);
	play(w, b);
	world_run(w, w->now + 2 * S);
	play(w, b);
	world_run(w, w->now + 2 * S);
	expect_silence(w, heard, "after both restarted");
	tape_end(w);
	world_settle(w);
}

/* What a session shows that has accepted something. */
static uint64_t accepted(const struct mesh_stats *s)
{
	return s->data_in + s->messages_in + s->naks_in + s->n_peers + s->n_peers_up +
	       s->dropped[MESH_DROP_UNPROVEN] + s->dropped[MESH_DROP_CHUNK] +
	       s->dropped[MESH_DROP_LANE] + s->dropped[MESH_DROP_JOINING] +
	       s->dropped[MESH_DROP_WINDOW] + s->dropped[MESH_DROP_DUPLICATE] +
	       s->dropped[MESH_DROP_MEMORY];
}

static uint64_t refused(const struct mesh_stats *s)
{
	return s->dropped[MESH_DROP_SHORT] + s->dropped[MESH_DROP_VERSION] +
	       s->dropped[MESH_DROP_KEY] + s->dropped[MESH_DROP_AUTH] + s->dropped[MESH_DROP_OWN] +
	       s->dropped[MESH_DROP_REPLAY]; /* of a counter that was turned over */
}

static void hand_in(struct host *h, const struct datagram *d, uint32_t bit)
{
	uint8_t bytes[MESH_DATAGRAM_MAX];

	memcpy(bytes, d->bytes, d->len);
	if (bit < 8 * d->len)
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	account_enter(&h->account);
	mesh_recv(h->mesh, bytes, d->len, &d->from, d->group, host_clock(h));
	account_enter(NULL);
}

/* Each bit of a datagram is turned over: none of these is accepted, and the true one still is. */
static void flip_all(struct world *w, struct host *h, const struct datagram *d)
{
	struct mesh_stats before, after;

	for (uint32_t bit = 0; bit < 8 * d->len && !w->failed; bit++) {
		mesh_stats(h->mesh, &before);
		hand_in(h, d, bit);
		mesh_stats(h->mesh, &after);
		if (refused(&after) != refused(&before) + 1 ||
		    accepted(&after) != accepted(&before))
			world_fail(w, "bit %u of a datagram of %u bytes turned over: not refused",
			           bit, d->len);
	}
	mesh_stats(h->mesh, &before);
	hand_in(h, d, UINT32_MAX);
	mesh_stats(h->mesh, &after);
	if (refused(&after) != refused(&before))
		world_fail(w, "a true datagram is refused after those that were altered");
	host_pump(h);
}

static bool withhold(struct world *w, struct datagram *d, uint32_t dst)
{
	struct tape *t = w->scenario_data;

	if (dst != t->victim || !t->is_withholding)
		return true;
	t->is_withholding = false;
	t->datagrams[t->n++] = datagram_ref(d);
	return false;
}

static void flip(struct world *w)
{
	struct tape *t = tape_begin(w);

	scenario_habits(w);
	w->net.kinds[0].delay_ns = 50 * US;
	t->victim = 1;
	w->net.tap = withhold;
	scenario_boot(w, 100 * MS);
	world_meet(w, 5 * S);
	for (int i = 0; i < 8 && !w->failed; i++) {
		t->is_withholding = true;
		world_run(w, w->now + rng_range(&w->rng, 10 * MS, 1500 * MS));
		if (t->n) {
			flip_all(w, world_host(w, 1), t->datagrams[0]);
			tape_end(w);
			w->net.tap = withhold;
		}
	}
	tape_end(w);
	world_settle(w);
}

/* One forged datagram: noise, a known header before noise, a piece of a true one, or a true one
 * with the receiver's own boot. */
static void forge(struct world *w, struct host *to)
{
	struct tape *t = w->scenario_data;
	const struct datagram *d = t->datagrams[rng_below(&w->rng, t->n)];
	uint8_t bytes[MESH_DATAGRAM_MAX];
	size_t len = rng_below(&w->rng, 1472) + 1;

	rng_fill(&w->rng, bytes, len);
	switch (rng_below(&w->rng, 5)) {
	case 0: break;
	case 1:
		len = len < 60 ? 60 : len;
		memcpy(bytes, d->bytes, d->len < 32 ? d->len : 32);
		le64_put(bytes + 8, le64_get(bytes + 8) + rng_below(&w->rng, 1000));
		break;
	case 2:
		len = rng_below(&w->rng, d->len) + 1;
		memcpy(bytes, d->bytes, len);
		break;
	case 3:
		len = d->len;
		memcpy(bytes, d->bytes, len);
		rng_fill(&w->rng, bytes + 16, 16);
		break;
	default:
		len = d->len;
		memcpy(bytes, d->bytes, len);
		memcpy(bytes + 16, to->config.boot, MESH_BOOT_LEN);
	}
	net_inject(&w->net, to, bytes, len, &d->from, rng_chance(&w->rng, 500000));
}

/* Thousands of forged datagrams per second beside real ones. */
static void forged(struct world *w)
{
	struct host *victim = world_host(w, 1);

	w->demands.no_leave = w->demands.no_eviction = w->demands.no_gap = true;
	scenario_habits(w);
	w->net.kinds[0].delay_ns = 50 * US;
	tape_begin(w);
	scenario_boot(w, 100 * MS);
	world_meet(w, 5 * S);
	for (int i = 0; i < 2000 && !w->failed; i++) {
		for (int k = 0; k < 5; k++)
			forge(w, victim);
		world_run(w, w->now + MS);
	}
	tape_end(w);
	world_settle(w);
}

/* The hosts that lack a key, counted. */
static void on_lacking(void *arg, const char *host)
{
	(void)arg;
	(void)host;
}

static void rotate_all(struct world *w, const struct key *k, uint32_t old)
{
	for (uint32_t i = 0; i < w->n && !w->failed; i++) {
		struct host *h = world_host(w, i);

		world_run(w, w->now + rng_below(&w->rng, 500 * MS));
		account_enter(&h->account);
		if (old && keyring_remove(&h->keys, old))
			world_fail(w, "host%u can't remove the old key", i);
		else if (!old && keyring_find(&h->keys, k->id))
			keyring_use(&h->keys, k->id);
		else if (!old)
			keyring_install(&h->keys, k);
		mesh_keys_changed(h->mesh);
		account_enter(NULL);
		host_pump(h);
	}
	world_run(w, w->now + 3 * S);
}

/* Under load a key is installed on all hosts, used, and the old one removed: nothing is lost. */
static void rotation(struct world *w)
{
	uint8_t secret[CRYPTO_KEY_LEN];
	struct key k;
	uint32_t old = world_host(w, 0)->keys.current->id, lacking;

	w->demands.no_leave = w->demands.no_eviction = w->demands.no_gap = true;
	scenario_habits(w);
	scenario_paths(w, 20000);
	rng_fill(&w->rng, secret, sizeof(secret));
	scenario_boot(w, 100 * MS);
	world_meet(w, 5 * S);
	if (!old)
		return; /* without a key there is none to rotate */
	if (key_init(&k, w->crypto, CIPHER_CHACHA20_POLY1305, secret))
		world_fail(w, "a key can't be made");
	world_run(w, w->now + S);
	rotate_all(w, &k, 0);
	for (uint32_t i = 0; i < w->n && !w->failed; i++) {
		struct host *h = world_host(w, i);

		lacking = mesh_key_lacking(h->mesh, k.id, host_clock(h), on_lacking, NULL);
		if (lacking)
			world_fail(w, "host%u takes %u hosts for lacking a key that all hold", i,
			           lacking);
	}
	rotate_all(w, &k, 0);
	rotate_all(w, &k, old);
	for (uint32_t i = 0; i < w->n && !w->failed; i++) {
		struct mesh_stats now, sum;

		host_stats(world_host(w, i), &now, &sum);
		if (sum.dropped[MESH_DROP_KEY] || sum.dropped[MESH_DROP_AUTH])
			world_fail(w, "host%u has refused datagrams while keys changed", i);
	}
	world_settle(w);
}

/* ---- members that lie ---- */

#define SPAN     (4 * S) /* in which each honest host hears so many messages of each other one: */
#define HEARD_IN 50u     /* a twentieth of what is written */

static void on_lie(void *world, void *p, uint64_t until)
{
	struct world *w = world;
	struct host *h = p;

	if (!h->liar || w->now >= until)
		return;
	liar_speak(h->liar);
	world_at(w, w->now + rng_range(&w->rng, 200 * US, MS), on_lie, p, until);
}

/* Messages that honest hosts have heard of each other, on the lane that all have. */
static void expect_heard(struct world *w, uint64_t *heard)
{
	for (uint32_t i = 0; i < w->n && !w->failed; i++)
		for (const struct ear *e = world_host(w, i)->app.ears; e; e = e->next_ear) {
			uint32_t from = e->ledger->origin->host;
			uint64_t *before = &heard[i * w->n + from];

			if (e->ledger->number || !e->in || e->host->liar ||
			    world_host(w, from)->liar)
				continue;
			if (e->heard < *before + HEARD_IN)
				world_fail(w,
				           "host%u hears %llu messages of host%u in %.0f s of lies",
				           i, (unsigned long long)(e->heard - *before), from,
				           (double)SPAN / 1e9);
			*before = e->heard;
		}
}

/* Up to three that don't contradict one another. */
static uint32_t some_lies(struct rng *r)
{
	uint32_t lies = 0;

	for (uint64_t i = rng_range(r, 1, 3); i; i--)
		lies |= 1u << rng_below(r, LIE_N);
	return lies & LIE_CLOSED ? lies & ~(uint32_t)LIE_WIDE : lies;
}

/* Members that hold the key lie, all in their own way: the others hear each other as if nothing
 * were, but for the moments in which those that take nothing are waited for. */
static void lie(struct world *w, uint32_t n_liars, uint64_t spans)
{
	uint64_t *heard = sim_calloc((size_t)w->n * w->n, sizeof(*heard));
	uint64_t until;

	w->scenario_data = heard;
	w->demands.no_leave = w->demands.no_eviction = w->demands.no_gap = true;
	w->net.kinds[0].delay_ns = 50 * US;
	w->net.kinds[1] = (struct path){.delay_ns = 50 * US, .loss_ppm = 10000};
	for (uint32_t i = 0; i < w->n; i++) {
		world_host(w, i)->config.memory_max = 8u << 20;
		world_host(w, i)->config.lane_max = 256u << 10;
		for (uint32_t k = 0; k < w->n; k++)
			net_path(&w->net, i, k, 1);
	}
	scenario_boot(w, 100 * MS);
	world_meet(w, 5 * S);
	until = w->now + spans * SPAN;
	for (uint32_t i = 0; i < n_liars && !w->failed; i++) {
		struct host *h = world_host(w, w->n - 1 - i);

		h->liar = liar_new(h, some_lies(&w->rng), w->seed + i);
		on_lie(w, h, until);
	}
	for (uint64_t i = 0; i < spans && !w->failed; i++) {
		world_run(w, w->now + SPAN);
		expect_heard(w, heard);
	}
	world_settle(w);
}

static void liar(struct world *w)
{
	lie(w, 1, 5);
}

static void liars(struct world *w)
{
	lie(w, 2, 3);
}

const struct scenario scenarios_hostile[] = {
        {"replay", "a session is recorded and played again", 3, 0, false, replay},
        {"flip", "each bit of a datagram is turned over", 2, 0, false, flip},
        {"forged", "forged datagrams beside true ones", 3, 0, false, forged},
        {"liar", "a member that holds the key lies", 4, 0, false, liar},
        {"liars", "two of twelve lie", 12, 0, false, liars},
        {"rotation", "keys change under load", 3, 0, false, rotation},
        {0},
};
