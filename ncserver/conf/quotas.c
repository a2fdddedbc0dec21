/* quotas.c - the quotas of a configuration, as types of values
 *
 * One for everybody, and a list of what is different for some users, sorted by uid, each once.
 */

#include "ncserver/conf/groups.h"

#include <errno.h>
#include <stdlib.h>

#include "ncserver/conf/printer.h"

static int read_quota(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	if (n->type == CNODE_GROUP)
		return schema_read(w, &schema_quota, n, at);
	walk_error_type(w, n, k->type->expects);
	return 0;
}

static void print_quota(struct printer *p, const struct schema_key *k, const void *at)
{
	printer_open(p, k->name, PRINTER_GROUP);
	schema_print(p, &schema_quota, at);
	printer_close(p, k->name, PRINTER_GROUP);
}

static bool equal_quota(const struct schema_key *k, const void *a, const void *b)
{
	(void)k;
	return schema_equal(&schema_quota, a, b);
}

static void preset_quota(const struct schema_key *k, void *at)
{
	(void)k;
	schema_preset(&schema_quota, at);
}

const struct schema_type type_quota = {
        .expects = "a group such as { connections = 100; }",
        .read = read_quota,
        .print = print_quota,
        .equal = equal_quota,
        .preset = preset_quota,
};

static int compare_overrides(const void *a, const void *b)
{
	const struct conf_quota_override *x = a, *y = b;

	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static bool is_known(const struct conf *c, uid_t uid)
{
	for (size_t i = 0; i < c->n_overrides; i++)
		if (c->overrides[i].uid == uid)
			return true;
	return false;
}

/* Reads one entry behind those that are there. What it does not say is as for everybody. */
static int read_override(struct walk *w, const struct cnode *n)
{
	struct conf *c = w->conf;
	struct conf_quota_override o = {.uid = (uid_t)-1, .quota = c->quota};
	int r;

	if (n->type != CNODE_GROUP) {
		walk_error_type(w, n, "a group such as { user = \"alice\"; connections = 5; }");
		return 0;
	}
	r = schema_read(w, &schema_override, n, &o);
	if (r)
		return r;
	if (!cnode_get(n, "user"))
		walk_error(w, n, "an entry of \"quotas\" wants a \"user\"");
	else if (o.uid != (uid_t)-1 && is_known(c, o.uid))
		walk_error(w, n, "uid %u stands twice", (unsigned)o.uid);
	else
		c->overrides[c->n_overrides++] = o;
	return 0;
}

static int read_quotas(struct walk *w, const struct schema_key *k, const struct cnode *n, void *at)
{
	struct conf *c = CONF_OF(at, overrides);
	int r = 0;

	if (n->type != CNODE_LIST) {
		walk_error_type(w, n, k->type->expects);
		return 0;
	}
	if (n->n > CONF_LIST_MAX) {
		walk_error(w, n, "%zu entries are too many: at most %u", n->n, CONF_LIST_MAX);
		return 0;
	}
	c->overrides = calloc(n->n + 1, sizeof(*c->overrides));
	if (!c->overrides)
		return -ENOMEM;
	for (const struct cnode *e = n->first; !r && e; e = e->next)
		r = read_override(w, e);
	qsort(c->overrides, c->n_overrides, sizeof(*c->overrides), compare_overrides);
	return r;
}

static void print_quotas(struct printer *p, const struct schema_key *k, const void *at)
{
	const struct conf *c = CONF_OF_CONST(at, overrides);

	printer_open(p, k->name, PRINTER_LIST);
	for (size_t i = 0; i < c->n_overrides; i++) {
		printer_open(p, NULL, PRINTER_GROUP);
		schema_print(p, &schema_override, &c->overrides[i]);
		printer_close(p, NULL, PRINTER_GROUP);
	}
	printer_close(p, k->name, PRINTER_LIST);
}

static bool equal_quotas(const struct schema_key *k, const void *a, const void *b)
{
	const struct conf *x = CONF_OF_CONST(a, overrides), *y = CONF_OF_CONST(b, overrides);

	(void)k;
	if (x->n_overrides != y->n_overrides)
		return false;
	for (size_t i = 0; i < x->n_overrides; i++)
		if (!schema_equal(&schema_override, &x->overrides[i], &y->overrides[i]))
			return false;
	return true;
}

static void fini_quotas(const struct schema_key *k, void *at)
{
	(void)k;
	free(CONF_OF(at, overrides)->overrides);
}

const struct schema_type type_quotas = {
        .expects = "a list of groups such as { user = \"alice\"; connections = 5; }",
        .read = read_quotas,
        .print = print_quotas,
        .equal = equal_quotas,
        .fini = fini_quotas,
};
