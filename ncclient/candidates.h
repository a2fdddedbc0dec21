/*
 * What completion offers: names, channels, clients, events, files
 */
#ifndef NC_NCCLIENT_CANDIDATES_H
#define NC_NCCLIENT_CANDIDATES_H

#include <stddef.h>

struct complete_list;
struct complete_place;
struct session;

/* Names of events that are remembered, the last ones heard. */
#define CANDIDATES_EVENTS_MAX 256u

struct candidates {
	char *events[CANDIDATES_EVENTS_MAX]; /* a ring */
	size_t n_events;                     /* ever heard, each once while it is in the ring */
};

void candidates_fini(struct candidates *c);

/* Remembers the name of an event that was heard. */
void candidates_heard(struct candidates *c, const char *event);

/* Fills LIST with what could stand at PLACE and begins with the LEN bytes at WORD. Channels and
 * clients are asked of the server, which has a moment to answer. */
void candidates_find(const struct candidates *c, struct session *s,
                     const struct complete_place *place, const char *word, size_t len,
                     struct complete_list *list);

/* What is typed behind the only candidate: its quote, and what follows. */
const char *candidates_suffix(const struct complete_place *place, const char *candidate);

#endif
