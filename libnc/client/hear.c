/* hear.c - handlers, and how what comes in reaches them
 *
 * Messages from the server and own ones from the inbox take the same way: a plan is looked up by
 * the event's name, and run. A handler may do anything; what stands in the way of going on
 * afterwards (freed, disconnected, stopped) is asked for after each message.
 */

#include "libnc/client/client.h"

#include <stdio.h>
#include <string.h>

#include "libnc/wire/name.h"

/* ---- handlers */

int nc_on(nc_client *c, const char *pattern, nc_handler *fn, void *arg)
{
	return pattern && fn ? emitter_add(&c->emitter, pattern, fn, arg, false) : NC_EINVAL;
}

int nc_on_event(nc_client *c, const char *event, nc_handler *fn, void *arg)
{
	if (!event || !fn)
		return NC_EINVAL;
	if (name_check_event(event, strlen(event)) != NAME_OK)
		return NC_ENAME;
	return emitter_add(&c->emitter, event, fn, arg, false);
}

int nc_once(nc_client *c, const char *pattern, nc_handler *fn, void *arg)
{
	return pattern && fn ? emitter_add(&c->emitter, pattern, fn, arg, true) : NC_EINVAL;
}

int nc_off(nc_client *c, const char *pattern, nc_handler *fn, void *arg)
{
	return emitter_remove(&c->emitter, pattern, fn, arg);
}

size_t nc_listeners(const nc_client *c, const char *pattern)
{
	return emitter_count(&c->emitter, pattern);
}

void nc_on_status(nc_client *c, nc_status_cb *fn, void *arg)
{
	c->status_fn = fn;
	c->status_arg = arg;
}

/* ---- messages */

/* A message that can't be handed over for want of memory is a loss, and told like one. */
static void client_lost_message(nc_client *c)
{
	struct nc_status s = {.kind = NC_STATUS_GAP,
	                      .error = NC_ENOMEM,
	                      .text = "no memory to hand over a message",
	                      .count = 1,
	                      .exact = 1};

	c->counters.lost++;
	client_tell_status(c, &s);
}

static inline void client_run_message(nc_client *c, nc_msg *m)
{
	struct emitter_plan *p = emitter_lookup(&c->emitter, m->frame->event, m->frame->event_len);

	if (!p) {
		client_lost_message(c);
		return;
	}
	m->event = p->event;
	c->n_callbacks++;
	emitter_run(&c->emitter, p, c, m, &c->is_freed);
	c->n_callbacks--;
}

static void client_run_reply(nc_client *c, const struct request *r, int error, const nc_msg *m)
{
	c->n_callbacks++;
	r->fn(c, error, m, r->arg);
	c->n_callbacks--;
}

/* The error that an answer carries, or NC_OK. */
static int reply_error(const struct frame_emit *f)
{
	const uint8_t *value;
	uint8_t len;
	int code;

	value = frame_option_find(f, FRAME_O_ERROR, &len);
	if (!value)
		return NC_OK;
	code = len == 2 ? le16_get(value) : NC_EREMOTE;
	return code <= NC_AGAIN || code > NC_ESYS ? NC_EREMOTE : code;
}

/* Whether the message is an answer; then it goes to its request, if that still waits, and to no
 * handler. */
static bool client_take_reply(nc_client *c, nc_msg *m)
{
	struct request r;
	uint64_t id;

	if (!frame_option_u64(m->frame, FRAME_O_REPLY, &id))
		return false;
	if (request_take(&c->requests, id, &r))
		client_run_reply(c, &r, reply_error(m->frame), m);
	return true;
}

static void on_message(void *arg, const struct frame_emit *f)
{
	nc_client *c = arg;
	nc_msg m;

	c->counters.received++;
	if (msg_init(&m, f, &c->source) != FRAME_OK) {
		/* its slice lies outside of it: the handlers can't be given anything */
		client_end(c, client_fail(c, NC_EPROTO, "the server sent a bad message"));
		return;
	}
	if (!f->options_len || !client_take_reply(c, &m))
		client_run_message(c, &m);
	msg_fini(&m);
}

/* Own messages stay in the inbox while they are handled; a handler can add to it, and nothing else
 * can take from it. */
void client_run_inbox(nc_client *c)
{
	size_t n = c->inbox.n_messages;

	while (n-- && !c->is_freed && !c->conn.pause) {
		struct frame_emit f;
		const uint8_t *frame;
		size_t len;
		nc_msg m;

		frame = outq_front(&c->inbox, &len);
		c->counters.local++;
		if (frame_emit_get(&f, frame, len, NC_MESSAGE_MAX) == FRAME_OK &&
		    msg_init(&m, &f, &c->source) == FRAME_OK) {
			m.local = true;
			client_run_message(c, &m);
			msg_fini(&m);
		}
		outq_pop(&c->inbox);
	}
}

void client_run_requests(nc_client *c, uint64_t now_ns)
{
	struct request r;

	if (request_next_ns(&c->requests) <= now_ns)
		client_take_back_requests(c, now_ns);
	while (!c->is_freed && request_take_ended(&c->requests, now_ns, &r))
		client_run_reply(c, &r, r.error, NULL);
}

/* ---- what the server tells */

static void on_welcome(void *arg)
{
	client_welcomed(arg);
}

static const char *gap_text(uint8_t reason)
{
	switch ((enum frame_gap_reason)reason) {
	case FRAME_GAP_DROP_OLDEST:
		return "the server's queue was full, and its oldest were dropped";
	case FRAME_GAP_DROP_NEWEST: return "the server's queue was full";
	case FRAME_GAP_CONFLATE: return "newer messages took the place of older ones";
	case FRAME_GAP_NET: return "lost between hosts";
	case FRAME_GAP_UNTRANSLATABLE: return "not to be said in JSON";
	}
	return "unknown reason";
}

static void on_gap(void *arg, const struct frame_gap *f)
{
	nc_client *c = arg;
	struct nc_status s = {.kind = NC_STATUS_GAP,
	                      .text = gap_text(f->reason),
	                      .count = f->count,
	                      .exact = f->exact};

	c->counters.lost += f->count;
	client_tell_status(c, &s);
}

/* What was refused may have been a request, whose caller then need not wait for the deadline. */
static void on_error(void *arg, const struct frame_error *f)
{
	nc_client *c = arg;
	int error = f->code > NC_ESYS || f->code <= NC_AGAIN ? NC_EREMOTE : f->code;
	struct nc_status s = {.kind = NC_STATUS_ERROR,
	                      .error = error,
	                      .text = c->error_text,
	                      .count = 1,
	                      .exact = 1,
	                      .seq = f->seq};
	struct request r;

	c->counters.refused++;
	client_fail(c, error, "%.*s", (int)f->text_len, f->text);
	if (request_take_seq(&c->requests, f->seq, &r))
		client_run_reply(c, &r, error, NULL);
	client_tell_status(c, &s);
}

static void on_pong(void *arg, uint64_t token)
{
	nc_client *c = arg;

	if (c->sync == CLIENT_SYNC_SENT && token == c->sync_token)
		c->sync = CLIENT_SYNC_DONE;
}

const struct conn_ops client_conn_ops = {
        .on_welcome = on_welcome,
        .on_message = on_message,
        .on_gap = on_gap,
        .on_error = on_error,
        .on_pong = on_pong,
};
