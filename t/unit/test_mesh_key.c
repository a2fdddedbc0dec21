/*
 * Unit tests of mesh/key: key files and the ring
 */

#include "libnc/base/buf.h"
#include "mesh/key.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECRET       "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define UPPER_SECRET "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
#define GOOD         "id 7339999d\ncipher aes-256-gcm\nsecret " SECRET "\n"

static struct crypto *crypto;
static struct key_problem problem;
static struct key key;

/* From memory of exactly that size, so that a sanitizer sees each byte read too many. */
static int parse_bytes(const void *p, size_t len)
{
	uint8_t *copy = malloc(len + !len);
	int err;

	assert_non_null(copy);
	memcpy(copy, p, len);
	err = key_parse(&key, crypto, copy, len, &problem);
	free(copy);
	return err;
}

static int parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static bool is_wiped(const struct key *k)
{
	static const struct key zero;

	return memcmp(k, &zero, sizeof(*k)) == 0;
}

static void a_file_is_read(void **state)
{
	static const char *const files[] = {
	        GOOD,
	        "secret " SECRET "\nid 7339999d\ncipher aes-256-gcm",
	        "# first\n\n  # second\n \t \nid\t7339999d \n cipher  aes-256-gcm\t\nsecret " SECRET
	        "\n\n",
	        "id 7339999D\ncipher aes-256-gcm\nsecret " UPPER_SECRET "\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (parse(files[i]))
			fail_msg("file %zu: line %u: %s", i, problem.line, problem.text);
		assert_int_equal(key.id, 0x7339999d);
		assert_int_equal(key.cipher, CIPHER_AES_256_GCM);
		for (uint8_t b = 0; b < CRYPTO_KEY_LEN; b++)
			assert_int_equal(key.secret[b], b);
		assert_string_equal(key.label, "");
	}
}

static void a_label_is_kept(void **state)
{
	char text[512], longest[KEY_LABEL_MAX + 1];

	(void)state;
	assert_int_equal(parse(GOOD "label  Halle 3, Frühschicht # 2 \n"), 0);
	assert_string_equal(key.label, "Halle 3, Frühschicht # 2");
	memset(longest, 'x', KEY_LABEL_MAX);
	longest[KEY_LABEL_MAX] = '\0';
	snprintf(text, sizeof(text), GOOD "label %s", longest);
	assert_int_equal(parse(text), 0);
	assert_string_equal(key.label, longest);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *said;
	} cases[] = {
	        {"", 0, "no id"},
	        {"# nothing\n", 0, "no id"},
	        {"id 7339999d\nsecret " SECRET, 0, "no cipher"},
	        {"id 7339999d\ncipher aes-256-gcm\n", 0, "no secret"},
	        {"cipher aes-256-gcm\nsecret " SECRET, 0, "no id"},
	        {GOOD "\nid 7339999d\n", 5, "a second id, line 1 has one"},
	        {GOOD "secret " SECRET, 4, "a second secret, line 3 has one"},
	        {GOOD "label a\nlabel a", 5, "a second label, line 4 has one"},
	        {"id\n", 1, "an id is 8 hexadecimal digits"},
	        {"id 7339999\n", 1, "an id is 8 hexadecimal digits"},
	        {"id 07339999d\n", 1, "an id is 8 hexadecimal digits"},
	        {"id 7339999g\n", 1, "an id is 8 hexadecimal digits"},
	        {"id 0x73399d\n", 1, "an id is 8 hexadecimal digits"},
	        {"\ncipher aes\n", 2, "a cipher is aes-256-gcm or chacha20-poly1305"},
	        {"cipher AES-256-GCM\n", 1, "a cipher is"},
	        {"cipher none\n", 1, "a cipher is"},
	        {"cipher\n", 1, "a cipher is"},
	        {"cipher aes-256-gcm x\n", 1, "a cipher is"},
	        {"secret " SECRET "0\n", 1, "a secret is 64 hexadecimal digits"},
	        {"secret 00\n", 1, "a secret is 64 hexadecimal digits"},
	        {"secret\n", 1, "a secret is 64 hexadecimal digits"},
	        {"label \n", 1, "a label is 1 to 63 bytes"},
	        {"label 0123456789012345678901234567890123456789012345678901234567890123\n", 1,
	         "a label is 1 to 63 bytes"},
	        {"key " SECRET "\n", 1, "id, cipher, secret, label or # expected"},
	        {SECRET "\n", 1, "id, cipher, secret, label or # expected"},
	        {"ID 7339999d\n", 1, "id, cipher, secret, label or # expected"},
	        {"id=7339999d\n", 1, "id, cipher, secret, label or # expected"},
	        {"id 7339999d\r\n", 1, "a control character, 0x0d"},
	        {GOOD "label a\x7f\n", 4, "a control character, 0x7f"},
	        {"# \xff\n", 1, "not UTF-8"},
	        {"id 7339999e\ncipher aes-256-gcm\nsecret " SECRET "\n", 1,
	         "not the id of secret and cipher, which is 7339999d"},
	        {"secret " SECRET "\nid 7339999d\ncipher chacha20-poly1305\n", 2,
	         "not the id of secret and cipher, which is 2c373040"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(parse(cases[i].text), 1);
		if (problem.line != cases[i].line || !strstr(problem.text, cases[i].said))
			fail_msg("case %zu: line %u: %s", i, problem.line, problem.text);
		/* of 8 digits on, a reader of the log would learn something */
		assert_null(strstr(problem.text, "01020304"));
		assert_true(is_wiped(&key));
	}
}

