/*
 * Fuzz target: netcluster's JSON packet
 *
 * The input is read as a packet, and taken as a payload of each type for a packet to be written.
 * What is read has data that is JSON by itself, and can be written and read again; what is written
 * can be read, and says the same; and a text that passes as data is found whole inside a packet.
 */

#include "t/fuzz/fuzz.h"

#include "libnc/base/buf.h"
#include "libnc/base/utf8.h"
#include "libnc/json/packet.h"
#include "libnc/wire/name.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OUT (8u << 20)

struct text {
	const char *s;
	size_t len;
};

static struct packet_reader *reader;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool same(struct text a, struct text b)
{
	return a.len == b.len && (!a.len || !memcmp(a.s, b.s, a.len));
}

/* Without the white space of JSON at both ends. */
static struct text trim(struct text t)
{
	while (t.len && strchr(" \t\r\n", t.s[0]) && t.s[0])
		t = (struct text){.s = t.s + 1, .len = t.len - 1};
	while (t.len && strchr(" \t\r\n", t.s[t.len - 1]) && t.s[t.len - 1])
		t.len--;
	return t;
}

/* Reads a packet that was written here, its NUL included, and must be fine. */
static void read_again(const struct buf *b, struct text event, struct packet *p)
{
	int r;

	check(b->len > 0 && b->data[b->len - 1] == 0);
	check(!memchr(b->data, 0, b->len - 1));
	r = packet_read(reader, (const char *)b->data, b->len - 1, p);
	check(r == (name_check_event(event.s, event.len) == NAME_OK ? PACKET_OK : PACKET_E_NAME));
	check(same((struct text){.s = p->event, .len = p->event_len}, event));
}

static struct frame_emit emit(struct text event, uint8_t flags, struct text payload)
{
	return (struct frame_emit){.channel = "A",
	                           .channel_len = 1,
	                           .event = event.s,
	                           .event_len = (uint8_t)event.len,
	                           .flags = flags,
	                           .payload = (const uint8_t *)payload.s,
	                           .payload_len = (uint32_t)payload.len};
}

/* Writes a packet again from what was read of it. */
static void write_again(struct text text, const struct packet *p)
{
	char name[NC_EVENT_MAX];
	struct text event = {.s = name, .len = p->event_len};
	struct text data = {.s = text.s + p->data_off, .len = p->data_len};
	struct frame_emit f;
	struct packet q;
	struct buf b;

	check(p->event_len <= sizeof(name));
	memcpy(name, p->event, p->event_len);
	f = emit(event, p->data_len ? FRAME_T_JSON : FRAME_T_EMPTY, data);
	if (p->broadcast)
		f.flags |= FRAME_F_BROADCAST;
	buf_init(&b, MAX_OUT);
	check(packet_write(&b, &f, NULL, NULL) == 0);
	read_again(&b, event, &q);
	check(q.broadcast == p->broadcast);
	check(same((struct text){.s = (const char *)b.data + q.data_off, .len = q.data_len}, data));
	buf_fini(&b);
}

static void fuzz_read(struct text text)
{
	struct packet p;
	int r = packet_read(reader, text.s, text.len, &p);

	if (r == PACKET_E_JSON)
		check(packet_reader_error(reader)[0] != 0);
	if (r != PACKET_OK && r != PACKET_E_NAME)
		return;
	check(utf8_valid(p.event, p.event_len));
	check(p.data_off <= text.len && p.data_len <= text.len - p.data_off);
	if (p.data_len)
		check(packet_check_json(text.s + p.data_off, p.data_len) == PACKET_OK);
	if (r == PACKET_OK)
		write_again(text, &p);
}

/* Puts the text into a packet by hand. */
static void fuzz_data(struct text text)
{
	struct text found;
	struct packet p;
	struct buf b;

	if (packet_check_json(text.s, text.len) != PACKET_OK)
		return;
	buf_init(&b, MAX_OUT);
	check(!buf_append_str(&b, "{\"event\":\"e\",\"data\":") &&
	      !buf_append(&b, text.s, text.len) && !buf_append_byte(&b, '}'));
	check(packet_read(reader, (const char *)b.data, b.len, &p) == PACKET_OK);
	found = (struct text){.s = (const char *)b.data + p.data_off, .len = p.data_len};
	check(same(found, trim(text)));
	buf_fini(&b);
}

static void fuzz_write(struct text text, uint8_t type)
{
	struct text event = {.s = "e", .len = 1};
	struct frame_emit f = emit(event, type, text);
	struct packet p;
	struct buf b;
	int r;

	buf_init(&b, MAX_OUT);
	r = packet_write(&b, &f, NULL, NULL);
	if (r) {
		check(b.len == 0);
		check(type == FRAME_T_JSON ||
		      (type == FRAME_T_TEXT && !utf8_valid(text.s, text.len)));
	} else {
		read_again(&b, event, &p);
		check((p.data_len > 0) == (type != FRAME_T_EMPTY));
	}
	buf_fini(&b);
}

/* Takes the text for the event's name. */
static void fuzz_event(struct text text)
{
	struct text none = {.s = "", .len = 0};
	struct frame_emit f;
	struct packet p;
	struct buf b;

	if (!text.len || text.len > NC_EVENT_MAX)
		return;
	f = emit(text, FRAME_T_EMPTY, none);
	buf_init(&b, MAX_OUT);
	if (packet_write(&b, &f, NULL, NULL) == 0)
		read_again(&b, text, &p);
	else
		check(!utf8_valid(text.s, text.len));
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct text text = {.s = (const char *)data, .len = len};

	/* one for all inputs: what one leaves behind must not disturb the next */
	if (!reader)
		reader = packet_reader_new();
	check(reader != NULL);
	if (len > MAX_OUT / 8)
		return 0;
	fuzz_read(text);
	fuzz_data(text);
	fuzz_event(text);
	fuzz_write((struct text){.s = text.s, .len = 0}, FRAME_T_EMPTY);
	fuzz_write(text, FRAME_T_TEXT);
	fuzz_write(text, FRAME_T_BYTES);
	if (len)
		fuzz_write(text, FRAME_T_JSON);
	if (len >= 1)
		fuzz_write((struct text){.s = text.s, .len = 1}, FRAME_T_BOOL);
	if (len >= 8) {
		fuzz_write((struct text){.s = text.s, .len = 8}, FRAME_T_INT);
		fuzz_write((struct text){.s = text.s, .len = 8}, FRAME_T_DOUBLE);
	}
	return 0;
}
