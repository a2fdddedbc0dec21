/*
 * Unit tests of wire/frame: EMIT
 */

#include "libnc/base/endian.h"
#include "libnc/wire/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MAX_PAYLOAD 1000u

/* Gives the decoder memory that ends where the bytes do, so that ASan sees a read beyond. */
static enum frame_result get(struct frame_emit *f, const void *p, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);
	enum frame_result r;

	assert_non_null(exact);
	memcpy(exact, p, n);
	r = frame_emit_get(f, exact, n, MAX_PAYLOAD);
	free(exact);
	return r;
}

/* clang-format off */
static const uint8_t golden[] = {
	0x2A, 0, 0, 0,                      /* 42 bytes */
	3, 0x14, 1, 3,                      /* EMIT, options | text, "A", "log" */
	0x05, 0, 0, 0, 0xDD, 0xCC, 0xBB, 0xAA,
	0x02, 0x01, 0, 0, 0, 0, 0, 0,
	'A', 'l', 'o', 'g',
	10, 0,                              /* options */
	2, 8, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
	'h', 'i',
};
/* clang-format on */

/* What golden[] says. */
static struct frame_emit golden_emit(void)
{
	return (struct frame_emit){.sender = UINT64_C(0xAABBCCDD00000005),
	                           .seq = 0x102,
	                           .channel = "A",
	                           .event = "log",
	                           .options = golden + 30,
	                           .payload_len = 2,
	                           .options_len = 10,
	                           .channel_len = 1,
	                           .event_len = 3,
	                           .flags = FRAME_T_TEXT | FRAME_F_OPTIONS};
}

static void an_emit_frame_is_these_bytes(void **state)
{
	struct frame_emit f = golden_emit();
	uint8_t buf[64];

	(void)state;
	assert_int_equal(frame_emit_head_len(&f), sizeof(golden) - 2);
	assert_int_equal(frame_emit_head_put(buf, sizeof(buf), &f), sizeof(golden) - 2);
	assert_memory_equal(buf, golden, sizeof(golden) - 2);
	assert_int_equal(frame_emit_head_put(buf, sizeof(golden) - 3, &f), 0);
}

static void these_bytes_are_an_emit_frame(void **state)
{
	struct frame_emit f;
	uint64_t id;

	(void)state;
	assert_int_equal(frame_emit_get(&f, golden, sizeof(golden), MAX_PAYLOAD), FRAME_OK);
	assert_true(f.sender == UINT64_C(0xAABBCCDD00000005));
	assert_int_equal(f.seq, 0x102);
	assert_int_equal(f.channel_len, 1);
	assert_memory_equal(f.channel, "A", 1);
	assert_int_equal(f.event_len, 3);
	assert_memory_equal(f.event, "log", 3);
	assert_int_equal(f.flags, FRAME_T_TEXT | FRAME_F_OPTIONS);
	assert_int_equal(f.head_len, sizeof(golden) - 2);
	assert_int_equal(f.payload_len, 2);
	assert_ptr_equal(f.payload, golden + sizeof(golden) - 2);
	assert_int_equal(frame_option_u64(&f, FRAME_O_REQUEST, &id), 1);
	assert_true(id == UINT64_C(0x1122334455667788));
}

static void a_cut_frame_needs_more_until_its_head_is_there(void **state)
{
	struct frame_emit f;

	(void)state;
	for (size_t n = 0; n < sizeof(golden) - 2; n++)
		assert_int_equal(get(&f, golden, n), FRAME_MORE);
	assert_int_equal(frame_emit_get(&f, golden, sizeof(golden) - 2, MAX_PAYLOAD), FRAME_OK);
	assert_null(f.payload);
	assert_int_equal(f.payload_len, 2);
	assert_int_equal(frame_emit_get(&f, golden, sizeof(golden) - 1, MAX_PAYLOAD), FRAME_OK);
	assert_null(f.payload);
}

static void one_wrong_byte_is_named(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum frame_result want;
	} cases[] = {
	        {4, FRAME_HELLO, FRAME_E_BODY},
	        {4, 0, FRAME_E_BODY},
	        {5, 0x94, FRAME_E_FLAGS},   /* the reserved flag */
	        {5, 0x17, FRAME_E_FLAGS},   /* type 7 */
	        {5, 0x10, FRAME_E_PAYLOAD}, /* empty, with two bytes */
	        {5, 0x11, FRAME_E_PAYLOAD}, /* bool */
	        {5, 0x12, FRAME_E_PAYLOAD}, /* int */
	        {5, 0x13, FRAME_E_PAYLOAD}, /* double */
	        {5, 0x54, FRAME_E_PAYLOAD}, /* wrapped, but no JSON */
	        {6, 0, FRAME_E_CHANNEL},
	        {6, 64, FRAME_E_CHANNEL},
	        {7, 0, FRAME_E_EVENT},
	        {24, '.', FRAME_E_CHANNEL},
	        {0, 29, FRAME_E_LENGTH},  /* shorter than head and options length */
	        {0, 39, FRAME_E_OPTIONS}, /* shorter than the options */
	        {2, 1, FRAME_E_LENGTH},   /* longer than any allowed */
	        {3, 0xFF, FRAME_E_LENGTH},
	        {28, 11, FRAME_E_OPTIONS}, /* one byte of an option */
	        {28, 9, FRAME_E_OPTIONS},  /* the option overruns the options */
	        {29, 1, FRAME_E_OPTIONS},  /* the options overrun the frame */
	        {31, 9, FRAME_E_OPTIONS},
	        {31, 7, FRAME_E_OPTIONS},
	        {31, 255, FRAME_E_OPTIONS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[sizeof(golden)];
		struct frame_emit f;
		enum frame_result got;

		memcpy(bytes, golden, sizeof(golden));
		bytes[cases[i].at] = cases[i].value;
		got = get(&f, bytes, sizeof(bytes));
		if (got != cases[i].want)
			print_error("case %zu: %s\n", i, frame_result_str(got));
		assert_int_equal(got, cases[i].want);
	}
}

