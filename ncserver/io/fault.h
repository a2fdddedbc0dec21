/* fault.h - why something that an administrator asked for can't be done
 *
 * A text for a person, that names the file and the reason, and the exit status that the daemon
 * leaves with where this happens at its start.
 */
#ifndef NC_IO_FAULT_H
#define NC_IO_FAULT_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>

/* Another server is there: it may be gone later. */
#define FAULT_EXIT_BUSY EX_TEMPFAIL

struct fault {
	int exit_code; /* of sysexits.h */
	char text[1024];
};

/* Fills in `f` and returns 1. */
static inline int __attribute__((format(printf, 3, 4)))
fault_set(struct fault *f, int exit_code, const char *fmt, ...)
{
	va_list args;

	f->exit_code = exit_code;
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
	return 1;
}

/* The exit status for an errno that came from making a file. */
static inline int fault_exit_of(int err)
{
	switch (err < 0 ? -err : err) {
	case EACCES:
	case EPERM:
	case EROFS: return EX_NOPERM;
	case ENOMEM:
	case EMFILE:
	case ENFILE: return EX_OSERR;
	default: return EX_CANTCREAT;
	}
}

#endif
