/*
 * What could stand at the cursor
 *
 * Finds out, from the unfinished line before the cursor, which function's which argument is being
 * typed. The candidates of a kind are known to others (names to command.c, channels and clients to
 * the server).
 */
#ifndef NC_NCCLIENT_COMPLETE_H
#define NC_NCCLIENT_COMPLETE_H

#include <stddef.h>

struct command;

enum complete_kind {
	COMPLETE_NOTHING,
	COMPLETE_FUNCTION, /* the name of a function */
	COMPLETE_ARGUMENT, /* a text argument */
};

#define COMPLETE_ARG_LEN 256u

struct complete_place {
	enum complete_kind kind;
	size_t word_at;                /* where the word begins, behind its quote */
	char quote;                    /* ARGUMENT: the quote that was typed, 0 for none yet */
	const struct command *command; /* ARGUMENT */
	size_t arg;                    /* ARGUMENT: its number, from 0 */
	char before[COMPLETE_ARG_LEN]; /* ARGUMENT: the one before it, "" where it is no text */
};

/* Looks at the LEN bytes of the line that stand before the cursor. */
void complete_find(const char *line, size_t len, struct complete_place *out);

/* Candidates, and what they have in common. */
struct complete_list {
	char **items; /* sorted, each once */
	size_t n;
	size_t n_room;
};

/* More are not offered. */
#define COMPLETE_LIST_MAX 1000u

/* Adds S, copied, where it begins with the LEN bytes at PREFIX and fits the list. Returns 0 or
 * -ENOMEM. */
int complete_add(struct complete_list *l, const char *s, const char *prefix, size_t len);

/* Length of the longest beginning that all items have in common. */
size_t complete_common(const struct complete_list *l);

void complete_fini(struct complete_list *l);

#endif
