/* micro_mesh_net.c - the mesh and its sockets by themselves: no ncserver, no client, no local hop
 *
 * What of bench/mesh's row the two local sockets and the bus cost is what this one has more. A
 * publisher is a host that writes frames into a lane, and a subscriber one that takes them out of
 * it. Options are those of all (bench.h); --config=NAME is the cipher, "none" for the clear.
 */
#include "bench/mesh_ends.h"
#include "bench/micro_mesh_env.h"
#include "libnc/wire/frame.h"
#include "mesh/key.h"
#include "mesh/session.h"
#include "ncserver/io/fault.h"
#include "ncserver/io/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP     "239.77.0.8"
#define PORT      17008
#define BATCH_LEN 65536u
#define CHANNEL   "bench"
#define MTU_LEN   1472u
#define MS_NS     1000000u
/* How long a hello lets the network work, and a subscriber that has all acknowledge it. */
#define TURN_NS 10000000u

struct host {
	uv_loop_t loop;
	uv_prepare_t before_sleep;
	uv_timer_t timer, wake; /* of the session; of run_for() */
	struct udp *udp;
	struct crypto *crypto;
	struct keyring keys;
	struct mesh *mesh;
	struct mesh_lane *lane;
	struct outbox outbox;
	/* of the sender: frames that wait to be written */
	uint8_t *batch;
	size_t len, frame_len;
	uint64_t n_frames;
	/* of the receiver: the frame that is coming in */
	struct check *check;
	uint8_t *frame;
	size_t got;
	bool is_over;
};

/* ---- what the session asks ---- */

static void *on_accept(void *arg, const char *host, uint32_t tag, const char *channel,
                       enum mesh_class class, struct mesh_in *in)
{
	struct host *h = arg;

	(void)host;
	(void)tag;
	(void)channel;
	(void)class;
	return h->check ? in : NULL;
}

/* A whole frame, or what is its end where `p` does not begin it. Returns whether it was the last.
 */
static bool take_frame(const struct host *h, const uint8_t *p, size_t len)
{
	struct frame_emit f;

	if (frame_emit_get(&f, p, len, BENCH_LEN_MAX) != FRAME_OK || f.head_len > len)
		worker_fail("no frame", 0);
	return check_take(h->check, p + f.head_len, f.payload_len);
}

static size_t on_deliver(void *arg, void *obj, const uint8_t *p, size_t len)
{
	struct host *h = arg;
	const uint8_t *end = p + len;
	size_t cap = h->check->len + 512;

	(void)obj;
	while (p < end && !h->is_over) {
		size_t want = FRAME_PREFIX_LEN, left = (size_t)(end - p), n;

		if (h->got >= FRAME_PREFIX_LEN)
			want = frame_prefix_get(h->frame).len;
		else if (h->got == 0 && left >= FRAME_PREFIX_LEN)
			want = frame_prefix_get(p).len;
		if (want > cap)
			worker_fail("a frame is too long", 0);
		if (h->got == 0 && left >= want) {
			h->is_over = take_frame(h, p, want);
			p += want;
			continue;
		}
		n = want - h->got < left ? want - h->got : left;
		memcpy(h->frame + h->got, p, n);
		h->got += n;
		p += n;
		if (h->got < FRAME_PREFIX_LEN || h->got < frame_prefix_get(h->frame).len)
			continue;
		h->is_over = take_frame(h, h->frame, h->got);
		h->got = 0;
	}
	return len;
}

static void on_gap(void *arg, void *obj, uint64_t count, bool exact)
{
	struct host *h = arg;

	(void)obj;
	(void)count;
	(void)exact;
	h->got = 0;
}

/* ---- the sockets ---- */

static void pump(struct host *h)
{
	do
		outbox_send(&h->outbox, h->udp);
	while (outbox_is_empty(&h->outbox) &&
	       outbox_make(&h->outbox, h->mesh, MTU_LEN, bench_now_ns()));
}

static void on_datagram(void *arg, const struct udp_in *d)
{
	struct host *h = arg;
	struct mesh_addr from;

	net_addr_put(&from, d->from);
	mesh_recv(h->mesh, d->data, d->len, &from, d->is_group, d->read_ns);
}

static void on_writable(void *arg)
{
	pump(arg);
}

static void on_change(void *arg, const struct udp_state *state)
{
	(void)arg;
	(void)state;
}

static void on_timer(uv_timer_t *t)
{
	(void)t;
}

static void before_sleep(uv_prepare_t *p)
{
	struct host *h = p->data;
	uint64_t now_ns = bench_now_ns(), due_ns;

	if (mesh_next_expiry(h->mesh) <= now_ns)
		mesh_tick(h->mesh, now_ns);
	pump(h);
	due_ns = mesh_next_expiry(h->mesh);
	now_ns = bench_now_ns();
	if (due_ns == UINT64_MAX)
		uv_timer_stop(&h->timer);
	else
		uv_timer_start(&h->timer, on_timer,
		               due_ns > now_ns ? (due_ns - now_ns + MS_NS - 1) / MS_NS : 0, 0);
}

/* ---- the host ---- */

