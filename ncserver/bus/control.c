/* control.c - answers to questions on the control channel
 *
 * A question with an id is answered to its asker alone; one without, as netcluster's tools ask, to
 * every client of control. The tables of doc and manual (nc-protocol(7)) list the questions; here
 * is the code behind each.
 */
#include "ncserver/bus/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "libnc/base/buf.h"
#include "libnc/wire/error.h"
#include "libnc/wire/name.h"
#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/deliver.h"
#include "ncserver/bus/state.h"
#include "ncserver/conf/conf.h"

#define RESPONSE "-response"

/* ---- the way of an answer ---- */

/* Sender id of the server itself: its boot's tag, and no session. */
static uint64_t server_id(const struct bus *b)
{
	return (uint64_t)b->tag << 32;
}

/* An answer as a native frame. code 0: `text` is JSON; else it says what went wrong. Returns its
 * bytes, or NULL. */
static uint8_t *make_frame(struct bus *b, const struct question *q, enum nc_error code,
                           const char *text, size_t len, size_t *frame_len)
{
	uint8_t options[32];
	uint8_t value[8];
	char event[NC_EVENT_MAX + sizeof(RESPONSE)];
	size_t n = q->event_len + sizeof(RESPONSE) - 1;
	struct frame_emit f = {.sender = server_id(b),
	                       .seq = ++b->server_seq,
	                       .channel = q->from->chan->name,
	                       .channel_len = q->from->chan->name_len,
	                       .event = event,
	                       .options = options,
	                       .payload_len = (uint32_t)len,
	                       .flags = code ? FRAME_T_TEXT : FRAME_T_JSON};
	size_t off = 0;
	uint8_t *p;

	if (n > NC_EVENT_MAX)
		n = NC_EVENT_MAX;
	memcpy(event, q->event, q->event_len < n ? q->event_len : n);
	if (n > q->event_len)
		memcpy(event + q->event_len, RESPONSE, n - q->event_len);
	f.event_len = (uint8_t)n;
	if (q->has_id) {
		le64_put(value, q->id);
		off += frame_option_put(options, sizeof(options), FRAME_O_REPLY, value, 8);
	}
	if (code) {
		le16_put(value, (uint16_t)code);
		off += frame_option_put(options + off, sizeof(options) - off, FRAME_O_ERROR, value,
		                        2);
	}
	f.options_len = (uint16_t)off;
	if (off)
		f.flags |= FRAME_F_OPTIONS;
	*frame_len = frame_emit_head_len(&f) + len;
	p = malloc(*frame_len);
	if (!p)
		return NULL;
	n = frame_emit_head_put(p, *frame_len, &f);
	memcpy(p + n, text, len);
	return p;
}

static void answer_native(struct bus *b, const struct question *q, enum nc_error code,
                          const char *text, size_t len)
{
	size_t n;
	uint8_t *p = make_frame(b, q, code, text, len, &n);

	if (p)
		client_send(q->from, p, n);
	else
		client_kill(q->from, NC_ENOMEM);
	free(p);
}

static void answer_json(const struct question *q, enum nc_error code, const char *text, size_t len)
{
	struct buf out;
	int rc = 0;

	buf_init(&out, CONTROL_ANSWER_MAX * 2);
	rc |= buf_printf(&out,
	                 "{\"channel\":\"%s\",\"broadcast\":false,\"event\":", q->from->chan->name);
	buf_append_byte(&out, '"');
	{
		/* the event is a string in a packet: written again with its escapes */
		struct buf ev;

		buf_init(&ev, NC_CONTROL_FRAME_MAX * 8);
		rc |= packet_append_string(&ev, q->event, q->event_len);
		if (rc == 0)
			rc |= buf_append(&out, ev.data + 1, ev.len - 2);
		buf_fini(&ev);
	}
	rc |= buf_append_str(&out, RESPONSE "\",\"data\":");
	if (code) {
		rc |= buf_append_str(&out, "null");
	} else {
		rc |= buf_append(&out, text, len);
	}
	rc |= buf_printf(&out, ",\"nc\":{\"id\":%llu", (unsigned long long)q->id);
	if (code) {
		rc |= buf_printf(&out, ",\"code\":%d,\"error\":", (int)code);
		rc |= packet_append_string(&out, text, len);
	}
	rc |= buf_append(&out, "}}", 3);
	if (rc == 0)
		client_send(q->from, out.data, out.len);
	else
		client_kill(q->from, NC_ENOMEM);
	buf_fini(&out);
}

