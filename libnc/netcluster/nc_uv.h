/* nc_uv.h - a libnc client in a libuv loop
 *
 *     nc_uv *uv;
 *     int r = nc_uv_attach(loop, client, &uv);  // 0, or a negative libuv error
 *     ...
 *     nc_uv_detach(uv);
 *
 * From nc_uv_attach() on the loop polls for the client and runs its handlers; it does not end while
 * the client is open. Attaching takes over nc_on_fd(). Both functions are called from the loop's
 * own thread, also inside the client's handlers. nc_free() detaches by itself, also inside a
 * handler; after it, or after nc_uv_detach(), `uv` is not to be used any more. The handles are
 * given back in their close callbacks, so the loop is to run once more before it is closed.
 *
 * The whole adapter is in this header; programs that include it link libuv.
 */
#ifndef NETCLUSTER_NC_UV_H
#define NETCLUSTER_NC_UV_H

#include <poll.h>
#include <stdlib.h>

#include <uv.h>

#include <netcluster/nc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How often a client is looked after whose descriptor can't be polled for want of memory. */
#define NC_UV_BLIND_MS 100

typedef struct nc_uv nc_uv;

struct nc_uv {
	nc_client *client; /* NULL once detached */
	uv_loop_t *loop;
	uv_poll_t *poll;      /* NULL while there is no descriptor; each has its own handle */
	int polled;           /* events that are asked for, 0 for none */
	int n_open;           /* handles that are not closed yet, of timer and prepare */
	uv_timer_t timer;     /* nc_timeout() */
	uv_prepare_t prepare; /* before each wait: what to poll for, and for how long */
};

/* Begins to run `client` in `loop`. Returns 0 and sets *out, which the adapter frees itself; or a
 * negative libuv error. */
static inline int nc_uv_attach(uv_loop_t *loop, nc_client *client, nc_uv **out);

/* Ends it; the client stays as it is. */
static inline void nc_uv_detach(nc_uv *uv);

static inline void nc_uv_on_poll_closed(uv_handle_t *h)
{
	free(h);
}

static inline void nc_uv_on_closed(uv_handle_t *h)
{
	nc_uv *uv = (nc_uv *)h->data;

	if (--uv->n_open == 0)
		free(uv);
}

static inline void nc_uv_on_poll(uv_poll_t *h, int status, int events)
{
	nc_uv *uv = (nc_uv *)h->data;

	(void)status;
	(void)events;
	if (uv->client)
		nc_process(uv->client);
}

static inline void nc_uv_on_timer(uv_timer_t *h)
{
	nc_uv *uv = (nc_uv *)h->data;

	if (uv->client)
		nc_process(uv->client);
}

static inline void nc_uv_update_poll(nc_uv *uv)
{
	short wanted = nc_events(uv->client);
	int events = (wanted & POLLIN ? UV_READABLE : 0) | (wanted & POLLOUT ? UV_WRITABLE : 0);

	if (!uv->poll || events == uv->polled)
		return;
	if (events ? uv_poll_start(uv->poll, events, nc_uv_on_poll) : uv_poll_stop(uv->poll))
		return;
	uv->polled = events;
}

static inline void nc_uv_open_poll(nc_uv *uv, int fd)
{
	uv_poll_t *poll = (uv_poll_t *)malloc(sizeof(*poll));

	if (!poll)
		return;
	if (uv_poll_init(uv->loop, poll, fd)) {
		free(poll);
		return;
	}
	poll->data = uv;
	uv->poll = poll;
	uv->polled = 0;
}

static inline void nc_uv_close_poll(nc_uv *uv)
{
	if (!uv->poll)
		return;
	uv_close((uv_handle_t *)uv->poll, nc_uv_on_poll_closed);
	uv->poll = NULL;
}

static inline void nc_uv_on_prepare(uv_prepare_t *h)
{
	nc_uv *uv = (nc_uv *)h->data;
	int fd = nc_fd(uv->client), ms;

	/* what other callbacks of the loop emitted goes out now, and at most waits for room */
	nc_flush(uv->client);
	if (!uv->poll && fd >= 0)
		nc_uv_open_poll(uv, fd);
	nc_uv_update_poll(uv);
	ms = nc_timeout(uv->client);
	/* without memory for a handle there is only the timer */
	if (!uv->poll && fd >= 0 && (ms < 0 || ms > NC_UV_BLIND_MS))
		ms = NC_UV_BLIND_MS;
	if (ms < 0)
		uv_timer_stop(&uv->timer);
	else
		uv_timer_start(&uv->timer, nc_uv_on_timer, (uint64_t)ms, 0);
	/* a client that is closed keeps nobody waiting; nc_open() tells nc_uv_on_fd() */
	if (ms < 0 && nc_state(uv->client) == NC_CLOSED)
		uv_prepare_stop(h);
}

static inline void nc_uv_on_fd(nc_client *client, int fd, void *arg)
{
	nc_uv *uv = (nc_uv *)arg;

	(void)client;
	if (fd == NC_FD_GONE) {
		nc_uv_detach(uv);
		return;
	}
	/* the old descriptor is closed when this returns; the new one is polled from the next wait
	 * on */
	nc_uv_close_poll(uv);
	uv_prepare_start(&uv->prepare, nc_uv_on_prepare);
}

static inline int nc_uv_attach(uv_loop_t *loop, nc_client *client, nc_uv **out)
{
	nc_uv *uv = (nc_uv *)calloc(1, sizeof(*uv));
	int r;

	*out = NULL;
	if (!uv)
		return UV_ENOMEM;
	uv->loop = loop;
	r = uv_timer_init(loop, &uv->timer);
	if (r == 0)
		r = uv_prepare_init(loop, &uv->prepare);
	if (r) {
		free(uv);
		return r;
	}
	uv->timer.data = uv;
	uv->prepare.data = uv;
	uv->n_open = 2;
	uv->client = client;
	nc_on_fd(client, nc_uv_on_fd, uv);
	uv_prepare_start(&uv->prepare, nc_uv_on_prepare);
	*out = uv;
	return 0;
}

static inline void nc_uv_detach(nc_uv *uv)
{
	if (!uv->client)
		return;
	nc_on_fd(uv->client, NULL, NULL);
	uv->client = NULL;
	nc_uv_close_poll(uv);
	uv_close((uv_handle_t *)&uv->timer, nc_uv_on_closed);
	uv_close((uv_handle_t *)&uv->prepare, nc_uv_on_closed);
}

#ifdef __cplusplus
}
#endif

#endif
