/* worker.h - what run.c needs of a process beside what the kinds call (bench.h) */
#ifndef NC_BENCH_WORKER_H
#define NC_BENCH_WORKER_H

#include "bench/bench.h"

/* In the order of enum bench_role. */
extern const char *const worker_names[];

/* Does the work of its role, in the namespace that is its own. */
void worker_run(const struct bench_kind *k, const struct bench_options *o, const struct daemon *d,
                struct worker *w);

#endif
