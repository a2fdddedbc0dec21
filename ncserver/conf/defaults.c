/* defaults.c - what holds where a configuration says nothing, as far as the environment decides
 *
 * Everything else has its default in the tables of keys.
 */

#include "ncserver/conf/defaults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ncserver/conf/problem.h"
#include "ncserver/conf/schema.h"
#include "ncserver/conf/types.h"

#define DEFAULT_ADDR    "239.192.44.54"
#define DEFAULT_CLUSTER "netcluster"

const struct conf_env *defaults_env(struct own_env *own, const struct conf_env *env)
{
	if (env)
		return env;
	own->hostname[0] = 0;
	if (gethostname(own->hostname, sizeof(own->hostname) - 1))
		own->hostname[0] = 0;
	own->hostname[sizeof(own->hostname) - 1] = 0;
	own->env = (struct conf_env){
	        .uid = geteuid(),
	        .runtime_dir = secure_getenv("XDG_RUNTIME_DIR"),
	        .hostname = own->hostname,
	};
	return &own->env;
}

/* The name of this host up to the first dot, or something that is legal in its place. */
static char *default_host(const struct conf_env *env)
{
	const char *name = env->hostname ? env->hostname : "";
	char *host = strndup(name, strcspn(name, "."));

	if (host && !host_is_valid(host)) {
		free(host);
		host = strdup("localhost");
	}
	return host;
}

static char *default_socket(const struct conf_env *env)
{
	char *dir, *socket = NULL;
	int n;

	if (env->uid == 0)
		return strdup("/run/netcluster/%s.sock");
	if (!env->runtime_dir || env->runtime_dir[0] != '/') {
		n = asprintf(&socket, "/tmp/netcluster-%u/%%s.sock", (unsigned)env->uid);
		return n < 0 ? NULL : socket;
	}
	dir = template_quote(env->runtime_dir);
	n = dir ? asprintf(&socket, "%s/netcluster/%%s.sock", dir) : -1;
	free(dir);
	return n < 0 ? NULL : socket;
}

/* The template of sockets, with another ending. */
static char *default_fifo(const char *socket)
{
	static const char ending[] = ".sock";
	size_t len = strlen(socket), cut = sizeof(ending) - 1;
	char *fifo;

	if (len > cut && !strcmp(socket + len - cut, ending))
		len -= cut;
	return asprintf(&fifo, "%.*s.fifo", (int)len, socket) < 0 ? NULL : fifo;
}

/* Takes the socket template that was given with the start instead of the file's. */
static int override_socket(struct walk *w)
{
	const char *given = w->env->socket_override, *wrong;
	char *socket;

	if (!given)
		return 0;
	wrong = template_check(given);
	if (wrong) {
		problems_add(w->problems, false, "(command line)", 0, "socket: \"%s\" %s", given,
		             wrong);
		return 0;
	}
	socket = strdup(given);
	if (!socket)
		return -ENOMEM;
	free(w->conf->socket);
	w->conf->socket = socket;
	return 0;
}

/* The templates that a running server keeps. Returns 0 or -ENOMEM. */
static int keep_templates(struct walk *w)
{
	const struct conf_env *env = w->env;
	struct conf *c = w->conf;

	if (c->socket || !env->socket_kept)
		return 0;
	c->socket = strdup(env->socket_kept);
	if (!c->fifo && env->fifo_kept)
		c->fifo = strdup(env->fifo_kept);
	return c->socket && (c->fifo || !env->fifo_kept) ? 0 : -ENOMEM;
}

int defaults_complete(struct walk *w)
{
	struct conf *c = w->conf;

	if (keep_templates(w) || override_socket(w))
		return -ENOMEM;
	if (!c->addr)
		c->addr = strdup(DEFAULT_ADDR);
	if (!c->cluster)
		c->cluster = strdup(DEFAULT_CLUSTER);
	if (!c->host)
		c->host = default_host(w->env);
	if (!c->socket)
		c->socket = default_socket(w->env);
	if (c->socket && !c->fifo)
		c->fifo = default_fifo(c->socket);
	return c->addr && c->cluster && c->host && c->socket && c->fifo ? 0 : -ENOMEM;
}

/* dir/netcluster/ncserver.conf, if it exists. */
static char *find_in(const char *dir, const char *below)
{
	char *path;

	if (asprintf(&path, "%s%s/netcluster/ncserver.conf", dir, below) < 0)
		return NULL;
	if (!access(path, F_OK))
		return path;
	free(path);
	return NULL;
}

char *conf_find(const struct conf_env *env)
{
	const char *named = secure_getenv("NCSERVER_CONF"), *dir;
	uid_t uid = env ? env->uid : geteuid();
	char *path = NULL;

	/* whoever names a file wants to hear that it is not there */
	if (named && *named)
		return strdup(named);
	if (uid != 0) {
		dir = secure_getenv("XDG_CONFIG_HOME");
		if (dir && *dir == '/')
			path = find_in(dir, "");
		else if ((dir = secure_getenv("HOME")))
			path = find_in(dir, "/.config");
	}
	return path ? path : find_in(CONF_SYSCONFDIR, "");
}
