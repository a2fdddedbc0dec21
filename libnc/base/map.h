/*
 * Hash map with a secret seed, a cap, and walks that survive changes
 */
#ifndef NC_BASE_MAP_H
#define NC_BASE_MAP_H

#include "libnc/base/siphash.h"

#include <stddef.h>
#include <stdint.h>

/* Twice as many slots as there is room for entries, which may be twice the entries: all in 32 bits.
 */
#define MAP_MAX_ENTRIES (UINT32_C(1) << 29)

enum map_error {
	MAP_FULL = 1, /* as many entries as the map may hold */
	MAP_EXISTS,   /* the key is there already */
};

enum map_kind {
	MAP_BYTES, /* keys are byte strings, which the map points at but neither copies nor frees */
	MAP_U64,   /* keys are numbers */
};

struct map_entry;

struct map {
	enum map_kind kind;
	uint8_t seed[SIPHASH_KEY_LEN];
	uint32_t max;
	uint32_t n_entries;        /* live ones */
	uint32_t n_used;           /* entries[] in use, removed ones among them */
	uint32_t n_room;           /* entries[] that fit */
	uint64_t next_seq;         /* of the next entry: they never repeat */
	struct map_entry *entries; /* in the order of insertion */
	uint32_t *slots;           /* positions in entries[] plus one, by hash; 0 is free */
};

/* A walk over a map; KEY and LEN, or NUMBER, tell the key of the entry that was returned last. */
struct map_walk {
	const void *key; /* not owned */
	size_t len;
	uint64_t number;
	uint64_t next_seq;
	uint64_t end_seq;
	uint32_t hint;
};

/*
 * Makes M empty, for at most MAX entries (up to MAP_MAX_ENTRIES). SEED is random where a peer can
 * choose keys; the same seed gives the same map, and the order of a walk does not depend on it.
 * Takes no memory.
 */
void map_init(struct map *m, enum map_kind kind, uint32_t max, const uint8_t seed[SIPHASH_KEY_LEN]);

/* Frees what M took, but neither keys nor values, and makes it empty. */
void map_fini(struct map *m);

/* The number of entries. */
static inline uint32_t map_len(const struct map *m)
{
	return m->n_entries;
}

/*
 * Enters VALUE, which is not NULL, under a key that is not yet there. The bytes of KEY stay where
 * they are, and unchanged, until the entry is removed: they are best a part of the value. On error
 * nothing has changed.
 *
 * Returns 0, MAP_FULL, MAP_EXISTS, -EINVAL (a key of 4 GiB), -ENOMEM.
 */
int map_put(struct map *m, const void *key, size_t len, void *value);
int map_put_u64(struct map *m, uint64_t key, void *value);

/* Returns the value under the key, or NULL. */
void *map_get(const struct map *m, const void *key, size_t len);
void *map_get_u64(const struct map *m, uint64_t key);

/* Removes the entry under the key. Returns its value, now the caller's alone, or NULL when there
 * was none. */
void *map_del(struct map *m, const void *key, size_t len);
void *map_del_u64(struct map *m, uint64_t key);

/*
 * A walk goes through the entries in the order of their insertion. The map may change meanwhile in
 * any way: an entry that is there for the whole walk is visited exactly once, one that is removed
 * before its turn is not visited, nor is one that is inserted after map_walk_begin(). Only
 * map_fini() ends all walks. A walk holds no memory and may be dropped at any point.
 */
void map_walk_begin(const struct map *m, struct map_walk *w);

/* Returns the next value, or NULL at the end. */
void *map_walk_next(const struct map *m, struct map_walk *w);

#endif