/* To every client of control, the asker among them. */
static void answer_all(struct bus *b, const struct question *q, const char *text, size_t len)
{
	struct chan *ch = q->from->chan;
	struct delivery d = {.chan = ch};
	struct range r = {.n = 1};
	struct route *route;
	size_t n;
	uint8_t *p = make_frame(b, q, NC_OK, text, len, &n);
	struct slab *s = p ? slab_new(&b->pool, (uint32_t)n) : NULL;

	if (s) {
		memcpy(s->data, p, n);
		s->used = (uint32_t)n;
		r.slab = s;
		r.p = s->data;
		r.len = s->used;
		route = chan_route(ch, (char *)p + FRAME_EMIT_LEN + p[6], p[7], false);
		if (route) {
			d.route = route;
			deliver_one_range(&d.native, &r, route);
			deliver(b, &d);
			chan_route_done(ch, route);
		}
		slab_unref(s);
	}
	free(p);
}

/* What it has not read yet of earlier answers bounds what it may ask. */
static bool reads_answers(const struct question *q)
{
	struct client *c = q->from;

	if (c->out.control_len <= c->out.conf->bytes)
		return true;
	client_end(c, NC_ESLOW, "answers are not read");
	return false;
}

static void reply(struct bus *b, const struct question *q, const struct buf *json)
{
	const char *text = (const char *)json->data;

	if (!q->has_id)
		answer_all(b, q, text, json->len);
	else if (q->from->dialect == DIALECT_NATIVE)
		answer_native(b, q, NC_OK, text, json->len);
	else
		answer_json(q, NC_OK, text, json->len);
}

void control_refuse(struct bus *b, const struct question *q, enum nc_error code, const char *text)
{
	struct buf json;

	if (!reads_answers(q))
		return;
	if (q->has_id && q->from->dialect == DIALECT_NATIVE) {
		answer_native(b, q, code, text, strlen(text));
	} else if (q->has_id) {
		answer_json(q, code, text, strlen(text));
	} else {
		buf_init(&json, CONTROL_ANSWER_MAX);
		if (buf_append_str(&json, "{\"error\":") == 0 &&
		    packet_append_string(&json, text, strlen(text)) == 0 &&
		    buf_append_byte(&json, '}') == 0)
			answer_all(b, q, (const char *)json.data, json.len);
		buf_fini(&json);
	}
}

/* ---- the questions ---- */

/* Data as a tree; NULL where it is null or not what can be taken apart. */
static yajl_val parse(const struct question *q)
{
	char *text = strndup(q->data, q->data_len);
	yajl_val v = text ? yajl_tree_parse(text, NULL, 0) : NULL;

	free(text);
	return v;
}

static const char *get_string(yajl_val v, const char *key)
{
	const char *path[] = {key, NULL};

	return v && YAJL_IS_OBJECT(v) ? YAJL_GET_STRING(yajl_tree_get(v, path, yajl_t_string))
	                              : NULL;
}

static struct client *find_client(struct chan *ch, const char *uuid)
{
	struct list *it;
	uint64_t id;

	if (!client_uuid_get(ch->bus, uuid, &id))
		return NULL;
	list_for_each(it, &ch->clients) {
		struct client *c = list_entry(it, struct client, link);

		if (!c->dead && c->id == id)
			return c;
	}
	return NULL;
}

/* Each returns NC_OK with the answer in `out`, or what went wrong with *why (malloc'ed) as its
 * text. */
typedef enum nc_error question_fn(struct bus *b, const struct question *q, struct buf *out,
                                  char **why);

static enum nc_error from_errno(int rc)
{
	return rc == 0 ? NC_OK : rc == -ENOMEM ? NC_ENOMEM : NC_ETOOBIG;
}

static enum nc_error no_channel(const char *name, char **why)
{
	if (!name)
		*why = strdup("the data names no channel");
	else if (asprintf(why, "no channel \"%.63s\"", name) < 0)
		*why = NULL;
	return name ? NC_ENOENT : NC_EINVAL;
}

static enum nc_error ask_showconfig(struct bus *b, const struct question *q, struct buf *out,
                                    char **why)
{
	(void)q;
	(void)why;
	return from_errno(conf_print_json(out, b->conf));
}

