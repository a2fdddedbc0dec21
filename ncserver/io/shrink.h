/* shrink.h - when memory that was freed is given back to the kernel
 *
 * The allocator keeps what was freed between things that live on: after a burst an idle server
 * would look as large as it was at its largest, for ever. Giving it back costs a walk over all that
 * is free, and page faults when it is needed again. So it is done once after a burst, when most of
 * what waited is free again, or when a server that had much to pass on has become idle; and never
 * while a load goes on as it was. Pure: io tells it what is in use, and has the timer.
 */
#ifndef NC_IO_SHRINK_H
#define NC_IO_SHRINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bursts below this are not worth it. */
#define SHRINK_MIN (2u << 20)
/* How long after it became large a look is taken, and between looks. */
#define SHRINK_LOOK_MS 2000u
/* Reads and writes between two looks up to which a server counts as idle: some clients say
 * something now and then. */
#define SHRINK_IDLE_WORK 64u

struct shrink {
	size_t peak;     /* bytes in use at most between turns, since memory was given back last */
	size_t surge;    /* the same within turns, where what is read has not been written yet */
	uint64_t work;   /* at the last look */
	bool is_settled; /* since a look that found it idle nothing has been done */
};

/* `used` bytes are in use now, between two turns; or within one. `work` counts reads and writes
 * from the start of the server. */
void shrink_note(struct shrink *s, size_t used, uint64_t work);
void shrink_note_surge(struct shrink *s, size_t used);

/* Whether there was so much that a look must follow. */
bool shrink_wants_look(const struct shrink *s);

/* The look: whether memory is to be given back now, which the caller does then. */
bool shrink_look(struct shrink *s, size_t used, uint64_t work);

/* Gives back what is free. */
void shrink_heap(void);

#endif
