/* fake_bus.c - a bus that a test of io controls and watches */
#include "t/unit/fake_bus.h"

#include "ncserver/io/net.h"

#include <errno.h>
#include <stdlib.h>

static uint8_t pattern[(1u << 20) + 251];

uint8_t fake_byte(uint64_t at)
{
	return (uint8_t)(at % 251);
}

struct client *fake_client(struct bus *b)
{
	struct client *c = calloc(1, sizeof(*c));

	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = fake_byte(i);
	if (!c)
		abort();
	c->wants_input = true;
	c->room = 4096;
	c->out_max = 1u << 20;
	b->n_clients++;
	return c;
}

void bus_client_free(struct bus *b, struct client *c)
{
	b->n_clients--;
	if (b->dead == c)
		b->dead = NULL;
	free(c);
}

void bus_client_set_io(struct client *c, void *io)
{
	c->io = io;
}

void *bus_client_io(const struct client *c)
{
	return c->io;
}

int bus_input_space(struct bus *b, struct client *c, uint8_t **p, size_t *room)
{
	(void)b;
	if (c->no_memory)
		return -ENOMEM;
	*p = c->in + c->in_len;
	*room = c->room < FAKE_IN_MAX - c->in_len ? c->room : FAKE_IN_MAX - c->in_len;
	return 0;
}

void bus_input(struct bus *b, struct client *c, size_t len, uint64_t now)
{
	(void)b;
	(void)now;
	c->in_len += len;
}

void bus_input_eof(struct bus *b, struct client *c, uint64_t now)
{
	(void)b;
	(void)now;
	c->n_eof++;
}

void bus_broken(struct bus *b, struct client *c, uint64_t now)
{
	(void)now;
	c->is_broken = true;
	c->wants_input = false;
	b->dead = c;
}

bool bus_wants_input(const struct client *c)
{
	return c->wants_input;
}

int bus_output(struct bus *b, struct client *c, struct iovec *iov, bool *paced)
{
	uint64_t left = c->out_len - c->out_done;

	(void)b;
	*paced = c->is_paced;
	if (left == 0)
		return 0;
	iov[0].iov_base = pattern + c->out_done % 251;
	iov[0].iov_len = left < c->out_max ? (size_t)left : c->out_max;
	return 1;
}

void bus_output_done(struct bus *b, struct client *c, size_t len, uint64_t now)
{
	(void)b;
	(void)now;
	c->out_done += len;
}

bool bus_output_is_long(const struct client *c)
{
	return c->is_long;
}

void bus_output_blocked(struct bus *b, struct client *c, bool blocked, uint64_t now)
{
	(void)b;
	(void)now;
	c->n_blocked += blocked;
	c->is_blocked = blocked;
}

static struct client *take(struct client **from)
{
	struct client *c = *from;

	*from = NULL;
	return c;
}

struct client *bus_next_dirty(struct bus *b)
{
	return take(&b->dirty);
}

struct client *bus_next_changed(struct bus *b)
{
	return take(&b->changed);
}

struct client *bus_next_dead(struct bus *b)
{
	return take(&b->dead);
}

bool bus_run_ready(struct bus *b, uint64_t now)
{
	(void)now;
	if (b->n_run_ready == 0)
		return false;
	b->n_run_ready--;
	return true;
}

uint64_t bus_next_deadline(const struct bus *b)
{
	(void)b;
	return UINT64_MAX;
}

void bus_tick(struct bus *b, uint64_t now)
{
	(void)b;
	(void)now;
}

/* ---- what the tests of connections do not reach ---- */

struct client *bus_accept(struct bus *b, struct chan *ch, const struct peer *peer, uint64_t now,
                          enum nc_error *why)
{
	(void)b;
	(void)ch;
	(void)peer;
	(void)now;
	*why = NC_EDENIED;
	return NULL;
}

struct client *bus_accept_fifo(struct bus *b, struct chan *ch, uint64_t now)
{
	(void)b;
	(void)ch;
	(void)now;
	return NULL;
}

size_t bus_memory(const struct bus *b)
{
	(void)b;
	return 0;
}

const struct conf *bus_conf(const struct bus *b)
{
	(void)b;
	abort();
}

void bus_shutdown(struct bus *b, uint64_t now)
{
	(void)b;
	(void)now;
	abort();
}

bool bus_is_drained(const struct bus *b)
{
	(void)b;
	abort();
}

/* ---- no network ---- */

enum bus_lane bus_client_lane(const struct client *c)
{
	(void)c;
	return BUS_LANE_NONE;
}

void net_settle(struct server *s)
{
	(void)s;
}

bool net_turn(struct server *s, uint64_t now)
{
	(void)s;
	(void)now;
	return false;
}

void net_tick(struct server *s, uint64_t now)
{
	(void)s;
	(void)now;
}

void net_retry(struct server *s, uint64_t now)
{
	(void)s;
	(void)now;
}

void net_lane_flush(struct client *c, uint64_t now)
{
	(void)c;
	(void)now;
	abort();
}

void net_lane_update(struct client *c, uint64_t now)
{
	(void)c;
	(void)now;
	abort();
}

void net_lane_dead(struct client *c, uint64_t now)
{
	(void)c;
	(void)now;
	abort();
}

void net_hush(struct server *s, uint64_t now)
{
	(void)s;
	(void)now;
}

bool net_is_drained(struct server *s, uint64_t now)
{
	(void)s;
	(void)now;
	return true;
}

void net_close(struct server *s, uint64_t now)
{
	(void)s;
	(void)now;
}
