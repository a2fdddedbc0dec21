/* input.c - where bytes are received, and who takes them apart
 *
 * All connections read into one slab, one behind the other. What a read leaves unconsumed (the
 * beginning of a frame, or what waits for room) stays where it is, and the next read of the same
 * connection goes right behind it where that is still free; else the little that is there is
 * copied. When the slab is used up, what connections still hold of it is copied out unless it is a
 * good part of it, so that no connection pins a slab with a few bytes.
 */
#include "ncserver/bus/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/bus/chan.h"
#include "ncserver/bus/client.h"
#include "ncserver/bus/deliver.h"
#include "ncserver/bus/lane.h"
#include "ncserver/bus/state.h"
#include "ncserver/bus/users.h"
#include "ncserver/conf/conf.h"

static void leave_slab(struct client *c)
{
	struct input *in = &c->in;

	slab_unref(in->slab);
	in->slab = NULL;
	in->p = NULL;
	list_del(&c->tail);
}

void input_consume(struct client *c, uint32_t n)
{
	struct input *in = &c->in;

	in->p += n;
	in->len -= n;
	in->scanned = 0;
	if (in->len == 0)
		leave_slab(c);
}

void input_chain_fini(struct input *in)
{
	for (uint32_t i = 0; i < in->n_chain; i++)
		slab_unref(in->chain[i].slab);
	free(in->chain);
	in->chain = NULL;
	in->n_chain = in->cap_chain = in->chain_len = in->chain_need = 0;
}

void input_fini(struct client *c)
{
	if (c->in.len > 0)
		input_consume(c, c->in.len);
	input_chain_fini(&c->in);
}

/* Moves what is unconsumed into `s`, whose room is known to be enough. */
static void move_to(struct client *c, struct slab *s)
{
	struct input *in = &c->in;
	uint8_t *p = s->data + s->used;

	memcpy(p, in->p, in->len);
	s->used += in->len;
	slab_unref(in->slab);
	in->slab = slab_ref(s);
	in->p = p;
}

/* Starts a new slab for input. What is still held of the old one is copied out where it is small.
 */
static int next_slab(struct bus *b)
{
	struct slab *s = slab_new(&b->pool, SLAB_LEN);
	struct list *it, *next;

	if (!s)
		return -ENOMEM;
	list_for_each_safe(it, next, &b->tails) {
		struct client *c = list_entry(it, struct client, tail);
		struct slab *own;

		list_del(&c->tail);
		if (c->in.len * QUEUE_PIN_FACTOR >= SLAB_LEN)
			continue;
		own = slab_new(&b->pool, c->in.len);
		if (!own)
			continue;
		move_to(c, own);
		slab_unref(own);
	}
	slab_unref(b->cur);
	b->cur = s;
	return 0;
}

/* A long packet gets a slab of its own, that doubles. */
static int own_slab(struct client *c)
{
	struct slab *s = slab_new(&c->bus->pool, c->in.len * 2);

	if (!s)
		return -ENOMEM;
	move_to(c, s);
	slab_unref(s);
	list_del(&c->tail);
	return 0;
}

int bus_input_space(struct bus *b, struct client *c, uint8_t **p, size_t *room)
{
	struct input *in = &c->in;
	struct slab *s;

	if (b->cur && b->cur->refs == 1)
		b->cur->used = 0;
	if (in->len > 0 && in->slab != b->cur && in->slab->refs == 1 &&
	    in->p + in->len == in->slab->data + in->slab->used && slab_room(in->slab) > 0) {
		s = in->slab;
	} else {
		bool behind = in->len > 0 && in->slab == b->cur &&
		              in->p + in->len == b->cur->data + b->cur->used;
		uint32_t need = INPUT_ROOM_MIN + (behind ? 0 : in->len);

		if (in->len > INPUT_ROOM_MIN && !(behind && slab_room(b->cur) >= need)) {
			if (own_slab(c))
				return -ENOMEM;
			s = in->slab;
		} else {
			if ((!b->cur || slab_room(b->cur) < need) && next_slab(b))
				return -ENOMEM;
			s = b->cur;
			if (in->len > 0 &&
			    !(in->slab == s && in->p + in->len == s->data + s->used)) {
				move_to(c, s);
				list_del(&c->tail);
				list_add_tail(&b->tails, &c->tail);
			}
		}
	}
	*p = s->data + s->used;
	*room = slab_room(s);
	return 0;
}

