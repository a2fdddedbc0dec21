/*
 * Views: what of an answer is shown, and how
 *
 * A view is data. It names the fields of the server's answer (nc-protocol(7)) by their paths, which
 * are the titles of CSV, and how each is printed as text.
 */
#ifndef NC_NCCLIENT_VIEW_H
#define NC_NCCLIENT_VIEW_H

#include <stddef.h>

enum view_format {
	VIEW_TEXT,     /* a string as it is; anything else as JSON */
	VIEW_COUNT,    /* 12.3k */
	VIEW_BYTES,    /* 12.3kB */
	VIEW_DURATION, /* milliseconds: 1.2s */
	VIEW_TIME,     /* milliseconds since 1970: date and time */
	VIEW_ID,       /* a client's id: its first 8 characters unless all is wanted */
	VIEW_LIST,     /* array of strings: with spaces between */
	VIEW_NUMBER,   /* a number as it is */
	VIEW_STATE,    /* of a client object: what is not as usual */
};

/* Beside the flags of table.h: */
enum view_flags {
	VIEW_CSV_ONLY = 1u << 8, /* not in the text */
};

struct view_column {
	const char *title; /* of the text */
	const char *path;  /* dots between keys; "" is the object itself */
	enum view_format format;
	unsigned flags; /* table_flags, view_flags */
};

enum view_shape {
	VIEW_TABLE,  /* array of objects: a row each */
	VIEW_RECORD, /* one object: a line for each column */
	VIEW_NAMES,  /* array of strings: one on each line */
	VIEW_TEXTS,  /* the same of sentences, which are broken between words */
	VIEW_TREE,   /* anything: indented JSON */
	VIEW_WORD,   /* one string */
};

struct view {
	enum view_shape shape;
	const char *empty; /* TABLE, NAMES: the text where there is nothing */
	const struct view_column *columns;
	size_t n_columns;
	/* RECORD: tables that stand in members of the object, printed below it; ends with a NULL
	 * view */
	const struct view_part *parts;
};

struct view_part {
	const char *path;
	const struct view *view;
};

extern const struct view view_channels;
extern const struct view view_clients;
extern const struct view view_client;
extern const struct view view_rules;
extern const struct view view_slow;
extern const struct view view_stats;
extern const struct view view_trace;
extern const struct view view_peers;
extern const struct view view_net;
extern const struct view view_lanes;
extern const struct view view_probe;
extern const struct view view_keys;
extern const struct view view_key;
extern const struct view view_ids;
extern const struct view view_config;
extern const struct view view_done;
extern const struct view view_ping;
extern const struct view view_settings;

#endif
