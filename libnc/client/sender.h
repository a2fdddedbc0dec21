/* sender.h - what the server told about the senders of messages */
#ifndef NC_CLIENT_SENDER_H
#define NC_CLIENT_SENDER_H

#include <stdint.h>

#include "libnc/wire/frame.h"

struct sender {
	uint64_t id; /* 0: the slot is free */
	uint32_t uid;
	uint32_t gid;
	uint32_t pid;
	char *host; /* owned */
};

struct sender_table {
	struct sender *slots; /* NC_SENDER_SLOTS, or NULL before the first */
};

/* Makes the table empty; it takes no memory before the first sender. */
void sender_init(struct sender_table *t);
void sender_fini(struct sender_table *t);

/* Enters what a SENDER frame says in the sender's slot, in the place of whoever was there. Returns
 * 0, or -ENOMEM: then the slot is empty. */
int sender_put(struct sender_table *t, const struct frame_sender *f);

/* The sender with that id, or NULL where the server has not told it. Valid until the table
 * changes. */
const struct sender *sender_get(const struct sender_table *t, uint64_t id);

#endif
