/* emit.c - emit and request, and writing
 *
 * A message is encoded once, at its place in the queue: the head from a copy that is kept with the
 * name, since names repeat, then the payload. Frames that are queued before a session is known are
 * stamped when it is. A long message before which nothing waits is written from where it lies, and
 * queued only where the socket does not take all of it.
 *
 * Nothing here runs a user's function, and nothing ends the connection: a socket that fails is left
 * to the next nc_process(), which first reads what the server may have said.
 */

#include "libnc/client/client.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libnc/wire/name.h"

/* While the socket is full, a write is tried again only after this much more. */
#define EMIT_RETRY_BYTES 65536u

/* Bytes that the option REQUEST adds to a head: length of all, type, length, id. */
#define EMIT_REQUEST_LEN (2u + 2u + 8u)

/* On the path of each message, where the calls would cost more than a tenth of all. */
#define EMIT_INLINE static inline __attribute__((always_inline))

/* One message that is to be sent. */
struct emit {
	const struct client_name *name; /* not owned */
	const void *data;               /* not owned */
	size_t len;
	enum nc_type type;
	unsigned flags;
	uint64_t request_id; /* 0: none */
};

/* ---- names */

/* Literals keep their addresses, so these tell names apart well enough; the text is compared. A
 * name stands in one of two slots, so that two that meet do not drive each other out for ever. */
static inline unsigned name_slot(const char *event)
{
	return (unsigned)(((uintptr_t)event * UINT64_C(0x9E3779B97F4A7C15)) >> 32) &
	       (CLIENT_NAMES - 1);
}

static struct client_name *name_new(const nc_client *c, const char *event, size_t len)
{
	struct frame_emit f = {
	        .channel = c->channel,
	        .channel_len = (uint8_t)strlen(c->channel),
	        .event = event,
	        .event_len = (uint8_t)len,
	};
	size_t head_len = frame_emit_head_len(&f);
	/* emit_encode() copies it in blocks */
	struct client_name *n = calloc(1, sizeof(*n) + head_len + BYTES_BLOCK);

	if (!n)
		return NULL;
	n->generation = 0;
	n->is_heard = false;
	n->head_len = (uint32_t)head_len;
	n->event_at = (uint8_t)(FRAME_EMIT_LEN + f.channel_len);
	frame_emit_head_put(n->head, head_len, &f);
	return n;
}

static int name_learn(nc_client *c, const char *event, struct client_name **out)
{
	size_t len = strlen(event);
	unsigned slot = name_slot(event);
	struct client_name *n;

	if (name_check_event(event, len) != NAME_OK)
		return NC_ENAME;
	/* what is reserved for servers is, on the control channel, what one may ask them */
	if (name_event_is_reserved(event, len) && strcmp(c->channel, "control"))
		return NC_ERESERVED;
	n = name_new(c, event, len);
	if (!n)
		return NC_ENOMEM;
	if (c->names[slot] && !c->names[slot ^ 1])
		slot ^= 1;
	free(c->names[slot]);
	c->names[slot] = n;
	*out = n;
	return NC_OK;
}

static inline bool name_is(const struct client_name *n, const char *event)
{
	return n && !strcmp(event, (const char *)n->head + n->event_at);
}

static inline int name_find(nc_client *c, const char *event, struct client_name **out)
{
	unsigned slot = name_slot(event);

	*out = c->names[slot];
	if (name_is(*out, event))
		return NC_OK;
	*out = c->names[slot ^ 1];
	return name_is(*out, event) ? NC_OK : name_learn(c, event, out);
}

/* Finds out whether own handlers match. Returns NC_OK or NC_ENOMEM. */
static int name_learn_heard(nc_client *c, struct client_name *n)
{
	const struct emitter_plan *p = emitter_lookup(
	        &c->emitter, (const char *)n->head + n->event_at, n->head_len - n->event_at);

	if (!p)
		return NC_ENOMEM;
	n->is_heard = p->n_handlers > 0;
	n->generation = c->emitter.generation;
	return NC_OK;
}

