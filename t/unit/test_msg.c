/*
 * Unit tests of client/msg and client/json
 */

#include "libnc/client/msg.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "libnc/client/json.h"
#include "t/unit/nomem.h"

/* A message in memory of its own, as it stands in a read buffer. */
struct sample {
	uint8_t bytes[2048];
	struct frame_emit frame;
	struct sender_table senders;
	struct msg_source source;
	nc_msg msg;
};

static void sample_init(struct sample *s, const struct frame_emit *f, const void *payload)
{
	size_t n = frame_emit_head_put(s->bytes, sizeof(s->bytes), f);

	assert_true(n > 0 && n + f->payload_len <= sizeof(s->bytes));
	if (f->payload_len)
		memcpy(s->bytes + n, payload, f->payload_len);
	assert_int_equal(frame_emit_get(&s->frame, s->bytes, n + f->payload_len, 4096), FRAME_OK);
	sender_init(&s->senders);
	s->source = (struct msg_source){.senders = &s->senders,
	                                .self = {.id = UINT64_C(0x1000000001), .host = "here"}};
	assert_int_equal(msg_init(&s->msg, &s->frame, &s->source), FRAME_OK);
}

static void sample_make(struct sample *s, enum frame_type type, const void *payload, size_t len)
{
	struct frame_emit f = {.sender = UINT64_C(0x1000000002),
	                       .seq = 9,
	                       .channel = "chan",
	                       .channel_len = 4,
	                       .event = "some.event",
	                       .event_len = 10,
	                       .flags = (uint8_t)type,
	                       .payload_len = (uint32_t)len};

	sample_init(s, &f, payload);
}

static void sample_free(struct sample *s)
{
	msg_fini(&s->msg);
	sender_fini(&s->senders);
}

static void names_and_text_are_terminated(void **state)
{
	struct sample s;

	(void)state;
	sample_make(&s, FRAME_T_TEXT, "hello", 5);
	assert_string_equal(nc_msg_event(&s.msg), "some.event");
	assert_string_equal(nc_msg_channel(&s.msg), "chan");
	assert_string_equal(nc_msg_text(&s.msg), "hello");
	assert_ptr_equal(nc_msg_text(&s.msg), nc_msg_text(&s.msg));
	assert_int_equal(nc_msg_type(&s.msg), NC_TEXT);
	assert_int_equal(nc_msg_len(&s.msg), 5);
	assert_int_equal(nc_msg_broadcast(&s.msg), 0);
	assert_null(nc_msg_packet(&s.msg, NULL));
	sample_free(&s);
}

static void an_empty_message_has_no_data_and_an_empty_text(void **state)
{
	struct sample s;
	int64_t i;
	double d;
	int b;

	(void)state;
	sample_make(&s, FRAME_T_EMPTY, NULL, 0);
	assert_null(nc_msg_data(&s.msg));
	assert_int_equal(nc_msg_len(&s.msg), 0);
	assert_string_equal(nc_msg_text(&s.msg), "");
	assert_int_equal(nc_msg_bool(&s.msg, &b), NC_EINVAL);
	assert_int_equal(nc_msg_int(&s.msg, &i), NC_EINVAL);
	assert_int_equal(nc_msg_double(&s.msg, &d), NC_EINVAL);
	sample_free(&s);
}

static void values_come_back_as_they_were_sent(void **state)
{
	struct sample s;
	uint8_t bytes[8];
	int64_t i;
	double d;
	int b;

	(void)state;
	sample_make(&s, FRAME_T_BOOL, "\1", 1);
	assert_int_equal(nc_msg_bool(&s.msg, &b), NC_OK);
	assert_int_equal(b, 1);
	assert_int_equal(nc_msg_int(&s.msg, &i), NC_EINVAL);
	sample_free(&s);
	le64_put(bytes, (uint64_t)INT64_MIN);
	sample_make(&s, FRAME_T_INT, bytes, 8);
	assert_int_equal(nc_msg_int(&s.msg, &i), NC_OK);
	assert_true(i == INT64_MIN);
	assert_int_equal(nc_msg_double(&s.msg, &d), NC_EINVAL);
	sample_free(&s);
	le64_put_double(bytes, -0.1);
	sample_make(&s, FRAME_T_DOUBLE, bytes, 8);
	assert_int_equal(nc_msg_double(&s.msg, &d), NC_OK);
	assert_true(d == -0.1);
	assert_int_equal(nc_msg_bool(&s.msg, &b), NC_EINVAL);
	sample_free(&s);
}

