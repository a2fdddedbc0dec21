/*
 * Somebody in the network who has no key: records datagrams, plays them again, and floods a host
 *
 * usage: flood record FILE INTERFACE
 *        flood replay FILE TO [FROM]
 *        flood garbage FILE TO FROM BURST-RATE SINGLE-RATE SECONDS
 *
 * record writes the payload of each UDP datagram that passes the interface, as u16 length and
 * bytes, until SIGTERM; it prints "ready" first. replay sends all of them to TO, and garbage what
 * is random, what has their first bytes, and what has one of their bytes changed: BURST-RATE a
 * second with UDP_SEGMENT, and SINGLE-RATE one by one, of which every other is as if FROM had sent
 * it, until SECONDS are over or SIGTERM. TO and FROM are ADDRESS:PORT. With FROM a replay is as if
 * that had sent it, which needs root. Both print how many they have sent, garbage those of bursts,
 * the single ones, and in how many milliseconds.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LEN_MAX     9000u
#define HEAD_LEN    32u /* of a datagram of the mesh, in clear */
#define LEN_MIN     52u
#define N_MAX       100000u
#define IP_LEN      20u
#define UDP_LEN     8u
#define SEGMENT_LEN 200u
#define BURST       50u
#define TICK_NS     1000000
#define REPLAY_RATE 10000u

static struct {
	uint16_t len;
	uint8_t *data;
} record[N_MAX];
static unsigned n_records;

static volatile sig_atomic_t is_ended;
static uint64_t rng = 88172645463325252u;

static void on_signal(int signal)
{
	(void)signal;
	is_ended = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint32_t random_u32(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 16);
}

static struct sockaddr_in parse(const char *text)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	char host[64];
	const char *colon = strrchr(text, ':');

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		die(text);
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	a.sin_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		die(text);
	return a;
}

/* ---- to record ---- */

/* Returns the UDP payload of an IPv4 packet, or NULL. */
static const uint8_t *payload(const uint8_t *p, size_t len, uint16_t *n)
{
	size_t ip_len = len ? (p[0] & 15u) * 4u : 0;

	if (len < IP_LEN + UDP_LEN || p[0] >> 4 != 4 || p[9] != IPPROTO_UDP ||
	    len < ip_len + UDP_LEN)
		return NULL;
	*n = (uint16_t)(p[ip_len + 4] << 8 | p[ip_len + 5]);
	if (*n < UDP_LEN || ip_len + *n > len)
		return NULL;
	*n = (uint16_t)(*n - UDP_LEN);
	return p + ip_len + UDP_LEN;
}

static void end_by_signal(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
}

static int do_record(const char *path, const char *interface)
{
	struct sockaddr_ll addr = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP)};
	int fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)), size = 64 << 20;
	FILE *f = fopen(path, "w");
	static uint8_t packet[65536];

	end_by_signal();
	addr.sll_ifindex = (int)if_nametoindex(interface);
	if (fd < 0 || !f || bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die(interface);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	puts("ready");
	fflush(stdout);
	while (!is_ended) {
		ssize_t len = recv(fd, packet, sizeof(packet), 0);
		uint16_t n = 0;
		const uint8_t *p = len > 0 ? payload(packet, (size_t)len, &n) : NULL;

		if (p && n <= LEN_MAX && (fwrite(&n, 2, 1, f) != 1 || fwrite(p, n, 1, f) != 1))
			die(path);
	}
	return fclose(f) != 0;
}

/* ---- to send ---- */

static void load(const char *path)
{
	FILE *f = fopen(path, "r");
	uint16_t len;

	if (!f)
		die(path);
	while (n_records < N_MAX && fread(&len, 2, 1, f) == 1) {
		uint8_t *p = malloc(LEN_MAX);

		if (!p || len > LEN_MAX || (len > 0 && fread(p, len, 1, f) != 1))
			die(path);
		record[n_records].len = len;
		record[n_records++].data = p;
	}
	fclose(f);
	if (n_records == 0)
		die("nothing was recorded");
}

static int open_plain(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		die("socket");
	return fd;
}

static int open_raw(void)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (fd < 0)
		die("raw socket");
	return fd;
}

static void send_forged(int fd, const struct sockaddr_in *to, const struct sockaddr_in *from,
                        const uint8_t *p, size_t len)
{
	static uint8_t packet[IP_LEN + UDP_LEN + LEN_MAX];
	struct iphdr ip = {.ihl = 5, .version = 4, .ttl = 64, .protocol = IPPROTO_UDP};
	struct udphdr udp = {.source = from->sin_port, .dest = to->sin_port};

	ip.saddr = from->sin_addr.s_addr;
	ip.daddr = to->sin_addr.s_addr;
	/* a checksum of 0 is none */
	udp.len = htons((uint16_t)(UDP_LEN + len));
	memcpy(packet, &ip, IP_LEN);
	memcpy(packet + IP_LEN, &udp, UDP_LEN);
	memcpy(packet + IP_LEN + UDP_LEN, p, len);
	(void)sendto(fd, packet, IP_LEN + UDP_LEN + len, 0, (const struct sockaddr *)to,
	             sizeof(*to));
}

