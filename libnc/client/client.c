/* client.c - a client's life in memory, its options, and what is known of it
 *
 * A client is freed when nc_free() was called and no call of this client is on the stack any more:
 * so handlers may free it, and everything that they were called by still finds its memory.
 */

#include "libnc/client/client.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libnc/base/utf8.h"
#include "libnc/wire/name.h"

static void options_init(struct client_options *o)
{
	*o = (struct client_options){
	        .reconnect = true,
	        .local = true,
	        .receive_policy = -1,
	        .queue_policy = NC_POLICY_BLOCK,
	        .offline_policy = NC_POLICY_BLOCK,
	        .reconnect_min_ms = 100,
	        .reconnect_max_ms = 10000,
	        .connect_timeout_ms = 5000,
	        .queue_bytes = 4 << 20,
	        .queue_messages = 100000,
	        .batch_bytes = 64 << 10,
	        .process_bytes = 1 << 20,
	};
	snprintf(o->label, sizeof(o->label), "%.*s", (int)CLIENT_LABEL_MAX, sock_program_name());
	/* a file's name may be any bytes, a label may not */
	if (!utf8_valid(o->label, strlen(o->label)))
		o->label[0] = 0;
}

int nc_new(nc_client **out, const char *channel)
{
	size_t len = channel ? strlen(channel) : 0;
	uint8_t seed[16];
	nc_client *c;

	*out = NULL;
	if (name_check_channel(channel, len) != NAME_OK)
		return NC_ENAME;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NC_ENOMEM;
	memcpy(c->channel, channel, len + 1);
	options_init(&c->opt);
	c->state = NC_CLOSED;
	c->fd = -1;
	c->retry_ns = CLIENT_NEVER;
	c->deadline_ns = CLIENT_NEVER;
	c->end_error = NC_ECLOSED;
	sock_random(seed, sizeof(seed));
	emitter_init(&c->emitter, seed);
	outq_init(&c->out, c->opt.queue_bytes, c->opt.queue_messages);
	outq_init(&c->inbox, c->opt.queue_bytes, c->opt.queue_messages);
	conn_init(&c->conn, &client_conn_ops, c, &c->out);
	request_init(&c->requests);
	c->source.senders = &c->conn.senders;
	c->source.self = (struct nc_sender){.has_cred = 1, .host = ""};
	sock_self(&c->source.self.uid, &c->source.self.gid, &c->source.self.pid);
	*out = c;
	return NC_OK;
}

static void client_destroy(nc_client *c)
{
	conn_fini(&c->conn);
	outq_fini(&c->out);
	outq_fini(&c->inbox);
	emitter_fini(&c->emitter);
	request_fini(&c->requests);
	for (unsigned i = 0; i < CLIENT_NAMES; i++)
		free(c->names[i]);
	free(c->opt.socket);
	free(c);
}

void client_hold(nc_client *c)
{
	c->n_held++;
}

bool client_release(nc_client *c)
{
	if (--c->n_held || !c->is_freed)
		return c->is_freed;
	client_destroy(c);
	return true;
}

void nc_free(nc_client *c)
{
	if (!c || c->is_freed)
		return;
	client_hold(c);
	c->is_freed = true;
	client_gone(c);
	client_release(c);
}

int client_fail(nc_client *c, int error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->error_text, sizeof(c->error_text), fmt, args);
	va_end(args);
	return error;
}

void client_fail_sys(nc_client *c, int sys_errno, const char *what)
{
	errno = sys_errno;
	client_fail(c, NC_ESYS, "%s: %m", what);
}

uint64_t client_deadline(int timeout_ms)
{
	if (timeout_ms < 0)
		return CLIENT_NEVER;
	return sock_now_ns() + (uint64_t)timeout_ms * CLIENT_NS_PER_MS;
}

