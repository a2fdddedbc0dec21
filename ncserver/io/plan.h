/* plan.h - all sockets and FIFOs of a new configuration, or none
 *
 * Compares what a configuration asks for with what stands, makes what is new under temporary names,
 * and puts it into place. Up to that point everything can be undone; after plan_commit() what is
 * not asked for any more is gone. The sockets of channels that stay as they are, are not touched;
 * one that changes its path, mode or owner is replaced by a new one, and its clients stay.
 */
#ifndef NC_IO_PLAN_H
#define NC_IO_PLAN_H

#include <stddef.h>

#include "ncserver/io/dirlock.h"
#include "ncserver/io/place.h"

struct conf;
struct conf_channel;
struct fault;
struct fifo;
struct listener;
struct server;

/* What becomes of one channel; NULL where nothing is new. */
struct plan_item {
	const struct conf_channel *channel; /* of the new configuration */
	struct listener *listener;          /* the new one */
	struct listener *old_listener;      /* that it replaces */
	struct fifo *fifo;                  /* the new one */
	struct fifo *old_fifo;              /* that it replaces, or that gets fifo_place */
	struct place fifo_place;            /* the same file, changed */
};

struct plan {
	size_t n;
	struct plan_item *items;
	struct dirlocks locks;
};

/* Makes everything and puts it into place. Returns 0; 1 with *f; -ENOMEM; on error nothing has
 * changed. */
int plan_make(struct plan *p, struct server *s, const struct conf *conf, int lock_ms,
              struct fault *f);

/* The bus has the new configuration: what is new begins to accept, what is old goes. */
void plan_commit(struct plan *p, struct server *s, const struct conf *conf);

/* Undoes plan_make(). */
void plan_rollback(struct plan *p);

#endif
