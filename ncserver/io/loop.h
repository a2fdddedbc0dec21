/* loop.h - one turn of the loop: from what the bus has decided to what the kernel is told
 *
 * Between two sleeps the loop hands what arrived to the bus, and the bus makes lists. Here, once
 * before each sleep, the lists are emptied: readings stopped or begun, queues written, the dead
 * closed. The server sleeps only when nothing is left that can be done now.
 */
#ifndef NC_IO_LOOP_H
#define NC_IO_LOOP_H

#include <stdint.h>

struct client;
struct server;

/* Times that the lists are emptied in one turn, before others get their turn. */
#define LOOP_ROUNDS_MAX 8u

/* Prepares the loop and all its handles but the signals. Returns 0 or a negative errno; what was
 * opened is closed by loop_close(). */
int loop_open(struct server *s);

/* Closes all handles of the server; the loop ends when they are closed. */
void loop_close(struct server *s);

/* Runs until all handles are closed. */
void loop_run(struct server *s);

/* Closes what stands for a client that is dead, and frees the client. */
void loop_bury(struct server *s, struct client *client, uint64_t now);

/* The bus's: writes for one client in the middle of a turn. */
void loop_flush(void *arg, struct client *client);

/* Tries again what the kernel had no memory for, after a moment. */
void loop_retry_soon(struct server *s);

/* Beats the watchdog of the service manager from now on. */
void loop_start_watchdog(struct server *s, uint64_t period_ns);

#endif
