/* daemon.c - an ncserver of one's own, as a child process
 *
 * The configuration is handed over in a sealed memory file, so that no file is left behind however
 * this ends, and the daemon says by a byte on a pipe that it listens. The child asks the kernel for
 * SIGTERM when its parent goes.
 *
 * Between fork and exec only calls are made that are safe after a fork in a program with threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libnc/netcluster/nc.h"

/* Descriptors of the child. */
#define READY_FD     3
#define CONF_FD      4
#define READY_OPTION "--ready-fd=3"
#define CONF_PATH    "/proc/self/fd/4"

/* Exit status of a daemon that refuses its configuration (EX_CONFIG), and of a child that found no
 * daemon. */
#define STATUS_CONFIG    78
#define STATUS_NOT_FOUND 127

struct nc_daemon {
	pid_t pid;
	int pidfd;
};

/* A memory file with the text, or -1. */
static int memory_file(const char *text)
{
	size_t len = strlen(text);
	int fd = memfd_create("ncserver.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	/* nobody's to write, so that a daemon that minds who can change its file is content */
	fchmod(fd, 0400);
	fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	return fd;
}

/* The child, from the fork on. Does not return. */
static void become_server(pid_t parent, const char *program, char *const argv[], int ready,
                          int conf)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* gone before the kernel was asked */
	if (getppid() != parent)
		_exit(STATUS_NOT_FOUND);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* out of the way of each other first */
	ready = fcntl(ready, F_DUPFD, CONF_FD + 1);
	conf = fcntl(conf, F_DUPFD, CONF_FD + 1);
	if (ready < 0 || conf < 0 || dup2(ready, READY_FD) < 0 || dup2(conf, CONF_FD) < 0)
		_exit(STATUS_NOT_FOUND);
	close(ready);
	close(conf);
	execvp(program, argv);
	_exit(STATUS_NOT_FOUND);
}

static pid_t spawn(const char *program, const char *socket, int ready, int conf)
{
	char name[] = "ncserver";
	char ready_option[] = READY_OPTION;
	char socket_option[] = "-s";
	char conf_path[] = CONF_PATH;
	char *template = socket ? strdup(socket) : NULL;
	char *argv[] = {name, ready_option, conf_path, NULL, NULL, NULL};
	pid_t parent = getpid();
	pid_t pid;

	if (socket && !template) {
		errno = ENOMEM;
		return -1;
	}
	if (template) {
		argv[2] = socket_option;
		argv[3] = template;
		argv[4] = conf_path;
	}
	pid = fork();
	if (pid == 0)
		become_server(parent, program, argv, ready, conf);
	free(template);
	return pid;
}

/* Waits for the child's end. Returns its status as of waitpid(). */
static int reap(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* It does not get ready: no more of it. */
static void abandon(pid_t pid)
{
	kill(pid, SIGKILL);
	reap(pid);
}

static int why_not(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_CONFIG)
		return NC_EINVAL;
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_NOT_FOUND)
		return NC_ENOENT;
	return NC_EREMOTE;
}

/* Waits for the byte that says "ready". Returns NC_OK, NC_ETIMEOUT, or NC_ECLOSED: the child ended.
 */
static int wait_ready(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte;
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n == 0 ? NC_ETIMEOUT : NC_ESYS;
	return read(fd, &byte, 1) == 1 ? NC_OK : NC_ECLOSED;
}

static int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Makes the child; *ready is the pipe's end to read from. */
static int launch(nc_daemon *s, const char *config, const char *socket, const char *program,
                  int *ready)
{
	int conf = memory_file(config ? config : "{}");
	int ends[2];

	if (conf < 0)
		return NC_ESYS;
	if (pipe2(ends, O_CLOEXEC)) {
		close(conf);
		return NC_ESYS;
	}
	s->pid = spawn(program ? program : NC_DAEMON_PROGRAM, socket, ends[1], conf);
	close(ends[1]);
	close(conf);
	*ready = ends[0];
	if (s->pid < 0) {
		close(ends[0]);
		return NC_ESYS;
	}
	s->pidfd = pidfd_of(s->pid);
	return NC_OK;
}

int nc_daemon_start(nc_daemon **out, const char *config, const char *socket, const char *program,
                    int timeout_ms)
{
	nc_daemon *s = calloc(1, sizeof(*s));
	int ready;
	int rc;

	*out = NULL;
	if (!s)
		return NC_ENOMEM;
	rc = launch(s, config, socket, program, &ready);
	if (rc != NC_OK) {
		free(s);
		return rc;
	}
	rc = wait_ready(ready, timeout_ms);
	close(ready);
	if (rc == NC_OK) {
		*out = s;
		return NC_OK;
	}
	if (rc == NC_ECLOSED)
		rc = why_not(reap(s->pid));
	else
		abandon(s->pid);
	if (s->pidfd >= 0)
		close(s->pidfd);
	free(s);
	return rc;
}

pid_t nc_daemon_pid(const nc_daemon *s)
{
	return s->pid;
}

int nc_daemon_stop(nc_daemon *s, int timeout_ms)
{
	struct pollfd p;
	int rc = NC_OK;
	int status;
	int n;

	if (!s)
		return NC_OK;
	p = (struct pollfd){.fd = s->pidfd, .events = POLLIN};
	kill(s->pid, SIGTERM);
	/* without a descriptor to poll (an old kernel) there is no waiting for a time */
	do
		n = s->pidfd >= 0 ? poll(&p, 1, timeout_ms) : timeout_ms != 0;
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		kill(s->pid, SIGKILL);
		rc = NC_ETIMEOUT;
	}
	status = reap(s->pid);
	if (rc == NC_OK && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		rc = NC_EREMOTE;
	if (s->pidfd >= 0)
		close(s->pidfd);
	free(s);
	return rc;
}
