/*
 * Hash map with a secret seed, a cap, and walks that survive changes
 *
 * Entries stand in one array in the order of their insertion; beside it a table of slots, twice as
 * large and probed linearly, leads from hashes to positions. Removing an entry leaves a hole (value
 * NULL) in the array, and closes the gap in the slots at once, so that lookups never pass over
 * graves. Holes go when the array is full, or when less than an eighth of it is alive.
 *
 * Each entry bears a sequence number that never repeats. The array is sorted by it, whatever was
 * removed or moved together, which is what lets a walk find its place again after any change.
 *
 * Refuses to copy or free keys and values, and to replace a value: who owns what would get lost.
 */

#include "libnc/base/map.h"

#include "libnc/base/endian.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Below this many entries memory is not given back before the end. */
#define MAP_MIN_ROOM UINT32_C(8)

/* Slots per entry that fits: at most half of them are taken, so linear probing stays short. */
#define MAP_SLOTS_PER_ENTRY 2

struct map_entry {
	union {
		const void *bytes; /* not owned */
		uint64_t number;
	} key;
	void *value; /* not owned; NULL in a hole */
	uint64_t seq;
	uint32_t len; /* of the bytes; 8 for a number */
	uint32_t hash;
};

/* A key on its way through a lookup. */
struct map_key {
	const void *bytes; /* what is hashed */
	uint64_t number;
	size_t len;
	uint32_t hash;
};

static struct map_key key_of_bytes(const struct map *m, const void *p, size_t len)
{
	assert(m->kind == MAP_BYTES);
	return (struct map_key){
	        .bytes = p, .len = len, .hash = (uint32_t)siphash13(m->seed, p, len)};
}

static struct map_key key_of_u64(const struct map *m, uint64_t number)
{
	uint8_t bytes[8];

	assert(m->kind == MAP_U64);
	le64_put(bytes, number);
	return (struct map_key){.number = number,
	                        .len = sizeof(bytes),
	                        .hash = (uint32_t)siphash13(m->seed, bytes, sizeof(bytes))};
}

static bool key_matches(const struct map *m, const struct map_entry *e, const struct map_key *key)
{
	if (e->hash != key->hash || e->len != key->len)
		return false;
	if (m->kind == MAP_U64)
		return e->key.number == key->number;
	return !key->len || !memcmp(e->key.bytes, key->bytes, key->len);
}

static uint32_t n_slots(const struct map *m)
{
	return m->n_room * MAP_SLOTS_PER_ENTRY;
}

/* The slot of KEY, or the free one where the search ends; the map has slots. */
static uint32_t find_slot(const struct map *m, const struct map_key *key)
{
	uint32_t mask = n_slots(m) - 1, slot = key->hash & mask;

	while (m->slots[slot] && !key_matches(m, &m->entries[m->slots[slot] - 1], key))
		slot = (slot + 1) & mask;
	return slot;
}

/* Closes the gap at SLOT: each later neighbour that may stand there moves up. */
static void free_slot(struct map *m, uint32_t slot)
{
	uint32_t mask = n_slots(m) - 1, next = slot;

	for (;;) {
		uint32_t home;

		next = (next + 1) & mask;
		if (!m->slots[next])
			break;
		home = m->entries[m->slots[next] - 1].hash & mask;
		/* it may move unless its home lies cyclically behind the gap, in (slot, next] */
		if (((next - home) & mask) >= ((next - slot) & mask)) {
			m->slots[slot] = m->slots[next];
			slot = next;
		}
	}
	m->slots[slot] = 0;
}

/* Moves the live entries of M, in order, into ENTRIES, and points SLOTS, all free, at them. */
static void rebuild(struct map *m, struct map_entry *entries, uint32_t *slots, uint32_t n_room)
{
	uint32_t mask = n_room * MAP_SLOTS_PER_ENTRY - 1, n = 0;

	for (uint32_t i = 0; i < m->n_used; i++) {
		uint32_t slot = m->entries[i].hash & mask;

		if (!m->entries[i].value)
			continue;
		while (slots[slot])
			slot = (slot + 1) & mask;
		entries[n] = m->entries[i];
		slots[slot] = ++n;
	}
	m->entries = entries;
	m->slots = slots;
	m->n_room = n_room;
	m->n_used = n;
}

/* Gives M room for N_ROOM entries, a power of two, without holes. Returns 0, or -ENOMEM with M
 * unchanged. */
static int resize(struct map *m, uint32_t n_room)
{
	struct map_entry *old_entries = m->entries, *entries;
	uint32_t *old_slots = m->slots, *slots;

	if (n_room == m->n_room) {
		/* entries only move towards the front, so this needs no memory and can't fail */
		memset(m->slots, 0, n_slots(m) * sizeof(*m->slots));
		rebuild(m, m->entries, m->slots, n_room);
		return 0;
	}
	entries = calloc(n_room, sizeof(*entries));
	slots = calloc((size_t)n_room * MAP_SLOTS_PER_ENTRY, sizeof(*slots));
	if (!entries || !slots) {
		free(entries);
		free(slots);
		return -ENOMEM;
	}
	rebuild(m, entries, slots, n_room);
	free(old_entries);
	free(old_slots);
	return 0;
}

