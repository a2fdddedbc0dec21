/* frame.h - the native frame: layout, encoder, decoder
 *
 * A native connection opens with a preface of four bytes, FF 4E 43 01: the first one can't begin
 * JSON text (nor any UTF-8), which is how the server tells the dialects apart. Then both sides send
 * frames. All integers are little-endian. Every frame begins with the same eight bytes, so that an
 * unknown kind is skipped by its length:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------------------------------------------------------+
 *   |                    length (of the whole frame)                |
 *   +---------------+---------------+---------------+---------------+
 *   |     kind      |     flags     |       a       |       b       |
 *   +---------------+---------------+---------------+---------------+
 *
 * EMIT: a = bytes of the channel, b = bytes of the event, then
 *
 *   |                    sender (64 bits: origin tag, session)      |
 *   |                    sequence (64 bits)                         |
 *   | channel | event | [u16 options length | options] | payload    |
 *
 * `sender` has the origin's tag in its upper 32 bits (random for each boot of a server) and a
 * session number in its lower 32 bits; it is never used twice within a boot. `sequence` rises
 * strictly within a session, from 1. The flags' low four bits are the payload's type.
 *
 * An option is u8 type, u8 length, value; unknown ones are skipped. What a client wrote reaches
 * every receiver byte for byte, so nothing in a frame is filled in later by a server.
 *
 * The codec holds no state, takes no memory and trusts no length: a decoder is given the bytes that
 * are there, and says "more" or names what is wrong.
 */
#ifndef NC_WIRE_FRAME_H
#define NC_WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libnc/wire/limits.h"

#define FRAME_PREFACE                                                                              \
	"\xFF"                                                                                     \
	"NC\x01"
#define FRAME_PREFACE_LEN 4u
#define FRAME_PREFIX_LEN  8u  /* what every frame begins with */
#define FRAME_EMIT_LEN    24u /* an EMIT up to its channel */

/* The protocol versions that this code speaks. */
#define FRAME_VERSION_MIN 1u
#define FRAME_VERSION_MAX 1u

enum frame_kind {
	FRAME_HELLO = 1,    /* c->s, first frame */
	FRAME_WELCOME = 2,  /* s->c, answer to it */
	FRAME_EMIT = 3,     /* both: an event */
	FRAME_LISTEN = 4,   /* c->s: interest in a pattern */
	FRAME_UNLISTEN = 5, /* c->s: no longer */
	FRAME_PING = 6,     /* both; answered in order by PONG with the same token */
	FRAME_PONG = 7,
	FRAME_GAP = 8,       /* s->c: messages were lost for this receiver, exactly here */
	FRAME_ERROR = 9,     /* s->c: something was refused */
	FRAME_SENDER = 10,   /* s->c: who a sender is, before its next frame */
	FRAME_BYE = 11,      /* both: the end, with a reason */
	FRAME_ENVELOPE = 12, /* reserved: what servers add before a frame */
	FRAME_ACK = 13,      /* reserved: accepted sequences */
};

/* Flags of EMIT. */
#define FRAME_TYPE_MASK   0x0Fu
#define FRAME_F_OPTIONS   0x10u /* options stand between event and payload */
#define FRAME_F_BROADCAST 0x20u /* netcluster's third argument of emit, carried along */
#define FRAME_F_WRAPPED                                                                            \
	0x40u                  /* payload is a whole JSON packet (without NUL), of type JSON; see  \
	                          FRAME_O_DATA; made by servers only */
#define FRAME_F_RESERVED 0x80u /* zero; a frame with it set is refused */

/* Payload types. Their numbers are those of enum nc_type in nc.h. */
enum frame_type {
	FRAME_T_EMPTY = 0,  /* no bytes */
	FRAME_T_BOOL = 1,   /* one byte, 0 or 1 */
	FRAME_T_INT = 2,    /* 64 bits, two's complement */
	FRAME_T_DOUBLE = 3, /* 64 bits, IEEE 754 */
	FRAME_T_TEXT = 4,   /* UTF-8 */
	FRAME_T_BYTES = 5,
	FRAME_T_JSON = 6, /* one JSON text */
	FRAME_T_MAX = 6,
};

/* Options of EMIT. Where one occurs twice the first counts. */
enum frame_option {
	FRAME_O_DATA = 1,    /* u32 offset, u32 length: where `data` lies in a WRAPPED payload */
	FRAME_O_REQUEST = 2, /* u64 id: an answer is expected */
	FRAME_O_REPLY = 3,   /* u64 id: this answers that request; reaches only the asker */
	FRAME_O_ERROR = 4,   /* u16 enum nc_error: the request failed, payload is text */
};

/* Features, in HELLO (wanted) and WELCOME (granted). */
#define FRAME_FEAT_ECHO   0x0001u /* hear oneself over the wire */
#define FRAME_FEAT_SENDER 0x0002u /* SENDER frames are wanted */
#define FRAME_FEAT_ALL    0x0003u

