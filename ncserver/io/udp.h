/* udp.h - datagrams to and from a multicast group, or single hosts
 *
 * What is in them is the caller's. Everything leaves from one socket, the *own* one, bound to the
 * address of the interface, and answers to it arrive there; the *group* socket only hears, bound to
 * group and interface. Datagrams are never fragmented, by nobody on the way. Where the kernel can,
 * many go in one system call as one packet (UDP_SEGMENT, UDP_GRO); where it refuses, each goes by
 * itself, and the counters say so.
 *
 * What the network refuses is lost, and counted: nothing but the memory of this host makes any call
 * fail. When the interface loses its link, its address, or vanishes, that is told; when it comes
 * back, sockets and membership are made anew, with the same port where that is still free.
 *
 * Where other servers of this host are in the group, what is sent to it comes back as well: the
 * caller knows its own.
 */
#ifndef NC_IO_UDP_H
#define NC_IO_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "ncserver/io/netaddr.h"

struct fault;
struct log;
struct udp;

/* What the kernel takes as one packet, to be cut (UDP_MAX_SEGMENTS of all versions that can). */
#define UDP_SEGMENTS_MAX 64u
/* Bytes of a datagram, and of all of one packet: 65,535 less the headers of IPv4. */
#define UDP_LEN_MAX 65507u
/* Packets read in one system call, and the bytes of each. */
#define UDP_READ_MSGS 16u
#define UDP_READ_LEN  65536u
/* Datagrams of one socket in one turn of the loop, unless the options say so. One read more may
 * come on top. */
#define UDP_BUDGET 1024u
/* How long a refusal to open sockets is waited out; and an error in reading. */
#define UDP_RETRY_MS 1000u
#define UDP_REST_MS  50u
/* Between looks for other members of the group on this host, while there are any. */
#define UDP_SHARED_MS 2000u

/* A datagram that arrived. All of it is valid during the call only; `data` may be overwritten. */
struct udp_in {
	uint8_t *data;
	size_t len; /* may be 0 */
	const struct netaddr *from;
	uint64_t read_ns; /* CLOCK_MONOTONIC: when it was read, with others */
	bool is_group;    /* came by the group */
};

/* A datagram to be sent; after the call `err` says what became of it. */
struct udp_out {
	const struct netaddr *to; /* NULL: the group */
	const void *data;
	size_t len; /* 1 to UDP_LEN_MAX */
	int err;    /* 0: the kernel has it; else a negative errno, -EMSGSIZE above all */
};

struct udp_state {
	bool is_up;                  /* datagrams may pass */
	const char *why;             /* not, for a person; "" */
	char interface[IF_NAMESIZE]; /* "": all of them */
	struct netaddr own;          /* where datagrams leave from; sa_family 0: nowhere */
	unsigned mtu;                /* of the interface; 0: not known */
	size_t len_max;              /* of a datagram by that MTU; UDP_LEN_MAX where not known */
	size_t rcvbuf;               /* of each socket, as getsockopt tells: twice what was asked */
	bool is_shared; /* this host has other members: what is sent to the group comes back */
	bool has_gso;   /* many datagrams leave as one packet */
};

struct udp_handlers {
	/* May call all of the below, udp_free() too. */
	void (*on_datagram)(void *arg, const struct udp_in *d);
	/* After some calls of on_datagram(): for now there are no more. May be NULL. */
	void (*on_read)(void *arg);
	/* After udp_send() took less than all: there is room again. */
	void (*on_writable)(void *arg);
	/* Up or down; while up, another address, interface or MTU. Never within udp_new(). */
	void (*on_change)(void *arg, const struct udp_state *state);
};

struct udp_options {
	const struct netaddr *group; /* with port; NULL: none, then all is sent to single hosts */
	const char *interface;       /* as netif_choose(); without a group NULL means all */
	int family;    /* without a group; AF_INET6 without an interface reaches both */
	uint16_t port; /* of the own socket; 0: any that is free */
	bool may_wait; /* for the interface to come, rather than fail */
	bool has_no_gso, has_no_gro; /* do without */
	unsigned ttl;                /* of what goes to the group, 0: 1 */
	unsigned budget;             /* datagrams in a turn; 0: UDP_BUDGET */
	size_t rcvbuf, sndbuf; /* in the terms of net.core.rmem_max; 0: the kernel's default */
	size_t read_len;       /* of a buffer; 0: UDP_READ_LEN. Longer ones are dropped. */
	struct log *log;       /* NULL: nothing is logged */
};

struct udp_counters {
	uint64_t datagrams_in, bytes_in;
	uint64_t datagrams_out, bytes_out; /* that the kernel took */
	uint64_t packets_in, reads;        /* as the kernel held them; system calls */
	uint64_t packets_out, writes;
	uint64_t truncated; /* in: longer than a buffer, or without the length of its parts */
	uint64_t
	        kernel_drops; /* in: packets, of one or of up to 64 datagrams, that found no room */
	uint64_t read_errors;
	uint64_t blocked; /* out: times that the kernel had no room; nothing was lost */
	uint64_t spent;   /* times that the budget ended a turn */
	/* Datagrams that were not sent. */
	uint64_t too_big;     /* EMSGSIZE */
	uint64_t no_buffers;  /* ENOBUFS, ENOMEM */
	uint64_t down;        /* ENETDOWN, ENODEV, EADDRNOTAVAIL, or no interface */
	uint64_t unreachable; /* ENETUNREACH, EHOSTUNREACH, ECONNREFUSED */
	uint64_t refused;     /* EPERM, EACCES: a firewall */
	uint64_t other;       /* anything else */
	int other_error;      /* the last of these, a negative errno */
	int gso_error;        /* why datagrams go one by one: a negative errno, 0: they don't, or
	                       * nobody asked */
	uint64_t reopened;    /* sockets made anew */
};

/* Opens the sockets on `loop`. Returns 0; 1 with *f; or a negative errno. */
int udp_new(struct udp **out, uv_loop_t *loop, const struct udp_options *o,
            const struct udp_handlers *h, void *arg, struct fault *f);

/* Sends in order. Returns how many it is done with, sent or not; when less than `n`, the kernel had
 * no room, the others are untouched, and on_writable() comes. */
size_t udp_send(struct udp *u, struct udp_out *v, size_t n);

/* How it stands; valid until the next event. */
const struct udp_state *udp_state(const struct udp *u);

/* All counters since the start; asks the kernel for its drops. */
void udp_count(struct udp *u, struct udp_counters *out);

/* ---- tests of the network, udp_test.c ---- */

/* Another interface of this host than the one in use. */
struct udp_other {
	char name[IF_NAMESIZE];
	unsigned index;
	struct netaddr addr;
	uint64_t n_heard; /* datagrams to the group that have come by it */
};

/* Sends to the group what members on this host get and nobody else: what of it comes back has
 * passed the filters through which that of others has to come. Returns 0 or a negative errno,
 * -EPERM where a filter stops what this host sends. */
int udp_test_self(const struct udp *u, const void *p, size_t len);

/* Lists up to `cap` other interfaces, and joins the group on them. Returns a descriptor for
 * udp_test_hear(), to be closed, or a negative errno; *n is right in any case. */
int udp_test_others(const struct udp *u, struct udp_other *list, size_t cap, size_t *n);

/* Counts what has come there since. */
void udp_test_hear(const struct udp *u, int fd, struct udp_other *list, size_t n);

/* Closes; no handler is called any more. The memory goes with the loop's close callbacks. NULL is
 * taken. */
void udp_free(struct udp *u);

#endif
