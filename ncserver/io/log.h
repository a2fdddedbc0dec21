/* log.h - lines of logfmt on standard error
 *
 * A line is a message and fields:
 *
 *	ts=2026-11-21T09:00:00.000Z level=warning msg="client refused" channel=A uid=1000
 *
 * Under journald, which knows the time, `ts` is left out and the level stands in front as "<4>".
 * The message is a string constant, and is the kind of the line: of each kind a number of lines is
 * written in a period, the others are counted and the count is told, so that nobody outside can
 * fill a disk. Lines that can't be written are lost, counted, and told when there is room again.
 * Nothing here waits or fails.
 */
#ifndef NC_IO_LOG_H
#define NC_IO_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "ncserver/io/sink.h"

/* Bytes of a line with its newline: what a pipe takes whole (PIPE_BUF), so that lines of several
 * processes do not mix. */
#define LOG_LINE_MAX 4096u
/* Kinds whose number of lines is kept; the one that was quiet for longest makes room. */
#define LOG_KINDS_MAX 64u
/* Lines of one kind in a period. */
#define LOG_BURST     20u
#define LOG_PERIOD_NS UINT64_C(10000000000)

/* The numbers are those of conf.h and of struct bus_env. */
enum log_level {
	LOG_LEVEL_ERROR = 0,
	LOG_LEVEL_WARNING = 1,
	LOG_LEVEL_INFO = 2,
	LOG_LEVEL_DEBUG = 3,
};

enum log_field_kind {
	LOG_FIELD_NONE = 0,
	LOG_FIELD_STR,
	LOG_FIELD_INT,
	LOG_FIELD_UINT,
};

struct log_field {
	const char *key; /* NULL: the end */
	enum log_field_kind kind;
	union {
		const char *str;
		int64_t num;
		uint64_t unum;
	} v;
};

struct log_kind {
	const char *msg; /* compared as a pointer; NULL: free */
	uint64_t since_ns;
	uint32_t n;          /* lines in this period */
	uint32_t suppressed; /* of them not written */
	int level;
};

struct log {
	struct sink sink;
	int level;
	bool is_journal;
	bool is_cut;      /* the last line was taken in part */
	uint64_t n_lost;  /* lines that could not be written, not yet told */
	uint64_t n_lines; /* written */
	struct log_kind kinds[LOG_KINDS_MAX];
};

/* Writes to `fd` (2). `journal_stream` is the environment's JOURNAL_STREAM or NULL. */
void log_init(struct log *l, int fd, int level, const char *journal_stream);

/* Tells what was suppressed, and closes what log_init() opened. */
void log_fini(struct log *l);

void log_set_level(struct log *l, int level);

/* The level of that name ("error", "warning", "info", "debug"), or -1. */
int log_level_of(const char *name);

/* Writes one line; `fields` ends with a field without key. */
void log_write(struct log *l, int level, const char *msg, const struct log_field *fields);

/* Writes one line whose text is free, and the string constant `kind` its kind. */
void log_vtext(struct log *l, int level, const char *kind, const char *fmt, va_list args)
        __attribute__((format(printf, 4, 0)));

/* Writes lines that a person has asked for, which no limit suppresses. */
void log_notice(struct log *l, int level, const char *msg, const struct log_field *fields);

static inline struct log_field log_str(const char *key, const char *str)
{
	return (struct log_field){.key = key, .kind = LOG_FIELD_STR, .v.str = str};
}

static inline struct log_field log_int(const char *key, int64_t num)
{
	return (struct log_field){.key = key, .kind = LOG_FIELD_INT, .v.num = num};
}

static inline struct log_field log_uint(const char *key, uint64_t num)
{
	return (struct log_field){.key = key, .kind = LOG_FIELD_UINT, .v.unum = num};
}

/* error="..." of a negative errno. */
struct log_field log_err(int err);

#define LOG_FIELDS(...)                                                                            \
	((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.key = (const char *)0}})

#define log_error(l, msg, ...)   log_write((l), LOG_LEVEL_ERROR, (msg), LOG_FIELDS(__VA_ARGS__))
#define log_warning(l, msg, ...) log_write((l), LOG_LEVEL_WARNING, (msg), LOG_FIELDS(__VA_ARGS__))
#define log_info(l, msg, ...)    log_write((l), LOG_LEVEL_INFO, (msg), LOG_FIELDS(__VA_ARGS__))
#define log_debug(l, msg, ...)   log_write((l), LOG_LEVEL_DEBUG, (msg), LOG_FIELDS(__VA_ARGS__))

#endif
