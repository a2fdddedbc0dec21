/*
 * How top looks: the screen
 *
 * Columns are data: where the screen is narrow, those are left out that say how wide it must be.
 * The first text column takes what is left over, up to a limit; the rest becomes the sparkline.
 */

#include "ncclient/top_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncclient/text.h"
#include "ncclient/top_columns.h"

#define HEAD_LINES 4u /* two of totals, one empty or of a message, one of titles */
#define FOOT_LINES 1u

static const char keys[] = "q quit  c channels  l clients  < > column  r reverse  p pause  ? help";
static const char keys_net[] =
        "q quit  c channels  l clients  m hosts  < > column  r reverse  p pause  ? help";

/* Of the sparkline: messages in and out. */
static const char history_title[] = "MSGS";

static const char *const help[] = {
        "q, Ctrl-C     leave",
        "c, l, m, Tab  channels, clients, other hosts, the next of these",
        "< >           sort by the column to the left, to the right",
        "r             turn the order round",
        "n, s          sort by name, by the server's own order",
        "up, down      scroll by a line (also k, j)",
        "PgUp, PgDn    scroll by a page; Home, End to the ends",
        "+ -           view more often, less often",
        "p, space      hold the view, and go on",
        "Ctrl-L        draw anew",
        "?, h          this text, and back",
};

size_t top_view_page(const struct top_screen *s)
{
	return s->rows > HEAD_LINES + FOOT_LINES ? s->rows - HEAD_LINES - FOOT_LINES : 0;
}

unsigned top_view_next_column(const struct top_screen *s, int step)
{
	const struct top_column *columns = top_columns(s->list);
	unsigned order[N_TOP_METRICS + 1];
	size_t n = 0, at = 0;

	for (const struct top_column *c = columns; c->title; c++) {
		bool name = c->text == TOP_TEXT_NAME;

		if (s->columns < c->min_columns || (!name && c->metric == N_TOP_METRICS))
			continue;
		if ((name ? TOP_BY_NAME : c->metric) == s->by)
			at = n;
		order[n++] = name ? TOP_BY_NAME : c->metric;
	}
	return order[(at + n + (size_t)(step > 0 ? 1 : n - 1)) % n];
}

/* ---- lines */

/* A line is erased before it is written: behind its last column a terminal that is about to wrap
 * would take the last character away. */
static void begin_line(FILE *f)
{
	fputs("\033[K", f);
}

static void end_line(FILE *f)
{
	fputs("\r\n", f);
}

/* Text of at most the screen's width, shown as SGR says, where that is not NULL. */
static void put_line(FILE *f, const struct top_screen *s, const char *text, const char *sgr)
{
	size_t width = text_width(text, strlen(text));

	if (s->colour && sgr)
		fprintf(f, "\033[%sm", sgr);
	text_put_fit(f, text, width < s->columns ? width : s->columns, false, s->utf8);
	if (s->colour && sgr)
		fputs("\033[0m", f);
}

static void put_head(FILE *f, const struct top_screen *s, const struct top_model *m)
{
	char left[320], up[TEXT_NUMBER_LEN], hosts[48] = "", line[400];
	size_t width, clock = strlen(s->clock);

	if (m->has_net)
		snprintf(hosts, sizeof(hosts), "  hosts %zu", m->n_up);
	snprintf(left, sizeof(left), "%s on %s  up %s  channels %zu  clients %.0f%s", m->version,
	         m->host, text_duration(up, m->uptime_ms), m->lists[TOP_CHANNELS].n,
	         m->total.values[TOP_CLIENTS], hosts);
	if (!m->at_ms)
		snprintf(left, sizeof(left), "ncserver");
	width = text_width(left, strlen(left));
	if (width + 2 + clock <= s->columns)
		snprintf(line, sizeof(line), "%s%*s%s", left, (int)(s->columns - width - clock), "",
		         s->clock);
	else
		snprintf(line, sizeof(line), "%s", left);
	begin_line(f);
	put_line(f, s, line, NULL);
	end_line(f);
}

