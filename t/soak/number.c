/*
 * Numbered messages, and the book that a receiver keeps of them
 */

#include "t/soak/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Letters 'a' to 'p', eight of each word of an xorshift generator. */
static void fill(char *p, size_t len, const struct number *x)
{
	uint64_t state = ((uint64_t)x->sender << 32 | x->seq) * 0x9e3779b97f4a7c15u + x->n + 1;

	for (size_t i = 0; i < len; i += 8) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		for (size_t j = 0; j < 8 && i + j < len; j++)
			p[i + j] = (char)('a' + (state >> (8 * j) & 15));
	}
}

static size_t head(char out[NUMBER_HEAD_MAX], size_t len, const struct number *x)
{
	return (size_t)snprintf(out, NUMBER_HEAD_MAX,
	                        "%" PRIu32 ".%" PRIu32 ".%" PRIu32 ".%" PRIu32 ".%zu.", x->sender,
	                        x->stream, x->n, x->seq, len);
}

void number_write(char *out, size_t len, const struct number *number)
{
	char text[NUMBER_HEAD_MAX];
	size_t n = head(text, len, number);

	memcpy(out, text, n);
	fill(out + n, len - n, number);
}

bool number_read(const char *p, size_t len, struct number *out)
{
	static char *expected;
	char text[NUMBER_HEAD_MAX];
	size_t n = len < sizeof(text) - 1 ? len : sizeof(text) - 1, said;

	if (!expected && !(expected = malloc(NUMBER_LEN_MAX)))
		abort();
	memcpy(text, p, n);
	text[n] = '\0';
	if (sscanf(text, "%" SCNu32 ".%" SCNu32 ".%" SCNu32 ".%" SCNu32 ".%zu.", &out->sender,
	           &out->stream, &out->n, &out->seq, &said) != 5 ||
	    said != len || len < NUMBER_HEAD_MAX || len > NUMBER_LEN_MAX)
		return false;
	number_write(expected, len, out);
	return memcmp(p, expected, len) == 0;
}

void ledger_init(struct ledger *l, const char *who)
{
	size_t size = SOAK_SENDERS_MAX * sizeof(*l->senders);

	memset(l, 0, sizeof(*l));
	l->who = who;
	l->session = 1;
	l->senders = mmap(NULL, size, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (l->senders == MAP_FAILED)
		abort();
}

void ledger_begin_session(struct ledger *l)
{
	l->session++;
	l->received = 0;
	l->lost = 0;
	l->missing = 0;
}

void ledger_enter_gap(struct ledger *l, uint64_t count)
{
	l->lost += count;
	atomic_fetch_add(&soak->totals.lost, count);
	if (!l->may_lose)
		soak_fail("%s was told that %" PRIu64 " were lost, where nothing may be", l->who,
		          count);
}

/* Whether the message comes in its place; what was passed over is added to what is missing. */
static bool enter_number(struct ledger *l, const struct number *x)
{
	struct ledger_sender *s = &l->senders[x->sender];
	uint32_t bit = 1u << x->stream, from = s->next[x->stream];
	bool is_begun;

	if (s->session != l->session) {
		s->session = l->session;
		s->begun = 0;
	}
	is_begun = (s->begun & bit) || (l->is_from_start && l->session == 1);
	s->begun |= bit;
	if (x->n < from || (l->is_ordered && x->seq < s->next_seq))
		return false;
	s->next[x->stream] = x->n + 1;
	s->next_seq = x->seq + 1;
	if (l->is_complete && is_begun)
		l->missing += x->n - from;
	return true;
}

void ledger_enter(struct ledger *l, const char *event, const char *payload, size_t len)
{
	uint64_t before = l->missing;
	struct number x;
	char name[64];

	l->received++;
	atomic_fetch_add(&soak->totals.heard, 1);
	if (!number_read(payload, len, &x) || x.sender >= SOAK_SENDERS_MAX ||
	    x.stream >= SOAK_STREAMS) {
		soak_fail("%s heard %s garbled: %zu bytes, %.60s", l->who, event, len, payload);
		return;
	}
	snprintf(name, sizeof(name), "s.%" PRIu32 ".%" PRIu32, x.sender, x.stream);
	if (strcmp(name, event) != 0)
		soak_fail("%s heard %s as %s", l->who, name, event);
	if (!enter_number(l, &x))
		soak_fail("%s heard %s: number %" PRIu32 " (%" PRIu32
		          " of its sender) twice or too late, expected %" PRIu32,
		          l->who, event, x.n, x.seq, l->senders[x.sender].next[x.stream]);
	if (l->missing > l->lost && l->missing > before)
		soak_fail("%s heard %s number %" PRIu32 ": %" PRIu64 " are missing, and %" PRIu64
		          " were told",
		          l->who, event, x.n, l->missing, l->lost);
	if (x.seq >= atomic_load(&soak->senders[x.sender].emitted))
		soak_fail("%s heard %s number %" PRIu32 ", which was not emitted", l->who, event,
		          x.n);
	if (l->heard)
		atomic_fetch_add(&l->heard[x.sender], 1);
}
