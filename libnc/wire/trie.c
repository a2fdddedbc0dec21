/* trie.c - patterns to their subscribers, at the cost of the name's tokens
 *
 * A node stands for a sequence of tokens. All edges live in one hash map, keyed by the parent's
 * number and the token, so that a node with one child and a node with ten thousand cost the same
 * look-up and neither holds a table of its own; the map's seed keeps clients from choosing tokens
 * that collide. The edge for '*' has the empty token, which no name holds, and is cached in the
 * parent, since every walk takes it. '>' is no edge: it ends a pattern, so its subscribers stand in
 * a second list of the node before it.
 *
 * A pair is known by (node, list, subscriber) in a second map: adding and removing never walk a
 * list. A node lives while it has a subscriber or a child; the last one that goes takes its chain
 * with it.
 *
 * Refuses to hold what is no pattern: a look-up may recurse by token only because the grammar
 * bounds them.
 */

#include "libnc/wire/trie.h"

#include "libnc/base/endian.h"
#include "libnc/base/list.h"
#include "libnc/base/map.h"
#include "libnc/wire/name.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NODE_ID_LEN 8u
#define PAIR_ID_LEN 16u

struct node {
	uint64_t id; /* never used again, so that a key can't mean a node that is gone */
	struct node *parent;
	struct node *star;  /* the child for '*', or NULL */
	size_t n_children;  /* edges that leave it, that for '*' among them */
	struct list here;   /* pairs whose pattern ends with this token */
	struct list beyond; /* pairs whose pattern goes on with '>' */
	size_t token_len;   /* 0 for '*', and in the root */
	uint8_t edge_key[]; /* the parent's id, then the token */
};

struct pair {
	struct list link; /* in here or beyond of its node */
	struct node *node;
	void *subscriber; /* not owned */
	bool is_tail;     /* in beyond */
	uint8_t key[PAIR_ID_LEN];
};

struct trie {
	struct map edges; /* of struct node, by edge_key */
	struct map pairs; /* of struct pair, by key */
	struct node *root;
	uint64_t next_id;
};

struct token {
	const char *s;
	size_t len;
};

struct tokens {
	size_t n;
	struct token at[NC_TOKENS_MAX];
};

/* Cuts a name at its dots. Returns false where it has too many tokens. */
static bool split(struct tokens *t, const char *s, size_t len)
{
	t->n = 0;
	for (;;) {
		const char *dot = len ? memchr(s, '.', len) : NULL;
		size_t n = dot ? (size_t)(dot - s) : len;

		if (t->n == NC_TOKENS_MAX)
			return false;
		t->at[t->n++] = (struct token){.s = s, .len = n};
		if (!dot)
			return true;
		s += n + 1;
		len -= n + 1;
	}
}

/* As split(), for a pattern: '*' becomes the empty token, and a '>' at the end is taken off and
 * told in *is_tail. */
static bool split_pattern(struct tokens *t, bool *is_tail, const char *s, size_t len)
{
	if (name_check_pattern(s, len) != NAME_OK || !split(t, s, len))
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (t->at[i].s[0] == '*')
			t->at[i].len = 0;
	*is_tail = t->at[t->n - 1].s[0] == '>';
	if (*is_tail)
		t->n--;
	return true;
}

static size_t edge_key(uint8_t key[NODE_ID_LEN + NC_EVENT_MAX], const struct node *parent,
                       const struct token *token)
{
	le64_put(key, parent->id);
	memcpy(key + NODE_ID_LEN, token->s, token->len);
	return NODE_ID_LEN + token->len;
}

static void pair_key(uint8_t key[PAIR_ID_LEN], const struct node *node, bool is_tail,
                     const void *subscriber)
{
	le64_put(key, node->id << 1 | is_tail);
	le64_put(key + 8, (uint64_t)(uintptr_t)subscriber);
}

static struct node *node_new(struct trie *t, struct node *parent, const struct token *token)
{
	struct node *node = calloc(1, sizeof(*node) + NODE_ID_LEN + token->len);

