/* nc.h - libnc, the client library of netcluster
 *
 * A client is one connection to one channel of the ncserver on this host. It emits events, and
 * hears those that other clients of the channel emit, or that rules bring there. The library has no
 * loop, no thread and no global state: the program polls nc_fd() for nc_events() for at most
 * nc_timeout(), and calls nc_process(); or it lets nc_run() do that. A client belongs to one thread
 * at a time; several threads may have one client each.
 *
 * Handlers and callbacks run only inside nc_process(), nc_wait(), nc_run(), nc_sync(), nc_connect()
 * and nc_emit_wait(). Inside one, everything is allowed that does not block: emit, subscribe,
 * unsubscribe, disconnect, free the client.
 *
 * Functions that return int return NC_OK (0) or an enum nc_error. Strings are UTF-8. Times are in
 * milliseconds, sizes in bytes. What a function's text does not say is taken over by the library is
 * still the caller's.
 */
#ifndef NETCLUSTER_NC_H
#define NETCLUSTER_NC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NC_VERSION_MAJOR 0
#define NC_VERSION_MINOR 1
#define NC_VERSION_PATCH 0

#ifndef NC_API
#define NC_API __attribute__((visibility("default")))
#endif

typedef struct nc_client nc_client;
typedef struct nc_msg nc_msg;

/* The numbers stand on the wire too, and are never changed. */
enum nc_error {
	NC_OK = 0,
	NC_AGAIN = 1,      /* the queue is full: wait for the writable callback */
	NC_ENOMEM = 2,     /* no memory */
	NC_EINVAL = 3,     /* an argument is out of its range */
	NC_ENAME = 4,      /* an illegal channel name, event name or pattern */
	NC_ERESERVED = 5,  /* that event comes from servers only */
	NC_ETOOBIG = 6,    /* more than the maximum that the server takes */
	NC_ESTATE = 7,     /* not now: not connected, or blocking inside a handler */
	NC_ENOENT = 8,     /* no such handler, channel or client */
	NC_ENOSERVER = 9,  /* no ncserver listens there */
	NC_EDENIED = 10,   /* the channel's lists, or the socket's mode, say no */
	NC_EPROTO = 11,    /* the other side broke the protocol */
	NC_EVERSION = 12,  /* no protocol version in common */
	NC_ETIMEOUT = 13,  /* the time ran out */
	NC_ECLOSED = 14,   /* the connection ended */
	NC_EQUOTA = 15,    /* a quota of this user is used up */
	NC_ESLOW = 16,     /* disconnected for reading too slowly */
	NC_EJSON = 17,     /* not valid JSON (or text that is not UTF-8) */
	NC_EDEPTH = 18,    /* JSON nested too deep */
	NC_ESHUTDOWN = 19, /* the server stops, or the channel was removed */
	NC_ENOBODY = 20,   /* nobody answers such requests */
	NC_EREMOTE = 21,   /* the request failed; the text says why */
	NC_ESYS = 22,      /* a system call failed; nc_errno() has its errno */
};

/* The text of an error, in English. Never NULL; not to be freed. */
NC_API const char *nc_strerror(int error);

/* "0.1.0", of the library that runs. */
NC_API const char *nc_version(void);

/* What a payload is. The numbers stand on the wire. */
enum nc_type {
	NC_EMPTY = 0,  /* nothing */
	NC_BOOL = 1,   /* one byte, 0 or 1 */
	NC_INT = 2,    /* int64_t */
	NC_DOUBLE = 3, /* IEEE 754 double */
	NC_TEXT = 4,   /* UTF-8, not terminated */
	NC_BYTES = 5,
	NC_JSON = 6, /* one JSON text */
};

/* What becomes of messages that a queue has no room for. */
enum nc_policy {
	NC_POLICY_BLOCK = 0,       /* server: stop reading the senders; library: NC_AGAIN */
	NC_POLICY_DROP_OLDEST = 1, /* the oldest queued ones go */
	NC_POLICY_DROP_NEWEST = 2, /* the new one goes */
	NC_POLICY_CONFLATE = 3,    /* the last of each event stays (server only) */
	NC_POLICY_DISCONNECT = 4,  /* the receiver goes (server only) */
};

/* ---- a client's life ---- */

/* Makes a client of `channel` (copied); it does not connect yet. Returns NC_OK and sets *out, which
 * the caller frees with nc_free(); or NC_ENAME, NC_ENOMEM (*out is NULL then). */
NC_API int nc_new(nc_client **out, const char *channel);

