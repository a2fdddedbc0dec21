/* shrink.c - when memory that was freed is given back to the kernel */
#include "ncserver/io/shrink.h"

#include <malloc.h>

void shrink_note(struct shrink *s, size_t used, uint64_t work)
{
	if (used > s->peak)
		s->peak = used;
	if (work != s->work)
		s->is_settled = false;
}

void shrink_note_surge(struct shrink *s, size_t used)
{
	if (used > s->surge)
		s->surge = used;
}

bool shrink_wants_look(const struct shrink *s)
{
	return !s->is_settled && (s->peak >= SHRINK_MIN || s->surge >= SHRINK_MIN);
}

static bool is_past(size_t most, size_t used)
{
	return most >= SHRINK_MIN && used <= most / 2;
}

bool shrink_look(struct shrink *s, size_t used, uint64_t work)
{
	bool is_idle = work - s->work <= SHRINK_IDLE_WORK;

	s->work = work;
	s->is_settled = is_idle;
	if (!is_past(s->peak, used) && !(is_idle && is_past(s->surge, used)))
		return false;
	s->peak = used;
	/* under a load that goes on there will be the next one */
	if (is_idle)
		s->surge = used;
	return true;
}

void shrink_heap(void)
{
	/* other C libraries have no such call, or give back by themselves */
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
