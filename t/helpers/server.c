/*
 * A real ncserver for a test
 *
 * Readiness, and the end of a reload, are told over the protocol of sd_notify(3), so that no test
 * guesses. An exit status other than 0 after SIGTERM fails the test, which is how a finding of the
 * sanitizers inside the server, a leak included, is seen.
 */

#include "t/helpers/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static const char *program(char *out, size_t room)
{
	const char *given = getenv("NCSERVER"), *build = getenv("TOP_BUILDDIR");

	if (given && *given)
		return given;
	snprintf(out, room, "%s/ncserver/ncserver", build ? build : ".");
	return out;
}

static void open_notify(struct server *s)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t len = strlen(s->notify);

	assert_true(len < sizeof(sa.sun_path));
	memcpy(sa.sun_path, s->notify, len + 1);
	s->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(s->notify_fd >= 0);
	assert_int_equal(bind(s->notify_fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
}

void server_init(struct server *s)
{
	memset(s, 0, sizeof(*s));
	util_dir_make(s->dir);
	snprintf(s->conf, sizeof(s->conf), "%s/ncserver.conf", s->dir);
	snprintf(s->log, sizeof(s->log), "%s/log", s->dir);
	snprintf(s->sockets, sizeof(s->sockets), "%s/%%s.sock", s->dir);
	snprintf(s->notify, sizeof(s->notify), "%s/notify", s->dir);
	open_notify(s);
}

char *server_config_text(const struct server *s, const char *text)
{
	return util_format("socket = \"%s\";\nconnecttonet = false;\n%s\n", s->sockets, text);
}

void server_configure(struct server *s, const char *text)
{
	char *whole = server_config_text(s, text);

	util_write_file(s->conf, whole);
	free(whole);
}

const char *server_socket(const struct server *s, const char *channel, char out[UTIL_PATH_MAX])
{
	int n = snprintf(out, UTIL_PATH_MAX, "%s/%s.sock", s->dir, channel);

	assert_true(n > 0 && (unsigned)n < UTIL_PATH_MAX);
	return out;
}

char *server_log(const struct server *s)
{
	char *text = util_read_file(s->log);

	return text ? text : util_format("%s", "");
}

static void show_log(const struct server *s)
{
	char *text = server_log(s), *save = NULL;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		fprintf(stderr, "# ncserver: %s\n", l);
	free(text);
}

/* In the child: becomes the server. */
static void __attribute__((noreturn)) become_server(const struct server *s, pid_t parent)
{
	char path[1024];
	const char *name = program(path, sizeof(path));
	int log = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* what a terminal sends is for the test */
	setpgid(0, 0);
	if (getppid() != parent || log < 0 || dup2(log, STDERR_FILENO) < 0 ||
	    dup2(log, STDOUT_FILENO) < 0)
		_exit(126);
	setenv("NOTIFY_SOCKET", s->notify, 1);
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("WATCHDOG_USEC");
	unsetenv("JOURNAL_STREAM");
	execl(name, name, s->conf, (char *)NULL);
	dprintf(STDERR_FILENO, "%s: %s\n", name, strerror(errno));
	_exit(127);
}

static void launch(struct server *s)
{
	pid_t parent = getpid();

	assert_int_equal(s->pid, 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		become_server(s, parent);
}

/* Reaps it if it has ended (or waits until it does); *status is its wait status. */
static bool reap(struct server *s, int *status, bool wait_for_it)
{
	uint64_t deadline = util_deadline();
	pid_t r;

	while ((r = waitpid(s->pid, status, WNOHANG)) == 0 && wait_for_it) {
		if (util_left_ms(deadline) == 0) {
			kill(s->pid, SIGKILL);
			waitpid(s->pid, status, 0);
			s->pid = 0;
			show_log(s);
			fail_msg("the server did not end within %u ms", UTIL_DEADLINE_MS);
		}
		poll(NULL, 0, 2);
	}
	if (r == 0)
		return false;
	s->pid = 0;
	return true;
}

static void must_live(struct server *s)
{
	int status;

	if (!reap(s, &status, false))
		return;
	show_log(s);
	if (WIFSIGNALED(status))
		fail_msg("the server died of signal %d", WTERMSIG(status));
	fail_msg("the server ended with status %d", WEXITSTATUS(status));
}

static bool has_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);
	size_t len = strlen(line);

	return at && (at == text || at[-1] == '\n') && (at[len] == '\n' || at[len] == '\0');
}

/* Waits for a notification that holds this line. */
static void await_notice(struct server *s, const char *line)
{
	uint64_t deadline = util_deadline();
	char text[4096];

	for (;;) {
		struct pollfd p = {.fd = s->notify_fd, .events = POLLIN};
		ssize_t n;

		poll(&p, 1, 20);
		while ((n = recv(s->notify_fd, text, sizeof(text) - 1, 0)) >= 0) {
			text[n] = '\0';
			if (has_line(text, line))
				return;
		}
		must_live(s);
		if (util_left_ms(deadline) == 0) {
			show_log(s);
			fail_msg("the server did not say %s within %u ms", line, UTIL_DEADLINE_MS);
		}
	}
}

void server_start(struct server *s)
{
	launch(s);
	await_notice(s, "READY=1");
}

int server_run_to_end(struct server *s)
{
	int status;

	launch(s);
	reap(s, &status, true);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void server_signal(const struct server *s, int signal_number)
{
	assert_true(s->pid > 0);
	assert_int_equal(kill(s->pid, signal_number), 0);
}

void server_reload(struct server *s)
{
	server_signal(s, SIGHUP);
	await_notice(s, "RELOADING=1");
	await_notice(s, "READY=1");
}

void server_await_end(struct server *s)
{
	int status;

	reap(s, &status, true);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	show_log(s);
	if (WIFSIGNALED(status))
		fail_msg("when told to end, the server died of signal %d", WTERMSIG(status));
	fail_msg("when told to end, the server ended with status %d", WEXITSTATUS(status));
}

void server_stop(struct server *s)
{
	server_signal(s, SIGTERM);
	server_await_end(s);
}

void server_kill(struct server *s)
{
	int status;

	server_signal(s, SIGKILL);
	reap(s, &status, true);
}

bool server_is_alive(struct server *s)
{
	if (s->pid > 0)
		must_live(s);
	return s->pid > 0;
}

void server_fini(struct server *s, bool show)
{
	int status;

	if (s->pid > 0 && kill(s->pid, SIGKILL) == 0)
		waitpid(s->pid, &status, 0);
	s->pid = 0;
	if (show)
		show_log(s);
	close(s->notify_fd);
	util_dir_remove(s->dir);
}
