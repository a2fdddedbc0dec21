/*
 * Signals, as something to poll for
 *
 * Where a command has something to put in order at its end (a terminal, a line of output, a
 * connection), SIGINT, SIGTERM and SIGHUP are caught, and only noted. The note can be polled for,
 * so that none is missed between a look at it and the next wait.
 */
#ifndef NC_NCCLIENT_SIGNALS_H
#define NC_NCCLIENT_SIGNALS_H

#include <stdbool.h>

/* Begins to catch SIGINT, SIGTERM, SIGHUP, SIGWINCH and SIGTSTP. Returns 0 or -errno. Calling it
 * again does nothing. */
int signals_catch(void);

/* What to poll for POLLIN, or -1 before signals_catch(). */
int signals_fd(void);

/* Says whether a signal that ends things was caught since the last signals_clear(): SIGINT, SIGTERM
 * or SIGHUP, or 0. */
int signals_ending(void);

/* Says whether the size of the terminal may have changed since the last call. */
bool signals_resized(void);

/* Says whether Ctrl-Z was typed since the last call. */
bool signals_stop_wanted(void);

/* Takes the bytes out of signals_fd(), after it became readable. */
void signals_drain(void);

/* Forgets a SIGINT that was caught; SIGTERM and SIGHUP stay. */
void signals_clear_interrupt(void);

/* Does what Ctrl-Z does to a program that does not catch it; returns when it goes on. */
void signals_stop(void);

#endif
