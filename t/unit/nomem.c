/*
 * Running out of memory on purpose
 *
 * The linker's --wrap leads the calls of the program, though not those inside shared libraries,
 * through here. Freeing is not watched: that is what ASan is for.
 */

#include "t/unit/nomem.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool armed, failed;
static unsigned n_left;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t len);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t len);

void nomem_after(unsigned n)
{
	armed = true;
	failed = false;
	n_left = n;
}

bool nomem_off(void)
{
	armed = false;
	return failed;
}

static bool may_allocate(void)
{
	if (!armed)
		return true;
	if (n_left) {
		n_left--;
		return true;
	}
	failed = true;
	errno = ENOMEM;
	return false;
}

void *__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return may_allocate() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t size)
{
	return may_allocate() ? __real_realloc(p, size) : NULL;
}

char *__wrap_strdup(const char *s)
{
	return may_allocate() ? __real_strdup(s) : NULL;
}

char *__wrap_strndup(const char *s, size_t len)
{
	return may_allocate() ? __real_strndup(s, len) : NULL;
}
