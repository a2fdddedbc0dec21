/* bus_test.h - what the tests of the bus say and expect in one call */
#ifndef NC_T_UNIT_BUS_TEST_H
#define NC_T_UNIT_BUS_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ncserver/bus/client.h"
#include "ncserver/bus/state.h"
#include "t/unit/bus_rig.h"

#define TWO                                                                                        \
	"{\"socket\":\"/tmp/x/%s.sock\",\"channels\":{"                                            \
	"\"A\":{\"propagatetochannels\":\".*\"},\"B\":{\"propagatetochannels\":false}}}"

/* Takes the next frame that client i was sent; its bytes stay until the next one is taken. */
static inline bool next_frame(struct rig *r, int i, struct frame_prefix *x, const uint8_t **p)
{
	static struct buf taken = {.max = UINT32_MAX};
	struct buf *b = &r->clients[i].out;

	if (b->len < FRAME_PREFIX_LEN)
		return false;
	*x = frame_prefix_get(b->data);
	if (b->len < x->len)
		return false;
	buf_clear(&taken);
	assert_int_equal(buf_append(&taken, b->data, x->len), 0);
	buf_consume(b, x->len);
	*p = taken.data;
	return true;
}

static inline void expect_emit(struct rig *r, int i, struct frame_emit *f)
{
	struct frame_prefix x = {0};
	const uint8_t *p = NULL;

	assert_true(next_frame(r, i, &x, &p));
	assert_int_equal(x.kind, FRAME_EMIT);
	assert_int_equal(frame_emit_get(f, p, x.len, NC_MESSAGE_MAX), FRAME_OK);
}

static inline void expect_nothing(struct rig *r, int i)
{
	struct frame_prefix x = {0};
	const uint8_t *p = NULL;

	assert_false(next_frame(r, i, &x, &p));
	assert_int_equal(r->clients[i].out.len, 0);
}

static inline void send_packet(struct rig *r, int i, const char *text)
{
	assert_int_equal(rig_send(r, i, text, strlen(text) + 1, SIZE_MAX), strlen(text) + 1);
	rig_turn(r);
}

static inline int json_client(struct rig *r, const char *channel)
{
	int i = rig_accept(r, channel, 1000, 200, NULL);

	assert_true(i >= 0);
	rig_wait(r, 200);
	return i;
}

static inline void expect_packet(struct rig *r, int i, const char *text)
{
	struct buf *b = &r->clients[i].out;

	rig_turn(r);
	assert_true(b->len > 0);
	assert_string_equal((const char *)b->data, text);
	buf_consume(b, strlen(text) + 1);
}

#endif
