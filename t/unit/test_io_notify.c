/*
 * Unit tests of io/notify and io/activate
 */

#include "ncserver/io/activate.h"
#include "ncserver/io/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[] = "/tmp/nc-test-XXXXXX";

/* A datagram socket bound to a path, or to an abstract name where `name` begins with '@'. */
static int manager(const char *name)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	socklen_t len;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", name);
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	if (name[0] == '@')
		addr.sun_path[0] = '\0';
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	return fd;
}

static const char *heard(int fd)
{
	static char text[2 * NOTIFY_MAX];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void the_manager_hears_each_state(void **state)
{
	char path[64], abstract[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/notify", dir);
	snprintf(abstract, sizeof(abstract), "@nc-test-%ld", (long)getpid());
	for (int i = 0; i < 2; i++) {
		struct notify_env env = {.socket = i ? abstract : path};
		int fd = manager(env.socket);
		unsigned long usec = 0;
		struct notify n;

		assert_int_equal(notify_init(&n, &env), 0);
		notify_ready(&n, "Serving 2 channels");
		assert_string_equal(heard(fd), "READY=1\nSTATUS=Serving 2 channels");
		notify_reloading(&n);
		assert_int_equal(sscanf(heard(fd), "RELOADING=1\nMONOTONIC_USEC=%lu\n", &usec), 1);
		assert_true(usec > 0);
		notify_stopping(&n, NULL);
		assert_string_equal(heard(fd), "STOPPING=1\n");
		notify_watchdog(&n);
		assert_string_equal(heard(fd), "WATCHDOG=1\n");
		notify_status(&n, "x");
		assert_string_equal(heard(fd), "STATUS=x");
		notify_fini(&n);
		close(fd);
	}
}

static void a_long_status_is_cut(void **state)
{
	struct notify_env env;
	char path[64], status[4096];
	struct notify n;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/long", dir);
	memset(status, 'x', sizeof(status));
	status[sizeof(status) - 1] = '\0';
	env = (struct notify_env){.socket = path};
	fd = manager(path);
	assert_int_equal(notify_init(&n, &env), 0);
	notify_status(&n, status);
	assert_int_equal(strlen(heard(fd)), NOTIFY_MAX - 1);
	notify_fini(&n);
	close(fd);
}

static void a_manager_that_does_not_read_is_not_waited_for(void **state)
{
	struct notify_env env;
	char path[64];
	struct notify n;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/busy", dir);
	env = (struct notify_env){.socket = path};
	fd = manager(path);
	assert_int_equal(notify_init(&n, &env), 0);
	alarm(10);
	for (int i = 0; i < 10000; i++)
		notify_watchdog(&n);
	alarm(0);
	assert_string_equal(heard(fd), "WATCHDOG=1\n");
	notify_fini(&n);
	close(fd);
}

static void without_a_manager_nothing_is_told(void **state)
{
	struct notify_env none = {0}, empty = {.socket = ""}, relative = {.socket = "x/y"},
	                  bare = {.socket = "@"};
	struct notify n;

	(void)state;
	assert_int_equal(notify_init(&n, &none), 0);
	notify_ready(&n, "x");
	assert_int_equal(n.fd, -1);
	assert_int_equal(notify_init(&n, &empty), 0);
	assert_int_equal(notify_init(&n, &relative), -EINVAL);
	assert_int_equal(notify_init(&n, &bare), -EINVAL);
	notify_ready(&n, "x");
	notify_fini(&n);
}

static void the_watchdog_is_meant_for_this_process(void **state)
{
	char self[32], other[32];
	const struct {
		const char *usec, *pid;
		uint64_t ns;
	} cases[] = {
	        {NULL, NULL, 0},
	        {"2000000", NULL, 2000000000},
	        {"2000000", self, 2000000000},
	        {"2000000", other, 0},
	        {NULL, self, 0},
	        {"", self, 0},
	        {"12x", self, 0},
	        {"99999999999999999999", self, 0},
	};

	(void)state;
	snprintf(self, sizeof(self), "%ld", (long)getpid());
	snprintf(other, sizeof(other), "%ld", (long)getpid() + 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct notify_env env = {.socket = "@x",
		                         .watchdog_usec = cases[i].usec,
		                         .watchdog_pid = cases[i].pid};
		struct notify n;

		assert_int_equal(notify_init(&n, &env), 0);
		assert_int_equal(n.watchdog_ns, cases[i].ns);
		notify_fini(&n);
		assert_int_equal(n.watchdog_ns, 0);
	}
}

/* ---- activation: descriptors from 3 on, hence in a child ---- */

static int bound(const char *path, int type, bool listening)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		_exit(10);
	if (listening && listen(fd, 1) < 0)
		_exit(11);
	return fd;
}

static void to_number(int fd, int number)
{
	if (fd == number)
		return;
	if (dup2(fd, number) < 0)
		_exit(12);
	close(fd);
}

static int n_told;
static char told[512];

static void tell(void *arg, const struct activated *one)
{
	size_t len = strlen(told);

	(void)arg;
	n_told++;
	snprintf(told + len, sizeof(told) - len, "%s:%s;", one->name ? one->name : "-",
	         one->fault ? one->fault : "unused");
}

static void require(bool ok, int line)
{
	if (!ok) {
		fprintf(stderr, "# line %d\n", line);
		_exit(1);
	}
}

#define REQUIRE(x) require((x), __LINE__)

static void in_child(void)
{
	char a[64], b[64], c[64], d[64], pid[32], other_dir[64], by_link[128];
	struct activation act;
	struct activate_env env = {.fds = "5", .pid = pid, .names = "one:two::four:five"};
	struct activate_env others = {.fds = "5", .pid = "1"};

	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
	snprintf(c, sizeof(c), "%s/c", dir);
	snprintf(d, sizeof(d), "%s/d", dir);
	snprintf(other_dir, sizeof(other_dir), "%s/link", dir);
	snprintf(by_link, sizeof(by_link), "%s/b", other_dir);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	REQUIRE(symlink(dir, other_dir) == 0);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	to_number(bound(a, SOCK_STREAM, true), 3);
	to_number(bound(b, SOCK_STREAM, true), 4);
	to_number(bound(c, SOCK_STREAM, false), 5);
	to_number(bound(d, SOCK_DGRAM, false), 6);
	to_number(open("/dev/null", O_RDONLY), 7);
	REQUIRE(activation_init(&act, &others) == 0 && act.n == 0);
	REQUIRE(activation_init(&act, &env) == 0);
	REQUIRE(act.n == 5);
	for (int fd = 3; fd < 8; fd++)
		REQUIRE(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	REQUIRE(activation_take(&act, "/nowhere/a") == -1);
	REQUIRE(activation_take(&act, by_link) == 4);
	REQUIRE(activation_take(&act, b) == -1);
	REQUIRE(activation_take(&act, c) == -1);
	activation_fini(&act, tell, NULL);
	REQUIRE(n_told == 4);
	REQUIRE(strcmp(told, "one:unused;-:does not listen;four:not a stream socket;"
	                     "five:not a socket;") == 0);
	REQUIRE(fcntl(3, F_GETFD) < 0);
	REQUIRE(fcntl(4, F_GETFD) >= 0);
	REQUIRE(fcntl(7, F_GETFD) < 0);
	/* Whose name they have is not changed. */
	REQUIRE(access(a, F_OK) == 0 && access(b, F_OK) == 0);
}

static void sockets_that_are_handed_over_are_found_by_path(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		in_child();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_manager_hears_each_state),
	        cmocka_unit_test(a_long_status_is_cut),
	        cmocka_unit_test(a_manager_that_does_not_read_is_not_waited_for),
	        cmocka_unit_test(without_a_manager_nothing_is_told),
	        cmocka_unit_test(the_watchdog_is_meant_for_this_process),
	        cmocka_unit_test(sockets_that_are_handed_over_are_found_by_path),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
