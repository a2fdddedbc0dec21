/* audit.h - what must be true when all visitors have gone, and what the server then needs */
#ifndef NC_T_SOAK_AUDIT_H
#define NC_T_SOAK_AUDIT_H

#include "t/soak/crew.h"

/* What a round ended with. */
struct sample {
	double at_s; /* since the beginning */
	uint64_t n_visits;
	uint64_t n_killed;
	uint64_t n_reloads;
	uint64_t heard;
	uint64_t lost;
	uint64_t rss_kib;
	uint64_t anon_kib;
	unsigned n_fds;
	int64_t n_slabs;
	int64_t queued_bytes;
	unsigned n_log_lines; /* of the round, without what was dumped */
};

struct audit {
	struct server *server; /* not owned, as the others */
	struct crew *crew;
	nc_client *control;
	uint64_t begun_ms;
	uint64_t audited_ms;    /* when the last one was */
	uint32_t first_sender;  /* that is yet to be looked at */
	struct sample *samples; /* owned, to be freed */
	size_t n_samples;
};

void audit_init(struct audit *a, struct server *s, struct crew *crew, nc_client *control);

/* Waits until the server has come to rest, compares what every witness and sender says with what
 * the server counts, and adds a sample. */
void audit_round(struct audit *a);

/* Prints the titles, and the last sample, as lines of a table. */
void audit_print_titles(void);
void audit_print(const struct audit *a);

/* Whether descriptors were the same in all samples, and memory flat: behind the first fifth, which
 * warms up, the last quarter needs no more than the first, but for a small part. Prints how it
 * was. Complains where it was not so. `is_memory_judged`: sanitizers keep what is freed. */
void audit_judge(const struct audit *a, bool is_memory_judged);

#endif