static enum nc_error ask_reload(struct bus *b, const struct question *q, struct buf *out,
                                char **why)
{
	yajl_val v = parse(q);
	const char *text = get_string(v, "text");
	const char *format = get_string(v, "format");
	const char *name = get_string(v, "name");
	int rc;

	if (text && format)
		rc = b->env.reload(b->env.arg, text, strlen(text), name ? name : "(reloadconfig)",
		                   why);
	else if (v && YAJL_IS_OBJECT(v))
		rc = b->env.reload(b->env.arg, q->data, q->data_len, "(reloadconfig)", why);
	else if (!v || YAJL_IS_NULL(v) || (YAJL_IS_STRING(v) && v->u.string[0] == '\0'))
		rc = b->env.reload(b->env.arg, NULL, 0, NULL, why);
	else
		rc = -EINVAL;
	if (v)
		yajl_tree_free(v);
	if (rc == -EINVAL)
		*why = strdup(
		        "the data is no configuration: an object, or {\"format\",\"text\"}, or nothing");
	if (rc)
		return rc == -EINVAL ? NC_EINVAL : NC_EREMOTE;
	return from_errno(buf_append_str(out, "\"done\""));
}

static enum nc_error ask_showchannel(struct bus *b, const struct question *q, struct buf *out,
                                     char **why)
{
	yajl_val v = parse(q);
	const char *name = YAJL_GET_STRING(v);
	struct chan *ch = name ? bus_chan(b, name) : NULL;
	char uuid[CLIENT_UUID_LEN + 1];
	const char *sep = "[";
	struct list *it;
	int rc = 0;

	if (!ch) {
		enum nc_error e = no_channel(name, why);

		if (v)
			yajl_tree_free(v);
		return e;
	}
	list_for_each(it, &ch->clients) {
		struct client *c = list_entry(it, struct client, link);

		if (c->dead || c->refused || c->lane || c->dialect == DIALECT_FIFO)
			continue;
		client_uuid(b, c->id, uuid);
		rc |= buf_printf(out, "%s\"%s\"", sep, uuid);
		sep = ",";
	}
	rc |= buf_append_str(out, *sep == '[' ? "[]" : "]");
	yajl_tree_free(v);
	return from_errno(rc ? -ENOMEM : 0);
}

static enum nc_error ask_showclient(struct bus *b, const struct question *q, struct buf *out,
                                    char **why)
{
	yajl_val v = parse(q);
	const char *name = get_string(v, "channel");
	const char *uuid = get_string(v, "client");
	struct chan *ch = name ? bus_chan(b, name) : NULL;
	struct client *c = ch && uuid ? find_client(ch, uuid) : NULL;
	enum nc_error e;

	if (c) {
		e = from_errno(control_show_client(out, c));
	} else if (!ch || !uuid) {
		e = ch ? NC_EINVAL : no_channel(name, why);
		if (ch)
			*why = strdup("the data names no client");
	} else {
		e = NC_ENOENT;
		if (asprintf(why, "no client \"%.36s\" on channel %s", uuid, ch->name) < 0)
			*why = NULL;
	}
	if (v)
		yajl_tree_free(v);
	return e;
}

static enum nc_error ask_channels(struct bus *b, const struct question *q, struct buf *out,
                                  char **why)
{
	(void)q;
	(void)why;
	return from_errno(control_show_channels(out, b));
}

static enum nc_error ask_clients(struct bus *b, const struct question *q, struct buf *out,
                                 char **why)
{
	yajl_val v = parse(q);
	const char *path[] = {"channel", NULL};
	bool names = v && YAJL_IS_OBJECT(v) && yajl_tree_get(v, path, yajl_t_any);
	const char *name = get_string(v, "channel");
	enum nc_error e;

	if (names && (!name || !bus_chan(b, name)))
		e = no_channel(name, why);
	else
		e = from_errno(control_show_clients(out, b, name));
	if (v)
		yajl_tree_free(v);
	return e;
}

static enum nc_error ask_rules(struct bus *b, const struct question *q, struct buf *out, char **why)
{
	(void)q;
	(void)why;
	return from_errno(control_show_rules(out, b));
}

static enum nc_error ask_slow(struct bus *b, const struct question *q, struct buf *out, char **why)
{
	(void)q;
	(void)why;
	return from_errno(control_show_slow(out, b));
}

static enum nc_error ask_stats(struct bus *b, const struct question *q, struct buf *out, char **why)
{
	(void)q;
	(void)why;
	return from_errno(control_show_stats(out, b));
}

