/* Proof: that a boot is there now, at its address, and that full datagrams pass
 *
 * A small challenge, then a full one. What was sent before the full one's answer is never listened
 * to, so that nothing recorded works on a host that was not there.
 */
#include "mesh/state.h"

#include <stdlib.h>
#include <string.h>

/* How often the full size is tried again once a smaller one has passed, CHALLENGE_TRIES times each:
 * with a fifth lost in both directions less than one host in a million is refused wrongly. */
#define FULL_ROUNDS 3u

enum stage {
	STAGE_SMALL = 0,
	STAGE_FULL,
	STAGE_LADDER, /* and following: smaller and smaller */
};

/* Payloads of common links, less and less; for telling the operator. */
static const uint16_t ladder[] = {
        8972, 4052, 1472, 1452, 1412, 1372, 1252, 1024, MESH_DATAGRAM_MIN};
#define N_LADDER (sizeof(ladder) / sizeof(ladder[0]))

static uint16_t stage_size(const struct mesh *m, unsigned stage)
{
	size_t i;

	if (stage == STAGE_SMALL)
		return MW_CHALLENGE_SIZE;
	if (stage == STAGE_FULL)
		return (uint16_t)m->cfg.mtu;
	for (i = 0; i < N_LADDER; i++)
		if (ladder[i] < m->cfg.mtu && stage-- == STAGE_LADDER)
			return ladder[i];
	return 0;
}

static void wake(struct mesh *m, struct peer *p, uint64_t at)
{
	p->challenge_at = at;
	peer_wake(m, p, at);
}

static void enter(struct mesh *m, struct peer *p, unsigned stage, uint64_t at)
{
	p->stage = (uint8_t)stage;
	p->tries = 0;
	p->nonce_set = false;
	p->challenge_size = stage_size(m, stage);
	wake(m, p, at);
}

void proof_begin(struct mesh *m, struct peer *p, const struct mesh_addr *from, uint64_t now)
{
	uint64_t spread = 10 * NS_MS * (m->n_up + m->n_new);

	p->addr = *from;
	p->contest_at = 0;
	p->rival = NULL;
	p->passes = 0;
	p->full_rounds = 0;
	p->proven = false;
	p->heard_at = now;
	list_del(&p->ask_link);
	peer_set_state(m, p, MESH_PEER_NEW, now);
	enter(m, p, STAGE_SMALL, now + mesh_jitter(m, spread < NS_S ? spread : NS_S));
}

void proof_heard(struct mesh *m, struct peer *p, const struct mesh_addr *from, uint64_t counter,
                 uint64_t now)
{
	bool is_newest = counter > p->top;

	p->top = is_newest ? counter : p->top;
	if (!is_newest || p->contest_at || !memcmp(&p->addr, from, sizeof(p->addr)))
		return;
	p->addr = *from;
	enter(m, p, STAGE_SMALL, now);
}

/* Asks a peer that is proven whether it is still there. */
void proof_probe(struct mesh *m, struct peer *p, uint64_t now)
{
	if (p->challenge_at != NEVER && p->challenge_at > now)
		return;
	p->challenge_size = MW_CHALLENGE_SIZE;
	p->tries = 0;
	peer_ctl(m, p, CTL_CHALLENGE);
	wake(m, p, now + CHALLENGE_NS);
}

static void forget(struct mesh *m, struct peer *p, uint64_t now)
{
	if (p->replay)
		peer_gone(m, p, MESH_PEER_GONE, now);
	else
		peer_free(m, p);
}

static void refuse(struct mesh *m, struct peer *p, enum mw_refusal why, uint64_t now)
{
	p->refusal = (uint8_t)why;
	p->retry_at = now + REFUSED_NS;
	peer_gone(m, p,
	          why == MW_REFUSE_MTU            ? MESH_PEER_REFUSED_MTU
	          : strcmp(p->host, m->host) == 0 ? MESH_PEER_REFUSED_SELF
	                                          : MESH_PEER_REFUSED_NAME,
	          now);
	peer_ctl(m, p, CTL_REFUSE);
}

static void accept_peer(struct mesh *m, struct peer *p, uint64_t now)
{
	struct list *it, *next;

	if (!p->replay && !(p->replay = malloc(sizeof(*p->replay)))) {
		forget(m, p, now);
		return;
	}
	replay_init(p->replay, p->first + 1);
	p->top = p->first;
	p->proven = true;
	p->challenge_at = NEVER;
	p->nonce_set = false;
	p->contest_at = 0;
	p->rival = NULL;
	p->heard_at = p->hears_us_at = now;
	bucket_init(&p->budget, m->cfg.rate ? m->cfg.rate / 4 : 0, (int64_t)m->cfg.lane_max * 2,
	            now);
	p->repair_left = 2 * (int64_t)m->cfg.lane_max;
	p->repair_seen = m->stats.data_out;
	/* Earlier boots of this host are over. */
	list_for_each_safe(it, next, &p->name->peers) {
		struct peer *q = list_entry(it, struct peer, name_link);

		if (q != p && (q->state == MESH_PEER_GONE || q->state == MESH_PEER_LEFT))
			peer_free(m, q);
	}
	peer_set_state(m, p, MESH_PEER_UP, now);
}

