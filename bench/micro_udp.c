/*
 * What io/udp costs beside plain system calls, from one host to two others
 *
 * usage: bench/micro_udp [SECONDS [ROUNDS]]
 *
 * Makes three network namespaces joined by a bridge (it takes root, or a kernel that lets users
 * have namespaces), and sends datagrams to a group for SECONDS (default 0.5) as fast as it can: by
 * sockets of its own, with as few system calls as there can be, and by io/udp, in turns, ROUNDS
 * times (default 5). Of each figure the best round counts. Prints datagrams per second that a
 * receiver has got, the share that it has lost, and the CPU time of each end for one datagram.
 */

#include "ncserver/io/fault.h"
#include "ncserver/io/udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_RECEIVERS 2u
#define GROUP       "239.77.0.1"
#define PORT        17078
#define BUFFER      (4 << 20)
#define RAW_MSGS    16u
#define LEN_MAX     1400u
#define BATCH       184u /* datagrams between two looks at the clock: four packets of 1400 bytes */
/* How long receivers wait for more. */
#define SILENCE_MS 200

struct row {
	const char *name;
	size_t len;
	bool has_gso;
};

static const struct row rows[] = {
        {"1400 bytes", 1400, true},
        {"200 bytes", 200, true},
        {"1400 bytes, one by one", 1400, false},
};

struct end {
	uint64_t n; /* datagrams sent, or heard */
	double cpu_s, seconds;
};

/* Shared by all processes: the sender is the first. */
static struct shared {
	struct end ends[1 + N_RECEIVERS];
	volatile unsigned n_ready;
	volatile bool is_failed;
} * shared;

static double seconds = 0.5;

static void fail(const char *what)
{
	fprintf(stderr, "micro_udp: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_s(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct netaddr group(void)
{
	struct netaddr g;

	netaddr_from_ip(&g, GROUP);
	netaddr_set_port(&g, PORT);
	return g;
}

/* ---- plain sockets ---- */

static int raw_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = BUFFER, one = 1;

	if (fd < 0)
		fail("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

static void raw_send(const struct row *r, struct end *e)
{
	static uint8_t data[BATCH * LEN_MAX];
	static struct mmsghdr m[64];
	static struct iovec io[64];
	size_t per = r->has_gso ? UDP_LEN_MAX / r->len : 1;
	int fd = raw_socket(), len = (int)r->len;
	struct netaddr g = group();
	struct ip_mreqn way = {.imr_ifindex = (int)if_nametoindex("eth0")};
	double end;

	if (per > UDP_SEGMENTS_MAX)
		per = UDP_SEGMENTS_MAX;
	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &way, sizeof(way)) ||
	    connect(fd, &g.sa, netaddr_len(&g)))
		fail("connect");
	if (r->has_gso && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &len, sizeof(len)))
		fail("UDP_SEGMENT");
	for (unsigned i = 0; i < 64; i++) {
		io[i] = (struct iovec){data + i * r->len, r->len};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &io[i], .msg_iovlen = 1};
	}
	end = now_s(CLOCK_MONOTONIC) + seconds;
	while (now_s(CLOCK_MONOTONIC) < end) {
		if (!r->has_gso) {
			int n = sendmmsg(fd, m, 64, 0);

			e->n += n > 0 ? (unsigned)n : 0;
			continue;
		}
		for (size_t i = 0; i + per <= BATCH; i += per)
			if (send(fd, data + i * r->len, per * r->len, 0) > 0)
				e->n += per;
	}
	close(fd);
}

