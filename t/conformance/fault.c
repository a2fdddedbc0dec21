/*
 * Load and faults at once: crowds, garbage at full speed, processes that are killed in the midst of
 * a frame, a ring that chokes on itself
 *
 * What the tests compare is what the server was given and what the others heard, to the message;
 * and that nothing of it is left behind when they are gone. Children are forked, so that they can
 * be killed; they count in memory that they share with the test, and assert nothing.
 */

#include "t/conformance/suite.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/conformance/witness.h"
#include "t/helpers/raw.h"

/* Nobody is silent, and on a busy machine a native client may be late to say hello. */
static const char wide[] = "hello_wait = 20000;\n"
                           "quota = { connections = 10000; connection_rate = 1000000; };\n"
                           "channels = { A = {}; B = {}; };";

/* ---- children */

/* What a child has done. */
struct shared {
	_Atomic uint64_t begun;   /* messages */
	_Atomic uint64_t written; /* of them, taken whole by the kernel */
	_Atomic uint64_t bytes;
	_Atomic uint64_t heard;
	_Atomic uint32_t told; /* why its connection ended */
};

static struct shared *share(size_t n)
{
	void *p = mmap(NULL, n * sizeof(struct shared), PROT_READ | PROT_WRITE,
	               MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

/* fork(); the child dies with the test. */
static pid_t spawn(void)
{
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
	}
	return pid;
}

static void kill_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Turns until the server knows n clients of a channel. */
static void await_clients(struct world *w, const char *channel, size_t n)
{
	for (uint64_t deadline = util_deadline(); channel_clients(w, channel) != n;)
		world_pause(w, deadline, "the server to forget who has gone");
}

static size_t server_fds(const struct world *w)
{
	char *path = util_format("/proc/%d/fd", (int)w->server.pid);
	DIR *d = opendir(path);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	free(path);
	return n;
}

/* ---- a crowd */

#define CROWD 2000

/* Counts events of every name. */
static void count(struct peer *p, const struct heard *h)
{
	(void)h;
	++*(size_t *)p->arg;
}

/* One of the crowd: a native client that says hello and hears nothing, or a JSON client that says
 * something. Returns what it emitted. */
static size_t join(struct world *w, struct jc *c, size_t n)
{
	static const char says[] = "{\"event\":\"nc.listen\",\"data\":\"none\"}\0"
	                           "{\"event\":\"crowd\",\"data\":1}";
	char path[UTIL_PATH_MAX];
	struct raw r = {.len = 0};

	assert_int_equal(jc_open(c, server_socket(&w->server, "B", path)), 0);
	if (n % 2) {
		assert_int_equal(jc_write(c, says, sizeof(says)), 0);
		return 1;
	}
	raw_hello(&r);
	assert_int_equal(jc_write(c, r.p, r.len), 0);
	return 0;
}

static void two_thousand(struct world *w, struct kinds k)
{
	static struct jc all[CROWD];
	struct rlimit limit;
	struct witnesses s;
	size_t heard = 0, emitted = 0, n_fds;
	struct peer *to;

	(void)k;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < CROWD + 200)
		suite_skip("the hard limit of descriptors is below 2200");
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	witnesses_come(w, &s);
	to = world_listener(w, NATIVE, "B", "crowd");
	to->on_heard = count;
	to->arg = &heard;
	await_clients(w, "B", 2);
	witnesses_talk(&s);
	n_fds = server_fds(w);
	/* they come; then each leaves, and another one comes in its place */
	for (size_t i = 0; i < (size_t)2 * CROWD; i++) {
		if (i >= CROWD)
			jc_close(&all[i * 7 % CROWD]);
		emitted += join(w, &all[i * 7 % CROWD], i);
		if (i % 200 == 0)
			witnesses_talk(&s);
	}
	await_clients(w, "B", CROWD + 2);
	for (size_t i = 0; i < CROWD; i++)
		jc_close(&all[i]);
	await_clients(w, "B", 2);
	peer_barrier(to);
	assert_int_equal(heard, emitted);
	assert_int_equal(to->lost, 0);
	witnesses_talk(&s);
	assert_int_equal(server_fds(w), n_fds);
}

/* ---- garbage at full speed */

#define N_RUDE        4
#define GARBAGE_BYTES (256u << 20)

/* One connection after the other, each written to until the server has had enough or half a
 * mebibyte is gone: noise, or a frame or a packet without its end. */
