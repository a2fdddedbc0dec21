/* types_text.c - names, addresses, paths and regexes
 *
 * All are strings on the heap; NULL means that none was given, and that a default is put in by who
 * knows it, or that there is none.
 */

#include "ncserver/conf/types.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/conf/printer.h"
#include "ncserver/route/rules.h"

/* Replaces the string at `at`. */
static int set(void *at, char *s)
{
	char **p = at;

	if (!s)
		return -ENOMEM;
	free(*p);
	*p = s;
	return 0;
}

static bool is_string(struct walk *w, const struct schema_key *k, const struct cnode *n)
{
	if (n->type == CNODE_STRING)
		return true;
	walk_error_type(w, n, k->type->expects);
	return false;
}

static void print_string(struct printer *p, const struct schema_key *k, const void *at)
{
	const char *const *s = at;

	if (*s)
		printer_string(p, k->name, *s);
}

static bool equal_string(const struct schema_key *k, const void *a, const void *b)
{
	const char *const *s = a, *const *t = b;

	(void)k;
	return *s && *t ? !strcmp(*s, *t) : *s == *t;
}

static void fini_string(const struct schema_key *k, void *at)
{
	char **p = at;

	(void)k;
	free(*p);
	*p = NULL;
}

#define STRING .equal = equal_string, .fini = fini_string

bool host_is_valid(const char *s)
{
	static const char legal[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t len = strlen(s);

	return len && len <= NC_CHANNEL_MAX && strspn(s, legal) == len;
}

static int read_host(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	if (!is_string(w, k, n))
		return 0;
	if (host_is_valid(n->string))
		return set(at, strdup(n->string));
	walk_error(w, n, "\"%s\" is no name of a host: 1 to %u letters, digits, '-' and '_'",
	           n->string, NC_CHANNEL_MAX);
	return 0;
}

const struct schema_type type_host = {
        STRING,
        .expects = "a string",
        .read = read_host,
        .print = print_string,
};

static int read_addr(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	struct in6_addr six;
	struct in_addr a;

	if (!is_string(w, k, n))
		return 0;
	if ((inet_pton(AF_INET, n->string, &a) == 1 && IN_MULTICAST(ntohl(a.s_addr))) ||
	    (inet_pton(AF_INET6, n->string, &six) == 1 && IN6_IS_ADDR_MULTICAST(&six)))
		return set(at, strdup(n->string));
	walk_error(w, n,
	           "\"%s\" is no multicast address (224.0.0.0 to 239.255.255.255, or from ff00::)",
	           n->string);
	return 0;
}

const struct schema_type type_addr = {
        STRING,
        .expects = "a string",
        .read = read_addr,
        .print = print_string,
};

/* What is wrong with a path, in words, or NULL. */
static const char *path_check(const char *s)
{
	if (*s != '/')
		return "is not an absolute path";
	if (s[strlen(s) - 1] == '/')
		return "ends with a slash";
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return "has a control character in it";
	return NULL;
}

/* Whether there is such an interface is found out when sockets are opened. */
static int read_interface(struct walk *w, const struct schema_key *k, const struct cnode *n,
                          void *at)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                            "0123456789.-_:%/@";

	if (!is_string(w, k, n))
		return 0;
	if (*n->string && strlen(n->string) <= NC_CHANNEL_MAX &&
	    strspn(n->string, legal) == strlen(n->string))
		return set(at, strdup(n->string));
	walk_error(w, n,
	           "\"%s\" is no interface: a name such as \"eth0\", a prefix such as "
	           "\"10.0.0.0/24\", or an address",
	           n->string);
	return 0;
}

const struct schema_type type_interface = {
        STRING,
        .expects = "a string",
        .read = read_interface,
        .print = print_string,
};

static int read_file(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	const char *wrong;

	if (!is_string(w, k, n))
		return 0;
	wrong = path_check(n->string);
	if (!wrong)
		return set(at, strdup(n->string));
	walk_error(w, n, "\"%s\" %s", n->string, wrong);
	return 0;
}

const struct schema_type type_file = {
        STRING,
        .expects = "a path",
        .read = read_file,
        .print = print_string,
};

