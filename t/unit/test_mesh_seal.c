/*
 * Unit tests of mesh/seal and mesh/crypto
 *
 * Everything runs with libcrypto alone, and with what this CPU and build have besides.
 */

#include "libnc/base/endian.h"
#include "mesh/seal.h"
#include "t/unit/mesh_vectors.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define N_LIBRARIES 2
#define AD_LEN      32u
#define CLUSTER     "lab"

/* [0] as the server has it, [1] libcrypto only */
static struct crypto *crypto[N_LIBRARIES];
static const uint8_t boot[SEAL_BOOT_LEN] = {1, 2, 3};

/* How often a key was derived. */
static unsigned n_derived;

int __real_crypto_mac(struct crypto *c, uint8_t out[CRYPTO_KEY_LEN],
                      const uint8_t key[CRYPTO_KEY_LEN], const void *p, size_t len);
int __wrap_crypto_mac(struct crypto *c, uint8_t out[CRYPTO_KEY_LEN],
                      const uint8_t key[CRYPTO_KEY_LEN], const void *p, size_t len);
int __wrap_crypto_mac(struct crypto *c, uint8_t out[CRYPTO_KEY_LEN],
                      const uint8_t key[CRYPTO_KEY_LEN], const void *p, size_t len)
{
	n_derived++;
	return __real_crypto_mac(c, out, key, p, len);
}

static struct key key_of(enum cipher cipher, uint8_t first)
{
	const uint8_t secret[CRYPTO_KEY_LEN] = {first, 2, 3};
	struct key k;

	if (cipher == CIPHER_NONE)
		key_init_insecure(&k);
	else
		assert_int_equal(key_init(&k, crypto[1], cipher, secret), 0);
	return k;
}

static struct seal *seal_of(struct crypto *c, const struct key *k, const char *cluster,
                            const uint8_t *from)
{
	struct seal *s;

	assert_int_equal(seal_new(&s, c), 0);
	assert_int_equal(seal_set(s, k, cluster, strlen(cluster), from), 0);
	assert_true(seal_key_id(s) == k->id);
	return s;
}

/* A datagram, and a copy that is opened. */
struct datagram {
	uint64_t counter;
	size_t ad_len, len;
	uint8_t ad[AD_LEN], buf[SEAL_DATAGRAM_MAX], tag[SEAL_TAG_LEN];
};

static void fill(struct datagram *d, uint64_t counter, size_t ad_len, size_t len)
{
	d->counter = counter;
	d->ad_len = ad_len;
	d->len = len;
	for (size_t i = 0; i < ad_len; i++)
		d->ad[i] = (uint8_t)(i * 7 + counter);
	for (size_t i = 0; i < len; i++)
		d->buf[i] = (uint8_t)(i * 13 + i / 256);
}

static void seal_it(struct seal *s, struct datagram *d)
{
	assert_int_equal(seal_datagram(s, d->counter, d->ad, d->ad_len, d->buf, d->len, d->tag), 0);
}

static int open_it(struct seal *s, struct datagram *d)
{
	return seal_open(s, d->counter, d->ad, d->ad_len, d->buf, d->len, d->tag);
}

/* The same one by every library, opened by every other. */
static void cross(enum cipher cipher, uint64_t counter, size_t ad_len, size_t len)
{
	static struct datagram plain, sealed[N_LIBRARIES], work;
	struct key k = key_of(cipher, 1);
	struct seal *s[N_LIBRARIES];

	fill(&plain, counter, ad_len, len);
	for (size_t i = 0; i < N_LIBRARIES; i++) {
		s[i] = seal_of(crypto[i], &k, CLUSTER, boot);
		fill(&sealed[i], counter, ad_len, len);
		seal_it(s[i], &sealed[i]);
	}
	assert_memory_equal(sealed[0].tag, sealed[1].tag, SEAL_TAG_LEN);
	assert_memory_equal(sealed[0].buf, sealed[1].buf, len);
	if (len >= 16)
		assert_true((memcmp(sealed[0].buf, plain.buf, len) == 0) ==
		            (cipher == CIPHER_NONE));
	for (size_t i = 0; i < N_LIBRARIES; i++) {
		fill(&work, counter, ad_len, 0);
		memcpy(work.buf, sealed[0].buf, len);
		memcpy(work.tag, sealed[0].tag, SEAL_TAG_LEN);
		work.len = len;
		assert_int_equal(open_it(s[i], &work), 0);
		assert_memory_equal(work.buf, plain.buf, len);
		seal_free(s[i]);
	}
}

