/* cnode.h - what a configuration file says, whatever its format
 *
 * The readers of both formats make this tree, and the schema walker reads it: values with the file
 * and the line that they come from. All of a tree lives in a few pieces of memory that go at once.
 */
#ifndef NC_SERVER_CONF_CNODE_H
#define NC_SERVER_CONF_CNODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ncserver/conf/conf.h"

struct cnode_chunk;
struct lctext;

/* Values in one tree: all that the largest legal configuration needs, and 20 MiB of memory. */
#define CNODE_MAX (1u << 18)
/* Keys of one group, which are compared with one another: all channels, and some that are too many.
 * Keys in all groups: three times what the largest legal configuration needs. */
#define CNODE_KEYS_MAX     (CONF_CHANNELS_MAX + 256u)
#define CNODE_ALL_KEYS_MAX (1u << 16)

enum cnode_type {
	CNODE_NULL,
	CNODE_BOOL,
	CNODE_INT,
	CNODE_DOUBLE,
	CNODE_STRING,
	CNODE_LIST,
	CNODE_GROUP,
};

struct cnode {
	enum cnode_type type;
	unsigned line;
	const char *file;
	const char *key; /* NULL in a list, and of the root */
	struct cnode *next;
	/* of a list or a group */
	struct cnode *first;
	struct cnode *last;
	size_t n;
	union {
		bool boolean;
		int64_t integer;
		double number;
		const char *string; /* UTF-8 without NUL */
	};
};

struct cnode_tree {
	struct cnode *root;
	size_t n;
	size_t n_keys;
	struct cnode_chunk *chunks;
};

void cnode_tree_init(struct cnode_tree *t);
void cnode_tree_fini(struct cnode_tree *t);

/* Copies bytes into the memory of the tree, with a NUL behind. NULL without memory. */
char *cnode_strdup(struct cnode_tree *t, const char *s, size_t len);

/* Adds a node behind the last one of `parent` (NULL: makes the root). The caller fills in type,
 * place and value; `key` belongs to the tree. Returns 0, -ENOMEM, or -E2BIG when the tree or the
 * group is full. */
int cnode_add(struct cnode **out, struct cnode_tree *t, struct cnode *parent, const char *key);

/* The member of a group with that key, or NULL. */
const struct cnode *cnode_get(const struct cnode *group, const char *key);

/* Says in words what a node holds: "the integer 5", "a group". */
void cnode_describe(const struct cnode *n, char *out, size_t len);

/* Reads JSON with comments. Returns 0; 1 with problems added; -ENOMEM. */
int cnode_read_json(struct cnode_tree *t, const char *text, size_t len, const char *name,
                    struct conf_problems *problems);

/* Reads libconfig's format, of a text that lctext_read() has made ready. Returns as
 * cnode_read_json(). */
int cnode_read_libconfig(struct cnode_tree *t, const struct lctext *text,
                         struct conf_problems *problems);

#endif
