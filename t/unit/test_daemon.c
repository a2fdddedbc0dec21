/* test_daemon.c - a program's own ncserver: real daemons, started and stopped by libnc */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <netcluster/nc.h>

#define CONFIG "{\"connecttonet\":false,\"channels\":{\"A\":{}}}"

static const char *program;

static char *folder(void)
{
	static char path[64];
	const char *tmp = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%.30s/ncown.XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(path));
	return path;
}

static void template_in(char *out, size_t len, const char *dir, int n)
{
	snprintf(out, len, "%s/%d-%%s.sock", dir, n);
}

static nc_client *client_of(const char *template)
{
	nc_client *c;

	assert_int_equal(nc_new(&c, "A"), NC_OK);
	assert_int_equal(nc_setopt_str(c, NC_OPT_SOCKET, template), NC_OK);
	assert_int_equal(nc_connect(c, 5000), NC_OK);
	return c;
}

static void count(nc_client *c, const nc_msg *m, void *arg)
{
	(void)c;
	(void)m;
	++*(int *)arg;
}

static void two_servers_of_one_program_are_independent(void **state)
{
	char *dir = folder();
	char t[2][100];
	nc_daemon *s[2];
	nc_client *from[2], *to[2];
	int n[2] = {0, 0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		template_in(t[i], sizeof(t[i]), dir, i);
		assert_int_equal(nc_daemon_start(&s[i], CONFIG, t[i], program, 10000), NC_OK);
		assert_true(nc_daemon_pid(s[i]) > 0);
		from[i] = client_of(t[i]);
		to[i] = client_of(t[i]);
		assert_int_equal(nc_on(to[i], "x", count, &n[i]), NC_OK);
		assert_int_equal(nc_sync(to[i], 5000), NC_OK);
	}
	assert_int_equal(nc_emit_int(from[0], "x", 1), NC_OK);
	assert_int_equal(nc_sync(from[0], 5000), NC_OK);
	assert_int_equal(nc_sync(to[0], 5000), NC_OK);
	assert_int_equal(nc_sync(to[1], 5000), NC_OK);
	assert_int_equal(n[0], 1);
	assert_int_equal(n[1], 0);
	assert_int_equal(nc_daemon_stop(s[0], 10000), NC_OK);
	assert_int_equal(nc_emit_int(from[1], "x", 1), NC_OK);
	assert_int_equal(nc_sync(from[1], 5000), NC_OK);
	assert_int_equal(nc_sync(to[1], 5000), NC_OK);
	assert_int_equal(n[1], 1);
	for (int i = 0; i < 2; i++) {
		nc_free(from[i]);
		nc_free(to[i]);
	}
	assert_int_equal(nc_daemon_stop(s[1], 10000), NC_OK);
	/* nothing is left behind */
	assert_int_equal(rmdir(dir), 0);
}

static void a_wrong_configuration_is_refused(void **state)
{
	nc_daemon *s;

	(void)state;
	assert_int_equal(nc_daemon_start(&s, "{\"chanels\":{}}", NULL, program, 10000), NC_EINVAL);
	assert_null(s);
}

static void a_program_that_is_not_there_is_said(void **state)
{
	nc_daemon *s;

	(void)state;
	assert_int_equal(nc_daemon_start(&s, NULL, NULL, "/nonexistent/ncserver", 10000),
	                 NC_ENOENT);
}

static void a_program_that_never_gets_ready_is_ended(void **state)
{
	char *dir = folder();
	char path[100];
	nc_daemon *s;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/sleeper", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("#!/bin/sh\nexec sleep 100\n", f);
	fchmod(fileno(f), 0700);
	fclose(f);
	assert_int_equal(nc_daemon_start(&s, NULL, NULL, path, 300), NC_ETIMEOUT);
	assert_null(s);
	unlink(path);
	rmdir(dir);
}

static void a_server_that_was_killed_is_told_at_its_stop(void **state)
{
	char *dir = folder();
	char t[100];
	nc_daemon *s;

	(void)state;
	template_in(t, sizeof(t), dir, 0);
	assert_int_equal(nc_daemon_start(&s, CONFIG, t, program, 10000), NC_OK);
	assert_int_equal(kill(nc_daemon_pid(s), SIGKILL), 0);
	assert_int_equal(nc_daemon_stop(s, 10000), NC_EREMOTE);
	assert_int_equal(nc_daemon_stop(NULL, 0), NC_OK);
	/* the next one takes over what the dead one left */
	assert_int_equal(nc_daemon_start(&s, CONFIG, t, program, 10000), NC_OK);
	assert_int_equal(nc_daemon_stop(s, 10000), NC_OK);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(two_servers_of_one_program_are_independent),
	        cmocka_unit_test(a_wrong_configuration_is_refused),
	        cmocka_unit_test(a_program_that_is_not_there_is_said),
	        cmocka_unit_test(a_program_that_never_gets_ready_is_ended),
	        cmocka_unit_test(a_server_that_was_killed_is_told_at_its_stop),
	};

	program = getenv("NCSERVER") ? getenv("NCSERVER") : "ncserver/ncserver";
	return cmocka_run_group_tests_name("server of one's own", tests, NULL, NULL);
}