void proof_sweep(struct mesh *m, struct peer *p, uint64_t now)
{
	if (p->contest_at) {
		if (p->rival && p->rival->proven && now < p->contest_at) {
			proof_probe(m, p->rival, now);
			wake(m, p,
			     now + CHALLENGE_NS < p->contest_at ? now + CHALLENGE_NS
			                                        : p->contest_at);
			return;
		}
		if (p->rival && p->rival->proven)
			peer_gone(m, p->rival, MESH_PEER_GONE, now);
		accept_peer(m, p, now);
		return;
	}
	if (now < p->challenge_at) {
		wake(m, p, p->challenge_at);
		return;
	}
	if (p->tries < CHALLENGE_TRIES) {
		/* Who is half proven is first: whole peers are of use. */
		if (list_linked(&p->ask_link))
			;
		else if (p->stage == STAGE_SMALL)
			list_add_tail(&m->asking, &p->ask_link);
		else
			list_add_head(&m->asking, &p->ask_link);
		return;
	}
	if (p->stage == STAGE_SMALL)
		forget(m, p, now);
	else if (p->full_rounds && ++p->full_rounds <= FULL_ROUNDS)
		enter(m, p, STAGE_FULL, now);
	else if (!p->full_rounds && stage_size(m, p->stage + 1u))
		enter(m, p, p->stage + 1u, now);
	else if (!p->full_rounds)
		forget(m, p, now); /* no link is so narrow: it is busy, or gone */
	else
		refuse(m, p, MW_REFUSE_MTU, now);
}

