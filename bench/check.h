/* check.h - what each message holds, and what each subscriber checks
 *
 * A payload begins with a tag, which publisher sent it and as which of its messages, and goes on
 * with a filler that differs from byte to byte, so that nothing cut off or moved passes for whole.
 * Each tag is checked, and the whole payload of one message in 64. The tag is 8 bytes, or 16
 * hexadecimal digits where the payload has to be text. Where delays are measured, the time at which
 * the message was sent follows in the same form.
 *
 * Two tags are no messages: a hello, of which the first tells that the way is open, and a bye,
 * after which nothing more is to be expected.
 */
#ifndef NC_BENCH_CHECK_H
#define NC_BENCH_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CHECK_PUBS_MAX  64u
#define CHECK_TAG_LEN   8u
#define CHECK_TEXT_LEN  16u
#define CHECK_WHOLE_ONE 64u /* one in so many is compared whole */
#define CHECK_HELLO     UINT64_MAX
#define CHECK_BYE       (UINT64_MAX - 1)

struct check {
	const uint8_t *filler; /* a whole payload */
	size_t len;
	bool is_text;
	bool has_heard, is_over; /* a hello; a bye */
	uint32_t *delay_ns;      /* of each message, n_wanted of them; NULL: none is taken */
	uint64_t n_wanted;
	uint64_t n_received, n_disordered, n_corrupt;
	uint64_t next[CHECK_PUBS_MAX];
};

/* A payload of `len` bytes, whose tag is to be filled in; to be freed. Ends the program without
 * memory. */
uint8_t *check_filler(size_t len);

void check_init(struct check *k, const uint8_t *filler, size_t len, bool is_text,
                uint64_t n_wanted);

void check_put_text(uint8_t *payload, uint64_t tag);
uint64_t check_get_text(const uint8_t *payload);

/* The way of what is not as it should be. Returns whether it is a message. */
bool check_odd(struct check *k, uint64_t tag, size_t len);

/* Takes down how late a message is. */
void check_delay(struct check *k, const uint8_t *payload);

static inline size_t check_tag_len(bool is_text)
{
	return is_text ? CHECK_TEXT_LEN : CHECK_TAG_LEN;
}

static inline uint64_t check_tag(unsigned pub, uint64_t seq)
{
	return (uint64_t)pub << 56 | seq;
}

static inline void check_put(uint8_t *payload, bool is_text, uint64_t tag)
{
	if (is_text)
		check_put_text(payload, tag);
	else
		memcpy(payload, &tag, sizeof(tag));
}

/* Takes one message. Returns whether it was the last that is wanted. */
static inline bool check_take(struct check *k, const void *payload, size_t len)
{
	size_t tag_len = check_tag_len(k->is_text);
	size_t head_len = k->delay_ns ? 2 * tag_len : tag_len;
	uint64_t tag = 0, seq;
	unsigned pub;

	if (len >= tag_len) {
		if (k->is_text)
			tag = check_get_text(payload);
		else
			memcpy(&tag, payload, sizeof(tag));
	}
	pub = (unsigned)(tag >> 56) % CHECK_PUBS_MAX;
	seq = tag & (UINT64_MAX >> 8);
	if (len == k->len && seq == k->next[pub])
		k->next[pub]++;
	else if (!check_odd(k, tag, len))
		return k->is_over;
	if (seq % CHECK_WHOLE_ONE == 0 && len == k->len && len > head_len &&
	    memcmp((const uint8_t *)payload + head_len, k->filler + head_len, len - head_len))
		k->n_corrupt++;
	if (k->delay_ns && len == k->len)
		check_delay(k, payload);
	return ++k->n_received >= k->n_wanted;
}

#endif
