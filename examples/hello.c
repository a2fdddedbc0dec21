/* hello.c - the smallest program on libnc: says something, and prints what it hears
 *
 *     usage: hello
 *
 * It needs a server with a channel "events". Try:  ncclient emit events load.now 1
 */

#include <stdio.h>

#include <netcluster/nc.h>

static void on_load(nc_client *c, const nc_msg *m, void *arg)
{
	(void)c;
	(void)arg;
	printf("%s: %s\n", nc_msg_event(m), nc_msg_text(m));
	fflush(stdout);
}

int main(void)
{
	nc_client *c;
	int r;

	if (nc_new(&c, "events") || nc_on(c, "load.*", on_load, NULL))
		return 1;
	r = nc_connect(c, 1000);
	if (!r)
		r = nc_emit_text(c, "load.hello", "from C");
	if (!r)
		r = nc_run(c);
	fprintf(stderr, "hello: %s: %s\n", nc_strerror(r), nc_error_text(c));
	nc_free(c);
	return 1;
}