int client_ms_until(uint64_t deadline_ns)
{
	uint64_t now_ns = sock_now_ns(), ms;

	if (deadline_ns == CLIENT_NEVER)
		return -1;
	if (deadline_ns <= now_ns)
		return 0;
	ms = (deadline_ns - now_ns + CLIENT_NS_PER_MS - 1) / CLIENT_NS_PER_MS;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

/* ---- options */

/* What an integer option may be. */
struct option_range {
	int64_t min;
	int64_t max;
};

static const struct option_range option_ranges[] = {
        [NC_OPT_RECONNECT] = {0, 1},
        [NC_OPT_RECONNECT_MIN_MS] = {0, INT32_MAX},
        [NC_OPT_RECONNECT_MAX_MS] = {1, INT32_MAX},
        [NC_OPT_CONNECT_TIMEOUT_MS] = {1, INT32_MAX},
        [NC_OPT_QUEUE_BYTES] = {1, INT64_C(1) << 40},
        [NC_OPT_QUEUE_MESSAGES] = {1, INT32_MAX},
        [NC_OPT_QUEUE_POLICY] = {NC_POLICY_BLOCK, NC_POLICY_DROP_NEWEST},
        [NC_OPT_OFFLINE_POLICY] = {NC_POLICY_BLOCK, NC_POLICY_DROP_NEWEST},
        [NC_OPT_LOCAL] = {0, 1},
        [NC_OPT_ECHO] = {0, 1},
        [NC_OPT_RECEIVE_POLICY] = {-1, NC_POLICY_DISCONNECT},
        [NC_OPT_BATCH_BYTES] = {0, INT64_C(1) << 40},
        [NC_OPT_PROCESS_BYTES] = {1, INT64_C(1) << 40},
};

static bool option_fits(unsigned option, int64_t value)
{
	const struct option_range *r;

	if (option >= sizeof(option_ranges) / sizeof(option_ranges[0]))
		return false;
	r = &option_ranges[option];
	/* the gaps between the numbers have no range */
	return r->max > 0 && value >= r->min && value <= r->max;
}

int nc_setopt_int(nc_client *c, enum nc_option option, int64_t value)
{
	struct client_options *o = &c->opt;

	if (c->state != NC_CLOSED)
		return NC_ESTATE;
	if (!option_fits(option, value))
		return NC_EINVAL;
	switch (option) {
	case NC_OPT_SOCKET:
	case NC_OPT_LABEL: return NC_EINVAL;
	case NC_OPT_RECONNECT: o->reconnect = value; break;
	case NC_OPT_RECONNECT_MIN_MS: o->reconnect_min_ms = (uint32_t)value; break;
	case NC_OPT_RECONNECT_MAX_MS: o->reconnect_max_ms = (uint32_t)value; break;
	case NC_OPT_CONNECT_TIMEOUT_MS: o->connect_timeout_ms = (uint32_t)value; break;
	case NC_OPT_QUEUE_BYTES: o->queue_bytes = (size_t)value; break;
	case NC_OPT_QUEUE_MESSAGES: o->queue_messages = (size_t)value; break;
	case NC_OPT_QUEUE_POLICY: o->queue_policy = (enum nc_policy)value; break;
	case NC_OPT_OFFLINE_POLICY: o->offline_policy = (enum nc_policy)value; break;
	case NC_OPT_LOCAL: o->local = value; break;
	case NC_OPT_ECHO: o->echo = value; break;
	case NC_OPT_RECEIVE_POLICY: o->receive_policy = (int)value; break;
	case NC_OPT_BATCH_BYTES: o->batch_bytes = (size_t)value; break;
	case NC_OPT_PROCESS_BYTES: o->process_bytes = (size_t)value; break;
	}
	return NC_OK;
}

static int option_set_socket(nc_client *c, const char *value)
{
	char path[SOCK_PATH_LEN];
	char *copy;

	if (!*value || sock_path_expand(path, value, c->channel))
		return NC_EINVAL;
	copy = strdup(value);
	if (!copy)
		return NC_ENOMEM;
	free(c->opt.socket);
	c->opt.socket = copy;
	return NC_OK;
}

int nc_setopt_str(nc_client *c, enum nc_option option, const char *value)
{
	size_t len;

	if (c->state != NC_CLOSED)
		return NC_ESTATE;
	if (!value)
		return NC_EINVAL;
	switch ((unsigned)option) {
	case NC_OPT_SOCKET: return option_set_socket(c, value);
	case NC_OPT_LABEL:
		len = strlen(value);
		if (len > CLIENT_LABEL_MAX || !utf8_valid(value, len))
			return NC_EINVAL;
		memcpy(c->opt.label, value, len + 1);
		return NC_OK;
	default: return NC_EINVAL;
	}
}

/* ---- what is known */

enum nc_state nc_state(const nc_client *c)
{
	return c->state;
}

const char *nc_channel(const nc_client *c)
{
	return c->channel;
}

uint64_t nc_id(const nc_client *c)
{
	return c->conn.id;
}

size_t nc_max_message(const nc_client *c)
{
	return c->conn.max_payload;
}

const char *nc_host(const nc_client *c)
{
	return c->conn.host ? c->conn.host : "";
}

const char *nc_server(const nc_client *c)
{
	return c->conn.server ? c->conn.server : "";
}

const char *nc_socket(const nc_client *c)
{
	return c->path;
}

int nc_errno(const nc_client *c)
{
	return c->sys_errno;
}

const char *nc_error_text(const nc_client *c)
{
	return c->error_text;
}

void nc_get_counters(const nc_client *c, struct nc_counters *out, size_t size)
{
	struct nc_counters n = c->counters;

	n.emitted = c->out.n_in;
	n.written = c->out.n_written;
	n.dropped = c->out.n_dropped;
	n.queued = c->out.n_messages;
	n.queued_bytes = c->out.n_bytes;
	/* a program that was built with a newer header sees zeroes in what is unknown here */
	memset(out, 0, size);
	memcpy(out, &n, size < sizeof(n) ? size : sizeof(n));
}
