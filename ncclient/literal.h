/*
 * Reading values: JSON, and what people type for it
 *
 * The strict form is JSON (RFC 8259). The relaxed one is that of the command line: besides JSON it
 * takes strings in single quotes and keys without quotes, as JavaScript does. Whatever is wrong is
 * said with its place.
 */
#ifndef NC_NCCLIENT_LITERAL_H
#define NC_NCCLIENT_LITERAL_H

#include <stdbool.h>
#include <stddef.h>

struct value;

/* Nesting that is read; deeper text is refused, as the server does. */
#define LITERAL_DEPTH_MAX 128u

/* What is wrong, and at which byte. */
struct literal_error {
	size_t at;
	char text[112];
};

/* A text that is being read from its front. */
struct literal_reader {
	const char *text; /* not owned; need not be terminated */
	size_t len;
	size_t at;
	bool relaxed;
	struct literal_error *error; /* not owned */
};

enum literal_result {
	LITERAL_OK = 0,
	LITERAL_E_SYNTAX = 1, /* *error says what and where */
};

/* Reads one value and what space is around it, to the end of the text. V is to be freed with
 * value_fini(); on error it is null. Returns LITERAL_OK, LITERAL_E_SYNTAX or -ENOMEM. */
int literal_parse(const char *text, size_t len, bool relaxed, struct value *v,
                  struct literal_error *error);

/* Reads values with commas between them, to behind the CLOSE that ends them. LIST is to be freed
 * with value_fini(), on error, too. Otherwise as literal_parse(). */
int literal_read_list(struct literal_reader *r, struct value *list, char close);

/* Skips white space. */
void literal_skip_space(struct literal_reader *r);

/* The next byte, or -1 at the end. */
int literal_peek(const struct literal_reader *r);

/* Finds line and column, both from 1 and in characters, of byte AT. */
void literal_place(const char *text, size_t len, size_t at, size_t *line, size_t *column);

/* Notes what is wrong at byte AT. Returns LITERAL_E_SYNTAX. */
int literal_fail(struct literal_reader *r, size_t at, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

#endif
