/* slow.h - who was slow, also after it has gone (private to ncserver/bus)
 *
 * A bounded list, latest first; the oldest entry goes. A client has one entry, brought up to date.
 */
#ifndef NC_BUS_SLOW_H
#define NC_BUS_SLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct client;

enum slow_why {
	SLOW_BLOCKING = 0, /* held up senders */
	SLOW_DROPPING,     /* its queue dropped */
	SLOW_DISCONNECTED, /* went for it */
};

struct slow {
	char channel[64];
	uint64_t id;
	pid_t pid;
	uid_t uid;
	char comm[16];
	char label[64];
	enum slow_why why;
	int64_t since_at; /* wall clock, ms */
	int64_t last_at;
	uint64_t last_ns; /* bus clock, for probation */
	bool gone;
	uint64_t queued, queued_bytes, dropped, stalls, stalled_ms;
};

struct slow_list;

/* A list of at most `max` entries. NULL without memory. */
struct slow_list *slow_new(uint32_t max);
void slow_free(struct slow_list *l);
/* Changes the bound; the oldest go. Returns 0 or -ENOMEM (the bound stays). */
int slow_resize(struct slow_list *l, uint32_t max);

/* A queue that drops does so often: it is noted once in this time. */
#define SLOW_NOTE_NS UINT64_C(100000000)

/* Notes a client, with its numbers as they are now. */
void slow_note(struct slow_list *l, struct client *c, enum slow_why why);
/* The client goes: its entry, if there is one, gets its last numbers. */
void slow_gone(struct slow_list *l, const struct client *c);

/* Whether that process was disconnected from that channel for slowness since `since_ns`. Sets
 * *until_ns to when the last time was. */
bool slow_was_disconnected(const struct slow_list *l, const char *channel, uid_t uid, pid_t pid,
                           uint64_t since_ns, uint64_t *when_ns);

/* Entry `i`, latest first, or NULL beyond the end. */
const struct slow *slow_at(const struct slow_list *l, uint32_t i);

#endif
