/*
 * Unit tests of io/udp: datagrams through real sockets, and through a kernel whose writes may fail
 */

#include "t/unit/udp_rig.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define N_MIXED 10000u

/* ---- a kernel whose writes may fail ---- */

int __real_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags);

static int write_error; /* of the next n_write_errors calls */
static unsigned n_write_errors;
static int gso_error; /* of all messages that are to be cut */

int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	unsigned k = 0;

	if (n_write_errors > 0) {
		n_write_errors--;
		errno = write_error;
		return -1;
	}
	while (gso_error && k < n && m[k].msg_hdr.msg_controllen == 0)
		k++;
	if (gso_error && k == 0) {
		errno = gso_error;
		return -1;
	}
	return __real_sendmmsg(fd, m, gso_error ? k : n, flags);
}

/* Ten thousand, as fast as the other hears them. */
static void send_and_hear(const struct netaddr *to)
{
	for (uint64_t i = 0; i < N_MIXED; i += 50) {
		send_numbered(&a, to, i, 50);
		assert_true(until_equal(&b.n, i + 50, PATIENCE_MS));
	}
	assert_int_equal(b.n_wrong, 0);
}

static void pass(const struct udp_options *o, bool to_one, bool cuts, bool merges)
{
	struct udp_counters in, out, in_before, out_before;
	struct netaddr to;
	uint64_t packets_in, packets_out;

	open_hosts(o);
	to = udp_state(b.udp)->own;
	if (!to_one)
		meet();
	run_for(20);
	udp_count(a.udp, &out_before);
	udp_count(b.udp, &in_before);
	send_and_hear(to_one ? &to : NULL);
	if (!to_one) {
		/* other servers of the host hear the group, and oneself */
		assert_true(until_equal(&a.n, N_MIXED, PATIENCE_MS));
		assert_int_equal(a.n_wrong, 0);
	}
	assert_int_equal(b.n_group, to_one ? 0 : N_MIXED);
	assert_true(netaddr_equal(&b.from, &udp_state(a.udp)->own));
	udp_count(a.udp, &out);
	udp_count(b.udp, &in);
	assert_int_equal(out.datagrams_out - out_before.datagrams_out, N_MIXED);
	assert_int_equal(in.datagrams_in - in_before.datagrams_in, N_MIXED);
	assert_int_equal(in.bytes_in - in_before.bytes_in, out.bytes_out - out_before.bytes_out);
	assert_int_equal(in.kernel_drops, 0);
	assert_int_equal(out.gso_error, 0);
	assert_int_equal(udp_state(a.udp)->has_gso, cuts);
	packets_out = out.packets_out - out_before.packets_out;
	packets_in = in.packets_in - in_before.packets_in;
	if (cuts)
		assert_true(packets_out < N_MIXED / 2);
	else
		assert_int_equal(packets_out, N_MIXED);
	/* what leaves as one arrives as one, unless the receiver does not want it */
	if (merges)
		assert_int_equal(packets_in, packets_out);
	else
		assert_int_equal(packets_in, N_MIXED);
	assert_true(out.writes - out_before.writes < N_MIXED / 25);
}

static void numbered_datagrams_arrive_whole(void **state)
{
	struct netaddr g = group(AF_INET);

	(void)state;
	pass(&(struct udp_options){.group = &g}, false, true, true);
}

static void numbered_datagrams_arrive_whole_by_ipv6(void **state)
{
	struct netaddr g = group(AF_INET6);

	(void)state;
	NEED_NAMESPACE();
	pass(&(struct udp_options){.group = &g, .interface = "mesh0"}, false, true, true);
	assert_true(netaddr_is_link_local(&b.from));
}

