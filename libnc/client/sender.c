/* sender.c - what the server told about the senders of messages
 *
 * A table of NC_SENDER_SLOTS slots by the sender's id, which the server keeps in the same way (see
 * SENDER in wire/frame.h), so that both always agree on who is known. It is as old as the
 * connection.
 */

#include "libnc/client/sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void sender_init(struct sender_table *t)
{
	t->slots = NULL;
}

void sender_fini(struct sender_table *t)
{
	for (unsigned i = 0; t->slots && i < NC_SENDER_SLOTS; i++)
		free(t->slots[i].host);
	free(t->slots);
	sender_init(t);
}

int sender_put(struct sender_table *t, const struct frame_sender *f)
{
	struct sender *s;

	if (!t->slots)
		t->slots = calloc(NC_SENDER_SLOTS, sizeof(*t->slots));
	if (!t->slots)
		return -ENOMEM;
	s = &t->slots[f->sender % NC_SENDER_SLOTS];
	free(s->host);
	*s = (struct sender){0};
	s->host = strndup(f->host, f->host_len);
	if (!s->host)
		return -ENOMEM;
	s->id = f->sender;
	s->uid = f->uid;
	s->gid = f->gid;
	s->pid = f->pid;
	return 0;
}

const struct sender *sender_get(const struct sender_table *t, uint64_t id)
{
	const struct sender *s;

	if (!t->slots || !id)
		return NULL;
	s = &t->slots[id % NC_SENDER_SLOTS];
	return s->id == id ? s : NULL;
}
