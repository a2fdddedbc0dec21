/* types_scalar.c - truth, numbers and words
 *
 * A number is kept in the smallest unit of its kind (bytes, milliseconds); it is written as an
 * integer of those, or as a string with a unit. A value beyond the limits is an error that names
 * the limit, never cut to it.
 */

#include "ncserver/conf/types.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/conf/printer.h"
#include "ncserver/conf/suggest.h"

static const struct schema_unit byte_units[] = {
        {"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}, {"B", 1}, {NULL, 0},
};

static const struct schema_unit ms_units[] = {
        {"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0},
};

static const struct schema_unit rate_units[] = {
        {"Gbit", 1000000000}, {"Mbit", 1000000}, {"kbit", 1000}, {"bit", 1}, {NULL, 0},
};

/* Numbers of all widths, as unsigned: the limits of the keys keep the sign away. */
static void store(const struct schema_type *t, void *at, uint64_t value)
{
	uint16_t v16 = (uint16_t)value;
	uint32_t v32 = (uint32_t)value;

	switch (t->width) {
	case sizeof(v16): memcpy(at, &v16, sizeof(v16)); break;
	case sizeof(v32): memcpy(at, &v32, sizeof(v32)); break;
	default: memcpy(at, &value, sizeof(value)); break;
	}
}

static uint64_t fetch(const struct schema_type *t, const void *at)
{
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	switch (t->width) {
	case sizeof(v16): memcpy(&v16, at, sizeof(v16)); return v16;
	case sizeof(v32): memcpy(&v32, at, sizeof(v32)); return v32;
	default: memcpy(&v64, at, sizeof(v64)); return v64;
	}
}

static bool equal_number(const struct schema_key *k, const void *a, const void *b)
{
	return fetch(k->type, a) == fetch(k->type, b);
}

static void preset_number(const struct schema_key *k, void *at)
{
	store(k->type, at, k->def);
}

/* Writes a value with the largest unit that divides it, for messages. */
static void show(const struct schema_type *t, uint64_t value, char *out, size_t len)
{
	const struct schema_unit *u = t->units;

	while (u && u->name && u->factor > 1 && (!value || value % u->factor))
		u++;
	if (!u || !u->name)
		snprintf(out, len, "%" PRIu64, value);
	else
		snprintf(out, len, "%" PRIu64 " %s", value / u->factor, u->name);
}

/* Reads "4 MiB". Returns false when it is none, or does not fit into 63 bits. */
static bool parse_with_unit(const struct schema_unit *u, const char *s, int64_t *out)
{
	unsigned long long value;
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	value = strtoull(s, &end, 10);
	if (errno)
		return false;
	end += *end == ' ';
	while (u->name && strcmp(u->name, end))
		u++;
	if (!u->name || value > INT64_MAX / u->factor)
		return false;
	*out = (int64_t)(value * u->factor);
	return true;
}

static int read_number(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	char limit[48], found[48];
	int64_t value = n->type == CNODE_INT ? n->integer : 0;

	if (n->type != CNODE_INT && (!k->type->units || n->type != CNODE_STRING ||
	                             !parse_with_unit(k->type->units, n->string, &value))) {
		walk_error_type(w, n, k->type->expects);
		return 0;
	}
	if (value >= 0 && (uint64_t)value >= k->min && (uint64_t)value <= k->max) {
		store(k->type, at, (uint64_t)value);
		return 0;
	}
	if (value < 0)
		snprintf(found, sizeof(found), "%" PRId64, value);
	else
		show(k->type, (uint64_t)value, found, sizeof(found));
	if (value < 0 || (uint64_t)value < k->min) {
		show(k->type, k->min, limit, sizeof(limit));
		walk_error(w, n, "%s is too little: at least %s", found, limit);
	} else {
		show(k->type, k->max, limit, sizeof(limit));
		walk_error(w, n, "%s is too much: at most %s", found, limit);
	}
	return 0;
}

static void print_number(struct printer *p, const struct schema_key *k, const void *at)
{
	printer_integer(p, k->name, fetch(k->type, at));
}

#define NUMBER                                                                                     \
	.read = read_number, .print = print_number, .equal = equal_number, .preset = preset_number

const struct schema_type type_uint16 = {NUMBER, .expects = "an integer", .width = sizeof(uint16_t)};
const struct schema_type type_uint32 = {NUMBER, .expects = "an integer", .width = sizeof(uint32_t)};
const struct schema_type type_bytes32 = {
        NUMBER,
        .expects = "an integer of bytes, or a string such as \"64 KiB\" (KiB, MiB, GiB)",
        .width = sizeof(uint32_t),
        .units = byte_units,
};
const struct schema_type type_bytes64 = {
        NUMBER,
        .expects = "an integer of bytes, or a string such as \"4 MiB\" (KiB, MiB, GiB)",
        .width = sizeof(uint64_t),
        .units = byte_units,
};
const struct schema_type type_ms = {
        NUMBER,
        .expects = "an integer of milliseconds, or a string such as \"500 ms\" or \"1 s\" (ms, s, "
                   "min, h)",
        .width = sizeof(uint32_t),
        .units = ms_units,
};
const struct schema_type type_rate = {
        NUMBER,
        .expects = "an integer of bits a second, or a string such as \"500 Mbit\" (kbit, Mbit, "
                   "Gbit)",
        .width = sizeof(uint64_t),
        .units = rate_units,
};

static int read_bool(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	if (n->type != CNODE_BOOL)
		walk_error_type(w, n, k->type->expects);
	else
		*(bool *)at = n->boolean;
	return 0;
}

static void print_bool(struct printer *p, const struct schema_key *k, const void *at)
{
	printer_bool(p, k->name, *(const bool *)at);
}

static bool equal_bool(const struct schema_key *k, const void *a, const void *b)
{
	(void)k;
	return *(const bool *)a == *(const bool *)b;
}

static void preset_bool(const struct schema_key *k, void *at)
{
	*(bool *)at = k->def;
}

const struct schema_type type_bool = {
        .expects = "true or false",
        .read = read_bool,
        .print = print_bool,
        .equal = equal_bool,
        .preset = preset_bool,
};

static void report_word(struct walk *w, const struct schema_key *k, const struct cnode *n)
{
	const struct schema_word *best = NULL;
	unsigned best_rank = SUGGEST_NONE;
	char all[160] = "";

	for (const struct schema_word *it = k->words; it->name; it++) {
		unsigned rank = suggest_rank(n->string, it->name);
		size_t len = strlen(all);

		if (rank < best_rank) {
			best = it;
			best_rank = rank;
		}
		snprintf(all + len, sizeof(all) - len, "%s\"%s\"", len ? ", " : "", it->name);
	}
	if (best)
		walk_error(w, n, "unknown value \"%s\"; did you mean \"%s\"?", n->string,
		           best->name);
	else
		walk_error(w, n, "unknown value \"%s\": one of %s", n->string, all);
}

static int read_word(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	if (n->type != CNODE_STRING) {
		walk_error_type(w, n, k->type->expects);
		return 0;
	}
	for (const struct schema_word *it = k->words; it->name; it++) {
		if (!strcmp(it->name, n->string)) {
			store(k->type, at, it->value);
			return 0;
		}
	}
	report_word(w, k, n);
	return 0;
}

static void print_word(struct printer *p, const struct schema_key *k, const void *at)
{
	const struct schema_word *it = k->words;
	uint64_t value = fetch(k->type, at);

	while (it->name && it->value != value)
		it++;
	assert(it->name);
	printer_string(p, k->name, it->name);
}

_Static_assert(sizeof(enum frame_policy) == sizeof(uint32_t), "a word is stored as 32 bits");
_Static_assert(sizeof(enum conf_net) == sizeof(uint32_t), "a word is stored as 32 bits");

const struct schema_type type_word = {
        .expects = "a string",
        .width = sizeof(uint32_t),
        .read = read_word,
        .print = print_word,
        .equal = equal_number,
        .preset = preset_number,
};

static int read_net(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	if (n->type != CNODE_BOOL)
		return read_word(w, k, n, at);
	store(k->type, at, n->boolean ? CONF_NET_RELIABLE : CONF_NET_OFF);
	return 0;
}

static void print_net(struct printer *p, const struct schema_key *k, const void *at)
{
	uint64_t value = fetch(k->type, at);

	/* as netcluster writes it, wherever netcluster has a word for it */
	if (value == CONF_NET_BEST_EFFORT)
		print_word(p, k, at);
	else
		printer_bool(p, k->name, value == CONF_NET_RELIABLE);
}

const struct schema_type type_net = {
        .expects = "true, false, \"reliable\" or \"best-effort\"",
        .width = sizeof(uint32_t),
        .read = read_net,
        .print = print_net,
        .equal = equal_number,
        .preset = preset_number,
};

static int read_mode(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	unsigned long value;
	char *end;

	if (n->type != CNODE_STRING) {
		walk_error_type(w, n, k->type->expects);
		return 0;
	}
	value = strtoul(n->string, &end, 8);
	if (!*n->string || n->string[strspn(n->string, "01234567")] || value > k->max) {
		walk_error(w, n, "\"%s\" is no octal mode from \"0000\" to \"0777\"", n->string);
		return 0;
	}
	*(mode_t *)at = (mode_t)value;
	return 0;
}

static void print_mode(struct printer *p, const struct schema_key *k, const void *at)
{
	char text[16];

	snprintf(text, sizeof(text), "%04o", (unsigned)*(const mode_t *)at);
	printer_string(p, k->name, text);
}

const struct schema_type type_mode = {
        .expects = "an octal string such as \"0660\"",
        .width = sizeof(mode_t),
        .read = read_mode,
        .print = print_mode,
        .equal = equal_number,
        .preset = preset_number,
};
