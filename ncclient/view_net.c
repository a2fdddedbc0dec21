/*
 * Views of what the server says about the network
 */

#include "ncclient/table.h"
#include "ncclient/view.h"

#define COLUMNS(c) .columns = (c), .n_columns = sizeof(c) / sizeof((c)[0])

#define CSV VIEW_CSV_ONLY
#define NUM TABLE_RIGHT
#define OPT TABLE_OPTIONAL

static const struct view_column peers_columns[] = {
        {"HOST", "host", VIEW_TEXT, 0},
        {"STATE", "state", VIEW_TEXT, 0},
        {"FOR", "state_ms", VIEW_DURATION, NUM},
        {"HEARD", "heard_ms", VIEW_DURATION, NUM},
        {"RTT (us)", "rtt_us", VIEW_NUMBER, NUM},
        {"ADDRESS", "addr", VIEW_TEXT, TABLE_CUT},
        {"LANES", "lanes_in", VIEW_NUMBER, NUM},
        {"TO IT", "lanes_out", VIEW_NUMBER, NUM},
        {"LOST", "lost", VIEW_COUNT, NUM},
        {"NAKS", "naks_out", VIEW_COUNT, NUM},
        {"REPAIRS", "repairs_in", VIEW_COUNT, NUM},
        {"GAPS", "gaps", VIEW_COUNT, NUM},
        {"WINDOW", "window", VIEW_COUNT, NUM | OPT},
        {"BYTES", "bytes", VIEW_BYTES, NUM | OPT},
        {"MULTICAST", "multicast", VIEW_TEXT, OPT},
        {"KEY", "key", VIEW_TEXT, OPT},
        {"VERSION", "version", VIEW_TEXT, TABLE_CUT | OPT},
        {"", "boot", VIEW_TEXT, CSV},
        {"", "datagrams", VIEW_NUMBER, CSV},
        {"", "replayed", VIEW_NUMBER, CSV},
        {"", "naks_in", VIEW_NUMBER, CSV},
        {"", "repairs_out", VIEW_NUMBER, CSV},
        {"", "evictions", VIEW_NUMBER, CSV},
        {"", "passes", VIEW_NUMBER, CSV},
};

const struct view view_peers = {
        .shape = VIEW_TABLE, .empty = "no other hosts", COLUMNS(peers_columns)};

static const struct view_column net_columns[] = {
        {"on the network", "connected", VIEW_TEXT, 0},
        {"host", "host", VIEW_TEXT, 0},
        {"cluster", "cluster", VIEW_TEXT, 0},
        {"group", "group", VIEW_TEXT, 0},
        {"up", "up", VIEW_TEXT, 0},
        {"  why not", "why", VIEW_TEXT, 0},
        {"interface", "interface", VIEW_TEXT, 0},
        {"address", "addr", VIEW_TEXT, 0},
        {"datagram", "datagram", VIEW_NUMBER, 0},
        {"receive buffer", "rcvbuf", VIEW_BYTES, 0},
        {"segmentation offload", "gso", VIEW_TEXT, 0},
        {"rate (bit/s)", "rate", VIEW_COUNT, 0},
        {"insecure", "insecure", VIEW_TEXT, 0},
        {"cipher", "cipher", VIEW_TEXT, 0},
        {"  library", "library", VIEW_TEXT, 0},
        {"hosts up", "session.peers_up", VIEW_NUMBER, 0},
        {"messages out", "session.messages_out", VIEW_NUMBER, 0},
        {"  heard by nobody", "session.unheard", VIEW_NUMBER, 0},
        {"messages in", "session.messages_in", VIEW_NUMBER, 0},
        {"  lost", "session.gap_messages", VIEW_NUMBER, 0},
        {"datagrams out", "session.datagrams_out", VIEW_NUMBER, 0},
        {"datagrams in", "session.datagrams_in", VIEW_NUMBER, 0},
        {"repairs out", "session.repairs_out", VIEW_NUMBER, 0},
        {"hosts left behind", "session.evictions", VIEW_NUMBER, 0},
        {"forged or of another key", "session.dropped.auth", VIEW_NUMBER, 0},
        {"of no key held here", "session.dropped.key", VIEW_NUMBER, 0},
        {"replayed", "session.dropped.replay", VIEW_NUMBER, 0},
        {"no room in the kernel", "sockets.kernel_drops", VIEW_NUMBER, 0},
        {"memory out", "session.memory_out", VIEW_BYTES, 0},
        {"memory in", "session.memory_in", VIEW_BYTES, 0},
};

const struct view view_net = {.shape = VIEW_RECORD, COLUMNS(net_columns)};

static const struct view_column lanes_columns[] = {
        {"CHANNEL", "channel", VIEW_TEXT, 0},      {"FROM", "host", VIEW_TEXT, 0},
        {"CLASS", "class", VIEW_TEXT, 0},          {"HOSTS", "members", VIEW_NUMBER, NUM},
        {"MESSAGES", "messages", VIEW_COUNT, NUM}, {"BYTES", "bytes", VIEW_BYTES, NUM},
        {"HELD", "held", VIEW_BYTES, NUM},         {"GAPS", "gaps", VIEW_COUNT, NUM},
        {"WAITING", "waiting", VIEW_TEXT, OPT},    {"", "next", VIEW_NUMBER, CSV},
        {"", "first", VIEW_NUMBER, CSV},
};

const struct view view_lanes = {.shape = VIEW_TABLE, .empty = "no lanes", COLUMNS(lanes_columns)};

static const struct view_column advice_columns[] = {{"ADVICE", "advice", VIEW_TEXT, 0}};

static const struct view view_advice = {
        .shape = VIEW_TEXTS, .empty = "nothing is wrong", COLUMNS(advice_columns)};

static const struct view_column probe_columns[] = {
        {"works", "works", VIEW_TEXT, 0},
        {"hosts", "hosts", VIEW_NUMBER, 0},
        {"  by multicast", "by_multicast", VIEW_NUMBER, 0},
};

static const struct view_part probe_parts[] = {{"advice", &view_advice}, {0}};

const struct view view_probe = {.shape = VIEW_RECORD, COLUMNS(probe_columns), .parts = probe_parts};

static const struct view_column keys_columns[] = {
        {"ID", "id", VIEW_TEXT, 0},
        {"SEALS", "current", VIEW_TEXT, 0},
        {"CIPHER", "cipher", VIEW_TEXT, 0},
        {"LABEL", "label", VIEW_TEXT, TABLE_CUT},
        {"LACKED BY", "lacking", VIEW_TEXT, TABLE_CUT},
};

const struct view view_keys = {.shape = VIEW_TABLE, .empty = "no keys", COLUMNS(keys_columns)};

static const struct view_column key_columns[] = {
        {"key", "id", VIEW_TEXT, 0},
        {"cuts off", "cut_off", VIEW_TEXT, 0},
};

const struct view view_key = {.shape = VIEW_RECORD, COLUMNS(key_columns)};
