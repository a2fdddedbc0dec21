/* app.c - see app.h */
#include "t/sim/app.h"

#include "libnc/wire/frame.h"
#include "t/sim/book.h"
#include "t/sim/check.h"
#include "t/sim/host.h"
#include "t/sim/memory.h"
#include "t/sim/world.h"

#include <errno.h>
#include <stdio.h>

static const struct app_habits habits_default = {
        .opens = 0x3, /* channel 0, both classes */
        .accepts = 0xff,
        .burst = 5,
        .every_ns = 5000000,
        .size_max = 2000,
};

void app_init(struct app *a, struct host *h, struct rng rng)
{
	*a = (struct app){.host = h, .rng = rng, .habits = habits_default};
}

static void ears_free(struct app *a)
{
	struct ear *e;

	while ((e = a->ears)) {
		a->ears = e->next_ear;
		sim_free(e->buf);
		sim_free(e);
	}
}

void app_fini(struct app *a)
{
	ears_free(a);
}

/* ---- writing ---- */

/* The frame goes into the lane, in up to three pieces at a time. */
static bool push_frame(struct app *a, struct ledger *l)
{
	struct host *h = a->host;
	struct iovec iov[3];
	size_t left = l->frame_len - l->frame_pos, at = l->frame_pos, given = 0, n = 0;
	ssize_t taken;

	for (; n < 3 && given < left; n++) {
		size_t k = n == 2 || rng_chance(&a->rng, 800000)
		                   ? left - given
		                   : rng_range(&a->rng, 1, left - given);

		iov[n] = (struct iovec){.iov_base = l->frame + at, .iov_len = k};
		at += k;
		given += k;
	}
	account_enter(&h->account);
	taken = mesh_lane_write(h->mesh, l->lane, iov, (int)n, host_clock(h));
	account_enter(NULL);
	if (taken < 0 || (size_t)taken > given) {
		world_fail(h->world, "host%u: mesh_lane_write() of %zu bytes returns %zd", h->index,
		           given, taken);
		return false;
	}
	if (taken && !l->frame_pos)
		l->n_begun++;
	l->frame_pos += (size_t)taken;
	if (l->frame_pos == l->frame_len) {
		l->n_written++;
		l->frame_pos = l->frame_len = 0;
	}
	if ((size_t)taken < given)
		l->short_since = h->world->now + 1;
	return (size_t)taken == given;
}

void app_write(struct app *a, struct ledger *l, uint64_t n)
{
	while (n && l->lane && !l->short_since && !a->is_leaving && !a->host->world->failed) {
		if (!l->frame_len)
			book_frame(a->host->world, l, &a->habits);
		if (!push_frame(a, l))
			return;
		if (!l->frame_len)
			n--;
	}
}

static void on_writable(void *arg, void *user)
{
	struct host *h = arg;
	struct ledger *l = user;
	struct account *was = account_enter(NULL);

	if (!l->short_since)
		world_fail(h->world, "host%u: writable() without a short write", h->index);
	l->short_since = 0;
	if (rng_chance(&h->app.rng, 500000))
		app_write(&h->app, l, 1);
	account_enter(was);
}

/* A burst, and the next one. Timers of earlier boots find another generation. */
static void on_burst(void *world, void *p, uint64_t generation)
{
	struct world *w = world;
	struct app *a = p;
	uint64_t every = a->habits.every_ns;

	if (!a->origin || a->generation != generation || a->is_leaving)
		return;
	if (host_is_late(a->host)) {
		heap_put(&w->heap, a->host->late_until, on_burst, a, generation);
		return;
	}
	if (every && !w->is_quiet) {
		uint64_t first = rng_below(&a->rng, APP_LANES);
		uint64_t n = rng_range(&a->rng, 1, a->habits.burst);

		for (uint64_t i = 0; i < APP_LANES; i++) {
			struct ledger *l = &a->origin->ledgers[(first + i) % APP_LANES];

			if (l->lane) {
				app_write(a, l, n);
				break;
			}
		}
	} else {
		/* what was begun is ended */
		for (uint32_t i = 0; i < APP_LANES; i++)
			if (a->origin->ledgers[i].frame_pos)
				app_write(a, &a->origin->ledgers[i], 1);
	}
	host_pump(a->host);
	every = every && !w->is_quiet ? every : 100 * MS;
	heap_put(&w->heap, w->now + rng_range(&a->rng, every / 2, every + every / 2), on_burst, a,
	         generation);
}

