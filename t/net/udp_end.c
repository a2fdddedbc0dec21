/*
 * One host's end of io/udp, driven by lines on standard input
 *
 * usage: udp_end GROUP:PORT INTERFACE [no-gso] [no-gro]
 *
 * GROUP:PORT is "-" for none; INTERFACE may be empty. Commands, and what is answered on standard
 * output (as is each change of the interface, a line "up ..." or "down ..."):
 *
 *	send COUNT LEN [ADDRESS:PORT]  "sent", when all are; LEN 0: lengths of all kinds, up to 1400
 *	heard                          "heard N wrong W from K": datagrams, those that are not as
 *	                               they were sent, senders
 *	forget                         "forgotten": counts from 0 on
 *	counters                       "counters ...", of udp_count()
 *	own                            "own ADDRESS:PORT"
 *
 * Each datagram bears its sender's number, its own, and bytes that follow from both.
 */

#include "ncserver/io/fault.h"
#include "ncserver/io/udp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_LEN   12u
#define MIXED_MAX  1400u
#define BATCH      64u
#define N_FROM_MAX 16u
#define LINE_LEN   256u

static uv_loop_t loop;
static struct udp *udp;

/* what is being sent */
static struct {
	uint64_t n, left;
	size_t len;
	struct netaddr to;
	bool to_one;
} job;
static uv_timer_t pace;

/* what was heard */
static uint64_t n_heard, n_wrong;
static struct netaddr from[N_FROM_MAX];
static unsigned n_from;

static uint32_t mix(uint64_t x)
{
	x *= UINT64_C(0x9E3779B97F4A7C15);
	x ^= x >> 29;
	return (uint32_t)(x * UINT64_C(0xBF58476D1CE4E5B9) >> 32);
}

/* Runs of equal lengths, and of others. */
static size_t mixed_len(uint64_t i)
{
	uint32_t kind = mix(i / 40) % 3;

	if (kind == 0)
		return HEAD_LEN + mix(i) % (MIXED_MAX - HEAD_LEN);
	return kind == 1 ? MIXED_MAX : HEAD_LEN + mix(i / 40) % 300;
}

static void fill(uint8_t *p, size_t len, uint64_t i, uint32_t key)
{
	memcpy(p, &i, 8);
	memcpy(p + 8, &key, 4);
	for (size_t at = HEAD_LEN; at < len; at++)
		p[at] = (uint8_t)(mix(i + key) + at);
}

static void send_batch(void)
{
	static uint8_t data[BATCH][UDP_LEN_MAX];
	struct udp_out v[BATCH];
	size_t n = job.left < BATCH ? job.left : BATCH;

	for (size_t i = 0; i < n; i++) {
		uint64_t number = job.n + i;
		size_t len = job.len ? job.len : mixed_len(number);

		fill(data[i], len, number, (uint32_t)getpid());
		v[i] = (struct udp_out){
		        .to = job.to_one ? &job.to : NULL, .data = data[i], .len = len};
	}
	n = udp_send(udp, v, n);
	job.n += n;
	job.left -= n;
	if (job.left > 0)
		return;
	uv_timer_stop(&pace);
	printf("sent\n");
}

static void on_pace(uv_timer_t *t)
{
	(void)t;
	send_batch();
}

static void on_datagram(void *arg, const struct udp_in *d)
{
	static uint8_t want[UDP_LEN_MAX];
	uint64_t i = 0;
	uint32_t key = 0;
	unsigned k = 0;

	(void)arg;
	n_heard++;
	if (d->len >= HEAD_LEN) {
		memcpy(&i, d->data, 8);
		memcpy(&key, d->data + 8, 4);
		fill(want, d->len, i, key);
	}
	if (d->len < HEAD_LEN || memcmp(want, d->data, d->len) != 0)
		n_wrong++;
	while (k < n_from && !netaddr_equal(&from[k], d->from))
		k++;
	if (k == n_from && k < N_FROM_MAX)
		from[n_from++] = *d->from;
}

static void on_writable(void *arg)
{
	(void)arg;
}

static void on_change(void *arg, const struct udp_state *s)
{
	char text[NETADDR_TEXT_MAX];

	(void)arg;
	if (s->is_up)
		printf("up %s %s mtu %u\n", s->interface, netaddr_text(&s->own, text), s->mtu);
	else
		printf("down %s\n", s->why);
}

