/* pool.h - memory of segments that came out of order
 *
 * With losses there is nearly always a hole, and behind it every segment waits in memory of its
 * own for a round trip. That of full ones is kept for the next, last used first, while it is still
 * in the cache: malloc() has no cache of its own for this length.
 */
#ifndef NC_MESH_POOL_H
#define NC_MESH_POOL_H

#include <stddef.h>
#include <stdint.h>

/* Kept at most: what comes in a round trip. */
#define POOL_MAX 1024u

struct pool {
	size_t len; /* of a full segment; those of less than half, or more, are malloc's */
	void *first;
	uint32_t n;
};

/* Bytes for a segment of `len`. NULL: no memory. */
void *pool_get(struct pool *p, size_t len);
/* Gives back what pool_get() returned for `len`. NULL is taken. */
void pool_put(struct pool *p, void *at, size_t len);
/* Gives what is kept to malloc. */
void pool_clear(struct pool *p);

#endif
