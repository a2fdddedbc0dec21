/*
 * A session: the connections to channels
 *
 * Connections stand in one list. They are freed only between waits, never inside a handler.
 */

#include "ncclient/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ncclient/signals.h"
#include "ncclient/value.h"

void session_init(struct session *s, FILE *out, FILE *err)
{
	*s = (struct session){.timeout_ms = 5000, .err = err};
	output_init(&s->out, out);
}

void session_fini(struct session *s)
{
	while (s->links)
		session_unlink(s->links, 0);
}

void session_complain(const struct session *s, const char *fmt, ...)
{
	va_list args;

	if (s->quiet || s->hung_up)
		return;
	if (s->before_print)
		s->before_print(s->before_print_arg);
	if (!s->interactive)
		fputs("ncclient: ", s->err);
	va_start(args, fmt);
	vfprintf(s->err, fmt, args);
	va_end(args);
	putc('\n', s->err);
}

enum status status_of(int nc_error)
{
	switch ((enum nc_error)nc_error) {
	case NC_OK: return STATUS_OK;
	case NC_ENAME:
	case NC_ERESERVED:
	case NC_ETOOBIG:
	case NC_EJSON:
	case NC_EDEPTH:
	case NC_EINVAL: return STATUS_DATA;
	case NC_ENOSERVER:
	case NC_ECLOSED:
	case NC_ESHUTDOWN:
	case NC_ESTATE: return STATUS_UNAVAILABLE;
	case NC_EDENIED: return STATUS_DENIED;
	case NC_EPROTO:
	case NC_EVERSION: return STATUS_PROTOCOL;
	case NC_AGAIN:
	case NC_ETIMEOUT: return STATUS_TIMEOUT;
	case NC_ENOMEM:
	case NC_ESYS: return STATUS_OS;
	case NC_ENOENT:
	case NC_EQUOTA:
	case NC_ESLOW:
	case NC_ENOBODY:
	case NC_EREMOTE: break;
	}
	return STATUS_FAILED;
}

enum status session_signal_status(void)
{
	return signals_ending() == SIGINT ? STATUS_INTERRUPTED : STATUS_TERMINATED;
}

/* ---- what happens on a connection */

static void on_status(nc_client *c, const struct nc_status *st, void *arg)
{
	struct link *l = arg;
	const struct session *s = l->session;
	struct nc_counters counters = {0};

	switch (st->kind) {
	case NC_STATUS_CONNECTED:
		nc_get_counters(c, &counters, sizeof(counters));
		if (counters.connects > 1)
			session_complain(s, "channel %s: connected again", l->channel);
		break;
	case NC_STATUS_DISCONNECTED:
		if (l->reconnects)
			session_complain(s, "channel %s: %s; reconnecting", l->channel,
			                 *st->text ? st->text : nc_strerror(st->error));
		break;
	case NC_STATUS_GAP:
		l->n_lost += st->count;
		l->lost_inexact |= !st->exact;
		session_complain(s, "channel %s: %s%llu messages lost here: %s", l->channel,
		                 st->exact ? "" : "at least ", (unsigned long long)st->count,
		                 st->text);
		break;
	case NC_STATUS_ERROR:
		l->refused = st->error;
		l->n_refused++;
		snprintf(l->refusal, sizeof(l->refusal), "%s",
		         *st->text ? st->text : nc_strerror(st->error));
		break;
	case NC_STATUS_CLOSED: l->closed = st->error ? st->error : NC_ECLOSED; break;
	case NC_STATUS_RECONNECTING:
	case NC_STATUS_DROPPED: break;
	}
}

/* ---- making connections */

static size_t count_links(const struct session *s)
{
	size_t n = 0;

	for (const struct link *l = s->links; l; l = l->next)
		n++;
	return n;
}

/* Adds a link that is not connected. Returns NULL without memory, or where the name is illegal (as
 * *ERROR says). */
static struct link *new_link(struct session *s, const char *channel, int *error)
{
	struct link *l = calloc(1, sizeof(*l));

