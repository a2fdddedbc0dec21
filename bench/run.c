/* run.c - one run: processes that wait for each other, and what came of it
 *
 * Workers live in memory shared with the parent. Each writes a byte to a pipe when it is ready and
 * one when it is done; all wait for the end of a second pipe, which the parent closes. The parent
 * sleeps meanwhile, but for a look at the counts ten times a second: where none of them moves for
 * BENCH_SILENCE_MS, what is missing is lost.
 */
#include "bench/bench.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_MS 60000

struct run {
	const struct bench_kind *kind;
	const struct bench_options *o;
	struct daemon *d;
	struct worker *workers; /* shared */
	unsigned n_workers;
	int tell[2], go[2];
	bool is_silent;
};

uint64_t bench_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *shared(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		worker_fail("shared memory", errno);
	return p;
}

/* ---- a worker ---- */

void worker_fail(const char *what, int err)
{
	if (err > 0)
		fprintf(stderr, "bench: %s: %s\n", what, strerror(err));
	else
		fprintf(stderr, "bench: %s\n", what);
	_exit(EXIT_FAILURE);
}

static uint64_t own_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void worker_ready(struct worker *w)
{
	char byte;

	w->is_ready = true;
	if (write(w->ready_fd, "r", 1) != 1)
		worker_fail("pipe", errno);
	while (read(w->go_fd, &byte, 1) < 0 && errno == EINTR)
		;
	w->cpu_ns = own_cpu_ns();
	w->begin_ns = bench_now_ns();
}

/* top and perf tell the workers apart by this. */
static void worker_name(const struct worker *w)
{
	static const char *const names[] = {"pub", "sub", "ping", "pong", "crowd"};
	char name[16];

	snprintf(name, sizeof(name), "%s-%u", names[w->role], w->id);
	(void)prctl(PR_SET_NAME, name);
}

static void worker_run(const struct run *r, struct worker *w)
{
	const struct bench_kind *k = r->kind;

	worker_name(w);
	switch (w->role) {
	case BENCH_PUBLISHER: k->publish(r->o, r->d, w); break;
	case BENCH_SUBSCRIBER: k->subscribe(r->o, r->d, w); break;
	case BENCH_PING: k->ping(r->o, r->d, w); break;
	case BENCH_PONG: k->pong(r->o, r->d, w); break;
	case BENCH_CROWD: k->crowd(r->o, r->d, w); break;
	}
	w->end_ns = bench_now_ns();
	w->cpu_ns = own_cpu_ns() - w->cpu_ns;
	w->is_done = true;
	(void)!write(w->ready_fd, "d", 1);
}

static void worker_start(struct run *r, enum bench_role role, unsigned id)
{
	struct worker *w = &r->workers[r->n_workers++];
	pid_t parent = getpid(), pid;

	w->role = role;
	w->id = id;
	w->ready_fd = r->tell[1];
	w->go_fd = r->go[0];
	pid = fork();
	if (pid < 0)
		worker_fail("fork", errno);
	if (pid) {
		w->pid = pid;
		return;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	close(r->tell[0]);
	close(r->go[1]);
	worker_run(r, w);
	/* libraries of peers have threads that must not be waited for */
	_exit(EXIT_SUCCESS);
}

/* ---- the parent ---- */

static int run_init(struct run *r, const struct bench_kind *k, const struct bench_options *o,
                    struct daemon *d)
{
	*r = (struct run){.kind = k, .o = o, .d = d};
	r->workers = shared(sizeof(struct worker) * 2 * BENCH_WORKERS_MAX);
	if (pipe(r->tell) || pipe(r->go)) {
		perror("bench: pipe");
		return -1;
	}
	return 0;
}

static bool run_all(const struct run *r, bool ready, enum bench_role role)
{
	for (unsigned i = 0; i < r->n_workers; i++) {
		const volatile struct worker *w = &r->workers[i];

		if (ready ? !w->is_ready : w->role == role && !w->is_done)
			return false;
	}
	return true;
}

static bool run_any_died(const struct run *r)
{
	int status;

	for (unsigned i = 0; i < r->n_workers; i++) {
		struct worker *w = &r->workers[i];

		if (w->pid <= 0 || waitpid(w->pid, &status, WNOHANG) != w->pid)
			continue;
		w->pid = 0;
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			return true;
	}
	return false;
}

static uint64_t run_progress(const struct run *r)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < r->n_workers; i++) {
		const volatile struct worker *w = &r->workers[i];

		n += w->check.n_received + w->n_rounds;
	}
	return n;
}

/* Waits until all are ready, or all of a role are done. Returns 0 or -1. */
static int run_wait(struct run *r, bool ready, enum bench_role role)
{
	struct pollfd p = {.fd = r->tell[0], .events = POLLIN};
	uint64_t seen = 0, since_ns = bench_now_ns();
	int limit_ms = ready ? READY_MS : BENCH_SILENCE_MS;

	while (!run_all(r, ready, role)) {
		uint64_t now_ns, n;
		char bytes[64];

		if (poll(&p, 1, 100) > 0)
			(void)!read(p.fd, bytes, sizeof(bytes));
		if (run_any_died(r) && !run_all(r, ready, role))
			return -1;
		now_ns = bench_now_ns();
		n = run_progress(r);
		if (n != seen) {
			seen = n;
			since_ns = now_ns;
		}
		if (now_ns - since_ns > (uint64_t)limit_ms * 1000000) {
			r->is_silent = true;
			return ready ? -1 : 0;
		}
	}
	return 0;
}

static void run_go(struct run *r)
{
	/* what connecting stirred up has settled then */
	struct timespec nap = {.tv_nsec = 50000000};

	nanosleep(&nap, NULL);
	close(r->go[1]);
	r->go[1] = -1;
}

