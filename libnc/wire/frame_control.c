/* frame_control.c - the frames that are no events
 *
 * Each decoder is given a whole frame, and refuses one of another kind, with a flag set, or whose
 * parts don't lie within it. Bytes behind the last known part are passed over, so that a later
 * version may append to any of these frames; what a reader does not know it has not been promised.
 * Text from the other side is handed on only when it is UTF-8.
 */

#include "libnc/base/endian.h"
#include "libnc/base/utf8.h"
#include "libnc/wire/frame.h"
#include "libnc/wire/name.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* Where the variable part of each frame begins. */
#define HELLO_LEN   18u
#define WELCOME_LEN 48u
#define LISTEN_LEN  8u
#define PING_LEN    16u
#define GAP_LEN     16u
#define ERROR_LEN   20u
#define SENDER_LEN  28u
#define BYE_LEN     12u

/* What stands at the beginning of every control frame `p` of `n` bytes, of which the first `min`
 * are needed. */
static enum frame_result prefix_check(const void *p, size_t n, uint8_t kind, size_t min)
{
	struct frame_prefix h;

	if (n < FRAME_PREFIX_LEN)
		return FRAME_E_LENGTH;
	h = frame_prefix_get(p);
	if (h.len != n || n < min || n > NC_CONTROL_FRAME_MAX)
		return FRAME_E_LENGTH;
	if (h.kind != kind)
		return FRAME_E_BODY;
	return h.flags ? FRAME_E_FLAGS : FRAME_OK;
}

/* Whether `len` bytes of text stand at `at` in a frame of `n` bytes. */
static bool text_ok(const uint8_t *p, size_t n, size_t at, size_t len)
{
	return len <= n - at && utf8_valid(p + at, len);
}

/* Begins a frame of `len` bytes, all of the fixed part zero. Returns false where `cap` is too
 * small. */
static bool prefix_put(uint8_t *b, size_t cap, uint8_t kind, size_t fixed, size_t len)
{
	assert(fixed <= len && len <= NC_CONTROL_FRAME_MAX);
	if (cap < len)
		return false;
	memset(b, 0, fixed);
	le32_put(b, (uint32_t)len);
	b[4] = kind;
	return true;
}

static void text_put(uint8_t *b, const char *text, size_t len)
{
	if (len)
		memcpy(b, text, len);
}

enum frame_result frame_hello_get(struct frame_hello *f, const void *p, size_t n)
{
	enum frame_result r = prefix_check(p, n, FRAME_HELLO, HELLO_LEN);
	const uint8_t *b = p;

	if (r != FRAME_OK)
		return r;
	*f = (struct frame_hello){.version_min = le16_get(b + 8),
	                          .version_max = le16_get(b + 10),
	                          .features = le32_get(b + 12),
	                          .policy = b[16],
	                          .label_len = b[17],
	                          .label = (const char *)b + HELLO_LEN};
	if (f->version_min == 0 || f->version_min > f->version_max || f->policy > FRAME_P_MAX + 1 ||
	    !text_ok(b, n, HELLO_LEN, f->label_len))
		return FRAME_E_BODY;
	return FRAME_OK;
}

size_t frame_hello_put(void *buf, size_t cap, const struct frame_hello *f)
{
	size_t len = HELLO_LEN + f->label_len;
	uint8_t *b = buf;

	if (!prefix_put(b, cap, FRAME_HELLO, HELLO_LEN, len))
		return 0;
	le16_put(b + 8, f->version_min);
	le16_put(b + 10, f->version_max);
	le32_put(b + 12, f->features);
	b[16] = f->policy;
	b[17] = f->label_len;
	text_put(b + HELLO_LEN, f->label, f->label_len);
	return len;
}

enum frame_result frame_welcome_get(struct frame_welcome *f, const void *p, size_t n)
{
	enum frame_result r = prefix_check(p, n, FRAME_WELCOME, WELCOME_LEN);
	const uint8_t *b = p;
	size_t host, server;

