/* daemon.h - a daemon that is measured: a private one in a folder of its own, or one that runs
 *
 * A private daemon is started with its folder as the current one and ended with the program; the
 * folder goes too. Its CPU time and memory are read from /proc, of all its threads.
 */
#ifndef NC_BENCH_DAEMON_H
#define NC_BENCH_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DAEMON_ARGS_MAX 24
#define DAEMON_DIR_LEN  48
/* A daemon that does not listen by then never will. */
#define DAEMON_START_MS 10000

struct daemon {
	const char *argv[DAEMON_ARGS_MAX]; /* not owned */
	char dir[DAEMON_DIR_LEN];          /* "" until daemon_dir() */
	char at[108];                      /* path of the socket, or "" */
	int port;                          /* of 127.0.0.1, where there is no path */
	bool is_seqpacket;
	pid_t pid;              /* 0: none runs */
	bool is_own;            /* started here */
	bool is_child_measured; /* the daemon is the only child of what was started */
	double start_ms;        /* from exec to the first connection */
};

/* Makes the folder. Ends the program where it can't. */
void daemon_dir(struct daemon *d);
/* Writes a file of the folder. */
void daemon_file(const struct daemon *d, const char *name, const char *text);
/* A port of 127.0.0.1 that nobody listens at now. */
int daemon_free_port(void);

/* Starts `argv`, and waits until it accepts a connection. Returns 0, or -1 with a message. */
int daemon_start(struct daemon *d);
void daemon_stop(struct daemon *d);

/* Seconds of CPU that it has used, 0 where that can't be known. */
double daemon_cpu_s(const struct daemon *d);
uint64_t daemon_rss_kib(const struct daemon *d);
/* How often its main thread went to sleep, and thus woke up. */
uint64_t daemon_wakeups(const struct daemon *d);

#endif
