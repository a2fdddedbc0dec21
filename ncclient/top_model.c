/*
 * What top knows: rates from two snapshots
 *
 * Pure: the answers and the time are given. Rows are found again by their key, so lists of
 * thousands of clients cost n log n.
 */

#include "ncclient/top_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ncclient/value.h"

static const char *const metric_names[N_TOP_METRICS] = {
        [TOP_CLIENTS] = "clients",
        [TOP_IN] = "in",
        [TOP_IN_BYTES] = "in_bytes",
        [TOP_OUT] = "out",
        [TOP_OUT_BYTES] = "out_bytes",
        [TOP_QUEUED] = "queued",
        [TOP_QUEUED_BYTES] = "queued_bytes",
        [TOP_DROPS] = "drops",
        [TOP_DROPPED] = "dropped",
        [TOP_STALLS] = "stalls",
        [TOP_RTT] = "rtt_us",
        [TOP_LOST] = "lost",
        [TOP_NAKS] = "naks",
        [TOP_REPAIRS] = "repairs",
        [TOP_WINDOW] = "window",
        [TOP_HEARD] = "heard_ms",
};

void top_model_init(struct top_model *m)
{
	*m = (struct top_model){0};
}

void top_model_fini(struct top_model *m)
{
	for (size_t i = 0; i < N_TOP_LISTS; i++)
		free(m->lists[i].rows);
	top_model_init(m);
}

const char *top_metric_name(enum top_metric metric)
{
	return metric_names[metric];
}

bool top_has_metric(enum top_list_id list, unsigned metric)
{
	switch (list) {
	case TOP_CHANNELS: return metric < TOP_RTT;
	case TOP_CLIENTS_LIST: return metric != TOP_CLIENTS && metric < TOP_RTT;
	case TOP_HOSTS:
		return (metric >= TOP_IN && metric <= TOP_OUT_BYTES) ||
		       (metric >= TOP_RTT && metric < N_TOP_METRICS);
	case N_TOP_LISTS: break;
	}
	return false;
}

int top_read_metric(const char *name, unsigned *by)
{
	if (!strcmp(name, "name")) {
		*by = TOP_BY_NAME;
		return 0;
	}
	if (!strcmp(name, "server")) {
		*by = TOP_BY_SERVER;
		return 0;
	}
	for (unsigned i = 0; i < N_TOP_METRICS; i++) {
		if (strcmp(name, metric_names[i]))
			continue;
		*by = i;
		return 0;
	}
	return -1;
}

double top_history(const struct top_row *row, size_t i)
{
	if (i >= row->n_history || i >= TOP_HISTORY)
		return 0;
	return row->history[(row->n_history - 1 - i) % TOP_HISTORY];
}

static void set_text(char out[static TOP_TEXT_LEN], const char *s)
{
	/* what is too long is cut for display only; keys are shorter than that */
	snprintf(out, TOP_TEXT_LEN, "%s", s);
}

/* ---- counters and rates */

static bool is_rate(unsigned metric)
{
	return metric == TOP_IN || metric == TOP_IN_BYTES || metric == TOP_OUT ||
	       metric == TOP_OUT_BYTES || metric == TOP_DROPS;
}

/* Puts counters into a row. INTERVAL_MS is 0 where there is nothing to compare with. */
static void count(struct top_row *row, const uint64_t totals[N_TOP_METRICS], uint64_t interval_ms)
{
	for (unsigned i = 0; i < N_TOP_METRICS; i++) {
		uint64_t before = row->totals[i];

		row->totals[i] = totals[i];
		if (!is_rate(i))
			row->values[i] = (double)totals[i];
		else if (interval_ms && totals[i] >= before)
			row->values[i] = (double)(totals[i] - before) * 1000 / (double)interval_ms;
		else
			row->values[i] = 0;
	}
	if (!interval_ms)
		return;
	row->history[row->n_history % TOP_HISTORY] = row->values[TOP_IN] + row->values[TOP_OUT];
	row->n_history++;
}

static void read_flow(uint64_t totals[N_TOP_METRICS], const struct value *flow)
{
	totals[TOP_OUT] = value_u64(value_get(flow, "written"), 0);
	totals[TOP_QUEUED] = value_u64(value_get(flow, "queued"), 0);
	totals[TOP_QUEUED_BYTES] = value_u64(value_get(flow, "queued_bytes"), 0);
	totals[TOP_DROPPED] = value_u64(value_get(flow, "dropped_total"), 0);
	totals[TOP_DROPS] = totals[TOP_DROPPED];
}

/* ---- finding rows again */

struct found {
	const struct top_row *row;
};

static int compare_keys(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return strcmp(x->row->key, y->row->key);
}

static struct found *index_rows(const struct top_list *l)
{
	struct found *index = calloc(l->n + 1, sizeof(*index));

