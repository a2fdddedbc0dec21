/* client.h - a client of either dialect that emits numbered messages and keeps a ledger
 *
 * It does a step at a time and waits for no longer than it is told.
 */
#ifndef NC_T_SOAK_CLIENT_H
#define NC_T_SOAK_CLIENT_H

#include <netcluster/nc.h>

#include "t/helpers/jsonclient.h"
#include "t/soak/number.h"

enum dialect { DIALECT_NATIVE, DIALECT_JSON };

struct client_options {
	enum dialect dialect;
	enum soak_channel channel;
	unsigned number;     /* of a passing channel */
	const char *label;   /* not owned; for complaints, and the server's lists */
	const char *pattern; /* what it listens to from the beginning, or NULL: nothing */
	int policy;          /* the one that it asks for, or -1 */
	bool comes_back;     /* native: after a break */
};

struct client {
	struct client_options opt;
	nc_client *nc;
	struct jc jc;
	bool is_ended; /* its connection ended, and it does not come back */
	uint32_t sessions;
	struct ledger ledger;
	struct soak_sender *me; /* NULL: it has not emitted yet */
	struct number next;     /* what it emits next, but for the stream and its number */
	uint32_t n[SOAK_STREAMS];
	char *packet;
};

/* Connects, and has its pattern in force when it returns. `sender` is its number. Returns whether
 * it was welcomed; client_close() is due in either case. */
bool client_open(struct client *c, const struct client_options *o, uint32_t sender, int timeout_ms);

/* Reads, writes and hears what there is, waiting for at most timeout_ms for something. */
void client_step(struct client *c, int timeout_ms);

/* Emits one message with `len` bytes of payload. Returns false where it can't now. */
bool client_emit(struct client *c, size_t len);

/* Listens to one more pattern, or to one less; JSON clients that have not declared interest before
 * hear nothing else from then on. */
void client_listen(struct client *c, const char *pattern);
void client_unlisten(struct client *c, const char *pattern);

/* Waits until the server has taken all that came before, native only. */
bool client_sync(struct client *c, int timeout_ms);

/* Writes what is queued, within timeout_ms, and goes; says what became of what it emitted. */
void client_leave(struct client *c, int timeout_ms);

/* Goes at once, and frees everything. */
void client_close(struct client *c);

#endif
