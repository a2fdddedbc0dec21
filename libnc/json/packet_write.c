/* packet_write.c - makes netcluster's JSON packet from the parts of a native frame
 *
 * Field order is netcluster's, to the byte: emmiteruuid, channel, broadcast, event, data; then our
 * "nc". A JSON payload is copied as it is, since its writer may care for its numbers and its order;
 * it is validated before, because one bad packet would end every agent that parses it. A packet is
 * appended whole, or the buffer stays as it was.
 */

#include "libnc/json/packet.h"

#include "libnc/base/buf.h"
#include "libnc/base/endian.h"
#include "libnc/base/utf8.h"
#include "libnc/json/json_number.h"

#include <inttypes.h>
#include <string.h>

/* Whether the byte stands for itself inside a JSON string. */
static bool is_plain(char c)
{
	return (uint8_t)c >= 0x20 && c != '"' && c != '\\';
}

static int append_escape(struct buf *out, char c)
{
	static const char values[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	const char *value = c ? strchr(values, c) : NULL;

	if (value) {
		char escape[2] = {'\\', names[value - values]};

		return buf_append(out, escape, sizeof(escape));
	}
	return buf_printf(out, "\\u%04x", (unsigned)(uint8_t)c);
}

/* Appends the inside of a string that is UTF-8. */
static int append_escaped(struct buf *out, const char *s, size_t len)
{
	size_t at = 0;
	int r = 0;

	while (at < len && !r) {
		size_t plain = at;

		while (plain < len && is_plain(s[plain]))
			plain++;
		r = buf_append(out, s + at, plain - at);
		at = plain;
		if (at < len && !r)
			r = append_escape(out, s[at++]);
	}
	return r;
}

/* As packet_append_string(), but on failure leaves what it has begun. */
static int append_string(struct buf *out, const char *s, size_t len)
{
	int r;

	if (!utf8_valid(s, len))
		return PACKET_E_JSON;
	r = buf_append_byte(out, '"');
	if (!r)
		r = append_escaped(out, s, len);
	return r ? r : buf_append_byte(out, '"');
}

int packet_append_string(struct buf *out, const char *s, size_t len)
{
	size_t before = out->len;
	int r = append_string(out, s, len);

	if (r)
		buf_truncate(out, before);
	return r;
}

/* Base64 with padding (RFC 4648, 4). */
static int append_base64(struct buf *out, const uint8_t *p, size_t len)
{
	static const char digits[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = (len + 2) / 3 * 4;
	int r = buf_reserve(out, n);
	uint8_t *to;

	if (r || !n)
		return r;
	to = buf_tail(out);
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
		                (left > 2 ? p[i + 2] : 0u);

		*to++ = (uint8_t)digits[bits >> 18];
		*to++ = (uint8_t)digits[bits >> 12 & 63];
		*to++ = (uint8_t)(left > 1 ? digits[bits >> 6 & 63] : '=');
		*to++ = (uint8_t)(left > 2 ? digits[bits & 63] : '=');
	}
	buf_advance(out, n);
	return 0;
}

static int append_bytes(struct buf *out, const uint8_t *p, size_t len)
{
	int r = buf_append_str(out, "{\"$bytes\":\"");

	if (!r)
		r = append_base64(out, p, len);
	return r ? r : buf_append_str(out, "\"}");
}

static int append_json(struct buf *out, const uint8_t *p, size_t len)
{
	int r = packet_check_json(p, len);

	return r ? r : buf_append(out, p, len);
}

/* Appends a payload that is there, as JSON. */
static int append_value(struct buf *out, const uint8_t *p, uint32_t len, enum frame_type type)
{
	char number[JSON_NUMBER_MAX];

	switch (type) {
	case FRAME_T_EMPTY: break;
	case FRAME_T_BOOL: return buf_append_str(out, *p ? "true" : "false");
	case FRAME_T_INT: return buf_printf(out, "%" PRId64, (int64_t)le64_get(p));
	case FRAME_T_DOUBLE:
		return buf_append(out, number, json_double(number, le64_get_double(p)));
	case FRAME_T_TEXT: return append_string(out, (const char *)p, len);
	case FRAME_T_BYTES: return append_bytes(out, p, len);
	case FRAME_T_JSON: return append_json(out, p, len);
	}
	return 0;
}

static int append_data(struct buf *out, const struct frame_emit *f)
{
	enum frame_type type;
	const uint8_t *data;
	uint32_t len;
	int r;

	if (frame_emit_data(f, &data, &len, &type) != FRAME_OK)
		return PACKET_E_JSON;
	if (type == FRAME_T_EMPTY)
		return 0;
	r = buf_append_str(out, ",\"data\":");
	return r ? r : append_value(out, data, len, type);
}

/* Appends everything before `data`. */
static int append_head(struct buf *out, const struct frame_emit *f, const char *uuid)
{
	int r = buf_append_str(out, uuid ? "{\"emmiteruuid\":\"" : "{");

	if (!r && uuid)
		r = buf_append_str(out, uuid);
	if (!r && uuid)
		r = buf_append_str(out, "\",");
	if (!r)
		r = buf_append_str(out, "\"channel\":");
	if (!r)
		r = append_string(out, f->channel, f->channel_len);
	if (!r)
		r = buf_append_str(out, f->flags & FRAME_F_BROADCAST
		                                ? ",\"broadcast\":true,\"event\":"
		                                : ",\"broadcast\":false,\"event\":");
	return r ? r : append_string(out, f->event, f->event_len);
}

/* Appends everything behind `data`, and the end. */
static int append_rest(struct buf *out, const char *nc)
{
	int r = 0;

	if (nc) {
		r = buf_append_str(out, ",\"nc\":");
		if (!r)
			r = buf_append_str(out, nc);
	}
	return r ? r : buf_append(out, "}", sizeof("}"));
}

int packet_write(struct buf *out, const struct frame_emit *f, const char *uuid, const char *nc)
{
	size_t before = out->len;
	int r = append_head(out, f, uuid);

	if (!r)
		r = append_data(out, f);
	if (!r)
		r = append_rest(out, nc);
	if (r)
		buf_truncate(out, before);
	return r;
}
