/* deliver.c - a batch of messages into the queues of its receivers
 *
 * Two walks over the targets: the first asks those under policy block for room, and where one has
 * none, the sender waits for it and nothing is delivered; the second puts the batch into the
 * queues. So a batch goes to all its receivers or to none, and each gets it once. A queue that is
 * full only because this turn of the loop has not written yet is written first.
 *
 * Targets that are dead are skipped. No client is freed and no route changes in here.
 */
#include "ncserver/bus/deliver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/input.h"
#include "ncserver/bus/lane.h"
#include "ncserver/bus/slow.h"
#include "ncserver/bus/state.h"
#include "ncserver/conf/conf.h"

/* Memory for translations that is kept from one delivery to the next. */
#define SCRATCH_KEEP (1u << 20)

static bool is_target(const struct delivery *d, const struct client *t)
{
	return !t->dead && (t != d->from || t->echo);
}

static bool hears_packets(const struct client *t)
{
	return t->dialect == DIALECT_JSON;
}

/* ---- waiting ---- */

static void wait_for(struct bus *b, struct client *from, struct client *t)
{
	from->waits_for = t;
	from->wait_since = b->now;
	if (!from->held_since)
		from->held_since = b->now;
	from->stalls_suffered++;
	from->chan->stalls++;
	list_add_tail(&t->waiters, &from->wait);
	if (!list_linked(&t->blocking)) {
		t->block_since = b->now;
		/* what it was full while its sender was held up by another counts, too */
		t->block_from = t->full_since > from->held_since ? t->full_since : from->held_since;
		t->stalls_caused++;
		slow_note(b->slow, t, SLOW_BLOCKING);
	}
	t->holds_lane |= from->lane != NULL;
	bus_expect_block(b, t);
	client_update_reads(from);
}

static void end_wait(struct client *from)
{
	uint64_t now = from->bus->now;

	from->suffered_ns += now - from->wait_since;
	from->waits_for = NULL;
	list_del(&from->wait);
}

static void end_block(struct client *t)
{
	if (!list_linked(&t->blocking))
		return;
	t->caused_ns += t->bus->now - t->block_since;
	t->holds_lane = false;
	list_del(&t->blocking);
}

void deliver_release(struct client *t)
{
	end_block(t);
	while (!list_empty(&t->waiters)) {
		struct client *from = list_entry(t->waiters.next, struct client, wait);

		end_wait(from);
		list_add_tail(&t->bus->ready, &from->wait);
	}
}

void deliver_forget(struct client *from)
{
	struct client *t = from->waits_for;

	if (!t) {
		list_del(&from->wait);
		return;
	}
	end_wait(from);
	if (list_empty(&t->waiters))
		end_block(t);
}

void deliver_resume(struct client *from)
{
	list_del(&from->wait);
	if (!from->dead) {
		input_process(from);
		client_recharge(from);
		client_update_reads(from);
	}
}

/* Whether the target takes a batch; where its queue is full only for want of a write, that is done.
 */
static bool takes(struct bus *b, struct client *t, const struct batch *size)
{
	if (queue_fits(&t->out, size) && client_has_credit(t))
		return true;
	if (!t->out.blocked && !queue_is_empty(&t->out))
		b->env.flush(b->env.arg, t);
	return t->dead || t->out.policy != FRAME_P_BLOCK ||
	       (queue_has_room(&t->out) && client_has_credit(t));
}

/* ---- the two forms ---- */

void deliver_one_range(struct batch *to, const struct range *r, const struct route *route)
{
	*to = (struct batch){.ranges = r,
	                     .n_ranges = 1,
	                     .n = r->n,
	                     .len = r->len,
	                     .key = route->key,
	                     .key_len = route->key_len};
}

void deliver_one_chain(struct batch *to, const struct input *in, const struct route *route)
{
	*to = (struct batch){.ranges = in->chain,
	                     .n_ranges = in->n_chain,
	                     .chain = true,
	                     .n = 1,
	                     .len = in->chain_len,
	                     .key = route->key,
	                     .key_len = route->key_len};
}

/* Copies what `out` has into a slab of its own. */
static int into_slab(struct bus *b, const struct buf *out, uint32_t n, struct range *r)
{
	struct slab *s = slab_new(&b->pool, (uint32_t)out->len);

	if (!s)
		return -ENOMEM;
	memcpy(s->data, out->data, out->len);
	s->used = (uint32_t)out->len;
	*r = (struct range){.slab = s, .p = s->data, .len = s->used, .n = n};
	return 0;
}