static void all_libraries_make_and_open_the_same_bytes(void **state)
{
	static const size_t large[] = {1340, 1420, 4095, 4096, 8948, 65507};

	(void)state;
	for (unsigned c = 0; c < CIPHER_N; c++) {
		for (size_t len = 0; len < 300; len++)
			cross((enum cipher)c, 5, AD_LEN, len);
		for (size_t ad_len = 0; ad_len < AD_LEN; ad_len++)
			cross((enum cipher)c, 7, ad_len, 100);
		for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++)
			cross((enum cipher)c, UINT64_C(0xFFFFFFFFFFFFFFF0), AD_LEN, large[i]);
	}
}

static void the_vectors_of_the_manual_come_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_LIBRARIES * n_vectors; i++) {
		const struct vector *v = &vectors[i / N_LIBRARIES];
		struct crypto *c = crypto[i % N_LIBRARIES];
		uint8_t all[VECTOR_LEN], *body = all + VECTOR_HEAD_LEN;
		enum cipher cipher;
		struct seal *s;
		struct key k;

		assert_true(cipher_of_name(&cipher, v->cipher, strlen(v->cipher)));
		key_init_insecure(&k);
		if (v->id)
			assert_int_equal(key_init(&k, c, cipher, vector_secret), 0);
		assert_true(k.id == v->id);
		s = seal_of(c, &k, VECTOR_CLUSTER, vector_boot);
		vector_head(v, all);
		memcpy(body, vector_plain, VECTOR_PLAIN_LEN);
		assert_int_equal(seal_datagram(s, v->counter, all, VECTOR_HEAD_LEN, body,
		                               VECTOR_PLAIN_LEN, body + VECTOR_PLAIN_LEN),
		                 0);
		assert_string_equal(vector_hex(all, sizeof(all)), v->datagram);
		assert_int_equal(seal_open(s, v->counter, all, VECTOR_HEAD_LEN, body,
		                           VECTOR_PLAIN_LEN, body + VECTOR_PLAIN_LEN),
		                 0);
		assert_memory_equal(body, vector_plain, VECTOR_PLAIN_LEN);
		seal_free(s);
	}
}

/* Opens a copy of `sealed` with one bit turned, and says whether it was taken; if not, nothing of
 * it may be left. */
static bool takes_flipped(struct seal *s, const struct datagram *sealed, size_t bit)
{
	static struct datagram work;
	static const uint8_t zeros[2000];
	size_t at = bit / 8, n_counter = sizeof(work.counter);
	uint8_t counter[8], mask = (uint8_t)(1u << bit % 8);
	int err;

	memcpy(&work, sealed, offsetof(struct datagram, buf) + sealed->len);
	memcpy(work.tag, sealed->tag, SEAL_TAG_LEN);
	if (at < n_counter) {
		le64_put(counter, work.counter);
		counter[at] ^= mask;
		work.counter = le64_get(counter);
	} else if ((at -= n_counter) < work.ad_len) {
		work.ad[at] ^= mask;
	} else if ((at -= work.ad_len) < work.len) {
		work.buf[at] ^= mask;
	} else {
		work.tag[at - work.len] ^= mask;
	}
	err = open_it(s, &work);
	if (err) {
		assert_int_equal(err, SEAL_FORGED);
		assert_memory_equal(work.buf, zeros, work.len);
	}
	return !err;
}