static void __attribute__((noreturn))
be_rude(const struct server *s, unsigned number, struct shared *mine)
{
	uint64_t state = 88172645463325252u + number;
	uint64_t noise[512];
	char path[UTIL_PATH_MAX];

	for (unsigned turn = number;; turn++) {
		struct raw r = {.len = 0};
		struct jc c;

		if (jc_open(&c, server_socket(s, "B", path)) != 0)
			continue;
		for (size_t i = 0; i < sizeof(noise) / sizeof(*noise); i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			noise[i] = turn % 3 ? state : 0x7878787878787878u;
		}
		if (turn % 2)
			raw_hello(&r);
		else
			raw_bytes(&r, "{\"event\":\"x", 11);
		/* a frame that nobody knows may be as long as it likes, up to the limit */
		if (turn % 3 == 0 && turn % 2)
			raw_prefix(&r, 4000, 200, 0, 0, 0);
		(void)!send(c.fd, r.p, r.len, MSG_NOSIGNAL);
		for (int i = 0; i < 128; i++) {
			ssize_t n = send(c.fd, noise, sizeof(noise), MSG_NOSIGNAL);

			if (n <= 0)
				break;
			atomic_fetch_add(&mine->bytes, (uint64_t)n);
		}
		jc_close(&c);
	}
}

static void garbage(struct world *w, struct kinds k)
{
	struct shared *rude = share(1);
	pid_t children[N_RUDE];
	struct witnesses s;
	yajl_val stats;

	(void)k;
	witnesses_come(w, &s);
	for (unsigned i = 0; i < N_RUDE; i++) {
		children[i] = spawn();
		if (children[i] == 0)
			be_rude(&w->server, i, rude);
	}
	while (rude->bytes < GARBAGE_BYTES)
		witnesses_talk(&s);
	for (unsigned i = 0; i < N_RUDE; i++)
		kill_child(children[i]);
	await_clients(w, "B", 0);
	witnesses_talk(&s);
	stats = world_ask(w, "nc-control-stats", NULL);
	assert_true(util_json_int(stats, "answer.totals.refused") > 0);
	assert_int_equal(util_json_int(stats, "answer.memory.queued_bytes"), 0);
	assert_in_range(util_json_int(stats, "answer.memory.slab_bytes"), 0, 4u << 20);
	yajl_tree_free(stats);
	munmap(rude, sizeof(*rude));
}

/* ---- killed in the midst of a frame */

#define N_KILLED 16

/* What is heard of one who will be killed. */
struct cut {
	uint64_t next;
	size_t len;
	unsigned wrong;
};

/* The text of message n: its number, and letters that follow from it. */
static void write_text(char *out, size_t len, uint64_t n)
{
	memset(out, 'a' + (int)(n % 26), len);
	snprintf(out, 24, "%" PRIu64 "#", n);
	out[strlen(out)] = (char)('a' + n % 26);
}

static void hear_cut(struct peer *p, const struct heard *h)
{
	static char expected[400u << 10];
	struct cut *c = p->arg;
	const char *text = h->data;
	size_t len = h->len;

	if (h->type == NC_JSON && len >= 2) {
		text++;
		len -= 2;
	}
	write_text(expected, c->len, c->next);
	c->wrong += len != c->len || memcmp(text, expected, len) != 0;
	c->next++;
}

static void __attribute__((noreturn))
emit_native(struct world *w, const char *text_of, size_t len, struct shared *mine)
{
	char *text = malloc(len + 24);
	struct nc_counters n;
	nc_client *nc;

	if (!text || nc_new(&nc, "A") != NC_OK ||
	    nc_setopt_str(nc, NC_OPT_SOCKET, w->server.sockets) != NC_OK ||
	    nc_connect(nc, (int)UTIL_DEADLINE_MS) != NC_OK)
		_exit(1);
	for (uint64_t i = 0;; i++) {
		write_text(text, len, i);
		atomic_fetch_add(&mine->begun, 1);
		while (nc_emit(nc, text_of, NC_TEXT, text, len, 0) == NC_AGAIN)
			nc_wait(nc, 10);
		nc_flush(nc);
		nc_get_counters(nc, &n, sizeof(n));
		atomic_store(&mine->written, n.written);
	}
}

