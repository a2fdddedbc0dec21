/* json_parse.c - yajl, made strict and bounded
 *
 * Memory: yajl allocates a handful of small blocks per parser and grows two buffers. They come from
 * the arena, which is forgotten as a whole after each text, and from the heap where the arena is
 * full. yajl uses what malloc returns without a look, so when there is no more the allocator leaves
 * by longjmp; nothing of yajl's needs unwinding, since all that it holds is ours to drop.
 *
 * Strictness: what yajl lets pass (vertical tab, form feed, ill-formed UTF-8) is looked for first,
 * and what follows the text is looked at here, since yajl overlooks a string there that never ends.
 */

#include "libnc/json/json_parse.h"

#include "libnc/base/utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stands before each block. */
struct block {
	struct list link; /* in heap; in no list where the block is in the arena */
	size_t len;
	alignas(max_align_t) uint8_t bytes[];
};

#define ALIGN (alignof(max_align_t))

static struct block *block_of(void *bytes)
{
	return (struct block *)(void *)((uint8_t *)bytes - offsetof(struct block, bytes));
}

static bool in_arena(const struct json_parse *j, const void *p)
{
	uintptr_t at = (uintptr_t)p, start = (uintptr_t)j->arena;

	return at >= start && at < start + sizeof(j->arena);
}

/* What a block of `len` bytes takes. */
static size_t block_size(size_t len)
{
	return sizeof(struct block) + (len + ALIGN - 1) / ALIGN * ALIGN;
}

/* Makes, or makes larger, a block of the heap; does not return where that is not possible. */
static struct block *heap_block(struct json_parse *j, struct block *old, size_t len)
{
	size_t old_len = old ? old->len : 0;
	struct block *b;

	if (len > j->heap_max || j->heap_len - old_len > j->heap_max - len)
		longjmp(j->no_memory, 1);
	b = malloc(block_size(len));
	if (!b)
		longjmp(j->no_memory, 1);
	b->len = len;
	list_add_tail(&j->heap, &b->link);
	j->heap_len += len;
	if (old) {
		memcpy(b->bytes, old->bytes, old_len < len ? old_len : len);
		list_del(&old->link);
		free(old);
		j->heap_len -= old_len;
	}
	return b;
}

static void *on_malloc(void *ctx, size_t len)
{
	struct json_parse *j = ctx;
	struct block *b;

	if (len > JSON_ARENA_LEN || block_size(len) > JSON_ARENA_LEN - j->arena_used)
		return heap_block(j, NULL, len)->bytes;
	b = (struct block *)(void *)(j->arena + j->arena_used);
	b->len = len;
	j->arena_used += block_size(len);
	return b->bytes;
}

static void on_free(void *ctx, void *p)
{
	struct json_parse *j = ctx;
	struct block *b;

	/* the arena goes as a whole */
	if (!p || in_arena(j, p))
		return;
	b = block_of(p);
	list_del(&b->link);
	j->heap_len -= b->len;
	free(b);
}

static void *on_realloc(void *ctx, void *p, size_t len)
{
	struct json_parse *j = ctx;
	struct block *old;
	void *bytes;

	if (!p)
		return on_malloc(j, len);
	old = block_of(p);
	if (!in_arena(j, p))
		return heap_block(j, old, len)->bytes;
	bytes = on_malloc(j, len);
	memcpy(bytes, p, old->len < len ? old->len : len);
	return bytes;
}

/* Forgets all that yajl holds. */
static void drop(struct json_parse *j)
{
	while (!list_empty(&j->heap))
		on_free(j, list_entry(list_first(&j->heap), struct block, link)->bytes);
	j->arena_used = 0;
	j->handle = NULL;
}

void json_parse_init(struct json_parse *j)
{
	list_init(&j->heap);
	j->heap_len = 0;
	j->heap_max = 0;
	j->arena_used = 0;
	j->handle = NULL;
	j->error[0] = 0;
}

static int invalid(struct json_parse *j, size_t at, const char *why)
{
	snprintf(j->error, sizeof(j->error), "byte %zu: %s", at, why);
	j->error[strcspn(j->error, "\n")] = 0;
	return JSON_INVALID;
}

/* Finds what yajl would let pass. */
static int check_bytes(struct json_parse *j, const char *p, size_t len)
{
	const char *space;
	size_t n_valid;

	if (!len)
		return invalid(j, 0, "no JSON text");
	if (len > JSON_TEXT_MAX)
		return invalid(j, 0, "too long");
	n_valid = utf8_valid_len(p, len);
	if (n_valid != len)
		return invalid(j, n_valid, "not UTF-8");
	/* these bytes stand unescaped nowhere in JSON, neither inside strings nor between tokens */
	space = memchr(p, '\v', len);
	if (!space)
		space = memchr(p, '\f', len);
	return space ? invalid(j, (size_t)(space - p), "invalid white space") : JSON_OK;
}

static int yajl_invalid(struct json_parse *j, size_t at)
{
	return invalid(j, at, (const char *)yajl_get_error(j->handle, 0, NULL, 0));
}

static int parse(struct json_parse *j, const char *p, size_t len)
{
	yajl_status s = yajl_parse(j->handle, (const unsigned char *)p, len);
	size_t at = yajl_get_bytes_consumed(j->handle);

	if (s == yajl_status_client_canceled)
		return JSON_CANCELED;
	if (s != yajl_status_ok)
		return yajl_invalid(j, at);
	while (at < len && (p[at] == ' ' || p[at] == '\t' || p[at] == '\n' || p[at] == '\r'))
		at++;
	if (at < len)
		return invalid(j, at, "more than one JSON text");
	s = yajl_complete_parse(j->handle);
	if (s == yajl_status_client_canceled)
		return JSON_CANCELED;
	return s == yajl_status_ok ? JSON_OK : yajl_invalid(j, at);
}

int json_parse_run(struct json_parse *j, const yajl_callbacks *callbacks, void *arg, const char *p,
                   size_t len)
{
	yajl_alloc_funcs alloc = {
	        .malloc = on_malloc, .realloc = on_realloc, .free = on_free, .ctx = j};
	int r = check_bytes(j, p, len);

	if (r != JSON_OK)
		return r;
	j->heap_max = JSON_HEAP_MAX(len);
	if (setjmp(j->no_memory)) {
		drop(j);
		return -ENOMEM;
	}
	j->handle = yajl_alloc(callbacks, &alloc, arg);
	/* both are checked here, and more strictly */
	yajl_config(j->handle, yajl_dont_validate_strings, 1);
	yajl_config(j->handle, yajl_allow_trailing_garbage, 1);
	r = parse(j, p, len);
	drop(j);
	return r;
}

size_t json_parse_offset(const struct json_parse *j)
{
	return yajl_get_bytes_consumed(j->handle);
}
