/*
 * soak - a server that lives for long among clients of all kinds
 *
 * usage: soak [OPTION...]
 *	--seed N	what is left to chance follows from it (one of the clock, which is printed)
 *	--seconds N	how long (30)
 *	--round N	seconds between two audits (a tenth of the whole, 60 at most)
 *	--plant WHAT	a fault of the senders, which must be found: garble, skip or double
 *
 * Clients come and go, emit, listen, change their mind, stop reading, are stopped and killed, say
 * half of what they wanted, or nonsense; the configuration changes, and is wrong in between. Then
 * all of them go, and it is audited what is left; and so on. The server is $NCSERVER, else that of
 * the build.
 *
 * SIGINT ends the round, and then the soak as after its time.
 *
 * Exit status: 0 all was well, 1 something was not, 2 usage. What was wrong is on standard error.
 */

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include "t/soak/audit.h"
#include "t/soak/config.h"
#include "t/soak/question.h"

#define N_LAST 3000u

static volatile sig_atomic_t must_end;

static void on_int(int signal_number)
{
	(void)signal_number;
	must_end = 1;
}

struct options {
	uint64_t seed;
	unsigned seconds;
	unsigned round_s;
	enum plant plant;
};

static void live(struct server *s, struct crew *crew, unsigned ms)
{
	uint64_t end = util_now_ms() + ms;

	while (util_left_ms(end) > 0 && !must_end && soak->failures == 0) {
		crew_turn(crew);
		if (chance_one_in(40))
			config_reload(s, crew->control);
		if (chance_one_in(100))
			question_check_stats(crew->control);
		nc_wait(crew->control, 15);
	}
}

/* What was emitted before the end is heard after it, and then nothing is left. */
static void end(struct server *s, struct crew *crew)
{
	uint32_t last = crew_emit_last(crew, N_LAST);
	struct dirent *e;
	DIR *d;

	atomic_store(&soak->is_over, 1);
	nc_disconnect(crew->control, 1000);
	server_signal(s, SIGTERM);
	crew_await_witnesses(crew);
	server_await_end(s);
	for (unsigned i = 0; i < n_witnesses; i++)
		if (witness_kinds[i].channel == CH_CALM && soak->witnesses[i].heard[last] != N_LAST)
			soak_fail("%s heard %u of the last %u", witness_kinds[i].label,
			          soak->witnesses[i].heard[last], N_LAST);
	d = opendir(s->dir);
	while (d && (e = readdir(d)))
		if (strstr(e->d_name, ".sock") || strstr(e->d_name, ".fifo"))
			soak_fail("%s/%s was left", s->dir, e->d_name);
	if (d)
		closedir(d);
}

static bool is_sanitized(void)
{
#ifdef __SANITIZE_ADDRESS__
	return true;
#else
	return false;
#endif
}

static void print_totals(void)
{
	const struct soak_totals *t = &soak->totals;

	printf("emitted %" PRIu64 ", heard and checked %" PRIu64 ", told as lost %" PRIu64
	       "; %" PRIu64 " connections welcomed, %" PRIu64 " ended by the server; %" PRIu64
	       " bytes of garbage\n",
	       t->emitted, t->heard, t->lost, t->connections, t->turned_away, t->garbage);
}

static void run(const struct options *o, struct server *s)
{
	uint64_t end_ms = util_now_ms() + o->seconds * 1000u;
	nc_client *control = question_connect("the driver", true);
	struct crew crew;
	struct audit a;

	if (!control) {
		soak_fail("the control channel can't be asked");
		return;
	}
	crew_init(&crew, o->seed, control);
	crew_start_witnesses(&crew);
	audit_init(&a, s, &crew, control);
	audit_print_titles();
	while (util_left_ms(end_ms) > 0 && !must_end && soak->failures == 0) {
		int left = util_left_ms(end_ms);

		live(s, &crew, left < (int)o->round_s * 1000 ? (unsigned)left : o->round_s * 1000);
		crew_dismiss(&crew);
		if (soak->failures > 0)
			break;
		config_quiet(s, control);
		audit_round(&a);
		audit_print(&a);
		fflush(stdout);
	}
	if (soak->failures == 0) {
		end(s, &crew);
		audit_judge(&a, !is_sanitized());
	}
	atomic_store(&soak->is_over, 1);
	printf("%" PRIu64 " visits, %" PRIu64 " stopped, %" PRIu64 " killed; ", crew.n_visits,
	       crew.n_stopped, crew.n_killed);
	print_totals();
	free(a.samples);
	nc_free(control);
}

static enum plant plant_of(const char *name)
{
	static const char *const names[] = {
	        [PLANT_GARBLE] = "garble", [PLANT_SKIP] = "skip", [PLANT_DOUBLE] = "double"};

	for (enum plant p = PLANT_GARBLE; p <= PLANT_DOUBLE; p++)
		if (strcmp(name, names[p]) == 0)
			return p;
	return PLANT_NOTHING;
}

static bool parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
	        {"seed", required_argument, NULL, 's'},
	        {"seconds", required_argument, NULL, 't'},
	        {"round", required_argument, NULL, 'r'},
	        {"plant", required_argument, NULL, 'p'},
	        {NULL, 0, NULL, 0},
	};
	int k;

	while ((k = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (k) {
		case 's': o->seed = strtoull(optarg, NULL, 10); break;
		case 't': o->seconds = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'r': o->round_s = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'p':
			o->plant = plant_of(optarg);
			if (o->plant == PLANT_NOTHING)
				return false;
			break;
		default: return false;
		}
	}
	if (o->round_s == 0)
		o->round_s = o->seconds < 600 ? (o->seconds + 9) / 10 : 60;
	return optind == argc && o->seconds > 0 && o->seconds <= 1000000;
}

/* The last of what the server said, without what it dumped. */
static void show_log(const struct server *s)
{
	char *text = server_log(s), *save = NULL, *last[40] = {NULL};
	size_t n = 0;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (strncmp(l, "dump ", 5) != 0)
			last[n++ % 40] = l;
	for (size_t i = n < 40 ? 0 : n - 40; i < n; i++)
		fprintf(stderr, "ncserver: %.300s\n", last[i % 40]);
	free(text);
}

int main(int argc, char **argv)
{
	struct options o = {.seed = (uint64_t)time(NULL), .seconds = 30};
	struct server s;
	char *text;

	if (!parse(&o, argc, argv)) {
		fprintf(stderr,
		        "usage: soak [--seed N] [--seconds N] [--round N] [--plant garble|skip|double]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, on_int);
	unsetenv("NC_SOCKET");
	soak_init();
	soak->plant = o.plant;
	chance_init(o.seed, 0);
	server_init(&s);
	soak_server = &s;
	text = config_text(CONFIG_QUIET);
	server_configure(&s, text);
	free(text);
	printf("seed %" PRIu64 ", %u s, an audit after every %u s\n", o.seed, o.seconds, o.round_s);
	fflush(stdout);
	server_start(&s);
	run(&o, &s);
	if (soak->failures > 0)
		show_log(&s);
	server_fini(&s, false);
	printf("%s\n", soak->failures == 0 ? "all was well" : "NOT all was well");
	return soak->failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
