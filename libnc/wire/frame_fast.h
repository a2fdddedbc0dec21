/* frame_fast.h - the EMIT decoder as an inline, for the loops that see every message
 *
 * frame_emit_get() of frame.h is this function behind a call. Only the two loops that read from
 * sockets have a reason to include it.
 */
#ifndef NC_WIRE_FRAME_FAST_H
#define NC_WIRE_FRAME_FAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libnc/base/endian.h"
#include "libnc/wire/frame.h"
#include "libnc/wire/name.h"

/* Whether `len` bytes of TLVs end exactly where the last option does. */
bool frame_options_ok(const uint8_t *options, size_t len);

/* Checks what the eight bytes of a prefix say about an EMIT frame, so that nonsense is refused
 * before its "length" has been waited for. */
static inline enum frame_result frame_emit_check_prefix(struct frame_prefix h, uint32_t max_payload)
{
	uint32_t fixed = FRAME_EMIT_LEN + h.a + h.b + (h.flags & FRAME_F_OPTIONS ? 2u : 0u);
	uint64_t most =
	        (uint64_t)fixed + max_payload + (h.flags & FRAME_F_OPTIONS ? NC_OPTIONS_MAX : 0u);

	if (h.kind != FRAME_EMIT)
		return FRAME_E_BODY;
	if ((h.flags & FRAME_F_RESERVED) || (h.flags & FRAME_TYPE_MASK) > FRAME_T_MAX)
		return FRAME_E_FLAGS;
	if (h.a == 0 || h.a > NC_CHANNEL_MAX)
		return FRAME_E_CHANNEL;
	if (h.b == 0)
		return FRAME_E_EVENT;
	if (h.len < fixed || h.len > most)
		return FRAME_E_LENGTH;
	return FRAME_OK;
}

/* Whether a payload of `len` bytes can be of the type that the flags say. */
static inline bool frame_payload_fits(uint8_t flags, uint32_t len)
{
	uint8_t type = flags & FRAME_TYPE_MASK;

	if (flags & FRAME_F_WRAPPED)
		return type == FRAME_T_JSON && len > 0;
	switch ((enum frame_type)type) {
	case FRAME_T_EMPTY: return len == 0;
	case FRAME_T_BOOL: return len == 1;
	case FRAME_T_INT:
	case FRAME_T_DOUBLE: return len == 8;
	case FRAME_T_TEXT:
	case FRAME_T_BYTES: return true;
	case FRAME_T_JSON: return len > 0;
	}
	return false;
}

/* As frame_emit_get(). */
static inline enum frame_result frame_emit_get_inline(struct frame_emit *f, const void *p, size_t n,
                                                      uint32_t max_payload)
{
	const uint8_t *b = p;
	struct frame_prefix h;
	enum frame_result r;
	uint32_t head_len;

	if (n < FRAME_PREFIX_LEN)
		return FRAME_MORE;
	h = frame_prefix_get(p);
	r = frame_emit_check_prefix(h, max_payload);
	if (r != FRAME_OK)
		return r;
	head_len = FRAME_EMIT_LEN + h.a + h.b;
	f->options = NULL;
	f->options_len = 0;
	if (h.flags & FRAME_F_OPTIONS) {
		if (n < head_len + 2)
			return FRAME_MORE;
		f->options = b + head_len + 2;
		f->options_len = le16_get(b + head_len);
		head_len += 2u + f->options_len;
		if (f->options_len > NC_OPTIONS_MAX || head_len > h.len)
			return FRAME_E_OPTIONS;
	}
	if (n < head_len)
		return FRAME_MORE;
	if (f->options_len && !frame_options_ok(f->options, f->options_len))
		return FRAME_E_OPTIONS;
	f->channel = (const char *)b + FRAME_EMIT_LEN;
	f->event = f->channel + h.a;
	f->channel_len = h.a;
	f->event_len = h.b;
	f->flags = h.flags;
	f->head_len = head_len;
	f->payload_len = h.len - head_len;
	if (f->payload_len > max_payload)
		return FRAME_E_LENGTH;
	if (!frame_payload_fits(h.flags, f->payload_len))
		return FRAME_E_PAYLOAD;
	if (!name_is_channel(f->channel, h.a))
		return FRAME_E_CHANNEL;
	f->sender = le64_get(b + 8);
	f->seq = le64_get(b + 16);
	f->payload = n >= h.len ? b + head_len : NULL;
	return FRAME_OK;
}

#endif
