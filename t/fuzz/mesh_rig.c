/* mesh_rig.c - see mesh_rig.h */
#include "t/fuzz/mesh_rig.h"

#include "libnc/wire/frame.h"
#include "mesh/wire.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_MAX (256u << 10)
#define EARS_MAX   4096u

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void on_random(void *arg, void *p, size_t n)
{
	struct rig_host *h = arg;
	uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		h->rig->random = h->rig->random * 6364136223846793005u + 1442695040888963407u;
		b[i] = (uint8_t)(h->rig->random >> 56);
	}
}

static void *on_accept(void *arg, const char *host, uint32_t tag, const char *channel,
                       enum mesh_class class, struct mesh_in *in)
{
	struct rig_host *h = arg;
	struct rig_ear *e;

	(void)tag;
	check(host[0] && channel[0] && (class == MESH_RELIABLE || class == MESH_BEST_EFFORT));
	for (size_t i = 0; i < h->n_ears; i++)
		if (h->ears[i].in == in && h->ears[i].is_live)
			return &h->ears[i];
	/* what a member may cause is bounded here, as it is where channels have to be configured */
	if (h->n_ears == EARS_MAX)
		return NULL;
	e = &h->ears[h->n_ears++];
	*e = (struct rig_ear){.host = h, .is_live = true, .in = in};
	return e;
}

static size_t on_deliver(void *arg, void *obj, const uint8_t *p, size_t len)
{
	struct rig_host *h = arg;
	struct rig_ear *e = obj;
	size_t taken = h->takes_little ? len / 2 : len;

	check(e->is_live && len && !e->is_paused);
	e->is_paused = taken < len;
	h->delivered += taken;
	for (size_t left = taken; left;) {
		size_t k = e->left ? e->left : FRAME_PREFIX_LEN - e->n_head;

		k = k < left ? k : left;
		if (e->left) {
			e->left -= (uint32_t)k;
		} else {
			memcpy(e->head + e->n_head, p, k);
			e->n_head += (uint32_t)k;
			if (e->n_head == FRAME_PREFIX_LEN) {
				struct frame_prefix f = frame_prefix_get(e->head);

				check(f.kind == FRAME_EMIT || f.kind == FRAME_GAP ||
				      f.kind == FRAME_SENDER);
				check(f.len > FRAME_PREFIX_LEN);
				e->left = f.len - FRAME_PREFIX_LEN;
				e->n_head = 0;
			}
		}
		p += k;
		left -= k;
	}
	return taken;
}

static void on_gap(void *arg, void *obj, uint64_t count, bool exact)
{
	struct rig_ear *e = obj;

	(void)arg;
	(void)exact;
	check(e->is_live && (count || e->n_head || e->left));
	e->n_head = e->left = 0;
}

static void on_gone(void *arg, void *obj)
{
	struct rig_ear *e = obj;

	(void)arg;
	check(e->is_live);
	e->is_live = false;
}

static void on_writable(void *arg, void *user)
{
	(void)arg;
	(void)user;
}

static void on_peer(void *arg, const struct mesh_peer_info *info, enum mesh_peer_state was)
{
	(void)arg;
	check(info->state != was && strlen(info->host) <= MESH_HOST_MAX &&
	      strlen(info->version) <= MESH_VERSION_MAX);
}

static void on_evicted(void *arg, const struct mesh_peer_info *info, const char *channel)
{
	(void)arg;
	check(info->host[0] && channel[0]);
}

static void host_init(struct rig *r, int i)
{
	static const char *const names[] = {"one", "two"};
	struct rig_host *h = &r->hosts[i];
	struct mesh_env env = {.arg = h,
	                       .random = on_random,
	                       .accept = on_accept,
	                       .deliver = on_deliver,
	                       .gap = on_gap,
	                       .gone = on_gone,
	                       .writable = on_writable,
	                       .peer = on_peer,
	                       .evicted = on_evicted};

	h->rig = r;
	h->ears = calloc(EARS_MAX, sizeof(*h->ears));
	check(h->ears != NULL);
	mesh_config_init(&h->config);
	h->config.host = names[i];
	h->config.version = "fuzz";
	h->config.memory_max = MEMORY_MAX;
	h->config.lane_max = MEMORY_MAX / 4;
	memset(h->config.boot, 0x11 * (i + 1), sizeof(h->config.boot));
	h->addr = (struct mesh_addr){.len = 4, .bytes = {1, 2, 3, (uint8_t)i}};
	check(!mesh_new(&h->mesh, &h->config, &env, r->crypto, &r->keys, r->now));
	h->lanes[0] = mesh_lane_open(h->mesh, "a", MESH_RELIABLE, NULL, r->now);
	h->lanes[1] = mesh_lane_open(h->mesh, "b", MESH_BEST_EFFORT, NULL, r->now);
	check(h->lanes[0] && h->lanes[1]);
}

static bool transfer(struct rig *r, int from, bool arrives)
{
	struct rig_host *h = &r->hosts[from];
	uint8_t bytes[MESH_DATAGRAM_MAX];
	struct mesh_addr to;
	size_t len = mesh_next(h->mesh, bytes, sizeof(bytes), &to, r->now);

	if (!len)
		return false;
	if (r->tap)
		r->tap(r->arg, from, bytes, len);
	if (arrives)
		mesh_recv(r->hosts[!from].mesh, bytes, len, &h->addr, !to.len, r->now);
	return true;
}

