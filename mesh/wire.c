/* Datagrams and chunks of the mesh */
#include "mesh/wire.h"

#include <string.h>

void mw_header_put(uint8_t *p, uint32_t key_id, uint64_t counter, const uint8_t *boot)
{
	p[0] = MW_MAGIC;
	p[1] = MW_VERSION;
	le16_put(p + 2, 0);
	le32_put(p + 4, key_id);
	le64_put(p + 8, counter);
	memcpy(p + 16, boot, MW_BOOT_LEN);
}

/* ---- reading ---- */

bool mw_head_get(struct mw_head *h, const struct mw_chunk *c)
{
	if (c->len != 18)
		return false;
	h->lane = le16_get(c->body);
	h->seq = le64_get(c->body + 2);
	h->msgs = le64_get(c->body + 10);
	return true;
}

/* Takes `n` bytes off a list: 1, 0 at the end, -1 where fewer are left. */
static int take(struct mw_list *l, size_t n, const uint8_t **p)
{
	if (!l->n)
		return 0;
	if (l->n < n)
		return -1;
	*p = l->p;
	l->p += n;
	l->n -= n;
	return 1;
}

int mw_lanes_next(struct mw_list *l, struct mw_lane *v)
{
	const uint8_t *p, *name;
	int r = take(l, 22, &p);

	if (r <= 0)
		return r;
	v->lane = le16_get(p);
	v->class = p[2];
	v->name_len = p[3];
	v->members = le16_get(p + 4);
	v->seq = le64_get(p + 6);
	v->msgs = le64_get(p + 14);
	if (!v->name_len || take(l, v->name_len, &name) <= 0)
		return -1;
	v->name = (const char *)name;
	return 1;
}

bool mw_status_begin(struct mw_list *l, struct mw_echo *e, const struct mw_chunk *c)
{
	const uint8_t *p;

	mw_list_begin(l, c);
	if (take(l, 8, &p) <= 0)
		return false;
	e->stamp = le32_get(p);
	e->held_us = le32_get(p + 4);
	return true;
}

int mw_status_next(struct mw_list *l, struct mw_status *v)
{
	const uint8_t *p;
	int r = take(l, 14, &p);

	if (r <= 0)
		return r;
	v->lane = le16_get(p);
	v->cum = le64_get(p + 2);
	v->window = le16_get(p + 10);
	v->burst = le16_get(p + 12);
	return 1;
}

bool mw_nak_begin(struct mw_list *l, uint16_t *lane, const struct mw_chunk *c)
{
	const uint8_t *p;

	mw_list_begin(l, c);
	if (take(l, 10, &p) <= 0)
		return false;
	*lane = le16_get(p);
	l->base = le64_get(p + 2);
	return true;
}

int mw_nak_next(struct mw_list *l, struct mw_range *v)
{
	const uint8_t *p;
	int r = take(l, 4, &p);

	if (r <= 0)
		return r;
	v->n = le16_get(p + 2);
	v->seq = l->base + le16_get(p);
	if (!v->n || v->seq < l->base || v->seq + v->n < v->seq)
		return -1;
	l->base = v->seq + v->n;
	return 1;
}

int mw_join_next(struct mw_list *l, struct mw_join *v)
{
	const uint8_t *p;
	int r = take(l, 10, &p);

	if (r <= 0)
		return r;
	v->lane = le16_get(p);
	v->token = le32_get(p + 2);
	v->window = le32_get(p + 6);
	return 1;
}

int mw_joined_next(struct mw_list *l, struct mw_joined *v)
{
	const uint8_t *p;
	int r = take(l, 22, &p);

	if (r <= 0)
		return r;
	v->lane = le16_get(p);
	v->token = le32_get(p + 2);
	v->seq = le64_get(p + 6);
	v->msgs = le64_get(p + 14);
	return 1;
}

int mw_part_next(struct mw_list *l, uint16_t *lane)
{
	const uint8_t *p;
	int r = take(l, 2, &p);

	if (r > 0)
		*lane = le16_get(p);
	return r;
}

int mw_evicted_next(struct mw_list *l, struct mw_evicted *v)
{
	const uint8_t *p;
	int r = take(l, 6, &p);

	if (r <= 0)
		return r;
	v->lane = le16_get(p);
	v->token = le32_get(p + 2);
	return 1;
}

