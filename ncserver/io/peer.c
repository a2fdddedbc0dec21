/* peer.c - who is at the other end of a Unix socket, as the kernel says
 *
 * The kernel keeps user, groups and process as they were when the peer connected. The name of the
 * command is read from /proc and is for displays only: the process may have gone, and its number
 * may be another's by now.
 */
#include "ncserver/io/peer.h"

#include "ncserver/bus/bus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

static size_t keep_groups(struct peer *p, const gid_t *gids, size_t n)
{
	for (size_t i = 0; i < n && p->n_gids < BUS_GROUPS_MAX; i++) {
		if (gids[i] != p->gid)
			p->gids[p->n_gids++] = gids[i];
	}
	return p->n_gids;
}

/* More groups than we look at: the kernel gives all or none. */
static int many_groups(struct peer *p, int fd, socklen_t len)
{
	gid_t *gids = malloc(len);
	int err = 0;

	if (!gids)
		return -ENOMEM;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &len) < 0)
		err = -errno;
	else
		keep_groups(p, gids, len / sizeof(gid_t));
	free(gids);
	return err;
}

static int groups_of(struct peer *p, int fd)
{
	gid_t gids[BUS_GROUPS_MAX];
	socklen_t len = sizeof(gids);

	p->gids[0] = p->gid;
	p->n_gids = 1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &len) < 0)
		return errno == ERANGE ? many_groups(p, fd, len) : -errno;
	keep_groups(p, gids, len / sizeof(gid_t));
	return 0;
}

static void comm_of(struct peer *p)
{
	char path[64];
	ssize_t n;
	int fd;

	p->comm[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)p->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, p->comm, sizeof(p->comm) - 1);
	close(fd);
	p->comm[n > 0 ? n : 0] = '\0';
	p->comm[strcspn(p->comm, "\n")] = '\0';
}

int peer_of(struct peer *p, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	p->uid = cred.uid;
	p->gid = cred.gid;
	p->pid = cred.pid;
	comm_of(p);
	return groups_of(p, fd);
}
