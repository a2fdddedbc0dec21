/* agent.c - plays netcluster's agent, and other clients that know nothing of libnc
 *
 *	agent listen PATH COUNT [DELAY_US]      reads COUNT packets, 64 KiB at a time, pausing in
 *between, and fails when a read ends inside a packet, or a number is missing agent flood PATH COUNT
 *MIN MAX [SEED]   emits COUNT numbered packets of MIN to MAX bytes, as fast as it can agent hold
 *PATH N                       opens N connections, says how many were not refused, and keeps them
 *	                                        until its standard input ends
 *	agent deaf PATH COUNT SIZE              waits until there is something to read, emits COUNT
 *numbered packets without reading any, and goes
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define READ_LEN 65536
#define SEND_LEN (1 << 18)

static void die(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int try_connect(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int connect_to(const char *path)
{
	int fd = try_connect(path);

	if (fd < 0)
		die(path);
	return fd;
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The number that a packet bears, behind "n\":". */
static unsigned long number_of(const char *packet)
{
	const char *at = strstr(packet, "\"data\":\"");

	return at ? strtoul(at + 8, NULL, 10) : 0;
}

static int do_listen(const char *path, unsigned long count, unsigned delay_us)
{
	static char buf[READ_LEN + 1];
	unsigned long n = 0, bytes = 0, reads = 0, packets;
	double start = 0;
	int fd = connect_to(path);

	while (n < count) {
		ssize_t len = read(fd, buf, READ_LEN);

		if (len <= 0) {
			fprintf(stderr, "agent: %s after %lu packets\n",
			        len < 0 ? strerror(errno) : "end", n);
			return 1;
		}
		if (reads++ == 0)
			start = seconds();
		bytes += (size_t)len;
		if (buf[len - 1] != '\0') {
			fprintf(stderr,
			        "agent: read %lu of %zd bytes ends inside a packet, after %lu\n",
			        reads, len, n);
			return 2;
		}
		packets = 0;
		for (char *p = buf; p < buf + len; p += strlen(p) + 1, packets++) {
			if (number_of(p) != n + packets + 1) {
				fprintf(stderr, "agent: packet %lu where %lu was expected\n",
				        number_of(p), n + packets + 1);
				return 3;
			}
		}
		n += packets;
		if (delay_us > 0)
			usleep(delay_us);
	}
	printf("packets=%lu bytes=%lu reads=%lu seconds=%.3f\n", n, bytes, reads,
	       seconds() - start);
	return 0;
}

static void write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0)
			die("write");
		p += n;
		len -= (size_t)n;
	}
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* One packet of `size` bytes with its NUL; at least as long as its fields. */
static size_t put_packet(char *p, unsigned long number, size_t size)
{
	size_t n = (size_t)sprintf(p, "{\"event\":\"n\",\"data\":\"%lu ", number);

	while (n + 3 < size)
		p[n++] = 'x';
	memcpy(p + n, "\"}", 3);
	return n + 3;
}

static int do_flood(const char *path, unsigned long count, size_t min, size_t max, uint32_t seed)
{
	char *buf = malloc(SEND_LEN + max + 64);
	size_t len = 0;
	int fd = connect_to(path);

	if (!buf)
		die("malloc");
	for (unsigned long i = 1; i <= count; i++) {
		size_t size = min + (max > min ? next_random(&seed) % (max - min + 1) : 0);

		len += put_packet(buf + len, i, size);
		if (len >= SEND_LEN || i == count) {
			write_all(fd, buf, len);
			len = 0;
		}
	}
	free(buf);
	return 0;
}

static int do_deaf(const char *path, unsigned long count, size_t size)
{
	int fd = connect_to(path);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	char *buf = malloc(size + 64);

	if (!buf)
		die("malloc");
	if (poll(&pfd, 1, 10000) != 1)
		die("nothing to read");
	for (unsigned long i = 1; i <= count; i++)
		write_all(fd, buf, put_packet(buf, i, size));
	close(fd);
	free(buf);
	return 0;
}

static int do_hold(const char *path, unsigned long count)
{
	int *fds = calloc(count, sizeof(*fds));
	unsigned long n = 0;
	char c;

	if (!fds)
		die("calloc");
	for (unsigned long i = 0; i < count; i++) {
		fds[i] = try_connect(path);
		if (fds[i] < 0)
			die("connect");
	}
	/* Who was refused finds an end at once. */
	usleep(200000);
	for (unsigned long i = 0; i < count; i++) {
		struct pollfd pfd = {.fd = fds[i], .events = POLLIN};

		n += poll(&pfd, 1, 0) == 0;
	}
	printf("%lu\n", n);
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	free(fds);
	return 0;
}

int main(int argc, char **argv)
{
	const char *cmd = argc > 3 ? argv[1] : "";
	unsigned long count = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;

	if (strcmp(cmd, "listen") == 0)
		return do_listen(argv[2], count, argc > 4 ? (unsigned)atoi(argv[4]) : 0);
	if (strcmp(cmd, "flood") == 0 && argc > 5)
		return do_flood(argv[2], count, strtoul(argv[4], NULL, 10),
		                strtoul(argv[5], NULL, 10), argc > 6 ? (uint32_t)atoi(argv[6]) : 1);
	if (strcmp(cmd, "deaf") == 0 && argc > 4)
		return do_deaf(argv[2], count, strtoul(argv[4], NULL, 10));
	if (strcmp(cmd, "hold") == 0)
		return do_hold(argv[2], count);
	fprintf(stderr, "usage: agent listen|flood|deaf|hold PATH COUNT ...\n");
	return 64;
}
