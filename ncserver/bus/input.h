/* input.h - from bytes to deliveries (private to ncserver/bus) */
#ifndef NC_BUS_INPUT_H
#define NC_BUS_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libnc/netcluster/nc.h"

struct buf;
struct bus;
struct client;
struct input;
struct route;

/* Consumes what the client has received, as far as it is whole and there is room. */
void input_process(struct client *c);

/* Native and JSON parts of it. Return false where the client waits or is dead. */
bool input_native(struct client *c);
bool input_json(struct client *c);

/* Takes `n` bytes of the input as consumed. */
void input_consume(struct client *c, uint32_t n);

/* Drops all input. */
void input_fini(struct client *c);

/* Begins to take a frame of `frame_len` bytes, longer than INPUT_WHOLE_MAX, in parts: the input
 * holds its head and is all of it. Returns 0 or -ENOMEM. */
int input_chain_begin(struct client *c, uint32_t frame_len);

/* Drops what is there of a long frame. */
void input_chain_fini(struct input *in);

/* Appends the parts of a long frame to `out`. Returns 0 or -ENOMEM. */
int input_chain_gather(const struct input *in, struct buf *out);

/* Checks the form of an EMIT of which the head is there, `have` bytes; `forbidden` flags are not to
 * be set. Returns NULL, or what is wrong with it. */
const char *input_check_form(const struct client *c, const uint8_t *p, size_t have,
                             uint8_t forbidden);

/* Delivers the long frame that is whole. Returns false where the client waits or is dead. */
bool input_native_chain(struct client *c);

/* Clients that were accepted in this turn count from now on, but for `except`, which is about to
 * say what it is. */
void bus_admit_fresh(struct bus *b, struct client *except);

/* Counts `n` messages that are refused, and tells the client once. */
void input_refuse(struct client *c, enum nc_error code, uint64_t seq, uint64_t n, const char *text);

/* Counts a message that is refused because of its name, and tells the client. */
void input_refuse_name(struct client *c, const struct route *r, uint64_t seq);

/* request.c: what a client asks of the server. A native control frame, whole. */
void request_frame(struct client *c, const uint8_t *p, size_t len);

/* An EMIT with option REQUEST on any channel: the answer goes to the asker alone. */
struct frame_emit;
void request_emit(struct client *c, const struct frame_emit *f, uint64_t id);

/* A question on control, emitted without that option: the answer goes to all clients of control. */
void request_emit_plain(struct client *c, const struct frame_emit *f);

/* Whether an event is one of control's questions. */
bool request_is_question(const char *event, size_t len);

/* A JSON packet whose event begins with "nc": one of ours. Returns false where the event is none of
 * them. */
struct packet;
bool request_packet(struct client *c, const char *p, const struct packet *pk);

/* A question on control without an id: the answer goes to all. */
void request_packet_plain(struct client *c, const char *p, const struct packet *pk);

#endif
