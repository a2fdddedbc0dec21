/* signals.c - what signals mean to a server */
#include "ncserver/io/signals.h"

#include "ncserver/bus/bus.h"
#include "ncserver/io/configure.h"
#include "ncserver/io/server.h"

#include <signal.h>

static const int numbers[SERVER_N_SIGNALS] = {
        [SERVER_SIGTERM] = SIGTERM,
        [SERVER_SIGINT] = SIGINT,
        [SERVER_SIGHUP] = SIGHUP,
        [SERVER_SIGUSR1] = SIGUSR1,
};

static void tell_counters(struct server *s)
{
	const struct bus_io_counters *n = s->counters;

	log_notice(&s->log, LOG_LEVEL_INFO, "counters",
	           LOG_FIELDS(log_uint("connections", s->n_conns),
	                      log_uint("accepted", n->accepted), log_uint("refused", n->refused),
	                      log_uint("turns", n->turns), log_uint("reads", n->reads),
	                      log_uint("writes", n->writes)));
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct server *s = handle->data;

	switch (number) {
	case SIGTERM: server_stop(s, "SIGTERM"); break;
	case SIGINT: server_stop(s, "SIGINT"); break;
	case SIGHUP: configure_reload(s, NULL, 0, NULL, NULL); break;
	case SIGUSR1: tell_counters(s); break;
	default: break;
	}
}

int signals_open(struct server *s)
{
	for (int i = 0; i < SERVER_N_SIGNALS; i++) {
		int err = uv_signal_init(&s->loop, &s->signals[i]);

		if (err)
			return err;
		s->signals[i].data = s;
		err = uv_signal_start(&s->signals[i], on_signal, numbers[i]);
		if (err)
			return err;
	}
	return 0;
}
