/*
 * Unit tests of io/conn, io/loop and io/peer: what the kernel may answer, played by the other end
 * of a socket pair, and by the test where no other end can do it
 */

#include "t/unit/fake_bus.h"
#include "ncserver/io/conn.h"
#include "ncserver/io/fault.h"
#include "ncserver/io/listener.h"
#include "ncserver/io/loop.h"
#include "ncserver/io/peer.h"
#include "ncserver/io/server.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);

/* What the next writes do instead of writing. */
static int send_error;
static unsigned n_send_errors;
static bool send_takes_all;
static unsigned n_sends;

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	n_sends++;
	if (n_send_errors > 0) {
		n_send_errors--;
		errno = send_error;
		return -1;
	}
	if (send_takes_all)
		return (ssize_t)msg->msg_iov[0].iov_len;
	return __real_sendmsg(fd, msg, flags);
}

int __real_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);

static int accept_error;
static unsigned n_accept_errors;
static unsigned n_accepts;

int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	n_accepts++;
	if (n_accept_errors > 0) {
		n_accept_errors--;
		errno = accept_error;
		return -1;
	}
	return __real_accept4(fd, addr, len, flags);
}

struct fixture {
	struct server s;
	struct bus bus;
	struct client *client;
	struct conn *conn;
	int peer;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int p[2];

	n_send_errors = n_sends = n_accept_errors = n_accepts = 0;
	send_takes_all = false;
	f->s.bus = &f->bus;
	f->s.counters = &f->bus.counters;
	f->s.state = SERVER_RUNNING;
	list_init(&f->s.conns);
	list_init(&f->s.starved);
	list_init(&f->s.settling);
	list_init(&f->s.ending);
	list_init(&f->s.listeners);
	list_init(&f->s.fifos);
	log_init(&f->s.log, open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_DEBUG, NULL);
	buf_init(&f->s.console.buf, 1);
	if (loop_open(&f->s) < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p) < 0)
		return -1;
	f->peer = p[1];
	f->client = fake_client(&f->bus);
	f->conn = conn_new(&f->s, p[0], f->client, NULL);
	*state = f;
	return f->conn ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	while (!list_empty(&f->s.conns))
		conn_close(list_entry(f->s.conns.next, struct conn, link), 0);
	f->s.state = SERVER_STOPPED;
	loop_close(&f->s);
	uv_run(&f->s.loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&f->s.loop) != 0 || f->bus.n_clients != 0)
		return -1;
	close(f->peer);
	close(f->s.log.sink.fd);
	free(f);
	return 0;
}

/* Runs the loop for so many turns, without waiting. */
static void turns(struct fixture *f, unsigned n)
{
	while (n-- > 0)
		uv_run(&f->s.loop, UV_RUN_NOWAIT);
}

/* Runs the loop for so long. */
static void run_ms(struct fixture *f, unsigned ms)
{
	uint64_t end = server_now() + ms * UINT64_C(1000000);

	while (server_now() < end) {
		turns(f, 1);
		usleep(200);
	}
}

static void on_guard(uv_timer_t *timer)
{
	(void)timer;
}

/* Turns in which the loop had something to do: each run of the loop that finds nothing is one turn,
 * so wake-ups are counted by a poll that waits. */
static unsigned wakeups_ms(struct fixture *f, unsigned ms)
{
	uint64_t end = server_now() + ms * UINT64_C(1000000);
	uv_timer_t guard;
	unsigned n = 0;

	uv_timer_init(&f->s.loop, &guard);
	while (server_now() < end) {
		uv_timer_start(&guard, on_guard, ms + 10, 0);
		uv_run(&f->s.loop, UV_RUN_ONCE);
		n++;
	}
	uv_close((uv_handle_t *)&guard, NULL);
	uv_run(&f->s.loop, UV_RUN_NOWAIT);
	return n;
}

/* Reads what there is at the other end, and checks that it goes on at *at. */
static void take(struct fixture *f, uint64_t *at)
{
	static uint8_t buf[65536];
	ssize_t n;

	while ((n = read(f->peer, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++, (*at)++) {
			if (buf[i] != fake_byte(*at))
				fail_msg("byte %lu is another", (unsigned long)*at);
		}
	}
}

static void what_arrives_reaches_the_bus(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write(f->peer, "hello", 5), 5);
	turns(f, 10);
	assert_int_equal(f->client->in_len, 5);
	assert_memory_equal(f->client->in, "hello", 5);
	assert_int_equal(f->bus.counters.reads, 1);
}

