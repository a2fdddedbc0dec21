/* signals.h - what signals mean to a server
 *
 *	TERM, INT  stop; the second time at once
 *	HUP        read the configuration again
 *	USR1       write counters to the log
 *	PIPE       nothing
 */
#ifndef NC_IO_SIGNALS_H
#define NC_IO_SIGNALS_H

struct server;

/* Returns 0 or a negative errno. */
int signals_open(struct server *s);

#endif
