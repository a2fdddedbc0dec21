/* server.c - the running daemon: its making and its end */
#include "config.h"

#include "ncserver/io/server.h"

#include "mesh/crypto.h"
#include "ncserver/io/configure.h"
#include "ncserver/io/fault.h"
#include "ncserver/io/loop.h"
#include "ncserver/io/net.h"
#include "ncserver/io/names.h"
#include "ncserver/io/options.h"
#include "ncserver/io/process.h"
#include "ncserver/io/signals.h"
#include "ncserver/io/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* ---- what the bus asks for ---- */

static void env_dump(void *arg, const char *channel, const char *text, size_t len)
{
	struct server *s = arg;

	console_packet(&s->console, channel, text, len);
}

static int env_reload(void *arg, const char *text, size_t len, const char *name, char **why)
{
	return configure_reload(arg, text, len, name, why);
}

static enum nc_error env_net(void *arg, const char *what, size_t len, const char *data,
                             size_t data_len, struct buf *out, char **why)
{
	return net_ask(arg, what, len, data, data_len, out, why);
}

static int64_t env_wall_ms(void *arg)
{
	struct timespec ts;

	(void)arg;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static const char *env_user_name(void *arg, uid_t uid)
{
	struct server *s = arg;

	return names_get(s->names, uid, server_now());
}

static void __attribute__((format(printf, 3, 4)))
env_log(void *arg, int level, const char *fmt, ...)
{
	struct server *s = arg;
	va_list args;

	va_start(args, fmt);
	log_vtext(&s->log, level, fmt, fmt, args);
	va_end(args);
}

static int open_env(struct server *s, const struct conf *conf)
{
	struct bus_env *env = &s->env;

	snprintf(s->host, sizeof(s->host), "%s", conf->host);
	env->arg = s;
	env->host = s->host;
	env->version = "ncserver " PACKAGE_VERSION;
	env->uid = geteuid();
	env->pid = getpid();
	env->flush = loop_flush;
	env->dump = env_dump;
	env->reload = env_reload;
	env->net = env_net;
	env->wall_ms = env_wall_ms;
	env->user_name = env_user_name;
	env->log = env_log;
	if (getrandom(env->boot, sizeof(env->boot), 0) < 0 ||
	    getrandom(env->hash_key, sizeof(env->hash_key), 0) < 0)
		return -errno;
	return 0;
}

/* ---- start ---- */

static void open_outputs(struct server *s, const struct options *opt)
{
	const struct notify_env env = {
	        .socket = getenv("NOTIFY_SOCKET"),
	        .watchdog_usec = getenv("WATCHDOG_USEC"),
	        .watchdog_pid = getenv("WATCHDOG_PID"),
	};
	int err;

	log_init(&s->log, STDERR_FILENO, opt->log_level >= 0 ? opt->log_level : LOG_LEVEL_INFO,
	         getenv("JOURNAL_STREAM"));
	console_init(&s->console, STDOUT_FILENO);
	err = notify_init(&s->notify, &env);
	if (err)
		log_warning(&s->log, "cannot notify the service manager",
		            log_str("NOTIFY_SOCKET", env.socket), log_err(err));
}

static int read_conf(struct server *s, struct conf **conf, struct fault *f)
{
	struct conf_problems problems = {0};
	int err = source_read(&s->source, conf, &problems);

	source_log_problems(&s->log, &problems);
	if (err > 0)
		fault_set(f, problems.is_unreadable ? EX_NOINPUT : EX_CONFIG,
		          "the configuration has %zu error%s (ncserver --check-config)",
		          problems.n_errors, problems.n_errors == 1 ? "" : "s");
	conf_problems_fini(&problems);
	return err;
}

static void tell_unused(void *arg, const struct activated *one)
{
	struct server *s = arg;

	log_warning(&s->log, "a socket that was handed over is not used, closing it",
	            log_int("fd", one->fd), log_str("name", one->name), log_str("path", one->path),
	            log_str("why", one->fault ? one->fault : "no channel has this path"));
}

static int open_loop(struct server *s)
{
	const struct activate_env env = {
	        .fds = getenv("LISTEN_FDS"),
	        .pid = getenv("LISTEN_PID"),
	        .names = getenv("LISTEN_FDNAMES"),
	};
	int err = activation_init(&s->activation, &env);

	if (!err)
		err = loop_open(s);
	if (!err)
		err = signals_open(s);
	if (err)
		return err;
	s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return s->reserve_fd < 0 ? -errno : 0;
}

static int start(struct server *s, struct fault *f)
{
	struct conf *conf = NULL;
	int err = open_loop(s);

	if (!err)
		err = read_conf(s, &conf, f);
	if (err)
		return err;
	log_set_level(&s->log, conf->log_level);
	err = open_env(s, conf);
	if (!err)
		err = names_open(&s->names, &s->loop, s->env.hash_key);
	if (!err)
		err = configure(s, conf, f);
	/* FIFOs are its own */
	(void)names_get(s->names, s->env.uid, server_now());
	if (err)
		conf_free(conf);
	return err;
}

static void announce(struct server *s, const struct options *opt)
{
	const struct conf *conf = bus_conf(s->bus);
	char status[128];

	activation_fini(&s->activation, tell_unused, s);
	s->state = SERVER_RUNNING;
	log_info(&s->log, "ready", log_str("version", s->env.version),
	         log_str("file", conf->file ? conf->file : "(built-in default)"),
	         log_uint("channels", conf->n_channels), log_str("host", conf->host));
	snprintf(status, sizeof(status), "Serving %zu channels", conf->n_channels);
	notify_ready(&s->notify, status);
	loop_start_watchdog(s, s->notify.watchdog_ns);
	if (opt->ready_fd >= 0)
		process_tell_ready(opt->ready_fd);
}

int server_start(struct server *s, const struct options *opt, struct fault *f)
{
	int err;

	memset(s, 0, sizeof(*s));
	s->reserve_fd = -1;
	list_init(&s->conns);
	list_init(&s->starved);
	list_init(&s->settling);
	list_init(&s->ending);
	list_init(&s->listeners);
	list_init(&s->fifos);
	source_init(&s->source, opt);
	open_outputs(s, opt);
	err = start(s, f);
	if (err < 0)
		fault_set(f, EX_OSERR, "cannot start: %s", strerror(-err));
	if (err) {
		log_error(&s->log, "not started", log_str("error", f->text));
		s->state = SERVER_STOPPED;
		if (s->is_open)
			loop_close(s);
		return 1;
	}
	announce(s, opt);
	return 0;
}

void server_run(struct server *s)
{
	loop_run(s);
}

void server_fini(struct server *s)
{
	if (s->is_open) {
		uv_run(&s->loop, UV_RUN_DEFAULT);
		uv_loop_close(&s->loop);
	}
	if (s->bus)
		bus_free(s->bus);
	activation_fini(&s->activation, NULL, NULL);
	if (s->reserve_fd >= 0)
		close(s->reserve_fd);
	crypto_free(s->crypto);
	notify_fini(&s->notify);
	console_fini(&s->console);
	log_fini(&s->log);
}
