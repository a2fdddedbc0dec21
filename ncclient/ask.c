/*
 * What the commands do: questions to the server
 */

#include "ncclient/actions.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ncclient/session.h"
#include "ncclient/text.h"
#include "ncclient/value.h"
#include "ncclient/view.h"

/* Configurations are a few kilobytes; this stops somebody who named a disk. */
#define CONFIG_MAX (8u << 20)

/* Questions, and how their answers are shown. */
static const struct {
	const char *event;
	const struct view *view;
} questions[] = {
        {"nc-control-showconfig", &view_config}, {"nc-control-reloadconfig", &view_done},
        {"nc-control-showchannel", &view_ids},   {"nc-control-showclient", &view_client},
        {"nc-control-channels", &view_channels}, {"nc-control-clients", &view_clients},
        {"nc-control-rules", &view_rules},       {"nc-control-slow", &view_slow},
        {"nc-control-stats", &view_stats},       {"nc-control-trace", &view_trace},
        {"nc-control-peers", &view_peers},       {"nc-control-net", &view_net},
        {"nc-control-lanes", &view_lanes},       {"nc-control-probe", &view_probe},
        {"nc-control-keys", &view_keys},         {"nc-control-keyinstall", &view_key},
        {"nc-control-keyuse", &view_key},        {"nc-control-keyremove", &view_key},
};

static const struct view *view_of(const char *event)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (!strcmp(questions[i].event, event))
			return questions[i].view;
	return &view_config;
}

static enum status show(struct session *s, const char *event, const char *json)
{
	struct value answer;
	enum status status = session_ask(s, event, json, &answer);

	if (status)
		return status;
	if (output_answer(&s->out, view_of(event), &answer))
		status = STATUS_OS;
	value_fini(&answer);
	return status;
}

enum status ask_simple(struct session *s, const char *event)
{
	return show(s, event, NULL);
}

/* An object of strings as JSON, to be freed; NULL without memory. Pairs end with a NULL key. */
static char *json_object(const char *const *pairs)
{
	char *json = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&json, &len);

	if (!f)
		return NULL;
	for (size_t i = 0; pairs[i]; i += 2) {
		fprintf(f, "%s\"%s\":", i ? "," : "{", pairs[i]);
		value_write_string(f, pairs[i + 1], strlen(pairs[i + 1]));
	}
	putc('}', f);
	if (!fclose(f))
		return json;
	free(json);
	return NULL;
}

static enum status show_object(struct session *s, const char *event, const char *const *pairs)
{
	char *json = json_object(pairs);
	enum status status = json ? show(s, event, json) : STATUS_OS;

	free(json);
	return status;
}

enum status ask_clients(struct session *s, const char *channel)
{
	const char *const pairs[] = {"channel", channel, NULL};

	return channel ? show_object(s, "nc-control-clients", pairs)
	               : show(s, "nc-control-clients", NULL);
}

enum status ask_trace(struct session *s, const char *channel, const char *event)
{
	const char *const pairs[] = {"channel", channel, "event", event, NULL};

	return show_object(s, "nc-control-trace", pairs);
}

static char *json_string(const char *text)
{
	char *json = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&json, &len);

	if (!f)
		return NULL;
	value_write_string(f, text, strlen(text));
	if (!fclose(f))
		return json;
	free(json);
	return NULL;
}

enum status ask_channel(struct session *s, const char *channel)
{
	char *json = json_string(channel);
	enum status status = json ? show(s, "nc-control-showchannel", json) : STATUS_OS;

	free(json);
	return status;
}

/* ---- one client */

#define ID_LEN 36u

/* Finds the one id of a channel that begins with PREFIX. Returns STATUS_OK and the id, to be freed.
 */
static enum status whole_id(struct session *s, const char *channel, const char *prefix, char **out)
{
	char *json = json_string(channel);
	struct value ids;
	enum status status;
	size_t n = 0;

	*out = NULL;
	status = json ? session_ask(s, "nc-control-showchannel", json, &ids) : STATUS_OS;
	free(json);
	if (status)
		return status;
	for (size_t i = 0; i < ids.n_items; i++) {
		const char *id = value_str(&ids.items[i], "");

		if (strncmp(id, prefix, strlen(prefix)))
			continue;
		free(*out);
		*out = strdup(id);
		n++;
	}
	value_fini(&ids);
	if (n == 1)
		return *out ? STATUS_OK : STATUS_OS;
	free(*out);
	*out = NULL;
	if (n)
		session_complain(s, "the ids of %zu clients of channel %s begin with %s", n,
		                 channel, prefix);
	else
		session_complain(s, "no client of channel %s has the id %s", channel, prefix);
	return STATUS_FAILED;
}

enum status ask_client(struct session *s, const char *channel, const char *id)
{
	const char *pairs[] = {"channel", channel, "client", id, NULL};
	enum status status;
	char *whole = NULL;

	if (strlen(id) < ID_LEN) {
		status = whole_id(s, channel, id, &whole);
		if (status)
			return status;
		pairs[3] = whole;
	}
	status = show_object(s, "nc-control-showclient", pairs);
	free(whole);
	return status;
}

/* ---- reload */

