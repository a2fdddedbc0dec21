/* server.h - the running daemon: one loop, one bus, and what stands around them
 *
 * Every object of this folder belongs to a server and finds it by pointer; there is no global state
 * but signal dispositions. The server goes through four states, in this order:
 *
 *	STARTING  nothing is accepted yet
 *	RUNNING   until a signal to stop
 *	READING   nothing is accepted any more; what clients had sent by then is read
 *	WRITING   clients were told; what is queued for them is written
 *	STOPPED   everything is closed, the loop ends
 */
#ifndef NC_IO_SERVER_H
#define NC_IO_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "libnc/base/list.h"
#include "ncserver/bus/bus.h"
#include "ncserver/conf/conf.h"
#include "ncserver/io/activate.h"
#include "ncserver/io/console.h"
#include "ncserver/io/log.h"
#include "ncserver/io/notify.h"
#include "ncserver/io/shrink.h"
#include "ncserver/io/source.h"

struct crypto;
struct fault;
struct names;
struct net;
struct options;

/* How long a refusal of the kernel (no memory, no descriptors) is waited out. */
#define SERVER_RETRY_MS 50u

enum server_state {
	SERVER_STARTING = 0,
	SERVER_RUNNING,
	SERVER_READING,
	SERVER_WRITING,
	SERVER_STOPPED,
};

enum {
	SERVER_SIGTERM,
	SERVER_SIGINT,
	SERVER_SIGHUP,
	SERVER_SIGUSR1,
	SERVER_N_SIGNALS,
};

struct server {
	enum server_state state;
	bool is_open; /* the uv handles are initialised */
	bool is_busy; /* the last turn left something to do: no sleep */
	struct bus *bus;
	struct bus_env env;
	struct bus_io_counters *counters; /* of bus */
	struct log log;
	struct console console;
	struct notify notify;
	struct source source; /* where the configuration comes from */
	struct activation activation;
	struct names *names; /* of users; NULL: none is shown */
	char host[256];

	uv_loop_t loop;
	uv_prepare_t turn;   /* before each sleep */
	uv_idle_t busy;      /* active while is_busy: the loop does not sleep */
	uv_timer_t tick;     /* bus_next_deadline() */
	uint64_t tick_at;    /* what it is set to; UINT64_MAX: nothing */
	uv_timer_t retry;    /* for `starved` and paused listeners */
	uv_timer_t watchdog; /* of the service manager */
	uv_timer_t drain;    /* the end of READING and WRITING */
	uv_timer_t look;     /* after a burst: is there memory to give back? */
	struct shrink shrink;
	uv_poll_t settle; /* timerfd, for `settling` */
	int settle_fd;
	uint64_t settle_at;
	uv_signal_t signals[SERVER_N_SIGNALS];
	uint64_t work_seen; /* reads and writes so far, and when they grew: for busy polling */
	uint64_t work_at;

	struct list conns;     /* struct conn.link */
	struct list starved;   /* struct conn.wait: the kernel had no memory */
	struct list settling;  /* struct conn.wait: paced, waiting for a moment to pass */
	struct list ending;    /* struct conn.wait: takes nothing more, is read to its end */
	struct list listeners; /* struct listener.link */
	struct list fifos;     /* struct fifo.link */
	size_t n_conns;
	size_t n_unread;       /* connections with bytes that READING waits for */
	size_t paced_low;      /* see conn_pace.c; 0: not yet asked */
	struct net *net;       /* NULL: no channel takes part in the network */
	struct crypto *crypto; /* made when it is needed first */
	uint64_t net_serial;   /* sessions so far */
	uv_poll_t net_timer;   /* timerfd, for the session */
	int net_timer_fd;
	uint64_t net_timer_at;

	int reserve_fd;   /* closed when descriptors run out, to accept and refuse with */
	uint64_t stop_ns; /* when stopping began */
};

/* Reads the configuration, makes the bus and all sockets, and tells the service manager. Returns 0
 * or 1 with *f; then nothing is left behind. */
int server_start(struct server *s, const struct options *opt, struct fault *f);

/* Runs until the server has stopped. */
void server_run(struct server *s);

/* Frees everything; after server_run(), or after a failed server_start(). */
void server_fini(struct server *s);

/* Begins to stop; the second time it stops at once. */
void server_stop(struct server *s, const char *why);

uint64_t server_now(void);

#endif
