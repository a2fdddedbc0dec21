/* chan.c - a channel and the memo of its routes */
#include "ncserver/bus/chan.h"

#include <stdlib.h>
#include <string.h>

#include "libnc/base/siphash.h"
#include "libnc/wire/trie.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/state.h"
#include "ncserver/conf/conf.h"

struct chan *chan_new(struct bus *b, const struct conf_channel *conf)
{
	struct chan *ch = calloc(1, sizeof(*ch));

	if (!ch)
		return NULL;
	ch->bus = b;
	ch->conf = conf;
	list_init(&ch->clients);
	list_init(&ch->leaving);
	ch->name_len = (uint8_t)strlen(conf->name);
	memcpy(ch->name, conf->name, ch->name_len);
	ch->is_control = strcmp(ch->name, "control") == 0;
	/* users' quotas bound the pairs */
	ch->trie = trie_new(SIZE_MAX, b->env.hash_key);
	if (!ch->trie) {
		free(ch);
		return NULL;
	}
	return ch;
}

static void memo_fini(struct memo *m)
{
	free(m->sets);
	free(m->next);
	free(m->changes);
	*m = (struct memo){0};
}

void chan_free(struct chan *ch)
{
	if (!ch)
		return;
	chan_memo_clear(ch);
	memo_fini(&ch->memo);
	memo_fini(&ch->memo_net);
	trie_free(ch->trie);
	free(ch->reach);
	free(ch->sources);
	free(ch->retired);
	free(ch);
}

/* ---- routes ---- */

struct found {
	uint64_t mark;
	struct client **list;
	uint32_t n;
	uint32_t cap;
	bool failed;
};

static void on_match(void *arg, void *subscriber)
{
	struct found *f = arg;
	struct client *c = subscriber;

	if (c->mark == f->mark || c->dead || f->failed)
		return;
	c->mark = f->mark;
	if (f->n == f->cap) {
		uint32_t cap = f->cap ? f->cap * 2 : 16;
		struct client **list = realloc(f->list, cap * sizeof(struct client *));

		if (!list) {
			f->failed = true;
			return;
		}
		f->list = list;
		f->cap = cap;
	}
	f->list[f->n++] = c;
}

static int by_id(const void *a, const void *b)
{
	const struct client *x = *(struct client *const *)a;
	const struct client *y = *(struct client *const *)b;

	return x->id < y->id ? -1 : x->id > y->id;
}

uint32_t chan_net_reach(const struct chan *ch)
{
	return ch->conf->from_net || ch->n_reach == 0 ? ch->n_reach : 1;
}

static void find_targets(struct chan *ch, const char *event, size_t len, bool net, struct found *f)
{
	uint32_t n = net ? chan_net_reach(ch) : ch->n_reach;

	for (uint32_t i = 0; i < n; i++)
		trie_match(ch->reach[i]->trie, event, len, on_match, f);
	/* only what is emitted on the channel itself, and here, leaves the host */
	if (ch->lane_out && !net)
		on_match(f, ch->lane_out);
	/* the same order each time, whatever order the patterns came in */
	if (f->n > 1)
		qsort(f->list, f->n, sizeof(struct client *), by_id);
}

/* Makes a route by looking it up. */
static struct route *route_new(struct chan *ch, const char *event, size_t len, uint64_t hash,
                               bool net)
{
	struct found f = {.mark = ++ch->bus->mark};
	enum name_result name = name_check_event(event, len);
	struct route *r;
	size_t size;
	char *key;

	if (name == NAME_OK)
		find_targets(ch, event, len, net, &f);
	size = sizeof(*r) + f.n * sizeof(struct client *) + ch->name_len + 1u + len;
	r = f.failed ? NULL : malloc(size);
	if (!r) {
		free(f.list);
		return NULL;
	}
	*r = (struct route){.hash = hash,
	                    .n_targets = f.n,
	                    .size = (uint32_t)size,
	                    .key_len = ch->name_len + 1u + (uint32_t)len,
	                    .name = (uint8_t)name,
	                    .event_len = (uint32_t)len};
	if (name != NAME_OK)
		r->verdict = ROUTE_ILLEGAL;
	else if (name_event_is_reserved(event, len))
		r->verdict = ROUTE_RESERVED;
	if (f.n)
		memcpy(r->targets, f.list, f.n * sizeof(struct client *));
	free(f.list);
	key = (char *)&r->targets[f.n];
	memcpy(key, ch->name, ch->name_len);
	key[ch->name_len] = '.';
	memcpy(key + ch->name_len + 1, event, len);
	r->key = key;
	r->event = key + ch->name_len + 1;
	return r;
}

/* ---- the memo ---- */

static void memo_drop(struct chan *ch, struct route **slot)
{
	ch->bus->memo_bytes -= (*slot)->size;
	free(*slot);
	*slot = NULL;
}

