/* mesh_vectors.h - the test vectors of nc-mesh(7), as data */
#ifndef NC_T_UNIT_MESH_VECTORS_H
#define NC_T_UNIT_MESH_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#define VECTOR_CLUSTER   "netcluster"
#define VECTOR_HEAD_LEN  32u
#define VECTOR_PLAIN_LEN 26u
#define VECTOR_LEN       (VECTOR_HEAD_LEN + VECTOR_PLAIN_LEN + 16u)

extern const uint8_t vector_secret[32]; /* 00 01 ... 1f */
extern const uint8_t vector_boot[16];   /* a0 a1 ... af */
/* What stands between header and tag: a time stamp and a HEAD. */
extern const uint8_t vector_plain[VECTOR_PLAIN_LEN];

/* One datagram; bytes in hexadecimal, lower case. */
struct vector {
	const char *cipher;
	uint32_t id; /* of the key; 0: none */
	uint64_t counter;
	const char *key;   /* derived, for the upper half of the counter */
	const char *nonce; /* */
	const char *datagram;
};
extern const struct vector vectors[];
extern const size_t n_vectors;

/* The header of a vector's datagram. */
void vector_head(const struct vector *v, uint8_t head[VECTOR_HEAD_LEN]);

/* Bytes in hexadecimal, in a buffer that the next call but three uses again. */
const char *vector_hex(const uint8_t *p, size_t len);

#endif
