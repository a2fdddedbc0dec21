/*
 * A server that does what a test says
 */

#include "t/unit/fake_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#define SEEN_MAX 65536

struct fake_thread {
	pthread_t id;
	atomic_bool stop;
	size_t n_seen;
	char seen[SEEN_MAX];
};

void fake_listen(struct fake *f)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	f->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(f->listen_fd >= 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", f->path);
	unlink(f->path);
	assert_int_equal(bind(f->listen_fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(f->listen_fd, 8), 0);
}

void fake_open(struct fake *f)
{
	memset(f, 0, sizeof(*f));
	f->fd = -1;
	f->session = FAKE_SESSION - 1;
	f->max_payload = NC_MESSAGE_DEFAULT;
	snprintf(f->dir, sizeof(f->dir), "/tmp/nc-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/c.sock", f->dir);
	fake_listen(f);
}

void fake_stop_listening(struct fake *f)
{
	if (f->listen_fd >= 0)
		close(f->listen_fd);
	f->listen_fd = -1;
	unlink(f->path);
}

void fake_close(struct fake *f)
{
	fake_hang_up(f);
	fake_stop_listening(f);
	rmdir(f->dir);
	free(f->in);
	free(f->taken);
	free(f->thread);
}

int fake_setup(void **state)
{
	static struct fake f;

	fake_open(&f);
	*state = &f;
	return 0;
}

int fake_teardown(void **state)
{
	fake_close(*state);
	return 0;
}

nc_client *fake_client(const struct fake *f)
{
	nc_client *c;

	assert_int_equal(nc_new(&c, "c"), NC_OK);
	assert_int_equal(nc_setopt_str(c, NC_OPT_SOCKET, f->path), NC_OK);
	assert_int_equal(nc_setopt_str(c, NC_OPT_LABEL, "tester"), NC_OK);
	return c;
}

void fake_accept(struct fake *f)
{
	assert_true(f->fd < 0);
	f->fd = accept4(f->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(f->fd >= 0);
	f->in_len = 0;
	f->is_at_end = false;
}

void fake_hang_up(struct fake *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

bool fake_is_hung_up(struct fake *f)
{
	struct pollfd p = {.fd = f->fd, .events = POLLRDHUP};

	assert_true(poll(&p, 1, 0) >= 0);
	return p.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

void fake_read(struct fake *f)
{
	ssize_t n;

	do {
		if (f->in_cap - f->in_len < 65536) {
			f->in_cap = f->in_cap * 2 + 65536;
			f->in = realloc(f->in, f->in_cap);
			assert_non_null(f->in);
		}
		n = recv(f->fd, f->in + f->in_len, f->in_cap - f->in_len, 0);
		if (n > 0)
			f->in_len += (size_t)n;
		f->is_at_end = n == 0;
	} while (n > 0);
}

/* Takes the first n bytes out, into memory that stays until the next call. */
static const uint8_t *fake_take(struct fake *f, size_t n)
{
	free(f->taken);
	f->taken = malloc(n);
	assert_non_null(f->taken);
	memcpy(f->taken, f->in, n);
	memmove(f->in, f->in + n, f->in_len - n);
	f->in_len -= n;
	return f->taken;
}

/* Whether a whole frame is there. */
static bool fake_has_frame(const struct fake *f)
{
	return f->in_len >= FRAME_PREFIX_LEN && f->in_len >= frame_prefix_get(f->in).len;
}

const uint8_t *fake_expect(struct fake *f, enum frame_kind kind, size_t *len)
{
	if (!fake_has_frame(f))
		fake_read(f);
	assert_true(fake_has_frame(f));
	assert_int_equal(frame_prefix_get(f->in).kind, kind);
	*len = frame_prefix_get(f->in).len;
	return fake_take(f, *len);
}

struct frame_emit fake_expect_emit(struct fake *f, const char *event)
{
	struct frame_emit m;
	size_t len;
	const uint8_t *p = fake_expect(f, FRAME_EMIT, &len);

	assert_int_equal(frame_emit_get(&m, p, len, UINT32_MAX), FRAME_OK);
	assert_int_equal(m.channel_len, 1);
	assert_memory_equal(m.channel, "c", 1);
	assert_int_equal(m.event_len, strlen(event));
	assert_memory_equal(m.event, event, m.event_len);
	return m;
}

void fake_expect_nothing(struct fake *f)
{
	fake_read(f);
	assert_int_equal(f->in_len, 0);
}

void fake_expect_hello(struct fake *f)
{
	struct frame_hello hello;
	const uint8_t *p;
	size_t len;

	fake_read(f);
	assert_true(f->in_len >= FRAME_PREFACE_LEN);
	p = fake_take(f, FRAME_PREFACE_LEN);
	assert_memory_equal(p, FRAME_PREFACE, FRAME_PREFACE_LEN);
	p = fake_expect(f, FRAME_HELLO, &len);
	assert_int_equal(frame_hello_get(&hello, p, len), FRAME_OK);
	assert_int_equal(hello.version_min, FRAME_VERSION_MIN);
	assert_int_equal(hello.version_max, FRAME_VERSION_MAX);
	assert_int_equal(hello.label_len, 6);
	assert_memory_equal(hello.label, "tester", 6);
}

void fake_welcome(struct fake *f)
{
	struct frame_welcome w = {
	        .version = 1,
	        .features = FRAME_FEAT_SENDER,
	        .sender = ++f->session,
	        .max_payload = f->max_payload,
	        .channel = "c",
	        .channel_len = 1,
	        .host = "here",
	        .host_len = 4,
	        .server = "fake 1",
	        .server_len = 6,
	};
	uint8_t buf[256];

	fake_send(f, buf, frame_welcome_put(buf, sizeof(buf), &w));
}

void fake_greet(struct fake *f, nc_client *c)
{
	fake_accept(f);
	fake_expect_hello(f);
	fake_welcome(f);
	assert_int_equal(nc_process(c), NC_OK);
	assert_int_equal(nc_state(c), NC_CONNECTED);
	assert_int_equal(nc_id(c), f->session);
}

void fake_connect(struct fake *f, nc_client *c)
{
	assert_int_equal(nc_open(c), NC_OK);
	assert_int_equal(nc_state(c), NC_CONNECTING);
	fake_greet(f, c);
}

void fake_send(struct fake *f, const void *p, size_t len)
{
	assert_int_equal(send(f->fd, p, len, MSG_NOSIGNAL), (ssize_t)len);
}

size_t fake_put_emit(uint8_t *buf, size_t cap, const char *event, enum frame_type type,
                     const void *data, size_t len)
{
	struct frame_emit m = {
	        .sender = 77,
	        .channel = "c",
	        .channel_len = 1,
	        .event = event,
	        .event_len = (uint8_t)strlen(event),
	        .flags = (uint8_t)type,
	        .payload_len = (uint32_t)len,
	};
	size_t n = frame_emit_head_put(buf, cap, &m);

	assert_true(n && cap - n >= len);
	if (len)
		memcpy(buf + n, data, len);
	return n + len;
}

void fake_emit(struct fake *f, const char *event, const char *text, uint64_t seq)
{
	uint8_t buf[1024];
	size_t n = fake_put_emit(buf, sizeof(buf), event, FRAME_T_TEXT, text, strlen(text));

	frame_emit_stamp(buf, 77, seq);
	fake_send(f, buf, n);
}

/* ---- the thread. It must not fail an assertion: cmocka's jump is for the test's own thread. */

static void thread_saw(struct fake *f, char letter)
{
	if (f->thread->n_seen + 1 < SEEN_MAX)
		f->thread->seen[f->thread->n_seen++] = letter;
}

static void thread_answer_ping(struct fake *f, const uint8_t *p, size_t len)
{
	uint8_t buf[32];
	uint64_t token = 0;

	(void)frame_ping_get(&token, p, len);
	(void)!send(f->fd, buf, frame_ping_put(buf, sizeof(buf), FRAME_PONG, token), MSG_NOSIGNAL);
}

static void thread_take(struct fake *f)
{
	size_t len = frame_prefix_get(f->in).len;
	uint8_t kind = f->in[4];

	switch (kind) {
	case FRAME_HELLO:
		thread_saw(f, 'H');
		fake_take(f, len);
		fake_welcome(f);
		return;
	case FRAME_LISTEN: thread_saw(f, 'L'); break;
	case FRAME_UNLISTEN: thread_saw(f, 'U'); break;
	case FRAME_EMIT: thread_saw(f, 'E'); break;
	case FRAME_PING:
		thread_saw(f, 'P');
		thread_answer_ping(f, f->in, len);
		break;
	case FRAME_BYE:
		thread_saw(f, 'B');
		fake_hang_up(f);
		f->in_len = 0;
		return;
	default: thread_saw(f, '?');
	}
	fake_take(f, len);
}

static void *thread_main(void *arg)
{
	struct fake *f = arg;
	bool greeted = f->fd >= 0;

	while (!atomic_load(&f->thread->stop)) {
		struct pollfd p = {.fd = f->fd >= 0 ? f->fd : f->listen_fd, .events = POLLIN};

		if (poll(&p, 1, 20) <= 0)
			continue;
		if (f->fd < 0) {
			f->fd = accept4(f->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			f->in_len = 0;
			greeted = false;
			continue;
		}
		fake_read(f);
		if (!greeted && f->in_len >= FRAME_PREFACE_LEN) {
			fake_take(f, FRAME_PREFACE_LEN);
			greeted = true;
		}
		while (f->fd >= 0 && fake_has_frame(f))
			thread_take(f);
		if (f->fd >= 0 && f->is_at_end)
			fake_hang_up(f);
	}
	return NULL;
}

void fake_start(struct fake *f)
{
	f->thread = calloc(1, sizeof(*f->thread));
	assert_non_null(f->thread);
	assert_int_equal(pthread_create(&f->thread->id, NULL, thread_main, f), 0);
}

void fake_join(struct fake *f)
{
	atomic_store(&f->thread->stop, true);
	assert_int_equal(pthread_join(f->thread->id, NULL), 0);
}

const char *fake_seen(const struct fake *f)
{
	return f->thread->seen;
}
