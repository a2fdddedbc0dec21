/* number.h - what a message of the soak says, and what a receiver makes of it
 *
 * The payload is ASCII text without quotes, so that it is the same in both dialects:
 * "<sender>.<stream>.<n>.<seq>.<length>.<letters>". n counts the messages of a stream (an event
 * name) from 0, seq those of a sender, length is that of the whole text, and the letters follow
 * from all of it.
 */
#ifndef NC_T_SOAK_NUMBER_H
#define NC_T_SOAK_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "t/soak/soak.h"

/* Room for the longest head, behind which come the letters. */
#define NUMBER_HEAD_MAX 64u
/* Largest payload that the soak emits. */
#define NUMBER_LEN_MAX (300u << 10)

struct number {
	uint32_t sender;
	uint32_t stream;
	uint32_t n;
	uint32_t seq;
};

/* Writes the payload of `len` bytes (NUMBER_HEAD_MAX to NUMBER_LEN_MAX) to `out`, unterminated. */
void number_write(char *out, size_t len, const struct number *number);

/* Reads a payload. Returns whether every byte of it is as it was written. */
bool number_read(const char *p, size_t len, struct number *out);

/* ---- what a receiver has heard */

struct ledger {
	const char *who;  /* for complaints */
	bool is_ordered;  /* over the streams of a sender: not under conflate */
	bool is_complete; /* of the streams that it hears it hears all: what is missing was told */
	bool is_from_start; /* it was there before all senders: each begins at 0 */
	bool may_lose;      /* its policy drops */
	uint32_t session;   /* in which a stream's first message says where it begins */
	uint64_t received;  /* of this session */
	uint64_t lost;      /* told, of this session */
	uint64_t missing;   /* of this session, seen by numbers that were passed over */
	struct ledger_sender {
		uint32_t session;
		uint32_t next_seq;
		uint32_t next[SOAK_STREAMS];
		uint32_t begun; /* streams that have begun in the session, a bit each */
	} * senders;
	_Atomic uint32_t *heard; /* not owned; messages per sender, or NULL */
};

/* An empty ledger; what kind it is of is set by its owner then. */
void ledger_init(struct ledger *l, const char *who);

/* A new session: what it missed before it began is no loss. */
void ledger_begin_session(struct ledger *l);

/* Enters a message. Complains where it is garbled, doubled, out of order, or misses more than was
 * told. `event` is its event's name. */
void ledger_enter(struct ledger *l, const char *event, const char *payload, size_t len);

/* Enters that `count` messages were lost, as told by the server. */
void ledger_enter_gap(struct ledger *l, uint64_t count);

#endif
