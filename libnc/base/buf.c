/*
 * Growable byte buffer with a hard cap
 *
 * Text and bytes of unknown length are put together here. The cap is given when the buffer is made,
 * so that no input can make it grow without bound; a call that would pass it changes nothing and
 * says -EMSGSIZE. One 0 always stands behind the bytes, outside of len and cap, so that text can be
 * handed to C functions without a copy.
 */

#include "libnc/base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	/* the 0 behind the bytes must not overflow the size of an allocation */
	assert(max < SIZE_MAX / 2);
	*b = (struct buf){.max = max};
}

void buf_fini(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
	buf_truncate(b, 0);
}

int buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST_LEN;
	uint8_t *data;

	if (n > b->max - b->len)
		return -EMSGSIZE;
	if (b->data && n <= b->cap - b->len)
		return 0;
	while (cap < b->len + n)
		cap *= 2;
	if (cap > b->max)
		cap = b->max;
	data = realloc(b->data, cap + 1);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->cap = cap;
	b->data[b->len] = 0;
	return 0;
}

void buf_advance(struct buf *b, size_t n)
{
	assert(n <= b->cap - b->len);
	if (!b->data)
		return;
	b->len += n;
	b->data[b->len] = 0;
}

int buf_append(struct buf *b, const void *p, size_t n)
{
	uintptr_t start = (uintptr_t)b->data, from = (uintptr_t)p;
	bool inside = b->data && from >= start && from < start + b->cap;
	int r;

	if (!n)
		return 0;
	r = buf_reserve(b, n);
	if (r)
		return r;
	/* memory may just have moved, and the bytes with it */
	memcpy(buf_tail(b), inside ? b->data + (from - start) : p, n);
	buf_advance(b, n);
	return 0;
}

int buf_append_str(struct buf *b, const char *s)
{
	return buf_append(b, s, strlen(s));
}

int buf_append_byte(struct buf *b, uint8_t byte)
{
	return buf_append(b, &byte, 1);
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = buf_vprintf(b, fmt, args);
	va_end(args);
	return r;
}

int buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
	size_t room = b->data ? b->cap - b->len + 1 : 0;
	va_list again;
	int n, r;

	va_copy(again, args);
	n = vsnprintf(b->data ? (char *)buf_tail(b) : NULL, room, fmt, args);
	if (n < 0) {
		r = -EINVAL;
	} else if ((size_t)n < room) {
		buf_advance(b, (size_t)n);
		r = 0;
	} else {
		r = buf_reserve(b, (size_t)n);
		if (!r) {
			vsnprintf((char *)buf_tail(b), (size_t)n + 1, fmt, again);
			buf_advance(b, (size_t)n);
		}
	}
	va_end(again);
	/* a text that did not fit has been cut off behind the last byte */
	if (r && b->data)
		b->data[b->len] = 0;
	return r;
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	if (!n)
		return;
	memmove(b->data, b->data + n, b->len - n);
	buf_truncate(b, b->len - n);
}

void buf_truncate(struct buf *b, size_t len)
{
	assert(len <= b->len);
	b->len = len;
	if (b->data)
		b->data[len] = 0;
}

uint8_t *buf_steal(struct buf *b, size_t *lenp)
{
	uint8_t *data = b->data;

	if (lenp)
		*lenp = b->len;
	buf_init(b, b->max);
	return data;
}

const char *buf_str(const struct buf *b)
{
	return b->data ? (const char *)b->data : "";
}
