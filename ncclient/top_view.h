/*
 * How top looks: a screen, or blocks of a batch
 *
 * Pure: draws a model into a stream, and knows the escape sequences of ECMA-48 that every terminal
 * of today takes (cursor home, erase, bold, reverse).
 */
#ifndef NC_NCCLIENT_TOP_VIEW_H
#define NC_NCCLIENT_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ncclient/top_model.h"

struct output;

/* The smallest screen that is drawn on. */
#define TOP_ROWS_MIN    6u
#define TOP_COLUMNS_MIN 40u

struct top_screen {
	size_t rows;
	size_t columns;
	enum top_list_id list;
	unsigned by; /* top_metric, TOP_BY_NAME, TOP_BY_SERVER */
	bool descending;
	size_t first; /* row of the list that is shown first */
	bool help;    /* show the keys instead */
	bool paused;  /* nothing new is taken */
	bool utf8;    /* the terminal takes UTF-8 */
	bool blocks;  /* and has block elements for the bars */
	bool colour;  /* bold and reverse are fine */
	uint64_t interval_ms;
	const char *clock;   /* time of day */
	const char *message; /* in the place of the keys, "" for none: the server went, ... */
};

/* Rows of the list that fit the screen. */
size_t top_view_page(const struct top_screen *s);

/* The next metric to sort by, STEP columns to the right (or left, where negative) on the screen. */
unsigned top_view_next_column(const struct top_screen *s, int step);

/* Draws the whole screen, from its first to its last line. Returns 0 or -ENOMEM. */
int top_view_draw(FILE *f, const struct top_screen *s, const struct top_model *m);

/* Prints one block of a batch in the output's format: text with a head line, JSON on one line, or
 * CSV, whose titles stand before the first block. AT_MS is the time since 1970. Returns 0 or
 * -ENOMEM. */
int top_view_batch(const struct output *o, const struct top_screen *s, const struct top_model *m,
                   uint64_t at_ms, bool first);

#endif
