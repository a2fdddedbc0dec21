/* Lanes of other hosts: put in order, delivered, and told where something is missing
 *
 * `next` is what is delivered next, `cum` the first segment that is missing, `high` the end of what
 * is known to exist: next <= cum <= high. Between next and high the ring holds what has come, and
 * remembers what was asked for. A segment that comes in order goes to the upper layer from where it
 * lies, without a copy.
 */
#include "libnc/wire/name.h"
#include "mesh/state.h"

#include <stdlib.h>
#include <string.h>

struct mesh_in *in_find(struct mesh *m, const struct peer *p, uint16_t lane)
{
	uint64_t key = p->id << 16 | lane;

	if (!m->last_in || m->last_in->key != key)
		m->last_in = map_get_u64(&m->ins, key);
	return m->last_in;
}

/* ---- memory ---- */

/* Makes the ring hold [next, end). */
static bool ring_fit(struct mesh_in *in, uint64_t end)
{
	uint32_t cap = in->ring_cap ? in->ring_cap : 64;
	struct rseg *ring;
	uint64_t q;

	/* it may have gone far ahead while this one waits */
	if (end - in->next > SEG_MAX)
		return false;
	while (cap < end - in->next)
		cap *= 2;
	if (cap == in->ring_cap)
		return true;
	if (!(ring = calloc(cap, sizeof(*ring))))
		return false;
	for (q = in->next; q - in->next < in->ring_cap; q++)
		ring[q & (cap - 1)] = *in_seg(in, q);
	free(in->ring);
	in->ring = ring;
	in->ring_cap = cap;
	return true;
}

/* Of a sequence from `next` on. */
static bool is_here(const struct mesh_in *in, uint64_t seq)
{
	return in->ring && seq - in->next < in->ring_cap && in_seg(in, seq)->data;
}

static void seg_clear(struct mesh *m, struct rseg *s)
{
	if (s->data)
		m->stats.memory_in -= s->len;
	pool_put(&m->pool, s->data, s->len);
	*s = (struct rseg){0};
}

/* Goes on behind `next`. */
static void step(struct mesh *m, struct mesh_in *in)
{
	if (in->ring)
		seg_clear(m, in_seg(in, in->next));
	in->next++;
}

static void rest_clear(struct mesh *m, struct mesh_in *in)
{
	if (in->rest)
		m->stats.memory_in -= in->rest_len;
	free(in->rest);
	in->rest = NULL;
	in->rest_len = in->rest_at = 0;
}

static void ring_clear(struct mesh *m, struct mesh_in *in)
{
	uint32_t i;

	for (i = 0; i < in->ring_cap; i++)
		seg_clear(m, &in->ring[i]);
	free(in->ring);
	in->ring = NULL;
	in->ring_cap = 0;
	rest_clear(m, in);
}

/* Reliable lanes that were heard lately share the windows. */
static void set_active(struct mesh *m, struct mesh_in *in, bool is_active)
{
	if (list_linked(&in->active_link) == is_active)
		return;
	if (is_active) {
		list_add_tail(&m->active, &in->active_link);
		m->n_active++;
	} else {
		list_del(&in->active_link);
		m->n_active--;
	}
}

void in_forget_active(struct mesh *m, uint64_t now)
{
	struct list *it, *next;

	list_for_each_safe(it, next, &m->active) {
		struct mesh_in *in = list_entry(it, struct mesh_in, active_link);

		if (now - in->active_at >= NS_S)
			set_active(m, in, false);
	}
}

void in_free(struct mesh *m, struct mesh_in *in)
{
	void *obj = in->obj;

	ring_clear(m, in);
	list_del(&in->link);
	list_del(&in->nak_link);
	set_active(m, in, false);
	map_del_u64(&m->ins, in->key);
	if (m->last_in == in)
		m->last_in = NULL;
	in->peer->n_in--;
	m->stats.n_lanes_in--;
	free(in);
	if (obj)
		m->env.gone(m->env.arg, obj);
}

/* ---- gaps ---- */

static void tell_gap(struct mesh *m, struct mesh_in *in, uint64_t n, bool exact)
{
	in->gaps += n;
	in->peer->gaps += n;
	m->stats.gaps++;
	m->stats.gap_messages += n;
	m->env.gap(m->env.arg, in->obj, n, exact);
}

/* `begun` in full, from its low half. */
static uint64_t full_msgs(const struct mesh_in *in, uint32_t low)
{
	return in->stream.begun + (uint64_t)(int64_t)(int32_t)(low - (uint32_t)in->stream.begun);
}