static void every_bit_flipped_is_noticed(void **state)
{
	static struct datagram d, work;

	(void)state;
	for (unsigned c = 0; c < CIPHER_N; c++) {
		for (size_t i = 0; i < N_LIBRARIES; i++) {
			struct key k = key_of((enum cipher)c, 1);
			struct seal *s = seal_of(crypto[i], &k, CLUSTER, boot);
			size_t n;

			fill(&d, 77, AD_LEN, i ? 1400 : 203);
			seal_it(s, &d);
			n = 8 * (8 + d.ad_len + d.len + SEAL_TAG_LEN);
			for (size_t bit = 0; bit < n; bit++)
				if (takes_flipped(s, &d, bit))
					fail_msg("%s: bit %zu", cipher_name((enum cipher)c), bit);
			work = d;
			assert_int_equal(open_it(s, &work), 0);
			seal_free(s);
		}
	}
}

static void shorter_and_longer_ones_are_noticed(void **state)
{
	static struct datagram d, work;

	(void)state;
	for (unsigned c = 0; c < CIPHER_N; c++) {
		struct key k = key_of((enum cipher)c, 1);
		struct seal *s = seal_of(crypto[0], &k, CLUSTER, boot);

		fill(&d, 1, AD_LEN, 100);
		seal_it(s, &d);
		d.buf[100] = 0;
		for (size_t len = 0; len <= 101; len++) {
			work = d;
			work.len = len;
			assert_int_equal(open_it(s, &work), len == 100 ? 0 : SEAL_FORGED);
			work = d;
			work.ad_len = len % AD_LEN;
			assert_int_equal(open_it(s, &work), SEAL_FORGED);
		}
		seal_free(s);
	}
}

static void another_key_cipher_cluster_or_boot_opens_nothing(void **state)
{
	static const uint8_t boot_2[SEAL_BOOT_LEN] = {1, 2, 4};
	static struct datagram d, work;
	struct key keys[] = {key_of(CIPHER_AES_256_GCM, 1), key_of(CIPHER_AES_256_GCM, 2),
	                     key_of(CIPHER_CHACHA20_POLY1305, 1), key_of(CIPHER_NONE, 0)};
	/* lab\0 as a name is longer by one, and its byte does not pass for one of the boot */
	const char *clusters[] = {CLUSTER, "lac", "", "la", "lab1"};
	size_t n_keys = sizeof(keys) / sizeof(*keys), n_clusters = 5, n_opened = 0;
	struct seal *s = seal_of(crypto[0], &keys[0], CLUSTER, boot);

	(void)state;
	assert_true(keys[0].id != keys[1].id && keys[0].id != keys[2].id);
	fill(&d, 9, AD_LEN, 500);
	seal_it(s, &d);
	for (size_t i = 0; i < n_keys * n_clusters * 2; i++) {
		struct seal *o =
		        seal_of(crypto[0], &keys[i % n_keys], clusters[i / n_keys % n_clusters],
		                i / n_keys / n_clusters ? boot_2 : boot);

		work = d;
		if (open_it(o, &work) == 0) {
			assert_int_equal(i, 0);
			n_opened++;
		}
		seal_free(o);
	}
	assert_int_equal(n_opened, 1);
	seal_free(s);
}

static void one_object_serves_one_key_after_the_other(void **state)
{
	static struct datagram d, work;
	struct seal *spare;

	(void)state;
	assert_int_equal(seal_new(&spare, crypto[0]), 0);
	for (unsigned i = 0; i < 12; i++) {
		struct key k = key_of((enum cipher)(i / 4 % CIPHER_N), (uint8_t)(i % 2));
		uint8_t from[SEAL_BOOT_LEN] = {(uint8_t)i};
		struct seal *s = seal_of(crypto[0], &k, CLUSTER, from);

		fill(&d, i % 4 < 3 ? 7 : UINT64_C(0x300000000) * i, AD_LEN, 64);
		seal_it(s, &d);
		work = d;
		assert_int_equal(seal_set(spare, &k, CLUSTER, 3, from), 0);
		assert_int_equal(open_it(spare, &work), 0);
		work = d;
		work.tag[0] ^= 1;
		assert_int_equal(open_it(spare, &work), SEAL_FORGED);
		seal_free(s);
	}
	seal_free(spare);
}