static void a_group_that_is_not_reached_is_told(void **state)
{
	struct netaddr g = group(AF_INET6);
	struct udp_options o = {.group = &g, .interface = "lo"};
	struct fault f;
	struct udp *u;

	(void)state;
	NEED_NAMESPACE();
	assert_int_equal(udp_new(&u, &loop, &o, &handlers, &a, &f), 1);
	assert_non_null(strstr(f.text, "no groups on loopback"));
	command("ip -6 route del ff00::/8 dev mesh0 table local");
	o.interface = "mesh0";
	assert_int_equal(udp_new(&u, &loop, &o, &handlers, &a, &f), 1);
	assert_non_null(strstr(f.text, "ip -6 route add ff00::/8 dev mesh0"));
	command("ip -6 route add multicast ff00::/8 dev mesh0 table local");
}

static void a_receiver_may_do_without_merging(void **state)
{
	struct netaddr g = group(AF_INET);

	(void)state;
	pass(&(struct udp_options){.group = &g, .has_no_gro = true}, false, true, false);
}

static void a_sender_may_do_without_cutting(void **state)
{
	struct netaddr g = group(AF_INET);

	(void)state;
	pass(&(struct udp_options){.group = &g, .has_no_gso = true}, false, false, false);
}

static void single_hosts_are_reached(void **state)
{
	struct netaddr g = group(AF_INET);

	(void)state;
	pass(&(struct udp_options){.group = &g}, true, true, true);
}

static void without_a_group_hosts_reach_each_other(void **state)
{
	(void)state;
	pass(&(struct udp_options){.family = AF_INET}, true, true, true);
	udp_free(a.udp);
	udp_free(b.udp);
	pass(&(struct udp_options){.family = AF_INET6}, true, true, true);
}

static void one_socket_reaches_both_families(void **state)
{
	struct udp_options all = {.family = AF_INET6, .interface = ""};
	struct udp_options four = {.family = AF_INET};
	struct netaddr to;

	(void)state;
	open_host(&a, &all);
	open_host(&b, &four);
	assert_string_equal(udp_state(a.udp)->interface, "");
	assert_int_equal(udp_state(a.udp)->mtu, 0);
	assert_int_equal(udp_state(a.udp)->len_max, UDP_LEN_MAX);
	to = udp_state(b.udp)->own;
	assert_int_equal(to.sa.sa_family, AF_INET);
	send_and_hear(&to);
	/* and back to where it came from */
	assert_int_equal(b.from.sa.sa_family, AF_INET);
	send_numbered(&b, &b.from, 0, 40);
	assert_true(until_equal(&a.n, 40, PATIENCE_MS));
	assert_int_equal(a.n_wrong, 0);
	assert_true(netaddr_equal(&a.from, &to));
}

static void an_answer_goes_to_where_it_came_from(void **state)
{
	struct netaddr g = group(AF_INET);

	(void)state;
	open_hosts(&(struct udp_options){.group = &g});
	send_numbered(&a, NULL, 0, 1);
	assert_true(until_equal(&b.n, 1, PATIENCE_MS));
	assert_true(until_equal(&a.n, 1, PATIENCE_MS));
	send_numbered(&b, &b.from, 1, 1);
	assert_true(until_equal(&a.n, 2, PATIENCE_MS));
	assert_int_equal(a.n_group, 1);
	assert_int_equal(a.n_wrong, 0);
	assert_int_equal(b.n, 1);
}

static void destinations_may_alternate(void **state)
{
	struct netaddr g = group(AF_INET), to;
	uint8_t data[60][100] = {{0}};
	struct udp_out v[60];
	struct udp_counters n;

	(void)state;
	open_hosts(&(struct udp_options){.group = &g});
	to = udp_state(b.udp)->own;
	/* three to the group, three to one host, and so on: 4 bytes each, not numbered */
	for (size_t i = 0; i < COUNT(v); i++)
		v[i] = (struct udp_out){.to = i / 3 % 2 ? &to : NULL, .data = data[i], .len = 4};
	assert_int_equal(udp_send(a.udp, v, COUNT(v)), COUNT(v));
	assert_true(until_equal(&b.n, 60, PATIENCE_MS));
	assert_true(until_equal(&a.n, 30, PATIENCE_MS));
	assert_int_equal(b.n_group, 30);
	udp_count(a.udp, &n);
	assert_int_equal(n.packets_out, 20);
	assert_int_equal(n.writes, 1);
}

