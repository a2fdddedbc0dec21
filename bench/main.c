/* main.c - what all benchmark programs do in the same way */

#include "bench/bench.h"
#include "bench/options.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static int pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return 0;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		return 0;
	fprintf(stderr, "bench: CPU %d: %s\n", cpu, strerror(errno));
	return -1;
}

/* The clients run on all CPUs but the daemon's, which has been started. */
static int leave(int cpu, const cpu_set_t *all)
{
	cpu_set_t set = *all;

	if (cpu < 0)
		return 0;
	CPU_CLR((size_t)cpu, &set);
	if (CPU_COUNT(&set) && sched_setaffinity(0, sizeof(set), &set) == 0)
		return 0;
	fprintf(stderr, "bench: there is no CPU but %d for the clients\n", cpu);
	return -1;
}

/* Thousands of clients need as many descriptors, here and in the daemon that inherits the limit. */
static void lift_limits(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l))
		return;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
}

static int run(const struct bench_kind *k, const struct bench_options *o, struct daemon *d,
               struct bench_result *r)
{
	struct timespec nap = {.tv_nsec = 300000000};

	switch (o->work) {
	case BENCH_THROUGHPUT:
	case BENCH_DELAY: return run_throughput(k, o, d, r);
	case BENCH_LATENCY: return run_latency(k, o, d, r);
	case BENCH_IDLE: return run_idle(k, o, d, r);
	case BENCH_START:
		nanosleep(&nap, NULL);
		r->start_ms = d->start_ms;
		r->rss_kib = daemon_rss_kib(d);
		return 0;
	}
	return -1;
}

static bool is_possible(const struct bench_kind *k, const struct bench_options *o,
                        const struct daemon *d)
{
	const char *lacks = NULL;

	if (o->work == BENCH_START && !d->is_own)
		lacks = "start: there is no daemon to be started (ncbench: --server)";
	else if (o->work == BENCH_IDLE && !k->crowd)
		lacks = "idle: not for this one";
	else if (o->work == BENCH_DELAY && !k->is_stamped)
		lacks = "delay: not for this one";
	else if (o->work == BENCH_LATENCY && !k->ping)
		lacks = "latency: not for this one";
	if (lacks)
		fprintf(stderr, "%s: %s\n", k->name, lacks);
	return !lacks;
}

int bench_main(const struct bench_kind *k, int argc, char **argv)
{
	struct bench_options o;
	struct bench_result r = {0};
	struct daemon d = {0};
	int ret = options_parse(&o, argc, argv);
	cpu_set_t all;

	if (ret)
		return ret > 0 ? EXIT_SUCCESS : 2;
	o.has_hello = k->is_mesh || o.n_far;
	signal(SIGPIPE, SIG_IGN);
	lift_limits();
	if (pin(o.cpu) || sched_getaffinity(0, sizeof(all), &all) || pin(o.daemon_cpu))
		return EXIT_FAILURE;
	if (k->find && !o.server) {
		if (k->find(&o, &d))
			return EXIT_FAILURE;
		if (o.pid)
			d.pid = o.pid;
	} else if (k->prepare) {
		daemon_dir(&d);
		k->prepare(&o, &d);
		if (daemon_start(&d))
			return EXIT_FAILURE;
	}
	ret = is_possible(k, &o, &d) && !leave(o.daemon_cpu, &all) ? run(k, &o, &d, &r) : -1;
	if (o.work == BENCH_DELAY && ret == 0 && r.kept < BENCH_KEPT_MIN) {
		fprintf(stderr, "%s: publishers kept only %.0f%% of their rate\n", k->name,
		        r.kept * 100);
		ret = -1;
	}
	r.is_failed = ret || r.n_corrupt || (!k->is_lossy && (r.n_lost || r.n_disordered));
	report(k->name, &o, &r);
	daemon_stop(&d);
	return r.is_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