static uint64_t memo_hash(const struct chan *ch, const char *event, size_t len)
{
	return siphash13(ch->bus->env.hash_key, event, len);
}

static bool memo_alloc(struct memo *m)
{
	m->sets = calloc(MEMO_SETS, sizeof(*m->sets));
	m->next = calloc(MEMO_SETS, 1);
	m->changes = calloc(MEMO_CHANGES, sizeof(*m->changes));
	if (m->sets && m->next && m->changes)
		return true;
	memo_fini(m);
	return false;
}

static void memo_put(struct chan *ch, struct memo *m, struct route *r)
{
	uint32_t set = (uint32_t)(r->hash % MEMO_SETS);
	struct route **slot;

	if (ch->bus->memo_bytes + r->size > MEMO_BYTES_MAX)
		return;
	if (!m->sets && !memo_alloc(m))
		return;
	slot = &m->sets[set][m->next[set]];
	m->next[set] = (uint8_t)((m->next[set] + 1) % MEMO_WAYS);
	if (*slot) {
		memo_drop(ch, slot);
		ch->bus->totals.memo_evictions++;
	}
	*slot = r;
	r->change = m->n_changes;
	r->cached = true;
	ch->bus->memo_bytes += r->size;
}

static struct route **memo_find(struct memo *m, uint64_t hash, const char *event, size_t len)
{
	struct route **set;

	if (!m->sets)
		return NULL;
	set = m->sets[hash % MEMO_SETS];
	for (uint32_t i = 0; i < MEMO_WAYS; i++) {
		struct route *r = set[i];

		if (r && r->hash == hash && r->event_len == len &&
		    memcmp(r->event, event, len) == 0)
			return &set[i];
	}
	return NULL;
}

/* Whether no change since the route was made concerns it. Its targets are not looked at: some may
 * be gone. */
static bool memo_is_valid(const struct memo *m, struct route *r)
{
	if (m->n_changes - r->change > MEMO_CHANGES)
		return false;
	while (r->change < m->n_changes) {
		const struct change *c = &m->changes[(r->change + 1) % MEMO_CHANGES];

		if (name_match(c->pattern, c->len, r->event, r->event_len))
			return false;
		r->change++;
	}
	return true;
}

struct route *chan_route(struct chan *ch, const char *event, size_t len, bool net)
{
	struct memo *m = net ? &ch->memo_net : &ch->memo;
	uint64_t hash = memo_hash(ch, event, len);
	struct route **slot = memo_find(m, hash, event, len);
	struct route *r;

	if (slot && memo_is_valid(m, *slot)) {
		ch->bus->totals.memo_hits++;
		return *slot;
	}
	if (slot)
		memo_drop(ch, slot);
	ch->bus->totals.memo_misses++;
	r = route_new(ch, event, len, hash, net);
	/* illegal names are not worth a place */
	if (r && r->verdict != ROUTE_ILLEGAL)
		memo_put(ch, m, r);
	return r;
}

void chan_route_done(struct chan *ch, struct route *r)
{
	(void)ch;
	if (r && !r->cached)
		free(r);
}

static uint32_t memo_len(const struct memo *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; m->sets && i < MEMO_SETS * MEMO_WAYS; i++)
		n += m->sets[i / MEMO_WAYS][i % MEMO_WAYS] != NULL;
	return n;
}

uint32_t chan_memo_len(const struct chan *ch)
{
	return memo_len(&ch->memo) + memo_len(&ch->memo_net);
}

static void memo_clear(struct chan *ch, struct memo *m)
{
	for (uint32_t i = 0; m->sets && i < MEMO_SETS * MEMO_WAYS; i++)
		if (m->sets[i / MEMO_WAYS][i % MEMO_WAYS])
			memo_drop(ch, &m->sets[i / MEMO_WAYS][i % MEMO_WAYS]);
}

void chan_memo_clear(struct chan *ch)
{
	memo_clear(ch, &ch->memo);
	memo_clear(ch, &ch->memo_net);
}

static void memo_touch(struct chan *ch, struct memo *m, const char *pattern, size_t len)
{
	struct change *change;

	if (!m->sets)
		return;
	if (name_pattern_is_exact(pattern, len)) {
		struct route **slot = memo_find(m, memo_hash(ch, pattern, len), pattern, len);

		if (slot)
			memo_drop(ch, slot);
		return;
	}
	change = &m->changes[++m->n_changes % MEMO_CHANGES];
	change->len = (uint8_t)len;
	memcpy(change->pattern, pattern, len);
}

void chan_touch(struct chan *ch, const char *pattern, size_t len)
{
	for (uint32_t i = 0; i < ch->n_sources; i++) {
		memo_touch(ch->sources[i], &ch->sources[i]->memo, pattern, len);
		memo_touch(ch->sources[i], &ch->sources[i]->memo_net, pattern, len);
	}
}
