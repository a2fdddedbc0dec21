/*
 * What the commands do: emit
 *
 * An emit is done when the server has taken it: after the last event the server is asked whether
 * all came through, so that a refusal becomes an exit status.
 */

#include "ncclient/actions.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ncclient/literal.h"
#include "ncclient/option.h"
#include "ncclient/session.h"
#include "ncclient/text.h"
#include "ncclient/value.h"

/* What is read at once. */
#define READ_LEN 65536u

struct payload {
	enum nc_type type;
	const void *data; /* not owned */
	size_t len;
	union {
		int64_t i;
		double d;
		uint8_t b;
	} number;
};

/* Where data came from, for complaints. */
struct source {
	unsigned long line; /* 0: not from lines */
};

static enum status complain_data(struct session *s, const struct source *from, const char *text)
{
	if (from->line)
		session_complain(s, "line %lu: %s", from->line, text);
	else
		session_complain(s, "data: %s", text);
	return STATUS_DATA;
}

/* ---- reading payloads */

static enum status read_json(struct session *s, const struct source *from, const char *p,
                             size_t len)
{
	struct literal_error error;
	size_t line, column;
	struct value v;
	char text[200];
	int rc = literal_parse(p, len, false, &v, &error);

	if (!rc) {
		value_fini(&v);
		return STATUS_OK;
	}
	if (rc < 0)
		return STATUS_OS;
	literal_place(p, len, error.at, &line, &column);
	if (line > 1)
		snprintf(text, sizeof(text), "line %zu, column %zu: %s", line, column, error.text);
	else
		snprintf(text, sizeof(text), "column %zu: %s", column, error.text);
	return complain_data(s, from, text);
}

static enum status read_number(struct session *s, const struct source *from,
                               enum option_payload kind, const char *p, struct payload *out)
{
	char *end;

	errno = 0;
	if (kind == PAYLOAD_INT) {
		out->number.i = strtoll(p, &end, 0);
		out->data = &out->number.i;
	} else {
		out->number.d = strtod(p, &end);
		out->data = &out->number.d;
	}
	out->len = 8;
	/* a double that is too small is as good as 0 */
	if (end == p || *end || (errno && kind == PAYLOAD_INT))
		return complain_data(s, from,
		                     kind == PAYLOAD_INT ? "not a 64-bit integer" : "not a number");
	return STATUS_OK;
}

static enum status read_bool(struct session *s, const struct source *from, const char *p,
                             struct payload *out)
{
	if (strcmp(p, "true") && strcmp(p, "false"))
		return complain_data(s, from, "neither true nor false");
	out->number.b = *p == 't';
	out->data = &out->number.b;
	out->len = 1;
	return STATUS_OK;
}

/* Makes a payload of the LEN bytes at P, which are terminated and must outlive it. */
static enum status read_payload(struct session *s, const struct source *from,
                                enum option_payload kind, const char *p, size_t len,
                                struct payload *out)
{
	static const enum nc_type types[] = {
	        [PAYLOAD_JSON] = NC_JSON,     [PAYLOAD_TEXT] = NC_TEXT, [PAYLOAD_INT] = NC_INT,
	        [PAYLOAD_DOUBLE] = NC_DOUBLE, [PAYLOAD_BOOL] = NC_BOOL, [PAYLOAD_BYTES] = NC_BYTES,
	};

	*out = (struct payload){.type = types[kind], .data = p, .len = len};
	switch (kind) {
	case PAYLOAD_JSON: return read_json(s, from, p, len);
	case PAYLOAD_TEXT:
		return text_is_utf8(p, len) ? STATUS_OK
		                            : complain_data(s, from, "not UTF-8; --bytes takes it");
	case PAYLOAD_INT:
	case PAYLOAD_DOUBLE: return read_number(s, from, kind, p, out);
	case PAYLOAD_BOOL: return read_bool(s, from, p, out);
	case PAYLOAD_BYTES: break;
	}
	return STATUS_OK;
}

/* ---- sending */

static enum status complain_emit(struct session *s, const struct link *l, const char *event,
                                 size_t len, int error)
{
	switch (error) {
	case NC_ENAME:
		session_complain(s,
		                 "'%s' is no name of an event: tokens with dots between, "
		                 "without spaces, * and >",
		                 event);
		break;
	case NC_ERESERVED:
		session_complain(s, "the event %s comes from servers only", event);
		break;
	case NC_ETOOBIG:
		session_complain(s, "%zu bytes are more than the %zu that the server takes", len,
		                 nc_max_message(l->nc));
		break;
	default:
		session_complain(s, "channel %s: %s", l->channel,
		                 *nc_error_text(l->nc) ? nc_error_text(l->nc) : nc_strerror(error));
		break;
	}
	return status_of(error);
}

