/* ends.h - the clients of ncbench, in both dialects: as in struct bench_kind */
#ifndef NC_BENCH_ENDS_H
#define NC_BENCH_ENDS_H

#include "bench/bench.h"

void native_publish(const struct bench_options *o, const struct daemon *d, struct worker *w);
void native_subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w);
void native_ping(const struct bench_options *o, const struct daemon *d, struct worker *w);
void native_pong(const struct bench_options *o, const struct daemon *d, struct worker *w);
void native_crowd(const struct bench_options *o, const struct daemon *d, struct worker *w);

void json_publish(const struct bench_options *o, const struct daemon *d, struct worker *w);
void json_subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w);
void json_ping(const struct bench_options *o, const struct daemon *d, struct worker *w);
void json_pong(const struct bench_options *o, const struct daemon *d, struct worker *w);

#endif
