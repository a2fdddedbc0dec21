/*
 * Two hosts with io/udp on one loop, in a network namespace of their own where that is permitted
 */

#include "t/unit/udp_rig.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

#define GROUP_4   "239.77.0.1"
#define GROUP_6   "ff15::4d01"
#define LEN_MIXED 1400u
/* As no other datagram. */
#define GREETING_LEN 3u

bool is_alone;
static uint16_t group_port;

/* ---- the namespace ---- */

void set_lo(unsigned long request, bool is_up, int mtu)
{
	struct ifreq r = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (request == SIOCSIFMTU)
		r.ifr_mtu = mtu;
	else
		r.ifr_flags = is_up ? IFF_UP : 0;
	assert_int_equal(ioctl(fd, request, &r), 0);
	close(fd);
}

bool command(const char *text)
{
	if (system(text) == 0)
		return true;
	print_error("failed: %s\n", text);
	return false;
}

/* An Ethernet of two ends, with addresses that are usable at once. */
bool make_link(void)
{
	return command("ip link add mesh0 type veth peer name mesh1") &&
	       command("echo 0 >/proc/sys/net/ipv6/conf/mesh0/accept_dad") &&
	       command("ip link set mesh0 up && ip link set mesh1 up") &&
	       command("ip address add 10.78.0.1/24 dev mesh0") &&
	       /* the kernel gives it its IPv6 address a little later */
	       command("for i in $(seq 1000); do ip -6 address show dev mesh0 -tentative |"
	               " grep -q fe80 && exit 0; sleep 0.01; done; exit 1");
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		print_error("%s: %s\n", path, strerror(errno));
	close(fd);
}

/* Without root it takes a user namespace, in which programs that are run have rights, too. */
static bool make_namespace(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
	write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid);
	write_file("/proc/self/gid_map", map);
	return true;
}

int isolate(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	group_port = (uint16_t)(20000 + getpid() % 20000);
	if (!make_namespace())
		return 0;
	set_lo(SIOCSIFFLAGS, true, 0);
	is_alone = make_link();
	return 0;
}

/* ---- hosts ---- */

uv_loop_t loop;
struct host a, b;

static uint32_t mix(uint64_t x)
{
	x *= UINT64_C(0x9E3779B97F4A7C15);
	x ^= x >> 29;
	return (uint32_t)(x * UINT64_C(0xBF58476D1CE4E5B9) >> 32);
}

/* Lengths with runs of equal ones, single ones, and runs that end in a shorter one. */
static size_t length_of(uint64_t i)
{
	uint32_t kind = mix(i / 50) % 4;

	if (kind == 0)
		return 8 + mix(i) % (LEN_MIXED - 8);
	if (kind == 1)
		return i % 7 == 6 ? 9 : LEN_MIXED;
	return kind == 2 ? LEN_MIXED : 8 + mix(i / 50) % 300;
}

static size_t write_numbered(uint8_t *p, uint64_t i)
{
	size_t len = length_of(i);

	memcpy(p, &i, 8);
	for (size_t at = 8; at < len; at++)
		p[at] = (uint8_t)(mix(i) + at);
	return len;
}

static void check_numbered(struct host *h, const struct udp_in *d)
{
	static uint8_t want[LEN_MIXED];
	size_t len = write_numbered(want, h->next++);

	if (d->len != len || memcmp(d->data, want, len) != 0)
		h->n_wrong++;
}

static void on_datagram(void *arg, const struct udp_in *d)
{
	struct host *h = arg;

	if (d->len == GREETING_LEN)
		return;
	h->n++;
	h->n_bytes += d->len;
	h->n_group += d->is_group;
	h->from = *d->from;
	if (d->len >= 8)
		check_numbered(h, d);
	if (h->frees_itself) {
		udp_free(h->udp);
		h->udp = NULL;
	}
}

static void on_writable(void *arg)
{
	((struct host *)arg)->n_writable++;
}

static void on_change(void *arg, const struct udp_state *state)
{
	struct host *h = arg;

	h->n_changes++;
	h->state = *state;
}

const struct udp_handlers handlers = {
        .on_datagram = on_datagram, .on_writable = on_writable, .on_change = on_change};

struct netaddr group(int family)
{
	struct netaddr g;

	assert_true(netaddr_from_ip(&g, family == AF_INET6 ? GROUP_6 : GROUP_4));
	netaddr_set_port(&g, group_port);
	return g;
}

void open_host(struct host *h, const struct udp_options *given)
{
	struct udp_options o = *given;
	struct fault f = {.text = ""};
	int r;

	*h = (struct host){0};
	if (!o.interface)
		o.interface = "lo";
	if (!o.rcvbuf)
		o.rcvbuf = 4 << 20;
	r = udp_new(&h->udp, &loop, &o, &handlers, h, &f);
	if (r)
		print_error("udp_new: %d %s\n", r, f.text);
	assert_int_equal(r, 0);
}

void open_hosts(const struct udp_options *o)
{
	open_host(&a, o);
	open_host(&b, o);
}

int set_up(void **state)
{
	(void)state;
	a = b = (struct host){0};
	return uv_loop_init(&loop);
}

int tear_down(void **state)
{
	(void)state;
	udp_free(a.udp);
	udp_free(b.udp);
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static void on_late(uv_timer_t *t)
{
	*(bool *)t->data = true;
}

bool until_equal(const uint64_t *counter, uint64_t value, unsigned ms)
{
	uv_timer_t timer;
	bool is_late = false;

	uv_timer_init(&loop, &timer);
	timer.data = &is_late;
	/* again and again: UV_RUN_ONCE sleeps on where a timer was due before */
	uv_timer_start(&timer, on_late, ms, 1);
	while (*counter != value && !is_late)
		uv_run(&loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	return *counter == value;
}

void run_for(unsigned ms)
{
	uint64_t never = 0;

	until_equal(&never, 1, ms);
}

void meet(void)
{
	struct udp_out hello = {.data = "hi", .len = GREETING_LEN};

	for (unsigned i = 0; i < PATIENCE_MS / 10; i++) {
		if (udp_state(a.udp)->is_shared && udp_state(b.udp)->is_shared)
			return;
		udp_send(a.udp, &hello, 1);
		udp_send(b.udp, &hello, 1);
		run_for(10);
	}
	fail_msg("they do not meet");
}

void send_numbered(struct host *from, const struct netaddr *to, uint64_t first, size_t n)
{
	static uint8_t data[64][LEN_MIXED];
	struct udp_out v[64];

	assert_true(n <= 64);
	for (size_t i = 0; i < n; i++)
		v[i] = (struct udp_out){
		        .to = to, .data = data[i], .len = write_numbered(data[i], first + i)};
	assert_int_equal(udp_send(from->udp, v, n), n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(v[i].err, 0);
}
