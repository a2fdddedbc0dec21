/* request.c - what a client asks of the server: frames other than events, and packets that begin
 * with nc */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "libnc/base/utf8.h"
#include "libnc/wire/error.h"
#include "libnc/wire/name.h"
#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/control.h"
#include "ncserver/bus/input.h"
#include "ncserver/bus/state.h"
#include "ncserver/conf/conf.h"

/* ---- native ---- */

static void welcome(struct client *c, uint32_t features)
{
	const struct bus *b = c->bus;
	uint8_t frame[FRAME_PREFIX_LEN + 64 + NC_CHANNEL_MAX + 2 * NC_EVENT_MAX];
	struct frame_welcome w = {.version = FRAME_VERSION_MAX,
	                          .features = features,
	                          .sender = c->id,
	                          .max_payload = c->chan->conf->max_message,
	                          .channel = c->chan->name,
	                          .channel_len = c->chan->name_len,
	                          .host = b->env.host,
	                          .host_len = (uint8_t)strnlen(b->env.host, NC_EVENT_MAX),
	                          .server = b->env.version,
	                          .server_len = (uint8_t)strnlen(b->env.version, NC_EVENT_MAX)};

	memcpy(w.boot, b->env.boot, sizeof(w.boot));
	client_send(c, frame, frame_welcome_put(frame, sizeof(frame), &w));
}

static void set_label(struct client *c, const char *label, size_t len)
{
	if (len > CLIENT_LABEL_MAX)
		len = CLIENT_LABEL_MAX;
	while (len > 0 && !utf8_valid(label, len))
		len--;
	c->label = len ? strndup(label, len) : NULL;
}

static void on_hello(struct client *c, const uint8_t *p, size_t len)
{
	struct frame_hello h;
	uint32_t features;

	if (c->welcomed || frame_hello_get(&h, p, len) != FRAME_OK) {
		client_fail(c, NC_EPROTO, c->welcomed ? "a second hello" : "a malformed hello");
		return;
	}
	if (h.version_min > FRAME_VERSION_MAX || h.version_max < FRAME_VERSION_MIN) {
		client_fail(c, NC_EVERSION, "this server speaks versions %u to %u, you %u to %u",
		            FRAME_VERSION_MIN, FRAME_VERSION_MAX, h.version_min, h.version_max);
		return;
	}
	features = h.features & FRAME_FEAT_ALL;
	c->echo = (features & FRAME_FEAT_ECHO) != 0;
	c->wants_sender = (features & FRAME_FEAT_SENDER) != 0;
	c->wish = h.policy > 0 && h.policy <= FRAME_P_MAX + 1 ? (int8_t)(h.policy - 1) : -1;
	set_label(c, h.label, h.label_len);
	client_set_policy(c);
	c->welcomed = true;
	welcome(c, features);
}

static void on_listen(struct client *c, const uint8_t *p, size_t len, bool on)
{
	struct frame_listen l;
	enum nc_error rc;

	if (frame_listen_get(&l, p, len) != FRAME_OK) {
		client_fail(c, NC_EPROTO, "a malformed %s", on ? "listen" : "unlisten");
		return;
	}
	rc = on ? client_listen(c, l.pattern, l.pattern_len)
	        : client_unlisten(c, l.pattern, l.pattern_len);
	if (rc != NC_OK)
		client_error(c, rc, 0, "%s \"%.*s\": %s", on ? "listen" : "unlisten",
		             rc == NC_ENAME ? 0 : (int)l.pattern_len, l.pattern,
		             error_text((int)rc));
}

static void on_ping(struct client *c, const uint8_t *p, size_t len)
{
	uint8_t frame[FRAME_PREFIX_LEN + 8];
	uint64_t token;

	if (frame_ping_get(&token, p, len) != FRAME_OK)
		client_fail(c, NC_EPROTO, "a malformed ping");
	else if (c->out.control_len > QUEUE_CONTROL_MAX)
		client_end(c, NC_ESLOW, "answers to pings are not read");
	else
		client_send(c, frame, frame_ping_put(frame, sizeof(frame), FRAME_PONG, token));
}

void request_frame(struct client *c, const uint8_t *p, size_t len)
{
	uint8_t kind = frame_prefix_get(p).kind;

	if (!c->welcomed && kind != FRAME_HELLO) {
		client_fail(c, NC_EPROTO, "a frame before the hello");
		return;
	}
	switch (kind) {
	case FRAME_HELLO: on_hello(c, p, len); break;
	case FRAME_LISTEN: on_listen(c, p, len, true); break;
	case FRAME_UNLISTEN: on_listen(c, p, len, false); break;
	case FRAME_PING: on_ping(c, p, len); break;
	case FRAME_BYE: client_kill(c, NC_ECLOSED); break;
	default: break; /* unknown kinds are passed over */
	}
}

bool request_is_question(const char *event, size_t len)
{
	static const char prefix[] = "nc-control-";
	static const char suffix[] = "-response";
	size_t n = sizeof(prefix) - 1;
	size_t m = sizeof(suffix) - 1;

	return len > n && memcmp(event, prefix, n) == 0 &&
	       !(len > n + m && memcmp(event + len - m, suffix, m) == 0);
}

/* The payload of a native question as JSON text. Returns 0, or 1 where its type says nothing here.
 */
static int question_data(const struct frame_emit *f, struct buf *out)
{
	const uint8_t *data;
	uint32_t len;
	enum frame_type type;

	if (frame_emit_data(f, &data, &len, &type) != FRAME_OK)
		return 1;
	switch (type) {
	case FRAME_T_EMPTY: return buf_append_str(out, "null") != 0;
	case FRAME_T_TEXT: return packet_append_string(out, (const char *)data, len) != 0;
	case FRAME_T_JSON:
		return packet_check_json(data, len) != PACKET_OK || buf_append(out, data, len) != 0;
	default: return 1;
	}
}

