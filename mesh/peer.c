/* Peers: who is there, and whether they hear us
 *
 * A peer's entry outlives the peer: what was heard of its lanes stays for MEMORY_NS, so that gaps
 * are exact when the same boot comes back.
 */
#include "mesh/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct peer *peer_find(struct mesh *m, const uint8_t *boot)
{
	struct peer *p = m->last_peer;

	if (p && !memcmp(p->boot, boot, MW_BOOT_LEN))
		return p;
	p = map_get(&m->by_boot, boot, MW_BOOT_LEN);
	if (p)
		m->last_peer = p;
	return p;
}

/* Makes room: forgets whoever is no peer any more and was heard longest ago. */
static bool make_room(struct mesh *m)
{
	struct peer *oldest = NULL;
	struct list *it;

	list_for_each(it, &m->peers) {
		struct peer *p = list_entry(it, struct peer, link);

		if (p->state >= MESH_PEER_LEFT && (!oldest || p->heard_at < oldest->heard_at))
			oldest = p;
	}
	if (oldest)
		peer_free(m, oldest);
	return oldest;
}

struct peer *peer_new(struct mesh *m, const uint8_t *boot, const struct mesh_addr *from,
                      uint64_t now)
{
	struct peer *p;

	if (m->n_new >= NEW_MAX ||
	    (map_len(&m->by_boot) - m->n_new >= m->cfg.max_peers && !make_room(m)))
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	memcpy(p->boot, boot, sizeof(p->boot));
	if (deadlines_reserve(&m->dues, map_len(&m->by_boot) + 1u) ||
	    deadlines_reserve(&m->statuses, map_len(&m->by_boot) + 1u) ||
	    map_put(&m->by_boot, p->boot, sizeof(p->boot), p)) {
		free(p);
		return NULL;
	}
	list_add_tail(&m->peers, &p->link);
	list_init(&p->name_link);
	list_init(&p->ctl_link);
	list_init(&p->ask_link);
	list_init(&p->ins);
	list_init(&p->members);
	p->id = m->next_peer_id++;
	p->addr = *from;
	p->challenge_at = NEVER;
	p->since = p->heard_at = now;
	p->limit = m->cfg.liveness_ms * NS_MS;
	bucket_init(&p->answers, ANSWERS_TO_ONE, ANSWERS_TO_ONE / 4, now);
	m->n_new++;
	m->stats.n_peers++;
	return p;
}

static void unname(struct mesh *m, struct peer *p)
{
	struct name *n = p->name;

	list_del(&p->name_link);
	p->name = NULL;
	p->host[0] = 0;
	if (!n || !list_empty(&n->peers))
		return;
	map_del(&m->by_host, n->text, strlen(n->text));
	free(n);
}

int peer_name(struct mesh *m, struct peer *p, const char *text, size_t len)
{
	struct name *n = map_get(&m->by_host, text, len);

	if (n && n == p->name)
		return 0;
	unname(m, p);
	if (!n) {
		n = calloc(1, sizeof(*n));
		if (!n)
			return -ENOMEM;
		list_init(&n->peers);
		memcpy(n->text, text, len);
		if (map_put(&m->by_host, n->text, len, n)) {
			free(n);
			return -ENOMEM;
		}
	}
	memcpy(p->host, n->text, sizeof(p->host));
	p->name = n;
	list_add_tail(&n->peers, &p->name_link);
	return 0;
}

void peer_free(struct mesh *m, struct peer *p)
{
	struct list *it;

	while (!list_empty(&p->members))
		member_free(m, list_entry(p->members.next, struct member, peer_link), m->now);
	while (!list_empty(&p->ins))
		in_free(m, list_entry(p->ins.next, struct mesh_in, link));
	list_for_each(it, &m->peers) {
		struct peer *q = list_entry(it, struct peer, link);

		if (q->rival == p)
			q->rival = NULL;
	}
	if (p->state == MESH_PEER_NEW)
		m->n_new--;
	if (peer_is_up(p))
		m->n_up--;
	if (m->last_peer == p)
		m->last_peer = NULL;
	m->n_freed++;
	unname(m, p);
	map_del(&m->by_boot, p->boot, sizeof(p->boot));
	list_del(&p->link);
	list_del(&p->ctl_link);
	list_del(&p->ask_link);
	deadline_clear(&m->dues, &p->due);
	deadline_clear(&m->statuses, &p->status);
	seal_free(p->seal);
	free(p->replay);
	free(p);
	m->stats.n_peers--;
}

