/* client.h - one connection: who it is, what came in, what waits to go out
 *
 * Private to ncserver/bus. A client that is to go is marked dead and put on the bus's dead list; it
 * stays in the routes, which skip it, until io has closed it and frees it: so no list changes while
 * it is walked.
 */
#ifndef NC_BUS_CLIENT_H
#define NC_BUS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "libnc/base/list.h"
#include "ncserver/bus/bus.h"
#include "ncserver/bus/queue.h"

struct chan;
struct lane;
struct user;

/* Text of a client id: a version 4 UUID. */
#define CLIENT_UUID_LEN 36u
/* Bytes of a client's label. */
#define CLIENT_LABEL_MAX 63u
/* A frame up to this is waited for in one piece; a longer one is taken as a chain of what arrives.
 */
#define INPUT_WHOLE_MAX (16u << 10)
/* Least room to receive into. */
#define INPUT_ROOM_MIN (32u << 10)

enum dialect {
	DIALECT_UNDECIDED = 0, /* has sent nothing yet */
	DIALECT_JSON,
	DIALECT_NATIVE, /* from its first byte on */
	DIALECT_FIFO,   /* pseudo-client: only emits */
};

/* What was received and is not consumed: the beginning of a frame or packet, or what waits for
 * room. */
struct input {
	struct slab *slab; /* one reference while len > 0 */
	uint8_t *p;
	uint32_t len;
	uint32_t scanned; /* JSON: of them, without an end of packet */
	bool eof;
	bool skipping;       /* FIFO: until the next separator, after a packet that was too long */
	struct range *chain; /* a long frame that arrives in parts */
	uint32_t n_chain;
	uint32_t cap_chain;
	uint32_t chain_len;  /* bytes of it that are there */
	uint32_t chain_need; /* bytes that are still to come */
};

struct pattern {
	struct list link;
	uint32_t len;
	char text[];
};

struct client {
	struct bus *bus;
	struct chan *chan;
	struct user *user;
	struct lane *lane; /* NULL: a connection or FIFO */
	void *io;          /* not owned */
	uint64_t id;
	uint64_t seq;  /* of the last frame accepted */
	uint64_t mark; /* of the last look-up that found it */
	uint8_t dialect;
	bool presumed; /* JSON because it said nothing in time: what it says first may tell better
	                */
	bool prefaced; /* native: its first four bytes are read */
	bool welcomed; /* native: after its hello */
	bool may_emit, may_listen, may_admin;
	bool echo;         /* hears itself */
	bool wants_sender; /* SENDER frames */
	bool everything;   /* in the routes with ">", having declared nothing */
	bool declared;     /* has declared interest once */
	bool dead;
	uint8_t refused; /* enum nc_error: it is only told why, and goes */
	bool on_probation;
	int8_t wish;         /* enum frame_policy that it asked for, or -1 */
	bool reads;          /* io was told to read */
	bool holds_lane;     /* as a receiver: a lane in waits for it, too */
	enum nc_error why;   /* of its death */
	const char *refusal; /* text of `refused` */

	struct list link;      /* of the channel */
	struct list dirty;     /* bus.dirty */
	struct list changed;   /* bus.changed */
	struct list dying;     /* bus.dead */
	struct list fresh;     /* bus.fresh, then bus.undecided */
	struct list tail;      /* bus.tails: holds input in the current slab */
	struct list wait;      /* holder.waiters, or bus.ready */
	struct list blocking;  /* bus.blocking: others wait for it */
	struct list probation; /* bus.probation */
	struct list waiters;
	struct client *waits_for;
	uint64_t wait_since;  /* as a sender, for waits_for */
	uint64_t held_since;  /* as a sender: for any; 0: its last batch went */
	uint64_t full_since;  /* as a receiver: a batch found no room, and it did not drain; or 0 */
	uint64_t block_since; /* as a receiver: others wait */
	uint64_t block_from;  /* from when on its block_timeout counts */
	uint64_t decide_at;   /* undecided: when it counts as JSON */
	uint64_t probation_until;

