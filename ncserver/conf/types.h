/* types.h - the types of values that a schema is made of
 *
 * See struct schema_type. What each takes, and what stands at the key's place:
 */
#ifndef NC_SERVER_CONF_TYPES_H
#define NC_SERVER_CONF_TYPES_H

#include "ncserver/conf/schema.h"

/* Bytes of a socket's path: sun_path has 108, and a temporary name beside it is up to seven
 * longer. */
#define CONF_SOCKET_PATH_MAX 100u
/* Bytes of a peer: a name of the DNS, brackets, and a port. */
#define CONF_PEER_MAX 261u
/* Bytes of a fifo's path, with the same temporary name in mind. */
#define CONF_FIFO_PATH_MAX 1000u

extern const struct schema_type type_bool;    /* bool */
extern const struct schema_type type_uint16;  /* uint16_t: an integer */
extern const struct schema_type type_uint32;  /* uint32_t: an integer */
extern const struct schema_type type_bytes32; /* uint32_t: an integer, or "4 MiB" */
extern const struct schema_type type_bytes64; /* uint64_t: the same */
extern const struct schema_type type_ms;      /* uint32_t: an integer of ms, or "1 s" */
extern const struct schema_type type_rate;    /* uint64_t: bits a second, or "500 Mbit" */
extern const struct schema_type type_word;    /* an enum or int: one of the key's words */
extern const struct schema_type type_net;     /* enum conf_net: false, true or a word */
extern const struct schema_type type_mode;    /* mode_t: an octal string */

extern const struct schema_type type_host;     /* char *: a name */
extern const struct schema_type type_addr;     /* char *: an address of a multicast group */
extern const struct schema_type type_template; /* char *: a path with one %s */
extern const struct schema_type type_socket;   /* char *: the path of a channel's socket */
extern const struct schema_type type_fifo;     /* char *: a bool, which makes a path */
extern const struct schema_type type_regex;    /* char *: false or a regex */

extern const struct schema_type type_interface; /* char *: a name, prefix or address */
extern const struct schema_type type_file;      /* char *: an absolute path */

extern const struct schema_type type_hosts; /* struct conf_names: names of hosts */
extern const struct schema_type type_peers; /* struct conf_names: addresses or names, with ports */
extern const struct schema_type type_files; /* struct conf_names: absolute paths */

extern const struct schema_type type_user;  /* uid_t: a name or number; (uid_t)-1: none */
extern const struct schema_type type_group; /* gid_t: the same */
extern const struct schema_type type_acl;   /* struct conf_acl: a list of users and @groups */

/* Puts `name` for the %s of a template, and a percent sign for each %%. malloc'ed, NULL without
 * memory. */
char *template_expand(const char *template, const char *name);

/* What is wrong with a template, in words, or NULL. */
const char *template_check(const char *template);

/* Writes each % of a path twice, so that it stands in a template as itself. malloc'ed. */
char *template_quote(const char *path);

/* Whether a name can stand for this host in names of events and on the wire. */
bool host_is_valid(const char *s);

#endif
