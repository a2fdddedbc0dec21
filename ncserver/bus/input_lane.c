/* input_lane.c - frames of another host: checked, gathered into runs, delivered
 *
 * As input_native.c does for a client of this host; but who speaks here is a host, for many
 * senders, and can't be disconnected: what is wrong is passed over.
 */
#include <errno.h>
#include <string.h>

#include "libnc/base/bytes.h"
#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/deliver.h"
#include "ncserver/bus/input.h"
#include "ncserver/bus/lane.h"
#include "ncserver/bus/state.h"
#include "ncserver/conf/conf.h"

struct run {
	struct route *route;
	const uint8_t *start;
	const char *event;
	uint64_t sender;
	uint32_t event_len;
	uint32_t n;
	const uint8_t *resume; /* where the input goes on when the lane need not wait any more */
};

static void refuse(struct client *c, uint64_t n)
{
	c->in_refused += n;
	c->chan->net.refused += n;
}

/* Frames of it can't be told apart any more. */
static void break_lane(struct client *c)
{
	refuse(c, 1);
	c->lane->is_broken = true;
	c->bus->env.log(c->bus->env.arg, 1,
	                "a stream that is no frames, passed over up to its next gap: channel=%s "
	                "host=%s",
	                c->chan->name, c->lane->origin->host);
}

static void delivery_of(struct delivery *d, struct client *c, const struct route *r,
                        uint64_t sender)
{
	*d = (struct delivery){.chan = c->chan, .from = c, .route = r, .sender = sender};
}

/* Delivers the run, which ends at `end`. Returns whether to go on; where the lane has to wait, the
 * input begins with the run again. */
static bool flush_run(struct client *c, struct run *run, const uint8_t *end)
{
	struct range r = {.slab = c->in.slab, .p = run->start, .n = run->n};
	struct delivery d;

	if (run->n == 0)
		return run->resume == NULL;
	r.len = (uint32_t)(end - run->start);
	delivery_of(&d, c, run->route, run->sender);
	deliver_one_range(&d.native, &r, run->route);
	if (!deliver(c->bus, &d))
		run->resume = run->start;
	chan_route_done(c->chan, run->route);
	run->route = NULL;
	run->n = 0;
	return run->resume == NULL;
}

/* ---- what a host may say ---- */

static bool is_ours_to_say(const struct client *c, uint64_t id)
{
	return (uint32_t)(id >> 32) == c->lane->origin->tag && (uint32_t)id != 0;
}

/* Whether the head at p is what a frame of this lane has. */
static bool check_head(const struct client *c, const uint8_t *p, size_t have)
{
	const struct chan *ch = c->chan;
	uint8_t flags = p[5];

	/* a packet is wrapped with the option that says where its data lies */
	if ((flags & FRAME_F_WRAPPED) &&
	    (flags & (FRAME_F_OPTIONS | FRAME_TYPE_MASK)) != (FRAME_F_OPTIONS | FRAME_T_JSON))
		return false;
	return p[6] == ch->name_len && bytes_equal(p + FRAME_EMIT_LEN, ch->name, ch->name_len) &&
	       is_ours_to_say(c, le64_get(p + 8)) &&
	       !input_check_form(c, p, have, FRAME_F_RESERVED);
}

/* Whether the frame at p, of which the head is there, has more payload than this channel takes:
 * another host may be configured otherwise. */
static bool is_too_long(const struct client *c, const uint8_t *p)
{
	uint64_t head = FRAME_EMIT_LEN + (uint64_t)p[6] + p[7];

	if (p[5] & FRAME_F_OPTIONS)
		head += 2 + NC_OPTIONS_MAX;
	return le32_get(p) > head + c->chan->conf->max_message;
}

/* A frame that does not go on: lost, or refused. */
static void leave_out(struct client *c, const uint8_t *p)
{
	if (is_too_long(c, p))
		buslane_lose(c, 1, true);
	else
		refuse(c, 1);
}

/* Whether the packet in a wrapped frame is the one that the frame says: JSON receivers get it as it
 * is. */
