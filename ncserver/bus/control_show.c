/* control_show.c - channels, clients and counters as JSON objects */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libnc/base/buf.h"
#include "libnc/json/packet.h"
#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/control.h"
#include "ncserver/bus/slow.h"
#include "ncserver/bus/state.h"
#include "ncserver/bus/users.h"
#include "ncserver/conf/conf.h"
#include "ncserver/route/rules.h"

#define U(x) ((unsigned long long)(x))

static const char *const nets[] = {"false", "\"reliable\"", "\"best-effort\""};

static const char *bool_str(bool b)
{
	return b ? "true" : "false";
}

/* ,"key":"text" with text escaped; what is not UTF-8 (a command's name may be anything) is shown as
 * "?". */
static int show_text(struct buf *out, const char *key, const char *text)
{
	int rc = buf_printf(out, ",\"%s\":", key);

	if (rc == 0)
		rc = packet_append_string(out, text ? text : "", text ? strlen(text) : 0);
	return rc > 0 ? buf_append_str(out, "\"?\"") : rc;
}

/* The name, or the number where it is not known. */
static int show_user(struct buf *out, const struct bus *b, uid_t uid)
{
	const char *name = b->env.user_name(b->env.arg, uid);

	return name ? show_text(out, "user", name)
	            : buf_printf(out, ",\"user\":\"%lu\"", (unsigned long)uid);
}

/* The members of a flow, without braces. */
static int show_flow(struct buf *out, const struct queue_flow *f, uint64_t queued, uint64_t bytes)
{
	return buf_printf(
	        out,
	        "\"routed\":%llu,\"written\":%llu,\"queued\":%llu,\"queued_bytes\":%llu,"
	        "\"dropped\":{\"drop_oldest\":%llu,\"drop_newest\":%llu,\"conflate\":%llu,"
	        "\"disconnected\":%llu,\"untranslatable\":%llu},\"dropped_total\":%llu",
	        U(f->routed), U(f->written), U(queued), U(bytes), U(f->dropped[QUEUE_DROP_OLDEST]),
	        U(f->dropped[QUEUE_DROP_NEWEST]), U(f->dropped[QUEUE_DROP_CONFLATE]),
	        U(f->dropped[QUEUE_DROP_DISCONNECTED]), U(f->dropped[QUEUE_DROP_UNTRANSLATABLE]),
	        U(queue_flow_dropped(f)));
}

/* ---- clients ---- */

static uint64_t running_ns(const struct client *c, bool running, uint64_t since, uint64_t sum)
{
	return sum + (running ? c->bus->now - since : 0);
}

static int show_patterns(struct buf *out, const struct client *c)
{
	struct list *it;
	const char *sep = "";
	int rc = buf_append_str(out, ",\"patterns\":[");

	list_for_each(it, &c->patterns) {
		const struct pattern *p = list_entry(it, struct pattern, link);

		rc |= buf_append_str(out, sep);
		rc |= packet_append_string(out, p->text, p->len);
		sep = ",";
	}
	return rc | buf_append_byte(out, ']');
}

