/* rundir.h - the directories that a server makes for its sockets
 *
 * Three places belong to netcluster and are made where they are missing: /run/netcluster (0755),
 * netcluster below XDG_RUNTIME_DIR (0700), and /tmp/netcluster-<uid> (0700). The last stands where
 * everybody may write, so it must be a real directory, ours, and closed to others; else it is
 * refused. All other directories are the administrator's: they exist, or the start fails.
 */
#ifndef NC_IO_RUNDIR_H
#define NC_IO_RUNDIR_H

#include <stddef.h>
#include <sys/types.h>

struct fault;

struct rundir_env {
	uid_t uid;               /* effective */
	const char *runtime_dir; /* XDG_RUNTIME_DIR or NULL */
};

/* The directory part of `path`, in `dir` (of PATH_MAX bytes): "." where there is none. */
void rundir_of(char *dir, size_t size, const char *path);

/* Makes `dir` if it is one of the three, and checks it. Returns 0, or 1 with *f. */
int rundir_ensure(const char *dir, const struct rundir_env *env, struct fault *f);

#endif