/* The last samples of a row, as many as WIDTH; the highest fills a character. */
static void put_spark(FILE *f, const struct top_screen *s, const struct top_row *row, size_t width)
{
	static const char *const blocks[] = {"\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83",
	                                     "\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86",
	                                     "\xe2\x96\x87", "\xe2\x96\x88"};
	static const char ascii[] = "_.-:=+*#";
	double max = 0;

	for (size_t i = 0; i < width; i++)
		if (top_history(row, i) > max)
			max = top_history(row, i);
	for (size_t i = width; i--;) {
		double value = top_history(row, i);
		size_t step = max > 0 ? (size_t)(value / max * 7 + 0.5) : 0;

		if (i >= row->n_history || value <= 0)
			putc(' ', f);
		else if (s->blocks)
			fputs(blocks[step], f);
		else
			putc(ascii[step], f);
	}
}

static void put_totals(FILE *f, const struct top_screen *s, const struct top_model *m)
{
	const double *v = m->total.values;
	char in[TEXT_NUMBER_LEN], in_bytes[TEXT_NUMBER_LEN], out[TEXT_NUMBER_LEN],
	        out_bytes[TEXT_NUMBER_LEN], queued[TEXT_NUMBER_LEN], queued_bytes[TEXT_NUMBER_LEN],
	        drops[TEXT_NUMBER_LEN], dropped[TEXT_NUMBER_LEN];
	char line[300];
	size_t width;

	snprintf(line, sizeof(line), "in %s/s %s/s  out %s/s %s/s  queued %s %s  dropped %s/s %s",
	         text_rate(in, v[TOP_IN]), text_bytes(in_bytes, v[TOP_IN_BYTES]),
	         text_rate(out, v[TOP_OUT]), text_bytes(out_bytes, v[TOP_OUT_BYTES]),
	         text_count(queued, v[TOP_QUEUED]), text_bytes(queued_bytes, v[TOP_QUEUED_BYTES]),
	         text_rate(drops, v[TOP_DROPS]), text_count(dropped, v[TOP_DROPPED]));
	begin_line(f);
	put_line(f, s, line, v[TOP_DROPS] > 0 ? "1" : NULL);
	width = strlen(line);
	if (width + 12 <= s->columns) {
		size_t room = s->columns - width - 2;

		fputs("  ", f);
		put_spark(f, s, &m->total, room < TOP_HISTORY ? room : TOP_HISTORY);
	}
	end_line(f);
}

static void put_message(FILE *f, const struct top_screen *s)
{
	begin_line(f);
	put_line(f, s, s->message, "7");
	end_line(f);
}

/* ---- the table */

static bool is_sorted_by(const struct top_screen *s, const struct top_column *c)
{
	return c->text == TOP_TEXT_NAME ? s->by == TOP_BY_NAME
	                                : c->metric < N_TOP_METRICS && c->metric == s->by;
}

/* Widths of the columns, 0 for those that do not fit; returns what is left for the sparkline. */
static size_t lay_out(const struct top_screen *s, size_t widths[TOP_COLUMNS_MAX])
{
	const struct top_column *columns = top_columns(s->list);
	size_t used = 0, spare, wide = 0;

	for (size_t i = 0; columns[i].title; i++) {
		widths[i] = s->columns >= columns[i].min_columns ? columns[i].width : 0;
		if (widths[i])
			used += widths[i] + 1;
		if (widths[i] && columns[i].max_width > columns[wide].max_width)
			wide = i;
	}
	spare = s->columns > used ? s->columns - used : 0;
	/* beyond a sparkline of ten, the name grows first */
	if (spare > 10) {
		size_t grow = columns[wide].max_width - widths[wide];

		if (grow > spare - 10)
			grow = spare - 10;
		widths[wide] += grow;
		spare -= grow;
	}
	return spare < TOP_HISTORY ? spare : TOP_HISTORY;
}

