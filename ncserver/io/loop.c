/* loop.c - one turn of the loop: from what the bus has decided to what the kernel is told */
#include "ncserver/io/loop.h"

#include "ncserver/bus/bus.h"
#include "ncserver/io/conn.h"
#include "ncserver/io/fifo.h"
#include "ncserver/io/listener.h"
#include "ncserver/io/net.h"
#include "ncserver/io/names.h"
#include "ncserver/io/server.h"
#include "ncserver/io/stop.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

uint64_t server_now(void)
{
	return uv_hrtime();
}

/* ---- the turn ---- */

void loop_bury(struct server *s, struct client *c, uint64_t now)
{
	if (bus_client_lane(c)) {
		net_lane_dead(c, now);
		bus_client_free(s->bus, c);
	} else {
		conn_close(conn_of(c), now);
	}
}

static void empty_lists(struct server *s, uint64_t now)
{
	struct client *c;

	while ((c = bus_next_changed(s->bus))) {
		if (bus_client_lane(c))
			net_lane_update(c, now);
		else
			conn_update(conn_of(c));
	}
	while ((c = bus_next_dirty(s->bus))) {
		if (bus_client_lane(c))
			net_lane_flush(c, now);
		else
			conn_flush_new(conn_of(c), now);
	}
	while ((c = bus_next_dead(s->bus)))
		loop_bury(s, c, now);
}

/* Returns whether something is left that can be done at once. */
static bool work(struct server *s, uint64_t now)
{
	bool more = bus_run_ready(s->bus, now);

	for (unsigned i = 0; i < LOOP_ROUNDS_MAX; i++) {
		empty_lists(s, now);
		/* Writing has made room, for which senders may have waited. */
		more = bus_run_ready(s->bus, now);
		if (!more)
			break;
	}
	return more;
}

static void on_idle(uv_idle_t *handle)
{
	/* That it is active keeps the loop from sleeping; the work is done in on_turn(). */
	(void)handle;
}

static void set_busy(struct server *s, bool is_busy)
{
	if (s->is_busy == is_busy)
		return;
	s->is_busy = is_busy;
	if (is_busy)
		uv_idle_start(&s->busy, on_idle);
	else
		uv_idle_stop(&s->busy);
}

static void on_tick(uv_timer_t *handle)
{
	struct server *s = handle->data;

	s->tick_at = UINT64_MAX;
	bus_tick(s->bus, server_now());
}

static void arm_tick(struct server *s, uint64_t now)
{
	uint64_t at = bus_next_deadline(s->bus), ms;

	if (at == s->tick_at)
		return;
	s->tick_at = at;
	if (at == UINT64_MAX) {
		uv_timer_stop(&s->tick);
		return;
	}
	/* The loop counts from its own idea of now, which is a little behind. */
	uv_update_time(&s->loop);
	ms = at > now ? (at - now + 999999) / 1000000 : 0;
	uv_timer_start(&s->tick, on_tick, ms, 0);
}

static uint64_t work_done(const struct server *s)
{
	return s->counters->reads + s->counters->writes;
}

static void on_look(uv_timer_t *handle)
{
	struct server *s = handle->data;

	if (shrink_look(&s->shrink, bus_memory(s->bus), work_done(s)))
		shrink_heap();
}

static void arm_look(struct server *s)
{
	shrink_note(&s->shrink, bus_memory(s->bus), work_done(s));
	if (shrink_wants_look(&s->shrink) && !uv_is_active((uv_handle_t *)&s->look))
		uv_timer_start(&s->look, on_look, SHRINK_LOOK_MS, 0);
}

static void on_turn(uv_prepare_t *handle)
{
	struct server *s = handle->data;
	uint64_t now = server_now();
	bool more;

	if (s->state == SERVER_STOPPED)
		return;
	s->counters->turns++;
	shrink_note_surge(&s->shrink, bus_memory(s->bus));
	conn_run_settling(s, now);
	net_settle(s);
	more = work(s, now);
	/* Last, since what they wait for may have come about just now. */
	more |= conn_run_ending(s, now);
	more |= net_turn(s, now);
	console_flush(&s->console);
	if (!list_empty(&s->starved) || s->console.buf.len > 0)
		loop_retry_soon(s);
	if (s->state > SERVER_RUNNING)
		stop_turn(s, now);
	if (s->state == SERVER_STOPPED)
		return;
	arm_tick(s, now);
	arm_look(s);
	set_busy(s, more);
}

/* ---- what the kernel refused ---- */