#define PACKET "{\"event\":\"e\",\"data\":-7,\"x\":1}"

static void sample_wrapped(struct sample *s, uint32_t offset, uint32_t len, bool with_slice)
{
	uint8_t options[16], value[8];
	struct frame_emit f = {.channel = "c",
	                       .channel_len = 1,
	                       .event = "e",
	                       .event_len = 1,
	                       .flags = FRAME_T_JSON | FRAME_F_WRAPPED | FRAME_F_BROADCAST,
	                       .options = options,
	                       .payload_len = sizeof(PACKET) - 1};

	le32_put(value, offset);
	le32_put(value + 4, len);
	if (with_slice)
		f.options_len = (uint16_t)frame_option_put(options, sizeof(options), FRAME_O_DATA,
		                                           value, 8);
	sample_init(s, &f, PACKET);
}

static void a_json_clients_packet_shows_its_data(void **state)
{
	struct sample s;
	const char *packet;
	size_t len;
	int64_t i;
	double d;

	(void)state;
	sample_wrapped(&s, 20, 2, true);
	assert_int_equal(nc_msg_type(&s.msg), NC_JSON);
	assert_string_equal(nc_msg_text(&s.msg), "-7");
	assert_int_equal(nc_msg_int(&s.msg, &i), NC_OK);
	assert_int_equal(i, -7);
	assert_int_equal(nc_msg_double(&s.msg, &d), NC_OK);
	assert_true(d == -7);
	packet = nc_msg_packet(&s.msg, &len);
	assert_int_equal(len, sizeof(PACKET) - 1);
	assert_memory_equal(packet, PACKET, len);
	assert_true(nc_msg_broadcast(&s.msg));
	sample_free(&s);
	sample_wrapped(&s, 0, 0, false);
	assert_int_equal(nc_msg_type(&s.msg), NC_EMPTY);
	assert_null(nc_msg_data(&s.msg));
	assert_non_null(nc_msg_packet(&s.msg, &len));
	sample_free(&s);
}

static void a_slice_outside_of_the_packet_is_refused(void **state)
{
	struct sample s;
	nc_msg m;

	(void)state;
	sample_wrapped(&s, 20, 2, true);
	le32_put((uint8_t *)(uintptr_t)s.frame.options + 6, sizeof(PACKET));
	assert_int_equal(msg_init(&m, &s.frame, &s.source), FRAME_E_OPTIONS);
	sample_free(&s);
}

static void know(struct sample *s, uint64_t id, uint32_t uid, const char *host)
{
	struct frame_sender f = {.sender = id,
	                         .uid = uid,
	                         .gid = 20,
	                         .pid = 30,
	                         .host = host,
	                         .host_len = (uint8_t)strlen(host)};

	assert_int_equal(sender_put(&s->senders, &f), 0);
}

static void who_sent_it_is_what_the_server_told(void **state)
{
	struct nc_sender from;
	struct sample s;

	(void)state;
	sample_make(&s, FRAME_T_EMPTY, NULL, 0);
	nc_msg_sender(&s.msg, &from);
	assert_true(from.id == UINT64_C(0x1000000002) && from.seq == 9);
	assert_false(from.has_cred);
	/* not told, but of this host by its tag */
	assert_string_equal(from.host, "here");
	know(&s, UINT64_C(0x1000000002) + NC_SENDER_SLOTS, 1, "other");
	nc_msg_sender(&s.msg, &from);
	assert_false(from.has_cred);
	know(&s, UINT64_C(0x1000000002), 10, "here");
	nc_msg_sender(&s.msg, &from);
	assert_true(from.has_cred);
	assert_int_equal(from.uid, 10);
	assert_int_equal(from.gid, 20);
	assert_int_equal(from.pid, 30);
	sample_free(&s);
}

