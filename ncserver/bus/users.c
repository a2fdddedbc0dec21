/* users.c - what each user holds, against its quota */
#include "ncserver/bus/users.h"

#include <stdlib.h>

#include "libnc/base/map.h"
#include "ncserver/conf/conf.h"

#define NS_PER_S UINT64_C(1000000000)

struct users {
	struct map map;
};

struct users *users_new(const uint8_t seed[16])
{
	struct users *u = malloc(sizeof(*u));

	if (u)
		map_init(&u->map, MAP_U64, USERS_MAX, seed);
	return u;
}

void users_free(struct users *u)
{
	struct map_walk w;
	struct user *user;

	if (!u)
		return;
	map_walk_begin(&u->map, &w);
	while ((user = map_walk_next(&u->map, &w)))
		free(user);
	map_fini(&u->map);
	free(u);
}

/* An account without clients whose connection rate has recovered says nothing any more. */
static void forget_idle(struct users *u, uint64_t now)
{
	struct map_walk w;
	struct user *user;

	map_walk_begin(&u->map, &w);
	while ((user = map_walk_next(&u->map, &w))) {
		if (user->connections == 0 && user->holds == 0 &&
		    now - user->tokens_at > NS_PER_S) {
			map_del_u64(&u->map, user->uid);
			free(user);
		}
	}
}

static struct user *find(struct users *u, uid_t uid, uint64_t now)
{
	struct user *user = map_get_u64(&u->map, uid);

	if (user)
		return user;
	if (map_len(&u->map) >= USERS_MAX)
		forget_idle(u, now);
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	user->tokens_ns = NS_PER_S;
	user->tokens_at = now;
	if (map_put_u64(&u->map, uid, user)) {
		free(user);
		return NULL;
	}
	return user;
}

/* A bucket that holds one second's worth of connections and refills with the time. */
static bool take_token(struct user *user, uint32_t rate, uint64_t now)
{
	uint64_t price = NS_PER_S / rate;
	uint64_t gained = now > user->tokens_at ? now - user->tokens_at : 0;

	user->tokens_at = now;
	user->tokens_ns += gained < NS_PER_S ? gained : NS_PER_S;
	if (user->tokens_ns > NS_PER_S)
		user->tokens_ns = NS_PER_S;
	if (user->tokens_ns < price)
		return false;
	user->tokens_ns -= price;
	return true;
}

struct user *users_connect(struct users *u, const struct conf *conf, uid_t uid, uint64_t now,
                           const char **why)
{
	const struct conf_quota *quota = conf_quota_of(conf, uid);
	struct user *user = find(u, uid, now);

	if (!user) {
		*why = "memory";
		return NULL;
	}
	*why = NULL;
	if (user->connections >= quota->connections)
		*why = "connections";
	else if (!take_token(user, quota->connection_rate ? quota->connection_rate : 1, now))
		*why = "connection_rate";
	if (*why) {
		user->refused++;
		return NULL;
	}
	user->connections++;
	return user;
}

struct user *users_hold(struct users *u, uid_t uid, uint64_t now)
{
	struct user *user = find(u, uid, now);

	if (user)
		user->holds++;
	return user;
}

void users_release(struct user *user)
{
	user->holds--;
}

void users_disconnect(struct users *u, struct user *user)
{
	(void)u;
	user->connections--;
}

static int by_uid(const void *a, const void *b)
{
	const struct user *x = *(struct user *const *)a;
	const struct user *y = *(struct user *const *)b;

	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

void users_each(struct users *u, void (*fn)(void *arg, const struct user *user), void *arg)
{
	struct user **list = malloc((map_len(&u->map) + 1u) * sizeof(struct user *));
	struct map_walk w;
	size_t n = 0;

	if (!list)
		return;
	map_walk_begin(&u->map, &w);
	while ((list[n] = map_walk_next(&u->map, &w)))
		n++;
	qsort(list, n, sizeof(struct user *), by_uid);
	for (size_t i = 0; i < n; i++)
		fn(arg, list[i]);
	free(list);
}