bool mw_announce_get(struct mw_announce *a, const struct mw_chunk *c)
{
	if (c->len < 10)
		return false;
	a->interval_ms = le32_get(c->body);
	a->n_lanes = le16_get(c->body + 4);
	a->n_peers = le16_get(c->body + 6);
	a->host_len = c->body[8];
	a->version_len = c->body[9];
	a->host = (const char *)c->body + 10;
	a->version = a->host + a->host_len;
	return c->len == 10u + a->host_len + a->version_len;
}

bool mw_challenge_get(struct mw_challenge *v, const struct mw_chunk *c)
{
	if (c->len != MW_NONCE_LEN + 2)
		return false;
	memcpy(v->nonce, c->body, MW_NONCE_LEN);
	v->size = le16_get(c->body + MW_NONCE_LEN);
	return true;
}

bool mw_refuse_get(struct mw_refuse *r, const struct mw_chunk *c)
{
	if (c->len != 4 + MW_NONCE_LEN)
		return false;
	r->reason = c->body[0];
	r->size = le16_get(c->body + 2);
	memcpy(r->nonce, c->body + 4, MW_NONCE_LEN);
	return true;
}

/* ---- writing ---- */

void mw_begin(struct mw_writer *w, uint8_t *p, size_t size, uint32_t stamp)
{
	w->p = p;
	w->max = size - MW_TAG_LEN;
	w->chunk = 0;
	le32_put(p + MW_HEADER_LEN, stamp);
	w->len = MW_HEADER_LEN + MW_STAMP_LEN;
}

bool mw_open(struct mw_writer *w, enum mw_kind kind, uint8_t flags, size_t need)
{
	if (mw_room(w) < MW_CHUNK_LEN + need)
		return false;
	w->chunk = w->len;
	w->p[w->len] = (uint8_t)kind;
	w->p[w->len + 1] = flags;
	w->len += MW_CHUNK_LEN;
	return true;
}

void mw_close(struct mw_writer *w)
{
	le16_put(w->p + w->chunk + 2, (uint16_t)(w->len - w->chunk - MW_CHUNK_LEN));
	w->chunk = 0;
}

/* Room for `n` more bytes of the open chunk, or NULL. */
static uint8_t *grow(struct mw_writer *w, size_t n)
{
	uint8_t *p = w->p + w->len;

	if (mw_room(w) < n)
		return NULL;
	w->len += n;
	return p;
}

bool mw_add_bytes(struct mw_writer *w, const void *b, size_t n)
{
	uint8_t *p = grow(w, n);

	if (!p)
		return false;
	if (n)
		memcpy(p, b, n);
	return true;
}

bool mw_add_u32(struct mw_writer *w, uint32_t v)
{
	uint8_t *p = grow(w, 4);

	if (!p)
		return false;
	le32_put(p, v);
	return true;
}

bool mw_add_lane(struct mw_writer *w, const struct mw_lane *v)
{
	uint8_t *p = grow(w, 22u + v->name_len);

	if (!p)
		return false;
	le16_put(p, v->lane);
	p[2] = v->class;
	p[3] = v->name_len;
	le16_put(p + 4, v->members);
	le64_put(p + 6, v->seq);
	le64_put(p + 14, v->msgs);
	memcpy(p + 22, v->name, v->name_len);
	return true;
}

bool mw_add_echo(struct mw_writer *w, const struct mw_echo *e)
{
	uint8_t *p = grow(w, 8);

	if (!p)
		return false;
	le32_put(p, e->stamp);
	le32_put(p + 4, e->held_us);
	return true;
}

bool mw_add_status(struct mw_writer *w, const struct mw_status *v)
{
	uint8_t *p = grow(w, 14);

	if (!p)
		return false;
	le16_put(p, v->lane);
	le64_put(p + 2, v->cum);
	le16_put(p + 10, v->window);
	le16_put(p + 12, v->burst);
	return true;
}

bool mw_add_join(struct mw_writer *w, const struct mw_join *v)
{
	uint8_t *p = grow(w, 10);

	if (!p)
		return false;
	le16_put(p, v->lane);
	le32_put(p + 2, v->token);
	le32_put(p + 6, v->window);
	return true;
}

bool mw_add_joined(struct mw_writer *w, const struct mw_joined *v)
{
	uint8_t *p = grow(w, 22);

	if (!p)
		return false;
	le16_put(p, v->lane);
	le32_put(p + 2, v->token);
	le64_put(p + 6, v->seq);
	le64_put(p + 14, v->msgs);
	return true;
}

bool mw_add_part(struct mw_writer *w, uint16_t lane)
{
	uint8_t *p = grow(w, 2);

	if (!p)
		return false;
	le16_put(p, lane);
	return true;
}