static void run_fini(struct run *r)
{
	for (unsigned i = 0; i < r->n_workers; i++) {
		if (r->workers[i].pid <= 0)
			continue;
		kill(r->workers[i].pid, SIGKILL);
		(void)waitpid(r->workers[i].pid, NULL, 0);
	}
	for (int i = 0; i < 2; i++) {
		close(r->tell[i]);
		if (r->go[i] >= 0)
			close(r->go[i]);
	}
	munmap(r->workers, sizeof(struct worker) * 2 * BENCH_WORKERS_MAX);
}

/* ---- throughput ---- */

static void sum_up(const struct run *r, struct bench_result *res)
{
	uint64_t begin_ns = UINT64_MAX, end_ns = 0;

	for (unsigned i = 0; i < r->n_workers; i++) {
		const struct worker *w = &r->workers[i];

		if (w->role == BENCH_PUBLISHER && w->begin_ns < begin_ns)
			begin_ns = w->begin_ns;
		if (w->role == BENCH_PUBLISHER)
			res->publisher_cpu_s += (double)w->cpu_ns / 1e9;
		if (w->role != BENCH_SUBSCRIBER)
			continue;
		res->subscriber_cpu_s += (double)w->cpu_ns / 1e9;
		if (w->end_ns > end_ns)
			end_ns = w->end_ns;
		res->n_received += w->check.n_received;
		res->n_disordered += w->check.n_disordered;
		res->n_corrupt += w->check.n_corrupt;
	}
	if (!end_ns)
		end_ns = bench_now_ns();
	res->n_expected = r->o->n_messages * r->o->n_pubs * r->o->n_subs;
	res->n_lost = res->n_expected > res->n_received ? res->n_expected - res->n_received : 0;
	res->seconds = end_ns > begin_ns ? (double)(end_ns - begin_ns) / 1e9 : 0;
}

int run_throughput(const struct bench_kind *k, const struct bench_options *o, struct daemon *d,
                   struct bench_result *res)
{
	const uint8_t *filler = check_filler(o->len);
	struct run r;
	double cpu_s;
	int ret;

	if (run_init(&r, k, o, d))
		return -1;
	for (unsigned i = 0; i < o->n_subs; i++) {
		check_init(&r.workers[i].check, filler, o->len, o->text, o->n_messages * o->n_pubs);
		worker_start(&r, BENCH_SUBSCRIBER, i);
	}
	/* publishers find their filler at the same place as subscribers */
	for (unsigned i = 0; i < o->n_pubs; i++) {
		check_init(&r.workers[r.n_workers].check, filler, o->len, o->text, 0);
		worker_start(&r, BENCH_PUBLISHER, i);
	}
	ret = run_wait(&r, true, BENCH_SUBSCRIBER);
	if (ret == 0) {
		cpu_s = daemon_cpu_s(d);
		run_go(&r);
		ret = run_wait(&r, false, BENCH_SUBSCRIBER);
		res->cpu_s = daemon_cpu_s(d) - cpu_s;
		/* they may still be on their way out */
		if (ret == 0 && !r.is_silent)
			(void)run_wait(&r, false, BENCH_PUBLISHER);
		sum_up(&r, res);
	}
	run_fini(&r);
	free((void *)filler);
	return ret;
}

/* ---- latency ---- */

static int compare_rounds(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double percentile(const uint32_t *sorted, uint64_t n, double p)
{
	return n ? sorted[(uint64_t)((double)(n - 1) * p)] / 1e3 : 0;
}

static void sum_up_rounds(uint32_t *round_ns, uint64_t n, struct bench_result *res)
{
	qsort(round_ns, n, sizeof(*round_ns), compare_rounds);
	res->n_rounds = n;
	res->p50_us = percentile(round_ns, n, 0.5);
	res->p90_us = percentile(round_ns, n, 0.9);
	res->p99_us = percentile(round_ns, n, 0.99);
	res->p999_us = percentile(round_ns, n, 0.999);
	res->max_us = percentile(round_ns, n, 1);
}

int run_latency(const struct bench_kind *k, const struct bench_options *o, struct daemon *d,
                struct bench_result *res)
{
	size_t rounds_len = o->n_messages * sizeof(uint32_t);
	uint32_t *round_ns = shared(rounds_len);
	struct worker *ping;
	struct run r;
	int ret;

	if (run_init(&r, k, o, d))
		return -1;
	ping = &r.workers[1];
	worker_start(&r, BENCH_PONG, 0);
	ping->round_ns = round_ns;
	worker_start(&r, BENCH_PING, 0);
	ret = run_wait(&r, true, BENCH_PING);
	if (ret == 0) {
		run_go(&r);
		ret = run_wait(&r, false, BENCH_PING);
	}
	if (ret == 0 && ping->is_done)
		sum_up_rounds(round_ns, o->n_messages, res);
	else
		ret = -1;
	run_fini(&r);
	munmap(round_ns, rounds_len);
	return ret;
}

/* ---- idle clients ---- */

int run_idle(const struct bench_kind *k, const struct bench_options *o, struct daemon *d,
             struct bench_result *res)
{
	struct timespec nap = {.tv_nsec = 500000000};
	struct run r;
	int ret;

	nanosleep(&nap, NULL);
	res->rss_kib = daemon_rss_kib(d);
	if (run_init(&r, k, o, d))
		return -1;
	for (unsigned i = 0; i * BENCH_CROWD_MAX < o->n_clients; i++)
		worker_start(&r, BENCH_CROWD, i);
	ret = run_wait(&r, true, BENCH_CROWD);
	nanosleep(&nap, NULL);
	res->rss_full_kib = daemon_rss_kib(d);
	run_fini(&r);
	return ret;
}