static bool name_fits(const char *s, size_t n)
{
	size_t i;

	if (!n || n > MESH_HOST_MAX)
		return false;
	for (i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return true;
}

static bool take_names(struct mesh *m, struct peer *p, const struct mw_announce *a)
{
	size_t n = name_fits(a->version, a->version_len) ? a->version_len : 0, i;

	if (peer_name(m, p, a->host, a->host_len))
		return false;
	for (i = 0; !n && i < a->version_len && i < MESH_VERSION_MAX; i++)
		p->version[i] = a->version[i] >= ' ' && a->version[i] <= '~' ? a->version[i] : '?';
	if (n)
		memcpy(p->version, a->version, n);
	p->version[n ? n : i] = 0;
	return true;
}

/* Full datagrams pass both ways: does its name, too? */
static void prove(struct mesh *m, struct peer *p, uint64_t now)
{
	struct list *it;

	if (!strcmp(p->host, m->host)) {
		refuse(m, p, MW_REFUSE_NAME, now);
		return;
	}
	list_for_each(it, &p->name->peers) {
		struct peer *q = list_entry(it, struct peer, name_link);

		if (q == p || !q->proven)
			continue;
		p->rival = q;
		p->contest_at = now + CONTEST_NS;
		q->nonce_set = false;
		q->challenge_at = NEVER;
		proof_probe(m, q, now);
		wake(m, p, now + CHALLENGE_NS);
		return;
	}
	accept_peer(m, p, now);
}

/* The bearer of a name lives: whoever contests it is refused. */
static void defend(struct mesh *m, struct peer *p, uint64_t now)
{
	struct list *it, *next;

	list_for_each_safe(it, next, &m->peers) {
		struct peer *q = list_entry(it, struct peer, link);

		if (q->rival == p && q->contest_at) {
			q->rival = NULL;
			q->contest_at = 0;
			refuse(m, q, MW_REFUSE_NAME, now);
		}
	}
}

static bool is_refused(const struct peer *p)
{
	return p->state >= MESH_PEER_REFUSED_NAME;
}

static void wake_retry(struct mesh *m, struct peer *p, uint64_t at)
{
	p->retry_at = at;
	peer_wake(m, p, at);
}

void proof_on_challenge(struct mesh *m, struct peer *p, const struct mw_challenge *c, size_t len,
                        const struct mesh_addr *from, uint64_t now)
{
	if (c->size != len || c->size < MW_CHALLENGE_SIZE || c->size > m->cfg.mtu ||
	    p->state == MESH_PEER_LEFT || !bucket_has(&p->answers, now) ||
	    !bucket_has(&m->answers, now))
		return;
	bucket_spend(&p->answers, 1);
	bucket_spend(&m->answers, 1);
	memcpy(p->answer_nonce, c->nonce, sizeof(p->answer_nonce));
	p->answer_size = c->size;
	p->answer_to = *from;
	/* It has refused us, and asks again: so will we. */
	if (is_refused(p) && !p->refusal && p->retry_at > now + NS_S)
		wake_retry(m, p, now + NS_S);
	/* A refusal that it told us is its own affair: only ours is repeated. */
	peer_ctl(m, p, is_refused(p) && p->refusal ? CTL_REFUSE : CTL_ANSWER);
}

void proof_on_answer(struct mesh *m, struct peer *p, const struct mw_challenge *c,
                     const struct mw_announce *a, size_t len, const struct mesh_addr *from,
                     uint64_t counter, uint64_t now)
{
	if (!p->nonce_set || memcmp(p->nonce, c->nonce, sizeof(p->nonce)) || c->size != len ||
	    c->size != p->challenge_size || memcmp(from, &p->addr, sizeof(*from)) ||
	    !name_fits(a->host, a->host_len) ||
	    (p->proven &&
	     (strlen(p->host) != a->host_len || memcmp(p->host, a->host, a->host_len))))
		return;
	if (p->tries <= 1)
		peer_rtt(p, now - p->challenged_at);
	p->passes = c->size > p->passes ? c->size : p->passes;
	p->nonce_set = false;
	if (p->proven) {
		defend(m, p, now);
		return;
	}
	if (p->state != MESH_PEER_NEW || p->contest_at)
		return;
	if (!take_names(m, p, a))
		return;
	p->first = counter;
	if (p->stage == STAGE_SMALL) {
		enter(m, p, STAGE_FULL, now);
	} else if (p->stage == STAGE_FULL) {
		prove(m, p, now);
	} else {
		/* Smaller ones pass: or has chance lost the full ones? */
		p->full_rounds = 1;
		enter(m, p, STAGE_FULL, now);
	}
}

void proof_on_refuse(struct mesh *m, struct peer *p, const struct mw_refuse *r,
                     const struct mw_announce *a, uint64_t now)
{
	bool fresh = p->nonce_set && !memcmp(p->nonce, r->nonce, sizeof(p->nonce));

	if (is_refused(p) || (!fresh && !p->proven) || !name_fits(a->host, a->host_len))
		return;
	if (!p->proven && !take_names(m, p, a))
		return;
	p->refusal = 0;
	p->retry_at = now + REFUSED_NS;
	if (r->size)
		p->passes = r->size;
	peer_gone(m, p, r->reason == MW_REFUSE_MTU ? MESH_PEER_REFUSED_MTU : MESH_PEER_REFUSED_NAME,
	          now);
}

/* ---- turns ---- */

/* Asking peers that are silent is not bounded: there are few, and they were proven. Newcomers wait
 * for their turn. */
void proof_tick(struct mesh *m, uint64_t now)
{
	while (!list_empty(&m->asking) && bucket_has(&m->challenges, now)) {
		struct peer *p = list_entry(m->asking.next, struct peer, ask_link);

		list_del(&p->ask_link);
		if (p->state != MESH_PEER_NEW || p->contest_at)
			continue;
		bucket_spend(&m->challenges, 1);
		peer_ctl(m, p, CTL_CHALLENGE);
		wake(m, p, now + CHALLENGE_NS);
	}
}

uint64_t proof_when(const struct mesh *m)
{
	return list_empty(&m->asking) ? NEVER : bucket_when(&m->challenges);
}

/* ---- writing ---- */

bool proof_write_challenge(struct mesh *m, struct peer *p, struct mw_writer *w, uint64_t now)
{
	struct mw_challenge c = {.size = p->challenge_size};

	if (!p->proven && p->state != MESH_PEER_NEW)
		return false;
	if (!p->nonce_set)
		m->env.random(m->env.arg, p->nonce, sizeof(p->nonce));
	p->nonce_set = true;
	p->challenged_at = now;
	p->tries++;
	memcpy(c.nonce, p->nonce, sizeof(c.nonce));
	mw_put_to(w, p->boot);
	mw_put_challenge(w, MW_CHALLENGE, &c);
	mw_pad(w, c.size);
	return true;
}

bool proof_write_answer(struct mesh *m, struct peer *p, struct mw_writer *w)
{
	struct mw_challenge c = {.size = p->answer_size};

	memcpy(c.nonce, p->answer_nonce, sizeof(c.nonce));
	mw_put_to(w, p->boot);
	announce_put_self(m, w, 0);
	mw_put_challenge(w, MW_ANSWER, &c);
	/* Whoever is proven by it need not wait for the next announcement. */
	if (c.size == m->cfg.mtu)
		announce_put_lanes(m, w);
	mw_pad(w, c.size);
	return true;
}

void proof_write_refuse(struct peer *p, struct mw_writer *w)
{
	struct mw_refuse r = {.reason = p->refusal, .size = p->passes};

	memcpy(r.nonce, p->answer_nonce, sizeof(r.nonce));
	mw_put_refuse(w, &r);
}
