/*
 * What the mesh costs without sockets: one sender and one receiver in one thread
 *
 * usage: bench/micro_mesh [SECONDS]
 *
 * For messages of 64 B, 1 KiB and 64 KiB prints how many go per second from mesh_lane_write() to
 * deliver(), and what writing, making (mesh_next) and taking (mesh_recv) datagrams cost for each
 * message; SECONDS (default 0.5) in each of five rounds, of which the fastest counts.
 */

#include "bench/micro_mesh_env.h"
#include "libnc/wire/frame.h"
#include "mesh/key.h"
#include "mesh/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_ROUNDS    5
#define BATCH_BYTES 65536u

static struct mesh *ends[2];
static const struct mesh_addr addrs[2] = {{4, {10, 0, 0, 1}}, {4, {10, 0, 0, 2}}};
static uint64_t delivered;

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *on_accept(void *arg, const char *host, uint32_t tag, const char *channel,
                       enum mesh_class class, struct mesh_in *in)
{
	(void)arg;
	(void)host;
	(void)tag;
	(void)channel;
	(void)class;
	return in;
}

static size_t on_deliver(void *arg, void *obj, const uint8_t *p, size_t len)
{
	(void)arg;
	(void)obj;
	(void)p;
	delivered += len;
	return len;
}

static void on_gap(void *arg, void *obj, uint64_t count, bool exact)
{
	(void)arg;
	(void)obj;
	fprintf(stderr, "micro_mesh: %llu messages lost (%d)\n", (unsigned long long)count, exact);
	exit(1);
}

static uint64_t made, taken; /* nanoseconds */

/* Carries all datagrams. */
static void carry(void)
{
	static uint8_t batch[64][MESH_DATAGRAM_MAX];
	size_t len[64];
	bool any = true;
	int i, n, k;

	while (any) {
		any = false;
		for (i = 0; i < 2; i++) {
			uint64_t t0 = clock_ns(), t1;
			struct mesh_addr to;

			for (n = 0; n < 64; n++)
				if (!(len[n] = mesh_next(ends[i], batch[n], sizeof(batch[n]), &to,
				                         t0)))
					break;
			t1 = clock_ns();
			made += t1 - t0;
			for (k = 0; k < n; k++)
				mesh_recv(ends[!i], batch[k], len[k], &addrs[i], true, t1);
			taken += clock_ns() - t1;
			any |= n > 0;
		}
	}
	for (i = 0; i < 2; i++)
		if (mesh_next_expiry(ends[i]) <= clock_ns())
			mesh_tick(ends[i], clock_ns());
}

/* One run of messages of `size` bytes. */
static void run(struct mesh_lane *lane, size_t size, double seconds, double ns[3], double *rate)
{
	struct frame_emit f = {.sender = 1,
	                       .seq = 1,
	                       .channel = "c",
	                       .channel_len = 1,
	                       .event = "e",
	                       .event_len = 1,
	                       .flags = FRAME_T_BYTES,
	                       .payload_len = (uint32_t)size};
	static uint8_t buf[2 * BATCH_BYTES + 256];
	size_t one = frame_emit_head_put(buf, sizeof(buf), &f) + size, n = BATCH_BYTES / one + 1, i;
	struct iovec iov = {buf, n * one};
	uint64_t t0 = clock_ns(), end = t0 + (uint64_t)(seconds * 1e9), wrote = 0, t, before;
	double msgs;

	for (i = 1; i < n; i++)
		memcpy(buf + i * one, buf, one);
	made = taken = 0;
	before = delivered;
	while ((t = clock_ns()) < end) {
		size_t at = 0;

		while (at < n * one) {
			ssize_t r;

			iov = (struct iovec){buf + at, n * one - at};
			t = clock_ns();
			r = mesh_lane_write(ends[0], lane, &iov, 1, t);
			if (r < 0)
				exit(1);
			wrote += clock_ns() - t;
			at += (size_t)r;
			carry();
		}
	}
	msgs = (double)(delivered - before) / (double)one;
	*rate = msgs / ((double)(clock_ns() - t0) / 1e9);
	ns[0] = (double)wrote / msgs;
	ns[1] = (double)made / msgs;
	ns[2] = (double)taken / msgs;
}

static void open_end(int i, struct crypto *crypto, struct keyring *keys)
{
	struct mesh_env env;
	struct mesh_config c;

	mesh_config_init(&c);
	c.host = i ? "b" : "a";
	c.version = "micro";
	c.rate = 0;
	c.rcvbuf = 16u << 20;
	mesh_env_random(NULL, c.boot, sizeof(c.boot));
	mesh_env_init(&env, NULL);
	env.accept = on_accept;
	env.deliver = on_deliver;
	env.gap = on_gap;
	if (mesh_new(&ends[i], &c, &env, crypto, keys, clock_ns()))
		exit(1);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {64, 1024, 65536};
	static const enum cipher ciphers[] = {CIPHER_AES_256_GCM, CIPHER_CHACHA20_POLY1305,
	                                      CIPHER_NONE};
	const uint8_t secret[CRYPTO_KEY_LEN] = {1, 2, 3};
	double seconds = argc > 1 ? atof(argv[1]) : 0.5;
	size_t c, s;

	printf("%-18s %7s %12s %9s %9s %9s\n", "cipher", "bytes", "messages/s", "write ns",
	       "make ns", "take ns");
	for (c = 0; c < 3; c++) {
		struct crypto *crypto;
		struct keyring keys;
		struct mesh_lane *lane;
		struct key k;

		keyring_init(&keys);
		if (crypto_new(&crypto, 0))
			return 1;
		if (ciphers[c] == CIPHER_NONE)
			key_init_insecure(&k);
		else if (key_init(&k, crypto, ciphers[c], secret))
			return 1;
		if (keyring_install(&keys, &k) || keyring_use(&keys, k.id))
			return 1;
		open_end(0, crypto, &keys);
		open_end(1, crypto, &keys);
		lane = mesh_lane_open(ends[0], "c", MESH_RELIABLE, NULL, clock_ns());
		for (;;) {
			struct mesh_stats st;

			carry();
			mesh_stats(ends[1], &st);
			if (st.n_lanes_in && st.n_peers_up) {
				uint64_t t = clock_ns();

				while (clock_ns() - t < 300000000u)
					carry();
				break;
			}
		}
		for (s = 0; s < 3; s++) {
			double best[4] = {0}, ns[3], rate;
			int r;

			for (r = 0; r < N_ROUNDS; r++) {
				run(lane, sizes[s], seconds, ns, &rate);
				if (rate > best[3]) {
					memcpy(best, ns, sizeof(ns));
					best[3] = rate;
				}
			}
			printf("%-18s %7zu %12.0f %9.0f %9.0f %9.0f\n", cipher_name(ciphers[c]),
			       sizes[s], best[3], best[0], best[1], best[2]);
		}
		mesh_free(ends[0]);
		mesh_free(ends[1]);
		keyring_fini(&keys);
		crypto_free(crypto);
	}
	return 0;
}
