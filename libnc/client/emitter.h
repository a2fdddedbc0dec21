/* emitter.h - the handlers of a client, and which of them hear an event
 *
 * Handlers are kept by pattern. A look-up by event name gives a *plan*: the handlers that hear it,
 * in the order in which they were added. Plans are cached, so that a message costs no walk over
 * patterns. The emitter also knows which patterns the server has yet to be told.
 */
#ifndef NC_CLIENT_EMITTER_H
#define NC_CLIENT_EMITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netcluster/nc.h>

#include "libnc/base/bytes.h"
#include "libnc/base/list.h"
#include "libnc/base/map.h"

struct trie;

/* Distinct patterns, and handlers, of one client. They are the program's own, so these bounds only
 * catch a leak: one that subscribes for ever and never unsubscribes. */
#define EMITTER_PATTERNS_MAX 65536u
#define EMITTER_HANDLERS_MAX 262144u

/* Plans that are kept: more than most programs hear distinct names in one burst. A power of two. */
#define EMITTER_PLANS 32u

struct emitter_handler {
	struct list link; /* in the pattern's handlers, or in the emitter's graveyard */
	struct emitter_pattern *pattern; /* not owned; NULL once removed */
	uint64_t serial;                 /* order of adding */
	nc_handler *fn;
	void *arg; /* not owned */
	bool once;
};

/* What a message with that event name runs. It is not changed after it was made. */
struct emitter_plan {
	uint64_t generation; /* of the emitter when it was made */
	const char *event;   /* terminated; stands behind the handlers */
	unsigned refs;
	uint32_t n_handlers;
	uint8_t event_len;
	struct emitter_handler *handlers[]; /* not owned */
};

struct emitter {
	struct map patterns; /* text -> struct emitter_pattern */
	struct trie *trie;   /* of the patterns that have handlers; NULL before the first */
	struct list changes; /* patterns that the server is to be told */
	struct list graveyard;
	size_t n_handlers;
	uint64_t n_serials;
	uint64_t generation; /* changes with each handler that comes or goes */
	unsigned n_running;
	uint8_t seed[16];
	struct emitter_plan *plans[EMITTER_PLANS]; /* by a hash of the event name */
	struct emitter_plan *last; /* of them, that was looked up last; not owned, or NULL */
};

/* Makes the emitter empty. `seed` is random where event names come from others. */
void emitter_init(struct emitter *e, const uint8_t seed[16]);

/* Frees all. Not while emitter_run() is on the stack. */
void emitter_fini(struct emitter *e);

/* Adds a handler. Returns NC_OK, NC_ENAME (no valid pattern), NC_EQUOTA, NC_ENOMEM. */
int emitter_add(struct emitter *e, const char *pattern, nc_handler *fn, void *arg, bool once);

/* Removes as nc_off() says. Returns NC_OK or NC_ENOENT. */
int emitter_remove(struct emitter *e, const char *pattern, nc_handler *fn, void *arg);

/* Handlers of exactly this pattern, or of all where it is NULL. */
size_t emitter_count(const struct emitter *e, const char *pattern);

/* The plan for an event name, valid until the next look-up; it may hold no handler. Returns NULL
 * without memory. */
static inline struct emitter_plan *emitter_lookup(struct emitter *e, const char *event, size_t len);

/* Runs the plan's handlers with the message. One that is removed meanwhile does not run any more,
 * one that is added does not run. It ends early once *stop is set. The emitter itself stays until
 * this has returned. */
static inline void emitter_run(struct emitter *e, struct emitter_plan *p, nc_client *c,
                               const nc_msg *m, const bool *stop);

/* A new session knows no pattern: all that have handlers are to be told. */
void emitter_forget(struct emitter *e);

/* The next pattern that the server is to be told, and whether it is to LISTEN or to UNLISTEN.
 * Returns false where it knows all. The text is valid until emitter_told(). */
bool emitter_next_change(const struct emitter *e, const char **pattern, size_t *len, bool *listen);

/* Takes note that the server is told what emitter_next_change() last said. */
void emitter_told(struct emitter *e);

static inline bool emitter_has_changes(const struct emitter *e)
{
	return !list_empty(&e->changes);
}

struct emitter_plan *emitter_lookup_slow(struct emitter *e, const char *event, size_t len);

/* For emitter_run(): takes out a handler that is to run once; frees what went while handlers ran.
 */
void emitter_spend(struct emitter *e, struct emitter_handler *h);
void emitter_bury(struct emitter *e);
void emitter_plan_free(struct emitter_plan *p);

#include <string.h>

static inline unsigned emitter_slot(const char *event, size_t len)
{
	uint64_t head = 0, tail = 0;

	/* any function would do: a collision only costs a walk */
	if (len >= sizeof(head)) {
		memcpy(&head, event, sizeof(head));
		memcpy(&tail, event + len - sizeof(tail), sizeof(tail));
	} else {
		for (size_t i = 0; i < len; i++)
			head = head << 8 | (uint8_t)event[i];
	}
	head = (head ^ len) * UINT64_C(0x9E3779B97F4A7C15);
	return (unsigned)(((head ^ tail) * UINT64_C(0xC2B2AE3D27D4EB4F)) >> 32) &
	       (EMITTER_PLANS - 1);
}

static inline bool emitter_plan_fits(const struct emitter *e, const struct emitter_plan *p,
                                     const char *event, size_t len)
{
	return p && p->generation == e->generation && p->event_len == len &&
	       bytes_equal(p->event, event, len);
}

static inline struct emitter_plan *emitter_lookup(struct emitter *e, const char *event, size_t len)
{
	struct emitter_plan *p = e->last;

	/* one event often comes many times in a row */
	if (emitter_plan_fits(e, p, event, len))
		return p;
	p = e->plans[emitter_slot(event, len)];
	if (!emitter_plan_fits(e, p, event, len))
		return emitter_lookup_slow(e, event, len);
	e->last = p;
	return p;
}

static inline void emitter_run(struct emitter *e, struct emitter_plan *p, nc_client *c,
                               const nc_msg *m, const bool *stop)
{
	uint32_t n = p->n_handlers;

	p->refs++;
	e->n_running++;
	for (uint32_t i = 0; i < n && !*stop; i++) {
		struct emitter_handler *h = p->handlers[i];
		nc_handler *fn = h->fn;
		void *arg = h->arg;

		if (!h->pattern)
			continue;
		if (h->once)
			emitter_spend(e, h);
		fn(c, m, arg);
	}
	if (!--e->n_running && !list_empty(&e->graveyard))
		emitter_bury(e);
	if (!--p->refs)
		emitter_plan_free(p);
}

#endif
