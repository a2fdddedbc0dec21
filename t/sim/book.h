/* book.h - what was written and what was heard: the books, and whether they agree */
#ifndef NC_SIM_BOOK_H
#define NC_SIM_BOOK_H

#include "t/sim/app.h"

/* A new boot of a host. */
struct origin *book_origin(struct host *h);
void book_origin_free(struct origin *o);

/* Makes the next frame of a lane; its size follows from its number and the habits. */
void book_frame(struct world *w, struct ledger *l, const struct app_habits *habits);

/* A lane is announced to host `h`. Returns its ear, or NULL where the habits say no. */
struct ear *book_accept(struct host *h, const char *host, uint32_t tag, const char *channel,
                        enum mesh_class class, struct mesh_in *in);
/* Bytes are heard, frames taken out of them and compared with what was written. */
void book_bytes(struct ear *e, const uint8_t *p, size_t len);
void book_gap(struct ear *e, uint64_t count, bool exact);
void book_gone(struct ear *e);

#endif
