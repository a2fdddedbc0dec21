/*
 * Signals, as something to poll for
 *
 * A handler sets a flag and writes a byte into a pipe; nothing else is safe there. Handlers are
 * installed without SA_RESTART, so that a write to a stuck pipe ends too.
 */

#include "ncclient/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP};

/* A process has one set of handlers, so this state is the process's. */
static int pipe_fds[2] = {-1, -1};
static volatile sig_atomic_t interrupted, ending, resized, stop_wanted;

static void on_signal(int sig)
{
	int saved = errno;
	ssize_t n;

	switch (sig) {
	case SIGINT: interrupted = 1; break;
	case SIGWINCH: resized = 1; break;
	case SIGTSTP: stop_wanted = 1; break;
	default: ending = sig; break;
	}
	/* a full pipe is readable already */
	n = write(pipe_fds[1], "", 1);
	(void)n;
	errno = saved;
}

static int install(int sig)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigemptyset(&action.sa_mask);
	return sigaction(sig, &action, NULL) ? -errno : 0;
}

int signals_catch(void)
{
	if (pipe_fds[0] >= 0)
		return 0;
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		struct sigaction old;
		int rc;

		/* what the parent wants ignored (nohup) stays so */
		if (!sigaction(caught[i], NULL, &old) && old.sa_handler == SIG_IGN)
			continue;
		rc = install(caught[i]);
		if (rc)
			return rc;
	}
	return 0;
}

int signals_fd(void)
{
	return pipe_fds[0];
}

int signals_ending(void)
{
	return ending ? ending : interrupted ? SIGINT : 0;
}

bool signals_resized(void)
{
	bool was = resized;

	resized = 0;
	return was;
}

bool signals_stop_wanted(void)
{
	bool was = stop_wanted;

	stop_wanted = 0;
	return was;
}

void signals_drain(void)
{
	char bytes[64];

	if (pipe_fds[0] < 0)
		return;
	while (read(pipe_fds[0], bytes, sizeof(bytes)) > 0)
		;
}

void signals_clear_interrupt(void)
{
	interrupted = 0;
}

void signals_stop(void)
{
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	install(SIGTSTP);
	resized = 1;
}
