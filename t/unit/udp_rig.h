/*
 * Two hosts with io/udp on one loop, in a network namespace of their own where that is permitted
 *
 * Datagrams bear numbers, from which their lengths and bytes follow; each host checks that those of
 * eight bytes and more come one after the other.
 */
#ifndef NC_T_UNIT_UDP_RIG_H
#define NC_T_UNIT_UDP_RIG_H

#include "ncserver/io/udp_impl.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
/* How long anything may take on a busy machine. */
#define PATIENCE_MS 20000u

struct host {
	struct udp *udp;
	uint64_t n, n_bytes; /* heard */
	uint64_t next;       /* number that is expected next */
	unsigned n_wrong, n_group, n_changes, n_writable;
	struct netaddr from; /* of the last one */
	bool frees_itself;
	struct udp_state state; /* at the last change */
};

extern uv_loop_t loop;
extern struct host a, b;

/* Whether the network namespace is this test's: then there is an interface mesh0, 10.78.0.1/24,
 * whose other end is mesh1. */
extern bool is_alone;

#define NEED_NAMESPACE()                                                                           \
	do {                                                                                       \
		if (!is_alone) {                                                                   \
			print_message("# no network namespace can be made here\n");                \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

/* Before all tests; before and after each. */
int isolate(void **state);
int set_up(void **state);
int tear_down(void **state);

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* A command of the shell; that it fails is said, and fails what waits for its effect. */
bool command(const char *text);
bool make_link(void);
/* SIOCSIFMTU or SIOCSIFFLAGS for the loopback interface. */
void set_lo(unsigned long request, bool is_up, int mtu);

extern const struct udp_handlers handlers;

/* The group of this process. */
struct netaddr group(int family);

/* Opens one, or both alike; on lo unless the options say otherwise. */
void open_host(struct host *h, const struct udp_options *o);
void open_hosts(const struct udp_options *o);

/* Runs the loop until the counter has the value. Returns whether it came to that in time. */
bool until_equal(const uint64_t *counter, uint64_t value, unsigned ms);

/* Runs the loop for so long. */
void run_for(unsigned ms);

/* Until both know that the other is there; greetings are not counted. */
void meet(void);

/* Sends up to 64, all of which the kernel must take. */
void send_numbered(struct host *from, const struct netaddr *to, uint64_t first, size_t n);

#endif
