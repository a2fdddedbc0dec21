/* slab.c - counted blocks of received bytes */
#include "ncserver/bus/slab.h"

#include <assert.h>
#include <stdlib.h>

void slab_pool_init(struct slab_pool *p)
{
	*p = (struct slab_pool){0};
}

void slab_pool_fini(struct slab_pool *p)
{
	assert(p->n_live == 0);
	assert(p->list_bytes == 0);
	while (p->n_keep > 0)
		free(p->keep[--p->n_keep]);
}

struct slab *slab_new(struct slab_pool *p, uint32_t cap)
{
	struct slab *s;

	if (cap == SLAB_LEN && p->n_keep > 0) {
		s = p->keep[--p->n_keep];
	} else {
		s = malloc(sizeof(*s) + cap);
		if (!s)
			return NULL;
		s->cap = cap;
		s->pool = p;
	}
	s->refs = 1;
	s->used = 0;
	s->is_copy = 0;
	p->n_live++;
	p->bytes_live += sizeof(*s) + s->cap;
	return s;
}

void slab_unref_last(struct slab *s)
{
	struct slab_pool *p = s->pool;

	p->n_live--;
	p->bytes_live -= sizeof(*s) + s->cap;
	if (s->cap == SLAB_LEN && p->n_keep < SLAB_KEEP)
		p->keep[p->n_keep++] = s;
	else
		free(s);
}
