/*
 * What the commands do: top
 *
 * Every interval some questions go to the server, and when all are answered the model takes them
 * and the screen is drawn. A server that goes away is waited for; the last view stays meanwhile.
 */

#include "ncclient/actions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ncclient/option.h"
#include "ncclient/session.h"
#include "ncclient/signals.h"
#include "ncclient/text.h"
#include "ncclient/top_keys.h"
#include "ncclient/top_model.h"
#include "ncclient/top_view.h"
#include "ncclient/tty.h"
#include "ncclient/value.h"

enum question {
	ASK_STATS,
	ASK_CLIENTS,
	ASK_NET,
	ASK_PEERS,
	N_QUESTIONS,
};

/* A snapshot that is being taken. On the heap: its answers may come after top has ended. */
struct snapshot {
	struct top *top; /* NULL: top has ended */
	unsigned n_open; /* questions without an answer */
	enum status status;
	char text[128];
	uint64_t asked_ms;
	struct value answers[N_QUESTIONS];
};

struct top {
	struct session *s;
	struct link *l;
	const struct options *o;
	struct top_model model;
	struct top_screen screen;
	struct snapshot *open; /* the one that is under way, or NULL */
	uint64_t next_ms;      /* when the next one is due */
	uint64_t n_views;
	bool batch;
	bool quit;
	enum status failed;
	char message[128];
	char clock[TEXT_NUMBER_LEN];
};

static uint64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- showing */

static void draw_screen(struct top *t)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return;
	text_clock(t->clock, wall_ms());
	t->clock[strlen("00:00:00")] = 0;
	t->screen.clock = t->clock;
	t->screen.message = t->message;
	tty_size(&t->screen.rows, &t->screen.columns);
	if (top_view_draw(f, &t->screen, &t->model))
		t->failed = STATUS_OS;
	if (!fclose(f))
		fwrite(text, 1, len, t->s->out.f);
	free(text);
}

static void show_batch(struct top *t)
{
	/* a first snapshot has no rates to show */
	if (!t->model.interval_ms)
		return;
	if (top_view_batch(&t->s->out, &t->screen, &t->model, wall_ms(), !t->n_views))
		t->failed = STATUS_OS;
	t->n_views++;
	t->quit = t->o->count && t->n_views >= t->o->count;
}

static void show(struct top *t)
{
	if (t->batch)
		show_batch(t);
	else
		draw_screen(t);
}

/* ---- snapshots */

static void snapshot_free(struct snapshot *snap)
{
	for (unsigned i = 0; i < N_QUESTIONS; i++)
		value_fini(&snap->answers[i]);
	free(snap);
}

static void say(struct top *t, const char *text)
{
	if (t->batch && strcmp(text, t->message))
		session_complain(t->s, "%s", text);
	snprintf(t->message, sizeof(t->message), "%s", text);
}

static void take(struct top *t, struct snapshot *snap)
{
	const struct top_answers answers = {.stats = &snap->answers[ASK_STATS],
	                                    .clients = &snap->answers[ASK_CLIENTS],
	                                    .net = &snap->answers[ASK_NET],
	                                    .peers = &snap->answers[ASK_PEERS]};

	t->open = NULL;
	if (snap->status) {
		say(t, snap->text);
		/* no answer can come where we may not ask */
		if (snap->status == STATUS_DENIED)
			t->failed = snap->status;
	} else if (!t->screen.paused) {
		t->message[0] = 0;
		if (top_model_update(&t->model, &answers, snap->asked_ms))
			t->failed = STATUS_OS;
	}
	if (!snap->status || !t->batch)
		show(t);
}

static void on_answer(struct snapshot *snap, enum question question, enum status status,
                      const char *text, struct value *answer)
{
	snap->n_open--;
	if (status && !snap->status) {
		snap->status = status;
		snprintf(snap->text, sizeof(snap->text), "%s", text);
	}
	if (answer) {
		snap->answers[question] = *answer;
		*answer = (struct value){0};
	}
	if (snap->n_open)
		return;
	if (snap->top)
		take(snap->top, snap);
	snapshot_free(snap);
}

