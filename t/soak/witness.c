/*
 * Witnesses
 */

#include "t/soak/witness.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define OPEN_MS      20000
#define STALL_MAX_MS 3000u

const struct witness_kind witness_kinds[] = {
        {"witness calm", DIALECT_NATIVE, CH_CALM, false, false, false},
        {"witness calm json", DIALECT_JSON, CH_CALM, false, false, false},
        {"witness block", DIALECT_NATIVE, CH_BLOCK, false, false, false},
        {"witness block json", DIALECT_JSON, CH_BLOCK, false, false, false},
        {"witness oldest", DIALECT_NATIVE, CH_OLDEST, true, true, false},
        {"witness oldest json", DIALECT_JSON, CH_OLDEST, true, true, false},
        {"witness newest", DIALECT_NATIVE, CH_NEWEST, true, true, false},
        {"witness newest json", DIALECT_JSON, CH_NEWEST, true, true, false},
        {"witness conflate", DIALECT_NATIVE, CH_CONFLATE, true, true, false},
        {"witness conflate json", DIALECT_JSON, CH_CONFLATE, true, true, false},
        {"witness slow", DIALECT_NATIVE, CH_SLOW, true, false, true},
        {"witness changing", DIALECT_NATIVE, CH_CHANGING, true, false, true},
        {"witness fifo", DIALECT_NATIVE, CH_FIFO, false, false, false},
        {"witness dump", DIALECT_NATIVE, CH_DUMP, true, false, false},
};
const unsigned n_witnesses = sizeof(witness_kinds) / sizeof(*witness_kinds);

_Static_assert(sizeof(witness_kinds) / sizeof(*witness_kinds) <= SOAK_WITNESSES_MAX,
               "every witness has its place");

static void answer(struct client *c, struct soak_witness *me, uint32_t inquiry)
{
	if (c->opt.dialect == DIALECT_NATIVE && !client_sync(c, 1000))
		return;
	atomic_store(&me->received, c->ledger.received);
	atomic_store(&me->lost, c->ledger.lost);
	atomic_store(&me->missing, c->ledger.missing);
	atomic_store(&me->sessions, c->sessions);
	atomic_store(&me->answered, inquiry);
}

static bool has_ended(const struct client *c)
{
	return c->is_ended ||
	       (soak->is_over && c->opt.comes_back && nc_state(c->nc) != NC_CONNECTED);
}

void witness_live(unsigned number)
{
	const struct witness_kind *kind = &witness_kinds[number];
	struct client_options o = {.dialect = kind->dialect,
	                           .channel = kind->channel,
	                           .label = kind->label,
	                           .pattern = ">",
	                           .policy = -1,
	                           .comes_back = kind->leaves};
	struct soak_witness *me = &soak->witnesses[number];
	uint32_t answered = 0;
	struct client c;

	signal(SIGTERM, SIG_IGN);
	if (!client_open(&c, &o, 0, OPEN_MS))
		soak_fail("%s was not let in", o.label);
	c.ledger.is_from_start = true;
	c.ledger.is_complete = true;
	c.ledger.heard = me->heard;
	for (;;) {
		uint32_t inquiry = atomic_load(&soak->inquiry);

		client_step(&c, 20);
		if (has_ended(&c))
			break;
		if (inquiry != answered) {
			answer(&c, me, inquiry);
			answered = atomic_load(&me->answered);
		} else if (kind->stalls && chance_one_in(300)) {
			poll(NULL, 0, (int)chance_below(STALL_MAX_MS));
		}
	}
	if (!soak->is_over)
		soak_fail("%s was disconnected", o.label);
	client_close(&c);
	_exit(0);
}