	if (r != FRAME_OK)
		return r;
	host = WELCOME_LEN + (size_t)b[44];
	server = host + b[45];
	if (server + b[46] > n)
		return FRAME_E_BODY;
	*f = (struct frame_welcome){.version = le16_get(b + 8),
	                            .features = le32_get(b + 12),
	                            .sender = le64_get(b + 16),
	                            .max_payload = le32_get(b + 24),
	                            .channel_len = b[44],
	                            .host_len = b[45],
	                            .server_len = b[46],
	                            .channel = (const char *)b + WELCOME_LEN,
	                            .host = (const char *)b + host,
	                            .server = (const char *)b + server};
	memcpy(f->boot, b + 28, sizeof(f->boot));
	if (name_check_channel(f->channel, f->channel_len) != NAME_OK)
		return FRAME_E_CHANNEL;
	if (!text_ok(b, n, host, f->host_len) || !text_ok(b, n, server, f->server_len))
		return FRAME_E_BODY;
	return FRAME_OK;
}

size_t frame_welcome_put(void *buf, size_t cap, const struct frame_welcome *f)
{
	size_t host = WELCOME_LEN + (size_t)f->channel_len, server = host + f->host_len;
	size_t len = server + f->server_len;
	uint8_t *b = buf;

	if (!prefix_put(b, cap, FRAME_WELCOME, WELCOME_LEN, len))
		return 0;
	le16_put(b + 8, f->version);
	le32_put(b + 12, f->features);
	le64_put(b + 16, f->sender);
	le32_put(b + 24, f->max_payload);
	memcpy(b + 28, f->boot, sizeof(f->boot));
	b[44] = f->channel_len;
	b[45] = f->host_len;
	b[46] = f->server_len;
	text_put(b + WELCOME_LEN, f->channel, f->channel_len);
	text_put(b + host, f->host, f->host_len);
	text_put(b + server, f->server, f->server_len);
	return len;
}

enum frame_result frame_listen_get(struct frame_listen *f, const void *p, size_t n)
{
	const uint8_t *b = p;
	uint8_t kind =
	        n >= FRAME_PREFIX_LEN && b[4] == FRAME_UNLISTEN ? FRAME_UNLISTEN : FRAME_LISTEN;
	enum frame_result r = prefix_check(p, n, kind, LISTEN_LEN);

	if (r != FRAME_OK)
		return r;
	*f = (struct frame_listen){.pattern = (const char *)b + LISTEN_LEN, .pattern_len = b[7]};
	return f->pattern_len > 0 && f->pattern_len <= n - LISTEN_LEN ? FRAME_OK : FRAME_E_BODY;
}

size_t frame_listen_put(void *buf, size_t cap, enum frame_kind kind, const struct frame_listen *f)
{
	size_t len = LISTEN_LEN + f->pattern_len;
	uint8_t *b = buf;

	assert(kind == FRAME_LISTEN || kind == FRAME_UNLISTEN);
	if (!prefix_put(b, cap, (uint8_t)kind, LISTEN_LEN, len))
		return 0;
	b[7] = f->pattern_len;
	text_put(b + LISTEN_LEN, f->pattern, f->pattern_len);
	return len;
}

enum frame_result frame_ping_get(uint64_t *token, const void *p, size_t n)
{
	const uint8_t *b = p;
	uint8_t kind = n >= FRAME_PREFIX_LEN && b[4] == FRAME_PONG ? FRAME_PONG : FRAME_PING;
	enum frame_result r = prefix_check(p, n, kind, PING_LEN);

	if (r == FRAME_OK)
		*token = le64_get(b + 8);
	return r;
}

size_t frame_ping_put(void *buf, size_t cap, enum frame_kind kind, uint64_t token)
{
	uint8_t *b = buf;

	assert(kind == FRAME_PING || kind == FRAME_PONG);
	if (!prefix_put(b, cap, (uint8_t)kind, PING_LEN, PING_LEN))
		return 0;
	le64_put(b + 8, token);
	return PING_LEN;
}

enum frame_result frame_gap_get(struct frame_gap *f, const void *p, size_t n)
{
	enum frame_result r = prefix_check(p, n, FRAME_GAP, GAP_LEN);
	const uint8_t *b = p;

	if (r != FRAME_OK)
		return r;
	*f = (struct frame_gap){.count = le64_get(b + 8), .reason = b[6], .exact = b[7]};
	return f->reason > 0 && f->reason <= FRAME_GAP_MAX && f->exact <= 1 ? FRAME_OK
	                                                                    : FRAME_E_BODY;
}

