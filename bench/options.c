/* options.c - the command line that all benchmark programs share */

#include "bench/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX (UINT64_C(1) << 40)

enum {
	OPT_FROM = 256,
	OPT_TO,
	OPT_SERVER,
	OPT_CONFIG,
	OPT_CPU,
	OPT_DAEMON_CPU,
	OPT_JSON,
	OPT_PID,
	OPT_CUT,
	OPT_NETNS,
	OPT_FAR,
};

static const struct option long_options[] = {
        {"publishers", required_argument, NULL, 'P'},
        {"subscribers", required_argument, NULL, 'S'},
        {"messages", required_argument, NULL, 'n'},
        {"bytes", required_argument, NULL, 'b'},
        {"rate", required_argument, NULL, 'r'},
        {"clients", required_argument, NULL, 'C'},
        {"channel", required_argument, NULL, 'c'},
        {"event", required_argument, NULL, 'e'},
        {"socket", required_argument, NULL, 's'},
        {"from", required_argument, NULL, OPT_FROM},
        {"to", required_argument, NULL, OPT_TO},
        {"server", required_argument, NULL, OPT_SERVER},
        {"config", required_argument, NULL, OPT_CONFIG},
        {"cpu", required_argument, NULL, OPT_CPU},
        {"daemon-cpu", required_argument, NULL, OPT_DAEMON_CPU},
        {"json", no_argument, NULL, OPT_JSON},
        {"pid", required_argument, NULL, OPT_PID},
        {"cut", required_argument, NULL, OPT_CUT},
        {"netns", required_argument, NULL, OPT_NETNS},
        {"far", required_argument, NULL, OPT_FAR},
        {"help", no_argument, NULL, 'h'},
        {0},
};

static void help(const char *program)
{
	printf("usage: %s [options] throughput|delay|latency|idle|start\n"
	       "\n"
	       "  throughput   publishers emit as fast as they can; each subscriber checks that\n"
	       "               every message arrives, in order and intact\n"
	       "  delay        publishers keep to a rate; how late do messages arrive?\n"
	       "  latency      round trips between two clients\n"
	       "  idle         the daemon's memory per client that does nothing, and how often it\n"
	       "               wakes up\n"
	       "  start        from the daemon's start to its first connection\n"
	       "\n"
	       "  -P, --publishers=N   processes that emit (1)\n"
	       "  -S, --subscribers=N  processes that hear (1)\n"
	       "  -n, --messages=N     that each publisher emits, or round trips (1000000; 20000)\n"
	       "  -r, --rate=N         messages a second of each publisher, for delay (5000)\n"
	       "  -b, --bytes=N        of each payload (64)\n"
	       "  -C, --clients=N      idle ones (1000)\n"
	       "      --cpu=N          all processes run on this CPU\n"
	       "      --daemon-cpu=N   the daemon, where it is started here, has this CPU for itself\n"
	       "      --cut=MS         ends throughput after so many milliseconds: what has arrived\n"
	       "                       by then counts, and without -n there is no end before\n"
	       "      --netns=NAME     run in this network namespace; where given more than once,\n"
	       "                       publishers in the first, subscribers in turn in the others\n"
	       "      --json           the result is a JSON object\n"
	       "  -h, --help           show this text\n"
	       "\n"
	       "ncbench only:\n"
	       "  -s, --socket=PATH    of a server that runs, %%s standing for the channel\n"
	       "      --far=PATH       socket of another server, where subscribers connect;\n"
	       "                       may be given more than once, and is taken in turn\n"
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
	case 'r':
		if (number("-r", arg, 1, 10000000, &n))
			return -1;
		o->rate = (unsigned)n;
		return 0;
	case OPT_CUT:
		if (number("--cut", arg, 1, 86400000, &n))
			return -1;
		o->cut_ms = (unsigned)n;
		return 0;
	case OPT_CPU:
		if (number("--cpu", arg, 0, 1023, &n))
			return -1;
		o->cpu = (int)n;
		return 0;
	case OPT_DAEMON_CPU:
		if (number("--daemon-cpu", arg, 0, 1023, &n))
			return -1;
		o->daemon_cpu = (int)n;
		return 0;
	case OPT_PID:
		if (number("--pid", arg, 1, INT32_MAX, &n))
			return -1;
		o->pid = (pid_t)n;
		return 0;
	default: return number("-n", arg, 1, MESSAGES_MAX, &o->n_messages);
	}
}

