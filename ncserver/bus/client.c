/* client.c - one connection: its identity, interest, and end */
#include "ncserver/bus/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libnc/json/packet.h"
#include "libnc/wire/trie.h"
#include "ncserver/bus/chan.h"
#include "ncserver/bus/deliver.h"
#include "ncserver/bus/input.h"
#include "ncserver/bus/lane.h"
#include "ncserver/bus/slow.h"
#include "ncserver/bus/state.h"
#include "ncserver/bus/users.h"
#include "ncserver/conf/conf.h"

/* Whether a client has the id. What receivers have been told of one that had it before is
 * forgotten. */
static bool claim_in(const struct chan *ch, uint64_t id)
{
	bool is_free = true;
	struct list *it;

	list_for_each(it, &ch->clients) {
		struct client *c = list_entry(it, struct client, link);

		is_free &= c->id != id;
		if (c->senders && c->senders[id % NC_SENDER_SLOTS] == id)
			c->senders[id % NC_SENDER_SLOTS] = 0;
	}
	return is_free;
}

static bool claim(const struct bus *b, uint64_t id)
{
	const struct list *it;
	bool is_free = true;

	for (size_t i = 0; i < b->n_chans; i++)
		is_free &= claim_in(b->chans[i], id);
	list_for_each(it, &b->leaving)
		is_free &= claim_in(list_entry(it, struct chan, leaving), id);
	return is_free;
}

/* When all numbers have been used, those that are free are used again: the tag is what other hosts
 * know this one by, and stays. */
static uint64_t next_id(struct bus *b)
{
	uint64_t id;

	do {
		if (++b->session == 0) {
			b->session = 1;
			b->reuses_ids = true;
		}
		id = (uint64_t)b->tag << 32 | b->session;
	} while (b->reuses_ids && !claim(b, id));
	return id;
}

struct client *client_new(struct chan *ch, const struct peer *peer, struct user *user, uint64_t now)
{
	struct bus *b = ch->bus;
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->gids = malloc((peer->n_gids + 1) * sizeof(*c->gids));
	if (!c->gids) {
		free(c);
		return NULL;
	}
	c->n_gids = peer->n_gids;
	memcpy(c->gids, peer->gids, peer->n_gids * sizeof(*c->gids));
	c->bus = b;
	c->chan = ch;
	c->user = user;
	c->wish = -1;
	c->id = next_id(b);
	c->uid = peer->uid;
	c->gid = peer->gid;
	c->pid = peer->pid;
	memcpy(c->comm, peer->comm, sizeof(c->comm));
	c->comm[sizeof(c->comm) - 1] = '\0';
	c->connected_at = b->env.wall_ms(b->env.arg);
	c->decide_at = now + (uint64_t)b->conf->hello_wait_ms * 1000000;
	c->reads = true;
	list_init(&c->link);
	list_init(&c->dirty);
	list_init(&c->changed);
	list_init(&c->dying);
	list_init(&c->fresh);
	list_init(&c->tail);
	list_init(&c->wait);
	list_init(&c->blocking);
	list_init(&c->probation);
	list_init(&c->waiters);
	list_init(&c->patterns);
	queue_init(&c->out, &b->pool, &ch->conf->queue, ch->conf->queue.policy, ch->name);
	list_add_tail(&ch->clients, &c->link);
	ch->n_clients++;
	b->n_clients++;
	client_set_rights(c);
	return c;
}

void client_free(struct client *c)
{
	struct bus *b = c->bus;

	client_leave_routes(c);
	list_del(&c->dying);
	list_del(&c->link);
	queue_fini(&c->out);
	/* not before: a delivery of what it sent may be under way when it is killed */
	input_fini(c);
	client_recharge(c);
	slow_gone(b->slow, c);
	queue_flow_add(&c->chan->gone, &c->out.flow);
	c->chan->n_clients--;
	b->n_clients--;
	b->n_refused -= c->refused != 0;
	if (c->dialect == DIALECT_FIFO || c->refused || c->lane)
		users_release(c->user);
	else
		users_disconnect(b->users, c->user);
	if (c->lane)
		buslane_free(c);
	free(c->senders);
	free(c->gids);
	free(c->label);
	free(c);
}

