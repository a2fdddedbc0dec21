/* control.h - answers to questions on the control channel (private to ncserver/bus) */
#ifndef NC_BUS_CONTROL_H
#define NC_BUS_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libnc/netcluster/nc.h"

struct buf;
struct bus;
struct client;

/* Bytes of data in a request other than reloadconfig: a tree is made of it, which takes many times
 * as much. */
#define REQUEST_DATA_MAX (64u << 10)
/* Bytes of one answer: far above 10,000 clients. */
#define CONTROL_ANSWER_MAX (64u << 20)

struct question {
	struct client *from;
	const char *event; /* need not be legal where the question is refused */
	size_t event_len;
	const char *data; /* JSON text */
	size_t data_len;
	uint64_t id;
	bool has_id; /* the answer goes to the asker alone */
};

/* Answers a question. */
void control_ask(struct bus *b, const struct question *q);

/* Answers with an error. */
void control_refuse(struct bus *b, const struct question *q, enum nc_error code, const char *text);

/* control_show.c: the objects of the answers. Each appends JSON text and returns 0, -ENOMEM or
 * -EMSGSIZE; `filter` is a channel's name or NULL. */
int control_show_clients(struct buf *out, struct bus *b, const char *filter);
int control_show_client(struct buf *out, const struct client *c);
int control_show_channels(struct buf *out, struct bus *b);
int control_show_rules(struct buf *out, struct bus *b);
int control_show_slow(struct buf *out, struct bus *b);
int control_show_stats(struct buf *out, struct bus *b);

#endif