int control_show_client(struct buf *out, const struct client *c)
{
	static const char *const dialects[] = {"undecided", "json", "native", "fifo"};
	static const char *const lanes[] = {NULL, "net-out", "net-in"};
	enum bus_lane lane = bus_client_lane(c);
	bool blocks = list_linked(&c->blocking);
	bool waits = c->waits_for != NULL;
	char uuid[CLIENT_UUID_LEN + 1];
	int rc;

	client_uuid(c->bus, c->id, uuid);
	rc = buf_printf(out,
	                "{\"id\":\"%s\",\"channel\":\"%s\",\"dialect\":\"%s\",\"pid\":%ld,"
	                "\"uid\":%lu,\"gid\":%lu,\"connected_at\":%lld",
	                uuid, c->chan->name, lane ? lanes[lane] : dialects[c->dialect],
	                (long)c->pid, (unsigned long)c->uid, (unsigned long)c->gid,
	                (long long)c->connected_at);
	rc |= show_text(out, "label", c->label);
	rc |= show_text(out, "command", c->comm);
	rc |= show_user(out, c->bus, c->uid);
	rc |= show_patterns(out, c);
	rc |= buf_printf(out,
	                 ",\"everything\":%s,\"policy\":\"%s\",\"paused\":%s,\"blocked\":%s,"
	                 "\"in\":{\"messages\":%llu,\"bytes\":%llu,\"refused\":%llu},\"out\":{",
	                 bool_str(c->everything), queue_policy_str(c->out.policy), bool_str(waits),
	                 bool_str(blocks), U(c->in_messages), U(c->in_bytes), U(c->in_refused));
	rc |= show_flow(out, &c->out.flow, c->out.queued, c->out.bytes);
	rc |= buf_printf(out,
	                 ",\"bytes\":%llu},\"stalls\":{\"caused\":%llu,\"caused_ms\":%llu,"
	                 "\"suffered\":%llu,\"suffered_ms\":%llu},\"probation\":%s}",
	                 U(c->out.flow.bytes), U(c->stalls_caused),
	                 U(running_ns(c, blocks, c->block_since, c->caused_ns) / 1000000),
	                 U(c->stalls_suffered),
	                 U(running_ns(c, waits, c->wait_since, c->suffered_ns) / 1000000),
	                 bool_str(c->on_probation));
	return rc;
}

int control_show_clients(struct buf *out, struct bus *b, const char *filter)
{
	const char *sep = "";
	int rc = buf_append_byte(out, '[');

	for (size_t i = 0; i < b->n_chans && rc == 0; i++) {
		struct chan *ch = b->chans[i];
		struct list *it;

		if (filter && strcmp(filter, ch->name) != 0)
			continue;
		list_for_each(it, &ch->clients) {
			const struct client *c = list_entry(it, struct client, link);

			if (c->dead || c->refused)
				continue;
			rc |= buf_append_str(out, sep);
			rc |= control_show_client(out, c);
			sep = ",";
		}
	}
	return rc | buf_append_byte(out, ']');
}

/* ---- channels ---- */

/* What its receivers got, those that are gone included. */
static void chan_flow(const struct chan *ch, struct queue_flow *f, uint64_t *queued,
                      uint64_t *bytes)
{
	struct list *it;

	queue_flow_add(f, &ch->gone);
	list_for_each(it, &ch->clients) {
		const struct client *c = list_entry(it, struct client, link);

		queue_flow_add(f, &c->out.flow);
		*queued += c->out.queued;
		*bytes += c->out.bytes;
	}
}

static int show_channel(struct buf *out, const struct chan *ch)
{
	const struct conf_channel *conf = ch->conf;
	struct queue_flow f = {0};
	uint64_t queued = 0;
	uint64_t bytes = 0;
	int rc;

	chan_flow(ch, &f, &queued, &bytes);
	rc = buf_printf(out, "{\"name\":\"%s\"", ch->name);
	rc |= show_text(out, "socket", conf->socket);
	if (conf->fifo)
		rc |= show_text(out, "fifo", conf->fifo);
	else
		rc |= buf_append_str(out, ",\"fifo\":null");
	rc |= buf_printf(out,
	                 ",\"mode\":\"%04o\",\"policy\":\"%s\",\"clients\":%u,\"published\":%llu,"
	                 "\"published_bytes\":%llu,\"refused\":%llu,\"flow\":{",
	                 (unsigned)conf->mode, queue_policy_str((uint8_t)conf->queue.policy),
	                 ch->n_clients - ch->n_lanes, U(ch->published), U(ch->published_bytes),
	                 U(ch->refused));
	rc |= show_flow(out, &f, queued, bytes);
	rc |= buf_printf(out,
	                 "},\"net\":{\"class\":%s,\"arrived\":%llu,\"arrived_bytes\":%llu,"
	                 "\"refused\":%llu,\"lost\":%llu",
	                 nets[conf->net], U(ch->net.arrived), U(ch->net.arrived_bytes),
	                 U(ch->net.refused), U(ch->net.lost));
	rc |= buf_printf(
	        out,
	        "},\"queue_limit\":{\"bytes\":%llu,\"messages\":%u},\"subscriptions\":%llu,"
	        "\"stalls\":%llu}",
	        U(conf->queue.bytes), conf->queue.messages, U(ch->n_subscriptions), U(ch->stalls));
	return rc;
}

