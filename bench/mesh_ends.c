/* mesh_ends.c - what the programs share that send from one host to others */

#include "bench/mesh_ends.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Any of them may be lost. */
#define N_BYES 20

static void send_now(void *arg, const uint8_t *payload, size_t len)
{
	const struct ends_sender *s = arg;

	s->send(s->end, payload, len);
	if (s->flush)
		s->flush(s->end);
}

void ends_publish(const struct bench_options *o, struct worker *w, const struct ends_sender *s)
{
	struct ends_sender now = *s;
	uint8_t *payload = check_filler(o->len);
	bool has_time = o->work == BENCH_DELAY;

	worker_publishes(o, w, payload, send_now, &now);
	for (uint64_t i = 0; i < o->n_messages; i++) {
		worker_stamps(o, w, payload, i);
		s->send(s->end, payload, o->len);
		if (has_time && s->flush)
			s->flush(s->end);
	}
	if (s->flush)
		s->flush(s->end);
	free(payload);
}

void ends_bye(const struct bench_options *o, const struct ends_sender *s)
{
	struct timespec nap = {.tv_nsec = 1000000};
	struct ends_sender now = *s;
	uint8_t *payload = check_filler(o->len);

	check_put(payload, false, CHECK_BYE);
	for (int n = 0; n < N_BYES; n++) {
		send_now(&now, payload, o->len);
		nanosleep(&nap, NULL);
	}
	free(payload);
}

void ends_interface(struct ends_interface *i)
{
	unsigned wanted = IFF_UP | IFF_MULTICAST;
	struct ifaddrs *all, *a;

	if (getifaddrs(&all))
		worker_fail("getifaddrs", errno);
	for (a = all; a; a = a->ifa_next)
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET &&
		    (a->ifa_flags & (wanted | IFF_LOOPBACK)) == wanted)
			break;
	if (!a)
		worker_fail("no interface for multicast with an IPv4 address", 0);
	snprintf(i->name, sizeof(i->name), "%s", a->ifa_name);
	i->addr = ((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr;
	inet_ntop(AF_INET, &i->addr, i->addr_text, sizeof(i->addr_text));
	freeifaddrs(all);
}
