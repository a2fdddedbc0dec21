/* reconnect.c - when to try again: exponential back-off with jitter
 *
 * After a server's restart all of its clients come back; spreading each delay over the whole range
 * between the minimum and the cap ("full jitter", M. Brooker, AWS Architecture Blog, 2015) keeps
 * them from coming in waves. A server that accepts and breaks at once does not reset the delay.
 *
 * It holds no clock and no random source.
 */

#include "libnc/client/reconnect.h"

void reconnect_init(struct reconnect *r, uint32_t min_ms, uint32_t max_ms)
{
	*r = (struct reconnect){.min_ms = min_ms, .max_ms = max_ms < min_ms ? min_ms : max_ms};
}

uint32_t reconnect_next_ms(struct reconnect *r, uint64_t random)
{
	uint64_t cap = 2 * (uint64_t)(r->cap_ms ? r->cap_ms : r->min_ms);

	if (cap > r->max_ms)
		cap = r->max_ms;
	/* a minimum of 0 must not double to 0 for ever */
	if (cap < 1)
		cap = r->max_ms ? 1 : 0;
	r->cap_ms = (uint32_t)cap;
	return r->min_ms + (uint32_t)(random % (cap - r->min_ms + 1));
}

void reconnect_ended(struct reconnect *r, uint64_t lasted_ns)
{
	if (lasted_ns > (uint64_t)r->max_ms * 1000000)
		r->cap_ms = 0;
}