static bool check_packet(const struct client *c, const struct frame_emit *f)
{
	const uint8_t *data;
	struct packet pk;
	uint8_t len;

	data = frame_option_find(f, FRAME_O_DATA, &len);
	if (!data || len != 8)
		return false;
	if (packet_read(c->bus->reader, (const char *)f->payload, f->payload_len, &pk) != PACKET_OK)
		return false;
	return pk.event_len == f->event_len && memcmp(pk.event, f->event, f->event_len) == 0 &&
	       pk.data_len == le32_get(data + 4) &&
	       (pk.data_len == 0 || pk.data_off == le32_get(data)) &&
	       pk.broadcast == ((f->flags & FRAME_F_BROADCAST) != 0);
}

/* Whether the frame at p, whole, may go on; its head is right. */
static bool check_whole(const struct client *c, const uint8_t *p, uint32_t len)
{
	struct frame_emit f;
	uint8_t n;

	if (!(p[5] & FRAME_F_OPTIONS))
		return true;
	/* questions and answers do not leave their host */
	if (frame_emit_get(&f, p, len, c->chan->conf->max_message) != FRAME_OK ||
	    frame_option_find(&f, FRAME_O_REQUEST, &n))
		return false;
	return !(f.flags & FRAME_F_WRAPPED) || check_packet(c, &f);
}

/* The route of the frame at p, to be given back; or NULL: it is refused. */
static struct route *admit(struct client *c, const uint8_t *p)
{
	struct route *r = chan_route(c->chan, (const char *)p + FRAME_EMIT_LEN + p[6], p[7], true);

	if (r && r->verdict == ROUTE_OK)
		return r;
	if (!r)
		buslane_lose(c, 1, true);
	else
		refuse(c, 1);
	chan_route_done(c->chan, r);
	return NULL;
}

/* ---- frames ---- */

static inline bool same_run(const struct run *run, const uint8_t *p)
{
	return run->n > 0 && run->event_len == p[7] && run->sender == le64_get(p + 8) &&
	       bytes_equal(run->event, p + FRAME_EMIT_LEN + p[6], p[7]);
}

/* An EMIT at p, whole. Returns false where the lane waits. */
static bool emit(struct client *c, struct run *run, const uint8_t *p, uint32_t len)
{
	if (!check_head(c, p, len) || !check_whole(c, p, len)) {
		if (!flush_run(c, run, p))
			return false;
		leave_out(c, p);
		return true;
	}
	if (!same_run(run, p)) {
		if (!flush_run(c, run, p))
			return false;
		run->route = admit(c, p);
		if (!run->route)
			return true;
		run->start = p;
		run->event = (const char *)p + FRAME_EMIT_LEN + p[6];
		run->event_len = p[7];
		run->sender = le64_get(p + 8);
	}
	run->n++;
	return true;
}

static void on_sender(struct client *c, const uint8_t *p, size_t len)
{
	struct frame_sender f;

	if (frame_sender_get(&f, p, len) != FRAME_OK || !is_ours_to_say(c, f.sender)) {
		refuse(c, 1);
		return;
	}
	c->lane->origin->senders[f.sender % NC_SENDER_SLOTS] =
	        (struct lane_sender){.id = f.sender, .uid = f.uid, .gid = f.gid, .pid = f.pid};
}

/* What was lost in the queue of the lane out, on the other host. */
static void on_gap(struct client *c, const uint8_t *p, size_t len)
{
	struct frame_gap g;

	if (frame_gap_get(&g, p, len) == FRAME_OK)
		buslane_lose(c, g.count, g.exact);
	else
		refuse(c, 1);
}

/* Any frame at p, whole. Returns false where the lane waits. */
static bool frame(struct client *c, struct run *run, const uint8_t *p, struct frame_prefix x)
{
	if (x.kind == FRAME_EMIT)
		return emit(c, run, p, x.len);
	if (!flush_run(c, run, p))
		return false;
	if (x.kind == FRAME_SENDER)
		on_sender(c, p, x.len);
	else if (x.kind == FRAME_GAP)
		on_gap(c, p, x.len);
	return true;
}

enum len_verdict {
	LEN_OK = 0,
	LEN_SKIP,   /* longer than this channel takes */
	LEN_BROKEN, /* longer or shorter than any frame */
};

