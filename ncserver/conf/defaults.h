/* defaults.h - what holds where a configuration says nothing, as far as the environment decides */
#ifndef NC_SERVER_CONF_DEFAULTS_H
#define NC_SERVER_CONF_DEFAULTS_H

#include "ncserver/conf/conf.h"

struct walk;

/* The environment of the process, for callers that give none. */
struct own_env {
	struct conf_env env;
	char hostname[256];
};

/* `env`, or where it is NULL the process's own, in `own`. */
const struct conf_env *defaults_env(struct own_env *own, const struct conf_env *env);

/* Puts in the address, the host and the templates of paths where the file gives none, and the
 * socket template that was given with the start. Returns 0 or -ENOMEM. */
int defaults_complete(struct walk *w);

#endif
