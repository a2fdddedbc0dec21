/* options.h - the command line that all benchmark programs share */
#ifndef NC_BENCH_OPTIONS_H
#define NC_BENCH_OPTIONS_H

#include "bench/bench.h"

/* Returns 0; 1 where help was printed; -1 where it is wrong, which is said on stderr. */
int options_parse(struct bench_options *o, int argc, char **argv);

#endif
