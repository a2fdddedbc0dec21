/* emitter.c - the handlers of a client, and which of them hear an event
 *
 * Invariants: a pattern is in the trie exactly while it has handlers; it is in `changes` exactly
 * while what the server was told differs from that; it exists while it has handlers or the server
 * was told it. So however often a handler comes and goes, what waits to be told is bounded by the
 * patterns there are.
 *
 * Handlers may change everything while they run: a handler that is removed goes to the graveyard
 * (its memory may stand in a running plan) and is freed when the last emitter_run() returns; a plan
 * that is running is held by a reference; every change makes all cached plans stale by the
 * generation.
 *
 * It refuses to know connections, frames and time.
 */

#include "libnc/client/emitter.h"

#include <stdlib.h>

#include "libnc/wire/name.h"
#include "libnc/wire/trie.h"

struct emitter_pattern {
	struct list handlers; /* in the order of adding */
	struct list change;   /* in the emitter's changes */
	size_t n_handlers;
	bool told; /* the server has it */
	uint8_t len;
	char text[]; /* not terminated */
};

void emitter_init(struct emitter *e, const uint8_t seed[16])
{
	*e = (struct emitter){.generation = 1};
	memcpy(e->seed, seed, sizeof(e->seed));
	map_init(&e->patterns, MAP_BYTES, EMITTER_PATTERNS_MAX, e->seed);
	list_init(&e->changes);
	list_init(&e->graveyard);
}

void emitter_plan_free(struct emitter_plan *p)
{
	free(p);
}

static void plan_unref(struct emitter_plan *p)
{
	if (p && !--p->refs)
		emitter_plan_free(p);
}

static void pattern_free(struct emitter *e, struct emitter_pattern *p)
{
	list_del(&p->change);
	map_del(&e->patterns, p->text, p->len);
	free(p);
}

void emitter_bury(struct emitter *e)
{
	struct list *it, *next;

	list_for_each_safe(it, next, &e->graveyard)
		free(list_entry(it, struct emitter_handler, link));
	list_init(&e->graveyard);
}

void emitter_fini(struct emitter *e)
{
	struct emitter_pattern *p;
	struct map_walk w;

	emitter_remove(e, NULL, NULL, NULL);
	map_walk_begin(&e->patterns, &w);
	while ((p = map_walk_next(&e->patterns, &w)))
		pattern_free(e, p);
	map_fini(&e->patterns);
	trie_free(e->trie);
	emitter_bury(e);
	for (unsigned i = 0; i < EMITTER_PLANS; i++)
		plan_unref(e->plans[i]);
	emitter_init(e, e->seed);
}

/* Restores the invariants after the number of handlers, or what the server was told, has changed.
 * The pattern may be gone afterwards. */
static void pattern_update(struct emitter *e, struct emitter_pattern *p)
{
	bool wanted = p->n_handlers > 0;

	list_del(&p->change);
	if (wanted != p->told)
		list_add_tail(&e->changes, &p->change);
	else if (!wanted)
		pattern_free(e, p);
}

/* The pattern with that text, made where it is not there yet. Returns an enum nc_error. */
static int pattern_obtain(struct emitter *e, const char *text, size_t len,
                          struct emitter_pattern **out)
{
	struct emitter_pattern *p = map_get(&e->patterns, text, len);
	int r;

	*out = p;
	if (p)
		return NC_OK;
	p = malloc(sizeof(*p) + len);
	if (!p)
		return NC_ENOMEM;
	list_init(&p->handlers);
	list_init(&p->change);
	p->n_handlers = 0;
	p->told = false;
	p->len = (uint8_t)len;
	memcpy(p->text, text, len);
	r = map_put(&e->patterns, p->text, len, p);
	if (r) {
		free(p);
		return r == MAP_FULL ? NC_EQUOTA : NC_ENOMEM;
	}
	*out = p;
	return NC_OK;
}

/* Takes the first handler of a pattern into the trie. Returns an enum nc_error. */
static int pattern_enter(struct emitter *e, struct emitter_pattern *p)
{
	if (!e->trie)
		e->trie = trie_new(EMITTER_PATTERNS_MAX, e->seed);
	if (!e->trie)
		return NC_ENOMEM;
	switch (trie_add(e->trie, p->text, p->len, p)) {
	case TRIE_OK: return NC_OK;
	case TRIE_FULL: return NC_EQUOTA;
	default: return NC_ENOMEM;
	}
}

int emitter_add(struct emitter *e, const char *pattern, nc_handler *fn, void *arg, bool once)
{
	size_t len = strlen(pattern);
	struct emitter_handler *h;
	struct emitter_pattern *p;
	int r;

	if (name_check_pattern(pattern, len) != NAME_OK)
		return NC_ENAME;
	if (e->n_handlers == EMITTER_HANDLERS_MAX)
		return NC_EQUOTA;
	h = malloc(sizeof(*h));
	if (!h)
		return NC_ENOMEM;
	r = pattern_obtain(e, pattern, len, &p);
	if (r) {
		free(h);
		return r;
	}
	if (!p->n_handlers) {
		r = pattern_enter(e, p);
		if (r) {
			free(h);
			pattern_update(e, p);
			return r;
		}
	}
	*h = (struct emitter_handler){
	        .pattern = p, .serial = ++e->n_serials, .fn = fn, .arg = arg, .once = once};
	list_add_tail(&p->handlers, &h->link);
	p->n_handlers++;
	e->n_handlers++;
	e->generation++;
	pattern_update(e, p);
	return NC_OK;
}