const char *template_check(const char *s)
{
	unsigned n = 0;

	for (const char *p = s; (p = strchr(p, '%')); p += 2) {
		if (p[1] == 's')
			n++;
		else if (p[1] != '%')
			return "has a '%' that is neither %s nor %%";
	}
	if (n != 1)
		return n ? "has more than one %s"
		         : "has no %s, which the channel's name is put for";
	return path_check(s);
}

char *template_expand(const char *template, const char *name)
{
	size_t room = strlen(template) + strlen(name) + 1, len = 0;
	char *out = malloc(room);

	if (!out)
		return NULL;
	for (const char *p = template; *p; p++) {
		if (p[0] == '%' && p[1] == 's') {
			len = (size_t)(stpcpy(out + len, name) - out);
			p++;
			continue;
		}
		p += p[0] == '%' && p[1] == '%';
		out[len++] = *p;
	}
	out[len] = 0;
	return out;
}

char *template_quote(const char *path)
{
	char *out = malloc(2 * strlen(path) + 1), *to = out;

	if (!out)
		return NULL;
	for (; *path; path++) {
		if (*path == '%')
			*to++ = '%';
		*to++ = *path;
	}
	*to = 0;
	return out;
}

static int read_template(struct walk *w, const struct schema_key *k, const struct cnode *n,
                         void *at)
{
	const char *wrong;

	if (!is_string(w, k, n))
		return 0;
	wrong = template_check(n->string);
	if (!wrong)
		return set(at, strdup(n->string));
	walk_error(w, n, "\"%s\" %s", n->string, wrong);
	return 0;
}

const struct schema_type type_template = {
        STRING,
        .expects = "a path with %s in it, such as \"/run/netcluster/%s.sock\"",
        .read = read_template,
        .print = print_string,
};

static int read_socket(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	const char *wrong;

	if (!is_string(w, k, n))
		return 0;
	wrong = path_check(n->string);
	if (!wrong && strstr(n->string, "%s"))
		wrong = "has a %s in it, which only the \"socket\" of the whole server may";
	if (!wrong)
		return set(at, strdup(n->string));
	walk_error(w, n, "\"%s\" %s", n->string, wrong);
	return 0;
}

/* Only where it is not what the template makes anyway. */
static void print_socket(struct printer *p, const struct schema_key *k, const void *at)
{
	char *usual = template_expand(p->conf->socket, p->channel->name);

	if (!usual)
		p->err = p->err ? p->err : -ENOMEM;
	else if (strcmp(usual, p->channel->socket))
		print_string(p, k, at);
	free(usual);
}

const struct schema_type type_socket = {
        STRING,
        .expects = "a path",
        .read = read_socket,
        .print = print_socket,
};

static int read_fifo(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	if (n->type != CNODE_BOOL) {
		walk_error_type(w, n, k->type->expects);
		return 0;
	}
	return n->boolean ? set(at, template_expand(w->conf->fifo, w->channel->name)) : 0;
}

static void print_fifo(struct printer *p, const struct schema_key *k, const void *at)
{
	const char *const *s = at;

	printer_bool(p, k->name, *s);
}

const struct schema_type type_fifo = {
        STRING,
        .expects = "true or false",
        .read = read_fifo,
        .print = print_fifo,
};

static int read_regex(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	struct rules_error err;
	int r;

	if (n->type == CNODE_BOOL && !n->boolean)
		return 0;
	if (!is_string(w, k, n))
		return 0;
	/* netcluster takes an empty one for false, where a regex would match all */
	if (!*n->string) {
		walk_warn(w, n, "an empty regex means no rule: write false, or \".*\" for all");
		return 0;
	}
	r = rules_check_regex(n->string, &err);
	if (r < 0)
		return r;
	if (!r)
		return set(at, strdup(n->string));
	walk_error(w, n, "bad regex at offset %zu: %s", err.offset, err.text);
	return 0;
}

static void print_regex(struct printer *p, const struct schema_key *k, const void *at)
{
	const char *const *s = at;

	if (*s)
		printer_string(p, k->name, *s);
	else
		printer_bool(p, k->name, false);
}

const struct schema_type type_regex = {
        STRING,
        .expects = "false, or a string with a regex of channel names, such as \"^log\"",
        .read = read_regex,
        .print = print_regex,
};
