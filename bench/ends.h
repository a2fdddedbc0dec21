/* ends.h - the clients of ncbench, in both dialects: as in struct bench_kind */
#ifndef NC_BENCH_ENDS_H
#define NC_BENCH_ENDS_H

#include "bench/bench.h"

/* The socket that this process connects to. */
static inline const char *end_at(const struct bench_options *o, const struct daemon *d,
                                 const struct worker *w)
{
	bool is_far = o->n_far && (w->role == BENCH_SUBSCRIBER || w->role == BENCH_PONG);

	return is_far ? o->far[w->id % o->n_far] : d->at;
}

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
