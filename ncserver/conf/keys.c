/* keys.c - every key that a configuration may have
 *
 * The tables are the one place that knows a key's name, default and limits; ncserver.conf(5) tells
 * them to people. netcluster's own keys come first, in netcluster's order, because that is how a
 * configuration is shown.
 */

#include "ncserver/conf/groups.h"
#include "ncserver/conf/types.h"

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define TIB (1ull << 40)

/* The least limit on messages: the requests to the control channel fit into it. */
#define MESSAGE_MIN KIB

#define HOUR_MS 3600000u
#define DAY_MS  (24 * HOUR_MS)

#define KBIT 1000ull
#define MBIT (1000 * KBIT)
#define GBIT (1000 * MBIT)

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct schema_word policies[] = {
        {"block", FRAME_P_BLOCK},
        {"drop-oldest", FRAME_P_DROP_OLDEST},
        {"drop-newest", FRAME_P_DROP_NEWEST},
        {"conflate", FRAME_P_CONFLATE},
        {"disconnect", FRAME_P_DISCONNECT},
        {NULL, 0},
};

static const struct schema_word nets[] = {
        {"reliable", CONF_NET_RELIABLE},
        {"best-effort", CONF_NET_BEST_EFFORT},
        {NULL, 0},
};

static const struct schema_word levels[] = {
        {"error", 0}, {"warning", 1}, {"info", 2}, {"debug", 3}, {NULL, 0},
};

/* A key whose value is put at a member of a structure; one with limits, too. */
#define AT(name_, kind_, struct_, member_)                                                         \
	.name = (name_), .type = &type_##kind_, .offset = offsetof(struct_, member_)
#define NUMBER(name_, kind_, struct_, member_, def_, min_, max_)                                   \
	{                                                                                          \
		AT(name_, kind_, struct_, member_), .def = (def_), .min = (min_), .max = (max_)    \
	}

/* The members of a quota, which is `in_` (with its point) the structure. */
#define QUOTA_KEYS(struct_, in_)                                                                   \
	NUMBER("connections", uint32, struct_, in_ connections, 1024, 1, 1 << 20),                 \
	        NUMBER("connection_rate", uint32, struct_, in_ connection_rate, 200, 1, 1000000),  \
	        NUMBER("bytes", bytes64, struct_, in_ bytes, 256 * MIB, 64 * KIB, TIB),            \
	        NUMBER("subscriptions", uint32, struct_, in_ subscriptions, 65536, 1, 1 << 24)

static const struct schema_key quota_keys[] = {
        QUOTA_KEYS(struct conf_quota, ),
};

static const struct schema_key override_keys[] = {
        {AT("user", user, struct conf_quota_override, uid)},
        QUOTA_KEYS(struct conf_quota_override, quota.),
};

static const struct schema_key channel_keys[] = {
        {AT("propagatetochannels", regex, struct conf_channel, regex)},
        {AT("propagatetonet", net, struct conf_channel, net), .words = nets},
        {AT("dumptoconsole", bool, struct conf_channel, dumptoconsole)},
        {AT("propagatefromnet", bool, struct conf_channel, from_net)},
        {AT("netfrom", hosts, struct conf_channel, net_from), .max = CONF_HOSTS_MAX},
        {AT("name", name, struct conf_channel, name)},
        {AT("socket", socket, struct conf_channel, socket)},
        {AT("mode", mode, struct conf_channel, mode), .def = 0660, .max = 0777},
        {AT("owner", user, struct conf_channel, owner)},
        {AT("group", group, struct conf_channel, group)},
        {AT("emit", acl, struct conf_channel, emit)},
        {AT("listen", acl, struct conf_channel, listen)},
        {AT("admin", acl, struct conf_channel, admin)},
        {AT("policy", word, struct conf_channel, queue.policy), .words = policies},
        NUMBER("queue_bytes", bytes64, struct conf_channel, queue.bytes, 4 * MIB, 64 * KIB, GIB),
        NUMBER("queue_messages", uint32, struct conf_channel, queue.messages, 100000, 16, 10000000),
        NUMBER("block_timeout", ms, struct conf_channel, queue.block_timeout_ms, 1000, 10, HOUR_MS),
        NUMBER("conflate_names", uint32, struct conf_channel, queue.conflate_names, 1024, 1, 65536),
        NUMBER("max_message", bytes32, struct conf_channel, max_message, NC_MESSAGE_DEFAULT,
               MESSAGE_MIN, NC_MESSAGE_MAX),
        {AT("agent_pacing", bool, struct conf_channel, agent_pacing), .def = true},
        {AT("fifo", fifo, struct conf_channel, fifo)},
};