/* The stream goes on where `msgs` messages had begun: what is between is lost. */
static void resync(struct mesh *m, struct mesh_in *in, uint64_t msgs, bool exact)
{
	uint64_t whole = stream_whole(&in->stream);
	bool is_cut = in->stream.left > 0;

	in->sync = false;
	in->stream.left = 0;
	in->stream.begun = msgs > whole ? msgs : whole;
	/* a frame that was begun is told to be void: one that is a note counts for nothing, and
	 * where it is a message the sender has lied */
	if (msgs > whole)
		tell_gap(m, in, msgs - whole, exact);
	else if (is_cut)
		tell_gap(m, in, in->stream.is_note ? 0 : 1, in->stream.is_note);
}

/* It is no stream: nothing more is taken of this lane. */
static void break_lane(struct mesh *m, struct mesh_in *in)
{
	void *obj = in->obj;

	m->stats.dropped[MESH_DROP_CHUNK]++;
	tell_gap(m, in, 1, false);
	in->broken = true;
	in->obj = NULL;
	ring_clear(m, in);
	list_del(&in->nak_link);
	peer_note(m, in->peer, MW_PART, in->idx, 0);
	m->env.gone(m->env.arg, obj);
}

/* ---- delivery ---- */

/* Hands over one segment; the rest is kept where the upper layer takes less. */
static void consume(struct mesh *m, struct mesh_in *in, const uint8_t *p, size_t len,
                    uint16_t first, uint32_t msgs)
{
	uint64_t before, whole;
	size_t at, taken;

	/* It goes on elsewhere: the sender has left out what nobody heard. That counts, too, while
	 * a frame is waited for that begins in a segment. */
	if (msgs != (uint32_t)in->stream.begun ||
	    (in->sync && first != (in->stream.left < len ? in->stream.left : MW_NO_FIRST)))
		resync(m, in, full_msgs(in, msgs), true);
	if (!in->sync) {
		if (first >= len)
			return;
		in->stream.begun = full_msgs(in, msgs);
		in->sync = true;
		p += first;
		len -= first;
	}
	before = in->stream.begun;
	whole = stream_whole(&in->stream);
	if (!stream_walk(&in->stream, p, len, &at)) {
		break_lane(m, in);
		return;
	}
	in->messages += in->stream.begun - before;
	m->stats.messages_in += stream_whole(&in->stream) - whole;
	in->bytes += len;
	m->stats.data_in += len;
	taken = m->env.deliver(m->env.arg, in->obj, p, len);
	if (taken >= len)
		return;
	in->stalled = true;
	in->rest = malloc(len - taken);
	if (!in->rest) {
		/* As good as lost: the stream goes on at the next frame. */
		m->stats.dropped[MESH_DROP_MEMORY]++;
		in->stalled = false;
		in->stream.left = 1;
		in->stream.is_note = false;
		resync(m, in, in->stream.begun, false);
		return;
	}
	memcpy(in->rest, p + taken, len - taken);
	in->rest_len = len - taken;
	m->stats.memory_in += in->rest_len;
}

/* What is missing up to `floor` will not come: goes on at what is here, or at the floor. */
static void skip(struct mesh *m, struct mesh_in *in)
{
	uint64_t msgs = in->floor_msgs;
	bool exact = !in->lost || in->lost_exact;
	uint64_t q = in->next, end = in->floor < in->high ? in->floor : in->high;

	/* The floor is as high as the sender says: what may be here ends before. */
	while (q < end && !is_here(in, q))
		q++;
	if (q >= end)
		q = in->floor;
	else
		msgs = full_msgs(in, in_seg(in, q)->msgs);
	while (in->next < q) {
		if (in->next >= in->high || !in->ring) {
			in->next = q;
			break;
		}
		step(m, in);
	}
	resync(m, in, msgs, q < in->floor || exact);
}

/* All that came of a lane whose host is gone is delivered. Returns whether the lane is still there.
 */
static bool close_lost(struct mesh *m, struct mesh_in *in)
{
	uint64_t msgs = in->head_msgs > in->stream.begun ? in->head_msgs : in->stream.begun;

	in->lost = false;
	resync(m, in, msgs, in->lost_exact);
	peer_wake(m, in->peer, m->now);
	if (!in->ended)
		return true;
	in_free(m, in);
	return false;
}

