/* plan.c - all sockets and FIFOs of a new configuration, or none */
#include "ncserver/io/plan.h"

#include "ncserver/bus/bus.h"
#include "ncserver/conf/conf.h"
#include "ncserver/io/fault.h"
#include "ncserver/io/fifo.h"
#include "ncserver/io/listener.h"
#include "ncserver/io/rundir.h"
#include "ncserver/io/server.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static struct place_want want_of(const struct conf_channel *ch, enum place_kind kind)
{
	return (struct place_want){
	        .kind = kind,
	        .channel = ch->name,
	        .path = kind == PLACE_FIFO ? ch->fifo : ch->socket,
	        .mode = ch->mode,
	        .owner = ch->owner,
	        .group = ch->group,
	};
}

static struct listener *listener_of(struct server *s, const char *channel)
{
	struct list *it;

	list_for_each(it, &s->listeners) {
		struct listener *l = list_entry(it, struct listener, link);

		if (strcmp(l->place.channel, channel) == 0)
			return l;
	}
	return NULL;
}

static struct fifo *fifo_of(struct server *s, const char *channel)
{
	struct list *it;

	list_for_each(it, &s->fifos) {
		struct fifo *f = list_entry(it, struct fifo, link);

		if (strcmp(f->place.channel, channel) == 0)
			return f;
	}
	return NULL;
}

/* ---- what is to be done ---- */

static bool needs_socket(const struct plan_item *item)
{
	struct place_want w = want_of(item->channel, PLACE_SOCKET);

	return !item->old_listener || !place_is(&item->old_listener->place, &w);
}

static bool needs_fifo(const struct plan_item *item)
{
	struct place_want w = want_of(item->channel, PLACE_FIFO);

	return w.path && (!item->old_fifo || !place_is(&item->old_fifo->place, &w));
}

/* The path that something new is to stand at, or NULL. */
static const char *new_path(const struct plan_item *item, const struct activation *a, bool is_fifo)
{
	if (is_fifo)
		return needs_fifo(item) ? item->channel->fifo : NULL;
	return needs_socket(item) && !activation_has(a, item->channel->socket)
	               ? item->channel->socket
	               : NULL;
}

static int lock_dirs(struct plan *p, const struct server *s, int lock_ms, struct fault *f)
{
	const struct rundir_env env = {.uid = s->source.env.uid,
	                               .runtime_dir = s->source.env.runtime_dir};
	char **dirs = calloc(2 * p->n + 1, sizeof(*dirs));
	char dir[PATH_MAX];
	size_t n = 0;
	int err = dirs ? 0 : -ENOMEM;

	for (size_t i = 0; i < 2 * p->n && !err; i++) {
		const char *path = new_path(&p->items[i / 2], &s->activation, i % 2);

		if (!path)
			continue;
		rundir_of(dir, sizeof(dir), path);
		/* Sorted by channel, most stand in one directory. */
		if (n > 0 && strcmp(dirs[n - 1], dir) == 0)
			continue;
		err = rundir_ensure(dir, &env, f);
		dirs[n] = err ? NULL : strdup(dir);
		if (!err && !dirs[n++])
			err = -ENOMEM;
	}
	if (!err)
		err = dirlocks_acquire(&p->locks, (const char *const *)dirs, n, lock_ms, f);
	while (n > 0)
		free(dirs[--n]);
	free(dirs);
	return err;
}

/* ---- making ---- */

static int make_listener(struct plan_item *item, struct server *s, struct fault *f)
{
	struct place_want w = want_of(item->channel, PLACE_SOCKET);
	int fd = activation_take(&s->activation, w.path);
	struct listener *l = listener_new(s);
	int err;

	item->listener = l;
	if (!l)
		return -ENOMEM;
	err = fd >= 0 ? place_adopt(&l->place, &w, fd) : place_prepare(&l->place, &w, NULL, f);
	if (err)
		return err;
	err = listener_watch(l);
	return err ? fault_set(f, EX_OSERR, "channel %s: cannot watch its socket: %s", w.channel,
	                       strerror(-err))
	           : 0;
}

static int make_fifo(struct plan_item *item, struct server *s, struct fault *f)
{
	struct place_want w = want_of(item->channel, PLACE_FIFO);

	if (item->old_fifo && strcmp(item->old_fifo->place.path, w.path) == 0)
		return place_prepare(&item->fifo_place, &w, &item->old_fifo->place, f);
	item->fifo = fifo_new(s);
	if (!item->fifo)
		return -ENOMEM;
	return place_prepare(&item->fifo->place, &w, NULL, f);
}

