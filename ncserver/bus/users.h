/* users.h - what each user holds, against its quota (private to ncserver/bus)
 *
 * A user is an account of connections, bytes and subscriptions; each client holds a reference and
 * gives back what it took. Accounts of users without clients are kept a while, for the connection
 * rate, in a bounded number.
 */
#ifndef NC_BUS_USERS_H
#define NC_BUS_USERS_H

#include <stdint.h>
#include <sys/types.h>

struct conf;

/* Accounts at once. Users with clients are bounded by max_clients. */
#define USERS_MAX 65536u

struct user {
	uid_t uid;
	uint32_t connections;
	uint32_t subscriptions;
	uint64_t bytes;
	uint64_t refused;   /* for any quota */
	uint64_t tokens_ns; /* connection rate: the time that is saved up */
	uint64_t tokens_at;
	uint32_t holds;
};

struct users;

struct users *users_new(const uint8_t seed[16]);
void users_free(struct users *u);

/* Opens a connection for a user. Returns the account with one more connection; or NULL with *why:
 * "connections", "connection_rate" (a quota that is used up), or "memory". */
struct user *users_connect(struct users *u, const struct conf *conf, uid_t uid, uint64_t now,
                           const char **why);
/* The account of a user, held for something that is no connection: a FIFO, or one that is refused.
 * NULL without memory. */
struct user *users_hold(struct users *u, uid_t uid, uint64_t now);
void users_release(struct user *user);

void users_disconnect(struct users *u, struct user *user);

/* Every account with something to show, by rising uid. `fn` must not change the accounts. */
void users_each(struct users *u, void (*fn)(void *arg, const struct user *user), void *arg);

#endif