/* As UDP_SEGMENT has the kernel cut it. */
static void send_burst(int fd, const uint8_t *p, size_t len, uint16_t segment)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(uint16_t))];
	} control = {0};
	union {
		const uint8_t *from;
		void *to;
	} data = {.from = p};
	struct iovec io = {.iov_base = data.to, .iov_len = len};
	struct msghdr m = {.msg_iov = &io,
	                   .msg_iovlen = 1,
	                   .msg_control = control.space,
	                   .msg_controllen = sizeof(control.space)};

	control.head.cmsg_level = IPPROTO_UDP;
	control.head.cmsg_type = 103; /* UDP_SEGMENT, which not all headers know */
	control.head.cmsg_len = CMSG_LEN(sizeof(uint16_t));
	memcpy(CMSG_DATA(&control.head), &segment, sizeof(segment));
	(void)sendmsg(fd, &m, 0);
}

/* Garbage of the i-th kind; one datagram. */
static void make(uint8_t *p, size_t len, uint64_t i)
{
	unsigned r = random_u32() % n_records;
	size_t known = record[r].len < len ? record[r].len : len;

	for (size_t at = 0; at < len; at++)
		p[at] = (uint8_t)random_u32();
	switch (i % 4) {
	case 0: return;
	case 1:
		/* a boot that is known, and a counter that is new */
		memcpy(p, record[r].data, known < HEAD_LEN ? known : HEAD_LEN);
		p[10] ^= (uint8_t)random_u32();
		return;
	case 2:
		/* a key that is known, and boots that are not */
		memcpy(p, record[r].data, known < 8 ? known : 8);
		return;
	default:
		memcpy(p, record[r].data, known);
		p[random_u32() % len] ^= (uint8_t)(1u << random_u32() % 8);
		return;
	}
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Waits until `rate` a second allow more than n since `start`. */
static void pace(uint64_t start, uint64_t n, unsigned rate)
{
	const struct timespec tick = {.tv_nsec = TICK_NS};

	while (!is_ended && (now_ns() - start) / 1000 * rate / 1000000 < n)
		nanosleep(&tick, NULL);
}

static int do_replay(const char *path, const struct sockaddr_in *to, const struct sockaddr_in *from)
{
	int fd = from ? open_raw() : open_plain(to);
	uint64_t start = now_ns();

	load(path);
	for (unsigned i = 0; i < n_records; i++) {
		pace(start, i, REPLAY_RATE);
		if (from)
			send_forged(fd, to, from, record[i].data, record[i].len);
		else
			(void)send(fd, record[i].data, record[i].len, 0);
	}
	printf("%u\n", n_records);
	return 0;
}

static int do_garbage(const struct sockaddr_in *to, const struct sockaddr_in *from,
                      unsigned burst_rate, unsigned single_rate, unsigned seconds)
{
	static uint8_t burst[BURST * SEGMENT_LEN], single[LEN_MAX];
	uint64_t start = now_ns(), end = start + seconds * UINT64_C(1000000000);
	uint64_t n_burst = 0, n_single = 0;
	int plain = open_plain(to), raw = open_raw();

	end_by_signal();
	while (!is_ended && now_ns() < end) {
		uint64_t us = (now_ns() - start) / 1000;

		if (n_burst < us * burst_rate / 1000000) {
			for (unsigned i = 0; i < BURST; i++)
				make(burst + i * SEGMENT_LEN, SEGMENT_LEN, n_burst + i);
			send_burst(plain, burst, sizeof(burst), SEGMENT_LEN);
			n_burst += BURST;
		} else if (n_single < us * single_rate / 1000000) {
			size_t len = LEN_MIN + random_u32() % (SEGMENT_LEN - LEN_MIN);

			make(single, len, n_single / 2);
			if (n_single++ % 2)
				send_forged(raw, to, from, single, len);
			else
				(void)send(plain, single, len, 0);
		} else
			pace(start, n_burst + 1, burst_rate);
	}
	printf("%llu %llu %llu\n", (unsigned long long)n_burst, (unsigned long long)n_single,
	       (unsigned long long)((now_ns() - start) / 1000000));
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to, from;

	if (argc == 4 && strcmp(argv[1], "record") == 0)
		return do_record(argv[2], argv[3]);
	if (argc < 4)
		return 2;
	to = parse(argv[3]);
	if (argc > 4)
		from = parse(argv[4]);
	if (strcmp(argv[1], "replay") == 0)
		return do_replay(argv[2], &to, argc > 4 ? &from : NULL);
	if (argc != 8 || strcmp(argv[1], "garbage") != 0)
		return 2;
	load(argv[2]);
	return do_garbage(&to, &from, (unsigned)atoi(argv[5]), (unsigned)atoi(argv[6]),
	                  (unsigned)atoi(argv[7]));
}
