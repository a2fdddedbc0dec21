/* cnode.c - what a configuration file says, whatever its format
 *
 * Memory is taken in chunks that only the tree as a whole gives back: a configuration of some
 * thousand values is read at once and thrown away a moment later.
 */

#include "ncserver/conf/cnode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libnc/base/utf8.h"

#define CHUNK_LEN ((size_t)64 << 10)
/* Characters of a string that a description shows. */
#define SHOWN_LEN 40u

struct cnode_chunk {
	struct cnode_chunk *next;
	size_t used;
	size_t len;
	alignas(max_align_t) unsigned char data[];
};

void cnode_tree_init(struct cnode_tree *t)
{
	*t = (struct cnode_tree){0};
}

void cnode_tree_fini(struct cnode_tree *t)
{
	while (t->chunks) {
		struct cnode_chunk *next = t->chunks->next;

		free(t->chunks);
		t->chunks = next;
	}
	cnode_tree_init(t);
}

static void *take(struct cnode_tree *t, size_t len)
{
	struct cnode_chunk *c = t->chunks;
	void *p;

	len = (len + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!c || len > c->len - c->used) {
		size_t room = len > CHUNK_LEN ? len : CHUNK_LEN;

		c = malloc(sizeof(*c) + room);
		if (!c)
			return NULL;
		c->next = t->chunks;
		c->used = 0;
		c->len = room;
		t->chunks = c;
	}
	p = c->data + c->used;
	c->used += len;
	return p;
}

char *cnode_strdup(struct cnode_tree *t, const char *s, size_t len)
{
	char *copy = take(t, len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = 0;
	return copy;
}

int cnode_add(struct cnode **out, struct cnode_tree *t, struct cnode *parent, const char *key)
{
	struct cnode *n;

	if (t->n >= CNODE_MAX)
		return -E2BIG;
	if (key && (parent->n >= CNODE_KEYS_MAX || t->n_keys >= CNODE_ALL_KEYS_MAX))
		return -E2BIG;
	n = take(t, sizeof(*n));
	if (!n)
		return -ENOMEM;
	*n = (struct cnode){.key = key};
	t->n++;
	t->n_keys += key != NULL;
	if (!parent) {
		t->root = n;
	} else {
		if (parent->last)
			parent->last->next = n;
		else
			parent->first = n;
		parent->last = n;
		parent->n++;
	}
	*out = n;
	return 0;
}

const struct cnode *cnode_get(const struct cnode *group, const char *key)
{
	for (const struct cnode *n = group->first; n; n = n->next)
		if (n->key && !strcmp(n->key, key))
			return n;
	return NULL;
}

static void describe_string(const char *s, char *out, size_t len)
{
	size_t n = strlen(s), shown = n;

	if (n > SHOWN_LEN)
		shown = utf8_valid_len(s, SHOWN_LEN);
	snprintf(out, len, "the string \"%.*s%s\"", (int)shown, s, shown < n ? "..." : "");
}

void cnode_describe(const struct cnode *n, char *out, size_t len)
{
	switch (n->type) {
	case CNODE_NULL: snprintf(out, len, "null"); break;
	case CNODE_BOOL: snprintf(out, len, "%s", n->boolean ? "true" : "false"); break;
	case CNODE_INT: snprintf(out, len, "the integer %" PRId64, n->integer); break;
	case CNODE_DOUBLE: snprintf(out, len, "the number %g", n->number); break;
	case CNODE_STRING: describe_string(n->string, out, len); break;
	case CNODE_LIST: snprintf(out, len, "a list"); break;
	case CNODE_GROUP: snprintf(out, len, "a group"); break;
	}
}