static void one_connection_reads_twice_at_most_in_a_turn(void **state)
{
	struct fixture *f = *state;
	char text[10000] = "";

	f->client->room = 100;
	assert_int_equal(write(f->peer, text, sizeof(text)), sizeof(text));
	uv_run(&f->s.loop, UV_RUN_NOWAIT);
	assert_int_equal(f->client->in_len, 200);
	turns(f, 100);
	assert_int_equal(f->client->in_len, sizeof(text));
}

static void what_the_kernel_does_not_take_waits_and_goes_on(void **state)
{
	struct fixture *f = *state;
	uint64_t at = 0;

	f->client->out_len = 8u << 20;
	f->bus.dirty = f->client;
	turns(f, 10);
	assert_true(f->client->is_blocked);
	assert_true(f->client->out_done > 0);
	assert_true(f->client->out_done < f->client->out_len);
	assert_int_equal(f->conn->mask, UV_READABLE | UV_WRITABLE);
	/* It sleeps while nobody reads. */
	assert_true(wakeups_ms(f, 100) <= 3);
	for (int i = 0; i < 1000 && at < f->client->out_len; i++) {
		take(f, &at);
		run_ms(f, 1);
	}
	assert_int_equal(at, f->client->out_len);
	assert_false(f->client->is_blocked);
	assert_int_equal(f->conn->mask, UV_READABLE);
}

static int sndbuf(const struct fixture *f)
{
	int value = 0;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(f->conn->fd, SOL_SOCKET, SO_SNDBUF, &value, &len), 0);
	return value;
}

static void a_full_socket_is_enlarged_for_long_messages_only(void **state)
{
	struct fixture *f = *state;
	int before, len = 1 << 15;

	assert_int_equal(setsockopt(f->conn->fd, SOL_SOCKET, SO_SNDBUF, &len, sizeof(len)), 0);
	before = sndbuf(f);
	f->client->out_len = 8u << 20;
	conn_flush(f->conn, 1);
	assert_true(f->client->out_done < f->client->out_len);
	assert_int_equal(sndbuf(f), before);
	f->client->is_long = true;
	while (sndbuf(f) == before && f->client->out_done < f->client->out_len) {
		uint64_t at = 0;
		uint8_t waste[4096];

		while (read(f->peer, waste, sizeof(waste)) > 0)
			at++;
		assert_true(at > 0);
		conn_flush(f->conn, 1);
	}
	assert_true(sndbuf(f) > before);
}

static void one_that_takes_everything_leaves_others_their_turn(void **state)
{
	struct fixture *f = *state;

	send_takes_all = true;
	f->client->out_len = UINT64_C(1) << 40;
	f->bus.dirty = f->client;
	uv_run(&f->s.loop, UV_RUN_NOWAIT);
	assert_true(n_sends <= 2 * CONN_WRITES_MAX);
	assert_false(f->client->is_blocked);
	n_sends = 0;
	/* And it goes on by itself. */
	for (int i = 0; i < 5; i++)
		uv_run(&f->s.loop, UV_RUN_NOWAIT);
	assert_true(n_sends >= 4 * CONN_WRITES_MAX);
	assert_true(n_sends <= 6 * CONN_WRITES_MAX);
	f->client->out_len = f->client->out_done;
	turns(f, 10);
	assert_int_equal(f->conn->mask, UV_READABLE);
}

static void a_kernel_without_buffers_is_waited_for(void **state)
{
	struct fixture *f = *state;
	uint64_t at = 0;

	send_error = ENOBUFS;
	n_send_errors = 2;
	f->client->out_len = 1000;
	f->bus.dirty = f->client;
	/* Neither spinning nor forgotten. */
	assert_true(wakeups_ms(f, SERVER_RETRY_MS) <= 6);
	for (int i = 0; i < 100 && n_sends < 3; i++)
		run_ms(f, SERVER_RETRY_MS);
	assert_int_equal(n_sends, 3);
	take(f, &at);
	assert_int_equal(at, 1000);
	assert_int_equal(f->conn->waits, CONN_WAIT_NOTHING);
	assert_false(f->client->is_blocked);
}