enum frame_result {
	FRAME_OK = 0,
	FRAME_MORE,      /* not yet enough bytes */
	FRAME_E_LENGTH,  /* the length field is below the kind's minimum or above its cap */
	FRAME_E_FLAGS,   /* reserved flag or unknown payload type */
	FRAME_E_CHANNEL, /* no channel, or an illegal one */
	FRAME_E_EVENT,   /* no event name */
	FRAME_E_OPTIONS, /* options overrun the frame or each other */
	FRAME_E_PAYLOAD, /* payload size does not fit its type */
	FRAME_E_BODY,    /* a control frame's body is malformed */
	FRAME_E_SPACE,   /* the encoder's buffer is too small */
};

/* The text of a result, for logs and ERROR frames. Never NULL. */
const char *frame_result_str(enum frame_result r);

/* What every frame begins with. */
struct frame_prefix {
	uint32_t len;
	uint8_t kind;
	uint8_t flags;
	uint8_t a;
	uint8_t b;
};

/* Reads the eight bytes at p; the caller has them. */
static inline struct frame_prefix frame_prefix_get(const void *p);

/* An EMIT frame, taken apart. Pointers are into the caller's bytes. */
struct frame_emit {
	uint64_t sender;
	uint64_t seq;
	const char *channel;
	const char *event;
	const uint8_t *options; /* the TLVs, or NULL */
	const uint8_t *payload; /* NULL where the head alone was given */
	uint32_t payload_len;   /* in bytes, as the frame's length says */
	uint32_t head_len;      /* offset of the payload in the frame */
	uint16_t options_len;
	uint8_t channel_len;
	uint8_t event_len;
	uint8_t flags;
};

/* Decodes the head of the EMIT frame that begins at p, of which n bytes are there. It needs all
 * that stands before the payload, not the payload itself. `max_payload` is the cap in bytes. Checks
 * lengths, flags, the channel's and option's form, and the payload's size against its type; not the
 * event's grammar (name.h), which the server checks once per name, and not UTF-8. Returns FRAME_OK,
 * FRAME_MORE, or what is wrong (FRAME_E_BODY for a frame that is no EMIT); lengths and flags that
 * can't be are refused as soon as the first eight bytes are there. frame_fast.h has it inline. */
enum frame_result frame_emit_get(struct frame_emit *f, const void *p, size_t n,
                                 uint32_t max_payload);

/* Bytes that frame_emit_head_put writes: the head of a frame. */
size_t frame_emit_head_len(const struct frame_emit *f);

/* Writes the head (everything but the payload, whose length is f->payload_len) into `buf`; options
 * are written where f->options_len or FRAME_F_OPTIONS says so. Returns bytes written, or 0 where
 * `cap` is too small. */
size_t frame_emit_head_put(void *buf, size_t cap, const struct frame_emit *f);

/* Writes sender and sequence into an encoded EMIT frame: a client encodes what it emits before it
 * knows its session. */
static inline void frame_emit_stamp(void *frame, uint64_t sender, uint64_t seq);

/* Finds option `type` in the TLVs. Returns its value and sets *len, or NULL. */
const uint8_t *frame_option_find(const struct frame_emit *f, enum frame_option type, uint8_t *len);

/* Convenience over frame_option_find: reads a u64 option. Returns 1 and sets *v where there is one
 * of the right length, else 0. */
int frame_option_u64(const struct frame_emit *f, enum frame_option type, uint64_t *v);

/* Writes one option at buf. Returns bytes written, or 0 where `cap` is too small. */
size_t frame_option_put(void *buf, size_t cap, enum frame_option type, const void *value,
                        uint8_t len);

/* What is user data in a frame: the payload itself, or the `data` slice of a WRAPPED one.
 * `*type` is FRAME_T_JSON for a slice, FRAME_T_EMPTY where the packet has no data.
 * Returns FRAME_OK, or FRAME_E_OPTIONS where a WRAPPED frame lies about its slice. */
enum frame_result frame_emit_data(const struct frame_emit *f, const uint8_t **data, uint32_t *len,
                                  enum frame_type *type);

/* Control frames. Each *_get is given the whole frame (n == its length) and returns FRAME_OK or
 * what is wrong (FRAME_E_BODY for a frame of another kind); each *_put returns bytes written or 0
 * where cap is too small. Flags are zero. Bytes behind the last known part are passed over, so that
 * a later version may append to a frame. Text is UTF-8, checked by *_get, and not terminated; the
 * channel of WELCOME is checked too, the pattern of LISTEN is not (name.h). */

/* HELLO: u16 version_min, u16 version_max, u32 features, u8 policy wish (0 none, else 1 + enum
 * frame_policy), u8 label length, label (UTF-8: who is there, for displays). */
