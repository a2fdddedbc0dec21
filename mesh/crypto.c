/* crypto.c - chooses between the libraries, and derives */
#include "config.h"

#include "mesh/crypto.h"

#include "mesh/aead.h"
#include "mesh/libcrypto.h"
#include "mesh/libs.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOL(function) LIBS_SYMBOL(libcrypto, function)

struct crypto {
	void *library;
	struct libcrypto lib;
	EVP_MAC *blake2b;
	struct evp *evp;
	struct imb *imb; /* NULL: libcrypto does all */
};

static const struct libs_symbol symbols[] = {
        SYMBOL(OPENSSL_init_crypto), SYMBOL(OpenSSL_version),     SYMBOL(EVP_MAC_fetch),
        SYMBOL(EVP_MAC_free),        SYMBOL(EVP_MAC_CTX_new),     SYMBOL(EVP_MAC_CTX_free),
        SYMBOL(EVP_MAC_init),        SYMBOL(EVP_MAC_update),      SYMBOL(EVP_MAC_final),
        SYMBOL(EVP_CIPHER_fetch),    SYMBOL(EVP_CIPHER_free),     SYMBOL(EVP_CIPHER_CTX_new),
        SYMBOL(EVP_CIPHER_CTX_free), SYMBOL(EVP_CIPHER_CTX_ctrl), SYMBOL(EVP_CipherInit_ex),
        SYMBOL(EVP_CipherUpdate),    SYMBOL(EVP_CipherFinal_ex),
};
#define N_SYMBOLS (sizeof(symbols) / sizeof(*symbols))
_Static_assert(N_SYMBOLS * sizeof(void (*)(void)) == sizeof(struct libcrypto), "one is not loaded");

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

static int set_up(struct crypto *c, const char *libcrypto)
{
	int err = libs_load(&c->library, libcrypto, symbols, N_SYMBOLS, &c->lib);

	if (err)
		return err;
	/* what a program of its own has in the system's openssl.cnf is none of ours */
	if (!c->lib.OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return -ENOMEM;
	c->blake2b = c->lib.EVP_MAC_fetch(NULL, OSSL_MAC_NAME_BLAKE2BMAC, NULL);
	c->evp = evp_fetch(&c->lib);
	return c->blake2b && c->evp ? 0 : -EOPNOTSUPP;
}

int crypto_new_of(struct crypto **out, unsigned flags, const char *libcrypto, const char *ipsec_mb)
{
	struct crypto *c = calloc(1, sizeof(*c));
	int err = c ? set_up(c, libcrypto) : -ENOMEM;

	if (err) {
		crypto_free(c);
		return err;
	}
#ifdef IPSEC_MB_SONAME
	if (!(flags & CRYPTO_PORTABLE))
		c->imb = imb_start(ipsec_mb);
#else
	(void)flags;
	(void)ipsec_mb;
#endif
	*out = c;
	return 0;
}

int crypto_new(struct crypto **out, unsigned flags)
{
#ifdef IPSEC_MB_SONAME
	return crypto_new_of(out, flags, LIBCRYPTO_SONAME, IPSEC_MB_SONAME);
#else
	return crypto_new_of(out, flags, LIBCRYPTO_SONAME, NULL);
#endif
}

const char *crypto_strerror(int err)
{
	switch (err) {
	case -ENOSYS: return libs_why();
	case -EOPNOTSUPP: return "libcrypto lacks BLAKE2b, AES-256-GCM or ChaCha20-Poly1305";
	default: return strerror(-err);
	}
}

void crypto_free(struct crypto *c)
{
	if (!c)
		return;
#ifdef IPSEC_MB_SONAME
	imb_end(c->imb);
#endif
	evp_release(c->evp);
	if (c->blake2b)
		c->lib.EVP_MAC_free(c->blake2b);
	libs_unload(c->library);
	free(c);
}

const struct aead_impl *crypto_aead(const struct crypto *c, enum cipher cipher)
{
#ifdef IPSEC_MB_SONAME
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
	return crypto_aead(c, cipher)->library(c);
}

int crypto_mac(struct crypto *c, uint8_t out[CRYPTO_KEY_LEN], const uint8_t key[CRYPTO_KEY_LEN],
               const void *p, size_t len)
{
	size_t size = CRYPTO_KEY_LEN, n;
	OSSL_PARAM params[] = {
	        OSSL_PARAM_size_t(OSSL_MAC_PARAM_SIZE, &size),
	        OSSL_PARAM_END,
	};
	/* a new one each time costs a tenth more, and freeing it is what wipes the key */
	EVP_MAC_CTX *mac = c->lib.EVP_MAC_CTX_new(c->blake2b);
	bool done = mac && c->lib.EVP_MAC_init(mac, key, CRYPTO_KEY_LEN, params) &&
	            c->lib.EVP_MAC_update(mac, p, len) &&
	            c->lib.EVP_MAC_final(mac, out, &n, CRYPTO_KEY_LEN);

	c->lib.EVP_MAC_CTX_free(mac);
	return done ? 0 : -ENOMEM;
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
	/* volatile: so that no compiler finds out that it might end early */
	const volatile uint8_t *x = a, *y = b;
	uint8_t differs = 0;

	for (size_t i = 0; i < n; i++)
		differs |= x[i] ^ y[i];
	return !differs;
}
