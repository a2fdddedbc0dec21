/* rundir.c - the directories that a server makes for its sockets */
#include "ncserver/io/rundir.h"

#include "ncserver/io/fault.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void rundir_of(char *dir, size_t size, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (slash == path)
		len = 1;
	if (len == 0 || len >= size) {
		snprintf(dir, size, ".");
		return;
	}
	memcpy(dir, path, len);
	dir[len] = '\0';
}

/* The mode for a directory that is ours to make; 0 for all others. */
static mode_t mode_of(const char *dir, const struct rundir_env *env, bool *is_tmp)
{
	char own[PATH_MAX];

	*is_tmp = false;
	if (strcmp(dir, "/run/netcluster") == 0 || strcmp(dir, "/var/run/netcluster") == 0)
		return 0755;
	if (env->runtime_dir) {
		snprintf(own, sizeof(own), "%s/netcluster", env->runtime_dir);
		if (strcmp(dir, own) == 0)
			return 0700;
	}
	snprintf(own, sizeof(own), "/tmp/netcluster-%lu", (unsigned long)env->uid);
	*is_tmp = strcmp(dir, own) == 0;
	return *is_tmp ? 0700 : 0;
}

static int check_tmp(const char *dir, const struct rundir_env *env, struct fault *f)
{
	struct stat st;

	if (lstat(dir, &st) < 0)
		return fault_set(f, EX_CANTCREAT, "directory %s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fault_set(f, EX_CANTCREAT, "%s is not a directory", dir);
	if (st.st_uid != env->uid)
		return fault_set(f, EX_NOPERM, "directory %s belongs to user %lu, not to user %lu",
		                 dir, (unsigned long)st.st_uid, (unsigned long)env->uid);
	if ((st.st_mode & 077) != 0)
		return fault_set(f, EX_NOPERM,
		                 "directory %s is open to others (mode %04o, not 0700)", dir,
		                 (unsigned)(st.st_mode & 07777));
	return 0;
}

/* Gives a directory that was just made its mode, whatever the umask is. */
static int set_mode(const char *dir, mode_t mode, struct fault *f)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int err = fd < 0 || fchmod(fd, mode) < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return err ? fault_set(f, EX_OSERR, "directory %s: %s", dir, strerror(err)) : 0;
}

int rundir_ensure(const char *dir, const struct rundir_env *env, struct fault *f)
{
	bool is_tmp;
	mode_t mode = mode_of(dir, env, &is_tmp);
	int err = 0;

	if (mode != 0 && mkdir(dir, 0700) == 0)
		err = set_mode(dir, mode, f);
	else if (mode != 0 && errno != EEXIST)
		err = fault_set(f, fault_exit_of(errno), "cannot make directory %s: %s", dir,
		                strerror(errno));
	if (!err && is_tmp)
		err = check_tmp(dir, env, f);
	return err;
}
