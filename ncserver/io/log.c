/* log.c - lines of logfmt on standard error
 *
 * A line is put together in a fixed buffer, cut where it is too long, and handed to the sink in one
 * piece. Values come from peers too (the name of a command, a path, the text of an error): whatever
 * is not printable UTF-8 is written as \xNN, so that a line is a line and a terminal stays sane.
 */
#include "ncserver/io/log.h"

#include "libnc/base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Kept free at the end of a line for the mark that it was cut, a quote and the newline. */
#define LOG_TAIL_LEN 8u

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const char *const level_prefix[] = {"<3>", "<4>", "<6>", "<7>"};

struct line {
	char text[LOG_LINE_MAX];
	size_t len;
	bool is_full;
};

static void line_put(struct line *ln, const char *p, size_t len)
{
	if (ln->is_full || ln->len + len > sizeof(ln->text) - LOG_TAIL_LEN) {
		ln->is_full = true;
		return;
	}
	memcpy(ln->text + ln->len, p, len);
	ln->len += len;
}

static void line_puts(struct line *ln, const char *s)
{
	line_put(ln, s, strlen(s));
}

static bool is_plain(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s <= ' ' || *s == '"' || *s == '=' || *s == '\\' || *s > '~')
			return false;
	}
	return true;
}

/* One character of a quoted value; returns its length in bytes. */
static size_t line_put_escaped(struct line *ln, const char *s, size_t len)
{
	uint32_t c;
	size_t n = utf8_decode(s, len, &c);
	char hex[8];

	if (n > 0 && c >= ' ' && c != 0x7f && !(c >= 0x80 && c < 0xa0) && c != '"' && c != '\\') {
		line_put(ln, s, n);
		return n;
	}
	if (n == 1 && (c == '"' || c == '\\'))
		snprintf(hex, sizeof(hex), "\\%c", (char)c);
	else if (n == 1 && c == '\n')
		snprintf(hex, sizeof(hex), "\\n");
	else
		snprintf(hex, sizeof(hex), "\\x%02x", (unsigned char)*s);
	line_puts(ln, hex);
	return 1;
}

static void line_value(struct line *ln, const char *s)
{
	size_t len = strlen(s), i = 0;

	if (is_plain(s) && ln->len + len <= sizeof(ln->text) - LOG_TAIL_LEN) {
		line_put(ln, s, len);
		return;
	}
	line_puts(ln, "\"");
	while (i < len && !ln->is_full)
		i += line_put_escaped(ln, s + i, len - i);
	if (ln->is_full) {
		memcpy(ln->text + ln->len, "...", 3);
		ln->len += 3;
	}
	/* Within LOG_TAIL_LEN. */
	ln->text[ln->len++] = '"';
}

static void line_field(struct line *ln, const struct log_field *f)
{
	char num[32];

	if (ln->is_full)
		return;
	line_puts(ln, " ");
	line_puts(ln, f->key);
	line_puts(ln, "=");
	if (ln->is_full)
		return;
	switch (f->kind) {
	case LOG_FIELD_NONE: break;
	case LOG_FIELD_STR: line_value(ln, f->v.str ? f->v.str : ""); break;
	case LOG_FIELD_INT:
		snprintf(num, sizeof(num), "%" PRId64, f->v.num);
		line_puts(ln, num);
		break;
	case LOG_FIELD_UINT:
		snprintf(num, sizeof(num), "%" PRIu64, f->v.unum);
		line_puts(ln, num);
		break;
	}
}

static void line_begin(const struct log *l, struct line *ln, int level)
{
	struct timespec ts;
	struct tm tm;
	char text[64];

	ln->len = 0;
	ln->is_full = false;
	if (l->is_cut)
		line_puts(ln, "\n");
	if (l->is_journal) {
		line_puts(ln, level_prefix[level]);
	} else {
		clock_gettime(CLOCK_REALTIME, &ts);
		gmtime_r(&ts.tv_sec, &tm);
		strftime(text, sizeof(text), "ts=%Y-%m-%dT%H:%M:%S", &tm);
		line_puts(ln, text);
		snprintf(text, sizeof(text), ".%03ldZ ", ts.tv_nsec / 1000000);
		line_puts(ln, text);
	}
	line_puts(ln, "level=");
	line_puts(ln, level_names[level]);
}

