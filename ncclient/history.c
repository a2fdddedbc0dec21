/*
 * The lines that were typed, over several runs
 *
 * They may hold what was emitted, so folder and file are the user's alone.
 */

#include "ncclient/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *history_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n = -1;

	/* the XDG specification has relative paths ignored */
	if (state && *state == '/')
		n = asprintf(&path, "%s/netcluster/history", state);
	else if (home && *home == '/')
		n = asprintf(&path, "%s/.local/state/netcluster/history", home);
	return n < 0 ? NULL : path;
}

void history_load(History *h, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	HistEvent ev;
	char name[32];

	if (fd < 0)
		return;
	/* by the descriptor, so that what is looked at is what is read */
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid()) {
		snprintf(name, sizeof(name), "/dev/fd/%d", fd);
		history(h, &ev, H_LOAD, name);
	}
	close(fd);
}

/* Makes the folders above PATH, as far as they are missing. */
static int make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int rc;

		*slash = 0;
		rc = mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
		*slash = '/';
		if (rc)
			return rc;
	}
	return 0;
}

static int store(History *h, const char *tmp, const char *path)
{
	int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	HistEvent ev;
	int rc = 0;

	if (!f) {
		rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	if (history(h, &ev, H_SAVE_FP, f) < 0)
		rc = -EIO;
	if (fclose(f) && !rc)
		rc = -errno;
	if (!rc && rename(tmp, path))
		rc = -errno;
	return rc;
}

int history_store(History *h, const char *path)
{
	char *tmp = NULL;
	int rc;

	if (asprintf(&tmp, "%s.%ld", path, (long)getpid()) < 0)
		return -ENOMEM;
	rc = make_folders(tmp);
	if (!rc)
		rc = store(h, tmp, path);
	if (rc)
		unlink(tmp);
	free(tmp);
	return rc;
}
