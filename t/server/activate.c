/* activate.c - starts a program as a service manager with socket activation does
 *
 *	activate PATH... -- PROGRAM ARGUMENT...
 *
 * Binds a listening Unix socket to each path (mode 0600), and runs the program with them as
 * descriptors 3 and up. An argument "tcp" stands for a TCP socket on the loopback, which no
 * netcluster can use.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_unix(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	umask(0177);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 16) < 0)
		die(path);
	return fd;
}

static int listen_tcp(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
	                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 16) < 0)
		die("tcp");
	return fd;
}

int main(int argc, char **argv)
{
	char names[4096] = "", number[32];
	int n = 0;

	/* Whatever the test harness has open there. */
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	for (; n + 1 < argc && strcmp(argv[n + 1], "--") != 0; n++) {
		const char *path = argv[n + 1];
		size_t len = strlen(names);

		if ((strcmp(path, "tcp") == 0 ? listen_tcp() : listen_unix(path)) != 3 + n)
			die("descriptors");
		snprintf(names + len, sizeof(names) - len, "%sname%d", n ? ":" : "", n);
	}
	if (n + 2 >= argc)
		return 64;
	snprintf(number, sizeof(number), "%d", n);
	setenv("LISTEN_FDS", number, 1);
	setenv("LISTEN_FDNAMES", names, 1);
	snprintf(number, sizeof(number), "%ld", (long)getpid());
	setenv("LISTEN_PID", number, 1);
	execv(argv[n + 2], argv + n + 2);
	die(argv[n + 2]);
}
