/*
 * Unit tests of how a client is made and finds its server
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/unit/fake_server.h"

static void without_a_server_the_first_attempt_says_so(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);

	fake_stop_listening(f);
	assert_int_equal(nc_connect(c, 1000), NC_ENOSERVER);
	assert_int_equal(nc_state(c), NC_CLOSED);
	assert_non_null(strstr(nc_error_text(c), f->path));
	assert_int_equal(nc_setopt_int(c, NC_OPT_RECONNECT, 0), NC_OK);
	assert_int_equal(nc_open(c), NC_ENOSERVER);
	assert_int_equal(nc_state(c), NC_CLOSED);
	assert_int_equal(nc_process(c), NC_ENOSERVER);
	assert_int_equal(nc_wait(c, -1), NC_ENOSERVER);
	assert_int_equal(nc_fd(c), -1);
	assert_int_equal(nc_timeout(c), -1);
	nc_free(c);
}

static void a_socket_that_nobody_may_use_is_denied(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	bool is_root = geteuid() == 0;
	int result;

	assert_int_equal(chmod(f->path, 0), 0);
	/* root may use every socket, so it is somebody else meanwhile */
	if (is_root)
		assert_int_equal(seteuid(65534), 0);
	result = nc_connect(c, 1000);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(result, NC_EDENIED);
	nc_free(c);
}

static void a_server_that_never_welcomes_times_out(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);

	assert_int_equal(nc_connect(c, 20), NC_ETIMEOUT);
	assert_int_equal(nc_state(c), NC_CLOSED);
	assert_int_equal(nc_fd(c), -1);
	nc_free(c);
}

static void a_server_that_closes_at_once_has_its_reasons(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);

	nc_setopt_int(c, NC_OPT_RECONNECT, 0);
	assert_int_equal(nc_open(c), NC_OK);
	fake_accept(f);
	fake_hang_up(f);
	assert_int_equal(nc_process(c), NC_ECLOSED);
	assert_non_null(strstr(nc_error_text(c), "at once"));
	nc_free(c);
}

static void a_full_backlog_is_waited_for(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fds[64], n = 0;

	strcpy(addr.sun_path, f->path);
	listen(f->listen_fd, 1);
	for (; n < 64; n++) {
		fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(fds[n], (struct sockaddr *)&addr, sizeof(addr)) < 0)
			break;
	}
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(nc_open(c), NC_OK);
	assert_int_equal(nc_state(c), NC_CONNECTING);
	assert_int_equal(nc_fd(c), -1);
	assert_in_range(nc_timeout(c), 0, 21);
	for (int i = 0; i < n; i++) {
		fake_accept(f);
		fake_hang_up(f);
	}
	while (nc_fd(c) < 0)
		assert_int_equal(nc_wait(c, 1000), NC_OK);
	fake_greet(f, c);
	for (int i = 0; i <= n; i++)
		close(fds[i]);
	nc_free(c);
}

static void a_welcome_for_another_channel_is_refused(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	struct frame_welcome w = {.version = 1,
	                          .sender = 5,
	                          .max_payload = 10,
	                          .channel = "d",
	                          .channel_len = 1,
	                          .host = "",
	                          .server = ""};
	uint8_t buf[128];

	assert_int_equal(nc_open(c), NC_OK);
	fake_accept(f);
	fake_send(f, buf, frame_welcome_put(buf, sizeof(buf), &w));
	assert_int_equal(nc_process(c), NC_EPROTO);
	nc_free(c);
}

static void a_version_that_it_does_not_speak_is_refused(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	struct frame_welcome w = {.version = 2,
	                          .sender = 5,
	                          .max_payload = 10,
	                          .channel = "c",
	                          .channel_len = 1,
	                          .host = "",
	                          .server = ""};
	uint8_t buf[128];

	assert_int_equal(nc_open(c), NC_OK);
	fake_accept(f);
	fake_send(f, buf, frame_welcome_put(buf, sizeof(buf), &w));
	assert_int_equal(nc_process(c), NC_EVERSION);
	nc_free(c);
}

static void a_welcome_may_come_byte_by_byte(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	struct frame_welcome w = {.version = 1,
	                          .sender = 5,
	                          .max_payload = 10,
	                          .channel = "c",
	                          .channel_len = 1,
	                          .host = "",
	                          .server = ""};
	uint8_t buf[128];
	size_t len = frame_welcome_put(buf, sizeof(buf), &w);

	assert_int_equal(nc_open(c), NC_OK);
	fake_accept(f);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(nc_state(c), NC_CONNECTING);
		fake_send(f, buf + i, 1);
		assert_int_equal(nc_process(c), NC_OK);
	}
	assert_int_equal(nc_state(c), NC_CONNECTED);
	assert_int_equal(nc_max_message(c), 10);
	nc_free(c);
}

