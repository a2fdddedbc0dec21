/* packet.h - netcluster's JSON packet: one object, ended by NUL
 *
 *   {"emmiteruuid":"...","channel":"A","broadcast":false,"event":"log","data":...}\0
 *
 * The reader takes one whole packet (without its NUL), validates it as JSON and UTF-8 with yajl,
 * and says where the fields lie; it copies nothing but an event name that was written with escapes.
 * Unknown fields pass. Where a key occurs twice the last one counts, as in every JSON.parse. Our
 * own extensions stand in one object field "nc".
 *
 * The writer makes a packet from the parts of a native frame. Typed payloads: empty -> no `data`;
 * bool, text and JSON as themselves; integers in full; NaN and infinities null; bytes
 * {"$bytes":"<base64>"}.
 *
 * A reader object keeps one yajl allocation arena and is used for one packet at a time.
 */
#ifndef NC_JSON_PACKET_H
#define NC_JSON_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libnc/wire/frame.h"

struct buf;
struct packet_reader;

enum packet_result {
	PACKET_OK = 0,
	PACKET_E_JSON,   /* not one JSON text, or not UTF-8 */
	PACKET_E_DEPTH,  /* nested deeper than NC_JSON_DEPTH_MAX */
	PACKET_E_OBJECT, /* JSON, but not an object */
	PACKET_E_EVENT,  /* no field "event", or not a string */
	PACKET_E_NAME,   /* an illegal event name: the packet is refused, its client stays */
};

/* The text of a result. Never NULL. */
const char *packet_result_str(enum packet_result r);

/* A packet, taken apart. Pointers are into the packet, or (an event with escapes) into the reader,
 * where they stay valid until its next packet. */
struct packet {
	const char *event;
	size_t event_len;
	uint32_t data_off; /* where the value of `data` begins in the packet */
	uint32_t data_len; /* its bytes, 0 where there is none */
	bool broadcast;
	bool has_nc;    /* there is an object field "nc" */
	bool nc_has_id; /* {"nc":{"id":N}}: an answer with the same id is expected */
	uint64_t nc_id;
};

/* Makes a reader. Returns NULL without memory. */
struct packet_reader *packet_reader_new(void);
void packet_reader_free(struct packet_reader *r);

/* Reads the packet of `len` bytes at `p`. Returns PACKET_OK, what is wrong, or -ENOMEM. After
 * PACKET_E_JSON, packet_reader_error tells where and why in one line. With PACKET_E_NAME `out` is
 * filled in all the same; the event is UTF-8 even then (cut at NC_EVENT_MAX where it was written
 * with escapes), but may hold anything, control characters too. */
int packet_read(struct packet_reader *r, const char *p, size_t len, struct packet *out);
const char *packet_reader_error(const struct packet_reader *r);

/* Appends to `out` the packet, its NUL included, that stands for a native frame's parts. `uuid` is
 * the text for emmiteruuid (36 bytes and NUL) or NULL to leave that field out; data, len and type
 * are what frame_emit_data gave; `nc` is JSON text for the field "nc", or NULL. Returns 0, -ENOMEM,
 * -EMSGSIZE (buf's cap), PACKET_E_JSON where a TEXT or JSON payload (or the event) is not valid, or
 * PACKET_E_DEPTH; where it is not 0 nothing was appended. */
int packet_write(struct buf *out, const struct frame_emit *f, const char *uuid, const char *nc);

/* Validates one JSON text (UTF-8, depth) that is to be the `data` of a packet: the packet's own
 * object counts, so what passes here passes packet_read() too. Returns PACKET_OK, PACKET_E_JSON or
 * PACKET_E_DEPTH, or -ENOMEM. */
int packet_check_json(const void *p, size_t len);

/* Whether a string or key in this JSON text, which is valid, contains U+0000: who takes it for a C
 * string would see only what stands before it. */
bool packet_has_nul(const char *p, size_t len);

/* Appends `s` as a JSON string with its quotes. Returns 0, -ENOMEM, -EMSGSIZE or PACKET_E_JSON (not
 * UTF-8). */
int packet_append_string(struct buf *out, const char *s, size_t len);

#endif
