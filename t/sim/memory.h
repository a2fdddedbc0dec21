/* memory.h - what each session holds, counted at malloc()
 *
 * The simulator is linked so that its calls of malloc() and free() go through here. While an
 * account is current, what is taken and given back is entered there; a session frees nothing that
 * another one took.
 */
#ifndef NC_SIM_MEMORY_H
#define NC_SIM_MEMORY_H

#include <stddef.h>

struct account {
	size_t held; /* bytes, as malloc_usable_size() tells */
	size_t peak;
	size_t n; /* allocations */
};

/* Makes `a` the current account (NULL: none). Returns the one before. */
struct account *account_enter(struct account *a);

/* Memory of the simulator itself: never in an account, and never NULL. */
void *sim_calloc(size_t n, size_t size);
void *sim_realloc(void *p, size_t size);
void sim_free(void *p);

#endif
