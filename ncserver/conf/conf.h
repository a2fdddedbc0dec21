/* conf.h - the configuration of a server, checked and complete
 *
 * A struct conf is what a file means: every key has its value or its default, users and groups are
 * ids, regexes compile, and names are legal. It is immutable once made; a reload makes a new one.
 * It is made from libconfig's format or from netcluster's JSON (with comments), told apart by
 * content, by one schema walker that reports all errors at once.
 */
#ifndef NC_SERVER_CONF_H
#define NC_SERVER_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libnc/wire/limits.h"
#include "libnc/wire/frame.h"

struct buf;

/* Channels in one configuration: rules are matched against every pair of them. */
#define CONF_CHANNELS_MAX 1024u
/* Names in one access list, overrides in the quota list. */
#define CONF_LIST_MAX 256u
/* Hosts that a channel hears, or that are spoken to; keys. */
#define CONF_HOSTS_MAX 1024u
#define CONF_KEYS_MAX  16u
/* Bytes of a configuration file or of a text that reloadconfig brings. */
#define CONF_TEXT_MAX (4u << 20)
/* Nesting of a configuration. */
#define CONF_DEPTH_MAX 16u
/* Problems reported at once; what is beyond is counted. */
#define CONF_PROBLEMS_MAX 100u

/* Who may. An absent list (set == false) says: everybody who can connect. */
struct conf_acl {
	bool set;
	size_t n_uids;
	uid_t *uids;
	size_t n_gids;
	gid_t *gids;
};

/* Whether the list admits a user with these ids (all its groups). uid 0 is admitted by being named
 * only, as everybody else is. */
bool conf_acl_admits(const struct conf_acl *acl, uid_t uid, const gid_t *gids, size_t n_gids);

/* A list of names, in the order in which they were written. */
struct conf_names {
	bool set;
	size_t n;
	char **list;
};

enum conf_net {
	CONF_NET_OFF = 0,
	CONF_NET_RELIABLE = 1,
	CONF_NET_BEST_EFFORT = 2,
};

/* Of one receiver's queue. */
struct conf_queue {
	enum frame_policy policy;  /* "policy": "block", "drop-oldest", "drop-newest", "conflate",
	                              "disconnect" */
	uint64_t bytes;            /* "queue_bytes", default 4 MiB; 64 KiB .. 1 GiB */
	uint32_t messages;         /* "queue_messages", default 100000; 16 .. 10 million */
	uint32_t block_timeout_ms; /* "block_timeout", ms, default 1000; 10 .. 3600000 */
	uint32_t conflate_names;   /* "conflate_names", default 1024; 1 .. 65536 */
};

struct conf_channel {
	char name[NC_CHANNEL_MAX + 1];
	unsigned line;              /* where it is defined, 0: implicit */
	char *regex;                /* "propagatetochannels": NULL for false */
	enum conf_net net;          /* "propagatetonet" */
	bool from_net;              /* "propagatefromnet": the rule holds for what arrives, too */
	struct conf_names net_from; /* "netfrom": hosts that may be heard; not set: all */
	bool dumptoconsole;         /* "dumptoconsole" */
	char *socket;               /* path, from "socket" of the channel or the template */
	mode_t mode;                /* "mode", octal string, default "0660" */
	uid_t owner;                /* "owner", default (uid_t)-1: leave */
	gid_t group;                /* "group", default (gid_t)-1: leave */
	struct conf_acl emit;       /* "emit" = [ "alice", "@staff", "1000", "@1000" ] */
	struct conf_acl listen;     /* "listen" */
	struct conf_acl admin;      /* "admin"; where absent: root and the server's own user */
	struct conf_queue queue;
	uint32_t max_message; /* "max_message", bytes, default the server's; 1 KiB .. 256 MiB */
	bool agent_pacing;    /* "agent_pacing", default true */
	char *fifo;           /* path where "fifo" = true, else NULL */
};