static void __attribute__((noreturn))
emit_json(struct world *w, const char *event, size_t len, struct shared *mine)
{
	static const char quiet[] = "{\"event\":\"nc.listen\",\"data\":\"none\"}";
	char *packet = malloc(len + 200), path[UTIL_PATH_MAX];
	struct jc c;

	if (!packet || jc_open(&c, server_socket(&w->server, "A", path)) != 0 ||
	    jc_write(&c, quiet, sizeof(quiet)) != 0)
		_exit(1);
	for (uint64_t i = 0;; i++) {
		int at = sprintf(packet, "{\"event\":\"%s\",\"data\":\"", event);

		write_text(packet + at, len, i);
		memcpy(packet + at + len, "\"}", 3);
		atomic_fetch_add(&mine->begun, 1);
		if (jc_write_in_pieces(&c, packet, (size_t)at + len + 3, len / 3 + 7) != 0)
			_exit(1);
		atomic_fetch_add(&mine->written, 1);
	}
}

/* Each emits as fast as it can, small messages or ones that fit no socket's buffer, and is killed
 * when some of them were heard. What was heard is the beginning of what it emitted: all that the
 * kernel had taken, and nothing of the one that was cut. */
static void killed_in_the_midst(struct world *w, struct kinds k)
{
	struct peer *to = world_listener(w, k.to, "A", "cut.>");
	struct shared *all = share(N_KILLED);
	size_t n_clients = channel_clients(w, "A");
	unsigned n_cut = 0;

	to->on_heard = hear_cut;
	for (unsigned i = 0; i < N_KILLED; i++) {
		struct cut c = {.len = i % 2 ? 350000 : 3000};
		struct shared *mine = &all[i];
		uint64_t enough = 1 + i * 7 % 40;
		char event[16];
		pid_t pid;

		snprintf(event, sizeof(event), "cut.%u", i);
		to->arg = &c;
		pid = spawn();
		if (pid == 0 && k.from == NATIVE)
			emit_native(w, event, c.len, mine);
		if (pid == 0)
			emit_json(w, event, c.len, mine);
		WORLD_UNTIL(w, c.next >= enough);
		kill_child(pid);
		await_clients(w, "A", n_clients);
		peer_barrier(to);
		assert_int_equal(c.wrong, 0);
		assert_in_range(c.next, mine->written, mine->begun);
		n_cut += c.next < mine->begun;
	}
	assert_int_equal(to->lost, 0);
	assert_true(n_cut > 0);
	munmap(all, N_KILLED * sizeof(*all));
}

/* ---- a ring with an endless source */

#define RING          4
#define RING_BLOCK_MS 300

static const char ring_config[] =
        "hello_wait = 20; probation = 0;\n"
        "channels = { R = { queue_bytes = 65536; block_timeout = 300; }; };";

/* Naive on purpose: it reads a packet, writes it to the next one, and reads nothing while it can't
 * write. When its connection has ended it reads what is left there. */
static void __attribute__((noreturn)) forward(struct world *w, unsigned number, struct shared *mine)
{
	char path[UTIL_PATH_MAX], text[300];
	const char *packet;
	bool writes = true;
	struct jc c;
	size_t len;
	int n = snprintf(text, sizeof(text), "{\"event\":\"nc.listen\",\"data\":\"ring.%u\"}",
	                 number);

	if (jc_open(&c, server_socket(&w->server, "R", path)) != 0 ||
	    jc_write(&c, text, (size_t)n + 1) != 0)
		_exit(1);
	n = snprintf(text, sizeof(text), "{\"event\":\"ring.%u\",\"data\":\"%0200d\"}",
	             (number + 1) % RING, (int)number);
	atomic_store(&mine->begun, 1);
	for (;;) {
		struct pollfd f = {.fd = c.fd, .events = POLLIN};

		while ((packet = jc_take(&c, &len))) {
			const char *error = strstr(packet, "\"nc.error\"");

			if (error) {
				atomic_store(&mine->told, 1);
				continue;
			}
			/* before its own interest was in force it may hear others */
			atomic_fetch_add(&mine->heard, 1);
			/* a stuck write ends with the connection */
			for (size_t at = 0; writes && at < (size_t)n + 1;) {
				ssize_t r = send(c.fd, text + at, (size_t)n + 1 - at, MSG_NOSIGNAL);

				writes = r > 0;
				at += writes ? (size_t)r : 0;
			}
		}
		if (c.eof)
			break;
		poll(&f, 1, -1);
		jc_fill(&c);
	}
	if (atomic_load(&mine->told) == 0)
		atomic_store(&mine->told, 2);
	_exit(0);
}

