/* Where a lane's stream of frames stands */
#include "mesh/stream.h"

#include "libnc/base/endian.h"
#include "libnc/wire/frame.h"

uint32_t stream_head(const uint8_t *p, uint64_t *msgs)
{
	struct frame_prefix f = frame_prefix_get(p);

	if (f.len < STREAM_HEAD_LEN || f.len > STREAM_FRAME_MAX)
		return 0;
	if (f.kind == FRAME_EMIT)
		*msgs = 1;
	else if (f.kind == FRAME_GAP && f.len == STREAM_HEAD_LEN)
		*msgs = le64_get(p + FRAME_PREFIX_LEN);
	else if (f.kind == FRAME_SENDER)
		*msgs = 0;
	else
		return 0;
	return f.len;
}

bool stream_walk(struct stream *s, const uint8_t *p, size_t n, size_t *first)
{
	size_t at = s->left;
	uint64_t msgs;
	uint32_t len;

	if (at >= n) {
		s->left -= (uint32_t)n;
		*first = n;
		return true;
	}
	*first = at;
	while (at < n) {
		if (n - at < STREAM_HEAD_LEN || !(len = stream_head(p + at, &msgs)))
			return false;
		s->begun += msgs;
		s->is_note = msgs == 0;
		at += len;
	}
	s->left = (uint32_t)(at - n);
	return true;
}
