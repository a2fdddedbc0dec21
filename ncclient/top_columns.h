/*
 * The columns of top, as data
 */
#ifndef NC_NCCLIENT_TOP_COLUMNS_H
#define NC_NCCLIENT_TOP_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "ncclient/top_model.h"

#define TOP_COLUMNS_MAX 16u
#define TOP_CELL_LEN    80u

/* Columns that are no metric. */
enum top_text {
	TOP_TEXT_NONE = 0, /* a metric */
	TOP_TEXT_NAME,     /* of the channel, the host; command and label of the client */
	TOP_TEXT_CHANNEL,
	TOP_TEXT_ID, /* the first eight characters */
	TOP_TEXT_PID,
	TOP_TEXT_USER,
	TOP_TEXT_STATE,
	TOP_TEXT_HOST_STATE,
};

struct top_column {
	const char *title; /* NULL ends the list */
	unsigned metric;   /* top_metric, or N_TOP_METRICS for text */
	enum top_text text;
	size_t width;
	size_t max_width;   /* of text, which stands at the left; 0: at the right */
	size_t min_columns; /* shown on screens at least as wide */
};

/* The columns of a list, from left to right. */
const struct top_column *top_columns(enum top_list_id list);

/* Writes a cell as text. Returns OUT. */
const char *top_cell(char out[static TOP_CELL_LEN], const struct top_row *row,
                     const struct top_column *c);

/* Says whether a cell shows something that should not be: drops now, a client that blocks, a host
 * that is not up. */
bool top_cell_warns(const struct top_row *row, const struct top_column *c);

#endif