/* All members are there, and what they wish is in force. */
static void await_ring(struct world *w, const struct shared *members)
{
	uint64_t deadline = util_deadline();
	bool is_ready = false;

	for (unsigned i = 0; i < RING; i++)
		WORLD_UNTIL(w, members[i].begun > 0);
	while (!is_ready) {
		yajl_val answer = world_ask(w, "nc-control-clients", "{\"channel\":\"R\"}");
		yajl_val list = util_json_at(answer, "answer");
		unsigned n = 0;

		for (size_t i = 0; i < list->u.array.len; i++) {
			yajl_val p = util_json_at(list->u.array.values[i], "patterns");

			n += p && p->u.array.len == 1 &&
			     strncmp(p->u.array.values[0]->u.string, "ring.", 5) == 0;
		}
		yajl_tree_free(answer);
		is_ready = n == RING;
		if (!is_ready)
			world_pause(w, deadline, "the ring to be closed");
	}
}

static unsigned n_told(const struct shared *members)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RING; i++)
		n += members[i].told != 0;
	return n;
}

/* What members and the world's own client of the ring's channel have got over the wire. */
static uint64_t heard_in_all(const struct world *w, const struct shared *members)
{
	struct nc_counters c = {.received = 0};
	uint64_t n = 0;

	for (size_t i = 0; i < w->n_peers; i++)
		if (w->peers[i]->probe && strcmp(w->peers[i]->channel, "R") == 0)
			nc_get_counters(w->peers[i]->nc, &c, sizeof(c));
	for (unsigned i = 0; i < RING; i++)
		n += members[i].heard;
	return n + c.received;
}

/* Who was ended is found afterwards, with how long it held up the others. */
static void expect_found(struct world *w)
{
	yajl_val answer = world_ask(w, "nc-control-slow", NULL);
	yajl_val list = util_json_at(answer, "answer");
	unsigned n = 0;

	for (size_t i = 0; i < list->u.array.len; i++) {
		yajl_val v = list->u.array.values[i];

		if (strcmp(util_json_text(v, "reason"), "disconnected") != 0)
			continue;
		/* a busy machine is late */
		assert_in_range(util_json_int(v, "stalled_ms"), RING_BLOCK_MS - 50,
		                RING_BLOCK_MS + 10000);
		n++;
	}
	assert_in_range(n, 1, RING);
	yajl_tree_free(answer);
}

static void expect_little_memory(struct world *w)
{
	yajl_val stats = world_ask(w, "nc-control-stats", NULL);

	assert_in_range(util_json_int(stats, "answer.memory.slab_bytes"), 0, 4u << 20);
	yajl_tree_free(stats);
}

/* Every message goes round for ever, and more and more come: the ring must choke. The one that
 * holds it up is disconnected after block_timeout and told; what it had not read is counted, and
 * the source goes on. All that was routed was heard, or counted so. */
static void endless_ring(struct world *w, struct kinds k)
{
	static char text[200];
	const struct value v = {
	        .type = NC_TEXT, .data = text, .len = sizeof(text), .json = "\"endless\""};
	struct shared *members = share(RING);
	struct peer *source = world_peer(w, k.from, "R");
	pid_t children[RING];
	uint64_t deadline;
	struct flow f;

	memset(text, '-', sizeof(text));
	if (k.from == JSON)
		peer_listen(source, "nothing.here");
	for (unsigned i = 0; i < RING; i++) {
		children[i] = spawn();
		if (children[i] == 0)
			forward(w, i, &members[i]);
	}
	await_ring(w, members);
	/* peer_emit() fails the test where the source is held up for too long */
	while (n_told(members) == 0)
		assert_int_equal(peer_emit(source, "ring.0", &v), NC_OK);
	expect_little_memory(w);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(peer_emit(source, "ring.0", &v), NC_OK);
	peer_settle(source);
	deadline = util_deadline();
	do {
		world_pause(w, deadline, "the ring to come to rest, and add up");
		channel_flow(w, "R", &f);
	} while (f.queued > 0 || heard_in_all(w, members) != (uint64_t)f.written);
	assert_true(f.disconnected > 0);
	assert_int_equal(f.dropped_total, f.disconnected);
	assert_int_equal(f.routed, f.written + f.disconnected);
	expect_found(w);
	for (unsigned i = 0; i < RING; i++)
		kill_child(children[i]);
	munmap(members, RING * sizeof(*members));
}

static const struct behaviour list[] = {
        {"two thousand clients come, change places and go, and nothing is left", ONCE, two_thousand,
         wide},
        {"garbage, half frames and half packets at full speed harm nobody", ONCE, garbage, wide},
        {"of one who is killed in the midst of a frame all that was whole is heard", PAIRS,
         killed_in_the_midst, wide},
        {"a ring with an endless source chokes for block_timeout, and no longer", EACH,
         endless_ring, ring_config},
};

const struct theme fault_theme = {"faults", list, sizeof(list) / sizeof(*list)};