/* What is left of the input behind a long packet does not keep that packet's slab. Without memory
 * it does, for the time being. */
static void shrink_own(struct client *c)
{
	struct input *in = &c->in;
	struct slab *s;

	if (in->len == 0 || in->slab == c->bus->cur ||
	    (uint64_t)in->len * QUEUE_PIN_FACTOR >= in->slab->cap)
		return;
	s = slab_new(&c->bus->pool, in->len);
	if (!s)
		return;
	move_to(c, s);
	slab_unref(s);
}

/* ---- long frames ---- */

static int chain_grow(struct input *in)
{
	uint32_t cap = in->cap_chain ? in->cap_chain * 2 : 4;
	struct range *chain;

	if (in->n_chain < in->cap_chain)
		return 0;
	chain = realloc(in->chain, cap * sizeof(*chain));
	if (!chain)
		return -ENOMEM;
	in->chain = chain;
	in->cap_chain = cap;
	return 0;
}

/* Copies a small part behind the last one, into a slab that grows with the frame. */
static int chain_copy(struct client *c, const uint8_t *p, uint32_t len)
{
	struct input *in = &c->in;
	struct range *last = in->n_chain ? &in->chain[in->n_chain - 1] : NULL;
	struct slab *s = last ? last->slab : NULL;

	/* only a slab made here is not shared, and ends with the part */
	if (!s || s->refs != 1 || s == c->bus->cur || last->p + last->len != s->data + s->used ||
	    slab_room(s) < len) {
		uint32_t cap = in->chain_len < QUEUE_COPY_MAX ? QUEUE_COPY_MAX / 4 : QUEUE_COPY_MAX;

		if (chain_grow(in))
			return -ENOMEM;
		s = slab_new(&c->bus->pool, cap < len ? len : cap);
		if (!s)
			return -ENOMEM;
		last = &in->chain[in->n_chain++];
		*last = (struct range){.slab = s, .p = s->data};
	}
	memcpy(s->data + s->used, p, len);
	s->used += len;
	last->len += len;
	return 0;
}

/* Takes the first `len` bytes of the input as a part of a long frame. */
static int chain_take(struct client *c, uint32_t len)
{
	struct input *in = &c->in;
	struct range *last = in->n_chain ? &in->chain[in->n_chain - 1] : NULL;

	if (last && last->slab == in->slab && last->p + last->len == in->p) {
		last->len += len;
	} else if (len * QUEUE_PIN_FACTOR < in->slab->cap) {
		if (chain_copy(c, in->p, len))
			return -ENOMEM;
	} else {
		if (chain_grow(in))
			return -ENOMEM;
		in->chain[in->n_chain++] =
		        (struct range){.slab = slab_ref(in->slab), .p = in->p, .len = len};
	}
	in->chain_len += len;
	in->chain_need -= len;
	input_consume(c, len);
	return 0;
}

int input_chain_begin(struct client *c, uint32_t frame_len)
{
	c->in.chain_need = frame_len;
	return chain_take(c, c->in.len);
}

/* Brings a long frame further, and delivers it when it is whole. Returns whether to go on with the
 * input. */
static bool input_chain(struct client *c)
{
	struct input *in = &c->in;

	if (in->chain_need > 0 && in->len > 0) {
		uint32_t len = in->len < in->chain_need ? in->len : in->chain_need;

		if (chain_take(c, len)) {
			if (c->lane) {
				input_lane_drop_chain(c);
				return true;
			}
			client_fail(c, NC_ENOMEM, "no memory for a message of %u bytes",
			            in->chain_len + in->chain_need);
			return false;
		}
	}
	if (in->chain_need > 0)
		return false;
	if (c->lane ? !input_lane_chain(c) : !input_native_chain(c))
		return false;
	input_chain_fini(in);
	return true;
}

int input_chain_gather(const struct input *in, struct buf *out)
{
	for (uint32_t i = 0; i < in->n_chain; i++)
		if (buf_append(out, in->chain[i].p, in->chain[i].len))
			return -ENOMEM;
	return 0;
}