	if (!index)
		return NULL;
	for (size_t i = 0; i < l->n; i++)
		index[i].row = &l->rows[i];
	qsort(index, l->n, sizeof(*index), compare_keys);
	return index;
}

/* Fills in a row of a list from the server's object. */
typedef void fill_row(struct top_row *row, const struct value *v, uint64_t interval_ms);

static void fill_channel(struct top_row *row, const struct value *v, uint64_t interval_ms)
{
	uint64_t totals[N_TOP_METRICS] = {0};

	read_flow(totals, value_get(v, "flow"));
	totals[TOP_CLIENTS] = value_u64(value_get(v, "clients"), 0);
	totals[TOP_IN] = value_u64(value_get(v, "published"), 0);
	totals[TOP_IN_BYTES] = value_u64(value_get(v, "published_bytes"), 0);
	totals[TOP_STALLS] = value_u64(value_get(v, "stalls"), 0);
	set_text(row->channel, row->key);
	count(row, totals, interval_ms);
}

static void fill_client(struct top_row *row, const struct value *v, uint64_t interval_ms)
{
	const char *command = value_str(value_get(v, "command"), "");
	const char *label = value_str(value_get(v, "label"), "");
	const struct value *out = value_get(v, "out");
	uint64_t totals[N_TOP_METRICS] = {0};

	read_flow(totals, out);
	totals[TOP_CLIENTS] = 1;
	totals[TOP_IN] = value_u64(value_path(v, "in.messages"), 0);
	totals[TOP_IN_BYTES] = value_u64(value_path(v, "in.bytes"), 0);
	totals[TOP_OUT_BYTES] = value_u64(value_get(out, "bytes"), 0);
	totals[TOP_STALLS] = value_u64(value_path(v, "stalls.caused"), 0);
	set_text(row->channel, value_str(value_get(v, "channel"), "?"));
	set_text(row->user, value_str(value_get(v, "user"), ""));
	/* most labels say the command, too */
	if (!*label || !strncmp(label, command, strlen(command)))
		set_text(row->name, *label ? label : command);
	else
		snprintf(row->name, sizeof(row->name), "%.31s %.31s", command, label);
	row->pid = value_u64(value_get(v, "pid"), 0);
	row->blocked = value_bool(value_get(v, "blocked"));
	row->paused = value_bool(value_get(v, "paused"));
	count(row, totals, interval_ms);
}

static void fill_host(struct top_row *row, const struct value *v, uint64_t interval_ms)
{
	const char *host = value_str(value_get(v, "host"), "");
	uint64_t totals[N_TOP_METRICS] = {
	        [TOP_IN] = value_u64(value_get(v, "datagrams"), 0),
	        [TOP_IN_BYTES] = value_u64(value_get(v, "bytes"), 0),
	        [TOP_OUT] = value_u64(value_get(v, "datagrams_out"), 0),
	        [TOP_OUT_BYTES] = value_u64(value_get(v, "bytes_out"), 0),
	        [TOP_RTT] = value_u64(value_get(v, "rtt_us"), 0),
	        [TOP_LOST] = value_u64(value_get(v, "lost"), 0),
	        [TOP_NAKS] = value_u64(value_get(v, "naks_in"), 0) +
	                     value_u64(value_get(v, "naks_out"), 0),
	        [TOP_REPAIRS] = value_u64(value_get(v, "repairs_in"), 0) +
	                        value_u64(value_get(v, "repairs_out"), 0),
	        [TOP_WINDOW] = value_u64(value_get(v, "window"), 0),
	        [TOP_HEARD] = value_u64(value_get(v, "heard_ms"), 0),
	};

	set_text(row->name, *host ? host : value_str(value_get(v, "addr"), "?"));
	set_text(row->state, value_str(value_get(v, "state"), "?"));
	count(row, totals, interval_ms);
}

/* Makes the list anew from an array of objects, keeping what is known about those that stay. */
static int update_list(struct top_list *l, const struct value *array, const char *key,
                       fill_row *fill, uint64_t interval_ms)
{
	size_t n = value_count(array);
	struct found *index = index_rows(l);
	struct top_row *rows = calloc(n + 1, sizeof(*rows));

	if (!index || !rows) {
		free(index);
		free(rows);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		struct found wanted = {.row = &rows[i]}, *known;

		set_text(rows[i].key, value_str(value_get(&array->items[i], key), "?"));
		known = bsearch(&wanted, index, l->n, sizeof(*index), compare_keys);
		if (known)
			rows[i] = *known->row;
		fill(&rows[i], &array->items[i], interval_ms);
	}
	free(index);
	free(l->rows);
	l->rows = rows;
	l->n = n;
	return 0;
}

/* The server counts the bytes that it wrote per client and in all; a channel's are those of its
 * clients. */
