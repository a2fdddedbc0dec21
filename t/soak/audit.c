/*
 * What must be true when all visitors have gone
 */

#include "t/soak/audit.h"

#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t/soak/question.h"

#define REST_MS 60000u
/* Clients that are neither witnesses nor visitors: who asks, and the named pipe. */
#define OTHERS 2u
/* After a burst the server gives memory back within this time. */
#define SHRINK_WAIT_MS 2500
/* Of the log, in lines per second; a reload that fails is one. */
#define LOG_LINES_MAX 100u

void audit_init(struct audit *a, struct server *s, struct crew *crew, nc_client *control)
{
	memset(a, 0, sizeof(*a));
	a->server = s;
	a->crew = crew;
	a->control = control;
	a->begun_ms = a->audited_ms = util_now_ms();
	a->first_sender = 1;
}

/* ---- rest */

/* Nobody but witnesses and the asker is there, and nothing waits for them. */
static bool is_at_rest(struct audit *a, bool complains)
{
	yajl_val v = question_tree(a->control, "nc-control-stats", NULL);
	int64_t n_clients = v ? question_int(v, "answer.clients") : 0,
	        n_queued = v ? question_int(v, "answer.totals.flow.queued") : 0;

	yajl_tree_free(v);
	if (n_clients == (int64_t)n_witnesses + OTHERS && n_queued == 0)
		return true;
	if (complains)
		soak_fail("the server does not come to rest: %" PRId64 " clients, not %u, and "
		          "%" PRId64 " messages queued",
		          n_clients, n_witnesses + OTHERS, n_queued);
	return false;
}

static void await_rest(struct audit *a)
{
	uint64_t end = util_now_ms() + REST_MS;

	while (!is_at_rest(a, util_left_ms(end) == 0)) {
		if (util_left_ms(end) == 0)
			return;
		poll(NULL, 0, 20);
	}
}

/* ---- witnesses */

static yajl_val client_of(yajl_val answer, pid_t pid)
{
	yajl_val list = util_json_at(answer, "answer");

	for (size_t i = 0; i < list->u.array.len; i++)
		if (question_int(list->u.array.values[i], "pid") == pid)
			return list->u.array.values[i];
	return NULL;
}

/* Whether what a witness says is what the server counts. With `complains` says so if not. */
static bool agrees(unsigned i, yajl_val client, bool complains)
{
	const struct soak_witness *w = &soak->witnesses[i];
	int64_t routed, written, dropped;
	yajl_val out;

	if (!client) {
		if (complains)
			soak_fail("%s is not there", witness_kinds[i].label);
		return false;
	}
	out = util_json_at(client, "out");
	question_check_flow(out, witness_kinds[i].label);
	routed = question_int(out, "routed");
	written = question_int(out, "written");
	dropped = question_int(out, "dropped_total");
	if ((uint64_t)written == w->received && (uint64_t)dropped == w->lost &&
	    (uint64_t)routed == w->received + w->lost && w->missing <= w->lost)
		return true;
	if (complains)
		soak_fail("%s: routed %" PRId64 ", written %" PRId64 ", dropped %" PRId64
		          "; it heard %" PRIu64 ", was told of %" PRIu64
		          " lost, and missed %" PRIu64,
		          witness_kinds[i].label, routed, written, dropped, w->received, w->lost,
		          w->missing);
	return false;
}

static bool all_agree(struct audit *a, bool complains)
{
	uint32_t inquiry = atomic_fetch_add(&soak->inquiry, 1) + 1;
	uint64_t end = util_now_ms() + 10000;
	bool do_they = true;
	yajl_val answer;

	for (unsigned i = 0; i < n_witnesses; i++)
		while (soak->witnesses[i].answered != inquiry && util_left_ms(end) > 0)
			poll(NULL, 0, 5);
	answer = question_tree(a->control, "nc-control-clients", NULL);
	for (unsigned i = 0; answer && i < n_witnesses; i++)
		do_they &= agrees(i, client_of(answer, a->crew->witnesses[i]), complains);
	yajl_tree_free(answer);
	return do_they && answer;
}

