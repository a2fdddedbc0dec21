/* scale.h - how cost grows with the number of hosts */
#ifndef NC_SIM_SCALE_H
#define NC_SIM_SCALE_H

#include <stdbool.h>
#include <stdint.h>

struct crypto;

/* Measures a group of `n` hosts, and prints a line of the table in doc/performance.md. Returns
 * false where something that must hold did not. */
bool scale_run(struct crypto *crypto, uint64_t seed, uint32_t n);
/* The head of the table. */
void scale_head(void);

#endif
