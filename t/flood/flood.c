/*
 * flood - emits numbered events as fast as it can, and verifies those of others
 *
 * usage: flood [OPTION...]
 *	--socket TEMPLATE	path of the sockets, %s standing for the channel (NC_SOCKET)
 *	--channel NAME		channel to work on (A)
 *	--id N			who this is: emits flood.N (0)
 *	--emit N		emits so many events (0)
 *	--size N		bytes of payload of each, at least 16 (64)
 *	--json			payloads are JSON: {"id":N,"n":N,"fill":"..."}
 *	--hear N		hears so many events of each sender, in order, each once (0)
 *	--senders N		of so many other senders (1)
 *	--timeout MS		gives up after this time without progress (20000)
 *
 * It prints "ready" when the server knows what it listens to, and starts to emit when it reads a
 * line or the end of its input: so that tests need not guess. At the end it prints one JSON object
 * of what it counted. Exit status: 0 all emitted and heard, 1 something was lost, doubled, out of
 * order or garbled, 2 usage, 3 it got no further in time or was disconnected.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <netcluster/nc.h>

#define SENDERS_MAX 64u
#define SIZE_MIN    16u
#define SIZE_MAX_   (16u << 20)

struct options {
	const char *socket;
	const char *channel;
	unsigned id;
	uint64_t emit;
	size_t size;
	bool json;
	uint64_t hear;
	unsigned senders;
	int timeout_ms;
};

struct flood {
	struct options opt;
	nc_client *nc;
	char event[32];
	char *payload;
	uint64_t n_emitted;
	uint64_t n_heard[SENDERS_MAX];
	uint64_t n_again;
	uint64_t n_wrong;
	uint64_t n_lost;
	bool is_ended;
};

/* The filling of message n of sender `id`: a cheap generator that no shift or swap survives. */
static uint64_t next_word(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t seed(unsigned id, uint64_t n)
{
	return (n + 1) * 0x9e3779b97f4a7c15u ^ (id + 1) * 0xbf58476d1ce4e5b9u;
}

static void fill_binary(char *p, size_t len, unsigned id, uint64_t n)
{
	uint64_t state = seed(id, n);

	memcpy(p, &n, 8);
	for (size_t i = 8; i < len; i += 8) {
		uint64_t word = next_word(&state);

		memcpy(p + i, &word, len - i < 8 ? len - i : 8);
	}
}

/* Letters, so that it is the same in JSON as outside. */
static void fill_json(char *p, size_t len, unsigned id, uint64_t n)
{
	uint64_t state = seed(id, n);
	char head[64];
	int head_len =
	        snprintf(head, sizeof(head), "{\"id\":%u,\"n\":%" PRIu64 ",\"fill\":\"", id, n);

	memcpy(p, head, (size_t)head_len);
	for (size_t i = (size_t)head_len; i + 2 < len; i++)
		p[i] = (char)('a' + next_word(&state) % 26);
	memcpy(p + len - 2, "\"}", 2);
}

static void fill(const struct options *o, char *p, unsigned id, uint64_t n)
{
	if (o->json)
		fill_json(p, o->size, id, n);
	else
		fill_binary(p, o->size, id, n);
}

static void on_event(nc_client *c, const nc_msg *m, void *arg)
{
	struct flood *f = arg;
	unsigned long id = strtoul(nc_msg_event(m) + strlen("flood."), NULL, 10);

	(void)c;
	if (id >= SENDERS_MAX || id == f->opt.id || nc_msg_len(m) != f->opt.size) {
		f->n_wrong++;
		return;
	}
	fill(&f->opt, f->payload, (unsigned)id, f->n_heard[id]);
	if (memcmp(f->payload, nc_msg_data(m), f->opt.size) != 0)
		f->n_wrong++;
	f->n_heard[id]++;
}

static void on_status(nc_client *c, const struct nc_status *s, void *arg)
{
	struct flood *f = arg;

	(void)c;
	if (s->kind == NC_STATUS_GAP)
		f->n_lost += s->count;
	if (s->kind == NC_STATUS_ERROR)
		f->n_wrong++;
	if (s->kind == NC_STATUS_CLOSED) {
		f->is_ended = true;
		fprintf(stderr, "flood: %s\n", s->text);
	}
}

/* Emits as many as the library takes. */
static void emit_some(struct flood *f)
{
	enum nc_type type = f->opt.json ? NC_JSON : NC_BYTES;
	char *p = f->payload;

	while (f->n_emitted < f->opt.emit) {
		int r;

		fill(&f->opt, p, f->opt.id, f->n_emitted);
		r = nc_emit(f->nc, f->event, type, p, f->opt.size, 0);
		if (r == NC_AGAIN) {
			f->n_again++;
			return;
		}
		if (r != NC_OK) {
			fprintf(stderr, "flood: emit: %s\n", nc_strerror(r));
			f->is_ended = true;
			return;
		}
		f->n_emitted++;
	}
}

/* Senders that were heard in full, and whether any of them was heard beyond. */
static bool is_done(const struct flood *f)
{
	unsigned n = 0;

	if (f->n_emitted < f->opt.emit)
		return false;
	for (unsigned i = 0; i < SENDERS_MAX; i++)
		n += f->opt.hear > 0 && f->n_heard[i] >= f->opt.hear;
	return f->opt.hear == 0 || n >= f->opt.senders;
}

static uint64_t heard(const struct flood *f)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < SENDERS_MAX; i++)
		n += f->n_heard[i];
	return n;
}

