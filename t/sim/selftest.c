/* selftest.c - see selftest.h */
#include "t/sim/selftest.h"

#include "t/sim/book.h"
#include "t/sim/world.h"

#include <stdio.h>

/* A writer and a hearer without a session between them. */
struct bench {
	struct world *w;
	struct ledger *ledger;
	struct ear *ear;
};

static struct bench bench_new(struct crypto *crypto, unsigned lane)
{
	struct bench b = {.w = world_new(crypto, 1, 2, false)};
	struct host *from = world_host(b.w, 0), *to = world_host(b.w, 1);
	struct origin *o;

	memset(from->config.boot, 7, MESH_BOOT_LEN);
	b.w->demands.no_gap = true;
	o = book_origin(from);
	b.ledger = &o->ledgers[lane];
	b.ledger->was_open = true;
	b.ear = book_accept(to, from->name, o->tag, lane / 2 ? "ch1" : "ch0",
	                    lane % 2 ? MESH_BEST_EFFORT : MESH_RELIABLE, (void *)b.w);
	return b;
}

/* Message `n` is written, and arrives with a byte turned over, if `at` is inside. */
static void say(struct bench *b, uint64_t n, size_t at)
{
	const struct app_habits habits = {.size_fixed = 100};

	b->ledger->n_begun = n;
	book_frame(b->w, b->ledger, &habits);
	b->ledger->n_begun = n + 1;
	if (at < b->ledger->frame_len)
		b->ledger->frame[at] ^= 1;
	book_bytes(b->ear, b->ledger->frame, b->ledger->frame_len);
}

#define INTACT SIZE_MAX

static void repeated(struct bench *b)
{
	say(b, 0, INTACT);
	say(b, 1, INTACT);
	say(b, 1, INTACT);
}

static void disordered(struct bench *b)
{
	say(b, 1, INTACT);
	say(b, 0, INTACT);
}

static void missing(struct bench *b)
{
	say(b, 0, INTACT);
	say(b, 2, INTACT);
}

static void miscounted(struct bench *b)
{
	say(b, 0, INTACT);
	b->w->demands.no_gap = false;
	b->ledger->n_begun = 10;
	book_gap(b->ear, 2, true);
	say(b, 4, INTACT);
}

static void exaggerated(struct bench *b)
{
	b->w->demands.no_gap = false;
	say(b, 0, INTACT);
	book_gap(b->ear, 1, true);
}

static void causeless(struct bench *b)
{
	say(b, 0, INTACT);
	b->ledger->n_begun = 10;
	book_gap(b->ear, 2, true);
}

static void altered(struct bench *b)
{
	say(b, 0, 120);
}

static void foreign(struct bench *b)
{
	say(b, 0, 9); /* in the sender's id */
}

static void endless(struct bench *b)
{
	book_gone(b->ear);
	book_gone(b->ear);
}

static void unwritten(struct bench *b)
{
	say(b, 5, INTACT);
	b->ledger->n_begun = 3;
	book_bytes(b->ear, b->ledger->frame, b->ledger->frame_len);
}

static void right(struct bench *b)
{
	say(b, 3, INTACT);
	say(b, 4, INTACT);
	b->w->demands.no_gap = false;
	b->ledger->n_begun = 10;
	book_gap(b->ear, 2, true);
	say(b, 7, INTACT);
	book_gone(b->ear);
}

bool selftest(struct crypto *crypto)
{
	static const struct {
		const char *name;
		void (*fn)(struct bench *b);
		bool is_wrong;
	} cases[] = {
	        {"a message heard twice", repeated, true},
	        {"messages out of order", disordered, true},
	        {"a message missing in silence", missing, true},
	        {"a gap of the wrong count", miscounted, true},
	        {"a gap of more than was written", exaggerated, true},
	        {"a gap without a cause", causeless, true},
	        {"a message that was altered", altered, true},
	        {"a message of another sender", foreign, true},
	        {"the end of a lane, twice", endless, true},
	        {"a message that was never written", unwritten, true},
	        {"all in order, and a gap with a cause", right, false},
	};
	bool holds = true;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (unsigned lane = 0; lane < 3; lane += 2) {
			struct bench b = bench_new(crypto, lane);

			cases[i].fn(&b);
			if (b.w->failed != cases[i].is_wrong) {
				printf("FAILED: %s is %s\n", cases[i].name,
				       b.w->failed ? b.w->why : "not noticed");
				holds = false;
			}
			world_free(b.w);
		}
	return holds;
}
