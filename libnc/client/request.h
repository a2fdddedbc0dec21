/* request.h - the requests that wait for an answer */
#ifndef NC_CLIENT_REQUEST_H
#define NC_CLIENT_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <netcluster/nc.h>

/* Open at once. Enough for any use of a control channel; it bounds what a client that never gets an
 * answer holds. A power of two: the lower bits of an id are its slot. */
#define REQUEST_MAX 1024u

/* What request_next_ns() says where nothing is open. */
#define REQUEST_NEVER UINT64_MAX

struct request {
	uint64_t id;  /* as on the wire; 0: the slot is free */
	uint64_t seq; /* of the emit that carried it */
	uint64_t deadline_ns;
	nc_reply_cb *fn;
	void *arg; /* not owned */
	int error; /* enum nc_error, of one that came to its end without an answer */
};

struct request_table {
	struct request *slots;
	unsigned n_slots; /* 0, or a power of two up to REQUEST_MAX */
	unsigned n_open;
	uint64_t n_ids;       /* ever given */
	uint64_t earliest_ns; /* no open deadline is before it */
};

/* Makes the table empty; it takes no memory before the first request. */
void request_init(struct request_table *t);
void request_fini(struct request_table *t);

/* Opens a request. Returns NC_OK and sets *out, which stays valid until the next request_add() or
 * request_take_*(); NC_EQUOTA (REQUEST_MAX are open), NC_ENOMEM. */
int request_add(struct request_table *t, uint64_t deadline_ns, nc_reply_cb *fn, void *arg,
                struct request **out);

/* Takes out the request with that id, or that was carried by that sequence, into *out. Returns
 * whether there was one. */
bool request_take(struct request_table *t, uint64_t id, struct request *out);
bool request_take_seq(struct request_table *t, uint64_t seq, struct request *out);

/* Whether the request with that id is open, and its deadline not yet there. */
bool request_is_awaited(const struct request_table *t, uint64_t id, uint64_t now_ns);

/* Lets all that are open end with `error`: request_take_ended() hands them out at once. */
void request_fail_all(struct request_table *t, int error);

/* Takes out the one that ended first of those that failed or whose deadline has come, with its
 * `error` set, into *out. Returns whether there was one. */
bool request_take_ended(struct request_table *t, uint64_t now_ns, struct request *out);

/* When request_take_ended() is wanted next: 0 for at once, or REQUEST_NEVER. It may be too early,
 * never too late. */
static inline uint64_t request_next_ns(const struct request_table *t)
{
	return t->n_open ? t->earliest_ns : REQUEST_NEVER;
}

#endif