void app_lanes(struct app *a)
{
	struct host *h = a->host;
	char channel[16];

	for (uint32_t i = 0; i < APP_LANES; i++) {
		struct ledger *l = &a->origin->ledgers[i];
		bool is_wanted = a->habits.opens >> i & 1;

		if (is_wanted && !l->lane && !l->was_open) {
			snprintf(channel, sizeof(channel), "ch%u", i / 2);
			account_enter(&h->account);
			l->lane = mesh_lane_open(h->mesh, channel,
			                         i % 2 ? MESH_BEST_EFFORT : MESH_RELIABLE, l,
			                         host_clock(h));
			account_enter(NULL);
			l->was_open = true;
			if (!l->lane)
				world_fail(h->world, "host%u: mesh_lane_open() returns NULL",
				           h->index);
		} else if (!is_wanted && l->lane && !l->frame_pos) {
			account_enter(&h->account);
			mesh_lane_close(h->mesh, l->lane, host_clock(h));
			account_enter(NULL);
			l->lane = NULL;
			l->short_since = 0;
			l->is_closed = true;
		}
	}
	host_pump(h);
}

void app_boot(struct app *a)
{
	a->origin = book_origin(a->host);
	a->is_leaving = false;
	a->generation++;
	app_lanes(a);
	heap_put(&a->host->world->heap,
	         a->host->world->now + rng_below(&a->rng, a->habits.every_ns + 1), on_burst, a,
	         a->generation);
}

void app_leave(struct app *a)
{
	a->is_leaving = true;
	a->origin->has_left = true;
}

void app_down(struct app *a)
{
	for (uint32_t i = 0; i < APP_LANES; i++) {
		struct ledger *l = &a->origin->ledgers[i];

		l->lane = NULL;
		l->short_since = 0;
		sim_free(l->frame);
		l->frame = NULL;
		l->frame_len = l->frame_pos = 0;
	}
	for (struct ear *e = a->ears; e; e = e->next_ear)
		if (e->in && !a->host->world->failed)
			world_fail(a->host->world,
			           "host%u: mesh_free() without gone() for a lane of host%u",
			           a->host->index, e->ledger->origin->host);
	ears_free(a);
	a->origin->is_over = true;
	a->origin = NULL;
}

/* ---- hearing ---- */

static void *on_accept(void *arg, const char *host, uint32_t tag, const char *channel,
                       enum mesh_class class, struct mesh_in *in)
{
	struct host *h = arg;
	struct account *was = account_enter(NULL);
	struct ear *e = book_accept(h, host, tag, channel, class, in);

	account_enter(was);
	return e;
}

static void on_resume(void *world, void *p, uint64_t generation)
{
	struct ear *e = p;
	struct host *h;

	(void)world;
	/* an ear lives as long as the boot; look for it, since it may be gone */
	h = world_host(world, (uint32_t)(generation >> 32));
	if (!h->app.origin || h->app.generation != (uint32_t)generation)
		return;
	if (!e->in || !e->is_paused)
		return;
	if (host_is_late(h)) {
		heap_put(&h->world->heap, h->late_until, on_resume, p, generation);
		return;
	}
	e->is_paused = false;
	account_enter(&h->account);
	mesh_in_resume(h->mesh, e->in, host_clock(h));
	account_enter(NULL);
	host_pump(h);
}

static size_t on_deliver(void *arg, void *obj, const uint8_t *p, size_t len)
{
	struct host *h = arg;
	struct ear *e = obj;
	struct account *was = account_enter(NULL);
	const struct app_habits *habits = &h->app.habits;
	size_t take = len;
	uint64_t wait = 0;

	if (!e->in || e->is_paused)
		world_fail(h->world, "host%u: deliver() on a lane of host%u that %s", h->index,
		           e->ledger->origin->host, e->in ? "takes nothing now" : "has ended");
	if (!len)
		world_fail(h->world, "host%u: deliver() of nothing", h->index);
	if (!h->world->is_quiet) {
		if (rng_chance(&h->app.rng, habits->pause_ppm)) {
			take = rng_below(&h->app.rng, len);
			wait = rng_below(&h->app.rng, habits->pause_ns);
		} else if (rng_chance(&h->app.rng, habits->drib_ppm)) {
			take = rng_below(&h->app.rng, len);
			wait = rng_below(&h->app.rng, MS);
		}
	}
	if (take < len) {
		e->is_paused = true;
		e->paused_since = h->world->now;
		heap_put(&h->world->heap, h->world->now + wait, on_resume, e,
		         (uint64_t)h->index << 32 | h->app.generation);
	}
	book_bytes(e, p, take);
	account_enter(was);
	return take;
}

static void on_gap(void *arg, void *obj, uint64_t count, bool exact)
{
	struct account *was = account_enter(NULL);

	(void)arg;
	book_gap(obj, count, exact);
	account_enter(was);
}

static void on_gone(void *arg, void *obj)
{
	struct account *was = account_enter(NULL);

	(void)arg;
	book_gone(obj);
	account_enter(was);
}

void app_env(struct mesh_env *env)
{
	env->accept = on_accept;
	env->deliver = on_deliver;
	env->gap = on_gap;
	env->gone = on_gone;
	env->writable = on_writable;
}

void app_resume(struct app *a)
{
	for (struct ear *e = a->ears; e; e = e->next_ear)
		if (e->in && e->is_paused)
			on_resume(a->host->world, e,
			          (uint64_t)a->host->index << 32 | a->generation);
}