size_t frame_gap_put(void *buf, size_t cap, const struct frame_gap *f)
{
	uint8_t *b = buf;

	if (!prefix_put(b, cap, FRAME_GAP, GAP_LEN, GAP_LEN))
		return 0;
	b[6] = f->reason;
	b[7] = f->exact;
	le64_put(b + 8, f->count);
	return GAP_LEN;
}

enum frame_result frame_error_get(struct frame_error *f, const void *p, size_t n)
{
	enum frame_result r = prefix_check(p, n, FRAME_ERROR, ERROR_LEN);
	const uint8_t *b = p;

	if (r != FRAME_OK)
		return r;
	*f = (struct frame_error){.seq = le64_get(b + 12),
	                          .code = le16_get(b + 8),
	                          .text_len = le16_get(b + 10),
	                          .fatal = b[6],
	                          .text = (const char *)b + ERROR_LEN};
	if (f->fatal > 1 || f->text_len > NC_TEXT_MAX || !text_ok(b, n, ERROR_LEN, f->text_len))
		return FRAME_E_BODY;
	return FRAME_OK;
}

size_t frame_error_put(void *buf, size_t cap, const struct frame_error *f)
{
	size_t len = ERROR_LEN + f->text_len;
	uint8_t *b = buf;

	assert(f->text_len <= NC_TEXT_MAX);
	if (!prefix_put(b, cap, FRAME_ERROR, ERROR_LEN, len))
		return 0;
	b[6] = f->fatal;
	le16_put(b + 8, f->code);
	le16_put(b + 10, f->text_len);
	le64_put(b + 12, f->seq);
	text_put(b + ERROR_LEN, f->text, f->text_len);
	return len;
}

enum frame_result frame_sender_get(struct frame_sender *f, const void *p, size_t n)
{
	enum frame_result r = prefix_check(p, n, FRAME_SENDER, SENDER_LEN);
	const uint8_t *b = p;

	if (r != FRAME_OK)
		return r;
	*f = (struct frame_sender){.sender = le64_get(b + 8),
	                           .uid = le32_get(b + 16),
	                           .gid = le32_get(b + 20),
	                           .pid = le32_get(b + 24),
	                           .host_len = b[7],
	                           .host = (const char *)b + SENDER_LEN};
	return text_ok(b, n, SENDER_LEN, f->host_len) ? FRAME_OK : FRAME_E_BODY;
}

size_t frame_sender_put(void *buf, size_t cap, const struct frame_sender *f)
{
	size_t len = SENDER_LEN + f->host_len;
	uint8_t *b = buf;

	if (!prefix_put(b, cap, FRAME_SENDER, SENDER_LEN, len))
		return 0;
	b[7] = f->host_len;
	le64_put(b + 8, f->sender);
	le32_put(b + 16, f->uid);
	le32_put(b + 20, f->gid);
	le32_put(b + 24, f->pid);
	text_put(b + SENDER_LEN, f->host, f->host_len);
	return len;
}

enum frame_result frame_bye_get(struct frame_bye *f, const void *p, size_t n)
{
	enum frame_result r = prefix_check(p, n, FRAME_BYE, BYE_LEN);
	const uint8_t *b = p;

	if (r != FRAME_OK)
		return r;
	*f = (struct frame_bye){.code = le16_get(b + 8),
	                        .text_len = le16_get(b + 10),
	                        .text = (const char *)b + BYE_LEN};
	if (f->text_len > NC_TEXT_MAX || !text_ok(b, n, BYE_LEN, f->text_len))
		return FRAME_E_BODY;
	return FRAME_OK;
}

size_t frame_bye_put(void *buf, size_t cap, const struct frame_bye *f)
{
	size_t len = BYE_LEN + f->text_len;
	uint8_t *b = buf;

	assert(f->text_len <= NC_TEXT_MAX);
	if (!prefix_put(b, cap, FRAME_BYE, BYE_LEN, len))
		return 0;
	le16_put(b + 8, f->code);
	le16_put(b + 10, f->text_len);
	text_put(b + BYE_LEN, f->text, f->text_len);
	return len;
}
