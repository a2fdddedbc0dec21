/*
 * A message that was heard, as a value and as a line
 *
 * The text form is made for eyes: time, subject (channel and event), payload as JSON, so that text
 * and numbers can be told apart. What others sent never reaches the terminal unescaped.
 */

#include "ncclient/message.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ncclient/literal.h"
#include "ncclient/output.h"
#include "ncclient/table.h"
#include "ncclient/text.h"
#include "ncclient/value.h"

static const char *const type_names[] = {
        [NC_EMPTY] = "empty", [NC_BOOL] = "bool",   [NC_INT] = "int",   [NC_DOUBLE] = "double",
        [NC_TEXT] = "text",   [NC_BYTES] = "bytes", [NC_JSON] = "json",
};

static int set_number(struct value *v, const char *text)
{
	v->text = strdup(text);
	if (!v->text)
		return -ENOMEM;
	v->len = strlen(text);
	v->kind = VALUE_NUMBER;
	return 0;
}

/* The shortest decimal number that is read as the same double; JSON has no other ones than finite.
 */
static int set_double(struct value *v, double d)
{
	char text[40];

	if (!isfinite(d))
		return 0;
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	return set_number(v, text);
}

/* Makes V an object with one member. The text is taken over. */
static int set_member(struct value *v, const char *key, char *text, size_t len)
{
	size_t n_room = 0;
	struct value *item;

	v->kind = VALUE_OBJECT;
	item = text ? value_push(v, &n_room) : NULL;
	if (!item) {
		free(text);
		return -ENOMEM;
	}
	item->kind = VALUE_STRING;
	item->text = text;
	item->len = len;
	item->key = strdup(key);
	if (!item->key)
		return -ENOMEM;
	item->key_len = strlen(key);
	return 0;
}

static int set_base64(struct value *v, const unsigned char *p, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                             "0123456789+/";
	size_t out_len = (len + 2) / 3 * 4, at = 0;
	char *out = malloc(out_len + 1);

	for (size_t i = 0; out && i < len; i += 3) {
		uint32_t n = (uint32_t)p[i] << 16;

		if (i + 1 < len)
			n |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < len)
			n |= p[i + 2];
		out[at++] = digits[n >> 18];
		out[at++] = digits[n >> 12 & 63];
		out[at++] = i + 1 < len ? digits[n >> 6 & 63] : '=';
		out[at++] = i + 2 < len ? digits[n & 63] : '=';
	}
	if (out)
		out[out_len] = 0;
	return set_member(v, "$bytes", out, out_len);
}

static int set_json(struct value *v, const char *p, size_t len)
{
	struct literal_error error;
	int rc = literal_parse(p, len, false, v, &error);
	char *copy;

	if (rc != LITERAL_E_SYNTAX)
		return rc;
	copy = malloc(len + 1);
	if (copy) {
		memcpy(copy, p, len);
		copy[len] = 0;
	}
	return set_member(v, "$invalid", copy, len);
}

int message_value(const nc_msg *m, struct value *v)
{
	const char *p = nc_msg_data(m) ? nc_msg_data(m) : "";
	size_t len = nc_msg_len(m);
	char text[32];
	int64_t i = 0;
	double d = 0;
	int rc = 0, b = 0;

	*v = (struct value){0};
	switch (nc_msg_type(m)) {
	case NC_EMPTY: break;
	case NC_BOOL:
		nc_msg_bool(m, &b);
		v->kind = b ? VALUE_TRUE : VALUE_FALSE;
		break;
	case NC_INT:
		nc_msg_int(m, &i);
		snprintf(text, sizeof(text), "%" PRId64, i);
		rc = set_number(v, text);
		break;
	case NC_DOUBLE:
		nc_msg_double(m, &d);
		rc = set_double(v, d);
		break;
	case NC_TEXT: rc = value_set_string(v, p, len); break;
	case NC_BYTES: rc = set_base64(v, (const unsigned char *)p, len); break;
	case NC_JSON: rc = set_json(v, p, len); break;
	}
	if (rc)
		value_fini(v);
	return rc;
}

static const char *type_name(const nc_msg *m)
{
	unsigned type = nc_msg_type(m);

	return type < sizeof(type_names) / sizeof(type_names[0]) ? type_names[type] : "unknown";
}