static void a_cleared_object_is_as_new(void **state)
{
	static struct datagram d;

	(void)state;
	for (unsigned c = 0; c < CIPHER_N; c++) {
		struct key k = key_of((enum cipher)c, 9);
		struct seal *s = seal_of(crypto[0], &k, CLUSTER, boot);

		fill(&d, 3, AD_LEN, 64);
		seal_it(s, &d);
		seal_clear(s);
		assert_int_equal(seal_key_id(s), 0);
		assert_int_equal(seal_set(s, &k, CLUSTER, 3, boot), 0);
		assert_int_equal(open_it(s, &d), 0);
		seal_clear(s);
		seal_clear(s);
		seal_free(s);
	}
	seal_free(NULL);
}

static void the_longest_name_of_a_cluster_fits(void **state)
{
	static struct datagram d;
	struct key k = key_of(CIPHER_CHACHA20_POLY1305, 1);
	char name[SEAL_CLUSTER_MAX];
	struct seal *s, *o;

	(void)state;
	memset(name, 'x', sizeof(name));
	assert_int_equal(seal_new(&s, crypto[0]), 0);
	assert_int_equal(seal_new(&o, crypto[1]), 0);
	assert_int_equal(seal_set(s, &k, name, sizeof(name), boot), 0);
	assert_int_equal(seal_set(o, &k, name, sizeof(name), boot), 0);
	fill(&d, 1, AD_LEN, 10);
	seal_it(s, &d);
	assert_int_equal(open_it(o, &d), 0);
	seal_free(s);
	seal_free(o);
}

static void subkeys_follow_the_upper_half_of_the_counter(void **state)
{
	static const uint64_t counters[] = {UINT64_C(0xFFFFFFFE),  UINT64_C(0xFFFFFFFF),
	                                    UINT64_C(0x100000000), UINT64_C(0x100000001),
	                                    UINT64_C(0x2FFFFFFFF), UINT64_MAX - 1};
	/* late ones beyond the border, and back */
	static const unsigned order[] = {0, 2, 1, 3, 0, 3, 2, 4, 3, 5, 0, 5};
	static struct datagram d[6], work;
	struct key k = key_of(CIPHER_AES_256_GCM, 1);
	struct seal *s = seal_of(crypto[0], &k, CLUSTER, boot);
	struct seal *o = seal_of(crypto[1], &k, CLUSTER, boot);

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		fill(&d[i], counters[i], AD_LEN, 64);
		seal_it(s, &d[i]);
	}
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		work = d[order[i]];
		assert_int_equal(open_it(o, &work), 0);
		/* a forged one from the far end of all counters moves nothing */
		work = d[order[i]];
		work.counter ^= (uint64_t)(i + 1) << 40;
		assert_int_equal(open_it(o, &work), SEAL_FORGED);
	}
	seal_free(s);
	seal_free(o);
}

static void honest_datagrams_pay_for_no_forged_one(void **state)
{
	static struct datagram d, work;
	struct key k = key_of(CIPHER_AES_256_GCM, 1);
	struct seal *s = seal_of(crypto[0], &k, CLUSTER, boot);
	struct seal *o = seal_of(crypto[0], &k, CLUSTER, boot);

	(void)state;
	n_derived = 0;
	for (unsigned i = 0; i < 100; i++) {
		unsigned before;

		fill(&d, 1000 + i, AD_LEN, 64);
		seal_it(s, &d);
		before = n_derived;
		work = d;
		assert_int_equal(open_it(o, &work), 0);
		/* the first one of all needs its key */
		assert_int_equal(n_derived, before + !i);
		work = d;
		work.counter += i % 2 ? UINT64_C(1) << 32 : (uint64_t)i << 33;
		assert_int_equal(open_it(o, &work), i ? SEAL_FORGED : 0);
		assert_true(n_derived <= before + 1 + !i);
	}
	/* once on each side, and for each counter of the forger's that was new */
	assert_true(n_derived <= 2 + 100);
	seal_free(s);
	seal_free(o);
}

static void nothing_is_derived_before_there_is_a_datagram(void **state)
{
	struct key k = key_of(CIPHER_CHACHA20_POLY1305, 1);

	(void)state;
	n_derived = 0;
	seal_free(seal_of(crypto[0], &k, CLUSTER, boot));
	assert_int_equal(n_derived, 0);
}