bool mw_add_evicted(struct mw_writer *w, const struct mw_evicted *v)
{
	uint8_t *p = grow(w, 6);

	if (!p)
		return false;
	le16_put(p, v->lane);
	le32_put(p + 2, v->token);
	return true;
}

bool mw_open_nak(struct mw_writer *w, uint16_t lane, uint64_t base)
{
	uint8_t *p;

	if (!mw_open(w, MW_NAK, 0, 10 + 4))
		return false;
	p = grow(w, 10);
	le16_put(p, lane);
	le64_put(p + 2, base);
	return true;
}

bool mw_add_range(struct mw_writer *w, uint64_t *base, const struct mw_range *v)
{
	uint8_t *p;

	if (v->seq - *base > UINT16_MAX || !(p = grow(w, 4)))
		return false;
	le16_put(p, (uint16_t)(v->seq - *base));
	le16_put(p + 2, v->n);
	*base = v->seq + v->n;
	return true;
}

bool mw_put_to(struct mw_writer *w, const uint8_t *boot)
{
	if (!mw_open(w, MW_TO, 0, MW_BOOT_LEN))
		return false;
	mw_add_bytes(w, boot, MW_BOOT_LEN);
	mw_close(w);
	return true;
}

bool mw_put_head(struct mw_writer *w, enum mw_kind kind, uint8_t flags, const struct mw_head *h)
{
	uint8_t *p;

	if (!mw_open(w, kind, flags, 18))
		return false;
	p = grow(w, 18);
	le16_put(p, h->lane);
	le64_put(p + 2, h->seq);
	le64_put(p + 10, h->msgs);
	mw_close(w);
	return true;
}

bool mw_put_announce(struct mw_writer *w, uint8_t flags, const struct mw_announce *a)
{
	uint8_t *p;

	if (!mw_open(w, MW_ANNOUNCE, flags, 10u + a->host_len + a->version_len))
		return false;
	p = grow(w, 10);
	le32_put(p, a->interval_ms);
	le16_put(p + 4, a->n_lanes);
	le16_put(p + 6, a->n_peers);
	p[8] = a->host_len;
	p[9] = a->version_len;
	mw_add_bytes(w, a->host, a->host_len);
	mw_add_bytes(w, a->version, a->version_len);
	mw_close(w);
	return true;
}

bool mw_put_challenge(struct mw_writer *w, enum mw_kind kind, const struct mw_challenge *v)
{
	uint8_t *p;

	if (!mw_open(w, kind, 0, MW_NONCE_LEN + 2))
		return false;
	p = grow(w, MW_NONCE_LEN + 2);
	memcpy(p, v->nonce, MW_NONCE_LEN);
	le16_put(p + MW_NONCE_LEN, v->size);
	mw_close(w);
	return true;
}

bool mw_put_refuse(struct mw_writer *w, const struct mw_refuse *r)
{
	uint8_t *p;

	if (!mw_open(w, MW_REFUSE, 0, 4 + MW_NONCE_LEN))
		return false;
	p = grow(w, 4 + MW_NONCE_LEN);
	p[0] = r->reason;
	p[1] = 0;
	le16_put(p + 2, r->size);
	memcpy(p + 4, r->nonce, MW_NONCE_LEN);
	mw_close(w);
	return true;
}

void mw_pad(struct mw_writer *w, size_t size)
{
	size_t end = size - MW_TAG_LEN, n;
	uint8_t *p;

	if (end > w->max)
		end = w->max;
	if (end < w->len + MW_CHUNK_LEN) {
		while (w->len < end)
			w->p[w->len++] = 0;
		return;
	}
	n = end - w->len - MW_CHUNK_LEN;
	mw_open(w, MW_PAD, 0, n);
	p = grow(w, n);
	memset(p, 0, n);
	mw_close(w);
}

uint8_t *mw_put_data(struct mw_writer *w, const struct mw_data *d)
{
	uint8_t *p;

	if (!mw_open(w, MW_DATA, (uint8_t)(d->hops | (d->repair ? MW_F_REPAIR : 0)),
	             MW_DATA_LEN + d->len))
		return NULL;
	p = grow(w, MW_DATA_LEN + d->len);
	le16_put(p, d->lane);
	le16_put(p + 2, d->first);
	le32_put(p + 4, d->msgs);
	le64_put(p + 8, d->seq);
	mw_close(w);
	return p + MW_DATA_LEN;
}