static void handler_remove(struct emitter *e, struct emitter_handler *h)
{
	struct emitter_pattern *p = h->pattern;

	h->pattern = NULL;
	list_del(&h->link);
	if (e->n_running)
		list_add_tail(&e->graveyard, &h->link);
	else
		free(h);
	e->n_handlers--;
	e->generation++;
	if (--p->n_handlers)
		return;
	trie_remove(e->trie, p->text, p->len, p);
	pattern_update(e, p);
}

static void pattern_clear(struct emitter *e, struct emitter_pattern *p)
{
	/* the pattern may go with its last handler */
	for (size_t n = p->n_handlers; n; n--)
		handler_remove(e, list_entry(p->handlers.next, struct emitter_handler, link));
}

static int emitter_clear(struct emitter *e)
{
	struct emitter_pattern *p;
	struct map_walk w;

	if (!e->n_handlers)
		return NC_ENOENT;
	map_walk_begin(&e->patterns, &w);
	while ((p = map_walk_next(&e->patterns, &w)))
		pattern_clear(e, p);
	return NC_OK;
}

int emitter_remove(struct emitter *e, const char *pattern, nc_handler *fn, void *arg)
{
	struct emitter_pattern *p;
	struct list *it;

	if (!pattern)
		return fn ? NC_ENOENT : emitter_clear(e);
	p = map_get(&e->patterns, pattern, strlen(pattern));
	if (!p || !p->n_handlers)
		return NC_ENOENT;
	if (!fn) {
		pattern_clear(e, p);
		return NC_OK;
	}
	list_for_each(it, &p->handlers) {
		struct emitter_handler *h = list_entry(it, struct emitter_handler, link);

		if (h->fn == fn && h->arg == arg) {
			handler_remove(e, h);
			return NC_OK;
		}
	}
	return NC_ENOENT;
}

size_t emitter_count(const struct emitter *e, const char *pattern)
{
	const struct emitter_pattern *p;

	if (!pattern)
		return e->n_handlers;
	p = map_get(&e->patterns, pattern, strlen(pattern));
	return p ? p->n_handlers : 0;
}

struct plan_count {
	size_t n_handlers;
};

static void count_pattern(void *arg, void *subscriber)
{
	struct plan_count *count = arg;
	const struct emitter_pattern *p = subscriber;

	count->n_handlers += p->n_handlers;
}

static void collect_pattern(void *arg, void *subscriber)
{
	struct emitter_plan *plan = arg;
	const struct emitter_pattern *p = subscriber;
	struct list *it;

	list_for_each(it, &p->handlers)
		plan->handlers[plan->n_handlers++] = list_entry(it, struct emitter_handler, link);
}

static int compare_serials(const void *a, const void *b)
{
	const struct emitter_handler *x = *(struct emitter_handler *const *)a;
	const struct emitter_handler *y = *(struct emitter_handler *const *)b;

	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static struct emitter_plan *plan_new(const struct emitter *e, const char *event, size_t len)
{
	/* names come from the server, and the trie takes valid ones only */
	bool valid = e->trie && name_check_event(event, len) == NAME_OK;
	struct plan_count count = {0};
	struct emitter_plan *p;
	size_t array_len;
	char *text;

	if (valid)
		trie_match(e->trie, event, len, count_pattern, &count);
	array_len = count.n_handlers * sizeof(p->handlers[0]);
	p = malloc(sizeof(*p) + array_len + len + 1);
	if (!p)
		return NULL;
	text = (char *)p + sizeof(*p) + array_len;
	memcpy(text, event, len);
	text[len] = 0;
	p->event = text;
	p->event_len = (uint8_t)len;
	p->generation = e->generation;
	p->refs = 1;
	p->n_handlers = 0;
	if (valid)
		trie_match(e->trie, event, len, collect_pattern, p);
	if (p->n_handlers > 1)
		qsort(p->handlers, p->n_handlers, sizeof(p->handlers[0]), compare_serials);
	return p;
}

struct emitter_plan *emitter_lookup_slow(struct emitter *e, const char *event, size_t len)
{
	struct emitter_plan **slot = &e->plans[emitter_slot(event, len)];
	struct emitter_plan *p = plan_new(e, event, len);

	if (!p)
		return NULL;
	plan_unref(*slot);
	*slot = p;
	e->last = p;
	return p;
}

void emitter_spend(struct emitter *e, struct emitter_handler *h)
{
	handler_remove(e, h);
}

void emitter_forget(struct emitter *e)
{
	struct emitter_pattern *p;
	struct map_walk w;

	map_walk_begin(&e->patterns, &w);
	while ((p = map_walk_next(&e->patterns, &w))) {
		p->told = false;
		pattern_update(e, p);
	}
}

static struct emitter_pattern *first_change(const struct emitter *e)
{
	struct list *link = list_first(&e->changes);

	return link ? list_entry(link, struct emitter_pattern, change) : NULL;
}

bool emitter_next_change(const struct emitter *e, const char **pattern, size_t *len, bool *listen)
{
	const struct emitter_pattern *p = first_change(e);

	if (!p)
		return false;
	*pattern = p->text;
	*len = p->len;
	*listen = p->n_handlers > 0;
	return true;
}

void emitter_told(struct emitter *e)
{
	struct emitter_pattern *p = first_change(e);

	p->told = !p->told;
	pattern_update(e, p);
}
