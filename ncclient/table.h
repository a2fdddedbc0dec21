/*
 * Rows and columns: aligned text, or CSV
 *
 * A table is filled cell by cell, row after row, and then printed. As text it fits a width: columns
 * that may be left out go first, from the last one on, then those that hold free text are cut.
 */
#ifndef NC_NCCLIENT_TABLE_H
#define NC_NCCLIENT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct table;

/* How a column is printed as text. */
enum table_flags {
	TABLE_RIGHT = 1u << 0,    /* numbers */
	TABLE_CUT = 1u << 1,      /* free text: may be cut where there is too little room */
	TABLE_OPTIONAL = 1u << 2, /* may be left out */
};

/* Columns of a table. */
#define TABLE_COLUMNS_MAX 64u

/* What a cut column keeps at least. */
#define TABLE_CUT_MIN 6u

struct table_look {
	size_t width; /* columns of the terminal; 0: no limit */
	bool utf8;    /* the terminal takes UTF-8 */
	bool colour;  /* escape sequences for bold are fine */
};

/* Makes an empty table. Returns NULL without memory. */
struct table *table_new(void);
void table_free(struct table *t);

/* Adds a column, before the first row. TITLE is not copied. */
void table_column(struct table *t, const char *title, unsigned flags);

/* Adds a cell, a copy of S, behind the last one; a row ends with the last column. Returns 0 or
 * -ENOMEM. */
int table_cell(struct table *t, const char *s);

/* The rows that are complete. */
size_t table_rows(const struct table *t);

/* Prints titles and rows as text, two spaces between columns, none at the ends of lines. */
void table_write_text(const struct table *t, FILE *f, const struct table_look *look);

/* Prints rows as CSV (RFC 4180), with the titles before where HEADER. */
void table_write_csv(const struct table *t, FILE *f, bool header);

/* Prints one CSV field of LEN bytes, in quotes where it needs them. */
void table_write_csv_field(FILE *f, const char *s, size_t len);

#endif
