/*
 * Fuzz target: datagrams of anybody, given to a session of the mesh
 *
 * The input is a list of datagrams, each behind its length (16 bits; 0x8000: it came by the group,
 * 0x4000: it gets the id of the key that is held). Without the key's secret nobody makes one that
 * has an effect: nothing is delivered, and no peer is known that was not before.
 */

#include "t/fuzz/fuzz.h"

#include "libnc/base/endian.h"
#include "t/fuzz/mesh_rig.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t datagram[0x4000];
	struct mesh_stats before, after;
	struct rig r;

	rig_init(&r, true, NULL, NULL);
	mesh_stats(r.hosts[0].mesh, &before);
	while (len >= 2) {
		uint16_t head = le16_get(data);
		size_t n = head & 0x3fff;

		data += 2;
		len -= 2;
		n = n < len ? n : len;
		memcpy(datagram, data, n);
		if (n >= 8 && (head & 0x4000))
			le32_put(datagram + 4, r.keys.current->id);
		rig_give(&r, datagram, n, head >> 15);
		rig_check(&r);
		data += n;
		len -= n;
	}
	mesh_stats(r.hosts[0].mesh, &after);
	if (after.data_in != before.data_in || after.n_peers != before.n_peers ||
	    after.n_peers_up != before.n_peers_up)
		abort();
	rig_run(&r, 100 * RIG_MS, true);
	rig_check(&r);
	rig_fini(&r);
	return 0;
}
