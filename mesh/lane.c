/* Lanes of this host: the stream cut into segments, held until every member has them
 *
 * Segments lie in a ring of bytes, each in one piece and with room for a whole one while it is
 * open; `segs` tells where, by sequence. Both grow as they are needed, within the bounds. The last
 * segment stays open for more until it is sent.
 */
#include "libnc/wire/frame.h"
#include "libnc/wire/name.h"
#include "mesh/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BUF  (64u << 10)
#define FIRST_SEGS 64u

struct seg *lane_seg(const struct mesh_lane *l, uint64_t seq)
{
	return &l->segs[seq & (l->segs_cap - 1)];
}

struct mesh_lane *lane_by_idx(const struct mesh *m, uint16_t idx)
{
	return map_get_u64(&m->by_idx, idx);
}

bool lane_can_send(const struct mesh_lane *l)
{
	return l->sent < l->next && l->sent < l->limit;
}

bool lane_is_busy(const struct mesh_lane *l)
{
	return l->base < l->next;
}

uint64_t lane_msgs_at_sent(const struct mesh_lane *l)
{
	const struct seg *s;

	if (l->sent == l->next)
		return l->stream.begun;
	s = lane_seg(l, l->sent);
	return l->stream.begun - (uint32_t)((uint32_t)l->stream.begun - s->msgs);
}

void lane_head(const struct mesh_lane *l, struct mw_head *h)
{
	h->lane = l->idx;
	h->seq = l->sent;
	h->msgs = lane_msgs_at_sent(l);
}

/* ---- memory ---- */

/* Twice the bytes, all segments moved to the front. False: at the bound, or no memory. */
static bool grow_buf(struct mesh *m, struct mesh_lane *l)
{
	size_t cap = l->buf_cap ? l->buf_cap * 2 : FIRST_BUF, at = 0;
	uint8_t *buf;
	uint64_t q;

	if (cap > m->cfg.lane_max)
		cap = m->cfg.lane_max;
	if (cap <= l->buf_cap || m->stats.memory_out + cap - l->buf_cap > m->cfg.memory_max ||
	    !(buf = malloc(cap)))
		return false;
	for (q = l->base; q < l->next; q++) {
		struct seg *s = lane_seg(l, q);

		memcpy(buf + at, l->buf + s->off, s->len);
		s->off = (uint32_t)at;
		at += s->len;
	}
	free(l->buf);
	m->stats.memory_out += cap - l->buf_cap;
	l->buf = buf;
	l->buf_cap = cap;
	l->buf_head = at;
	return true;
}

static bool grow_segs(struct mesh_lane *l)
{
	uint32_t cap = l->segs_cap ? l->segs_cap * 2 : FIRST_SEGS;
	struct seg *segs;
	uint64_t q;

	if (cap > SEG_MAX || !(segs = malloc(cap * sizeof(*segs))))
		return false;
	for (q = l->base; q < l->next; q++)
		segs[q & (cap - 1)] = *lane_seg(l, q);
	free(l->segs);
	l->segs = segs;
	l->segs_cap = cap;
	return true;
}

/* A place for a whole segment behind the last one; false where there is none yet. */
static bool place(struct mesh *m, struct mesh_lane *l, size_t *off)
{
	size_t need = m->seg_len, tail;

	for (;;) {
		if (l->base == l->next)
			l->buf_head = 0;
		tail = l->base == l->next ? 0 : lane_seg(l, l->base)->off;
		if (l->base == l->next || l->buf_head > tail) {
			if (l->buf_cap - l->buf_head >= need)
				break;
			if (tail > need) {
				l->buf_head = 0;
				break;
			}
		} else if (tail - l->buf_head > need) {
			break;
		}
		if (!grow_buf(m, l))
			return false;
	}
	*off = l->buf_head;
	return true;
}

static struct seg *open_seg(struct mesh *m, struct mesh_lane *l)
{
	struct seg *s;
	size_t off;

	if (l->next - l->base >= l->segs_cap && !grow_segs(l))
		return NULL;
	if (!place(m, l, &off))
		return NULL;
	s = lane_seg(l, l->next++);
	l->holed = false;
	*s = (struct seg){.off = (uint32_t)off,
	                  .first = MW_NO_FIRST,
	                  .msgs = (uint32_t)l->stream.begun,
	                  .to = NEVER};
	if (!list_linked(&l->busy_link)) {
		uint64_t look = m->now + m->cfg.block_ms * NS_MS / 8;

		list_add_tail(&m->busy, &l->busy_link);
		l->head_at = NEVER;
		m->house_at = look < m->house_at ? look : m->house_at;
	}
	return s;
}

/* The open segment, if it has room for `need` bytes and is not yet sent; else a new one. */
static struct seg *seg_with_room(struct mesh *m, struct mesh_lane *l, size_t need)
{
	struct seg *s;

