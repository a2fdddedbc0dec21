/* configure.h - brings a configuration into force, at the start and at a reload
 *
 * A transaction: rules are built and all new sockets are made and stand in place before the bus
 * hears of it; if anything fails, everything is as before, and the caller hears why. What does not
 * change keeps its socket and its clients.
 */
#ifndef NC_IO_CONFIGURE_H
#define NC_IO_CONFIGURE_H

#include <stddef.h>

struct conf;
struct fault;
struct server;

/* Makes `conf` the server's configuration, and the bus if there is none yet. Takes over conf on
 * success. Returns 0; 1 with *f; -ENOMEM. */
int configure(struct server *s, struct conf *conf, struct fault *f);

/* Reads the server's own file again (text NULL), or takes the configuration in `text`. Returns 0;
 * or 1 with *why, all that is wrong, a line each, for the caller to free (NULL without memory). The
 * outcome is logged either way. */
int configure_reload(struct server *s, const char *text, size_t len, const char *name, char **why);

#endif
