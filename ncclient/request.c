/*
 * A session: what is asked of the server
 *
 * A question lives on its own until libnc has run its callback, whether or not somebody still waits
 * for the answer.
 */

#include "ncclient/session.h"

#include <stdlib.h>
#include <string.h>

#include "ncclient/message.h"
#include "ncclient/value.h"

struct question {
	session_answer *fn;
	void *arg;
};

static void on_reply(nc_client *c, int error, const nc_msg *m, void *arg)
{
	struct question q = *(struct question *)arg;
	const char *text = error && m ? nc_msg_text(m) : NULL;
	struct value answer = {0};

	(void)c;
	free(arg);
	if (!error && message_value(m, &answer))
		error = NC_ENOMEM;
	if (!text || !*text)
		text = error == NC_ENOBODY ? "the server does not know this question"
		                           : nc_strerror(error);
	if (error)
		q.fn(q.arg, status_of(error), text, NULL);
	else
		q.fn(q.arg, STATUS_OK, "", &answer);
	value_fini(&answer);
}

enum status session_ask_async(struct link *l, const char *event, const char *json,
                              uint64_t timeout_ms, session_answer *fn, void *arg)
{
	struct question *q = malloc(sizeof(*q));
	int rc;

	if (!q)
		return STATUS_OS;
	*q = (struct question){.fn = fn, .arg = arg};
	rc = nc_request(l->nc, event, json ? NC_JSON : NC_EMPTY, json, json ? strlen(json) : 0,
	                (int)timeout_ms, on_reply, q);
	if (rc)
		free(q);
	return status_of(rc);
}

/* A question that session_ask() waits for, on the heap: a signal may end the wait before. */
struct wanted {
	bool is_done;
	bool is_given_up;
	enum status status;
	char *text; /* NULL without memory */
	struct value answer;
};

static void wanted_free(struct wanted *w)
{
	value_fini(&w->answer);
	free(w->text);
	free(w);
}

static void on_wanted(void *arg, enum status status, const char *text, struct value *answer)
{
	struct wanted *w = arg;

	if (w->is_given_up) {
		wanted_free(w);
		return;
	}
	w->is_done = true;
	w->status = status;
	w->text = strdup(text);
	if (!answer)
		return;
	w->answer = *answer;
	*answer = (struct value){0};
}

/* libnc ends a question when its time is over; this is for the case that it does not. */
#define GRACE_MS 1000u

static enum status wait_for(struct session *s, struct link *l, struct wanted *w,
                            uint64_t timeout_ms)
{
	uint64_t deadline = session_now_ms() + timeout_ms + GRACE_MS;

	while (!w->is_done && !l->closed) {
		switch (session_wait(s, -1, deadline)) {
		case WAIT_SIGNAL: return session_signal_status();
		case WAIT_HANGUP: return STATUS_IO;
		case WAIT_TIMEOUT: return STATUS_TIMEOUT;
		case WAIT_AGAIN:
		case WAIT_INPUT: break;
		}
	}
	return w->is_done ? w->status : STATUS_UNAVAILABLE;
}

static const char *status_text(enum status status)
{
	switch (status) {
	case STATUS_TIMEOUT: return "the server does not answer in time";
	case STATUS_UNAVAILABLE: return "the server went away";
	default: return "cannot ask the server";
	}
}

/* A refusal may have several lines, each for a problem of its own. */
static void complain(struct session *s, const char *text)
{
	const char *end = strchr(text, '\n');

	if (!end) {
		session_complain(s, "%s", text);
		return;
	}
	session_complain(s, "refused:");
	if (s->quiet)
		return;
	fputs(text, s->err);
	if (text[strlen(text) - 1] != '\n')
		putc('\n', s->err);
}

static enum status ask(struct session *s, struct link *l, const char *event, const char *json,
                       uint64_t timeout_ms, bool aloud, struct value *answer)
{
	struct wanted *w = calloc(1, sizeof(*w));
	enum status status = STATUS_OS;

	if (w)
		status = session_ask_async(l, event, json, timeout_ms, on_wanted, w);
	if (status) {
		free(w);
		if (aloud)
			session_complain(s, "%s", status_text(status));
		return status;
	}
	status = wait_for(s, l, w, timeout_ms);
	if (!status) {
		*answer = w->answer;
		w->answer = (struct value){0};
	} else if (aloud && status != STATUS_INTERRUPTED && status != STATUS_TERMINATED) {
		complain(s, w->is_done && w->text ? w->text : status_text(status));
	}
	if (w->is_done)
		wanted_free(w);
	else
		w->is_given_up = true;
	return status;
}

enum status session_ask(struct session *s, const char *event, const char *json,
                        struct value *answer)
{
	struct link *l;
	enum status status = session_link(s, "control", &l);

	return status ? status : ask(s, l, event, json, s->timeout_ms, true, answer);
}

enum status session_ask_quietly(struct session *s, const char *event, const char *json,
                                uint64_t timeout_ms, struct value *answer)
{
	struct link *l;
	int error = session_link_quietly(s, "control", timeout_ms, &l);

	return error ? status_of(error) : ask(s, l, event, json, timeout_ms, false, answer);
}