static void on_stats(void *arg, enum status status, const char *text, struct value *answer)
{
	on_answer(arg, ASK_STATS, status, text, answer);
}

static void on_clients(void *arg, enum status status, const char *text, struct value *answer)
{
	on_answer(arg, ASK_CLIENTS, status, text, answer);
}

static void on_net(void *arg, enum status status, const char *text, struct value *answer)
{
	on_answer(arg, ASK_NET, status, text, answer);
}

static void on_peers(void *arg, enum status status, const char *text, struct value *answer)
{
	on_answer(arg, ASK_PEERS, status, text, answer);
}

static const struct {
	const char *event;
	session_answer *on_answer;
} questions[N_QUESTIONS] = {
        [ASK_STATS] = {"nc-control-stats", on_stats},
        [ASK_CLIENTS] = {"nc-control-clients", on_clients},
        [ASK_NET] = {"nc-control-net", on_net},
        [ASK_PEERS] = {"nc-control-peers", on_peers},
};

static void begin_snapshot(struct top *t)
{
	struct snapshot *snap = calloc(1, sizeof(*snap));
	enum status status = STATUS_OK;

	if (!snap) {
		t->failed = STATUS_OS;
		return;
	}
	snap->top = t;
	snap->asked_ms = session_now_ms();
	/* the answer to the first question cannot come before the last one is asked */
	for (; snap->n_open < N_QUESTIONS && !status; snap->n_open += !status)
		status = session_ask_async(t->l, questions[snap->n_open].event, NULL,
		                           t->s->timeout_ms, questions[snap->n_open].on_answer,
		                           snap);
	if (!snap->n_open) {
		free(snap);
		return;
	}
	t->open = snap;
	if (!status)
		return;
	snap->status = status;
	snprintf(snap->text, sizeof(snap->text), "cannot ask the server");
}

/* ---- the loop */

static void tick(struct top *t)
{
	uint64_t now = session_now_ms();

	if (now < t->next_ms)
		return;
	/* from now, not from when it was due: after a sleep there is nothing to catch up with */
	t->next_ms = now + t->screen.interval_ms;
	if (nc_state(t->l->nc) != NC_CONNECTED) {
		say(t, "the server is gone; waiting for it");
		if (!t->batch)
			draw_screen(t);
	} else if (!t->open) {
		begin_snapshot(t);
	}
}

static void read_keys(struct top *t)
{
	char bytes[256];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
	size_t at = 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		t->quit = true;
		return;
	}
	while (at < (size_t)n) {
		int key;

		at += tty_read_key(bytes + at, (size_t)n - at, &key);
		if (top_key(&t->screen, &t->model, key))
			t->quit = true;
	}
	/* a shorter interval is felt at once */
	if (t->next_ms > session_now_ms() + t->screen.interval_ms)
		t->next_ms = session_now_ms() + t->screen.interval_ms;
	draw_screen(t);
}

static enum status stop(struct top *t)
{
	tty_give();
	signals_stop();
	if (tty_take())
		return STATUS_OS;
	draw_screen(t);
	return STATUS_OK;
}

static enum status run_loop(struct top *t)
{
	while (!t->quit && !t->failed && !t->l->closed) {
		tick(t);
		if (!t->batch && signals_stop_wanted() && stop(t))
			return STATUS_OS;
		if (!t->batch && signals_resized())
			draw_screen(t);
		switch (session_wait(t->s, t->batch ? -1 : STDIN_FILENO, t->next_ms)) {
		case WAIT_SIGNAL: return session_signal_status();
		case WAIT_HANGUP: return STATUS_OK;
		case WAIT_INPUT: read_keys(t); break;
		case WAIT_TIMEOUT:
		case WAIT_AGAIN: break;
		}
	}
	return t->l->closed ? status_of(t->l->closed) : t->failed;
}

