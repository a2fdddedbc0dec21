/*
 * What sealing and opening of datagrams costs, by library and cipher
 *
 * usage: bench/micro_seal [SECONDS]
 *
 * Seals and opens datagrams of three sizes with 32 bytes of associated data, each with a nonce of
 * its own, through mesh/seal.c with the libraries that it can use, and (where libsodium was there
 * when this was built) directly with libsodium's. All take turns for SECONDS (default 0.02) in each
 * of 25 rounds, and the fastest round is printed: what the machine did beside only ever adds.
 * Numbers of one run can be compared; others can't.
 */
#include "config.h"

#include "mesh/seal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef HAVE_SODIUM
#include <sodium.h>
#endif

#define N_ROUNDS 25
#define AD_LEN   32u
#define N_SIZES  3u

static const size_t sizes[N_SIZES] = {100, 1400, 8900};
static const uint8_t secret[CRYPTO_KEY_LEN] = {1, 2, 3};
static const uint8_t boot[SEAL_BOOT_LEN] = {4, 5, 6};
static const char cluster[] = "netcluster";

/* One way to seal and open. `ready` sets it up or returns false: not here. */
struct way {
	const char *cipher_name, *library;
	enum cipher cipher;
	unsigned flags; /* of crypto_new() */
	bool (*ready)(struct way *w);
	void (*seal)(struct way *w, uint8_t *buf, size_t len, uint8_t *tag);
	bool (*open)(struct way *w, uint8_t *buf, size_t len, const uint8_t *tag);
	struct crypto *crypto;
	struct seal *seal_state;
	uint64_t counter;
	double seal_ns[N_SIZES], open_ns[N_SIZES], unknown_ns;
	bool is_here;
};

static const uint8_t ad[AD_LEN] = {7, 8, 9};
static uint8_t plain[9000], sealed[9000];

static bool our_ready(struct way *w)
{
	struct key k;

	if (crypto_new(&w->crypto, w->flags) || seal_new(&w->seal_state, w->crypto))
		abort();
	if (w->cipher == CIPHER_NONE)
		key_init_insecure(&k);
	else if (key_init(&k, w->crypto, w->cipher, secret))
		abort();
	if (seal_set(w->seal_state, &k, cluster, sizeof(cluster) - 1, boot))
		abort();
	w->library = crypto_library(w->crypto, w->cipher);
	/* where libipsec-mb does nothing, the portable row says it all */
	return w->flags || strncmp(w->library, "OpenSSL", 7) != 0;
}

static void our_seal(struct way *w, uint8_t *buf, size_t len, uint8_t *tag)
{
	if (seal_datagram(w->seal_state, ++w->counter, ad, AD_LEN, buf, len, tag))
		abort();
}

static bool our_open(struct way *w, uint8_t *buf, size_t len, const uint8_t *tag)
{
	return seal_open(w->seal_state, w->counter, ad, AD_LEN, buf, len, tag) == 0;
}

#ifdef HAVE_SODIUM
static crypto_aead_aes256gcm_state *sodium_state;

static void put_nonce(uint8_t nonce[CRYPTO_NONCE_LEN], uint64_t counter)
{
	memset(nonce, 0, 4);
	memcpy(nonce + 4, &counter, 8);
}

static bool sodium_ready(struct way *w)
{
	w->library = "libsodium " SODIUM_VERSION_STRING;
	if (sodium_init() < 0)
		return false;
	if (w->cipher != CIPHER_AES_256_GCM)
		return true;
	if (!crypto_aead_aes256gcm_is_available())
		return false;
	sodium_state = aligned_alloc(16, (crypto_aead_aes256gcm_statebytes() + 15) & ~(size_t)15);
	if (!sodium_state)
		abort();
	crypto_aead_aes256gcm_beforenm(sodium_state, secret);
	return true;
}

static void sodium_seal(struct way *w, uint8_t *buf, size_t len, uint8_t *tag)
{
	uint8_t nonce[CRYPTO_NONCE_LEN];

	put_nonce(nonce, ++w->counter);
	if (w->cipher == CIPHER_AES_256_GCM)
		crypto_aead_aes256gcm_encrypt_detached_afternm(buf, tag, NULL, buf, len, ad, AD_LEN,
		                                               NULL, nonce, sodium_state);
	else
		crypto_aead_chacha20poly1305_ietf_encrypt_detached(buf, tag, NULL, buf, len, ad,
		                                                   AD_LEN, NULL, nonce, secret);
}

static bool sodium_open(struct way *w, uint8_t *buf, size_t len, const uint8_t *tag)
{
	uint8_t nonce[CRYPTO_NONCE_LEN];

	put_nonce(nonce, w->counter);
	if (w->cipher == CIPHER_AES_256_GCM)
		return crypto_aead_aes256gcm_decrypt_detached_afternm(
		               buf, NULL, buf, len, tag, ad, AD_LEN, nonce, sodium_state) == 0;
	return crypto_aead_chacha20poly1305_ietf_decrypt_detached(buf, NULL, buf, len, tag, ad,
	                                                          AD_LEN, nonce, secret) == 0;
}
#endif