/* Makes sure that one more entry fits. */
static int make_room(struct map *m)
{
	if (m->n_used < m->n_room)
		return 0;
	if (!m->n_room)
		return resize(m, MAP_MIN_ROOM);
	/* with a quarter of holes or more, moving together pays for the inserts that it makes room
	 * for */
	return resize(m, m->n_entries <= m->n_room / 4 * 3 ? m->n_room : m->n_room * 2);
}

void map_init(struct map *m, enum map_kind kind, uint32_t max, const uint8_t seed[SIPHASH_KEY_LEN])
{
	assert(max <= MAP_MAX_ENTRIES);
	*m = (struct map){.kind = kind, .max = max};
	memcpy(m->seed, seed, sizeof(m->seed));
}

void map_fini(struct map *m)
{
	free(m->entries);
	free(m->slots);
	m->entries = NULL;
	m->slots = NULL;
	m->n_entries = m->n_used = m->n_room = 0;
}

static void *get(const struct map *m, const struct map_key *key)
{
	uint32_t position;

	if (!m->n_entries)
		return NULL;
	position = m->slots[find_slot(m, key)];
	return position ? m->entries[position - 1].value : NULL;
}

static int put(struct map *m, const struct map_key *key, void *value)
{
	struct map_entry *e;
	int r;

	assert(value);
	if (key->len > UINT32_MAX)
		return -EINVAL;
	if (get(m, key))
		return MAP_EXISTS;
	if (m->n_entries >= m->max)
		return MAP_FULL;
	r = make_room(m);
	if (r)
		return r;
	m->slots[find_slot(m, key)] = m->n_used + 1;
	e = &m->entries[m->n_used++];
	*e = (struct map_entry){
	        .value = value, .seq = m->next_seq++, .len = (uint32_t)key->len, .hash = key->hash};
	if (m->kind == MAP_U64)
		e->key.number = key->number;
	else
		e->key.bytes = key->bytes;
	m->n_entries++;
	return 0;
}

static void *del(struct map *m, const struct map_key *key)
{
	uint32_t slot, position;
	void *value;

	if (!m->n_entries)
		return NULL;
	slot = find_slot(m, key);
	position = m->slots[slot];
	if (!position)
		return NULL;
	free_slot(m, slot);
	value = m->entries[position - 1].value;
	m->entries[position - 1].value = NULL;
	m->n_entries--;
	/* without memory for a smaller array the larger one goes on serving */
	if (m->n_room > MAP_MIN_ROOM && m->n_entries < m->n_room / 8)
		(void)resize(m, m->n_room / 2);
	return value;
}

int map_put(struct map *m, const void *key, size_t len, void *value)
{
	struct map_key k = key_of_bytes(m, key, len);

	return put(m, &k, value);
}

int map_put_u64(struct map *m, uint64_t key, void *value)
{
	struct map_key k = key_of_u64(m, key);

	return put(m, &k, value);
}

void *map_get(const struct map *m, const void *key, size_t len)
{
	struct map_key k = key_of_bytes(m, key, len);

	return get(m, &k);
}

void *map_get_u64(const struct map *m, uint64_t key)
{
	struct map_key k = key_of_u64(m, key);

	return get(m, &k);
}

void *map_del(struct map *m, const void *key, size_t len)
{
	struct map_key k = key_of_bytes(m, key, len);

	return del(m, &k);
}

void *map_del_u64(struct map *m, uint64_t key)
{
	struct map_key k = key_of_u64(m, key);

	return del(m, &k);
}

void map_walk_begin(const struct map *m, struct map_walk *w)
{
	*w = (struct map_walk){.end_seq = m->next_seq};
}

/* The first position whose sequence number is at least SEQ. */
static uint32_t find_seq(const struct map *m, uint64_t seq)
{
	uint32_t low = 0, high = m->n_used;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (m->entries[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Where the walk goes on: mostly right behind the last entry, which the hint says and two
 * comparisons confirm. */
static uint32_t walk_position(const struct map *m, const struct map_walk *w)
{
	uint32_t i = w->hint;

	if (i < m->n_used && m->entries[i].seq >= w->next_seq &&
	    (i == 0 || m->entries[i - 1].seq < w->next_seq))
		return i;
	return find_seq(m, w->next_seq);
}

void *map_walk_next(const struct map *m, struct map_walk *w)
{
	for (uint32_t i = walk_position(m, w); i < m->n_used; i++) {
		const struct map_entry *e = &m->entries[i];

		if (e->seq >= w->end_seq)
			break;
		if (!e->value)
			continue;
		w->hint = i + 1;
		w->next_seq = e->seq + 1;
		w->len = e->len;
		w->key = m->kind == MAP_BYTES ? e->key.bytes : NULL;
		w->number = m->kind == MAP_U64 ? e->key.number : 0;
		return e->value;
	}
	w->next_seq = w->end_seq;
	return NULL;
}
