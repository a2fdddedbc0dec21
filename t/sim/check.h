/* check.h - what must hold at every step */
#ifndef NC_SIM_CHECK_H
#define NC_SIM_CHECK_H

#include "mesh/session.h"

#include <stdbool.h>
#include <stdint.h>

struct ear;
struct host;
struct world;

/* After each run of a host: memory, traffic, waiting. */
void check_host(struct host *h);
/* What a host sends. */
void check_datagram(struct host *h, const uint8_t *p, size_t len, const struct mesh_addr *to);

/* What the session tells. */
void check_peer(struct host *h, const struct mesh_peer_info *info, enum mesh_peer_state was);
void check_evicted(struct host *h, const struct mesh_peer_info *info, const char *channel);
/* Whether an ear may have lost touch with its lane: a partition, an eviction, a dead sender. */
bool check_is_excused(const struct ear *e);
/* Messages are missing in an ear: is there a cause? */
void check_gap_cause(struct ear *e);

/* Until `until`, and as long as it takes to get over it, a and b may take each other for gone, and
 * lose messages. */
void check_trouble(struct world *w, uint32_t a, uint32_t b, uint64_t until);
void check_trouble_host(struct world *w, uint32_t a, uint64_t until);

/* At the end: what repairs cost. */
void check_repairs(struct world *w);

#endif
