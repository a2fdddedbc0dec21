/*
 * Visitors that keep to the protocol
 */

#include "t/soak/visitor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "t/soak/client.h"

#define OPEN_MS  20000
#define LEAVE_MS 20000
/* A line that is written into a pipe at once. */
#define LINE_MAX_LEN 3900u

const char *const visit_names[N_VISITS] = {"emitters", "listeners", "chatters",
                                           "writers",  "rude",      "askers"};

static volatile sig_atomic_t must_go;

static void on_term(int signal_number)
{
	(void)signal_number;
	must_go = 1;
}

bool visit_must_go(void)
{
	return must_go;
}

enum visit visit_choose(void)
{
	static const unsigned weights[N_VISITS] = {30, 25, 15, 5, 20, 5};
	unsigned at = chance_below(100), v = 0;

	while (at >= weights[v])
		at -= weights[v++];
	return v;
}

unsigned visit_ms(void)
{
	return chance_one_in(8) ? 4000 + chance_below(8000) : 50 + chance_below(3000);
}

/* Mostly small ones. */
static size_t some_length(enum soak_channel ch)
{
	unsigned k = chance_below(1000);

	if (k < 700 || ch == CH_DUMP)
		return NUMBER_HEAD_MAX + chance_below(200);
	if (k < 960)
		return NUMBER_HEAD_MAX + chance_below(4000);
	if (k < 998)
		return NUMBER_HEAD_MAX + chance_below(64u << 10);
	return NUMBER_LEN_MAX - chance_below(100u << 10);
}

static void wander(struct client_options *o, const char *what)
{
	static char label[64];

	memset(o, 0, sizeof(*o));
	o->dialect = chance_one_in(3) ? DIALECT_JSON : DIALECT_NATIVE;
	o->channel = chance_below(N_CHANNELS);
	o->number = chance_below(PASSING_MAX);
	snprintf(label, sizeof(label), "%s on %s", what, channel_name(o->channel, o->number));
	o->label = label;
	o->policy = -1;
}

/* ---- emitting at a rate */

struct pace {
	uint64_t begun_ms;
	uint64_t n;
	unsigned per_s;
	unsigned burst;
};

static void pace_init(struct pace *p, enum soak_channel ch)
{
	static const unsigned rates[] = {5, 50, 50, 200, 200, 1000, 5000, 100000};

	memset(p, 0, sizeof(*p));
	p->begun_ms = util_now_ms();
	p->per_s = rates[chance_below(sizeof(rates) / sizeof(*rates))];
	p->burst = 1 + chance_below(100);
	/* what is dumped is written to the log */
	if (ch == CH_DUMP) {
		p->per_s = 20;
		p->burst = 5;
	}
}

static void emit_due(struct client *c, struct pace *p)
{
	uint64_t due = (util_now_ms() - p->begun_ms) * p->per_s / 1000 + 1;

	for (unsigned i = 0;
	     i < p->burst && p->n < due && client_emit(c, some_length(c->opt.channel)); i++)
		p->n++;
}

static void visit_emitter(uint32_t number)
{
	uint64_t end = util_now_ms() + visit_ms();
	struct client_options o;
	struct client c;
	struct pace p;

	wander(&o, "an emitter");
	pace_init(&p, o.channel);
	if (!client_open(&c, &o, number, OPEN_MS)) {
		atomic_fetch_add(&soak->totals.turned_away, 1);
		return;
	}
	while (!must_go && !c.is_ended && util_left_ms(end) > 0) {
		emit_due(&c, &p);
		client_step(&c, p.per_s > 1000 ? 1 : 10);
	}
	client_leave(&c, LEAVE_MS);
}

/* ---- listening */

struct habits {
	bool changes; /* its patterns, now and then */
	bool stalls;  /* stops reading, now and then */
	bool deserts; /* stops reading for good */
	bool emits;
	char first[64];
	char other[64];
	bool has_other;
};

static void some_pattern(char out[64])
{
	unsigned k = chance_below(6);

	if (k < 2)
		snprintf(out, 64, ">");
	else if (k == 2)
		snprintf(out, 64, "s.>");
	else if (k == 3)
		snprintf(out, 64, "*.*.%u", chance_below(SOAK_STREAMS));
	else
		snprintf(out, 64, "s.*.%u", chance_below(SOAK_STREAMS));
}

