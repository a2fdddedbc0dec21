/* load.h - the bytes of a configuration file */
#ifndef NC_SERVER_CONF_LOAD_H
#define NC_SERVER_CONF_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct buf;
struct conf_problems;

/* Where a message about a file belongs: the file itself, or the @include that names it. */
struct load_place {
	const char *file;
	unsigned line;
};

/* Appends the file's bytes. A file that is included must be a regular one; any other may be a pipe,
 * too. Warns, where the server runs as root (`euid`), of a file that others than root may write.
 * Returns 0; 1 with a problem added that names path and reason; -ENOMEM. */
int load_file(struct buf *out, const char *path, bool included, uid_t euid,
              const struct load_place *place, struct conf_problems *problems);

/* Whether the bytes are text: UTF-8 without NUL. Adds a problem otherwise. */
bool load_is_text(const char *text, size_t len, const char *name, struct conf_problems *problems);

#endif