/* ---- encoding */

static inline size_t emit_frame_len(const struct emit *e)
{
	return e->name->head_len + (e->request_id ? EMIT_REQUEST_LEN : 0) + e->len;
}

static uint8_t *put_request(uint8_t *p, uint64_t id)
{
	uint8_t value[8];
	size_t n;

	le64_put(value, id);
	n = frame_option_put(p + 2, EMIT_REQUEST_LEN - 2, FRAME_O_REQUEST, value, sizeof(value));
	le16_put(p, (uint16_t)n);
	return p + 2 + n;
}

/* Numbers travel little-endian, whatever the order of this machine. */
static void put_number(uint8_t *p, const void *data)
{
	uint64_t bits;

	memcpy(&bits, data, sizeof(bits));
	le64_put(p, bits);
}

/* Writes all that comes before the payload, and up to BYTES_BLOCK - 1 bytes more. Returns where the
 * payload begins. */
EMIT_INLINE uint8_t *emit_encode_head(const nc_client *c, const struct emit *e, uint8_t *frame,
                                      size_t frame_len)
{
	uint8_t *p = frame + e->name->head_len;

	bytes_copy_blocks(frame, e->name->head, e->name->head_len);
	le32_put(frame, (uint32_t)frame_len);
	frame[5] = (uint8_t)(e->type | (e->flags & NC_BROADCAST ? FRAME_F_BROADCAST : 0));
	if (e->request_id) {
		frame[5] |= FRAME_F_OPTIONS;
		p = put_request(p, e->request_id);
	}
	if (c->state == NC_CONNECTED)
		frame_emit_stamp(frame, c->conn.id, c->seq);
	return p;
}

EMIT_INLINE void emit_encode(const nc_client *c, const struct emit *e, uint8_t *frame,
                             size_t frame_len)
{
	uint8_t *p = emit_encode_head(c, e, frame, frame_len);

	if (e->type == NC_INT || e->type == NC_DOUBLE)
		put_number(p, e->data);
	else if (e->len)
		memcpy(p, e->data, e->len);
}

/* ---- room */

enum emit_room {
	EMIT_ROOM,
	EMIT_FULL, /* nothing may be queued: NC_AGAIN */
	EMIT_DROP, /* this one is dropped */
};

/* What is to be done where the queue has no room for `len` bytes. */
static enum emit_room emit_make_room(nc_client *c, size_t len)
{
	bool is_connected = c->state == NC_CONNECTED;
	size_t n;

	if (is_connected) {
		client_flush(c);
		if (outq_has_room(&c->out, len))
			return EMIT_ROOM;
	}
	switch (is_connected ? c->opt.queue_policy : c->opt.offline_policy) {
	case NC_POLICY_DROP_OLDEST:
		n = outq_drop_oldest(&c->out, len);
		c->tell_dropped += n;
		c->tell |= n ? CLIENT_TELL_DROPPED : 0;
		return outq_has_room(&c->out, len) ? EMIT_ROOM : EMIT_DROP;
	case NC_POLICY_DROP_NEWEST: return EMIT_DROP;
	default: return EMIT_FULL;
	}
}

/* ---- from where it lies */

/* Gives much, or what is long, a larger socket: fewer turns for the same bytes. */
static void client_widen(nc_client *c)
{
	if (!c->is_wide)
		sock_widen(c->fd);
	c->is_wide = true;
}

/* Bytes that are queued before a write is tried: a full socket is not asked again for each message.
 */
static inline size_t emit_enough(const nc_client *c)
{
	size_t enough = c->opt.batch_bytes;

	return c->is_blocked && enough < EMIT_RETRY_BYTES ? EMIT_RETRY_BYTES : enough;
}