static void a_packet_holds_what_the_kernel_takes(void **state)
{
	struct netaddr g = group(AF_INET);
	static uint8_t data[UDP_LEN_MAX];
	struct udp_out v[200];
	struct udp_counters n;
	uint64_t want = 0;

	(void)state;
	open_hosts(&(struct udp_options){.group = &g});
	for (size_t len = 1; len < 8; len += 3) {
		struct udp_counters before;

		udp_count(a.udp, &before);
		for (size_t i = 0; i < COUNT(v); i++)
			v[i] = (struct udp_out){.data = data, .len = len};
		assert_int_equal(udp_send(a.udp, v, COUNT(v)), COUNT(v));
		want += COUNT(v);
		assert_true(until_equal(&b.n, want, PATIENCE_MS));
		udp_count(a.udp, &n);
		assert_int_equal(n.packets_out - before.packets_out,
		                 (COUNT(v) + UDP_SEGMENTS_MAX - 1) / UDP_SEGMENTS_MAX);
	}
	/* by bytes: 6 of 10,000, not 7; lengths that no neighbour shares; the longest of all */
	b.n_bytes = 0;
	for (size_t i = 0; i < 12; i++)
		v[i] = (struct udp_out){.data = data, .len = 4 + (i < 6)};
	for (size_t i = 0; i < 13; i++)
		v[i] = (struct udp_out){.data = data, .len = i == 12 ? UDP_LEN_MAX : 10000};
	b.next = a.next = 0;
	assert_int_equal(udp_send(a.udp, v, 13), 13);
	assert_true(until_equal(&b.n, want + 13, PATIENCE_MS));
	assert_int_equal(b.n_bytes, 120000 + UDP_LEN_MAX);
	udp_count(a.udp, &n);
	assert_int_equal(n.packets_out, 12 + 3);
}

/* ---- the kernel says no ---- */

static void cutting_that_is_refused_is_given_up(void **state)
{
	struct netaddr g = group(AF_INET);
	struct udp_counters n;
	int one = 1;

	(void)state;
	open_hosts(&(struct udp_options){.group = &g});
	/* without checksums the kernel cuts nothing */
	assert_int_equal(setsockopt(a.udp->own->fd, SOL_SOCKET, SO_NO_CHECK, &one, sizeof(one)), 0);
	send_and_hear(NULL);
	assert_false(udp_state(a.udp)->has_gso);
	udp_count(a.udp, &n);
	assert_true(n.gso_error == -EINVAL || n.gso_error == -EIO);
	assert_int_equal(n.datagrams_out, N_MIXED);
	/* but for those before the first packet of several */
	assert_int_equal(n.packets_out, N_MIXED);
	assert_int_equal(n.other, 0);
}

static void each_refusal_to_cut_is_told_by_its_errno(void **state)
{
	static const int errors[] = {EIO, EINVAL, EOPNOTSUPP};
	struct netaddr g = group(AF_INET);

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct udp_counters n;

		udp_free(a.udp);
		udp_free(b.udp);
		open_hosts(&(struct udp_options){.group = &g});
		gso_error = errors[i];
		send_and_hear(NULL);
		udp_count(a.udp, &n);
		assert_int_equal(n.gso_error, -errors[i]);
		assert_int_equal(n.packets_out, N_MIXED);
		assert_false(udp_state(a.udp)->has_gso);
	}
}