/* ---- the whole ---- */

/* A client that was held up for longer than hello_wait is native all the same, unless it has been
 * written to as a JSON client. */
static void decide(struct client *c)
{
	bool is_native = c->in.p[0] == (uint8_t)FRAME_PREFACE[0];

	if (c->dialect == DIALECT_UNDECIDED ||
	    (is_native && c->out.flow.bytes == 0 && c->out.written_off == 0))
		client_decide(c, is_native ? DIALECT_NATIVE : DIALECT_JSON);
	c->presumed = false;
}

/* Takes whole frames or packets off the input. Returns whether to go on. */
static bool take(struct client *c)
{
	if (c->lane)
		return input_lane(c);
	return c->dialect == DIALECT_NATIVE ? input_native(c) : input_json(c);
}

void input_process(struct client *c)
{
	struct input *in = &c->in;

	if (in->len > 0 && (c->dialect == DIALECT_UNDECIDED || c->presumed))
		decide(c);
	while (!c->dead && !c->waits_for && (in->len > 0 || in->chain_len > 0)) {
		uint32_t before = in->len;

		if (in->chain_len > 0) {
			if (!input_chain(c))
				break;
			continue;
		}
		if (!take(c))
			break;
		if (in->len == before && in->chain_len == 0)
			break;
	}
	shrink_own(c);
	if (c->lane && !c->dead && !c->waits_for)
		input_lane_gap(c);
	if (!c->dead && !c->waits_for && in->eof)
		client_kill(c, NC_ECLOSED);
}

void input_refuse_name(struct client *c, const struct route *r, uint64_t seq)
{
	c->in_refused++;
	c->chan->refused++;
	c->bus->totals.refused++;
	if (r->verdict == ROUTE_RESERVED)
		client_error(c, NC_ERESERVED, seq,
		             "event \"%.*s\": such names come from servers only", (int)r->event_len,
		             r->event);
	else
		client_error(c, NC_ENAME, seq, "illegal event name: %s",
		             name_result_str((enum name_result)r->name));
}

void input_refuse(struct client *c, enum nc_error code, uint64_t seq, uint64_t n, const char *text)
{
	c->in_refused += n;
	c->chan->refused += n;
	c->bus->totals.refused += n;
	client_error(c, code, seq, "%s", text);
}

/* What is half received counts against the user's bytes, too; a frame that is short does no harm.
 */
static void check_quota(struct client *c)
{
	uint64_t len = (uint64_t)c->in.len + c->in.chain_len;
	uint64_t max = conf_quota_of(c->bus->conf, c->uid)->bytes;

	if (len <= INPUT_ROOM_MIN || c->waits_for || c->lane || c->user->bytes <= max)
		return;
	c->user->refused++;
	client_fail(c, NC_EQUOTA, "quota of %llu bytes used up, %llu of them by this message",
	            (unsigned long long)max, (unsigned long long)len);
}

void bus_input(struct bus *b, struct client *c, size_t len, uint64_t now)
{
	struct input *in = &c->in;
	struct slab *s;

	b->now = now;
	if (c->dead || len == 0)
		return;
	bus_admit_fresh(b, c);
	/* bus_input_space left the slab so that the new bytes stand right behind the old ones */
	s = in->len > 0 ? in->slab : b->cur;
	if (in->len == 0) {
		in->slab = slab_ref(s);
		in->p = s->data + s->used;
		list_add_tail(&b->tails, &c->tail);
	}
	s->used += (uint32_t)len;
	in->len += (uint32_t)len;
	b->totals.bytes_in += len;
	input_process(c);
	if (!c->dead) {
		client_recharge(c);
		check_quota(c);
		client_update_reads(c);
	}
}

void bus_input_eof(struct bus *b, struct client *c, uint64_t now)
{
	b->now = now;
	c->in.eof = true;
	if (!c->dead)
		input_process(c);
	if (!c->dead) {
		client_recharge(c);
		client_update_reads(c);
	}
}

bool bus_wants_input(const struct client *c)
{
	return !c->dead && !c->waits_for && !c->in.eof && !list_linked(&c->wait) &&
	       bus_client_lane(c) != BUS_LANE_OUT;
}