/* Who would get an event: by the route that a message would take. */
static int show_trace(struct buf *out, struct chan *ch, const struct route *r)
{
	char uuid[CLIENT_UUID_LEN + 1];
	const char *sep = "";
	int rc;

	rc = buf_printf(out, "{\"channel\":\"%s\",\"event\":", ch->name);
	rc |= packet_append_string(out, r->event, r->event_len);
	rc |= buf_append_str(out, ",\"channels\":[");
	for (uint32_t i = 0; i < ch->n_reach; i++)
		rc |= buf_printf(out, "%s\"%s\"", i ? "," : "", ch->reach[i]->name);
	rc |= buf_append_str(out, "],\"clients\":[");
	for (uint32_t i = 0; i < r->n_targets; i++) {
		const struct client *t = r->targets[i];

		if (t->lane)
			continue;
		client_uuid(ch->bus, t->id, uuid);
		rc |= buf_printf(out, "%s{\"id\":\"%s\",\"channel\":\"%s\"}", sep, uuid,
		                 t->chan->name);
		sep = ",";
	}
	return rc | buf_printf(out, "],\"net\":%s}", ch->lane_out ? "true" : "false");
}

static enum nc_error ask_trace(struct bus *b, const struct question *q, struct buf *out, char **why)
{
	yajl_val v = parse(q);
	const char *name = get_string(v, "channel");
	const char *event = get_string(v, "event");
	struct chan *ch = name ? bus_chan(b, name) : NULL;
	struct route *r = NULL;
	enum nc_error e = NC_OK;

	if (!ch) {
		e = no_channel(name, why);
	} else if (!event || name_check_event(event, strlen(event)) != NAME_OK) {
		e = NC_ENAME;
		*why = strdup("the data names no legal event");
	} else {
		r = chan_route(ch, event, strlen(event), false);
		e = r && show_trace(out, ch, r) == 0 ? NC_OK : NC_ENOMEM;
		chan_route_done(ch, r);
	}
	if (v)
		yajl_tree_free(v);
	return e;
}

static bool is_reload(const struct question *q)
{
	static const char name[] = "nc-control-reloadconfig";

	return q->event_len == sizeof(name) - 1 && memcmp(q->event, name, q->event_len) == 0;
}

static enum nc_error ask_net(struct bus *b, const struct question *q, struct buf *out, char **why)
{
	size_t n = sizeof("nc-control-") - 1;

	if (!b->env.net || q->event_len <= n)
		return NC_ENOBODY;
	return b->env.net(b->env.arg, q->event + n, q->event_len - n, q->data, q->data_len, out,
	                  why);
}

void control_ask(struct bus *b, const struct question *q)
{
	static const struct {
		const char *event;
		question_fn *fn;
	} table[] = {
	        {"nc-control-showconfig", ask_showconfig},
	        {"nc-control-reloadconfig", ask_reload},
	        {"nc-control-showchannel", ask_showchannel},
	        {"nc-control-showclient", ask_showclient},
	        {"nc-control-channels", ask_channels},
	        {"nc-control-clients", ask_clients},
	        {"nc-control-rules", ask_rules},
	        {"nc-control-slow", ask_slow},
	        {"nc-control-stats", ask_stats},
	        {"nc-control-trace", ask_trace},
	};
	enum nc_error e = NC_ENOBODY;
	char *why = NULL;
	struct buf out;

	if (!reads_answers(q))
		return;
	if (q->data_len > (is_reload(q) ? CONF_TEXT_MAX * 2 : REQUEST_DATA_MAX)) {
		control_refuse(b, q, NC_ETOOBIG, "the data of the question is too large");
		return;
	}
	if (packet_has_nul(q->data, q->data_len)) {
		control_refuse(b, q, NC_EINVAL, "the data has a string with \\u0000 in it");
		return;
	}
	buf_init(&out, CONTROL_ANSWER_MAX);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strlen(table[i].event) == q->event_len &&
		    memcmp(table[i].event, q->event, q->event_len) == 0) {
			e = table[i].fn(b, q, &out, &why);
			break;
		}
	}
	if (e == NC_ENOBODY)
		e = ask_net(b, q, &out, &why);
	if (e == NC_OK)
		reply(b, q, &out);
	else
		control_refuse(b, q, e, why ? why : error_text((int)e));
	free(why);
	buf_fini(&out);
}
