/* groups.h - the types of values that hold others: channels and quotas */
#ifndef NC_SERVER_CONF_GROUPS_H
#define NC_SERVER_CONF_GROUPS_H

#include "ncserver/conf/schema.h"

/* The channel that a server has although no file names it. */
#define CONF_CONTROL "control"

/* The configuration that has a member at that place: these types own more than one. */
#define CONF_OF(at, member) ((struct conf *)(void *)((char *)(at)-offsetof(struct conf, member)))
#define CONF_OF_CONST(at, member)                                                                  \
	((const struct conf *)(const void *)((const char *)(at)-offsetof(struct conf, member)))

/* struct conf_channel *channels, size_t n_channels of a struct conf: a group with the names as
 * keys, or a list of groups with a member "name". */
extern const struct schema_type type_channels;

/* The name of a channel in such a list. */
extern const struct schema_type type_name;

/* struct conf_quota: a group. */
extern const struct schema_type type_quota;

/* struct conf_quota_override *overrides, size_t n_overrides of a struct conf: a list of groups. */
extern const struct schema_type type_quotas;

/* Puts in channel control where the configuration wants it and does not name it. Returns 0 or
 * -ENOMEM. */
int channels_add_control(struct walk *w);

#endif