void client_refuse(struct client *c, enum nc_error code, const char *why)
{
	c->refused = (uint8_t)code;
	c->refusal = why;
	c->may_emit = c->may_listen = c->may_admin = false;
	c->bus->n_refused++;
}

void client_set_rights(struct client *c)
{
	const struct conf_channel *conf = c->chan->conf;

	if (c->refused || c->lane)
		return;
	if (conf->admin.set)
		c->may_admin = conf_acl_admits(&conf->admin, c->uid, c->gids, c->n_gids);
	else
		c->may_admin = c->uid == 0 || c->uid == c->bus->env.uid;
	c->may_listen = conf_acl_admits(&conf->listen, c->uid, c->gids, c->n_gids);
	c->may_emit = c->chan->is_control
	                      ? c->may_admin
	                      : conf_acl_admits(&conf->emit, c->uid, c->gids, c->n_gids);
}

void client_uuid(const struct bus *b, uint64_t id, char *out)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t u[16];

	/* the id in the bits that a version 4 UUID leaves free, filled up with the boot's; what
	 * counts first, so that the beginning tells clients apart */
	memcpy(u, b->env.boot, sizeof(u));
	for (int i = 0; i < 8; i++)
		u[i] = (uint8_t)(id >> (8 * i));
	u[15] = u[6];
	u[14] = u[7];
	u[6] = (uint8_t)(0x40 | (b->env.boot[6] & 0x0F));
	u[7] = b->env.boot[7];
	u[8] = (uint8_t)(0x80 | (b->env.boot[8] & 0x3F));
	/* for every message from native to JSON clients: printf() would cost more than all else */
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = hex[u[i] >> 4];
		*out++ = hex[u[i] & 0x0F];
	}
	*out = 0;
}

bool client_uuid_get(const struct bus *b, const char *text, uint64_t *id)
{
	/* where in the text the bytes of an id stand, the lowest first: see client_uuid() */
	static const uint8_t at[8] = {0, 2, 4, 6, 9, 11, 34, 32};
	char again[CLIENT_UUID_LEN + 1];

	if (strlen(text) != CLIENT_UUID_LEN)
		return false;
	*id = 0;
	for (int i = 0; i < 8; i++) {
		const char digits[3] = {text[at[i]], text[at[i] + 1], '\0'};

		*id |= (uint64_t)strtoul(digits, NULL, 16) << (8 * i);
	}
	client_uuid(b, *id, again);
	return strcmp(text, again) == 0;
}

/* ---- what it is told ---- */

void client_set_dirty(struct client *c)
{
	if (!list_linked(&c->dirty) && !c->dead)
		list_add_tail(&c->bus->dirty, &c->dirty);
}

void client_send(struct client *c, const void *p, size_t len)
{
	if (c->dialect == DIALECT_FIFO || c->lane)
		return;
	if (queue_control(&c->out, p, len)) {
		client_kill(c, NC_ENOMEM);
		return;
	}
	client_recharge(c);
	client_set_dirty(c);
}

static void say_error(struct client *c, enum nc_error code, bool fatal, uint64_t seq,
                      const char *text)
{
	uint8_t frame[NC_CONTROL_FRAME_MAX];
	size_t len;

	if (c->dialect == DIALECT_NATIVE) {
		struct frame_error e = {.seq = seq,
		                        .code = (uint16_t)code,
		                        .fatal = fatal,
		                        .text = text,
		                        .text_len = (uint16_t)strlen(text)};

		len = frame_error_put(frame, sizeof(frame), &e);
		client_send(c, frame, len);
		return;
	}
	struct buf b;

	buf_init(&b, NC_CONTROL_FRAME_MAX * 8);
	if (buf_printf(&b,
	               "{\"channel\":\"%s\",\"event\":\"nc.error\",\"data\":{\"code\":%d,"
	               "\"fatal\":%s,\"text\":",
	               c->chan->name, (int)code, fatal ? "true" : "false") == 0 &&
	    packet_append_string(&b, text, strlen(text)) == 0 && buf_append(&b, "}}", 3) == 0)
		client_send(c, b.data, b.len);
	buf_fini(&b);
}

