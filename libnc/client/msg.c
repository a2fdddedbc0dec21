/* msg.c - a message as handlers see it
 *
 * A message points into the frame that it came in. What a handler may ask for and most do not
 * (terminated strings, who sent it) is made when it asks; the accessors take a const message all
 * the same, since to the handler it does not change. A copy holds the frame and the answers in one
 * piece of memory of its own.
 */

#include "libnc/client/msg.h"

#include <stdlib.h>
#include <string.h>

#include "libnc/client/json.h"

/* The same message, for what is made late. No object of this type is ever defined const. */
static struct nc_msg *msg_mutable(const nc_msg *m)
{
	return (struct nc_msg *)(uintptr_t)m;
}

void msg_free_text(struct nc_msg *m)
{
	free(m->text);
	m->text = NULL;
}

const char *nc_msg_event(const nc_msg *m)
{
	struct nc_msg *late = msg_mutable(m);

	if (!m->event) {
		memcpy(late->event_buf, m->frame->event, m->frame->event_len);
		late->event_buf[m->frame->event_len] = 0;
		late->event = m->event_buf;
	}
	return m->event;
}

const char *nc_msg_channel(const nc_msg *m)
{
	struct nc_msg *late = msg_mutable(m);

	if (!m->channel) {
		memcpy(late->channel_buf, m->frame->channel, m->frame->channel_len);
		late->channel_buf[m->frame->channel_len] = 0;
		late->channel = m->channel_buf;
	}
	return m->channel;
}

enum nc_type nc_msg_type(const nc_msg *m)
{
	return (enum nc_type)m->type;
}

const void *nc_msg_data(const nc_msg *m)
{
	return m->data;
}

size_t nc_msg_len(const nc_msg *m)
{
	return m->data_len;
}

const char *nc_msg_text(const nc_msg *m)
{
	struct nc_msg *late = msg_mutable(m);

	if (!m->text) {
		char *text = malloc((size_t)m->data_len + 1);

		if (!text)
			return NULL;
		if (m->data_len)
			memcpy(text, m->data, m->data_len);
		text[m->data_len] = 0;
		late->text = text;
	}
	return m->text;
}

int nc_msg_bool(const nc_msg *m, int *v)
{
	if (m->type == FRAME_T_JSON)
		return json_get_bool(m->data, m->data_len, v) ? NC_EINVAL : NC_OK;
	if (m->type != FRAME_T_BOOL)
		return NC_EINVAL;
	*v = m->data[0] != 0;
	return NC_OK;
}

int nc_msg_int(const nc_msg *m, int64_t *v)
{
	if (m->type == FRAME_T_JSON)
		return json_get_int(m->data, m->data_len, v) ? NC_EINVAL : NC_OK;
	if (m->type != FRAME_T_INT)
		return NC_EINVAL;
	*v = (int64_t)le64_get(m->data);
	return NC_OK;
}

int nc_msg_double(const nc_msg *m, double *v)
{
	if (m->type == FRAME_T_JSON)
		return json_get_double(m->data, m->data_len, v) ? NC_EINVAL : NC_OK;
	if (m->type != FRAME_T_DOUBLE)
		return NC_EINVAL;
	*v = le64_get_double(m->data);
	return NC_OK;
}

const char *nc_msg_packet(const nc_msg *m, size_t *len)
{
	bool wrapped = m->frame->flags & FRAME_F_WRAPPED;

	if (len)
		*len = wrapped ? m->frame->payload_len : 0;
	return wrapped ? (const char *)m->frame->payload : NULL;
}

int nc_msg_broadcast(const nc_msg *m)
{
	return (m->frame->flags & FRAME_F_BROADCAST) != 0;
}

/* A sender of this host has the same origin tag as this client: the upper half of the id. */
static bool sender_is_of_this_host(const struct msg_source *src, uint64_t id)
{
	return src->self.id && id >> 32 == src->self.id >> 32;
}

static void msg_resolve_sender(const nc_msg *m, struct nc_sender *out)
{
	const struct msg_source *src = m->source;
	const struct sender *s;

	if (m->local) {
		*out = src->self;
		return;
	}
	s = sender_get(src->senders, out->id);
	if (s) {
		out->host = s->host;
		out->has_cred = sender_is_of_this_host(src, out->id) && s->uid != UINT32_MAX;
	} else if (sender_is_of_this_host(src, out->id)) {
		out->host = src->self.host;
	}
	if (s && out->has_cred) {
		out->uid = (uid_t)s->uid;
		out->gid = (gid_t)s->gid;
		out->pid = (pid_t)s->pid;
	}
}

struct msg_copy {
	struct nc_msg msg;
	struct frame_emit frame;
	struct nc_sender sender;
	uint8_t bytes[];
};

void nc_msg_sender(const nc_msg *m, struct nc_sender *out)
{
	if (!m->source) {
		*out = ((const struct msg_copy *)(const void *)m)->sender;
		return;
	}
	*out = (struct nc_sender){.id = m->frame->sender, .host = ""};
	msg_resolve_sender(m, out);
	out->id = m->frame->sender;
	out->seq = m->frame->seq;
}

/* The address in the copy of `from` that stands for `p` in the original. */
static const void *moved(const void *p, const uint8_t *old_base, const uint8_t *new_base)
{
	return p ? new_base + ((const uint8_t *)p - old_base) : NULL;
}

nc_msg *nc_msg_dup(const nc_msg *m)
{
	const struct frame_emit *f = m->frame;
	/* event and channel stand before the payload, in one frame */
	const uint8_t *base = (const uint8_t *)f->channel;
	size_t span = f->head_len - FRAME_EMIT_LEN + (size_t)f->payload_len;
	struct nc_sender sender;
	struct msg_copy *copy;
	size_t host_len;

	nc_msg_sender(m, &sender);
	host_len = strlen(sender.host) + 1;
	copy = malloc(sizeof(*copy) + span + host_len);
	if (!copy)
		return NULL;
	memcpy(copy->bytes, base, span);
	memcpy(copy->bytes + span, sender.host, host_len);
	copy->sender = sender;
	copy->sender.host = (const char *)copy->bytes + span;
	copy->frame = *f;
	copy->frame.channel = moved(f->channel, base, copy->bytes);
	copy->frame.event = moved(f->event, base, copy->bytes);
	copy->frame.options = moved(f->options, base, copy->bytes);
	copy->frame.payload = moved(f->payload, base, copy->bytes);
	copy->msg.frame = &copy->frame;
	copy->msg.source = NULL;
	copy->msg.data = moved(m->data, base, copy->bytes);
	copy->msg.data_len = m->data_len;
	copy->msg.type = m->type;
	copy->msg.local = m->local;
	copy->msg.event = NULL;
	copy->msg.channel = NULL;
	copy->msg.text = NULL;
	return &copy->msg;
}

void nc_msg_free(nc_msg *m)
{
	if (!m)
		return;
	msg_fini(m);
	/* `msg` is the copy's first member */
	free(m);
}
