/* uv_loop.c - a client in a libuv loop, beside a timer
 *
 * nc_uv.h does the polling. The timer emits a number each time, which other members of the channel
 * hear, and this program too, since own events reach own handlers. After COUNT of them it frees the
 * client inside the handler, and the loop ends by itself.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netcluster/nc.h>
#include <netcluster/nc_uv.h>

struct program {
	nc_client *client; /* NULL once freed */
	uv_timer_t timer;
	int64_t n_sent;
	int64_t n_wanted;
	int status;
};

static int usage(FILE *to, int status)
{
	fputs("usage: uv_loop CHANNEL COUNT\n"
	      "Emits \"tick\" COUNT times, ten per second, and prints each as it is heard.\n",
	      to);
	return status;
}

static void on_timer(uv_timer_t *timer)
{
	struct program *p = timer->data;
	int r;

	if (p->n_sent == p->n_wanted)
		return;
	r = nc_emit_int(p->client, "tick", p->n_sent + 1);
	/* where the queue is full, the next tick tries again */
	if (r == NC_OK)
		p->n_sent++;
	else if (r != NC_AGAIN)
		fprintf(stderr, "uv_loop: %s\n", nc_strerror(r));
}

static void leave(struct program *p, int status)
{
	p->status = status;
	nc_free(p->client);
	p->client = NULL;
	uv_close((uv_handle_t *)&p->timer, NULL);
}

static void on_tick(nc_client *c, const nc_msg *m, void *arg)
{
	struct program *p = arg;
	int64_t n;

	(void)c;
	if (nc_msg_int(m, &n) != NC_OK)
		return;
	printf("tick %lld\n", (long long)n);
	fflush(stdout);
	if (n == p->n_wanted)
		leave(p, EXIT_SUCCESS);
}

static void on_status(nc_client *c, const struct nc_status *s, void *arg)
{
	(void)c;
	if (s->kind == NC_STATUS_RECONNECTING)
		fprintf(stderr, "uv_loop: %s; next attempt in %d ms\n", s->text, s->delay_ms);
	if (s->kind != NC_STATUS_CLOSED)
		return;
	fprintf(stderr, "uv_loop: %s: %s\n", nc_strerror(s->error), s->text);
	leave(arg, EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	struct program p = {.status = EXIT_FAILURE};
	uv_loop_t *loop = uv_default_loop();
	nc_uv *uv;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout, EXIT_SUCCESS);
	if (argc != 3 || (p.n_wanted = strtoll(argv[2], NULL, 10)) <= 0)
		return usage(stderr, EXIT_FAILURE);
	if (nc_new(&p.client, argv[1])) {
		fprintf(stderr, "uv_loop: %s: no such channel name\n", argv[1]);
		return EXIT_FAILURE;
	}
	nc_on_status(p.client, on_status, &p);
	if (nc_on_event(p.client, "tick", on_tick, &p) || nc_uv_attach(loop, p.client, &uv) ||
	    nc_open(p.client)) {
		fprintf(stderr, "uv_loop: %s\n", nc_error_text(p.client));
		return EXIT_FAILURE;
	}
	uv_timer_init(loop, &p.timer);
	p.timer.data = &p;
	uv_timer_start(&p.timer, on_timer, 100, 100);
	uv_run(loop, UV_RUN_DEFAULT);
	uv_loop_close(loop);
	return p.status;
}