	if (l->sent < l->next) {
		s = lane_seg(l, l->next - 1);
		if (!(s->flags & SEG_FULL) && m->seg_len - s->len >= need)
			return s;
		s->flags |= SEG_FULL;
	}
	return open_seg(m, l);
}

static void append(struct mesh_lane *l, struct seg *s, const uint8_t *p, size_t n)
{
	memcpy(l->buf + s->off + s->len, p, n);
	s->len = (uint16_t)(s->len + n);
	l->buf_head = s->off + s->len;
}

/* ---- writing ---- */

/* Bytes that nobody hears are dropped. A sequence number that no segment has tells whoever comes
 * back that the stream does not go on where it ended. */
static void drop_unheard(struct mesh_lane *l)
{
	if (l->holed || l->base != l->next)
		return;
	l->holed = true;
	l->base = l->sent = ++l->next;
}

/* Nobody hears it: nothing is made of it. */
static bool is_heard(const struct mesh *m, const struct mesh_lane *l)
{
	return l->class == MESH_RELIABLE ? l->n_members > 0 : m->n_up > 0;
}

/* Takes the begin of a frame, STREAM_HEAD_LEN bytes; false: no room. `broken` where it is none. */
static bool take_head(struct mesh *m, struct mesh_lane *l, const uint8_t *p)
{
	uint64_t msgs;
	uint32_t len = stream_head(p, &msgs);
	size_t need = STREAM_HEAD_LEN;
	struct seg *s;

	if (!len) {
		l->broken = true;
		return false;
	}
	if (l->class == MESH_BEST_EFFORT && len <= m->seg_len)
		need = len;
	if (is_heard(m, l)) {
		if (!(s = seg_with_room(m, l, need)))
			return false;
		if (s->first == MW_NO_FIRST)
			s->first = s->len;
		append(l, s, p, STREAM_HEAD_LEN);
	} else {
		m->stats.unheard += msgs;
		drop_unheard(l);
	}
	l->stream.begun += msgs;
	l->stream.left = len - STREAM_HEAD_LEN;
	l->messages += msgs;
	l->bytes += len;
	m->stats.messages_out += msgs;
	return true;
}

/* Takes more of the frame; returns how much of it. */
static size_t take_body(struct mesh *m, struct mesh_lane *l, const uint8_t *p, size_t n)
{
	size_t done = 0, part;
	struct seg *s;

	n = n < l->stream.left ? n : l->stream.left;
	if (!is_heard(m, l)) {
		done = n;
		drop_unheard(l);
	}
	while (done < n && (s = seg_with_room(m, l, 1))) {
		part = m->seg_len - s->len;
		part = part < n - done ? part : n - done;
		append(l, s, p + done, part);
		done += part;
	}
	l->stream.left -= (uint32_t)done;
	return done;
}

/* Takes what it can of n bytes. */
static size_t take(struct mesh *m, struct mesh_lane *l, const uint8_t *p, size_t n)
{
	size_t at = 0, part;

	while (at < n) {
		if (l->stream.left) {
			part = take_body(m, l, p + at, n - at);
			at += part;
			if (!part)
				break;
		} else if (!l->head_len && n - at >= STREAM_HEAD_LEN) {
			if (!take_head(m, l, p + at))
				break;
			at += STREAM_HEAD_LEN;
		} else {
			/* The begin of a frame waits here until it is whole. */
			part = STREAM_HEAD_LEN - l->head_len;
			part = part < n - at ? part : n - at;
			memcpy(l->head + l->head_len, p + at, part);
			if (l->head_len + part == STREAM_HEAD_LEN && !take_head(m, l, l->head))
				break;
			at += part;
			l->head_len = (uint8_t)((l->head_len + part) % STREAM_HEAD_LEN);
		}
	}
	return at;
}

ssize_t mesh_lane_write(struct mesh *m, struct mesh_lane *l, const struct iovec *iov, int n_iov,
                        uint64_t now)
{
	ssize_t done = 0;
	size_t part;
	int i;

	m->now = now;
	l->short_write = false;
	for (i = 0; i < n_iov; i++) {
		part = l->broken || l->closing || m->leaving
		               ? 0
		               : take(m, l, iov[i].iov_base, iov[i].iov_len);
		done += (ssize_t)part;
		if (part < iov[i].iov_len) {
			if (l->broken)
				return -EBADMSG;
			l->short_write = true;
			break;
		}
	}
	return done;
}

/* ---- what happens to segments ---- */

/* A new segment has gone out. */
void lane_sent(struct mesh *m, struct mesh_lane *l, uint64_t now)
{
	l->sent++;
	if (l->pace.rate)
		bucket_spend(&l->pace, 1);
	l->head_gap = HEAD_NS;
	l->head_at = now + HEAD_NS;
	if (l->class == MESH_BEST_EFFORT || !l->n_members)
		lane_advance(m, l, now);
}

