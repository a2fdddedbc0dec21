/* crypto.c - chooses between the libraries, and derives */
#include "config.h"

#include "mesh/crypto.h"

#include "mesh/aead.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct crypto {
	EVP_MAC *blake2b;
	struct evp *evp;
	struct imb *imb; /* NULL: libcrypto does all */
};

static const char *const names[CIPHER_N] = {
        [CIPHER_NONE] = "none",
        [CIPHER_AES_256_GCM] = "aes-256-gcm",
        [CIPHER_CHACHA20_POLY1305] = "chacha20-poly1305",
};

const char *cipher_name(enum cipher c)
{
	return names[c];
}

bool cipher_of_name(enum cipher *c, const char *name, size_t len)
{
	for (unsigned i = 0; i < CIPHER_N; i++) {
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0) {
			*c = (enum cipher)i;
			return true;
		}
	}
	return false;
}

int crypto_new(struct crypto **out, unsigned flags)
{
	struct crypto *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	/* what a program of its own has in the system's openssl.cnf is none of ours */
	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL)) {
		crypto_free(c);
		return -ENOMEM;
	}
	c->blake2b = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_BLAKE2BMAC, NULL);
	c->evp = evp_fetch();
	if (!c->blake2b || !c->evp) {
		crypto_free(c);
		return -ENOSYS;
	}
#ifdef HAVE_IPSEC_MB
	if (!(flags & CRYPTO_PORTABLE))
		c->imb = imb_start();
#else
	(void)flags;
#endif
	*out = c;
	return 0;
}

void crypto_free(struct crypto *c)
{
	if (!c)
		return;
#ifdef HAVE_IPSEC_MB
	imb_end(c->imb);
#endif
	evp_release(c->evp);
	EVP_MAC_free(c->blake2b);
	free(c);
}

const struct aead_impl *crypto_aead(const struct crypto *c, enum cipher cipher)
{
#ifdef HAVE_IPSEC_MB
	if (c->imb && cipher != CIPHER_CHACHA20_POLY1305)
		return &aead_imb;
#else
	(void)c;
	(void)cipher;
#endif
	return &aead_evp;
}

struct evp *crypto_evp(const struct crypto *c)
{
	return c->evp;
}

struct imb *crypto_imb(const struct crypto *c)
{
	return c->imb;
}

const char *crypto_library(const struct crypto *c, enum cipher cipher)
{
	return crypto_aead(c, cipher)->library();
}

int crypto_mac(struct crypto *c, uint8_t out[CRYPTO_KEY_LEN], const uint8_t key[CRYPTO_KEY_LEN],
               const void *p, size_t len)
{
	size_t size = CRYPTO_KEY_LEN, n;
	OSSL_PARAM params[] = {
	        OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
	        OSSL_PARAM_construct_end(),
	};
	/* a new one each time costs a tenth more, and freeing it is what wipes the key */
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(c->blake2b);
	bool done = mac && EVP_MAC_init(mac, key, CRYPTO_KEY_LEN, params) &&
	            EVP_MAC_update(mac, p, len) && EVP_MAC_final(mac, out, &n, CRYPTO_KEY_LEN);

	EVP_MAC_CTX_free(mac);
	return done ? 0 : -ENOMEM;
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
