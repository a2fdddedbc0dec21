/* packet.c - reads netcluster's JSON packet
 *
 * yajl tells the tokens; this file counts the depth, and follows the keys of the packet's own
 * object and of its field "nc". A value of a known field begins behind the key, the colon and white
 * space, and ends where yajl stands when it reports it: so offsets are exact without a second
 * parser. Later fields replace earlier ones of the same name.
 *
 * Strings are never taken from yajl's decoder, which turns half a surrogate pair into a question
 * mark: an event written with escapes is decoded by json_string.c, and is an illegal name where it
 * has such a half.
 */

#include "libnc/json/packet.h"

#include "libnc/json/json_parse.h"
#include "libnc/json/json_string.h"
#include "libnc/wire/name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Fields that count, at the two levels where some do. */
enum field {
	FIELD_NONE, /* any other */
	FIELD_EVENT,
	FIELD_DATA,
	FIELD_BROADCAST,
	FIELD_NC,
	FIELD_NC_ID, /* of the object in FIELD_NC */
};

enum value {
	VALUE_OTHER, /* null, false */
	VALUE_TRUE,
	VALUE_NUMBER,
	VALUE_STRING,
	VALUE_ARRAY,
	VALUE_MAP,
};

struct span {
	size_t off;
	size_t len;
};

struct packet_reader {
	struct json_parse json;
	const char *p; /* not owned */
	struct packet *out;
	unsigned depth;             /* open objects and arrays */
	bool is_object;             /* the text is one */
	bool is_too_deep;           /* and was given up */
	bool has_event;             /* event is a string */
	bool in_nc;                 /* inside the object "nc" */
	enum field field;           /* of depth 1, whose value comes or is open */
	enum field nc_field;        /* the same of depth 2, in "nc" */
	size_t key_end;             /* of the key of `field` */
	size_t value_off;           /* where the open array or object of `field` began */
	struct span event;          /* with its quotes */
	char decoded[NC_EVENT_MAX]; /* an event that was written with escapes */
};

const char *packet_result_str(enum packet_result r)
{
	switch (r) {
	case PACKET_OK: return "no error";
	case PACKET_E_JSON: return "not valid JSON";
	case PACKET_E_DEPTH: return "JSON nested too deep";
	case PACKET_E_OBJECT: return "packet is not an object";
	case PACKET_E_EVENT: return "packet without event name";
	case PACKET_E_NAME: return "illegal event name";
	}
	return "unknown packet error";
}

static bool text_is(const unsigned char *s, size_t len, const char *want)
{
	return len == strlen(want) && !memcmp(s, want, len);
}

static enum field field_of(const unsigned char *key, size_t len)
{
	if (text_is(key, len, "event"))
		return FIELD_EVENT;
	if (text_is(key, len, "data"))
		return FIELD_DATA;
	if (text_is(key, len, "broadcast"))
		return FIELD_BROADCAST;
	if (text_is(key, len, "nc"))
		return FIELD_NC;
	return FIELD_NONE;
}

/* Where the value behind the key at depth 1 begins; yajl has seen it there. */
static size_t value_start(const struct packet_reader *r)
{
	const char *p = r->p + r->key_end;

	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r' || *p == ':')
		p++;
	return (size_t)(p - r->p);
}

/* Takes the value of a known field at depth 1, which lies in [start, end). */
static void take(struct packet_reader *r, enum value value, size_t start, size_t end)
{
	struct packet *out = r->out;

	switch (r->field) {
	case FIELD_EVENT:
		r->has_event = value == VALUE_STRING;
		r->event = (struct span){.off = start, .len = end - start};
		break;
	case FIELD_DATA:
		out->data_off = (uint32_t)start;
		out->data_len = (uint32_t)(end - start);
		break;
	case FIELD_BROADCAST: out->broadcast = value == VALUE_TRUE; break;
	case FIELD_NC:
		out->has_nc = value == VALUE_MAP;
		if (!out->has_nc)
			out->nc_has_id = false;
		break;
	case FIELD_NC_ID:
	case FIELD_NONE: break;
	}
	r->field = FIELD_NONE;
}

/* Reads the digits of an unsigned number of 64 bits. */
static bool parse_u64(const char *s, size_t len, uint64_t *v)
{
	*v = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9' || __builtin_mul_overflow(*v, 10u, v) ||
		    __builtin_add_overflow(*v, (uint64_t)(s[i] - '0'), v))
			return false;
	}
	return len > 0;
}

static int on_scalar(struct packet_reader *r, enum value value)
{
	if (r->depth == 1 && r->field != FIELD_NONE)
		take(r, value, value_start(r), json_parse_offset(&r->json));
	else if (r->depth == 2 && r->in_nc && r->nc_field == FIELD_NC_ID)
		r->out->nc_has_id = false;
	return 1;
}

static int on_open(struct packet_reader *r, enum value value)
{
	if (r->depth == NC_JSON_DEPTH_MAX) {
		r->is_too_deep = true;
		return 0;
	}
	if (r->depth == 0) {
		r->is_object = value == VALUE_MAP;
	} else if (r->depth == 1 && r->field != FIELD_NONE) {
		r->value_off = json_parse_offset(&r->json) - 1;
		r->in_nc = r->field == FIELD_NC && value == VALUE_MAP;
		if (r->in_nc)
			r->out->nc_has_id = false;
	} else if (r->depth == 2 && r->in_nc && r->nc_field == FIELD_NC_ID) {
		r->out->nc_has_id = false;
	}
	r->depth++;
	return 1;
}

