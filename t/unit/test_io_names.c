/*
 * Unit tests of io/names, with a user database that answers when the test lets it
 */

#include "ncserver/io/names.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NOBODY 4000000u /* there is no such user */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static bool is_shut;
static int is_broken;
static unsigned n_asked, n_waiting;

static void set_shut(bool on)
{
	pthread_mutex_lock(&lock);
	is_shut = on;
	pthread_cond_broadcast(&change);
	pthread_mutex_unlock(&lock);
}

static void set_broken(int err)
{
	pthread_mutex_lock(&lock);
	is_broken = err;
	pthread_mutex_unlock(&lock);
}

static unsigned asked(void)
{
	unsigned n;

	pthread_mutex_lock(&lock);
	n = n_asked;
	pthread_mutex_unlock(&lock);
	return n;
}

/* Until somebody stands before the shut door (or, 0, nobody does). */
static void await_waiting(unsigned n)
{
	pthread_mutex_lock(&lock);
	while (n_waiting != n)
		pthread_cond_wait(&change, &lock);
	pthread_mutex_unlock(&lock);
}

/* The user database of this program: stands before libc's. */
int getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t len, struct passwd **out)
{
	int err;

	pthread_mutex_lock(&lock);
	n_asked++;
	n_waiting++;
	pthread_cond_broadcast(&change);
	while (is_shut)
		pthread_cond_wait(&change, &lock);
	n_waiting--;
	pthread_cond_broadcast(&change);
	err = is_broken;
	pthread_mutex_unlock(&lock);
	*out = NULL;
	if (err || uid == NOBODY)
		return err;
	if (len < 3000)
		return ERANGE;
	snprintf(buf, len, "user%u", (unsigned)uid);
	*pw = (struct passwd){.pw_name = buf, .pw_uid = uid};
	*out = pw;
	return 0;
}

struct fixture {
	uv_loop_t loop;
	struct names *names;
	uint64_t now;
};

static int setup(void **state)
{
	static const uint8_t seed[16] = {7};
	struct fixture *f = calloc(1, sizeof(*f));

	set_shut(false);
	set_broken(0);
	n_asked = 0;
	f->now = uv_hrtime();
	*state = f;
	return uv_loop_init(&f->loop) || names_open(&f->names, &f->loop, seed);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	names_close(f->names);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&f->loop) != 0)
		return -1;
	free(f);
	set_shut(false);
	await_waiting(0);
	return 0;
}

/* Runs the loop until the name of a user is known. */
static const char *await_name(struct fixture *f, uid_t uid)
{
	const char *name;

	while (!(name = names_get(f->names, uid, f->now)))
		uv_run(&f->loop, UV_RUN_ONCE);
	return name;
}

static void a_name_is_known_once_it_was_asked_for(void **state)
{
	struct fixture *f = *state;

	assert_null(names_get(f->names, 7, f->now));
	assert_string_equal(await_name(f, 7), "user7");
	assert_string_equal(names_get(f->names, 7, f->now), "user7");
	assert_null(names_get(NULL, 7, f->now));
}

static void a_database_that_does_not_answer_holds_up_nothing(void **state)
{
	struct fixture *f = *state;

	set_shut(true);
	for (uid_t uid = 0; uid < 100; uid++)
		assert_null(names_get(f->names, uid, f->now));
	await_waiting(1);
	for (uid_t uid = 0; uid < 100; uid++) {
		assert_null(names_get(f->names, uid, f->now));
		uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	/* one question at a time, each once */
	assert_int_equal(asked(), 1);
	set_shut(false);
	for (uid_t uid = 0; uid < 100; uid++)
		await_name(f, uid);
	/* each with a short buffer, and with one that is long enough */
	assert_int_equal(asked(), 200);
}

static void who_has_no_name_is_asked_for_again_later(void **state)
{
	struct fixture *f = *state;

	assert_null(names_get(f->names, NOBODY, f->now));
	assert_string_equal(await_name(f, 8), "user8");
	for (int i = 0; i < 10; i++)
		assert_null(names_get(f->names, NOBODY, f->now));
	assert_int_equal(asked(), 3);
	assert_null(names_get(f->names, NOBODY, uv_hrtime() + NAMES_MISSED_NS));
	assert_string_equal(await_name(f, 9), "user9");
	assert_int_equal(asked(), 6);
}

static void an_old_name_is_shown_until_there_is_another(void **state)
{
	struct fixture *f = *state;

	await_name(f, 7);
	set_broken(EIO);
	f->now = uv_hrtime() + NAMES_KEPT_NS;
	assert_string_equal(names_get(f->names, 7, f->now), "user7");
	while (asked() < 3)
		uv_run(&f->loop, UV_RUN_ONCE);
	/* the database is out of order: what was known is kept */
	set_broken(0);
	await_name(f, 8);
	assert_string_equal(names_get(f->names, 7, f->now), "user7");
}

static void so_many_are_remembered_and_no_more(void **state)
{
	struct fixture *f = *state;
	unsigned n;

	for (uid_t uid = 0; uid < NAMES_MAX; uid++)
		await_name(f, uid);
	/* the first is wanted again, so the second is the one to forget */
	assert_non_null(names_get(f->names, 0, f->now));
	await_name(f, NAMES_MAX);
	n = asked();
	assert_non_null(names_get(f->names, 0, f->now));
	assert_int_equal(asked(), n);
	assert_null(names_get(f->names, 1, f->now));
	assert_string_equal(await_name(f, 1), "user1");
}

static void so_many_are_asked_for_and_no_more(void **state)
{
	struct fixture *f = *state;

	set_shut(true);
	for (uid_t uid = 0; uid < NAMES_MAX + 100; uid++)
		assert_null(names_get(f->names, uid, f->now));
	set_shut(false);
	await_name(f, NAMES_MAX - 1);
	assert_int_equal(asked(), 2 * NAMES_MAX);
	/* and then there is room again */
	assert_string_equal(await_name(f, NAMES_MAX + 99), "user1123");
}

static void the_end_does_not_wait_for_an_answer(void **state)
{
	struct fixture *f = *state;

	set_shut(true);
	names_get(f->names, 7, f->now);
	names_get(f->names, 8, f->now);
	await_waiting(1);
	/* teardown closes all while the question stands, and opens the door afterwards */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(a_name_is_known_once_it_was_asked_for, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(a_database_that_does_not_answer_holds_up_nothing,
	                                        setup, teardown),
	        cmocka_unit_test_setup_teardown(who_has_no_name_is_asked_for_again_later, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(an_old_name_is_shown_until_there_is_another, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(so_many_are_remembered_and_no_more, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(so_many_are_asked_for_and_no_more, setup, teardown),
	        cmocka_unit_test_setup_teardown(the_end_does_not_wait_for_an_answer, setup,
	                                        teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
