/* input_native.c - frames from a client: checked, gathered into runs of one event, delivered
 *
 * The path of every native message. Frames of one event that stand one behind the other are one
 * run: they share a route, and go to the queues as one range. The checks per frame are those of all
 * that a client could lie about: length, flags, channel, sender, sequence, payload size; names are
 * checked once, when their route is looked up.
 */
#include <errno.h>
#include <string.h>

#include "libnc/base/bytes.h"
#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/deliver.h"
#include "ncserver/bus/input.h"
#include "ncserver/bus/state.h"
#include "ncserver/conf/conf.h"

#define EMIT_FORBIDDEN (FRAME_F_RESERVED | FRAME_F_WRAPPED)

struct run {
	struct route *route;
	const uint8_t *start;
	const char *event;
	uint32_t event_len;
	uint32_t n;
	uint64_t last_seq;
	const uint8_t *resume; /* where the input goes on when the sender need not wait any more */
};

/* Delivers the run, which ends at `end`. Returns whether to go on; where the sender has to wait,
 * the input begins with the run again. */
static bool flush_run(struct client *c, struct run *run, const uint8_t *end)
{
	struct range r = {.slab = c->in.slab, .p = run->start, .n = run->n};
	struct delivery d = {.chan = c->chan, .from = c, .route = run->route};

	if (run->n == 0)
		return true;
	r.len = (uint32_t)(end - run->start);
	deliver_one_range(&d.native, &r, run->route);
	if (deliver(c->bus, &d))
		c->seq = run->last_seq;
	else
		run->resume = run->start;
	chan_route_done(c->chan, run->route);
	run->route = NULL;
	run->n = 0;
	return run->resume == NULL;
}

/* Why the sender of this head is not believed, or NULL. */
static const char *lie(const struct client *c, const uint8_t *p, uint64_t last_seq)
{
	const struct chan *ch = c->chan;

	if (p[6] != ch->name_len || !bytes_equal(p + FRAME_EMIT_LEN, ch->name, ch->name_len))
		return "a frame names another channel";
	if (le64_get(p + 8) != c->id)
		return "a frame bears another sender's id";
	if (le64_get(p + 16) <= last_seq)
		return "a frame's sequence does not rise";
	return NULL;
}

/* The common case: text, bytes or JSON, and no option or flag. */
static inline bool is_plain(const struct client *c, const uint8_t *p)
{
	uint32_t len = le32_get(p);
	uint32_t head = FRAME_EMIT_LEN + p[6] + p[7];
	uint8_t type = p[5] & FRAME_TYPE_MASK;

	return (p[5] & (EMIT_FORBIDDEN | FRAME_F_OPTIONS)) == 0 && type <= FRAME_T_MAX &&
	       type >= FRAME_T_TEXT && p[7] > 0 && len >= head + (type == FRAME_T_JSON) &&
	       len - head <= c->chan->conf->max_message;
}

const char *input_check_form(const struct client *c, const uint8_t *p, size_t have,
                             uint8_t forbidden)
{
	uint8_t flags = p[5];
	struct frame_emit f;
	enum frame_result rc;
	uint8_t n;

	if (is_plain(c, p))
		return NULL;
	if (flags & forbidden)
		return "a reserved flag is set";
	rc = frame_emit_get(&f, p, have, c->chan->conf->max_message);
	if (rc != FRAME_OK)
		return rc == FRAME_MORE ? "options overrun the frame" : frame_result_str(rc);
	if ((flags & FRAME_TYPE_MASK) == FRAME_T_BOOL && have > f.head_len && p[f.head_len] > 1)
		return frame_result_str(FRAME_E_PAYLOAD);
	if (frame_option_find(&f, FRAME_O_REPLY, &n) || frame_option_find(&f, FRAME_O_ERROR, &n))
		return "an option that only servers set";
	return NULL;
}

/* Checks an EMIT of which the head is there. Returns NULL, or what is wrong with it. */
static const char *check_emit(const struct client *c, const uint8_t *p, size_t have,
                              uint64_t last_seq)
{
	const char *wrong = is_plain(c, p) ? NULL : input_check_form(c, p, have, EMIT_FORBIDDEN);

	return wrong ? wrong : lie(c, p, last_seq);
}

