/* app.h - what is above a session: lanes that are written, lanes that are heard, and their books
 *
 * Every message says who wrote it and the how-manieth it is, and its size and bytes follow from
 * that. So a receiver knows of each one whether it is whole, new, in order, and what is missing
 * before it; and what a gap says can be compared with what was written.
 */
#ifndef NC_SIM_APP_H
#define NC_SIM_APP_H

#include "mesh/session.h"
#include "t/sim/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APP_CHANNELS  8u
#define APP_LANES     (2 * APP_CHANNELS) /* channel * 2 + class */
#define APP_FRAME_MAX (160u << 10)

struct host;
struct origin;
struct world;

/* A lane, as its writer keeps the book. */
struct ledger {
	struct origin *origin;
	uint32_t number;        /* channel * 2 + class */
	uint64_t n_begun;       /* messages of which a byte was taken */
	uint64_t n_written;     /* that were taken whole */
	struct mesh_lane *lane; /* NULL: not open */
	uint8_t *frame;         /* being written */
	size_t frame_len, frame_pos;
	uint64_t short_since; /* a write was short, writable() is to come; 0: not */
	bool was_open;
	bool is_closed; /* closed while its writer lived */
};

/* A boot of a host. */
struct origin {
	uint32_t index; /* in world.origins */
	uint32_t host;
	uint32_t boot_n;
	uint32_t tag;
	uint8_t boot[MESH_BOOT_LEN];
	bool is_over; /* crashed, or left */
	bool has_left;
	struct ledger ledgers[APP_LANES];
};

/* A lane, as it is heard. It is kept when it has ended, for a later one of the same lane. */
struct ear {
	struct host *host;
	struct ledger *ledger;
	struct mesh_in *in; /* NULL: ended */
	struct ear *next_ear;
	uint64_t next;     /* message that is expected */
	uint64_t gap;      /* messages that are said to be missing before the next one */
	uint64_t heard;    /* messages */
	uint64_t missed;   /* messages, by gaps */
	uint64_t heard_at; /* the last message; accept() before the first */
	uint64_t paused_since;
	bool is_exact;    /* all of `gap` is */
	bool knows;       /* `next` means something: one was heard, or an earlier ear did */
	bool is_paused;   /* took less than it was given */
	bool was_evicted; /* since the last message */
	uint8_t *buf;     /* of a frame that was begun */
	size_t len, room;
};

/* What an application does. */
struct app_habits {
	uint32_t opens;      /* bit per lane number */
	uint32_t accepts;    /* bit per channel */
	uint32_t burst;      /* messages at a time, up to so many */
	uint64_t every_ns;   /* between bursts, half to one and a half of it; 0: writes nothing */
	uint32_t size_max;   /* of payloads, mostly far smaller; to APP_FRAME_MAX - 1024 */
	uint32_t size_fixed; /* of all payloads; 0: as size_max has it */
	uint32_t drib_ppm;   /* a delivery of which only a part is taken */
	uint32_t pause_ppm;  /* a delivery after which nothing is taken for up to pause_ns */
	uint64_t pause_ns;
};

struct app {
	struct host *host;
	struct rng rng;
	struct app_habits habits;
	struct origin *origin; /* of this boot; NULL while the host is down */
	struct ear *ears;      /* of this boot, ended ones too */
	bool is_leaving;
	uint32_t generation; /* of timers: they end with the boot */
};

void app_init(struct app *a, struct host *h, struct rng rng);
void app_fini(struct app *a);
/* Fills in the callbacks that the application answers. */
void app_env(struct mesh_env *env);

void app_boot(struct app *a);
/* Nothing is written from now on. */
void app_leave(struct app *a);
void app_down(struct app *a);

/* Writes `n` messages to a lane, as far as it takes them. */
void app_write(struct app *a, struct ledger *l, uint64_t n);
/* Opens and closes lanes, so that they are what the habits say. */
void app_lanes(struct app *a);
/* All ears take again. */
void app_resume(struct app *a);

/* Whether all lanes of this host brought all that was written to all who hear them, or said how
 * much is missing. Why not goes to `why`. */
bool app_is_settled(const struct app *a, char *why, size_t cap);
/* A few more messages on each lane that somebody has not yet heard anything of: what is lost before
 * the first message can't be seen. */
void app_last_words(struct app *a);

#endif