static void a_bus_without_memory_is_waited_for(void **state)
{
	struct fixture *f = *state;

	f->client->no_memory = true;
	assert_int_equal(write(f->peer, "x", 1), 1);
	assert_true(wakeups_ms(f, SERVER_RETRY_MS * 2) <= 8);
	assert_int_equal(f->client->in_len, 0);
	f->client->no_memory = false;
	for (int i = 0; i < 100 && f->client->in_len == 0; i++)
		run_ms(f, SERVER_RETRY_MS);
	assert_int_equal(f->client->in_len, 1);
}

static void a_paused_reader_that_hangs_up_costs_no_time(void **state)
{
	struct fixture *f = *state;

	f->client->wants_input = false;
	f->bus.changed = f->client;
	assert_int_equal(write(f->peer, "last", 4), 4);
	close(f->peer);
	assert_true(wakeups_ms(f, 100) <= 3);
	assert_int_equal(f->client->in_len, 0);
	assert_int_equal(f->client->n_eof, 0);
	/* It goes on, and finds all of it, and the end once. */
	f->client->wants_input = true;
	f->bus.changed = f->client;
	turns(f, 100);
	assert_int_equal(f->client->in_len, 4);
	assert_int_equal(f->client->n_eof, 1);
	assert_true(wakeups_ms(f, 100) <= 3);
	assert_int_equal(f->client->n_eof, 1);
	f->peer = -1;
}

static void a_blocked_receiver_that_hangs_up_costs_no_time(void **state)
{
	struct fixture *f = *state;

	f->client->wants_input = false;
	f->bus.changed = f->client;
	f->client->out_len = 8u << 20;
	f->bus.dirty = f->client;
	turns(f, 10);
	assert_true(f->client->is_blocked);
	close(f->peer);
	assert_true(wakeups_ms(f, 100) <= 6);
	assert_int_equal(f->conn->waits, CONN_WAIT_REST);
	f->client->wants_input = true;
	f->bus.changed = f->client;
	uv_run(&f->s.loop, UV_RUN_NOWAIT);
	/* In the same turn in which reading goes on: no event will wake the loop for it. */
	assert_int_equal(f->client->n_eof, 1);
	f->peer = -1;
}

static void what_was_sent_before_a_reset_is_read(void **state)
{
	struct fixture *f = *state;

	/* Unread data at its end makes it a reset. */
	f->client->out_len = 1000;
	f->bus.dirty = f->client;
	turns(f, 10);
	assert_int_equal(write(f->peer, "last words", 10), 10);
	close(f->peer);
	turns(f, 100);
	assert_int_equal(f->client->in_len, 10);
	assert_int_equal(f->client->n_eof, 1);
	f->peer = -1;
}

/* The bus forgets a client that is broken; what it had read by then is looked at here. */
static size_t in_len_when_broken;

