/* selftest.h - whether the simulator notices what it is there to notice */
#ifndef NC_SIM_SELFTEST_H
#define NC_SIM_SELFTEST_H

#include <stdbool.h>

struct crypto;

/* Hands wrong deliveries to the books, and prints each that was not noticed. */
bool selftest(struct crypto *crypto);

#endif