/* Ends the connection (what is queued and not yet written is lost: nc_disconnect() first where that
 * matters) and frees the client. NULL is fine. Inside a handler the memory goes when the handler
 * returns; the client must not be used afterwards. */
NC_API void nc_free(nc_client *c);

enum nc_option {
	/* Strings. */
	NC_OPT_SOCKET = 1, /* the socket's path, "%s" in it standing for the channel. Default: the
	                      environment's NC_SOCKET, else the places named in nc_open(3) */
	NC_OPT_LABEL = 2,  /* who this is, for ncclient's displays; at most 63 bytes. Default:
	                      the program's short name */
	/* Integers. Booleans are 0 or 1. */
	NC_OPT_RECONNECT = 10,          /* bool: come back by itself after a break. Default 1 */
	NC_OPT_RECONNECT_MIN_MS = 11,   /* first delay, before jitter. Default 100 */
	NC_OPT_RECONNECT_MAX_MS = 12,   /* the delay doubles up to this. Default 10000 */
	NC_OPT_CONNECT_TIMEOUT_MS = 13, /* for one attempt, welcome included. Default 5000 */
	NC_OPT_QUEUE_BYTES = 14, /* bound of what is emitted and not yet written. Default 4 MiB */
	NC_OPT_QUEUE_MESSAGES = 15, /* the same in messages. Default 100000 */
	NC_OPT_QUEUE_POLICY = 16,   /* enum nc_policy (the first three) of that queue while
	                               connected. Default NC_POLICY_BLOCK */
	NC_OPT_OFFLINE_POLICY = 17, /* the same while not connected. Default NC_POLICY_BLOCK */
	NC_OPT_LOCAL = 18,          /* bool: own emits reach own handlers, in memory. Default 1 */
	NC_OPT_ECHO = 19,           /* bool: own emits come back over the wire instead. Default 0;
	                               1 implies NC_OPT_LOCAL 0 */
	NC_OPT_RECEIVE_POLICY = 20, /* enum nc_policy: ask the server for this policy on what this
	                               client hears; it only grants a lossier one than the
	                               channel's. Default: none asked (-1) */
	NC_OPT_BATCH_BYTES = 21, /* emit writes by itself once this much is queued; less waits for
	                            nc_flush() or the next nc_process(). Default 65536; 0: each
	                            emit writes at once */
	NC_OPT_PROCESS_BYTES =
	        22, /* nc_process() returns after reading about this much, so that other
	               work of the program's loop gets its turn. Default 1 MiB */
};

/* Sets an option; before nc_open() or nc_connect(), or after nc_disconnect().
 * Returns NC_OK, NC_EINVAL (unknown option, wrong kind or range), NC_ESTATE, NC_ENOMEM. */
NC_API int nc_setopt_int(nc_client *c, enum nc_option option, int64_t value);
NC_API int nc_setopt_str(nc_client *c, enum nc_option option, const char *value);

/* Begins to connect, without blocking; what happens is told by the status callback. Returns NC_OK,
 * NC_ESTATE (is open already), NC_ENOMEM, NC_ESYS; with NC_OPT_RECONNECT 0 also NC_ENOSERVER and
 * NC_EDENIED. */
NC_API int nc_open(nc_client *c);

/* nc_open(), then waits until the server has welcomed the client, for at most timeout_ms (-1: for
 * ever, whatever NC_OPT_CONNECT_TIMEOUT_MS says). It makes one attempt; where that fails the client
 * is closed again. Not inside a handler. Returns NC_OK, NC_ENOSERVER, NC_EDENIED, NC_ETIMEOUT,
 * NC_EVERSION, NC_EPROTO, NC_EQUOTA, NC_ECLOSED and NC_ESHUTDOWN (the server ended it), NC_EINVAL
 * (the environment's NC_SOCKET is no path of a socket), NC_ESTATE, NC_ENOMEM, NC_ESYS. */
NC_API int nc_connect(nc_client *c, int timeout_ms);

/* Ends the connection: what is queued is written, for at most timeout_ms (0: what the kernel takes
 * at once; inside a handler always so), then the server is told. Handlers stay; nc_open() may
 * follow. Returns NC_OK where everything was written, NC_AGAIN where something was left (and is
 * dropped, counted in nc_counters), NC_ESTATE where nothing was open. */
NC_API int nc_disconnect(nc_client *c, int timeout_ms);

/* ---- emit ---- */

#define NC_BROADCAST                                                                               \
	0x1u /* sets netcluster's third argument of emit, which is only carried along */