static void a_byte_0_is_no_end(void **state)
{
	static const char text[] = GOOD "\0label a\n";

	(void)state;
	assert_int_equal(parse_bytes(text, sizeof(text) - 1), 1);
	assert_int_equal(problem.line, 4);
	assert_string_equal(problem.text, "a control character, 0x00");
}

static void a_file_has_a_size(void **state)
{
	char text[KEY_FILE_MAX + 2];

	(void)state;
	memset(text, '\n', sizeof(text));
	memcpy(text, GOOD, sizeof(GOOD) - 1);
	assert_int_equal(parse_bytes(text, KEY_FILE_MAX), 0);
	assert_int_equal(parse_bytes(text, KEY_FILE_MAX + 1), 1);
	assert_int_equal(problem.line, 0);
	assert_non_null(strstr(problem.text, "4096"));
}

static void every_wrong_digit_is_noticed(void **state)
{
	static const char digits[] = "0123456789abcdef";
	char text[] = GOOD;
	size_t n = 0;

	(void)state;
	for (char *p = text; *p; p++) {
		char was = *p;

		/* those of the id, and of the secret */
		if (!(p - text > 2 && p - text < 11) && p - text < (ptrdiff_t)strlen(text) - 65)
			continue;
		for (size_t d = 0; d < 16 && was != '\n'; d++) {
			if (digits[d] == was)
				continue;
			*p = digits[d];
			assert_int_equal(parse(text), 1);
			n++;
		}
		*p = was;
	}
	assert_int_equal(n, (8 + 64) * 15);
	assert_int_equal(parse(text), 0);
}

static void what_is_printed_reads_back(void **state)
{
	static const enum cipher ciphers[] = {CIPHER_AES_256_GCM, CIPHER_CHACHA20_POLY1305};
	struct buf b;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		uint8_t secret[CRYPTO_KEY_LEN];
		struct key k;

		for (unsigned j = 0; j < CRYPTO_KEY_LEN; j++)
			secret[j] = (uint8_t)(i * 37 + j * j);
		assert_int_equal(key_init(&k, crypto, ciphers[i % 2], secret), 0);
		if (i % 3)
			snprintf(k.label, sizeof(k.label), "number %u", i);
		buf_init(&b, KEY_FILE_MAX);
		assert_int_equal(key_print(&b, &k), 0);
		assert_int_equal(parse_bytes(b.data, b.len), 0);
		assert_memory_equal(&key, &k, sizeof(k));
		buf_fini(&b);
	}
	buf_init(&b, 10);
	assert_int_equal(key_print(&b, &key), -EMSGSIZE);
	buf_fini(&b);
}

static void no_key_of_a_file_is_insecure(void **state)
{
	static const uint8_t secret[CRYPTO_KEY_LEN];
	struct key k = {.id = 1};

	(void)state;
	assert_int_equal(key_init(&k, crypto, CIPHER_NONE, secret), -EINVAL);
	key_init_insecure(&k);
	assert_int_equal(k.id, 0);
	assert_int_equal(k.cipher, CIPHER_NONE);
	assert_true(is_wiped(&k));
}

static struct key key_number(uint8_t n)
{
	const uint8_t secret[CRYPTO_KEY_LEN] = {n, 1};
	struct key k;

	assert_int_equal(key_init(&k, crypto, CIPHER_AES_256_GCM, secret), 0);
	return k;
}

static void a_ring_holds_finds_uses_and_removes(void **state)
{
	struct key a = key_number(1), b = key_number(2);
	struct keyring r;

	(void)state;
	keyring_init(&r);
	assert_null(r.current);
	assert_null(keyring_find(&r, a.id));
	assert_null(keyring_find(&r, 0));
	assert_int_equal(keyring_use(&r, a.id), KEYRING_UNKNOWN);
	assert_int_equal(keyring_install(&r, &a), 0);
	assert_null(r.current);
	assert_int_equal(keyring_use(&r, a.id), 0);
	assert_int_equal(keyring_install(&r, &b), 0);
	assert_true(r.current->id == a.id);
	assert_memory_equal(keyring_find(&r, b.id), &b, sizeof(b));
	assert_int_equal(keyring_remove(&r, a.id), KEYRING_IN_USE);
	assert_int_equal(keyring_use(&r, b.id), 0);
	assert_int_equal(keyring_remove(&r, a.id), 0);
	assert_int_equal(keyring_remove(&r, a.id), KEYRING_UNKNOWN);
	assert_null(keyring_find(&r, a.id));
	assert_true(r.current == keyring_find(&r, b.id));
	assert_int_equal(keyring_n(&r), 1);
	keyring_fini(&r);
}

