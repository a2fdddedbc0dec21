/*
 * nc-protocol(7) against the code
 *
 * The page is the specification, so its examples and tables are checked as code is: every hex dump
 * of its EXAMPLES is decoded, compared with what the text beside it says, and encoded again; the
 * numbers of its tables are those of the headers.
 */

#include "libnc/base/endian.h"
#include "libnc/json/packet.h"
#include "libnc/netcluster/nc.h"
#include "libnc/wire/frame.h"
#include "libnc/wire/limits.h"
#include "libnc/wire/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PAGE_MAX  (256u * 1024u)
#define DUMP_MAX  256u
#define DUMP_LINE 16u

/* The dumps of the page, in its order. */
enum dump_index {
	DUMP_HELLO,
	DUMP_WELCOME,
	DUMP_LISTEN,
	DUMP_EMIT_TEXT,
	DUMP_EMIT_INT,
	DUMP_PING,
	DUMP_PONG,
	DUMP_PACKET,
	DUMP_SENDER,
	DUMP_WRAPPED,
	DUMP_GAP,
	DUMP_ERROR,
	DUMP_UNLISTEN,
	DUMP_BYE,
	DUMP_REQUEST,
	N_DUMPS,
};

#define SESSION(n) (UINT64_C(0x5EED1E5500000000) + (n))

static char page[PAGE_MAX];
static struct dump {
	uint8_t bytes[DUMP_MAX];
	size_t len;
} dumps[N_DUMPS + 1];
static size_t n_dumps;

/* Takes one line of a dump: offset, bytes, and the same bytes as text. */
static void take_dump_line(struct dump *d, const char *line)
{
	char text[DUMP_LINE + 3] = "|";
	unsigned offset, byte;
	size_t n = 0;
	int step;

	assert_int_equal(sscanf(line, "%4x%n", &offset, &step), 1);
	assert_int_equal(offset, d->len);
	for (line += step; sscanf(line, " %2x%n", &byte, &step) == 1; line += step) {
		assert_true(n < DUMP_LINE && d->len < DUMP_MAX);
		d->bytes[d->len++] = (uint8_t)byte;
		text[1 + n++] = byte >= ' ' && byte < 0x7F ? (char)byte : '.';
	}
	text[1 + n] = '|';
	assert_string_equal(line + strspn(line, " "), text);
}

static bool is_dump_line(const char *line)
{
	return strspn(line, "0123456789abcdef") == 4 && line[4] == ' ' && line[5] == ' ';
}

static int read_page(void **state)
{
	const char *top = getenv("TOP_SRCDIR");
	bool in_examples = false, in_dump = false;
	char path[4096];
	FILE *file;
	size_t len;

	(void)state;
	snprintf(path, sizeof(path), "%s/man/nc-protocol.7", top ? top : ".");
	file = fopen(path, "r");
	if (!file) {
		fprintf(stderr, "%s: not found; set TOP_SRCDIR\n", path);
		return -1;
	}
	len = fread(page, 1, sizeof(page) - 1, file);
	fclose(file);
	page[len] = '\0';

	char *copy = strdup(page), *rest = copy;
	for (char *line; (line = strsep(&rest, "\n"));) {
		if (strncmp(line, ".Sh ", 4) == 0)
			in_examples = strcmp(line, ".Sh EXAMPLES") == 0;
		if (!in_examples || !is_dump_line(line)) {
			in_dump = false;
			continue;
		}
		if (!in_dump && n_dumps <= N_DUMPS)
			n_dumps++;
		in_dump = true;
		take_dump_line(&dumps[n_dumps - 1], line);
	}
	free(copy);
	return 0;
}

static void the_page_holds_the_dumps_that_are_checked_here(void **state)
{
	(void)state;
	assert_int_equal(n_dumps, N_DUMPS);
}