	*error = NC_ENOMEM;
	if (!l)
		return NULL;
	l->session = s;
	l->channel = strdup(channel);
	if (l->channel)
		*error = nc_new(&l->nc, channel);
	if (*error) {
		free(l->channel);
		free(l);
		return NULL;
	}
	nc_on_status(l->nc, on_status, l);
	l->next = s->links;
	s->links = l;
	return l;
}

void session_unlink(struct link *l, int timeout_ms)
{
	struct link **at = &l->session->links;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	nc_on_status(l->nc, NULL, NULL);
	nc_disconnect(l->nc, timeout_ms);
	nc_free(l->nc);
	free(l->channel);
	free(l);
}

static int set_options(struct link *l, const struct link_options *options)
{
	const struct session *s = l->session;
	int rc = nc_setopt_str(l->nc, NC_OPT_LABEL, options->label);

	if (!rc && s->socket)
		rc = nc_setopt_str(l->nc, NC_OPT_SOCKET, s->socket);
	if (!rc)
		rc = nc_setopt_int(l->nc, NC_OPT_RECONNECT, options->reconnects);
	if (!rc && options->receive_policy >= 0)
		rc = nc_setopt_int(l->nc, NC_OPT_RECEIVE_POLICY, options->receive_policy);
	/* what this program emits is not what it listens for */
	if (!rc)
		rc = nc_setopt_int(l->nc, NC_OPT_LOCAL, 0);
	return rc;
}

/* Where a server runs, but not this channel: says so, and which there are. */
static bool complain_no_channel(struct session *s, const char *channel)
{
	struct value answer;
	enum status status;

	if (!strcmp(channel, "control"))
		return false;
	status = session_ask_quietly(s, "nc-control-channels", NULL, s->timeout_ms, &answer);
	if (status == STATUS_DENIED) {
		session_complain(s, "no channel %s, though a server runs", channel);
		return true;
	}
	if (status)
		return false;
	if (!s->quiet)
		session_complain(s, "no channel %s; the server has:", channel);
	for (size_t i = 0; i < value_count(&answer) && !s->quiet; i++)
		fprintf(s->err, "  %s\n", value_str(value_get(&answer.items[i], "name"), "?"));
	value_fini(&answer);
	return true;
}

static enum status complain_no_link(struct session *s, const char *channel, int error,
                                    const char *text)
{
	if (error == NC_ENOSERVER) {
		if (complain_no_channel(s, channel))
			return STATUS_FAILED;
		session_complain(s, "%s", *text ? text : nc_strerror(error));
		if (!s->interactive && !s->quiet)
			fputs("Start one with 'ncserver', or say with -s where its sockets are.\n",
			      s->err);
		return STATUS_UNAVAILABLE;
	}
	session_complain(s, "channel %s: %s", channel, *text ? text : nc_strerror(error));
	return status_of(error);
}

/* Connects without a word. Returns an nc_error. */
static int connect_link(struct session *s, const char *channel, const struct link_options *options,
                        uint64_t timeout_ms, struct link **out, char text[static 512])
{
	struct link *l;
	int error;

	text[0] = 0;
	l = new_link(s, channel, &error);
	if (!l)
		return error;
	error = set_options(l, options);
	if (!error)
		error = nc_connect(l->nc, (int)timeout_ms);
	if (!error) {
		l->reconnects = options->reconnects;
		*out = l;
		return 0;
	}
	snprintf(text, 512, "%s", nc_error_text(l->nc));
	session_unlink(l, 0);
	return error;
}

enum status session_link_new(struct session *s, const char *channel,
                             const struct link_options *options, struct link **out)
{
	char text[512];
	int error;

	if (count_links(s) >= SESSION_LINKS_MAX) {
		session_complain(s, "more than %u channels at the same time", SESSION_LINKS_MAX);
		return STATUS_FAILED;
	}
	error = connect_link(s, channel, options, s->timeout_ms, out, text);
	return error ? complain_no_link(s, channel, error, text) : STATUS_OK;
}