static bool holds_bytes(const void *p, size_t len, const void *what, size_t what_len)
{
	return memmem(p, len, what, what_len) != NULL;
}

static void removal_wipes(void **state)
{
	struct key a = key_number(1), b = key_number(2);
	struct keyring r;

	(void)state;
	keyring_init(&r);
	assert_int_equal(keyring_install(&r, &a), 0);
	assert_int_equal(keyring_install(&r, &b), 0);
	assert_int_equal(keyring_use(&r, b.id), 0);
	assert_true(holds_bytes(&r, sizeof(r), a.secret, 8));
	assert_int_equal(keyring_remove(&r, a.id), 0);
	assert_false(holds_bytes(&r, sizeof(r), a.secret, 8));
	assert_true(holds_bytes(&r, sizeof(r), b.secret, 8));
	keyring_fini(&r);
	assert_false(holds_bytes(&r, sizeof(r), b.secret, 8));
}

static void a_ring_is_bounded_and_addresses_stay(void **state)
{
	const struct key *at[KEYRING_MAX], *k = NULL;
	struct keyring r;
	struct key one_more = key_number(KEYRING_MAX);
	size_t n = 0;

	(void)state;
	keyring_init(&r);
	assert_null(keyring_next(&r, NULL));
	for (uint8_t i = 0; i < KEYRING_MAX; i++) {
		struct key next = key_number(i);

		assert_int_equal(keyring_install(&r, &next), 0);
		at[i] = keyring_find(&r, next.id);
		assert_non_null(at[i]);
	}
	assert_int_equal(keyring_install(&r, &one_more), KEYRING_FULL);
	assert_int_equal(keyring_remove(&r, at[5]->id), 0);
	for (uint8_t i = 0; i < KEYRING_MAX; i++)
		assert_true(keyring_find(&r, key_number(i).id) == (i == 5 ? NULL : at[i]));
	while ((k = keyring_next(&r, k)))
		n++;
	assert_int_equal(n, KEYRING_MAX - 1);
	assert_int_equal(keyring_n(&r), KEYRING_MAX - 1);
	assert_int_equal(keyring_install(&r, &one_more), 0);
	assert_true(keyring_find(&r, one_more.id) == at[5]);
	keyring_fini(&r);
}

static void what_does_not_go_together_is_refused(void **state)
{
	struct key a = key_number(1), clash = a, none;
	struct keyring r;

	(void)state;
	key_init_insecure(&none);
	keyring_init(&r);
	assert_int_equal(keyring_install(&r, &a), 0);
	assert_int_equal(keyring_install(&r, &a), KEYRING_HELD);
	clash.secret[31] ^= 1;
	assert_int_equal(keyring_install(&r, &clash), KEYRING_CLASH);
	assert_int_equal(keyring_install(&r, &none), KEYRING_MIXED);
	assert_int_equal(keyring_n(&r), 1);
	assert_int_equal(keyring_remove(&r, a.id), 0);
	assert_int_equal(keyring_install(&r, &none), 0);
	assert_int_equal(keyring_use(&r, 0), 0);
	assert_int_equal(keyring_install(&r, &none), KEYRING_HELD);
	assert_int_equal(keyring_install(&r, &a), KEYRING_MIXED);
	keyring_fini(&r);
	for (int e = KEYRING_FULL; e <= KEYRING_IN_USE; e++)
		assert_string_not_equal(keyring_strerror((enum keyring_error)e), "unknown error");
}

static int set_up(void **state)
{
	(void)state;
	return crypto_new(&crypto, 0);
}

static int tear_down(void **state)
{
	(void)state;
	crypto_free(crypto);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_file_is_read),
	        cmocka_unit_test(a_label_is_kept),
	        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
	        cmocka_unit_test(a_byte_0_is_no_end),
	        cmocka_unit_test(a_file_has_a_size),
	        cmocka_unit_test(every_wrong_digit_is_noticed),
	        cmocka_unit_test(what_is_printed_reads_back),
	        cmocka_unit_test(no_key_of_a_file_is_insecure),
	        cmocka_unit_test(a_ring_holds_finds_uses_and_removes),
	        cmocka_unit_test(removal_wipes),
	        cmocka_unit_test(a_ring_is_bounded_and_addresses_stay),
	        cmocka_unit_test(what_does_not_go_together_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
