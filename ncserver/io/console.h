/* console.h - the packets of channels with dumptoconsole, a line each, on standard output
 *
 *	A {"channel":"A","event":"log","data":1}
 *
 * What standard output does not take at once waits in a buffer, and what finds no room there is
 * left out, and counted in the next line that is written.
 */
#ifndef NC_IO_CONSOLE_H
#define NC_IO_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

#include "libnc/base/buf.h"
#include "ncserver/io/sink.h"

/* Bytes that wait. */
#define CONSOLE_BUF_MAX (1u << 20)
/* Bytes of a packet that are shown; what is cut is told. */
#define CONSOLE_PACKET_MAX (64u << 10)

struct console {
	struct sink sink;
	struct buf buf;
	uint64_t n_skipped; /* packets left out since the last line */
};

/* Writes to `fd` (1). */
void console_init(struct console *c, int fd);

/* Writes what is taken, and forgets the rest. */
void console_fini(struct console *c);

/* Takes one packet of a channel. */
void console_packet(struct console *c, const char *channel, const char *text, size_t len);

/* Writes what waits, as far as it is taken. Once per turn of the loop. */
void console_flush(struct console *c);

#endif
