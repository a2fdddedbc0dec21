/*
 * What a fuzz target is
 */
#ifndef NC_T_FUZZ_H
#define NC_T_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Feeds LEN foreign bytes to the parser under test; aborts when an invariant is broken, and always
 * returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