static void raw_hear(const struct row *r, struct end *e)
{
	static uint8_t data[RAW_MSGS][65536];
	static struct mmsghdr m[RAW_MSGS];
	static struct iovec io[RAW_MSGS];
	static char control[RAW_MSGS][CMSG_SPACE(sizeof(int))];
	struct netaddr g = group();
	struct ip_mreqn join = {.imr_multiaddr = g.in.sin_addr,
	                        .imr_ifindex = (int)if_nametoindex("eth0")};
	int fd = raw_socket(), one = 1;
	double begin = 0;

	if (bind(fd, &g.sa, netaddr_len(&g)) ||
	    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)) ||
	    setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one)))
		fail("join");
	shared->n_ready++;
	for (;;) {
		struct timeval limit = {.tv_usec = SILENCE_MS * 1000};
		int n;

		if (e->n && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
			fail("SO_RCVTIMEO");
		for (unsigned i = 0; i < RAW_MSGS; i++) {
			io[i] = (struct iovec){data[i], sizeof(data[i])};
			m[i].msg_hdr = (struct msghdr){.msg_iov = &io[i],
			                               .msg_iovlen = 1,
			                               .msg_control = control[i],
			                               .msg_controllen = sizeof(control[i])};
		}
		n = recvmmsg(fd, m, RAW_MSGS, MSG_WAITFORONE, NULL);
		if (n <= 0)
			break;
		if (!e->n)
			begin = now_s(CLOCK_MONOTONIC);
		for (int i = 0; i < n; i++)
			e->n += (m[i].msg_len + r->len - 1) / r->len;
		e->seconds = now_s(CLOCK_MONOTONIC) - begin;
	}
	close(fd);
}

/* ---- io/udp ---- */

static uv_loop_t loop;
static uv_timer_t silence;
static struct end *heard;
static double heard_from;

static void on_datagram(void *arg, const struct udp_in *d)
{
	(void)d;
	(void)arg;
	if (heard)
		heard->n++;
}

static void on_writable(void *arg)
{
	(void)arg;
}

static void on_change(void *arg, const struct udp_state *s)
{
	(void)arg;
	(void)s;
}

static struct udp *layer_open(const struct row *r)
{
	static const struct udp_handlers on = {
	        .on_datagram = on_datagram, .on_writable = on_writable, .on_change = on_change};
	struct netaddr g = group();
	struct udp_options o = {.group = &g,
	                        .interface = "eth0",
	                        .rcvbuf = BUFFER,
	                        .sndbuf = BUFFER,
	                        .has_no_gso = !r->has_gso};
	struct udp *u;
	struct fault f;
	int err;

	if (uv_loop_init(&loop))
		fail("uv_loop_init");
	err = udp_new(&u, &loop, &o, &on, NULL, &f);
	if (err > 0)
		fprintf(stderr, "micro_udp: %s\n", f.text);
	if (err)
		exit(1);
	return u;
}

static void layer_send(const struct row *r, struct end *e)
{
	static uint8_t data[BATCH * LEN_MAX];
	static struct udp_out v[BATCH];
	struct udp *u = layer_open(r);
	struct udp_counters n;
	double end;

	for (unsigned i = 0; i < BATCH; i++)
		v[i] = (struct udp_out){.data = data + i * r->len, .len = r->len};
	end = now_s(CLOCK_MONOTONIC) + seconds;
	while (now_s(CLOCK_MONOTONIC) < end) {
		udp_send(u, v, BATCH);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	udp_count(u, &n);
	e->n = n.datagrams_out;
}

static void on_silence(uv_timer_t *t)
{
	static uint64_t before;

	if (heard->n && heard->n == before)
		uv_stop(t->loop);
	if (heard->n && !before)
		heard_from = now_s(CLOCK_MONOTONIC);
	if (heard->n != before)
		heard->seconds = now_s(CLOCK_MONOTONIC);
	before = heard->n;
}

static void layer_hear(const struct row *r, struct end *e)
{
	struct udp *u = layer_open(r);

	(void)u;
	heard = e;
	uv_timer_init(&loop, &silence);
	uv_timer_start(&silence, on_silence, 10, 10);
	shared->n_ready++;
	uv_run(&loop, UV_RUN_DEFAULT);
	/* known to a hundredth of a second */
	e->seconds -= heard_from - 0.005;
}

/* ---- the hosts ---- */

static int wait_in[1 + N_RECEIVERS][2];

/* A process with a network of its own; it works each time that a byte arrives. */
static pid_t host(unsigned i)
{
	pid_t pid = fork(), worker;
	unsigned char what;
	int status;

	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET))
		fail("unshare");
	shared->n_ready++;
	while (read(wait_in[i][0], &what, 1) == 1) {
		const struct row *r = &rows[what / 2];
		struct end *e = &shared->ends[i];

		worker = fork();
		if (worker != 0) {
			waitpid(worker, &status, 0);
			shared->is_failed |= status != 0;
			shared->n_ready++;
			continue;
		}
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		*e = (struct end){0};
		if (what % 2)
			(i ? layer_hear : layer_send)(r, e);
		else
			(i ? raw_hear : raw_send)(r, e);
		e->cpu_s = now_s(CLOCK_PROCESS_CPUTIME_ID);
		_exit(0);
	}
	_exit(0);
}

