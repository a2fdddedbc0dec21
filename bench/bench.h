/* bench.h - what all benchmark programs share: options, processes, results
 *
 * A program brings a `struct bench_kind`: how its daemon starts, and what its publisher, subscriber
 * and so on do. bench_main() does all else in the same way for every kind: it reads the command
 * line, starts the daemon, forks one process per publisher and subscriber, lets the publishers go
 * when all are ready, reads the daemon's CPU time before and after, and prints the result. So
 * whatever is compared was measured alike.
 */
#ifndef NC_BENCH_BENCH_H
#define NC_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/check.h"
#include "bench/daemon.h"

#define BENCH_WORKERS_MAX 64u
#define BENCH_CLIENTS_MAX 100000u
/* Idle clients of one process: libraries take up to four descriptors for each. */
#define BENCH_CROWD_MAX 2500u
#define BENCH_LEN_MAX   (16u << 20)
/* Where nothing arrives for so long, what is missing counts as lost. */
#define BENCH_SILENCE_MS 5000
/* Round trips before the first that counts. */
#define BENCH_WARM 2000u
/* Messages whose delay is kept, and round trips: 4 bytes for each. */
#define BENCH_TIMES_MAX 10000000u
/* A host that is not heard by then never will be. */
#define BENCH_HELLO_MS  15000
#define BENCH_HOSTS_MAX 16u
/* A publisher that keeps less of its rate was held up, and its delays are not what they seem. */
#define BENCH_KEPT_MIN 0.9
/* To start and to disconnect takes time that is not held against it. */
#define BENCH_LATE_MS 100
/* Delays up to this are told as in time. */
#define BENCH_IN_TIME_NS 1000000000u

enum bench_work {
	BENCH_THROUGHPUT,
	BENCH_DELAY,
	BENCH_LATENCY,
	BENCH_IDLE,
	BENCH_START,
};

struct bench_options {
	enum bench_work work;
	unsigned n_pubs, n_subs;
	unsigned n_clients;  /* idle ones */
	uint64_t n_messages; /* of each publisher; round trips */
	size_t len;          /* of a payload */
	int cpu;             /* that all processes run on, -1: any */
	int daemon_cpu;      /* that the daemon has for itself, -1: none */
	bool json;           /* the result as a JSON object */
	bool text;           /* payloads are text: the kind says so */
	pid_t pid;           /* of the daemon, 0: the kind finds out */
	unsigned cut_ms;     /* after which throughput is cut off, 0: never */
	unsigned rate;  /* that each publisher keeps to where delays are measured, per second */
	bool has_hello; /* nobody tells when a way is open: publishers try until one is heard */
	/* network namespaces: the first is for publishers and pings, the others in turn for
	 * subscribers and pongs */
	unsigned n_netns;
	const char *netns[BENCH_HOSTS_MAX];
	/* of ncbench only */
	const char *server, *socket, *channel, *event, *config;
	bool json_from, json_to;
	/* sockets of other hosts' servers, in turn for subscribers and pongs */
	unsigned n_far;
	const char *far[BENCH_HOSTS_MAX];
};

enum bench_role {
	BENCH_PUBLISHER,
	BENCH_SUBSCRIBER,
	BENCH_PING,
	BENCH_PONG,
	BENCH_CROWD,
};

/* One process. It lives in memory that the parent shares. */
struct worker {
	enum bench_role role;
	unsigned id; /* among those of its role */
	pid_t pid;
	bool is_ready, is_done;
	uint64_t begin_ns, end_ns;
	uint64_t cpu_ns;
	struct check check; /* of a subscriber */
	uint32_t *round_ns; /* of a ping: options.n_messages of them */
	uint64_t n_rounds;
	int ready_fd, go_fd; /* used by worker_ready() */
};

/* Tells the parent that this process is connected and subscribed, and waits until all are. */
void worker_ready(struct worker *w);

/* The same for a subscriber, and a pong; it does not wait where there are hellos to be heard. */
void worker_listens(const struct bench_options *o, struct worker *w);

/* The same for a publisher. Where there are hellos it sends `payload`, which it tags so, with
 * `send`, every BENCH_HELLO_NAP_MS until all subscribers have heard it. */
#define BENCH_HELLO_NAP_MS 10
typedef void bench_send(void *end, const uint8_t *payload, size_t len);
void worker_publishes(const struct bench_options *o, struct worker *w, uint8_t *payload,
                      bench_send *send, void *end);

