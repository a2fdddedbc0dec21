/* Memory of segments that came out of order */
#include "mesh/pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_ours(const struct pool *p, size_t len)
{
	return len > p->len / 2 && len <= p->len;
}

void *pool_get(struct pool *p, size_t len)
{
	void *at = p->first;

	if (!is_ours(p, len))
		return malloc(len);
	if (!at)
		return malloc(p->len);
	memcpy(&p->first, at, sizeof(p->first));
	p->n--;
	return at;
}

void pool_put(struct pool *p, void *at, size_t len)
{
	if (!at || !is_ours(p, len) || p->n == POOL_MAX) {
		free(at);
		return;
	}
	memcpy(at, &p->first, sizeof(p->first));
	p->first = at;
	p->n++;
}

void pool_clear(struct pool *p)
{
	while (p->n)
		free(pool_get(p, p->len));
}