void client_error(struct client *c, enum nc_error code, uint64_t seq, const char *fmt, ...)
{
	char text[NC_TEXT_MAX];
	va_list ap;

	if (c->dead || c->out.control_len > QUEUE_CONTROL_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say_error(c, code, false, seq, text);
}

__attribute__((format(printf, 3, 0))) static void end(struct client *c, enum nc_error code,
                                                      const char *fmt, va_list args)
{
	char text[NC_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, args);
	c->bus->env.log(c->bus->env.arg, 1, "client disconnected channel=%s pid=%ld uid=%ld: %s",
	                c->chan->name, (long)c->pid, (long)c->uid, text);
	say_error(c, code, true, 0, text);
	client_kill(c, code);
}

void client_end(struct client *c, enum nc_error code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (!c->dead)
		end(c, code, fmt, args);
	va_end(args);
}

void client_fail(struct client *c, enum nc_error code, const char *fmt, ...)
{
	va_list args;

	if (c->dead)
		return;
	c->in_refused++;
	c->chan->refused++;
	c->bus->totals.refused++;
	va_start(args, fmt);
	end(c, code, fmt, args);
	va_end(args);
}

void client_bye(struct client *c, enum nc_error code, const char *text)
{
	struct frame_bye bye = {
	        .code = (uint16_t)code, .text = text, .text_len = (uint16_t)strlen(text)};
	uint8_t frame[FRAME_PREFIX_LEN + 8 + NC_TEXT_MAX];

	if (c->dead || c->dialect != DIALECT_NATIVE)
		return;
	client_send(c, frame, frame_bye_put(frame, sizeof(frame), &bye));
}

void client_kill(struct client *c, enum nc_error why)
{
	if (c->dead)
		return;
	c->dead = true;
	c->why = why;
	list_del(&c->dirty);
	list_del(&c->changed);
	list_del(&c->fresh);
	list_del(&c->probation);
	deliver_forget(c);
	deliver_release(c);
	list_add_tail(&c->bus->dead, &c->dying);
}

void client_update_reads(struct client *c)
{
	if (!c->dead && bus_wants_input(c) != c->reads && !list_linked(&c->changed))
		list_add_tail(&c->bus->changed, &c->changed);
}

/* ---- accounts ---- */

void client_recharge(struct client *c)
{
	uint64_t charge = queue_charge(&c->out) + c->in.len + c->in.chain_len;

	c->user->bytes += charge - c->charged;
	c->charged = charge;
}

bool client_has_credit(const struct client *c)
{
	return c->out.queued == 0 || c->lane ||
	       c->user->bytes < conf_quota_of(c->bus->conf, c->uid)->bytes;
}

/* How much a policy may lose: a client may ask for more loss, never for less. */
static int lossiness(int policy)
{
	switch (policy) {
	case FRAME_P_DROP_OLDEST:
	case FRAME_P_DROP_NEWEST:
	case FRAME_P_CONFLATE: return 1;
	default: return 0;
	}
}

void client_set_policy(struct client *c)
{
	const struct conf_queue *conf = &c->chan->conf->queue;
	enum frame_policy policy = conf->policy;

	if (c->on_probation && lossiness((int)policy) == 0)
		policy = FRAME_P_DROP_NEWEST;
	if (lossiness(c->wish) > lossiness((int)policy))
		policy = (enum frame_policy)c->wish;
	/* other hosts can't be disconnected */
	if (c->lane && policy == FRAME_P_DISCONNECT)
		policy = FRAME_P_DROP_NEWEST;
	queue_set_conf(&c->out, conf, policy);
	client_recharge(c);
	/* who waits for room need not, where the queue drops now */
	if (policy != FRAME_P_BLOCK)
		deliver_release(c);
}

void client_set_probation(struct client *c, uint64_t until)
{
	c->on_probation = true;
	c->probation_until = until;
	bus_expect_probation(c->bus, c);
	client_set_policy(c);
}

/* ---- interest ---- */

static struct pattern *find_pattern(const struct client *c, const char *text, size_t len)
{
	struct list *it;

	list_for_each(it, &c->patterns) {
		struct pattern *p = list_entry(it, struct pattern, link);

		if (p->len == len && memcmp(p->text, text, len) == 0)
			return p;
	}
	return NULL;
}

static int in_routes(struct client *c, const char *pattern, size_t len)
{
	int rc = trie_add(c->chan->trie, pattern, len, c);

	if (rc == TRIE_OK)
		chan_touch(c->chan, pattern, len);
	return rc;
}

static void out_of_routes(struct client *c, const char *pattern, size_t len)
{
	trie_remove(c->chan->trie, pattern, len, c);
	chan_touch(c->chan, pattern, len);
}

int client_hear_everything(struct client *c, bool on)
{
	if (c->everything == on)
		return 0;
	if (on && in_routes(c, ">", 1) != TRIE_OK)
		return -ENOMEM;
	if (!on)
		out_of_routes(c, ">", 1);
	c->everything = on;
	return 0;
}

enum nc_error client_listen(struct client *c, const char *pattern, size_t len)
{
	const struct conf *conf = c->bus->conf;
	struct pattern *p;

	if (!c->may_listen)
		return NC_EDENIED;
	if (name_check_pattern(pattern, len) != NAME_OK)
		return NC_ENAME;
	if (find_pattern(c, pattern, len))
		return NC_OK;
	if (c->n_patterns >= conf->max_subscriptions ||
	    c->user->subscriptions >= conf_quota_of(conf, c->uid)->subscriptions) {
		c->user->refused++;
		return NC_EQUOTA;
	}
	/* from here on it hears what it has declared */
	client_hear_everything(c, false);
	p = malloc(sizeof(*p) + len);
	if (!p)
		return NC_ENOMEM;
	p->len = (uint32_t)len;
	memcpy(p->text, pattern, len);
	if (in_routes(c, pattern, len) != TRIE_OK) {
		free(p);
		return NC_ENOMEM;
	}
	list_add_tail(&c->patterns, &p->link);
	c->declared = true;
	c->n_patterns++;
	c->bus->n_patterns++;
	c->user->subscriptions++;
	c->chan->n_subscriptions++;
	return NC_OK;
}

void client_listen_nothing(struct client *c)
{
	client_hear_everything(c, false);
	c->declared = true;
}

static void drop_pattern(struct client *c, struct pattern *p)
{
	out_of_routes(c, p->text, p->len);
	list_del(&p->link);
	free(p);
	c->n_patterns--;
	c->bus->n_patterns--;
	c->user->subscriptions--;
	c->chan->n_subscriptions--;
}

enum nc_error client_unlisten(struct client *c, const char *pattern, size_t len)
{
	struct pattern *p = find_pattern(c, pattern, len);

	if (!p)
		return NC_ENOENT;
	drop_pattern(c, p);
	return NC_OK;
}

void client_leave_routes(struct client *c)
{
	struct list *it, *next;

	client_hear_everything(c, false);
	list_for_each_safe(it, next, &c->patterns)
		drop_pattern(c, list_entry(it, struct pattern, link));
}

static int to_packet(void *arg, const uint8_t *p, size_t len, struct buf *out)
{
	struct bus *b = arg;

	b->n_missing = 0;
	return translate_frames(b, p, len, out, 0);
}

void client_decide(struct client *c, enum dialect d)
{
	list_del(&c->fresh);
	c->dialect = (uint8_t)d;
	if (c->refused) {
		c->out.dialect = d == DIALECT_NATIVE ? QUEUE_NATIVE : QUEUE_JSON;
		client_end(c, (enum nc_error)c->refused, "%s", c->refusal);
		return;
	}
	if (d == DIALECT_NATIVE) {
		client_hear_everything(c, false);
		queue_withdraw(&c->out);
		client_recharge(c);
		return;
	}
	if (queue_to_json(&c->out, to_packet, c->bus)) {
		client_kill(c, NC_ENOMEM);
		return;
	}
	client_recharge(c);
	if (c->may_listen && !c->declared && client_hear_everything(c, true)) {
		client_kill(c, NC_ENOMEM);
		return;
	}
	if (!queue_is_empty(&c->out))
		client_set_dirty(c);
}