/* Tags a publisher's message number `i`. Where delays are measured it waits until the message is
 * due, and writes the time. */
void worker_paces(const struct bench_options *o, struct worker *w, uint8_t *payload, uint64_t i);
static inline void worker_stamps(const struct bench_options *o, struct worker *w, uint8_t *payload,
                                 uint64_t i)
{
	if (o->work == BENCH_DELAY)
		worker_paces(o, w, payload, i);
	check_put(payload, o->text, check_tag(w->id, i));
}

/* Says on stderr what failed, with errno where `err` is above 0, and ends the process. */
void worker_fail(const char *what, int err) __attribute__((noreturn));

uint64_t bench_now_ns(void);

struct bench_kind {
	const char *name;
	bool is_mesh;    /* between hosts: see bench_options.has_hello */
	bool is_lossy;   /* it promises nothing: what is lost is told, and no failure */
	bool is_stamped; /* its publisher calls worker_stamps(): delays can be measured */
	/* Fills in the daemon's command and where its clients find it. NULL: there is none. */
	void (*prepare)(const struct bench_options *o, struct daemon *d);
	/* Finds a daemon that runs already, and its process id. NULL: there is always one of its
	 * own. Returns 0 or -1. */
	int (*find)(const struct bench_options *o, struct daemon *d);
	/* Each connects, calls worker_ready(), does its work, and returns. */
	void (*publish)(const struct bench_options *o, const struct daemon *d, struct worker *w);
	void (*subscribe)(const struct bench_options *o, const struct daemon *d, struct worker *w);
	void (*ping)(const struct bench_options *o, const struct daemon *d, struct worker *w);
	void (*pong)(const struct bench_options *o, const struct daemon *d, struct worker *w);
	/* Opens crowd_share() subscribed connections, and keeps them until it is killed. */
	void (*crowd)(const struct bench_options *o, const struct daemon *d, struct worker *w);
};

/* How many idle clients are this process's. */
static inline unsigned crowd_share(const struct bench_options *o, const struct worker *w)
{
	unsigned left = o->n_clients - w->id * BENCH_CROWD_MAX;

	return left < BENCH_CROWD_MAX ? left : BENCH_CROWD_MAX;
}

/* The rounds of a ping: to be called before and after each, false: enough. */
static inline bool ping_goes_on(const struct bench_options *o, const struct worker *w)
{
	return w->n_rounds < o->n_messages + BENCH_WARM;
}
static inline void ping_took(struct worker *w, uint64_t begin_ns)
{
	if (w->n_rounds >= BENCH_WARM)
		w->round_ns[w->n_rounds - BENCH_WARM] = (uint32_t)(bench_now_ns() - begin_ns);
	w->n_rounds++;
}

struct bench_result {
	bool is_failed; /* nothing below is worth reading */
	bool is_cut;    /* the time was over: what was not received then counts neither way */
	uint64_t n_published;
	double seconds;
	uint64_t n_expected, n_received, n_lost, n_disordered, n_corrupt;
	double in_time; /* of the messages, by the subscriber with the fewest */
	double kept;    /* of the rate, where there is one: 1 is all */
	double cpu_s;   /* of the daemon */
	double publisher_cpu_s, subscriber_cpu_s; /* of all of them */
	uint64_t n_rounds; /* that have a time; delays: of the subscriber that heard most late */
	double p50_us, p90_us, p99_us, p999_us, max_us;
	uint64_t rss_kib, rss_full_kib; /* of the daemon: idle, and with its clients */
	double idle_s;                  /* how long it was watched, with its clients idle, */
	double idle_cpu_s;              /* what it used meanwhile, */
	uint64_t n_wakeups;             /* and how often it woke up */
	double start_ms;
};

/* Runs the processes; delays are measured by run_throughput(). Returns 0, or -1 where one of them
 * failed. */
int run_throughput(const struct bench_kind *k, const struct bench_options *o, struct daemon *d,
                   struct bench_result *r);
int run_latency(const struct bench_kind *k, const struct bench_options *o, struct daemon *d,
                struct bench_result *r);
int run_idle(const struct bench_kind *k, const struct bench_options *o, struct daemon *d,
             struct bench_result *r);

void report(const char *name, const struct bench_options *o, const struct bench_result *r);

/* The whole program. Returns its exit status: 0, 1 where a message was lost or wrong or something
 * failed, 2 where the command line is wrong. */
int bench_main(const struct bench_kind *k, int argc, char **argv);

#endif
