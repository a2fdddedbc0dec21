/* queue_cut.c - where messages end in a range of whole ones */
#include <string.h>

#include "libnc/base/endian.h"
#include "ncserver/bus/ring.h"

uint32_t queue_first_len(enum queue_dialect dialect, const uint8_t *p, uint32_t len)
{
	if (dialect == QUEUE_NATIVE) {
		uint32_t n = le32_get(p);

		assert(n >= FRAME_PREFIX_LEN && n <= len);
		return n;
	}
	const uint8_t *end = memchr(p, 0, len);

	assert(end);
	return (uint32_t)(end - p) + 1;
}

uint32_t queue_fit_len(enum queue_dialect dialect, const uint8_t *p, uint32_t len, uint32_t max,
                       uint32_t *n)
{
	uint32_t done = 0;

	*n = 0;
	while (done < len) {
		uint32_t m = queue_first_len(dialect, p + done, len - done);

		if (m > max - done)
			break;
		done += m;
		++*n;
	}
	return done;
}