/* In a process of its own: the status that it ends with. */
static int status_of_sealing(uint64_t first, uint64_t second)
{
	static struct datagram d;
	struct key k = key_of(CIPHER_AES_256_GCM, 1);
	struct seal *s = seal_of(crypto[0], &k, CLUSTER, boot);
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		const struct rlimit no_core = {0, 0};

		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGABRT, SIG_DFL);
		fclose(stderr);
		seal_datagram(s, first, d.ad, AD_LEN, d.buf, 10, d.tag);
		seal_datagram(s, second, d.ad, AD_LEN, d.buf, 10, d.tag);
		_exit(0);
	}
	assert_true(waitpid(child, &status, 0) == child);
	seal_free(s);
	return status;
}

static void no_counter_seals_twice(void **state)
{
	int status;

	(void)state;
	assert_int_equal(status_of_sealing(5, 6), 0);
	status = status_of_sealing(5, 5);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	status = status_of_sealing(UINT64_C(1) << 33, 7);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* As Python's hashlib.blake2b(key=..., digest_size=32) has it: RFC 7693 has no vector with a key.
 */
static void the_mac_is_blake2b(void **state)
{
	static const uint8_t zeros[CRYPTO_KEY_LEN];
	uint8_t out[CRYPTO_KEY_LEN];

	(void)state;
	assert_int_equal(crypto_mac(crypto[0], out, zeros, "netcluster", 10), 0);
	assert_string_equal(vector_hex(out, sizeof(out)),
	                    "6b0196f366a9b0ac1e4d49037b978cb1e883328fa5f57d35677bd26a0edbe559");
	assert_int_equal(crypto_mac(crypto[0], out, zeros, "", 0), 0);
	assert_string_equal(vector_hex(out, sizeof(out)),
	                    "fd7b3e075ab7e245506323f1d1b55330ccd606fb3301f4caba25022a1de50b47");
}

static void each_cipher_has_a_name_and_a_library(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CIPHER_N; i++) {
		const char *name = cipher_name((enum cipher)i);
		enum cipher c = CIPHER_N;

		assert_true(cipher_of_name(&c, name, strlen(name)) && c == i);
		assert_false(cipher_of_name(&c, name, strlen(name) - 1));
		print_message("%s by %s\n", name, crypto_library(crypto[0], (enum cipher)i));
		assert_int_equal(strncmp(crypto_library(crypto[1], (enum cipher)i), "OpenSSL ", 8),
		                 0);
	}
}

static void equality_is_that_of_all_bytes(void **state)
{
	(void)state;
	assert_true(crypto_equal("abc", "abc", 3));
	assert_true(crypto_equal("abc", "abd", 2));
	assert_false(crypto_equal("abc", "abd", 3));
	assert_false(crypto_equal("abc", "bbc", 3));
}

static int set_up(void **state)
{
	(void)state;
	return crypto_new(&crypto[0], 0) || crypto_new(&crypto[1], CRYPTO_PORTABLE);
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_LIBRARIES; i++)
		crypto_free(crypto[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_cipher_has_a_name_and_a_library),
	        cmocka_unit_test(the_mac_is_blake2b),
	        cmocka_unit_test(equality_is_that_of_all_bytes),
	        cmocka_unit_test(all_libraries_make_and_open_the_same_bytes),
	        cmocka_unit_test(the_vectors_of_the_manual_come_out),
	        cmocka_unit_test(every_bit_flipped_is_noticed),
	        cmocka_unit_test(shorter_and_longer_ones_are_noticed),
	        cmocka_unit_test(another_key_cipher_cluster_or_boot_opens_nothing),
	        cmocka_unit_test(one_object_serves_one_key_after_the_other),
	        cmocka_unit_test(a_cleared_object_is_as_new),
	        cmocka_unit_test(the_longest_name_of_a_cluster_fits),
	        cmocka_unit_test(subkeys_follow_the_upper_half_of_the_counter),
	        cmocka_unit_test(honest_datagrams_pay_for_no_forged_one),
	        cmocka_unit_test(nothing_is_derived_before_there_is_a_datagram),
	        cmocka_unit_test(no_counter_seals_twice),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
