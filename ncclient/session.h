/*
 * A session: the connections to channels, and what is asked over them
 *
 * A session belongs to one run of ncclient. It connects to a channel when first needed and keeps
 * the connection; all waiting happens in session_wait(), which serves every connection, so that
 * what is heard on one is printed while another is being waited for.
 */
#ifndef NC_NCCLIENT_SESSION_H
#define NC_NCCLIENT_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <netcluster/nc.h>

#include "ncclient/output.h"
#include "ncclient/status.h"

struct session;
struct value;

/* Connections that a session keeps at the same time. */
#define SESSION_LINKS_MAX 64u

/* A connection to a channel. */
struct link {
	struct link *next;
	struct session *session; /* not owned */
	nc_client *nc;
	char *channel;
	bool is_shared;  /* session_link() may hand it out */
	bool is_watch;   /* prints what it hears, until unwatch() */
	bool reconnects; /* losing the server is told, and is no end */
	int closed;      /* why it ended for good: nc_error, or 0 */
	int refused;     /* the last error that the server told: nc_error, or 0 */
	char refusal[256];
	uint64_t n_refused;
	uint64_t n_lost; /* messages, as gaps told */
	bool lost_inexact;
};

/* How a connection of its own is to be made. */
struct link_options {
	bool reconnects;
	int receive_policy; /* nc_policy, or -1 for the channel's own */
	const char *label;
};

struct session {
	const char *socket; /* template, or NULL; not owned */
	uint64_t timeout_ms;
	bool quiet;
	bool interactive; /* a person types: no ends of the program, no prefix before errors */
	bool keep_going;
	bool ends_with_output; /* nobody reading what is printed is the end of it */
	bool hung_up; /* nobody reads what is printed any more: the program ends as by SIGPIPE */
	struct output out;
	FILE *err; /* not owned */
	struct link *links;
	/* Before something is printed that was not asked for: takes the line away that is being
	 * edited. May be NULL. */
	void (*before_print)(void *arg);
	void *before_print_arg;
	/* After each message that was heard, its event's name is told: completion offers it. May be
	 * NULL. */
	void (*on_heard)(void *arg, const char *event);
	void *on_heard_arg;
};

/* Makes a session that prints to OUT and complains to ERR. */
void session_init(struct session *s, FILE *out, FILE *err);

/* Ends all connections. */
void session_fini(struct session *s);

/* Prints a complaint, unless quiet or hung up: "ncclient: ..." and a newline. */
void session_complain(const struct session *s, const char *fmt, ...)
        __attribute__((format(printf, 2, 3)));

/* The status that stands for an error of libnc. */
enum status status_of(int nc_error);

/*
 * The session's connection to a channel, made where there is none yet.
 *
 * Returns STATUS_OK and sets *OUT, or another status after a complaint.
 */
enum status session_link(struct session *s, const char *channel, struct link **out);

/* session_link() without complaints and within TIMEOUT_MS. Returns an nc_error. */
int session_link_quietly(struct session *s, const char *channel, uint64_t timeout_ms,
                         struct link **out);

/* Makes a connection of its own, to be ended with session_unlink(). Otherwise as session_link(). */
enum status session_link_new(struct session *s, const char *channel,
                             const struct link_options *options, struct link **out);

/* Ends a connection: what is queued is written, for at most TIMEOUT_MS. */
void session_unlink(struct link *l, int timeout_ms);

/* What ended a wait. */
enum wait_result {
	WAIT_AGAIN = 0, /* something happened on a connection: look whether it is what was wanted */
	WAIT_TIMEOUT,
	WAIT_SIGNAL, /* signals_ending() */
	WAIT_INPUT,  /* the descriptor given is readable, or at its end */
	WAIT_HANGUP, /* nobody reads what is printed any more (see ends_with_output), or writing
	                failed */
};

/* A time of session_now_ms() that never comes. */
#define SESSION_FOREVER UINT64_MAX

/* Milliseconds of a clock that does not jump, above 0. */
uint64_t session_now_ms(void);

/* Waits until something happens, for FD (-1: none) too, at most until DEADLINE_MS. Flushes the
 * output before. */
enum wait_result session_wait(struct session *s, int fd, uint64_t deadline_ms);

/*
 * Asks the server: emits EVENT on the control channel, with JSON (NULL: nothing) as its data, and
 * waits for the answer, which is parsed to *ANSWER.
 *
 * Returns STATUS_OK, or another status after a complaint; *ANSWER is to be freed with value_fini()
 * where it is STATUS_OK.
 */
enum status session_ask(struct session *s, const char *event, const char *json,
                        struct value *answer);

/* The same without complaints and within TIMEOUT_MS: for completion. */
enum status session_ask_quietly(struct session *s, const char *event, const char *json,
                                uint64_t timeout_ms, struct value *answer);

/* Runs once for a question: with STATUS_OK and the answer, whose contents it may take (leaving it
 * null); or with another status, a text that says why, and NULL. */
typedef void session_answer(void *arg, enum status status, const char *text, struct value *answer);

/* Asks over a connection to control without waiting. Returns STATUS_OK, or why it cannot; then FN
 * does not run. */
enum status session_ask_async(struct link *l, const char *event, const char *json,
                              uint64_t timeout_ms, session_answer *fn, void *arg);

/* The status with which a command ends that a signal ended. */
enum status session_signal_status(void);

#endif
