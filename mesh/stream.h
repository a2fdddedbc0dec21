/* stream.h - where a lane's stream of frames stands
 *
 * A lane carries EMIT, GAP and SENDER frames of nc-protocol(7), one behind the other. Segments cut
 * it anywhere but in the first STREAM_HEAD_LEN bytes of a frame, so that whoever looks at a segment
 * in which a frame begins knows how long it is and what it counts for.
 */
#ifndef NC_MESH_STREAM_H
#define NC_MESH_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libnc/wire/limits.h"

/* As much as tells length, kind, and the count of a GAP. The shortest frame, a GAP, is as long. */
#define STREAM_HEAD_LEN 16u
/* Longer ones can't have been accepted by any server. */
#define STREAM_FRAME_MAX (NC_MESSAGE_MAX + NC_HEAD_MAX)

struct stream {
	uint64_t begun; /* messages so far, the one that is cut among them */
	uint32_t left;  /* bytes of the frame that is cut, still to come */
	bool is_note;   /* it is a SENDER, which is no message */
};

/* What a frame counts for, a SENDER for none; its first STREAM_HEAD_LEN bytes are at p. Returns its
 * length, or 0 where it is no frame that a lane carries. */
uint32_t stream_head(const uint8_t *p, uint64_t *msgs);

/* Walks over one segment that continues the stream; *first takes the offset of the first frame that
 * begins in it, or n. False where it is no piece of a stream. */
bool stream_walk(struct stream *s, const uint8_t *p, size_t n, size_t *first);

/* Messages that were there as a whole. */
static inline uint64_t stream_whole(const struct stream *s)
{
	return s->begun - (s->left && !s->is_note ? 1 : 0);
}

#endif