#define assert_text(field, s)                                                                      \
	do {                                                                                       \
		assert_int_equal(field##_len, strlen(s));                                          \
		assert_memory_equal(field, s, strlen(s));                                          \
	} while (0)

/* What was decoded encodes to the same bytes. */
#define assert_encodes(d, skip, put)                                                               \
	do {                                                                                       \
		uint8_t out[DUMP_MAX];                                                             \
		assert_int_equal(put, (d)->len - (skip));                                          \
		assert_memory_equal(out, (d)->bytes + (skip), (d)->len - (skip));                  \
	} while (0)

static void the_client_opens_with_preface_and_hello(void **state)
{
	const struct dump *d = &dumps[DUMP_HELLO];
	struct frame_hello f;

	(void)state;
	assert_memory_equal(d->bytes, FRAME_PREFACE, FRAME_PREFACE_LEN);
	assert_int_equal(
	        frame_hello_get(&f, d->bytes + FRAME_PREFACE_LEN, d->len - FRAME_PREFACE_LEN),
	        FRAME_OK);
	assert_int_equal(f.version_min, FRAME_VERSION_MIN);
	assert_int_equal(f.version_max, FRAME_VERSION_MAX);
	assert_int_equal(f.features, FRAME_FEAT_SENDER);
	assert_int_equal(f.policy, 0);
	assert_text(f.label, "demo");
	assert_encodes(d, FRAME_PREFACE_LEN, frame_hello_put(out, sizeof(out), &f));
}

static void the_server_welcomes_session_7(void **state)
{
	const struct dump *d = &dumps[DUMP_WELCOME];
	struct frame_welcome f;

	(void)state;
	assert_int_equal(frame_welcome_get(&f, d->bytes, d->len), FRAME_OK);
	assert_int_equal(f.version, 1);
	assert_int_equal(f.features, FRAME_FEAT_SENDER);
	assert_int_equal(f.sender, SESSION(7));
	assert_int_equal(f.max_payload, NC_MESSAGE_DEFAULT);
	assert_text(f.channel, "A");
	assert_text(f.host, "alpha");
	assert_text(f.server, "ncserver 0.1.0");
	assert_encodes(d, 0, frame_welcome_put(out, sizeof(out), &f));
}

static void listen_and_unlisten_name_log(void **state)
{
	static const enum frame_kind kinds[] = {FRAME_LISTEN, FRAME_UNLISTEN};
	static const enum dump_index where[] = {DUMP_LISTEN, DUMP_UNLISTEN};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct dump *d = &dumps[where[i]];
		struct frame_listen f;

		assert_int_equal(d->bytes[4], kinds[i]);
		assert_int_equal(frame_listen_get(&f, d->bytes, d->len), FRAME_OK);
		assert_text(f.pattern, "log.>");
		assert_int_equal(name_check_pattern(f.pattern, f.pattern_len), NAME_OK);
		assert_encodes(d, 0, frame_listen_put(out, sizeof(out), kinds[i], &f));
	}
}

/* Decodes an EMIT whole, checks its names, and that the head encodes to the same bytes. */
static struct frame_emit get_emit(enum dump_index i, const char *channel, const char *event,
                                  unsigned session, unsigned seq)
{
	const struct dump *d = &dumps[i];
	struct frame_emit f;
	uint8_t head[DUMP_MAX];

	assert_int_equal(frame_emit_get(&f, d->bytes, d->len, NC_MESSAGE_DEFAULT), FRAME_OK);
	assert_int_equal(f.head_len + f.payload_len, d->len);
	assert_text(f.channel, channel);
	assert_text(f.event, event);
	assert_int_equal(name_check_event(f.event, f.event_len), NAME_OK);
	assert_int_equal(f.sender, SESSION(session));
	assert_int_equal(f.seq, seq);
	assert_int_equal(frame_emit_head_put(head, sizeof(head), &f), f.head_len);
	assert_memory_equal(head, d->bytes, f.head_len);
	return f;
}