static void line_end(struct log *l, struct line *ln)
{
	ssize_t n;

	ln->text[ln->len++] = '\n';
	n = sink_write(&l->sink, ln->text, ln->len);
	if (n == (ssize_t)ln->len) {
		l->is_cut = false;
		l->n_lines++;
		return;
	}
	l->is_cut = l->is_cut || n > 0;
	l->n_lost++;
}

static void emit(struct log *l, int level, const char *msg, const struct log_field *fields)
{
	struct line ln;
	struct log_field f;

	if (l->n_lost > 0) {
		uint64_t n_lost = l->n_lost;

		line_begin(l, &ln, LOG_LEVEL_WARNING);
		f = log_uint("lost", n_lost);
		line_puts(&ln, " msg=\"log lines could not be written\"");
		line_field(&ln, &f);
		line_end(l, &ln);
		/* Still no room: that line itself is not one more that is lost. */
		l->n_lost = l->n_lost > n_lost ? n_lost : 0;
	}
	line_begin(l, &ln, level);
	f = log_str("msg", msg);
	line_field(&ln, &f);
	for (; fields && fields->key; fields++)
		line_field(&ln, fields);
	line_end(l, &ln);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void tell_suppressed(struct log *l, struct log_kind *k)
{
	uint32_t n = k->suppressed;

	k->suppressed = 0;
	if (n == 0)
		return;
	emit(l, k->level, "lines suppressed", LOG_FIELDS(log_str("of", k->msg), log_uint("n", n)));
}

static struct log_kind *kind_of(struct log *l, const char *msg, uint64_t now)
{
	struct log_kind *oldest = &l->kinds[0];

	for (unsigned i = 0; i < LOG_KINDS_MAX; i++) {
		struct log_kind *k = &l->kinds[i];

		if (k->msg && now - k->since_ns >= LOG_PERIOD_NS)
			tell_suppressed(l, k);
		if (k->msg == msg)
			return k;
		if (!oldest->msg)
			continue;
		if (!k->msg || k->since_ns < oldest->since_ns)
			oldest = k;
	}
	tell_suppressed(l, oldest);
	*oldest = (struct log_kind){.msg = msg, .since_ns = now};
	return oldest;
}

/* Whether one more line of this kind may be written. */
static bool admit(struct log *l, int level, const char *kind)
{
	uint64_t now = now_ns();
	struct log_kind *k = kind_of(l, kind, now);

	if (now - k->since_ns >= LOG_PERIOD_NS) {
		k->since_ns = now;
		k->n = 0;
	}
	k->level = level;
	if (k->n < LOG_BURST) {
		k->n++;
		return true;
	}
	k->suppressed++;
	return false;
}

static bool is_journal(int fd, const char *stream)
{
	struct stat st;
	uintmax_t dev, ino;

	if (!stream || sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &dev, &ino) != 2)
		return false;
	return fstat(fd, &st) == 0 && st.st_dev == (dev_t)dev && st.st_ino == (ino_t)ino;
}

void log_init(struct log *l, int fd, int level, const char *journal_stream)
{
	memset(l, 0, sizeof(*l));
	sink_init(&l->sink, fd);
	l->level = level;
	l->is_journal = is_journal(fd, journal_stream);
}

void log_fini(struct log *l)
{
	for (unsigned i = 0; i < LOG_KINDS_MAX; i++) {
		if (l->kinds[i].msg)
			tell_suppressed(l, &l->kinds[i]);
	}
	sink_fini(&l->sink);
}

void log_set_level(struct log *l, int level)
{
	l->level = level;
}

int log_level_of(const char *name)
{
	for (int i = 0; i < (int)(sizeof(level_names) / sizeof(level_names[0])); i++) {
		if (strcmp(name, level_names[i]) == 0)
			return i;
	}
	return -1;
}

void log_write(struct log *l, int level, const char *msg, const struct log_field *fields)
{
	if (level <= l->level && admit(l, level, msg))
		emit(l, level, msg, fields);
}

void log_notice(struct log *l, int level, const char *msg, const struct log_field *fields)
{
	if (level <= l->level)
		emit(l, level, msg, fields);
}

void log_vtext(struct log *l, int level, const char *kind, const char *fmt, va_list args)
{
	char text[LOG_LINE_MAX];

	if (level > l->level || !admit(l, level, kind))
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	emit(l, level, text, NULL);
}

struct log_field log_err(int err)
{
	return log_str("error", strerror(-err));
}