	if (!node)
		return NULL;
	node->id = t->next_id++;
	node->parent = parent;
	node->token_len = token->len;
	list_init(&node->here);
	list_init(&node->beyond);
	return node;
}

static struct node *child_get(const struct trie *t, const struct node *parent,
                              const struct token *token)
{
	uint8_t key[NODE_ID_LEN + NC_EVENT_MAX];

	return map_get(&t->edges, key, edge_key(key, parent, token));
}

/* Makes a child that is not there. Returns TRIE_OK, TRIE_FULL or -ENOMEM. */
static int child_add(struct trie *t, struct node *parent, const struct token *token,
                     struct node **child)
{
	struct node *node = node_new(t, parent, token);
	int r;

	if (!node)
		return -ENOMEM;
	r = map_put(&t->edges, node->edge_key, edge_key(node->edge_key, parent, token), node);
	if (r) {
		free(node);
		return r < 0 ? r : TRIE_FULL;
	}
	parent->n_children++;
	if (!token->len)
		parent->star = node;
	*child = node;
	return TRIE_OK;
}

/* Frees the node and the chain above it as far as nothing needs them. */
static void prune(struct trie *t, struct node *node)
{
	while (node != t->root && !node->n_children && list_empty(&node->here) &&
	       list_empty(&node->beyond)) {
		struct node *parent = node->parent;

		map_del(&t->edges, node->edge_key, NODE_ID_LEN + node->token_len);
		parent->n_children--;
		if (parent->star == node)
			parent->star = NULL;
		free(node);
		node = parent;
	}
}

/* Enters a pair that is not there. Returns TRIE_OK, TRIE_EXISTS, TRIE_FULL or -ENOMEM. */
static int pair_add(struct trie *t, struct node *node, bool is_tail, void *subscriber)
{
	struct pair *pair = malloc(sizeof(*pair));
	int r;

	if (!pair)
		return -ENOMEM;
	*pair = (struct pair){.node = node, .subscriber = subscriber, .is_tail = is_tail};
	pair_key(pair->key, node, is_tail, subscriber);
	r = map_put(&t->pairs, pair->key, sizeof(pair->key), pair);
	if (r) {
		free(pair);
		if (r < 0)
			return r;
		return r == MAP_EXISTS ? TRIE_EXISTS : TRIE_FULL;
	}
	list_add_tail(is_tail ? &node->beyond : &node->here, &pair->link);
	return TRIE_OK;
}

struct trie *trie_new(size_t max_pairs, const uint8_t seed[16])
{
	static const struct token none = {"", 0};
	struct trie *t = calloc(1, sizeof(*t));
	size_t max_edges;

	if (!t)
		return NULL;
	if (max_pairs > MAP_MAX_ENTRIES)
		max_pairs = MAP_MAX_ENTRIES;
	max_edges = max_pairs > MAP_MAX_ENTRIES / NC_TOKENS_MAX ? MAP_MAX_ENTRIES
	                                                        : max_pairs * NC_TOKENS_MAX;
	map_init(&t->edges, MAP_BYTES, (uint32_t)max_edges, seed);
	map_init(&t->pairs, MAP_BYTES, (uint32_t)max_pairs, seed);
	t->root = node_new(t, NULL, &none);
	if (!t->root) {
		free(t);
		return NULL;
	}
	return t;
}

void trie_free(struct trie *t)
{
	struct map_walk w;
	void *p;

	if (!t)
		return;
	map_walk_begin(&t->pairs, &w);
	while ((p = map_walk_next(&t->pairs, &w)))
		free(p);
	map_fini(&t->pairs);
	map_walk_begin(&t->edges, &w);
	while ((p = map_walk_next(&t->edges, &w)))
		free(p);
	map_fini(&t->edges);
	free(t->root);
	free(t);
}

