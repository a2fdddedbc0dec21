/* fuzz_bus.c - foreign bytes against a whole bus: its parsers, queues and accounts
 *
 * The input is a script: each step is one byte that says what, one that says which client, and what
 * the step needs. Whatever clients send, the accounts stay exact (rig_check after each turn), and
 * nothing is left behind at the end.
 */
#include "t/fuzz/fuzz.h"

#include <string.h>

#include "ncserver/bus/client.h"
#include "t/unit/bus_rig.h"

static const char conf[] =
        "{\"socket\":\"/tmp/x/%s\",\"max_message\":100000,\"insecure\":true,\"channels\":{"
        "\"A\":{\"propagatetochannels\":\".*\",\"queue_bytes\":65536,\"propagatetonet\":true,"
        "\"propagatefromnet\":true},"
        "\"B\":{\"policy\":\"drop-oldest\",\"queue_bytes\":65536,\"propagatetonet\":true},"
        "\"C\":{\"policy\":\"conflate\",\"queue_bytes\":65536,\"propagatetochannels\":\"A|B\"},"
        "\"D\":{\"policy\":\"disconnect\",\"queue_bytes\":65536,\"propagatetochannels\":\"D\"}}}";

struct script {
	const uint8_t *p;
	size_t len;
};

static uint8_t next(struct script *s)
{
	if (s->len == 0)
		return 0;
	s->len--;
	return *s->p++;
}

static const uint8_t *bytes(struct script *s, size_t *n)
{
	const uint8_t *p = s->p;

	if (*n > s->len)
		*n = s->len;
	s->p += *n;
	s->len -= *n;
	return p;
}

static const char *channel(uint8_t which)
{
	static const char *const names[] = {"A", "B", "C", "D", "control"};

	return names[which % 5];
}

/* Another host begins to be heard, or to hear. */
static void open_lane(struct rig *r, uint8_t who)
{
	uint32_t tag = 0x1000u + who % 3;
	int i = who < 225 ? rig_lane_out(r, channel(who % 2))
	                  : rig_lane_in(r, channel(who % 2), who % 3 ? "h1" : "h2", tag, NULL);

	if (i >= 0 && who >= 225)
		r->clients[i].id = (uint64_t)tag << 32 | 9;
}

static void end_input(struct rig *r, int i, uint8_t what)
{
	struct client *c = r->clients[i].c;

	if (bus_client_lane(c) == BUS_LANE_NONE)
		bus_input_eof(r->bus, c, r->now);
	else if (bus_client_lane(c) == BUS_LANE_IN && what >= 50)
		bus_lane_gap(r->bus, c, what, what % 20 == 8, r->now);
	else
		bus_close_lane(r->bus, c, r->now);
}

static void step(struct rig *r, struct script *s)
{
	uint8_t what = next(s);
	uint8_t who = next(s);
	int i = r->n_clients ? who % r->n_clients : 0;
	bool alive = r->n_clients && r->clients[i].c;
	const uint8_t *p;
	size_t n;

	switch (what % 10) {
	case 0:
		if (r->n_clients == RIG_CLIENTS_MAX)
			break;
		if (who >= 240) /* control has none */
			rig_accept_fifo(r, channel(who % 4));
		else if (who >= 210)
			open_lane(r, who);
		else
			rig_accept(r, channel(who), who % 3, who, NULL);
		break;
	case 1:
		if (r->n_clients < RIG_CLIENTS_MAX &&
		    (i = rig_accept(r, channel(who), 0, 9, NULL)) >= 0)
			rig_hello(r, i, who % 4, next(s) % 6);
		break;
	case 2:
	case 3:
		n = next(s) + (size_t)(what / 10) * 50;
		p = bytes(s, &n);
		if (alive)
			rig_send(r, i, p, n, 1 + what);
		break;
	case 4:
		n = next(s);
		p = bytes(s, &n);
		if (alive && r->clients[i].id && n > 0)
			for (int k = 0; k < 1 + what; k++) {
				char event[256];
				size_t len = 1 + p[0] % (n < 20 ? n : 20);

				memcpy(event, p, len);
				event[len < n ? len : n] = '\0';
				if (strlen(event) && r->clients[i].c)
					rig_emit(r, i, channel((uint8_t)(what / 10)), event, p, n);
			}
		break;
	case 5: r->clients[i].kernel = who > 200 ? SIZE_MAX : (size_t)next(s) * what; break;
	case 6: rig_turn(r); break;
	case 7: rig_wait(r, who * 10u); break;
	case 8:
		if (alive)
			end_input(r, i, what);
		break;
	default:
		if (alive)
			rig_close(r, i);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct script s = {data, len};
	struct rig r;

	rig_init(&r, conf);
	while (s.len > 0)
		step(&r, &s);
	for (int i = 0; i < r.n_clients; i++)
		r.clients[i].kernel = SIZE_MAX;
	rig_turn(&r);
	rig_fini(&r);
	return 0;
}