static void put_titles(FILE *f, const struct top_screen *s, const size_t *widths, size_t spark)
{
	const struct top_column *columns = top_columns(s->list);

	begin_line(f);
	for (size_t i = 0; columns[i].title; i++) {
		bool sorted = is_sorted_by(s, &columns[i]);

		if (!widths[i])
			continue;
		if (s->colour)
			fputs(sorted ? "\033[0;1m" : "\033[0;7m", f);
		text_put_fit(f, columns[i].title, widths[i], !columns[i].max_width, s->utf8);
		if (s->colour)
			fputs("\033[0;7m", f);
		/* without colour, a mark tells the column */
		putc(sorted && !s->colour ? (s->descending ? 'v' : '^') : ' ', f);
	}
	text_put_fit(f, spark < sizeof(history_title) - 1 ? "" : history_title, spark, true,
	             s->utf8);
	if (s->colour)
		fputs("\033[0m", f);
	end_line(f);
}

static void put_row(FILE *f, const struct top_screen *s, const struct top_row *row,
                    const size_t *widths, size_t spark)
{
	const struct top_column *columns = top_columns(s->list);
	char text[TOP_CELL_LEN];

	begin_line(f);
	for (size_t i = 0; columns[i].title; i++) {
		bool warn = s->colour && top_cell_warns(row, &columns[i]);

		if (!widths[i])
			continue;
		if (warn)
			fputs("\033[1m", f);
		text_put_fit(f, top_cell(text, row, &columns[i]), widths[i], !columns[i].max_width,
		             s->utf8);
		fputs(warn ? "\033[0m " : " ", f);
	}
	put_spark(f, s, row, spark);
	end_line(f);
}

static int put_table(FILE *f, const struct top_screen *s, const struct top_model *m)
{
	const struct top_list *l = &m->lists[s->list];
	size_t widths[TOP_COLUMNS_MAX], spark = lay_out(s, widths), page = top_view_page(s);
	size_t *order = calloc(l->n + 1, sizeof(*order));

	if (!order)
		return -ENOMEM;
	top_sort(l, s->by, s->descending, order);
	put_titles(f, s, widths, spark);
	for (size_t i = 0; i < page; i++) {
		if (s->first + i < l->n) {
			put_row(f, s, &l->rows[order[s->first + i]], widths, spark);
			continue;
		}
		begin_line(f);
		if (i == 0 && m->at_ms && s->list == TOP_HOSTS)
			put_line(f, s,
			         m->has_net ? "no other hosts"
			                    : "this server takes part in no network",
			         NULL);
		end_line(f);
	}
	free(order);
	return 0;
}

static void put_help(FILE *f, const struct top_screen *s)
{
	size_t n = sizeof(help) / sizeof(help[0]);

	for (size_t i = 0; i < top_view_page(s) + 1; i++) {
		begin_line(f);
		if (i < n)
			put_line(f, s, help[i], NULL);
		end_line(f);
	}
}

static void put_foot(FILE *f, const struct top_screen *s, const struct top_model *m)
{
	const struct top_list *l = &m->lists[s->list];
	char line[160], every[TEXT_NUMBER_LEN];
	size_t last = s->first + top_view_page(s);

	if (s->help || l->n <= top_view_page(s))
		snprintf(line, sizeof(line), "%s", m->has_net ? keys_net : keys);
	else
		snprintf(line, sizeof(line), "%zu-%zu of %zu, every %s%s  ? help  q quit",
		         s->first + 1, last < l->n ? last : l->n, l->n,
		         text_duration(every, s->interval_ms), s->paused ? ", paused" : "");
	fputs("\033[J", f);
	put_line(f, s, line, NULL);
}

int top_view_draw(FILE *f, const struct top_screen *s, const struct top_model *m)
{
	int rc = 0;

	fputs("\033[H", f);
	if (s->rows < TOP_ROWS_MIN || s->columns < TOP_COLUMNS_MIN) {
		fprintf(f, "needs %ux%u\033[J", TOP_COLUMNS_MIN, TOP_ROWS_MIN);
		return 0;
	}
	put_head(f, s, m);
	put_totals(f, s, m);
	put_message(f, s);
	if (s->help)
		put_help(f, s);
	else
		rc = put_table(f, s, m);
	put_foot(f, s, m);
	return rc;
}
