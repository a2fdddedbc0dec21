/* types_list.c - lists of names: hosts, peers and files
 *
 * The order stands as it was written, since the first may mean more than the others. What is there
 * twice is an error: one of the two is not what was meant.
 */

#include "ncserver/conf/types.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/conf/printer.h"

/* What is wrong with a name, in words, or NULL. */
typedef const char *check_fn(const char *s);

static const char *check_host(const char *s)
{
	return host_is_valid(s) ? NULL : "is no name of a host";
}

/* An address or a name, with a port or without; whether there is such a host is found out later. */
static const char *check_peer(const char *s)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                            "0123456789.-_:[]%";
	size_t len = strlen(s);

	if (!len || len > CONF_PEER_MAX || strspn(s, legal) != len)
		return "is no host, as \"10.0.0.7\", \"lab-2:4454\" or \"[fe80::1%eth0]:4454\"";
	return NULL;
}

static const char *check_file(const char *s)
{
	if (*s != '/')
		return "is not an absolute path";
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return "has a control character in it";
	return NULL;
}

static bool has(const struct conf_names *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->list[i], name))
			return true;
	return false;
}

static int read_entry(struct walk *w, const struct schema_key *k, const struct cnode *n,
                      struct conf_names *l)
{
	check_fn *check = k->type == &type_hosts   ? check_host
	                  : k->type == &type_peers ? check_peer
	                                           : check_file;
	const char *wrong;

	if (n->type != CNODE_STRING) {
		walk_error_type(w, n, "a string");
		return 0;
	}
	wrong = check(n->string);
	if (!wrong && has(l, n->string))
		wrong = "stands twice";
	if (wrong) {
		walk_error(w, n, "\"%s\" %s", n->string, wrong);
		return 0;
	}
	l->list[l->n] = strdup(n->string);
	return l->list[l->n++] ? 0 : -ENOMEM;
}

static int read_names(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	struct conf_names *l = at;
	int r = 0;

	if (n->type != CNODE_LIST) {
		walk_error_type(w, n, k->type->expects);
		return 0;
	}
	if (n->n > k->max) {
		walk_error(w, n, "%zu entries are too many: at most %llu", n->n,
		           (unsigned long long)k->max);
		return 0;
	}
	l->set = true;
	l->list = calloc(n->n + 1, sizeof(*l->list));
	if (!l->list)
		return -ENOMEM;
	for (const struct cnode *e = n->first; !r && e; e = e->next)
		r = read_entry(w, k, e, l);
	return r;
}

static void print_names(struct printer *p, const struct schema_key *k, const void *at)
{
	const struct conf_names *l = at;

	if (!l->set)
		return;
	printer_open(p, k->name, PRINTER_ARRAY);
	for (size_t i = 0; i < l->n; i++)
		printer_string(p, NULL, l->list[i]);
	printer_close(p, k->name, PRINTER_ARRAY);
}

static bool equal_names(const struct schema_key *k, const void *a, const void *b)
{
	const struct conf_names *x = a, *y = b;

	(void)k;
	if (x->set != y->set || x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->list[i], y->list[i]) != 0)
			return false;
	return true;
}

static void fini_names(const struct schema_key *k, void *at)
{
	struct conf_names *l = at;

	(void)k;
	for (size_t i = 0; i < l->n; i++)
		free(l->list[i]);
	free(l->list);
	*l = (struct conf_names){0};
}

#define NAMES .read = read_names, .print = print_names, .equal = equal_names, .fini = fini_names

const struct schema_type type_hosts = {NAMES, .expects = "a list of hosts such as [ \"lab-1\" ]"};
const struct schema_type type_peers = {
        NAMES,
        .expects = "a list of hosts such as [ \"10.0.0.7\", \"lab-2:4454\" ]",
};
const struct schema_type type_files = {
        NAMES,
        .expects = "a list of paths such as [ \"/etc/netcluster/a.key\" ]",
};

bool conf_channel_hears_host(const struct conf_channel *c, const char *host)
{
	return c->net != CONF_NET_OFF && (!c->net_from.set || has(&c->net_from, host));
}