static enum status run_screen(struct top *t)
{
	bool was_quiet = t->s->quiet;
	enum status status;

	if (tty_take()) {
		session_complain(t->s, "cannot use the terminal");
		return STATUS_OS;
	}
	/* notices would stand across the screen */
	t->s->quiet = true;
	status = run_loop(t);
	fflush(t->s->out.f);
	tty_give();
	t->s->quiet = was_quiet;
	if (status == STATUS_INTERRUPTED) {
		signals_clear_interrupt();
		return STATUS_OK;
	}
	if (status && *t->message)
		session_complain(t->s, "%s", t->message);
	return status;
}

/* ---- its begin */

static bool is_for_blocks(const struct top *t)
{
	const char *term = getenv("TERM");

	/* the console's font has few of them */
	return t->s->out.utf8 && !t->o->ascii && !(term && !strcmp(term, "linux"));
}

static enum top_list_id list_of(const char *view)
{
	if (view && !strcmp(view, "clients"))
		return TOP_CLIENTS_LIST;
	return view && !strcmp(view, "hosts") ? TOP_HOSTS : TOP_CHANNELS;
}

static enum status set_up(struct top *t)
{
	const char *sort = t->o->sort ? t->o->sort : "in";

	t->screen = (struct top_screen){
	        .list = list_of(t->o->view),
	        .columns = t->s->out.unbounded ? SIZE_MAX : t->s->out.width,
	        .utf8 = t->s->out.utf8,
	        .blocks = is_for_blocks(t),
	        .colour = t->s->out.colour,
	        .interval_ms = t->o->interval_ms,
	        .descending = true,
	};
	if (t->o->sort && *sort == '-')
		t->screen.descending = false;
	if (top_read_metric(sort + (*sort == '-'), &t->screen.by)) {
		session_complain(t->s,
		                 "--sort takes name, server, clients, in, in_bytes, out, "
		                 "out_bytes, queued, queued_bytes, drops, dropped, stalls, rtt_us, "
		                 "lost, naks, repairs, window or heard_ms");
		return STATUS_USAGE;
	}
	if (t->screen.by < N_TOP_METRICS && !top_has_metric(t->screen.list, t->screen.by) &&
	    t->s->out.format != OUTPUT_JSON) {
		session_complain(t->s, "--sort: there is no %s in this view",
		                 sort + (*sort == '-'));
		return STATUS_USAGE;
	}
	if (t->screen.by == TOP_BY_NAME || t->screen.by == TOP_BY_SERVER)
		t->screen.descending = t->o->sort && *sort == '-';
	return STATUS_OK;
}

static enum status check_terminal(struct top *t)
{
	if (t->batch || (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
		return STATUS_OK;
	session_complain(t->s, "top needs a terminal; -b prints views one after the other");
	return STATUS_USAGE;
}

enum status top_run(struct session *s, const struct options *o)
{
	struct link_options options = {.receive_policy = NC_POLICY_DROP_OLDEST,
	                               .label = "ncclient top",
	                               .reconnects = true};
	/* JSON and CSV are for programs, which want no screen */
	struct top t = {.s = s, .o = o, .batch = o->batch || s->out.format != OUTPUT_TEXT};
	bool ended_with_output = s->ends_with_output;
	enum status status = set_up(&t);

	if (!status)
		status = check_terminal(&t);
	if (!status && signals_catch())
		status = STATUS_OS;
	if (!status)
		status = session_link_new(s, "control", &options, &t.l);
	if (status)
		return status;
	top_model_init(&t.model);
	s->ends_with_output = true;
	status = t.batch ? run_loop(&t) : run_screen(&t);
	s->ends_with_output = ended_with_output;
	if (t.open)
		t.open->top = NULL;
	session_unlink(t.l, 0);
	top_model_fini(&t.model);
	return status;
}