static void nonsense_is_refused_by_its_first_eight_bytes(void **state)
{
	uint8_t bytes[FRAME_PREFIX_LEN] = {0xFF, 0xFF, 0xFF, 0x7F, FRAME_EMIT, 0, 1, 1};
	struct frame_emit f;

	(void)state;
	assert_int_equal(get(&f, bytes, sizeof(bytes)), FRAME_E_LENGTH);
}

/* Puts a frame with `payload_len` bytes of type `flags` and decodes it under the cap. */
static enum frame_result put_and_get(uint8_t flags, uint32_t payload_len, uint32_t cap)
{
	struct frame_emit f = {.channel = "A",
	                       .channel_len = 1,
	                       .event = "e",
	                       .event_len = 1,
	                       .flags = flags,
	                       .payload_len = payload_len};
	uint8_t buf[64];
	size_t n = frame_emit_head_put(buf, sizeof(buf), &f);

	assert_int_equal(n, frame_emit_head_len(&f));
	return frame_emit_get(&f, buf, n, cap);
}

static void a_payload_reaches_the_cap_and_never_passes_it(void **state)
{
	(void)state;
	assert_int_equal(put_and_get(FRAME_T_BYTES, 0, 10), FRAME_OK);
	assert_int_equal(put_and_get(FRAME_T_BYTES, 10, 10), FRAME_OK);
	assert_int_equal(put_and_get(FRAME_T_BYTES, 11, 10), FRAME_E_LENGTH);
	assert_int_equal(put_and_get(FRAME_T_BYTES | FRAME_F_OPTIONS, 10, 10), FRAME_OK);
	/* within the room that options would have had */
	assert_int_equal(put_and_get(FRAME_T_BYTES | FRAME_F_OPTIONS, 11, 10), FRAME_E_LENGTH);
	assert_int_equal(put_and_get(FRAME_T_BYTES, NC_MESSAGE_MAX, NC_MESSAGE_MAX), FRAME_OK);
	assert_int_equal(put_and_get(FRAME_T_BYTES, UINT32_MAX - 100, UINT32_MAX), FRAME_OK);
}

