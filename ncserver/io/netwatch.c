/* netwatch.c - hears from the kernel that interfaces or their addresses have changed */
#include "ncserver/io/netwatch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reads in one turn: in a swarm the rest comes with the next turn. */
#define READS_MAX 64

struct netwatch {
	uv_poll_t poll;
	uv_timer_t timer;
	void (*on_change)(void *arg);
	void *arg;
	int fd;
	int n_handles; /* not yet closed */
};

static void on_timer(uv_timer_t *timer)
{
	struct netwatch *w = timer->data;

	w->on_change(w->arg);
}

void netwatch_ask(struct netwatch *w, unsigned ms)
{
	if (uv_is_active((uv_handle_t *)&w->timer) && uv_timer_get_due_in(&w->timer) <= ms)
		return;
	uv_update_time(w->timer.loop);
	uv_timer_start(&w->timer, on_timer, ms, 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct netwatch *w = poll->data;
	char news[8192];

	(void)status;
	(void)events;
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = recv(w->fd, news, sizeof(news), MSG_DONTWAIT);

		/* ENOBUFS: more has changed than there was room to tell. */
		if (n < 0 && errno != ENOBUFS && errno != EINTR)
			return;
		netwatch_ask(w, NETWATCH_MS);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct netwatch *w = handle->data;

	if (--w->n_handles == 0)
		free(w);
}

static int open_socket(void)
{
	struct sockaddr_nl addr = {.nl_family = AF_NETLINK,
	                           .nl_groups =
	                                   RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	int err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int netwatch_new(struct netwatch **out, uv_loop_t *loop, void (*on_change)(void *arg), void *arg)
{
	struct netwatch *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->on_change = on_change;
	w->arg = arg;
	w->fd = open_socket();
	err = w->fd < 0 ? w->fd : uv_poll_init(loop, &w->poll, w->fd);
	if (err) {
		if (w->fd >= 0)
			close(w->fd);
		free(w);
		return err;
	}
	w->poll.data = w;
	uv_timer_init(loop, &w->timer);
	w->timer.data = w;
	w->n_handles = 2;
	err = uv_poll_start(&w->poll, UV_READABLE, on_poll);
	if (err) {
		netwatch_free(w);
		return err;
	}
	*out = w;
	return 0;
}

void netwatch_free(struct netwatch *w)
{
	if (!w)
		return;
	uv_close((uv_handle_t *)&w->poll, on_closed);
	uv_close((uv_handle_t *)&w->timer, on_closed);
	close(w->fd);
}
