/*
 * Who hears what: order, exactly once, no echo, sizes that interleave, clients that come and go
 */

#include "t/conformance/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What a receiver expects of up to two senders, who number their events. */
struct expected {
	int64_t next[2];
	unsigned wrong;
};

static void expect_next(struct peer *p, const struct heard *h)
{
	struct expected *e = p->arg;
	size_t i = strcmp(h->event, "from.second") == 0;

	if (heard_int(h) != e->next[i]++)
		e->wrong++;
}

static void order_is_kept(struct world *w, struct kinds k)
{
	enum { N = 5000 };
	struct expected e[2] = {{.wrong = 0}};
	struct peer *to[2], *from[2];

	for (size_t i = 0; i < 2; i++) {
		to[i] = world_listener(w, k.to, "A", "from.*");
		to[i]->on_heard = expect_next;
		to[i]->arg = &e[i];
		from[i] = world_peer(w, k.from, "A");
	}
	if (k.from == JSON)
		for (size_t i = 0; i < 2; i++)
			peer_listen(from[i], "nothing.here");
	for (int64_t n = 0; n < N; n++) {
		peer_emit_int(from[0], "from.first", n);
		peer_emit_int(from[1], "from.second", n);
	}
	for (size_t i = 0; i < 2; i++)
		peer_settle(from[i]);
	for (size_t i = 0; i < 2; i++) {
		peer_barrier(to[i]);
		assert_int_equal(e[i].wrong, 0);
		assert_int_equal(e[i].next[0], N);
		assert_int_equal(e[i].next[1], N);
	}
}

static void once_to_every_other(struct world *w, struct kinds k)
{
	struct peer *from = world_listener(w, k.from, "A", ">");
	struct peer *to[3];

	for (size_t i = 0; i < 3; i++)
		to[i] = world_listener(w, k.to, "A", ">");
	for (int64_t n = 0; n < 100; n++)
		peer_emit_int(from, "tick", n);
	peer_settle(from);
	for (size_t i = 0; i < 3; i++) {
		peer_barrier(to[i]);
		assert_int_equal(to[i]->n_heard, 100);
		for (size_t n = 0; n < 100; n++) {
			assert_int_equal(heard_int(&to[i]->heard[n]), n);
			assert_string_equal(to[i]->heard[n].event, "tick");
			assert_string_equal(to[i]->heard[n].channel, "A");
		}
	}
	peer_barrier(from);
	assert_int_equal(from->n_heard, 0);
}

static void both_ways(struct world *w, struct kinds k)
{
	struct peer *a = world_listener(w, k.from, "A", ">");
	struct peer *b = world_listener(w, k.to, "A", ">");

	for (int64_t n = 0; n < 10; n++) {
		peer_emit_int(a, "ping", n);
		peer_emit_int(b, "pong", n);
	}
	peer_settle(a);
	peer_settle(b);
	peer_barrier(a);
	peer_barrier(b);
	assert_int_equal(a->n_heard, 10);
	assert_int_equal(b->n_heard, 10);
	for (size_t n = 0; n < 10; n++) {
		assert_string_equal(a->heard[n].event, "pong");
		assert_string_equal(b->heard[n].event, "ping");
	}
}

static void only_its_channel(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *on_b = world_listener(w, k.to, "B", ">");
	struct peer *on_a = world_listener(w, k.to, "A", ">");

	peer_emit_int(from, "x", 1);
	peer_settle(from);
	peer_barrier(on_a);
	peer_barrier(on_b);
	assert_int_equal(on_a->n_heard, 1);
	assert_int_equal(on_b->n_heard, 0);
}

/* A long text that tells its sender and number in each part. */
static char *long_text(size_t len, int sender, int number)
{
	char *text = malloc(len + 1);

	assert_non_null(text);
	for (size_t i = 0; i < len; i += 16) {
		char part[32];

		snprintf(part, sizeof(part), "<%d.%04d.%07zu>", sender, number, i);
		memcpy(text + i, part, len - i < 16 ? len - i : 16);
	}
	text[len] = '\0';
	return text;
}

static void emit_long(struct peer *p, const char *event, size_t len, int sender, int number)
{
	char *text = long_text(len, sender, number), *json = util_format("\"%s\"", text);
	struct value v = {.type = NC_TEXT, .data = text, .len = len, .json = json};

	assert_int_equal(peer_emit(p, event, &v), NC_OK);
	free(text);
	free(json);
}

static bool is_long(const struct heard *h, size_t len, int sender, int number)
{
	char *text = long_text(len, sender, number);
	size_t quotes = h->type == NC_JSON;
	bool same = h->len == len + 2 * quotes && memcmp(h->data + quotes, text, len) == 0;

	free(text);
	return same;
}

static void large_ones_do_not_interleave(struct world *w, struct kinds k)
{
	enum { LEN = 100000, N = 20 };
	struct peer *to = world_listener(w, k.to, "A", "from.*");
	struct peer *from[2];
	int n_from[2] = {0};

	for (size_t i = 0; i < 2; i++) {
		from[i] = world_peer(w, k.from, "A");
		if (k.from == JSON)
			peer_listen(from[i], "nothing.here");
	}
	for (int n = 0; n < N; n++) {
		emit_long(from[0], "from.first", LEN, 0, n);
		emit_long(from[1], "from.second", LEN, 1, n);
	}
	peer_settle(from[0]);
	peer_settle(from[1]);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 2 * N);
	for (size_t i = 0; i < to->n_heard; i++) {
		int s = strcmp(to->heard[i].event, "from.second") == 0;

		assert_true(is_long(&to->heard[i], LEN, s, n_from[s]++));
	}
}

