/* fake_bus.h - a bus that a test of io controls and watches */
#ifndef NC_T_UNIT_FAKE_BUS_H
#define NC_T_UNIT_FAKE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ncserver/bus/bus.h"

#define FAKE_IN_MAX (1u << 20)

struct bus {
	struct bus_io_counters counters;
	struct client *dirty;   /* NULL or one */
	struct client *changed; /* NULL or one */
	struct client *dead;    /* NULL or one */
	unsigned n_run_ready;   /* how often bus_run_ready() still says that it did something */
	unsigned n_clients;
};

/* Its output is the byte i % 251 at position i, up to out_len. */
struct client {
	void *io;
	bool wants_input;
	bool no_memory; /* bus_input_space() fails */
	bool is_blocked;
	bool is_broken;
	bool is_paced;
	bool is_long; /* what is written in part is long */
	unsigned n_eof;
	unsigned n_blocked; /* times that it became blocked */
	size_t room;        /* of each read */
	uint8_t in[FAKE_IN_MAX];
	size_t in_len;
	uint64_t out_len;
	uint64_t out_done;
	size_t out_max; /* of each bus_output() */
};

struct client *fake_client(struct bus *b);
uint8_t fake_byte(uint64_t at);

#endif
