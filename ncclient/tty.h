/*
 * The terminal as a whole screen
 *
 * While it is taken, keys come unbuffered and are not echoed, the cursor is hidden, and the
 * alternate screen is shown. However the program ends, the terminal is given back: a crash does so,
 * too.
 */
#ifndef NC_NCCLIENT_TTY_H
#define NC_NCCLIENT_TTY_H

#include <stddef.h>

/* Takes the terminal of standard input and output. Returns 0 or -errno. */
int tty_take(void);

/* Gives it back; may be called where it is not taken. */
void tty_give(void);

/* Its size, 24 by 80 where it does not say. */
void tty_size(size_t *rows, size_t *columns);

/* Keys that are no characters. */
enum tty_key {
	KEY_NONE = 0, /* more bytes are needed, or it was none we know */
	KEY_UP = 0x100,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_HOME,
	KEY_END,
	KEY_ESCAPE,
};

/*
 * Takes one key off the LEN bytes at P: a character, or a tty_key.
 *
 * Returns how many bytes it took, at least 1.
 */
size_t tty_read_key(const char *p, size_t len, int *key);

#endif
