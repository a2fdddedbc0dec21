/* suite.h - what a conforming bus does, as a table
 *
 * Each behaviour is a sentence and a test, which runs once for every kind of client, or for every
 * pair of a sending and a receiving kind, that it is about; each time with a server of its own. The
 * files of this folder hold the behaviours by theme; main.c runs them.
 */
#ifndef NC_T_CONFORMANCE_SUITE_H
#define NC_T_CONFORMANCE_SUITE_H

#include <stddef.h>

#include "t/helpers/world.h"

/* The kinds that a run of a behaviour is about. */
struct kinds {
	enum kind from; /* who emits, or the only kind */
	enum kind to;   /* who hears */
};

enum over {
	ONCE,  /* the test chooses its kinds itself */
	EACH,  /* one kind at a time */
	PAIRS, /* every sender with every receiver */
};

struct behaviour {
	const char *says;
	enum over over;
	void (*test)(struct world *w, struct kinds k);
	const char *config; /* NULL: suite_plain_config */
};

/* Ends a test that cannot be run here, which is said aloud. */
void suite_skip(const char *why);

/* Channels A, B and C without rules. */
extern const char suite_plain_config[];

struct theme {
	const char *name;
	const struct behaviour *list;
	size_t n;
};

extern const struct theme delivery_theme;
extern const struct theme propagation_theme;
extern const struct theme pattern_theme;
extern const struct theme payload_theme;
extern const struct theme packet_theme;
extern const struct theme accounting_theme;
extern const struct theme sender_theme;
extern const struct theme rights_theme;
extern const struct theme connection_theme;
extern const struct theme control_theme;
extern const struct theme handler_theme;
extern const struct theme hostile_json_theme;
extern const struct theme hostile_native_theme;
extern const struct theme reload_theme;
extern const struct theme restart_theme;
extern const struct theme flood_theme;
extern const struct theme fault_theme;

#endif