/* Emits an event with `len` bytes of payload, copied before it returns. BOOL, INT and DOUBLE take
 * len 1, 8 and 8 (nc_emit_bool() and so on do that). JSON and TEXT are taken as they are; the
 * server validates them before the first JSON receiver. While not connected, the message waits in
 * the queue. Writes happen as NC_OPT_BATCH_BYTES says. Returns NC_OK; NC_AGAIN (full, nothing was
 * queued); NC_ENAME, NC_ERESERVED, NC_ETOOBIG, NC_EINVAL, NC_ENOMEM; NC_ECLOSED where the client is
 * closed and was never opened or does not come back. */
NC_API int nc_emit(nc_client *c, const char *event, enum nc_type type, const void *data, size_t len,
                   unsigned flags);
NC_API int nc_emit_empty(nc_client *c, const char *event);
NC_API int nc_emit_bool(nc_client *c, const char *event, int value);
NC_API int nc_emit_int(nc_client *c, const char *event, int64_t value);
NC_API int nc_emit_double(nc_client *c, const char *event, double value);
NC_API int nc_emit_text(nc_client *c, const char *event, const char *text);
NC_API int nc_emit_bytes(nc_client *c, const char *event, const void *data, size_t len);
NC_API int nc_emit_json(nc_client *c, const char *event, const char *json);

/* nc_emit() that waits for room, for at most timeout_ms (-1: for ever). It goes on reading
 * meanwhile, so that handlers run. Not inside a handler. With NC_POLICY_BLOCK it waits for the
 * socket, where that is full, rather than fill the queue: while more than 1 MiB is queued, and with
 * a payload of 16 KiB or more, which is then written from where it lies, while anything is; where
 * the time runs out before, the message is queued if there is room. Returns what nc_emit() does;
 * NC_AGAIN only where the time ran out; NC_ESTATE inside a handler. */
NC_API int nc_emit_wait(nc_client *c, const char *event, enum nc_type type, const void *data,
                        size_t len, unsigned flags, int timeout_ms);

/* Calls `fn` once after the queue, having been found full, is half empty again. fn NULL: no more.
 */
typedef void nc_writable_cb(nc_client *c, void *arg);
NC_API void nc_on_writable(nc_client *c, nc_writable_cb *fn, void *arg);

/* Writes what is queued, as far as the kernel takes it without blocking. Returns NC_OK (all
 * written), NC_AGAIN (something is left), NC_ESTATE (not connected). */
NC_API int nc_flush(nc_client *c);

/* ---- hear ---- */

/* Runs with each message that matches. `m` is the library's and valid until the handler returns;
 * nc_msg_dup() keeps a copy. */
typedef void nc_handler(nc_client *c, const nc_msg *m, void *arg);

/* Adds a handler for a pattern: an event name, in which a token may be '*' (any one token) and the
 * last '>' (one token or more). The same (fn, arg) may be added several times. Handlers run in the
 * order of adding, and stay over reconnections. Returns NC_OK, NC_ENAME, NC_ENOMEM; NC_EQUOTA where
 * the connection's limit is reached. */
NC_API int nc_on(nc_client *c, const char *pattern, nc_handler *fn, void *arg);

/* nc_on() for one literal event name; wildcards are refused with NC_ENAME. */
NC_API int nc_on_event(nc_client *c, const char *event, nc_handler *fn, void *arg);

/* nc_on() for the first match only: the handler is removed before it runs. */
NC_API int nc_once(nc_client *c, const char *pattern, nc_handler *fn, void *arg);

/* Removes the first handler that was added with exactly this pattern, fn and arg, and no other;
 * with fn NULL all of the pattern; with pattern NULL too, all there are. Returns NC_OK or
 * NC_ENOENT. */
NC_API int nc_off(nc_client *c, const char *pattern, nc_handler *fn, void *arg);

/* How many handlers were added with exactly this pattern (NULL: all there are). */
NC_API size_t nc_listeners(const nc_client *c, const char *pattern);

/* ---- ask the server ---- */

/* Runs once: with NC_OK and the answer; with NC_EREMOTE or another error and the server's text as a
 * message (or NULL); with NC_ETIMEOUT or NC_ECLOSED and NULL. */
typedef void nc_reply_cb(nc_client *c, int error, const nc_msg *answer, void *arg);

/* Emits `event` as a request. Only the channel "control" answers (nc-protocol(7) lists its
 * questions); elsewhere the answer is NC_ENOBODY. timeout_ms must be above 0. Returns what
 * nc_emit() does, NC_EQUOTA with more than 1024 requests open, NC_ESTATE while not connected. */
NC_API int nc_request(nc_client *c, const char *event, enum nc_type type, const void *data,
                      size_t len, int timeout_ms, nc_reply_cb *fn, void *arg);