struct frame_hello {
	uint16_t version_min;
	uint16_t version_max;
	uint32_t features;
	uint8_t policy;
	uint8_t label_len;
	const char *label;
};

/* Queue policies, as a receiver may wish them (it may only get lossier than its channel) and as GAP
 * frames name them. */
enum frame_policy {
	FRAME_P_BLOCK = 0,
	FRAME_P_DROP_OLDEST = 1,
	FRAME_P_DROP_NEWEST = 2,
	FRAME_P_CONFLATE = 3,
	FRAME_P_DISCONNECT = 4,
	FRAME_P_MAX = 4,
};

/* WELCOME: u16 version, u16 zero, u32 features, u64 sender (the client's id), u32 max_payload,
 * boot id 16 bytes, u8 channel length, u8 host length, u8 server length, u8 zero, channel, host,
 * server
 * ("ncserver 0.1.0"). */
struct frame_welcome {
	uint16_t version;
	uint32_t features;
	uint64_t sender;
	uint32_t max_payload;
	uint8_t boot[16];
	uint8_t channel_len;
	uint8_t host_len;
	uint8_t server_len;
	const char *channel;
	const char *host;
	const char *server;
};

/* LISTEN, UNLISTEN: b = pattern length, pattern. */
struct frame_listen {
	const char *pattern;
	uint8_t pattern_len;
};

/* PING, PONG: u64 token. */

/* GAP: a = reason (enum frame_gap_reason), b = 1 where the count is exact, u64 count. */
enum frame_gap_reason {
	FRAME_GAP_DROP_OLDEST = 1,
	FRAME_GAP_DROP_NEWEST = 2,
	FRAME_GAP_CONFLATE = 3,
	FRAME_GAP_NET = 4,
	FRAME_GAP_UNTRANSLATABLE = 5,
	FRAME_GAP_MAX = 5,
};
struct frame_gap {
	uint64_t count;
	uint8_t reason;
	uint8_t exact;
};

/* ERROR: a = 1 where the connection ends with it, u16 code (enum nc_error of nc.h), u16 text
 * length, u64 sequence of the frame that it is about (0: none), text. */
struct frame_error {
	uint64_t seq;
	uint16_t code;
	uint16_t text_len;
	uint8_t fatal;
	const char *text;
};

/* SENDER: b = host length, u64 sender, u32 uid, u32 gid, u32 pid, host. The server keeps, for each
 * receiver, the last sender told in slot `sender % NC_SENDER_SLOTS`; the receiver keeps the same
 * table, so that what it was told is what it still knows. Sent before the first frame of a sender
 * not in it. */
struct frame_sender {
	uint64_t sender;
	uint32_t uid;
	uint32_t gid;
	uint32_t pid;
	uint8_t host_len;
	const char *host;
};

/* BYE: u16 code (enum nc_error, 0 for none), u16 text length, text. */
struct frame_bye {
	uint16_t code;
	uint16_t text_len;
	const char *text;
};

enum frame_result frame_hello_get(struct frame_hello *f, const void *p, size_t n);
enum frame_result frame_welcome_get(struct frame_welcome *f, const void *p, size_t n);
enum frame_result frame_listen_get(struct frame_listen *f, const void *p, size_t n);
enum frame_result frame_ping_get(uint64_t *token, const void *p, size_t n);
enum frame_result frame_gap_get(struct frame_gap *f, const void *p, size_t n);
enum frame_result frame_error_get(struct frame_error *f, const void *p, size_t n);
enum frame_result frame_sender_get(struct frame_sender *f, const void *p, size_t n);
enum frame_result frame_bye_get(struct frame_bye *f, const void *p, size_t n);

size_t frame_hello_put(void *buf, size_t cap, const struct frame_hello *f);
size_t frame_welcome_put(void *buf, size_t cap, const struct frame_welcome *f);
size_t frame_listen_put(void *buf, size_t cap, enum frame_kind kind, const struct frame_listen *f);
size_t frame_ping_put(void *buf, size_t cap, enum frame_kind kind, uint64_t token);
size_t frame_gap_put(void *buf, size_t cap, const struct frame_gap *f);
size_t frame_error_put(void *buf, size_t cap, const struct frame_error *f);
size_t frame_sender_put(void *buf, size_t cap, const struct frame_sender *f);
size_t frame_bye_put(void *buf, size_t cap, const struct frame_bye *f);

/* Inlines: on the path of every message. */

#include "libnc/base/endian.h"

static inline struct frame_prefix frame_prefix_get(const void *p)
{
	const uint8_t *b = p;

	return (struct frame_prefix){
	        .len = le32_get(b), .kind = b[4], .flags = b[5], .a = b[6], .b = b[7]};
}

static inline void frame_emit_stamp(void *frame, uint64_t sender, uint64_t seq)
{
	le64_put((uint8_t *)frame + 8, sender);
	le64_put((uint8_t *)frame + 16, seq);
}

#endif
