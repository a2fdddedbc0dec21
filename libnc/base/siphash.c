/*
 * SipHash, a keyed hash for short input
 *
 * Written from the paper, section 2; the names are its own: v0..v3, c compression rounds per 8-byte
 * word, d finalization rounds. Both forms come from one inlined body with c and d constant.
 */

#include "libnc/base/siphash.h"

#include "libnc/base/endian.h"

struct sip_state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate_left(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip_state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate_left(s->v1, 13) ^ s->v0;
	s->v3 = rotate_left(s->v3, 16) ^ s->v2;
	s->v0 = rotate_left(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate_left(s->v1, 17) ^ s->v2;
	s->v3 = rotate_left(s->v3, 21) ^ s->v0;
	s->v2 = rotate_left(s->v2, 32);
}

static inline void compress(struct sip_state *s, uint64_t word, int c)
{
	s->v3 ^= word;
	for (int i = 0; i < c; i++)
		sip_round(s);
	s->v0 ^= word;
}

/* The last word: the 0 to 7 bytes that are left, and the length modulo 256 in the topmost byte. */
static inline uint64_t last_word(const uint8_t *p, size_t len)
{
	uint64_t word = (uint64_t)len << 56;

	for (size_t i = 0; i < len % 8; i++)
		word |= (uint64_t)p[i] << (8 * i);
	return word;
}

static inline __attribute__((always_inline)) uint64_t siphash(const uint8_t *key, const uint8_t *p,
                                                              size_t len, int c, int d)
{
	uint64_t k0 = le64_get(key), k1 = le64_get(key + 8);
	const uint8_t *end = p + (len & ~(size_t)7);
	struct sip_state s = {
	        .v0 = k0 ^ UINT64_C(0x736f6d6570736575),
	        .v1 = k1 ^ UINT64_C(0x646f72616e646f6d),
	        .v2 = k0 ^ UINT64_C(0x6c7967656e657261),
	        .v3 = k1 ^ UINT64_C(0x7465646279746573),
	};

	for (; p != end; p += 8)
		compress(&s, le64_get(p), c);
	compress(&s, last_word(p, len), c);
	s.v2 ^= 0xff;
	for (int i = 0; i < d; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash24(const uint8_t key[SIPHASH_KEY_LEN], const void *p, size_t len)
{
	return siphash(key, p, len, 2, 4);
}

uint64_t siphash13(const uint8_t key[SIPHASH_KEY_LEN], const void *p, size_t len)
{
	return siphash(key, p, len, 1, 3);
}