static void __attribute__((format(printf, 1, 2))) command(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (system(text)) {
		fprintf(stderr, "micro_udp: failed: %s\n", text);
		exit(1);
	}
}

static void wait_ready(unsigned n)
{
	while (shared->n_ready < n && !shared->is_failed)
		usleep(1000);
	if (shared->is_failed)
		exit(1);
}

static void make_hosts(void)
{
	if (unshare(CLONE_NEWNET))
		fail("unshare");
	command("ip link add name br0 type bridge mcast_snooping 0 && ip link set br0 up");
	for (unsigned i = 0; i <= N_RECEIVERS; i++) {
		pid_t pid;

		if (pipe(wait_in[i]))
			fail("pipe");
		shared->n_ready = 0;
		pid = host(i);
		wait_ready(1);
		command("ip link add name p%u type veth peer name eth0 netns %d", i, pid);
		command("ip link set p%u master br0 up", i);
		command("nsenter --net=/proc/%d/ns/net ip address add 10.77.0.%u/24 dev eth0", pid,
		        i + 1);
		command("nsenter --net=/proc/%d/ns/net ip link set eth0 up", pid);
	}
}

struct result {
	double rate, loss, send_ns, hear_ns;
};

static struct result measure(unsigned row, bool layer)
{
	unsigned char what = (unsigned char)(row * 2 + layer);
	struct result r = {0};

	shared->n_ready = 0;
	for (unsigned i = 1; i <= N_RECEIVERS; i++)
		if (write(wait_in[i][1], &what, 1) != 1)
			fail("pipe");
	wait_ready(N_RECEIVERS);
	shared->n_ready = 0;
	if (write(wait_in[0][1], &what, 1) != 1)
		fail("pipe");
	wait_ready(1 + N_RECEIVERS);
	r.send_ns = shared->ends[0].cpu_s * 1e9 / (double)shared->ends[0].n;
	for (unsigned i = 1; i <= N_RECEIVERS; i++) {
		const struct end *e = &shared->ends[i];

		r.rate += (double)e->n / e->seconds / N_RECEIVERS;
		r.loss += 1 - (double)e->n / (double)shared->ends[0].n;
		r.hear_ns += e->cpu_s * 1e9 / (double)e->n / N_RECEIVERS;
	}
	r.loss /= N_RECEIVERS;
	return r;
}

/* What else the machine does only ever makes it slower. */
static void better(struct result *best, const struct result *r)
{
	if (best->rate == 0)
		*best = *r;
	if (r->rate > best->rate) {
		best->rate = r->rate;
		best->loss = r->loss;
	}
	if (r->send_ns < best->send_ns)
		best->send_ns = r->send_ns;
	if (r->hear_ns < best->hear_ns)
		best->hear_ns = r->hear_ns;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 5;

	if (argc > 1)
		seconds = atof(argv[1]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	              0);
	if (shared == MAP_FAILED)
		fail("memory");
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_hosts();
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct result best[2] = {{0}};

		for (unsigned k = 0; k < 2 * rounds; k++) {
			struct result r = measure(i, k % 2);

			better(&best[k % 2], &r);
		}
		for (unsigned k = 0; k < 2; k++)
			printf("%-24s %-8s %9.0f /s  lost %4.1f %%  sender %6.0f ns  receiver %6.0f ns\n",
			       rows[i].name, k ? "io/udp" : "plain", best[k].rate,
			       best[k].loss * 100, best[k].send_ns, best[k].hear_ns);
		printf("%-24s %-8s %9.2f              %22.2f            %10.2f\n", "", "ratio",
		       best[1].rate / best[0].rate, best[1].send_ns / best[0].send_ns,
		       best[1].hear_ns / best[0].hear_ns);
	}
	return 0;
}
