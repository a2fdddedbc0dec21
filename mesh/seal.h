/* seal.h - seals and opens the datagrams of one boot under one key
 *
 * Every boot seals under keys of its own, derived from the group's secret, and a datagram's nonce
 * is the counter that it bears, so that no nonce is ever used twice under a key. Lengths stand
 * before what they count, so that no two inputs are the same bytes; lp(x) is one byte of length,
 * and x:
 *
 *   id      = first 4 bytes, little-endian, of MAC(secret, lp("nc-mesh/1 id") lp(cipher))
 *   key[i]  = MAC(secret, lp("nc-mesh/1 key") lp(cipher) lp(cluster) boot le32(i))
 *   nonce   = 00 00 00 00 le64(counter)
 *   sealed  = AEAD(key[counter >> 32], nonce, associated data, plaintext)
 *
 * MAC is BLAKE2b with a key and 32 bytes of result; cipher is its name, boot 16 bytes. Test vectors
 * stand in nc-mesh(7).
 *
 * Setting one of these up takes no memory and derives nothing until the first datagram, so that one
 * spare object opens what claims to come from boots that nobody knows: a forgery costs a derivation
 * and a look at the tag, about a microsecond together, and leaves nothing behind.
 */
#ifndef NC_MESH_SEAL_H
#define NC_MESH_SEAL_H

#include "mesh/key.h"

#define SEAL_BOOT_LEN 16u
#define SEAL_TAG_LEN  CRYPTO_TAG_LEN
/* The largest datagram that UDP carries over IPv4. */
#define SEAL_DATAGRAM_MAX 65507u

/* Of a cluster's name, bytes. */
#define SEAL_CLUSTER_MAX 255u

enum seal_error {
	SEAL_FORGED = 1, /* not sealed by this boot under this key, or altered */
};

struct seal;

/* An object that has no key yet. Returns 0, -ENOMEM. */
int seal_new(struct seal **out, struct crypto *c);

/* Wipes and frees. NULL is nothing. */
void seal_free(struct seal *s);

/* Makes it that of a key and a boot, whatever it was before. All is copied. `cluster` is at most
 * SEAL_CLUSTER_MAX bytes. Returns 0; -ENOMEM: it is, but what uses it tries for memory again. */
int seal_set(struct seal *s, const struct key *k, const char *cluster, size_t cluster_len,
             const uint8_t boot[SEAL_BOOT_LEN]);

/* Wipes the key and what was derived of it, and leaves the object as seal_new() makes it. */
void seal_clear(struct seal *s);

/* The key's id, of the last seal_set(); 0 without. */
uint32_t seal_key_id(const struct seal *s);

/*
 * Seals a datagram: encrypts the `len` bytes at `buf` in place, and makes the tag of these, the
 * `ad_len` bytes at `ad` and the counter. Counters of one boot rise by at least 1 each time, over
 * all its keys; that they do within one object is asserted, since a nonce used twice would give
 * away the key of all tags.
 *
 * Returns 0, -ENOMEM, -EIO (the library failed; it happens without memory only). On error `buf`
 * holds anything, and the counter counts as used.
 */
int seal_datagram(struct seal *s, uint64_t counter, const uint8_t *ad, size_t ad_len, uint8_t *buf,
                  size_t len, uint8_t tag[SEAL_TAG_LEN]);

/*
 * Opens a datagram in place. Forged ones move nothing: neither what comes after them nor its cost,
 * be it that their counter lies beyond the next 2^32.
 *
 * Returns 0; SEAL_FORGED, -ENOMEM, -EIO with zeros in `buf`.
 */
int seal_open(struct seal *s, uint64_t counter, const uint8_t *ad, size_t ad_len, uint8_t *buf,
              size_t len, const uint8_t tag[SEAL_TAG_LEN]);

#endif
