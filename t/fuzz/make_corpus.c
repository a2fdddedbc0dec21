/*
 * Writes the corpora of frame, name, trie and packet
 *
 * usage: make_corpus FOLDER (t/fuzz/corpus of the source tree)
 *
 * One file for each kind of frame and each shape of the text formats, so that a fuzzer starts on
 * the far side of every length check. Files of other names, which a fuzzer found, stay.
 */

#include "libnc/base/endian.h"
#include "libnc/wire/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *folder;

static void fail(const char *what)
{
	fprintf(stderr, "make_corpus: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void write_file(const char *target, const char *name, const void *p, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, target);
	if (mkdir(path, 0755) && errno != EEXIST)
		fail(path);
	snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	f = fopen(path, "wb");
	if (!f || fwrite(p, 1, len, f) != len || fclose(f))
		fail(path);
}

static void write_control(const char *name, const uint8_t *frame, size_t len)
{
	if (!len)
		abort();
	write_file("frame", name, frame, len);
}

static void make_control(void)
{
	static const struct frame_hello hello = {.version_min = 1,
	                                         .version_max = 1,
	                                         .features = FRAME_FEAT_ALL,
	                                         .policy = 1 + FRAME_P_DROP_OLDEST,
	                                         .label_len = 8,
	                                         .label = "producer"};
	static const struct frame_welcome welcome = {.version = 1,
	                                             .features = FRAME_FEAT_SENDER,
	                                             .sender = UINT64_C(0xAABBCCDD00000001),
	                                             .max_payload = NC_MESSAGE_DEFAULT,
	                                             .boot = "sixteen bytes!!",
	                                             .channel_len = 1,
	                                             .channel = "A",
	                                             .host_len = 4,
	                                             .host = "host",
	                                             .server_len = 14,
	                                             .server = "ncserver 0.1.0"};
	static const struct frame_listen pattern = {.pattern = "log.*.>", .pattern_len = 7};
	static const struct frame_gap gap = {
	        .count = 1000, .reason = FRAME_GAP_DROP_NEWEST, .exact = 1};
	static const struct frame_error error = {
	        .seq = 7, .code = 6, .fatal = 1, .text = "too large", .text_len = 9};
	static const struct frame_sender sender = {.sender = UINT64_C(0xAABBCCDD00000002),
	                                           .uid = 1000,
	                                           .gid = 1000,
	                                           .pid = 4242,
	                                           .host_len = 4,
	                                           .host = "host"};
	static const struct frame_bye bye = {.code = 19, .text = "shutting down", .text_len = 13};
	uint8_t b[NC_CONTROL_FRAME_MAX];

	write_control("hello", b, frame_hello_put(b, sizeof(b), &hello));
	write_control("welcome", b, frame_welcome_put(b, sizeof(b), &welcome));
	write_control("listen", b, frame_listen_put(b, sizeof(b), FRAME_LISTEN, &pattern));
	write_control("unlisten", b, frame_listen_put(b, sizeof(b), FRAME_UNLISTEN, &pattern));
	write_control("ping", b, frame_ping_put(b, sizeof(b), FRAME_PING, 1));
	write_control("pong", b, frame_ping_put(b, sizeof(b), FRAME_PONG, 1));
	write_control("gap", b, frame_gap_put(b, sizeof(b), &gap));
	write_control("error", b, frame_error_put(b, sizeof(b), &error));
	write_control("sender", b, frame_sender_put(b, sizeof(b), &sender));
	write_control("bye", b, frame_bye_put(b, sizeof(b), &bye));
	/* the same with a byte behind its last known part */
	b[0]++;
	b[12 + 13] = 0;
	write_control("bye-appended", b, 12 + 13 + 1);
}

static void make_emit(const char *name, uint8_t flags, const uint8_t *options, size_t options_len,
                      const char *payload, size_t len)
{
	struct frame_emit f = {.sender = UINT64_C(0xAABBCCDD00000001),
	                       .seq = 1,
	                       .channel = "A",
	                       .channel_len = 1,
	                       .event = "log.disk",
	                       .event_len = 8,
	                       .flags = flags,
	                       .options = options,
	                       .options_len = (uint16_t)options_len,
	                       .payload_len = (uint32_t)len};
	uint8_t b[512];
	size_t n = frame_emit_head_put(b, sizeof(b) - len, &f);

	if (!n)
		abort();
	memcpy(b + n, payload, len);
	write_file("frame", name, b, n + len);
	if (len)
		write_file("frame", "emit-head-only", b, n);
}

static void make_emits(void)
{
	static const char packet[] =
	        "{\"channel\":\"A\",\"broadcast\":false,\"event\":\"log.disk\","
	        "\"data\":{\"free\":12}}";
	const char *data = strstr(packet, "{\"free");
	uint8_t slice[8], id[8], options[64];
	size_t n;

	make_emit("emit-empty", FRAME_T_EMPTY, NULL, 0, "", 0);
	make_emit("emit-bool", FRAME_T_BOOL, NULL, 0, "\1", 1);
	make_emit("emit-int", FRAME_T_INT, NULL, 0, "\1\2\3\4\5\6\7\xFF", 8);
	make_emit("emit-double", FRAME_T_DOUBLE, NULL, 0, "\0\0\0\0\0\0\xF8\x3F", 8);
	make_emit("emit-text", FRAME_T_TEXT, NULL, 0, "gr\xC3\xBC\xC3\x9F", 6);
	make_emit("emit-bytes", FRAME_T_BYTES | FRAME_F_BROADCAST, NULL, 0, "\0\xFF\0", 3);
	make_emit("emit-json", FRAME_T_JSON, NULL, 0, "[1,{\"a\":null}]", 14);
	le32_put(slice, (uint32_t)(data - packet));
	le32_put(slice + 4, (uint32_t)(sizeof(packet) - 2 - (size_t)(data - packet)));
	n = frame_option_put(options, sizeof(options), FRAME_O_DATA, slice, sizeof(slice));
	make_emit("emit-wrapped", FRAME_T_JSON | FRAME_F_WRAPPED, options, n, packet,
	          sizeof(packet) - 1);
	make_emit("emit-wrapped-no-data", FRAME_T_JSON | FRAME_F_WRAPPED, NULL, 0,
	          "{\"event\":\"log.disk\"}", 20);
	le64_put(id, 99);
	n = frame_option_put(options, sizeof(options), FRAME_O_REQUEST, id, sizeof(id));
	make_emit("emit-request", FRAME_T_EMPTY, options, n, "", 0);
	n = frame_option_put(options, sizeof(options), FRAME_O_REPLY, id, sizeof(id));
	n += frame_option_put(options + n, sizeof(options) - n, FRAME_O_ERROR, "\x15\0", 2);
	n += frame_option_put(options + n, sizeof(options) - n, (enum frame_option)200, "", 0);
	make_emit("emit-reply-error", FRAME_T_TEXT, options, n, "no such thing", 13);
	make_emit("emit-empty-options", FRAME_T_EMPTY | FRAME_F_OPTIONS, NULL, 0, "", 0);
	/* a kind that is reserved: skipped by its length */
	write_file("frame", "envelope", "\x0C\0\0\0\x0C\0\0\0abcd", 12);
	write_file("frame", "nonsense", "GET / HTTP/1.1\r\n\r\n", 18);
}

static const struct {
	const char *target;
	const char *name;
	const char *text;
} texts[] = {
        {"name", "exact", "log.disk\nlog.disk"},
        {"name", "star", "log.*.full\nlog.disk.full"},
        {"name", "tail", "log.>\nlog.disk.full"},
        {"name", "tail-needs-one", "log.>\nlog"},
        {"name", "stars", "*.*.*\na.b.c"},
        {"name", "misplaced", "a.>.b\na*"},
        {"name", "empty-token", "a..b\n.a."},
        {"name", "reserved", "nc.gap\nnc-control-showconfig"},
        {"name", "wide",
         "gr\xC3\xBC\xC3\x9F"
         "e.\xE4\xBD\xA0\n\xF0\x9F\x98\x80"},
        {"name", "invisible",
         "a\xE2\x80\xAE"
         "b\na\xC2\xA0"
         "b"},
        {"name", "broken", "\xC3(\n\xED\xA0\x80"},
        {"name", "deep",
         "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.>\n"
         "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a"},
        {"trie", "exact", "+a x.y\n+b x.y\n?x.y\n-a x.y\n?x.y\n-b x.y\n?x.y"},
        {"trie", "wild", "+a x.*\n+b x.>\n+c >\n+d *.y\n?x.y\n?x\n?z.y\n-c >\n?x.y.z"},
        {"trie", "prune", "+a a.b.c.d\n+b a.b\n-a a.b.c.d\n?a.b\n+a a.b.c\n-b a.b\n?a.b.c"},
        {"trie", "star-gone", "+a x.*.z\n+b x.y.z\n-a x.*.z\n?x.y.z\n+c x.*.z\n?x.y.z"},
        {"trie", "twice", "+a x\n+a x\n-a x\n-a x\n+a x.\n-b *"},
        {"packet", "agent",
         "{\"channel\":\"A\",\"broadcast\":true,\"event\":\"log\",\"data\":"
         "{\"x\":[1,2.5e3,null,true]}}"},
        {"packet", "no-data", "{\"event\":\"log\"}"},
        {"packet", "spaces", " {\r\n\t\"data\" : [ 1 , 2 ] ,\n\"event\" : \"log\" } \n"},
        {"packet", "escapes",
         "{\"\\u0065vent\":\"\\u0061\\ud83d\\ude00\",\"data\":\"\\\"\\\\\\n\"}"},
        {"packet", "half-pair", "{\"event\":\"a\\ud83dx\\ude00\"}"},
        {"packet", "request", "{\"event\":\"q\",\"nc\":{\"id\":18446744073709551615}}"},
        {"packet", "twice",
         "{\"event\":1,\"data\":1,\"nc\":{\"id\":1},\"event\":\"e\",\"data\":"
         "{\"data\":2},\"nc\":{\"id\":-1}}"},
        {"packet", "bad-name", "{\"event\":\"two words\",\"data\":0}"},
        {"packet", "trailing", "{\"event\":\"e\"}\""},
        {"packet", "vertical-tab", "{\"event\":\"e\"\v}"},
        {"packet", "string", "\"text\""},
        {"packet", "number", "-0.5e-7"},
        {"packet", "not-utf8", "{\"event\":\"\xC0\xAF\"}"},
        {"packet", "eight", "\x9A\x99\x99\x99\x99\x99\xB9\x3F"},
};

/* A trie with as many pairs as the target's list holds, and one more. */
static void make_full_trie(void)
{
	char text[2048];
	size_t n = 0;

	for (int i = 0; i < 41; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "+%c a.%d.%s\n", 'a' + i % 5,
		                      i / 2, i % 2 ? "*" : ">");
	n += (size_t)snprintf(text + n, sizeof(text) - n, "?a.7.b\n?a.20.b");
	write_file("trie", "full", text, n);
}

/* The deepest data that a packet may hold. */
static void make_deep_packet(void)
{
	char text[512];
	size_t n = (size_t)snprintf(text, sizeof(text), "{\"event\":\"e\",\"data\":");

	memset(text + n, '[', NC_JSON_DEPTH_MAX - 1);
	n += NC_JSON_DEPTH_MAX - 1;
	memset(text + n, ']', NC_JSON_DEPTH_MAX - 1);
	n += NC_JSON_DEPTH_MAX - 1;
	text[n++] = '}';
	write_file("packet", "deep", text, n);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_corpus FOLDER\n");
		return EXIT_FAILURE;
	}
	folder = argv[1];
	make_control();
	make_emits();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		write_file(texts[i].target, texts[i].name, texts[i].text, strlen(texts[i].text));
	make_full_trie();
	make_deep_packet();
	return 0;
}
