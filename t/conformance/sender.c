/*
 * Who sent a message, as the server verified it
 */

#include "t/conformance/suite.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/helpers/identity.h"

static void check_sender(const struct nc_sender *s, uid_t uid, gid_t gid)
{
	assert_true(s->has_cred);
	assert_int_equal(s->uid, uid);
	assert_int_equal(s->gid, gid);
	assert_int_equal(s->pid, getpid());
	assert_true(s->id != 0);
}

static void verified_sender(struct world *w, struct kinds k)
{
	struct peer *to = world_listener(w, NATIVE, "A", "who");
	struct peer *from[2];

	for (size_t i = 0; i < 2; i++)
		from[i] = world_peer(w, k.from, "A");
	for (int64_t n = 0; n < 10; n++)
		peer_emit_int(from[n % 2], "who", n);
	peer_settle(from[0]);
	peer_settle(from[1]);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 10);
	for (size_t n = 0; n < 10; n++) {
		const struct heard *h = &to->heard[n];

		check_sender(&h->from, getuid(), getgid());
		if (k.from == NATIVE)
			assert_int_equal(h->from.id, nc_id(from[heard_int(h) % 2]->nc));
		for (size_t m = 0; m < n; m++) {
			bool same = heard_int(&to->heard[m]) % 2 == heard_int(h) % 2;

			assert_true((to->heard[m].from.id == h->from.id) == same);
			if (same)
				assert_true(to->heard[m].from.seq < h->from.seq);
		}
	}
}

static void another_user(struct world *w, struct kinds k)
{
	struct peer *to = world_listener(w, NATIVE, "A", "who");
	struct peer *from;

	if (!identity_can_change())
		suite_skip("only root can connect as another user");
	from = world_new_peer(w, k.from, "A");
	assert_int_equal(identity_connect(from, 65533, 65532), 0);
	peer_emit_int(from, "who", 1);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 1);
	check_sender(&to->heard[0].from, 65533, 65532);
}

/* More senders than the table of senders that both sides keep has slots. */
static void many_senders(struct world *w, struct kinds k)
{
	enum { N = 90 };
	struct peer *to = world_listener(w, NATIVE, "A", "who");
	struct peer *from[N];

	for (int i = 0; i < N; i++)
		from[i] = world_peer(w, k.from, "A");
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < N; i++)
			peer_emit_int(from[i], "who", i);
		for (int i = 0; i < N; i++)
			peer_settle(from[i]);
	}
	peer_barrier(to);
	assert_int_equal(to->n_heard, 2 * N);
	for (size_t i = 0; i < 2 * N; i++) {
		check_sender(&to->heard[i].from, getuid(), getgid());
		if (k.from == NATIVE)
			assert_int_equal(to->heard[i].from.id,
			                 nc_id(from[heard_int(&to->heard[i])]->nc));
	}
}

/* Over a rule, the sender stays who it is. */
static void sender_over_a_rule(struct world *w, struct kinds k)
{
	struct peer *to = world_listener(w, NATIVE, "B", "who");
	struct peer *from = world_peer(w, k.from, "A");

	peer_emit_int(from, "who", 1);
	peer_settle(from);
	peer_barrier(to);
	assert_int_equal(to->n_heard, 1);
	check_sender(&to->heard[0].from, getuid(), getgid());
	assert_string_equal(to->heard[0].channel, "A");
}

/* A JSON client's emmiteruuid says nothing about who it is. */
static void claimed_uuid_is_not_believed(struct world *w, struct kinds k)
{
	struct peer *to = world_listener(w, NATIVE, "A", "who");
	struct peer *victim = world_peer(w, k.from, "A"), *liar = world_peer(w, JSON, "A");
	yajl_val answer = peer_client_object(victim);
	char *packet = util_format("{\"emmiteruuid\":\"%s\",\"event\":\"who\",\"data\":2}",
	                           util_json_text(answer, "answer.id"));

	yajl_tree_free(answer);
	peer_emit_int(victim, "who", 1);
	peer_settle(victim);
	peer_packet(liar, packet);
	peer_settle(liar);
	peer_barrier(to);
	free(packet);
	assert_int_equal(to->n_heard, 2);
	assert_true(to->heard[0].from.id != to->heard[1].from.id);
}

static const char a_to_b[] = "hello_wait = 20;\n"
                             "channels = { A = { propagatetochannels = \"^B$\"; }; B = {}; };";

static const char open_to_all[] = "hello_wait = 20;\n"
                                  "channels = { A = { mode = \"0666\"; }; };";

static const struct behaviour list[] = {
        {"a native client knows who sent, by session, user, group and process", EACH,
         verified_sender, NULL},
        {"another user is told apart", EACH, another_user, open_to_all},
        {"more senders than the table has slots stay known", EACH, many_senders, NULL},
        {"over a rule the sender stays who it is", EACH, sender_over_a_rule, a_to_b},
        {"an emmiteruuid that a client writes is not believed", EACH, claimed_uuid_is_not_believed,
         NULL},
};

const struct theme sender_theme = {"sender", list, sizeof(list) / sizeof(*list)};
