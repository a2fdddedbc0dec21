/*
 * Frames by hand
 */

#include "t/helpers/raw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { WELCOME = 2, EMIT = 3, PONG = 7, ERROR = 9, BYE = 11 };

void raw_bytes(struct raw *r, const void *p, size_t len)
{
	assert_true(len <= sizeof(r->p) - r->len);
	if (len > 0)
		memcpy(r->p + r->len, p, len);
	r->len += len;
}

static void raw_number(struct raw *r, uint64_t v, unsigned n_bytes)
{
	for (unsigned i = 0; i < n_bytes; i++) {
		uint8_t byte = (uint8_t)(v >> (8 * i));

		raw_bytes(r, &byte, 1);
	}
}

void raw_u16(struct raw *r, unsigned v)
{
	raw_number(r, v, 2);
}

void raw_u32(struct raw *r, uint32_t v)
{
	raw_number(r, v, 4);
}

void raw_u64(struct raw *r, uint64_t v)
{
	raw_number(r, v, 8);
}

void raw_prefix(struct raw *r, uint32_t body, uint8_t kind, uint8_t flags, uint8_t a, uint8_t b)
{
	const uint8_t rest[] = {kind, flags, a, b};

	raw_u32(r, body + 8);
	raw_bytes(r, rest, 4);
}

void raw_hello(struct raw *r)
{
	raw_bytes(r,
	          "\xff"
	          "NC\x01",
	          4);
	raw_prefix(r, 10, 1, 0, 0, 0);
	raw_u16(r, 1);
	raw_u16(r, 1);
	raw_u32(r, 0);
	raw_u16(r, 0);
}

void raw_emit(struct raw *r, const struct raw_emit *e)
{
	size_t channel = strlen(e->channel), event = strlen(e->event);

	raw_prefix(r, (uint32_t)(16 + channel + event + e->rest_len), EMIT, e->flags,
	           (uint8_t)channel, (uint8_t)event);
	raw_u64(r, e->sender);
	raw_u64(r, e->seq);
	raw_bytes(r, e->channel, channel);
	raw_bytes(r, e->event, event);
	raw_bytes(r, e->rest, e->rest_len);
}

static uint64_t number_at(const char *p, unsigned n_bytes)
{
	uint64_t v = 0;

	for (unsigned i = n_bytes; i > 0; i--)
		v = v << 8 | (uint8_t)p[i - 1];
	return v;
}

static void take_frame(const char *p, size_t len, struct raw_said *s)
{
	switch (p[4]) {
	case WELCOME:
		assert_true(len >= 8 + 36);
		s->welcome = true;
		s->id = number_at(p + 16, 8);
		break;
	case EMIT: s->n_emits++; break;
	case PONG: s->n_pongs++; break;
	case ERROR:
		assert_true(len >= 20);
		s->error = true;
		s->fatal = p[6] == 1;
		s->code = (unsigned)number_at(p + 8, 2);
		break;
	case BYE: s->bye = true; break;
	default: break;
	}
}

void raw_listen(struct jc *c, struct raw_said *s)
{
	s->end = !jc_fill(c);
	while (c->in.len - c->in_off >= 8) {
		const char *p = c->in.p + c->in_off;
		size_t len = number_at(p, 4);

		assert_in_range(len, 8, 1u << 20);
		if (c->in.len - c->in_off < len)
			break;
		take_frame(p, len, s);
		c->in_off += len;
		c->scanned = c->in_off;
	}
}