static const struct schema_key top_keys[] = {
        {AT("addr", addr, struct conf, addr)},
        NUMBER("port", uint16, struct conf, port, 4454, 1, UINT16_MAX),
        {AT("dumpnet", bool, struct conf, dumpnet)},
        {AT("connecttonet", bool, struct conf, connecttonet), .def = true},
        {AT("startcontrol", bool, struct conf, startcontrol), .def = true},
        {AT("channels", channels, struct conf, channels), .late = true},
        {AT("host", host, struct conf, host)},
        {AT("cluster", host, struct conf, cluster)},
        {AT("interface", interface, struct conf, interface)},
        {AT("peers", peers, struct conf, peers), .max = CONF_HOSTS_MAX},
        {AT("keys", files, struct conf, keys), .max = CONF_KEYS_MAX},
        {AT("key", file, struct conf, key)},
        {AT("insecure", bool, struct conf, insecure)},
        NUMBER("net_rate", rate, struct conf, net_rate, 500 * MBIT, 0, 100 * GBIT),
        NUMBER("net_mtu", uint32, struct conf, net_mtu, 0, 0, 9000),
        NUMBER("net_block_timeout", ms, struct conf, net_block_timeout_ms, 1000, 10, 60000),
        NUMBER("net_window", bytes64, struct conf, net_window, 4 * MIB, 64 * KIB, GIB),
        NUMBER("net_memory", bytes64, struct conf, net_memory, 64 * MIB, MIB, 16 * GIB),
        NUMBER("net_rcvbuf", bytes64, struct conf, net_rcvbuf, 4 * MIB, 0, GIB),
        NUMBER("net_announce", ms, struct conf, net_announce_ms, 1000, 100, 60000),
        NUMBER("net_liveness", ms, struct conf, net_liveness_ms, 5000, 500, 600000),
        {AT("socket", template, struct conf, socket)},
        {AT("fifo_path", template, struct conf, fifo)},
        NUMBER("max_message", bytes32, struct conf, max_message, NC_MESSAGE_DEFAULT, MESSAGE_MIN,
               NC_MESSAGE_MAX),
        NUMBER("hello_wait", ms, struct conf, hello_wait_ms, 100, 1, 60000),
        NUMBER("drain_timeout", ms, struct conf, drain_timeout_ms, 5000, 0, 600000),
        NUMBER("probation", ms, struct conf, probation_ms, 60000, 0, DAY_MS),
        NUMBER("slow_list", uint32, struct conf, slow_list, 256, 0, 65536),
        NUMBER("max_clients", uint32, struct conf, max_clients, 65536, 1, 1 << 20),
        NUMBER("max_subscriptions", uint32, struct conf, max_subscriptions, 4096, 1, 1 << 20),
        NUMBER("busy_poll_us", uint32, struct conf, busy_poll_us, 0, 0, 1000),
        {AT("log_level", word, struct conf, log_level), .words = levels, .def = 2},
        {AT("quota", quota, struct conf, quota)},
        {AT("quotas", quotas, struct conf, overrides), .late = true},
};

const struct schema schema_top = {"the whole server", COUNT(top_keys), top_keys};
const struct schema schema_channel = {"a channel", COUNT(channel_keys), channel_keys};
const struct schema schema_quota = {"\"quota\"", COUNT(quota_keys), quota_keys};
const struct schema schema_override = {"an entry of \"quotas\"", COUNT(override_keys),
                                       override_keys};
