/* reconfigure.c - one configuration for another, without losing what stays
 *
 * Everything that needs memory is made first; then the exchange itself cannot fail. A channel that
 * is gone keeps its object, and its configuration, until io has closed its last client.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/slow.h"
#include "ncserver/bus/state.h"
#include "ncserver/conf/conf.h"
#include "ncserver/route/rules.h"

/* What a channel gets in the exchange. */
struct next {
	struct chan *chan;
	bool is_new;
	struct chan **reach;
	struct chan **sources;
	size_t n_reach;
	size_t n_sources;
};

static void free_next(struct next *list, size_t n)
{
	for (size_t i = 0; list && i < n; i++) {
		if (list[i].is_new)
			chan_free(list[i].chan);
		free(list[i].reach);
		free(list[i].sources);
	}
	free(list);
}

static struct chan **resolve(const struct next *list, const uint32_t *index, size_t n)
{
	struct chan **chans = malloc((n + 1) * sizeof(struct chan *));

	for (size_t i = 0; chans && i < n; i++)
		chans[i] = list[index[i]].chan;
	return chans;
}

static struct next *prepare(struct bus *b, const struct conf *conf, const struct rules *rules)
{
	struct next *list = calloc(conf->n_channels + 1, sizeof(*list));
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < conf->n_channels; i++) {
		list[i].chan = bus_chan(b, conf->channels[i].name);
		if (!list[i].chan) {
			list[i].chan = chan_new(b, &conf->channels[i]);
			list[i].is_new = list[i].chan != NULL;
		}
		ok = list[i].chan != NULL;
	}
	for (size_t i = 0; ok && i < conf->n_channels; i++) {
		const uint32_t *index = rules_reach(rules, i, &list[i].n_reach);

		list[i].reach = resolve(list, index, list[i].n_reach);
		index = rules_sources(rules, i, &list[i].n_sources);
		list[i].sources = resolve(list, index, list[i].n_sources);
		ok = list[i].reach && list[i].sources;
	}
	if (ok)
		return list;
	free_next(list, list ? conf->n_channels : 0);
	return NULL;
}

/* The channel is not in the new configuration: its clients go. */
static void remove_chan(struct bus *b, struct chan *ch)
{
	struct list *it, *next;

	list_for_each_safe(it, next, &ch->clients) {
		struct client *c = list_entry(it, struct client, link);

		queue_set_conf(&c->out, &ch->conf->queue, (enum frame_policy)c->out.policy);
		client_bye(c, NC_ESHUTDOWN, "the channel was removed");
		client_kill(c, NC_ESHUTDOWN);
	}
	list_add_tail(&b->leaving, &ch->leaving);
	bus_reap_chan(b, ch);
}

/* Its configuration may have changed: rights, policies and limits follow. */
static void refresh_client(struct client *c)
{
	client_set_policy(c);
	if (c->dead || c->refused || c->lane || c->dialect == DIALECT_FIFO)
		return;
	client_set_rights(c);
	if (!c->may_emit && !c->may_listen)
		client_end(c, NC_EDENIED, "the channel's lists do not name you any more");
	else if (!c->may_listen)
		client_leave_routes(c);
}

static void install(struct next *n, const struct conf_channel *conf, uint32_t index)
{
	struct chan *ch = n->chan;
	struct list *it, *next;

	ch->conf = conf;
	ch->index = index;
	free(ch->reach);
	free(ch->sources);
	ch->reach = n->reach;
	ch->n_reach = (uint32_t)n->n_reach;
	ch->sources = n->sources;
	ch->n_sources = (uint32_t)n->n_sources;
	chan_memo_clear(ch);
	list_for_each_safe(it, next, &ch->clients)
		refresh_client(list_entry(it, struct client, link));
}

void bus_reap_chan(struct bus *b, struct chan *ch)
{
	if (!list_linked(&ch->leaving) || ch->n_clients > 0)
		return;
	list_del(&ch->leaving);
	queue_flow_add(&b->gone, &ch->gone);
	chan_free(ch);
}

/* A configuration that channels on their way out still point into: the last one frees it. */
static int retire(struct chan *ch)
{
	struct conf_channel *own = malloc(sizeof(*own));

	if (!own)
		return -ENOMEM;
	/* their clients are dead: of all its text only numbers are still read */
	*own = *ch->conf;
	own->regex = own->socket = own->fifo = NULL;
	own->net_from = (struct conf_names){0};
	own->emit = own->listen = own->admin = (struct conf_acl){0};
	ch->retired = own;
	return 0;
}

static bool is_in(const struct conf *conf, const struct chan *ch)
{
	return conf_channel(conf, ch->name) != NULL;
}

int bus_reconfigure(struct bus *b, struct conf *conf, struct rules *rules, uint64_t now)
{
	struct chan **chans = malloc((conf->n_channels + 1) * sizeof(struct chan *));
	struct next *list = chans ? prepare(b, conf, rules) : NULL;

	b->now = now;
	for (size_t i = 0; list && i < b->n_chans; i++) {
		if (!is_in(conf, b->chans[i]) && retire(b->chans[i])) {
			free_next(list, conf->n_channels);
			list = NULL;
		}
	}
	if (!list) {
		for (size_t i = 0; i < b->n_chans; i++) {
			free(b->chans[i]->retired);
			b->chans[i]->retired = NULL;
		}
		free(chans);
		return -ENOMEM;
	}
	slow_resize(b->slow, conf->slow_list);
	for (size_t i = 0; i < conf->n_channels; i++)
		chans[i] = list[i].chan;
	/* routes of all channels are void before any client goes */
	for (size_t i = 0; i < b->n_chans; i++)
		chan_memo_clear(b->chans[i]);
	struct conf *old_conf = b->conf;
	struct rules *old_rules = b->rules;
	struct chan **old = b->chans;
	size_t n_old = b->n_chans;

	b->conf = conf;
	b->rules = rules;
	b->chans = chans;
	b->n_chans = conf->n_channels;
	b->loaded_at = b->env.wall_ms(b->env.arg);
	for (size_t i = 0; i < n_old; i++) {
		if (!old[i]->retired)
			continue;
		old[i]->conf = old[i]->retired;
		/* nothing comes from there or goes there any more */
		old[i]->n_reach = old[i]->n_sources = 0;
		remove_chan(b, old[i]);
	}
	for (size_t i = 0; i < conf->n_channels; i++)
		install(&list[i], &conf->channels[i], (uint32_t)i);
	/* block_timeout may be another */
	bus_expect_anew(b);
	free(list);
	free(old);
	rules_free(old_rules);
	conf_free(old_conf);
	return 0;
}