static void a_payloads_size_fits_its_type(void **state)
{
	static const struct {
		uint8_t flags;
		uint32_t len;
		enum frame_result want;
	} cases[] = {
	        {FRAME_T_EMPTY, 0, FRAME_OK},
	        {FRAME_T_EMPTY, 1, FRAME_E_PAYLOAD},
	        {FRAME_T_BOOL, 1, FRAME_OK},
	        {FRAME_T_BOOL, 0, FRAME_E_PAYLOAD},
	        {FRAME_T_BOOL, 2, FRAME_E_PAYLOAD},
	        {FRAME_T_INT, 8, FRAME_OK},
	        {FRAME_T_INT, 4, FRAME_E_PAYLOAD},
	        {FRAME_T_DOUBLE, 8, FRAME_OK},
	        {FRAME_T_DOUBLE, 9, FRAME_E_PAYLOAD},
	        {FRAME_T_TEXT, 0, FRAME_OK},
	        {FRAME_T_BYTES, 0, FRAME_OK},
	        {FRAME_T_JSON, 1, FRAME_OK},
	        {FRAME_T_JSON, 0, FRAME_E_PAYLOAD},
	        {FRAME_T_JSON | FRAME_F_WRAPPED, 2, FRAME_OK},
	        {FRAME_T_JSON | FRAME_F_WRAPPED, 0, FRAME_E_PAYLOAD},
	        {FRAME_T_EMPTY | FRAME_F_WRAPPED, 0, FRAME_E_PAYLOAD},
	        {FRAME_T_TEXT | FRAME_F_BROADCAST, 3, FRAME_OK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(put_and_get(cases[i].flags, cases[i].len, 100), cases[i].want);
}

static void options_are_found_by_type_and_the_first_counts(void **state)
{
	struct frame_emit f = {0};
	uint8_t options[32], len;
	const uint8_t *v;
	uint64_t id;
	size_t n = 0;

	(void)state;
	assert_null(frame_option_find(&f, FRAME_O_DATA, &len));
	n += frame_option_put(options + n, sizeof(options) - n, (enum frame_option)200, "", 0);
	n += frame_option_put(options + n, sizeof(options) - n, FRAME_O_ERROR, "\x07\x00", 2);
	n += frame_option_put(options + n, sizeof(options) - n, FRAME_O_ERROR, "\x08\x00", 2);
	n += frame_option_put(options + n, sizeof(options) - n, FRAME_O_REPLY, "short", 5);
	f.options = options;
	f.options_len = (uint16_t)n;
	v = frame_option_find(&f, FRAME_O_ERROR, &len);
	assert_non_null(v);
	assert_int_equal(len, 2);
	assert_int_equal(le16_get(v), 7);
	v = frame_option_find(&f, (enum frame_option)200, &len);
	assert_non_null(v);
	assert_int_equal(len, 0);
	assert_int_equal(frame_option_u64(&f, FRAME_O_REPLY, &id), 0);
	assert_int_equal(frame_option_u64(&f, FRAME_O_REQUEST, &id), 0);
	assert_int_equal(frame_option_put(options, 4, FRAME_O_REPLY, "123", 3), 0);
}

static void user_data_is_the_payload_or_the_slice_of_a_packet(void **state)
{
	static const char packet[] = "{\"event\":\"e\",\"data\":[1]}";
	static const struct {
		uint32_t offset;
		uint32_t len;
		enum frame_result want;
		enum frame_type type;
	} cases[] = {
	        {20, 3, FRAME_OK, FRAME_T_JSON},
	        {0, 0, FRAME_OK, FRAME_T_EMPTY},
	        {24, 0, FRAME_OK, FRAME_T_EMPTY},
	        {24, 1, FRAME_E_OPTIONS, FRAME_T_EMPTY},
	        {25, 0, FRAME_E_OPTIONS, FRAME_T_EMPTY},
	        {20, 5, FRAME_E_OPTIONS, FRAME_T_EMPTY},
	        {UINT32_MAX, 2, FRAME_E_OPTIONS, FRAME_T_EMPTY},
	        {1, UINT32_MAX, FRAME_E_OPTIONS, FRAME_T_EMPTY},
	};
	struct frame_emit f = {.payload = (const uint8_t *)packet,
	                       .payload_len = sizeof(packet) - 1,
	                       .flags = FRAME_T_JSON};
	uint8_t options[16], value[8];
	const uint8_t *data;
	enum frame_type type;
	uint32_t len;

	(void)state;
	assert_int_equal(frame_emit_data(&f, &data, &len, &type), FRAME_OK);
	assert_ptr_equal(data, packet);
	assert_int_equal(len, sizeof(packet) - 1);
	assert_int_equal(type, FRAME_T_JSON);

	f.flags |= FRAME_F_WRAPPED;
	assert_int_equal(frame_emit_data(&f, &data, &len, &type), FRAME_OK);
	assert_int_equal(len, 0);
	assert_int_equal(type, FRAME_T_EMPTY);

	f.options = options;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		le32_put(value, cases[i].offset);
		le32_put(value + 4, cases[i].len);
		f.options_len = (uint16_t)frame_option_put(options, sizeof(options), FRAME_O_DATA,
		                                           value, sizeof(value));
		assert_int_equal(frame_emit_data(&f, &data, &len, &type), cases[i].want);
		assert_int_equal(type, cases[i].type);
		assert_int_equal(len, type == FRAME_T_JSON ? cases[i].len : 0);
		if (type == FRAME_T_JSON)
			assert_ptr_equal(data, packet + cases[i].offset);
	}
	f.options_len =
	        (uint16_t)frame_option_put(options, sizeof(options), FRAME_O_DATA, value, 7);
	assert_int_equal(frame_emit_data(&f, &data, &len, &type), FRAME_E_OPTIONS);
}

static void every_result_has_a_text_of_its_own(void **state)
{
	(void)state;
	for (int a = FRAME_OK; a <= FRAME_E_SPACE; a++)
		for (int b = FRAME_OK; b < a; b++)
			assert_string_not_equal(frame_result_str((enum frame_result)a),
			                        frame_result_str((enum frame_result)b));
	assert_non_null(frame_result_str((enum frame_result)99));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_emit_frame_is_these_bytes),
	        cmocka_unit_test(these_bytes_are_an_emit_frame),
	        cmocka_unit_test(a_cut_frame_needs_more_until_its_head_is_there),
	        cmocka_unit_test(one_wrong_byte_is_named),
	        cmocka_unit_test(nonsense_is_refused_by_its_first_eight_bytes),
	        cmocka_unit_test(a_payload_reaches_the_cap_and_never_passes_it),
	        cmocka_unit_test(a_payloads_size_fits_its_type),
	        cmocka_unit_test(options_are_found_by_type_and_the_first_counts),
	        cmocka_unit_test(user_data_is_the_payload_or_the_slice_of_a_packet),
	        cmocka_unit_test(every_result_has_a_text_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