/* A shared link that stands. Those that do not are ended on the way. */
static struct link *find_shared(struct session *s, const char *channel)
{
	struct link *next;

	for (struct link *l = s->links; l; l = next) {
		next = l->next;
		if (!l->is_shared || strcmp(l->channel, channel))
			continue;
		if (!l->closed && nc_state(l->nc) == NC_CONNECTED)
			return l;
		session_unlink(l, 0);
	}
	return NULL;
}

static const struct link_options shared_options = {.receive_policy = -1, .label = "ncclient"};

enum status session_link(struct session *s, const char *channel, struct link **out)
{
	enum status status;

	*out = find_shared(s, channel);
	if (*out)
		return STATUS_OK;
	status = session_link_new(s, channel, &shared_options, out);
	if (!status)
		(*out)->is_shared = true;
	return status;
}

int session_link_quietly(struct session *s, const char *channel, uint64_t timeout_ms,
                         struct link **out)
{
	char text[512];
	int error;

	*out = find_shared(s, channel);
	if (*out)
		return 0;
	if (count_links(s) >= SESSION_LINKS_MAX)
		return NC_EQUOTA;
	error = connect_link(s, channel, &shared_options, timeout_ms, out, text);
	if (!error)
		(*out)->is_shared = true;
	return error;
}

/* ---- waiting */

uint64_t session_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + 1;
}

/* How long poll() may sleep. */
static int sleep_ms(const struct session *s, uint64_t deadline_ms)
{
	uint64_t now = session_now_ms(), left;
	int ms = -1;

	if (deadline_ms != SESSION_FOREVER) {
		left = deadline_ms > now ? deadline_ms - now : 0;
		ms = left < 3600 * 1000 ? (int)left : 3600 * 1000;
	}
	for (const struct link *l = s->links; l; l = l->next) {
		int t = l->closed ? -1 : nc_timeout(l->nc);

		if (t >= 0 && (ms < 0 || t < ms))
			ms = t;
	}
	return ms;
}

static void process_links(struct session *s)
{
	for (struct link *l = s->links; l; l = l->next) {
		int rc;

		if (l->closed)
			continue;
		rc = nc_process(l->nc);
		if (rc)
			l->closed = rc;
	}
}

enum { POLL_INPUT, POLL_SIGNAL, POLL_OUTPUT, N_POLLS };

enum wait_result session_wait(struct session *s, int fd, uint64_t deadline_ms)
{
	struct pollfd fds[N_POLLS + SESSION_LINKS_MAX + 1];
	nfds_t n = N_POLLS;
	int rc;

	if (signals_ending())
		return WAIT_SIGNAL;
	if (fflush(s->out.f) || ferror(s->out.f))
		return WAIT_HANGUP;
	fds[POLL_INPUT] = (struct pollfd){.fd = fd, .events = POLLIN};
	fds[POLL_SIGNAL] = (struct pollfd){.fd = signals_fd(), .events = POLLIN};
	fds[POLL_OUTPUT] = (struct pollfd){.fd = s->ends_with_output ? fileno(s->out.f) : -1};
	for (const struct link *l = s->links; l; l = l->next)
		if (!l->closed && nc_fd(l->nc) >= 0)
			fds[n++] = (struct pollfd){.fd = nc_fd(l->nc), .events = nc_events(l->nc)};
	rc = poll(fds, n, sleep_ms(s, deadline_ms));
	if (rc < 0)
		rc = 0;
	if (rc && fds[POLL_SIGNAL].revents)
		signals_drain();
	if (signals_ending())
		return WAIT_SIGNAL;
	process_links(s);
	if (rc && (fds[POLL_OUTPUT].revents & (POLLERR | POLLHUP))) {
		s->hung_up = true;
		return WAIT_HANGUP;
	}
	if (rc && fds[POLL_INPUT].revents)
		return WAIT_INPUT;
	return session_now_ms() >= deadline_ms ? WAIT_TIMEOUT : WAIT_AGAIN;
}
