/* queue_policy.c - what policies are called, in answers and in requests */
#include <string.h>

#include "ncserver/bus/queue.h"

static const char *const names[FRAME_P_MAX + 1] = {
        [FRAME_P_BLOCK] = "block",
        [FRAME_P_DROP_OLDEST] = "drop-oldest",
        [FRAME_P_DROP_NEWEST] = "drop-newest",
        [FRAME_P_CONFLATE] = "conflate",
        [FRAME_P_DISCONNECT] = "disconnect",
};

const char *queue_policy_str(uint8_t policy)
{
	return policy <= FRAME_P_MAX ? names[policy] : "unknown";
}

int queue_policy_find(const char *name, size_t len)
{
	for (int i = 0; i <= (int)FRAME_P_MAX; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return i;
	return -1;
}
