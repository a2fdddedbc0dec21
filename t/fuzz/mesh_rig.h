/* mesh_rig.h - two live sessions of the mesh, for the fuzz targets and what makes their corpora
 *
 * Both have met; each hears a reliable and a best-effort lane of the other. Time is virtual, and
 * the random numbers are always the same.
 */
#ifndef NC_FUZZ_MESH_RIG_H
#define NC_FUZZ_MESH_RIG_H

#include "mesh/key.h"
#include "mesh/seal.h"
#include "mesh/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RIG_MS UINT64_C(1000000)

struct rig;

/* Sees each datagram that a host sends. */
typedef void rig_tap(void *arg, int from, const uint8_t *p, size_t len);

/* A lane that is heard: what is delivered must be frames. */
struct rig_ear {
	struct rig_host *host;
	bool is_live;
	uint8_t head[8];
	uint32_t n_head, left; /* bytes of a frame's begin; still to come of it */
	struct mesh_in *in;
	bool is_paused;
};

struct rig_host {
	struct rig *rig;
	struct mesh *mesh;
	struct mesh_config config;
	struct mesh_addr addr;
	struct mesh_lane *lanes[2];
	struct rig_ear *ears; /* all that ever were */
	size_t n_ears;
	uint64_t delivered; /* bytes */
	bool takes_little;  /* deliveries are taken in part */
};

struct rig {
	struct crypto *crypto;
	struct keyring keys;
	struct rig_host hosts[2];
	uint64_t now;
	uint64_t random;
	struct seal *seal; /* of host 1, for what the fuzzer says in its name */
	uint64_t counter;
	rig_tap *tap; /* NULL: nobody looks */
	void *arg;
};

/* Makes both and lets them meet. Aborts where they don't. `tap` may be NULL. With
 * `secret` the hosts hold a key; without, nothing is hidden. */
void rig_init(struct rig *r, bool secret, rig_tap *tap, void *arg);
void rig_fini(struct rig *r);

/* Lets time pass, and datagrams go to and fro; those of host 1 only where `both`. */
void rig_run(struct rig *r, uint64_t ns, bool both);

/* Writes a message of `len` bytes to a lane of a host. */
void rig_write(struct rig *r, int host, int lane, uint32_t len);

/* A datagram, as it came over the wire, for host 0. */
void rig_give(struct rig *r, const uint8_t *p, size_t len, bool group);
/* A datagram with these chunks, sealed by host 1's boot. */
void rig_say(struct rig *r, const uint8_t *chunks, size_t len, bool group);

/* What must hold of host 0 whatever it was given; aborts. */
void rig_check(struct rig *r);

#endif
