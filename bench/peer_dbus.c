/* peer_dbus.c - the same work through dbus-daemon (signals) and sd-bus */

#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

#include <systemd/sd-bus.h>

#define FLUSH_EVERY 64u

struct hearing {
	struct check *check; /* NULL: only counted */
	uint64_t n_heard;
	bool is_done;
};

static void ok(int r, const char *what)
{
	if (r < 0)
		worker_fail(what, -r);
}

static sd_bus *end_open(const struct daemon *d)
{
	char address[160];
	sd_bus *b;

	snprintf(address, sizeof(address), "unix:path=%s", d->at);
	ok(sd_bus_new(&b), "sd_bus_new");
	ok(sd_bus_set_address(b, address), "address");
	ok(sd_bus_set_bus_client(b, 1), "bus client");
	ok(sd_bus_start(b), "start");
	return b;
}

static int on_signal(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct hearing *h = arg;
	const void *p;
	size_t len;

	(void)error;
	if (sd_bus_message_read_array(m, 'y', &p, &len) < 0)
		return 0;
	h->n_heard++;
	if (h->check && !h->is_done)
		h->is_done = check_take(h->check, p, len);
	return 0;
}

static void hear(sd_bus *b, const char *member, struct hearing *h)
{
	char match[128];

	snprintf(match, sizeof(match), "type='signal',interface='netcluster.Bench',member='%s'",
	         member);
	ok(sd_bus_add_match(b, NULL, match, on_signal, h), "match");
}

static void send_one(sd_bus *b, const char *member, const void *p, size_t len)
{
	sd_bus_message *m;

	ok(sd_bus_message_new_signal(b, &m, "/bench", "netcluster.Bench", member), "signal");
	ok(sd_bus_message_append_array(m, 'y', p, len), "append");
	ok(sd_bus_send(b, m, NULL), "send");
	sd_bus_message_unref(m);
}

static void pump(sd_bus *b)
{
	int r = sd_bus_process(b, NULL);

	ok(r, "process");
	if (r == 0)
		ok(sd_bus_wait(b, UINT64_MAX), "wait");
}

static void publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	sd_bus *b = end_open(d);
	const char *name;

	/* waits for the answer to the hello */
	ok(sd_bus_get_unique_name(b, &name), "name");
	worker_ready(w);
	for (uint64_t i = 0; i < o->n_messages; i++) {
		check_put(payload, false, check_tag(w->id, i));
		send_one(b, "Message", payload, o->len);
		if (i % FLUSH_EVERY == FLUSH_EVERY - 1)
			ok(sd_bus_flush(b), "flush");
	}
	ok(sd_bus_flush(b), "flush");
}

static void subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	struct hearing h = {.check = &w->check};
	sd_bus *b = end_open(d);

	(void)o;
	hear(b, "Message", &h);
	worker_ready(w);
	while (!h.is_done)
		pump(b);
}

static void wait_one(sd_bus *b, struct hearing *h)
{
	while (!h->n_heard)
		pump(b);
	h->n_heard--;
}

static void ping(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	struct hearing h = {0};
	sd_bus *b = end_open(d);

	hear(b, "Pong", &h);
	worker_ready(w);
	while (ping_goes_on(o, w)) {
		uint64_t begin_ns = bench_now_ns();

		send_one(b, "Ping", payload, o->len);
		wait_one(b, &h);
		ping_took(w, begin_ns);
	}
}

static void pong(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	uint8_t *payload = check_filler(o->len);
	struct hearing h = {0};
	sd_bus *b = end_open(d);

	hear(b, "Ping", &h);
	worker_ready(w);
	for (;;) {
		wait_one(b, &h);
		send_one(b, "Pong", payload, o->len);
	}
}

static void prepare(const struct bench_options *o, struct daemon *d)
{
	static const char *const limits[] = {"max_incoming_bytes",
	                                     "max_outgoing_bytes",
	                                     "max_message_size",
	                                     "max_completed_connections",
	                                     "max_connections_per_user",
	                                     "max_incomplete_connections",
	                                     "max_match_rules_per_connection"};
	char conf[2048];
	int n;

	(void)o;
	snprintf(d->at, sizeof(d->at), "%s/sock", d->dir);
	n = snprintf(conf, sizeof(conf),
	             "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration "
	             "1.0//EN\" "
	             "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
	             "<busconfig><type>session</type><listen>unix:path=%s</listen>"
	             "<auth>EXTERNAL</auth><policy context=\"default\">"
	             "<allow send_destination=\"*\" eavesdrop=\"true\"/>"
	             "<allow receive_sender=\"*\"/><allow own=\"*\"/></policy>",
	             d->at);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		n += snprintf(conf + n, sizeof(conf) - (size_t)n, "<limit name=\"%s\">%u</limit>",
		              limits[i], i < 3 ? 1000000000u : 30000u);
	snprintf(conf + n, sizeof(conf) - (size_t)n, "</busconfig>\n");
	daemon_file(d, "conf", conf);
	d->argv[0] = "dbus-daemon";
	d->argv[1] = "--nofork";
	d->argv[2] = "--config-file=conf";
}

static const struct bench_kind kind = {
        .name = "dbus",
        .prepare = prepare,
        .publish = publish,
        .subscribe = subscribe,
        .ping = ping,
        .pong = pong,
};

int main(int argc, char **argv)
{
	return bench_main(&kind, argc, argv);
}