int control_show_channels(struct buf *out, struct bus *b)
{
	int rc = buf_append_byte(out, '[');

	for (size_t i = 0; i < b->n_chans; i++) {
		if (i)
			rc |= buf_append_byte(out, ',');
		rc |= show_channel(out, b->chans[i]);
	}
	return rc | buf_append_byte(out, ']');
}

/* ---- rules ---- */

static int show_rule(struct buf *out, const struct chan *ch)
{
	const struct conf_channel *conf = ch->conf;
	const char *sep = "";
	int rc;

	rc = buf_printf(out, "{\"channel\":\"%s\"", ch->name);
	if (conf->regex)
		rc |= show_text(out, "regex", conf->regex);
	else
		rc |= buf_append_str(out, ",\"regex\":null");
	rc |= buf_append_str(out, ",\"reaches\":[");
	for (uint32_t i = 1; i < ch->n_reach; i++)
		rc |= buf_printf(out, "%s\"%s\"", i > 1 ? "," : "", ch->reach[i]->name);
	rc |= buf_printf(out, "],\"net\":%s,\"widens\":[", nets[conf->net]);
	for (uint32_t i = 1; i < ch->n_reach; i++) {
		char text[512];

		if (conf_rule_widens(ch->bus->conf, ch->index, ch->reach[i]->index, text,
		                     sizeof(text)) == 0)
			continue;
		rc |= buf_append_str(out, sep);
		rc |= packet_append_string(out, text, strlen(text));
		sep = ",";
	}
	return rc | buf_append_str(out, "]}");
}

int control_show_rules(struct buf *out, struct bus *b)
{
	int rc = buf_append_byte(out, '[');

	for (size_t i = 0; i < b->n_chans; i++) {
		if (i)
			rc |= buf_append_byte(out, ',');
		rc |= show_rule(out, b->chans[i]);
	}
	return rc | buf_append_byte(out, ']');
}

/* ---- slow clients ---- */

int control_show_slow(struct buf *out, struct bus *b)
{
	static const char *const whys[] = {"blocking", "dropping", "disconnected"};
	const struct slow *s;
	int rc = buf_append_byte(out, '[');

	for (uint32_t i = 0; (s = slow_at(b->slow, i)) && rc == 0; i++) {
		char uuid[CLIENT_UUID_LEN + 1];

		client_uuid(b, s->id, uuid);
		rc |= buf_printf(out,
		                 "%s{\"channel\":\"%s\",\"id\":\"%s\",\"pid\":%ld,\"uid\":%lu,"
		                 "\"reason\":\"%s\",\"since_at\":%lld,\"last_at\":%lld,\"gone\":%s",
		                 i ? "," : "", s->channel, uuid, (long)s->pid,
		                 (unsigned long)s->uid, whys[s->why], (long long)s->since_at,
		                 (long long)s->last_at, bool_str(s->gone));
		rc |= show_user(out, b, s->uid);
		rc |= show_text(out, "command", s->comm);
		rc |= show_text(out, "label", s->label);
		rc |= buf_printf(out,
		                 ",\"queued\":%llu,\"queued_bytes\":%llu,\"dropped_total\":%llu,"
		                 "\"stalls\":%llu,\"stalled_ms\":%llu}",
		                 U(s->queued), U(s->queued_bytes), U(s->dropped), U(s->stalls),
		                 U(s->stalled_ms));
	}
	return rc | buf_append_byte(out, ']');
}

/* ---- stats ---- */

struct show_users {
	struct buf *out;
	const struct bus *bus;
	const char *sep;
	int rc;
};

