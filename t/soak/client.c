/*
 * A client of either dialect that emits numbered messages and keeps a ledger
 */

#include "t/soak/client.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- hearing */

static void on_message(nc_client *nc, const nc_msg *m, void *arg)
{
	struct client *c = arg;
	const char *p = nc_msg_data(m);
	size_t len = nc_msg_len(m);

	(void)nc;
	if (nc_msg_type(m) == NC_JSON && len >= 2) {
		p++;
		len -= 2;
	}
	ledger_enter(&c->ledger, nc_msg_event(m), p ? p : "", len);
}

static void on_status(nc_client *nc, const struct nc_status *s, void *arg)
{
	struct client *c = arg;

	(void)nc;
	switch (s->kind) {
	case NC_STATUS_CONNECTED:
		if (c->sessions++ > 0)
			ledger_begin_session(&c->ledger);
		atomic_fetch_add(&soak->totals.connections, 1);
		break;
	case NC_STATUS_GAP:
		if (!s->exact)
			soak_fail("%s was told of a gap without a number", c->opt.label);
		ledger_enter_gap(&c->ledger, s->count);
		break;
	case NC_STATUS_ERROR:
		/* the rest of what it sent to a channel that is gone */
		if (c->opt.channel != CH_PASSING)
			soak_fail("%s was refused something: %s", c->opt.label, s->text);
		break;
	case NC_STATUS_CLOSED: c->is_ended = true; break;
	default: break;
	}
}

/* The bytes between the quotes of a JSON string without escapes; "" for anything else. */
static const char *between_quotes(const char *raw, size_t len, size_t *out_len)
{
	if (!raw || len < 2 || raw[0] != '"') {
		*out_len = 0;
		return "";
	}
	*out_len = len - 2;
	return raw + 1;
}

static void hear_gap(struct client *c, const char *data, size_t len)
{
	size_t n = 0, n_exact = 0;
	const char *count = data ? util_json_raw(data, len, "count", &n) : NULL;
	const char *exact = data ? util_json_raw(data, len, "exact", &n_exact) : NULL;

	if (!count || (exact && strncmp(exact, "true", 4) != 0))
		soak_fail("%s was told of a gap without a number: %.*s", c->opt.label, (int)len,
		          data ? data : "");
	else
		ledger_enter_gap(&c->ledger, strtoull(count, NULL, 10));
}

static void hear_packet(struct client *c, const char *packet, size_t len)
{
	size_t raw_len = 0, name_len, text_len;
	const char *raw = util_json_raw(packet, len, "event", &raw_len);
	const char *name = between_quotes(raw, raw_len, &name_len), *text;
	char event[256];

	snprintf(event, sizeof(event), "%.*s", (int)name_len, name);
	raw_len = 0;
	raw = util_json_raw(packet, len, "data", &raw_len);
	text = between_quotes(raw, raw_len, &text_len);
	if (strcmp(event, "nc.gap") == 0)
		hear_gap(c, raw, raw_len);
	else if (strncmp(event, "nc.", 3) != 0)
		ledger_enter(&c->ledger, event, text, text_len);
}

/* ---- life */

static bool open_native(struct client *c, const char *channel, int timeout_ms)
{
	const struct client_options *o = &c->opt;

	if (nc_new(&c->nc, channel) != NC_OK)
		return false;
	nc_on_status(c->nc, on_status, c);
	if (nc_setopt_str(c->nc, NC_OPT_SOCKET, soak_server->sockets) != NC_OK ||
	    nc_setopt_str(c->nc, NC_OPT_LABEL, o->label) != NC_OK ||
	    nc_setopt_int(c->nc, NC_OPT_RECONNECT, o->comes_back) != NC_OK ||
	    nc_setopt_int(c->nc, NC_OPT_LOCAL, 0) != NC_OK ||
	    nc_setopt_int(c->nc, NC_OPT_RECONNECT_MAX_MS, 500) != NC_OK ||
	    (o->policy >= 0 && nc_setopt_int(c->nc, NC_OPT_RECEIVE_POLICY, o->policy) != NC_OK))
		soak_fail("%s can't set its options", o->label);
	if (o->pattern)
		client_listen(c, o->pattern);
	return nc_connect(c->nc, timeout_ms) == NC_OK && nc_sync(c->nc, timeout_ms) == NC_OK;
}

