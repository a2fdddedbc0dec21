/* msg.h - a message as handlers see it */
#ifndef NC_CLIENT_MSG_H
#define NC_CLIENT_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include <netcluster/nc.h>

#include "libnc/client/sender.h"
#include "libnc/wire/frame.h"

/* Where messages come from: what is needed to say who sent one, should a handler ask. */
struct msg_source {
	const struct sender_table *senders; /* not owned */
	struct nc_sender self;              /* of this client; `seq` is not used */
};

struct nc_msg {
	const struct frame_emit *frame;  /* not owned */
	const struct msg_source *source; /* not owned; NULL in a copy */
	const uint8_t *data;             /* what the user sent, not owned; NULL where empty */
	uint32_t data_len;
	enum frame_type type;
	bool local; /* own emit, handed over in memory */
	/* made when asked for */
	const char *event;
	const char *channel;
	char *text; /* owned */
	char event_buf[NC_EVENT_MAX + 1];
	char channel_buf[NC_CHANNEL_MAX + 1];
};

/* Makes a message of a decoded frame, which stays valid as long as it. Returns FRAME_OK, or what is
 * wrong with the frame: then there is nothing to be freed. */
static inline enum frame_result msg_init(struct nc_msg *m, const struct frame_emit *frame,
                                         const struct msg_source *source);

/* Frees what was made for the handlers. */
static inline void msg_fini(struct nc_msg *m);

static inline enum frame_result msg_init(struct nc_msg *m, const struct frame_emit *frame,
                                         const struct msg_source *source)
{
	m->frame = frame;
	m->source = source;
	m->local = false;
	m->event = NULL;
	m->channel = NULL;
	m->text = NULL;
	if (frame->flags & FRAME_F_WRAPPED)
		return frame_emit_data(frame, &m->data, &m->data_len, &m->type);
	m->data = frame->payload_len ? frame->payload : NULL;
	m->data_len = frame->payload_len;
	m->type = (enum frame_type)(frame->flags & FRAME_TYPE_MASK);
	return FRAME_OK;
}

void msg_free_text(struct nc_msg *m);

static inline void msg_fini(struct nc_msg *m)
{
	if (m->text)
		msg_free_text(m);
}

#endif
