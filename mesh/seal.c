/* seal.c - derives a sender's keys, and runs a datagram through the cipher
 *
 * Two keys are kept ready: the one of the datagrams that are genuine, and one for a counter whose
 * upper half is another. Only a genuine datagram makes the second the first, so nobody without the
 * key can make an honest datagram cost a derivation.
 */

#include "mesh/seal.h"

#include "libnc/base/endian.h"
#include "mesh/aead.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LABEL "nc-mesh/1 key"
/* lp() of label, cipher and cluster, the boot, the index. */
#define INPUT_MAX (sizeof(LABEL) + 32 + 1 + SEAL_CLUSTER_MAX + SEAL_BOOT_LEN + 4)

struct ready {
	struct aead *aead;
	uint32_t index; /* counter >> 32 */
	bool is_keyed;
};

struct seal {
	struct crypto *crypto;
	const struct aead_impl *impl;
	enum cipher cipher;
	uint32_t key_id;
	uint8_t secret[CRYPTO_KEY_LEN];
	uint8_t input[INPUT_MAX];
	size_t input_len; /* without the index; 0: no key */
	uint64_t next;    /* the least counter that seal_datagram() takes */
	struct ready now, other;
};

int seal_new(struct seal **out, struct crypto *c)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->crypto = c;
	return 0;
}

static void drop(struct seal *s, struct ready *r)
{
	if (r->aead)
		s->impl->free(r->aead);
	*r = (struct ready){0};
}

void seal_clear(struct seal *s)
{
	struct crypto *crypto = s->crypto;

	drop(s, &s->now);
	drop(s, &s->other);
	explicit_bzero(s, sizeof(*s));
	s->crypto = crypto;
}

void seal_free(struct seal *s)
{
	if (s)
		seal_clear(s);
	free(s);
}

/* lp(), of at most 255 bytes */
static void put(struct seal *s, const void *p, size_t len)
{
	s->input[s->input_len++] = (uint8_t)len;
	if (len)
		memcpy(s->input + s->input_len, p, len);
	s->input_len += len;
}

int seal_set(struct seal *s, const struct key *k, const char *cluster, size_t cluster_len,
             const uint8_t boot[SEAL_BOOT_LEN])
{
	const char *cipher = cipher_name(k->cipher);

	assert(cluster_len <= SEAL_CLUSTER_MAX);
	if (s->input_len && s->cipher != k->cipher)
		drop(s, &s->now);
	drop(s, &s->other); /* the next datagram takes the place of the one, nothing of the other */
	s->impl = crypto_aead(s->crypto, k->cipher);
	s->cipher = k->cipher;
	s->key_id = k->id;
	memcpy(s->secret, k->secret, sizeof(s->secret));
	s->input_len = 0;
	put(s, LABEL, sizeof(LABEL) - 1);
	put(s, cipher, strlen(cipher));
	put(s, cluster, cluster_len);
	memcpy(s->input + s->input_len, boot, SEAL_BOOT_LEN);
	s->input_len += SEAL_BOOT_LEN;
	s->next = 0;
	s->now.is_keyed = false;
	if (!s->now.aead)
		s->now.aead = s->impl->new (s->crypto, k->cipher);
	return s->now.aead ? 0 : -ENOMEM;
}

uint32_t seal_key_id(const struct seal *s)
{
	return s->key_id;
}

static int derive(struct seal *s, struct ready *r, uint32_t index)
{
	uint8_t key[CRYPTO_KEY_LEN];
	int err;

	r->is_keyed = false;
	if (!r->aead)
		r->aead = s->impl->new (s->crypto, s->cipher);
	if (!r->aead)
		return -ENOMEM;
	le32_put(s->input + s->input_len, index);
	err = crypto_mac(s->crypto, key, s->secret, s->input, s->input_len + 4);
	if (!err)
		err = s->impl->key(r->aead, key);
	explicit_bzero(key, sizeof(key));
	if (err)
		return err;
	r->index = index;
	r->is_keyed = true;
	return 0;
}

/* Makes the key of a counter ready: in `now` where that is the one or none is, else in `other`. */
static int make_ready(struct seal *s, uint64_t counter, struct ready **out)
{
	uint32_t index = (uint32_t)(counter >> 32);
	struct ready *r = !s->now.is_keyed || s->now.index == index ? &s->now : &s->other;

	*out = r;
	return r->is_keyed && r->index == index ? 0 : derive(s, r, index);
}

static void take_over(struct seal *s, struct ready *r)
{
	struct ready before = s->now;

	if (r == &s->now)
		return;
	s->now = s->other;
	s->other = before;
}

static void put_nonce(uint8_t nonce[CRYPTO_NONCE_LEN], uint64_t counter)
{
	le32_put(nonce, 0);
	le64_put(nonce + 4, counter);
}

int seal_datagram(struct seal *s, uint64_t counter, const uint8_t *ad, size_t ad_len, uint8_t *buf,
                  size_t len, uint8_t tag[SEAL_TAG_LEN])
{
	uint8_t nonce[CRYPTO_NONCE_LEN];
	struct ready *r;
	int err;

	assert(s->input_len && counter >= s->next && counter < UINT64_MAX);
	assert(ad_len <= SEAL_DATAGRAM_MAX && len <= SEAL_DATAGRAM_MAX);
	s->next = counter + 1;
	err = make_ready(s, counter, &r);
	if (err)
		return err;
	take_over(s, r);
	put_nonce(nonce, counter);
	return s->impl->seal(s->now.aead, nonce, ad, ad_len, buf, len, tag);
}

int seal_open(struct seal *s, uint64_t counter, const uint8_t *ad, size_t ad_len, uint8_t *buf,
              size_t len, const uint8_t tag[SEAL_TAG_LEN])
{
	uint8_t nonce[CRYPTO_NONCE_LEN];
	struct ready *r;
	int err;

	assert(s->input_len && ad_len <= SEAL_DATAGRAM_MAX && len <= SEAL_DATAGRAM_MAX);
	err = make_ready(s, counter, &r);
	if (!err) {
		put_nonce(nonce, counter);
		err = s->impl->open(r->aead, nonce, ad, ad_len, buf, len, tag);
	}
	if (err)
		memset(buf, 0, len);
	else
		take_over(s, r);
	return err == AEAD_FORGED ? SEAL_FORGED : err;
}
