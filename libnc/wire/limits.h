/* limits.h - the caps of the wire, in one place */
#ifndef NC_WIRE_LIMITS_H
#define NC_WIRE_LIMITS_H

/* A channel is one token [A-Za-z0-9_-]+; 63 bytes leave room for a path in sun_path (108). */
#define NC_CHANNEL_MAX 63u

/* An event name, in bytes; its length is one byte on the wire. */
#define NC_EVENT_MAX 255u

/* A pattern is at most as long as a name. */
#define NC_PATTERN_MAX 255u

/* Tokens in one event name or pattern: bounds the depth of every walk over a trie. */
#define NC_TOKENS_MAX 32u

/* Payload bytes in one message: what a server may be configured to take at most (max_message), and
 * what it takes when nothing is configured. The smaller one is told to clients in the welcome. */
#define NC_MESSAGE_MAX     (256u << 20)
#define NC_MESSAGE_DEFAULT (16u << 20)

/* Bytes of options in one frame: one length field of 16 bits, kept far below it. */
#define NC_OPTIONS_MAX 1024u

/* All that stands before the payload of an EMIT frame. */
#define NC_HEAD_MAX (24u + NC_CHANNEL_MAX + NC_EVENT_MAX + 2u + NC_OPTIONS_MAX)

/* A control frame (everything but EMIT), whole. */
#define NC_CONTROL_FRAME_MAX 4096u

/* Text in ERROR and BYE frames. */
#define NC_TEXT_MAX 1024u

/* Nesting of a JSON packet: deeper ones are refused, so no reader of ours recurses without bound.
 */
#define NC_JSON_DEPTH_MAX 128u

/* Slots of the sender-identity cache that server and client keep in step (see frame.h, SENDER). */
#define NC_SENDER_SLOTS 64u

#endif
