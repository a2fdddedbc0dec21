/* threads.c - several threads, each with a client of its own
 *
 * A client belongs to one thread at a time; nothing is shared between clients, so threads need no
 * lock. Here some threads emit and one listens; it counts what it hears of each, and the program
 * fails if anything is missing.
 */

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netcluster/nc.h>

#define N_EMITTERS    4
#define N_MESSAGES    1000
#define CONNECT_MS    5000
#define WAIT_MS       10000
#define EVENT_PATTERN "work.*"

struct emitter {
	pthread_t thread;
	const char *channel;
	char event[24];
	int error; /* enum nc_error */
};

/* What was heard, by emitter. */
struct tally {
	int64_t n[N_EMITTERS];
	int64_t n_all;
	int is_out_of_order;
};

static int usage(FILE *to, int status)
{
	fputs("usage: threads CHANNEL\n"
	      "Lets four threads emit 1000 numbers each, and checks that all are heard in order.\n",
	      to);
	return status;
}

static int emit_numbers(struct emitter *e, nc_client *c)
{
	int r = nc_connect(c, CONNECT_MS);

	for (int64_t i = 0; r == NC_OK && i < N_MESSAGES; i++)
		r = nc_emit_wait(c, e->event, NC_INT, &i, sizeof(i), 0, WAIT_MS);
	/* the server has them all before the thread ends */
	return r ? r : nc_sync(c, WAIT_MS);
}

static void *emit_main(void *arg)
{
	struct emitter *e = arg;
	nc_client *c;

	e->error = nc_new(&c, e->channel);
	if (e->error)
		return NULL;
	e->error = emit_numbers(e, c);
	nc_free(c);
	return NULL;
}

static void on_number(nc_client *c, const nc_msg *m, void *arg)
{
	struct tally *t = arg;
	long which = strtol(nc_msg_event(m) + strlen("work."), NULL, 10);
	int64_t n;

	if (which < 0 || which >= N_EMITTERS || nc_msg_int(m, &n))
		return;
	if (n != t->n[which]++)
		t->is_out_of_order = 1;
	if (++t->n_all == (int64_t)N_EMITTERS * N_MESSAGES)
		nc_stop(c);
}

/* Listens, and lets the emitters run meanwhile. Returns an enum nc_error. */
static int run(nc_client *c, struct emitter *emitters)
{
	int r = nc_connect(c, CONNECT_MS);

	/* only when the server knows what we want to hear may the emitters begin */
	if (!r)
		r = nc_sync(c, WAIT_MS);
	if (r)
		return r;
	for (int i = 0; i < N_EMITTERS; i++)
		if (pthread_create(&emitters[i].thread, NULL, emit_main, &emitters[i]))
			return NC_ESYS;
	r = nc_run(c);
	for (int i = 0; i < N_EMITTERS; i++)
		pthread_join(emitters[i].thread, NULL);
	return r;
}

int main(int argc, char **argv)
{
	struct emitter emitters[N_EMITTERS] = {0};
	struct tally t = {0};
	nc_client *c;
	int r;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout, EXIT_SUCCESS);
	if (argc != 2)
		return usage(stderr, EXIT_FAILURE);
	for (int i = 0; i < N_EMITTERS; i++) {
		emitters[i].channel = argv[1];
		snprintf(emitters[i].event, sizeof(emitters[i].event), "work.%d", i);
	}
	r = nc_new(&c, argv[1]);
	if (r == NC_OK) {
		r = nc_on(c, EVENT_PATTERN, on_number, &t);
		if (r == NC_OK)
			r = run(c, emitters);
		nc_free(c);
	}
	for (int i = 0; i < N_EMITTERS && !r; i++)
		r = emitters[i].error;
	if (r)
		fprintf(stderr, "threads: %s\n", nc_strerror(r));
	printf("%lld messages%s\n", (long long)t.n_all, t.is_out_of_order ? ", out of order" : "");
	return r || t.is_out_of_order ? EXIT_FAILURE : EXIT_SUCCESS;
}
