/* peer_norm.c - the same work from host to host through NORM: one stream, NAKs and repair blocks
 *
 * NORM sends at a rate that it is told; peer_norm_200 is told 200 Mbit/s, since it keeps more of
 * that where packets are lost. Flow control by acknowledgement keeps it from running away from a
 * receiver that has fallen behind.
 */
#include "bench/mesh_ends.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NORM_MBIT
#define NORM_MBIT MESH_MBIT
#endif
#define GROUP       "239.77.0.3"
#define PORT        17003
#define SEGMENT_LEN 1400
#define STREAM_LEN  (16u << 20)
#define RX_LEN      (64u << 20)
#define READ_LEN    (4u << 20)
/* An acknowledgement is asked for every so many bytes, and twice as many may be without one. */
#define ASK_LEN (STREAM_LEN / 4)
/* Blocks of so many segments, and so many repair segments for each. */
#define BLOCK_LEN 64
#define PARITY    8

/* normApi.h is for C++ only: what is needed of it */
typedef const void *norm_handle;

enum norm_event_type {
	NORM_TX_WATERMARK_COMPLETED = 4,
	NORM_RX_OBJECT_UPDATED = 19,
};

struct norm_event {
	int type;
	norm_handle session, sender, object;
};

norm_handle NormCreateInstance(bool boost);
norm_handle NormCreateSession(norm_handle instance, const char *addr, uint16_t port, uint32_t node);
bool NormGetNextEvent(norm_handle instance, struct norm_event *event, bool wait);
bool NormSetMulticastInterface(norm_handle session, const char *name);
bool NormSetTTL(norm_handle session, unsigned char ttl);
void NormSetGrttEstimate(norm_handle session, double seconds);
void NormSetGroupSize(norm_handle session, unsigned size);
void NormSetTxRate(norm_handle session, double bits);
void NormSetFlowControl(norm_handle session, double factor);
bool NormStartSender(norm_handle session, uint16_t id, uint32_t buffer, uint16_t segment,
                     uint16_t block, uint16_t parity, uint8_t fec);
bool NormStartReceiver(norm_handle session, uint32_t buffer);
void NormSetRxCacheLimit(norm_handle session, unsigned short n);
bool NormSetRxSocketBuffer(norm_handle session, unsigned len);
bool NormSetTxSocketBuffer(norm_handle session, unsigned len);
bool NormAddAckingNode(norm_handle session, uint32_t node);
bool NormSetWatermark(norm_handle session, norm_handle object, bool override_flush);
norm_handle NormStreamOpen(norm_handle session, uint32_t len, const char *info, unsigned info_len);
unsigned NormStreamWrite(norm_handle stream, const char *data, unsigned len);
void NormStreamFlush(norm_handle stream, bool eom, int mode);
void NormStreamMarkEom(norm_handle stream);
bool NormStreamRead(norm_handle stream, char *data, unsigned *len);
bool NormStreamSeekMsgStart(norm_handle stream);

static norm_handle session_open(norm_handle instance, uint32_t node)
{
	norm_handle s = NormCreateSession(instance, GROUP, PORT, node);
	struct ends_interface i;

	ends_interface(&i);
	NormSetMulticastInterface(s, i.name);
	NormSetTTL(s, 1);
	/* hosts on one switch, and few of them */
	NormSetGrttEstimate(s, 0.001);
	NormSetGroupSize(s, 10);
	return s;
}

static uint32_t node_of(const struct worker *w)
{
	return w->role == BENCH_PUBLISHER ? 1 : 2 + w->id;
}

/* ---- the sender ---- */

struct sender {
	norm_handle instance, session, stream;
	size_t n_unasked; /* bytes since the last question */
	bool is_asked;    /* and it is not answered */
};

/* Takes one event. */
static void sender_event(struct sender *s, bool wait)
{
	struct norm_event e;

	while (NormGetNextEvent(s->instance, &e, wait)) {
		if (e.type == NORM_TX_WATERMARK_COMPLETED)
			s->is_asked = false;
		if (wait)
			return;
	}
}