static void a_mebibyte_arrives(struct world *w, struct kinds k)
{
	struct peer *to = world_listener(w, k.to, "A", "big");
	struct peer *from = world_peer(w, k.from, "A");

	emit_long(from, "big", 1u << 20, 7, 1);
	emit_long(from, "big", (1u << 20) + 1, 7, 2);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 2);
	assert_true(is_long(&to->heard[0], 1u << 20, 7, 1));
	assert_true(is_long(&to->heard[1], (1u << 20) + 1, 7, 2));
}

static void emits_at_once_arrive(struct world *w, struct kinds k)
{
	struct peer *to = world_listener(w, k.to, "A", "early");
	struct peer *from = world_new_peer(w, k.from, "A");

	if (k.from == NATIVE) {
		/* libnc is not even connected yet */
		from->open = true;
		assert_int_equal(nc_open(from->nc), NC_OK);
	} else {
		assert_int_equal(peer_connect(from), 0);
	}
	for (int64_t n = 0; n < 10; n++)
		peer_emit_int(from, "early", n);
	WORLD_UNTIL(w, to->n_heard == 10);
	for (size_t n = 0; n < 10; n++)
		assert_int_equal(heard_int(&to->heard[n]), n);
}

static void nothing_is_lost_before_leaving(struct world *w, struct kinds k)
{
	struct peer *to = world_listener(w, k.to, "A", "last.words");
	struct peer *from = world_peer(w, k.from, "A");

	if (k.from == JSON)
		peer_listen(from, "nothing.here");
	for (int64_t n = 0; n < 2000; n++)
		peer_emit_int(from, "last.words", n);
	if (k.from == NATIVE)
		assert_int_equal(nc_disconnect(from->nc, (int)UTIL_DEADLINE_MS), NC_OK);
	else
		WORLD_UNTIL(w, jc_queued(&from->jc) == 0);
	peer_close(from);
	WORLD_UNTIL(w, to->n_heard == 2000);
	peer_barrier(to);
	for (size_t n = 0; n < 2000; n++)
		assert_int_equal(heard_int(&to->heard[n]), n);
}

static void fifty_receivers(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to[50];

	for (size_t i = 0; i < 50; i++)
		to[i] = world_listener(w, i % 2 ? JSON : NATIVE, "A", ">");
	for (int64_t n = 0; n < 50; n++)
		peer_emit_int(from, "to.all", n);
	peer_settle(from);
	for (size_t i = 0; i < 50; i++) {
		peer_barrier(to[i]);
		assert_int_equal(to[i]->n_heard, 50);
		for (size_t n = 0; n < 50; n++)
			assert_int_equal(heard_int(&to[i]->heard[n]), n);
	}
}

static void later_clients_go_on_hearing(struct world *w, struct kinds k)
{
	struct peer *from = world_peer(w, k.from, "A");
	struct peer *to[5];

	for (size_t i = 0; i < 5; i++)
		to[i] = world_listener(w, k.to, "A", ">");
	peer_leave(to[0]);
	peer_leave(to[2]);
	peer_emit_int(from, "after", 1);
	peer_settle(from);
	for (size_t i = 0; i < 5; i++) {
		if (i == 0 || i == 2)
			continue;
		peer_barrier(to[i]);
		assert_int_equal(to[i]->n_heard, 1);
	}
}

static void a_leaver_is_forgotten_at_once(struct world *w, struct kinds k)
{
	struct peer *stays = world_peer(w, k.from, "A");
	struct peer *leaves = world_peer(w, k.from, "A");
	size_t n = channel_clients(w, "A");
	struct peer *again;

	peer_leave(leaves);
	assert_int_equal(channel_clients(w, "A"), n - 1);
	again = world_listener(w, k.from, "A", ">");
	assert_int_equal(channel_clients(w, "A"), n);
	peer_emit_int(stays, "hello", 1);
	peer_settle(stays);
	peer_barrier(again);
	assert_int_equal(again->n_heard, 1);
}

static const struct behaviour list[] = {
        {"what each sender emits is heard in its order, each event once", PAIRS, order_is_kept,
         NULL},
        {"an event reaches every other client once, and never its sender", PAIRS,
         once_to_every_other, NULL},
        {"two clients hear each other", PAIRS, both_ways, NULL},
        {"a client reaches only its own channel where no rule leads on", PAIRS, only_its_channel,
         NULL},
        {"large events of two senders do not interleave", PAIRS, large_ones_do_not_interleave,
         NULL},
        {"an event of a mebibyte arrives whole", PAIRS, a_mebibyte_arrives, NULL},
        {"what is emitted right after connecting arrives", PAIRS, emits_at_once_arrive, NULL},
        {"what was emitted before leaving arrives", PAIRS, nothing_is_lost_before_leaving, NULL},
        {"fifty clients of both kinds hear everything", EACH, fifty_receivers, NULL},
        {"clients that came later go on hearing when an earlier one leaves", PAIRS,
         later_clients_go_on_hearing, NULL},
        {"a client that leaves is forgotten at once, and may come back", EACH,
         a_leaver_is_forgotten_at_once, NULL},
};

const struct theme delivery_theme = {"delivery", list, sizeof(list) / sizeof(*list)};
