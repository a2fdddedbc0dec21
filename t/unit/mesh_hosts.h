/* mesh_hosts.h - two or three sessions, joined by a wire of which each test says what it does to
 * datagrams; host 0, A, writes a lane that the others hear
 */
#ifndef NC_T_UNIT_MESH_HOSTS_H
#define NC_T_UNIT_MESH_HOSTS_H

#include "mesh/key.h"
#include "mesh/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define N_HOSTS 3
#define N_MORE  6
#define MS      UINT64_C(1000000)

extern struct crypto *crypto;
extern struct keyring keys; /* of all hosts */
extern struct key key;      /* the one that is used */

struct host {
	struct mesh *m;
	struct mesh_addr addr;
	struct mesh_lane *lane;
	struct mesh_in *in[N_HOSTS];
	uint64_t heard;  /* messages of host 0 */
	uint64_t missed; /* told by gap() */
	uint64_t expect; /* number of the next one */
	bool inexact, gone, writable, deaf, refuses;
	uint8_t part[70000];
	size_t part_len;
	size_t room; /* what deliver() takes; SIZE_MAX: all */
	unsigned ups;
};

struct datagram {
	struct mesh_addr from;
	unsigned to;
	bool group;
	size_t len;
	uint8_t *data;
};

extern struct host hosts[N_HOSTS];
/* Further lanes of A, "d" and so on, as A writes them and as B hears them. */
extern struct host more[N_MORE];
extern size_t memory_max; /* of hosts that boot; 0: the default */
extern uint64_t now_ns;
/* What the wire does: returns whether a datagram is lost. NULL: none is. */
extern bool (*lossy)(const struct datagram *d);
bool lose_all(const struct datagram *d);
bool lose_to_a(const struct datagram *d);
bool lose_tenth(const struct datagram *d);

/* Makes crypto, and the key. Returns 0, or -1. */
int hosts_init(void);
/* Of each test. */
int setup(void **state);
int teardown(void **state);

uint64_t chance(void);
void boot(unsigned i, const char *name);
/* A and B boot, A opens its lane, and both see each other. */
void two_up(void);
/* Carries all that is to be sent, and what that causes, until nothing is to be sent now. */
void carry(void);
/* Lets time pass. */
void run(uint64_t ns);
/* Writes messages number..number+n-1 of `size` payload bytes; returns how many bytes were taken. */
size_t emit(struct host *h, uint64_t number, unsigned n, size_t size);
/* How many datagrams B has dropped for a reason. */
uint64_t dropped(enum mesh_drop why);

#endif
