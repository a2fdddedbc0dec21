/* slab.h - counted blocks of received bytes, shared by all that still need them
 *
 * Connections read into slabs; messages, queues and partial frames hold ranges of them, each with
 * one reference. A slab goes back to its pool with its last reference; the pool keeps a few for
 * reuse, the one used last first, since it is still in the cache. One thread; no locks.
 */
#ifndef NC_BUS_SLAB_H
#define NC_BUS_SLAB_H

#include <stddef.h>
#include <stdint.h>

/* Of a standard slab: several reads, and so small that those in use at a time stay in a level-2
 * cache.
 */
#define SLAB_LEN (128u * 1024u - 64u)
/* Standard slabs that a pool keeps for reuse: 1 MiB at most. */
#define SLAB_KEEP 8u

struct slab_pool;

struct slab {
	struct slab_pool *pool;
	uint32_t refs;
	uint32_t cap;     /* bytes in data */
	uint32_t used;    /* bytes handed out so far, from the start; never shrinks while shared */
	uint32_t is_copy; /* made by a queue for what it copies out, and its alone */
	uint8_t data[];
};

struct slab_pool {
	struct slab *keep[SLAB_KEEP];
	size_t n_keep;
	size_t n_live;     /* slabs with references */
	size_t bytes_live; /* their memory */
	size_t list_bytes; /* of the lists that queues keep of ranges in them */
};

void slab_pool_init(struct slab_pool *p);

/* Frees what the pool keeps. No slab is alive any more (asserted). */
void slab_pool_fini(struct slab_pool *p);

/* A slab with room for `cap` bytes (at least; SLAB_LEN comes from the pool) and one reference, or
 * NULL without memory. */
struct slab *slab_new(struct slab_pool *p, uint32_t cap);

void slab_unref_last(struct slab *s);

static inline struct slab *slab_ref(struct slab *s)
{
	s->refs++;
	return s;
}

/* Drops a reference. NULL is fine. */
static inline void slab_unref(struct slab *s)
{
	if (s && --s->refs == 0)
		slab_unref_last(s);
}

static inline uint32_t slab_room(const struct slab *s)
{
	return s->cap - s->used;
}

#endif
