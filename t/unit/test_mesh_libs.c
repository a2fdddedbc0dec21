/* test_mesh_libs.c - the crypto libraries are loaded when they are needed, and may be missing */

#include "config.h"

#include "mesh/crypto.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_mapped(const char *library)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	assert_non_null(f);
	while (!found && getline(&line, &size, f) >= 0)
		found = strstr(line, library) != NULL;
	free(line);
	fclose(f);
	return found;
}

static void nothing_is_loaded_before_it_is_needed(void **state)
{
	struct crypto *c;

	(void)state;
	assert_true(is_mapped("libc.so"));
	assert_false(is_mapped("libcrypto"));
	assert_false(is_mapped("libIPSec_MB"));
	assert_int_equal(crypto_new(&c, CRYPTO_PORTABLE), 0);
	assert_true(is_mapped(LIBCRYPTO_SONAME));
	assert_false(is_mapped("libIPSec_MB"));
	crypto_free(c);
#ifdef IPSEC_MB_SONAME
	assert_int_equal(crypto_new(&c, 0), 0);
	/* not every CPU is one for it: then it is gone again */
	assert_int_equal(is_mapped(IPSEC_MB_SONAME),
	                 !strncmp(crypto_library(c, CIPHER_AES_256_GCM), "libipsec-mb ", 12));
	crypto_free(c);
#endif
}

static void a_missing_libcrypto_is_told_by_name(void **state)
{
	struct crypto *c = NULL;

	(void)state;
	assert_int_equal(crypto_new_of(&c, 0, "libnone.so.3", NULL), -ENOSYS);
	assert_null(c);
	assert_string_equal(crypto_strerror(-ENOSYS),
	                    "libnone.so.3: cannot open shared object file: "
	                    "No such file or directory");
}

static void a_library_that_lacks_a_function_is_told_with_the_function(void **state)
{
	struct crypto *c = NULL;

	(void)state;
	assert_int_equal(crypto_new_of(&c, 0, "libm.so.6", NULL), -ENOSYS);
	assert_null(c);
	assert_non_null(strstr(crypto_strerror(-ENOSYS), "libm.so.6: undefined symbol: "));
	assert_non_null(strstr(crypto_strerror(-ENOSYS), "OPENSSL_init_crypto"));
}

static void other_errors_keep_their_names(void **state)
{
	(void)state;
	assert_string_equal(crypto_strerror(-ENOMEM), strerror(ENOMEM));
	assert_non_null(strstr(crypto_strerror(-EOPNOTSUPP), "lacks"));
}

/* Without the other library, or with one that is none, all is done by libcrypto. */
static void libcrypto_alone_does_everything(void **state)
{
	static const char *const none[] = {NULL, "libnone.so.1", "libm.so.6"};
	uint8_t key[CRYPTO_KEY_LEN] = {1}, out[CRYPTO_KEY_LEN], other[CRYPTO_KEY_LEN];
	struct crypto *c;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		assert_int_equal(crypto_new_of(&c, 0, LIBCRYPTO_SONAME, none[i]), 0);
		assert_int_equal(strncmp(crypto_library(c, CIPHER_AES_256_GCM), "OpenSSL ", 8), 0);
		assert_int_equal(crypto_mac(c, i ? other : out, key, "abc", 3), 0);
		if (i)
			assert_memory_equal(out, other, sizeof(out));
		crypto_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nothing_is_loaded_before_it_is_needed),
	        cmocka_unit_test(a_missing_libcrypto_is_told_by_name),
	        cmocka_unit_test(a_library_that_lacks_a_function_is_told_with_the_function),
	        cmocka_unit_test(other_errors_keep_their_names),
	        cmocka_unit_test(libcrypto_alone_does_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