bool peer_is_up(const struct peer *p)
{
	return p->state == MESH_PEER_UP || p->state == MESH_PEER_SUSPECT;
}

void peer_set_state(struct mesh *m, struct peer *p, enum mesh_peer_state s, uint64_t now)
{
	enum mesh_peer_state was = p->state;
	struct mesh_peer_info info;
	bool up = peer_is_up(p);

	if (s == was)
		return;
	p->state = s;
	p->since = now;
	if (s == MESH_PEER_NEW)
		m->n_new++;
	else if (was == MESH_PEER_NEW)
		m->n_new--;
	if (peer_is_up(p) && !up)
		m->n_up++;
	else if (!peer_is_up(p) && up)
		m->n_up--;
	if (peer_is_up(p) != up) {
		/* Tell it, and everybody, what they need to know of each other. */
		announce_apart(m, 5 * NS_MS * m->n_up, 0, now);
		if (!up)
			peer_ctl(m, p, CTL_STATUS | CTL_ALL);
	}
	peer_wake(m, p, now);
	if (s == MESH_PEER_SUSPECT || (s == MESH_PEER_UP && was == MESH_PEER_SUSPECT))
		return;
	peer_info(p, &info);
	m->env.peer(m->env.arg, &info, was);
}

void peer_wake(struct mesh *m, struct peer *p, uint64_t at)
{
	if (!deadline_is_set(&p->due) || at < p->due.at)
		deadline_set(&m->dues, &p->due, at);
}

void peer_gone(struct mesh *m, struct peer *p, enum mesh_peer_state s, uint64_t now)
{
	struct list *it, *next;

	while (!list_empty(&p->members))
		member_free(m, list_entry(p->members.next, struct member, peer_link), now);
	p->ctl = 0;
	p->n_notes = 0;
	list_del(&p->ctl_link);
	list_del(&p->ask_link);
	deadline_clear(&m->statuses, &p->status);
	p->challenge_at = NEVER;
	p->proven = p->multicast_heard = false;
	p->nonce_set = false;
	p->tries = p->stage = 0;
	list_for_each_safe(it, next, &p->ins)
		in_lost(m, list_entry(it, struct mesh_in, link), p->left, now);
	peer_set_state(m, p, s, now);
}

void peer_hears_us(struct mesh *m, struct peer *p, uint64_t now)
{
	p->hears_us_at = now;
	if (p->state == MESH_PEER_ONE_WAY)
		peer_set_state(m, p, MESH_PEER_UP, now);
}

void peer_ctl(struct mesh *m, struct peer *p, unsigned what)
{
	p->ctl |= what;
	if (!list_linked(&p->ctl_link))
		list_add_tail(&m->ctl, &p->ctl_link);
}

void peer_note(struct mesh *m, struct peer *p, enum mw_kind kind, uint16_t lane, uint32_t token)
{
	unsigned i;

	for (i = 0; i < p->n_notes; i++)
		if (p->notes[i].kind == kind && p->notes[i].lane == lane)
			return;
	/* One that finds no room is caused anew: by the next STATUS, or JOIN. */
	if (p->n_notes == NOTES_MAX)
		return;
	p->notes[p->n_notes++] = (struct note){(uint8_t)kind, lane, token};
	peer_ctl(m, p, CTL_NOTES);
}

/* RFC 6298's smoothing. */
void peer_rtt(struct peer *p, uint64_t sample)
{
	if (sample > 10 * NS_S)
		return;
	if (!sample)
		sample = 1;
	p->srtt = p->srtt ? p->srtt - p->srtt / 8 + sample / 8 : sample;
}

/* ---- liveness ---- */

/* Heard lists name all peers once in so many announcements. */
static uint64_t rounds(const struct mesh *m)
{
	return 1 + m->n_up / 64;
}