/* Delivers what is in order. Returns whether the lane is still there. */
static bool drain(struct mesh *m, struct mesh_in *in)
{
	while (!in->stalled && !in->broken) {
		if (in->next == in->floor && in->floor_msgs > in->stream.begun) {
			/* no segment is missing, but what was written while nobody heard it */
			resync(m, in, in->floor_msgs, !in->lost || in->lost_exact);
		} else if (in->next < in->high && is_here(in, in->next)) {
			struct rseg s = *in_seg(in, in->next);

			*in_seg(in, in->next) = (struct rseg){0};
			in->next++;
			m->stats.memory_in -= s.len;
			consume(m, in, s.data, s.len, s.first, s.msgs);
			pool_put(&m->pool, s.data, s.len);
		} else if (in->next < in->floor) {
			skip(m, in);
		} else {
			break;
		}
	}
	if (in->high < in->next)
		in->high = in->next;
	if (in->cum < in->next)
		in->cum = in->next;
	while (in->cum < in->high && is_here(in, in->cum))
		in->cum++;
	if (in->stalled || in->broken)
		return true;
	if (in->lost)
		return close_lost(m, in);
	if (!in->ended || in->state != IN_JOINED || in->next < in->end_seq)
		return true;
	in_free(m, in);
	return false;
}

/* ---- going on ---- */

void mesh_in_resume(struct mesh *m, struct mesh_in *in, uint64_t now)
{
	size_t left = in->rest_len - in->rest_at, taken;

	if (!in->stalled)
		return;
	m->now = now;
	taken = m->env.deliver(m->env.arg, in->obj, in->rest + in->rest_at, left);
	if (taken < left) {
		in->rest_at += taken;
		return;
	}
	rest_clear(m, in);
	in->stalled = false;
	if (drain(m, in) && in->state == IN_JOINED && !in->broken)
		in_status_soon(m, in, now);
}

/* ---- data ---- */

static void best_effort(struct mesh *m, struct mesh_in *in, const struct mw_data *d)
{
	if (d->seq < in->next || in->stalled) {
		m->stats.dropped[in->stalled ? MESH_DROP_WINDOW : MESH_DROP_DUPLICATE]++;
		return;
	}
	if (d->seq > in->next)
		resync(m, in, full_msgs(in, d->msgs), true);
	in->next = in->cum = in->high = d->seq + 1;
	consume(m, in, d->payload, d->len, d->first, d->msgs);
}

static void store(struct mesh *m, struct mesh_in *in, const struct mw_data *d)
{
	struct rseg *s = in_seg(in, d->seq);

	/* windows are counted in segments of our own length: others may be longer */
	if (m->stats.memory_in + d->len <= in_memory_max(m))
		s->data = pool_get(&m->pool, d->len);
	if (!s->data) {
		m->stats.dropped[MESH_DROP_MEMORY]++;
		return;
	}
	memcpy(s->data, d->payload, d->len);
	s->len = d->len;
	s->first = d->first;
	s->msgs = d->msgs;
	m->stats.memory_in += d->len;
}

/* A segment of a reliable lane, within the window and new. */
static void reliable(struct mesh *m, struct mesh_in *in, const struct mw_data *d, uint64_t now)
{
	uint64_t old_high = in->high;
	bool in_order = d->seq == in->next && !in->stalled;

	if (!(in_order && !in->ring) && !ring_fit(in, d->seq + 1)) {
		m->stats.dropped[MESH_DROP_MEMORY]++;
		return;
	}
	if (d->repair && d->seq < in->high && in->ring)
		nak_on_repair(m, in, d->seq, now);
	if (d->seq >= in->high)
		in->high = d->seq + 1;
	if (in_order) {
		step(m, in);
		consume(m, in, d->payload, d->len, d->first, d->msgs);
	} else {
		store(m, in, d);
	}
	if (!drain(m, in) || in->broken)
		return;
	nak_update(m, in, d->seq > old_high, now);
	in_status_soon(m, in, now);
}

void in_on_data(struct mesh *m, struct peer *p, const struct mw_data *d, uint64_t now)
{
	struct mesh_in *in = in_find(m, p, d->lane);
	enum mesh_drop why = MESH_DROP_N;

	if (!in || in->broken)
		why = MESH_DROP_LANE;
	else if (in->state != IN_JOINED)
		why = MESH_DROP_JOINING;
	else if (in->class == MESH_RELIABLE && (d->seq < in->next || is_here(in, d->seq)))
		why = MESH_DROP_DUPLICATE;
	else if (in->class == MESH_RELIABLE && d->seq >= in->promised)
		why = MESH_DROP_WINDOW;
	else if (m->stats.memory_in + d->len > m->cfg.memory_max)
		why = MESH_DROP_MEMORY; /* no room for what the upper layer may leave of it */
	if (why != MESH_DROP_N) {
		m->stats.dropped[why]++;
		return;
	}
	in->active_at = now;
	set_active(m, in, in->class == MESH_RELIABLE);
	p->repairs_in += d->repair;
	if (in->class == MESH_RELIABLE)
		reliable(m, in, d, now);
	else
		best_effort(m, in, d);
}

