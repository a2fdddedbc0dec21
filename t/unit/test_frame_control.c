/*
 * Unit tests of wire/frame: everything but EMIT
 *
 * Each frame kind has its bytes written out once, so that encoder and decoder can't agree on a
 * mistake, and both are held against them.
 */

#include "libnc/base/endian.h"
#include "libnc/wire/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* clang-format off */
static const uint8_t hello[] = {
	22, 0, 0, 0, 1, 0, 0, 0,
	1, 0, 2, 0, 3, 0, 0, 0x80, 3, 4, 'n', 'a', 'm', 'e',
};
static const uint8_t welcome[] = {
	55, 0, 0, 0, 2, 0, 0, 0,
	1, 0, 0, 0, 2, 0, 0, 0,
	5, 0, 0, 0, 0xDD, 0xCC, 0xBB, 0xAA,
	0, 0, 0, 1,
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	1, 2, 4, 0, 'A', 'h', '1', 'n', 'c', '/', '1',
};
static const uint8_t listen[] = {13, 0, 0, 0, 4, 0, 0, 5, 'l', 'o', 'g', '.', '>'};
static const uint8_t ping[] = {16, 0, 0, 0, 6, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};
static const uint8_t gap[] = {16, 0, 0, 0, 8, 0, 3, 1, 0xE8, 3, 0, 0, 0, 0, 0, 0};
static const uint8_t error[] = {
	22, 0, 0, 0, 9, 0, 1, 0,
	6, 0, 2, 0, 7, 0, 0, 0, 0, 0, 0, 1, 'n', 'o',
};
static const uint8_t sender[] = {
	30, 0, 0, 0, 10, 0, 0, 2,
	5, 0, 0, 0, 0xDD, 0xCC, 0xBB, 0xAA,
	0xE8, 3, 0, 0, 0xE9, 3, 0, 0, 0x10, 0x27, 0, 0, 'h', '1',
};
static const uint8_t bye[] = {15, 0, 0, 0, 11, 0, 0, 0, 19, 0, 3, 0, 'e', 'n', 'd'};
/* clang-format on */

/* All decoders and encoders behind one face, chosen by the kind. */
union any {
	struct frame_hello hello;
	struct frame_welcome welcome;
	struct frame_listen listen;
	uint64_t token;
	struct frame_gap gap;
	struct frame_error error;
	struct frame_sender sender;
	struct frame_bye bye;
};

static enum frame_result get(union any *f, uint8_t kind, const void *p, size_t n)
{
	switch ((enum frame_kind)kind) {
	case FRAME_HELLO: return frame_hello_get(&f->hello, p, n);
	case FRAME_WELCOME: return frame_welcome_get(&f->welcome, p, n);
	case FRAME_LISTEN: return frame_listen_get(&f->listen, p, n);
	case FRAME_PING: return frame_ping_get(&f->token, p, n);
	case FRAME_GAP: return frame_gap_get(&f->gap, p, n);
	case FRAME_ERROR: return frame_error_get(&f->error, p, n);
	case FRAME_SENDER: return frame_sender_get(&f->sender, p, n);
	case FRAME_BYE: return frame_bye_get(&f->bye, p, n);
	default: abort();
	}
}

static size_t put(void *buf, size_t cap, uint8_t kind, const union any *f)
{
	switch ((enum frame_kind)kind) {
	case FRAME_HELLO: return frame_hello_put(buf, cap, &f->hello);
	case FRAME_WELCOME: return frame_welcome_put(buf, cap, &f->welcome);
	case FRAME_LISTEN: return frame_listen_put(buf, cap, FRAME_LISTEN, &f->listen);
	case FRAME_PING: return frame_ping_put(buf, cap, FRAME_PING, f->token);
	case FRAME_GAP: return frame_gap_put(buf, cap, &f->gap);
	case FRAME_ERROR: return frame_error_put(buf, cap, &f->error);
	case FRAME_SENDER: return frame_sender_put(buf, cap, &f->sender);
	case FRAME_BYE: return frame_bye_put(buf, cap, &f->bye);
	default: abort();
	}
}

#define FRAME(name)                                                                                \
	{                                                                                          \
		name, sizeof(name)                                                                 \
	}

static const struct {
	const uint8_t *bytes;
	size_t len;
} frames[] = {FRAME(hello), FRAME(welcome), FRAME(listen), FRAME(ping),
              FRAME(gap),   FRAME(error),   FRAME(sender), FRAME(bye)};

#define N_FRAMES (sizeof(frames) / sizeof(frames[0]))

