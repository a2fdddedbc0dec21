/*
 * Rows and columns: aligned text, or CSV
 *
 * Cells are copied into one array, row by row, so that printing can measure all before it prints
 * the first.
 */

#include "ncclient/table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncclient/text.h"

#define GAP 2u /* spaces between columns */

struct column {
	const char *title; /* not owned */
	unsigned flags;
};

struct table {
	struct column columns[TABLE_COLUMNS_MAX];
	size_t n_columns;
	char **cells;
	size_t n_cells;
	size_t n_room;
};

struct table *table_new(void)
{
	return calloc(1, sizeof(struct table));
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

void table_column(struct table *t, const char *title, unsigned flags)
{
	assert(t->n_columns < TABLE_COLUMNS_MAX && !t->n_cells);
	t->columns[t->n_columns++] = (struct column){.title = title, .flags = flags};
}

int table_cell(struct table *t, const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		return -ENOMEM;
	if (t->n_cells == t->n_room) {
		size_t room = t->n_room ? t->n_room * 2 : 64;
		char **cells = reallocarray(t->cells, room, sizeof(*cells));

		if (!cells) {
			free(copy);
			return -ENOMEM;
		}
		t->cells = cells;
		t->n_room = room;
	}
	t->cells[t->n_cells++] = copy;
	return 0;
}

size_t table_rows(const struct table *t)
{
	return t->n_columns ? t->n_cells / t->n_columns : 0;
}

/* Columns of text in each column; 0 stands for one that is left out. */
static void measure(const struct table *t, size_t *widths)
{
	for (size_t c = 0; c < t->n_columns; c++) {
		const char *title = t->columns[c].title;

		widths[c] = text_width(title, strlen(title));
		for (size_t i = c; i < t->n_cells; i += t->n_columns) {
			size_t w = text_width(t->cells[i], strlen(t->cells[i]));

			if (w > widths[c])
				widths[c] = w;
		}
	}
}

static size_t total(const struct table *t, const size_t *widths)
{
	size_t sum = 0;

	for (size_t c = 0; c < t->n_columns; c++)
		if (widths[c])
			sum += widths[c] + (sum ? GAP : 0);
	return sum;
}

/* What a column can be cut down to. */
static size_t least(const struct column *col, size_t width)
{
	size_t title = strlen(col->title), min = title > TABLE_CUT_MIN ? title : TABLE_CUT_MIN;

	return (col->flags & TABLE_CUT) && width > min ? min : width;
}

static size_t least_total(const struct table *t, const size_t *widths)
{
	size_t cut[TABLE_COLUMNS_MAX];

	for (size_t c = 0; c < t->n_columns; c++)
		cut[c] = widths[c] ? least(&t->columns[c], widths[c]) : 0;
	return total(t, cut);
}

/* Makes the columns fit, as far as they can. */
static void fit(const struct table *t, size_t *widths, size_t limit)
{
	for (size_t c = t->n_columns; c-- && least_total(t, widths) > limit;)
		if (t->columns[c].flags & TABLE_OPTIONAL)
			widths[c] = 0;
	/* one column at a time from the widest, so that short ones stay whole */
	while (total(t, widths) > limit) {
		size_t widest = t->n_columns;

		for (size_t c = 0; c < t->n_columns; c++)
			if (widths[c] > least(&t->columns[c], widths[c]) &&
			    (widest == t->n_columns || widths[c] > widths[widest]))
				widest = c;
		if (widest == t->n_columns)
			return;
		widths[widest]--;
	}
}

static size_t last_shown(const struct table *t, const size_t *widths)
{
	size_t last = 0;

	for (size_t c = 0; c < t->n_columns; c++)
		if (widths[c])
			last = c;
	return last;
}

static void put_row(const struct table *t, FILE *f, char *const *cells, const size_t *widths,
                    const struct table_look *look)
{
	size_t last = last_shown(t, widths);
	bool first = true;

	for (size_t c = 0; c <= last; c++) {
		const char *s = cells ? cells[c] : t->columns[c].title;
		bool right = t->columns[c].flags & TABLE_RIGHT;
		size_t len = strlen(s);

		if (!widths[c])
			continue;
		if (!first)
			fprintf(f, "%*s", (int)GAP, "");
		first = false;
		if (c == last && !right && text_width(s, len) <= widths[c])
			text_put(f, s, len, look->utf8);
		else
			text_put_fit(f, s, widths[c], right, look->utf8);
	}
}

void table_write_text(const struct table *t, FILE *f, const struct table_look *look)
{
	size_t widths[TABLE_COLUMNS_MAX];

	if (!t->n_columns)
		return;
	measure(t, widths);
	if (look->width)
		fit(t, widths, look->width);
	if (look->colour)
		fputs("\033[1m", f);
	put_row(t, f, NULL, widths, look);
	fputs(look->colour ? "\033[0m\n" : "\n", f);
	for (size_t row = 0; row < table_rows(t); row++) {
		put_row(t, f, t->cells + row * t->n_columns, widths, look);
		putc('\n', f);
	}
}

void table_write_csv_field(FILE *f, const char *s, size_t len)
{
	const char *end = s + len;
	bool quotes = false;

	for (const char *p = s; p < end; p++)
		quotes |= *p == '"' || *p == ',' || *p == '\r' || *p == '\n';
	/* a space at an end is often taken away by those who read it */
	quotes |= len && (s[0] == ' ' || end[-1] == ' ');
	if (!quotes) {
		fwrite(s, 1, len, f);
		return;
	}
	putc('"', f);
	for (; s < end; s++) {
		if (*s == '"')
			putc('"', f);
		putc(*s, f);
	}
	putc('"', f);
}

void table_write_csv(const struct table *t, FILE *f, bool header)
{
	for (size_t c = 0; header && c < t->n_columns; c++) {
		table_write_csv_field(f, t->columns[c].title, strlen(t->columns[c].title));
		fputs(c + 1 == t->n_columns ? "\r\n" : ",", f);
	}
	for (size_t i = 0; i < table_rows(t) * t->n_columns; i++) {
		table_write_csv_field(f, t->cells[i], strlen(t->cells[i]));
		fputs((i + 1) % t->n_columns ? "," : "\r\n", f);
	}
}