/* Makes packets of the native form, as far as it can be done; d->json.n says how many. */
static void make_packets(struct bus *b, struct delivery *d, struct range *r)
{
	const struct batch *nb = &d->native;
	struct buf joined;
	int made = 0;

	b->n_missing = 0;
	buf_clear(&b->scratch);
	buf_init(&joined, UINT32_MAX);
	for (uint32_t i = 0; i < nb->n_ranges && made >= 0; i++) {
		const struct range *in = &nb->ranges[i];

		if (!nb->chain)
			made = translate_frames(b, in->p, in->len, &b->scratch, made);
		else if (buf_append(&joined, in->p, in->len))
			made = -ENOMEM;
	}
	if (nb->chain && made == 0)
		made = translate_frames(b, joined.data, joined.len, &b->scratch, 0);
	buf_fini(&joined);
	if (made > 0 && into_slab(b, &b->scratch, (uint32_t)made, r) == 0)
		deliver_one_range(&d->json, r, d->route);
	/* one long message is no reason to keep so much for all time */
	if (b->scratch.cap > SCRATCH_KEEP)
		buf_fini(&b->scratch);
}

/* ---- into the queues ---- */

/* Tells a receiver who the sender is, where it does not know. */
static void tell_sender(struct client *t, const struct client *from, uint64_t id)
{
	uint32_t slot = (uint32_t)(id % NC_SENDER_SLOTS);
	uint8_t frame[FRAME_PREFIX_LEN + 64 + NC_EVENT_MAX];
	struct frame_sender s;
	uint64_t now = t->bus->now;
	bool is_known;
	size_t len;

	if (!t->senders)
		t->senders = calloc(NC_SENDER_SLOTS, sizeof(*t->senders));
	if (!t->senders)
		return;
	if (t->lane && now - t->lane->told_since > LANE_RETELL_NS) {
		memset(t->senders, 0, NC_SENDER_SLOTS * sizeof(*t->senders));
		t->lane->told_since = now;
	}
	if (t->senders[slot] == id)
		return;
	s = buslane_sender(from, id, &is_known);
	len = frame_sender_put(frame, sizeof(frame), &s);
	/* what is not known is told again when it is */
	if (len && queue_note(&t->out, frame, len) == 0)
		t->senders[slot] = is_known ? id : 0;
}

static void put(struct bus *b, const struct delivery *d, struct client *t, const struct batch *form)
{
	enum queue_result rc;

	/* the server itself waits for nobody */
	if (!d->from && t->out.policy == FRAME_P_BLOCK && !queue_has_room(&t->out)) {
		queue_lose(&t->out, QUEUE_DROP_NEWEST, form->n);
		return;
	}
	if (t->wants_sender && d->from && d->from->dialect != DIALECT_FIFO)
		tell_sender(t, d->from, d->sender ? d->sender : d->from->id);
	rc = queue_push(&t->out, form);
	if (rc == QUEUE_OVERFLOW) {
		queue_drop_all(&t->out);
		slow_note(b->slow, t, SLOW_DISCONNECTED);
		client_end(t, NC_ESLOW, "the queue is full");
		return;
	}
	if (rc == QUEUE_LOST)
		slow_note(b->slow, t, SLOW_DROPPING);
	client_recharge(t);
	client_set_dirty(t);
}

/* The packets that could be made, with what is lost told in its place. */
static void put_around_missing(struct bus *b, const struct delivery *d, struct client *t)
{
	const struct range *all = &d->json.ranges[0];
	uint32_t off = 0, n = 0;

	for (uint32_t i = 0; i <= b->n_missing && !t->dead; i++) {
		struct missing end = {.n = all->n, .off = all->len};
		struct range r = {.slab = all->slab, .p = all->p + off};
		struct batch part;

		if (i < b->n_missing)
			end = b->missing[i];
		r.len = end.off - off;
		r.n = end.n - n;
		deliver_one_range(&part, &r, d->route);
		if (r.n > 0)
			put(b, d, t, &part);
		if (end.lost > 0 && !t->dead)
			queue_lose(&t->out, QUEUE_DROP_UNTRANSLATABLE, end.lost);
		off = end.off;
		n = end.n;
	}
	client_set_dirty(t);
}

