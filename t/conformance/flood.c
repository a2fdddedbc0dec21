/*
 * Clients at full rate: two that flood each other, many to many, a ring that forwards
 */

#include "t/conformance/suite.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Small queues, so that senders are held up again and again. */
static const char tight[] = "hello_wait = 20;\n"
                            "channels = { A = { queue_bytes = 65536; block_timeout = 20000; };\n"
                            "B = { queue_messages = 16; block_timeout = 20000; }; };";

#define MANY 8

/* What one of several flooding clients has heard of the others. */
struct tally {
	int64_t next[MANY];
	unsigned wrong;
};

static void tally(struct peer *p, const struct heard *h)
{
	struct tally *t = p->arg;
	size_t i = (size_t)(h->event[strlen("flood.")] - '0');

	if (i >= MANY || heard_int(h) != t->next[i]++)
		t->wrong++;
}

/* Each emits n events with this much padding as fast as it can, and hears all of the others. */
static void flood_each_other(struct world *w, struct peer **p, struct tally *t, size_t n_peers,
                             int64_t n)
{
	for (size_t i = 0; i < n_peers; i++) {
		p[i]->on_heard = tally;
		p[i]->arg = &t[i];
	}
	for (int64_t m = 0; m < n; m++) {
		for (size_t i = 0; i < n_peers; i++) {
			char event[32];

			snprintf(event, sizeof(event), "flood.%zu", i);
			peer_emit_int(p[i], event, m);
		}
	}
	for (size_t i = 0; i < n_peers; i++)
		peer_settle(p[i]);
	for (size_t i = 0; i < n_peers; i++) {
		peer_barrier(p[i]);
		assert_int_equal(t[i].wrong, 0);
		for (size_t s = 0; s < n_peers; s++)
			assert_int_equal(t[i].next[s], s == i ? 0 : n);
		assert_int_equal(p[i]->lost, 0);
	}
	(void)w;
}

static void two(struct world *w, struct kinds k)
{
	struct tally t[2] = {{.wrong = 0}};
	struct peer *p[] = {world_listener(w, k.from, "A", "flood.*"),
	                    world_listener(w, k.to, "A", "flood.*")};

	flood_each_other(w, p, t, 2, 10000);
}

static void two_with_few_slots(struct world *w, struct kinds k)
{
	struct tally t[2] = {{.wrong = 0}};
	struct peer *p[] = {world_listener(w, k.from, "B", "flood.*"),
	                    world_listener(w, k.to, "B", "flood.*")};

	flood_each_other(w, p, t, 2, 3000);
}

static void many_to_many(struct world *w, struct kinds k)
{
	struct tally t[MANY] = {{.wrong = 0}};
	struct peer *p[MANY];

	for (size_t i = 0; i < MANY; i++)
		p[i] = world_listener(w, i % 2 ? k.from : k.to, "A", "flood.*");
	flood_each_other(w, p, t, MANY, 800);
}

/* ---- a ring */

#define RING   8
#define TOKENS 20
#define HOPS   (RING * 25)

struct station {
	unsigned number;
	unsigned n_heard;
	unsigned failed;
	unsigned n_home; /* tokens that have made all their hops */
};

static unsigned home(const struct station *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RING; i++)
		n += s[i].n_home;
	return n;
}

/* The number of an event is hops * TOKENS + token. */
static void forward(struct peer *p, const struct heard *h)
{
	struct station *s = p->arg;
	int64_t v = heard_int(h) + TOKENS;
	char event[16], json[24];
	struct value next = {.type = NC_INT, .data = &v, .len = sizeof(v), .json = json};

	s->n_heard++;
	if (v / TOKENS >= HOPS) {
		s->n_home++;
		return;
	}
	snprintf(event, sizeof(event), "ring.%u", (s->number + 1) % RING);
	snprintf(json, sizeof(json), "%" PRId64, v);
	s->failed += peer_emit(p, event, &next) != NC_OK;
}

static void ring(struct world *w, struct kinds k)
{
	struct station s[RING];
	struct peer *p[RING];

	for (unsigned i = 0; i < RING; i++) {
		char event[16];

		snprintf(event, sizeof(event), "ring.%u", i);
		p[i] = world_listener(w, i % 2 ? k.from : k.to, "A", event);
		s[i] = (struct station){.number = i};
		p[i]->on_heard = forward;
		p[i]->arg = &s[i];
	}
	for (int64_t token = 0; token < TOKENS; token++)
		peer_emit_int(p[0], "ring.1", token);
	WORLD_UNTIL(w, home(s) == TOKENS);
	for (unsigned i = 0; i < RING; i++) {
		peer_barrier(p[i]);
		assert_int_equal(s[i].failed, 0);
		assert_int_equal(s[i].n_heard, TOKENS * HOPS / RING);
	}
}

static const struct behaviour list[] = {
        {"two clients that flood each other hear everything", PAIRS, two, tight},
        {"with queues of sixteen messages, too", PAIRS, two_with_few_slots, tight},
        {"eight that flood each other hear everything", PAIRS, many_to_many, tight},
        {"a ring of clients forwards each message as often as it should", PAIRS, ring, tight},
};

const struct theme flood_theme = {"flood", list, sizeof(list) / sizeof(*list)};
