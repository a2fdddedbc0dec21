/* check.c - what each message holds */

#include "bench/check.h"

#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

uint8_t *check_filler(size_t len)
{
	uint8_t *p = malloc(len ? len : 1);
	uint32_t x = 12345;

	if (!p) {
		perror("bench");
		exit(EXIT_FAILURE);
	}
	for (size_t i = 0; i < len; i++) {
		x = x * 1103515245u + 12345u;
		p[i] = (uint8_t)('a' + (x >> 16) % 26);
	}
	return p;
}

void check_init(struct check *k, const uint8_t *filler, size_t len, bool is_text, uint64_t n_wanted)
{
	*k = (struct check){.filler = filler, .len = len, .is_text = is_text, .n_wanted = n_wanted};
}

/* 'a' to 'p' instead of digits: no branch in either direction. */
void check_put_text(uint8_t *payload, uint64_t tag)
{
	for (int i = 0; i < 16; i++)
		payload[i] = (uint8_t)('a' + (tag >> (60 - 4 * i) & 15));
}

uint64_t check_get_text(const uint8_t *payload)
{
	uint64_t tag = 0;

	for (int i = 0; i < 16; i++)
		tag = tag << 4 | ((uint64_t)(payload[i] - 'a') & 15);
	return tag;
}

bool check_odd(struct check *k, uint64_t tag, size_t len)
{
	unsigned pub = (unsigned)(tag >> 56) % CHECK_PUBS_MAX;
	uint64_t seq = tag & (UINT64_MAX >> 8);

	if (tag == CHECK_HELLO)
		k->has_heard = true;
	else if (tag == CHECK_BYE)
		k->is_over = true;
	if (tag == CHECK_HELLO || tag == CHECK_BYE)
		return false;
	if (len != k->len) {
		k->n_corrupt++;
		return true;
	}
	k->n_disordered++;
	if (seq > k->next[pub])
		k->next[pub] = seq + 1;
	return true;
}

void check_delay(struct check *k, const uint8_t *payload)
{
	uint64_t sent_ns, ns;

	if (k->is_text)
		sent_ns = check_get_text(payload + CHECK_TEXT_LEN);
	else
		memcpy(&sent_ns, payload + CHECK_TAG_LEN, sizeof(sent_ns));
	ns = bench_now_ns() - sent_ns;
	if (k->n_received < k->n_wanted)
		k->delay_ns[k->n_received] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}
