/* client.h - what a client is made of; for the files of libnc/client that act on it
 *
 * client.c   its life in memory, options, what is known of it
 * life.c     opening, the attempt to connect, the end of a connection, what is told of it
 * emit.c     emit and request
 * hear.c     handlers, and how what comes in reaches them
 * loop.c     the descriptor, processing, waiting
 */
#ifndef NC_CLIENT_CLIENT_H
#define NC_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netcluster/nc.h>

#include "libnc/client/conn.h"
#include "libnc/client/emitter.h"
#include "libnc/client/msg.h"
#include "libnc/client/outq.h"
#include "libnc/client/reconnect.h"
#include "libnc/client/request.h"
#include "libnc/client/socket.h"

#define CLIENT_LABEL_MAX 63u

/* Text of the last error: room for what a server says. */
#define CLIENT_ERROR_TEXT_LEN 384u

/* A server that has no room for a connection just now is asked again after this time, plus up to
 * as much again. */
#define CLIENT_BUSY_RETRY_MS 10u

/* Names that emit() remembers as valid, with the head of their frames: more than most programs emit
 * in turn. A power of two. */
#define CLIENT_NAMES 32u

/* Memory of the queue that is kept for what comes next goes this long after nothing came, or
 * sooner. */
#define CLIENT_SPARE_MS 1000

/* No point in time: what a deadline says that is not set. */
#define CLIENT_NEVER UINT64_MAX

#define CLIENT_NS_PER_MS UINT64_C(1000000)

struct client_options {
	char *socket; /* NULL: environment or standard places */
	char label[CLIENT_LABEL_MAX + 1];
	bool reconnect;
	bool local;
	bool echo;
	int receive_policy; /* -1: none asked for */
	enum nc_policy queue_policy;
	enum nc_policy offline_policy;
	uint32_t reconnect_min_ms;
	uint32_t reconnect_max_ms;
	uint32_t connect_timeout_ms;
	size_t queue_bytes;
	size_t queue_messages;
	size_t batch_bytes;
	size_t process_bytes;
};

/* What the status callback has yet to be told, in the order of telling. */
enum client_tell {
	CLIENT_TELL_DISCONNECTED = 1 << 0,
	CLIENT_TELL_DROPPED = 1 << 1,
	CLIENT_TELL_RECONNECTING = 1 << 2,
	CLIENT_TELL_CLOSED = 1 << 3,
};

/* Where a call of nc_sync() stands. */
enum client_sync {
	CLIENT_SYNC_NONE,
	CLIENT_SYNC_OWED, /* the PING waits for the emits before it to be written */
	CLIENT_SYNC_SENT, /* it is queued */
	CLIENT_SYNC_DONE, /* it was answered */
};

/* An event name that was found valid, and the head of the frames that carry it. */
struct client_name {
	uint64_t generation; /* of the emitter when `is_heard` was found out */
	uint32_t head_len;
	bool is_heard;    /* own handlers match */
	uint8_t event_at; /* where in the head the event stands */
	uint8_t head[];   /* terminated */
};

struct nc_client {
	char channel[NC_CHANNEL_MAX + 1];
	struct client_options opt;

	enum nc_state state;
	int fd;
	struct conn conn;
	char path[SOCK_PATH_LEN]; /* of the socket last connected to */

	/* sending */
	struct outq out;
	uint64_t seq;                            /* of the last emit in this session */
	size_t n_unflushed;                      /* bytes queued since the last attempt to write */
	bool is_blocked;                         /* the last attempt found the socket full */
	bool is_write_dead;                      /* the socket takes nothing any more */
	bool is_wide;                            /* sock_widen() was called for it */
	bool was_full;                           /* the writable callback is owed */
	struct client_name *names[CLIENT_NAMES]; /* NULL: the slot is free */

	/* hearing */
	struct emitter emitter;
	struct outq inbox; /* own emits for own handlers */
	struct msg_source source;
	struct request_table requests;
	enum client_sync sync;
	uint64_t sync_after; /* the PING goes behind that many emits */
	uint64_t sync_token;

