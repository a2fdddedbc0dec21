/* backpressure.c - emits as fast as the bus takes it, without waiting in emit
 *
 * nc_emit() says NC_AGAIN when the queue is full; the program then goes back to its loop and goes
 * on when the writable callback runs. That is how a program with a loop of its own lives with slow
 * receivers: memory stays bounded, nothing is lost, and nothing else in the loop has to wait.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netcluster/nc.h>

#define PAYLOAD_LEN 256
#define LAST_MS     30000

struct producer {
	unsigned long n_sent;
	unsigned long n_wanted;
	unsigned long n_full; /* how often the queue was full */
	int error;            /* enum nc_error */
};

static int usage(FILE *to, int status)
{
	fputs("usage: backpressure CHANNEL COUNT\n"
	      "Emits \"flood\" COUNT times, 256 bytes each, and says how often it had to wait.\n",
	      to);
	return status;
}

static void produce(nc_client *c, void *arg)
{
	struct producer *p = arg;
	char data[PAYLOAD_LEN] = {0};
	int r = NC_OK;

	while (r == NC_OK && p->n_sent < p->n_wanted) {
		r = nc_emit_bytes(c, "flood", data, sizeof(data));
		if (r == NC_OK)
			p->n_sent++;
	}
	if (r == NC_AGAIN) {
		/* this function is called again when there is room */
		p->n_full++;
		return;
	}
	p->error = r;
	nc_stop(c);
}

static int run(nc_client *c, struct producer *p)
{
	int r = nc_connect(c, LAST_MS);

	if (r)
		return r;
	nc_on_writable(c, produce, p);
	produce(c, p);
	if (p->n_sent < p->n_wanted && !p->error)
		r = nc_run(c);
	if (!r)
		r = p->error;
	return r ? r : nc_disconnect(c, LAST_MS);
}

int main(int argc, char **argv)
{
	struct producer p = {0};
	struct nc_counters n;
	nc_client *c;
	int r;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout, EXIT_SUCCESS);
	if (argc != 3 || !(p.n_wanted = strtoul(argv[2], NULL, 10)))
		return usage(stderr, EXIT_FAILURE);
	r = nc_new(&c, argv[1]);
	if (r) {
		fprintf(stderr, "backpressure: %s\n", nc_strerror(r));
		return EXIT_FAILURE;
	}
	r = run(c, &p);
	nc_get_counters(c, &n, sizeof(n));
	printf("%llu emitted, %llu written, %llu dropped; the queue was full %lu times\n",
	       (unsigned long long)n.emitted, (unsigned long long)n.written,
	       (unsigned long long)n.dropped, p.n_full);
	if (r)
		fprintf(stderr, "backpressure: %s: %s\n", nc_strerror(r), nc_error_text(c));
	nc_free(c);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
