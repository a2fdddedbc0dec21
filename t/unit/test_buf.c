/*
 * Unit tests of base/buf
 */

#include "libnc/base/buf.h"
#include "t/unit/nomem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void a_fresh_buffer_is_an_empty_string(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(b.len, 0);
	assert_null(b.data);
	buf_clear(&b);
	buf_consume(&b, 0);
	buf_fini(&b);
}

static void bytes_are_appended_in_order_and_ended_by_zero(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(buf_append(&b, "ab\0c", 4), 0);
	assert_int_equal(buf_append_str(&b, "de"), 0);
	assert_int_equal(buf_append_byte(&b, 'f'), 0);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "ab\0cdef", 8);
	buf_fini(&b);
}

static void the_cap_is_reached_and_never_passed(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	assert_int_equal(buf_append_str(&b, "12345"), 0);
	assert_int_equal(buf_append_byte(&b, '6'), -EMSGSIZE);
	assert_int_equal(buf_printf(&b, "%d", 6), -EMSGSIZE);
	assert_string_equal(buf_str(&b), "12345");
	assert_int_equal(buf_append(&b, "", 0), 0);
	assert_int_equal(buf_printf(&b, "%s", ""), 0);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -EMSGSIZE);
	buf_consume(&b, 3);
	assert_int_equal(buf_printf(&b, "%d", 678), 0);
	assert_string_equal(buf_str(&b), "45678");
	buf_fini(&b);
}

static void a_buffer_that_holds_nothing_refuses_all(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(buf_append_byte(&b, 'x'), -EMSGSIZE);
	assert_int_equal(buf_append(&b, NULL, 0), 0);
	assert_int_equal(buf_printf(&b, "x"), -EMSGSIZE);
	assert_int_equal(buf_printf(&b, "%s", ""), 0);
	assert_string_equal(buf_str(&b), "");
	buf_fini(&b);
}

static void it_grows_over_many_appends(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(buf_printf(&b, "%05d", i), 0);
	assert_int_equal(b.len, 50000);
	assert_memory_equal(b.data + 49990, "0999809999", 11);
	buf_fini(&b);
}

static void a_buffer_can_be_appended_to_itself(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	assert_int_equal(buf_append_str(&b, "0123456789"), 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(buf_append(&b, b.data, b.len), 0);
	assert_int_equal(b.len, 2560);
	assert_memory_equal(b.data + 2550, "0123456789", 11);
	buf_fini(&b);
}

static void reserved_room_is_written_and_taken_in(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(buf_reserve(&b, 600), 0);
	memset(buf_tail(&b), 'a', 600);
	buf_advance(&b, 600);
	assert_int_equal(b.len, 600);
	assert_int_equal(b.data[600], 0);
	buf_truncate(&b, 2);
	assert_string_equal(buf_str(&b), "aa");
	buf_fini(&b);
}

static void what_is_stolen_belongs_to_the_thief(void **state)
{
	struct buf b;
	size_t len;
	uint8_t *p;

	(void)state;
	buf_init(&b, 100);
	assert_null(buf_steal(&b, &len));
	assert_int_equal(len, 0);
	assert_int_equal(buf_append_str(&b, "loot"), 0);
	p = buf_steal(&b, &len);
	assert_int_equal(len, 4);
	assert_string_equal((char *)p, "loot");
	assert_int_equal(b.len, 0);
	assert_int_equal(buf_append_str(&b, "more"), 0);
	assert_string_equal(buf_str(&b), "more");
	free(p);
	buf_fini(&b);
}

static void without_memory_the_bytes_stay_as_they_were(void **state)
{
	struct buf b;
	char big[BUF_FIRST_LEN + 1];

	(void)state;
	memset(big, 'x', sizeof(big));
	buf_init(&b, 10000);
	nomem_after(0);
	assert_int_equal(buf_append_byte(&b, 'a'), -ENOMEM);
	assert_int_equal(buf_printf(&b, "a"), -ENOMEM);
	assert_true(nomem_off());
	assert_int_equal(buf_append_str(&b, "abc"), 0);
	nomem_after(0);
	assert_int_equal(buf_append(&b, big, sizeof(big)), -ENOMEM);
	assert_int_equal(buf_printf(&b, "%.*s", (int)sizeof(big), big), -ENOMEM);
	assert_int_equal(buf_append_str(&b, "d"), 0);
	assert_true(nomem_off());
	assert_int_equal(b.len, 4);
	assert_string_equal(buf_str(&b), "abcd");
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_fresh_buffer_is_an_empty_string),
	        cmocka_unit_test(bytes_are_appended_in_order_and_ended_by_zero),
	        cmocka_unit_test(the_cap_is_reached_and_never_passed),
	        cmocka_unit_test(a_buffer_that_holds_nothing_refuses_all),
	        cmocka_unit_test(it_grows_over_many_appends),
	        cmocka_unit_test(a_buffer_can_be_appended_to_itself),
	        cmocka_unit_test(reserved_room_is_written_and_taken_in),
	        cmocka_unit_test(what_is_stolen_belongs_to_the_thief),
	        cmocka_unit_test(without_memory_the_bytes_stay_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