static void on_retry(uv_timer_t *handle)
{
	struct server *s = handle->data;
	struct list *it;

	list_for_each(it, &s->listeners)
		listener_resume(list_entry(it, struct listener, link));
	list_for_each(it, &s->fifos)
		fifo_resume(list_entry(it, struct fifo, link));
	conn_run_starved(s, server_now());
	net_retry(s, server_now());
}

void loop_retry_soon(struct server *s)
{
	if (!uv_is_active((uv_handle_t *)&s->retry))
		uv_timer_start(&s->retry, on_retry, SERVER_RETRY_MS, 0);
}

void loop_flush(void *arg, struct client *client)
{
	(void)arg;
	if (bus_client_lane(client))
		net_lane_flush(client, server_now());
	else if (conn_of(client))
		conn_flush(conn_of(client), server_now());
}

/* ---- moments ---- */

static void on_settle(uv_poll_t *handle, int status, int events)
{
	struct server *s = handle->data;
	uint64_t n;

	(void)status;
	(void)events;
	/* How often it went off does not matter. */
	if (read(s->settle_fd, &n, sizeof(n)) < 0)
		return;
	conn_run_settling(s, server_now());
}

static void on_net_timer(uv_poll_t *handle, int status, int events)
{
	struct server *s = handle->data;
	uint64_t n;

	(void)status;
	(void)events;
	if (read(s->net_timer_fd, &n, sizeof(n)) < 0)
		return;
	s->net_timer_at = UINT64_MAX;
	net_tick(s, server_now());
}

/* A timer that counts nanoseconds; libuv's count milliseconds. */
static int open_timerfd(struct server *s, int *fd, uv_poll_t *poll, uv_poll_cb on)
{
	int err;

	*fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (*fd < 0)
		return -errno;
	err = uv_poll_init(&s->loop, poll, *fd);
	if (err)
		return err;
	poll->data = s;
	return uv_poll_start(poll, UV_READABLE, on);
}

static void on_watchdog(uv_timer_t *handle)
{
	struct server *s = handle->data;

	notify_watchdog(&s->notify);
}

void loop_start_watchdog(struct server *s, uint64_t period_ns)
{
	uint64_t ms = period_ns / 2 / 1000000;

	if (period_ns == 0)
		return;
	uv_timer_start(&s->watchdog, on_watchdog, ms ? ms : 1, ms ? ms : 1);
}

/* ---- the loop ---- */

static void open_timer(struct server *s, uv_timer_t *timer)
{
	uv_timer_init(&s->loop, timer);
	timer->data = s;
}

int loop_open(struct server *s)
{
	int err;

	s->settle_fd = s->net_timer_fd = -1;
	s->settle_at = s->net_timer_at = UINT64_MAX;
	err = uv_loop_init(&s->loop);
	if (err)
		return err;
	s->is_open = true;
	s->tick_at = UINT64_MAX;
	uv_prepare_init(&s->loop, &s->turn);
	s->turn.data = s;
	uv_idle_init(&s->loop, &s->busy);
	s->busy.data = s;
	open_timer(s, &s->tick);
	open_timer(s, &s->retry);
	open_timer(s, &s->watchdog);
	open_timer(s, &s->drain);
	open_timer(s, &s->look);
	uv_prepare_start(&s->turn, on_turn);
	err = open_timerfd(s, &s->settle_fd, &s->settle, on_settle);
	return err ? err : open_timerfd(s, &s->net_timer_fd, &s->net_timer, on_net_timer);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void loop_close(struct server *s)
{
	names_close(s->names);
	s->names = NULL;
	/* What connections and listeners have is being closed by then. */
	uv_walk(&s->loop, close_handle, NULL);
	if (s->settle_fd >= 0)
		close(s->settle_fd);
	if (s->net_timer_fd >= 0)
		close(s->net_timer_fd);
	s->settle_fd = s->net_timer_fd = -1;
}

/* With busy polling the loop asks the kernel again and again for a while, before it sleeps. */
static uv_run_mode mode_of(struct server *s)
{
	uint64_t spin = (uint64_t)bus_conf(s->bus)->busy_poll_us * 1000, now;
	uint64_t work = work_done(s);

	if (spin == 0)
		return UV_RUN_ONCE;
	now = server_now();
	if (work != s->work_seen) {
		s->work_seen = work;
		s->work_at = now;
	}
	return now - s->work_at < spin ? UV_RUN_NOWAIT : UV_RUN_ONCE;
}

void loop_run(struct server *s)
{
	while (uv_run(&s->loop, mode_of(s)) != 0)
		;
}
