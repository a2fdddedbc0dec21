/* crypto.h - the crypto libraries, as the mesh sees them
 *
 * libcrypto does everything on every CPU. Where libipsec-mb was built in and this CPU has AES
 * instructions, it does AES-256-GCM instead: the same bytes, in about a third of the time
 * (doc/decisions/mesh-crypto.md). Which library does what shows nowhere outside of crypto.c and the
 * two aead_*.c files. Both are loaded by crypto_new(), so that who needs none pays for none. No
 * randomness is drawn here, and no clock is read.
 */
#ifndef NC_MESH_CRYPTO_H
#define NC_MESH_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a secret, of a derived key, and of what crypto_mac() makes. */
#define CRYPTO_KEY_LEN   32u
#define CRYPTO_NONCE_LEN 12u
#define CRYPTO_TAG_LEN   16u

enum cipher {
	CIPHER_NONE,              /* nothing is hidden; the tag finds accidents, see aead.h */
	CIPHER_AES_256_GCM,       /* RFC 5116, AEAD_AES_256_GCM */
	CIPHER_CHACHA20_POLY1305, /* RFC 8439 */
};
#define CIPHER_N       3u
#define CIPHER_DEFAULT CIPHER_AES_256_GCM

/* The name that a key file bears: "none", "aes-256-gcm", "chacha20-poly1305". */
const char *cipher_name(enum cipher c);

/* The cipher of a name of `len` bytes. Returns false where it is none. */
bool cipher_of_name(enum cipher *c, const char *name, size_t len);

/* What the libraries need once per process: loaded, algorithms fetched, CPU looked at. Some
 * milliseconds; 2 MB. */
struct crypto;

enum crypto_flags {
	CRYPTO_PORTABLE = 1, /* libcrypto only, as on a CPU that libipsec-mb has nothing for */
};

/* Loads the libraries. Where libipsec-mb can't be loaded or does not serve, libcrypto does all.
 *
 * Returns 0; -ENOMEM; -ENOSYS where there is no libcrypto; -EOPNOTSUPP where this one has been
 * built or configured without one of the three algorithms. */
int crypto_new(struct crypto **out, unsigned flags);

/* The same with libraries of other names than at build time; NULL of `ipsec_mb` is none. */
int crypto_new_of(struct crypto **out, unsigned flags, const char *libcrypto, const char *ipsec_mb);

/* What an error of the last crypto_new() of this thread says to people: "libcrypto.so.3: cannot
 * open shared object file: No such file or directory". */
const char *crypto_strerror(int err);

/* After all that was made with it. NULL is nothing. */
void crypto_free(struct crypto *c);

/* Which library runs a cipher, with its version, for people: "libcrypto 3.0.19". */
const char *crypto_library(const struct crypto *c, enum cipher cipher);

/*
 * BLAKE2b (RFC 7693) with a key and 32 bytes of result: derives keys and ids. Nothing of the key
 * stays in the library's memory.
 *
 * Returns 0, -ENOMEM.
 */
int crypto_mac(struct crypto *c, uint8_t out[CRYPTO_KEY_LEN], const uint8_t key[CRYPTO_KEY_LEN],
               const void *p, size_t len);

/* Whether both are the same `n` bytes, in a time that says nothing about where they differ. */
bool crypto_equal(const void *a, const void *b, size_t n);

#endif
