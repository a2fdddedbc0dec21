/*
 * SipHash, a keyed hash for short input
 *
 * J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012
 * (eprint.iacr.org/2012/351). A table whose keys a peer can choose is hashed with a key that the
 * peer does not know, so that it cannot be filled with collisions.
 */
#ifndef NC_BASE_SIPHASH_H
#define NC_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_LEN 16

/*
 * The hash of LEN bytes at P under KEY. SipHash-2-4 is the authors' choice where the result leaves
 * the process; SipHash-1-3 is enough for a hash table, whose hashes nobody sees.
 */
uint64_t siphash24(const uint8_t key[SIPHASH_KEY_LEN], const void *p, size_t len);
uint64_t siphash13(const uint8_t key[SIPHASH_KEY_LEN], const void *p, size_t len);

#endif