static int append(const char *list[BENCH_HOSTS_MAX], unsigned *n, const char *name, const char *arg)
{
	if (*n == BENCH_HOSTS_MAX) {
		fprintf(stderr, "%s: at most %u times\n", name, BENCH_HOSTS_MAX);
		return -1;
	}
	list[(*n)++] = arg;
	return 0;
}

static int take(struct bench_options *o, int c, const char *arg)
{
	switch (c) {
	case 'c': o->channel = arg; return 0;
	case 'e': o->event = arg; return 0;
	case 's': o->socket = arg; return 0;
	case OPT_SERVER: o->server = arg; return 0;
	case OPT_CONFIG: o->config = arg; return 0;
	case OPT_NETNS: return append(o->netns, &o->n_netns, "--netns", arg);
	case OPT_FAR: return append(o->far, &o->n_far, "--far", arg);
	case OPT_JSON: o->json = true; return 0;
	case OPT_FROM: return dialect(arg, &o->json_from);
	case OPT_TO: return dialect(arg, &o->json_to);
	case '?': return -1;
	default: return take_number(o, c, arg);
	}
}

static int take_work(struct bench_options *o, const char *name)
{
	static const char *const works[] = {"throughput", "delay", "latency", "idle", "start"};

	for (unsigned i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (!strcmp(name, works[i])) {
			o->work = (enum bench_work)i;
			return 0;
		}
	fprintf(stderr, "%s: throughput, delay, latency, idle or start expected\n", name);
	return -1;
}

static uint64_t default_messages(const struct bench_options *o)
{
	switch (o->work) {
	case BENCH_LATENCY: return 20000;
	case BENCH_DELAY: return 3 * (uint64_t)o->rate;
	default: return o->cut_ms ? MESSAGES_MAX : 1000000;
	}
}

/* What the default depends on, and what goes together. */
static int check_counts(struct bench_options *o)
{
	bool is_delay = o->work == BENCH_DELAY;
	uint64_t n_times;

	if (o->cut_ms && o->work != BENCH_THROUGHPUT) {
		fprintf(stderr, "--cut: for throughput only\n");
		return -1;
	}
	if (!o->n_messages)
		o->n_messages = default_messages(o);
	n_times = is_delay ? o->n_messages * o->n_pubs * o->n_subs : o->n_messages;
	if ((is_delay || o->work == BENCH_LATENCY) && n_times > BENCH_TIMES_MAX) {
		fprintf(stderr, "at most %u round trips, or messages whose delay is measured\n",
		        BENCH_TIMES_MAX);
		return -1;
	}
	if (o->work == BENCH_LATENCY && o->n_far && o->json_from) {
		fprintf(stderr, "--far: the client that measures round trips has to be native\n");
		return -1;
	}
	if (is_delay && o->len < 2 * check_tag_len(o->text)) {
		fprintf(stderr, "-b: where delays are measured, at least %zu\n",
		        2 * check_tag_len(o->text));
		return -1;
	}
	return 0;
}

int options_parse(struct bench_options *o, int argc, char **argv)
{
	int c;

	*o = (struct bench_options){.n_pubs = 1,
	                            .n_subs = 1,
	                            .n_clients = 1000,
	                            .len = 64,
	                            .rate = 5000,
	                            .cpu = -1,
	                            .daemon_cpu = -1,
	                            .channel = "bench",
	                            .event = "msg"};
	while ((c = getopt_long(argc, argv, "P:S:n:b:r:C:c:e:s:h", long_options, NULL)) != -1) {
		if (c == 'h') {
			help(argv[0]);
			return 1;
		}
		if (take(o, c, optarg))
			return -1;
	}
	if (argc - optind != 1) {
		fprintf(stderr,
		        "%s: one of throughput, delay, latency, idle and start is to be named\n",
		        argv[0]);
		return -1;
	}
	if (take_work(o, argv[optind]))
		return -1;
	o->text = o->json_from || o->json_to;
	return check_counts(o);
}
