/* stop.c - the end of a server: what was sent is delivered, within a time */
#include "ncserver/io/stop.h"

#include "ncserver/bus/bus.h"
#include "ncserver/conf/conf.h"
#include "ncserver/io/conn.h"
#include "ncserver/io/fifo.h"
#include "ncserver/io/listener.h"
#include "ncserver/io/loop.h"
#include "ncserver/io/net.h"
#include "ncserver/io/server.h"

static void retire_listeners(struct server *s, bool accept_rest)
{
	struct list *it, *next;

	list_for_each_safe(it, next, &s->listeners)
		listener_retire(list_entry(it, struct listener, link), accept_rest);
}

static void on_timeout(uv_timer_t *handle)
{
	struct server *s = handle->data;

	log_warning(&s->log, "not everything was delivered in time",
	            log_str("limit", "drain_timeout"), log_uint("connections", s->n_conns));
	stop_now(s);
}

static void begin(struct server *s, const char *why)
{
	struct list *it, *next;

	log_info(&s->log, "stopping", log_str("why", why), log_uint("connections", s->n_conns));
	notify_stopping(&s->notify, "Stopping");
	s->stop_ns = server_now();
	retire_listeners(s, true);
	list_for_each(it, &s->fifos)
		place_unlink(&list_entry(it, struct fifo, link)->place);
	s->state = SERVER_READING;
	net_hush(s, s->stop_ns);
	list_for_each_safe(it, next, &s->conns)
		conn_read_rest(list_entry(it, struct conn, link));
	uv_timer_start(&s->drain, on_timeout, bus_conf(s->bus)->drain_timeout_ms, 0);
}

void server_stop(struct server *s, const char *why)
{
	if (s->state == SERVER_RUNNING) {
		begin(s, why);
	} else if (s->state == SERVER_READING || s->state == SERVER_WRITING) {
		log_warning(&s->log, "stopping at once", log_str("why", why),
		            log_uint("connections", s->n_conns));
		stop_now(s);
	}
}

void stop_turn(struct server *s, uint64_t now)
{
	struct client *c;

	if (s->state == SERVER_READING && s->n_unread == 0 && list_empty(&s->ending)) {
		s->state = SERVER_WRITING;
		bus_shutdown(s->bus, now);
		while ((c = bus_next_dirty(s->bus)))
			loop_flush(s, c);
	}
	/* the session takes what clients emitted before it is told to end */
	if (s->state == SERVER_WRITING && bus_is_drained(s->bus) && net_is_drained(s, now))
		stop_now(s);
}

void stop_now(struct server *s)
{
	uint64_t now = server_now();
	struct list *it, *next;
	struct client *client;

	s->state = SERVER_STOPPED;
	retire_listeners(s, false);
	list_for_each_safe(it, next, &s->fifos) {
		struct fifo *f = list_entry(it, struct fifo, link);

		place_unlink(&f->place);
		f->is_closing = true;
		if (!f->conn)
			fifo_free(f);
	}
	list_for_each_safe(it, next, &s->conns) {
		struct conn *c = list_entry(it, struct conn, link);

		bus_broken(s->bus, c->client, now);
		conn_close(c, now);
	}
	net_close(s, now);
	while ((client = bus_next_dead(s->bus)))
		loop_bury(s, client, now);
	log_info(&s->log, "stopped", log_uint("ms", (now - s->stop_ns) / 1000000));
	loop_close(s);
}