/* The form for a target, made where it is the first that needs it. NULL: it could not be made,
 * `*lost` says how many messages that costs; otherwise *lost of them are not in it. */
static const struct batch *form_for(struct bus *b, struct delivery *d, const struct client *t,
                                    struct range *made, uint64_t *lost)
{
	uint64_t n = d->native.n ? d->native.n : d->json.n;
	int rc = 0;

	*lost = 0;
	if (hears_packets(t)) {
		if (d->json.n == 0 && !d->no_packets) {
			make_packets(b, d, made);
			/* a second receiver would not get more */
			d->no_packets = d->json.n == 0;
		}
		if (d->json.n == 0) {
			*lost = n;
			return NULL;
		}
		*lost = n - d->json.n;
		return &d->json;
	}
	if (d->native.n == 0) {
		rc = translate_packets(d->from, d, made);
		if (rc == 0)
			deliver_one_range(&d->native, made, d->route);
	}
	*lost = rc ? n : 0;
	return rc ? NULL : &d->native;
}

static void dump(struct bus *b, struct delivery *d, const char *label)
{
	struct range made = {0};
	const struct batch *form = &d->json;
	const uint8_t *p;
	uint32_t left;

	if (form->n == 0)
		make_packets(b, d, &made);
	if (form->n == 0)
		return;
	p = form->ranges[0].p;
	left = form->ranges[0].len;
	while (left > 0) {
		uint32_t len = (uint32_t)strnlen((const char *)p, left);

		b->env.dump(b->env.arg, label, (const char *)p, len);
		p += len + 1;
		left -= len + 1;
	}
	if (made.slab) {
		slab_unref(made.slab);
		d->json.n = 0;
	}
}

static void dump_all(struct bus *b, struct delivery *d)
{
	const struct lane *l = d->from ? d->from->lane : NULL;
	char label[2 * NC_CHANNEL_MAX + 2];

	if (d->chan->conf->dumptoconsole)
		dump(b, d, d->chan->name);
	if (l && b->conf->dumpnet) {
		snprintf(label, sizeof(label), "%s/%s", l->origin->host, d->chan->name);
		dump(b, d, label);
	}
}

static void count(struct bus *b, const struct delivery *d, uint64_t n, uint64_t len)
{
	struct client *from = d->from;

	if (from && from->lane) {
		d->chan->net.arrived += n;
		d->chan->net.arrived_bytes += len;
	} else {
		d->chan->published += n;
		d->chan->published_bytes += len;
		b->totals.published += n;
		b->totals.published_bytes += len;
	}
	if (from) {
		from->held_since = 0;
		from->in_messages += n;
		from->in_bytes += len;
	}
}

/* The first target that has no room, or NULL. All that have none are noted: their time runs from
 * now, so that many of them hold up a sender no longer than one. */
static struct client *find_full(struct bus *b, const struct delivery *d, const struct batch *size)
{
	struct client *full = NULL;

	for (uint32_t i = 0; i < d->route->n_targets; i++) {
		struct client *t = d->route->targets[i];

		if (!is_target(d, t))
			continue;
		if (takes(b, t, size)) {
			/* written only where it changes: this is on the way of every batch */
			if (t->full_since)
				t->full_since = 0;
			continue;
		}
		if (!t->full_since && d->from)
			t->full_since = b->now;
		if (!full)
			full = t;
	}
	return full;
}

bool deliver(struct bus *b, struct delivery *d)
{
	const struct batch *size = d->native.n ? &d->native : &d->json;
	uint64_t n = size->n;
	uint64_t len = size->len;
	struct range made = {0};
	struct client *full = find_full(b, d, size);

	if (full && d->from) {
		wait_for(b, d->from, full);
		return false;
	}
	dump_all(b, d);
	for (uint32_t i = 0; i < d->route->n_targets; i++) {
		struct client *t = d->route->targets[i];
		const struct batch *form;
		uint64_t lost;

		if (!is_target(d, t))
			continue;
		form = form_for(b, d, t, &made, &lost);
		if (form && lost) {
			put_around_missing(b, d, t);
		} else if (form) {
			put(b, d, t, form);
		} else {
			queue_lose(&t->out, QUEUE_DROP_UNTRANSLATABLE, lost);
			client_set_dirty(t);
		}
	}
	slab_unref(made.slab);
	count(b, d, n, len);
	return true;
}
