/*
 * What top knows: rates from two snapshots
 *
 * Each update takes the server's answers to nc-control-stats, nc-control-clients, nc-control-net
 * and nc-control-peers, and the time when they were asked for. Rates are the difference to the
 * snapshot before, over the time between; so the first one has none. Rows keep a short history for
 * their sparkline.
 */
#ifndef NC_NCCLIENT_TOP_MODEL_H
#define NC_NCCLIENT_TOP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value;

enum top_metric {
	TOP_CLIENTS,
	TOP_IN,           /* messages published, per second */
	TOP_IN_BYTES,     /* bytes published, per second */
	TOP_OUT,          /* messages written to receivers, per second */
	TOP_OUT_BYTES,    /* bytes written to receivers, per second */
	TOP_QUEUED,       /* messages in queues now */
	TOP_QUEUED_BYTES, /* bytes in queues now */
	TOP_DROPS,        /* messages dropped, per second */
	TOP_DROPPED,      /* messages dropped, since the start */
	TOP_STALLS,       /* times that senders were held up, since the start */
	/* of hosts, for which in and out are datagrams */
	TOP_RTT,     /* there and back, microseconds */
	TOP_LOST,    /* datagrams of it that did not come, since it came */
	TOP_NAKS,    /* segments that either side has asked for again */
	TOP_REPAIRS, /* segments that either side has sent again */
	TOP_WINDOW,  /* segments that it takes now */
	TOP_HEARD,   /* milliseconds since it was heard */
	N_TOP_METRICS,
};

/* Sorting by name, or not at all. */
#define TOP_BY_NAME   N_TOP_METRICS
#define TOP_BY_SERVER (N_TOP_METRICS + 1)

enum top_list_id {
	TOP_CHANNELS,
	TOP_CLIENTS_LIST,
	TOP_HOSTS,
	N_TOP_LISTS,
};

/* Samples that a sparkline has at most. */
#define TOP_HISTORY 60u

#define TOP_TEXT_LEN 64u

struct top_row {
	char key[TOP_TEXT_LEN];     /* name of the channel, id of the client, boot of the host */
	char channel[TOP_TEXT_LEN]; /* of a client */
	char name[TOP_TEXT_LEN];    /* of a client: its command, and its label where it has one; of
	                             * a host: its name, or its address while it has none */
	char user[TOP_TEXT_LEN];
	char state[TOP_TEXT_LEN]; /* of a host: "up", "one-way", ... */
	uint64_t pid;
	bool blocked; /* its queue holds up others */
	bool paused;  /* it is held up */
	double values[N_TOP_METRICS];
	uint64_t totals[N_TOP_METRICS]; /* the counters behind the rates */
	double history[TOP_HISTORY];    /* messages in and out per second, a ring */
	size_t n_history;               /* samples ever taken */
};

struct top_list {
	struct top_row *rows; /* in the server's order */
	size_t n;
};

struct top_model {
	struct top_list lists[N_TOP_LISTS];
	struct top_row total;
	char version[TOP_TEXT_LEN];
	char host[TOP_TEXT_LEN];
	char boot[TOP_TEXT_LEN]; /* tells one run of the server from the next */
	bool has_net;            /* it takes part in a network */
	size_t n_up;             /* other hosts that are up */
	uint64_t uptime_ms;
	uint64_t at_ms;       /* of the last snapshot */
	uint64_t interval_ms; /* between the last two; 0: there are no rates yet */
};

/* The server's answers. */
struct top_answers {
	const struct value *stats, *clients, *net, *peers;
};

/* Makes a model that knows nothing. */
void top_model_init(struct top_model *m);
void top_model_fini(struct top_model *m);

/*
 * Takes a snapshot: ANSWERS are the server's, NOW_MS is a time that does not jump. Another run of
 * the server starts anew; a row that is new counts from zero, one that is missing is forgotten.
 *
 * Returns 0, or -ENOMEM, after which the model knows nothing.
 */
int top_model_update(struct top_model *m, const struct top_answers *answers, uint64_t now_ms);

/* Says whether rows of a list have a metric. */
bool top_has_metric(enum top_list_id list, unsigned metric);

/* Writes to ORDER, which has room for l->n, the rows of a list sorted by a metric (or TOP_BY_NAME,
 * TOP_BY_SERVER). Rows that are equal stay in the server's order. */
void top_sort(const struct top_list *l, unsigned by, bool descending, size_t *order);

/* Names of the metrics, as --sort and CSV have them. */
const char *top_metric_name(enum top_metric metric);

/* Reads the name of a metric, "name" or "server". Returns 0 and sets *BY, or -1. */
int top_read_metric(const char *name, unsigned *by);

/* The sample I before the last one; 0 where there was none. */
double top_history(const struct top_row *row, size_t i);

#endif
