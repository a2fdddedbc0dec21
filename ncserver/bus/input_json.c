/* input_json.c - packets from a client: cut, validated, gathered into runs of one event, delivered
 *
 * A packet ends with NUL (in a FIFO also with a newline, which becomes NUL). Packets of one event
 * that stand one behind the other are one run. They are delivered as they are; native receivers get
 * them wrapped in frames.
 */
#include <limits.h>
#include <string.h>

#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/deliver.h"
#include "ncserver/bus/input.h"
#include "ncserver/bus/state.h"
#include "ncserver/conf/conf.h"

struct run {
	struct route *route;
	const uint8_t *start;
	uint32_t len;
	uint32_t n;
	const uint8_t *resume; /* where the input goes on when the sender need not wait any more */
};

static bool flush_run(struct client *c, struct run *run)
{
	struct bus *b = c->bus;
	struct range r = {.slab = c->in.slab, .p = run->start, .len = run->len, .n = run->n};
	struct delivery d = {.chan = c->chan,
	                     .from = c,
	                     .route = run->route,
	                     .packets = b->run,
	                     .first_seq = c->seq + 1};

	if (run->n == 0)
		return true;
	deliver_one_range(&d.json, &r, run->route);
	if (deliver(b, &d))
		c->seq += run->n;
	else
		run->resume = run->start;
	chan_route_done(c->chan, run->route);
	run->route = NULL;
	run->n = 0;
	return run->resume == NULL;
}

/* The end of the first packet: its NUL, or in a FIFO its newline. NULL: it is not there yet. */
static uint8_t *find_end(struct client *c, uint8_t *p, uint32_t len, uint32_t from)
{
	uint8_t *nul = memchr(p + from, 0, len - from);
	uint8_t *nl;

	if (c->dialect != DIALECT_FIFO)
		return nul;
	nl = memchr(p + from, '\n', nul ? (size_t)(nul - p) - from : len - from);
	if (!nl)
		return nul;
	*nl = 0;
	return nl;
}

static const char *limit_text(const struct client *c)
{
	return c->dialect == DIALECT_FIFO
	               ? "a packet longer than PIPE_BUF, which can interleave with others"
	               : "a packet longer than max_message";
}

static uint32_t limit(const struct client *c)
{
	uint32_t max = c->chan->conf->max_message;

	return c->dialect == DIALECT_FIFO && max > PIPE_BUF - 1 ? PIPE_BUF - 1 : max;
}

/* A packet that can't be read. A FIFO has many writers: only the packet goes. Returns whether to go
 * on. */
static bool bad_packet(struct client *c, enum nc_error code, const char *text)
{
	if (c->dialect == DIALECT_FIFO) {
		input_refuse(c, code, 0, 1, text);
		c->bus->env.log(c->bus->env.arg, 1, "packet refused fifo channel=%s: %s",
		                c->chan->name, text);
		return true;
	}
	client_fail(c, code, "%s", text);
	return false;
}

static bool read_failed(struct client *c, int rc)
{
	switch (rc) {
	case PACKET_E_JSON: return bad_packet(c, NC_EJSON, packet_reader_error(c->bus->reader));
	case PACKET_E_DEPTH: return bad_packet(c, NC_EDEPTH, packet_result_str(PACKET_E_DEPTH));
	case PACKET_E_OBJECT:
	case PACKET_E_EVENT:
		return bad_packet(c, NC_EPROTO, packet_result_str((enum packet_result)rc));
	default: return bad_packet(c, NC_ENOMEM, "no memory for a packet");
	}
}

/* Whether the packet's event is that of the run. */
static bool same_event(const struct run *run, const struct packet *pk)
{
	return run->n > 0 && run->n < BUS_RUN_MAX && run->route->event_len == pk->event_len &&
	       memcmp(run->route->event, pk->event, pk->event_len) == 0;
}

/* Looks up where the packet goes; `legal` is what its reader says of the name, which may look legal
 * when it was cut, or when half a surrogate pair was replaced. Returns the route; or NULL where it
 * was refused. */
static struct route *admit(struct client *c, const struct packet *pk, bool legal)
{
	struct route *r;
	bool asks = c->chan->is_control && c->may_admin &&
	            request_is_question(pk->event, pk->event_len);

	if (pk->event_len > NC_EVENT_MAX) {
		input_refuse(c, NC_ENAME, 0, 1, "illegal event name: longer than 255 bytes");
		return NULL;
	}
	r = chan_route(c->chan, pk->event, pk->event_len, false);
	if (r && legal &&
	    ((r->verdict == ROUTE_OK && c->may_emit) || (r->verdict == ROUTE_RESERVED && asks)))
		return r;
	if (!r)
		input_refuse(c, NC_ENOMEM, 0, 1, "no memory for a route");
	else if (r->verdict != ROUTE_OK)
		input_refuse_name(c, r, 0);
	else if (!legal)
		input_refuse(c, NC_ENAME, 0, 1,
		             "illegal event name: too long, or half a surrogate pair");
	else
		input_refuse(c, NC_EDENIED, 0, 1, "this channel's lists do not let you emit");
	chan_route_done(c->chan, r);
	return NULL;
}