static void a_bad_destination_costs_no_cutting(void **state)
{
	struct netaddr g = group(AF_INET), nowhere;
	static const uint8_t data[64];
	struct udp_out v[20];
	struct udp_counters n;

	(void)state;
	open_hosts(&(struct udp_options){.group = &g});
	assert_true(netaddr_from_ip(&nowhere, "127.0.0.1"));
	/* port 0: EINVAL, as for a packet that can't be cut */
	for (size_t i = 0; i < COUNT(v); i++)
		v[i] = (struct udp_out){
		        .to = i < 10 ? &nowhere : NULL, .data = data, .len = 4, .err = 1};
	assert_int_equal(udp_send(a.udp, v, COUNT(v)), COUNT(v));
	for (size_t i = 0; i < COUNT(v); i++)
		assert_int_equal(v[i].err, i < 10 ? -EINVAL : 0);
	assert_true(udp_state(a.udp)->has_gso);
	assert_true(until_equal(&b.n, 10, PATIENCE_MS));
	udp_count(a.udp, &n);
	assert_int_equal(n.other, 10);
	assert_int_equal(n.other_error, -EINVAL);
	assert_int_equal(n.gso_error, 0);
	assert_int_equal(n.packets_out, 1);
}

static void what_the_network_refuses_is_counted_and_passed_over(void **state)
{
	struct netaddr g = group(AF_INET);
	static const uint8_t data[64];
	struct udp_counters n, before;
	static const struct {
		int err;
		size_t at;
	} cases[] = {
	        {ENOBUFS, offsetof(struct udp_counters, no_buffers)},
	        {ENOMEM, offsetof(struct udp_counters, no_buffers)},
	        {ENETDOWN, offsetof(struct udp_counters, down)},
	        {ENODEV, offsetof(struct udp_counters, down)},
	        {ENETUNREACH, offsetof(struct udp_counters, unreachable)},
	        {EHOSTUNREACH, offsetof(struct udp_counters, unreachable)},
	        {ECONNREFUSED, offsetof(struct udp_counters, unreachable)},
	        {EPERM, offsetof(struct udp_counters, refused)},
	        {EACCES, offsetof(struct udp_counters, refused)},
	        {EMSGSIZE, offsetof(struct udp_counters, too_big)},
	        {EPROTO, offsetof(struct udp_counters, other)},
	};

	(void)state;
	open_hosts(&(struct udp_options){.group = &g, .has_no_gso = true});
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct udp_out v[3] = {{.data = data, .len = 4},
		                       {.data = data, .len = 4},
		                       {.data = data, .len = 4}};

		udp_count(a.udp, &before);
		write_error = cases[i].err;
		n_write_errors = 1;
		assert_int_equal(udp_send(a.udp, v, 3), 3);
		assert_int_equal(v[0].err, -cases[i].err);
		assert_int_equal(v[1].err, 0);
		assert_int_equal(v[2].err, 0);
		udp_count(a.udp, &n);
		assert_int_equal(*(uint64_t *)((char *)&n + cases[i].at),
		                 *(uint64_t *)((char *)&before + cases[i].at) + 1);
		assert_int_equal(n.datagrams_out, before.datagrams_out + 2);
		/* the one that failed, the others, and no more */
		assert_int_equal(n.writes, before.writes + 2);
	}
	assert_true(until_equal(&b.n, 2 * COUNT(cases), PATIENCE_MS));
}

static void an_interrupted_call_is_made_again(void **state)
{
	struct netaddr g = group(AF_INET);

	(void)state;
	open_hosts(&(struct udp_options){.group = &g});
	write_error = EINTR;
	n_write_errors = 3;
	send_numbered(&a, NULL, 0, 10);
	assert_true(until_equal(&b.n, 10, PATIENCE_MS));
}

