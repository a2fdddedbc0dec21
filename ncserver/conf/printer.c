/* printer.c - writes values in either format of a configuration
 *
 * What is written reads back as the same value in the same format: strings are escaped, and
 * integers beyond 32 bits carry the L that libconfig wants.
 */

#include "ncserver/conf/printer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libnc/base/buf.h"

static void put(struct printer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct printer *p, const char *fmt, ...)
{
	va_list args;

	if (p->err)
		return;
	va_start(args, fmt);
	p->err = buf_vprintf(p->out, fmt, args);
	va_end(args);
}

/* Says of one byte how either format writes it within quotes; NULL: as it is. */
static const char *escape(char c, bool json, char *tmp, size_t len)
{
	static const char plain[] = "\"\\\n\r\t\f";
	static const char *const written[] = {"\\\"", "\\\\", "\\n", "\\r", "\\t", "\\f"};
	const char *at = strchr(plain, c);

	if (at && c)
		return written[at - plain];
	if ((unsigned char)c >= 0x20 && c != 0x7f)
		return NULL;
	snprintf(tmp, len, json ? "\\u%04x" : "\\x%02x", (unsigned char)c);
	return tmp;
}

static void put_quoted(struct printer *p, const char *s)
{
	char tmp[8];

	put(p, "\"");
	while (*s) {
		size_t n = 0;
		const char *e = NULL;

		while (s[n] && !(e = escape(s[n], p->json, tmp, sizeof(tmp))))
			n++;
		if (n)
			put(p, "%.*s", (int)n, s);
		s += n;
		if (e) {
			put(p, "%s", e);
			s++;
		}
	}
	put(p, "\"");
}

static void indent(struct printer *p)
{
	for (unsigned i = 0; i < p->depth; i++)
		put(p, "\t");
}

/* JSON: the next value, or the end of what holds values, stands on a line of its own. */
static void new_line(struct printer *p)
{
	if (!p->lines)
		return;
	put(p, "\n");
	indent(p);
}

/* All that stands before a value. */
static void begin(struct printer *p, const char *key)
{
	if (p->json) {
		if (!p->first)
			put(p, ",");
		if (p->depth > 0)
			new_line(p);
		if (key) {
			put_quoted(p, key);
			put(p, p->lines ? ": " : ":");
		}
	} else if (key) {
		indent(p);
		put(p, "%s = ", key);
	} else {
		put(p, p->first ? " " : ", ");
	}
	p->first = false;
}

static void end(struct printer *p, const char *key)
{
	if (!p->json && key)
		put(p, ";\n");
}

void printer_open(struct printer *p, const char *key, enum printer_kind kind)
{
	static const char *const json[] = {"{", "[", "["};
	static const char *const libconfig[] = {"{\n", "[", "("};

	begin(p, key);
	put(p, "%s", p->json ? json[kind] : libconfig[kind]);
	p->first = true;
	p->depth++;
}

void printer_close(struct printer *p, const char *key, enum printer_kind kind)
{
	static const char *const json[] = {"}", "]", "]"};
	static const char *const libconfig[] = {"}", " ]", " )"};

	p->depth--;
	if (p->json && !p->first)
		new_line(p);
	if (!p->json && kind == PRINTER_GROUP)
		indent(p);
	put(p, "%s", p->json ? json[kind] : libconfig[kind]);
	p->first = false;
	end(p, key);
}

void printer_integer(struct printer *p, const char *key, uint64_t value)
{
	begin(p, key);
	put(p, "%" PRIu64 "%s", value, !p->json && value > INT32_MAX ? "L" : "");
	end(p, key);
}

void printer_bool(struct printer *p, const char *key, bool value)
{
	begin(p, key);
	put(p, "%s", value ? "true" : "false");
	end(p, key);
}

void printer_string(struct printer *p, const char *key, const char *value)
{
	begin(p, key);
	put_quoted(p, value);
	end(p, key);
}