static void add_to_run(struct client *c, struct run *run, const uint8_t *p, uint32_t len,
                       const struct packet *pk)
{
	if (run->n == 0) {
		run->start = p;
		run->len = 0;
	}
	c->bus->run[run->n++] = (struct run_packet){.off = (uint32_t)(p - run->start),
	                                            .len = len,
	                                            .data_off = pk->data_off,
	                                            .data_len = pk->data_len,
	                                            .broadcast = pk->broadcast};
	run->len += len + 1;
}

/* The packet of `len` bytes (its NUL behind it) at p. Returns false where the input ends before it.
 */
static bool packet(struct client *c, struct run *run, const uint8_t *p, uint32_t len)
{
	struct packet pk;
	int rc = packet_read(c->bus->reader, (const char *)p, len, &pk);

	if (rc == PACKET_OK && same_event(run, &pk)) {
		add_to_run(c, run, p, len, &pk);
		return true;
	}
	if (!flush_run(c, run))
		return false;
	if (rc != PACKET_OK && rc != PACKET_E_NAME)
		return read_failed(c, rc);
	if (request_packet(c, (const char *)p, &pk))
		return !c->dead;
	run->route = admit(c, &pk, rc == PACKET_OK);
	if (!run->route)
		return !c->dead;
	add_to_run(c, run, p, len, &pk);
	if (c->chan->is_control && request_is_question(pk.event, pk.event_len)) {
		if (!flush_run(c, run))
			return false;
		request_packet_plain(c, (const char *)p, &pk);
	}
	return !c->dead;
}

/* What is there of a packet is longer than any may be. */
static bool too_long(struct client *c)
{
	struct input *in = &c->in;

	if (!bad_packet(c, NC_ETOOBIG, limit_text(c)))
		return false;
	in->skipping = true;
	input_consume(c, in->len);
	return false;
}

/* Whether what is there may become a packet: who speaks something else is told at once, not when it
 * has sent max_message bytes of it. */
static bool begins_object(const uint8_t *p, uint32_t len)
{
	uint32_t i = 0;

	while (i < len && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n'))
		i++;
	return i == len || p[i] == '{';
}

static bool is_packet(struct client *c, const uint8_t *p, uint32_t len)
{
	struct packet pk;
	int rc = packet_read(c->bus->reader, (const char *)p, len, &pk);

	return rc == PACKET_OK || rc == PACKET_E_NAME;
}

/* A writer of a FIFO who forgets the end of a packet spoils only that: the next one's write began
 * where a read began, behind the `left` bytes that were there before. Returns how many bytes to
 * leave out. */
static uint32_t unended(struct client *c, const uint8_t *p, uint32_t len, uint32_t left)
{
	if (c->dialect != DIALECT_FIFO || left == 0 || left >= len || is_packet(c, p, len) ||
	    !is_packet(c, p + left, len - left))
		return 0;
	bad_packet(c, NC_EJSON, "a packet without an end");
	return left;
}

bool input_json(struct client *c)
{
	struct input *in = &c->in;
	struct run run = {0};
	uint8_t *p = in->p;
	uint8_t *end = p + in->len;
	uint32_t scanned = in->scanned;
	bool more = true;

	while (p < end && more) {
		uint8_t *nul = find_end(c, p, (uint32_t)(end - p), scanned);
		uint32_t len;

		if (!nul)
			break;
		len = (uint32_t)(nul - p);
		if (!in->skipping)
			p += unended(c, p, len, scanned);
		scanned = 0;
		len = (uint32_t)(nul - p);
		if (in->skipping) {
			in->skipping = false;
		} else if (len == 0) {
			more = flush_run(c, &run);
		} else if (len > limit(c)) {
			more = flush_run(c, &run) && bad_packet(c, NC_ETOOBIG, limit_text(c));
		} else {
			more = packet(c, &run, p, len);
		}
		if (more)
			p = nul + 1;
	}
	if (!c->dead && !run.resume)
		flush_run(c, &run);
	else
		chan_route_done(c->chan, run.route);
	if (c->dead)
		return false;
	input_consume(c, (uint32_t)((run.resume ? run.resume : p) - in->p));
	if (run.resume)
		return false;
	if (in->skipping && in->len > 0)
		input_consume(c, in->len);
	if (in->len > limit(c))
		return too_long(c);
	if (in->len > 0 && !begins_object(in->p, in->len) && c->dialect != DIALECT_FIFO) {
		client_fail(c, NC_EJSON, "a packet begins with '{'");
		return false;
	}
	in->scanned = in->len;
	return false;
}