static void show_account(void *arg, const struct user *u)
{
	struct show_users *s = arg;

	s->rc |= buf_printf(s->out,
	                    "%s{\"uid\":%lu,\"connections\":%u,\"bytes\":%llu,"
	                    "\"subscriptions\":%u,\"refused\":%llu",
	                    s->sep, (unsigned long)u->uid, u->connections, U(u->bytes),
	                    u->subscriptions, U(u->refused));
	s->rc |= show_user(s->out, s->bus, u->uid);
	s->rc |= buf_append_byte(s->out, '}');
	s->sep = ",";
}

static int show_server(struct buf *out, const struct bus *b)
{
	char boot[33];
	int rc;

	for (int i = 0; i < 16; i++)
		snprintf(boot + 2 * i, 3, "%02x", b->env.boot[i]);
	rc = buf_printf(out,
	                "{\"pid\":%ld,\"uid\":%lu,\"boot\":\"%s\",\"started_at\":%lld,"
	                "\"uptime_ms\":%llu",
	                (long)b->env.pid, (unsigned long)b->env.uid, boot, (long long)b->started_at,
	                U((b->now - b->started) / 1000000));
	rc |= show_text(out, "version", b->env.version);
	rc |= show_text(out, "host", b->env.host);
	rc |= buf_printf(out,
	                 ",\"config\":{\"format\":\"%s\",\"loaded_at\":%lld,\"reloads\":%llu,"
	                 "\"reload_errors\":%llu",
	                 b->conf->is_json ? "json" : "libconfig", (long long)b->loaded_at,
	                 U(b->totals.reloads), U(b->totals.reload_errors));
	if (b->conf->file)
		rc |= show_text(out, "file", b->conf->file);
	else
		rc |= buf_append_str(out, ",\"file\":null");
	return rc | buf_append_byte(out, '}');
}

int control_show_stats(struct buf *out, struct bus *b)
{
	const struct bus_totals *t = &b->totals;
	struct show_users users = {.out = out, .bus = b, .sep = ""};
	struct queue_flow f = b->gone;
	uint64_t queued = 0;
	uint64_t bytes = 0;
	uint64_t routes = 0;
	int rc;

	for (size_t i = 0; i < b->n_chans; i++) {
		chan_flow(b->chans[i], &f, &queued, &bytes);
		routes += chan_memo_len(b->chans[i]);
	}
	rc = show_server(out, b);
	rc |= buf_printf(out,
	                 ",\"clients\":%u,\"connections\":{\"accepted\":%llu,\"refused\":%llu,"
	                 "\"quota\":%llu,\"denied\":%llu},\"totals\":{\"published\":%llu,"
	                 "\"published_bytes\":%llu,\"refused\":%llu,\"bytes_in\":%llu,"
	                 "\"bytes_out\":%llu,\"flow\":{",
	                 b->n_clients - b->n_lanes, U(b->io.accepted), U(b->io.refused),
	                 U(t->quota), U(t->denied), U(t->published), U(t->published_bytes),
	                 U(t->refused), U(t->bytes_in), U(t->bytes_out));
	rc |= show_flow(out, &f, queued, bytes);
	rc |= buf_printf(out,
	                 "}},\"routes\":{\"entries\":%llu,\"hits\":%llu,\"misses\":%llu,"
	                 "\"evictions\":%llu},\"memory\":{\"slabs\":%zu,\"slab_bytes\":%zu,"
	                 "\"queued_bytes\":%llu},\"loop\":{\"turns\":%llu,\"reads\":%llu,"
	                 "\"writes\":%llu},\"channels\":",
	                 U(routes), U(t->memo_hits), U(t->memo_misses), U(t->memo_evictions),
	                 b->pool.n_live, b->pool.bytes_live, U(bytes), U(b->io.turns),
	                 U(b->io.reads), U(b->io.writes));
	rc |= control_show_channels(out, b);
	rc |= buf_append_str(out, ",\"users\":[");
	users_each(b->users, show_account, &users);
	return rc | users.rc | buf_append_str(out, "]}");
}
