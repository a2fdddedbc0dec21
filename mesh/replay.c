/* replay.c - the ring of bits: counter c stands at bit c mod REPLAY_WINDOW */

#include "mesh/replay.h"

#include <assert.h>
#include <string.h>

static_assert((REPLAY_WINDOW & (REPLAY_WINDOW - 1)) == 0 && REPLAY_WINDOW % 64 == 0,
              "the ring is indexed by the low bits of a counter, in words of 64");

void replay_init(struct replay *r, uint64_t first)
{
	memset(r, 0, sizeof(*r));
	r->first = first;
}

static uint64_t bit(uint64_t counter)
{
	return UINT64_C(1) << counter % 64;
}

static uint64_t *word(struct replay *r, uint64_t counter)
{
	return &r->seen[counter % REPLAY_WINDOW / 64];
}

bool replay_check(const struct replay *r, uint64_t counter)
{
	if (counter < r->first)
		return false;
	if (!r->is_begun || counter > r->top)
		return true;
	if (r->top - counter >= REPLAY_WINDOW)
		return false;
	return !(r->seen[counter % REPLAY_WINDOW / 64] & bit(counter));
}

/* Forgets the places of the `n` counters from `counter` on, n < REPLAY_WINDOW: they stand for
 * others now. */
static void clear(struct replay *r, uint64_t counter, uint64_t n)
{
	for (; n && counter % 64; n--, counter++)
		*word(r, counter) &= ~bit(counter);
	for (; n >= 64; n -= 64, counter += 64)
		*word(r, counter) = 0;
	for (; n; n--, counter++)
		*word(r, counter) &= ~bit(counter);
}

void replay_commit(struct replay *r, uint64_t counter)
{
	if (!r->is_begun) {
		r->is_begun = true;
		r->top = counter;
	} else if (counter > r->top) {
		if (counter - r->top >= REPLAY_WINDOW)
			memset(r->seen, 0, sizeof(r->seen));
		else
			clear(r, r->top + 1, counter - r->top);
		r->top = counter;
	}
	*word(r, counter) |= bit(counter);
}
