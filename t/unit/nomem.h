/*
 * Running out of memory on purpose
 *
 * A test that links $(NOMEM_LIBS) with $(NOMEM_WRAP) decides which allocation of the code under
 * test is the first to fail. The usual form runs an operation again and again, with one more
 * allocation allowed each time, until it succeeds: every failure on the way must leave no trace.
 */
#ifndef NC_T_UNIT_NOMEM_H
#define NC_T_UNIT_NOMEM_H

#include <stdbool.h>

/* Lets N more allocations succeed, and all after them fail until nomem_off(). */
void nomem_after(unsigned n);

/* Lets all allocations succeed again. Returns whether one failed since nomem_after(). */
bool nomem_off(void);

#endif
