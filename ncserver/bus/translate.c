/* translate.c - native frames to JSON packets, and back */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/deliver.h"
#include "ncserver/bus/state.h"

/* Appends the packet of one frame. Returns 0, 1 where it can't be made, or -ENOMEM. */
static int translate_frame(struct bus *b, const struct frame_emit *f, struct buf *out)
{
	char uuid[CLIENT_UUID_LEN + 1];
	int rc;

	if (f->flags & FRAME_F_WRAPPED) {
		size_t len = out->len;

		rc = buf_append(out, f->payload, f->payload_len);
		if (rc == 0)
			rc = buf_append_byte(out, 0);
		if (rc)
			buf_truncate(out, len);
	} else {
		client_uuid(b, f->sender, uuid);
		rc = packet_write(out, f, uuid, NULL);
	}
	if (rc == -EMSGSIZE)
		return 1;
	return rc > 0 ? 1 : rc;
}

/* A message is missing behind `n` packets of `off` bytes. Returns 0, -ENOMEM. */
static int note_missing(struct bus *b, uint32_t n, uint32_t off)
{
	struct missing *last = b->n_missing > 0 ? &b->missing[b->n_missing - 1] : NULL;

	if (last && last->n == n) {
		last->lost++;
		return 0;
	}
	if (b->n_missing == b->missing_cap) {
		uint32_t cap = b->missing_cap ? b->missing_cap * 2 : 16;
		struct missing *list = realloc(b->missing, cap * sizeof(*list));

		if (!list)
			return -ENOMEM;
		b->missing = list;
		b->missing_cap = cap;
	}
	b->missing[b->n_missing++] = (struct missing){.n = n, .off = off, .lost = 1};
	return 0;
}

int translate_frames(struct bus *b, const uint8_t *p, size_t len, struct buf *out, int made)
{
	while (len > 0) {
		struct frame_emit f;
		uint32_t flen = le32_get(p);
		int rc;

		if (frame_emit_get(&f, p, len, NC_MESSAGE_MAX * 2) != FRAME_OK)
			return made;
		rc = translate_frame(b, &f, out);
		if (rc > 0)
			rc = note_missing(b, (uint32_t)made, (uint32_t)out->len);
		else if (rc == 0)
			made++;
		if (rc < 0)
			return rc;
		p += flen;
		len -= flen;
	}
	return made;
}

/* The head of the frame that wraps a packet. Returns its bytes. */
static size_t wrap_head(uint8_t *buf, size_t cap, struct client *from, const struct route *route,
                        const struct run_packet *pk, uint64_t seq)
{
	uint8_t where[8];
	uint8_t options[16];
	struct frame_emit f = {.sender = from->id,
	                       .seq = seq,
	                       .channel = from->chan->name,
	                       .channel_len = from->chan->name_len,
	                       .event = route->event,
	                       .event_len = (uint8_t)route->event_len,
	                       .options = options,
	                       .payload_len = pk->len,
	                       .flags = FRAME_F_WRAPPED | FRAME_F_OPTIONS | FRAME_T_JSON};

	/* a length of 0 says that the packet has no data; the payload, the packet, is JSON anyway
	 */
	le32_put(where, pk->data_off);
	le32_put(where + 4, pk->data_len);
	f.options_len = (uint16_t)frame_option_put(options, sizeof(options), FRAME_O_DATA, where,
	                                           sizeof(where));
	if (pk->broadcast)
		f.flags |= FRAME_F_BROADCAST;
	return frame_emit_head_put(buf, cap, &f);
}

int translate_packets(struct client *from, const struct delivery *d, struct range *out)
{
	const struct range *in = d->json.ranges;
	uint64_t head = NC_HEAD_MAX - NC_OPTIONS_MAX;
	uint64_t cap =
	        in->len + in->n * (head < 64 + d->route->key_len ? head : 64 + d->route->key_len);
	struct slab *s;

	if (cap > UINT32_MAX)
		return -EMSGSIZE;
	s = slab_new(&from->bus->pool, (uint32_t)cap);
	if (!s)
		return -ENOMEM;
	for (uint32_t i = 0; i < in->n; i++) {
		const struct run_packet *pk = &d->packets[i];
		size_t n = wrap_head(s->data + s->used, slab_room(s), from, d->route, pk,
		                     d->first_seq + i);

		if (n == 0 || slab_room(s) - n < pk->len) {
			slab_unref(s);
			return -ENOMEM;
		}
		memcpy(s->data + s->used + n, in->p + pk->off, pk->len);
		s->used += (uint32_t)n + pk->len;
	}
	*out = (struct range){.slab = s, .p = s->data, .len = s->used, .n = in->n};
	return 0;
}