/* Whether a frame of `len` bytes can go to the socket at once; writes what waits before it. */
static __attribute__((noinline)) bool emit_is_direct(nc_client *c, size_t len)
{
	if (c->state != NC_CONNECTED || c->n_unflushed + len < emit_enough(c))
		return false;
	if (client_has_output(c))
		(void)client_flush(c);
	return c->fd >= 0 && !c->is_write_dead && !client_has_output(c);
}

/* Writes a message, before which nothing waits, to the socket, and queues it where that does not
 * take all of it. */
static __attribute__((noinline)) int emit_direct(nc_client *c, const struct emit *e, size_t len)
{
	uint8_t head[NC_HEAD_MAX + BYTES_BLOCK], *wire;
	struct iovec iov[2] = {{.iov_base = head, .iov_len = len - e->len},
	                       {.iov_base = (void *)(uintptr_t)e->data, .iov_len = e->len}};
	ssize_t n;

	c->seq++;
	emit_encode_head(c, e, head, len);
	n = sock_write(c->fd, iov, 2);
	c->n_unflushed = 0;
	c->is_blocked = n < (ssize_t)len;
	if (!c->is_blocked) {
		outq_pass(&c->out);
		return NC_OK;
	}
	client_widen(c);
	c->is_write_dead = n < 0 && n != -EAGAIN;
	wire = outq_reserve(&c->out, len);
	if (!wire) {
		/* a frame that is begun and can't be ended is the end of the connection */
		c->is_write_dead |= n > 0;
		c->seq -= n <= 0;
		return NC_ENOMEM;
	}
	emit_encode(c, e, wire, len);
	outq_commit(&c->out, len);
	outq_advance(&c->out, n > 0 ? (size_t)n : 0);
	return NC_OK;
}

/* ---- emit */

/* Queues the message for the server, and for own handlers where `local` says so. */
EMIT_INLINE int emit_queue(nc_client *c, const struct emit *e, bool local)
{
	size_t len = emit_frame_len(e);
	enum emit_room room = EMIT_ROOM;
	uint8_t *wire = NULL, *own = NULL;

	if (len >= CLIENT_LONG_LEN && !local && emit_is_direct(c, len))
		return emit_direct(c, e, len);
	if (local && !outq_has_room(&c->inbox, len)) {
		c->was_full = true;
		return NC_AGAIN;
	}
	if (!outq_has_room(&c->out, len))
		room = emit_make_room(c, len);
	/* somebody waits for the answer, and must not wait in vain */
	if (room == EMIT_DROP && e->request_id)
		room = EMIT_FULL;
	if (room == EMIT_FULL) {
		c->was_full = true;
		return NC_AGAIN;
	}
	if (room == EMIT_ROOM) {
		wire = outq_reserve(&c->out, len);
		if (!wire)
			return NC_ENOMEM;
	}
	if (local) {
		own = outq_reserve(&c->inbox, len);
		if (!own)
			return NC_ENOMEM;
	}
	c->seq += c->state == NC_CONNECTED;
	if (wire) {
		emit_encode(c, e, wire, len);
		outq_commit(&c->out, len);
		c->n_unflushed += len;
	} else {
		outq_drop_newest(&c->out);
		c->tell_dropped++;
		c->tell |= CLIENT_TELL_DROPPED;
	}
	if (own) {
		emit_encode(c, e, own, len);
		outq_commit(&c->inbox, len);
	}
	return NC_OK;
}

/* A program that emits and never comes to nc_process() must still get its messages out. */
static inline void emit_flush(nc_client *c)
{
	if (c->n_unflushed >= emit_enough(c) && c->state == NC_CONNECTED)
		client_flush(c);
}

