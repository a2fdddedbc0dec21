/* schema.h - the keys of a configuration, as data
 *
 * A struct schema lists the keys of one group: name, type, where the value goes, default and
 * limits. A type knows how to read a value from the tree, print it, compare it, set its default and
 * free it. So a key is one line in a table, and reading, printing, comparing and freeing can't
 * disagree about it.
 */
#ifndef NC_SERVER_CONF_SCHEMA_H
#define NC_SERVER_CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ncserver/conf/cnode.h"
#include "ncserver/conf/conf.h"

struct printer;
struct schema;
struct schema_key;

/* Bytes of "channels.A.quota" and the like, for messages. */
#define WALK_PATH_MAX 256u

/* A walk over a tree that makes a configuration. */
struct walk {
	struct conf_problems *problems;
	const struct conf_env *env; /* complete */
	struct conf *conf;          /* in the making */
	struct conf_channel *channel;
	/* for each channel of the configuration, in their order, where it is written; NULL: nowhere
	 */
	const struct cnode **channel_nodes;
	char path[WALK_PATH_MAX];
	size_t path_len;
};

/* A word and what it means. The last one of a list has no name. */
struct schema_word {
	const char *name;
	uint32_t value;
};

/* A unit and how many of the smallest unit it is. The last one of a list has no name. */
struct schema_unit {
	const char *name;
	uint64_t factor;
};

struct schema_type {
	const char *expects; /* "true or false" */
	size_t width;        /* of a number: sizeof */
	const struct schema_unit *units;
	/* Returns 0, also when a problem has been added and the default stays; -ENOMEM. */
	int (*read)(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at);
	void (*print)(struct printer *p, const struct schema_key *k, const void *at);
	bool (*equal)(const struct schema_key *k, const void *a, const void *b);
	void (*preset)(const struct schema_key *k, void *at); /* NULL: zeroes are the default */
	void (*fini)(const struct schema_key *k, void *at);   /* NULL: nothing to free */
};

struct schema_key {
	const char *name;
	const struct schema_type *type;
	size_t offset;
	bool late; /* left to schema_read_late(): it needs the values of the others */
	uint64_t def;
	uint64_t min;
	uint64_t max;
	const struct schema_word *words;
	const struct schema *group; /* the keys of a group */
};

struct schema {
	const char *name; /* "a channel" */
	size_t n_keys;
	const struct schema_key *keys;
};

extern const struct schema schema_top;
extern const struct schema schema_channel;
extern const struct schema schema_quota;
extern const struct schema schema_override;

/* Sets all defaults in the (zeroed) structure. */
void schema_preset(const struct schema *s, void *base);

/* Reads the members of a group; adds a problem for each that is unknown or wrong. Keys that are
 * late are read by a second call, which reads nothing else. Return 0 or -ENOMEM. */
int schema_read(struct walk *w, const struct schema *s, const struct cnode *group, void *base);
int schema_read_late(struct walk *w, const struct schema *s, const struct cnode *group, void *base);

void schema_print(struct printer *p, const struct schema *s, const void *base);
bool schema_equal(const struct schema *s, const void *a, const void *b);
void schema_fini(const struct schema *s, void *base);

/* Puts a name behind the path of messages; walk_leave() takes it off, given what walk_enter()
 * returned. */
size_t walk_enter(struct walk *w, const char *name);
void walk_leave(struct walk *w, size_t mark);

/* Adds an error or a warning about a node: the path stands before the text. */
void walk_error(struct walk *w, const struct cnode *n, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
void walk_warn(struct walk *w, const struct cnode *n, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* The error that a node is not of the type. */
void walk_error_type(struct walk *w, const struct cnode *n, const char *expects);

#endif
