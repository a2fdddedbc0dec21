/* frame.c - the EMIT frame, and what all frames share
 *
 * Decodes and encodes on bytes that belong to the caller. A decoder reads no byte that it was not
 * given; a length that the bytes state is compared before it is used. An encoder writes a frame
 * whole or not at all. What it is told to write is checked by assertion where only our own code can
 * be wrong (lengths beyond the limits), since a caller that took those from a user checked them.
 *
 * Control frames are in frame_control.c.
 */

#include "libnc/wire/frame_fast.h"

#include <assert.h>
#include <string.h>

const char *frame_result_str(enum frame_result r)
{
	switch (r) {
	case FRAME_OK: return "no error";
	case FRAME_MORE: return "frame is incomplete";
	case FRAME_E_LENGTH: return "frame length is out of range";
	case FRAME_E_FLAGS: return "unknown flag or payload type";
	case FRAME_E_CHANNEL: return "illegal channel name in frame";
	case FRAME_E_EVENT: return "frame without event name";
	case FRAME_E_OPTIONS: return "malformed frame options";
	case FRAME_E_PAYLOAD: return "payload size does not fit its type";
	case FRAME_E_BODY: return "malformed frame body";
	case FRAME_E_SPACE: return "no room for the frame";
	}
	return "unknown frame error";
}

bool frame_options_ok(const uint8_t *options, size_t len)
{
	size_t at = 0;

	while (len - at >= 2 && len - at - 2 >= options[at + 1])
		at += 2u + options[at + 1];
	return at == len;
}

enum frame_result frame_emit_get(struct frame_emit *f, const void *p, size_t n,
                                 uint32_t max_payload)
{
	return frame_emit_get_inline(f, p, n, max_payload);
}

static bool has_options(const struct frame_emit *f)
{
	return f->options_len > 0 || (f->flags & FRAME_F_OPTIONS);
}

size_t frame_emit_head_len(const struct frame_emit *f)
{
	size_t len = FRAME_EMIT_LEN + (size_t)f->channel_len + f->event_len;

	return has_options(f) ? len + 2 + f->options_len : len;
}

/* Copies a short text and returns where it ends. The compiler is kept from knowing how short it is:
 * gcc would copy with `rep movs`, whose start alone costs more than the call of memcpy. */
static uint8_t *put_text(uint8_t *to, const char *text, size_t len)
{
	__asm__("" : "+r"(len));
	memcpy(to, text, len);
	return to + len;
}

size_t frame_emit_head_put(void *buf, size_t cap, const struct frame_emit *f)
{
	size_t head_len = frame_emit_head_len(f);
	uint8_t *b = buf;

	assert(f->channel_len > 0 && f->channel_len <= NC_CHANNEL_MAX && f->event_len > 0);
	assert(f->options_len <= NC_OPTIONS_MAX);
	assert(f->payload_len <= UINT32_MAX - head_len);
	if (cap < head_len)
		return 0;
	le32_put(b, (uint32_t)(head_len + f->payload_len));
	b[4] = FRAME_EMIT;
	b[5] = has_options(f) ? (uint8_t)(f->flags | FRAME_F_OPTIONS) : f->flags;
	b[6] = f->channel_len;
	b[7] = f->event_len;
	le64_put(b + 8, f->sender);
	le64_put(b + 16, f->seq);
	b = put_text(b + FRAME_EMIT_LEN, f->channel, f->channel_len);
	b = put_text(b, f->event, f->event_len);
	if (has_options(f)) {
		le16_put(b, f->options_len);
		if (f->options_len)
			memcpy(b + 2, f->options, f->options_len);
	}
	return head_len;
}

const uint8_t *frame_option_find(const struct frame_emit *f, enum frame_option type, uint8_t *len)
{
	size_t at = 0;

	while (at < f->options_len) {
		const uint8_t *o = f->options + at;

		if (o[0] == type) {
			*len = o[1];
			return o + 2;
		}
		at += 2u + o[1];
	}
	return NULL;
}

int frame_option_u64(const struct frame_emit *f, enum frame_option type, uint64_t *v)
{
	uint8_t len;
	const uint8_t *value = frame_option_find(f, type, &len);

	if (!value || len != sizeof(*v))
		return 0;
	*v = le64_get(value);
	return 1;
}

size_t frame_option_put(void *buf, size_t cap, enum frame_option type, const void *value,
                        uint8_t len)
{
	uint8_t *b = buf;

	if (cap < 2u + (size_t)len)
		return 0;
	b[0] = (uint8_t)type;
	b[1] = len;
	if (len)
		memcpy(b + 2, value, len);
	return 2u + (size_t)len;
}

enum frame_result frame_emit_data(const struct frame_emit *f, const uint8_t **data, uint32_t *len,
                                  enum frame_type *type)
{
	const uint8_t *slice;
	uint32_t offset;
	uint8_t slice_len;

	*data = f->payload;
	*len = f->payload_len;
	*type = (enum frame_type)(f->flags & FRAME_TYPE_MASK);
	if (!(f->flags & FRAME_F_WRAPPED))
		return FRAME_OK;
	*data = NULL;
	*len = 0;
	*type = FRAME_T_EMPTY;
	slice = frame_option_find(f, FRAME_O_DATA, &slice_len);
	if (!slice)
		return FRAME_OK;
	if (slice_len != 8)
		return FRAME_E_OPTIONS;
	offset = le32_get(slice);
	*len = le32_get(slice + 4);
	if (offset > f->payload_len || *len > f->payload_len - offset) {
		*len = 0;
		return FRAME_E_OPTIONS;
	}
	if (!*len)
		return FRAME_OK;
	*data = f->payload ? f->payload + offset : NULL;
	*type = FRAME_T_JSON;
	return FRAME_OK;
}