static void the_client_emits_a_text_and_an_integer(void **state)
{
	struct frame_emit f = get_emit(DUMP_EMIT_TEXT, "A", "log.hello", 7, 1);

	(void)state;
	assert_int_equal(f.flags, FRAME_T_TEXT);
	assert_int_equal(f.payload_len, 2);
	assert_memory_equal(f.payload, "hi", 2);

	f = get_emit(DUMP_EMIT_INT, "A", "log.level", 7, 2);
	assert_int_equal(f.flags, FRAME_T_INT);
	assert_int_equal((int64_t)le64_get(f.payload), -2);
}

static void ping_and_pong_bear_token_1(void **state)
{
	static const enum frame_kind kinds[] = {FRAME_PING, FRAME_PONG};
	static const enum dump_index where[] = {DUMP_PING, DUMP_PONG};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct dump *d = &dumps[where[i]];
		uint64_t token;

		assert_int_equal(d->bytes[4], kinds[i]);
		assert_int_equal(frame_ping_get(&token, d->bytes, d->len), FRAME_OK);
		assert_int_equal(token, 1);
		assert_encodes(d, 0, frame_ping_put(out, sizeof(out), kinds[i], token));
	}
}

static void a_packet_travels_whole_and_data_is_a_slice_of_it(void **state)
{
	static const char data[] = "{\"up\":true}";
	const struct dump *packet = &dumps[DUMP_PACKET];
	struct frame_emit f = get_emit(DUMP_WRAPPED, "A", "log.web", 8, 1);
	const uint8_t *slice, *option;
	uint8_t option_len;
	uint32_t len;
	enum frame_type type;

	(void)state;
	assert_int_equal(f.flags, FRAME_T_JSON | FRAME_F_WRAPPED | FRAME_F_OPTIONS);
	assert_int_equal(packet->bytes[packet->len - 1], '\0');
	assert_int_equal(f.payload_len, packet->len - 1);
	assert_memory_equal(f.payload, packet->bytes, f.payload_len);
	option = frame_option_find(&f, FRAME_O_DATA, &option_len);
	assert_non_null(option);
	assert_int_equal(le32_get(option), 26);
	assert_int_equal(frame_emit_data(&f, &slice, &len, &type), FRAME_OK);
	assert_int_equal(type, FRAME_T_JSON);
	assert_int_equal(len, strlen(data));
	assert_memory_equal(slice, data, len);
}

static void a_packet_reader_finds_the_same_slice(void **state)
{
	const struct dump *d = &dumps[DUMP_PACKET];
	struct packet_reader *r = packet_reader_new();
	struct packet pk;

	(void)state;
	assert_non_null(r);
	assert_int_equal(packet_read(r, (const char *)d->bytes, d->len - 1, &pk), PACKET_OK);
	assert_text(pk.event, "log.web");
	assert_int_equal(pk.data_off, 26);
	assert_int_equal(pk.data_len, 11);
	assert_false(pk.has_nc);
	packet_reader_free(r);
}

static void packets_in_the_text_are_packets(void **state)
{
	struct packet_reader *r = packet_reader_new();
	size_t n = 0, n_ids = 0;

	(void)state;
	assert_non_null(r);
	for (const char *p = page; (p = strstr(p, "\n{\"event\":")); n++) {
		struct packet pk;
		size_t len = strcspn(++p, "\n");

		assert_int_equal(packet_read(r, p, len, &pk), PACKET_OK);
		n_ids += pk.nc_has_id;
	}
	/* three of nc.listen, one of nc.policy, and a question with an id */
	assert_int_equal(n, 5);
	assert_int_equal(n_ids, 1);
	packet_reader_free(r);
}