static void a_full_kernel_is_waited_for(void **state)
{
	struct netaddr g = group(AF_INET);
	static const uint8_t data[64];
	struct udp_out v[100];
	struct udp_counters n;

	(void)state;
	open_hosts(&(struct udp_options){.group = &g, .has_no_gso = true});
	for (size_t i = 0; i < COUNT(v); i++)
		v[i] = (struct udp_out){.data = data, .len = 4, .err = 1};
	/* 64 pass in one call, then there is no room */
	write_error = EAGAIN;
	n_write_errors = 1;
	assert_int_equal(udp_send(a.udp, v, COUNT(v)), 0);
	assert_int_equal(v[0].err, 1);
	assert_int_equal(a.n_writable, 0);
	run_for(50);
	assert_int_equal(a.n_writable, 1);
	assert_int_equal(udp_send(a.udp, v, COUNT(v)), COUNT(v));
	assert_true(until_equal(&b.n, COUNT(v), PATIENCE_MS));
	/* told once */
	assert_int_equal(a.n_writable, 1);
	udp_count(a.udp, &n);
	assert_int_equal(n.blocked, 1);
	assert_int_equal(n.datagrams_out, COUNT(v));
}

static void what_is_too_long_is_told(void **state)
{
	struct netaddr g = group(AF_INET);
	static const uint8_t data[UDP_LEN_MAX + 1];
	struct udp_out v[3] = {{.data = data, .len = 4},
	                       {.data = data, .len = UDP_LEN_MAX + 1},
	                       {.data = data, .len = 4}};
	struct udp_counters n;

	(void)state;
	open_hosts(&(struct udp_options){.group = &g});
	assert_int_equal(udp_send(a.udp, v, 3), 3);
	assert_int_equal(v[0].err, 0);
	assert_int_equal(v[1].err, -EMSGSIZE);
	assert_int_equal(v[2].err, 0);
	assert_true(until_equal(&b.n, 2, PATIENCE_MS));
	udp_count(a.udp, &n);
	assert_int_equal(n.too_big, 1);
}

static void what_does_not_fit_a_buffer_is_dropped_and_counted(void **state)
{
	struct netaddr g = group(AF_INET);
	static const uint8_t data[2000];
	struct udp_out v[3] = {
	        {.data = data, .len = 4}, {.data = data, .len = 1001}, {.data = data, .len = 1000}};
	struct udp_counters n;

	(void)state;
	open_hosts(&(struct udp_options){.group = &g, .read_len = 1000, .has_no_gso = true});
	b.next = a.next = UINT64_MAX;
	assert_int_equal(udp_send(a.udp, v, 3), 3);
	assert_true(until_equal(&b.n, 2, PATIENCE_MS));
	assert_int_equal(b.n_bytes, 1004);
	udp_count(b.udp, &n);
	assert_int_equal(n.truncated, 1);
	assert_int_equal(n.datagrams_in, 2);
}

static void an_empty_datagram_is_one(void **state)
{
	struct netaddr g = group(AF_INET), to;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	open_hosts(&(struct udp_options){.group = &g});
	to = udp_state(b.udp)->own;
	assert_int_equal(sendto(fd, "", 0, 0, &to.sa, netaddr_len(&to)), 0);
	assert_true(until_equal(&b.n, 1, PATIENCE_MS));
	assert_int_equal(b.n_bytes, 0);
	close(fd);
}

static void what_the_kernel_drops_is_counted(void **state)
{
	struct netaddr g = group(AF_INET);
	struct udp_counters n;
	uint64_t sent = 0;

	(void)state;
	open_hosts(&(struct udp_options){.group = &g, .has_no_gso = true, .rcvbuf = 1});
	for (; sent < 1000; sent += 50)
		send_numbered(&a, NULL, sent, 50);
	udp_count(b.udp, &n);
	assert_true(n.kernel_drops > 0);
	assert_true(until_equal(&b.n, sent - n.kernel_drops, PATIENCE_MS));
}

/* ---- the start ---- */