/* ---- where it stands ---- */

/* Segments up to `seq` exist: as far as they are taken they can be asked for. Others may have been
 * offered wider windows, so that the sender is beyond ours. */
static bool learn(struct mesh_in *in, uint64_t seq)
{
	uint64_t high = seq < in->promised ? seq : in->promised;

	if (high <= in->high || !ring_fit(in, high))
		return false;
	in->high = high;
	return true;
}

/* Best-effort: more was announced than has come. What is written while nobody hears it makes
 * messages, but no segments. */
static bool is_ahead(const struct mesh_in *in, uint64_t seq, uint64_t msgs)
{
	return seq > in->next || (seq == in->next && msgs > in->stream.begun);
}

void in_on_head(struct mesh *m, struct peer *p, const struct mw_head *h, bool end, bool ask,
                uint64_t now)
{
	struct mesh_in *in = in_find(m, p, h->lane);

	if (!in || in->broken)
		return;
	if (end && !h->seq) {
		/* Its sender has forgotten the lane: we were no member when it ended. */
		in->ended = true;
		in_lost(m, in, false, now);
		return;
	}
	if (h->seq >= in->head_seq) {
		in->head_seq = h->seq;
		in->head_msgs = h->msgs;
	}
	if (end) {
		in->ended = true;
		in->end_seq = h->seq;
	}
	if (in->class == MESH_BEST_EFFORT) {
		if (in->tail_at == NEVER && is_ahead(in, h->seq, h->msgs)) {
			in->tail_seq = h->seq;
			in->tail_msgs = h->msgs;
			in->tail_at = now + 200 * NS_MS;
			peer_wake(m, p, in->tail_at);
		}
	} else if (in->state == IN_JOINED && learn(in, h->seq)) {
		nak_update(m, in, true, now);
	}
	if (ask && in->class == MESH_RELIABLE && in->state == IN_JOINED) {
		in->status_due = true;
		if (in->members <= SMALL_GROUP)
			peer_ctl(m, p, CTL_STATUS);
		else
			in_status_soon(m, in, now);
	}
	/* END answers a JOIN for what is over, too. */
	if (end && in->state != IN_JOINED && in->class == MESH_RELIABLE)
		in_lost(m, in, true, now);
	else
		drain(m, in);
}

void in_on_asked(struct mesh *m, struct peer *p, uint16_t lane)
{
	struct mesh_in *in = in_find(m, p, lane);

	if (!in || in->broken)
		peer_note(m, p, MW_PART, lane, 0);
}

static void in_new(struct mesh *m, struct peer *p, const struct mw_lane *v, enum mesh_class class,
                   uint64_t now)
{
	struct mesh_in *in = calloc(1, sizeof(*in));

	if (!in)
		return;
	memcpy(in->channel, v->name, v->name_len);
	in->peer = p;
	in->idx = v->lane;
	in->key = p->id << 16 | v->lane;
	in->class = class;
	in->members = v->members;
	list_init(&in->nak_link);
	list_init(&in->active_link);
	in->nak_at = in->tail_at = NEVER;
	in->join_at = now;
	in->join_gap = JOIN_NS;
	in->obj = m->env.accept(m->env.arg, p->host, le32_get(p->boot), in->channel, class, in);
	if (!in->obj || map_put_u64(&m->ins, in->key, in)) {
		if (in->obj)
			m->env.gone(m->env.arg, in->obj);
		free(in);
		return;
	}
	if (class == MESH_BEST_EFFORT) {
		in->state = IN_JOINED;
		in->next = in->cum = in->high = v->seq;
		in->stream.begun = in->head_msgs = v->msgs;
		in->head_seq = v->seq;
	}
	list_add_tail(&p->ins, &in->link);
	m->last_in = NULL;
	p->n_in++;
	m->stats.n_lanes_in++;
	peer_wake(m, p, now);
}