/* They may have something left to read; but in the end they agree. */
static void compare_witnesses(struct audit *a)
{
	uint64_t end = util_now_ms() + REST_MS;

	while (!all_agree(a, false)) {
		if (util_left_ms(end) == 0) {
			all_agree(a, true);
			return;
		}
		poll(NULL, 0, 50);
	}
}

/* ---- channels */

static int64_t published(yajl_val stats, enum soak_channel ch)
{
	yajl_val list = util_json_at(stats, "answer.channels");

	for (size_t i = 0; i < list->u.array.len; i++)
		if (strcmp(util_json_text(list->u.array.values[i], "name"), channel_name(ch, 0)) ==
		    0)
			return question_int(list->u.array.values[i], "published");
	soak_fail("there is no channel %s", channel_name(ch, 0));
	return 0;
}

/* All that was published for a witness that was never away was heard by it, or told as lost. */
static void compare_channels(yajl_val stats)
{
	for (unsigned i = 0; i < n_witnesses; i++) {
		const struct soak_witness *w = &soak->witnesses[i];
		enum soak_channel ch = witness_kinds[i].channel;
		int64_t n = published(stats, ch);

		if (ch == CH_OLDEST || ch == CH_NEWEST || ch == CH_CONFLATE)
			n += published(stats, CH_CALM);
		if (ch != CH_CHANGING && w->sessions == 1 && w->received + w->lost != (uint64_t)n)
			soak_fail("%s heard %" PRIu64 " and was told of %" PRIu64
			          " lost, but %" PRId64 " were published",
			          witness_kinds[i].label, w->received, w->lost, n);
	}
}

/* ---- senders */

/* The witness that hears all of a channel on which nothing is lost, or -1. */
static int faithful_witness(enum soak_channel ch)
{
	for (unsigned i = 0; i < n_witnesses; i++)
		if (witness_kinds[i].channel == ch && !witness_kinds[i].loses)
			return (int)i;
	return -1;
}

static void compare_sender(uint32_t number)
{
	struct soak_sender *s = &soak->senders[number];
	int i = faithful_witness(s->channel);
	uint32_t heard, emitted = s->emitted, written = s->written;

	if (i < 0 || emitted == 0)
		return;
	heard = soak->witnesses[i].heard[number];
	if (heard > emitted || (s->fate == FATE_WHOLE && heard != emitted) ||
	    (s->fate == FATE_CUT && heard < written))
		soak_fail("%s heard %u of sender %u, who emitted %u, of which %u were written, and "
		          "%s",
		          witness_kinds[i].label, heard, number, emitted, written,
		          s->fate == FATE_WHOLE ? "left in order" : "was killed");
}

/* ---- the log */

/* Lines that were not dumped; what is wrong in them is told. The log begins anew. */
static unsigned read_log(struct audit *a)
{
	char *text = server_log(a->server), *save = NULL;
	uint64_t s = (util_now_ms() - a->audited_ms) / 1000 + 1;
	unsigned n = 0;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (strstr(l, "level=") == NULL)
			continue;
		n++;
		if (strstr(l, "level=error") && !strstr(l, "reload") && !strstr(l, ".conf"))
			soak_fail("the log says: %.200s", l);
	}
	if (n > LOG_LINES_MAX * s)
		soak_fail("%u lines were logged in %" PRIu64 " s", n, s);
	free(text);
	if (soak->failures == 0 && truncate(a->server->log, 0) != 0)
		soak_fail("the log can't be cut");
	return n;
}

/* ---- measures */

/* A line of /proc/<pid>/status, in KiB. */
static uint64_t status_kib(pid_t pid, const char *key)
{
	char path[64], line[256];
	size_t len = strlen(key);
	uint64_t kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, key, len) == 0 && line[len] == ':')
			kib = strtoull(line + len + 1, NULL, 10);
	if (f)
		fclose(f);
	if (kib == 0)
		soak_fail("%s has no %s", path, key);
	return kib;
}

static unsigned count_fds(pid_t pid)
{
	char path[64];
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n > 2 ? n - 2 : 0; /* without . and .. */
}

