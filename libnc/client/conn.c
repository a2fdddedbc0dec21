/* conn.c - one connection to a server, without its socket
 *
 * Reading: frames are parsed where they were read; only a frame that is cut by the buffer's end is
 * moved, and one larger than the buffer gets memory as its bytes arrive, up to the protocol's own
 * limit. Frames of unknown kinds are passed over by their length without
 * being kept. Whatever else is not as frame.h says ends the connection with NC_EPROTO: no resync is
 * possible in a stream of lengths.
 *
 * Writing: control frames go before messages, at the border of a frame. Before the welcome there is
 * nothing but preface and hello.
 *
 * It knows no socket, no clock and no random source, and trusts nothing that it is sent.
 */

#include "libnc/client/conn.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netcluster/nc.h>

#include "libnc/base/bytes.h"
#include "libnc/wire/frame_fast.h"

/* Longer texts of the end are cut. */
#define END_TEXT_LEN 320

void conn_init(struct conn *c, const struct conn_ops *ops, void *arg, struct outq *out)
{
	*c = (struct conn){.ops = ops, .arg = arg, .out = out, .max_payload = NC_MESSAGE_MAX};
	buf_init(&c->control, CONN_CONTROL_MAX);
	sender_init(&c->senders);
}

static void conn_forget_end(struct conn *c)
{
	free(c->end_text);
	c->end_text = NULL;
}

void conn_fini(struct conn *c)
{
	conn_stop(c);
	conn_trim(c);
	conn_forget_end(c);
	free(c->host);
	free(c->server);
	c->host = NULL;
	c->server = NULL;
}

void conn_stop(struct conn *c)
{
	c->state = CONN_STOPPED;
	c->in_begin = 0;
	c->in_end = 0;
	c->in_skip = 0;
	c->last_shape = 0;
	buf_fini(&c->control);
	sender_fini(&c->senders);
}

void conn_trim(struct conn *c)
{
	if (c->in_begin != c->in_end)
		return;
	/* one that took nothing says nothing */
	if (c->in_end) {
		c->is_long = c->has_long;
		c->has_long = false;
	}
	free(c->in);
	c->in = NULL;
	c->in_cap = 0;
	c->in_begin = 0;
	c->in_end = 0;
	c->last_shape = 0;
}

static int conn_put(struct conn *c, const uint8_t *frame, size_t len)
{
	assert(len > 0);
	return buf_append(&c->control, frame, len);
}

int conn_start(struct conn *c, const struct conn_hello *hello)
{
	struct frame_hello f = {
	        .version_min = FRAME_VERSION_MIN,
	        .version_max = FRAME_VERSION_MAX,
	        .features = hello->features,
	        .policy = hello->policy,
	        .label = hello->label,
	        .label_len = (uint8_t)strlen(hello->label),
	};
	uint8_t frame[FRAME_PREFIX_LEN + 16 + UINT8_MAX];
	size_t len = frame_hello_put(frame, sizeof(frame), &f);

	assert(c->state == CONN_STOPPED);
	conn_forget_end(c);
	if (buf_append(&c->control, FRAME_PREFACE, FRAME_PREFACE_LEN) || conn_put(c, frame, len)) {
		buf_fini(&c->control);
		return -ENOMEM;
	}
	c->channel = hello->channel;
	c->state = CONN_GREETING;
	c->n_starts++;
	return 0;
}

/* ---- reading */

/* The length of the frame at the begin, of which not all is there; 0 where not even that is known.
 */
static size_t conn_frame_len(const struct conn *c)
{
	if (c->in_end - c->in_begin < FRAME_PREFIX_LEN)
		return 0;
	return le32_get(c->in + c->in_begin);
}

static int conn_grow(struct conn *c, size_t need)
{
	size_t cap = c->in_cap * 2 < need ? c->in_cap * 2 : need;
	uint8_t *in;

	assert(need > c->in_cap);
	in = realloc(c->in, cap);

	if (!in)
		return -ENOMEM;
	c->in = in;
	c->in_cap = cap;
	return 0;
}

