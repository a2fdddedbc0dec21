/* aead_imb.c - AES-256-GCM and GMAC of libipsec-mb (x86-64)
 *
 * Its direct calls: no queue of jobs, no allocation, one call for a datagram.
 */

#include "mesh/aead.h"

#include <intel-ipsec-mb.h>

#include <stdlib.h>
#include <string.h>

struct imb {
	IMB_MGR *mgr;
};

/* The key data has to stand on 64 bytes. */
struct aead {
	struct gcm_key_data key;
	IMB_MGR *mgr; /* not owned */
	bool is_mac;  /* CIPHER_NONE */
};

struct imb *imb_start(void)
{
	const uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_SELF_TEST |
	                        IMB_FEATURE_SELF_TEST_PASS;
	struct imb *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	i->mgr = alloc_mb_mgr(0);
	if (i->mgr) {
		init_mb_mgr_auto(i->mgr, NULL);
		if ((i->mgr->features & needed) == needed)
			return i;
	}
	imb_end(i);
	return NULL;
}

void imb_end(struct imb *i)
{
	if (!i)
		return;
	if (i->mgr)
		free_mb_mgr(i->mgr);
	free(i);
}

static const char *library(void)
{
	return "libipsec-mb " IMB_VERSION_STR;
}

static struct aead *new_aead(struct crypto *c, enum cipher cipher)
{
	struct aead *a = aligned_alloc(_Alignof(struct aead), sizeof(*a));

	if (!a)
		return NULL;
	memset(a, 0, sizeof(*a));
	a->mgr = crypto_imb(c)->mgr;
	a->is_mac = cipher == CIPHER_NONE;
	return a;
}

static void free_aead(struct aead *a)
{
	if (!a)
		return;
	explicit_bzero(a, sizeof(*a));
	free(a);
}

static int set_key(struct aead *a, const uint8_t key[CRYPTO_KEY_LEN])
{
	IMB_AES256_GCM_PRE(a->mgr, key, &a->key);
	return 0;
}

static void mac(struct aead *a, const uint8_t *nonce, const uint8_t *ad, size_t ad_len,
                const uint8_t *buf, size_t len, uint8_t *tag)
{
	struct gcm_context_data ctx;

	IMB_AES256_GMAC_INIT(a->mgr, &a->key, &ctx, nonce, CRYPTO_NONCE_LEN);
	IMB_AES256_GMAC_UPDATE(a->mgr, &a->key, &ctx, ad, ad_len);
	IMB_AES256_GMAC_UPDATE(a->mgr, &a->key, &ctx, buf, len);
	IMB_AES256_GMAC_FINALIZE(a->mgr, &a->key, &ctx, tag, CRYPTO_TAG_LEN);
}

static int seal(struct aead *a, const uint8_t nonce[CRYPTO_NONCE_LEN], const uint8_t *ad,
                size_t ad_len, uint8_t *buf, size_t len, uint8_t tag[CRYPTO_TAG_LEN])
{
	struct gcm_context_data ctx;

	if (a->is_mac)
		mac(a, nonce, ad, ad_len, buf, len, tag);
	else
		IMB_AES256_GCM_ENC(a->mgr, &a->key, &ctx, buf, buf, len, nonce, ad, ad_len, tag,
		                   CRYPTO_TAG_LEN);
	return 0;
}

static int open_sealed(struct aead *a, const uint8_t nonce[CRYPTO_NONCE_LEN], const uint8_t *ad,
                       size_t ad_len, uint8_t *buf, size_t len, const uint8_t tag[CRYPTO_TAG_LEN])
{
	struct gcm_context_data ctx;
	uint8_t found[CRYPTO_TAG_LEN];

	if (a->is_mac)
		mac(a, nonce, ad, ad_len, buf, len, found);
	else
		IMB_AES256_GCM_DEC(a->mgr, &a->key, &ctx, buf, buf, len, nonce, ad, ad_len, found,
		                   CRYPTO_TAG_LEN);
	return crypto_equal(found, tag, CRYPTO_TAG_LEN) ? 0 : AEAD_FORGED;
}

const struct aead_impl aead_imb = {library, new_aead, free_aead, set_key, seal, open_sealed};
