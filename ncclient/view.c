/*
 * Views: what of an answer is shown, and how
 *
 * Only tables. The order of columns is that of the text and of CSV; scripts rely on it, so new ones
 * go to the end.
 */

#include "ncclient/view.h"

#include "ncclient/table.h"

#define COLUMNS(c) .columns = (c), .n_columns = sizeof(c) / sizeof((c)[0])

#define CSV VIEW_CSV_ONLY
#define NUM TABLE_RIGHT
#define OPT TABLE_OPTIONAL

static const struct view_column channel_columns[] = {
        {"CHANNEL", "name", VIEW_TEXT, 0},
        {"CLIENTS", "clients", VIEW_COUNT, NUM},
        {"SUBS", "subscriptions", VIEW_COUNT, NUM | OPT},
        {"PUBL", "published", VIEW_COUNT, NUM},
        {"BYTES", "published_bytes", VIEW_BYTES, NUM},
        {"ROUTED", "flow.routed", VIEW_COUNT, NUM},
        {"WRITTEN", "flow.written", VIEW_COUNT, NUM},
        {"QUEUED", "flow.queued", VIEW_COUNT, NUM},
        {"DROPPED", "flow.dropped_total", VIEW_COUNT, NUM},
        {"REFUSED", "refused", VIEW_COUNT, NUM | OPT},
        {"STALLS", "stalls", VIEW_COUNT, NUM | OPT},
        {"POLICY", "policy", VIEW_TEXT, OPT},
        {"QBYTES", "flow.queued_bytes", VIEW_BYTES, NUM | OPT},
        {"MODE", "mode", VIEW_TEXT, OPT},
        {"SOCKET", "socket", VIEW_TEXT, TABLE_CUT | OPT},
        {"FIFO", "fifo", VIEW_TEXT, CSV},
        {"", "flow.dropped.drop_oldest", VIEW_NUMBER, CSV},
        {"", "flow.dropped.drop_newest", VIEW_NUMBER, CSV},
        {"", "flow.dropped.conflate", VIEW_NUMBER, CSV},
        {"", "flow.dropped.disconnected", VIEW_NUMBER, CSV},
        {"", "flow.dropped.untranslatable", VIEW_NUMBER, CSV},
        {"", "queue_limit.bytes", VIEW_NUMBER, CSV},
        {"", "queue_limit.messages", VIEW_NUMBER, CSV},
};

const struct view view_channels = {
        .shape = VIEW_TABLE, .empty = "no channels", COLUMNS(channel_columns)};

static const struct view_column clients_columns[] = {
        {"CHANNEL", "channel", VIEW_TEXT, 0},
        {"ID", "id", VIEW_ID, 0},
        {"PID", "pid", VIEW_NUMBER, NUM},
        {"USER", "user", VIEW_TEXT, TABLE_CUT},
        {"COMMAND", "command", VIEW_TEXT, TABLE_CUT},
        {"IN", "in.messages", VIEW_COUNT, NUM},
        {"OUT", "out.written", VIEW_COUNT, NUM},
        {"QUEUED", "out.queued", VIEW_COUNT, NUM},
        {"DROPPED", "out.dropped_total", VIEW_COUNT, NUM},
        {"STATE", "", VIEW_STATE, OPT},
        {"DIALECT", "dialect", VIEW_TEXT, OPT},
        {"LABEL", "label", VIEW_TEXT, TABLE_CUT | OPT},
        {"PATTERNS", "patterns", VIEW_LIST, TABLE_CUT | OPT},
        {"", "uid", VIEW_NUMBER, CSV},
        {"", "gid", VIEW_NUMBER, CSV},
        {"", "connected_at", VIEW_NUMBER, CSV},
        {"", "everything", VIEW_TEXT, CSV},
        {"", "policy", VIEW_TEXT, CSV},
        {"", "paused", VIEW_TEXT, CSV},
        {"", "blocked", VIEW_TEXT, CSV},
        {"", "probation", VIEW_TEXT, CSV},
        {"", "in.bytes", VIEW_NUMBER, CSV},
        {"", "in.refused", VIEW_NUMBER, CSV},
        {"", "out.bytes", VIEW_NUMBER, CSV},
        {"", "out.routed", VIEW_NUMBER, CSV},
        {"", "out.queued_bytes", VIEW_NUMBER, CSV},
        {"", "out.dropped.drop_oldest", VIEW_NUMBER, CSV},
        {"", "out.dropped.drop_newest", VIEW_NUMBER, CSV},
        {"", "out.dropped.conflate", VIEW_NUMBER, CSV},
        {"", "out.dropped.disconnected", VIEW_NUMBER, CSV},
        {"", "out.dropped.untranslatable", VIEW_NUMBER, CSV},
        {"", "stalls.caused", VIEW_NUMBER, CSV},
        {"", "stalls.caused_ms", VIEW_NUMBER, CSV},
        {"", "stalls.suffered", VIEW_NUMBER, CSV},
        {"", "stalls.suffered_ms", VIEW_NUMBER, CSV},
};

