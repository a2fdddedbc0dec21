/* mesh_hosts.c - see mesh_hosts.h */
#include "t/unit/mesh_hosts.h"

#include "libnc/wire/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

struct crypto *crypto;
struct keyring keys;
struct key key;
struct host hosts[N_HOSTS];
struct host more[N_MORE];
size_t memory_max;
uint64_t now_ns;
bool (*lossy)(const struct datagram *d);

static unsigned n_hosts;
static uint64_t rng;

uint64_t chance(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static void on_random(void *arg, void *p, size_t n)
{
	uint8_t *b = p;

	(void)arg;
	while (n--)
		*b++ = (uint8_t)chance();
}

static void *on_accept(void *arg, const char *host, uint32_t tag, const char *channel,
                       enum mesh_class class, struct mesh_in *in)
{
	struct host *h = arg;

	(void)tag;
	(void)class;
	if (h == &hosts[1] && channel[0] > 'c' && channel[0] <= 'c' + N_MORE) {
		more[channel[0] - 'd'].in[0] = in;
		return &more[channel[0] - 'd'];
	}
	if (strcmp(channel, "c") || h->refuses || host[0] != 'A' || h == &hosts[0])
		return NULL;
	h->in[0] = in;
	return h;
}

static void take_frame(struct host *h, const uint8_t *p, size_t n)
{
	struct frame_emit f;
	uint64_t number;

	assert_int_equal(frame_emit_get(&f, p, n, 1u << 20), FRAME_OK);
	memcpy(&number, p + f.head_len, sizeof(number));
	assert_true(number >= h->expect);
	assert_true(number - h->expect == 0 || h->missed);
	h->expect = number + 1;
	h->heard++;
}

static size_t on_deliver(void *arg, void *obj, const uint8_t *p, size_t len)
{
	struct host *h = obj;
	size_t at = 0;

	(void)arg;
	if (len > h->room)
		len = h->room;
	if (h->room != SIZE_MAX)
		h->room -= len;
	assert_true(h->part_len + len <= sizeof(h->part));
	memcpy(h->part + h->part_len, p, len);
	h->part_len += len;
	while (h->part_len - at >= FRAME_PREFIX_LEN) {
		struct frame_prefix f = frame_prefix_get(h->part + at);

		if (h->part_len - at < f.len)
			break;
		take_frame(h, h->part + at, f.len);
		at += f.len;
	}
	memmove(h->part, h->part + at, h->part_len - at);
	h->part_len -= at;
	return len;
}

static void on_gap(void *arg, void *obj, uint64_t count, bool exact)
{
	struct host *h = obj;

	(void)arg;
	h->missed += count;
	h->inexact |= !exact;
	h->part_len = 0;
}

static void on_gone(void *arg, void *obj)
{
	struct host *h = obj;

	(void)arg;
	h->gone = true;
	h->part_len = 0;
}

static void on_writable(void *arg, void *user)
{
	(void)arg;
	((struct host *)user)->writable = true;
}

static void on_peer(void *arg, const struct mesh_peer_info *info, enum mesh_peer_state was)
{
	struct host *h = arg;

	(void)was;
	h->ups += info->state == MESH_PEER_UP;
}

static void on_evicted(void *arg, const struct mesh_peer_info *info, const char *channel)
{
	(void)arg;
	(void)info;
	assert_string_equal(channel, "c");
}

void boot(unsigned i, const char *name)
{
	struct host *h = &hosts[i];
	struct mesh_config c;
	struct mesh_env env = {.arg = h,
	                       .random = on_random,
	                       .accept = on_accept,
	                       .deliver = on_deliver,
	                       .gap = on_gap,
	                       .gone = on_gone,
	                       .writable = on_writable,
	                       .peer = on_peer,
	                       .evicted = on_evicted};

	memset(h, 0, sizeof(*h));
	h->room = SIZE_MAX;
	h->addr = (struct mesh_addr){.len = 4, .bytes = {10, 0, 0, (uint8_t)(i + 1)}};
	mesh_config_init(&c);
	c.host = name;
	c.version = "test";
	c.rcvbuf = 4u << 20;
	if (memory_max)
		c.memory_max = c.lane_max = memory_max;
	on_random(NULL, c.boot, sizeof(c.boot));
	assert_int_equal(mesh_new(&h->m, &c, &env, crypto, &keys, now_ns), 0);
	if (i >= n_hosts)
		n_hosts = i + 1;
}

void carry(void)
{
	static uint8_t buf[MESH_DATAGRAM_MAX], copy[MESH_DATAGRAM_MAX];
	bool any = true;
	unsigned i, k;

	while (any) {
		any = false;
		for (i = 0; i < n_hosts; i++) {
			struct mesh_addr to;
			size_t n = hosts[i].m ? mesh_next(hosts[i].m, buf, sizeof(buf), &to, now_ns)
			                      : 0;

			if (!n)
				continue;
			any = true;
			for (k = 0; k < n_hosts; k++) {
				struct datagram d = {hosts[i].addr, k, !to.len, n, buf};

				if (!hosts[k].m || hosts[k].deaf ||
				    (to.len && memcmp(&to, &hosts[k].addr, sizeof(to))) ||
				    (lossy && k != i && lossy(&d)))
					continue;
				memcpy(copy, buf, n);
				mesh_recv(hosts[k].m, copy, n, &hosts[i].addr, d.group, now_ns);
			}
		}
	}
}

void run(uint64_t ns)
{
	uint64_t end = now_ns + ns;
	unsigned i;

	for (;;) {
		uint64_t at = end;

		carry();
		for (i = 0; i < n_hosts; i++) {
			uint64_t t = hosts[i].m ? mesh_next_expiry(hosts[i].m) : UINT64_MAX;

			at = t < at ? t : at;
		}
		if (at >= end)
			break;
		now_ns = at > now_ns ? at : now_ns + 1000;
		for (i = 0; i < n_hosts; i++)
			if (hosts[i].m)
				mesh_tick(hosts[i].m, now_ns);
	}
	now_ns = end;
	for (i = 0; i < n_hosts; i++)
		if (hosts[i].m)
			mesh_tick(hosts[i].m, now_ns);
	carry();
}

size_t emit(struct host *h, uint64_t number, unsigned n, size_t size)
{
	uint8_t frame[66000];
	struct frame_emit f = {.sender = 1,
	                       .channel = "c",
	                       .channel_len = 1,
	                       .event = "e",
	                       .event_len = 1,
	                       .flags = FRAME_T_BYTES,
	                       .payload_len = (uint32_t)size};
	size_t taken = 0, len;

	while (n--) {
		struct iovec iov;
		ssize_t r;

		f.seq = number + 1;
		len = frame_emit_head_put(frame, sizeof(frame), &f);
		memset(frame + len, (int)number, size);
		memcpy(frame + len, &number, sizeof(number));
		iov = (struct iovec){frame, len + size};
		r = mesh_lane_write(h->m, h->lane, &iov, 1, now_ns);
		assert_true(r >= 0);
		taken += (size_t)r;
		if ((size_t)r < len + size)
			break;
		number++;
	}
	return taken;
}

int setup(void **state)
{
	(void)state;
	memset(hosts, 0, sizeof(hosts));
	memset(more, 0, sizeof(more));
	memory_max = 0;
	n_hosts = 0;
	now_ns = 1000 * MS;
	rng = 88172645463325252u;
	lossy = NULL;
	return 0;
}

int teardown(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < n_hosts; i++)
		mesh_free(hosts[i].m);
	return 0;
}

void two_up(void)
{
	boot(0, "A");
	boot(1, "B");
	hosts[0].lane = mesh_lane_open(hosts[0].m, "c", MESH_RELIABLE, &hosts[0], now_ns);
	assert_non_null(hosts[0].lane);
	run(3000 * MS);
	assert_int_equal(hosts[0].ups, 1);
	assert_int_equal(hosts[1].ups, 1);
}

uint64_t dropped(enum mesh_drop why)
{
	struct mesh_stats s;

	mesh_stats(hosts[1].m, &s);
	return s.dropped[why];
}

bool lose_all(const struct datagram *d)
{
	(void)d;
	return true;
}

bool lose_to_a(const struct datagram *d)
{
	return d->to == 0;
}

bool lose_tenth(const struct datagram *d)
{
	(void)d;
	return chance() % 10 == 0;
}

int hosts_init(void)
{
	const uint8_t secret[CRYPTO_KEY_LEN] = {1, 2, 3};

	if (crypto_new(&crypto, 0) || key_init(&key, crypto, CIPHER_DEFAULT, secret))
		return -1;
	keyring_init(&keys);
	return keyring_install(&keys, &key) || keyring_use(&keys, key.id) ? -1 : 0;
}
