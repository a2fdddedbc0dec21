/*
 * The keys of top
 */
#ifndef NC_NCCLIENT_TOP_KEYS_H
#define NC_NCCLIENT_TOP_KEYS_H

#include <stdbool.h>

struct top_model;
struct top_screen;

/* Does what a key (a character, or a tty_key) says. Returns whether it says to leave. */
bool top_key(struct top_screen *s, const struct top_model *m, int key);

#endif