/* Emits, waiting for room where there is none. */
static enum status emit(struct session *s, struct link *l, const char *event,
                        const struct payload *p, unsigned flags)
{
	for (;;) {
		int rc = nc_emit(l->nc, event, p->type, p->len ? p->data : NULL, p->len, flags);

		if (!rc)
			return STATUS_OK;
		if (rc != NC_AGAIN)
			return complain_emit(s, l, event, p->len, l->closed ? l->closed : rc);
		switch (session_wait(s, -1, SESSION_FOREVER)) {
		case WAIT_SIGNAL: return session_signal_status();
		case WAIT_HANGUP: return STATUS_IO;
		case WAIT_AGAIN:
		case WAIT_TIMEOUT:
		case WAIT_INPUT: break;
		}
	}
}

/* Waits until the server has taken all, and says what it refused. */
static enum status settle(struct session *s, struct link *l)
{
	int rc = nc_sync(l->nc, (int)s->timeout_ms);

	if (l->refused) {
		session_complain(s, "channel %s: refused: %s", l->channel, l->refusal);
		if (l->n_refused > 1)
			session_complain(s, "channel %s: %llu events were refused", l->channel,
			                 (unsigned long long)l->n_refused);
		return status_of(l->refused);
	}
	if (rc == NC_ETIMEOUT)
		session_complain(s, "channel %s: the server has not taken everything in time",
		                 l->channel);
	else if (rc)
		session_complain(s, "channel %s: %s", l->channel,
		                 *nc_error_text(l->nc) ? nc_error_text(l->nc) : nc_strerror(rc));
	return status_of(rc);
}

enum status emit_value(struct session *s, const char *channel, const char *event,
                       const struct value *data)
{
	struct payload payload = {.type = NC_EMPTY};
	enum status status;
	char *json = NULL;
	struct link *l;
	FILE *f;

	status = session_link(s, channel, &l);
	if (status)
		return status;
	if (data) {
		f = open_memstream(&json, &payload.len);
		if (!f)
			return STATUS_OS;
		value_write(f, data, false);
		if (fclose(f)) {
			free(json);
			return STATUS_OS;
		}
		payload.type = NC_JSON;
		payload.data = json;
	}
	l->refused = 0;
	l->n_refused = 0;
	status = emit(s, l, event, &payload, 0);
	if (!status)
		status = settle(s, l);
	free(json);
	return status;
}

/* ---- in the shell */

/* Reads a descriptor to its end, MAX bytes at most. Returns the bytes, terminated and to be freed;
 * NULL with errno (EFBIG: there are more). */
static char *read_all(int fd, size_t max, size_t *lenp)
{
	size_t len = 0, room = 0;
	char *data = NULL;

	for (;;) {
		ssize_t n;

		if (room - len < READ_LEN + 1) {
			char *more = realloc(data, room = room * 2 + 2 * READ_LEN);

			if (!more)
				break;
			data = more;
		}
		n = read(fd, data + len, READ_LEN);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0) {
			data[len] = 0;
			*lenp = len;
			return data;
		}
		if (n < 0)
			break;
		len += (size_t)n;
		if (len > max) {
			errno = EFBIG;
			break;
		}
	}
	free(data);
	return NULL;
}

/* Gets data that is named by "-" or "@file". Returns STATUS_OK and the bytes, to be freed. */
static enum status fetch(struct session *s, const char *word, size_t max, char **out, size_t *lenp)
{
	const char *name = *word == '@' ? word + 1 : "standard input";
	int fd = *word == '@' ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	enum status status = STATUS_OK;

	if (fd < 0) {
		session_complain(s, "cannot open %s: %s", name, strerror(errno));
		return STATUS_NOINPUT;
	}
	*out = read_all(fd, max, lenp);
	if (!*out && errno == EFBIG) {
		session_complain(s, "%s holds more than the %zu bytes that the server takes", name,
		                 max);
		status = STATUS_DATA;
	} else if (!*out) {
		session_complain(s, "cannot read %s: %s", name, strerror(errno));
		status = errno == ENOMEM ? STATUS_OS : STATUS_IO;
	}
	if (fd != STDIN_FILENO)
		close(fd);
	return status;
}

static enum status emit_word(struct session *s, struct link *l, const struct options *o,
                             const char *event, const char *word, unsigned flags)
{
	struct source from = {0};
	struct payload payload;
	enum status status;
	char *fetched = NULL;
	size_t len;

	if (!strcmp(word, "-") || (word[0] == '@' && word[1] != '@')) {
		status = fetch(s, word, nc_max_message(l->nc), &fetched, &len);
		if (status)
			return status;
		/* what an editor or echo puts at the end is no part of a text or a number */
		if (o->payload != PAYLOAD_BYTES && len && fetched[len - 1] == '\n')
			fetched[--len] = 0;
		word = fetched;
	} else {
		word += word[0] == '@';
		len = strlen(word);
	}
	status = read_payload(s, &from, o->payload, word, len, &payload);
	if (!status)
		status = emit(s, l, event, &payload, flags);
	free(fetched);
	return status;
}