static void write_text(const struct output *o, const nc_msg *m, const struct value *v,
                       uint64_t at_ms)
{
	const char *event = nc_msg_event(m);
	char clock[TEXT_NUMBER_LEN];

	fprintf(o->f, "%s ", text_clock(clock, at_ms));
	if (o->colour)
		fputs("\033[1m", o->f);
	fprintf(o->f, "%s ", nc_msg_channel(m));
	text_put(o->f, event, strlen(event), o->utf8);
	if (o->colour)
		fputs("\033[0m", o->f);
	if (nc_msg_type(m) != NC_EMPTY) {
		putc(' ', o->f);
		value_write(o->f, v, false);
	}
	putc('\n', o->f);
}

static void write_json(const struct output *o, const nc_msg *m, const struct value *v,
                       uint64_t at_ms)
{
	const char *event = nc_msg_event(m), *channel = nc_msg_channel(m);
	struct nc_sender from;

	nc_msg_sender(m, &from);
	fprintf(o->f, "{\"at_ms\":%" PRIu64 ",\"channel\":", at_ms);
	value_write_string(o->f, channel, strlen(channel));
	fputs(",\"event\":", o->f);
	value_write_string(o->f, event, strlen(event));
	fprintf(o->f, ",\"type\":\"%s\",\"data\":", type_name(m));
	value_write(o->f, v, false);
	if (nc_msg_broadcast(m))
		fputs(",\"broadcast\":true", o->f);
	/* as text, since few readers of JSON keep more than 53 bits of a number */
	fprintf(o->f, ",\"sender\":{\"id\":\"%016" PRIx64 "\",\"seq\":%" PRIu64, from.id, from.seq);
	if (from.has_cred)
		fprintf(o->f, ",\"pid\":%ld,\"uid\":%lu,\"gid\":%lu", (long)from.pid,
		        (unsigned long)from.uid, (unsigned long)from.gid);
	if (from.host) {
		fputs(",\"host\":", o->f);
		value_write_string(o->f, from.host, strlen(from.host));
	}
	fputs("}}\n", o->f);
}

void message_write_csv_titles(const struct output *o)
{
	fputs("at_ms,channel,event,type,sender,seq,pid,uid,host,data\r\n", o->f);
}

static int write_csv(const struct output *o, const nc_msg *m, const struct value *v, uint64_t at_ms)
{
	const char *event = nc_msg_event(m);
	struct nc_sender from;
	char *data = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&data, &len);

	if (!f)
		return -ENOMEM;
	if (nc_msg_type(m) != NC_EMPTY)
		value_write(f, v, false);
	if (fclose(f)) {
		free(data);
		return -ENOMEM;
	}
	nc_msg_sender(m, &from);
	fprintf(o->f, "%" PRIu64 ",%s,", at_ms, nc_msg_channel(m));
	table_write_csv_field(o->f, event, strlen(event));
	fprintf(o->f, ",%s,%016" PRIx64 ",%" PRIu64 ",", type_name(m), from.id, from.seq);
	if (from.has_cred)
		fprintf(o->f, "%ld,%lu,", (long)from.pid, (unsigned long)from.uid);
	else
		fputs(",,", o->f);
	if (from.host)
		table_write_csv_field(o->f, from.host, strlen(from.host));
	putc(',', o->f);
	table_write_csv_field(o->f, data, len);
	fputs("\r\n", o->f);
	free(data);
	return 0;
}

int message_write(const struct output *o, const nc_msg *m, uint64_t at_ms)
{
	struct value v;
	int rc = message_value(m, &v);

	if (rc)
		return rc;
	switch (o->format) {
	case OUTPUT_TEXT: write_text(o, m, &v, at_ms); break;
	case OUTPUT_JSON: write_json(o, m, &v, at_ms); break;
	case OUTPUT_CSV: rc = write_csv(o, m, &v, at_ms); break;
	}
	value_fini(&v);
	return rc;
}

int message_write_raw(const struct output *o, const nc_msg *m)
{
	const char *p = nc_msg_data(m);
	struct value v;
	int rc;

	if (nc_msg_type(m) == NC_BYTES) {
		if (p)
			fwrite(p, 1, nc_msg_len(m), o->f);
		return 0;
	}
	rc = message_value(m, &v);
	if (rc)
		return rc;
	if (nc_msg_type(m) == NC_TEXT && isatty(fileno(o->f)))
		text_put(o->f, v.text, v.len, o->utf8);
	else if (nc_msg_type(m) == NC_TEXT)
		fwrite(v.text, 1, v.len, o->f);
	else if (nc_msg_type(m) != NC_EMPTY)
		value_write(o->f, &v, false);
	putc('\n', o->f);
	value_fini(&v);
	return 0;
}
