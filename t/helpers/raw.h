/* raw.h - frames by hand, right and wrong
 *
 * Written from the protocol's description and not with the project's codec, so that a mistake of
 * the one is not excused by the other.
 */
#ifndef NC_T_HELPERS_RAW_H
#define NC_T_HELPERS_RAW_H

#include <stddef.h>
#include <stdint.h>

#include "t/helpers/world.h"

/* Bytes in the making. */
struct raw {
	uint8_t p[4096];
	size_t len;
};

void raw_bytes(struct raw *r, const void *p, size_t len);
void raw_u16(struct raw *r, unsigned v);
void raw_u32(struct raw *r, uint32_t v);
void raw_u64(struct raw *r, uint64_t v);

/* The eight bytes that every frame begins with, for `body` more bytes. */
void raw_prefix(struct raw *r, uint32_t body, uint8_t kind, uint8_t flags, uint8_t a, uint8_t b);

/* Preface and HELLO. */
void raw_hello(struct raw *r);

/* A frame of an event, as its parts say. */
struct raw_emit {
	uint8_t flags;
	uint64_t sender;
	uint64_t seq;
	const char *channel;
	const char *event;
	const void *rest; /* options and payload */
	size_t rest_len;
};
void raw_emit(struct raw *r, const struct raw_emit *e);

/* What the server said to a connection. */
struct raw_said {
	bool welcome;
	uint64_t id; /* of the welcome */
	bool error;
	bool fatal;
	unsigned code;
	unsigned n_emits;
	unsigned n_pongs;
	bool bye;
	bool end; /* of the connection */
};

/* Reads what is there and tells what it was. Bytes that are no frame make the test fail. */
void raw_listen(struct jc *c, struct raw_said *s);

#endif
