/*
 * Unit tests of io/log, io/sink and io/console
 */

#include "ncserver/io/console.h"
#include "ncserver/io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* What was written to the reading end of a pipe so far. */
static const char *drain(int fd)
{
	static char text[1 << 20];
	size_t len = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	return text;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* A line without its time. */
static const char *after_time(const char *line)
{
	const char *at = strchr(line, ' ');

	assert_true(strncmp(line, "ts=", 3) == 0);
	assert_non_null(at);
	return at + 1;
}

static void a_line_has_time_level_message_and_fields(void **state)
{
	const char *text;
	struct log l;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	log_init(&l, p[1], LOG_LEVEL_INFO, NULL);
	log_warning(&l, "client refused", log_str("channel", "A"), log_int("uid", -1),
	            log_uint("n", UINT64_MAX), log_err(-ENOENT));
	text = drain(p[0]);
	/* ts=2026-11-21T09:00:00.000Z */
	assert_int_equal(strcspn(text, " "), 27);
	assert_int_equal(text[26], 'Z');
	assert_string_equal(after_time(text),
	                    "level=warning msg=\"client refused\" channel=A uid=-1 "
	                    "n=18446744073709551615 error=\"No such file or directory\"\n");
	log_fini(&l);
	close(p[0]);
	close(p[1]);
}

static void hostile_values_stay_in_their_line(void **state)
{
	static const struct {
		const char *value;
		const char *shown;
	} cases[] = {
	        {"plain-1/2.sock", "v=plain-1/2.sock"},
	        {"", "v=\"\""},
	        {"a b", "v=\"a b\""},
	        {"a=b", "v=\"a=b\""},
	        {"say \"x\"\\", "v=\"say \\\"x\\\"\\\\\""},
	        {"a\nlevel=error msg=fake", "v=\"a\\nlevel=error msg=fake\""},
	        {"\x1b[2J\r\t", "v=\"\\x1b[2J\\x0d\\x09\""},
	        {"gr\xc3\xbc\xc3\x9f", "v=\"gr\xc3\xbc\xc3\x9f\""},
	        {"\xff\xc3", "v=\"\\xff\\xc3\""},
	        {"\xc2\x9b", "v=\"\\xc2\\x9b\""}, /* a C1 control: CSI */
	        {NULL, "v=\"\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char want[256];
		struct log l;
		int p[2];

		assert_int_equal(pipe(p), 0);
		log_init(&l, p[1], LOG_LEVEL_INFO, NULL);
		log_info(&l, "x", log_str("v", cases[i].value));
		snprintf(want, sizeof(want), "level=info msg=x %s\n", cases[i].shown);
		assert_string_equal(after_time(drain(p[0])), want);
		log_fini(&l);
		close(p[0]);
		close(p[1]);
	}
}

static void a_long_value_is_cut_and_the_line_ends(void **state)
{
	char *value = malloc(100000);
	const char *kinds[] = {"x", "x y", "\n"};

	(void)state;
	assert_non_null(value);
	for (size_t k = 0; k < 3; k++) {
		struct log l;
		const char *text;
		size_t len;
		int p[2];

		for (size_t i = 0; i < 99999; i++)
			value[i] = kinds[k][i % strlen(kinds[k])];
		value[99999] = '\0';
		assert_int_equal(pipe(p), 0);
		log_init(&l, p[1], LOG_LEVEL_INFO, NULL);
		log_info(&l, "x", log_str("v", value), log_str("after", "1"));
		text = drain(p[0]);
		len = strlen(text);
		assert_true(len <= LOG_LINE_MAX);
		assert_true(len > LOG_LINE_MAX - 32);
		assert_int_equal(count_lines(text), 1);
		assert_string_equal(text + len - 5, "...\"\n");
		log_fini(&l);
		close(p[0]);
		close(p[1]);
	}
	free(value);
}

static void lines_above_the_level_are_not_written(void **state)
{
	struct log l;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	log_init(&l, p[1], LOG_LEVEL_WARNING, NULL);
	log_info(&l, "a");
	log_debug(&l, "b");
	assert_string_equal(drain(p[0]), "");
	log_set_level(&l, LOG_LEVEL_DEBUG);
	log_debug(&l, "b");
	assert_string_equal(after_time(drain(p[0])), "level=debug msg=b\n");
	assert_int_equal(log_level_of("error"), 0);
	assert_int_equal(log_level_of("debug"), 3);
	assert_int_equal(log_level_of("Info"), -1);
	log_fini(&l);
	close(p[0]);
	close(p[1]);
}

static void under_journald_lines_have_its_prefix_and_no_time(void **state)
{
	char stream[64], other[64];
	struct stat st;
	struct log l;
	int p[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	assert_int_equal(fstat(p[1], &st), 0);
	snprintf(stream, sizeof(stream), "%lu:%lu", (unsigned long)st.st_dev,
	         (unsigned long)st.st_ino);
	snprintf(other, sizeof(other), "%lu:%lu", (unsigned long)st.st_dev,
	         (unsigned long)st.st_ino + 1);
	log_init(&l, p[1], LOG_LEVEL_DEBUG, stream);
	log_error(&l, "a");
	log_warning(&l, "b");
	log_info(&l, "c");
	log_debug(&l, "d");
	assert_string_equal(drain(p[0]), "<3>level=error msg=a\n<4>level=warning msg=b\n"
	                                 "<6>level=info msg=c\n<7>level=debug msg=d\n");
	log_fini(&l);
	/* The variable is inherited from somebody whose standard error was another. */
	log_init(&l, p[1], LOG_LEVEL_DEBUG, other);
	log_info(&l, "c");
	assert_string_equal(after_time(drain(p[0])), "level=info msg=c\n");
	log_fini(&l);
	close(p[0]);
	close(p[1]);
}

static void one_kind_of_line_cannot_flood(void **state)
{
	const char *text;
	struct log l;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	log_init(&l, p[1], LOG_LEVEL_INFO, NULL);
	for (unsigned i = 0; i < 1000; i++)
		log_warning(&l, "flood", log_uint("i", i));
	log_warning(&l, "other");
	text = drain(p[0]);
	assert_int_equal(count_lines(text), LOG_BURST + 1);
	assert_non_null(strstr(text, "msg=other"));
	/* What a person asked for passes. */
	for (unsigned i = 0; i < 100; i++)
		log_notice(&l, LOG_LEVEL_INFO, "asked", LOG_FIELDS(log_uint("i", i)));
	assert_int_equal(count_lines(drain(p[0])), 100);
	log_fini(&l);
	text = drain(p[0]);
	assert_non_null(strstr(text, "level=warning msg=\"lines suppressed\" of=flood n=980\n"));
	close(p[0]);
	close(p[1]);
}

static void more_kinds_than_are_kept_are_all_written(void **state)
{
	static char kinds[2 * LOG_KINDS_MAX][8];
	struct log l;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	log_init(&l, p[1], LOG_LEVEL_INFO, NULL);
	for (size_t i = 0; i < 2 * LOG_KINDS_MAX; i++) {
		snprintf(kinds[i], sizeof(kinds[i]), "k%zu", i);
		log_write(&l, LOG_LEVEL_INFO, kinds[i], LOG_FIELDS());
	}
	assert_int_equal(count_lines(drain(p[0])), 2 * LOG_KINDS_MAX);
	log_fini(&l);
	close(p[0]);
	close(p[1]);
}

static void a_full_pipe_loses_lines_and_tells_how_many(void **state)
{
	struct log l;
	const char *text;
	uint64_t n = 0;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	/* The descriptor itself waits; the log must not. */
	assert_int_equal(fcntl(p[1], F_GETFL) & O_NONBLOCK, 0);
	log_init(&l, p[1], LOG_LEVEL_INFO, NULL);
	while (l.n_lost < 10 && n++ < 100000)
		log_notice(&l, LOG_LEVEL_INFO, "fill", NULL);
	assert_int_equal(l.n_lost, 10);
	assert_int_equal(fcntl(p[1], F_GETFL) & O_NONBLOCK, 0);
	text = drain(p[0]);
	assert_int_equal(count_lines(text), l.n_lines);
	log_info(&l, "again");
	text = drain(p[0]);
	assert_non_null(strstr(text, "msg=\"log lines could not be written\" lost=10\n"));
	assert_non_null(strstr(text, "msg=again\n"));
	assert_int_equal(l.n_lost, 0);
	log_fini(&l);
	close(p[0]);
	close(p[1]);
}

static void a_closed_or_full_file_is_no_reason_to_fail(void **state)
{
	struct log l;
	int p[2], fd;

	(void)state;
	/* Nobody reads. */
	assert_int_equal(pipe(p), 0);
	close(p[0]);
	log_init(&l, p[1], LOG_LEVEL_INFO, NULL);
	log_info(&l, "x");
	assert_int_equal(l.n_lost, 1);
	log_fini(&l);
	close(p[1]);
	/* Closed. */
	log_init(&l, p[1], LOG_LEVEL_INFO, NULL);
	log_info(&l, "x");
	assert_int_equal(l.n_lost, 1);
	log_fini(&l);
	/* Full disk. */
	fd = open("/dev/full", O_WRONLY);
	assert_true(fd >= 0);
	log_init(&l, fd, LOG_LEVEL_INFO, NULL);
	log_info(&l, "x");
	assert_int_equal(l.n_lost, 1);
	log_fini(&l);
	close(fd);
}

/* ---- console ---- */

static void a_packet_is_one_line(void **state)
{
	static const char packet[] = "{\n\t\"event\" : \"a\\n\",\r\n\"data\":\"\x7f\"}";
	struct console c;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	console_init(&c, p[1]);
	console_packet(&c, "A", packet, sizeof(packet) - 1);
	console_packet(&c, "B", "{}", 2);
	assert_string_equal(drain(p[0]), "");
	console_flush(&c);
	assert_string_equal(drain(p[0]), "A {  \"event\" : \"a\\n\",  \"data\":\" \"}\nB {}\n");
	console_fini(&c);
	close(p[0]);
	close(p[1]);
}

static void a_long_packet_is_cut_and_its_length_told(void **state)
{
	const size_t len = CONSOLE_PACKET_MAX + 10;
	char *packet = malloc(len);
	const char *end = "x... (65546 bytes in all)\n";
	const char *text;
	struct console c;
	int p[2];

	(void)state;
	assert_non_null(packet);
	memset(packet, 'x', len);
	assert_int_equal(pipe(p), 0);
	assert_true(fcntl(p[1], F_SETPIPE_SZ, 1 << 20) > 0);
	console_init(&c, p[1]);
	console_packet(&c, "A", packet, len);
	console_flush(&c);
	text = drain(p[0]);
	assert_int_equal(strlen(text), 2 + CONSOLE_PACKET_MAX + strlen(end) - 1);
	assert_string_equal(text + strlen(text) - strlen(end), end);
	console_fini(&c);
	close(p[0]);
	close(p[1]);
	free(packet);
}

static void what_a_stalled_console_misses_is_counted(void **state)
{
	char packet[1000];
	struct console c;
	char want[64];
	int p[2];

	(void)state;
	memset(packet, 'x', sizeof(packet));
	assert_int_equal(pipe(p), 0);
	console_init(&c, p[1]);
	for (unsigned i = 0; i < 5000; i++) {
		console_packet(&c, "A", packet, sizeof(packet));
		console_flush(&c);
	}
	assert_true(c.n_skipped > 3000);
	assert_true(c.buf.len <= CONSOLE_BUF_MAX);
	snprintf(want, sizeof(want), "\n(%lu packets not shown)\nA last\n",
	         (unsigned long)c.n_skipped);
	while (c.buf.len > 0) {
		drain(p[0]);
		console_flush(&c);
	}
	drain(p[0]);
	console_packet(&c, "A", "last", 4);
	console_flush(&c);
	assert_string_equal(drain(p[0]), want + 1);
	console_fini(&c);
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_line_has_time_level_message_and_fields),
	        cmocka_unit_test(hostile_values_stay_in_their_line),
	        cmocka_unit_test(a_long_value_is_cut_and_the_line_ends),
	        cmocka_unit_test(lines_above_the_level_are_not_written),
	        cmocka_unit_test(under_journald_lines_have_its_prefix_and_no_time),
	        cmocka_unit_test(one_kind_of_line_cannot_flood),
	        cmocka_unit_test(more_kinds_than_are_kept_are_all_written),
	        cmocka_unit_test(a_full_pipe_loses_lines_and_tells_how_many),
	        cmocka_unit_test(a_closed_or_full_file_is_no_reason_to_fail),
	        cmocka_unit_test(a_packet_is_one_line),
	        cmocka_unit_test(a_long_packet_is_cut_and_its_length_told),
	        cmocka_unit_test(what_a_stalled_console_misses_is_counted),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