#define OURS   .ready = our_ready, .seal = our_seal, .open = our_open
#define SODIUM .ready = sodium_ready, .seal = sodium_seal, .open = sodium_open

static struct way ways[] = {
        {.cipher = CIPHER_AES_256_GCM, OURS},
        {.cipher = CIPHER_AES_256_GCM, .flags = CRYPTO_PORTABLE, OURS},
        {.cipher = CIPHER_CHACHA20_POLY1305, .flags = CRYPTO_PORTABLE, OURS},
        {.cipher = CIPHER_NONE, OURS},
        {.cipher = CIPHER_NONE, .flags = CRYPTO_PORTABLE, OURS},
#ifdef HAVE_SODIUM
        {.cipher = CIPHER_AES_256_GCM, SODIUM},
        {.cipher = CIPHER_CHACHA20_POLY1305, SODIUM},
#endif
};
#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void keep_best(double *best, double ns)
{
	if (*best == 0 || ns < *best)
		*best = ns;
}

static double seal_round(struct way *w, size_t len, double seconds)
{
	double start = now_ns(), end;
	uint8_t tag[SEAL_TAG_LEN];
	unsigned n = 0;

	do {
		for (int i = 0; i < 100; i++, n++)
			w->seal(w, sealed, len, tag);
		end = now_ns();
	} while (end - start < seconds * 1e9);
	return (end - start) / n;
}

/* Opening is in place, so the sealed bytes are brought back each time; that copy is measured too
 * and taken off. */
static double open_round(struct way *w, size_t len, double seconds)
{
	double start, end, copied;
	uint8_t tag[SEAL_TAG_LEN], work[sizeof(sealed)];
	unsigned n = 0;

	memcpy(sealed, plain, len);
	w->seal(w, sealed, len, tag);
	start = now_ns();
	do {
		for (int i = 0; i < 100; i++, n++) {
			memcpy(work, sealed, len);
			if (!w->open(w, work, len, tag))
				abort();
		}
		end = now_ns();
	} while (end - start < seconds * 1e9);
	copied = now_ns();
	for (unsigned i = 0; i < n; i++) {
		memcpy(work, sealed, len);
		__asm__ volatile("" : : "r"(work) : "memory");
	}
	copied = now_ns() - copied;
	return (end - start - copied) / n;
}

/* A forged datagram of 1,400 bytes from a boot that nobody knows: derivation and tag. */
static double unknown_round(struct way *w, double seconds)
{
	double start = now_ns(), end;
	uint8_t tag[SEAL_TAG_LEN] = {0}, forged[SEAL_BOOT_LEN] = {0};
	struct seal *spare;
	struct key k;
	unsigned n = 0;

	if (w->cipher == CIPHER_NONE)
		key_init_insecure(&k);
	else if (key_init(&k, w->crypto, w->cipher, secret))
		abort();
	if (seal_new(&spare, w->crypto))
		abort();
	do {
		for (int i = 0; i < 100; i++, n++) {
			memcpy(forged, &n, sizeof(n));
			if (seal_set(spare, &k, cluster, sizeof(cluster) - 1, forged) ||
			    seal_open(spare, n, ad, AD_LEN, sealed, 1400, tag) != SEAL_FORGED)
				abort();
		}
		end = now_ns();
	} while (end - start < seconds * 1e9);
	seal_free(spare);
	return (end - start) / n;
}

static void measure(double seconds)
{
	for (int r = 0; r < N_ROUNDS; r++) {
		for (size_t s = 0; s < N_SIZES; s++) {
			for (size_t i = 0; i < N_WAYS; i++) {
				struct way *w = &ways[i];

				if (!w->is_here)
					continue;
				keep_best(&w->seal_ns[s], seal_round(w, sizes[s], seconds));
				keep_best(&w->open_ns[s], open_round(w, sizes[s], seconds));
				if (!s && w->seal_state)
					keep_best(&w->unknown_ns, unknown_round(w, seconds));
			}
		}
	}
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 0.02;

	for (size_t i = 0; i < N_WAYS; i++) {
		ways[i].is_here = ways[i].ready(&ways[i]);
		ways[i].cipher_name = cipher_name(ways[i].cipher);
	}
	measure(seconds);
	printf("%-20s %-30s %22s %22s %22s %10s\n", "ns for each datagram", "", "100 B: seal, open",
	       "1,400 B: seal, open", "8,900 B: seal, open", "forged");
	for (size_t i = 0; i < N_WAYS; i++) {
		struct way *w = &ways[i];

		if (!w->is_here)
			continue;
		printf("%-20s %-30s", w->cipher_name, w->library);
		for (size_t s = 0; s < N_SIZES; s++)
			printf(" %11.0f %10.0f", w->seal_ns[s], w->open_ns[s]);
		if (w->seal_state)
			printf(" %10.0f", w->unknown_ns);
		putchar('\n');
	}
	for (size_t i = 0; i < N_WAYS; i++) {
		seal_free(ways[i].seal_state);
		crypto_free(ways[i].crypto);
	}
	return 0;
}
