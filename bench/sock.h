/* sock.h - plain blocking sockets, for the clients that have no library */
#ifndef NC_BENCH_SOCK_H
#define NC_BENCH_SOCK_H

#include <stddef.h>
#include <stdint.h>

/* What is written at once, where there is as much. */
#define SOCK_BATCH 65536u
/* What is read at once, at most. */
#define SOCK_READ (2 * SOCK_BATCH)

/* Connects to a Unix stream socket; as large a send buffer as the relay has. Ends the process where
 * it can't. */
int sock_connect_path(const char *path);

/* Writes all, or ends the process. */
void sock_write_all(int fd, const void *data, size_t len);

/* Reads at least one byte, or ends the process. */
size_t sock_read_some(int fd, void *data, size_t len);

/* What was read and is not yet used up: whole messages are taken from its begin. */
struct intake {
	int fd;
	uint8_t *data;
	size_t cap, begin, end;
};

/* Holds two reads and a message of `len` bytes. Ends the process without memory. */
void intake_init(struct intake *in, int fd, size_t len);

/* Reads once more behind what is there. */
void intake_read(struct intake *in);

#endif
