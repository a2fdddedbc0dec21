/* main.c - ncserver, the message bus daemon: from the command line to the running server */
#include "config.h"

#include "libnc/base/buf.h"
#include "ncserver/conf/conf.h"
#include "ncserver/io/fault.h"
#include "ncserver/io/keyfile.h"
#include "ncserver/io/options.h"
#include "ncserver/io/process.h"
#include "ncserver/io/server.h"
#include "ncserver/io/source.h"

#include <stdio.h>
#include <string.h>

/* Far above what the largest configuration prints. */
#define PRINT_MAX (64u << 20)

static int print_conf(const struct conf *conf, enum options_action action)
{
	struct buf b;
	int err;

	buf_init(&b, PRINT_MAX);
	err = action == OPTIONS_PRINT_JSON ? conf_print_json_lines(&b, conf)
	                                   : conf_print_libconfig(&b, conf);
	if (err) {
		fprintf(stderr, "ncserver: %s\n", strerror(-err));
		buf_fini(&b);
		return EX_OSERR;
	}
	fwrite(b.data, 1, b.len, stdout);
	if (b.len > 0 && b.data[b.len - 1] != '\n')
		putchar('\n');
	buf_fini(&b);
	return 0;
}

/* --check-config and --print-config: reads as a start would, and starts nothing. */
static int look_at_conf(const struct options *opt)
{
	struct conf_problems problems = {0};
	struct conf *conf = NULL;
	struct source source;
	int err, status = 0;
	bool is_unreadable;

	source_init(&source, opt);
	err = source_read(&source, &conf, &problems);
	source_print_problems(stderr, &problems);
	is_unreadable = problems.is_unreadable;
	conf_problems_fini(&problems);
	if (err < 0) {
		fprintf(stderr, "ncserver: %s\n", strerror(-err));
		return EX_OSERR;
	}
	if (err > 0)
		return is_unreadable ? EX_NOINPUT : EX_CONFIG;
	if (opt->action == OPTIONS_CHECK)
		printf("%s: good, %zu channels\n", conf->file ? conf->file : "built-in default",
		       conf->n_channels);
	else
		status = print_conf(conf, opt->action);
	conf_free(conf);
	if (fflush(stdout) != 0 || ferror(stdout))
		status = EX_IOERR;
	return status;
}

static int make_key(const struct options *opt)
{
	struct fault fault;
	uint32_t id;

	if (keyfile_make(opt->file, opt->cipher, &id, &fault)) {
		fprintf(stderr, "ncserver: %s\n", fault.text);
		return fault.exit_code;
	}
	if (opt->file)
		printf("%s: key %08x, %s\n", opt->file, id, cipher_name(opt->cipher));
	return fflush(stdout) == 0 ? 0 : EX_IOERR;
}

static int serve(const struct options *opt)
{
	static struct server server;
	struct fault fault;
	int err = server_start(&server, opt, &fault);

	if (!err)
		server_run(&server);
	server_fini(&server);
	return err ? fault.exit_code : 0;
}

int main(int argc, char **argv)
{
	struct options opt;

	process_prepare();
	if (options_parse(&opt, argc, argv, stderr))
		return EX_USAGE;
	switch (opt.action) {
	case OPTIONS_HELP: options_help(stdout); return 0;
	case OPTIONS_VERSION: puts("ncserver " PACKAGE_VERSION); return 0;
	case OPTIONS_CHECK:
	case OPTIONS_PRINT_JSON:
	case OPTIONS_PRINT_LIBCONFIG: return look_at_conf(&opt);
	case OPTIONS_KEYGEN: return make_key(&opt);
	case OPTIONS_RUN: break;
	}
	return serve(&opt);
}
