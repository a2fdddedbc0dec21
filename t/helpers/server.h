/* server.h - a real ncserver for a test, in a folder of its own
 *
 * The program is $NCSERVER, else that of the build. Its sockets, configuration and log lie in a new
 * folder, so that any number of tests run beside each other. It is ready when it says so
 * (sd_notify), and it dies with the test.
 */
#ifndef NC_T_HELPERS_SERVER_H
#define NC_T_HELPERS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "t/helpers/util.h"

struct server {
	char dir[UTIL_PATH_MAX];
	char conf[UTIL_PATH_MAX + 32];    /* the configuration file */
	char log[UTIL_PATH_MAX + 32];     /* what it wrote to stderr, over all its starts */
	char sockets[UTIL_PATH_MAX + 32]; /* template of the sockets' paths, with %s */
	char notify[UTIL_PATH_MAX + 32];
	int notify_fd;
	pid_t pid; /* 0: not running */
};

/* Makes the folder; nothing runs yet. */
void server_init(struct server *s);

/* Writes the configuration file: where the sockets are, no network, and `text`, in libconfig's
 * format. */
void server_configure(struct server *s, const char *text);

/* The whole text that server_configure writes, for reloadconfig. The caller frees it. */
char *server_config_text(const struct server *s, const char *text);

/* Starts it and waits until it is ready. Fails the test, with the log, where it ends instead. */
void server_start(struct server *s);

/* Starts it and waits until it ends by itself; returns its exit status. */
int server_run_to_end(struct server *s);

/* Sends a signal. */
void server_signal(const struct server *s, int signal_number);

/* SIGHUP, and waits until it has read its file again, well or not. */
void server_reload(struct server *s);

/* Waits for the end, which must be a clean one. */
void server_await_end(struct server *s);

/* SIGTERM, and waits for a clean end. */
void server_stop(struct server *s);

/* SIGKILL, and waits for the end. */
void server_kill(struct server *s);

/* Whether it still runs; the test fails if it ended by a signal or with an error. */
bool server_is_alive(struct server *s);

/* Ends it (SIGKILL) if it runs, and removes the folder. With `show`, prints the log as TAP comments
 * first. */
void server_fini(struct server *s, bool show);

/* Path of a channel's socket. */
const char *server_socket(const struct server *s, const char *channel, char out[UTIL_PATH_MAX]);

/* What it logged so far; the caller frees it. */
char *server_log(const struct server *s);

#endif
