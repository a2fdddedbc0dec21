/*
 * Fuzz target: native frames
 *
 * Every decoder gets the bytes, in memory that ends with them. What one accepts must lie within the
 * frame, and encode to bytes that decode to the same again. An EMIT frame that arrives in pieces is
 * judged as it is when it is whole: "more" until there is a verdict, then always that.
 */

#include "t/fuzz/fuzz.h"

#include "libnc/base/endian.h"
#include "libnc/base/utf8.h"
#include "libnc/wire/frame.h"
#include "libnc/wire/name.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PAYLOAD 4096u

static const uint8_t *frame;
static size_t frame_len;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool same(const void *a, const void *b, size_t len)
{
	return !len || !memcmp(a, b, len);
}

/* Whether the bytes are a part of the frame. */
static void check_inside(const void *p, size_t len)
{
	size_t at = (size_t)((const uint8_t *)p - frame);

	check((const uint8_t *)p >= frame && at <= frame_len && len <= frame_len - at);
}

static void check_text(const char *p, size_t len)
{
	check_inside(p, len);
	check(utf8_valid(p, len));
}

static void check_options(const struct frame_emit *f)
{
	const uint8_t *data, *value;
	enum frame_type type;
	uint32_t data_len;
	uint64_t id;
	uint8_t len;

	for (unsigned t = 0; t <= UINT8_MAX; t++) {
		value = frame_option_find(f, (enum frame_option)t, &len);
		if (value)
			check_inside(value, len);
	}
	(void)frame_option_u64(f, FRAME_O_REQUEST, &id);
	if (frame_emit_data(f, &data, &data_len, &type) == FRAME_OK && data)
		check_inside(data, data_len);
}

/* The bytes of a head, byte for byte those that it was decoded from. */
static void check_emit_again(const struct frame_emit *f)
{
	uint8_t head[NC_HEAD_MAX];

	check(frame_emit_head_len(f) == f->head_len);
	check(frame_emit_head_put(head, f->head_len - 1, f) == 0);
	check(frame_emit_head_put(head, sizeof(head), f) == f->head_len);
	check(same(head, frame, f->head_len));
}

static void fuzz_emit(void)
{
	struct frame_emit f;
	enum frame_result whole = frame_emit_get(&f, frame, frame_len, MAX_PAYLOAD);

	if (whole == FRAME_OK) {
		check_inside(f.channel, f.channel_len);
		check_inside(f.event, f.event_len);
		check(name_check_channel(f.channel, f.channel_len) == NAME_OK);
		check(f.payload_len <= MAX_PAYLOAD);
		check((f.payload != NULL) == (frame_len >= f.head_len + f.payload_len));
		if (f.payload)
			check_inside(f.payload, f.payload_len);
		check_options(&f);
		check_emit_again(&f);
	}
	for (size_t n = 0; n < frame_len && n < NC_HEAD_MAX; n++) {
		uint8_t *piece = malloc(n ? n : 1);
		enum frame_result r;

		check(piece != NULL);
		memcpy(piece, frame, n);
		r = frame_emit_get(&f, piece, n, MAX_PAYLOAD);
		check(r == FRAME_MORE || r == whole);
		free(piece);
	}
}

/* A control frame as it was decoded, and encoded again. */
struct again {
	uint8_t bytes[NC_CONTROL_FRAME_MAX];
	size_t len;
};

/* What follows from any control frame: its encoding is the front of the frame, but for what is
 * passed over and the length. */
static void check_again(const struct again *a)
{
	check(a->len >= FRAME_PREFIX_LEN && a->len <= frame_len);
	check(le32_get(a->bytes) == a->len);
	check(a->bytes[4] == frame[4]);
}

static void fuzz_hello(void)
{
	struct frame_hello f, g;
	struct again a;

	if (frame_hello_get(&f, frame, frame_len) != FRAME_OK)
		return;
	check_text(f.label, f.label_len);
	a.len = frame_hello_put(a.bytes, sizeof(a.bytes), &f);
	check_again(&a);
	check(frame_hello_get(&g, a.bytes, a.len) == FRAME_OK);
	check(g.version_min == f.version_min && g.version_max == f.version_max &&
	      g.features == f.features && g.policy == f.policy && g.label_len == f.label_len &&
	      same(g.label, f.label, f.label_len));
}