int trie_add(struct trie *t, const char *pattern, size_t len, void *subscriber)
{
	struct node *node = t->root;
	struct tokens tokens;
	bool is_tail;
	int r = TRIE_OK;

	if (!split_pattern(&tokens, &is_tail, pattern, len))
		return TRIE_INVALID;
	for (size_t i = 0; i < tokens.n && r == TRIE_OK; i++) {
		struct node *child = child_get(t, node, &tokens.at[i]);

		if (!child)
			r = child_add(t, node, &tokens.at[i], &child);
		if (r == TRIE_OK)
			node = child;
	}
	if (r == TRIE_OK)
		r = pair_add(t, node, is_tail, subscriber);
	if (r != TRIE_OK)
		prune(t, node);
	return r;
}

int trie_remove(struct trie *t, const char *pattern, size_t len, void *subscriber)
{
	struct node *node = t->root;
	uint8_t key[PAIR_ID_LEN];
	struct tokens tokens;
	struct pair *pair;
	bool is_tail;

	if (!split_pattern(&tokens, &is_tail, pattern, len))
		return TRIE_MISSING;
	for (size_t i = 0; i < tokens.n; i++) {
		node = child_get(t, node, &tokens.at[i]);
		if (!node)
			return TRIE_MISSING;
	}
	pair_key(key, node, is_tail, subscriber);
	pair = map_del(&t->pairs, key, sizeof(key));
	if (!pair)
		return TRIE_MISSING;
	list_del(&pair->link);
	free(pair);
	prune(t, node);
	return TRIE_OK;
}

/* A look-up on its way down. */
struct look_up {
	const struct trie *trie;
	const struct tokens *tokens;
	void (*on_match)(void *arg, void *subscriber);
	void *arg;
};

static void report(const struct look_up *l, const struct list *pairs)
{
	const struct list *it;

	list_for_each(it, pairs)
		l->on_match(l->arg, list_entry(it, struct pair, link)->subscriber);
}

/* Follows the tokens from the i-th on. Recurses at most NC_TOKENS_MAX deep. */
static void match_from(const struct look_up *l, const struct node *node, size_t i)
{
	if (i == l->tokens->n) {
		report(l, &node->here);
		return;
	}
	report(l, &node->beyond);
	if (node->star)
		match_from(l, node->star, i + 1);
	/* an empty token would lead to the star, and stands in no valid name */
	if (node->n_children > (node->star != NULL) && l->tokens->at[i].len) {
		const struct node *child = child_get(l->trie, node, &l->tokens->at[i]);

		if (child)
			match_from(l, child, i + 1);
	}
}

void trie_match(const struct trie *t, const char *event, size_t len,
                void (*on_match)(void *arg, void *subscriber), void *arg)
{
	struct tokens tokens;
	struct look_up l = {.trie = t, .tokens = &tokens, .on_match = on_match, .arg = arg};

	if (len && len <= NC_EVENT_MAX && split(&tokens, event, len))
		match_from(&l, t->root, 0);
}

/* Writes the pattern of a pair, back to front, against the end of `buf`. Returns where it begins.
 */
static char *pattern_of(const struct pair *pair, char buf[NC_PATTERN_MAX])
{
	char *p = buf + NC_PATTERN_MAX;

	if (pair->is_tail)
		*--p = '>';
	for (const struct node *n = pair->node; n->parent; n = n->parent) {
		if (p != buf + NC_PATTERN_MAX)
			*--p = '.';
		p -= n->token_len;
		memcpy(p, n->edge_key + NODE_ID_LEN, n->token_len);
		if (!n->token_len)
			*--p = '*';
	}
	return p;
}

void trie_each(const struct trie *t,
               void (*on_pair)(void *arg, const char *pattern, size_t len, void *subscriber),
               void *arg)
{
	char buf[NC_PATTERN_MAX];
	const struct pair *pair;
	struct map_walk w;

	map_walk_begin(&t->pairs, &w);
	while ((pair = map_walk_next(&t->pairs, &w))) {
		const char *p = pattern_of(pair, buf);

		on_pair(arg, p, (size_t)(buf + NC_PATTERN_MAX - p), pair->subscriber);
	}
}

size_t trie_len(const struct trie *t)
{
	return map_len(&t->pairs);
}
