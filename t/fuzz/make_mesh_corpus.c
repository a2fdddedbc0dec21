/*
 * Writes the corpora of the fuzz targets of the mesh
 *
 * usage: make_mesh_corpus CORPUS-FOLDER
 *
 * What two live sessions send each other: as it is (mesh_wire), and the chunks alone (mesh_member).
 * Each kind of chunk gets a file, in the company in which it is sent first.
 */

#include "libnc/base/endian.h"
#include "mesh/wire.h"
#include "t/fuzz/mesh_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct corpus {
	const char *folder;
	bool has[64]; /* by kind of chunk */
	int n;
};

static void save(const struct corpus *c, const char *target, const char *name, const uint8_t *head,
                 size_t head_len, const uint8_t *p, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s", c->folder, target, name);
	f = fopen(path, "wb");
	if (!f || fwrite(head, 1, head_len, f) != head_len || fwrite(p, 1, len, f) != len ||
	    fclose(f)) {
		perror(path);
		exit(EXIT_FAILURE);
	}
}

/* Datagrams of host 1 only: those are what host 0 is given. */
static void on_datagram(void *arg, int from, const uint8_t *p, size_t len)
{
	struct corpus *c = arg;
	struct mw_reader r = {p + MW_HEADER_LEN + MW_STAMP_LEN, len - MW_OVERHEAD};
	size_t chunks = len - MW_OVERHEAD;
	struct mw_chunk chunk;
	uint8_t head[4] = {0};
	bool is_new = false;
	char name[128] = "";
	int got;

	if (!from)
		return;
	while ((got = mw_next(&r, &chunk)) > 0) {
		size_t at = strlen(name);

		is_new |= !c->has[chunk.kind & 63];
		c->has[chunk.kind & 63] = true;
		if (at < 100)
			snprintf(name + at, sizeof(name) - at, "%s%u", at ? "-" : "", chunk.kind);
	}
	if (got < 0)
		abort();
	if (!is_new)
		return;
	le16_put(head, (uint16_t)(len | 0x4000));
	save(c, "mesh_wire", name, head, 2, p, len);
	le16_put(head, (uint16_t)chunks);
	save(c, "mesh_member", name, head, 4, p + MW_HEADER_LEN + MW_STAMP_LEN, chunks);
}

int main(int argc, char **argv)
{
	struct corpus c = {.folder = argc == 2 ? argv[1] : ""};
	struct rig r;

	if (argc != 2) {
		fprintf(stderr, "usage: make_mesh_corpus CORPUS-FOLDER\n");
		return EXIT_FAILURE;
	}
	rig_init(&r, false, on_datagram, &c);
	for (int i = 0; i < 20; i++) {
		rig_write(&r, i % 2, i / 2 % 2, (uint32_t)i * 400);
		rig_run(&r, 10 * RIG_MS, i % 3);
	}
	rig_run(&r, 2000 * RIG_MS, true);
	mesh_lane_close(r.hosts[1].mesh, r.hosts[1].lanes[0], r.now);
	rig_run(&r, 500 * RIG_MS, true);
	mesh_leave(r.hosts[1].mesh, r.now);
	mesh_bye(r.hosts[1].mesh, r.now);
	rig_run(&r, 100 * RIG_MS, true);
	rig_fini(&r);
	return EXIT_SUCCESS;
}
