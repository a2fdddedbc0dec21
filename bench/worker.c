/* worker.c - one process of a run: where it runs, how it waits for the others, when it sends */

#include "bench/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

const char *const worker_names[] = {"publisher", "subscriber", "ping", "pong", "crowd"};

void worker_fail(const char *what, int err)
{
	if (err > 0)
		fprintf(stderr, "bench: %s: %s\n", what, strerror(err));
	else
		fprintf(stderr, "bench: %s\n", what);
	_exit(EXIT_FAILURE);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t bench_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* ---- ready, and go ---- */

static void tell_ready(struct worker *w)
{
	w->is_ready = true;
	if (write(w->ready_fd, "r", 1) != 1)
		worker_fail("pipe", errno);
}

static void begin(struct worker *w)
{
	w->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	w->begin_ns = bench_now_ns();
}

static void wait_go(struct worker *w)
{
	char byte;

	while (read(w->go_fd, &byte, 1) < 0 && errno == EINTR)
		;
	begin(w);
}

void worker_ready(struct worker *w)
{
	tell_ready(w);
	wait_go(w);
}

void worker_listens(const struct bench_options *o, struct worker *w)
{
	tell_ready(w);
	if (o->has_hello)
		begin(w);
	else
		wait_go(w);
}

void worker_publishes(const struct bench_options *o, struct worker *w, uint8_t *payload,
                      bench_send *send, void *end)
{
	struct pollfd go = {.fd = w->go_fd, .events = POLLIN};

	tell_ready(w);
	while (o->has_hello && poll(&go, 1, BENCH_HELLO_NAP_MS) == 0) {
		check_put(payload, o->text, CHECK_HELLO);
		send(end, payload, o->len);
	}
	wait_go(w);
}

/* ---- at a rate ---- */

void worker_paces(const struct bench_options *o, struct worker *w, uint8_t *payload, uint64_t i)
{
	uint64_t due_ns = w->begin_ns + i * 1000000000 / o->rate;
	struct timespec due = {.tv_sec = (time_t)(due_ns / 1000000000),
	                       .tv_nsec = (long)(due_ns % 1000000000)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
		;
	check_put(payload + check_tag_len(o->text), o->text, bench_now_ns());
}

/* ---- the process ---- */

/* top and perf tell the workers apart by this. */
static void set_name(const struct worker *w)
{
	char name[16];

	snprintf(name, sizeof(name), "%.10s-%u", worker_names[w->role], w->id);
	(void)prctl(PR_SET_NAME, name);
}

static void enter_netns(const struct bench_options *o, const struct worker *w)
{
	bool is_sender = w->role == BENCH_PUBLISHER || w->role == BENCH_PING;
	unsigned i = is_sender || o->n_netns == 1 ? 0 : 1 + w->id % (o->n_netns - 1);
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", o->netns[i]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		worker_fail(path, errno);
	close(fd);
}

void worker_run(const struct bench_kind *k, const struct bench_options *o, const struct daemon *d,
                struct worker *w)
{
	set_name(w);
	if (o->n_netns)
		enter_netns(o, w);
	/* what sleeps until a message is due wakes up when it is */
	if (o->work == BENCH_DELAY)
		(void)prctl(PR_SET_TIMERSLACK, 1);
	switch (w->role) {
	case BENCH_PUBLISHER: k->publish(o, d, w); break;
	case BENCH_SUBSCRIBER: k->subscribe(o, d, w); break;
	case BENCH_PING: k->ping(o, d, w); break;
	case BENCH_PONG: k->pong(o, d, w); break;
	case BENCH_CROWD: k->crowd(o, d, w); break;
	}
	if (!w->end_ns)
		w->end_ns = bench_now_ns();
	w->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - w->cpu_ns;
	w->is_done = true;
	(void)!write(w->ready_fd, "d", 1);
	/* who has sent may have to repair, and who has heard to acknowledge, until all is over */
	while (k->is_mesh)
		(void)pause();
}
