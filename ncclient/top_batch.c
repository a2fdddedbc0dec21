/*
 * How top looks: blocks of a batch
 */

#include "ncclient/top_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncclient/output.h"
#include "ncclient/table.h"
#include "ncclient/text.h"
#include "ncclient/top_columns.h"
#include "ncclient/value.h"

/* What a rate is called where its unit is not in a title. */
static const char *metric_key(unsigned metric)
{
	static const char *const rates[N_TOP_METRICS] = {
	        [TOP_IN] = "in_per_s",         [TOP_IN_BYTES] = "in_bytes_per_s",
	        [TOP_OUT] = "out_per_s",       [TOP_OUT_BYTES] = "out_bytes_per_s",
	        [TOP_DROPS] = "dropped_per_s",
	};

	return rates[metric] ? rates[metric] : top_metric_name((enum top_metric)metric);
}

static void put_metric(FILE *f, double v)
{
	fprintf(f, "%.*f", v < 1e15 && v != (double)(uint64_t)v ? 3 : 0, v);
}

static void put_head(FILE *f, const struct top_model *m, uint64_t at_ms)
{
	const double *v = m->total.values;
	char n[6][TEXT_NUMBER_LEN], at[TEXT_NUMBER_LEN], up[TEXT_NUMBER_LEN];

	fprintf(f, "%s  %s on ", text_time(at, at_ms), m->version);
	text_put(f, m->host, strlen(m->host), true);
	fprintf(f, "  up %s\n", text_duration(up, m->uptime_ms));
	fprintf(f, "in %s/s %s/s  out %s/s %s/s  queued %s  dropped %s/s\n",
	        text_rate(n[0], v[TOP_IN]), text_bytes(n[1], v[TOP_IN_BYTES]),
	        text_rate(n[2], v[TOP_OUT]), text_bytes(n[3], v[TOP_OUT_BYTES]),
	        text_count(n[4], v[TOP_QUEUED]), text_rate(n[5], v[TOP_DROPS]));
}

static int fill_table(struct table *t, const struct top_screen *s, const struct top_list *l,
                      const size_t *order)
{
	const struct top_column *columns = top_columns(s->list);
	char text[TOP_CELL_LEN];

	for (size_t c = 0; columns[c].title; c++)
		if (columns[c].min_columns <= s->columns)
			table_column(t, columns[c].title,
			             columns[c].max_width ? TABLE_CUT : TABLE_RIGHT);
	for (size_t i = 0; i < l->n; i++)
		for (size_t c = 0; columns[c].title; c++) {
			int rc;

			if (columns[c].min_columns > s->columns)
				continue;
			top_cell(text, &l->rows[order[i]], &columns[c]);
			rc = table_cell(t, *text ? text : "-");
			if (rc)
				return rc;
		}
	return 0;
}

static int put_text(const struct output *o, const struct top_screen *s, const struct top_model *m,
                    const size_t *order)
{
	struct table_look look = {
	        .width = o->unbounded ? 0 : o->width, .utf8 = o->utf8, .colour = o->colour};
	struct table *t = table_new();
	int rc;

	if (!t)
		return -ENOMEM;
	rc = fill_table(t, s, &m->lists[s->list], order);
	if (!rc)
		table_write_text(t, o->f, &look);
	table_free(t);
	return rc;
}

static void put_json_metrics(FILE *f, const struct top_row *row, enum top_list_id id)
{
	const char *sep = "";

	for (unsigned i = 0; i < N_TOP_METRICS; i++) {
		if (!top_has_metric(id, i))
			continue;
		fprintf(f, "%s\"%s\":", sep, metric_key(i));
		put_metric(f, row->values[i]);
		sep = ",";
	}
}

static void put_json_string(FILE *f, const char *key, const char *s)
{
	fprintf(f, "\"%s\":", key);
	value_write_string(f, s, strlen(s));
	putc(',', f);
}

