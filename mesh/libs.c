/* libs.c - loads a library when it is needed, not when the program starts */

#include "mesh/libs.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char why[256];

/* What the dynamic linker says names the library, or the path where it was found. */
static void keep_why(void)
{
	const char *said = dlerror();

	snprintf(why, sizeof(why), "%s", said ? said : "");
}

int libs_load(void **library, const char *soname, const struct libs_symbol *symbols, size_t n,
              void *table)
{
	*library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
	if (!*library) {
		keep_why();
		return -ENOSYS;
	}
	for (size_t i = 0; i < n; i++) {
		void *function = dlsym(*library, symbols[i].name);

		if (!function) {
			keep_why();
			libs_unload(*library);
			*library = NULL;
			return -ENOSYS;
		}
		memcpy((char *)table + symbols[i].at, &function, sizeof(function));
	}
	return 0;
}

void libs_unload(void *library)
{
	if (library)
		dlclose(library);
}

const char *libs_why(void)
{
	return why;
}
