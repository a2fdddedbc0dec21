/*
 * Growable byte buffer with a hard cap
 */
#ifndef NC_BASE_BUF_H
#define NC_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first piece of memory that a buffer takes: most names, log lines and answers fit. */
#define BUF_FIRST_LEN 256

struct buf {
	uint8_t *data; /* NULL until the first byte; else data[len] is 0 */
	size_t len;
	size_t cap; /* bytes that fit, not counting the 0 behind them */
	size_t max; /* len never gets beyond */
};

/* Makes B empty with room for at most MAX bytes, taking no memory yet. */
void buf_init(struct buf *b, size_t max);

/* Frees the memory of B and makes it empty; it may be used again. */
void buf_fini(struct buf *b);

/* Forgets the bytes of B and keeps its memory. */
void buf_clear(struct buf *b);

/*
 * Makes room for N more bytes, which may then be written at buf_tail() and taken in by
 * buf_advance(). Memory at least doubles, so appending costs amortised constant time. On error
 * nothing has changed.
 *
 * Returns 0, -EMSGSIZE when the cap would be passed, -ENOMEM.
 */
int buf_reserve(struct buf *b, size_t n);

/* Where the next byte goes; valid until the next call that may grow B. Only after a buf_reserve().
 */
static inline uint8_t *buf_tail(struct buf *b)
{
	return b->data + b->len;
}

/* Takes in N bytes written at buf_tail(), within what was reserved. */
void buf_advance(struct buf *b, size_t n);

/* Appends N bytes, all or none. P may point into B. Returns 0, -EMSGSIZE, -ENOMEM. */
int buf_append(struct buf *b, const void *p, size_t n);

/* Appends the string S without its 0. Returns 0, -EMSGSIZE, -ENOMEM. */
int buf_append_str(struct buf *b, const char *s);

/* Appends one byte. Returns 0, -EMSGSIZE, -ENOMEM. */
int buf_append_byte(struct buf *b, uint8_t byte);

/* Appends formatted text, all or none. Returns 0, -EMSGSIZE, -ENOMEM, -EINVAL when the C library
 * refuses. */
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *b, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));

/* Drops the first N bytes, which are there, and moves the rest to the front. */
void buf_consume(struct buf *b, size_t n);

/* Forgets all bytes from LEN on; LEN is at most b->len. */
void buf_truncate(struct buf *b, size_t len);

/*
 * Hands the memory of B to the caller, who frees it with free(), and makes B empty. What is
 * returned ends with a 0 behind the last byte.
 *
 * Returns the bytes, or NULL when B never held memory. *LENP, when given, takes their count.
 */
uint8_t *buf_steal(struct buf *b, size_t *lenp);

/* The bytes as a string: never NULL, valid until B changes. It ends early if the bytes contain a 0.
 */
const char *buf_str(const struct buf *b);

#endif
