/* libs.h - loads a library when it is needed, not when the program starts
 *
 * Most servers bridge nothing, and are to start and to stay as if there were no crypto: so nothing
 * links to its libraries (doc/decisions/mesh-crypto.md). Who uses one has a table of pointers to
 * its functions, each of the type that the library's header declares, and this fills it in.
 *
 * The one file that loads code; what, its callers say, and never by a path.
 */
#ifndef NC_MESH_LIBS_H
#define NC_MESH_LIBS_H

#include <stddef.h>

/* A function, and where in the table its pointer stands. */
struct libs_symbol {
	const char *name;
	size_t at;
};

#define LIBS_SYMBOL(table, function)                                                               \
	{                                                                                          \
#function, offsetof(struct table, function)                                        \
	}

/*
 * Loads the library `soname` and fills in `table`.
 *
 * Returns 0; -ENOSYS, and then libs_why() tells what is missing.
 */
int libs_load(void **library, const char *soname, const struct libs_symbol *symbols, size_t n,
              void *table);

/* After the last call of a function of it. NULL is nothing. */
void libs_unload(void *library);

/* Why the last libs_load() of this thread failed, with the name of the library. Never NULL. */
const char *libs_why(void);

#endif
