/*
 * Little-endian byte codecs
 *
 * The only way by which numbers enter or leave a byte stream: no struct is ever cast onto a buffer.
 * The functions take any alignment; the caller has checked that the bytes are there.
 */
#ifndef NC_BASE_ENDIAN_H
#define NC_BASE_ENDIAN_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t le16_get(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline uint32_t le32_get(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t le64_get(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline void le16_put(void *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void le32_put(void *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void le64_put(void *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

/* Doubles travel as the 64 bits of IEEE 754 binary64. */
static inline double le64_get_double(const void *p)
{
	uint64_t bits = le64_get(p);
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static inline void le64_put_double(void *p, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	le64_put(p, bits);
}

#endif
