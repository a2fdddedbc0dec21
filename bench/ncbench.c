/* ncbench.c - what an ncserver does in a second, and how long a message takes
 *
 * It measures a server that runs, or one of its own (--server) whose quotas are lifted.
 */
#include "bench/bench.h"
#include "bench/ends.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netcluster/nc.h>

static const char config_format[] =
        "socket = \"%s/%%s.sock\";\n"
        "connecttonet = false;\n"
        "log_level = \"warning\";\n"
        "max_message = 16777216L;\n"
        "quota = { connections = 1048576; connection_rate = 1000000; bytes = 1099511627776L; "
        "subscriptions = 16777216; };\n"
        /* a machine that is busy with something else is no reason to disconnect */
        "channels = { %s = { block_timeout = 60000; agent_pacing = false; }; };\n"
        "%s\n";

static char server_path[PATH_MAX];

static void prepare(const struct bench_options *o, struct daemon *d)
{
	char config[4096];

	/* the daemon's current folder is another */
	if (!realpath(o->server, server_path))
		worker_fail(o->server, errno);
	snprintf(config, sizeof(config), config_format, d->dir, o->channel,
	         o->config ? o->config : "");
	daemon_file(d, "conf", config);
	snprintf(d->at, sizeof(d->at), "%s/%s.sock", d->dir, o->channel);
	d->argv[0] = server_path;
	d->argv[1] = "conf";
}

/* Connects once: the library knows where servers are, and the kernel which process listens. */
static int find(const struct bench_options *o, struct daemon *d)
{
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);
	nc_client *c;
	int r = nc_new(&c, o->channel);

	if (!r && o->socket)
		r = nc_setopt_str(c, NC_OPT_SOCKET, o->socket);
	if (!r)
		r = nc_connect(c, 5000);
	if (r) {
		fprintf(stderr, "ncbench: channel %s: %s\n", o->channel,
		        c && *nc_error_text(c) ? nc_error_text(c) : nc_strerror(r));
		nc_free(c);
		return -1;
	}
	snprintf(d->at, sizeof(d->at), "%s", nc_socket(c));
	if (getsockopt(nc_fd(c), SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		d->pid = cred.pid;
	nc_disconnect(c, 0);
	nc_free(c);
	return 0;
}

/* ---- who speaks which dialect ---- */

static void publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	(o->json_from ? json_publish : native_publish)(o, d, w);
}

static void subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	(o->json_to ? json_subscribe : native_subscribe)(o, d, w);
}

static void ping(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	(o->json_from ? json_ping : native_ping)(o, d, w);
}

static void pong(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	(o->json_to ? json_pong : native_pong)(o, d, w);
}

static const struct bench_kind kind = {
        .name = "netcluster",
        .prepare = prepare,
        .find = find,
        .publish = publish,
        .subscribe = subscribe,
        .ping = ping,
        .pong = pong,
        .crowd = native_crowd,
        .is_stamped = true,
};

int main(int argc, char **argv)
{
	return bench_main(&kind, argc, argv);
}
