/*
 * Unit tests of base/list
 */

#include "libnc/base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct item {
	char name;
	struct list link;
};

/* The names of HEAD's items, forwards; checks on the way that backwards they are the same. */
static const char *names(struct list *head)
{
	static char text[16];
	size_t n = 0;
	struct list *it;

	list_for_each(it, head) {
		assert_ptr_equal(it->next->prev, it);
		text[n++] = list_entry(it, struct item, link)->name;
	}
	text[n] = 0;
	for (it = head->prev; it != head; it = it->prev)
		assert_int_equal(list_entry(it, struct item, link)->name, text[--n]);
	assert_int_equal(n, 0);
	return text;
}

static void links_stand_in_the_order_in_which_they_were_put(void **state)
{
	struct list head = LIST_INIT(head);
	struct item a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};

	(void)state;
	assert_true(list_empty(&head));
	assert_null(list_first(&head));
	assert_null(list_last(&head));
	list_add_tail(&head, &b.link);
	list_add_tail(&head, &c.link);
	list_add_head(&head, &a.link);
	assert_string_equal(names(&head), "abc");
	assert_ptr_equal(list_first(&head), &a.link);
	assert_ptr_equal(list_last(&head), &c.link);
}

static void a_link_can_be_taken_out_twice(void **state)
{
	struct list head = LIST_INIT(head);
	struct item a = {.name = 'a'}, b = {.name = 'b'};

	(void)state;
	list_add_tail(&head, &a.link);
	list_add_before(&a.link, &b.link);
	assert_string_equal(names(&head), "ba");
	assert_true(list_linked(&a.link));
	list_del(&a.link);
	assert_false(list_linked(&a.link));
	list_del(&a.link);
	assert_string_equal(names(&head), "b");
	list_del(&b.link);
	assert_true(list_empty(&head));
}

static void the_current_link_may_go_during_a_safe_walk(void **state)
{
	struct list head = LIST_INIT(head), *it, *next;
	struct item items[6];
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		items[i].name = (char)('0' + i);
		list_add_tail(&head, &items[i].link);
	}
	list_for_each_safe(it, next, &head) {
		if (n++ % 2)
			list_del(it);
	}
	assert_int_equal(n, 6);
	assert_string_equal(names(&head), "024");
}

static void a_list_is_moved_behind_another(void **state)
{
	struct list head = LIST_INIT(head), from = LIST_INIT(from);
	struct item items[4];

	(void)state;
	list_splice_tail(&head, &from);
	assert_true(list_empty(&head));
	for (unsigned i = 0; i < 4; i++) {
		items[i].name = (char)('0' + i);
		list_add_tail(i < 2 ? &head : &from, &items[i].link);
	}
	list_splice_tail(&head, &from);
	assert_string_equal(names(&head), "0123");
	assert_true(list_empty(&from));
	list_splice_tail(&from, &head);
	assert_string_equal(names(&from), "0123");
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(links_stand_in_the_order_in_which_they_were_put),
	        cmocka_unit_test(a_link_can_be_taken_out_twice),
	        cmocka_unit_test(the_current_link_may_go_during_a_safe_walk),
	        cmocka_unit_test(a_list_is_moved_behind_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
