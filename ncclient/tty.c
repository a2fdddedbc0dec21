/*
 * The terminal as a whole screen
 *
 * Plain termios and the control sequences of xterm, which every terminal emulator of today and the
 * Linux console understand; so top needs no library for the screen, and draws what it likes in one
 * write.
 */

#include "ncclient/tty.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* alternate screen, hidden cursor, no wrapping; and back */
static const char take_sequence[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
static const char give_sequence[] = "\033[0m\033[?7h\033[?25h\033[?1049l";

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* A process has one terminal. */
static struct termios saved;
static volatile sig_atomic_t is_taken;

static void put(const char *s, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, s, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		s += n;
		len -= (size_t)n;
	}
}

/* Only what a signal handler may call. */
void tty_give(void)
{
	if (!is_taken)
		return;
	is_taken = 0;
	put(give_sequence, sizeof(give_sequence) - 1);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
}

static void on_crash(int sig)
{
	tty_give();
	signal(sig, SIG_DFL);
	raise(sig);
}

int tty_take(void)
{
	struct termios raw;

	if (is_taken)
		return 0;
	if (tcgetattr(STDIN_FILENO, &saved))
		return -errno;
	raw = saved;
	/* signals stay: Ctrl-C and Ctrl-Z are caught where they come */
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_iflag &= (tcflag_t) ~(IXON | ICRNL);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw))
		return -errno;
	is_taken = 1;
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
		struct sigaction old;

		/* a sanitizer's own handler says more than ours */
		if (!sigaction(crashes[i], NULL, &old) && old.sa_handler == SIG_DFL)
			signal(crashes[i], on_crash);
	}
	put(take_sequence, sizeof(take_sequence) - 1);
	return 0;
}

void tty_size(size_t *rows, size_t *columns)
{
	struct winsize ws = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) || !ws.ws_row || !ws.ws_col) {
		*rows = 24;
		*columns = 80;
		return;
	}
	*rows = ws.ws_row;
	*columns = ws.ws_col;
}

static const struct {
	const char *bytes; /* behind ESC */
	int key;
} sequences[] = {
        {"[A", KEY_UP},    {"[B", KEY_DOWN}, {"[C", KEY_RIGHT},    {"[D", KEY_LEFT},
        {"OA", KEY_UP},    {"OB", KEY_DOWN}, {"OC", KEY_RIGHT},    {"OD", KEY_LEFT},
        {"[H", KEY_HOME},  {"[F", KEY_END},  {"OH", KEY_HOME},     {"OF", KEY_END},
        {"[1~", KEY_HOME}, {"[4~", KEY_END}, {"[5~", KEY_PAGE_UP}, {"[6~", KEY_PAGE_DOWN},
};

/* Length of a control sequence that is not known: up to its final byte. */
static size_t skip_sequence(const char *p, size_t len)
{
	size_t i = 2;

	if (len < 2 || (p[1] != '[' && p[1] != 'O'))
		return 1;
	while (i < len && (p[i] < 0x40 || p[i] > 0x7e))
		i++;
	return i < len ? i + 1 : len;
}

size_t tty_read_key(const char *p, size_t len, int *key)
{
	if (*p != '\033') {
		*key = (unsigned char)*p;
		return 1;
	}
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		size_t n = strlen(sequences[i].bytes);

		if (len < n + 1 || memcmp(p + 1, sequences[i].bytes, n))
			continue;
		*key = sequences[i].key;
		return n + 1;
	}
	*key = len == 1 ? KEY_ESCAPE : KEY_NONE;
	return skip_sequence(p, len);
}