static void open_keys(struct host *h, const struct bench_options *o)
{
	static const uint8_t secret[CRYPTO_KEY_LEN] = "everybody knows it, for a bench";
	const char *name = o->config ? o->config : cipher_name(CIPHER_DEFAULT);
	enum cipher cipher;
	struct key k;

	if (crypto_new(&h->crypto, 0) || !cipher_of_name(&cipher, name, strlen(name)))
		worker_fail(name, 0);
	if (cipher == CIPHER_NONE)
		key_init_insecure(&k);
	else if (key_init(&k, h->crypto, cipher, secret))
		worker_fail("key", 0);
	keyring_init(&h->keys);
	if (keyring_install(&h->keys, &k) || keyring_use(&h->keys, k.id))
		worker_fail("keyring", 0);
}

static void open_session(struct host *h, const struct worker *w)
{
	struct mesh_env env;
	struct mesh_config c;
	char name[32];

	snprintf(name, sizeof(name), "%s-%u", w->role == BENCH_PUBLISHER ? "pub" : "sub", w->id);
	mesh_config_init(&c);
	c.host = name;
	c.version = "bench";
	c.rate = 0;
	c.mtu = MTU_LEN;
	c.rcvbuf = udp_state(h->udp)->rcvbuf;
	mesh_env_random(NULL, c.boot, sizeof(c.boot));
	mesh_env_random(NULL, c.hash_key, sizeof(c.hash_key));
	mesh_env_init(&env, h);
	env.accept = on_accept;
	env.deliver = on_deliver;
	env.gap = on_gap;
	if (mesh_new(&h->mesh, &c, &env, h->crypto, &h->keys, bench_now_ns()))
		worker_fail("session", 0);
}

static void host_open(struct host *h, const struct bench_options *o, const struct worker *w)
{
	static const struct udp_handlers handlers = {
	        .on_datagram = on_datagram, .on_writable = on_writable, .on_change = on_change};
	struct udp_options u = {.rcvbuf = MESH_BUFFER, .sndbuf = MESH_BUFFER};
	struct ends_interface i;
	struct netaddr group;
	struct fault f;

	ends_interface(&i);
	netaddr_from_ip(&group, GROUP);
	netaddr_set_port(&group, PORT);
	u.group = &group;
	u.interface = i.name;
	uv_loop_init(&h->loop);
	open_keys(h, o);
	if (udp_new(&h->udp, &h->loop, &u, &handlers, h, &f) || outbox_init(&h->outbox, NULL))
		worker_fail("sockets", 0);
	open_session(h, w);
	uv_timer_init(&h->loop, &h->timer);
	uv_timer_init(&h->loop, &h->wake);
	uv_prepare_init(&h->loop, &h->before_sleep);
	h->before_sleep.data = h;
	uv_prepare_start(&h->before_sleep, before_sleep);
}

static void run_for(struct host *h, uint64_t ns)
{
	uint64_t end_ns = bench_now_ns() + ns;

	while (bench_now_ns() < end_ns) {
		uv_timer_start(&h->wake, on_timer, 1, 0);
		uv_run(&h->loop, UV_RUN_ONCE);
	}
}

/* ---- the sender ---- */

static void sender_flush(void *end)
{
	struct host *h = end;

	for (size_t at = 0; at < h->len;) {
		struct iovec v = {h->batch + at, h->len - at};
		ssize_t n = mesh_lane_write(h->mesh, h->lane, &v, 1, bench_now_ns());

		if (n < 0)
			worker_fail("mesh_lane_write", (int)-n);
		at += (size_t)n;
		uv_run(&h->loop, n ? UV_RUN_NOWAIT : UV_RUN_ONCE);
	}
	h->len = 0;
}

static void sender_send(void *end, const uint8_t *payload, size_t len)
{
	struct host *h = end;
	struct frame_emit f = {.sender = 1,
	                       .seq = ++h->n_frames,
	                       .channel = CHANNEL,
	                       .channel_len = sizeof(CHANNEL) - 1,
	                       .event = "msg",
	                       .event_len = 3,
	                       .flags = FRAME_T_BYTES,
	                       .payload_len = (uint32_t)len};

	h->len += frame_emit_head_put(h->batch + h->len, 512, &f);
	memcpy(h->batch + h->len, payload, len);
	h->len += len;
	if (h->len >= BATCH_LEN)
		sender_flush(h);
}

/* Between hellos hosts get to know each other. */
static void hello_flush(void *end)
{
	sender_flush(end);
	run_for(end, TURN_NS);
}

static void publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	static struct host h;
	struct ends_sender s = {.send = sender_send, .flush = hello_flush, .end = &h};

	(void)d;
	host_open(&h, o, w);
	h.batch = malloc(BATCH_LEN + o->len + 512);
	h.lane = mesh_lane_open(h.mesh, CHANNEL, MESH_RELIABLE, NULL, bench_now_ns());
	if (!h.batch || !h.lane)
		worker_fail("lane", ENOMEM);
	ends_publish(o, w, &s);
	while (!mesh_is_drained(h.mesh))
		uv_run(&h.loop, UV_RUN_ONCE);
}

/* ---- the receiver ---- */

static void subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	static struct host h;

	(void)d;
	h.check = &w->check;
	h.frame = malloc(o->len + 512);
	if (!h.frame)
		worker_fail("memory", ENOMEM);
	host_open(&h, o, w);
	worker_listens(o, w);
	while (!h.is_over)
		uv_run(&h.loop, UV_RUN_ONCE);
	w->end_ns = bench_now_ns();
	run_for(&h, 10 * TURN_NS);
}

static const struct bench_kind kind = {
        .name = "the mesh alone",
        .publish = publish,
        .subscribe = subscribe,
        .is_mesh = true,
};

int main(int argc, char **argv)
{
	return bench_main(&kind, argc, argv);
}
