/* memory.c - see memory.h
 *
 * The linker's --wrap leads the calls of the program, though not those inside shared libraries,
 * through here.
 */
#include "t/sim/memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static struct account *current;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t len);
void *__real_aligned_alloc(size_t align, size_t size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t len);
void *__wrap_aligned_alloc(size_t align, size_t size);

static void *taken(void *p)
{
	if (p && current) {
		current->held += malloc_usable_size(p);
		current->n++;
		if (current->peak < current->held)
			current->peak = current->held;
	}
	return p;
}

static void given(void *p)
{
	if (p && current) {
		current->held -= malloc_usable_size(p);
		current->n--;
	}
}

void *__wrap_malloc(size_t size)
{
	return taken(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return taken(__real_calloc(n, size));
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return taken(__real_aligned_alloc(align, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	void *q;

	given(p);
	q = __real_realloc(p, size);
	taken(q ? q : p);
	return q;
}

void __wrap_free(void *p)
{
	given(p);
	__real_free(p);
}

char *__wrap_strdup(const char *s)
{
	return taken(__real_strdup(s));
}

char *__wrap_strndup(const char *s, size_t len)
{
	return taken(__real_strndup(s, len));
}

struct account *account_enter(struct account *a)
{
	struct account *was = current;

	current = a;
	return was;
}

void *sim_calloc(size_t n, size_t size)
{
	void *p = __real_calloc(n, size);

	if (!p)
		abort();
	return p;
}

void *sim_realloc(void *p, size_t size)
{
	p = __real_realloc(p, size);
	if (!p)
		abort();
	return p;
}

void sim_free(void *p)
{
	__real_free(p);
}
