/* raw_udp.c - the limit of what goes over UDP multicast: datagrams, and nothing else
 *
 * No repair, no order, no flow control; what is lost is told. Messages are packed whole into
 * datagrams as long as the MTU allows, and those that are longer are cut into fragments. raw_gso
 * sends batches with UDP_SEGMENT and receives them with UDP_GRO, as whatever is to be fast must;
 * raw_mmsg sends each datagram by itself, many in one system call.
 */
#include "bench/mesh_ends.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define GROUP        0xef4d0001u /* 239.77.0.1 */
#define PORT         17001
#define DATAGRAM_LEN 1472u
/* Of a fragment: the tag of its message, and the offset of what follows. */
#define FRAGMENT_HEAD (CHECK_TAG_LEN + 4)
#define SEGMENTS      44u /* of one batch: 64 KiB */
#define MESSAGES      64u /* of one system call */
#define CELL_LEN      65536u
#define KNOCK_MS      100

#ifdef RAW_GSO
#define RAW_NAME "raw UDP, UDP_SEGMENT"
static const bool has_gso = true;
#else
#define RAW_NAME "raw UDP, sendmmsg"
static const bool has_gso = false;
#endif

static int socket_open(struct sockaddr_in *to, struct ends_interface *i)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = MESH_BUFFER;

	*to = (struct sockaddr_in){
	        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(GROUP)};
	ends_interface(i);
	if (fd < 0)
		worker_fail("socket", errno);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return fd;
}

/* ---- the sender ---- */

struct sender {
	int fd;
	/* datagrams one behind the other, of `datagram_len` each but for the last */
	uint8_t batch[SEGMENTS * DATAGRAM_LEN];
	size_t len, begin; /* of the whole, and where the last datagram begins */
	size_t datagram_len;
};

static void send_segmented(const struct sender *s)
{
	if (send(s->fd, s->batch, s->len, 0) < 0 && errno != ENOBUFS)
		worker_fail("send", errno);
}

static void send_each(struct sender *s)
{
	struct mmsghdr h[SEGMENTS];
	struct iovec io[SEGMENTS];
	unsigned n = 0, done = 0;

	memset(h, 0, sizeof(h));
	for (size_t at = 0; at < s->len; at += s->datagram_len, n++) {
		size_t left = s->len - at;

		io[n].iov_base = s->batch + at;
		io[n].iov_len = left < s->datagram_len ? left : s->datagram_len;
		h[n].msg_hdr.msg_iov = &io[n];
		h[n].msg_hdr.msg_iovlen = 1;
	}
	while (done < n) {
		int r = sendmmsg(s->fd, h + done, n - done, 0);

		if (r < 0 && errno != ENOBUFS)
			worker_fail("sendmmsg", errno);
		done += r < 0 ? 1 : (unsigned)r;
	}
}

static void sender_flush(void *end)
{
	struct sender *s = end;

	if (!s->len)
		return;
	if (has_gso)
		send_segmented(s);
	else
		send_each(s);
	s->len = 0;
	s->begin = 0;
}

/* Ends the datagram, and sends the batch where no further one has room. */
static void datagram_end(struct sender *s)
{
	s->begin = s->len;
	if (s->len / s->datagram_len >= SEGMENTS)
		sender_flush(s);
}

static void send_fragments(struct sender *s, const uint8_t *payload, size_t len)
{
	size_t room = DATAGRAM_LEN - FRAGMENT_HEAD;

	for (size_t at = 0; at < len; at += room) {
		uint8_t *p = s->batch + s->len;
		uint32_t at32 = (uint32_t)at;
		size_t n = len - at < room ? len - at : room;

		memcpy(p, payload, CHECK_TAG_LEN);
		memcpy(p + CHECK_TAG_LEN, &at32, sizeof(at32));
		memcpy(p + FRAGMENT_HEAD, payload + at, n);
		/* all are of one length, as UDP_SEGMENT wants it */
		s->len += DATAGRAM_LEN;
		datagram_end(s);
	}
}

