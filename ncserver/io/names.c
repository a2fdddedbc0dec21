/* names.c - the names of users, asked for where nobody waits
 *
 * The thread shares nothing with the loop but struct names_desk, under its lock: numbers go in,
 * names come out. The desk belongs to both, and the last one frees it, since a question to a
 * directory that does not answer may outlive the server's loop. libuv's own threads would not do:
 * the process could not end before they have.
 */
#include "ncserver/io/names.h"

#include "libnc/base/list.h"
#include "libnc/base/map.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an entry of the user database may take. */
#define ENTRY_MIN 1024u
#define ENTRY_MAX (64u << 10)

struct question {
	struct list link;
	uid_t uid;
	int found; /* 1: name; 0: there is no such user; negative: nobody could say */
	char name[NAMES_LEN_MAX + 1];
};

struct names_desk {
	pthread_mutex_t lock;
	struct list asked, answered;
	uv_async_t *wake; /* NULL: the loop's side has gone */
	bool is_manned;   /* the thread runs */
};

struct known {
	struct list link; /* of names.known, the latest wanted last */
	uid_t uid;
	bool is_asked;
	bool has_name;
	uint64_t again_at;
	char name[NAMES_LEN_MAX + 1];
};

struct names {
	uv_async_t wake;
	struct names_desk *desk;
	struct map map;
	struct list known;
};

/* ---- the thread ---- */

static void free_questions(struct list *head)
{
	struct list *it, *next;

	list_for_each_safe(it, next, head)
		free(list_entry(it, struct question, link));
	list_init(head);
}

static void desk_free(struct names_desk *d)
{
	free_questions(&d->asked);
	free_questions(&d->answered);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static void look_up(struct question *q)
{
	struct passwd pw, *found = NULL;
	int err = ERANGE;

	for (size_t len = ENTRY_MIN; err == ERANGE && len <= ENTRY_MAX; len *= 4) {
		char *space = malloc(len);

		err = space ? getpwuid_r(q->uid, &pw, space, len, &found) : ENOMEM;
		if (err == 0 && found)
			snprintf(q->name, sizeof(q->name), "%s", found->pw_name);
		free(space);
	}
	/* "not found" comes in these forms, too (getpwnam(3)) */
	if (err == ENOENT || err == ESRCH || err == EBADF || err == EPERM)
		err = 0;
	q->found = err ? -err : found != NULL;
}

static void *attend(void *arg)
{
	struct names_desk *d = arg;
	bool is_last;

	pthread_mutex_lock(&d->lock);
	while (d->wake && !list_empty(&d->asked)) {
		struct question *q = list_entry(d->asked.next, struct question, link);

		list_del(&q->link);
		pthread_mutex_unlock(&d->lock);
		look_up(q);
		pthread_mutex_lock(&d->lock);
		list_add_tail(&d->answered, &q->link);
		if (d->wake)
			uv_async_send(d->wake);
	}
	d->is_manned = false;
	is_last = !d->wake;
	pthread_mutex_unlock(&d->lock);
	if (is_last)
		desk_free(d);
	return NULL;
}

/* With the lock held. No signal is this thread's: the loop hears of them. */
static int man(struct names_desk *d)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t thread;
	int err;

	if (d->is_manned)
		return 0;
	err = pthread_attr_init(&attr);
	if (err)
		return err;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&thread, &attr, attend, d);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	d->is_manned = err == 0;
	return err;
}

/* ---- the loop's side ---- */

static bool ask(struct names *n, uid_t uid)
{
	struct names_desk *d = n->desk;
	struct question *q = calloc(1, sizeof(*q));
	int err;

	if (!q)
		return false;
	q->uid = uid;
	pthread_mutex_lock(&d->lock);
	list_add_tail(&d->asked, &q->link);
	err = man(d);
	if (err)
		list_del(&q->link);
	pthread_mutex_unlock(&d->lock);
	if (err)
		free(q);
	return err == 0;
}

static void learn(struct names *n, const struct question *q, uint64_t now)
{
	/* what is asked for is never forgotten meanwhile */
	struct known *k = map_get_u64(&n->map, q->uid);

	k->is_asked = false;
	k->again_at = now + (q->found > 0 ? NAMES_KEPT_NS : NAMES_MISSED_NS);
	if (q->found < 0)
		return; /* what was known is better than nothing */
	k->has_name = q->found > 0;
	memcpy(k->name, q->name, sizeof(k->name));
}

static void on_wake(uv_async_t *handle)
{
	struct names *n = handle->data;
	uint64_t now = uv_hrtime();
	struct list answered, *it;

	list_init(&answered);
	pthread_mutex_lock(&n->desk->lock);
	list_splice_tail(&answered, &n->desk->answered);
	pthread_mutex_unlock(&n->desk->lock);
	list_for_each(it, &answered)
		learn(n, list_entry(it, struct question, link), now);
	free_questions(&answered);
}

/* Makes room, at the cost of what was not wanted for the longest time. */
static bool forget_one(struct names *n)
{
	struct list *it;

	list_for_each(it, &n->known) {
		struct known *k = list_entry(it, struct known, link);

		if (k->is_asked)
			continue;
		map_del_u64(&n->map, k->uid);
		list_del(&k->link);
		free(k);
		return true;
	}
	return false;
}

static struct known *remember(struct names *n, uid_t uid)
{
	struct known *k;

	if (map_len(&n->map) >= NAMES_MAX && !forget_one(n))
		return NULL;
	k = calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	k->uid = uid;
	list_init(&k->link);
	if (map_put_u64(&n->map, uid, k)) {
		free(k);
		return NULL;
	}
	return k;
}

const char *names_get(struct names *n, uid_t uid, uint64_t now)
{
	struct known *k = n ? map_get_u64(&n->map, uid) : NULL;

	if (n && !k)
		k = remember(n, uid);
	if (!k)
		return NULL;
	list_del(&k->link);
	list_add_tail(&n->known, &k->link);
	if (!k->is_asked && now >= k->again_at) {
		k->is_asked = ask(n, uid);
		if (!k->is_asked)
			k->again_at = now + NAMES_MISSED_NS;
	}
	return k->has_name ? k->name : NULL;
}

int names_open(struct names **out, uv_loop_t *loop, const uint8_t seed[16])
{
	struct names *n = calloc(1, sizeof(*n));
	struct names_desk *d = calloc(1, sizeof(*d));
	int err = n && d ? uv_async_init(loop, &n->wake, on_wake) : -ENOMEM;

	if (err) {
		free(d);
		free(n);
		return err;
	}
	pthread_mutex_init(&d->lock, NULL);
	list_init(&d->asked);
	list_init(&d->answered);
	d->wake = &n->wake;
	n->wake.data = n;
	n->desk = d;
	map_init(&n->map, MAP_U64, NAMES_MAX, seed);
	list_init(&n->known);
	*out = n;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void names_close(struct names *n)
{
	struct names_desk *d;
	struct list *it, *next;
	bool is_last;

	if (!n)
		return;
	d = n->desk;
	pthread_mutex_lock(&d->lock);
	d->wake = NULL;
	is_last = !d->is_manned;
	pthread_mutex_unlock(&d->lock);
	if (is_last)
		desk_free(d);
	list_for_each_safe(it, next, &n->known)
		free(list_entry(it, struct known, link));
	map_fini(&n->map);
	uv_close((uv_handle_t *)&n->wake, on_closed);
}