static int on_close(struct packet_reader *r, enum value value)
{
	r->depth--;
	if (r->depth == 1 && r->field != FIELD_NONE) {
		take(r, value, r->value_off, json_parse_offset(&r->json));
		r->in_nc = false;
	}
	return 1;
}

static int on_null(void *arg)
{
	return on_scalar(arg, VALUE_OTHER);
}

static int on_boolean(void *arg, int is_true)
{
	return on_scalar(arg, is_true ? VALUE_TRUE : VALUE_OTHER);
}

static int on_number(void *arg, const char *text, size_t len)
{
	struct packet_reader *r = arg;

	if (r->depth == 2 && r->in_nc && r->nc_field == FIELD_NC_ID) {
		r->out->nc_has_id = parse_u64(text, len, &r->out->nc_id);
		return 1;
	}
	return on_scalar(r, VALUE_NUMBER);
}

static int on_string(void *arg, const unsigned char *text, size_t len)
{
	(void)text;
	(void)len;
	return on_scalar(arg, VALUE_STRING);
}

static int on_key(void *arg, const unsigned char *key, size_t len)
{
	struct packet_reader *r = arg;

	if (r->depth == 1) {
		r->field = field_of(key, len);
		r->key_end = json_parse_offset(&r->json);
	} else if (r->depth == 2 && r->in_nc) {
		r->nc_field = text_is(key, len, "id") ? FIELD_NC_ID : FIELD_NONE;
	}
	return 1;
}

static int on_start_map(void *arg)
{
	return on_open(arg, VALUE_MAP);
}

static int on_end_map(void *arg)
{
	return on_close(arg, VALUE_MAP);
}

static int on_start_array(void *arg)
{
	return on_open(arg, VALUE_ARRAY);
}

static int on_end_array(void *arg)
{
	return on_close(arg, VALUE_ARRAY);
}

/* Looks at the event that counted in the end. */
static int finish_event(struct packet_reader *r)
{
	const char *s = r->p + r->event.off + 1;
	size_t len = r->event.len - 2;
	struct packet *out = r->out;
	bool is_exact = true;

	if (memchr(s, '\\', len)) {
		len = json_string_decode(r->decoded, sizeof(r->decoded), s, len, &is_exact);
		s = r->decoded;
	}
	out->event = s;
	out->event_len = len;
	if (!is_exact)
		return PACKET_E_NAME;
	return name_check_event(out->event, out->event_len) == NAME_OK ? PACKET_OK : PACKET_E_NAME;
}

static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_start_map,
        .yajl_map_key = on_key,
        .yajl_end_map = on_end_map,
        .yajl_start_array = on_start_array,
        .yajl_end_array = on_end_array,
};

struct packet_reader *packet_reader_new(void)
{
	struct packet_reader *r = malloc(sizeof(*r));

	if (r)
		json_parse_init(&r->json);
	return r;
}

void packet_reader_free(struct packet_reader *r)
{
	free(r);
}

int packet_read(struct packet_reader *r, const char *p, size_t len, struct packet *out)
{
	int result;

	*out = (struct packet){.event = ""};
	r->p = p;
	r->out = out;
	r->depth = 0;
	r->is_object = r->is_too_deep = r->has_event = r->in_nc = false;
	r->field = r->nc_field = FIELD_NONE;
	result = json_parse_run(&r->json, &callbacks, r, p, len);
	if (result < 0)
		return result;
	if (r->is_too_deep)
		return PACKET_E_DEPTH;
	if (result != JSON_OK)
		return PACKET_E_JSON;
	if (!r->is_object)
		return PACKET_E_OBJECT;
	return r->has_event ? finish_event(r) : PACKET_E_EVENT;
}

const char *packet_reader_error(const struct packet_reader *r)
{
	return r->json.error;
}

/* Depth alone, for texts whose content is nobody's affair. */
struct depth {
	unsigned n;
	bool is_too_deep;
};

static int depth_down(void *arg)
{
	struct depth *d = arg;

	/* the packet's own object will stand around it */
	d->is_too_deep = d->n + 1 == NC_JSON_DEPTH_MAX;
	d->n++;
	return !d->is_too_deep;
}

static int depth_up(void *arg)
{
	struct depth *d = arg;

	d->n--;
	return 1;
}

int packet_check_json(const void *p, size_t len)
{
	static const yajl_callbacks depth_only = {
	        .yajl_start_map = depth_down,
	        .yajl_end_map = depth_up,
	        .yajl_start_array = depth_down,
	        .yajl_end_array = depth_up,
	};
	struct depth d = {0};
	struct json_parse j;
	int r;

	json_parse_init(&j);
	r = json_parse_run(&j, &depth_only, &d, p, len);
	if (r < 0)
		return r;
	if (d.is_too_deep)
		return PACKET_E_DEPTH;
	return r == JSON_OK ? PACKET_OK : PACKET_E_JSON;
}

bool packet_has_nul(const char *p, size_t len)
{
	/* JSON lets it be written in one way only, and a backslash stand in strings only */
	for (const char *end = p + len; p < end; p += 2) {
		p = memchr(p, '\\', (size_t)(end - p));
		if (!p)
			return false;
		if (end - p >= 6 && memcmp(p, "\\u0000", 6) == 0)
			return true;
	}
	return false;
}
