/*
 * Unit tests of io/keyfile: who may have touched a key file
 */

#include "ncserver/io/fault.h"
#include "ncserver/io/keyfile.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct crypto *crypto;
static char dir[64], path[128];
static struct fault fault;
static struct key key;
static uint32_t id;

static void make(void)
{
	unlink(path);
	assert_int_equal(keyfile_make(path, CIPHER_DEFAULT, &id, &fault), 0);
}

static void refuses(int exit_code, const char *said)
{
	static const struct key zero;

	assert_int_equal(keyfile_read(&key, crypto, path, &fault), 1);
	if (fault.exit_code != exit_code || !strstr(fault.text, said) ||
	    strncmp(fault.text, path, strlen(path)) != 0)
		fail_msg("%d: %s", fault.exit_code, fault.text);
	assert_memory_equal(&key, &zero, sizeof(key));
}

static void what_is_made_is_read(void **state)
{
	static const enum cipher ciphers[] = {CIPHER_AES_256_GCM, CIPHER_CHACHA20_POLY1305};
	struct key before = {0};
	struct stat st;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		unlink(path);
		assert_int_equal(keyfile_make(path, ciphers[i % 2], &id, &fault), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode, S_IFREG | 0600);
		assert_int_equal(keyfile_read(&key, crypto, path, &fault), 0);
		assert_true(key.id == id && key.cipher == ciphers[i % 2]);
		assert_memory_not_equal(key.secret, before.secret, CRYPTO_KEY_LEN);
		before = key;
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(keyfile_read(&key, crypto, path, &fault), 0);
}

static void nothing_is_replaced_by_a_key(void **state)
{
	char target[160];

	(void)state;
	make();
	assert_int_equal(keyfile_make(path, CIPHER_DEFAULT, &id, &fault), 1);
	assert_int_equal(fault.exit_code, EX_CANTCREAT);
	assert_non_null(strstr(fault.text, "exists"));
	assert_int_equal(keyfile_read(&key, crypto, path, &fault), 0);
	/* a link that leads nowhere is something, too */
	unlink(path);
	snprintf(target, sizeof(target), "%s.target", path);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(keyfile_make(path, CIPHER_DEFAULT, &id, &fault), 1);
	assert_int_equal(access(target, F_OK), -1);
}

static void no_permissions_for_others_are_suffered(void **state)
{
	(void)state;
	make();
	for (mode_t bit = 1; bit <= 040; bit <<= 1) {
		assert_int_equal(chmod(path, 0600 | bit), 0);
		refuses(EX_NOPERM, "group and others have no right");
	}
	assert_int_equal(chmod(path, 0640), 0);
	refuses(EX_NOPERM, "mode 0640");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(keyfile_read(&key, crypto, path, &fault), 0);
}

static void no_other_owner_is_suffered(void **state)
{
	(void)state;
	make();
	if (chown(path, 12345, (gid_t)-1) < 0) {
		print_message("Giving a file to another user takes root.\n");
		skip();
	}
	refuses(EX_NOPERM, "belongs to uid 12345");
}

static void only_a_regular_file_is_read(void **state)
{
	char target[160];

	(void)state;
	make();
	snprintf(target, sizeof(target), "%s.target", path);
	assert_int_equal(rename(path, target), 0);
	refuses(EX_NOINPUT, "No such file");
	assert_int_equal(symlink(target, path), 0);
	refuses(EX_NOINPUT, "symbolic link");
	unlink(path);
	unlink(target);
	assert_int_equal(mkfifo(path, 0600), 0);
	refuses(EX_NOINPUT, "no regular file");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	refuses(EX_NOINPUT, "no regular file");
	rmdir(path);
}

static void write_file(const char *text, size_t len)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_true(write(fd, text, len) == (ssize_t)len);
	close(fd);
}

static void what_is_wrong_in_it_is_named_with_its_line(void **state)
{
	char longer[KEY_FILE_MAX + 100];

	(void)state;
	write_file("\nid 1\n", 6);
	refuses(EX_CONFIG, "key:2: an id is 8 hexadecimal digits");
	write_file("", 0);
	refuses(EX_CONFIG, "key: no id");
	memset(longer, '\n', sizeof(longer));
	write_file(longer, sizeof(longer));
	refuses(EX_CONFIG, "key: longer than 4096 bytes");
}

static void a_file_that_could_not_be_written_is_not_left(void **state)
{
	struct rlimit was, none = {0, 0};

	(void)state;
	unlink(path);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	none.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(keyfile_make(path, CIPHER_DEFAULT, &id, &fault), 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(fault.exit_code, EX_IOERR);
	assert_int_equal(access(path, F_OK), -1);
}

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	if ((size_t)snprintf(dir, sizeof(dir), "%s/nc-keyfile-XXXXXX", tmp ? tmp : "/tmp") >=
	            sizeof(dir) ||
	    !mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/key", dir);
	return crypto_new(&crypto, 0);
}

static int clean_up(void **state)
{
	char target[160];

	(void)state;
	snprintf(target, sizeof(target), "%s.target", path);
	unlink(target);
	unlink(path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	crypto_free(crypto);
	return rmdir(dir);
}

#define TEST(f) cmocka_unit_test_teardown(f, clean_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(what_is_made_is_read),
	        TEST(nothing_is_replaced_by_a_key),
	        TEST(no_permissions_for_others_are_suffered),
	        TEST(no_other_owner_is_suffered),
	        TEST(only_a_regular_file_is_read),
	        TEST(what_is_wrong_in_it_is_named_with_its_line),
	        TEST(a_file_that_could_not_be_written_is_not_left),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
