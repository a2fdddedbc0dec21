/* shrink.h - when memory that was freed is given back to the kernel
 *
 * The allocator keeps what was freed between things that live on: after a burst an idle server
 * would look as large as it was at its largest, for ever. Giving it back costs a walk over all that
 * is free, and page faults when it is needed again. So it is done once after a burst, when most of
 * what it took is free again, and never while a load goes on as it was. Pure: io tells it what is
 * in use once a turn, and has the timer.
 */
#ifndef NC_IO_SHRINK_H
#define NC_IO_SHRINK_H

#include <stdbool.h>
#include <stddef.h>

/* Bursts below this are not worth it. */
#define SHRINK_MIN (4u << 20)
/* How long after it became large a look is taken, and between looks. */
#define SHRINK_LOOK_MS 2000u

struct shrink {
	size_t peak; /* bytes in use at most since memory was given back last */
};

/* `used` bytes are in use now. Returns whether there was so much that a look must follow. */
bool shrink_note(struct shrink *s, size_t used);

/* The look: whether memory is to be given back now, which the caller does then. */
bool shrink_look(struct shrink *s, size_t used);

/* Gives back what is free. */
void shrink_heap(void);

#endif