uint8_t *conn_space(struct conn *c, size_t *len)
{
	size_t frame_len;

	if (!c->in) {
		size_t cap = c->is_long ? CONN_READ_LONG_LEN : CONN_READ_LEN;

		c->in = malloc(cap);
		if (!c->in)
			return NULL;
		c->in_cap = cap;
	}
	/* what was parsed is overwritten from now on */
	c->last_shape = 0;
	if (c->in_begin == c->in_end) {
		c->in_begin = 0;
		c->in_end = 0;
	}
	frame_len = conn_frame_len(c);
	if (frame_len > CONN_LONG_LEN)
		c->has_long = true;
	if (c->in_begin && (c->in_end == c->in_cap || frame_len > c->in_cap - c->in_begin)) {
		memmove(c->in, c->in + c->in_begin, c->in_end - c->in_begin);
		c->in_end -= c->in_begin;
		c->in_begin = 0;
	}
	/* conn_parse() has checked the length against its cap */
	if (c->in_end == c->in_cap && conn_grow(c, frame_len))
		return NULL;
	*len = c->in_cap - c->in_end;
	return c->in + c->in_end;
}

void conn_took(struct conn *c, size_t n)
{
	assert(n <= c->in_cap - c->in_end);
	c->in_end += n;
}

/* Says why the connection is to be ended. Returns `error`. */
static __attribute__((format(printf, 3, 4))) int conn_end(struct conn *c, int error,
                                                          const char *fmt, ...)
{
	char text[END_TEXT_LEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* it may hold what the server said, and is likely to be printed */
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7F)
			*p = ' ';
	conn_forget_end(c);
	c->end_text = strdup(text);
	return error;
}

static int conn_bad_frame(struct conn *c, unsigned kind, enum frame_result r)
{
	return conn_end(c, NC_EPROTO, "the server sent a bad frame of kind %u: %s", kind,
	                frame_result_str(r));
}

/* The code of an end that the server announced. One that this library does not know, or that says
 * that nothing is wrong, is only an end. */
static int end_code(uint16_t code)
{
	return code == NC_OK || code == NC_AGAIN || code > NC_ESYS ? NC_ECLOSED : code;
}

static int conn_take_welcome(struct conn *c, const struct frame_welcome *w)
{
	char *host, *server;

	if (w->version < FRAME_VERSION_MIN || w->version > FRAME_VERSION_MAX)
		return conn_end(c, NC_EVERSION, "the server speaks protocol version %u",
		                w->version);
	if (w->channel_len != strlen(c->channel) || memcmp(w->channel, c->channel, w->channel_len))
		return conn_end(c, NC_EPROTO, "this is the socket of channel \"%.*s\"",
		                (int)w->channel_len, w->channel);
	if (!w->sender)
		return conn_end(c, NC_EPROTO, "the server's welcome names no session");
	host = strndup(w->host, w->host_len);
	server = strndup(w->server, w->server_len);
	if (!host || !server) {
		free(host);
		free(server);
		return conn_end(c, NC_ENOMEM, "no memory");
	}
	free(c->host);
	free(c->server);
	c->host = host;
	c->server = server;
	c->id = w->sender;
	c->features = w->features;
	c->max_payload = w->max_payload < NC_MESSAGE_MAX ? w->max_payload : NC_MESSAGE_MAX;
	c->state = CONN_WELCOMED;
	c->ops->on_welcome(c->arg);
	return NC_OK;
}

static int conn_take_error(struct conn *c, const struct frame_error *f)
{
	if (f->fatal)
		return conn_end(c, end_code(f->code), "%.*s", (int)f->text_len, f->text);
	c->ops->on_error(c->arg, f);
	return NC_OK;
}

static int conn_take_ping(struct conn *c, uint64_t token)
{
	uint8_t frame[FRAME_PREFIX_LEN + 8];
	size_t len = frame_ping_put(frame, sizeof(frame), FRAME_PONG, token);

	switch (conn_put(c, frame, len)) {
	case 0: return NC_OK;
	case -EMSGSIZE:
		return conn_end(c, NC_EPROTO, "the server pings and does not read the answers");
	default: return conn_end(c, NC_ENOMEM, "no memory");
	}
}

/* What the server says of itself and of the session, before and after the welcome. */
static int conn_take_session(struct conn *c, unsigned kind, const uint8_t *p, size_t n)
{
	struct frame_welcome welcome;
	struct frame_error error;
	struct frame_bye bye;
	enum frame_result r;
	uint64_t token;

	switch (kind) {
	case FRAME_WELCOME:
		r = frame_welcome_get(&welcome, p, n);
		if (r == FRAME_OK && c->state == CONN_WELCOMED)
			return conn_end(c, NC_EPROTO, "the server sent a second welcome");
		return r ? conn_bad_frame(c, kind, r) : conn_take_welcome(c, &welcome);
	case FRAME_ERROR:
		r = frame_error_get(&error, p, n);
		return r ? conn_bad_frame(c, kind, r) : conn_take_error(c, &error);
	case FRAME_BYE:
		r = frame_bye_get(&bye, p, n);
		if (r)
			return conn_bad_frame(c, kind, r);
		return conn_end(c, end_code(bye.code), "%.*s", (int)bye.text_len, bye.text);
	case FRAME_PING:
		r = frame_ping_get(&token, p, n);
		return r ? conn_bad_frame(c, kind, r) : conn_take_ping(c, token);
	case FRAME_HELLO:
	case FRAME_LISTEN:
	case FRAME_UNLISTEN: return NC_OK; /* kinds of ours; nc-protocol(7) lets them pass */
	default:
		return conn_end(c, NC_EPROTO, "the server sent a frame of kind %u too early", kind);
	}
}