static void one_that_takes_nothing_is_read_to_its_end(void **state)
{
	struct fixture *f = *state;
	struct client *c = f->client;

	c->room = 3;
	assert_int_equal(write(f->peer, "last words", 10), 10);
	assert_int_equal(shutdown(f->peer, SHUT_RD), 0);
	c->out_len = 1000;
	f->bus.dirty = c;
	in_len_when_broken = 0;
	for (int i = 0; i < 50 && f->bus.n_clients > 0; i++) {
		in_len_when_broken = c->in_len;
		uv_run(&f->s.loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(in_len_when_broken, 10);
	assert_int_equal(f->bus.n_clients, 0);
}

static void the_dead_are_told_before_they_are_closed(void **state)
{
	struct fixture *f = *state;
	uint64_t at = 0;
	char c;

	/* It sends still, and nobody reads that any more. */
	assert_int_equal(write(f->peer, "ignored", 7), 7);
	f->client->wants_input = false;
	f->client->out_len = 1000;
	f->bus.dead = f->client;
	turns(f, 10);
	assert_int_equal(f->bus.n_clients, 0);
	take(f, &at);
	assert_int_equal(at, 1000);
	/* An end, not a reset. */
	assert_int_equal(read(f->peer, &c, 1), 0);
}

static void senders_that_go_on_keep_the_loop_awake(void **state)
{
	struct fixture *f = *state;
	unsigned n = 10 * LOOP_ROUNDS_MAX;

	f->bus.n_run_ready = n;
	/* No event comes: without the idle handle one call would sleep for ever. */
	uv_update_time(&f->s.loop);
	for (unsigned i = 0; i < n && f->bus.n_run_ready > 0; i++)
		uv_run(&f->s.loop, UV_RUN_NOWAIT);
	assert_int_equal(f->bus.n_run_ready, 0);
	uv_run(&f->s.loop, UV_RUN_NOWAIT);
	assert_false(f->s.is_busy);
}

static void a_paced_client_gets_a_chunk_when_it_has_read(void **state)
{
	static uint8_t buf[65536];
	struct fixture *f = *state;
	uint64_t got = 0;

	f->client->is_paced = true;
	f->client->out_max = 20000;
	f->client->out_len = 1000000;
	f->bus.dirty = f->client;
	for (int i = 0; i < 2000 && got < f->client->out_len; i++) {
		ssize_t n;

		run_ms(f, 1);
		n = read(f->peer, buf, sizeof(buf));
		/* Whole chunks, whatever the moment. */
		if (n > 0)
			assert_int_equal(n % 20000, 0);
		got += n > 0 ? (uint64_t)n : 0;
	}
	assert_int_equal(got, f->client->out_len);
	assert_false(f->client->is_blocked);
}

static void a_paced_client_that_does_not_read_costs_no_time(void **state)
{
	struct fixture *f = *state;

	f->client->is_paced = true;
	f->client->out_max = 100;
	f->client->out_len = 100000;
	f->bus.dirty = f->client;
	turns(f, 10);
	assert_true(f->client->is_blocked);
	assert_true(f->client->out_done <= 200);
	assert_true(wakeups_ms(f, 100) <= 3);
}

/* ---- listening ---- */

static char path[64];

static struct listener *listen_at(struct fixture *f)
{
	const struct place_want w = {.kind = PLACE_SOCKET,
	                             .channel = "A",
	                             .path = path,
	                             .mode = 0600,
	                             .owner = (uid_t)-1,
	                             .group = (gid_t)-1};
	struct listener *l = listener_new(&f->s);
	struct fault fault;

	snprintf(path, sizeof(path), "/tmp/nc-test-%ld.sock", (long)getpid());
	assert_int_equal(place_prepare(&l->place, &w, NULL, &fault), 0);
	assert_int_equal(place_publish(&l->place, NULL, NULL, &fault), 0);
	place_commit(&l->place);
	assert_int_equal(listener_watch(l), 0);
	listener_start(l, NULL);
	return l;
}

static int connect_here(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void whom_the_bus_refuses_finds_an_end(void **state)
{
	struct fixture *f = *state;
	struct listener *l = listen_at(f);
	int fd = connect_here();
	char c;

	assert_int_equal(read(fd, &c, 1), -1);
	turns(f, 10);
	assert_int_equal(read(fd, &c, 1), 0);
	assert_int_equal(f->bus.counters.refused, 1);
	assert_int_equal(f->bus.counters.accepted, 0);
	close(fd);
	listener_retire(l, false);
}

static void a_kernel_that_cannot_accept_is_waited_for(void **state)
{
	static const int errors[] = {ENFILE, ENOBUFS, ENOMEM, EPROTO};
	struct fixture *f = *state;
	struct listener *l = listen_at(f);

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		int fd = connect_here();
		char c;

		accept_error = errors[i];
		n_accept_errors = 2;
		n_accepts = 0;
		/* Neither spinning nor forgotten. */
		assert_true(wakeups_ms(f, SERVER_RETRY_MS) <= 6);
		assert_true(n_accepts <= 4);
		for (int n = 0; n < 100 && read(fd, &c, 1) < 0; n++)
			run_ms(f, SERVER_RETRY_MS);
		assert_int_equal(read(fd, &c, 1), 0);
		close(fd);
	}
	listener_retire(l, false);
}

static void a_connection_that_was_given_up_is_no_reason_to_pause(void **state)
{
	struct fixture *f = *state;
	struct listener *l = listen_at(f);
	int fd = connect_here();
	char c;

	accept_error = ECONNABORTED;
	n_accept_errors = 3;
	turns(f, 10);
	assert_int_equal(read(fd, &c, 1), 0);
	close(fd);
	listener_retire(l, false);
}

static void without_descriptors_the_reserve_refuses(void **state)
{
	struct fixture *f = *state;
	struct listener *l = listen_at(f);
	int fd = connect_here();
	char c;

	f->s.reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	accept_error = EMFILE;
	n_accept_errors = 1;
	turns(f, 10);
	assert_int_equal(read(fd, &c, 1), 0);
	assert_int_equal(f->bus.counters.refused, 1);
	assert_true(fcntl(f->s.reserve_fd, F_GETFD) >= 0);
	close(f->s.reserve_fd);
	close(fd);
	listener_retire(l, false);
}

/* ---- who is there ---- */

static void a_peer_is_who_the_kernel_says(void **state)
{
	struct fixture *f = *state;
	struct peer p;
	char comm[16] = "";
	int fd = open("/proc/self/comm", O_RDONLY);

	assert_true(read(fd, comm, sizeof(comm) - 1) > 0);
	close(fd);
	comm[strcspn(comm, "\n")] = '\0';
	assert_int_equal(peer_of(&p, f->peer), 0);
	assert_int_equal(p.uid, geteuid());
	assert_int_equal(p.gid, getegid());
	assert_int_equal(p.pid, getpid());
	assert_string_equal(p.comm, comm);
	assert_int_equal(p.gids[0], getegid());
	assert_true(p.n_gids >= 1);
	assert_true(peer_of(&p, STDIN_FILENO) < 0);
}

static bool has_gid(const struct peer *p, gid_t gid)
{
	for (size_t i = 0; i < p->n_gids; i++) {
		if (p->gids[i] == gid)
			return true;
	}
	return false;
}

static void all_groups_of_a_peer_are_known_up_to_a_bound(void **state)
{
	static const size_t counts[] = {3, BUS_GROUPS_MAX, 1000};

	(void)state;
	if (geteuid() != 0) {
		print_message("# only root can give itself groups\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			size_t n = counts[i], last = n < BUS_GROUPS_MAX ? n : BUS_GROUPS_MAX - 1;
			gid_t gids[1000];
			struct peer p;
			int s[2];

			for (size_t g = 0; g < n; g++)
				gids[g] = (gid_t)(5000 + g);
			if (setgroups(n, gids) < 0)
				_exit(77);
			if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
				_exit(2);
			if (peer_of(&p, s[0]) < 0)
				_exit(3);
			if (p.n_gids != last + 1 || p.n_gids > BUS_GROUPS_MAX)
				_exit(4);
			_exit(has_gid(&p, 5000) && has_gid(&p, (gid_t)(5000 + last - 1)) ? 0 : 5);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
			print_message("# this root may not give itself groups\n");
			skip();
		}
		assert_int_equal(status, 0);
	}
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        test(what_arrives_reaches_the_bus),
	        test(one_connection_reads_twice_at_most_in_a_turn),
	        test(what_the_kernel_does_not_take_waits_and_goes_on),
	        test(a_full_socket_is_enlarged_for_long_messages_only),
	        test(one_that_takes_everything_leaves_others_their_turn),
	        test(a_kernel_without_buffers_is_waited_for),
	        test(a_bus_without_memory_is_waited_for),
	        test(a_paused_reader_that_hangs_up_costs_no_time),
	        test(a_blocked_receiver_that_hangs_up_costs_no_time),
	        test(what_was_sent_before_a_reset_is_read),
	        test(one_that_takes_nothing_is_read_to_its_end),
	        test(the_dead_are_told_before_they_are_closed),
	        test(senders_that_go_on_keep_the_loop_awake),
	        test(a_paced_client_gets_a_chunk_when_it_has_read),
	        test(a_paced_client_that_does_not_read_costs_no_time),
	        test(whom_the_bus_refuses_finds_an_end),
	        test(a_kernel_that_cannot_accept_is_waited_for),
	        test(a_connection_that_was_given_up_is_no_reason_to_pause),
	        test(without_descriptors_the_reserve_refuses),
	        test(a_peer_is_who_the_kernel_says),
	        cmocka_unit_test(all_groups_of_a_peer_are_known_up_to_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
