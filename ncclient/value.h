/*
 * A JSON value in memory
 *
 * Objects keep the order and the repetitions of their keys; of a repeated key the last one counts.
 * Numbers keep their text, so that nothing of a 64-bit counter is lost on its way through.
 */
#ifndef NC_NCCLIENT_VALUE_H
#define NC_NCCLIENT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum value_kind {
	VALUE_NULL = 0,
	VALUE_FALSE,
	VALUE_TRUE,
	VALUE_NUMBER,
	VALUE_STRING,
	VALUE_ARRAY,
	VALUE_OBJECT,
};

struct value {
	enum value_kind kind;
	size_t at;           /* offset of its first byte in the text that it was read from */
	char *key;           /* in an object; else NULL */
	size_t key_len;      /* a key may contain 0 */
	char *text;          /* STRING: UTF-8; NUMBER: as written; terminated, may contain 0 */
	size_t len;          /* bytes in text */
	struct value *items; /* ARRAY, OBJECT */
	size_t n_items;
};

/* Frees what V holds, not V itself, and makes it null. */
void value_fini(struct value *v);

/* Makes V a string, a copy of the LEN bytes at S. Returns 0 or -ENOMEM. */
int value_set_string(struct value *v, const char *s, size_t len);

/* Appends an empty item to an array or object and returns it, NULL without memory. The items of V
 * move; N_ROOM of them are allocated before and after. */
struct value *value_push(struct value *v, size_t *n_room);

/* The member KEY of an object; NULL where V is NULL, no object, or has none. */
const struct value *value_get(const struct value *v, const char *key);

/* value_get() along a path of keys with dots between, "flow.dropped.conflate". */
const struct value *value_path(const struct value *v, const char *path);

/* What a value holds; the fallback where V is NULL or something else. Strings are terminated and
 * live as long as V. A negative number is no u64, a fraction is cut. */
const char *value_str(const struct value *v, const char *fallback);
uint64_t value_u64(const struct value *v, uint64_t fallback);
bool value_bool(const struct value *v);
size_t value_count(const struct value *v);

/* Prints V as JSON: on one line without spaces, or with PRETTY over several lines, indented by
 * tabs. All control characters that a terminal knows are escaped. */
void value_write(FILE *f, const struct value *v, bool pretty);

/* Prints LEN bytes of UTF-8 as a JSON string with its quotes; ill-formed bytes become U+FFFD. */
void value_write_string(FILE *f, const char *s, size_t len);

#endif
