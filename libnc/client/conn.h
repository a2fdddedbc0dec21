/* conn.h - one connection to a server, without its socket
 *
 * Bytes that came in are given to it and become calls; what it wants to be written is asked of it.
 * It is started anew for each connection.
 */
#ifndef NC_CLIENT_CONN_H
#define NC_CLIENT_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "libnc/base/buf.h"
#include "libnc/client/outq.h"
#include "libnc/client/sender.h"
#include "libnc/wire/frame.h"

/* Room for reading: a burst of small messages in one system call, or one of 64 KiB. More would take
 * a full socket at once, which leaves the server idle until all of it is handled, and would not
 * stay in the cache between reading and handling. */
#define CONN_READ_LEN (80u << 10)

/* Where messages of more than CONN_LONG_LEN come, several are read at once: then handling them
 * takes less time than the system calls and wake-ups that this saves. */
#define CONN_LONG_LEN      (16u << 10)
#define CONN_READ_LONG_LEN (264u << 10)

/* Control frames that wait to be written: what the server makes us answer (PONG) is refused beyond
 * it, our own (LISTEN) wait outside. */
#define CONN_CONTROL_MAX (64u << 10)

/* Patterns are put up to here, so that there is always room for the others. */
#define CONN_LISTEN_MAX (CONN_CONTROL_MAX / 2)

/* iovecs of one write: more than a socket's buffer takes. */
#define CONN_IOV_MAX 16

enum conn_state {
	CONN_STOPPED,  /* before the start, and after the end */
	CONN_GREETING, /* our hello is on its way */
	CONN_WELCOMED,
};

/* What a connection tells. A call may stop the connection and start it again. */
struct conn_ops {
	void (*on_welcome)(void *arg);
	void (*on_message)(void *arg, const struct frame_emit *f);
	void (*on_gap)(void *arg, const struct frame_gap *f);
	void (*on_error)(void *arg, const struct frame_error *f);
	void (*on_pong)(void *arg, uint64_t token);
};

/* What we say in the hello. */
struct conn_hello {
	const char *channel; /* that the welcome must name; not owned */
	const char *label;   /* not owned */
	uint32_t features;
	uint8_t policy; /* as in struct frame_hello */
};

struct conn {
	const struct conn_ops *ops; /* not owned */
	void *arg;                  /* not owned */
	struct outq *out;           /* not owned: it outlives the connection */
	const char *channel;        /* not owned */
	enum conn_state state;
	uint32_t n_starts; /* tells a call that stopped and started it from one that did not */
	bool pause;        /* conn_parse() returns after the frame at hand */

	uint8_t *in; /* NULL while nothing is read */
	size_t in_cap;
	size_t in_begin;
	size_t in_end;
	size_t in_skip; /* bytes of an unknown frame that are still to come */
	bool is_long;  /* the next buffer is to have CONN_READ_LONG_LEN, since the last one met a */
	bool has_long; /* long message; and whether this one has */

	/* The message before, while it is in the buffer. One event often comes many times in a row,
	 * and what was found valid in the head of one need not be looked at in the next, if it is
	 * the same. */
	struct frame_emit last;
	uint32_t
	        last_shape; /* kind, flags, lengths of names, as in the frame; 0: no such message */

	struct buf control; /* frames that go before those of `out` */

	/* from the welcome; they stay until the next one */
	uint64_t id; /* 0 before the first welcome */
	uint32_t features;
	uint32_t max_payload;
	char *host;   /* NULL before the first welcome */
	char *server; /* the same */
	struct sender_table senders;

	char *end_text; /* why the connection ended, or NULL */
};

/* Makes a stopped connection that sends the frames of `out`. Takes no memory. */
void conn_init(struct conn *c, const struct conn_ops *ops, void *arg, struct outq *out);
void conn_fini(struct conn *c);

/* Begins a connection: preface and hello are ready to be written. Returns 0 or -ENOMEM. */
int conn_start(struct conn *c, const struct conn_hello *hello);

/* Ends it: what was read and is not yet parsed, and the control frames, are forgotten. Memory that
 * a message points into stays until conn_trim(). */
void conn_stop(struct conn *c);

/* Gives back the read buffer where it holds nothing. Not while a message is being handled. */
void conn_trim(struct conn *c);

/* Where to put bytes that come in, and how many at most. Returns NULL without memory. */
uint8_t *conn_space(struct conn *c, size_t *len);

/* Takes note that `n` bytes were put there. */
void conn_took(struct conn *c, size_t n);

/* Makes the calls for the frames that are complete. Returns NC_OK; or why the connection is to be
 * ended (an enum nc_error, end_text says more): what the server said, or NC_EPROTO, NC_EVERSION,
 * NC_ENOMEM. */
int conn_parse(struct conn *c);

/* Whether a pause left complete frames. */
bool conn_has_frames(const struct conn *c);

/* Queues a control frame. Each returns 0, -EMSGSIZE (CONN_CONTROL_MAX is reached) or -ENOMEM. */
int conn_put_listen(struct conn *c, const char *pattern, size_t len, bool listen);
int conn_put_ping(struct conn *c, uint64_t token);
int conn_put_bye(struct conn *c);

/* Fills iovecs with what is to be written: control frames, and where `messages` says so (and the
 * server has welcomed us) those of the queue. Sets *len to their bytes. Returns how many. */
int conn_gather(const struct conn *c, struct iovec iov[CONN_IOV_MAX], bool messages, size_t *len);

/* Takes note that the first `n` bytes of what conn_gather() last returned were written. */
void conn_wrote(struct conn *c, size_t n);

#endif
