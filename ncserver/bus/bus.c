/* bus.c - the bus: its making, its connections, and the lists that io empties */
#include "ncserver/bus/bus.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/deliver.h"
#include "ncserver/bus/input.h"
#include "ncserver/bus/lane.h"
#include "ncserver/bus/slow.h"
#include "ncserver/bus/state.h"
#include "ncserver/bus/users.h"
#include "ncserver/conf/conf.h"
#include "ncserver/route/rules.h"

static void init_lists(struct bus *b)
{
	list_init(&b->tails);
	list_init(&b->dirty);
	list_init(&b->changed);
	list_init(&b->dead);
	list_init(&b->ready);
	list_init(&b->fresh);
	list_init(&b->undecided);
	list_init(&b->blocking);
	list_init(&b->probation);
	list_init(&b->leaving);
}

int bus_new(struct bus **out, const struct bus_env *env, struct conf *conf, struct rules *rules,
            uint64_t now)
{
	struct bus *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->env = *env;
	init_lists(b);
	slab_pool_init(&b->pool);
	buf_init(&b->scratch, UINT32_MAX);
	b->now = b->started = now;
	b->soon = UINT64_MAX;
	b->started_at = env->wall_ms(env->arg);
	b->tag = le32_get(env->boot);
	b->reader = packet_reader_new();
	b->run = malloc(BUS_RUN_MAX * sizeof(*b->run));
	b->users = users_new(env->hash_key);
	b->origins = origins_new(env->hash_key);
	b->slow = slow_new(conf->slow_list);
	if (!b->reader || !b->run || !b->users || !b->origins || !b->slow ||
	    bus_reconfigure(b, conf, rules, now)) {
		bus_free(b);
		return -ENOMEM;
	}
	*out = b;
	return 0;
}

void bus_free(struct bus *b)
{
	assert(b->n_clients == 0);
	for (size_t i = 0; i < b->n_chans; i++)
		chan_free(b->chans[i]);
	free(b->chans);
	rules_free(b->rules);
	conf_free(b->conf);
	packet_reader_free(b->reader);
	free(b->run);
	users_free(b->users);
	origins_free(b->origins);
	slow_free(b->slow);
	buf_fini(&b->scratch);
	free(b->missing);
	slab_unref(b->cur);
	slab_pool_fini(&b->pool);
	free(b);
}

/* A client with what its user has for it; a pattern with its places in the trie. */
#define CLIENT_BYTES  2048u
#define PATTERN_BYTES 512u

size_t bus_memory(const struct bus *b)
{
	return b->pool.bytes_live + b->pool.list_bytes + (size_t)b->memo_bytes +
	       (size_t)b->n_clients * CLIENT_BYTES + (size_t)b->n_patterns * PATTERN_BYTES;
}

const struct conf *bus_conf(const struct bus *b)
{
	return b->conf;
}

static int by_name(const void *key, const void *member)
{
	return strcmp(key, (*(struct chan *const *)member)->name);
}

struct chan *bus_chan(struct bus *b, const char *name)
{
	struct chan **ch =
	        b->n_chans ? bsearch(name, b->chans, b->n_chans, sizeof(struct chan *), by_name)
	                   : NULL;

	return ch ? *ch : NULL;
}

struct bus_io_counters *bus_io_counters(struct bus *b)
{
	return &b->io;
}

void bus_note_reload(struct bus *b, bool ok)
{
	if (ok)
		b->totals.reloads++;
	else
		b->totals.reload_errors++;
}

/* ---- connections ---- */

/* Why a connection is refused, as its client is told. */
struct refusal {
	enum nc_error code;
	const char *text;
};

static struct client *close_at_once(enum nc_error *why, enum nc_error code)
{
	*why = code;
	return NULL;
}

/* A refused client stays until it has said which dialect it speaks, or nothing for hello_wait: then
 * it hears why. */
static struct client *refuse(struct chan *ch, const struct peer *peer, uint64_t now,
                             struct refusal r, enum nc_error *why)
{
	struct bus *b = ch->bus;
	struct user *user;
	struct client *c;

