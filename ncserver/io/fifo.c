/* fifo.c - a FIFO as a second way into a channel, for scripts
 *
 * The connection has a descriptor of its own, so that the FIFO stays open, and keeps what is in it,
 * while one pseudo-client goes and the next one comes.
 */
#include "ncserver/io/fifo.h"

#include "ncserver/bus/bus.h"
#include "ncserver/io/conn.h"
#include "ncserver/io/loop.h"
#include "ncserver/io/server.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct fifo *fifo_new(struct server *s)
{
	struct fifo *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->server = s;
	list_init(&f->link);
	place_init(&f->place);
	return f;
}

void fifo_resume(struct fifo *f)
{
	struct server *s = f->server;
	struct client *client;
	int fd;

	if (f->conn || f->is_closing || s->state > SERVER_RUNNING)
		return;
	fd = fcntl(f->place.fd, F_DUPFD_CLOEXEC, 0);
	client = fd < 0 ? NULL : bus_accept_fifo(s->bus, f->chan, server_now());
	if (client)
		f->conn = conn_new(s, fd, client, f);
	if (f->conn)
		return;
	log_error(&s->log, "cannot read a FIFO now, trying again",
	          log_str("channel", f->place.channel), log_str("path", f->place.path));
	if (client)
		bus_client_free(s->bus, client);
	if (fd >= 0)
		close(fd);
	loop_retry_soon(s);
}

void fifo_start(struct fifo *f, struct chan *chan)
{
	f->chan = chan;
	list_add_tail(&f->server->fifos, &f->link);
	fifo_resume(f);
}

void fifo_on_client_gone(struct fifo *f)
{
	f->conn = NULL;
	if (f->is_closing)
		fifo_free(f);
	else
		fifo_resume(f);
}

void fifo_move(struct fifo *f, struct place *place)
{
	/* The file is the same, and keeps its name. */
	place_fini(&f->place);
	f->place = *place;
	place_init(place);
}

void fifo_retire(struct fifo *f)
{
	struct conn *c = f->conn;

	list_del(&f->link);
	place_unlink(&f->place);
	f->is_closing = true;
	if (!c) {
		fifo_free(f);
		return;
	}
	/* What is in it by now is read in the next turn: this one may be in the middle of another
	 * client's input, where the bus takes no second one. */
	conn_end(c);
}

void fifo_free(struct fifo *f)
{
	list_del(&f->link);
	if (f->place.state == PLACE_STANDING)
		place_fini(&f->place);
	else
		place_rollback(&f->place);
	free(f);
}