/* More than one host sends at a time is an endless conversation. */
#define TURNS_MAX 20000

static void step(struct rig *r, bool both)
{
	bool more = true;

	for (int i = 0; i < (both ? 2 : 1); i++)
		if (mesh_next_expiry(r->hosts[i].mesh) <= r->now)
			mesh_tick(r->hosts[i].mesh, r->now);
	for (int turns = 0; more; turns++) {
		check(turns < TURNS_MAX);
		more = transfer(r, 0, both);
		if (both && transfer(r, 1, true))
			more = true;
	}
	for (int i = 0; i < (both ? 2 : 1); i++) {
		struct rig_host *h = &r->hosts[i];

		for (size_t k = 0; k < h->n_ears; k++)
			if (h->ears[k].is_live && h->ears[k].is_paused) {
				h->ears[k].is_paused = false;
				mesh_in_resume(h->mesh, h->ears[k].in, r->now);
			}
	}
}

void rig_run(struct rig *r, uint64_t ns, bool both)
{
	uint64_t end = r->now + ns;

	while (r->now < end) {
		uint64_t next = end;

		step(r, both);
		for (int i = 0; i < (both ? 2 : 1); i++) {
			uint64_t at = mesh_next_expiry(r->hosts[i].mesh);

			next = at < next ? at : next;
		}
		r->now = next > r->now + RIG_MS / 10 ? next : r->now + RIG_MS / 10;
	}
}

void rig_init(struct rig *r, bool secret, rig_tap *tap, void *arg)
{
	static struct crypto *crypto; /* takes long to make, and holds nothing of a run */
	struct mesh_stats s;
	uint8_t bytes[CRYPTO_KEY_LEN] = {9};
	struct key key;

	if (!crypto)
		check(!crypto_new(&crypto, 0));
	*r = (struct rig){
	        .crypto = crypto, .now = 1000 * RIG_MS, .random = 1, .tap = tap, .arg = arg};
	key_init_insecure(&key);
	if (secret)
		check(!key_init(&key, crypto, CIPHER_AES_256_GCM, bytes));
	keyring_init(&r->keys);
	check(!keyring_install(&r->keys, &key) && !keyring_use(&r->keys, key.id));
	host_init(r, 0);
	host_init(r, 1);
	rig_run(r, 3000 * RIG_MS, true);
	mesh_stats(r->hosts[0].mesh, &s);
	check(s.n_peers_up == 1 && s.n_lanes_in == 2);
	check(!seal_new(&r->seal, r->crypto));
	check(!seal_set(r->seal, &key, r->hosts[1].config.cluster,
	                strlen(r->hosts[1].config.cluster), r->hosts[1].config.boot));
	mesh_stats(r->hosts[1].mesh, &s);
	r->counter = s.counter + 1000;
}

void rig_fini(struct rig *r)
{
	for (int i = 0; i < 2; i++) {
		mesh_free(r->hosts[i].mesh);
		for (size_t k = 0; k < r->hosts[i].n_ears; k++)
			check(!r->hosts[i].ears[k].is_live);
		free(r->hosts[i].ears);
	}
	seal_free(r->seal);
	keyring_fini(&r->keys);
}

void rig_write(struct rig *r, int host, int lane, uint32_t len)
{
	struct frame_emit f = {.sender = 1,
	                       .seq = 1,
	                       .channel = lane ? "b" : "a",
	                       .event = "e",
	                       .channel_len = 1,
	                       .event_len = 1,
	                       .payload_len = len,
	                       .flags = FRAME_T_BYTES};
	uint8_t *p = calloc(1, len + 64u);
	struct iovec iov = {.iov_base = p};

	check(p != NULL);
	iov.iov_len = frame_emit_head_put(p, 64, &f) + len;
	check(mesh_lane_write(r->hosts[host].mesh, r->hosts[host].lanes[lane], &iov, 1, r->now) >=
	      0);
	free(p);
}

void rig_give(struct rig *r, const uint8_t *p, size_t len, bool group)
{
	uint8_t *bytes = malloc(len ? len : 1);

	check(bytes != NULL);
	if (len)
		memcpy(bytes, p, len);
	mesh_recv(r->hosts[0].mesh, bytes, len, &r->hosts[1].addr, group, r->now);
	free(bytes);
}

void rig_say(struct rig *r, const uint8_t *chunks, size_t len, bool group)
{
	size_t total = MW_OVERHEAD + len;
	uint8_t *p = calloc(1, total);

	check(p != NULL);
	mw_header_put(p, 0, ++r->counter, r->hosts[1].config.boot);
	if (len)
		memcpy(p + MW_HEADER_LEN + MW_STAMP_LEN, chunks, len);
	check(!seal_datagram(r->seal, r->counter, p, MW_HEADER_LEN, p + MW_HEADER_LEN,
	                     MW_STAMP_LEN + len, p + total - MW_TAG_LEN));
	rig_give(r, p, total, group);
	free(p);
}

void rig_check(struct rig *r)
{
	struct mesh_stats s;

	mesh_stats(r->hosts[0].mesh, &s);
	check(s.memory_in <= MEMORY_MAX && s.memory_out <= MEMORY_MAX);
	check(s.n_peers <= r->hosts[0].config.max_peers + 1024);
	check(s.n_lanes_in <= MESH_LANES_MAX);
}