static void the_receiver_is_told_who_sends(void **state)
{
	const struct dump *d = &dumps[DUMP_SENDER];
	struct frame_sender f;

	(void)state;
	assert_int_equal(frame_sender_get(&f, d->bytes, d->len), FRAME_OK);
	assert_int_equal(f.sender, SESSION(8));
	assert_int_equal(f.uid, 1000);
	assert_int_equal(f.gid, 1000);
	assert_int_equal(f.pid, 4242);
	assert_text(f.host, "alpha");
	assert_encodes(d, 0, frame_sender_put(out, sizeof(out), &f));
}

static void the_gap_says_exactly_12_by_drop_oldest(void **state)
{
	const struct dump *d = &dumps[DUMP_GAP];
	struct frame_gap f;

	(void)state;
	assert_int_equal(frame_gap_get(&f, d->bytes, d->len), FRAME_OK);
	assert_int_equal(f.count, 12);
	assert_int_equal(f.reason, FRAME_GAP_DROP_OLDEST);
	assert_int_equal(f.exact, 1);
	assert_encodes(d, 0, frame_gap_put(out, sizeof(out), &f));
}

static void the_error_is_about_sequence_4_and_not_fatal(void **state)
{
	const struct dump *d = &dumps[DUMP_ERROR];
	struct frame_error f;

	(void)state;
	assert_int_equal(frame_error_get(&f, d->bytes, d->len), FRAME_OK);
	assert_int_equal(f.code, NC_ERESERVED);
	assert_int_equal(f.seq, 4);
	assert_int_equal(f.fatal, 0);
	assert_int_equal(f.text_len, d->len - 20);
	assert_encodes(d, 0, frame_error_put(out, sizeof(out), &f));
}

static void bye_says_that_the_server_stops(void **state)
{
	const struct dump *d = &dumps[DUMP_BYE];
	struct frame_bye f;

	(void)state;
	assert_int_equal(frame_bye_get(&f, d->bytes, d->len), FRAME_OK);
	assert_int_equal(f.code, NC_ESHUTDOWN);
	assert_encodes(d, 0, frame_bye_put(out, sizeof(out), &f));
}

static void the_request_has_id_7(void **state)
{
	struct frame_emit f = get_emit(DUMP_REQUEST, "control", "nc-control-stats", 9, 1);
	uint64_t id;

	(void)state;
	assert_int_equal(frame_option_u64(&f, FRAME_O_REQUEST, &id), 1);
	assert_int_equal(id, 7);
	assert_true(name_event_is_reserved(f.event, f.event_len));
}

/* Whether the page holds this line. */
static bool page_has(const char *line)
{
	const char *p = strstr(page, line);

	return p && p > page && p[-1] == '\n';
}

#define ROW(name)                                                                                  \
	{                                                                                          \
		name, #name                                                                        \
	}

static void the_table_of_errors_has_the_numbers_of_nc_h(void **state)
{
	static const struct {
		int number;
		const char *name;
	} codes[] = {ROW(NC_AGAIN),     ROW(NC_ENOMEM),  ROW(NC_EINVAL),    ROW(NC_ENAME),
	             ROW(NC_ERESERVED), ROW(NC_ETOOBIG), ROW(NC_ESTATE),    ROW(NC_ENOENT),
	             ROW(NC_ENOSERVER), ROW(NC_EDENIED), ROW(NC_EPROTO),    ROW(NC_EVERSION),
	             ROW(NC_ETIMEOUT),  ROW(NC_ECLOSED), ROW(NC_EQUOTA),    ROW(NC_ESLOW),
	             ROW(NC_EJSON),     ROW(NC_EDEPTH),  ROW(NC_ESHUTDOWN), ROW(NC_ENOBODY),
	             ROW(NC_EREMOTE),   ROW(NC_ESYS)};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		char wire[64], own[64];

		assert_int_equal(codes[i].number, i + 1);
		snprintf(wire, sizeof(wire), ".It %zu Ta Dv %s Ta ", i + 1, codes[i].name);
		snprintf(own, sizeof(own), ".It %zu* Ta Dv %s Ta ", i + 1, codes[i].name);
		if (!page_has(wire) && !page_has(own))
			fail_msg("the page has no row %s", wire);
	}
}

