/*
 * Answers as text, JSON or CSV
 */
#ifndef NC_NCCLIENT_OUTPUT_H
#define NC_NCCLIENT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct value;
struct view;

enum output_format {
	OUTPUT_TEXT, /* for people */
	OUTPUT_JSON, /* each answer on one line */
	OUTPUT_CSV,  /* RFC 4180 */
};

struct output {
	FILE *f; /* not owned */
	enum output_format format;
	bool wide;      /* text may be wider than the terminal */
	bool utf8;      /* the terminal takes UTF-8 */
	bool colour;    /* it takes escape sequences */
	size_t width;   /* its columns */
	bool unbounded; /* it is no terminal: tables are as wide as they get */
};

/* Finds out what F can show, from the locale, the terminal and the environment (NO_COLOR, TERM,
 * COLUMNS). Of what is no terminal lines are 80 columns wide, and tables as wide as they get. */
void output_init(struct output *o, FILE *f);

/* Asks the terminal for its width again. */
void output_resize(struct output *o);

/* Reads the name of a format. Returns 0 and sets *FORMAT, or -1. */
int output_read_format(const char *name, enum output_format *format);
const char *output_format_name(enum output_format format);

/* Prints an answer. Returns 0 or -ENOMEM; whether writing worked is ferror(o->f). */
int output_answer(const struct output *o, const struct view *view, const struct value *v);

#endif