static enum len_verdict check_len(const struct client *c, struct frame_prefix x)
{
	if (x.kind != FRAME_EMIT)
		return x.len >= FRAME_PREFIX_LEN && x.len <= NC_CONTROL_FRAME_MAX ? LEN_OK
		                                                                  : LEN_BROKEN;
	if (x.len < FRAME_EMIT_LEN || x.len > NC_MESSAGE_MAX + NC_HEAD_MAX)
		return LEN_BROKEN;
	return x.len > c->chan->conf->max_message + NC_HEAD_MAX ? LEN_SKIP : LEN_OK;
}

/* Passes over bytes of a frame that is refused. */
static void skip_input(struct client *c)
{
	struct lane *l = c->lane;
	uint32_t n = l->is_broken || l->skip > c->in.len ? c->in.len : l->skip;

	if (!l->is_broken)
		l->skip -= n;
	if (n > 0)
		input_consume(c, n);
}

/* A long frame of which the rest is still to come: taken in parts, or passed over. */
static void begin_long(struct client *c, const uint8_t *p, uint32_t have, uint32_t len)
{
	uint32_t head = FRAME_EMIT_LEN;

	if (len <= INPUT_WHOLE_MAX || have < FRAME_EMIT_LEN || p[4] != FRAME_EMIT)
		return;
	head += (uint32_t)p[6] + p[7];
	if (p[5] & FRAME_F_OPTIONS) {
		if (have < head + 2)
			return;
		head += 2u + le16_get(p + head);
	}
	if (have < head)
		return;
	if (!check_head(c, p, have)) {
		leave_out(c, p);
		c->lane->skip = len;
		skip_input(c);
	} else if (input_chain_begin(c, len)) {
		input_lane_drop_chain(c);
	}
}

bool input_lane(struct client *c)
{
	struct lane *l = c->lane;
	enum len_verdict verdict = LEN_OK;
	struct run run = {0};
	struct frame_prefix x = {0};
	const uint8_t *p, *end;

	skip_input(c);
	if (c->in.len == 0)
		return false;
	p = c->in.p;
	end = p + c->in.len;
	while (end - p >= (ptrdiff_t)FRAME_PREFIX_LEN) {
		x = frame_prefix_get(p);
		verdict = check_len(c, x);
		if (verdict != LEN_OK || (size_t)(end - p) < x.len || !frame(c, &run, p, x))
			break;
		p += x.len;
	}
	flush_run(c, &run, p);
	input_consume(c, (uint32_t)((run.resume ? run.resume : p) - c->in.p));
	if (run.resume)
		return false;
	if (verdict == LEN_OK && c->in.len >= FRAME_PREFIX_LEN) {
		begin_long(c, c->in.p, c->in.len, x.len);
	} else if (verdict == LEN_SKIP) {
		buslane_lose(c, 1, true);
		l->skip = x.len;
		skip_input(c);
	} else if (verdict == LEN_BROKEN) {
		break_lane(c);
		skip_input(c);
	}
	return true;
}

bool input_lane_chain(struct client *c)
{
	struct input *in = &c->in;
	const uint8_t *p = in->chain[0].p;
	struct route *r = NULL;
	struct delivery d;
	struct buf whole;
	bool done = true;

	buf_init(&whole, NC_MESSAGE_MAX + NC_HEAD_MAX);
	if ((p[5] & FRAME_F_OPTIONS) && input_chain_gather(in, &whole)) {
		buslane_lose(c, 1, true);
		goto out;
	}
	if (whole.len > 0)
		p = whole.data;
	if (!check_whole(c, p, in->chain_len)) {
		refuse(c, 1);
		goto out;
	}
	r = admit(c, p);
	if (!r)
		goto out;
	delivery_of(&d, c, r, le64_get(p + 8));
	deliver_one_chain(&d.native, in, r);
	done = deliver(c->bus, &d);
	chan_route_done(c->chan, r);
out:
	buf_fini(&whole);
	return done;
}

void input_lane_drop_chain(struct client *c)
{
	c->lane->skip = c->in.chain_need;
	input_chain_fini(&c->in);
	buslane_lose(c, 1, true);
	skip_input(c);
}

void input_lane_gap(struct client *c)
{
	struct lane *l = c->lane;

	if (!l->has_gap)
		return;
	input_fini(c);
	l->skip = 0;
	l->is_broken = false;
	l->has_gap = false;
	if (l->gap > 0 || !l->exact)
		buslane_lose(c, l->gap, l->exact);
	l->gap = 0;
}
