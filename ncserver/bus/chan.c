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

void chan_free(struct chan *ch)
{
	if (!ch)
		return;
	chan_memo_clear(ch);
	free(ch->memo);
	free(ch->memo_next);
	free(ch->changes);
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

static void find_targets(struct chan *ch, const char *event, size_t len, struct found *f)
{
	for (uint32_t i = 0; i < ch->n_reach; i++)
		trie_match(ch->reach[i]->trie, event, len, on_match, f);
	/* the same order each time, whatever order the patterns came in */
	if (f->n > 1)
		qsort(f->list, f->n, sizeof(struct client *), by_id);
}

/* Makes a route by looking it up. */
static struct route *route_new(struct chan *ch, const char *event, size_t len, uint64_t hash)
{
	struct found f = {.mark = ++ch->bus->mark};
	enum name_result name = name_check_event(event, len);
	struct route *r;
	size_t size;
	char *key;

	if (name == NAME_OK)
		find_targets(ch, event, len, &f);
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

static struct route **memo_set(struct chan *ch, uint64_t hash)
{
	return ch->memo[hash % MEMO_SETS];
}

static uint64_t memo_hash(const struct chan *ch, const char *event, size_t len)
{
	return siphash13(ch->bus->env.hash_key, event, len);
}

static void memo_put(struct chan *ch, struct route *r)
{
	uint32_t set = (uint32_t)(r->hash % MEMO_SETS);
	struct route **slot;

	if (ch->bus->memo_bytes + r->size > MEMO_BYTES_MAX)
		return;
	if (!ch->memo) {
		ch->memo = calloc(MEMO_SETS, sizeof(*ch->memo));
		ch->memo_next = calloc(MEMO_SETS, 1);
		ch->changes = calloc(MEMO_CHANGES, sizeof(*ch->changes));
		if (!ch->memo || !ch->memo_next || !ch->changes) {
			free(ch->memo);
			free(ch->memo_next);
			free(ch->changes);
			ch->changes = NULL;
			ch->memo = NULL;
			ch->memo_next = NULL;
			return;
		}
	}
	slot = &ch->memo[set][ch->memo_next[set]];
	ch->memo_next[set] = (uint8_t)((ch->memo_next[set] + 1) % MEMO_WAYS);
	if (*slot) {
		memo_drop(ch, slot);
		ch->bus->totals.memo_evictions++;
	}
	*slot = r;
	r->change = ch->n_changes;
	r->cached = true;
	ch->bus->memo_bytes += r->size;
}

static struct route **memo_find(struct chan *ch, uint64_t hash, const char *event, size_t len)
{
	struct route **set;

	if (!ch->memo)
		return NULL;
	set = memo_set(ch, hash);
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
static bool memo_is_valid(const struct chan *ch, struct route *r)
{
	if (ch->n_changes - r->change > MEMO_CHANGES)
		return false;
	while (r->change < ch->n_changes) {
		const struct change *c = &ch->changes[(r->change + 1) % MEMO_CHANGES];

		if (name_match(c->pattern, c->len, r->event, r->event_len))
			return false;
		r->change++;
	}
	return true;
}

struct route *chan_route(struct chan *ch, const char *event, size_t len)
{
	uint64_t hash = memo_hash(ch, event, len);
	struct route **slot = memo_find(ch, hash, event, len);
	struct route *r;

	if (slot && memo_is_valid(ch, *slot)) {
		ch->bus->totals.memo_hits++;
		return *slot;
	}
	if (slot)
		memo_drop(ch, slot);
	ch->bus->totals.memo_misses++;
	r = route_new(ch, event, len, hash);
	/* illegal names are not worth a place */
	if (r && r->verdict != ROUTE_ILLEGAL)
		memo_put(ch, r);
	return r;
}

void chan_route_done(struct chan *ch, struct route *r)
{
	(void)ch;
	if (r && !r->cached)
		free(r);
}

uint32_t chan_memo_len(const struct chan *ch)
{
	uint32_t n = 0;

	for (uint32_t i = 0; ch->memo && i < MEMO_SETS * MEMO_WAYS; i++)
		n += ch->memo[i / MEMO_WAYS][i % MEMO_WAYS] != NULL;
	return n;
}

void chan_memo_clear(struct chan *ch)
{
	if (!ch->memo)
		return;
	for (uint32_t s = 0; s < MEMO_SETS; s++)
		for (uint32_t w = 0; w < MEMO_WAYS; w++)
			if (ch->memo[s][w])
				memo_drop(ch, &ch->memo[s][w]);
}

static void memo_touch(struct chan *ch, const char *pattern, size_t len)
{
	struct change *change;

	if (!ch->memo)
		return;
	if (name_pattern_is_exact(pattern, len)) {
		struct route **slot = memo_find(ch, memo_hash(ch, pattern, len), pattern, len);

		if (slot)
			memo_drop(ch, slot);
		return;
	}
	change = &ch->changes[++ch->n_changes % MEMO_CHANGES];
	change->len = (uint8_t)len;
	memcpy(change->pattern, pattern, len);
}

void chan_touch(struct chan *ch, const char *pattern, size_t len)
{
	for (uint32_t i = 0; i < ch->n_sources; i++)
		memo_touch(ch->sources[i], pattern, len);
}
