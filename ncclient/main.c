/*
 * ncclient: looks into a running ncserver, and speaks on its channels
 */

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <netcluster/nc.h>

#include "ncclient/option.h"
#include "ncclient/repl.h"
#include "ncclient/run.h"
#include "ncclient/session.h"

/* What is to be done, and by whom. */
static enum status run(struct session *s, const struct options *o)
{
	char error[OPTION_ERROR_LEN];

	if (o->version) {
		fprintf(s->out.f, "ncclient %s\n", nc_version());
		return STATUS_OK;
	}
	if (o->n_words)
		return run_words(s, o);
	if (o->help) {
		run_help(s, NULL);
		return STATUS_OK;
	}
	/* what functions take no argument for */
	if (options_check_scope(o, OPTION_SCRIPT | OPTION_LISTEN | OPTION_TOP, "a script", error)) {
		session_complain(s, "%s", error);
		return STATUS_USAGE;
	}
	if (o->n_scripts)
		return run_scripts(s, o);
	return isatty(STDIN_FILENO) ? repl_run(s, o) : run_stdin(s, o);
}

int main(int argc, char **argv)
{
	char error[OPTION_ERROR_LEN];
	struct session s;
	struct options o;
	enum status status;

	/* only this category: numbers are written as JSON and CSV have them */
	setlocale(LC_CTYPE, "");
	/* who stops reading ends us quietly, whatever our parent ignores */
	signal(SIGPIPE, SIG_DFL);
	session_init(&s, stdout, stderr);
	if (options_parse(&o, argc, argv, error)) {
		session_complain(&s, "%s; 'ncclient --help' lists the options", error);
		return STATUS_USAGE;
	}
	s.socket = o.socket;
	s.timeout_ms = o.timeout_ms;
	s.quiet = o.quiet;
	s.keep_going = o.keep_going;
	s.out.format = o.output;
	s.out.wide = o.wide;
	status = run(&s, &o);
	session_fini(&s);
	/* the same end whether it shows when something is printed or while nothing is */
	if (s.hung_up)
		raise(SIGPIPE);
	if (fflush(stdout) || ferror(stdout)) {
		session_complain(&s, "cannot write: %s", strerror(errno));
		if (!status)
			status = STATUS_IO;
	}
	return (int)status;
}