static void measure(struct audit *a, yajl_val stats)
{
	struct sample *s;

	a->samples = realloc(a->samples, (a->n_samples + 1) * sizeof(*a->samples));
	if (!a->samples)
		abort();
	s = &a->samples[a->n_samples++];
	s->at_s = (double)(util_now_ms() - a->begun_ms) / 1000;
	s->n_visits = a->crew->n_visits;
	s->n_killed = a->crew->n_killed;
	s->n_reloads = (uint64_t)(question_int(stats, "answer.config.reloads") +
	                          question_int(stats, "answer.config.reload_errors"));
	s->heard = soak->totals.heard;
	s->lost = soak->totals.lost;
	s->rss_kib = status_kib(a->server->pid, "VmRSS");
	s->anon_kib = status_kib(a->server->pid, "RssAnon");
	s->n_fds = count_fds(a->server->pid);
	s->n_slabs = question_int(stats, "answer.memory.slabs");
	s->queued_bytes = question_int(stats, "answer.memory.queued_bytes");
	s->n_log_lines = read_log(a);
}

void audit_round(struct audit *a)
{
	yajl_val stats;

	await_rest(a);
	compare_witnesses(a);
	question_check_stats(a->control);
	poll(NULL, 0, SHRINK_WAIT_MS);
	stats = question_tree(a->control, "nc-control-stats", NULL);
	if (!stats)
		return;
	compare_channels(stats);
	for (; a->first_sender < a->crew->n_senders; a->first_sender++)
		compare_sender(a->first_sender);
	measure(a, stats);
	if (a->samples[a->n_samples - 1].queued_bytes != 0)
		soak_fail("%" PRId64 " bytes are queued for nobody",
		          a->samples[a->n_samples - 1].queued_bytes);
	yajl_tree_free(stats);
	a->audited_ms = util_now_ms();
}

void audit_print_titles(void)
{
	printf("%5s %6s %7s %6s %7s %11s %10s %8s %8s %4s %5s %5s\n", "round", "s", "visits",
	       "killed", "reloads", "heard", "lost", "RSS", "anon", "fds", "slabs", "log");
}

void audit_print(const struct audit *a)
{
	const struct sample *s = &a->samples[a->n_samples - 1];

	printf("%5zu %6.0f %7" PRIu64 " %6" PRIu64 " %7" PRIu64 " %11" PRIu64 " %10" PRIu64
	       " %8" PRIu64 " %8" PRIu64 " %4u %5" PRId64 " %5u\n",
	       a->n_samples, s->at_s, s->n_visits, s->n_killed, s->n_reloads, s->heard, s->lost,
	       s->rss_kib, s->anon_kib, s->n_fds, s->n_slabs, s->n_log_lines);
}

/* ---- the judgement */

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median_rss(const struct audit *a, size_t first, size_t n)
{
	uint64_t *all = calloc(n, sizeof(*all)), m;

	if (!all)
		abort();
	for (size_t i = 0; i < n; i++)
		all[i] = a->samples[first + i].rss_kib;
	qsort(all, n, sizeof(*all), compare_numbers);
	m = all[n / 2];
	free(all);
	return m;
}

void audit_judge(const struct audit *a, bool is_memory_judged)
{
	size_t warm = a->n_samples / 5, n = a->n_samples - warm, quarter = n / 4 + (n < 4);
	uint64_t first, last, margin;

	if (a->n_samples == 0) {
		soak_fail("nothing was measured");
		return;
	}
	for (size_t i = 1; i < a->n_samples; i++)
		if (a->samples[i].n_fds != a->samples[0].n_fds)
			soak_fail("%u descriptors after round %zu, %u after the first",
			          a->samples[i].n_fds, i + 1, a->samples[0].n_fds);
	first = median_rss(a, warm, quarter);
	last = median_rss(a, a->n_samples - quarter, quarter);
	/* few rounds have seen few crowds: their memory may not have been as large as it gets */
	margin = n >= 20 ? first / 20 + 512 : first / 2 + 8192;
	printf("memory: %" PRIu64 " KiB at first, %" PRIu64 " KiB at last%s; descriptors: %u\n",
	       first, last, is_memory_judged ? "" : " (not judged)", a->samples[0].n_fds);
	if (is_memory_judged && last > first + margin)
		soak_fail("memory grows: from %" PRIu64 " KiB to %" PRIu64 " KiB", first, last);
}