	/* coming and going */
	struct reconnect backoff;
	uint64_t retry_ns;    /* next attempt, or CLIENT_NEVER */
	uint64_t deadline_ns; /* of the attempt under way, or CLIENT_NEVER */
	uint64_t connected_ns;
	bool is_single;    /* nc_connect(): one attempt only */
	int single_ms;     /* its timeout */
	unsigned n_epochs; /* changes with each nc_open() and nc_disconnect() */
	int end_error;     /* why the client is closed */
	unsigned tell;     /* enum client_tell */
	int tell_error;    /* of the end that is to be told; its text is error_text */
	int tell_delay_ms;
	bool tell_partial; /* a frame was partly written */
	uint64_t tell_dropped;

	/* calls in progress */
	unsigned n_held;      /* public calls on the stack */
	unsigned n_callbacks; /* user's functions on the stack */
	bool is_freed;        /* nc_free() waits for n_held to become 0 */
	bool is_stopped;      /* nc_stop() */

	nc_status_cb *status_fn;
	void *status_arg;
	nc_writable_cb *writable_fn;
	void *writable_arg;
	nc_fd_cb *fd_fn;
	void *fd_arg;

	int sys_errno;
	char error_text[CLIENT_ERROR_TEXT_LEN];
	struct nc_counters counters; /* those that no part counts itself */
};

/* ---- client.c */

/* Brackets a public call that may run user functions: the client's memory stays until the last
 * bracket is closed. client_release() returns whether it is gone then. */
void client_hold(nc_client *c);
bool client_release(nc_client *c);

/* Sets the text of the last error. Returns `error`. */
int client_fail(nc_client *c, int error, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* The same, for a system call: "what: text of errno". */
void client_fail_sys(nc_client *c, int sys_errno, const char *what);

/* The point in time after so many milliseconds, -1 being CLIENT_NEVER; and how many are left until
 * then, rounded up, or -1. */
uint64_t client_deadline(int timeout_ms);
int client_ms_until(uint64_t deadline_ns);

/* ---- life.c */

/* One attempt to connect, if it is due. Where that fails, what follows is arranged. Returns NC_OK,
 * NC_AGAIN (will be tried again), or why it failed. */
int client_attempt(nc_client *c, uint64_t now_ns);

/* nc_open() for both kinds of opening. */
int client_open(nc_client *c);

/* The client is being freed: closes what is open, and tells the fd callback. */
void client_gone(nc_client *c);

/* The connection, or the attempt, has come to an end: closes it and arranges what follows. Text is
 * error_text. */
void client_end(nc_client *c, int error);

/* The server's welcome. */
void client_welcomed(nc_client *c);

/* Tells one status, at once. */
void client_tell_status(nc_client *c, const struct nc_status *s);

/* Tells what has been put off. */
void client_tell(nc_client *c);

/* ---- emit.c */

/* Writes what is to be written. Returns as nc_flush() does. */
int client_flush(nc_client *c);

/* Takes those requests back of which nothing is written yet, and whose callers are not to wait any
 * more: nobody wants what they ask for. */
void client_take_back_requests(nc_client *c, uint64_t now_ns);

/* Whether there is something to be written. */
bool client_has_output(const nc_client *c);

/* Payloads from here on are not copied where it can be helped: those that would have a segment of
 * the queue to themselves. */
#define CLIENT_LONG_LEN OUTQ_SHARE_LEN

/* Bytes that an emitter which can wait lets stand in the queue while the socket is full: what is
 * queued by megabytes is written from memory, not from the cache. */
#define CLIENT_LAG_LEN (16 * OUTQ_SEGMENT_LEN)

/* Whether a payload of `len` bytes, whose emitter can wait, had better wait for the socket than for
 * the queue. From CLIENT_LONG_LEN on it is then written from where it lies. */
static inline bool client_emit_waits(const nc_client *c, size_t len);

/* ---- hear.c */

extern const struct conn_ops client_conn_ops;

/* Hands own emits to own handlers: those that were there at the begin of the call. */
void client_run_inbox(nc_client *c);

/* Ends requests whose time has come. */
void client_run_requests(nc_client *c, uint64_t now_ns);

/* Calls the writable callback where it is owed. */
void client_run_writable(nc_client *c);

/* Whether it is. */
bool client_is_writable_owed(const nc_client *c);

static inline bool client_emit_waits(const nc_client *c, size_t len)
{
	return c->is_blocked && c->out.n_bytes > (len < CLIENT_LONG_LEN ? CLIENT_LAG_LEN : 0) &&
	       c->state == NC_CONNECTED && c->opt.queue_policy == NC_POLICY_BLOCK;
}

#endif
