/*
 * A line of the command line: calls of functions
 *
 *   line = [call] *( ";" [call] ) [comment]
 *   call = name [ "(" [ value *( "," value ) ] ")" ]
 *
 * A value is what literal.h calls relaxed; a comment begins with // or #. A name alone is a call
 * without arguments.
 */
#ifndef NC_NCCLIENT_CALL_H
#define NC_NCCLIENT_CALL_H

#include <stdbool.h>
#include <stddef.h>

struct literal_error;
struct value;

/* Calls on one line: more are a mistake, or a script that wants lines. */
#define CALL_MAX 100u

struct call {
	char *name;         /* terminated */
	size_t name_at;     /* byte of the line where it stands */
	size_t end_at;      /* byte behind it, where a missing argument would stand */
	struct value *args; /* an array value's items; each says where it stands */
	size_t n_args;
};

struct calls {
	struct call *items;
	size_t n;
};

/*
 * Reads a line of LEN bytes. OUT is to be freed with calls_fini(); on error it is empty.
 *
 * Returns LITERAL_OK, LITERAL_E_SYNTAX (*ERROR says what and where), -ENOMEM.
 */
int calls_parse(const char *line, size_t len, struct calls *out, struct literal_error *error);

void calls_fini(struct calls *c);

/* Says whether C may stand in the name of a function. */
bool call_is_name_char(int c);

#endif