/* A control frame, complete. */
static int conn_take_control(struct conn *c, unsigned kind, const uint8_t *p, size_t n)
{
	struct frame_sender sender;
	struct frame_gap gap;
	enum frame_result r;
	uint64_t token;

	if (c->state != CONN_WELCOMED)
		return conn_take_session(c, kind, p, n);
	switch (kind) {
	case FRAME_PONG:
		r = frame_ping_get(&token, p, n);
		if (r == FRAME_OK)
			c->ops->on_pong(c->arg, token);
		break;
	case FRAME_GAP:
		r = frame_gap_get(&gap, p, n);
		if (r == FRAME_OK)
			c->ops->on_gap(c->arg, &gap);
		break;
	case FRAME_SENDER:
		r = frame_sender_get(&sender, p, n);
		/* without memory the sender stays unknown, which is no reason to end */
		if (r == FRAME_OK)
			(void)sender_put(&c->senders, &sender);
		break;
	default: return conn_take_session(c, kind, p, n);
	}
	return r ? conn_bad_frame(c, kind, r) : NC_OK;
}

/* Kinds that this version gives a meaning to; all others are passed over. */
static bool kind_is_known(unsigned kind)
{
	return kind >= FRAME_HELLO && kind <= FRAME_BYE;
}

/* Checks the prefix of any frame but an EMIT against the caps, before its bytes are waited for. */
static int conn_check_prefix(struct conn *c, struct frame_prefix h)
{
	uint64_t cap = kind_is_known(h.kind) ? NC_CONTROL_FRAME_MAX
	                                     : (uint64_t)NC_MESSAGE_MAX + NC_HEAD_MAX;

	if (h.len >= FRAME_PREFIX_LEN && h.len <= cap)
		return NC_OK;
	return conn_bad_frame(c, h.kind, FRAME_E_LENGTH);
}

/* Takes the frame at p, of which n bytes are there, if it is complete; sets *took to its length,
 * or to 0 where it is not. */
static int conn_take_frame(struct conn *c, const uint8_t *p, size_t n, size_t *took)
{
	struct frame_prefix h = frame_prefix_get(p);
	int r;

	*took = 0;
	r = conn_check_prefix(c, h);
	if (r)
		return r;
	if (!kind_is_known(h.kind)) {
		*took = h.len < n ? h.len : n;
		c->in_skip = h.len - *took;
		return NC_OK;
	}
	if (n < h.len)
		return NC_OK;
	*took = h.len;
	return conn_take_control(c, h.kind, p, h.len);
}

/* Whether payloads of all lengths are valid in a message like this one. */
static bool conn_is_plain(const struct frame_emit *f)
{
	unsigned type = f->flags & FRAME_TYPE_MASK;

	return !(f->flags & (FRAME_F_OPTIONS | FRAME_F_WRAPPED)) &&
	       (type == FRAME_T_TEXT || type == FRAME_T_BYTES);
}

/* Decodes the whole frame at p into c->last where its head is like that of the one before. */
static inline bool conn_decode_again(struct conn *c, const uint8_t *p, size_t n)
{
	struct frame_emit *f = &c->last;
	uint32_t len = le32_get(p);

	if (bytes_load32(p + 4) != c->last_shape || len > n || len < f->head_len ||
	    len - f->head_len > NC_MESSAGE_MAX ||
	    !bytes_equal(p + FRAME_EMIT_LEN, f->channel, f->head_len - FRAME_EMIT_LEN))
		return false;
	f->channel = (const char *)p + FRAME_EMIT_LEN;
	f->event = f->channel + f->channel_len;
	f->payload = p + f->head_len;
	f->payload_len = len - f->head_len;
	f->sender = le64_get(p + 8);
	f->seq = le64_get(p + 16);
	return true;
}

/* Decodes the frame at p into c->last. Returns FRAME_MORE where not all of it is there. */
static enum frame_result conn_decode(struct conn *c, const uint8_t *p, size_t n)
{
	enum frame_result r;