static void sender_send(void *end, const uint8_t *payload, size_t len)
{
	struct sender *s = end;

	if (len > DATAGRAM_LEN) {
		send_fragments(s, payload, len);
		return;
	}
	memcpy(s->batch + s->len, payload, len);
	s->len += len;
	if (s->len - s->begin + len > s->datagram_len)
		datagram_end(s);
}

static void sender_init(struct sender *s, size_t len)
{
	struct ends_interface i;
	struct sockaddr_in to;
	int segment;

	s->fd = socket_open(&to, &i);
	s->len = s->begin = 0;
	s->datagram_len = len > DATAGRAM_LEN ? DATAGRAM_LEN : DATAGRAM_LEN / len * len;
	segment = (int)s->datagram_len;
	if (setsockopt(s->fd, IPPROTO_IP, IP_MULTICAST_IF, &i.addr, sizeof(i.addr)) ||
	    connect(s->fd, (const struct sockaddr *)&to, sizeof(to)))
		worker_fail("connect", errno);
	if (has_gso && setsockopt(s->fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
		worker_fail("UDP_SEGMENT", errno);
}

static void publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	static struct sender s;
	struct ends_sender m = {.send = sender_send, .flush = sender_flush, .end = &s};

	(void)d;
	sender_init(&s, o->len);
	ends_publish(o, w, &m);
	ends_bye(o, &m);
}

/* ---- the receiver ---- */

struct receiver {
	struct check *check;
	int fd;
	uint8_t *cells; /* MESSAGES of CELL_LEN */
	uint8_t control[MESSAGES][CMSG_SPACE(sizeof(int))];
	struct mmsghdr h[MESSAGES];
	struct iovec io[MESSAGES];
	uint8_t *whole; /* the message that is put together, where it has fragments */
	uint64_t tag;
	size_t got;
};

static void receiver_init(struct receiver *r, const struct bench_options *o, struct check *k)
{
	struct sockaddr_in to;
	struct ends_interface i;
	struct ip_mreqn join = {0};
	int one = 1;

	r->check = k;
	r->whole = check_filler(o->len);
	r->cells = malloc((size_t)MESSAGES * CELL_LEN);
	if (!r->cells)
		worker_fail("memory", ENOMEM);
	r->fd = socket_open(&to, &i);
	join.imr_multiaddr = to.sin_addr;
	join.imr_address = i.addr;
	if (setsockopt(r->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(r->fd, (const struct sockaddr *)&to, sizeof(to)) ||
	    setsockopt(r->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)))
		worker_fail("join", errno);
	if (has_gso && setsockopt(r->fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one)))
		worker_fail("UDP_GRO", errno);
	for (unsigned n = 0; n < MESSAGES; n++)
		r->io[n] = (struct iovec){r->cells + (size_t)n * CELL_LEN, CELL_LEN};
}

static unsigned receiver_read(struct receiver *r)
{
	int n;

	for (unsigned k = 0; k < MESSAGES; k++)
		r->h[k].msg_hdr = (struct msghdr){
		        .msg_iov = &r->io[k],
		        .msg_iovlen = 1,
		        .msg_control = r->control[k],
		        .msg_controllen = sizeof(r->control[k]),
		};
	do
		n = recvmmsg(r->fd, r->h, MESSAGES, MSG_WAITFORONE, NULL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		worker_fail("recvmmsg", errno);
	return (unsigned)n;
}

/* How long the datagrams are that GRO put together. */
static size_t segment_len(struct msghdr *h, size_t len)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		int segment;

		if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&segment, CMSG_DATA(c), sizeof(segment));
		return (size_t)segment;
	}
	return len;
}

/* Counts a message when all of its fragments came, in order. */
static bool take_fragment(struct receiver *r, const uint8_t *p)
{
	size_t room = DATAGRAM_LEN - FRAGMENT_HEAD, len = r->check->len;
	uint64_t tag;
	uint32_t at;

	memcpy(&tag, p, sizeof(tag));
	memcpy(&at, p + CHECK_TAG_LEN, sizeof(at));
	if (at == 0) {
		r->tag = tag;
		r->got = 0;
	}
	if (tag != r->tag || at != r->got || at >= len)
		return false;
	/* of the others only the head is looked at */
	if (at == 0 || tag % CHECK_WHOLE_ONE == 0)
		memcpy(r->whole + at, p + FRAGMENT_HEAD, len - at < room ? len - at : room);
	r->got += room;
	return r->got >= len && check_take(r->check, r->whole, len);
}

