/* Windows: what is taken of lanes of other hosts, and when their senders are told */
#include "mesh/state.h"

size_t in_memory_max(const struct mesh *m)
{
	size_t kept = m->cfg.memory_max / 8;

	return m->cfg.memory_max - (kept > m->cfg.mtu ? kept : m->cfg.mtu);
}

/* Segments that there is memory for, from the next one to be delivered on, and that the socket
 * holds, behind the newest one that came. Worked out once for each number of lanes: each segment
 * that comes asks for it. */
static void work_rooms_out(struct mesh *m, uint32_t n_active)
{
	size_t held = in_memory_max(m) / n_active, queued;

	if (held > m->cfg.lane_max)
		held = m->cfg.lane_max;
	held /= m->cfg.mtu;
	/* The kernel charges a datagram with more than its bytes. */
	queued = m->cfg.rcvbuf / (m->cfg.mtu + 1024) / n_active;
	if (held < BURST_MIN)
		held = BURST_MIN;
	if (queued < BURST_MIN)
		queued = BURST_MIN;
	m->rooms.memory = (uint32_t)(held < SEG_MAX ? held : SEG_MAX);
	m->rooms.socket = (uint32_t)(queued < SEG_MAX ? queued : SEG_MAX);
	m->rooms.n_active = n_active;
}

static uint32_t room_in_memory(struct mesh *m)
{
	uint32_t n_active = m->n_active ? m->n_active : 1;

	if (m->rooms.n_active != n_active)
		work_rooms_out(m, n_active);
	return m->stats.memory_in > in_memory_max(m) ? BURST_MIN : m->rooms.memory;
}

uint32_t in_window(struct mesh *m)
{
	uint32_t memory = room_in_memory(m);

	return memory < m->rooms.socket ? memory : m->rooms.socket;
}

static bool is_large(const struct mesh_in *in)
{
	return in->members > SMALL_GROUP;
}

/* The end of what is taken now. What is missing does not keep the socket from being filled: it is
 * lost, or was read. In a large group a report comes too seldom for windows as small as a socket:
 * the sender is told what that holds, and keeps to it by its pace. */
static uint64_t limit_of(struct mesh *m, const struct mesh_in *in)
{
	uint64_t by_memory = in->next + room_in_memory(m);
	uint64_t by_socket = in->high + m->rooms.socket;

	if (is_large(in))
		return by_memory;
	return by_memory < by_socket ? by_memory : by_socket;
}

void in_status(struct mesh *m, struct mesh_in *in, struct mw_status *s)
{
	uint64_t limit = limit_of(m, in), window;

	if (limit > in->promised)
		in->promised = limit;
	in->reported = in->cum;
	in->status_due = false;
	s->lane = in->idx;
	s->cum = in->cum;
	window = in->promised - in->cum;
	s->window = (uint16_t)(window < UINT16_MAX ? window : UINT16_MAX);
	s->burst = (uint16_t)m->rooms.socket;
}

/* What a large group takes for a round of all its members. */
static uint64_t round_of(const struct mesh_in *in)
{
	return in->members * STATUS_EACH_NS;
}

void in_status_sent(struct mesh *m, struct peer *p, uint64_t now)
{
	uint64_t round = 0;
	struct list *it;

	list_for_each(it, &p->ins) {
		const struct mesh_in *in = list_entry(it, struct mesh_in, link);

		if (is_large(in) && in->class == MESH_RELIABLE && round_of(in) > round)
			round = round_of(in);
	}
	p->status_even = (p->status_even > now ? p->status_even : now) + round;
	p->status_turn = (uint16_t)mesh_random(m);
}

/* In a large group each member has its share of what the sender is to hear. One in five is kept
 * for when the sender has used half of what it was offered: it hears of more then, if there is. */
static uint64_t status_in_turn(struct mesh *m, const struct mesh_in *in, uint64_t now)
{
	const struct peer *p = in->peer;
	uint64_t round = round_of(in), limit = limit_of(m, in), at;
	uint64_t left = in->promised > in->high ? in->promised - in->high : 0;

	if (limit > in->high && left * 2 < limit - in->high) {
		at = p->status_even > now + round ? p->status_even - round : now;
		return at + round / 4 * p->status_turn / UINT16_MAX;
	}
	at = p->status_sent_at + round + round / 4;
	return at > now ? at : now + STATUS_NS + round * p->status_turn / UINT16_MAX;
}

void in_status_soon(struct mesh *m, struct mesh_in *in, uint64_t now)
{
	struct peer *p = in->peer;
	uint32_t quarter = in_window(m) / 4;
	uint64_t limit = limit_of(m, in), at = now + STATUS_NS;

	in->status_due = true;
	if (is_large(in))
		at = status_in_turn(m, in, now);
	else if (in->cum >= in->reported + quarter || limit >= in->promised + quarter)
		at = now;
	if (at <= now) {
		peer_ctl(m, p, CTL_STATUS);
	} else if (!deadline_is_set(&p->status) || at < p->status.at) {
		deadline_set(&m->statuses, &p->status, at);
	}
}
