/* aead.h - one key of one cipher, made ready by one of the libraries
 *
 * Used by seal.c alone: it chooses keys and nonces. The same object seals and opens.
 *
 * CIPHER_NONE keeps the place of the tag: it is GMAC, that is AES-256-GCM with everything as
 * associated data and nothing to encrypt. Under a key that everybody knows this protects from
 * accidents and from nobody.
 */
#ifndef NC_MESH_AEAD_H
#define NC_MESH_AEAD_H

#include "mesh/crypto.h"

struct aead;

/* What opening may return above 0. */
enum aead_error {
	AEAD_FORGED = 1, /* the tag is not that of these bytes under this key */
};

/* What one library offers for one cipher. */
struct aead_impl {
	const char *(*library)(const struct crypto *c);
	/* An object without a key. Returns it, or NULL: no memory. */
	struct aead *(*new)(struct crypto *c, enum cipher cipher);
	/* Wipes it, and frees it. */
	void (*free)(struct aead *a);
	/* Takes another key, in place of the one before. Returns 0, -ENOMEM. */
	int (*key)(struct aead *a, const uint8_t key[CRYPTO_KEY_LEN]);
	/* Both work in place. Return 0; -EIO where the library fails, as it does without memory;
	 * AEAD_FORGED by open() only, and then `buf` holds anything. */
	int (*seal)(struct aead *a, const uint8_t nonce[CRYPTO_NONCE_LEN], const uint8_t *ad,
	            size_t ad_len, uint8_t *buf, size_t len, uint8_t tag[CRYPTO_TAG_LEN]);
	int (*open)(struct aead *a, const uint8_t nonce[CRYPTO_NONCE_LEN], const uint8_t *ad,
	            size_t ad_len, uint8_t *buf, size_t len, const uint8_t tag[CRYPTO_TAG_LEN]);
};

/* The implementation that this process uses for a cipher. */
const struct aead_impl *crypto_aead(const struct crypto *c, enum cipher cipher);

/* Of libcrypto, for all ciphers (aead_evp.c). evp_fetch() has been called once before: it returns
 * NULL where memory or a cipher is missing. `lib` outlives what it returns. */
struct evp;
struct libcrypto;
struct evp *evp_fetch(const struct libcrypto *lib);
void evp_release(struct evp *e);
struct evp *crypto_evp(const struct crypto *c);
extern const struct aead_impl aead_evp;

/* Of libipsec-mb, for AES-256-GCM and none (aead_imb.c). imb_start() returns NULL where there is
 * no such library, this CPU lacks AES or carry-less multiplication, the library's self-test fails,
 * or memory does. */
struct imb;
struct imb *imb_start(const char *soname);
void imb_end(struct imb *i);
struct imb *crypto_imb(const struct crypto *c);
extern const struct aead_impl aead_imb;

#endif
