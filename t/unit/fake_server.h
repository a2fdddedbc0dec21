/*
 * A server that does what a test says
 *
 * It listens on a real Unix socket in a temporary folder. The test calls it step by step from the
 * client's own thread; since the kernel passes bytes on at once, no step has to wait. Where the
 * client blocks, fake_start() lets a thread play the server's part.
 */
#ifndef NC_T_UNIT_FAKE_SERVER_H
#define NC_T_UNIT_FAKE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netcluster/nc.h>

#include "libnc/wire/frame.h"

struct fake {
	char dir[64];
	char path[108];
	int listen_fd;
	int fd;               /* -1 while nobody is connected */
	uint64_t session;     /* id of the last welcome */
	uint32_t max_payload; /* for the next welcome; starts at NC_MESSAGE_DEFAULT */
	uint8_t *in;          /* bytes that came and were not taken yet */
	size_t in_len;
	size_t in_cap;
	bool is_at_end; /* the client says no more */
	uint8_t *taken; /* what fake_expect() returned last */
	struct fake_thread *thread;
};

/* The session of the first welcome; each further one is one more. */
#define FAKE_SESSION UINT64_C(0x1234567800000001)

void fake_open(struct fake *f);
void fake_close(struct fake *f);

/* For cmocka: opens one as the test's state, and closes it. */
int fake_setup(void **state);
int fake_teardown(void **state);

/* A client of channel "c" for this server, not connected. */
nc_client *fake_client(const struct fake *f);

/* Stops and starts listening, as a server that goes and comes. */
void fake_stop_listening(struct fake *f);
void fake_listen(struct fake *f);

/* Takes the next connection, which is there. */
void fake_accept(struct fake *f);

/* Ends it. */
void fake_hang_up(struct fake *f);

/* Whether the client has closed its end. */
bool fake_is_hung_up(struct fake *f);

/* Reads what is there. */
void fake_read(struct fake *f);

/* Reads, and takes the next frame; fails the test if its kind is another. The frame is valid until
 * the next call. */
const uint8_t *fake_expect(struct fake *f, enum frame_kind kind, size_t *len);

/* The same for an EMIT. */
struct frame_emit fake_expect_emit(struct fake *f, const char *event);

/* Fails the test if anything came. */
void fake_expect_nothing(struct fake *f);

/* Takes preface and hello, and answers with a welcome. */
void fake_expect_hello(struct fake *f);
void fake_welcome(struct fake *f);

/* fake_accept(), fake_expect_hello(), fake_welcome(), and lets the client see it. */
void fake_greet(struct fake *f, nc_client *c);

/* Opens the client and greets it. */
void fake_connect(struct fake *f, nc_client *c);

void fake_send(struct fake *f, const void *p, size_t len);

/* Puts a frame into a buffer of the test; returns its length. */
size_t fake_put_emit(uint8_t *buf, size_t cap, const char *event, enum frame_type type,
                     const void *data, size_t len);

/* Sends a text message, from session 77, with the given number as sequence. */
void fake_emit(struct fake *f, const char *event, const char *text, uint64_t seq);

/* Lets a thread accept, greet, answer PINGs, swallow messages and close on BYE, until
 * fake_join(). */
void fake_start(struct fake *f);
void fake_join(struct fake *f);

/* What the thread saw, as letters: H hello, L listen, U unlisten, E emit, P ping, B bye. */
const char *fake_seen(const struct fake *f);

#endif
