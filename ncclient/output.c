/*
 * Answers as text, JSON or CSV
 *
 * JSON is the server's answer itself. Text and CSV are what a view picks from it; an answer that
 * is not of the shape that its view expects is shown as JSON, rather than not at all.
 */

#include "ncclient/output.h"

#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ncclient/table.h"
#include "ncclient/text.h"
#include "ncclient/value.h"
#include "ncclient/view.h"

#define WIDTH_DEFAULT 80u
#define WIDTH_MAX     1000u
#define ID_SHORT      8

static size_t terminal_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws;
	long n = 0;

	if (columns)
		n = strtol(columns, NULL, 10);
	if (n <= 0 && !ioctl(fd, TIOCGWINSZ, &ws))
		n = ws.ws_col;
	return n > 0 && n <= (long)WIDTH_MAX ? (size_t)n : WIDTH_DEFAULT;
}

void output_init(struct output *o, FILE *f)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	bool tty = isatty(fileno(f));

	*o = (struct output){.f = f};
	output_resize(o);
	o->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	o->colour = tty && !(no_color && *no_color) && term && strcmp(term, "dumb");
}

void output_resize(struct output *o)
{
	int fd = fileno(o->f);

	o->unbounded = !isatty(fd);
	o->width = o->unbounded ? WIDTH_DEFAULT : terminal_width(fd);
}

static const char *const format_names[] = {
        [OUTPUT_TEXT] = "text", [OUTPUT_JSON] = "json", [OUTPUT_CSV] = "csv"};

int output_read_format(const char *name, enum output_format *format)
{
	for (size_t i = 0; i < sizeof(format_names) / sizeof(format_names[0]); i++) {
		if (strcmp(name, format_names[i]))
			continue;
		*format = (enum output_format)i;
		return 0;
	}
	return -1;
}

const char *output_format_name(enum output_format format)
{
	return format_names[format];
}

/* ---- one cell */

static void put_list(FILE *f, const struct value *v)
{
	for (size_t i = 0; i < v->n_items; i++) {
		if (i)
			putc(' ', f);
		fputs(value_str(&v->items[i], "?"), f);
	}
}

static void put_state(FILE *f, const struct value *client)
{
	static const char *const states[] = {"blocked", "paused", "probation"};
	const char *gap = "";

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (!value_bool(value_get(client, states[i])))
			continue;
		fprintf(f, "%s%s", gap, states[i]);
		gap = " ";
	}
}

/* The value as CSV and wide text have it. */
static void put_plain(FILE *f, const struct value *v)
{
	if (v->kind == VALUE_STRING)
		fwrite(v->text, 1, v->len, f);
	else if (v->kind == VALUE_ARRAY && v->n_items && v->items[0].kind == VALUE_STRING)
		put_list(f, v);
	else if (v->kind != VALUE_NULL && v->kind != VALUE_ARRAY)
		value_write(f, v, false);
}

static void put_text(FILE *f, const struct value *v, enum view_format format, bool wide)
{
	char number[TEXT_NUMBER_LEN];

	switch (format) {
	case VIEW_COUNT: fputs(text_count(number, (double)value_u64(v, 0)), f); return;
	case VIEW_BYTES: fputs(text_bytes(number, (double)value_u64(v, 0)), f); return;
	case VIEW_DURATION: fputs(text_duration(number, value_u64(v, 0)), f); return;
	case VIEW_TIME: fputs(text_time(number, value_u64(v, 0)), f); return;
	case VIEW_ID: fprintf(f, "%.*s", wide ? -1 : ID_SHORT, value_str(v, "?")); return;
	case VIEW_STATE: put_state(f, v); return;
	case VIEW_TEXT:
		if (v->kind == VALUE_TRUE || v->kind == VALUE_FALSE) {
			fputs(v->kind == VALUE_TRUE ? "yes" : "no", f);
			return;
		}
		break;
	case VIEW_LIST:
	case VIEW_NUMBER: break;
	}
	put_plain(f, v);
}

