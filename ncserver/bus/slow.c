/* slow.c - who was slow */
#include "ncserver/bus/slow.h"

#include <stdlib.h>
#include <string.h>

#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/state.h"

struct slow_list {
	struct slow *ents; /* latest first */
	uint32_t n;
	uint32_t max;
};

struct slow_list *slow_new(uint32_t max)
{
	struct slow_list *l = calloc(1, sizeof(*l));

	if (l && slow_resize(l, max)) {
		free(l);
		return NULL;
	}
	return l;
}

void slow_free(struct slow_list *l)
{
	if (!l)
		return;
	free(l->ents);
	free(l);
}

int slow_resize(struct slow_list *l, uint32_t max)
{
	if (l->n > max)
		l->n = max;
	if (l->n == 0) {
		/* taken when the first one is noted: a server without slow clients pays nothing */
		free(l->ents);
		l->ents = NULL;
	} else if (max != l->max) {
		struct slow *ents = malloc(max * sizeof(*ents));

		if (!ents)
			return -1;
		memcpy(ents, l->ents, l->n * sizeof(*ents));
		free(l->ents);
		l->ents = ents;
	}
	l->max = max;
	return 0;
}

static struct slow *find(struct slow_list *l, uint64_t id)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->ents[i].id == id)
			return &l->ents[i];
	return NULL;
}

/* Moves an entry to the front, or makes room for a new one there. */
static struct slow *to_front(struct slow_list *l, struct slow *e)
{
	struct slow keep = {0};
	uint32_t n;

	if (e) {
		keep = *e;
		n = (uint32_t)(e - l->ents);
	} else {
		if (!l->ents)
			l->ents = malloc(l->max * sizeof(*l->ents));
		if (!l->ents)
			return NULL;
		if (l->n < l->max)
			l->n++;
		n = l->n - 1;
	}
	memmove(l->ents + 1, l->ents, n * sizeof(*l->ents));
	l->ents[0] = keep;
	return &l->ents[0];
}

static void fill(struct slow *e, const struct client *c)
{
	const struct bus *b = c->bus;

	e->last_at = b->env.wall_ms(b->env.arg);
	e->last_ns = b->now;
	e->queued = c->out.queued;
	e->queued_bytes = c->out.bytes;
	e->dropped = queue_flow_dropped(&c->out.flow);
	e->stalls = c->stalls_caused;
	e->stalled_ms = c->caused_ns / 1000000;
}

void slow_note(struct slow_list *l, struct client *c, enum slow_why why)
{
	struct slow *e;
	bool known;

	if (l->max == 0 || (c->slow_ns && c->slow_why == why && why != SLOW_DISCONNECTED &&
	                    c->bus->now - c->slow_ns < SLOW_NOTE_NS))
		return;
	c->slow_ns = c->bus->now;
	c->slow_why = (uint8_t)why;
	e = find(l, c->id);
	known = e != NULL;
	e = to_front(l, e);
	if (!e)
		return;
	if (!known) {
		strcpy(e->channel, c->chan->name);
		memcpy(e->comm, c->comm, sizeof(e->comm));
		if (c->label)
			strncpy(e->label, c->label, sizeof(e->label) - 1);
		e->id = c->id;
		e->pid = c->pid;
		e->uid = c->uid;
		e->since_at = c->bus->env.wall_ms(c->bus->env.arg);
	}
	e->why = why;
	fill(e, c);
}

void slow_gone(struct slow_list *l, const struct client *c)
{
	struct slow *e = find(l, c->id);
	int64_t last_at;
	uint64_t last_ns;

	if (!e)
		return;
	last_at = e->last_at;
	last_ns = e->last_ns;
	fill(e, c);
	e->last_at = last_at;
	e->last_ns = last_ns;
	e->gone = true;
}

bool slow_was_disconnected(const struct slow_list *l, const char *channel, uid_t uid, pid_t pid,
                           uint64_t since_ns, uint64_t *when_ns)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct slow *e = &l->ents[i];

		if (e->why == SLOW_DISCONNECTED && e->pid == pid && e->uid == uid &&
		    e->last_ns >= since_ns && strcmp(e->channel, channel) == 0) {
			*when_ns = e->last_ns;
			return true;
		}
	}
	return false;
}

const struct slow *slow_at(const struct slow_list *l, uint32_t i)
{
	return i < l->n ? &l->ents[i] : NULL;
}
