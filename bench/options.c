/* options.c - the command line that all benchmark programs share */

#include "bench/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_FROM = 256,
	OPT_TO,
	OPT_SERVER,
	OPT_CONFIG,
	OPT_CPU,
	OPT_JSON,
	OPT_PID,
};

static const struct option long_options[] = {
        {"publishers", required_argument, NULL, 'P'},
        {"subscribers", required_argument, NULL, 'S'},
        {"messages", required_argument, NULL, 'n'},
        {"bytes", required_argument, NULL, 'b'},
        {"clients", required_argument, NULL, 'C'},
        {"channel", required_argument, NULL, 'c'},
        {"event", required_argument, NULL, 'e'},
        {"socket", required_argument, NULL, 's'},
        {"from", required_argument, NULL, OPT_FROM},
        {"to", required_argument, NULL, OPT_TO},
        {"server", required_argument, NULL, OPT_SERVER},
        {"config", required_argument, NULL, OPT_CONFIG},
        {"cpu", required_argument, NULL, OPT_CPU},
        {"json", no_argument, NULL, OPT_JSON},
        {"pid", required_argument, NULL, OPT_PID},
        {"help", no_argument, NULL, 'h'},
        {0},
};

static void help(const char *program)
{
	printf("usage: %s [options] throughput|latency|idle|start\n"
	       "\n"
	       "  throughput   publishers emit as fast as they can; each subscriber checks that\n"
	       "               every message arrives, in order and intact\n"
	       "  latency      round trips between two clients\n"
	       "  idle         the daemon's memory per client that does nothing\n"
	       "  start        from the daemon's start to its first connection\n"
	       "\n"
	       "  -P, --publishers=N   processes that emit (1)\n"
	       "  -S, --subscribers=N  processes that hear (1)\n"
	       "  -n, --messages=N     that each publisher emits, or round trips (1000000; 20000)\n"
	       "  -b, --bytes=N        of each payload (64)\n"
	       "  -C, --clients=N      idle ones (1000)\n"
	       "      --cpu=N          all processes run on this CPU\n"
	       "      --json           the result is a JSON object\n"
	       "  -h, --help           show this text\n"
	       "\n"
	       "ncbench only:\n"
	       "  -s, --socket=PATH    of a server that runs, %%s standing for the channel\n"
	       "  -c, --channel=NAME   (bench)\n"
	       "  -e, --event=NAME     (msg)\n"
	       "      --from=DIALECT   native or json: what publishers speak (native)\n"
	       "      --to=DIALECT     what subscribers speak (native)\n"
	       "      --server=PATH    start this ncserver for the time, with quotas lifted\n"
	       "      --config=TEXT    added to the configuration of --server\n"
	       "      --pid=N          of the daemon, where the socket does not tell\n",
	       program);
}

static int number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || n < min || n > max) {
		fprintf(stderr, "%s: %s: a number from %llu to %llu expected\n", name, text,
		        (unsigned long long)min, (unsigned long long)max);
		return -1;
	}
	*out = n;
	return 0;
}

static int dialect(const char *text, bool *json)
{
	if (strcmp(text, "json") && strcmp(text, "native")) {
		fprintf(stderr, "%s: json or native expected\n", text);
		return -1;
	}
	*json = !strcmp(text, "json");
	return 0;
}

static int take_number(struct bench_options *o, int c, const char *arg)
{
	uint64_t n = 0;

	switch (c) {
	case 'P':
		if (number("-P", arg, 1, BENCH_WORKERS_MAX, &n))
			return -1;
		o->n_pubs = (unsigned)n;
		return 0;
	case 'S':
		if (number("-S", arg, 1, BENCH_WORKERS_MAX, &n))
			return -1;
		o->n_subs = (unsigned)n;
		return 0;
	case 'C':
		if (number("-C", arg, 1, BENCH_CLIENTS_MAX, &n))
			return -1;
		o->n_clients = (unsigned)n;
		return 0;
	case 'b':
		if (number("-b", arg, CHECK_TEXT_LEN, BENCH_LEN_MAX, &n))
			return -1;
		o->len = n;
		return 0;
	case OPT_CPU:
		if (number("--cpu", arg, 0, 1023, &n))
			return -1;
		o->cpu = (int)n;
		return 0;
	case OPT_PID:
		if (number("--pid", arg, 1, INT32_MAX, &n))
			return -1;
		o->pid = (pid_t)n;
		return 0;
	default: return number("-n", arg, 1, UINT64_C(1) << 40, &o->n_messages);
	}
}

static int take(struct bench_options *o, int c, const char *arg)
{
	switch (c) {
	case 'c': o->channel = arg; return 0;
	case 'e': o->event = arg; return 0;
	case 's': o->socket = arg; return 0;
	case OPT_SERVER: o->server = arg; return 0;
	case OPT_CONFIG: o->config = arg; return 0;
	case OPT_JSON: o->json = true; return 0;
	case OPT_FROM: return dialect(arg, &o->json_from);
	case OPT_TO: return dialect(arg, &o->json_to);
	case '?': return -1;
	default: return take_number(o, c, arg);
	}
}

static int take_work(struct bench_options *o, const char *name)
{
	static const char *const works[] = {"throughput", "latency", "idle", "start"};

	for (unsigned i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (!strcmp(name, works[i])) {
			o->work = (enum bench_work)i;
			return 0;
		}
	fprintf(stderr, "%s: throughput, latency, idle or start expected\n", name);
	return -1;
}

int options_parse(struct bench_options *o, int argc, char **argv)
{
	int c;

	*o = (struct bench_options){.n_pubs = 1,
	                            .n_subs = 1,
	                            .n_clients = 1000,
	                            .len = 64,
	                            .cpu = -1,
	                            .channel = "bench",
	                            .event = "msg"};
	while ((c = getopt_long(argc, argv, "P:S:n:b:C:c:e:s:h", long_options, NULL)) != -1) {
		if (c == 'h') {
			help(argv[0]);
			return 1;
		}
		if (take(o, c, optarg))
			return -1;
	}
	if (argc - optind != 1) {
		fprintf(stderr, "%s: one of throughput, latency, idle and start is to be named\n",
		        argv[0]);
		return -1;
	}
	if (take_work(o, argv[optind]))
		return -1;
	if (!o->n_messages)
		o->n_messages = o->work == BENCH_LATENCY ? 20000 : 1000000;
	if (o->work == BENCH_LATENCY && o->n_messages > 10000000) {
		fprintf(stderr, "at most 10000000 round trips\n");
		return -1;
	}
	o->text = o->json_from || o->json_to;
	return 0;
}