/* Lines of standard input, as they come. */
struct lines {
	struct session *s;
	struct link *l;
	const struct options *o;
	const char *event;
	unsigned flags;
	struct source from;
	char *data;
	size_t len;
	size_t room;
	enum status failed; /* the first status that was not STATUS_OK */
};

static enum status emit_line(struct lines *in, char *line, size_t len)
{
	struct payload payload;
	enum status status;

	in->from.line++;
	line[len] = 0;
	/* a line of JSON holds a value; one without is only a line */
	if (!len && in->o->payload == PAYLOAD_JSON)
		return STATUS_OK;
	status = read_payload(in->s, &in->from, in->o->payload, line, len, &payload);
	if (!status)
		status = emit(in->s, in->l, in->event, &payload, in->flags);
	if (status == STATUS_DATA && in->s->keep_going) {
		in->failed = status;
		return STATUS_OK;
	}
	return status;
}

/* Emits the lines that are complete; AT_END the last one too, which may lack its newline. */
static enum status emit_lines(struct lines *in, bool at_end)
{
	char *line = in->data, *end;
	size_t left = in->len;
	enum status status = STATUS_OK;

	while (!status && left && (end = memchr(line, '\n', left))) {
		status = emit_line(in, line, (size_t)(end - line));
		left -= (size_t)(end - line) + 1;
		line = end + 1;
	}
	if (!status && at_end && left) {
		status = emit_line(in, line, left);
		left = 0;
	}
	if (left)
		memmove(in->data, line, left);
	in->len = left;
	return status;
}

static enum status read_some(struct lines *in, bool *at_end)
{
	ssize_t n;

	if (in->room - in->len < READ_LEN + 1) {
		char *more = realloc(in->data, in->room * 2 + 2 * READ_LEN);

		if (!more)
			return STATUS_OS;
		in->data = more;
		in->room = in->room * 2 + 2 * READ_LEN;
	}
	n = read(STDIN_FILENO, in->data + in->len, READ_LEN);
	if (n < 0 && errno != EINTR && errno != EAGAIN) {
		session_complain(in->s, "cannot read standard input: %s", strerror(errno));
		return STATUS_IO;
	}
	*at_end = !n;
	if (n > 0)
		in->len += (size_t)n;
	return STATUS_OK;
}

static enum status run_lines(struct lines *in)
{
	enum status status = STATUS_OK;
	bool at_end = false;

	while (!status && !at_end) {
		if (in->l->closed)
			return complain_emit(in->s, in->l, in->event, 0, in->l->closed);
		switch (session_wait(in->s, STDIN_FILENO, SESSION_FOREVER)) {
		case WAIT_SIGNAL: return session_signal_status();
		case WAIT_HANGUP: return STATUS_IO;
		case WAIT_AGAIN:
		case WAIT_TIMEOUT: continue;
		case WAIT_INPUT: break;
		}
		status = read_some(in, &at_end);
		if (!status)
			status = emit_lines(in, at_end);
		if (!status && in->len > nc_max_message(in->l->nc)) {
			session_complain(in->s,
			                 "line %lu is longer than the %zu bytes that the "
			                 "server takes",
			                 in->from.line + 1, nc_max_message(in->l->nc));
			status = STATUS_DATA;
		}
	}
	return status ? status : in->failed;
}

static enum status emit_all(struct session *s, struct link *l, const struct options *o)
{
	unsigned flags = o->broadcast ? NC_BROADCAST : 0;
	struct payload nothing = {.type = NC_EMPTY};
	struct lines in = {.s = s, .l = l, .o = o, .event = o->words[2], .flags = flags};
	enum status status, settled;

	if (o->lines)
		status = run_lines(&in);
	else if (o->n_words > 3)
		status = emit_word(s, l, o, o->words[2], o->words[3], flags);
	else
		status = emit(s, l, o->words[2], &nothing, flags);
	free(in.data);
	if (l->closed)
		return status ? status : complain_emit(s, l, o->words[2], 0, l->closed);
	/* what came before an error counts all the same */
	settled = settle(s, l);
	return status ? status : settled;
}

enum status emit_words(struct session *s, const struct options *o)
{
	struct link_options options = {
	        .receive_policy = -1,
	        .label = "ncclient emit",
	        .reconnects = o->lines && !o->no_reconnect,
	};
	enum status status;
	struct link *l;

	if (o->lines && o->n_words > 3 && strcmp(o->words[3], "-")) {
		session_complain(s, "--lines takes its data from standard input, not from '%s'",
		                 o->words[3]);
		return STATUS_USAGE;
	}
	if (!o->lines && o->n_words == 3 && o->payload != PAYLOAD_JSON) {
		session_complain(s, "DATA is missing; '-' stands for standard input");
		return STATUS_USAGE;
	}
	status = session_link_new(s, o->words[1], &options, &l);
	if (status)
		return status;
	status = emit_all(s, l, o);
	session_unlink(l, (int)s->timeout_ms);
	return status;
}
