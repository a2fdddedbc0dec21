/*
 * Fuzz target: what a member of the mesh says that holds the key, and lies
 *
 * The input is a list of datagrams' chunks, each behind four bytes: length (16 bits; the upper bit:
 * it came by the group), milliseconds that pass before, and what else happens: 1 a message is
 * written, 2 the true host speaks between, 4 the hearer takes only a part. They are sealed by the
 * boot of a peer that is up, and so all have an effect. No crash, memory within its bounds, and
 * what is delivered is frames.
 */

#include "t/fuzz/fuzz.h"

#include "libnc/base/endian.h"
#include "t/fuzz/mesh_rig.h"

/* A second and more in all would only repeat what announcements do. */
#define DATAGRAMS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rig r;

	rig_init(&r, false, NULL, NULL);
	for (int i = 0; i < DATAGRAMS_MAX && len >= 4; i++) {
		uint16_t head = le16_get(data);
		size_t n = head & 0x7fff;
		uint8_t wait = data[2], what = data[3];

		data += 4;
		len -= 4;
		n = n < len ? n : len;
		n = n < MESH_DATAGRAM_MAX ? n : MESH_DATAGRAM_MAX;
		r.hosts[0].takes_little = what & 4;
		if (what & 1)
			rig_write(&r, 0, what >> 7, (uint32_t)(what >> 3) * 100);
		if (wait || (what & 2))
			rig_run(&r, wait * RIG_MS + RIG_MS / 10, what & 2);
		rig_say(&r, data, n, head >> 15);
		rig_check(&r);
		data += n;
		len -= n;
	}
	rig_run(&r, 50 * RIG_MS, false);
	rig_check(&r);
	rig_fini(&r);
	return 0;
}
