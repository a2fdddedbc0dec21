/* zmq_ends.h - clients of ZeroMQ, with a proxy between them or without */
#ifndef NC_BENCH_ZMQ_ENDS_H
#define NC_BENCH_ZMQ_ENDS_H

#include "bench/bench.h"

/* Publishers connect to "in" in the daemon's folder, and subscribers to "out", where a proxy binds
 * both; without one there is a single publisher, which binds "out". */
void zmq_ends_use_proxy(void);

void zmq_ends_publish(const struct bench_options *o, const struct daemon *d, struct worker *w);
void zmq_ends_subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w);

/* Runs the proxy in the current folder until it is killed. */
int zmq_ends_proxy(void);

#endif