const struct view view_clients = {
        .shape = VIEW_TABLE, .empty = "no clients", COLUMNS(clients_columns)};

static const struct view_column client_columns[] = {
        {"channel", "channel", VIEW_TEXT, 0},
        {"id", "id", VIEW_TEXT, 0},
        {"label", "label", VIEW_TEXT, 0},
        {"dialect", "dialect", VIEW_TEXT, 0},
        {"command", "command", VIEW_TEXT, 0},
        {"pid", "pid", VIEW_NUMBER, 0},
        {"user", "user", VIEW_TEXT, 0},
        {"uid", "uid", VIEW_NUMBER, 0},
        {"gid", "gid", VIEW_NUMBER, 0},
        {"connected", "connected_at", VIEW_TIME, 0},
        {"state", "", VIEW_STATE, 0},
        {"hears all", "everything", VIEW_TEXT, 0},
        {"patterns", "patterns", VIEW_LIST, 0},
        {"policy", "policy", VIEW_TEXT, 0},
        {"published", "in.messages", VIEW_NUMBER, 0},
        {"published bytes", "in.bytes", VIEW_NUMBER, 0},
        {"refused", "in.refused", VIEW_NUMBER, 0},
        {"routed to it", "out.routed", VIEW_NUMBER, 0},
        {"written", "out.written", VIEW_NUMBER, 0},
        {"written bytes", "out.bytes", VIEW_NUMBER, 0},
        {"queued", "out.queued", VIEW_NUMBER, 0},
        {"queued bytes", "out.queued_bytes", VIEW_NUMBER, 0},
        {"dropped", "out.dropped_total", VIEW_NUMBER, 0},
        {"  oldest", "out.dropped.drop_oldest", VIEW_NUMBER, 0},
        {"  newest", "out.dropped.drop_newest", VIEW_NUMBER, 0},
        {"  conflated", "out.dropped.conflate", VIEW_NUMBER, 0},
        {"  disconnected", "out.dropped.disconnected", VIEW_NUMBER, 0},
        {"  untranslatable", "out.dropped.untranslatable", VIEW_NUMBER, 0},
        {"stalls caused", "stalls.caused", VIEW_NUMBER, 0},
        {"  for", "stalls.caused_ms", VIEW_DURATION, 0},
        {"stalls suffered", "stalls.suffered", VIEW_NUMBER, 0},
        {"  for", "stalls.suffered_ms", VIEW_DURATION, 0},
};

const struct view view_client = {.shape = VIEW_RECORD, COLUMNS(client_columns)};

static const struct view_column rules_columns[] = {
        {"CHANNEL", "channel", VIEW_TEXT, 0},         {"REGEX", "regex", VIEW_TEXT, TABLE_CUT},
        {"REACHES", "reaches", VIEW_LIST, TABLE_CUT}, {"NET", "net", VIEW_TEXT, 0},
        {"WIDENS", "widens", VIEW_LIST, TABLE_CUT},
};

const struct view view_rules = {.shape = VIEW_TABLE, .empty = "no rules", COLUMNS(rules_columns)};

static const struct view_column slow_columns[] = {
        {"CHANNEL", "channel", VIEW_TEXT, 0},
        {"ID", "id", VIEW_ID, 0},
        {"PID", "pid", VIEW_NUMBER, NUM},
        {"USER", "user", VIEW_TEXT, TABLE_CUT},
        {"COMMAND", "command", VIEW_TEXT, TABLE_CUT},
        {"REASON", "reason", VIEW_TEXT, 0},
        {"QUEUED", "queued", VIEW_COUNT, NUM},
        {"DROPPED", "dropped_total", VIEW_COUNT, NUM},
        {"STALLS", "stalls", VIEW_COUNT, NUM},
        {"FOR", "stalled_ms", VIEW_DURATION, NUM},
        {"GONE", "gone", VIEW_TEXT, OPT},
        {"LAST", "last_at", VIEW_TIME, OPT},
        {"SINCE", "since_at", VIEW_TIME, OPT},
        {"QBYTES", "queued_bytes", VIEW_BYTES, NUM | OPT},
        {"LABEL", "label", VIEW_TEXT, TABLE_CUT | OPT},
        {"", "uid", VIEW_NUMBER, CSV},
};

const struct view view_slow = {
        .shape = VIEW_TABLE, .empty = "no slow clients", COLUMNS(slow_columns)};

static const struct view_column user_columns[] = {
        {"USER", "user", VIEW_TEXT, TABLE_CUT},
        {"UID", "uid", VIEW_NUMBER, NUM},
        {"CONNECTIONS", "connections", VIEW_NUMBER, NUM},
        {"BYTES", "bytes", VIEW_BYTES, NUM},
        {"SUBSCRIPTIONS", "subscriptions", VIEW_NUMBER, NUM},
        {"REFUSED", "refused", VIEW_NUMBER, NUM},
};