static void nobody_of_another_host_has_credentials(void **state)
{
	struct nc_sender from;
	struct sample s;

	(void)state;
	sample_make(&s, FRAME_T_EMPTY, NULL, 0);
	s.source.self.id = UINT64_C(0x2000000001);
	nc_msg_sender(&s.msg, &from);
	assert_string_equal(from.host, "");
	know(&s, UINT64_C(0x1000000002), 10, "there");
	nc_msg_sender(&s.msg, &from);
	assert_false(from.has_cred);
	assert_string_equal(from.host, "there");
	sample_free(&s);
}

static void ones_own_are_known_without_being_told(void **state)
{
	struct nc_sender from;
	struct sample s;

	(void)state;
	sample_make(&s, FRAME_T_EMPTY, NULL, 0);
	s.msg.local = true;
	s.source.self.has_cred = 1;
	s.source.self.pid = 42;
	nc_msg_sender(&s.msg, &from);
	assert_true(from.has_cred);
	assert_int_equal(from.pid, 42);
	assert_int_equal(from.seq, 9);
	sample_free(&s);
}

static void a_copy_outlives_all(void **state)
{
	struct nc_sender from;
	struct sample s;
	nc_msg *copy, *again;

	(void)state;
	sample_wrapped(&s, 20, 2, true);
	know(&s, UINT64_C(0x1000000007), 10, "here");
	s.frame.sender = UINT64_C(0x1000000007);
	copy = nc_msg_dup(&s.msg);
	sample_free(&s);
	memset(&s, 0xEE, sizeof(s));
	assert_non_null(copy);
	again = nc_msg_dup(copy);
	nc_msg_free(copy);
	assert_string_equal(nc_msg_event(again), "e");
	assert_string_equal(nc_msg_channel(again), "c");
	assert_string_equal(nc_msg_text(again), "-7");
	assert_true(nc_msg_broadcast(again));
	nc_msg_sender(again, &from);
	assert_string_equal(from.host, "here");
	assert_int_equal(from.uid, 10);
	assert_non_null(nc_msg_packet(again, NULL));
	nc_msg_free(again);
	nc_msg_free(NULL);
}

static void without_memory_there_is_no_text_and_no_copy(void **state)
{
	struct sample s;

	(void)state;
	sample_make(&s, FRAME_T_TEXT, "hello", 5);
	nomem_after(0);
	assert_null(nc_msg_text(&s.msg));
	assert_null(nc_msg_dup(&s.msg));
	nomem_off();
	assert_string_equal(nc_msg_text(&s.msg), "hello");
	sample_free(&s);
}

/* ---- json */

struct number_row {
	const char *text;
	bool is_int;
	int64_t i;
	bool is_double;
	double d;
};