	*why = r.code;
	if (r.code == NC_EQUOTA)
		b->totals.quota++;
	else
		b->totals.denied++;
	if (b->n_refused >= BUS_REFUSED_MAX)
		return NULL;
	user = users_hold(b->users, peer->uid, now);
	c = user ? client_new(ch, peer, user, now) : NULL;
	if (!c) {
		if (user)
			users_release(user);
		return NULL;
	}
	client_refuse(c, r.code, r.text);
	list_add_tail(&b->fresh, &c->fresh);
	return c;
}

static void check_probation(struct client *c, uint64_t now)
{
	uint64_t span = (uint64_t)c->bus->conf->probation_ms * 1000000;
	uint64_t when;

	if (span && slow_was_disconnected(c->bus->slow, c->chan->name, c->uid, c->pid,
	                                  now > span ? now - span : 0, &when))
		client_set_probation(c, when + span);
}

/* The quota that is used up, as the user is told. */
static struct refusal over_quota(const char *which)
{
	struct refusal r = {NC_EQUOTA,
	                    "quota of this user: too many connections (\"connections\")"};

	if (strcmp(which, "connection_rate") == 0)
		r.text = "quota of this user: too many new connections (\"connection_rate\")";
	return r;
}

struct client *bus_accept(struct bus *b, struct chan *ch, const struct peer *peer, uint64_t now,
                          enum nc_error *why)
{
	const char *quota = NULL;
	struct user *user;
	struct client *c;

	b->now = now;
	*why = NC_OK;
	if (b->stopping)
		return close_at_once(why, NC_ESHUTDOWN);
	if (b->n_clients - b->n_refused - b->n_lanes >= b->conf->max_clients)
		return refuse(ch, peer, now,
		              (struct refusal){NC_EQUOTA, "too many connections (\"max_clients\")"},
		              why);
	user = users_connect(b->users, b->conf, peer->uid, now, &quota);
	if (!user && strcmp(quota, "memory") == 0)
		return close_at_once(why, NC_ENOMEM);
	if (!user)
		return refuse(ch, peer, now, over_quota(quota), why);
	c = client_new(ch, peer, user, now);
	if (!c) {
		users_disconnect(b->users, user);
		return close_at_once(why, NC_ENOMEM);
	}
	if (!c->may_emit && !c->may_listen) {
		client_free(c);
		return refuse(ch, peer, now,
		              (struct refusal){NC_EDENIED,
		                               "the lists of this channel name you for nothing"},
		              why);
	}
	check_probation(c, now);
	list_add_tail(&b->fresh, &c->fresh);
	return c;
}

struct client *bus_accept_fifo(struct bus *b, struct chan *ch, uint64_t now)
{
	const struct peer peer = {.uid = b->env.uid, .pid = 0};
	struct user *user = users_hold(b->users, peer.uid, now);
	struct client *c = user ? client_new(ch, &peer, user, now) : NULL;

	if (!c)
		return NULL;
	/* who may write into it is said by its mode, which was checked against the channel's list
	 */
	c->dialect = DIALECT_FIFO;
	c->may_emit = true;
	c->may_listen = false;
	c->may_admin = false;
	return c;
}

void bus_client_set_io(struct client *c, void *io)
{
	c->io = io;
}

void *bus_client_io(const struct client *c)
{
	return c->io;
}

struct chan *bus_client_chan(const struct client *c)
{
	return c->chan;
}

void bus_broken(struct bus *b, struct client *c, uint64_t now)
{
	b->now = now;
	client_kill(c, NC_ECLOSED);
}

/* From now on they hear everything, until they say what they are. */
void bus_admit_fresh(struct bus *b, struct client *except)
{
	struct list *it, *next;

	list_for_each_safe(it, next, &b->fresh) {
		struct client *c = list_entry(it, struct client, fresh);

		if (c == except)
			continue;
		list_del(&c->fresh);
		if (c->may_listen && client_hear_everything(c, true)) {
			client_kill(c, NC_ENOMEM);
			continue;
		}
		list_add_tail(&b->undecided, &c->fresh);
	}
}