static const struct view view_users = {
        .shape = VIEW_TABLE, .empty = "no users", COLUMNS(user_columns)};

static const struct view_column stats_columns[] = {
        {"version", "version", VIEW_TEXT, 0},
        {"host", "host", VIEW_TEXT, 0},
        {"pid", "pid", VIEW_NUMBER, 0},
        {"uid", "uid", VIEW_NUMBER, 0},
        {"started", "started_at", VIEW_TIME, 0},
        {"up", "uptime_ms", VIEW_DURATION, 0},
        {"configuration", "config.file", VIEW_TEXT, 0},
        {"  format", "config.format", VIEW_TEXT, 0},
        {"  loaded", "config.loaded_at", VIEW_TIME, 0},
        {"  reloads", "config.reloads", VIEW_NUMBER, 0},
        {"  failed", "config.reload_errors", VIEW_NUMBER, 0},
        {"clients", "clients", VIEW_NUMBER, 0},
        {"  accepted", "connections.accepted", VIEW_NUMBER, 0},
        {"  refused", "connections.refused", VIEW_NUMBER, 0},
        {"  over quota", "connections.quota", VIEW_NUMBER, 0},
        {"  denied", "connections.denied", VIEW_NUMBER, 0},
        {"published", "totals.published", VIEW_NUMBER, 0},
        {"  bytes", "totals.published_bytes", VIEW_NUMBER, 0},
        {"  refused", "totals.refused", VIEW_NUMBER, 0},
        {"routed", "totals.flow.routed", VIEW_NUMBER, 0},
        {"  written", "totals.flow.written", VIEW_NUMBER, 0},
        {"  queued", "totals.flow.queued", VIEW_NUMBER, 0},
        {"  dropped", "totals.flow.dropped_total", VIEW_NUMBER, 0},
        {"bytes in", "totals.bytes_in", VIEW_NUMBER, 0},
        {"bytes out", "totals.bytes_out", VIEW_NUMBER, 0},
        {"memory queued", "memory.queued_bytes", VIEW_BYTES, 0},
        {"  in slabs", "memory.slab_bytes", VIEW_BYTES, 0},
        {"routes kept", "routes.entries", VIEW_NUMBER, 0},
        {"  hits", "routes.hits", VIEW_NUMBER, 0},
        {"  misses", "routes.misses", VIEW_NUMBER, 0},
        {"  evictions", "routes.evictions", VIEW_NUMBER, 0},
};

static const struct view_part stats_parts[] = {
        {"channels", &view_channels},
        {"users", &view_users},
        {0},
};

const struct view view_stats = {.shape = VIEW_RECORD, COLUMNS(stats_columns), .parts = stats_parts};

static const struct view_column trace_columns[] = {
        {"channel", "channel", VIEW_TEXT, 0},
        {"event", "event", VIEW_TEXT, 0},
        {"reaches", "channels", VIEW_LIST, 0},
};

static const struct view_column traced_columns[] = {
        {"CHANNEL", "channel", VIEW_TEXT, 0},
        {"ID", "id", VIEW_TEXT, 0},
};

static const struct view view_traced = {
        .shape = VIEW_TABLE, .empty = "no client would get it", COLUMNS(traced_columns)};

static const struct view_part trace_parts[] = {{"clients", &view_traced}, {0}};

const struct view view_trace = {.shape = VIEW_RECORD, COLUMNS(trace_columns), .parts = trace_parts};

static const struct view_column ids_columns[] = {{"ID", "id", VIEW_TEXT, 0}};

const struct view view_ids = {.shape = VIEW_NAMES, .empty = "no clients", COLUMNS(ids_columns)};

const struct view view_config = {.shape = VIEW_TREE};

static const struct view_column done_columns[] = {{"RESULT", "result", VIEW_TEXT, 0}};

const struct view view_done = {.shape = VIEW_WORD, COLUMNS(done_columns)};

static const struct view_column ping_columns[] = {
        {"server", "server", VIEW_TEXT, 0},
        {"host", "host", VIEW_TEXT, 0},
        {"channel", "channel", VIEW_TEXT, 0},
        {"socket", "socket", VIEW_TEXT, 0},
        {"round trip (ms)", "round_trip_ms", VIEW_NUMBER, 0},
};

const struct view view_ping = {.shape = VIEW_RECORD, COLUMNS(ping_columns)};

static const struct view_column settings_columns[] = {
        {"SETTING", "name", VIEW_TEXT, 0},
        {"VALUE", "value", VIEW_TEXT, 0},
        {"MEANING", "help", VIEW_TEXT, TABLE_CUT},
};

const struct view view_settings = {.shape = VIEW_TABLE, COLUMNS(settings_columns)};