void in_on_lane(struct mesh *m, struct peer *p, const struct mw_lane *v, uint64_t now)
{
	struct mw_head h = {v->lane, v->seq, v->msgs};
	bool over = v->class & MW_F_OVER;
	uint8_t class = v->class & (uint8_t)~MW_F_OVER;
	struct mesh_in *in = in_find(m, p, v->lane);
	struct list *it;

	if (class > MESH_BEST_EFFORT || name_check_channel(v->name, v->name_len) != NAME_OK)
		return;
	if (in) {
		in->members = v->members;
		in_on_head(m, p, &h, over, false, now);
		return;
	}
	if (over || p->n_in >= MESH_LANES_MAX)
		return;
	/* A lane of the same name whose end was missed is over. */
	list_for_each(it, &p->ins) {
		struct mesh_in *o = list_entry(it, struct mesh_in, link);

		if (o->class == class && strlen(o->channel) == v->name_len &&
		    !memcmp(o->channel, v->name, v->name_len)) {
			if (!o->ended && !o->broken) {
				o->ended = true;
				o->end_seq = o->head_seq;
				in_lost(m, o, false, now);
			}
			return;
		}
	}
	in_new(m, p, v, (enum mesh_class) class, now);
}

/* ---- joining ---- */

void in_on_joined(struct mesh *m, struct peer *p, const struct mw_joined *j, uint64_t now)
{
	struct mesh_in *in = in_find(m, p, j->lane);

	if (!in || in->state != IN_JOINING || in->token != j->token || in->broken || !j->seq)
		return;
	in->state = IN_JOINED;
	in->join_gap = JOIN_NS;
	if (!in->next) {
		in->next = in->cum = in->high = in->reported = j->seq;
		in->stream.begun = j->msgs;
	} else if (j->seq < in->next) {
		/* It never made what it once sent: no sender does that. */
		break_lane(m, in);
		return;
	}
	in->floor = j->seq;
	in->floor_msgs = j->msgs;
	if (in->promised < j->seq + in->join_window)
		in->promised = j->seq + in->join_window;
	if (in->promised > in->next + SEG_MAX && in->promised > j->seq + SEG_MAX)
		in->promised = j->seq + SEG_MAX;
	if (!drain(m, in) || in->broken)
		return;
	(void)learn(in, in->head_seq);
	nak_update(m, in, true, now);
	in->status_due = true;
	peer_ctl(m, p, CTL_STATUS);
}

void in_on_evicted(struct mesh *m, struct peer *p, const struct mw_evicted *e, uint64_t now)
{
	struct mesh_in *in = in_find(m, p, e->lane);

	if (!in || in->state != IN_JOINED || in->class != MESH_RELIABLE ||
	    (e->token && e->token != in->token))
		return;
	in->state = IN_IDLE;
	in->join_gap = in->join_gap < REJOIN_NS ? REJOIN_NS : in->join_gap;
	in->join_at = now + in->join_gap;
	list_del(&in->nak_link);
	in->nak_at = NEVER;
	peer_wake(m, p, in->join_at);
}

void in_lost(struct mesh *m, struct mesh_in *in, bool exact, uint64_t now)
{
	(void)now;
	if (in->broken || !in->next) {
		if (exact || in->ended)
			in_free(m, in);
		else
			in->state = IN_IDLE;
		return;
	}
	in->lost = true;
	in->lost_exact = exact;
	in->ended |= exact;
	if (in->class == MESH_RELIABLE)
		in->state = IN_IDLE;
	in->join_at = now;
	list_del(&in->nak_link);
	in->nak_at = NEVER;
	in->floor = in->high;
	if (in->floor_msgs < in->head_msgs)
		in->floor_msgs = in->head_msgs;
	drain(m, in);
}

/* Best-effort: what was announced has not come. */
static void sweep_tail(struct mesh *m, struct mesh_in *in)
{
	in->tail_at = NEVER;
	if (!is_ahead(in, in->tail_seq, in->tail_msgs) || in->stalled || in->broken)
		return;
	resync(m, in, in->tail_msgs, true);
	in->next = in->cum = in->high = in->tail_seq;
	drain(m, in);
}

/* Joins and tails. */
void in_sweep(struct mesh *m, struct mesh_in *in, uint64_t now)
{
	struct peer *p = in->peer;
	uint64_t at = NEVER;

	if (in->class == MESH_BEST_EFFORT) {
		if (in->tail_at <= now) {
			sweep_tail(m, in);
			return;
		}
		at = in->tail_at;
	} else if (in->state != IN_JOINED && !in->broken && !in->lost && !in->ended &&
	           peer_is_up(p)) {
		if (in->join_at <= now) {
			if (in->state == IN_IDLE)
				in->token = (uint32_t)mesh_random(m) | 1;
			in->state = IN_JOINING;
			in->join_at = now + in->join_gap;
			in->join_gap = in->join_gap * 2 < NS_S ? in->join_gap * 2 : NS_S;
			in->status_due = true; /* with CTL_JOIN: this one is meant */
			peer_ctl(m, p, CTL_JOIN);
		}
		at = in->join_at;
	}
	peer_wake(m, p, at);
}