static void choose_habits(struct habits *h, const struct client_options *o)
{
	memset(h, 0, sizeof(*h));
	/* on the calm channel, and where a pipe has to be emptied, nobody holds up the others */
	if (o->channel != CH_CALM && o->channel != CH_FIFO) {
		h->stalls = chance_one_in(3);
		h->deserts = chance_one_in(10);
	}
	h->changes = chance_one_in(3);
	some_pattern(h->first);
	/* native handlers of two patterns that match the same would hear it twice */
	if (h->changes) {
		unsigned stream = chance_below(SOAK_STREAMS);

		snprintf(h->first, sizeof(h->first), "s.*.%u", stream);
		snprintf(h->other, sizeof(h->other), "s.*.%u", (stream + 1) % SOAK_STREAMS);
	}
}

static void change_pattern(struct client *c, struct habits *h)
{
	if (h->has_other)
		client_unlisten(c, h->other);
	else
		client_listen(c, h->other);
	h->has_other = !h->has_other;
}

/* Neither reads nor writes for a time; a signal ends it. */
static void doze(unsigned ms)
{
	for (uint64_t end = util_now_ms() + ms; !must_go && util_left_ms(end) > 0;)
		poll(NULL, 0, util_left_ms(end) < 100 ? util_left_ms(end) : 100);
}

static void visit_listener(uint32_t number, bool emits)
{
	uint64_t end = util_now_ms() + visit_ms();
	struct client_options o;
	struct habits h;
	struct client c;
	struct pace p;

	wander(&o, emits ? "a chatter" : "a listener");
	choose_habits(&h, &o);
	o.pattern = h.first;
	if (chance_one_in(5))
		o.policy = 1 + (int)chance_below(3);
	pace_init(&p, o.channel);
	if (!client_open(&c, &o, number, OPEN_MS)) {
		atomic_fetch_add(&soak->totals.turned_away, 1);
		return;
	}
	/* the rule that leads to passing channels comes and goes */
	c.ledger.is_complete = !h.changes && o.channel != CH_PASSING;
	while (!must_go && !c.is_ended && util_left_ms(end) > 0) {
		if (emits)
			emit_due(&c, &p);
		client_step(&c, 10);
		if (h.changes && chance_one_in(50))
			change_pattern(&c, &h);
		if (h.stalls && chance_one_in(100))
			doze(chance_below(2000));
		if (h.deserts && chance_one_in(100))
			doze(10000);
	}
	if (c.is_ended)
		atomic_fetch_add(&soak->totals.turned_away, 1);
	client_leave(&c, LEAVE_MS);
}

/* ---- the named pipe */

static void visit_writer(uint32_t number)
{
	struct soak_sender *me = &soak->senders[number];
	struct number x = {.sender = number, .stream = chance_below(SOAK_STREAMS)};
	uint64_t end = util_now_ms() + visit_ms();
	char path[UTIL_PATH_MAX + 16], line[LINE_MAX_LEN + 200], text[LINE_MAX_LEN];
	int fd, n;

	snprintf(path, sizeof(path), "%s/fifo.fifo", soak_server->dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		soak_fail("%s: %s", path, strerror(errno));
		return;
	}
	me->channel = CH_FIFO;
	while (!must_go && util_left_ms(end) > 0) {
		size_t len = NUMBER_HEAD_MAX + chance_below(LINE_MAX_LEN - NUMBER_HEAD_MAX);

		number_write(text, len, &x);
		n = snprintf(line, sizeof(line),
		             "{\"event\":\"s.%" PRIu32 ".%" PRIu32 "\",\"data\":\"%.*s\"}\n",
		             number, x.stream, (int)len, text);
		atomic_fetch_add(&me->emitted, 1);
		if (write(fd, line, (size_t)n) != n) {
			soak_fail("%s: %s", path, strerror(errno));
			break;
		}
		atomic_fetch_add(&me->written, 1);
		atomic_fetch_add(&soak->totals.emitted, 1);
		x.n++;
		x.seq++;
		poll(NULL, 0, (int)chance_below(10));
	}
	close(fd);
	if (me->written == me->emitted)
		atomic_store(&me->fate, FATE_WHOLE);
}

void visit_live(enum visit v, uint32_t number)
{
	struct sigaction sa = {.sa_handler = on_term, .sa_flags = SA_RESTART};

	sigaction(SIGTERM, &sa, NULL);
	switch (v) {
	case VISIT_EMITTER: visit_emitter(number); break;
	case VISIT_LISTENER: visit_listener(number, false); break;
	case VISIT_CHATTER: visit_listener(number, true); break;
	case VISIT_WRITER: visit_writer(number); break;
	case VISIT_RUDE: visit_rude(number); break;
	case VISIT_ASKER: visit_asker(number); break;
	case N_VISITS: break;
	}
}
