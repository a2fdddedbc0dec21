/* config.h - the configurations of a soak, and how the server comes to them */
#ifndef NC_T_SOAK_CONFIG_H
#define NC_T_SOAK_CONFIG_H

#include <netcluster/nc.h>

#include "t/helpers/server.h"
#include "t/soak/soak.h"

/* The configuration in which the channels that stay are as at the beginning, and none passes. */
#define CONFIG_QUIET 0u

/* The text of configuration `variant`: its bits say which passing channels there are, and what the
 * changing one is like. To be freed. */
char *config_text(unsigned variant);

/* Gives the server a configuration, right or wrong, in one of all ways; returns whether it was a
 * right one. Complains where the answer is not as it must be. */
bool config_reload(struct server *s, nc_client *control);

/* Gives it CONFIG_QUIET, and waits for it. */
void config_quiet(struct server *s, nc_client *control);

#endif