static void the_table_of_kinds_has_the_numbers_of_frame_h(void **state)
{
	static const struct {
		int number;
		const char *name;
	} kinds[] = {ROW(FRAME_HELLO),    ROW(FRAME_WELCOME), ROW(FRAME_EMIT), ROW(FRAME_LISTEN),
	             ROW(FRAME_UNLISTEN), ROW(FRAME_PING),    ROW(FRAME_PONG), ROW(FRAME_GAP),
	             ROW(FRAME_ERROR),    ROW(FRAME_SENDER),  ROW(FRAME_BYE),  ROW(FRAME_ENVELOPE),
	             ROW(FRAME_ACK)};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char row[64];

		snprintf(row, sizeof(row), ".It %d Ta %s Ta ", kinds[i].number,
		         kinds[i].name + strlen("FRAME_"));
		if (!page_has(row))
			fail_msg("the page has no row %s", row);
	}
}

static void the_table_of_limits_has_the_numbers_of_limits_h(void **state)
{
	char row[128];

	(void)state;
#define HAS_LIMIT(...)                                                                             \
	do {                                                                                       \
		snprintf(row, sizeof(row), __VA_ARGS__);                                           \
		if (!page_has(row))                                                                \
			fail_msg("the page has no row %s", row);                                   \
	} while (0)
	HAS_LIMIT(".It channel name Ta %u bytes\n", NC_CHANNEL_MAX);
	HAS_LIMIT(".It event name, pattern Ta %u bytes\n", NC_EVENT_MAX);
	HAS_LIMIT(".It tokens in one of them Ta %u\n", NC_TOKENS_MAX);
	HAS_LIMIT(".It payload of one message Ta %u MiB\n", NC_MESSAGE_MAX >> 20);
	HAS_LIMIT(".It options of one EMIT Ta %u bytes\n", NC_OPTIONS_MAX);
	HAS_LIMIT(".It frame other than EMIT Ta %u bytes\n", NC_CONTROL_FRAME_MAX);
	HAS_LIMIT(".It text of ERROR and BYE Ta %u bytes\n", NC_TEXT_MAX);
	HAS_LIMIT(".It nesting of JSON Ta %u\n", NC_JSON_DEPTH_MAX);
	HAS_LIMIT(".It slots of the table of senders Ta %u\n", NC_SENDER_SLOTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_page_holds_the_dumps_that_are_checked_here),
	        cmocka_unit_test(the_client_opens_with_preface_and_hello),
	        cmocka_unit_test(the_server_welcomes_session_7),
	        cmocka_unit_test(listen_and_unlisten_name_log),
	        cmocka_unit_test(the_client_emits_a_text_and_an_integer),
	        cmocka_unit_test(ping_and_pong_bear_token_1),
	        cmocka_unit_test(a_packet_travels_whole_and_data_is_a_slice_of_it),
	        cmocka_unit_test(a_packet_reader_finds_the_same_slice),
	        cmocka_unit_test(packets_in_the_text_are_packets),
	        cmocka_unit_test(the_receiver_is_told_who_sends),
	        cmocka_unit_test(the_gap_says_exactly_12_by_drop_oldest),
	        cmocka_unit_test(the_error_is_about_sequence_4_and_not_fatal),
	        cmocka_unit_test(bye_says_that_the_server_stops),
	        cmocka_unit_test(the_request_has_id_7),
	        cmocka_unit_test(the_table_of_errors_has_the_numbers_of_nc_h),
	        cmocka_unit_test(the_table_of_kinds_has_the_numbers_of_frame_h),
	        cmocka_unit_test(the_table_of_limits_has_the_numbers_of_limits_h),
	};

	return cmocka_run_group_tests_name("nc-protocol(7)", tests, read_page, NULL);
}
