/* peer_dds.c - the same work from host to host through Cyclone DDS: reliable, everything kept */

#include "bench/mesh_ends.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <dds/dds.h>
#include <dds/ddsc/dds_public_impl.h>

#define TAKE_MAX 256

/* The interface is that of the namespace, and the receive buffer is as that of the others. */
static const char config[] =
        "<CycloneDDS><Domain Id=\"any\"><General>"
        "<Interfaces><NetworkInterface name=\"%s\" multicast=\"true\"/></Interfaces>"
        "<AllowMulticast>true</AllowMulticast></General>"
        "<Internal><SocketReceiveBufferSize min=\"default\" max=\"%dB\"/></Internal>"
        "<SharedMemory><Enable>false</Enable></SharedMemory></Domain></CycloneDDS>";

/* struct message { sequence<octet> data; }; as idlc would write it */
struct message {
	struct {
		uint32_t maximum, length;
		uint8_t *buffer;
		bool release;
	} data;
};

static const uint32_t message_ops[] = {DDS_OP_ADR | DDS_OP_TYPE_SEQ | DDS_OP_SUBTYPE_1BY,
                                       offsetof(struct message, data), DDS_OP_RTS};

static const dds_topic_descriptor_t message_type = {
        .m_size = sizeof(struct message),
        .m_align = _Alignof(struct message),
        .m_typename = "message",
        .m_nops = 2,
        .m_ops = message_ops,
        .m_meta = "",
};

/* Returns what failed not: handles and counts are positive, errors are not. */
static dds_entity_t must(const char *what, dds_return_t r)
{
	char text[128];

	if (r >= 0)
		return r;
	snprintf(text, sizeof(text), "%s: %s", what, dds_strretcode(-r));
	worker_fail(text, 0);
}

struct end {
	dds_entity_t participant, topic;
	dds_qos_t *qos;
};

static void end_open(struct end *e)
{
	struct ends_interface i;
	char text[1024];

	ends_interface(&i);
	snprintf(text, sizeof(text), config, i.name, MESH_BUFFER);
	setenv("CYCLONEDDS_URI", text, 1);
	e->participant = must("participant", dds_create_participant(7, NULL, NULL));
	e->qos = dds_create_qos();
	dds_qset_reliability(e->qos, DDS_RELIABILITY_RELIABLE, DDS_SECS(30));
	dds_qset_history(e->qos, DDS_HISTORY_KEEP_ALL, 0);
	e->topic = must("topic",
	                dds_create_topic(e->participant, &message_type, "bench", e->qos, NULL));
}

static void send_one(void *end, const uint8_t *payload, size_t len)
{
	const dds_entity_t *writer = end;
	struct message m = {.data = {.maximum = (uint32_t)len,
	                             .length = (uint32_t)len,
	                             .buffer = (uint8_t *)(uintptr_t)payload}};

	must("write", dds_write(*writer, &m));
}

static void flush(void *end)
{
	const dds_entity_t *writer = end;

	dds_write_flush(*writer);
}

static void publish(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	struct ends_sender s = {.send = send_one, .flush = flush};
	dds_entity_t writer;
	struct end e;

	(void)d;
	end_open(&e);
	dds_write_set_batch(o->work != BENCH_DELAY);
	writer = must("writer", dds_create_writer(e.participant, e.topic, e.qos, NULL));
	s.end = &writer;
	ends_publish(o, w, &s);
}

/* Returns whether the last message came. */
static bool take_all(dds_entity_t reader, struct check *k)
{
	static void *samples[TAKE_MAX];
	static dds_sample_info_t infos[TAKE_MAX];
	bool is_over = false;
	int n;

	while (!is_over && (n = dds_take(reader, samples, infos, TAKE_MAX, TAKE_MAX)) > 0) {
		for (int i = 0; i < n && !is_over; i++) {
			const struct message *m = samples[i];

			if (infos[i].valid_data)
				is_over = check_take(k, m->data.buffer, m->data.length);
		}
		dds_return_loan(reader, samples, n);
	}
	return is_over;
}

static void subscribe(const struct bench_options *o, const struct daemon *d, struct worker *w)
{
	dds_entity_t reader, waitset, condition;
	struct end e;

	(void)d;
	end_open(&e);
	dds_qset_resource_limits(e.qos, 100000, DDS_LENGTH_UNLIMITED, DDS_LENGTH_UNLIMITED);
	reader = must("reader", dds_create_reader(e.participant, e.topic, e.qos, NULL));
	waitset = must("waitset", dds_create_waitset(e.participant));
	condition = must("condition", dds_create_readcondition(reader, DDS_ANY_STATE));
	must("attach", dds_waitset_attach(waitset, condition, 0));
	worker_listens(o, w);
	while (!take_all(reader, &w->check))
		must("wait", dds_waitset_wait(waitset, NULL, 0, DDS_SECS(1)));
}

static const struct bench_kind kind = {
        .name = "cyclonedds",
        .publish = publish,
        .subscribe = subscribe,
        .is_mesh = true,
        .is_stamped = true,
};

int main(int argc, char **argv)
{
	return bench_main(&kind, argc, argv);
}
