/* json_parse.h - yajl, made strict and bounded
 *
 * yajl is a fast push parser, but it takes vertical tabs for white space and overlong UTF-8 for
 * text, and it does not look whether memory was there. This face over it refuses what the JSON
 * grammar (RFC 8259) refuses, and gives yajl its memory from an arena, so that a small text costs
 * no allocation at all.
 */
#ifndef NC_JSON_JSON_PARSE_H
#define NC_JSON_JSON_PARSE_H

#include <setjmp.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include <yajl/yajl_parse.h>

#include "libnc/base/list.h"
#include "libnc/wire/limits.h"

/* yajl needs about 700 bytes for a text without escapes, and 2 KiB more for the first string that
 * has some. */
#define JSON_ARENA_LEN 8192u

/* A text, in bytes: offsets into it have 32 bits, and JSON_HEAP_MAX must not overflow. */
#define JSON_TEXT_MAX (NC_MESSAGE_MAX + (1u << 20))

/* What yajl may take from the heap for a text of n bytes: its two buffers (the string that it
 * decodes, a token cut off at the end) each double until they hold n. Far more would be a fault. */
#define JSON_HEAP_MAX(n) (8u * (size_t)(n) + 65536u)

#define JSON_ERROR_MAX 120u

enum json_result {
	JSON_OK = 0,
	JSON_INVALID,  /* not one JSON text in UTF-8; json_parse.error says why */
	JSON_CANCELED, /* a callback returned 0 */
};

/* One parser, for one text at a time. No part needs to be freed between texts. */
struct json_parse {
	yajl_handle handle; /* NULL outside json_parse_run */
	struct list heap;   /* what did not fit into the arena */
	size_t heap_len;
	size_t heap_max;
	size_t arena_used;
	jmp_buf no_memory;
	char error[JSON_ERROR_MAX];
	alignas(max_align_t) uint8_t arena[JSON_ARENA_LEN];
};

void json_parse_init(struct json_parse *j);

/* Parses `len` bytes at `p` in one go, calling `callbacks` with `arg`. Returns JSON_OK,
 * JSON_INVALID, JSON_CANCELED or -ENOMEM. */
int json_parse_run(struct json_parse *j, const yajl_callbacks *callbacks, void *arg, const char *p,
                   size_t len);

/* Inside a callback: the offset behind the token that it is about. */
size_t json_parse_offset(const struct json_parse *j);

#endif