/* ---- output ---- */

int bus_output(struct bus *b, struct client *c, struct iovec *iov, bool *paced)
{
	(void)b;
	*paced = c->dialect == DIALECT_JSON && c->chan->conf->agent_pacing;
	if (c->dialect == DIALECT_UNDECIDED)
		return 0;
	return queue_peek(&c->out, iov, *paced);
}

static void release_if_drained(struct client *c)
{
	if (!c->full_since && list_empty(&c->waiters))
		return;
	if (!queue_has_drained(&c->out) || !client_has_credit(c))
		return;
	c->full_since = 0;
	deliver_release(c);
}

void bus_output_done(struct bus *b, struct client *c, size_t len, uint64_t now)
{
	b->now = now;
	b->totals.bytes_out += len;
	queue_wrote(&c->out, len);
	client_recharge(c);
	release_if_drained(c);
}

bool bus_output_is_long(const struct client *c)
{
	return c->dialect == DIALECT_NATIVE && queue_begun_len(&c->out) > INPUT_WHOLE_MAX;
}

void bus_output_blocked(struct bus *b, struct client *c, bool blocked, uint64_t now)
{
	b->now = now;
	queue_set_blocked(&c->out, blocked);
	client_recharge(c);
	release_if_drained(c);
}

/* ---- what io has to do ---- */

static struct list *pop(struct list *head)
{
	struct list *link = head->next;

	if (link == head)
		return NULL;
	list_del(link);
	return link;
}

struct client *bus_next_dirty(struct bus *b)
{
	struct list *link = pop(&b->dirty);

	return link ? list_entry(link, struct client, dirty) : NULL;
}

struct client *bus_next_changed(struct bus *b)
{
	struct list *link = pop(&b->changed);
	struct client *c = link ? list_entry(link, struct client, changed) : NULL;

	if (c)
		c->reads = bus_wants_input(c);
	return c;
}

struct client *bus_next_dead(struct bus *b)
{
	struct list *link = pop(&b->dead);

	return link ? list_entry(link, struct client, dying) : NULL;
}

void bus_client_free(struct bus *b, struct client *c)
{
	struct chan *ch = c->chan;

	client_free(c);
	bus_reap_chan(b, ch);
}

bool bus_run_ready(struct bus *b, uint64_t now)
{
	struct list batch;
	bool any = !list_empty(&b->ready);

	b->now = now;
	bus_admit_fresh(b, NULL);
	/* those that become ready meanwhile have their turn in the next one */
	list_init(&batch);
	while (!list_empty(&b->ready))
		list_add_tail(&batch, pop(&b->ready));
	while (!list_empty(&batch))
		deliver_resume(list_entry(batch.next, struct client, wait));
	return any;
}

/* ---- the end ---- */

void bus_each_client(struct bus *b, void (*fn)(void *arg, struct client *c), void *arg)
{
	for (size_t i = 0; i < b->n_chans; i++) {
		struct list *it, *next;

		list_for_each_safe(it, next, &b->chans[i]->clients)
			fn(arg, list_entry(it, struct client, link));
	}
}

static void say_bye(void *arg, struct client *c)
{
	(void)arg;
	client_bye(c, NC_ESHUTDOWN, "the server stops");
}

void bus_shutdown(struct bus *b, uint64_t now)
{
	b->now = now;
	b->stopping = true;
	bus_each_client(b, say_bye, NULL);
}

static void see_pending(void *arg, struct client *c)
{
	bool *pending = arg;

	if (!c->dead && c->dialect != DIALECT_UNDECIDED &&
	    (!queue_is_empty(&c->out) || c->waits_for || list_linked(&c->wait)))
		*pending = true;
}

bool bus_is_drained(const struct bus *b)
{
	bool pending = false;

	bus_each_client((struct bus *)(uintptr_t)b, see_pending, &pending);
	return !pending;
}
