/* shrink.c - when memory that was freed is given back to the kernel */
#include "ncserver/io/shrink.h"

#include <malloc.h>

bool shrink_note(struct shrink *s, size_t used)
{
	if (used > s->peak)
		s->peak = used;
	return s->peak >= SHRINK_MIN;
}

bool shrink_look(struct shrink *s, size_t used)
{
	if (s->peak < SHRINK_MIN || used > s->peak / 2)
		return false;
	s->peak = used;
	return true;
}

void shrink_heap(void)
{
	/* other C libraries have no such call, or give back by themselves */
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