static const struct number_row numbers[] = {
        {"0", true, 0, true, 0},
        {"-0", true, 0, true, 0},
        {" \t\r\n12 ", true, 12, true, 12},
        {"9223372036854775807", true, INT64_MAX, true, 9223372036854775807.0},
        {"-9223372036854775808", true, INT64_MIN, true, -9223372036854775808.0},
        {"9223372036854775808", false, 0, true, 9223372036854775808.0},
        {"-9223372036854775809", false, 0, true, -9223372036854775809.0},
        {"1.0", true, 1, true, 1},
        {"1e3", true, 1000, true, 1000},
        {"1E+3", true, 1000, true, 1000},
        {"25e-1", false, 0, true, 2.5},
        {"0.1", false, 0, true, 0.1},
        {"9007199254740993.0", true, 9007199254740992, true, 9007199254740992.0},
        {"1e300", false, 0, true, 1e300},
        {"1e400", false, 0, false, 0},
        {"", false, 0, false, 0},
        {" ", false, 0, false, 0},
        {"-", false, 0, false, 0},
        {"+1", false, 0, false, 0},
        {"01", false, 0, false, 0},
        {"1.", false, 0, false, 0},
        {".5", false, 0, false, 0},
        {"1e", false, 0, false, 0},
        {"1e+", false, 0, false, 0},
        {"1 2", false, 0, false, 0},
        {"0x10", false, 0, false, 0},
        {"inf", false, 0, false, 0},
        {"NaN", false, 0, false, 0},
        {"\"1\"", false, 0, false, 0},
        {"[1]", false, 0, false, 0},
        {"null", false, 0, false, 0},
        {"true", false, 0, false, 0},
};

static void check_numbers(void)
{
	for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
		const struct number_row *row = &numbers[k];
		size_t len = strlen(row->text);
		int64_t i = 0;
		double d = 0;

		assert_int_equal(json_get_int(row->text, len, &i),
		                 row->is_int ? JSON_OK : JSON_OTHER);
		assert_int_equal(json_get_double(row->text, len, &d),
		                 row->is_double ? JSON_OK : JSON_OTHER);
		assert_true(i == row->i);
		assert_true(d == row->d);
	}
}

static void json_numbers_are_read_as_rfc_8259_says(void **state)
{
	(void)state;
	check_numbers();
}

static void the_decimal_point_does_not_depend_on_the_locale(void **state)
{
	(void)state;
	if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8")) {
		print_message("# no locale with a decimal comma is installed\n");
		skip();
	}
	check_numbers();
	setlocale(LC_ALL, "C");
}

static void a_number_of_absurd_length_is_none(void **state)
{
	char text[JSON_NUMBER_MAX + 2];
	double d;

	(void)state;
	memset(text, '0', sizeof(text));
	text[1] = '.';
	assert_int_equal(json_get_double(text, JSON_NUMBER_MAX, &d), JSON_OK);
	assert_int_equal(json_get_double(text, JSON_NUMBER_MAX + 1, &d), JSON_OTHER);
}

static void json_truth_is_two_words(void **state)
{
	int b = 7;

	(void)state;
	assert_int_equal(json_get_bool(" true\n", 6, &b), JSON_OK);
	assert_int_equal(b, 1);
	assert_int_equal(json_get_bool("false", 5, &b), JSON_OK);
	assert_int_equal(b, 0);
	assert_int_equal(json_get_bool("True", 4, &b), JSON_OTHER);
	assert_int_equal(json_get_bool("1", 1, &b), JSON_OTHER);
	assert_int_equal(json_get_bool("truefalse", 9, &b), JSON_OTHER);
	assert_int_equal(json_get_bool("", 0, &b), JSON_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(names_and_text_are_terminated),
	        cmocka_unit_test(an_empty_message_has_no_data_and_an_empty_text),
	        cmocka_unit_test(values_come_back_as_they_were_sent),
	        cmocka_unit_test(a_json_clients_packet_shows_its_data),
	        cmocka_unit_test(a_slice_outside_of_the_packet_is_refused),
	        cmocka_unit_test(who_sent_it_is_what_the_server_told),
	        cmocka_unit_test(nobody_of_another_host_has_credentials),
	        cmocka_unit_test(ones_own_are_known_without_being_told),
	        cmocka_unit_test(a_copy_outlives_all),
	        cmocka_unit_test(without_memory_there_is_no_text_and_no_copy),
	        cmocka_unit_test(json_numbers_are_read_as_rfc_8259_says),
	        cmocka_unit_test(the_decimal_point_does_not_depend_on_the_locale),
	        cmocka_unit_test(a_number_of_absurd_length_is_none),
	        cmocka_unit_test(json_truth_is_two_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
