/* micro_mesh_env.h - what a session of a measurement asks and is told that nobody cares about
 *
 * Random numbers come from the kernel; lanes that end, peers that come and go, and room to write
 * are nothing to do anything about. accept, deliver and gap are what is measured, and the caller's.
 */
#ifndef NC_BENCH_MICRO_MESH_ENV_H
#define NC_BENCH_MICRO_MESH_ENV_H

#include "mesh/session.h"

/* Fills in all but accept, deliver and gap; `arg` goes to these. */
void mesh_env_init(struct mesh_env *env, void *arg);

/* Random bytes; ends the program where there are none. */
void mesh_env_random(void *arg, void *p, size_t n);

#endif