	c->last_shape = 0;
	/* rules bring events of channels that take more than this one, and control its answers */
	r = frame_emit_get_inline(&c->last, p, n, NC_MESSAGE_MAX);
	if (r == FRAME_OK && !c->last.payload)
		r = FRAME_MORE;
	if (r == FRAME_OK && conn_is_plain(&c->last))
		c->last_shape = bytes_load32(p + 4);
	return r;
}

static int conn_take_message(struct conn *c, const uint8_t *p, size_t n, size_t *took)
{
	enum frame_result r = FRAME_OK;

	*took = 0;
	if (!conn_decode_again(c, p, n)) {
		if (c->state != CONN_WELCOMED)
			return conn_end(c, NC_EPROTO,
			                "the server sent a message before its welcome");
		r = conn_decode(c, p, n);
	}
	if (r == FRAME_MORE)
		return NC_OK;
	if (r != FRAME_OK)
		return conn_bad_frame(c, FRAME_EMIT, r);
	*took = c->last.head_len + (size_t)c->last.payload_len;
	c->ops->on_message(c->arg, &c->last);
	return NC_OK;
}

int conn_parse(struct conn *c)
{
	uint32_t n_starts = c->n_starts;
	size_t skip = c->in_end - c->in_begin;
	int r = NC_OK;

	if (skip > c->in_skip)
		skip = c->in_skip;
	c->in_skip -= skip;
	c->in_begin += skip;
	while (c->in_end - c->in_begin >= FRAME_PREFIX_LEN && !c->pause) {
		const uint8_t *p = c->in + c->in_begin;
		size_t n = c->in_end - c->in_begin, took;

		if (p[4] == FRAME_EMIT)
			r = conn_take_message(c, p, n, &took);
		else
			r = conn_take_frame(c, p, n, &took);
		/* a call may have ended it all */
		if (c->state == CONN_STOPPED || c->n_starts != n_starts)
			return NC_OK;
		c->in_begin += took;
		if (r || !took)
			break;
	}
	return r;
}

bool conn_has_frames(const struct conn *c)
{
	size_t len = conn_frame_len(c);

	return c->pause && len && len <= c->in_end - c->in_begin;
}

/* ---- writing */

int conn_put_listen(struct conn *c, const char *pattern, size_t len, bool listen)
{
	struct frame_listen f = {.pattern = pattern, .pattern_len = (uint8_t)len};
	uint8_t frame[FRAME_PREFIX_LEN + NC_PATTERN_MAX];
	size_t n =
	        frame_listen_put(frame, sizeof(frame), listen ? FRAME_LISTEN : FRAME_UNLISTEN, &f);

	if (c->control.len + n > CONN_LISTEN_MAX)
		return -EMSGSIZE;
	return conn_put(c, frame, n);
}

int conn_put_ping(struct conn *c, uint64_t token)
{
	uint8_t frame[FRAME_PREFIX_LEN + 8];

	return conn_put(c, frame, frame_ping_put(frame, sizeof(frame), FRAME_PING, token));
}

int conn_put_bye(struct conn *c)
{
	struct frame_bye f = {.code = NC_OK, .text = ""};
	uint8_t frame[FRAME_PREFIX_LEN + 4];

	return conn_put(c, frame, frame_bye_put(frame, sizeof(frame), &f));
}

int conn_gather(const struct conn *c, struct iovec iov[CONN_IOV_MAX], bool messages, size_t *len)
{
	size_t partial = outq_partial(c->out);
	int n = 0;

	if (partial) {
		/* a frame lies in one piece */
		n = outq_gather(c->out, iov, 1, false);
		iov[0].iov_len = partial;
	}
	if (c->control.len) {
		iov[n].iov_base = c->control.data;
		iov[n].iov_len = c->control.len;
		n++;
	}
	if (messages && c->state == CONN_WELCOMED)
		n += outq_gather(c->out, iov + n, CONN_IOV_MAX - n, true);
	*len = 0;
	for (int i = 0; i < n; i++)
		*len += iov[i].iov_len;
	return n;
}

static size_t at_most(size_t n, size_t max)
{
	return n < max ? n : max;
}

void conn_wrote(struct conn *c, size_t n)
{
	size_t part = at_most(n, outq_partial(c->out));

	outq_advance(c->out, part);
	n -= part;
	part = at_most(n, c->control.len);
	buf_consume(&c->control, part);
	n -= part;
	outq_advance(c->out, n);
	if (!c->control.len)
		buf_fini(&c->control);
}