EMIT_INLINE int emit_check(const nc_client *c, enum nc_type type, const void *data, size_t len,
                           unsigned flags)
{
	if (c->state == NC_CLOSED)
		return NC_ECLOSED;
	if (flags & ~NC_BROADCAST || (len && !data))
		return NC_EINVAL;
	if (len > c->conn.max_payload)
		return NC_ETOOBIG;
	switch (type) {
	case NC_EMPTY: return len == 0 ? NC_OK : NC_EINVAL;
	case NC_BOOL: return len == 1 && *(const uint8_t *)data <= 1 ? NC_OK : NC_EINVAL;
	case NC_INT:
	case NC_DOUBLE: return len == 8 ? NC_OK : NC_EINVAL;
	case NC_TEXT:
	case NC_BYTES: return NC_OK;
	case NC_JSON: return len ? NC_OK : NC_EINVAL;
	}
	return NC_EINVAL;
}

int nc_emit(nc_client *c, const char *event, enum nc_type type, const void *data, size_t len,
            unsigned flags)
{
	bool may_hear = c->opt.local && !c->opt.echo && c->emitter.n_handlers;
	struct emit e = {.data = data, .len = len, .type = type, .flags = flags};
	struct client_name *name;
	int r;

	r = event ? emit_check(c, type, data, len, flags) : NC_EINVAL;
	if (r)
		return r;
	r = name_find(c, event, &name);
	if (r)
		return r;
	e.name = name;
	if (may_hear && name->generation != c->emitter.generation) {
		r = name_learn_heard(c, name);
		if (r)
			return r;
	}
	r = emit_queue(c, &e, may_hear && name->is_heard);
	if (r)
		return r;
	emit_flush(c);
	return NC_OK;
}

int nc_emit_empty(nc_client *c, const char *event)
{
	return nc_emit(c, event, NC_EMPTY, NULL, 0, 0);
}

int nc_emit_bool(nc_client *c, const char *event, int value)
{
	uint8_t byte = value != 0;

	return nc_emit(c, event, NC_BOOL, &byte, sizeof(byte), 0);
}

int nc_emit_int(nc_client *c, const char *event, int64_t value)
{
	return nc_emit(c, event, NC_INT, &value, sizeof(value), 0);
}

int nc_emit_double(nc_client *c, const char *event, double value)
{
	return nc_emit(c, event, NC_DOUBLE, &value, sizeof(value), 0);
}

int nc_emit_text(nc_client *c, const char *event, const char *text)
{
	return text ? nc_emit(c, event, NC_TEXT, text, strlen(text), 0) : NC_EINVAL;
}

int nc_emit_bytes(nc_client *c, const char *event, const void *data, size_t len)
{
	return nc_emit(c, event, NC_BYTES, data, len, 0);
}

int nc_emit_json(nc_client *c, const char *event, const char *json)
{
	return json ? nc_emit(c, event, NC_JSON, json, strlen(json), 0) : NC_EINVAL;
}

/* ---- request */

static int request_emit(nc_client *c, struct emit *e, struct request *r)
{
	int error;

	e->request_id = r->id;
	error = emit_queue(c, e, false);
	if (error)
		return error;
	r->seq = c->seq;
	emit_flush(c);
	return NC_OK;
}

int nc_request(nc_client *c, const char *event, enum nc_type type, const void *data, size_t len,
               int timeout_ms, nc_reply_cb *fn, void *arg)
{
	struct emit e = {.data = data, .len = len, .type = type};
	struct client_name *name;
	struct request *request, undone;
	int r;

	if (!event || !fn || timeout_ms <= 0)
		return NC_EINVAL;
	r = emit_check(c, type, data, len, 0);
	if (!r && c->state != NC_CONNECTED)
		r = NC_ESTATE;
	if (!r)
		r = name_find(c, event, &name);
	if (r)
		return r;
	e.name = name;
	r = request_add(&c->requests, sock_now_ns() + (uint64_t)timeout_ms * 1000000, fn, arg,
	                &request);
	if (r)
		return r;
	r = request_emit(c, &e, request);
	if (r)
		request_take(&c->requests, request->id, &undone);
	return r;
}