/* A cell as a string, to be freed; NULL without memory. */
static char *cell_text(const struct output *o, const struct view_column *col,
                       const struct value *row)
{
	const struct value *v = value_path(row, col->path);
	bool csv = o->format == OUTPUT_CSV;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	if (v && csv && col->format != VIEW_STATE)
		put_plain(f, v);
	else if (v)
		put_text(f, v, col->format, o->wide);
	/* an empty cell would be hard to count for eyes and for awk */
	if (!csv && !ftell(f))
		putc('-', f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- shapes */

static bool is_shown(const struct output *o, const struct view_column *col)
{
	return o->format == OUTPUT_CSV ? col->format != VIEW_STATE : !(col->flags & VIEW_CSV_ONLY);
}

static struct table *new_table(const struct output *o, const struct view *view)
{
	struct table *t = table_new();

	if (!t)
		return NULL;
	for (size_t i = 0; i < view->n_columns; i++) {
		const struct view_column *col = &view->columns[i];

		if (is_shown(o, col))
			table_column(t, o->format == OUTPUT_CSV ? col->path : col->title,
			             col->flags);
	}
	return t;
}

static int add_row(struct table *t, const struct output *o, const struct view *view,
                   const struct value *row)
{
	for (size_t i = 0; i < view->n_columns; i++) {
		char *text;
		int rc;

		if (!is_shown(o, &view->columns[i]))
			continue;
		text = cell_text(o, &view->columns[i], row);
		rc = text ? table_cell(t, text) : -ENOMEM;
		free(text);
		if (rc)
			return rc;
	}
	return 0;
}

static int put_table(const struct output *o, const struct view *view, const struct value *v)
{
	struct table_look look = {.width = o->wide || o->unbounded ? 0 : o->width,
	                          .utf8 = o->utf8,
	                          .colour = o->colour};
	struct table *t;
	int rc = 0;

	if (!v->n_items && o->format == OUTPUT_TEXT) {
		fprintf(o->f, "%s\n", view->empty);
		return 0;
	}
	t = new_table(o, view);
	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < v->n_items && !rc; i++)
		rc = add_row(t, o, view, &v->items[i]);
	if (!rc && o->format == OUTPUT_CSV)
		table_write_csv(t, o->f, true);
	else if (!rc)
		table_write_text(t, o->f, &look);
	table_free(t);
	return rc;
}

/* Text after a mark, in lines that fit the terminal. */
static void put_sentence(const struct output *o, const char *s)
{
	size_t limit = o->wide || o->unbounded ? SIZE_MAX : o->width, column = 1;

	putc('-', o->f);
	while (*s) {
		size_t len = strcspn(s, " "), width = text_width(s, len);

		if (column + 1 + width > limit && column > 1) {
			fputs("\n ", o->f);
			column = 1;
		}
		putc(' ', o->f);
		text_put(o->f, s, len, o->utf8);
		column += 1 + width;
		s += len;
		s += *s == ' ';
	}
}

static int put_names(const struct output *o, const struct view *view, const struct value *v)
{
	bool csv = o->format == OUTPUT_CSV;

	if (csv)
		fprintf(o->f, "%s\r\n", view->columns[0].path);
	else if (!v->n_items)
		fprintf(o->f, "%s\n", view->empty);
	for (size_t i = 0; i < v->n_items; i++) {
		const char *s = value_str(&v->items[i], "?");

		if (csv)
			table_write_csv_field(o->f, s, strlen(s));
		else if (view->shape == VIEW_TEXTS)
			put_sentence(o, s);
		else
			text_put(o->f, s, strlen(s), o->utf8);
		fputs(csv ? "\r\n" : "\n", o->f);
	}
	return 0;
}

/* The way from the root of a tree to one of its values. */
struct way {
	const struct way *up; /* NULL: the root itself */
	const struct value *item;
	size_t index; /* in its container */
};

static void put_way(FILE *f, const struct way *way)
{
	if (!way->up)
		return;
	put_way(f, way->up);
	if (!way->item->key) {
		fprintf(f, "[%zu]", way->index);
		return;
	}
	if (way->up->up)
		putc('.', f);
	fwrite(way->item->key, 1, way->item->key_len, f);
}

static int put_leaf(const struct output *o, const struct way *way)
{
	char *path = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&path, &len);

	if (!f)
		return -ENOMEM;
	put_way(f, way);
	if (fclose(f)) {
		free(path);
		return -ENOMEM;
	}
	table_write_csv_field(o->f, path, len);
	free(path);
	putc(',', o->f);
	if (way->item->kind == VALUE_STRING)
		table_write_csv_field(o->f, way->item->text, way->item->len);
	else if (way->item->kind != VALUE_NULL)
		value_write(o->f, way->item, false);
	fputs("\r\n", o->f);
	return 0;
}

