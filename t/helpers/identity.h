/* identity.h - connecting as another user
 *
 * The kernel takes a client's identity when it connects, from the effective ids: a test that runs
 * as root borrows other ones for that moment.
 */
#ifndef NC_T_HELPERS_IDENTITY_H
#define NC_T_HELPERS_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

#include "t/helpers/world.h"

/* Whether this process may connect as other users. */
bool identity_can_change(void);

/* peer_connect() as user `uid` with the groups `gid` and, where it is not (gid_t)-1, `other`. */
int identity_connect_with(struct peer *p, uid_t uid, gid_t gid, gid_t other);

/* The same without another group. */
int identity_connect(struct peer *p, uid_t uid, gid_t gid);

#endif
