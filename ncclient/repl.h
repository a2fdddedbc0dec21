/*
 * The command line: reads lines with libedit and runs them
 */
#ifndef NC_NCCLIENT_REPL_H
#define NC_NCCLIENT_REPL_H

#include "ncclient/status.h"

struct options;
struct session;

/* Reads and runs lines until quit(), Ctrl-D, or a signal. Standard input is a terminal. */
enum status repl_run(struct session *s, const struct options *o);

#endif