static bool take_datagram(struct receiver *r, const uint8_t *p, size_t len)
{
	size_t one = r->check->len;

	if (one > DATAGRAM_LEN)
		return len == DATAGRAM_LEN && take_fragment(r, p);
	for (; len >= one; p += one, len -= one)
		if (check_take(r->check, p, one))
			return true;
	return false;
}

static bool take_all(struct receiver *r, unsigned n)
{
	for (unsigned k = 0; k < n; k++) {
		const uint8_t *p = r->io[k].iov_base;
		size_t left = r->h[k].msg_len, segment = segment_len(&r->h[k].msg_hdr, left);

		while (left) {
			size_t len = left < segment ? left : segment;

			if (take_datagram(r, p, len))
				return true;
			p += len;
			left -= len;
		}
	}
	return false;
}

static void subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	static struct receiver r;

	(void)d;
	receiver_init(&r, o, &w->check);
	worker_listens(o, w);
	while (!take_all(&r, receiver_read(&r)))
		;
}

/* ---- round trips ---- */

/* Each end hears the group at a port of its own, and sends to the other's. */
struct echo {
	int fd;
	struct sockaddr_in to;
	uint8_t *payload;
	size_t len;
};

static void echo_open(struct echo *e, size_t len, uint16_t port, uint16_t to_port)
{
	struct timeval patience = {.tv_usec = KNOCK_MS * 1000};
	struct ends_interface i;
	struct ip_mreqn join = {0};

	e->payload = check_filler(len);
	e->len = len;
	e->fd = socket_open(&e->to, &i);
	join.imr_multiaddr = e->to.sin_addr;
	join.imr_address = i.addr;
	e->to.sin_port = htons(port);
	if (bind(e->fd, (const struct sockaddr *)&e->to, sizeof(e->to)) ||
	    setsockopt(e->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)) ||
	    setsockopt(e->fd, IPPROTO_IP, IP_MULTICAST_IF, &i.addr, sizeof(i.addr)) ||
	    setsockopt(e->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		worker_fail("join", errno);
	e->to.sin_port = htons(to_port);
}

static void echo_send(struct echo *e)
{
	if (sendto(e->fd, e->payload, e->len, 0, (const struct sockaddr *)&e->to, sizeof(e->to)) <
	    0)
		worker_fail("sendto", errno);
}

/* Returns whether something came before the patience ended. */
static bool echo_wait(struct echo *e)
{
	ssize_t n = recv(e->fd, e->payload, e->len, 0);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		worker_fail("recv", errno);
	return n >= 0;
}

static void ping(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	struct echo e;

	(void)d;
	echo_open(&e, o->len, PORT, PORT + 1);
	for (int tries = 0; echo_send(&e), !echo_wait(&e); tries++)
		if (tries * KNOCK_MS > BENCH_HELLO_MS)
			worker_fail("the other end does not answer", 0);
	while (echo_wait(&e))
		;
	worker_ready(w);
	while (ping_goes_on(o, w)) {
		uint64_t begin_ns = bench_now_ns();

		echo_send(&e);
		for (int tries = 0; !echo_wait(&e); tries++)
			if (tries * KNOCK_MS > BENCH_SILENCE_MS)
				worker_fail("a round trip was lost", 0);
		ping_took(w, begin_ns);
	}
}

static void pong(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	struct echo e;

	(void)d;
	echo_open(&e, o->len, PORT + 1, PORT);
	worker_listens(o, w);
	for (;;)
		if (echo_wait(&e))
			echo_send(&e);
}

static const struct bench_kind kind = {
        .name = RAW_NAME,
        .publish = publish,
        .subscribe = subscribe,
        .ping = ping,
        .pong = pong,
        .is_mesh = true,
        .is_lossy = true,
        .is_stamped = true,
};

int main(int argc, char **argv)
{
	return bench_main(&kind, argc, argv);
}
