/* micro_mesh_env.c - what a session of a measurement asks and is told that nobody cares about */
#include "bench/micro_mesh_env.h"

#include <stdlib.h>
#include <sys/random.h>

void mesh_env_random(void *arg, void *p, size_t n)
{
	(void)arg;
	if (getrandom(p, n, 0) != (ssize_t)n)
		abort();
}

static void on_lane(void *arg, void *lane)
{
	(void)arg;
	(void)lane;
}

static void on_peer(void *arg, const struct mesh_peer_info *info, enum mesh_peer_state was)
{
	(void)arg;
	(void)info;
	(void)was;
}

static void on_evicted(void *arg, const struct mesh_peer_info *info, const char *channel)
{
	(void)arg;
	(void)info;
	(void)channel;
}

void mesh_env_init(struct mesh_env *env, void *arg)
{
	*env = (struct mesh_env){.arg = arg,
	                         .random = mesh_env_random,
	                         .gone = on_lane,
	                         .writable = on_lane,
	                         .peer = on_peer,
	                         .evicted = on_evicted};
}