/* Per user. */
struct conf_quota {
	uint32_t connections;     /* default 1024 */
	uint32_t connection_rate; /* new ones a second (a bucket of as many), default 200 */
	uint64_t bytes;           /* queued for it and half-received from it, default 256 MiB */
	uint32_t subscriptions;   /* default 65536 */
};

struct conf_quota_override {
	uid_t uid;
	struct conf_quota quota;
};

struct conf {
	char *file;   /* where it came from, or NULL: built-in default or sent by a client */
	bool is_json; /* the format it was written in */
	char *host;   /* "host", default gethostname() up to the first dot */
	char *socket; /* "socket": template with one %s, see DEFAULT below */
	char *fifo; /* "fifo_path": template, default: the socket's with ".sock" cut off and ".fifo"
	               put on */
	/* The network. */
	char *addr;              /* "addr", default "239.192.44.54"; 224.0.0.0 is accepted */
	uint16_t port;           /* "port", default 4454 */
	bool connecttonet;       /* "connecttonet", default true */
	bool dumpnet;            /* "dumpnet", default false */
	char *cluster;           /* "cluster", default "netcluster" */
	char *interface;         /* "interface": name, prefix or address; NULL: the only one */
	struct conf_names peers; /* "peers": hosts to speak to in place of the group */
	struct conf_names keys;  /* "keys": files */
	char *key;               /* "key": the one of them that seals; NULL: the first */
	bool insecure;           /* "insecure", default false: no keys are needed */
	uint64_t net_rate;       /* "net_rate", bits a second, default 500 Mbit; 0: no limit */
	uint32_t net_block_timeout_ms; /* "net_block_timeout", default 1000; 10 .. 60000 */
	uint32_t net_mtu; /* "net_mtu", largest datagram, bytes; 0: as the interface takes them */
	uint64_t net_window;      /* "net_window", of one lane, default 4 MiB; 64 KiB .. 1 GiB */
	uint64_t net_memory;      /* "net_memory", of all, default 64 MiB; 1 MiB .. 16 GiB */
	uint64_t net_rcvbuf;      /* "net_rcvbuf", default 4 MiB; 0: the kernel's default */
	uint32_t net_announce_ms; /* "net_announce", default 1000; 100 .. 60000 */
	uint32_t net_liveness_ms; /* "net_liveness", default 5000; 500 .. 600000 */
	bool startcontrol;    /* "startcontrol", default true: channel "control" exists even if not
	                         named */
	uint32_t max_message; /* "max_message", for channels that have none; default 16 MiB */
	uint32_t hello_wait_ms;    /* "hello_wait", ms, default 100; 1 .. 60000 */
	uint32_t drain_timeout_ms; /* "drain_timeout", ms, default 5000; 0 .. 600000 */
	uint32_t probation_ms;     /* "probation", ms, default 60000; 0: off */
	uint32_t slow_list; /* "slow_list", entries kept of slow clients, default 256; 0 .. 65536 */
	uint32_t max_clients;       /* "max_clients", default 65536 */
	uint32_t max_subscriptions; /* "max_subscriptions" of one client, default 4096 */
	uint32_t busy_poll_us;      /* "busy_poll_us", default 0: off; at most 1000 */
	int log_level; /* "log_level": "error" 0, "warning" 1, "info" 2 (default), "debug" 3 */
	struct conf_quota
	        quota;      /* "quota" = { connections, connection_rate, bytes, subscriptions } */
	size_t n_overrides; /* "quotas" = ( { user = "alice"; connections = 5; ... }, ... ) */
	struct conf_quota_override *overrides;
	size_t n_channels; /* sorted by name */
	struct conf_channel *channels;
};

/* All that is wrong, or worth a warning, with a text; ordered by file and line. All zeroes before
 * it is used. */
