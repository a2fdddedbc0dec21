/* udp_impl.h - what the files of udp.h share
 *
 * A socket has its descriptor and its uv handle for life; one that is closed is cut off from its
 * `struct udp` at once, and freed in the close callback. The `struct udp` outlives them all.
 */
#ifndef NC_IO_UDP_IMPL_H
#define NC_IO_UDP_IMPL_H

#include "ncserver/io/fault.h"
#include "ncserver/io/log.h"
#include "ncserver/io/netif.h"
#include "ncserver/io/netwatch.h"
#include "ncserver/io/udp.h"

/* Messages of one sendmmsg(), and the datagrams of all of them. */
#define UDP_WRITE_MSGS 64u
#define UDP_WRITE_IOVS 1024u

/* Addresses of the interface that are known as this host's. */
#define UDP_LOCAL_MAX 16u

struct udp_sock {
	uv_poll_t poll;
	struct udp *udp;
	bool is_closed; /* udp may be used no more */
	int fd;
	int events; /* that poll waits for */
	bool is_group;
	uint32_t drops; /* the kernel's counter, when last asked */
	size_t rcvbuf;
};

union udp_control {
	struct cmsghdr align;
	char read[CMSG_SPACE(sizeof(int))];
	char write[CMSG_SPACE(sizeof(uint16_t))];
};

struct udp_rx {
	uint8_t *data;   /* UDP_READ_MSGS buffers of read_len */
	unsigned n_used; /* messages that are to be prepared before the next read: the first ones */
	struct mmsghdr msgs[UDP_READ_MSGS];
	struct iovec iovs[UDP_READ_MSGS];
	struct netaddr from[UDP_READ_MSGS];
	union udp_control control[UDP_READ_MSGS];
};

struct udp_tx {
	struct mmsghdr msgs[UDP_WRITE_MSGS];
	struct iovec iovs[UDP_WRITE_IOVS];
	struct netaddr mapped[UDP_WRITE_MSGS];
	union udp_control control[UDP_WRITE_MSGS];
	size_t n_of[UDP_WRITE_MSGS]; /* datagrams of each message */
	size_t n_alone;              /* of the next datagrams, that go one by one */
	int suspect;                 /* errno of the packet that these were; 0: none */
};

struct udp {
	uv_loop_t *loop;
	struct udp_options opt; /* its pointers, but for the log, point into this structure */
	struct udp_handlers on;
	void *arg;
	struct netaddr group;
	char spec[128];     /* the interface that was asked for */
	bool is_spec_found; /* without one, the name of what was chosen stands in spec */
	bool is_freed;
	bool is_blocked; /* on_writable() is owed */
	bool is_rcvbuf_told;
	unsigned n_handles;   /* that keep the memory */
	struct udp_sock *own; /* NULL: closed */
	struct udp_sock *grp;
	struct netif netif;                  /* that they are bound to */
	uint16_t port;                       /* that the own socket had last */
	struct netaddr local[UDP_LOCAL_MAX]; /* the interface's addresses */
	size_t n_local;
	uv_timer_t loop_timer; /* see udp_loop.c */
	unsigned n_loop_checks;
	uint64_t loop_heard_at;
	struct netwatch *watch;
	struct udp_state state;
	char why[sizeof(((struct fault *)NULL)->text)];
	struct udp_counters n;
	struct udp_rx rx;
	struct udp_tx tx;
};

/* Opens both sockets on the interface. Returns 0, or a negative errno with *f. */
int udp_open(struct udp *u, const struct netif *netif, struct fault *f);

/* Closes what is open. */
void udp_close(struct udp *u);

/* Leaves the group and joins it again, so that the switches hear of it. */
void udp_rejoin(struct udp *u);

/* Adds what a socket has dropped since it was asked last. */
void udp_count_drops(struct udp_sock *s);

/* One that kept the memory is gone. */
void udp_unref(struct udp *u);

/* Waits for `events` on the socket. */
void udp_poll(struct udp_sock *s, int events);

/* Reads until nothing is left or the budget is spent. */
void udp_read(struct udp_sock *s);

/* After sockets were opened: finds out who else is there. */
void udp_loop_begin(struct udp *u);

/* Looks who else of this host is in the group. */
void udp_loop_check(struct udp *u);

/* While nobody else is: a datagram has come from there, by the group. */
void udp_loop_heard(struct udp *u, const struct netaddr *from);

/* Chooses the interface. Returns an enum netif_error with *f, or a negative errno. */
int udp_link_find(struct udp *u, struct netif *netif, struct fault *f);

/* Looks how the interface stands, opens and closes, and tells. The argument is a struct udp. */
void udp_link_check(void *arg);

/* Fills in the state from the interface; `why` is NULL or the reason why it is down. */
void udp_link_set(struct udp *u, const struct netif *netif, const char *why);

#endif