/* Reads a whole file, "-" for standard input. Returns STATUS_OK and the text, to be freed. */
static enum status read_config(struct session *s, const char *path, char **out)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	size_t len = 0, n;
	char *text;
	bool failed;

	*out = NULL;
	if (!f) {
		session_complain(s, "cannot open %s: %s", path, strerror(errno));
		return STATUS_NOINPUT;
	}
	text = malloc(CONFIG_MAX + 1);
	while (text && len < CONFIG_MAX && (n = fread(text + len, 1, CONFIG_MAX - len, f)))
		len += n;
	failed = ferror(f);
	if (failed)
		session_complain(s, "cannot read %s: %s", path, strerror(errno));
	if (f != stdin)
		fclose(f);
	if (!text || failed) {
		free(text);
		return text ? STATUS_IO : STATUS_OS;
	}
	text[len] = 0;
	if (len == CONFIG_MAX || strlen(text) != len || !text_is_utf8(text, len)) {
		session_complain(s, "%s is %s", path,
		                 len == CONFIG_MAX ? "too large for a configuration"
		                                   : "no UTF-8 text");
		free(text);
		return STATUS_DATA;
	}
	*out = text;
	return STATUS_OK;
}

/* Skips what both formats take for comments and space. */
static const char *skip_comments(const char *p)
{
	for (;;) {
		while (isspace((unsigned char)*p))
			p++;
		if (*p == '#' || !strncmp(p, "//", 2)) {
			p += strcspn(p, "\n");
		} else if (!strncmp(p, "/*", 2)) {
			const char *end = strstr(p + 2, "*/");

			if (!end)
				return p;
			p = end + 2;
		} else {
			return p;
		}
	}
}

enum status ask_reload(struct session *s, const char *path)
{
	const char *pairs[] = {"format", NULL, "text", NULL, "name", NULL, NULL};
	enum status status;
	char *text;

	if (!path)
		return show(s, "nc-control-reloadconfig", NULL);
	status = read_config(s, path, &text);
	if (status)
		return status;
	pairs[1] = *skip_comments(text) == '{' ? "json" : "libconfig";
	pairs[3] = text;
	pairs[5] = strcmp(path, "-") ? path : "standard input";
	status = show_object(s, "nc-control-reloadconfig", pairs);
	free(text);
	return status;
}

/* ---- the network */

enum status ask_key_file(struct session *s, const char *path)
{
	const char *pairs[] = {"path", path, NULL};
	char *whole = realpath(path, NULL);
	enum status status;

	/* where it is not for us to see, the server says what it finds */
	if (whole)
		pairs[1] = whole;
	status = show_object(s, "nc-control-keyinstall", pairs);
	free(whole);
	return status;
}

enum status ask_key(struct session *s, const char *event, const char *id, bool force)
{
	char *json = NULL, *text = json_string(id);
	enum status status = STATUS_OS;

	if (text &&
	    asprintf(&json, "{\"id\":%s,\"force\":%s}", text, force ? "true" : "false") >= 0) {
		status = show(s, event, json);
		free(json);
	}
	free(text);
	return status;
}

/* How long hosts have to say that they are there: more than once between two announcements. Where
 * that was not enough, they are waited for some times more. */
#define PROBE_NS    1200000000L
#define PROBE_TRIES 3u

enum status ask_probe(struct session *s)
{
	struct timespec wait = {.tv_sec = PROBE_NS / 1000000000L,
	                        .tv_nsec = PROBE_NS % 1000000000L};
	struct value answer = {0};
	enum status status = session_ask(s, "nc-control-probe", NULL, &answer);

	for (unsigned i = 0; i < PROBE_TRIES && !status; i++) {
		bool works = i > 0 && value_bool(value_get(&answer, "works"));

		/* where there is no network, there is nothing to look at */
		if (works || !value_get(&answer, "looked_ms"))
			break;
		value_fini(&answer);
		nanosleep(&wait, NULL);
		status = session_ask(s, "nc-control-probe", "true", &answer);
	}
	if (!status && output_answer(&s->out, view_of("nc-control-probe"), &answer))
		status = STATUS_OS;
	value_fini(&answer);
	return status;
}

/* ---- ping */

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int show_ping(struct session *s, const struct link *l, double took_ms)
{
	char number[32];
	struct value v = {.kind = VALUE_OBJECT};
	const char *const members[][2] = {
	        {"server", nc_server(l->nc)}, {"host", nc_host(l->nc)},  {"channel", l->channel},
	        {"socket", nc_socket(l->nc)}, {"round_trip_ms", number},
	};
	size_t n_room = 0;
	int rc = 0;

	snprintf(number, sizeof(number), "%.3f", took_ms);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]) && !rc; i++) {
		struct value *item = value_push(&v, &n_room);

		rc = item ? value_set_string(item, members[i][1], strlen(members[i][1])) : -ENOMEM;
		if (rc)
			break;
		item->key = strdup(members[i][0]);
		item->key_len = strlen(members[i][0]);
		if (!item->key)
			rc = -ENOMEM;
		if (members[i][1] == number)
			item->kind = VALUE_NUMBER;
	}
	if (!rc)
		rc = output_answer(&s->out, &view_ping, &v);
	value_fini(&v);
	return rc;
}

enum status ask_ping(struct session *s, const char *channel)
{
	struct link *l;
	enum status status = session_link(s, channel ? channel : "control", &l);
	double start;
	int rc;

	if (status)
		return status;
	start = now_ms();
	rc = nc_sync(l->nc, (int)s->timeout_ms);
	if (rc) {
		session_complain(s, "channel %s: %s", l->channel, nc_strerror(rc));
		return status_of(rc);
	}
	return show_ping(s, l, now_ms() - start) ? STATUS_OS : STATUS_OK;
}