static bool open_json(struct client *c, const char *channel)
{
	static const char *const wishes[] = {"block", "drop-oldest", "drop-newest", "conflate",
	                                     "disconnect"};
	char path[UTIL_PATH_MAX], packet[96];

	if (jc_open(&c->jc, server_socket(soak_server, channel, path)) != 0)
		return false;
	c->sessions++;
	atomic_fetch_add(&soak->totals.connections, 1);
	if (c->opt.policy >= 0) {
		int n = snprintf(packet, sizeof(packet),
		                 "{\"event\":\"nc.policy\",\"data\":\"%s\"}",
		                 wishes[c->opt.policy]);

		jc_queue(&c->jc, packet, (size_t)n + 1);
	}
	if (!c->opt.pattern)
		client_listen(c, "nothing");
	else if (strcmp(c->opt.pattern, ">") != 0)
		client_listen(c, c->opt.pattern);
	return true;
}

/* What may happen to what it hears. */
static void set_expectations(struct client *c)
{
	enum soak_channel ch = c->opt.channel;

	/* one that comes back after it was slow is on probation, and loses */
	c->ledger.may_lose = c->opt.policy >= 0 || c->opt.comes_back || ch == CH_OLDEST ||
	                     ch == CH_NEWEST || ch == CH_CONFLATE || ch == CH_CHANGING ||
	                     ch == CH_DUMP;
	c->ledger.is_ordered =
	        ch != CH_CONFLATE && ch != CH_CHANGING && c->opt.policy != NC_POLICY_CONFLATE;
}

bool client_open(struct client *c, const struct client_options *o, uint32_t sender, int timeout_ms)
{
	const char *channel = channel_name(o->channel, o->number);

	memset(c, 0, sizeof(*c));
	c->opt = *o;
	c->jc.fd = -1;
	c->next.sender = sender;
	ledger_init(&c->ledger, o->label);
	set_expectations(c);
	if (o->dialect == DIALECT_NATIVE)
		return open_native(c, channel, timeout_ms);
	return open_json(c, channel);
}

static void step_json(struct client *c, int timeout_ms)
{
	struct pollfd f = {.fd = c->jc.fd, .events = POLLIN};
	const char *packet;
	size_t len;
	int r;

	if (jc_queued(&c->jc) > 0)
		f.events |= POLLOUT;
	if (poll(&f, 1, timeout_ms) <= 0)
		return;
	r = f.revents & POLLOUT ? jc_flush(&c->jc) : 0;
	if (f.revents & (POLLIN | POLLHUP | POLLERR))
		jc_fill(&c->jc);
	while ((packet = jc_take(&c->jc, &len)))
		hear_packet(c, packet, len);
	c->is_ended = c->jc.eof || (r != 0 && r != -EAGAIN);
}

/* What the kernel has taken is the server's to deliver. */
static void note_written(struct client *c)
{
	struct nc_counters n;

	if (!c->me)
		return;
	if (c->opt.dialect == DIALECT_JSON) {
		/* there is one packet at most in its queue */
		atomic_store(&c->me->written, c->next.seq - (jc_queued(&c->jc) > 0));
		return;
	}
	nc_get_counters(c->nc, &n, sizeof(n));
	atomic_store(&c->me->written, (uint32_t)n.written);
}

void client_step(struct client *c, int timeout_ms)
{
	if (c->is_ended)
		return;
	if (c->opt.dialect == DIALECT_JSON)
		step_json(c, timeout_ms);
	else
		nc_wait(c->nc, timeout_ms);
	note_written(c);
}

bool client_sync(struct client *c, int timeout_ms)
{
	return nc_sync(c->nc, timeout_ms) == NC_OK;
}

/* ---- interest */

static void say_pattern(struct client *c, const char *event, const char *pattern)
{
	char packet[512];
	int n = snprintf(packet, sizeof(packet), "{\"event\":\"%s\",\"data\":\"%s\"}", event,
	                 pattern);

	jc_queue(&c->jc, packet, (size_t)n + 1);
	jc_flush(&c->jc);
}

void client_listen(struct client *c, const char *pattern)
{
	if (c->opt.dialect == DIALECT_JSON)
		say_pattern(c, "nc.listen", pattern);
	else if (nc_on(c->nc, pattern, on_message, c) != NC_OK)
		soak_fail("%s can't listen to %s", c->opt.label, pattern);
}

void client_unlisten(struct client *c, const char *pattern)
{
	if (c->opt.dialect == DIALECT_JSON)
		say_pattern(c, "nc.unlisten", pattern);
	else if (nc_off(c->nc, pattern, on_message, c) != NC_OK)
		soak_fail("%s can't unlisten %s", c->opt.label, pattern);
}

