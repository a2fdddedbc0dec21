/*
 * Connecting as another user
 */

#include "t/helpers/identity.h"

#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#define GROUPS_MAX 256

bool identity_can_change(void)
{
	return getuid() == 0;
}

int identity_connect_with(struct peer *p, uid_t uid, gid_t gid, gid_t other)
{
	gid_t groups[GROUPS_MAX], wanted[] = {gid, other};
	int n = getgroups(GROUPS_MAX, groups), r;
	gid_t own = getegid();

	assert_true(n >= 0);

	assert_int_equal(setgroups(other == (gid_t)-1 ? 1 : 2, wanted), 0);
	assert_int_equal(setegid(gid), 0);
	assert_int_equal(seteuid(uid), 0);
	r = peer_connect(p);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(own), 0);
	assert_int_equal(setgroups((size_t)n, groups), 0);
	return r;
}

int identity_connect(struct peer *p, uid_t uid, gid_t gid)
{
	return identity_connect_with(p, uid, gid, (gid_t)-1);
}