/* Waits until the server has taken everything that was sent before: all emits routed, all
 * subscriptions in force. Handlers run meanwhile. Not inside a handler. Returns NC_OK, NC_ETIMEOUT,
 * NC_ECLOSED, NC_ESTATE, NC_ENOMEM. */
NC_API int nc_sync(nc_client *c, int timeout_ms);

/* ---- the loop ---- */

/* The descriptor to poll, or -1 while there is none. It changes only inside nc_open(),
 * nc_connect(), nc_disconnect(), nc_free() and the functions that run handlers; each change is
 * announced by the fd callback, which nc_open() also calls where there is none yet. */
NC_API int nc_fd(const nc_client *c);
#define NC_FD_GONE (-2) /* told by nc_free() last of all: the client must not be used any more */
typedef void nc_fd_cb(nc_client *c, int fd, void *arg);
NC_API void nc_on_fd(nc_client *c, nc_fd_cb *fn, void *arg);

/* What to poll for: POLLIN, POLLOUT of <poll.h>, or 0. To be asked before each poll. */
NC_API short nc_events(const nc_client *c);

/* After how many milliseconds nc_process() is wanted even if nothing happens: 0 now, -1 never. */
NC_API int nc_timeout(const nc_client *c);

/* Does what there is to do, without blocking: connects, reads, runs handlers and timers, writes.
 * Returns NC_OK, or, where the client is closed and does not come back, why (NC_ECLOSED after
 * nc_disconnect()). */
NC_API int nc_process(nc_client *c);

/* Polls once, for at most timeout_ms (-1: as long as it takes), and processes. Not inside a
 * handler. Returns what nc_process() does, NC_ETIMEOUT where nothing happened in time, NC_ESYS. */
NC_API int nc_wait(nc_client *c, int timeout_ms);

/* Processes until nc_stop() (returns NC_OK) or until the client is closed for good (returns why).
 */
NC_API int nc_run(nc_client *c);

/* Ends nc_run() after the handler that calls it. From the client's own thread only. */
NC_API void nc_stop(nc_client *c);

/* ---- a message ---- */

/* Event and the channel on which it was emitted (which differs from the client's own where a rule
 * brought it): terminated strings, valid as long as the message. */
NC_API const char *nc_msg_event(const nc_msg *m);
NC_API const char *nc_msg_channel(const nc_msg *m);

/* The payload. Data is not terminated, and not aligned; NULL where empty. */
NC_API enum nc_type nc_msg_type(const nc_msg *m);
NC_API const void *nc_msg_data(const nc_msg *m);
NC_API size_t nc_msg_len(const nc_msg *m);

/* The payload as a terminated string: a copy that lives as long as the message. NULL without
 * memory. */
NC_API const char *nc_msg_text(const nc_msg *m);

/* The payload's value. Returns NC_OK and sets *v, or NC_EINVAL where it is of another type. A
 * number that a JSON client sent counts as INT (where it is whole and fits) and as DOUBLE, its true
 * and false as BOOL. */
NC_API int nc_msg_bool(const nc_msg *m, int *v);
NC_API int nc_msg_int(const nc_msg *m, int64_t *v);
NC_API int nc_msg_double(const nc_msg *m, double *v);

/* The whole JSON packet where a JSON client sent the message (not terminated), else NULL. */
NC_API const char *nc_msg_packet(const nc_msg *m, size_t *len);

/* Whether netcluster's broadcast argument was set. */
NC_API int nc_msg_broadcast(const nc_msg *m);

/* Who sent a message, as the server verified it. */
struct nc_sender {
	uint64_t id;  /* of the session; see nc_id() */
	uint64_t seq; /* rises strictly within a session */
	int has_cred; /* whether uid, gid and pid below are known: a local sender */
	uid_t uid;
	gid_t gid;
	pid_t pid;
	const char *host; /* name of the host; valid as long as the message */
};
NC_API void nc_msg_sender(const nc_msg *m, struct nc_sender *out);

/* A copy that outlives the handler, to be freed by nc_msg_free(). NULL without memory. */
NC_API nc_msg *nc_msg_dup(const nc_msg *m);
NC_API void nc_msg_free(nc_msg *m);

/* ---- what happens ---- */

enum nc_state {
	NC_CLOSED = 0,       /* not opened, or ended for good */
	NC_CONNECTING = 1,   /* the first attempt is under way */
	NC_CONNECTED = 2,    /* welcomed */
	NC_RECONNECTING = 3, /* the connection broke; the library comes back by itself */
};
NC_API enum nc_state nc_state(const nc_client *c);