/* In a large group windows last for long, and sockets do not hold them: nothing keeps its pace to
 * what each of them holds but we. */
static void set_pace(struct mesh_lane *l, uint32_t burst, uint64_t now)
{
	uint64_t rate = burst * (NS_S / PACE_NS);

	if (l->n_members <= SMALL_GROUP)
		l->pace.rate = 0;
	else if (!l->pace.rate)
		bucket_init(&l->pace, rate, burst, now);
	l->pace.max = burst;
	l->pace.rate = l->pace.rate ? rate : 0;
}

void lane_advance(struct mesh *m, struct mesh_lane *l, uint64_t now)
{
	uint64_t base = l->sent, limit = l->class == MESH_RELIABLE ? 0 : UINT64_MAX;
	uint32_t burst = SEG_MAX;
	struct list *it;

	if (l->n_members) {
		limit = UINT64_MAX;
		list_for_each(it, &l->members) {
			struct member *mb = list_entry(it, struct member, link);

			base = mb->cum < base ? mb->cum : base;
			limit = mb->limit < limit ? mb->limit : limit;
			burst = mb->burst < burst ? mb->burst : burst;
		}
	} else if (l->class == MESH_RELIABLE) {
		base = l->next; /* nobody is left who could lack it */
		l->sent = l->next;
	}
	set_pace(l, burst, now);
	if (limit != l->limit || base != l->base)
		l->head_gap = HEAD_NS;
	l->limit = limit;
	if (base > l->base)
		l->base = base;
	if (l->base == l->next) {
		list_del(&l->busy_link);
		l->head_at = NEVER;
		repair_forget(l);
	}
	if (l->short_write &&
	    (l->base == l->next || l->sent == l->next || l->next - l->sent < l->segs_cap / 4)) {
		l->short_write = false;
		m->env.writable(m->env.arg, l->user);
	}
}

/* ---- open and close ---- */

struct mesh_lane *mesh_lane_open(struct mesh *m, const char *channel, enum mesh_class class,
                                 void *user, uint64_t now)
{
	struct mesh_lane *l;
	size_t len = strlen(channel);
	unsigned tries;

	if (name_check_channel(channel, len) != NAME_OK || map_len(&m->by_idx) >= MESH_LANES_MAX)
		return NULL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	memcpy(l->channel, channel, len);
	/* Indices are not used twice while any host may remember them. */
	for (tries = 0; map_get_u64(&m->by_idx, m->next_lane) && tries <= UINT16_MAX; tries++)
		m->next_lane++;
	l->idx = m->next_lane++;
	l->class = class;
	l->user = user;
	l->base = l->sent = l->next = 1;
	l->limit = class == MESH_RELIABLE ? 0 : UINT64_MAX;
	l->head_at = NEVER;
	list_init(&l->members);
	list_init(&l->outs);
	list_init(&l->busy_link);
	list_init(&l->repair_link);
	{
		struct list *it;

		list_for_each(it, &m->lanes) {
			struct mesh_lane *o = list_entry(it, struct mesh_lane, link);

			if (!o->closing && o->class == class && !strcmp(o->channel, channel)) {
				free(l);
				return NULL;
			}
		}
	}
	if (map_put_u64(&m->by_idx, l->idx, l)) {
		free(l);
		return NULL;
	}
	list_add_tail(&m->lanes, &l->link);
	m->n_lanes++;
	m->stats.n_lanes_out++;
	m->announce_fresh = m->n_lanes;
	announce_soon(m, 0, now);
	return l;
}

void mesh_lane_close(struct mesh *m, struct mesh_lane *l, uint64_t now)
{
	l->closing = true;
	l->short_write = false;
	l->user = NULL;
	l->over_left = 3;
	m->stats.n_lanes_out--;
	m->announce_fresh = m->n_lanes;
	announce_soon(m, 0, now);
}

void lane_free(struct mesh *m, struct mesh_lane *l)
{
	if (!l->closing)
		m->stats.n_lanes_out--;
	l->closing = true;
	l->short_write = false;
	while (!list_empty(&l->members))
		member_free(m, list_entry(l->members.next, struct member, link), m->now);
	while (!list_empty(&l->outs))
		member_free(m, list_entry(l->outs.next, struct member, link), m->now);
	list_del(&l->link);
	list_del(&l->busy_link);
	list_del(&l->repair_link);
	map_del_u64(&m->by_idx, l->idx);
	m->stats.memory_out -= l->buf_cap;
	m->n_lanes--;
	free(l->segs);
	free(l->buf);
	free(l->repairs);
	free(l);
}