/* Decodes the first `n` bytes out of memory that ends with them. */
static enum frame_result get_exact(union any *f, uint8_t kind, const uint8_t *p, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);
	enum frame_result r;

	assert_non_null(exact);
	memcpy(exact, p, n);
	r = get(f, kind, exact, n);
	free(exact);
	return r;
}

static void each_frame_decodes_and_encodes_to_the_same_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_FRAMES; i++) {
		const uint8_t *p = frames[i].bytes;
		uint8_t buf[128];
		union any f;

		assert_int_equal(get(&f, p[4], p, frames[i].len), FRAME_OK);
		assert_int_equal(put(buf, sizeof(buf), p[4], &f), frames[i].len);
		assert_memory_equal(buf, p, frames[i].len);
		assert_int_equal(put(buf, frames[i].len, p[4], &f), frames[i].len);
		assert_int_equal(put(buf, frames[i].len - 1, p[4], &f), 0);
	}
}

static void a_cut_frame_is_refused_whatever_its_length_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_FRAMES; i++) {
		for (size_t n = 0; n < frames[i].len; n++) {
			uint8_t bytes[128];
			union any f;

			memcpy(bytes, frames[i].bytes, frames[i].len);
			assert_int_equal(get_exact(&f, bytes[4], bytes, n), FRAME_E_LENGTH);
			if (n < 4)
				continue;
			le32_put(bytes, (uint32_t)n);
			assert_int_not_equal(get_exact(&f, frames[i].bytes[4], bytes, n), FRAME_OK);
		}
	}
}

static void bytes_behind_the_last_known_part_are_passed_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_FRAMES; i++) {
		size_t len = frames[i].len + 3;
		uint8_t bytes[128] = {0}, buf[128];
		union any f;

		memcpy(bytes, frames[i].bytes, frames[i].len);
		le32_put(bytes, (uint32_t)len);
		assert_int_equal(get(&f, bytes[4], bytes, len), FRAME_OK);
		assert_int_equal(put(buf, sizeof(buf), bytes[4], &f), frames[i].len);
		assert_memory_equal(buf, frames[i].bytes, frames[i].len);
	}
}

static void a_frame_of_another_kind_or_with_a_flag_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_FRAMES; i++) {
		uint8_t bytes[128], kind = frames[i].bytes[4];
		union any f;

		memcpy(bytes, frames[i].bytes, frames[i].len);
		bytes[4] = FRAME_EMIT;
		assert_int_equal(get(&f, kind, bytes, frames[i].len), FRAME_E_BODY);
		bytes[4] = kind;
		bytes[5] = 1;
		assert_int_equal(get(&f, kind, bytes, frames[i].len), FRAME_E_FLAGS);
	}
}