/* Prints the leaves below WAY as CSV, each with its path. */
static int put_leaves(const struct output *o, const struct way *way)
{
	int rc = 0;

	if (!way->item->n_items)
		return way->up ? put_leaf(o, way) : 0;
	for (size_t i = 0; i < way->item->n_items && !rc; i++) {
		struct way down = {.up = way, .item = &way->item->items[i], .index = i};

		rc = put_leaves(o, &down);
	}
	return rc;
}

static int put_csv_tree(const struct output *o, const struct value *v)
{
	struct way root = {.item = v};

	fputs("path,value\r\n", o->f);
	return put_leaves(o, &root);
}

static int put_record(const struct output *o, const struct view *view, const struct value *v)
{
	size_t width = 0;

	for (size_t i = 0; i < view->n_columns; i++)
		if (strlen(view->columns[i].title) > width)
			width = strlen(view->columns[i].title);
	for (size_t i = 0; i < view->n_columns; i++) {
		char *text = cell_text(o, &view->columns[i], v);

		if (!text)
			return -ENOMEM;
		fprintf(o->f, "%-*s  ", (int)width, view->columns[i].title);
		text_put(o->f, text, strlen(text), o->utf8);
		putc('\n', o->f);
		free(text);
	}
	for (const struct view_part *part = view->parts; part && part->view; part++) {
		const struct value *items = value_path(v, part->path);
		int rc;

		if (!items || items->kind != VALUE_ARRAY)
			continue;
		putc('\n', o->f);
		rc = part->view->shape == VIEW_TABLE ? put_table(o, part->view, items)
		                                     : put_names(o, part->view, items);
		if (rc)
			return rc;
	}
	return 0;
}

static int put_word(const struct output *o, const struct view *view, const struct value *v)
{
	if (o->format == OUTPUT_CSV) {
		fprintf(o->f, "%s\r\n", view->columns[0].path);
		table_write_csv_field(o->f, v->text, v->len);
		fputs("\r\n", o->f);
		return 0;
	}
	text_put(o->f, v->text, v->len, o->utf8);
	putc('\n', o->f);
	return 0;
}

static bool has_shape(enum view_shape shape, const struct value *v)
{
	switch (shape) {
	case VIEW_TABLE:
	case VIEW_NAMES:
	case VIEW_TEXTS: return v->kind == VALUE_ARRAY;
	case VIEW_RECORD: return v->kind == VALUE_OBJECT;
	case VIEW_WORD: return v->kind == VALUE_STRING;
	case VIEW_TREE: break;
	}
	return v->kind == VALUE_OBJECT;
}

int output_answer(const struct output *o, const struct view *view, const struct value *v)
{
	bool csv = o->format == OUTPUT_CSV;

	if (o->format == OUTPUT_JSON || !has_shape(view->shape, v)) {
		value_write(o->f, v, o->format == OUTPUT_TEXT);
		putc('\n', o->f);
		return 0;
	}
	switch (view->shape) {
	case VIEW_TABLE: return put_table(o, view, v);
	case VIEW_NAMES:
	case VIEW_TEXTS: return put_names(o, view, v);
	case VIEW_WORD: return put_word(o, view, v);
	case VIEW_RECORD: return csv ? put_csv_tree(o, v) : put_record(o, view, v);
	case VIEW_TREE: break;
	}
	if (csv)
		return put_csv_tree(o, v);
	value_write(o->f, v, true);
	putc('\n', o->f);
	return 0;
}
