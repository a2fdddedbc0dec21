/*
 * Simulates hosts of the mesh
 *
 * usage: sim [--scenario NAME|all] [--seed N] [--runs N] [--nodes N] [--verbose] [--trace]
 *        sim --list | --seeds FILE | --seconds N | --scale [--nodes N] | --self-test
 *
 * A run is decided by its scenario, its seed and its number of hosts: the same three, the very same
 * run. Where something that must hold does not, these are printed, with what it was and when.
 */

#include "t/sim/scale.h"
#include "t/sim/scenario.h"
#include "t/sim/selftest.h"
#include "t/sim/world.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct scenario *const tables[] = {scenarios_traffic, scenarios_hosts,
                                                scenarios_hostile, scenarios_time};
#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

struct options {
	const char *scenario;
	const char *seeds;
	uint64_t seed;
	uint64_t runs;
	uint64_t seconds;
	uint32_t nodes;
	bool verbose, trace, scale, selftest;
};

static struct crypto *crypto;
static uint64_t n_runs, n_failed, n_events, n_delivered;

static const struct scenario *find(const char *name)
{
	for (size_t t = 0; t < N_TABLES; t++)
		for (const struct scenario *s = tables[t]; s->name; s++)
			if (!strcmp(s->name, name))
				return s;
	return NULL;
}

static void run(const struct options *o, const struct scenario *s, uint64_t seed, uint32_t nodes)
{
	struct rng r = rng_stream(seed, 3);
	struct world *w;

	if (!nodes)
		nodes = s->n_hosts ? s->n_hosts : (uint32_t)rng_range(&r, 2, 6);
	w = world_new(crypto, seed, nodes, o->trace);
	w->scenario = s->name;
	s->run(w);
	n_runs++;
	n_events += w->n_events;
	n_delivered += w->n_delivered;
	if (w->failed) {
		n_failed++;
		printf("FAILED: %s, seed %llu, %u hosts, at %.6f s: %s\n", s->name,
		       (unsigned long long)seed, nodes, (double)w->failed_at / 1e9, w->why);
	} else if (o->verbose) {
		printf("%s, seed %llu, %u hosts: %.3f s, %llu events, %llu datagrams, %llu lost, "
		       "%llu messages heard, %llu bytes repaired of %llu\n",
		       s->name, (unsigned long long)seed, nodes, (double)w->now / 1e9,
		       (unsigned long long)w->n_events, (unsigned long long)w->net.datagrams,
		       (unsigned long long)w->net.lost[NET_LOST],
		       (unsigned long long)w->n_delivered, (unsigned long long)w->repaired,
		       (unsigned long long)w->to_repair);
	}
	fflush(stdout);
	world_free(w);
}

static uint64_t number(const char *text, const char *option)
{
	char *end;
	unsigned long long v = strtoull(text, &end, 0);

	if (!*text || *end) {
		fprintf(stderr, "sim: %s takes a number\n", option);
		exit(2);
	}
	return v;
}

/* Each line: scenario, seed, hosts (0: as the scenario and the seed have it); # begins a remark. */
static void run_seeds(const struct options *o)
{
	FILE *f = fopen(o->seeds, "r");
	char line[256], name[64];
	unsigned long long seed;
	unsigned nodes;

	if (!f) {
		perror(o->seeds);
		exit(2);
	}
	while (fgets(line, sizeof(line), f)) {
		const struct scenario *s;

		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (sscanf(line, "%63s %llu %u", name, &seed, &nodes) != 3 || !(s = find(name))) {
			fprintf(stderr, "%s: not a scenario, a seed and a number: %s", o->seeds,
			        line);
			exit(2);
		}
		run(o, s, seed, nodes);
	}
	fclose(f);
}

static void list(void)
{
	for (size_t t = 0; t < N_TABLES; t++)
		for (const struct scenario *s = tables[t]; s->name; s++)
			printf("%-12s %s%s\n", s->name, s->about,
			       s->is_long ? " (takes long: not part of all)" : "");
}

/* Seed number `i` of each scenario that is part of all. */
static void run_all(const struct options *o, uint64_t i)
{
	for (size_t t = 0; t < N_TABLES; t++)
		for (const struct scenario *s = tables[t]; s->name; s++)
			if (!s->is_long && (!s->runs_max || i < s->runs_max))
				run(o, s, o->seed + i, o->nodes);
}

/* Groups of 2, 10, ... hosts, or of as many as --nodes says. */
static int run_scale(const struct options *o)
{
	static const uint32_t sizes[] = {2, 3, 10, 30, 100, 300, 1000};
	bool holds = true;

	scale_head();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (!o->nodes || o->nodes == sizes[i])
			holds &= scale_run(crypto, o->seed, sizes[i]);
	crypto_free(crypto);
	return holds ? 0 : 1;
}

static void parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
	        {"scenario", required_argument, NULL, 's'}, {"seed", required_argument, NULL, 'n'},
	        {"runs", required_argument, NULL, 'r'},     {"nodes", required_argument, NULL, 'h'},
	        {"seconds", required_argument, NULL, 't'},  {"seeds", required_argument, NULL, 'f'},
	        {"verbose", no_argument, NULL, 'v'},        {"trace", no_argument, NULL, 'x'},
	        {"list", no_argument, NULL, 'l'},           {"scale", no_argument, NULL, 'c'},
	        {"self-test", no_argument, NULL, 'e'},      {0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': o->scenario = optarg; break;
		case 'f': o->seeds = optarg; break;
		case 'n': o->seed = number(optarg, "--seed"); break;
		case 'r': o->runs = number(optarg, "--runs"); break;
		case 't': o->seconds = number(optarg, "--seconds"); break;
		case 'h': o->nodes = (uint32_t)number(optarg, "--nodes"); break;
		case 'v': o->verbose = true; break;
		case 'x': o->trace = true; break;
		case 'c': o->scale = true; break;
		case 'e': o->selftest = true; break;
		case 'l': list(); exit(0);
		default: exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	struct options o = {.scenario = "all", .seed = 1, .runs = 1};
	const struct scenario *s;
	time_t begin = time(NULL);

	parse(&o, argc, argv);
	if (crypto_new(&crypto, 0)) {
		fprintf(stderr, "sim: the crypto libraries can't be used\n");
		return 2;
	}
	s = find(o.scenario);
	if (!s && strcmp(o.scenario, "all")) {
		fprintf(stderr, "sim: there is no scenario %s (--list)\n", o.scenario);
		return 2;
	}
	if (o.scale)
		return run_scale(&o);
	if (o.selftest) {
		n_failed = !selftest(crypto);
		crypto_free(crypto);
		return n_failed ? 1 : 0;
	}
	if (o.seeds) {
		run_seeds(&o);
	} else {
		for (uint64_t i = 0;
		     o.seconds ? (uint64_t)(time(NULL) - begin) < o.seconds : i < o.runs; i++) {
			if (s)
				run(&o, s, o.seed + i, o.nodes);
			else
				run_all(&o, i);
		}
	}
	printf("%llu runs, %llu failed: %llu events, %llu messages heard\n",
	       (unsigned long long)n_runs, (unsigned long long)n_failed,
	       (unsigned long long)n_events, (unsigned long long)n_delivered);
	crypto_free(crypto);
	return n_failed ? 1 : 0;
}