static int make_item(struct plan_item *item, struct server *s, struct fault *f)
{
	int err = 0;

	if (needs_socket(item))
		err = make_listener(item, s, f);
	if (!err && needs_fifo(item))
		err = make_fifo(item, s, f);
	return err;
}

/* ---- putting into place ---- */

static bool is_ours(void *arg, dev_t dev, ino_t ino)
{
	struct server *s = arg;
	struct list *it;

	list_for_each(it, &s->listeners) {
		const struct place *p = &list_entry(it, struct listener, link)->place;

		if (p->dev == dev && p->ino == ino)
			return true;
	}
	return false;
}

static int publish_item(struct plan_item *item, struct server *s, struct fault *f)
{
	int err = 0;

	if (item->listener)
		err = place_publish(&item->listener->place, is_ours, s, f);
	if (!err && item->fifo)
		err = place_publish(&item->fifo->place, is_ours, s, f);
	if (!err && item->fifo_place.state == PLACE_PREPARED)
		err = place_publish(&item->fifo_place, is_ours, s, f);
	return err;
}

static int init_items(struct plan *p, struct server *s, const struct conf *conf)
{
	*p = (struct plan){0};
	p->items = calloc(conf->n_channels + 1, sizeof(*p->items));
	if (!p->items)
		return -ENOMEM;
	p->n = conf->n_channels;
	for (size_t i = 0; i < p->n; i++) {
		struct plan_item *item = &p->items[i];

		item->channel = &conf->channels[i];
		item->old_listener = listener_of(s, item->channel->name);
		item->old_fifo = fifo_of(s, item->channel->name);
		place_init(&item->fifo_place);
	}
	return 0;
}

int plan_make(struct plan *p, struct server *s, const struct conf *conf, int lock_ms,
              struct fault *f)
{
	int err = init_items(p, s, conf);

	if (!err)
		err = lock_dirs(p, s, lock_ms, f);
	for (size_t i = 0; i < p->n && !err; i++)
		err = make_item(&p->items[i], s, f);
	for (size_t i = 0; i < p->n && !err; i++)
		err = publish_item(&p->items[i], s, f);
	if (err)
		plan_rollback(p);
	return err;
}

static void plan_fini(struct plan *p)
{
	dirlocks_release(&p->locks);
	free(p->items);
	*p = (struct plan){0};
}

void plan_rollback(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct plan_item *item = &p->items[i];

		if (item->listener)
			listener_close(item->listener);
		if (item->fifo)
			fifo_free(item->fifo);
		place_rollback(&item->fifo_place);
	}
	plan_fini(p);
}

/* ---- the point of no return ---- */

static void commit_item(struct plan_item *item, struct server *s)
{
	struct chan *chan = bus_chan(s->bus, item->channel->name);

	if (item->listener) {
		place_commit(&item->listener->place);
		/* Who connected to the old one before belongs to the same channel. */
		if (item->old_listener)
			listener_retire(item->old_listener, true);
		listener_start(item->listener, chan);
	}
	if (item->fifo) {
		place_commit(&item->fifo->place);
		if (item->old_fifo)
			fifo_retire(item->old_fifo);
		fifo_start(item->fifo, chan);
	}
	if (item->fifo_place.state == PLACE_PUBLISHED) {
		place_commit(&item->fifo_place);
		fifo_move(item->old_fifo, &item->fifo_place);
	}
}

static void retire_unwanted(struct server *s, const struct conf *conf)
{
	struct list *it, *next;

	list_for_each_safe(it, next, &s->listeners) {
		struct listener *l = list_entry(it, struct listener, link);

		if (!conf_channel(conf, l->place.channel))
			listener_retire(l, false);
	}
	list_for_each_safe(it, next, &s->fifos) {
		struct fifo *f = list_entry(it, struct fifo, link);
		const struct conf_channel *ch = conf_channel(conf, f->place.channel);

		if (!ch || !ch->fifo)
			fifo_retire(f);
	}
}

void plan_commit(struct plan *p, struct server *s, const struct conf *conf)
{
	/* First, since a socket may take the path of a channel that goes. */
	retire_unwanted(s, conf);
	for (size_t i = 0; i < p->n; i++)
		commit_item(&p->items[i], s);
	plan_fini(p);
}
