/*
 * The columns of top, as data
 *
 * Numbers are at most five columns wide, bytes six (see text.h), so all that is told about drops
 * and queues fits 80 columns.
 */

#include "ncclient/top_columns.h"

#include <stdio.h>
#include <string.h>

#include "ncclient/text.h"

#define METRIC(title, metric, width, min)                                                          \
	{                                                                                          \
		(title), (metric), TOP_TEXT_NONE, (width), 0, (min)                                \
	}
#define TEXT(title, text, width, max, min)                                                         \
	{                                                                                          \
		(title), N_TOP_METRICS, (text), (width), (max), (min)                              \
	}

static const struct top_column channel_columns[] = {
        TEXT("CHANNEL", TOP_TEXT_NAME, 12, 63, 0),
        METRIC("CLNT", TOP_CLIENTS, 5, 60),
        METRIC("IN/s", TOP_IN, 5, 0),
        METRIC("INB/s", TOP_IN_BYTES, 6, 70),
        METRIC("OUT/s", TOP_OUT, 5, 0),
        METRIC("OUTB/s", TOP_OUT_BYTES, 6, 70),
        METRIC("QUEUE", TOP_QUEUED, 5, 0),
        METRIC("QBYTES", TOP_QUEUED_BYTES, 6, 100),
        METRIC("DROP/s", TOP_DROPS, 6, 50),
        METRIC("DROPD", TOP_DROPPED, 5, 70),
        METRIC("STALL", TOP_STALLS, 5, 76),
        {0},
};

static const struct top_column client_columns[] = {
        TEXT("CHANNEL", TOP_TEXT_CHANNEL, 8, 8, 60),
        TEXT("PID", TOP_TEXT_PID, 7, 0, 50),
        TEXT("ID", TOP_TEXT_ID, 8, 8, 100),
        TEXT("USER", TOP_TEXT_USER, 8, 8, 110),
        TEXT("COMMAND", TOP_TEXT_NAME, 12, 40, 0),
        METRIC("IN/s", TOP_IN, 5, 0),
        METRIC("INB/s", TOP_IN_BYTES, 6, 90),
        METRIC("OUT/s", TOP_OUT, 5, 0),
        METRIC("OUTB/s", TOP_OUT_BYTES, 6, 76),
        METRIC("QUEUE", TOP_QUEUED, 5, 0),
        METRIC("QBYTES", TOP_QUEUED_BYTES, 6, 100),
        METRIC("DROP/s", TOP_DROPS, 6, 70),
        METRIC("STALL", TOP_STALLS, 5, 120),
        TEXT("S", TOP_TEXT_STATE, 1, 1, 60),
        {0},
};

static const struct top_column host_columns[] = {
        TEXT("HOST", TOP_TEXT_NAME, 12, 63, 0),
        TEXT("STATE", TOP_TEXT_HOST_STATE, 12, 12, 0),
        METRIC("RTTus", TOP_RTT, 5, 50),
        METRIC("IN/s", TOP_IN, 5, 100),
        METRIC("INB/s", TOP_IN_BYTES, 6, 0),
        METRIC("OUT/s", TOP_OUT, 5, 100),
        METRIC("OUTB/s", TOP_OUT_BYTES, 6, 0),
        METRIC("LOST", TOP_LOST, 5, 54),
        METRIC("NAKS", TOP_NAKS, 5, 74),
        METRIC("REPAIR", TOP_REPAIRS, 6, 80),
        METRIC("WINDOW", TOP_WINDOW, 6, 68),
        METRIC("HEARD", TOP_HEARD, 6, 60),
        {0},
};

const struct top_column *top_columns(enum top_list_id list)
{
	static const struct top_column *const columns[N_TOP_LISTS] = {
	        [TOP_CHANNELS] = channel_columns,
	        [TOP_CLIENTS_LIST] = client_columns,
	        [TOP_HOSTS] = host_columns,
	};

	return columns[list];
}

static const char *metric_cell(char out[static TOP_CELL_LEN], const struct top_row *row,
                               unsigned metric)
{
	double v = row->values[metric];

	switch (metric) {
	case TOP_IN:
	case TOP_OUT:
	case TOP_DROPS: return text_rate(out, v);
	case TOP_IN_BYTES:
	case TOP_OUT_BYTES:
	case TOP_QUEUED_BYTES: return text_bytes(out, v);
	case TOP_HEARD: return text_duration(out, row->totals[metric]);
	default: return text_count(out, v);
	}
}

const char *top_cell(char out[static TOP_CELL_LEN], const struct top_row *row,
                     const struct top_column *c)
{
	switch (c->text) {
	case TOP_TEXT_NAME:
		snprintf(out, TOP_CELL_LEN, "%s", *row->name ? row->name : row->key);
		return out;
	case TOP_TEXT_CHANNEL: snprintf(out, TOP_CELL_LEN, "%s", row->channel); return out;
	case TOP_TEXT_ID: snprintf(out, TOP_CELL_LEN, "%.8s", row->key); return out;
	case TOP_TEXT_USER: snprintf(out, TOP_CELL_LEN, "%s", row->user); return out;
	case TOP_TEXT_PID:
		snprintf(out, TOP_CELL_LEN, "%llu", (unsigned long long)row->pid);
		return out;
	case TOP_TEXT_STATE:
		snprintf(out, TOP_CELL_LEN, "%s", row->blocked ? "B" : row->paused ? "p" : "");
		return out;
	case TOP_TEXT_HOST_STATE: snprintf(out, TOP_CELL_LEN, "%s", row->state); return out;
	case TOP_TEXT_NONE: break;
	}
	return metric_cell(out, row, c->metric);
}

bool top_cell_warns(const struct top_row *row, const struct top_column *c)
{
	if (c->text == TOP_TEXT_STATE)
		return row->blocked;
	if (c->text == TOP_TEXT_HOST_STATE)
		return strcmp(row->state, "up") != 0;
	return c->text == TOP_TEXT_NONE && c->metric == TOP_DROPS && row->values[TOP_DROPS] > 0;
}
