/* check.c - what each message holds */

#include "bench/check.h"

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

void check_odd(struct check *k, unsigned pub, uint64_t seq, size_t len)
{
	if (len != k->len) {
		k->n_corrupt++;
		return;
	}
	k->n_disordered++;
	if (seq > k->next[pub])
		k->next[pub] = seq + 1;
}
