/* Members: the hosts that hear our lanes, what they have, and what they take */
#include "mesh/state.h"

#include <stdlib.h>

struct member *member_find(const struct mesh_lane *l, const struct peer *p)
{
	struct list *it;

	/* A peer hears few lanes, a lane may be heard by many peers. */
	list_for_each(it, &p->members) {
		struct member *mb = list_entry(it, struct member, peer_link);

		if (mb->lane == l)
			return mb;
	}
	return NULL;
}

/* Whether this member keeps the lane from going on. */
static bool holds_up(const struct mesh_lane *l, const struct member *mb)
{
	if (l->sent < l->next && mb->limit <= l->sent)
		return true;
	/* no room, for what this one lacks; who has all that was sent waits for others itself */
	return l->short_write && mb->cum == l->base && mb->cum < l->sent;
}

static void unlink(struct member *mb)
{
	if (!mb->is_out) {
		mb->lane->n_members--;
		mb->peer->n_out--;
	}
	list_del(&mb->link);
}

void member_free(struct mesh *m, struct member *mb, uint64_t now)
{
	struct mesh_lane *l = mb->lane;

	unlink(mb);
	list_del(&mb->peer_link);
	free(mb);
	lane_advance(m, l, now);
}

/* Nothing waits for it any more. That it was evicted is remembered: it comes back later each time,
 * whatever it says, so that one that takes nothing can't hold up a lane again and again. */
static void put_out(struct mesh *m, struct member *mb, uint64_t now)
{
	bool forgiven = !mb->out_at || now - mb->out_at > FORGIVEN_NS;

	unlink(mb);
	mb->is_out = true;
	mb->joined_due = false;
	list_add_tail(&mb->lane->outs, &mb->link);
	mb->out_for = forgiven ? REJOIN_NS : mb->out_for * 4;
	if (mb->out_for > REJOIN_MAX_NS)
		mb->out_for = REJOIN_MAX_NS;
	mb->out_at = now;
	lane_advance(m, mb->lane, now);
}

/* It takes part from what is sent next on. */
static void begin(struct member *mb, uint64_t now)
{
	struct mesh_lane *l = mb->lane;

	if (mb->is_out) {
		list_del(&mb->link);
		mb->is_out = false;
		list_add_tail(&l->members, &mb->link);
		l->n_members++;
		mb->peer->n_out++;
	}
	mb->joined_at = now;
	mb->has_said = false;
	mb->held_at = 0;
	mb->join_seq = mb->cum = mb->limit = l->sent;
	mb->join_msgs = lane_msgs_at_sent(l);
}

static struct member *member_new(struct mesh_lane *l, struct peer *p, uint64_t now)
{
	struct member *mb = calloc(1, sizeof(*mb));

	if (!mb)
		return NULL;
	mb->lane = l;
	mb->peer = p;
	mb->is_out = true;
	list_add_tail(&l->outs, &mb->link);
	list_add_tail(&p->members, &mb->peer_link);
	begin(mb, now);
	return mb;
}

/* What a socket holds, as far as we believe it. */
static uint32_t burst_of(uint32_t said)
{
	return said < BURST_MIN ? BURST_MIN : said < SEG_MAX ? said : SEG_MAX;
}

void member_on_join(struct mesh *m, struct peer *p, const struct mw_join *j, uint64_t now)
{
	struct mesh_lane *l = lane_by_idx(m, j->lane);
	struct member *mb;

	if (!l || l->class != MESH_RELIABLE) {
		peer_note(m, p, MW_END, j->lane, 0);
		return;
	}
	if (!peer_is_up(p))
		return;
	mb = member_find(l, p);
	if (mb && mb->is_out && now - mb->out_at < mb->out_for)
		return;
	if (!mb) {
		mb = member_new(l, p, now);
		if (!mb)
			return;
	} else if (mb->is_out) {
		begin(mb, now);
	} else if (mb->token != j->token && (mb->has_said || now - mb->joined_at > NS_S / 2)) {
		/* What it had of this lane it has forgotten. */
		if (holds_up(l, mb)) {
			put_out(m, mb, now);
			return;
		}
		begin(mb, now);
	}
	mb->token = j->token;
	if (!mb->has_said) {
		mb->limit = mb->join_seq + (j->window < SEG_MAX ? j->window : SEG_MAX);
		mb->burst = burst_of(j->window);
		mb->joined_due = true;
		peer_ctl(m, p, CTL_JOINED);
	}
	lane_advance(m, l, now);
}

