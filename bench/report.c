/* report.c - what a run came to, for people and as JSON */

#include "bench/bench.h"

#include <inttypes.h>
#include <stdio.h>

static double rate(const struct bench_result *r)
{
	return r->seconds > 0 ? (double)r->n_received / r->seconds : 0;
}

/* Per million messages that were published, however many heard them. */
static double per_million(const struct bench_result *r, double seconds)
{
	return r->n_published ? seconds * 1e6 / (double)r->n_published : 0;
}

static double client_bytes(const struct bench_options *o, const struct bench_result *r)
{
	return ((double)r->rss_full_kib - (double)r->rss_kib) * 1024 / o->n_clients;
}

/* The rounds that warm up are rounds of the daemon, too. */
static double round_cpu_us(const struct bench_result *r)
{
	return r->cpu_s * 1e6 / (double)(r->n_rounds + BENCH_WARM);
}

static void report_text(const char *name, const struct bench_options *o,
                        const struct bench_result *r)
{
	switch (o->work) {
	case BENCH_DELAY:
		printf("%s: delay at %u messages/s of %zu bytes: p50 %.2f us, p90 %.2f, p99 %.2f, "
		       "p99.9 %.2f, max %.2f, where it is worst\n",
		       name, o->rate * o->n_pubs, o->len, r->p50_us, r->p90_us, r->p99_us,
		       r->p999_us, r->max_us);
		__attribute__((fallthrough));
	case BENCH_THROUGHPUT:
		printf("%s: %.0f messages/s of %zu bytes (%.1f MB/s), %u to %u; %.3f s\n", name,
		       rate(r), o->len, rate(r) * (double)o->len / 1e6, o->n_pubs, o->n_subs,
		       r->seconds);
		if (r->is_cut)
			printf("cut off: what was still on its way does not count\n");
		printf("received %" PRIu64 " of %" PRIu64 ": %" PRIu64 " lost, %" PRIu64
		       " out of order, %" PRIu64 " corrupt\n",
		       r->n_received, r->n_expected, r->n_lost, r->n_disordered, r->n_corrupt);
		printf("CPU for a million messages published: daemon %.4f s, publishers %.4f s, subscribers %.4f s\n",
		       per_million(r, r->cpu_s), per_million(r, r->publisher_cpu_s),
		       per_million(r, r->subscriber_cpu_s));
		break;
	case BENCH_LATENCY:
		printf("%s: round trip of %zu bytes: p50 %.2f us, p90 %.2f, p99 %.2f, p99.9 "
		       "%.2f, max %.2f (%" PRIu64 " rounds); daemon CPU %.2f us each\n",
		       name, o->len, r->p50_us, r->p90_us, r->p99_us, r->p999_us, r->max_us,
		       r->n_rounds, round_cpu_us(r));
		break;
	case BENCH_IDLE:
		printf("%s: %" PRIu64 " KiB idle, %" PRIu64
		       " KiB with %u clients: %.0f bytes each; in %.1f s %" PRIu64
		       " wake-ups, %.2f ms of CPU\n",
		       name, r->rss_kib, r->rss_full_kib, o->n_clients, client_bytes(o, r),
		       r->idle_s, r->n_wakeups, r->idle_cpu_s * 1e3);
		break;
	case BENCH_START:
		printf("%s: %.2f ms from start to first connection, %" PRIu64 " KiB idle\n", name,
		       r->start_ms, r->rss_kib);
		break;
	}
}

static void report_json_times(const struct bench_result *r)
{
	printf(",\"rounds\":%" PRIu64
	       ",\"p50_us\":%.3f,\"p90_us\":%.3f,\"p99_us\":%.3f,\"p999_us\":%.3f,\"max_us\":%.3f",
	       r->n_rounds, r->p50_us, r->p90_us, r->p99_us, r->p999_us, r->max_us);
}

static void report_json(const char *name, const struct bench_options *o,
                        const struct bench_result *r)
{
	printf("{\"name\":\"%s\",\"ok\":%s", name, r->is_failed ? "false" : "true");
	switch (o->work) {
	case BENCH_DELAY:
		report_json_times(r);
		printf(",\"rate_kept\":%.3f,\"in_time\":%.4f", r->kept, r->in_time);
		__attribute__((fallthrough));
	case BENCH_THROUGHPUT:
		printf(",\"work\":\"%s\",\"publishers\":%u,\"subscribers\":%u,\"bytes\":"
		       "%zu,\"messages\":%" PRIu64 ",\"cut\":%s,\"seconds\":%.6f,\"rate\":%.1f",
		       o->work == BENCH_DELAY ? "delay" : "throughput", o->n_pubs, o->n_subs,
		       o->len, o->n_messages, r->is_cut ? "true" : "false", r->seconds, rate(r));
		printf(",\"received\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"disordered\":%" PRIu64
		       ",\"corrupt\":%" PRIu64
		       ",\"cpu_s_per_million\":%.6f,\"publisher_cpu_s_per_million\":%.6f,\"subscriber_cpu_s_per_million\":%.6f",
		       r->n_received, r->n_lost, r->n_disordered, r->n_corrupt,
		       per_million(r, r->cpu_s), per_million(r, r->publisher_cpu_s),
		       per_million(r, r->subscriber_cpu_s));
		break;
	case BENCH_LATENCY:
		printf(",\"work\":\"latency\",\"bytes\":%zu", o->len);
		report_json_times(r);
		printf(",\"daemon_cpu_us\":%.3f", round_cpu_us(r));
		break;
	case BENCH_IDLE:
		printf(",\"work\":\"idle\",\"clients\":%u,\"rss_kib\":%" PRIu64
		       ",\"rss_full_kib\":%" PRIu64
		       ",\"client_bytes\":%.1f,\"idle_s\":%.3f,\"idle_cpu_s\":%.6f,\"wakeups\":%" PRIu64,
		       o->n_clients, r->rss_kib, r->rss_full_kib, client_bytes(o, r), r->idle_s,
		       r->idle_cpu_s, r->n_wakeups);
		break;
	case BENCH_START:
		printf(",\"work\":\"start\",\"start_ms\":%.3f,\"rss_kib\":%" PRIu64, r->start_ms,
		       r->rss_kib);
		break;
	}
	printf("}\n");
}

void report(const char *name, const struct bench_options *o, const struct bench_result *r)
{
	if (o->json)
		report_json(name, o, r);
	else if (!r->is_failed || r->n_expected)
		report_text(name, o, r);
}