static void options_are_checked(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	char long_label[65];

	memset(long_label, 'x', 64);
	long_label[64] = 0;
	assert_int_equal(nc_setopt_int(c, NC_OPT_RECONNECT, 2), NC_EINVAL);
	assert_int_equal(nc_setopt_int(c, NC_OPT_QUEUE_BYTES, 0), NC_EINVAL);
	assert_int_equal(nc_setopt_int(c, NC_OPT_QUEUE_POLICY, NC_POLICY_CONFLATE), NC_EINVAL);
	assert_int_equal(nc_setopt_int(c, NC_OPT_SOCKET, 1), NC_EINVAL);
	assert_int_equal(nc_setopt_int(c, (enum nc_option)3, 0), NC_EINVAL);
	assert_int_equal(nc_setopt_int(c, (enum nc_option)4000, 0), NC_EINVAL);
	assert_int_equal(nc_setopt_str(c, NC_OPT_LOCAL, "1"), NC_EINVAL);
	assert_int_equal(nc_setopt_str(c, NC_OPT_LABEL, long_label), NC_EINVAL);
	assert_int_equal(nc_setopt_str(c, NC_OPT_LABEL, "\xC3"), NC_EINVAL);
	assert_int_equal(nc_setopt_str(c, NC_OPT_LABEL, NULL), NC_EINVAL);
	assert_int_equal(nc_setopt_str(c, NC_OPT_SOCKET, ""), NC_EINVAL);
	assert_int_equal(nc_setopt_str(c, NC_OPT_SOCKET, "/a/%s/%s"), NC_EINVAL);
	assert_int_equal(nc_setopt_str(c, NC_OPT_RECEIVE_POLICY, "x"), NC_EINVAL);
	assert_int_equal(nc_setopt_int(c, NC_OPT_RECEIVE_POLICY, -1), NC_OK);
	assert_int_equal(nc_open(c), NC_OK);
	assert_int_equal(nc_setopt_int(c, NC_OPT_RECONNECT, 1), NC_ESTATE);
	assert_int_equal(nc_setopt_str(c, NC_OPT_LABEL, "x"), NC_ESTATE);
	assert_int_equal(nc_open(c), NC_ESTATE);
	assert_int_equal(nc_connect(c, 0), NC_ESTATE);
	nc_free(c);
}

static void bad_channels_make_no_client(void **state)
{
	static const char *const names[] = {"", "a/b", "a.b", "..", "a b", "\xC3\xA4"};
	nc_client *c;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(nc_new(&c, names[i]), NC_ENAME);
		assert_null(c);
	}
	assert_int_equal(nc_new(&c, NULL), NC_ENAME);
	nc_free(NULL);
}

static void the_environment_names_the_socket(void **state)
{
	struct fake *f = *state;
	char template[128];
	nc_client *c;

	snprintf(template, sizeof(template), "%s/%%s.sock", f->dir);
	setenv("NC_SOCKET", template, 1);
	assert_int_equal(nc_new(&c, "c"), NC_OK);
	nc_setopt_str(c, NC_OPT_LABEL, "tester");
	fake_connect(f, c);
	assert_string_equal(nc_socket(c), f->path);
	assert_int_equal(nc_disconnect(c, 0), NC_OK);
	setenv("NC_SOCKET", "%s%s", 1);
	assert_int_equal(nc_open(c), NC_EINVAL);
	assert_int_equal(nc_state(c), NC_CLOSED);
	unsetenv("NC_SOCKET");
	nc_free(c);
}

static void the_session_folder_is_a_standard_place(void **state)
{
	struct fake *f = *state;
	char folder[80];
	nc_client *c;

	/* no such channel exists in the other places */
	fake_stop_listening(f);
	snprintf(folder, sizeof(folder), "%s/netcluster", f->dir);
	assert_int_equal(mkdir(folder, 0700), 0);
	snprintf(f->path, sizeof(f->path), "%s/nc-unit-test.sock", folder);
	fake_listen(f);
	setenv("XDG_RUNTIME_DIR", f->dir, 1);
	assert_int_equal(nc_new(&c, "nc-unit-test"), NC_OK);
	assert_int_equal(nc_open(c), NC_OK);
	assert_string_equal(nc_socket(c), f->path);
	nc_free(c);
	fake_stop_listening(f);
	assert_int_equal(nc_new(&c, "nc-unit-test"), NC_OK);
	assert_int_equal(nc_connect(c, 1000), NC_ENOSERVER);
	unsetenv("XDG_RUNTIME_DIR");
	nc_free(c);
	rmdir(folder);
}

static void without_descriptors_the_system_is_named(void **state)
{
	struct fake *f = *state;
	nc_client *c = fake_client(f);
	struct rlimit old, none = {.rlim_cur = 0};

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(nc_open(c), NC_ESYS);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(nc_state(c), NC_CLOSED);
	assert_int_equal(nc_errno(c), EMFILE);
	assert_non_null(strstr(nc_error_text(c), strerror(EMFILE)));
	assert_string_equal(nc_channel(c), "c");
	fake_connect(f, c);
	nc_free(c);
}

static void errors_have_texts(void **state)
{
	(void)state;
	for (int i = 0; i <= NC_ESYS; i++) {
		assert_string_not_equal(nc_strerror(i), "unknown error");
		assert_string_not_equal(nc_strerror(i), "");
	}
	assert_string_equal(nc_strerror(-1), "unknown error");
	assert_string_equal(nc_strerror(NC_ESYS + 1), "unknown error");
	assert_string_equal(nc_version(), "0.1.0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(without_a_server_the_first_attempt_says_so),
	        TEST(a_socket_that_nobody_may_use_is_denied),
	        TEST(a_server_that_never_welcomes_times_out),
	        TEST(a_server_that_closes_at_once_has_its_reasons),
	        TEST(a_full_backlog_is_waited_for),
	        TEST(a_welcome_for_another_channel_is_refused),
	        TEST(a_version_that_it_does_not_speak_is_refused),
	        TEST(a_welcome_may_come_byte_by_byte),
	        TEST(options_are_checked),
	        TEST(bad_channels_make_no_client),
	        TEST(the_environment_names_the_socket),
	        TEST(the_session_folder_is_a_standard_place),
	        TEST(without_descriptors_the_system_is_named),
	        TEST(errors_have_texts),
	};

	unsetenv("NC_SOCKET");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
