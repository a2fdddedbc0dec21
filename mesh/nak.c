/* NAKs: asking for what is missing
 *
 * In small groups at once and unicast. In larger ones after a back-off that is exponentially
 * distributed (RFC 5401, section 3.2.2), by the group, so that one host asks for all.
 *
 * In small groups repairs come in the order in which they were asked for. So one that comes tells
 * that those that were asked for before it, and have not come, are lost: they are asked for again
 * at once (as RFC 8985 infers losses), without waiting for a timer that has to be longer than any
 * round trip. How long a repair takes is a round-trip time, too (Karn: unless asked for twice).
 */
#include "mesh/state.h"

#include <math.h>

/* RFC 5401's RandomBackoff(maxTime, groupSize). */
static uint64_t backoff(struct mesh *m, uint64_t max, uint32_t n)
{
	double lambda = log(n) + 1;
	double x = (double)(mesh_random(m) >> 11) / (double)(UINT64_C(1) << 53);

	x = x * lambda / (double)max + lambda / ((double)max * (exp(lambda) - 1));
	return (uint64_t)((double)max / lambda *
	                  log(x * (exp(lambda) - 1) * ((double)max / lambda)));
}

bool nak_is_unicast(const struct mesh *m, const struct mesh_in *in)
{
	return in->members <= SMALL_GROUP || m->cfg.unicast;
}

/* How long after a NAK the next one for the same segment is sent. */
static uint64_t patience(const struct mesh_in *in, unsigned tries)
{
	uint64_t t = 2 * peer_srtt(in->peer);

	t = t < NAK_NS ? NAK_NS : t;
	while (--tries && t < NAK_MAX_NS)
		t += t / 2;
	return t < NAK_MAX_NS ? t : NAK_MAX_NS;
}

static uint64_t first_missing(const struct mesh_in *in)
{
	return in->cum > in->floor ? in->cum : in->floor;
}

void nak_update(struct mesh *m, struct mesh_in *in, bool fresh, uint64_t now)
{
	if (first_missing(in) >= in->high) {
		list_del(&in->nak_link);
		in->nak_at = NEVER;
		in->answered_seq = 0;
		return;
	}
	if (!list_linked(&in->nak_link))
		list_add_tail(&m->naks, &in->nak_link);
	if (!fresh && in->nak_at != NEVER)
		return;
	if (nak_is_unicast(m, in))
		in->nak_at = now;
	else if (in->nak_at == NEVER)
		in->nak_at = now + backoff(m, 4 * peer_srtt(in->peer), in->members);
	if (in->nak_at <= now)
		peer_ctl(m, in->peer, CTL_NAK);
}

/* Whether the repair of one that was asked for later has come. */
static bool is_overtaken(const struct mesh_in *in, const struct rseg *s, uint64_t seq)
{
	int32_t later = (int32_t)(in->answered_us - s->asked_us);

	return in->answered_seq && (later > 0 || (later == 0 && seq < in->answered_seq));
}

void nak_on_repair(struct mesh *m, struct mesh_in *in, uint64_t seq, uint64_t now)
{
	const struct rseg *s = in_seg(in, seq);

	if (s->tries != 1 || !nak_is_unicast(m, in))
		return;
	peer_rtt(in->peer, (uint64_t)(us32(now) - s->asked_us) * 1000);
	if (in->answered_seq && is_overtaken(in, s, seq))
		return;
	in->answered_seq = seq;
	in->answered_us = s->asked_us;
	if (first_missing(in) < seq) {
		in->nak_at = now;
		peer_ctl(m, in->peer, CTL_NAK);
	}
}

/* Adds what is due to an open NAK. Returns when the next one is. */
static uint64_t add_due(struct mesh_in *in, struct mw_writer *w, uint64_t now, bool *any)
{
	uint64_t base = first_missing(in), at = NEVER, q, due;
	struct mw_range r = {.n = 0};
	bool open = false;

	*any = false;
	for (q = base; q < in->high; q++) {
		struct rseg *s = in_seg(in, q);

		if (s->data)
			continue;
		due = s->tries ? patience(in, s->tries) : 0;
		if (s->tries && (uint64_t)(us32(now) - s->asked_us) * 1000 < due &&
		    !is_overtaken(in, s, q)) {
			due = now + due - (uint64_t)(us32(now) - s->asked_us) * 1000;
			at = due < at ? due : at;
			continue;
		}
		if (!open && !(open = mw_open_nak(w, in->idx, base = q)))
			return now;
		if (r.n && r.seq + r.n == q && r.n < UINT16_MAX) {
			r.n++;
		} else {
			if (r.n && !mw_add_range(w, &base, &r))
				break;
			r = (struct mw_range){q, 1};
		}
		s->asked_us = us32(now);
		s->is_hushed = false;
		if (s->tries < 100)
			s->tries++;
		in->peer->naks_out++;
		*any = true;
	}
	if (open) {
		/* A range that no longer fits is asked for again when its time comes. */
		if (r.n && q == in->high)
			(void)mw_add_range(w, &base, &r);
		mw_close(w);
	}
	due = now + patience(in, 1);
	return *any && due < at ? due : at;
}

bool nak_write(struct mesh *m, struct mesh_in *in, struct mw_writer *w, uint64_t now)
{
	bool any;

	if (in->nak_at > now)
		return false;
	if (first_missing(in) >= in->high || !in->ring || in->state != IN_JOINED) {
		list_del(&in->nak_link);
		in->nak_at = NEVER;
		return false;
	}
	in->nak_at = add_due(in, w, now, &any);
	if (any)
		m->stats.naks_out++;
	return any;
}

void nak_on_other(struct mesh *m, struct mesh_in *in, struct mw_list *list, uint64_t now)
{
	struct mw_range r;
	uint64_t q;

	(void)m;
	if (in->state != IN_JOINED || in->class != MESH_RELIABLE || !in->ring)
		return;
	while (mw_nak_next(list, &r) > 0)
		for (q = r.seq > in->next ? r.seq : in->next; q < r.seq + r.n && q < in->high;
		     q++) {
			struct rseg *s = in_seg(in, q);

			/* Once for each time that we ask: nobody can keep us from it. */
			if (s->data || s->is_hushed)
				continue;
			s->is_hushed = true;
			s->asked_us = us32(now);
			if (!s->tries)
				s->tries = 1;
		}
}

void nak_tick(struct mesh *m, uint64_t now)
{
	struct list *it;

	list_for_each(it, &m->naks) {
		struct mesh_in *in = list_entry(it, struct mesh_in, nak_link);

		if (in->nak_at <= now)
			peer_ctl(m, in->peer, CTL_NAK);
	}
}
