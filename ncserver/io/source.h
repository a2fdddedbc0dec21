/* source.h - where the configuration comes from, at the start and at each reload
 *
 * The file of the command line; else the first of the standard places, searched again each time;
 * else the built-in default, channel control alone. What the command line says of the socket's
 * template and the log's level stands above every file.
 */
#ifndef NC_IO_SOURCE_H
#define NC_IO_SOURCE_H

#include <stddef.h>
#include <stdio.h>

#include "ncserver/conf/conf.h"

struct log;
struct options;

struct source {
	const char *file; /* of the command line, or NULL; not owned */
	int log_level;    /* of the command line, or -1 */
	char hostname[256];
	struct conf_env env;
};

void source_init(struct source *s, const struct options *opt);

/* Reads the server's own configuration. Returns 0; 1 with errors in `p`; -ENOMEM. */
int source_read(const struct source *s, struct conf **out, struct conf_problems *p);

/* Reads a configuration from a text that `name` calls. Sockets and FIFOs stay where those of
 * `running` are, if it is JSON and does not name their place. Returns as source_read(). */
int source_parse(const struct source *s, struct conf **out, const char *text, size_t len,
                 const char *name, const struct conf *running, struct conf_problems *p);

/* Writes all problems, a line each, for a person; or to the log, all of them. */
void source_print_problems(FILE *out, const struct conf_problems *p);
void source_log_problems(struct log *l, const struct conf_problems *p);

#endif
