/*
 * What the commands do: listen, watch
 *
 * Looking on must not slow down those who are looked at: unless told otherwise, a listener asks the
 * server to drop what it cannot read in time, and tells each gap.
 */

#include "ncclient/actions.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ncclient/message.h"
#include "ncclient/session.h"
#include "ncclient/signals.h"

struct listener {
	struct session *s;
	const struct listen_options *options;
	uint64_t n_heard;
	enum status failed;
};

static uint64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_done(const struct listener *in)
{
	return in->failed || (in->options->count && in->n_heard >= in->options->count);
}

static void on_message(nc_client *c, const nc_msg *m, void *arg)
{
	struct listener *in = arg;
	int rc;

	(void)c;
	/* more may come in the same read as the last one that is wanted */
	if (is_done(in) || ferror(in->s->out.f))
		return;
	in->n_heard++;
	if (in->options->raw)
		rc = message_write_raw(&in->s->out, m);
	else
		rc = message_write(&in->s->out, m, wall_ms());
	if (rc)
		in->failed = STATUS_OS;
	if (in->s->on_heard)
		in->s->on_heard(in->s->on_heard_arg, nc_msg_event(m));
}

static enum status subscribe(struct session *s, struct link *l, const char *pattern, nc_handler *fn,
                             void *arg)
{
	int rc = nc_on(l->nc, pattern, fn, arg);

	if (!rc)
		rc = nc_sync(l->nc, (int)s->timeout_ms);
	if (!rc && l->refused)
		rc = l->refused;
	if (!rc)
		return STATUS_OK;
	if (rc == NC_ENAME)
		session_complain(s,
		                 "'%s' is no pattern: an event's name, in which * stands for a "
		                 "token, and a last > for the rest",
		                 pattern);
	else
		session_complain(s, "channel %s: %s", l->channel,
		                 l->refused ? l->refusal : nc_strerror(rc));
	return status_of(rc);
}

static enum status listen_loop(struct listener *in, struct link *l)
{
	uint64_t limit_ms = in->options->limit_ms;
	uint64_t deadline = limit_ms ? session_now_ms() + limit_ms : SESSION_FOREVER;

	while (!is_done(in)) {
		if (l->closed) {
			session_complain(in->s, "channel %s: %s", l->channel,
			                 *nc_error_text(l->nc) ? nc_error_text(l->nc)
			                                       : nc_strerror(l->closed));
			return status_of(l->closed);
		}
		switch (session_wait(in->s, -1, deadline)) {
		case WAIT_SIGNAL: return session_signal_status();
		case WAIT_HANGUP: return STATUS_OK;
		case WAIT_TIMEOUT: return in->options->count ? STATUS_TIMEOUT : STATUS_OK;
		case WAIT_AGAIN:
		case WAIT_INPUT: break;
		}
	}
	return in->failed;
}

enum status listen_run(struct session *s, const char *channel, const char *pattern,
                       const struct listen_options *options)
{
	struct link_options link_options = {
	        .receive_policy = options->reliable ? -1 : NC_POLICY_DROP_OLDEST,
	        .label = "ncclient listen",
	        .reconnects = !options->no_reconnect,
	};
	struct listener in = {.s = s, .options = options};
	bool ended_with_output = s->ends_with_output;
	enum status status;
	struct link *l;

	if (signals_catch())
		return STATUS_OS;
	status = session_link_new(s, channel, &link_options, &l);
	if (status)
		return status;
	if (!options->raw && s->out.format == OUTPUT_CSV)
		message_write_csv_titles(&s->out);
	status = subscribe(s, l, pattern, on_message, &in);
	if (!status && isatty(fileno(s->err)))
		session_complain(s, "listening on %s for %s; Ctrl-C ends", channel, pattern);
	s->ends_with_output = true;
	if (!status)
		status = listen_loop(&in, l);
	s->ends_with_output = ended_with_output;
	if (status == STATUS_TIMEOUT)
		session_complain(s, "heard %llu of %llu in time", (unsigned long long)in.n_heard,
		                 (unsigned long long)options->count);
	session_unlink(l, 0);
	if (status == STATUS_INTERRUPTED && s->interactive) {
		signals_clear_interrupt();
		status = STATUS_OK;
	}
	return status;
}

/* ---- in the background */

static void on_watched(nc_client *c, const nc_msg *m, void *arg)
{
	struct link *l = arg;
	struct session *s = l->session;

	(void)c;
	if (s->before_print)
		s->before_print(s->before_print_arg);
	message_write(&s->out, m, wall_ms());
	if (s->on_heard)
		s->on_heard(s->on_heard_arg, nc_msg_event(m));
}

static struct link *find_watch(struct session *s, const char *channel)
{
	for (struct link *l = s->links; l; l = l->next)
		if (l->is_watch && (!channel || !strcmp(l->channel, channel)))
			return l;
	return NULL;
}

static const struct link_options watch_options = {
        .receive_policy = NC_POLICY_DROP_OLDEST, .label = "ncclient watch", .reconnects = true};

enum status watch_log(struct session *s)
{
	struct link *l;
	enum status status = session_link_new(s, "control", &watch_options, &l);

	return status ? status : subscribe(s, l, "log", on_watched, l);
}

enum status watch_start(struct session *s, const char *channel, const char *pattern)
{
	enum status status = STATUS_OK;
	struct link *l = find_watch(s, channel);

	if (!l) {
		status = session_link_new(s, channel, &watch_options, &l);
		if (status)
			return status;
		l->is_watch = true;
	}
	return subscribe(s, l, pattern, on_watched, l);
}

enum status watch_end(struct session *s, const char *channel)
{
	struct link *l = find_watch(s, channel);

	if (!l) {
		session_complain(s, "nothing is watched on %s%s",
		                 channel ? "channel " : "any channel", channel ? channel : "");
		return STATUS_FAILED;
	}
	for (; l; l = find_watch(s, channel))
		session_unlink(l, 0);
	return STATUS_OK;
}