/* ---- emitting */

static bool emit_native(struct client *c, const char *event, size_t len)
{
	bool is_json = c->next.seq % 3 == 0;
	int r;

	c->packet[0] = '"';
	c->packet[len + 1] = '"';
	r = nc_emit(c->nc, event, is_json ? NC_JSON : NC_TEXT, c->packet + !is_json,
	            is_json ? len + 2 : len, 0);
	if (r == NC_OK)
		return true;
	if (r != NC_AGAIN && r != NC_ECLOSED)
		soak_fail("%s can't emit: %s", c->opt.label, nc_strerror(r));
	c->is_ended |= r == NC_ECLOSED;
	return false;
}

static void emit_json(struct client *c, const char *event, size_t len)
{
	char head[128];
	int n = snprintf(head, sizeof(head),
	                 "{\"channel\":\"x\",\"broadcast\":false,\"event\":\"%s\","
	                 "\"data\":\"",
	                 event);

	jc_queue(&c->jc, head, (size_t)n);
	jc_queue(&c->jc, c->packet + 1, len);
	jc_queue(&c->jc, "\"}", 3);
	jc_flush(&c->jc);
}

static void begin_to_emit(struct client *c)
{
	bool is_block = c->opt.channel == CH_CALM || c->opt.channel == CH_FIFO;

	c->packet = malloc(NUMBER_LEN_MAX + 2);
	if (!c->packet)
		abort();
	c->me = &soak->senders[c->next.sender];
	c->me->channel = (uint8_t)c->opt.channel;
	/* whoever listens may be ended for not reading, and with it what it has sent */
	if (c->opt.channel == CH_PASSING || (c->opt.pattern && !is_block))
		atomic_store(&c->me->fate, FATE_LOOSE);
}

/* Does the fault that is asked for. */
static void plant(struct client *c, size_t len)
{
	if (c->next.seq == PLANT_AT && soak->plant == PLANT_GARBLE)
		c->packet[len] ^= 1;
}

bool client_emit(struct client *c, size_t len)
{
	uint32_t stream = chance_below(SOAK_STREAMS);
	struct number x;
	char event[64];

	if (c->is_ended || (c->opt.dialect == DIALECT_JSON && jc_queued(&c->jc) > 0))
		return false;
	if (!c->me)
		begin_to_emit(c);
	x = c->next;
	x.stream = stream;
	if (c->next.seq == PLANT_AT && soak->plant == PLANT_SKIP)
		c->n[stream]++;
	x.n = c->n[stream];
	snprintf(event, sizeof(event), "s.%" PRIu32 ".%" PRIu32, x.sender, stream);
	number_write(c->packet + 1, len, &x);
	plant(c, len);
	/* who is killed now may have emitted it */
	atomic_fetch_add(&c->me->emitted, 1);
	if (c->opt.dialect == DIALECT_JSON) {
		emit_json(c, event, len);
	} else if (!emit_native(c, event, len)) {
		atomic_fetch_sub(&c->me->emitted, 1);
		return false;
	}
	c->next.seq++;
	c->n[stream]++;
	if (x.seq == PLANT_AT && soak->plant == PLANT_DOUBLE)
		c->n[stream]--;
	atomic_fetch_add(&soak->totals.emitted, 1);
	note_written(c);
	return true;
}

/* ---- the end */

static bool write_all(struct client *c, int timeout_ms)
{
	uint64_t end = util_now_ms() + (uint64_t)timeout_ms;

	if (c->opt.dialect == DIALECT_NATIVE)
		return nc_disconnect(c->nc, timeout_ms) == NC_OK;
	while (!c->is_ended && jc_queued(&c->jc) > 0 && util_left_ms(end) > 0)
		step_json(c, util_left_ms(end));
	return !c->is_ended && jc_queued(&c->jc) == 0;
}

void client_leave(struct client *c, int timeout_ms)
{
	bool is_all = !c->is_ended && write_all(c, timeout_ms);
	uint8_t cut = FATE_CUT;

	if (c->me) {
		note_written(c);
		if (is_all)
			atomic_compare_exchange_strong(&c->me->fate, &cut, FATE_WHOLE);
	}
	client_close(c);
}

void client_close(struct client *c)
{
	nc_free(c->nc);
	jc_close(&c->jc);
	free(c->packet);
	c->nc = NULL;
	c->packet = NULL;
}
