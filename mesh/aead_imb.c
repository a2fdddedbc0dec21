/* aead_imb.c - AES-256-GCM and GMAC of libipsec-mb (x86-64)
 *
 * Its direct calls: no queue of jobs, no allocation, one call for a datagram.
 */

#include "mesh/aead.h"
#include "mesh/libs.h"

#include <intel-ipsec-mb.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The functions by their names; the others hang at the manager, and the header's macros call them.
 */
struct libimb {
	__typeof__(alloc_mb_mgr) *alloc_mb_mgr;
	__typeof__(free_mb_mgr) *free_mb_mgr;
	__typeof__(init_mb_mgr_auto) *init_mb_mgr_auto;
	__typeof__(imb_get_version_str) *imb_get_version_str;
};

static const struct libs_symbol symbols[] = {
        LIBS_SYMBOL(libimb, alloc_mb_mgr),
        LIBS_SYMBOL(libimb, free_mb_mgr),
        LIBS_SYMBOL(libimb, init_mb_mgr_auto),
        LIBS_SYMBOL(libimb, imb_get_version_str),
};
#define N_SYMBOLS (sizeof(symbols) / sizeof(*symbols))
_Static_assert(N_SYMBOLS * sizeof(void (*)(void)) == sizeof(struct libimb), "one is not loaded");

struct imb {
	void *library;
	struct libimb lib;
	IMB_MGR *mgr;
	char name[64];
};

/* The key data has to stand on 64 bytes. */
struct aead {
	struct gcm_key_data key;
	IMB_MGR *mgr; /* not owned */
	bool is_mac;  /* CIPHER_NONE */
};

static bool set_up(struct imb *i, const char *soname)
{
	const uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_SELF_TEST |
	                        IMB_FEATURE_SELF_TEST_PASS;

	if (!soname || libs_load(&i->library, soname, symbols, N_SYMBOLS, &i->lib))
		return false;
	i->mgr = i->lib.alloc_mb_mgr(0);
	if (!i->mgr)
		return false;
	i->lib.init_mb_mgr_auto(i->mgr, NULL);
	snprintf(i->name, sizeof(i->name), "libipsec-mb %s", i->lib.imb_get_version_str());
	return (i->mgr->features & needed) == needed;
}

struct imb *imb_start(const char *soname)
{
	struct imb *i = calloc(1, sizeof(*i));

	if (i && set_up(i, soname))
		return i;
	imb_end(i);
	return NULL;
}

void imb_end(struct imb *i)
{
	if (!i)
		return;
	if (i->mgr)
		i->lib.free_mb_mgr(i->mgr);
	libs_unload(i->library);
	free(i);
}

static const char *library(const struct crypto *c)
{
	return crypto_imb(c)->name;
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