static void a_start_that_can_not_be_says_why(void **state)
{
	struct netaddr g = group(AF_INET), one, portless = group(AF_INET);
	struct udp_options o[] = {
	        {.group = &one, .interface = "lo"},
	        {.group = &portless, .interface = "lo"},
	        {.group = &g, .interface = "no-such-if"},
	        {.group = &g, .interface = "no such interface at all, with a long name and more"},
	        {.group = &g, .interface = "::1"},
	};
	static const char *const says[] = {
	        "no multicast address", "has no port", "there is no interface \"no-such-if\"",
	        "no name, prefix or address", "not of the family of the group"};
	struct fault f;
	struct udp *u;

	(void)state;
	assert_true(netaddr_from_ip(&one, "10.0.0.1"));
	netaddr_set_port(&portless, 0);
	for (size_t i = 0; i < COUNT(o); i++) {
		assert_int_equal(udp_new(&u, &loop, &o[i], &handlers, &a, &f), 1);
		if (!strstr(f.text, says[i]))
			print_error("%s\n", f.text);
		assert_non_null(strstr(f.text, says[i]));
	}
}

static void a_port_belongs_to_one(void **state)
{
	struct netaddr g = group(AF_INET);
	struct udp_options o = {.group = &g, .interface = "lo"};
	struct fault f;
	struct udp *u;

	(void)state;
	open_host(&a, &o);
	o.port = netaddr_port(&udp_state(a.udp)->own);
	assert_int_equal(udp_new(&u, &loop, &o, &handlers, &b, &f), 1);
	assert_int_equal(f.exit_code, FAULT_EXIT_BUSY);
	assert_non_null(strstr(f.text, "cannot bind to 127.0.0.1:"));
	/* the other's is left alone, and free again afterwards */
	udp_free(a.udp);
	open_host(&a, &o);
	assert_int_equal(netaddr_port(&udp_state(a.udp)->own), o.port);
}

