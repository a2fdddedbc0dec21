/* names.h - the names of users, asked for where nobody waits
 *
 * Who a user is, is said by the system's user database, which may be a directory somewhere else and
 * take its time. So a thread asks it, one user after the other, and only while there is something
 * to ask; the loop shows what is known by then. What is known is kept for a while, in a bounded
 * number.
 */
#ifndef NC_IO_NAMES_H
#define NC_IO_NAMES_H

#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

/* Users that are remembered or asked for at once. Beyond, those that nobody wanted to know for the
 * longest time go. */
#define NAMES_MAX 1024u
/* A longer name is cut: it is for displays. */
#define NAMES_LEN_MAX 255u
/* After this time a name is asked for again (and shown meanwhile). */
#define NAMES_KEPT_NS (UINT64_C(300) * 1000000000u)
/* And so is a user that had none, or whose database did not answer. */
#define NAMES_MISSED_NS (UINT64_C(30) * 1000000000u)

struct names;

/* Makes a table for one loop. Returns 0 or a negative errno. */
int names_open(struct names **out, uv_loop_t *loop, const uint8_t seed[16]);

/* Forgets all, at once: a question under way ends when it ends, and nobody hears the answer. The
 * memory goes when the loop has closed the handle. Nothing for NULL. */
void names_close(struct names *n);

/* The user's name, valid until the next call; or NULL where it is not known, or not yet: then it is
 * being asked for. `n` NULL: nothing is known. Never waits. */
const char *names_get(struct names *n, uid_t uid, uint64_t now);

#endif