static void sweep_live(struct mesh *m, struct peer *p, uint64_t now)
{
	uint64_t silent = now > p->heard_at ? now - p->heard_at : 0;
	uint64_t deaf = now > p->hears_us_at ? now - p->hears_us_at : 0;
	uint64_t at;

	if (silent >= p->limit) {
		peer_gone(m, p, MESH_PEER_GONE, now);
		return;
	}
	if (now > p->group_at && now - p->group_at >= p->limit)
		p->multicast_heard = false;
	if (silent >= p->limit / 2) {
		if (p->state == MESH_PEER_UP)
			peer_set_state(m, p, MESH_PEER_SUSPECT, now);
		if (p->state == MESH_PEER_SUSPECT)
			proof_probe(m, p, now);
		at = p->heard_at + p->limit;
	} else {
		if (p->state == MESH_PEER_SUSPECT)
			peer_set_state(m, p, MESH_PEER_UP, now);
		at = p->heard_at + p->limit / 2;
	}
	if (p->state == MESH_PEER_UP && deaf >= p->limit * rounds(m)) {
		while (!list_empty(&p->members))
			member_free(m, list_entry(p->members.next, struct member, peer_link), now);
		peer_set_state(m, p, MESH_PEER_ONE_WAY, now);
	} else if (p->state == MESH_PEER_UP && deaf >= p->limit * rounds(m) / 2) {
		proof_probe(m, p, now);
	}
	if (p->challenge_at > now && p->challenge_at < at)
		at = p->challenge_at;
	if (p->hears_us_at + p->limit * rounds(m) / 2 > now &&
	    p->hears_us_at + p->limit * rounds(m) / 2 < at)
		at = p->hears_us_at + p->limit * rounds(m) / 2;
	peer_wake(m, p, at);
}

/* What is heard of its lanes: joins, tails, windows that open again. */
static void sweep_ins(struct mesh *m, struct peer *p, uint64_t now)
{
	struct list *it, *next;

	list_for_each_safe(it, next, &p->ins)
		in_sweep(m, list_entry(it, struct mesh_in, link), now);
	/* Whoever is told by TO knows that it is heard: not one that is gone. */
	if (!p->proven || !p->n_in)
		return;
	if (p->status_sent_at + m->announce_gap <= now) {
		peer_ctl(m, p, CTL_STATUS | CTL_ALL);
		peer_wake(m, p, now + m->announce_gap);
	} else {
		peer_wake(m, p, p->status_sent_at + m->announce_gap);
	}
}

static void sweep_peer(struct mesh *m, struct peer *p, uint64_t now)
{
	uint64_t end = NEVER;

	switch (p->state) {
	case MESH_PEER_NEW: proof_sweep(m, p, now); return;
	case MESH_PEER_ONE_WAY:
	case MESH_PEER_UP:
	case MESH_PEER_SUSPECT:
		sweep_ins(m, p, now);
		sweep_live(m, p, now);
		return;
	case MESH_PEER_LEFT:
	case MESH_PEER_GONE:
		sweep_ins(m, p, now);
		end = p->since + MEMORY_NS;
		break;
	case MESH_PEER_REFUSED_NAME:
	case MESH_PEER_REFUSED_MTU:
	case MESH_PEER_REFUSED_SELF: end = p->retry_at; break;
	}
	if (end <= now)
		peer_free(m, p);
	else
		peer_wake(m, p, end);
}

/* Our own lanes: members that hold them up, and lanes that are over. */
static void sweep_lanes(struct mesh *m, uint64_t now)
{
	struct list *it, *next;
	uint64_t at;

	list_for_each_safe(it, next, &m->busy) {
		at = member_check(m, list_entry(it, struct mesh_lane, busy_link), now);
		m->house_at = at < m->house_at ? at : m->house_at;
	}
	list_for_each_safe(it, next, &m->lanes) {
		struct mesh_lane *l = list_entry(it, struct mesh_lane, link);

		if (l->closing && !l->over_left && !lane_is_busy(l))
			lane_free(m, l);
	}
}

/* Looks at a peer, and at the latest after a while again, whatever wakes it. */
static void look(struct mesh *m, struct peer *p, uint64_t now)
{
	peer_wake(m, p, now + NS_S * rounds(m));
	sweep_peer(m, p, now);
}

uint64_t peer_sweep_at(const struct mesh *m)
{
	uint64_t at = deadlines_when(&m->dues);

	return at < m->house_at ? at : m->house_at;
}

void peer_sweep(struct mesh *m, uint64_t now)
{
	uint64_t late = now > m->house_at ? now - m->house_at : 0;
	struct deadline *d;
	struct list *it;

	/* We were not scheduled: their silence is our own deafness. */
	if (late > m->cfg.liveness_ms * NS_MS / 4)
		list_for_each(it, &m->peers) {
			struct peer *p = list_entry(it, struct peer, link);

			p->heard_at += late;
			p->hears_us_at += late;
			p->group_at += late;
		}
	while ((d = deadlines_first(&m->dues)) && d->at <= now) {
		deadline_clear(&m->dues, d);
		look(m, list_entry(d, struct peer, due), now);
	}
	if (m->house_at > now)
		return;
	m->house_at = now + NS_S;
	in_forget_active(m, now);
	if (!m->n_active)
		pool_clear(&m->pool);
	sweep_lanes(m, now);
}
