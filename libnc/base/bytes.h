/* bytes.h - short byte strings, where a call of libc would cost more than the work
 *
 * Names of channels and events are compared and copied for every message, and are a few bytes long.
 */
#ifndef NC_BASE_BYTES_H
#define NC_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What bytes_copy_blocks() moves at once. */
#define BYTES_BLOCK 16u

static inline uint64_t bytes_load64(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

static inline uint32_t bytes_load32(const uint8_t *p)
{
	uint32_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

/* Whether both are the same `n` bytes. */
static inline bool bytes_equal(const void *a, const void *b, size_t n)
{
	const uint8_t *p = a, *q = b;

	if (n >= 8) {
		/* the last one overlaps the one before it */
		for (size_t i = 0; i + 8 < n; i += 8)
			if (bytes_load64(p + i) != bytes_load64(q + i))
				return false;
		return bytes_load64(p + n - 8) == bytes_load64(q + n - 8);
	}
	if (n >= 4)
		return bytes_load32(p) == bytes_load32(q) &&
		       bytes_load32(p + n - 4) == bytes_load32(q + n - 4);
	return !n || (p[0] == q[0] && p[n / 2] == q[n / 2] && p[n - 1] == q[n - 1]);
}

/* Copies `n` bytes; up to BYTES_BLOCK - 1 bytes behind them are read, and written, too. */
static inline void bytes_copy_blocks(uint8_t *to, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i += BYTES_BLOCK)
		memcpy(to + i, from + i, BYTES_BLOCK);
}

#endif
