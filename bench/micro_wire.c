/*
 * What the codecs cost, in nanoseconds for each call
 *
 * usage: bench/micro_wire [SECONDS]
 *
 * Runs each operation on small messages, such as a bus sees by the million, for SECONDS (default
 * 0.2) in each of five rounds, and prints the fastest round: what the machine did beside only ever
 * adds. Numbers of one run on one machine can be compared; others can't.
 */

#include "libnc/base/buf.h"
#include "libnc/json/packet.h"
#include "libnc/wire/frame_fast.h"
#include "libnc/wire/name.h"
#include "libnc/wire/trie.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_ROUNDS 5
#define N_PAIRS  10000

/* What the operations work on; filled in by set_up(). */
static uint8_t frames[16 * 1024];
static size_t frames_len;
static struct frame_emit text_frame;
static struct trie *trie;
static int subscribers[N_PAIRS];
static struct packet_reader *reader;
static struct buf out;

static const char packet[] =
        "{\"channel\":\"telemetry\",\"broadcast\":false,\"event\":\"log.disk.free\","
        "\"data\":{\"host\":\"node-17\",\"free\":123456,\"used\":0.25}}";
static const char event[] = "room.4711.chat";

/* Where results go, so that no compiler leaves the work out. */
static volatile uint64_t sink;

/* An operation does its work about n times, and returns how often exactly. */
typedef uint64_t operation(uint64_t n);

static uint64_t decode_call(uint64_t n)
{
	uint64_t done = 0;

	while (done < n) {
		for (size_t at = 0; at < frames_len; done++) {
			struct frame_emit f;

			if (frame_emit_get(&f, frames + at, frames_len - at, 1u << 24) != FRAME_OK)
				abort();
			sink += f.seq;
			at += f.head_len + f.payload_len;
		}
	}
	return done;
}

static uint64_t decode_inline(uint64_t n)
{
	uint64_t done = 0;

	while (done < n) {
		for (size_t at = 0; at < frames_len; done++) {
			struct frame_emit f;

			if (frame_emit_get_inline(&f, frames + at, frames_len - at, 1u << 24) !=
			    FRAME_OK)
				abort();
			sink += f.seq;
			at += f.head_len + f.payload_len;
		}
	}
	return done;
}

static uint64_t encode(uint64_t n)
{
	uint8_t head[NC_HEAD_MAX];

	for (uint64_t i = 0; i < n; i++) {
		text_frame.seq = i;
		sink += frame_emit_head_put(head, sizeof(head), &text_frame);
	}
	return n;
}

static uint64_t check_event(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		sink += name_check_event(event, sizeof(event) - 1);
	return n;
}

static uint64_t match_pattern(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		sink += name_match("room.*.chat", 11, event, sizeof(event) - 1);
	return n;
}

static void on_match(void *arg, void *subscriber)
{
	*(uint64_t *)arg += (uint64_t)((int *)subscriber - subscribers);
}

static uint64_t match_trie(uint64_t n)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++)
		trie_match(trie, event, sizeof(event) - 1, on_match, &sum);
	sink += sum;
	return n;
}

static uint64_t change_trie(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (trie_remove(trie, event, sizeof(event) - 1, &subscribers[4711]) ||
		    trie_add(trie, event, sizeof(event) - 1, &subscribers[4711]))
			abort();
	return n;
}

static uint64_t read_packet(uint64_t n)
{
	struct packet p;

	for (uint64_t i = 0; i < n; i++) {
		if (packet_read(reader, packet, sizeof(packet) - 1, &p) != PACKET_OK)
			abort();
		sink += p.data_off;
	}
	return n;
}

static uint64_t write_packet(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		buf_clear(&out);
		if (packet_write(&out, &text_frame, NULL, NULL))
			abort();
		sink += out.len;
	}
	return n;
}

static uint64_t write_double(uint64_t n)
{
	struct frame_emit f = text_frame;
	double v = 0.1;

	f.flags = FRAME_T_DOUBLE;
	f.payload = (const uint8_t *)&v;
	f.payload_len = sizeof(v);
	for (uint64_t i = 0; i < n; i++) {
		v += 1e-9;
		buf_clear(&out);
		if (packet_write(&out, &f, NULL, NULL))
			abort();
		sink += out.len;
	}
	return n;
}

static const struct {
	const char *name;
	operation *run;
} operations[] = {
        {"frame_emit_get", decode_call},
        {"frame_emit_get_inline", decode_inline},
        {"frame_emit_head_put", encode},
        {"name_check_event, 3 tokens", check_event},
        {"name_match, 3 tokens", match_pattern},
        {"trie_match, 3 tokens, 10000 pairs", match_trie},
        {"trie_remove + trie_add, 10000 pairs", change_trie},
        {"packet_read, 118 bytes", read_packet},
        {"packet_write, text", write_packet},
        {"packet_write, double", write_double},
};

static void set_up(void)
{
	static const uint8_t seed[16] = {1};
	static const char payload[] = "a message of thirty-two bytes ..";
	char pattern[32];

	text_frame = (struct frame_emit){.sender = UINT64_C(0xAABBCCDD00000001),
	                                 .channel = "telemetry",
	                                 .channel_len = 9,
	                                 .event = "log.disk.free",
	                                 .event_len = 13,
	                                 .flags = FRAME_T_TEXT,
	                                 .payload = (const uint8_t *)payload,
	                                 .payload_len = sizeof(payload) - 1};
	while (sizeof(frames) - frames_len >= NC_HEAD_MAX) {
		text_frame.seq++;
		frames_len += frame_emit_head_put(frames + frames_len, NC_HEAD_MAX, &text_frame);
		memcpy(frames + frames_len, payload, sizeof(payload) - 1);
		frames_len += sizeof(payload) - 1;
	}
	trie = trie_new(N_PAIRS, seed);
	reader = packet_reader_new();
	if (!trie || !reader)
		abort();
	for (int i = 0; i < N_PAIRS; i++) {
		int len = snprintf(pattern, sizeof(pattern), "room.%d.chat", i);

		if (trie_add(trie, pattern, (size_t)len, &subscribers[i]))
			abort();
	}
	buf_init(&out, 1 << 20);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds for one operation in a round of about that many seconds. */
static double round_ns(operation *run, double seconds)
{
	double start = now_ns(), end;
	uint64_t done = 0;

	do {
		done += run(1000);
		end = now_ns();
	} while (end - start < seconds * 1e9);
	return (end - start) / (double)done;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 0.2;

	set_up();
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		double best = 0;

		for (int r = 0; r < N_ROUNDS; r++) {
			double ns = round_ns(operations[i].run, seconds);

			if (!r || ns < best)
				best = ns;
		}
		printf("%-36s %8.1f ns\n", operations[i].name, best);
	}
	buf_fini(&out);
	packet_reader_free(reader);
	trie_free(trie);
	return 0;
}