static void tell_counters(void)
{
	struct udp_counters n;

	udp_count(udp, &n);
	printf("counters in %" PRIu64 " packets_in %" PRIu64 " out %" PRIu64 " packets_out %" PRIu64
	       " drops %" PRIu64 " too_big %" PRIu64 " gso_error %d\n",
	       n.datagrams_in, n.packets_in, n.datagrams_out, n.packets_out, n.kernel_drops,
	       n.too_big, n.gso_error);
}

static void begin_to_send(char *args)
{
	char host[NETADDR_HOST_MAX], *at;
	uint16_t port;

	job.n = 0;
	job.left = strtoull(args, &at, 10);
	job.len = strtoul(at, &at, 10);
	at += strspn(at, " ");
	job.to_one = *at != '\0';
	if ((job.len > 0 && job.len < HEAD_LEN) || job.len > UDP_LEN_MAX || job.left == 0 ||
	    (job.to_one && (netaddr_split(host, &port, at) || !netaddr_from_ip(&job.to, host)))) {
		printf("error: send %s\n", args);
		return;
	}
	if (job.to_one)
		netaddr_set_port(&job.to, port);
	uv_timer_start(&pace, on_pace, 0, 1);
}

static void on_line(char *line)
{
	char text[NETADDR_TEXT_MAX];

	if (strncmp(line, "send ", 5) == 0)
		begin_to_send(line + 5);
	else if (strcmp(line, "heard") == 0)
		printf("heard %" PRIu64 " wrong %" PRIu64 " from %u\n", n_heard, n_wrong, n_from);
	else if (strcmp(line, "counters") == 0)
		tell_counters();
	else if (strcmp(line, "own") == 0)
		printf("own %s\n", netaddr_text(&udp_state(udp)->own, text));
	else if (strcmp(line, "forget") == 0) {
		n_heard = n_wrong = n_from = 0;
		printf("forgotten\n");
	} else
		printf("error: %s\n", line);
}

static void on_input(uv_poll_t *p, int status, int events)
{
	static char line[LINE_LEN];
	static size_t len;
	char c;

	(void)status;
	(void)events;
	/* a byte at a time: there are few */
	if (read(0, &c, 1) <= 0) {
		uv_poll_stop(p);
		uv_stop(&loop);
		return;
	}
	if (c != '\n' && len < sizeof(line) - 1) {
		line[len++] = c;
		return;
	}
	line[len] = '\0';
	len = 0;
	on_line(line);
}

/* The group and its port. Returns whether it is one. */
static bool read_group(struct netaddr *g, const char *text)
{
	char host[NETADDR_HOST_MAX];
	uint16_t port;

	if (netaddr_split(host, &port, text) || !netaddr_from_ip(g, host))
		return false;
	netaddr_set_port(g, port);
	return true;
}

int main(int argc, char **argv)
{
	const struct udp_handlers on = {
	        .on_datagram = on_datagram, .on_writable = on_writable, .on_change = on_change};
	struct udp_options o = {.rcvbuf = 4 << 20, .may_wait = true};
	struct netaddr group;
	struct fault f;
	uv_poll_t input;
	int r;

	if (argc < 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	o.interface = argv[2];
	if (read_group(&group, argv[1]))
		o.group = &group;
	for (int i = 3; i < argc; i++) {
		o.has_no_gso |= strcmp(argv[i], "no-gso") == 0;
		o.has_no_gro |= strcmp(argv[i], "no-gro") == 0;
	}
	if (uv_loop_init(&loop) || uv_timer_init(&loop, &pace) || uv_poll_init(&loop, &input, 0))
		return 2;
	r = udp_new(&udp, &loop, &o, &on, NULL, &f);
	if (r) {
		printf("error: %s\n", r < 0 ? strerror(-r) : f.text);
		return 1;
	}
	on_change(NULL, udp_state(udp));
	uv_poll_start(&input, UV_READABLE, on_input);
	uv_run(&loop, UV_RUN_DEFAULT);
	udp_free(udp);
	uv_close((uv_handle_t *)&pace, NULL);
	uv_close((uv_handle_t *)&input, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop) ? 2 : 0;
}