/* The error of what check_emit found wrong with the frame at p: too much, or broken. */
static enum nc_error error_of(const struct client *c, const uint8_t *p, const char *wrong)
{
	uint32_t head = FRAME_EMIT_LEN + p[6] + p[7];
	uint32_t len = le32_get(p);

	if (wrong == frame_result_str(FRAME_E_LENGTH) && len >= head &&
	    len - head > c->chan->conf->max_message)
		return NC_ETOOBIG;
	return NC_EPROTO;
}

/* Whether the frame at p (whole where it has options) may be emitted. Returns its route, to be
 * given back; or NULL where the frame was refused, or answered. */
static struct route *admit(struct client *c, const uint8_t *p, uint32_t len)
{
	uint64_t seq = le64_get(p + 16);
	struct frame_emit f;
	struct route *r;
	uint64_t id;

	if ((p[5] & FRAME_F_OPTIONS) &&
	    frame_emit_get(&f, p, len, c->chan->conf->max_message) == FRAME_OK &&
	    frame_option_u64(&f, FRAME_O_REQUEST, &id)) {
		c->seq = seq;
		request_emit(c, &f, id);
		return NULL;
	}
	r = chan_route(c->chan, (const char *)p + FRAME_EMIT_LEN + p[6], p[7], false);
	if (r && r->verdict == ROUTE_RESERVED && c->chan->is_control && c->may_admin &&
	    request_is_question(r->event, r->event_len))
		return r;
	if (r && r->verdict == ROUTE_OK && c->may_emit)
		return r;
	c->seq = seq;
	if (!r)
		input_refuse(c, NC_ENOMEM, seq, 1, "no memory for a route");
	else if (r->verdict != ROUTE_OK)
		input_refuse_name(c, r, seq);
	else
		input_refuse(c, NC_EDENIED, seq, 1, "this channel's lists do not let you emit");
	chan_route_done(c->chan, r);
	return NULL;
}

/* A question that was emitted as netcluster's tools do, and so goes to all clients of control: the
 * server answers it too. */
static void answer(struct client *c, const uint8_t *p, uint32_t len)
{
	struct frame_emit f;

	if (c->chan->is_control &&
	    frame_emit_get(&f, p, len, c->chan->conf->max_message) == FRAME_OK &&
	    request_is_question(f.event, f.event_len))
		request_emit_plain(c, &f);
}

static inline bool same_event(const struct run *run, const uint8_t *p)
{
	return run->n > 0 && run->event_len == p[7] && !(p[5] & FRAME_F_OPTIONS) &&
	       bytes_equal(run->event, p + FRAME_EMIT_LEN + p[6], p[7]);
}

/* A frame of which the rest is still to come. Returns false where the client is dead. */
static bool partial(struct client *c, const uint8_t *p, uint32_t have, uint32_t len)
{
	const char *wrong;
	uint32_t head = FRAME_EMIT_LEN;

	if (len <= INPUT_WHOLE_MAX || have < FRAME_EMIT_LEN)
		return true;
	head += (uint32_t)p[6] + p[7];
	if (p[5] & FRAME_F_OPTIONS) {
		if (have < head + 2)
			return true;
		head += 2u + le16_get(p + head);
	}
	if (have < head)
		return true;
	wrong = check_emit(c, p, have, c->seq);
	if (wrong) {
		client_fail(c, error_of(c, p, wrong), "%s", wrong);
		return false;
	}
	if (input_chain_begin(c, len)) {
		client_fail(c, NC_ENOMEM, "no memory for a message of %u bytes", len);
		return false;
	}
	return true;
}

static bool preface(struct client *c)
{
	uint32_t n = c->in.len < FRAME_PREFACE_LEN ? c->in.len : FRAME_PREFACE_LEN;

	if (memcmp(c->in.p, FRAME_PREFACE, n) != 0) {
		client_fail(c, NC_EPROTO, "not the preface of a native connection");
		return false;
	}
	if (n < FRAME_PREFACE_LEN)
		return false;
	c->prefaced = true;
	input_consume(c, FRAME_PREFACE_LEN);
	return c->in.len > 0;
}