/* With a log and without privileges, in a process of its own. Returns the log. */
static const char *log_of_small_buffer(size_t asked)
{
	static char text[4096];
	int p[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct netaddr g = group(AF_INET);
		struct udp_options o = {.group = &g, .interface = "lo", .rcvbuf = asked};
		struct fault f;
		struct log log;

		/* EINVAL: root of a user namespace, who has no rights either */
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0 && errno != EINVAL)
			_exit(2);
		uv_loop_fork(&loop);
		log_init(&log, p[1], LOG_LEVEL_INFO, NULL);
		o.log = &log;
		_exit(udp_new(&a.udp, &loop, &o, &handlers, &a, &f) ? 3 : 0);
	}
	close(p[1]);
	n = read(p[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return text;
}

static void a_buffer_that_is_too_small_names_the_sysctl(void **state)
{
	unsigned long max = 0;
	char want[128];
	FILE *f = fopen("/proc/sys/net/core/rmem_max", "r");
	const char *said;

	(void)state;
	if (!f || fscanf(f, "%lu", &max) != 1 || max > INT32_MAX / 8) {
		/* a new network namespace does not have it */
		print_message("# net.core.rmem_max can't be read, or is too large\n");
		if (f)
			fclose(f);
		skip();
	}
	fclose(f);
	said = log_of_small_buffer(max * 2);
	snprintf(want, sizeof(want), "sysctl -w net.core.rmem_max=%lu", max * 2);
	assert_non_null(strstr(said, "level=warning"));
	assert_non_null(strstr(said, want));
	snprintf(want, sizeof(want), "bytes=%lu asked=%lu", max, max * 2);
	assert_non_null(strstr(said, want));
	/* twice for two sockets would be once too often */
	assert_null(strstr(strstr(said, "sysctl") + 1, "sysctl"));
	assert_string_equal(log_of_small_buffer(max / 2), "");
}

/* ---- the loop ---- */

static void a_handler_may_free(void **state)
{
	struct netaddr g = group(AF_INET);

	(void)state;
	open_hosts(&(struct udp_options){.group = &g});
	b.frees_itself = true;
	send_numbered(&a, NULL, 0, 50);
	assert_true(until_equal(&a.n, 50, PATIENCE_MS));
	assert_null(b.udp);
	assert_int_equal(b.n, 1);
}

struct turns {
	uint64_t before, worst, n;
};

static void on_turn(uv_prepare_t *p)
{
	struct turns *t = p->data;

	if (b.n - t->before > t->worst)
		t->worst = b.n - t->before;
	t->before = b.n;
	t->n++;
}

/* A process that sends as fast as it can, several datagrams in one packet, until it is killed. */
static pid_t flood(const struct netaddr *to)
{
	static const uint8_t data[UDP_LEN_MAX];
	uint16_t len = 4;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	for (int fd = socket(AF_INET, SOCK_DGRAM, 0);;) {
		(void)setsockopt(fd, IPPROTO_UDP, 103, &(int){len}, sizeof(int));
		for (int i = 0; i < 100; i++)
			(void)sendto(fd, data, (size_t)len * 64, 0, &to->sa, netaddr_len(to));
		len = (uint16_t)(4 + len % 4);
		if (getppid() == 1)
			_exit(0);
	}
}

static void garbage_at_full_speed_leaves_turns_to_others(void **state)
{
	struct netaddr g = group(AF_INET), to;
	struct udp_options o = {.group = &g, .budget = 200};
	struct turns turns = {0};
	struct udp_counters n;
	uv_prepare_t prepare;
	pid_t pid;

	(void)state;
	open_host(&b, &o);
	to = udp_state(b.udp)->own;
	uv_prepare_init(&loop, &prepare);
	prepare.data = &turns;
	uv_prepare_start(&prepare, on_turn);
	pid = flood(&to);
	/* until it is seen that budgets are spent, again and again */
	do {
		run_for(50);
		udp_count(b.udp, &n);
	} while (n.spent < 100);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	uv_close((uv_handle_t *)&prepare, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_true(turns.worst >= 200);
	/* the last packet may be one of 64 */
	assert_true(turns.worst < 200 + 64);
	assert_true(turns.n >= n.spent);
}

/* No test leaves errors to the next one. */
static int mend(void **state)
{
	write_error = gso_error = 0;
	n_write_errors = 0;
	return set_up(state);
}

#define MENDED(f) cmocka_unit_test_setup_teardown(f, mend, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        MENDED(numbered_datagrams_arrive_whole),
	        MENDED(numbered_datagrams_arrive_whole_by_ipv6),
	        MENDED(a_group_that_is_not_reached_is_told),
	        MENDED(a_receiver_may_do_without_merging),
	        MENDED(a_sender_may_do_without_cutting),
	        MENDED(single_hosts_are_reached),
	        MENDED(without_a_group_hosts_reach_each_other),
	        MENDED(one_socket_reaches_both_families),
	        MENDED(an_answer_goes_to_where_it_came_from),
	        MENDED(destinations_may_alternate),
	        MENDED(a_packet_holds_what_the_kernel_takes),
	        MENDED(cutting_that_is_refused_is_given_up),
	        MENDED(each_refusal_to_cut_is_told_by_its_errno),
	        MENDED(a_bad_destination_costs_no_cutting),
	        MENDED(what_the_network_refuses_is_counted_and_passed_over),
	        MENDED(an_interrupted_call_is_made_again),
	        MENDED(a_full_kernel_is_waited_for),
	        MENDED(what_is_too_long_is_told),
	        MENDED(what_does_not_fit_a_buffer_is_dropped_and_counted),
	        MENDED(an_empty_datagram_is_one),
	        MENDED(what_the_kernel_drops_is_counted),
	        MENDED(a_start_that_can_not_be_says_why),
	        MENDED(a_port_belongs_to_one),
	        MENDED(a_buffer_that_is_too_small_names_the_sysctl),
	        MENDED(a_handler_may_free),
	        MENDED(garbage_at_full_speed_leaves_turns_to_others),
	};

	return cmocka_run_group_tests(tests, isolate, NULL);
}
