/* netwatch.h - hears from the kernel that interfaces or their addresses have changed
 *
 * What has changed is not told: on_change() looks at what is there now. Changes come in swarms (a
 * host that starts a hundred containers); one call answers for all of NETWATCH_MS.
 */
#ifndef NC_IO_NETWATCH_H
#define NC_IO_NETWATCH_H

#include <uv.h>

/* From the first change to the call. */
#define NETWATCH_MS 20u

struct netwatch;

/* Begins to listen (rtnetlink(7)). Returns 0 or a negative errno. */
int netwatch_new(struct netwatch **out, uv_loop_t *loop, void (*on_change)(void *arg), void *arg);

/* Asks for a call after `ms`, as if something had changed by then. */
void netwatch_ask(struct netwatch *w, unsigned ms);

/* Ends it; no call comes any more. The memory goes with the loop's close callbacks. NULL is taken.
 */
void netwatch_free(struct netwatch *w);

#endif