struct awaited {
	const struct request_table *requests;
	uint64_t now_ns;
};

/* Requests are all that the library sends with options. */
static bool frame_is_wanted(void *arg, const uint8_t *frame, size_t len)
{
	const struct awaited *a = arg;
	struct frame_emit f;
	uint64_t id;

	if (!(frame_prefix_get(frame).flags & FRAME_F_OPTIONS) ||
	    frame_emit_get(&f, frame, len, NC_MESSAGE_MAX) != FRAME_OK ||
	    frame_option_u64(&f, FRAME_O_REQUEST, &id) != 1)
		return true;
	return request_is_awaited(a->requests, id, a->now_ns);
}

void client_take_back_requests(nc_client *c, uint64_t now_ns)
{
	struct awaited a = {.requests = &c->requests, .now_ns = now_ns};

	outq_filter(&c->out, frame_is_wanted, &a);
}

/* ---- writing */

/* Queues the control frames that are wanted: patterns first, then, where all emits before nc_sync()
 * are out, its PING. What finds no room now comes with the next write. */
static void client_fill(nc_client *c)
{
	const char *pattern;
	bool listen;
	size_t len;

	if (c->conn.state != CONN_WELCOMED)
		return;
	while (emitter_next_change(&c->emitter, &pattern, &len, &listen)) {
		if (conn_put_listen(&c->conn, pattern, len, listen))
			return;
		emitter_told(&c->emitter);
	}
	if (c->sync == CLIENT_SYNC_OWED && c->out.n_written + c->out.n_dropped >= c->sync_after &&
	    !conn_put_ping(&c->conn, c->sync_token))
		c->sync = CLIENT_SYNC_SENT;
}

bool client_has_output(const nc_client *c)
{
	if (c->fd < 0 || c->is_write_dead)
		return false;
	if (c->conn.control.len)
		return true;
	return c->conn.state == CONN_WELCOMED &&
	       (!outq_is_empty(&c->out) || emitter_has_changes(&c->emitter) ||
	        c->sync == CLIENT_SYNC_OWED);
}

int client_flush(nc_client *c)
{
	struct iovec iov[CONN_IOV_MAX];
	size_t len;
	ssize_t n;
	int n_iov;

	c->n_unflushed = 0;
	if (c->fd < 0 || c->is_write_dead)
		return NC_ESTATE;
	for (;;) {
		client_fill(c);
		n_iov = conn_gather(&c->conn, iov, !emitter_has_changes(&c->emitter), &len);
		if (!n_iov)
			break;
		n = sock_write(c->fd, iov, n_iov);
		if (n < 0 && n != -EAGAIN) {
			c->is_write_dead = true;
			return NC_ESTATE;
		}
		conn_wrote(&c->conn, n > 0 ? (size_t)n : 0);
		c->is_blocked = n < 0 || (size_t)n < len;
		if (c->is_blocked) {
			if (c->out.n_bytes > CLIENT_LAG_LEN / 2)
				client_widen(c);
			return NC_AGAIN;
		}
	}
	c->is_blocked = false;
	return NC_OK;
}

int nc_flush(nc_client *c)
{
	return c->state == NC_CONNECTED ? client_flush(c) : NC_ESTATE;
}

/* ---- the writable callback */

void nc_on_writable(nc_client *c, nc_writable_cb *fn, void *arg)
{
	c->writable_fn = fn;
	c->writable_arg = arg;
}

bool client_is_writable_owed(const nc_client *c)
{
	return c->was_full && c->writable_fn && outq_is_half_empty(&c->out) &&
	       outq_is_half_empty(&c->inbox);
}

void client_run_writable(nc_client *c)
{
	if (!client_is_writable_owed(c) || c->is_freed)
		return;
	c->was_full = false;
	c->n_callbacks++;
	c->writable_fn(c, c->writable_arg);
	c->n_callbacks--;
}