struct conf_problem {
	bool warning;
	unsigned line; /* 0: none */
	char *file;    /* the file, an included one perhaps, or "(reloadconfig)" and the like */
	char *text; /* "channels.A.policy: unknown value \"drop\"; did you mean \"drop-oldest\"?" */
};
struct conf_problems {
	size_t n;
	size_t n_errors;
	size_t n_more;      /* not kept, beyond CONF_PROBLEMS_MAX */
	bool is_unreadable; /* the file itself can't be read: its contents are not to blame */
	struct conf_problem list[CONF_PROBLEMS_MAX];
};
void conf_problems_fini(struct conf_problems *p);

/* Appends a line for each: "file:12: error: text", and how many more there were. Returns 0,
 * -ENOMEM, -EMSGSIZE. */
int conf_problems_print(struct buf *out, const struct conf_problems *p);

/* What the defaults depend on; tests set it. NULL: the process's own. */
struct conf_env {
	uid_t uid;               /* effective user */
	const char *runtime_dir; /* XDG_RUNTIME_DIR or NULL */
	const char *hostname;
	/* A template that stands for "socket" of every file and of the default, or NULL. */
	const char *socket_override;
	/* What "socket" and "fifo_path" are in a JSON text that names no "socket": netcluster's own
	 * configurations never do. Or NULL: as by default. */
	const char *socket_kept;
	const char *fifo_kept;
};

/* Reads a configuration from text. `name` is what messages call it. Returns 0 and *out (conf_free()
 * it); 1 with errors in `problems` (also warnings on success); -ENOMEM. */
int conf_parse(struct conf **out, const char *text, size_t len, const char *name,
               const struct conf_env *env, struct conf_problems *problems);

/* conf_parse() of a file, with libconfig's @include relative to it. Returns as conf_parse; an
 * unreadable file is a problem that names path and reason. */
int conf_read(struct conf **out, const char *path, const struct conf_env *env,
              struct conf_problems *problems);

/* The first of the standard places that exists (malloc'ed), or NULL: the environment's
 * NCSERVER_CONF; for root sysconfdir/netcluster/ncserver.conf; else $XDG_CONFIG_HOME or ~/.config
 * netcluster/ncserver.conf, then sysconfdir. */
char *conf_find(const struct conf_env *env);

/* The built-in default: channel control only. Returns NULL without memory. */
struct conf *conf_default(const struct conf_env *env);

void conf_free(struct conf *c);

/* Channel by name, or NULL. */
const struct conf_channel *conf_channel(const struct conf *c, const char *name);

/* Whether the channel takes what this host emits on its channel of the same name. */
bool conf_channel_hears_host(const struct conf_channel *c, const char *host);

/* Whether there is a channel that leaves this host, so that the network is needed. */
bool conf_needs_net(const struct conf *c);

/* Appends the whole configuration as one JSON object with netcluster's keys first, exactly as
 * showconfig answers, in one line or with a line for each value; or as a libconfig file. All read
 * back as the same configuration. Returns 0, -ENOMEM, -EMSGSIZE. */
int conf_print_json(struct buf *out, const struct conf *c);
int conf_print_json_lines(struct buf *out, const struct conf *c);
int conf_print_libconfig(struct buf *out, const struct conf *c);

/* Whether two configurations mean the same, whatever files they come from. */
bool conf_equal(const struct conf *a, const struct conf *b);

/* Whether the rule that leads from channel `from` to channel `to` (indexes) lets somebody emit on
 * the second who may not emit there himself, or lets somebody hear the first who may not listen
 * there. Returns how many bytes of text that says so were written to `text`, without the NUL; 0 if
 * it does not. */
size_t conf_rule_widens(const struct conf *c, size_t from, size_t to, char *text, size_t len);

/* Whether two configurations of a channel ask for the same socket (path); for the same everything.
 */
bool conf_channel_same_socket(const struct conf_channel *a, const struct conf_channel *b);
bool conf_channel_equal(const struct conf_channel *a, const struct conf_channel *b);

/* The quota of a user. */
const struct conf_quota *conf_quota_of(const struct conf *c, uid_t uid);

#endif