static int connect_and_listen(struct flood *f)
{
	int r = nc_new(&f->nc, f->opt.channel);

	if (r == NC_OK && f->opt.socket)
		r = nc_setopt_str(f->nc, NC_OPT_SOCKET, f->opt.socket);
	if (r == NC_OK)
		r = nc_setopt_int(f->nc, NC_OPT_RECONNECT, 0);
	if (r == NC_OK)
		r = nc_setopt_int(f->nc, NC_OPT_LOCAL, 0);
	if (r != NC_OK)
		return r;
	nc_on_status(f->nc, on_status, f);
	if (f->opt.hear > 0)
		r = nc_on(f->nc, "flood.*", on_event, f);
	if (r == NC_OK)
		r = nc_connect(f->nc, f->opt.timeout_ms);
	return r == NC_OK ? nc_sync(f->nc, f->opt.timeout_ms) : r;
}

/* Until standard input says so; the client goes on working meanwhile. */
static void await_start(struct flood *f)
{
	struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = -1}};
	char byte;

	printf("ready\n");
	fflush(stdout);
	while (!f->is_ended) {
		p[1].fd = nc_fd(f->nc);
		p[1].events = nc_events(f->nc);
		if (poll(p, 2, nc_timeout(f->nc)) < 0 && errno != EINTR)
			return;
		if (p[0].revents && read(STDIN_FILENO, &byte, 1) <= 0)
			return;
		if (p[0].revents && byte == '\n')
			return;
		nc_process(f->nc);
	}
}

/* Returns 0, or 3 where nothing moved for the time given. */
static int run(struct flood *f)
{
	uint64_t before = UINT64_MAX;

	while (!f->is_ended && !is_done(f)) {
		uint64_t now;
		int r;

		emit_some(f);
		if (is_done(f))
			break;
		/* within the time, something must be heard or written */
		r = nc_wait(f->nc, f->opt.timeout_ms);
		now = f->n_emitted + heard(f);
		if (r != NC_OK && now == before)
			return 3;
		before = now;
	}
	return f->is_ended ? 3 : 0;
}

static void report(const struct flood *f)
{
	printf("{\"id\":%u,\"emitted\":%" PRIu64 ",\"heard\":%" PRIu64 ",\"wrong\":%" PRIu64
	       ",\"lost\":%" PRIu64 ",\"held_up\":%" PRIu64 "}\n",
	       f->opt.id, f->n_emitted, heard(f), f->n_wrong, f->n_lost, f->n_again);
}

static int flood(struct flood *f)
{
	int r = connect_and_listen(f);

	if (r != NC_OK) {
		fprintf(stderr, "flood: %s\n", nc_strerror(r));
		return 3;
	}
	await_start(f);
	r = run(f);
	/* all that was emitted is with the server, and what was routed here has come */
	if (r == 0 && nc_sync(f->nc, f->opt.timeout_ms) != NC_OK)
		r = 3;
	report(f);
	if (r == 0 && (f->n_wrong > 0 || f->n_lost > 0 ||
	               heard(f) != f->opt.hear * (f->opt.hear > 0 ? f->opt.senders : 0)))
		r = 1;
	nc_disconnect(f->nc, f->opt.timeout_ms);
	return r;
}

static bool parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
	        {"socket", required_argument, NULL, 's'},
	        {"channel", required_argument, NULL, 'c'},
	        {"id", required_argument, NULL, 'i'},
	        {"emit", required_argument, NULL, 'e'},
	        {"size", required_argument, NULL, 'z'},
	        {"json", no_argument, NULL, 'j'},
	        {"hear", required_argument, NULL, 'h'},
	        {"senders", required_argument, NULL, 'n'},
	        {"timeout", required_argument, NULL, 't'},
	        {NULL, 0, NULL, 0},
	};
	int k;

	while ((k = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (k) {
		case 's': o->socket = optarg; break;
		case 'c': o->channel = optarg; break;
		case 'i': o->id = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'e': o->emit = strtoull(optarg, NULL, 10); break;
		case 'z': o->size = strtoul(optarg, NULL, 10); break;
		case 'j': o->json = true; break;
		case 'h': o->hear = strtoull(optarg, NULL, 10); break;
		case 'n': o->senders = (unsigned)strtoul(optarg, NULL, 10); break;
		case 't': o->timeout_ms = (int)strtol(optarg, NULL, 10); break;
		default: return false;
		}
	}
	return optind == argc && o->id < SENDERS_MAX && o->senders < SENDERS_MAX &&
	       o->size >= (o->json ? 64 : SIZE_MIN) && o->size <= SIZE_MAX_ && o->timeout_ms > 0;
}

int main(int argc, char **argv)
{
	struct flood f = {.opt = {.channel = "A", .size = 64, .senders = 1, .timeout_ms = 20000}};
	int r;

	if (!parse(&f.opt, argc, argv)) {
		fprintf(stderr, "flood: see the head of flood.c for its options\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	f.payload = malloc(f.opt.size);
	if (!f.payload)
		return 3;
	snprintf(f.event, sizeof(f.event), "flood.%u", f.opt.id);
	r = flood(&f);
	nc_free(f.nc);
	free(f.payload);
	return r;
}
