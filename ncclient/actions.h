/*
 * What the commands do
 */
#ifndef NC_NCCLIENT_ACTIONS_H
#define NC_NCCLIENT_ACTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "ncclient/status.h"

struct options;
struct session;
struct value;

/* ---- questions, each of which prints the server's answer */

enum status ask_simple(struct session *s, const char *event);
enum status ask_reload(struct session *s, const char *path);
enum status ask_channel(struct session *s, const char *channel);
enum status ask_client(struct session *s, const char *channel, const char *id);
enum status ask_clients(struct session *s, const char *channel);
enum status ask_trace(struct session *s, const char *channel, const char *event);

/* The network: a key file that the server is to read, a key by its id, and whether it works. */
enum status ask_key_file(struct session *s, const char *path);
enum status ask_key(struct session *s, const char *event, const char *id, bool force);
enum status ask_probe(struct session *s);

/* Says whether the server answers on a channel, and after what time. */
enum status ask_ping(struct session *s, const char *channel);

/* ---- events */

/* Emits one event. DATA NULL: an event without data. */
enum status emit_value(struct session *s, const char *channel, const char *event,
                       const struct value *data);

/* emit in the shell: the words CHANNEL EVENT [DATA], and the options. */
enum status emit_words(struct session *s, const struct options *o);

struct listen_options {
	uint64_t count;    /* 0: no end */
	uint64_t limit_ms; /* 0: no end */
	bool raw;
	bool reliable;
	bool no_reconnect;
};

/* Prints what is heard until the end that is wanted, or a signal. */
enum status listen_run(struct session *s, const char *channel, const char *pattern,
                       const struct listen_options *options);

/* Prints what is heard while others wait, and ends that. CHANNEL NULL: all. */
enum status watch_start(struct session *s, const char *channel, const char *pattern);
enum status watch_end(struct session *s, const char *channel);

/* Prints the events "log" of the channel control while others wait, for as long as the session
 * lasts: what servers and tools report. */
enum status watch_log(struct session *s);

/* ---- the rest */

enum status top_run(struct session *s, const struct options *o);

/* set(): both NULL prints all settings, VALUE NULL one. */
enum status settings_run(struct session *s, const char *name, const char *value);

/* Names of settings, and of the values of one; NULL behind the last. */
const char *settings_name(unsigned i);
const char *settings_value_name(const char *setting, unsigned i);

#endif
