/* options.c - the command line of ncserver */
#include "ncserver/io/options.h"

#include "ncserver/io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_CHECK = 256,
	OPT_PRINT,
	OPT_READY_FD,
	OPT_KEYGEN,
	OPT_CIPHER,
};

static const struct option long_options[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {"check-config", no_argument, NULL, OPT_CHECK},
        {"print-config", optional_argument, NULL, OPT_PRINT},
        {"socket", required_argument, NULL, 's'},
        {"log-level", required_argument, NULL, 'l'},
        {"ready-fd", required_argument, NULL, OPT_READY_FD},
        {"keygen", no_argument, NULL, OPT_KEYGEN},
        {"cipher", required_argument, NULL, OPT_CIPHER},
        {0},
};

void options_help(FILE *out)
{
	fputs("usage: ncserver [options] [FILE]\n"
	      "       ncserver --keygen [--cipher=NAME] [FILE]\n"
	      "\n"
	      "The netcluster message bus of this host. FILE is its configuration, in libconfig's\n"
	      "format or netcluster's JSON; without one the standard places are searched.\n"
	      "\n"
	      "  -h, --help                 show this text\n"
	      "  -V, --version              show the version\n"
	      "      --check-config         check the configuration, and exit with 0 or 78\n"
	      "      --print-config[=FORMAT]\n"
	      "                             print the whole configuration, as json (default) or\n"
	      "                             libconfig, and exit\n"
	      "  -s, --socket=TEMPLATE      paths of the sockets, %s standing for the channel;\n"
	      "                             instead of the configuration's\n"
	      "  -l, --log-level=LEVEL      error, warning, info or debug; instead of the\n"
	      "                             configuration's\n"
	      "      --ready-fd=FD          write a newline to this descriptor when all sockets\n"
	      "                             listen, and close it\n"
	      "      --keygen               make a key for hosts that are to be a group, write it\n"
	      "                             to FILE or standard output, and exit\n"
	      "      --cipher=NAME          aes-256-gcm (default), or chacha20-poly1305 for groups\n"
	      "                             with CPUs that have no AES instructions\n"
	      "\n"
	      "See ncserver(8), ncserver.conf(5) and nc-mesh-key(5).\n",
	      out);
}

static int parse_fd(const char *text)
{
	char *end;
	long fd = strtol(text, &end, 10);

	if (end == text || *end || fd < 0 || fd > INT_MAX || fcntl((int)fd, F_GETFD) < 0)
		return -1;
	return (int)fd;
}

static int parse_print(struct options *o, const char *format)
{
	if (!format || strcmp(format, "json") == 0)
		o->action = OPTIONS_PRINT_JSON;
	else if (strcmp(format, "libconfig") == 0)
		o->action = OPTIONS_PRINT_LIBCONFIG;
	else
		return -1;
	return 0;
}

static int parse_cipher(struct options *o, const char *name)
{
	return cipher_of_name(&o->cipher, name, strlen(name)) && o->cipher != CIPHER_NONE ? 0 : -1;
}

static int bad_value(FILE *err, const char *option, const char *value, const char *wanted)
{
	fprintf(err, "ncserver: %s %s: %s\n", option, value, wanted);
	return 1;
}

static int take_option(struct options *o, int c, const char *arg, FILE *err)
{
	switch (c) {
	case 'h': o->action = OPTIONS_HELP; return 0;
	case 'V': o->action = OPTIONS_VERSION; return 0;
	case OPT_CHECK: o->action = OPTIONS_CHECK; return 0;
	case OPT_PRINT:
		if (parse_print(o, arg) < 0)
			return bad_value(err, "--print-config", arg, "json or libconfig expected");
		return 0;
	case 's': o->socket = arg; return 0;
	case 'l':
		o->log_level = log_level_of(arg);
		if (o->log_level < 0)
			return bad_value(err, "--log-level", arg,
			                 "error, warning, info or debug expected");
		return 0;
	case OPT_READY_FD:
		o->ready_fd = parse_fd(arg);
		if (o->ready_fd < 0)
			return bad_value(err, "--ready-fd", arg, "not an open descriptor");
		return 0;
	case OPT_KEYGEN: o->action = OPTIONS_KEYGEN; return 0;
	case OPT_CIPHER:
		if (parse_cipher(o, arg) < 0)
			return bad_value(err, "--cipher", arg,
			                 "aes-256-gcm or chacha20-poly1305 expected");
		return 0;
	default: return 1;
	}
}

int options_parse(struct options *o, int argc, char **argv, FILE *err)
{
	int c;

	*o = (struct options){.log_level = -1, .ready_fd = -1};
	optind = 0; /* glibc: begin anew */
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":hVs:l:", long_options, NULL)) != -1) {
		if (c == '?' || c == ':') {
			fprintf(err, "ncserver: %s: %s\nTry ncserver --help.\n", argv[optind - 1],
			        c == ':' ? "a value is missing" : "unknown option");
			return 1;
		}
		if (take_option(o, c, optarg, err))
			return 1;
		if (o->action == OPTIONS_HELP || o->action == OPTIONS_VERSION)
			return 0;
	}
	if (argc - optind > 1) {
		fprintf(err, "ncserver: more than one %s file: %s, %s\n",
		        o->action == OPTIONS_KEYGEN ? "key" : "configuration", argv[optind],
		        argv[optind + 1]);
		return 1;
	}
	if (o->cipher != CIPHER_NONE && o->action != OPTIONS_KEYGEN) {
		fputs("ncserver: --cipher belongs to --keygen; a key file names its cipher\n", err);
		return 1;
	}
	if (o->cipher == CIPHER_NONE)
		o->cipher = CIPHER_DEFAULT;
	o->file = optind < argc ? argv[optind] : NULL;
	return 0;
}
