/*
 * Clients that talk while others misbehave
 */

#include "t/conformance/witness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

void witnesses_come(struct world *w, struct witnesses *s)
{
	s->p[0] = world_listener(w, NATIVE, "A", ">");
	s->p[1] = world_listener(w, JSON, "A", ">");
	s->n = 0;
}

void witnesses_talk(struct witnesses *s)
{
	s->n++;
	for (size_t i = 0; i < 2; i++)
		peer_emit_int(s->p[i], "witness", s->n);
	for (size_t i = 0; i < 2; i++)
		peer_settle(s->p[i]);
	for (size_t i = 0; i < 2; i++) {
		peer_barrier(s->p[i]);
		assert_int_equal(s->p[i]->n_heard, 1);
		assert_string_equal(s->p[i]->heard[0].event, "witness");
		assert_int_equal(heard_int(&s->p[i]->heard[0]), s->n);
		assert_int_equal(s->p[i]->lost, 0);
		assert_int_equal(s->p[i]->n_errors, 0);
		peer_forget(s->p[i]);
	}
}

void witnesses_forget(struct witnesses *s)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		peer_barrier(s->p[i]);
		peer_forget(s->p[i]);
	}
}
