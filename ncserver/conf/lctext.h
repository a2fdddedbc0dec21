/* lctext.h - text in libconfig's format, made ready for libconfig
 *
 * libconfig 1.5 cuts integers off at 32 bits in silence, ends a text at a NUL, takes a comment
 * without an end for one, leaks a string that stands in the wrong place, ends the process on some
 * files that are included, and names neither the key nor the first place of a duplicate. So the
 * text is walked over here first: included files are put in, comments taken out, integers checked
 * and written as 64 bits, and what libconfig would get wrong is refused with file and line.
 */
#ifndef NC_SERVER_CONF_LCTEXT_H
#define NC_SERVER_CONF_LCTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "libnc/base/buf.h"
#include "ncserver/conf/conf.h"

/* Files in files; libconfig has the same limit. */
#define LCTEXT_INCLUDE_MAX 10u
/* Files in all: some that include one another twice would be read for ever. */
#define LCTEXT_FILES_MAX 256u

struct lctext_file;
struct lctext_piece;

struct lctext {
	struct buf out; /* for libconfig */
	struct lctext_file *files;
	struct lctext_piece *pieces;
	size_t n_pieces;
};

struct lctext_in {
	const char *text;
	size_t len;
	const char *name;
	bool may_include; /* a real file; @include is refused elsewhere */
	uid_t euid;       /* who will use it: see load_file() */
};

/* Makes the text ready. Returns 0; 1 with problems added; -ENOMEM. lctext_fini() in any case. */
int lctext_read(struct lctext *t, const struct lctext_in *in, struct conf_problems *problems);
void lctext_fini(struct lctext *t);

/* Where a line of `out` comes from. The name lives as long as the text. */
const char *lctext_place(const struct lctext *t, unsigned out_line, unsigned *line);

#endif