void member_on_status(struct mesh *m, struct peer *p, const struct mw_status *s, uint64_t now)
{
	struct mesh_lane *l = lane_by_idx(m, s->lane);
	struct member *mb = l ? member_find(l, p) : NULL;
	uint64_t limit;

	if (!l) {
		peer_note(m, p, MW_END, s->lane, 0);
		return;
	}
	if (!mb || mb->is_out) {
		if (peer_is_up(p))
			peer_note(m, p, MW_EVICTED, s->lane, 0);
		return;
	}
	/* What was never sent nobody has, and nothing is unsaid. */
	if (s->cum > l->sent)
		return;
	mb->has_said = true;
	mb->burst = burst_of(s->burst);
	limit = s->cum + (s->window < SEG_MAX ? s->window : SEG_MAX);
	if (s->cum > mb->cum || limit > mb->limit) {
		mb->held_at = 0;
		mb->cum = s->cum > mb->cum ? s->cum : mb->cum;
		mb->limit = limit > mb->limit ? limit : mb->limit;
		lane_advance(m, l, now);
	}
}

void member_on_part(struct mesh *m, struct peer *p, uint16_t lane, uint64_t now)
{
	struct mesh_lane *l = lane_by_idx(m, lane);
	struct member *mb = l ? member_find(l, p) : NULL;

	if (!mb || mb->is_out)
		return;
	/* Whoever goes because it was asked for too much is out as if evicted. */
	if (holds_up(l, mb) || mb->out_at)
		put_out(m, mb, now);
	else
		member_free(m, mb, now);
}

/* One that was found to hold the lane up before is asked by itself, and parts again if it has
 * parted. In a large group a few are, by chance. */
static void ask(struct mesh *m, struct member *mb, uint32_t n_holding)
{
	if (n_holding <= SMALL_GROUP || mesh_random(m) % n_holding < SMALL_GROUP)
		peer_note(m, mb->peer, MW_HEAD, mb->lane->idx, 0);
}

static uint32_t count_holding(const struct mesh_lane *l)
{
	uint32_t n = 0;
	struct list *it;

	list_for_each(it, &l->members)
		n += list_entry(it, struct member, link)->held_at > 0;
	return n;
}

uint64_t member_check(struct mesh *m, struct mesh_lane *l, uint64_t now)
{
	uint64_t wait = m->cfg.block_ms * NS_MS, at = now + wait / 8;
	uint32_t n_holding = count_holding(l);
	struct list *it, *next;

	list_for_each_safe(it, next, &l->members) {
		struct member *mb = list_entry(it, struct member, link);
		struct peer *p = mb->peer;
		struct mesh_peer_info info;

		if (!holds_up(l, mb)) {
			mb->held_at = 0;
			continue;
		}
		if (!mb->held_at)
			mb->held_at = now;
		else if (now - mb->held_at >= wait / 8)
			ask(m, mb, n_holding);
		if (now - mb->held_at < wait) {
			at = mb->held_at + wait < at ? mb->held_at + wait : at;
			continue;
		}
		p->evictions++;
		m->stats.evictions++;
		peer_note(m, p, MW_EVICTED, l->idx, mb->token);
		peer_info(p, &info);
		m->env.evicted(m->env.arg, &info, l->channel);
		put_out(m, mb, now);
	}
	return at;
}
