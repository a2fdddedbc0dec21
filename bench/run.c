/* run.c - one run: processes that wait for each other, and what came of it
 *
 * Workers live in memory shared with the parent. Each writes a byte to a pipe when it is ready and
 * one when it is done; all wait for the end of a second pipe, which the parent closes. The parent
 * sleeps meanwhile, but for a look at the counts ten times a second: where none of them moves for
 * BENCH_SILENCE_MS, what is missing is lost.
 */
#include "bench/worker.h"

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
	uint64_t cut_ns; /* when it ends at the latest; 0: no such time */
	bool is_cut;
};

static void *shared(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		worker_fail("shared memory", errno);
	return p;
}

/* ---- its processes ---- */

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
	worker_run(r->kind, r->o, r->d, w);
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

static bool run_has_heard(const struct run *r, const volatile struct worker *w)
{
	return !r->o->has_hello || w->role != BENCH_SUBSCRIBER || w->check.has_heard;
}

static bool run_all(const struct run *r, bool ready, enum bench_role role)
{
	for (unsigned i = 0; i < r->n_workers; i++) {
		const volatile struct worker *w = &r->workers[i];

		if (ready ? !w->is_ready || !run_has_heard(r, w) : w->role == role && !w->is_done)
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

static void run_tell_missing(const struct run *r)
{
	for (unsigned i = 0; i < r->n_workers; i++) {
		const struct worker *w = &r->workers[i];

		if (!w->is_ready)
			fprintf(stderr, "bench: %s %u is not ready\n", worker_names[w->role],
			        w->id);
		else if (!run_has_heard(r, w))
			fprintf(stderr, "bench: subscriber %u heard no hello of the publisher\n",
			        w->id);
	}
}

static int run_nap_ms(const struct run *r, int at_most_ms)
{
	uint64_t now_ns = bench_now_ns(), left_ms;

	if (!r->cut_ns)
		return at_most_ms;
	left_ms = r->cut_ns > now_ns ? (r->cut_ns - now_ns) / 1000000 + 1 : 0;
	return left_ms < (uint64_t)at_most_ms ? (int)left_ms : at_most_ms;
}

/* Waits until all are ready, or all of a role are done. Or until it is cut off. Returns 0 or -1. */
static int run_wait(struct run *r, bool ready, enum bench_role role)
{
	struct pollfd p = {.fd = r->tell[0], .events = POLLIN};
	uint64_t seen = 0, since_ns = bench_now_ns();
	int limit_ms = ready ? READY_MS : BENCH_SILENCE_MS;
	/* the first hello comes to no pipe */
	int nap_ms = ready && r->o->has_hello ? BENCH_HELLO_NAP_MS : 100;

	if (ready && r->o->has_hello)
		limit_ms = BENCH_HELLO_MS;
	while (!run_all(r, ready, role)) {
		uint64_t now_ns, n;
		char bytes[64];

		if (poll(&p, 1, run_nap_ms(r, nap_ms)) > 0)
			(void)!read(p.fd, bytes, sizeof(bytes));
		if (run_any_died(r) && !run_all(r, ready, role))
			return -1;
		now_ns = bench_now_ns();
		if (r->cut_ns && now_ns >= r->cut_ns) {
			r->is_cut = true;
			return 0;
		}
		n = run_progress(r);
		if (n != seen) {
			seen = n;
			since_ns = now_ns;
		}
		if (now_ns - since_ns > (uint64_t)limit_ms * 1000000) {
			r->is_silent = true;
			if (ready)
				run_tell_missing(r);
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
	if (r->o->cut_ms)
		r->cut_ns = bench_now_ns() + (uint64_t)r->o->cut_ms * 1000000;
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

/* ---- times ---- */

static int compare_times(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double percentile(const uint32_t *sorted, uint64_t n, double p)
{
	return n ? sorted[(uint64_t)((double)(n - 1) * p)] / 1e3 : 0;
}

static void sum_up_times(uint32_t *ns, uint64_t n, struct bench_result *res)
{
	qsort(ns, n, sizeof(*ns), compare_times);
	res->n_rounds = n;
	res->p50_us = percentile(ns, n, 0.5);
	res->p90_us = percentile(ns, n, 0.9);
	res->p99_us = percentile(ns, n, 0.99);
	res->p999_us = percentile(ns, n, 0.999);
	res->max_us = percentile(ns, n, 1);
}

/* ---- throughput ---- */

static void sum_up(const struct run *r, struct bench_result *res)
{
	uint64_t begin_ns = UINT64_MAX, end_ns = 0;

	for (unsigned i = 0; i < r->n_workers; i++) {
		const struct worker *w = &r->workers[i];

		if (w->role == BENCH_PUBLISHER && w->begin_ns < begin_ns)
			begin_ns = w->begin_ns;
		if (w->role == BENCH_PUBLISHER && w->is_done)
			res->publisher_cpu_s += (double)w->cpu_ns / 1e9;
		if (w->role != BENCH_SUBSCRIBER)
			continue;
		if (w->is_done)
			res->subscriber_cpu_s += (double)w->cpu_ns / 1e9;
		if (w->end_ns > end_ns)
			end_ns = w->end_ns;
		res->n_received += w->check.n_received;
		res->n_disordered += w->check.n_disordered;
		res->n_corrupt += w->check.n_corrupt;
	}
	if (r->is_cut)
		end_ns = r->cut_ns;
	else if (!end_ns)
		end_ns = bench_now_ns();
	res->is_cut = r->is_cut;
	res->n_published =
	        r->is_cut ? res->n_received / r->o->n_subs : r->o->n_messages * r->o->n_pubs;
	res->n_expected = r->is_cut ? res->n_received : res->n_published * r->o->n_subs;
	res->n_lost = res->n_expected > res->n_received ? res->n_expected - res->n_received : 0;
	res->seconds = end_ns > begin_ns ? (double)(end_ns - begin_ns) / 1e9 : 0;
}

/* The share of all that were to come. */
static double in_time(const struct check *k, uint64_t n_sorted)
{
	uint64_t n = 0;

	while (n < n_sorted && k->delay_ns[n] <= BENCH_IN_TIME_NS)
		n++;
	return k->n_wanted ? (double)n / (double)k->n_wanted : 0;
}

/* What the subscriber heard that heard most late. */
static void sum_up_delays(const struct run *r, struct bench_result *res)
{
	double planned_ns = (double)r->o->n_messages / r->o->rate * 1e9;

	res->kept = res->in_time = 1;
	for (unsigned i = 0; i < r->n_workers; i++) {
		const struct worker *w = &r->workers[i];
		const struct check *k = &w->check;
		double took_ns = (double)(w->end_ns - w->begin_ns) - BENCH_LATE_MS * 1e6;
		struct bench_result one = {0};
		double share;
		uint64_t n;

		if (w->role == BENCH_PUBLISHER && took_ns * res->kept > planned_ns)
			res->kept = planned_ns / took_ns;
		if (!k->delay_ns || !k->n_received)
			continue;
		n = k->n_received < k->n_wanted ? k->n_received : k->n_wanted;
		sum_up_times(k->delay_ns, n, &one);
		share = in_time(k, n);
		res->in_time = share < res->in_time ? share : res->in_time;
		if (one.p99_us < res->p99_us)
			continue;
		res->n_rounds = one.n_rounds;
		res->p50_us = one.p50_us;
		res->p90_us = one.p90_us;
		res->p99_us = one.p99_us;
		res->p999_us = one.p999_us;
		res->max_us = one.max_us;
	}
}

static void start_ends(struct run *r, const uint8_t *filler, uint32_t *delay_ns)
{
	const struct bench_options *o = r->o;
	uint64_t n_wanted = o->n_messages * o->n_pubs;

	for (unsigned i = 0; i < o->n_subs; i++) {
		struct check *k = &r->workers[i].check;

		check_init(k, filler, o->len, o->text, n_wanted);
		if (delay_ns)
			k->delay_ns = delay_ns + i * n_wanted;
		worker_start(r, BENCH_SUBSCRIBER, i);
	}
	/* publishers find their filler at the same place as subscribers */
	for (unsigned i = 0; i < o->n_pubs; i++) {
		check_init(&r->workers[r->n_workers].check, filler, o->len, o->text, 0);
		worker_start(r, BENCH_PUBLISHER, i);
	}
}

int run_throughput(const struct bench_kind *k, const struct bench_options *o, struct daemon *d,
                   struct bench_result *res)
{
	size_t times_len = o->n_messages * o->n_pubs * o->n_subs * sizeof(uint32_t);
	uint32_t *delay_ns = o->work == BENCH_DELAY ? shared(times_len) : NULL;
	const uint8_t *filler = check_filler(o->len);
	struct run r;
	double cpu_s;
	int ret;

	if (run_init(&r, k, o, d))
		return -1;
	start_ends(&r, filler, delay_ns);
	ret = run_wait(&r, true, BENCH_SUBSCRIBER);
	if (ret == 0) {
		cpu_s = daemon_cpu_s(d);
		run_go(&r);
		ret = run_wait(&r, false, BENCH_SUBSCRIBER);
		res->cpu_s = daemon_cpu_s(d) - cpu_s;
		/* they may still be on their way out */
		if (ret == 0 && !r.is_silent && !r.is_cut)
			(void)run_wait(&r, false, BENCH_PUBLISHER);
		sum_up(&r, res);
		if (delay_ns)
			sum_up_delays(&r, res);
	}
	run_fini(&r);
	if (delay_ns)
		munmap(delay_ns, times_len);
	free((void *)filler);
	return ret;
}

/* ---- latency ---- */

int run_latency(const struct bench_kind *k, const struct bench_options *o, struct daemon *d,
                struct bench_result *res)
{
	size_t rounds_len = o->n_messages * sizeof(uint32_t);
	uint32_t *round_ns = shared(rounds_len);
	struct worker *ping;
	struct run r;
	double cpu_s;
	int ret;

	if (run_init(&r, k, o, d))
		return -1;
	ping = &r.workers[1];
	worker_start(&r, BENCH_PONG, 0);
	ping->round_ns = round_ns;
	worker_start(&r, BENCH_PING, 0);
	ret = run_wait(&r, true, BENCH_PING);
	if (ret == 0) {
		cpu_s = daemon_cpu_s(d);
		run_go(&r);
		ret = run_wait(&r, false, BENCH_PING);
		res->cpu_s = daemon_cpu_s(d) - cpu_s;
	}
	if (ret == 0 && ping->is_done)
		sum_up_times(round_ns, o->n_messages, res);
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
	uint64_t since_ns;
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
	since_ns = bench_now_ns();
	res->idle_cpu_s = -daemon_cpu_s(d);
	res->n_wakeups = daemon_wakeups(d);
	nanosleep(&nap, NULL);
	nanosleep(&nap, NULL);
	res->n_wakeups = daemon_wakeups(d) - res->n_wakeups;
	res->idle_cpu_s += daemon_cpu_s(d);
	res->idle_s = (double)(bench_now_ns() - since_ns) / 1e9;
	run_fini(&r);
	return ret;
}
