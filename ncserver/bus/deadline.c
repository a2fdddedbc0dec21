/* deadline.c - what happens in the bus because time has passed
 *
 * Connections that said nothing count as JSON clients, receivers that held up others for too long
 * are disconnected, and a probation ends. The loop asks in each turn when the next of these is due,
 * with perhaps thousands of receivers that hold up senders for a moment: so that nobody walks over
 * them then, `soon` is kept, at which or after which the first of them is due. Who leaves does not
 * change it, and at worst bus_tick() finds nothing to do, and looks when the next one is.
 */
#include "ncserver/bus/bus.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/slow.h"
#include "ncserver/bus/state.h"
#include "ncserver/bus/chan.h"
#include "ncserver/conf/conf.h"

static bool is_waited_for(const struct bus *b)
{
	return !list_empty(&b->blocking) || !list_empty(&b->probation);
}

/* How long it may hold up those who send to it. Where another host is among them it is to end
 * before that host gives this one up. */
static uint32_t block_ms(const struct client *c)
{
	uint32_t ms = c->chan->conf->queue.block_timeout_ms;
	uint32_t net_ms = c->bus->conf->net_block_timeout_ms / 2;

	return c->holds_lane && net_ms < ms ? net_ms : ms;
}

/* Hosts that do not take what they hear are the mesh's affair. */
static uint64_t block_deadline(const struct client *c)
{
	return c->lane ? UINT64_MAX : c->block_from + (uint64_t)block_ms(c) * 1000000;
}

static void expect(struct bus *b, uint64_t at)
{
	if (!is_waited_for(b) || at < b->soon)
		b->soon = at;
}

void bus_expect_block(struct bus *b, struct client *c)
{
	expect(b, block_deadline(c));
	if (!list_linked(&c->blocking))
		list_add_tail(&b->blocking, &c->blocking);
}

void bus_expect_probation(struct bus *b, struct client *c)
{
	expect(b, c->probation_until);
	list_add_tail(&b->probation, &c->probation);
}

void bus_expect_anew(struct bus *b)
{
	const struct list *it;

	b->soon = UINT64_MAX;
	list_for_each(it, &b->blocking) {
		uint64_t at = block_deadline(list_entry(it, struct client, blocking));

		b->soon = at < b->soon ? at : b->soon;
	}
	list_for_each(it, &b->probation) {
		uint64_t at = list_entry(it, struct client, probation)->probation_until;

		b->soon = at < b->soon ? at : b->soon;
	}
}

uint64_t bus_next_deadline(const struct bus *b)
{
	uint64_t at = is_waited_for(b) ? b->soon : UINT64_MAX;
	uint64_t decide_at;

	if (list_empty(&b->undecided))
		return at;
	decide_at = list_entry(b->undecided.next, struct client, fresh)->decide_at;
	return decide_at < at ? decide_at : at;
}

static void end_slow(struct client *c)
{
	slow_note(c->bus->slow, c, SLOW_DISCONNECTED);
	queue_drop_all(&c->out);
	client_end(c, NC_ESLOW, "read nothing for %u ms while others waited", block_ms(c));
}

/* The end of one takes others out of the list: those that only it waited for. So it is not walked
 * meanwhile. */
static void end_blocking(struct bus *b, uint64_t now)
{
	struct list late, *it, *next;

	list_init(&late);
	list_for_each_safe(it, next, &b->blocking) {
		if (block_deadline(list_entry(it, struct client, blocking)) > now)
			continue;
		list_del(it);
		list_add_tail(&late, it);
	}
	while (!list_empty(&late))
		end_slow(list_entry(late.next, struct client, blocking));
}

void bus_tick(struct bus *b, uint64_t now)
{
	struct list *it, *next;

	b->now = now;
	while (!list_empty(&b->undecided)) {
		struct client *c = list_entry(b->undecided.next, struct client, fresh);

		if (c->decide_at > now)
			break;
		client_decide(c, DIALECT_JSON);
		c->presumed = true;
	}
	if (b->soon > now)
		return;
	end_blocking(b, now);
	list_for_each_safe(it, next, &b->probation) {
		struct client *c = list_entry(it, struct client, probation);

		if (c->probation_until > now)
			continue;
		list_del(&c->probation);
		c->on_probation = false;
		client_set_policy(c);
	}
	bus_expect_anew(b);
}
