/* listen.c - prints what a channel hears
 *
 * One line per message: event, sender, type, payload. It comes back by itself when the server was
 * away, and says so, and says when messages were lost: whoever reads its output knows what is
 * missing. Ends with the number of messages that was asked for, or by SIGINT or SIGTERM.
 */

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netcluster/nc.h>

struct listener {
	unsigned long n_left; /* 0: no end */
	int is_done;
};

static volatile sig_atomic_t is_interrupted;

static void on_signal(int signal)
{
	(void)signal;
	is_interrupted = 1;
}

static int usage(FILE *to, int status)
{
	fputs("usage: listen CHANNEL PATTERN [COUNT]\n"
	      "Prints the events of CHANNEL that match PATTERN (a.b, a.*, a.>), COUNT of them or "
	      "for ever.\n",
	      to);
	return status;
}

static void print_bytes(const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", p[i]);
}

static void print_payload(const nc_msg *m)
{
	int64_t i;
	double d;
	int b;

	switch (nc_msg_type(m)) {
	case NC_EMPTY: return;
	case NC_BOOL:
		if (nc_msg_bool(m, &b) == NC_OK)
			printf("%s", b ? "true" : "false");
		return;
	case NC_INT:
		if (nc_msg_int(m, &i) == NC_OK)
			printf("%lld", (long long)i);
		return;
	case NC_DOUBLE:
		if (nc_msg_double(m, &d) == NC_OK)
			printf("%.17g", d);
		return;
	case NC_TEXT:
	case NC_JSON: fwrite(nc_msg_data(m), 1, nc_msg_len(m), stdout); return;
	case NC_BYTES: print_bytes(nc_msg_data(m), nc_msg_len(m)); return;
	}
}

static void on_message(nc_client *c, const nc_msg *m, void *arg)
{
	struct listener *l = arg;
	struct nc_sender from;

	nc_msg_sender(m, &from);
	printf("%s/%s\t", nc_msg_channel(m), nc_msg_event(m));
	if (from.has_cred)
		printf("pid=%ld uid=%ld\t", (long)from.pid, (long)from.uid);
	else
		printf("host=%s\t", from.host);
	print_payload(m);
	putchar('\n');
	/* nobody reads on, as with "| head -3" */
	if (fflush(stdout))
		l->is_done = 1;
	if (l->n_left && !--l->n_left)
		l->is_done = 1;
	if (l->is_done)
		nc_stop(c);
}

static void on_status(nc_client *c, const struct nc_status *s, void *arg)
{
	(void)arg;
	switch (s->kind) {
	case NC_STATUS_CONNECTED:
		fprintf(stderr, "listen: connected to %s (%s)\n", nc_socket(c), nc_server(c));
		return;
	case NC_STATUS_GAP:
		fprintf(stderr, "listen: %s%llu messages lost here: %s\n", s->exact ? "" : "about ",
		        (unsigned long long)s->count, s->text);
		return;
	case NC_STATUS_RECONNECTING:
		fprintf(stderr, "listen: %s; next attempt in %d ms\n", s->text, s->delay_ms);
		return;
	case NC_STATUS_ERROR:
	case NC_STATUS_CLOSED:
		fprintf(stderr, "listen: %s: %s\n", nc_strerror(s->error), s->text);
		return;
	case NC_STATUS_DISCONNECTED:
	case NC_STATUS_DROPPED: return;
	}
}

static int parse_count(const char *text, unsigned long *n)
{
	char *end;

	errno = 0;
	*n = strtoul(text, &end, 10);
	return !isdigit((unsigned char)*text) || *end || errno || !*n ? -1 : 0;
}

/* Listens until it is done. Returns an enum nc_error. */
static int run(nc_client *c, struct listener *l)
{
	int r = nc_open(c);

	while (r == NC_OK && !l->is_done && !is_interrupted)
		r = nc_wait(c, -1);
	(void)nc_disconnect(c, 1000);
	return r;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct listener l = {0};
	nc_client *c;
	int r;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout, EXIT_SUCCESS);
	if (argc < 3 || argc > 4 || (argc == 4 && parse_count(argv[3], &l.n_left)))
		return usage(stderr, EXIT_FAILURE);
	/* without SA_RESTART they end the wait; the end of a pipe is found by fflush() */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = nc_new(&c, argv[1]);
	if (!r) {
		nc_on_status(c, on_status, NULL);
		r = nc_on(c, argv[2], on_message, &l);
		if (!r)
			r = run(c, &l);
		nc_free(c);
	}
	if (r && !l.is_done)
		fprintf(stderr, "listen: %s\n", nc_strerror(r));
	return r && !l.is_done ? EXIT_FAILURE : EXIT_SUCCESS;
}
