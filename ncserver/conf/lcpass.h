/* lcpass.h - the pass over a text in libconfig's format, between its files
 *
 * Private to lctext.c, which knows files and lines, and lctoken.c, which knows tokens.
 */
#ifndef NC_SERVER_CONF_LCPASS_H
#define NC_SERVER_CONF_LCPASS_H

#include "ncserver/conf/lctext.h"

/* What came last, as far as it says what may come now. */
enum lctoken {
	LC_NONE,
	LC_NAME, /* a key, or so it seems */
	LC_ASSIGN,
	LC_VALUE,
	LC_STRING,
	LC_OPEN,
	LC_COMMA,
	LC_END,
};

struct lcscope {
	char bracket;
	const char *file;
	unsigned line;
	size_t first_key;
};

struct lckey {
	const char *s;
	size_t len;
	const char *file;
	unsigned line;
};

/* The state of the pass, over all files. */
struct lcpass {
	struct lctext *t;
	struct conf_problems *problems;
	const struct lctext_in *in;
	unsigned out_line;
	size_t n_values;
	size_t n_all_keys;
	enum lctoken last;
	struct lckey name; /* while `last` is LC_NAME */
	struct lcscope scopes[CONF_DEPTH_MAX];
	size_t depth;
	struct lckey *keys; /* of all scopes that are open */
	size_t n_keys;
	size_t keys_cap;
	unsigned n_open;  /* files that are in one another now */
	unsigned n_files; /* included so far */
	bool bad;
};

/* Where the pass stands in one file. */
struct lccursor {
	const char *p;
	const char *end;
	const char *file;
	unsigned line;
};

/* Reports an error behind which the pass goes on. */
void lcpass_complain(struct lcpass *ps, const struct lccursor *c, unsigned line, const char *fmt,
                     ...) __attribute__((format(printf, 4, 5)));

/* Reports an error that ends the pass: what would follow is not worth reporting. Returns 1. */
int lcpass_refuse(struct lcpass *ps, const struct lccursor *c, unsigned line, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));

/* Appends bytes without a newline, or newlines, to the result. Return 0, -EMSGSIZE, -ENOMEM. */
int lcpass_put(struct lcpass *ps, const char *s, size_t len);
int lcpass_put_newlines(struct lcpass *ps, unsigned n);

/* What is open and not closed, or NULL. */
const struct lcscope *lcpass_inner(const struct lcpass *ps);

/* Takes the file that an @include at the cursor names in, and moves the cursor behind it. Returns
 * 0; 1 after an error that ends the pass; a negative errno. */
int lcpass_include(struct lcpass *ps, struct lccursor *c);

/* Reads one token at the cursor, which is not at the end. Returns as lcpass_include(). */
int lcpass_token(struct lcpass *ps, struct lccursor *c);

#endif
