/* printer.h - writes values in either format of a configuration
 *
 * JSON comes in one line, as it travels in answers, or with a line for each value, as
 * JSON.stringify() and ncclient show it; libconfig's format comes with a line for each value. The
 * first error sticks in `err`.
 */
#ifndef NC_SERVER_CONF_PRINTER_H
#define NC_SERVER_CONF_PRINTER_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct conf;
struct conf_channel;

struct printer {
	struct buf *out;
	bool json;
	bool lines; /* JSON: a line for each value */
	bool first; /* of what is open now */
	unsigned depth;
	int err;
	/* what types print only where it differs from */
	const struct conf *conf;
	const struct conf_channel *channel;
};

enum printer_kind {
	PRINTER_GROUP,
	PRINTER_ARRAY, /* of scalars */
	PRINTER_LIST,  /* of groups */
};

/* Opens and closes what holds values. `key` is the same for both, and NULL in an array or
 * list. libconfig's outermost
 * group, which has no braces, is not opened. */
void printer_open(struct printer *p, const char *key, enum printer_kind kind);
void printer_close(struct printer *p, const char *key, enum printer_kind kind);

void printer_integer(struct printer *p, const char *key, uint64_t value);
void printer_bool(struct printer *p, const char *key, bool value);
void printer_string(struct printer *p, const char *key, const char *value);

#endif