/* Whether the length of the frame at p is within its kind's bounds; if not the client is gone. */
static bool check_len(struct client *c, const struct frame_prefix *x)
{
	uint64_t max = NC_CONTROL_FRAME_MAX;
	uint32_t min = FRAME_PREFIX_LEN;

	if (x->kind == FRAME_EMIT) {
		min = FRAME_EMIT_LEN;
		max = (uint64_t)c->chan->conf->max_message + NC_HEAD_MAX;
	}
	if (x->len >= min && x->len <= max)
		return true;
	client_fail(c, x->len > max && x->kind == FRAME_EMIT ? NC_ETOOBIG : NC_EPROTO,
	            "a frame of %u bytes: the limit is %llu", x->len, (unsigned long long)max);
	return false;
}

/* An EMIT at p, whole. Returns false where the input ends before it for now. */
static bool emit(struct client *c, struct run *run, const uint8_t *p, uint32_t len)
{
	const char *wrong = c->welcomed ? check_emit(c, p, len, run->n ? run->last_seq : c->seq)
	                                : "an event before the hello";

	if (wrong) {
		/* what came before it was right, and goes */
		if (flush_run(c, run, p))
			client_fail(c, error_of(c, p, wrong), "%s", wrong);
		return false;
	}
	if (!same_event(run, p)) {
		if (!flush_run(c, run, p))
			return false;
		run->route = admit(c, p, len);
		if (!run->route)
			return !c->dead;
		run->start = p;
		run->event = (const char *)p + FRAME_EMIT_LEN + p[6];
		run->event_len = p[7];
	}
	run->n++;
	run->last_seq = le64_get(p + 16);
	if (c->chan->is_control) {
		if (!flush_run(c, run, p + len))
			return false;
		answer(c, p, len);
	}
	return !c->dead;
}

bool input_native(struct client *c)
{
	struct run run = {0};
	const uint8_t *p;
	const uint8_t *end;
	bool more = true;

	if (!c->prefaced && !preface(c))
		return false;
	p = c->in.p;
	end = p + c->in.len;
	while (end - p >= (ptrdiff_t)FRAME_PREFIX_LEN) {
		struct frame_prefix x = frame_prefix_get(p);

		if (!check_len(c, &x) || (size_t)(end - p) < x.len)
			break;
		if (x.kind == FRAME_EMIT) {
			more = emit(c, &run, p, x.len);
		} else if (flush_run(c, &run, p)) {
			request_frame(c, p, x.len);
			more = !c->dead;
		}
		if (!more || run.resume)
			break;
		p += x.len;
	}
	if (!c->dead && !run.resume)
		flush_run(c, &run, p);
	else
		chan_route_done(c->chan, run.route);
	if (c->dead)
		return false;
	input_consume(c, (uint32_t)((run.resume ? run.resume : p) - c->in.p));
	if (run.resume)
		return false;
	if (c->in.len >= FRAME_PREFIX_LEN)
		return partial(c, c->in.p, c->in.len, le32_get(c->in.p));
	return true;
}

bool input_native_chain(struct client *c)
{
	struct input *in = &c->in;
	const uint8_t *p = in->chain[0].p;
	struct delivery d = {.chan = c->chan, .from = c};
	struct route *r = NULL;
	struct buf whole;
	bool done = true;

	buf_init(&whole, NC_MESSAGE_MAX + NC_HEAD_MAX);
	/* only the server itself reads options and payloads of long frames: requests to it */
	if ((p[5] & FRAME_F_OPTIONS) || c->chan->is_control) {
		if (input_chain_gather(in, &whole) == 0)
			p = whole.data;
		else
			client_fail(c, NC_ENOMEM, "no memory for a request");
	}
	if (!c->dead)
		r = admit(c, p, in->chain_len);
	if (r) {
		d.route = r;
		deliver_one_chain(&d.native, in, r);
		done = deliver(c->bus, &d);
		chan_route_done(c->chan, r);
		if (done) {
			c->seq = le64_get(p + 16);
			answer(c, p, in->chain_len);
		}
	}
	buf_fini(&whole);
	return done && !c->dead;
}
