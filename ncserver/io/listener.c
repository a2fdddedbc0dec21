/* listener.c - the socket of one channel, and the connections that it accepts */
#include "ncserver/io/listener.h"

#include "libnc/wire/error.h"
#include "ncserver/bus/bus.h"
#include "ncserver/io/conn.h"
#include "ncserver/io/loop.h"
#include "ncserver/io/names.h"
#include "ncserver/io/peer.h"
#include "ncserver/io/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_poll(uv_poll_t *handle, int status, int events);

static void refuse(struct listener *l, int fd, const struct peer *peer, const char *why)
{
	struct server *s = l->server;

	s->counters->refused++;
	log_warning(&s->log, "connection refused", log_str("channel", l->place.channel),
	            log_str("why", why), log_int("uid", (int64_t)peer->uid),
	            log_int("pid", peer->pid), log_str("command", peer->comm));
	close(fd);
}

static void welcome(struct listener *l, int fd)
{
	struct server *s = l->server;
	struct peer peer;
	struct client *client;
	enum nc_error why = NC_OK;
	uint64_t now = server_now();
	int err;

	peer.uid = (uid_t)-1;
	peer.pid = 0;
	peer.comm[0] = '\0';
	err = peer_of(&peer, fd);
	if (err) {
		refuse(l, fd, &peer, "the kernel does not say who it is");
		return;
	}
	client = bus_accept(s->bus, l->chan, &peer, now, &why);
	if (!client) {
		refuse(l, fd, &peer, error_text((int)why));
		return;
	}
	if (!conn_new(s, fd, client, NULL)) {
		bus_client_free(s->bus, client);
		refuse(l, fd, &peer, "no memory");
		return;
	}
	/* So that it is known when somebody asks who is there. */
	(void)names_get(s->names, peer.uid, now);
	if (why == NC_OK)
		s->counters->accepted++;
	else
		s->counters->refused++;
}

static void pause_all(struct server *s)
{
	struct list *it;

	list_for_each(it, &s->listeners) {
		struct listener *l = list_entry(it, struct listener, link);

		if (!l->is_paused)
			uv_poll_stop(&l->poll);
		l->is_paused = true;
	}
	loop_retry_soon(s);
}

/* No descriptor for this process: the reserve accepts, so that the other side hears of it. Returns
 * whether there may be more to refuse. */
static bool refuse_one(struct listener *l)
{
	struct server *s = l->server;
	int fd, err;

	if (s->reserve_fd >= 0)
		close(s->reserve_fd);
	fd = accept4(l->place.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	err = errno;
	if (fd >= 0) {
		s->counters->refused++;
		close(fd);
	}
	s->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (s->reserve_fd < 0 || (fd < 0 && err != EAGAIN))
		pause_all(s);
	return fd >= 0 && s->reserve_fd >= 0;
}

/* Returns whether to accept on. */
static bool on_accept_error(struct listener *l, int err)
{
	struct server *s = l->server;

	switch (err) {
	case EAGAIN: return false;
	case EINTR:
	case ECONNABORTED: return true;
	case EMFILE:
		log_error(&s->log, "out of descriptors, connections are refused",
		          log_str("channel", l->place.channel),
		          log_uint("connections", s->n_conns));
		return refuse_one(l);
	default:
		log_error(&s->log, "cannot accept, pausing", log_str("channel", l->place.channel),
		          log_err(-err));
		pause_all(s);
		return false;
	}
}

static void accept_some(struct listener *l, unsigned max)
{
	for (unsigned i = 0; i < max && !l->is_paused; i++) {
		int fd = accept4(l->place.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			welcome(l, fd);
		else if (!on_accept_error(l, errno))
			return;
	}
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct listener *l = handle->data;

	(void)events;
	if (status < 0) {
		log_error(&l->server->log, "a listening socket failed",
		          log_str("channel", l->place.channel), log_err(status));
		l->is_paused = true;
		loop_retry_soon(l->server);
		return;
	}
	accept_some(l, LISTENER_ACCEPTS_MAX);
}

struct listener *listener_new(struct server *s)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->server = s;
	list_init(&l->link);
	place_init(&l->place);
	return l;
}

int listener_watch(struct listener *l)
{
	int err = uv_poll_init(&l->server->loop, &l->poll, l->place.fd);

	if (err)
		return err;
	l->poll.data = l;
	l->is_watched = true;
	return 0;
}

void listener_start(struct listener *l, struct chan *chan)
{
	l->chan = chan;
	list_add_tail(&l->server->listeners, &l->link);
	l->is_paused = true;
	listener_resume(l);
}

void listener_resume(struct listener *l)
{
	if (!l->is_paused)
		return;
	l->is_paused = false;
	uv_poll_start(&l->poll, UV_READABLE, on_poll);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void listener_close(struct listener *l)
{
	list_del(&l->link);
	if (l->is_watched)
		uv_close((uv_handle_t *)&l->poll, on_closed);
	if (l->place.state == PLACE_STANDING)
		place_fini(&l->place);
	else
		place_rollback(&l->place);
	if (!l->is_watched)
		free(l);
}

void listener_retire(struct listener *l, bool accept_rest)
{
	place_unlink(&l->place);
	if (accept_rest) {
		l->is_paused = false;
		accept_some(l, PLACE_BACKLOG);
	}
	listener_close(l);
}