static void one_wrong_byte_is_named(void **state)
{
	static const struct {
		const uint8_t *frame;
		size_t len;
		size_t at;
		uint8_t value;
		enum frame_result want;
	} cases[] = {
	        {hello, sizeof(hello), 8, 0, FRAME_E_BODY},  /* version 0 */
	        {hello, sizeof(hello), 8, 3, FRAME_E_BODY},  /* from 3 to 2 */
	        {hello, sizeof(hello), 16, 5, FRAME_OK},     /* the last policy */
	        {hello, sizeof(hello), 16, 6, FRAME_E_BODY}, /* one more */
	        {hello, sizeof(hello), 17, 5, FRAME_E_BODY}, /* label overruns */
	        {hello, sizeof(hello), 18, 0xC3, FRAME_E_BODY},
	        {hello, sizeof(hello), 1, 1, FRAME_E_LENGTH},
	        {welcome, sizeof(welcome), 44, 0, FRAME_E_CHANNEL},
	        {welcome, sizeof(welcome), 48, '.', FRAME_E_CHANNEL},
	        {welcome, sizeof(welcome), 45, 3, FRAME_E_BODY},
	        {welcome, sizeof(welcome), 46, 5, FRAME_E_BODY},
	        {welcome, sizeof(welcome), 49, 0xFF, FRAME_E_BODY},
	        {welcome, sizeof(welcome), 54, 0x80, FRAME_E_BODY},
	        {listen, sizeof(listen), 7, 0, FRAME_E_BODY},
	        {listen, sizeof(listen), 7, 6, FRAME_E_BODY},
	        {gap, sizeof(gap), 6, 0, FRAME_E_BODY},
	        {gap, sizeof(gap), 6, FRAME_GAP_MAX + 1, FRAME_E_BODY},
	        {gap, sizeof(gap), 7, 2, FRAME_E_BODY},
	        {error, sizeof(error), 6, 2, FRAME_E_BODY},
	        {error, sizeof(error), 10, 3, FRAME_E_BODY},
	        {error, sizeof(error), 11, 4, FRAME_E_BODY},
	        {error, sizeof(error), 21, 0x80, FRAME_E_BODY},
	        {sender, sizeof(sender), 7, 3, FRAME_E_BODY},
	        {sender, sizeof(sender), 28, 0x80, FRAME_E_BODY},
	        {bye, sizeof(bye), 10, 4, FRAME_E_BODY},
	        {bye, sizeof(bye), 12, 0xFE, FRAME_E_BODY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[128];
		enum frame_result got;
		union any f;

		memcpy(bytes, cases[i].frame, cases[i].len);
		bytes[cases[i].at] = cases[i].value;
		got = get_exact(&f, cases[i].frame[4], bytes, cases[i].len);
		if (got != cases[i].want)
			print_error("case %zu: %s\n", i, frame_result_str(got));
		assert_int_equal(got, cases[i].want);
	}
}

static void the_parts_of_a_welcome_are_found(void **state)
{
	struct frame_welcome f;

	(void)state;
	assert_int_equal(frame_welcome_get(&f, welcome, sizeof(welcome)), FRAME_OK);
	assert_int_equal(f.version, 1);
	assert_int_equal(f.features, FRAME_FEAT_SENDER);
	assert_true(f.sender == UINT64_C(0xAABBCCDD00000005));
	assert_int_equal(f.max_payload, 1 << 24);
	assert_int_equal(f.boot[15], 15);
	assert_memory_equal(f.channel, "A", 1);
	assert_memory_equal(f.host, "h1", 2);
	assert_memory_equal(f.server, "nc/1", 4);
	assert_int_equal(f.server_len, 4);
}

static void unlisten_and_pong_are_twins_of_listen_and_ping(void **state)
{
	struct frame_listen f = {.pattern = "a", .pattern_len = 1};
	uint8_t buf[32];
	uint64_t token;

	(void)state;
	assert_int_equal(frame_listen_put(buf, sizeof(buf), FRAME_UNLISTEN, &f), 9);
	assert_int_equal(buf[4], FRAME_UNLISTEN);
	assert_int_equal(frame_listen_get(&f, buf, 9), FRAME_OK);
	assert_int_equal(frame_ping_put(buf, sizeof(buf), FRAME_PONG, 7), 16);
	assert_int_equal(buf[4], FRAME_PONG);
	assert_int_equal(frame_ping_get(&token, buf, 16), FRAME_OK);
	assert_int_equal(token, 7);
}

static void text_reaches_its_limit_and_never_passes_it(void **state)
{
	static char text[NC_TEXT_MAX + 1];
	static uint8_t buf[NC_CONTROL_FRAME_MAX + 1];
	struct frame_bye b = {.text_len = NC_TEXT_MAX, .text = text};
	size_t n;

	(void)state;
	memset(text, 'x', sizeof(text));
	n = frame_bye_put(buf, sizeof(buf), &b);
	assert_int_equal(n, 12 + NC_TEXT_MAX);
	assert_int_equal(frame_bye_get(&b, buf, n), FRAME_OK);
	assert_int_equal(b.text_len, NC_TEXT_MAX);
	le32_put(buf, (uint32_t)n + 1);
	le16_put(buf + 10, NC_TEXT_MAX + 1);
	assert_int_equal(frame_bye_get(&b, buf, n + 1), FRAME_E_BODY);
	le32_put(buf, NC_CONTROL_FRAME_MAX + 1);
	le16_put(buf + 10, 0);
	assert_int_equal(frame_bye_get(&b, buf, NC_CONTROL_FRAME_MAX + 1), FRAME_E_LENGTH);
	le32_put(buf, NC_CONTROL_FRAME_MAX);
	assert_int_equal(frame_bye_get(&b, buf, NC_CONTROL_FRAME_MAX), FRAME_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_frame_decodes_and_encodes_to_the_same_bytes),
	        cmocka_unit_test(a_cut_frame_is_refused_whatever_its_length_says),
	        cmocka_unit_test(bytes_behind_the_last_known_part_are_passed_over),
	        cmocka_unit_test(a_frame_of_another_kind_or_with_a_flag_is_refused),
	        cmocka_unit_test(one_wrong_byte_is_named),
	        cmocka_unit_test(the_parts_of_a_welcome_are_found),
	        cmocka_unit_test(unlisten_and_pong_are_twins_of_listen_and_ping),
	        cmocka_unit_test(text_reaches_its_limit_and_never_passes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
