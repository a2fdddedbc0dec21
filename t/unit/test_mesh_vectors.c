/*
 * The test vectors of nc-mesh(7) against the page, and against a second implementation
 *
 * libsodium is not what the mesh uses: where it was there when this was built, it derives the keys
 * and seals the datagrams from nothing but the page's words, and has to come out at the same bytes.
 */
#include "config.h"

#include "libnc/base/endian.h"
#include "t/unit/mesh_vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#ifdef HAVE_SODIUM
#include <sodium.h>
#endif

#define PAGE_MAX (256u * 1024u)

static char page[PAGE_MAX];

/* The page without spaces and line ends: long values are broken there. */
static int read_page(void **state)
{
	const char *top = getenv("TOP_SRCDIR");
	char path[4096];
	size_t len = 0;
	FILE *f;
	int c;

	(void)state;
	snprintf(path, sizeof(path), "%s/man/nc-mesh.7", top ? top : ".");
	f = fopen(path, "r");
	if (!f)
		return -1;
	while ((c = getc(f)) != EOF && len < PAGE_MAX - 1)
		if (c != ' ' && c != '\n')
			page[len++] = (char)c;
	fclose(f);
	return 0;
}

static void the_page_has_all_of_them(void **state)
{
	char id[16];

	(void)state;
	assert_non_null(strstr(page, vector_hex(vector_secret, sizeof(vector_secret))));
	assert_non_null(strstr(page, vector_hex(vector_boot, sizeof(vector_boot))));
	assert_non_null(strstr(page, vector_hex(vector_plain, sizeof(vector_plain))));
	for (size_t i = 0; i < n_vectors; i++) {
		const char *at = strstr(page, vectors[i].key);

		snprintf(id, sizeof(id), "%08x", vectors[i].id);
		assert_non_null(strstr(page, id));
		assert_non_null(at);
		assert_non_null(strstr(at, vectors[i].nonce));
		assert_non_null(strstr(at, vectors[i].datagram));
	}
}

#ifdef HAVE_SODIUM
/* Appends a length and a name. */
static uint8_t *lp(uint8_t *p, const char *name)
{
	*p++ = (uint8_t)strlen(name);
	return (uint8_t *)mempcpy(p, name, strlen(name));
}

static void mac(uint8_t out[32], const uint8_t *secret, const uint8_t *input, const uint8_t *end)
{
	crypto_generichash(out, 32, input, (size_t)(end - input), secret, 32);
}

static void derive(const struct vector *v, uint8_t key[32])
{
	static const uint8_t zeros[32];
	const uint8_t *secret = v->id ? vector_secret : zeros;
	uint8_t input[256], id[32], *p;

	mac(id, secret, input, lp(lp(input, "nc-mesh/1 id"), v->cipher));
	if (v->id)
		assert_true(le32_get(id) == v->id);
	p = lp(lp(lp(input, "nc-mesh/1 key"), v->cipher), VECTOR_CLUSTER);
	p = mempcpy(p, vector_boot, sizeof(vector_boot));
	le32_put(p, (uint32_t)(v->counter >> 32));
	mac(key, secret, input, p + 4);
}

static void seal_vector(const struct vector *v, const uint8_t *key, uint8_t *all)
{
	uint8_t nonce[12] = {0}, *body = all + VECTOR_HEAD_LEN, *tag = body + VECTOR_PLAIN_LEN;

	le64_put(nonce + 4, v->counter);
	assert_string_equal(vector_hex(nonce, sizeof(nonce)), v->nonce);
	vector_head(v, all);
	memcpy(body, vector_plain, VECTOR_PLAIN_LEN);
	if (!v->id)
		crypto_aead_aes256gcm_encrypt_detached(tag, tag, NULL, NULL, 0, all,
		                                       VECTOR_HEAD_LEN + VECTOR_PLAIN_LEN, NULL,
		                                       nonce, key);
	else if (strcmp(v->cipher, "aes-256-gcm") == 0)
		crypto_aead_aes256gcm_encrypt_detached(body, tag, NULL, body, VECTOR_PLAIN_LEN, all,
		                                       VECTOR_HEAD_LEN, NULL, nonce, key);
	else
		crypto_aead_chacha20poly1305_ietf_encrypt_detached(
		        body, tag, NULL, body, VECTOR_PLAIN_LEN, all, VECTOR_HEAD_LEN, NULL, nonce,
		        key);
}

static void libsodium_comes_out_at_the_same(void **state)
{
	bool has_aes = sodium_init() >= 0 && crypto_aead_aes256gcm_is_available();
	uint8_t key[32], all[VECTOR_LEN];

	(void)state;
	if (!has_aes)
		print_message("Without AES by libsodium on this CPU: ChaCha20-Poly1305 only.\n");
	for (size_t i = 0; i < n_vectors; i++) {
		const struct vector *v = &vectors[i];

		derive(v, key);
		assert_string_equal(vector_hex(key, sizeof(key)), v->key);
		if (!has_aes && strcmp(v->cipher, "chacha20-poly1305") != 0)
			continue;
		seal_vector(v, key, all);
		assert_string_equal(vector_hex(all, sizeof(all)), v->datagram);
	}
}
#else
static void libsodium_comes_out_at_the_same(void **state)
{
	(void)state;
	print_message("libsodium (libsodium-dev) was not there when this was built.\n");
	skip();
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(the_page_has_all_of_them, read_page),
	        cmocka_unit_test(libsodium_comes_out_at_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
