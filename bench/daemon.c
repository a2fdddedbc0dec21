/* daemon.c - a daemon that is measured */

#include "bench/daemon.h"

#include "bench/bench.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* ---- its folder ---- */

void daemon_dir(struct daemon *d)
{
	snprintf(d->dir, sizeof(d->dir), "/tmp/ncbench.XXXXXX");
	if (!mkdtemp(d->dir))
		die(d->dir);
}

void daemon_file(const struct daemon *d, const char *name, const char *text)
{
	char path[DAEMON_DIR_LEN + 64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", d->dir, name);
	f = fopen(path, "we");
	if (!f || fputs(text, f) < 0 || fclose(f))
		die(path);
}

static void remove_dir(const char *dir)
{
	DIR *handle = opendir(dir);
	struct dirent *e;

	if (!handle)
		return;
	while ((e = readdir(handle)))
		(void)unlinkat(dirfd(handle), e->d_name, 0);
	closedir(handle);
	(void)rmdir(dir);
}

static void show_log(const struct daemon *d)
{
	char path[DAEMON_DIR_LEN + 8], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", d->dir);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		fprintf(stderr, "  %s", line);
	if (f)
		fclose(f);
}

/* ---- life ---- */

static int try_connect(const struct daemon *d)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)d->port)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	bool is_path = d->at[0];
	int type = d->is_seqpacket ? SOCK_SEQPACKET : SOCK_STREAM, r;
	int fd = socket(is_path ? AF_UNIX : AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(un.sun_path, d->at, sizeof(un.sun_path));
	r = is_path ? connect(fd, (struct sockaddr *)&un, sizeof(un))
	            : connect(fd, (struct sockaddr *)&in, sizeof(in));
	close(fd);
	return r;
}

int daemon_free_port(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)) ||
	    getsockname(fd, (struct sockaddr *)&in, &len))
		die("a free port");
	close(fd);
	return ntohs(in.sin_port);
}

static void exec_daemon(struct daemon *d, pid_t parent)
{
	int log_fd, null_fd;

	/* it must not outlive a bench that is killed */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || chdir(d->dir))
		_exit(126);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	log_fd = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (null_fd < 0 || log_fd < 0)
		_exit(126);
	dup2(null_fd, STDIN_FILENO);
	dup2(log_fd, STDOUT_FILENO);
	dup2(log_fd, STDERR_FILENO);
	execvp(d->argv[0], (char **)d->argv);
	_exit(127);
}

static pid_t only_child(pid_t pid)
{
	char path[64];
	long child = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)pid, (long)pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%ld", &child) != 1)
		child = 0;
	if (f)
		fclose(f);
	return child ? (pid_t)child : pid;
}

/* Asks every 0.1 ms: a start takes a few milliseconds, and is measured. */
static int wait_listening(struct daemon *d, pid_t pid, uint64_t begin_ns)
{
	struct timespec nap = {.tv_nsec = 100000};
	int status;

	for (;;) {
		uint64_t now_ns;

		if (try_connect(d) == 0) {
			d->start_ms = (double)(bench_now_ns() - begin_ns) / 1e6;
			return 0;
		}
		now_ns = bench_now_ns();
		if (waitpid(pid, &status, WNOHANG) == pid) {
			d->pid = 0;
			return -1;
		}
		if (now_ns - begin_ns > (uint64_t)DAEMON_START_MS * 1000000)
			return -1;
		nanosleep(&nap, NULL);
	}
}

int daemon_start(struct daemon *d)
{
	uint64_t begin_ns = bench_now_ns();
	pid_t parent = getpid();

	d->is_own = true;
	d->pid = fork();
	if (d->pid < 0)
		die("fork");
	if (d->pid == 0)
		exec_daemon(d, parent);
	if (wait_listening(d, d->pid, begin_ns)) {
		fprintf(stderr, "bench: %s does not listen; it said:\n", d->argv[0]);
		show_log(d);
		daemon_stop(d);
		return -1;
	}
	return 0;
}

void daemon_stop(struct daemon *d)
{
	struct timespec nap = {.tv_nsec = 5000000};
	int status;

	if (d->is_own && d->pid > 0) {
		kill(d->pid, SIGTERM);
		for (int i = 0; waitpid(d->pid, &status, WNOHANG) == 0; i++) {
			if (i == 400)
				kill(d->pid, SIGKILL);
			nanosleep(&nap, NULL);
		}
	}
	d->pid = 0;
	if (d->dir[0])
		remove_dir(d->dir);
	d->dir[0] = 0;
}

/* ---- what it uses ---- */

/* Nanoseconds of one thread's life on a CPU. Kernels without schedstat tell 0. */
static uint64_t thread_cpu_ns(pid_t pid, const char *tid)
{
	char path[320];
	unsigned long long ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/task/%s/schedstat", (long)pid, tid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	if (f)
		fclose(f);
	return ns;
}

/* By ticks of 10 ms, for all threads there ever were. */
static double ticks_s(pid_t pid)
{
	char path[64], line[1024];
	unsigned long user = 0, sys = 0;
	const char *p;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = 0;
	/* the name may hold anything, but for what stands behind its last parenthesis */
	p = strrchr(line, ')');
	if (!p ||
	    sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2)
		return 0;
	return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

double daemon_cpu_s(const struct daemon *d)
{
	pid_t pid = d->is_child_measured ? only_child(d->pid) : d->pid;
	struct dirent *e;
	uint64_t ns = 0;
	char path[64];
	DIR *tasks;

	if (pid <= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	tasks = opendir(path);
	while (tasks && (e = readdir(tasks)))
		if (e->d_name[0] != '.')
			ns += thread_cpu_ns(pid, e->d_name);
	if (tasks)
		closedir(tasks);
	return ns ? (double)ns / 1e9 : ticks_s(pid);
}

/* The number behind `name` in /proc/PID/status, 0 where there is none. */
static uint64_t status_of(const struct daemon *d, const char *name)
{
	pid_t pid = d->is_child_measured ? only_child(d->pid) : d->pid;
	size_t len = strlen(name);
	char path[64], line[256];
	uint64_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ':')
			n = strtoull(line + len + 1, NULL, 10);
	if (f)
		fclose(f);
	return n;
}

uint64_t daemon_rss_kib(const struct daemon *d)
{
	return status_of(d, "VmRSS");
}

uint64_t daemon_wakeups(const struct daemon *d)
{
	return status_of(d, "voluntary_ctxt_switches");
}