enum nc_status_kind {
	NC_STATUS_CONNECTED = 1,    /* welcomed; handlers' patterns are on their way */
	NC_STATUS_DISCONNECTED = 2, /* the connection ended: error, text; count: messages of which a
	                               part was written and that go out again whole */
	NC_STATUS_RECONNECTING = 3, /* the next attempt comes in delay_ms */
	NC_STATUS_GAP = 4, /* `count` messages to this client were lost here (exact says whether the
	                      count is exact); text: why */
	NC_STATUS_ERROR = 5,   /* the server refused something: error, text, seq */
	NC_STATUS_DROPPED = 6, /* this client's own queue dropped `count` of its emits */
	NC_STATUS_CLOSED = 7,  /* ended for good: error, text */
};

/* May grow at its end. */
struct nc_status {
	enum nc_status_kind kind;
	int error;        /* enum nc_error */
	const char *text; /* terminated, never NULL; valid during the callback */
	uint64_t count;
	int exact;
	int delay_ms;
	uint64_t seq; /* ERROR: sequence of the emit that it is about, 0 for none */
};
typedef void nc_status_cb(nc_client *c, const struct nc_status *s, void *arg);
NC_API void nc_on_status(nc_client *c, nc_status_cb *fn, void *arg);

/* ---- what is known ---- */

NC_API const char *nc_channel(const nc_client *c);
/* This session's id as others see it in nc_msg_sender(); 0 before the first welcome. */
NC_API uint64_t nc_id(const nc_client *c);
/* Largest payload in bytes that the server takes; before the first welcome, the protocol's own
 * limit. */
NC_API size_t nc_max_message(const nc_client *c);
/* Name of this host and of the server's version, "" before the first welcome. */
NC_API const char *nc_host(const nc_client *c);
NC_API const char *nc_server(const nc_client *c);
/* Path of the socket last connected to, "" before. */
NC_API const char *nc_socket(const nc_client *c);
/* errno of the last NC_ESYS. */
NC_API int nc_errno(const nc_client *c);
/* Text of the last error, with what the server said, or "". Valid until the next call with this
 * client. */
NC_API const char *nc_error_text(const nc_client *c);

/* Totals of a client's life. May grow at its end; `size` is sizeof(struct nc_counters). */
struct nc_counters {
	uint64_t emitted; /* nc_emit() that returned NC_OK */
	uint64_t written; /* of them, taken whole by the kernel */
	uint64_t dropped; /* of them, dropped by this client's own queue or at disconnect */
	uint64_t queued;  /* of them, in the queue now: emitted = written + dropped + queued */
	uint64_t queued_bytes;
	uint64_t received;       /* messages that came over the wire */
	uint64_t received_bytes; /* bytes that came over the wire */
	uint64_t local;          /* own emits handed to own handlers */
	uint64_t lost;           /* told by the server in gaps */
	uint64_t refused;        /* told by the server in errors */
	uint64_t connects;
};
NC_API void nc_get_counters(const nc_client *c, struct nc_counters *out, size_t size);

/* ---- a server of one's own ----------------------------------------------------------------------
 *
 * A program may bring its own bus: an ncserver that it starts, configures and stops, as a child
 * process that ends when the program does, however that ends. Several are independent of each
 * other. */
typedef struct nc_daemon nc_daemon;

/* Starts an ncserver. `config` is the text of its configuration, in either format (NULL: only the
 * channel "control"); `socket`, if not NULL, is the template of its sockets' paths and wins over
 * the configuration's; `program` is the daemon (NULL: the one that was installed with this
 * library). Its messages go to this process's standard error. Waits until all channels listen, for
 * at most timeout_ms (-1: for ever). Returns NC_OK and *out, to be ended by nc_daemon_stop();
 * NC_EINVAL (it refused the configuration, and said why), NC_EREMOTE (it ended for another reason,
 * and said why), NC_ETIMEOUT, NC_ENOENT (no such program), NC_ENOMEM, NC_ESYS. The child is a child
 * of the calling thread: it is told to stop when that thread ends. */
NC_API int nc_daemon_start(nc_daemon **out, const char *config, const char *socket,
                           const char *program, int timeout_ms);

/* Its process id. */
NC_API pid_t nc_daemon_pid(const nc_daemon *s);

/* Stops it: what was sent is delivered first, for at most timeout_ms (-1: as long as its
 * drain_timeout says); then it is killed. Frees `s`; NULL is fine. Returns NC_OK where it ended by
 * itself and well, NC_EREMOTE where it had ended badly, NC_ETIMEOUT where it was killed. */
NC_API int nc_daemon_stop(nc_daemon *s, int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