static void sum_bytes_out(struct top_model *m)
{
	const struct top_list *clients = &m->lists[TOP_CLIENTS_LIST];
	struct top_list *channels = &m->lists[TOP_CHANNELS];

	for (size_t i = 0; i < channels->n; i++)
		channels->rows[i].values[TOP_OUT_BYTES] = 0;
	for (size_t i = 0, c = 0; i < clients->n; i++) {
		/* both lists are in the order of the channels */
		for (size_t tried = 0; tried < channels->n; tried++, c = (c + 1) % channels->n)
			if (!strcmp(channels->rows[c].key, clients->rows[i].channel))
				break;
		if (channels->n && !strcmp(channels->rows[c].key, clients->rows[i].channel))
			channels->rows[c].values[TOP_OUT_BYTES] +=
			        clients->rows[i].values[TOP_OUT_BYTES];
	}
}

static void update_total(struct top_model *m, const struct value *stats, uint64_t interval_ms)
{
	const struct value *t = value_get(stats, "totals");
	uint64_t totals[N_TOP_METRICS] = {0};

	read_flow(totals, value_get(t, "flow"));
	totals[TOP_CLIENTS] = value_u64(value_get(stats, "clients"), 0);
	totals[TOP_IN] = value_u64(value_get(t, "published"), 0);
	totals[TOP_IN_BYTES] = value_u64(value_get(t, "published_bytes"), 0);
	totals[TOP_OUT_BYTES] = value_u64(value_get(t, "bytes_out"), 0);
	for (size_t i = 0; i < m->lists[TOP_CHANNELS].n; i++)
		totals[TOP_STALLS] += m->lists[TOP_CHANNELS].rows[i].totals[TOP_STALLS];
	count(&m->total, totals, interval_ms);
}

static void update_net(struct top_model *m, const struct value *net)
{
	const struct top_list *l = &m->lists[TOP_HOSTS];

	m->has_net = value_bool(value_get(net, "connected"));
	m->n_up = 0;
	for (size_t i = 0; i < l->n; i++)
		m->n_up += !strcmp(l->rows[i].state, "up") || !strcmp(l->rows[i].state, "suspect");
}

/* "boot" is a text or a number; what tells runs apart is that it differs. */
static void read_boot(char out[static TOP_TEXT_LEN], const struct value *stats)
{
	const struct value *boot = value_get(stats, "boot");

	snprintf(out, TOP_TEXT_LEN, "%s %llu", boot && boot->text ? boot->text : "",
	         (unsigned long long)value_u64(value_get(stats, "started_at"), 0));
}

static int update_lists(struct top_model *m, const struct top_answers *a, uint64_t interval_ms)
{
	int rc = update_list(&m->lists[TOP_CHANNELS], value_get(a->stats, "channels"), "name",
	                     fill_channel, interval_ms);

	if (!rc)
		rc = update_list(&m->lists[TOP_CLIENTS_LIST], a->clients, "id", fill_client,
		                 interval_ms);
	if (!rc)
		rc = update_list(&m->lists[TOP_HOSTS], a->peers, "boot", fill_host, interval_ms);
	return rc;
}

int top_model_update(struct top_model *m, const struct top_answers *answers, uint64_t now_ms)
{
	const struct value *stats = answers->stats;
	char boot[TOP_TEXT_LEN];
	uint64_t interval_ms;
	int rc;

	read_boot(boot, stats);
	if (strcmp(boot, m->boot))
		top_model_fini(m);
	interval_ms = m->at_ms && now_ms > m->at_ms ? now_ms - m->at_ms : 0;
	set_text(m->boot, boot);
	set_text(m->version, value_str(value_get(stats, "version"), "?"));
	set_text(m->host, value_str(value_get(stats, "host"), "?"));
	m->uptime_ms = value_u64(value_get(stats, "uptime_ms"), 0);
	rc = update_lists(m, answers, interval_ms);
	if (rc) {
		top_model_fini(m);
		return rc;
	}
	sum_bytes_out(m);
	update_total(m, stats, interval_ms);
	update_net(m, answers->net);
	m->at_ms = now_ms;
	m->interval_ms = interval_ms;
	return 0;
}

/* ---- sorting */

struct sorting {
	const struct top_list *list;
	unsigned by;
	bool descending;
};

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct sorting *s = arg;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	const struct top_row *x = &s->list->rows[i], *y = &s->list->rows[j];
	int c = 0;

	if (s->by < N_TOP_METRICS)
		c = (x->values[s->by] > y->values[s->by]) - (x->values[s->by] < y->values[s->by]);
	else if (s->by == TOP_BY_NAME)
		c = strcmp(*x->name ? x->name : x->key, *y->name ? y->name : y->key);
	if (s->descending)
		c = -c;
	return c ? c : (i > j) - (i < j);
}

void top_sort(const struct top_list *l, unsigned by, bool descending, size_t *order)
{
	struct sorting s = {.list = l, .by = by, .descending = descending};

	for (size_t i = 0; i < l->n; i++)
		order[i] = i;
	qsort_r(order, l->n, sizeof(*order), compare_rows, &s);
}