	struct input in;
	struct queue out;
	uint64_t charged; /* to the user, of queue and input */

	struct list patterns;
	uint32_t n_patterns;
	uint64_t *senders; /* NC_SENDER_SLOTS told, NULL: none yet */

	uid_t uid;
	gid_t gid;
	pid_t pid;
	gid_t *gids; /* all its groups, for lists that change */
	size_t n_gids;
	char comm[16];
	char *label;
	uint64_t slow_ns;     /* when it was last noted as slow */
	uint8_t slow_why;     /* enum slow_why of that */
	int64_t connected_at; /* wall clock, ms */

	uint64_t in_messages, in_bytes, in_refused;
	uint64_t stalls_caused, stalls_suffered; /* times */
	uint64_t caused_ns, suffered_ns;
};

/* Makes a client of a channel and links it in; `user` is its account. NULL without memory. */
struct client *client_new(struct chan *ch, const struct peer *peer, struct user *user,
                          uint64_t now);

/* Takes it out of everything and frees it; its counters go to its channel. */
void client_free(struct client *c);

/* The text of why it was refused is `why`, which outlives it. */
void client_refuse(struct client *c, enum nc_error code, const char *why);

/* What the channel's lists let it do, as they are now. */
void client_set_rights(struct client *c);

/* It was disconnected from this channel for slowness not long ago: its queue drops until then. */
void client_set_probation(struct client *c, uint64_t until);

/* Text of an id; `out` has CLIENT_UUID_LEN + 1 bytes. */
void client_uuid(const struct bus *b, uint64_t id, char *out);

/* The id in a text that client_uuid() made. Returns whether it is one. */
bool client_uuid_get(const struct bus *b, const char *text, uint64_t *id);

/* Says what was refused: an ERROR frame or an nc.error packet. Nothing is said once
 * QUEUE_CONTROL_MAX bytes of such wait. `seq` 0: about no frame. */
void client_error(struct client *c, enum nc_error code, uint64_t seq, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));

/* Says why, and ends the connection. */
void client_end(struct client *c, enum nc_error code, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* client_end for something that the client sent, which is counted as refused. */
void client_fail(struct client *c, enum nc_error code, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* Says goodbye (a native client only: netcluster's are not told), and leaves it open. */
void client_bye(struct client *c, enum nc_error code, const char *text);

/* Marks a client dead and puts it on the dead list; those who waited for it go on. */
void client_kill(struct client *c, enum nc_error why);

/* Puts bytes of the server's own into its queue. Kills the client where there is no memory. */
void client_send(struct client *c, const void *p, size_t len);

/* It has something to write. */
void client_set_dirty(struct client *c);

/* Tells io when the wish to read has changed. */
void client_update_reads(struct client *c);

/* Brings the user's account up to date with queue and input. */
void client_recharge(struct client *c);

/* Whether its user has bytes left, or it has nothing queued. */
bool client_has_credit(const struct client *c);

/* The connection is native: leaves the routes that hear everything. It is JSON: translates what
 * waits. */
void client_decide(struct client *c, enum dialect d);

/* Declares or withdraws interest. Returns NC_OK, or what to tell the client. */
enum nc_error client_listen(struct client *c, const char *pattern, size_t len);
enum nc_error client_unlisten(struct client *c, const char *pattern, size_t len);

/* Declares interest in nothing but the patterns that it has: what only emits need not read. */
void client_listen_nothing(struct client *c);

/* Hears everything (an undecided or JSON client without declared interest). Returns 0 or -ENOMEM.
 */
int client_hear_everything(struct client *c, bool on);

/* Takes all its patterns out of the routes. */
void client_leave_routes(struct client *c);

/* Sets the policy of its queue: the channel's, or a lossier one that it asks for or is on probation
 * with. */
void client_set_policy(struct client *c);

#endif