static void fuzz_welcome(void)
{
	struct frame_welcome f, g;
	struct again a;

	if (frame_welcome_get(&f, frame, frame_len) != FRAME_OK)
		return;
	check_text(f.channel, f.channel_len);
	check_text(f.host, f.host_len);
	check_text(f.server, f.server_len);
	a.len = frame_welcome_put(a.bytes, sizeof(a.bytes), &f);
	check_again(&a);
	check(frame_welcome_get(&g, a.bytes, a.len) == FRAME_OK);
	check(g.version == f.version && g.features == f.features && g.sender == f.sender &&
	      g.max_payload == f.max_payload && same(g.boot, f.boot, sizeof(f.boot)));
	check(g.channel_len == f.channel_len && same(g.channel, f.channel, f.channel_len));
	check(g.host_len == f.host_len && same(g.host, f.host, f.host_len));
	check(g.server_len == f.server_len && same(g.server, f.server, f.server_len));
}

static void fuzz_listen(void)
{
	struct frame_listen f, g;
	struct again a;

	if (frame_listen_get(&f, frame, frame_len) != FRAME_OK)
		return;
	check_inside(f.pattern, f.pattern_len);
	a.len = frame_listen_put(a.bytes, sizeof(a.bytes), (enum frame_kind)frame[4], &f);
	check_again(&a);
	check(frame_listen_get(&g, a.bytes, a.len) == FRAME_OK);
	check(g.pattern_len == f.pattern_len && same(g.pattern, f.pattern, f.pattern_len));
}

static void fuzz_ping(void)
{
	struct again a;
	uint64_t f, g;

	if (frame_ping_get(&f, frame, frame_len) != FRAME_OK)
		return;
	a.len = frame_ping_put(a.bytes, sizeof(a.bytes), (enum frame_kind)frame[4], f);
	check_again(&a);
	check(frame_ping_get(&g, a.bytes, a.len) == FRAME_OK);
	check(g == f);
}

static void fuzz_gap(void)
{
	struct frame_gap f, g;
	struct again a;

	if (frame_gap_get(&f, frame, frame_len) != FRAME_OK)
		return;
	a.len = frame_gap_put(a.bytes, sizeof(a.bytes), &f);
	check_again(&a);
	check(frame_gap_get(&g, a.bytes, a.len) == FRAME_OK);
	check(g.count == f.count && g.reason == f.reason && g.exact == f.exact);
}

static void fuzz_error(void)
{
	struct frame_error f, g;
	struct again a;

	if (frame_error_get(&f, frame, frame_len) != FRAME_OK)
		return;
	check_text(f.text, f.text_len);
	a.len = frame_error_put(a.bytes, sizeof(a.bytes), &f);
	check_again(&a);
	check(frame_error_get(&g, a.bytes, a.len) == FRAME_OK);
	check(g.seq == f.seq && g.code == f.code && g.fatal == f.fatal &&
	      g.text_len == f.text_len && same(g.text, f.text, f.text_len));
}

static void fuzz_sender(void)
{
	struct frame_sender f, g;
	struct again a;

	if (frame_sender_get(&f, frame, frame_len) != FRAME_OK)
		return;
	check_text(f.host, f.host_len);
	a.len = frame_sender_put(a.bytes, sizeof(a.bytes), &f);
	check_again(&a);
	check(frame_sender_get(&g, a.bytes, a.len) == FRAME_OK);
	check(g.sender == f.sender && g.uid == f.uid && g.gid == f.gid && g.pid == f.pid &&
	      g.host_len == f.host_len && same(g.host, f.host, f.host_len));
}

static void fuzz_bye(void)
{
	struct frame_bye f, g;
	struct again a;

	if (frame_bye_get(&f, frame, frame_len) != FRAME_OK)
		return;
	check_text(f.text, f.text_len);
	a.len = frame_bye_put(a.bytes, sizeof(a.bytes), &f);
	check_again(&a);
	check(frame_bye_get(&g, a.bytes, a.len) == FRAME_OK);
	check(g.code == f.code && g.text_len == f.text_len && same(g.text, f.text, f.text_len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	frame = data;
	frame_len = len;
	fuzz_emit();
	fuzz_hello();
	fuzz_welcome();
	fuzz_listen();
	fuzz_ping();
	fuzz_gap();
	fuzz_error();
	fuzz_sender();
	fuzz_bye();
	return 0;
}