static void sender_ask(struct sender *s)
{
	while (s->is_asked)
		sender_event(s, true);
	NormSetWatermark(s->session, s->stream, true);
	s->is_asked = true;
	s->n_unasked = 0;
}

static void send_one(void *end, const uint8_t *payload, size_t len)
{
	struct sender *s = end;

	for (size_t done = 0; done < len;) {
		done += NormStreamWrite(s->stream, (const char *)payload + done,
		                        (unsigned)(len - done));
		if (done < len)
			sender_event(s, true);
	}
	NormStreamMarkEom(s->stream);
	s->n_unasked += len;
	if (s->n_unasked >= ASK_LEN)
		sender_ask(s);
}

static void flush(void *end)
{
	const struct sender *s = end;

	/* 1: nothing waits for more; no command that makes receivers answer */
	NormStreamFlush(s->stream, true, 1);
}

static void publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	struct sender s = {.instance = NormCreateInstance(false)};
	struct ends_sender m = {.send = send_one, .flush = flush, .end = &s};

	(void)d;
	s.session = session_open(s.instance, node_of(w));
	NormSetTxRate(s.session, NORM_MBIT * 1e6);
	for (unsigned i = 0; i < o->n_subs; i++)
		NormAddAckingNode(s.session, 2 + i);
	NormSetFlowControl(s.session, 0);
	if (!NormStartSender(s.session, (uint16_t)getpid(), STREAM_LEN + (8u << 20), SEGMENT_LEN,
	                     BLOCK_LEN, PARITY, 0))
		worker_fail("NormStartSender", 0);
	NormSetTxSocketBuffer(s.session, MESH_BUFFER);
	s.stream = NormStreamOpen(s.session, STREAM_LEN, NULL, 0);
	ends_publish(o, w, &m);
	/* 2: receivers are asked, so that the last ones are missed too */
	NormStreamFlush(s.stream, true, 2);
}

/* ---- the receiver ---- */

struct receiver {
	struct check *check;
	char *data;
	size_t len;
	bool is_synced; /* what comes next begins a message */
};

/* Takes the whole messages that are there. Returns whether the last came. */
static bool take_messages(struct receiver *r)
{
	size_t one = r->check->len, at = 0;
	bool is_over = false;

	for (; !is_over && r->len - at >= one; at += one)
		is_over = check_take(r->check, r->data + at, one);
	memmove(r->data, r->data + at, r->len - at);
	r->len -= at;
	return is_over;
}

static bool take_all(struct receiver *r, norm_handle stream)
{
	for (;;) {
		unsigned n;

		if (!r->is_synced && !NormStreamSeekMsgStart(stream))
			return false;
		if (!r->is_synced)
			r->len = 0;
		r->is_synced = true;
		n = (unsigned)(READ_LEN - r->len);
		if (!NormStreamRead(stream, r->data + r->len, &n)) {
			r->is_synced = false;
			continue;
		}
		if (!n)
			return false;
		r->len += n;
		if (take_messages(r))
			return true;
	}
}

static void subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	norm_handle instance = NormCreateInstance(false), s;
	struct receiver r = {.check = &w->check, .data = malloc(READ_LEN)};
	struct norm_event e;

	(void)d;
	if (!r.data || o->len > READ_LEN)
		worker_fail("memory", ENOMEM);
	s = session_open(instance, node_of(w));
	NormSetRxCacheLimit(s, 4096);
	if (!NormStartReceiver(s, RX_LEN))
		worker_fail("NormStartReceiver", 0);
	NormSetRxSocketBuffer(s, MESH_BUFFER);
	NormSetTxSocketBuffer(s, 1u << 20);
	worker_listens(o, w);
	while (NormGetNextEvent(instance, &e, true))
		if (e.type == NORM_RX_OBJECT_UPDATED && take_all(&r, e.object))
			return;
	worker_fail("NormGetNextEvent", 0);
}

static const struct bench_kind kind = {
        .name = "norm",
        .publish = publish,
        .subscribe = subscribe,
        .is_mesh = true,
        .is_stamped = true,
};

int main(int argc, char **argv)
{
	return bench_main(&kind, argc, argv);
}