static void put_json_list(FILE *f, const struct top_model *m, enum top_list_id id)
{
	static const char *const keys[N_TOP_LISTS] = {
	        [TOP_CHANNELS] = "name", [TOP_CLIENTS_LIST] = "id", [TOP_HOSTS] = "boot"};
	const struct top_list *l = &m->lists[id];

	for (size_t i = 0; i < l->n; i++) {
		const struct top_row *row = &l->rows[i];

		fputs(i ? ",{" : "{", f);
		put_json_string(f, keys[id], row->key);
		if (id == TOP_HOSTS) {
			put_json_string(f, "name", row->name);
			put_json_string(f, "state", row->state);
		} else if (id == TOP_CLIENTS_LIST) {
			put_json_string(f, "channel", row->channel);
			put_json_string(f, "user", row->user);
			put_json_string(f, "name", row->name);
			fprintf(f, "\"pid\":%llu,\"blocked\":%s,\"paused\":%s,",
			        (unsigned long long)row->pid, row->blocked ? "true" : "false",
			        row->paused ? "true" : "false");
		}
		put_json_metrics(f, row, id);
		putc('}', f);
	}
}

static void put_json(FILE *f, const struct top_model *m, uint64_t at_ms)
{
	fprintf(f, "{\"at_ms\":%llu,\"interval_ms\":%llu,", (unsigned long long)at_ms,
	        (unsigned long long)m->interval_ms);
	put_json_string(f, "version", m->version);
	put_json_string(f, "host", m->host);
	fputs("\"total\":{", f);
	put_json_metrics(f, &m->total, TOP_CHANNELS);
	fputs("},\"channels\":[", f);
	put_json_list(f, m, TOP_CHANNELS);
	fputs("],\"clients\":[", f);
	put_json_list(f, m, TOP_CLIENTS_LIST);
	fputs("],\"hosts\":[", f);
	put_json_list(f, m, TOP_HOSTS);
	fputs("]}\n", f);
}

static void put_csv_row(FILE *f, enum top_list_id id, const struct top_row *row, uint64_t at_ms)
{
	fprintf(f, "%llu,", (unsigned long long)at_ms);
	if (id == TOP_HOSTS) {
		table_write_csv_field(f, row->name, strlen(row->name));
		fprintf(f, ",%s,", row->key);
		table_write_csv_field(f, row->state, strlen(row->state));
	} else {
		table_write_csv_field(f, row->channel, strlen(row->channel));
	}
	if (id == TOP_CLIENTS_LIST) {
		fprintf(f, ",%s,%llu,", row->key, (unsigned long long)row->pid);
		table_write_csv_field(f, row->user, strlen(row->user));
		putc(',', f);
		table_write_csv_field(f, row->name, strlen(row->name));
	}
	for (unsigned i = 0; i < N_TOP_METRICS; i++) {
		if (!top_has_metric(id, i))
			continue;
		putc(',', f);
		put_metric(f, row->values[i]);
	}
	fputs("\r\n", f);
}

static void put_csv(FILE *f, const struct top_screen *s, const struct top_model *m,
                    const size_t *order, uint64_t at_ms)
{
	const struct top_list *l = &m->lists[s->list];

	for (size_t i = 0; i < l->n; i++)
		put_csv_row(f, s->list, &l->rows[order[i]], at_ms);
}

static void put_csv_titles(FILE *f, enum top_list_id id)
{
	static const char *const texts[N_TOP_LISTS] = {[TOP_CHANNELS] = "at_ms,channel",
	                                               [TOP_CLIENTS_LIST] =
	                                                       "at_ms,channel,id,pid,user,name",
	                                               [TOP_HOSTS] = "at_ms,name,boot,state"};

	fputs(texts[id], f);
	for (unsigned i = 0; i < N_TOP_METRICS; i++)
		if (top_has_metric(id, i))
			fprintf(f, ",%s", metric_key(i));
	fputs("\r\n", f);
}

int top_view_batch(const struct output *o, const struct top_screen *s, const struct top_model *m,
                   uint64_t at_ms, bool first)
{
	const struct top_list *l = &m->lists[s->list];
	size_t *order;
	int rc = 0;

	if (o->format == OUTPUT_JSON) {
		put_json(o->f, m, at_ms);
		return 0;
	}
	order = calloc(l->n + 1, sizeof(*order));
	if (!order)
		return -ENOMEM;
	top_sort(l, s->by, s->descending, order);
	if (o->format == OUTPUT_CSV) {
		if (first)
			put_csv_titles(o->f, s->list);
		put_csv(o->f, s, m, order, at_ms);
	} else {
		if (!first)
			putc('\n', o->f);
		put_head(o->f, m, at_ms);
		rc = put_text(o, s, m, order);
	}
	free(order);
	return rc;
}