static void ask_native(struct client *c, const struct frame_emit *f, bool has_id, uint64_t id)
{
	struct question q = {.from = c,
	                     .event = f->event,
	                     .event_len = f->event_len,
	                     .id = id,
	                     .has_id = has_id};
	struct buf data;

	buf_init(&data, CONF_TEXT_MAX * 2);
	if (f->payload_len > CONF_TEXT_MAX * 2) {
		control_refuse(c->bus, &q, NC_ETOOBIG, "the data of the question is too large");
	} else if (question_data(f, &data)) {
		control_refuse(c->bus, &q, NC_EJSON, "the data of a question is JSON or text");
	} else {
		q.data = (const char *)data.data;
		q.data_len = data.len;
		control_ask(c->bus, &q);
	}
	buf_fini(&data);
}

void request_emit(struct client *c, const struct frame_emit *f, uint64_t id)
{
	struct question q = {
	        .from = c, .event = f->event, .event_len = f->event_len, .id = id, .has_id = true};

	if (!c->chan->is_control || !request_is_question(f->event, f->event_len))
		control_refuse(c->bus, &q, NC_ENOBODY, "nobody answers such requests here");
	else if (!c->may_admin)
		control_refuse(c->bus, &q, NC_EDENIED, "asking control needs the right \"admin\"");
	else
		ask_native(c, f, true, id);
}

void request_emit_plain(struct client *c, const struct frame_emit *f)
{
	ask_native(c, f, false, 0);
}

/* ---- JSON ---- */

static bool event_is(const struct packet *pk, const char *name)
{
	return pk->event_len == strlen(name) && memcmp(pk->event, name, pk->event_len) == 0;
}

static bool listen_one(struct client *c, yajl_val v, bool on)
{
	const char *s = YAJL_GET_STRING(v);
	enum nc_error rc = NC_EINVAL;

	if (s)
		rc = on ? client_listen(c, s, strlen(s)) : client_unlisten(c, s, strlen(s));
	if (rc != NC_OK)
		client_error(c, rc, 0, "%s: %s", on ? "nc.listen" : "nc.unlisten",
		             error_text((int)rc));
	return rc == NC_OK;
}

/* Data of nc.listen and nc.unlisten: a pattern, or an array of them. */
static void listen_packet(struct client *c, const char *p, const struct packet *pk, bool on)
{
	const char *what = on ? "nc.listen" : "nc.unlisten";
	char *text;
	char err[256];
	yajl_val v;

	if (pk->data_len > REQUEST_DATA_MAX) {
		client_error(c, NC_ETOOBIG, 0, "%s: more than %u bytes of patterns", what,
		             REQUEST_DATA_MAX);
		return;
	}
	if (packet_has_nul(p + pk->data_off, pk->data_len)) {
		client_error(c, NC_ENAME, 0, "%s: a pattern with \\u0000 in it", what);
		return;
	}
	text = strndup(p + pk->data_off, pk->data_len);
	v = text && pk->data_len ? yajl_tree_parse(text, err, sizeof(err)) : NULL;

	if (YAJL_IS_ARRAY(v)) {
		if (on && v->u.array.len == 0)
			client_listen_nothing(c);
		for (size_t i = 0; i < v->u.array.len && !c->dead; i++)
			listen_one(c, v->u.array.values[i], on);
	} else {
		listen_one(c, v, on);
	}
	if (v)
		yajl_tree_free(v);
	free(text);
}

/* Data of nc.policy: the name of a policy, taken where it loses more than the channel's. */
static void policy_packet(struct client *c, const char *p, const struct packet *pk)
{
	const char *data = p + pk->data_off;
	int policy = -1;

	if (pk->data_len > 2 && data[0] == '"')
		policy = queue_policy_find(data + 1, pk->data_len - 2);
	if (policy < 0) {
		client_error(c, NC_EINVAL, 0, "nc.policy: not the name of a queue policy");
		return;
	}
	c->wish = (int8_t)policy;
	client_set_policy(c);
}

static struct question packet_question(struct client *c, const char *p, const struct packet *pk)
{
	return (struct question){.from = c,
	                         .event = pk->event,
	                         .event_len = pk->event_len,
	                         .data = pk->data_len ? p + pk->data_off : "null",
	                         .data_len = pk->data_len ? pk->data_len : 4,
	                         .id = pk->nc_id,
	                         .has_id = pk->nc_has_id};
}

bool request_packet(struct client *c, const char *p, const struct packet *pk)
{
	struct question q;

	if (event_is(pk, "nc.listen") || event_is(pk, "nc.unlisten")) {
		listen_packet(c, p, pk, event_is(pk, "nc.listen"));
		return true;
	}
	if (event_is(pk, "nc.policy")) {
		policy_packet(c, p, pk);
		return true;
	}
	if (!pk->nc_has_id)
		return false;
	q = packet_question(c, p, pk);
	if (!c->chan->is_control || !request_is_question(pk->event, pk->event_len))
		control_refuse(c->bus, &q, NC_ENOBODY, "nobody answers such requests here");
	else if (!c->may_admin)
		control_refuse(c->bus, &q, NC_EDENIED, "asking control needs the right \"admin\"");
	else
		control_ask(c->bus, &q);
	return true;
}

void request_packet_plain(struct client *c, const char *p, const struct packet *pk)
{
	struct question q = packet_question(c, p, pk);

	control_ask(c->bus, &q);
}
