/* aead_evp.c - the AEADs of libcrypto
 *
 * An algorithm is fetched once per process, a key is set up once per context, and a datagram sets
 * nothing but the nonce: that is what makes libcrypto fast on small ones.
 */

#include "mesh/aead.h"
#include "mesh/libcrypto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct evp {
	const struct libcrypto *lib; /* not owned */
	EVP_CIPHER *cipher[CIPHER_N];
};

struct aead {
	const struct libcrypto *lib; /* not owned */
	EVP_CIPHER_CTX *ctx;
	EVP_CIPHER *cipher; /* not owned; NULL once the context knows it */
	bool is_mac;        /* CIPHER_NONE: the bytes are associated data too */
};

struct evp *evp_fetch(const struct libcrypto *lib)
{
	static const char *const names[CIPHER_N] = {
	        [CIPHER_NONE] = "AES-256-GCM",
	        [CIPHER_AES_256_GCM] = "AES-256-GCM",
	        [CIPHER_CHACHA20_POLY1305] = "ChaCha20-Poly1305",
	};
	struct evp *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->lib = lib;
	for (unsigned i = 0; i < CIPHER_N; i++) {
		e->cipher[i] = lib->EVP_CIPHER_fetch(NULL, names[i], NULL);
		if (!e->cipher[i]) {
			evp_release(e);
			return NULL;
		}
	}
	return e;
}

void evp_release(struct evp *e)
{
	if (!e)
		return;
	for (unsigned i = 0; i < CIPHER_N; i++)
		e->lib->EVP_CIPHER_free(e->cipher[i]);
	free(e);
}

static const char *library(const struct crypto *c)
{
	return crypto_evp(c)->lib->OpenSSL_version(OPENSSL_VERSION);
}

static struct aead *new_aead(struct crypto *c, enum cipher cipher)
{
	struct aead *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->lib = crypto_evp(c)->lib;
	a->ctx = a->lib->EVP_CIPHER_CTX_new();
	if (!a->ctx) {
		free(a);
		return NULL;
	}
	a->cipher = crypto_evp(c)->cipher[cipher];
	a->is_mac = cipher == CIPHER_NONE;
	return a;
}

static void free_aead(struct aead *a)
{
	if (!a)
		return;
	a->lib->EVP_CIPHER_CTX_free(a->ctx);
	free(a);
}

static int set_key(struct aead *a, const uint8_t key[CRYPTO_KEY_LEN])
{
	/* to name the cipher again would make the context anew */
	if (!a->lib->EVP_CipherInit_ex(a->ctx, a->cipher, NULL, key, NULL, 1))
		return -ENOMEM;
	a->cipher = NULL;
	return 0;
}

/* What sealing and opening share: nonce, tag to expect, associated data, bytes. libcrypto counts in
 * int; a datagram is far below. Returns whether all went well. */
static bool run(struct aead *a, int is_sealing, const uint8_t *nonce, const uint8_t *ad,
                size_t ad_len, uint8_t *buf, size_t len, const uint8_t *expected)
{
	uint8_t *out = a->is_mac ? NULL : buf;
	uint8_t tag[CRYPTO_TAG_LEN];
	int n;

	if (!a->lib->EVP_CipherInit_ex(a->ctx, NULL, NULL, NULL, nonce, is_sealing))
		return false;
	if (expected) {
		memcpy(tag, expected, sizeof(tag));
		if (!a->lib->EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag))
			return false;
	}
	if (ad_len && !a->lib->EVP_CipherUpdate(a->ctx, NULL, &n, ad, (int)ad_len))
		return false;
	return !len || a->lib->EVP_CipherUpdate(a->ctx, out, &n, buf, (int)len);
}

static int seal(struct aead *a, const uint8_t nonce[CRYPTO_NONCE_LEN], const uint8_t *ad,
                size_t ad_len, uint8_t *buf, size_t len, uint8_t tag[CRYPTO_TAG_LEN])
{
	uint8_t end[CRYPTO_TAG_LEN];
	int n;

	if (!run(a, 1, nonce, ad, ad_len, buf, len, NULL) ||
	    !a->lib->EVP_CipherFinal_ex(a->ctx, end, &n) ||
	    !a->lib->EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG_LEN, tag))
		return -EIO;
	return 0;
}

static int open_sealed(struct aead *a, const uint8_t nonce[CRYPTO_NONCE_LEN], const uint8_t *ad,
                       size_t ad_len, uint8_t *buf, size_t len, const uint8_t tag[CRYPTO_TAG_LEN])
{
	uint8_t end[CRYPTO_TAG_LEN];
	int n;

	if (!run(a, 0, nonce, ad, ad_len, buf, len, tag))
		return -EIO;
	return a->lib->EVP_CipherFinal_ex(a->ctx, end, &n) > 0 ? 0 : AEAD_FORGED;
}

const struct aead_impl aead_evp = {library, new_aead, free_aead, set_key, seal, open_sealed};
