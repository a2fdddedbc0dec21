/* cnode_libconfig.c - reads a configuration in libconfig's format
 *
 * libconfig parses the text that lctext has made ready, and what it found is copied onto the tree,
 * with lines and files as they were before. It is given no file to open.
 */

#include "ncserver/conf/cnode.h"

#include <errno.h>
#include <string.h>

#include <libconfig.h>

#include "libnc/base/utf8.h"
#include "ncserver/conf/lctext.h"
#include "ncserver/conf/problem.h"

struct reader {
	struct cnode_tree *tree;
	const struct lctext *text;
	struct conf_problems *problems;
	const char *last_from; /* the name of a file, and its copy in the tree */
	const char *last_copy;
	bool bad;
};

/* The name in the tree's memory: the text that owns it goes before the tree. */
static const char *keep_name(struct reader *r, const char *name)
{
	if (r->last_from != name) {
		r->last_from = name;
		r->last_copy = cnode_strdup(r->tree, name, strlen(name));
	}
	return r->last_copy;
}

static int read_string(struct reader *r, struct cnode *n, const config_setting_t *s)
{
	const char *string = config_setting_get_string(s);
	size_t len = strlen(string);

	/* \xHH can make anything of what was UTF-8 */
	if (!utf8_valid(string, len)) {
		problems_add(r->problems, false, n->file, n->line, "a string that is not UTF-8");
		r->bad = true;
		string = "";
		len = 0;
	}
	n->type = CNODE_STRING;
	n->string = cnode_strdup(r->tree, string, len);
	return n->string ? 0 : -ENOMEM;
}

static int read_scalar(struct reader *r, struct cnode *n, const config_setting_t *s)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_STRING: return read_string(r, n, s);
	case CONFIG_TYPE_BOOL:
		n->type = CNODE_BOOL;
		n->boolean = config_setting_get_bool(s);
		return 0;
	case CONFIG_TYPE_FLOAT:
		n->type = CNODE_DOUBLE;
		n->number = config_setting_get_float(s);
		return 0;
	default:
		n->type = CNODE_INT;
		n->integer = config_setting_get_int64(s);
		return 0;
	}
}

/* Adds a setting and all that is in it. Recursion is as deep as lctext lets a text be. */
static int read_setting(struct reader *r, struct cnode *parent, const config_setting_t *s)
{
	const char *key = config_setting_name(s), *file;
	struct cnode *n;
	int e;

	if (key && parent) {
		key = cnode_strdup(r->tree, key, strlen(key));
		if (!key)
			return -ENOMEM;
	}
	e = cnode_add(&n, r->tree, parent, parent ? key : NULL);
	if (e)
		return e;
	file = lctext_place(r->text, config_setting_source_line(s), &n->line);
	n->file = keep_name(r, file);
	if (!n->file)
		return -ENOMEM;
	if (!config_setting_is_aggregate(s))
		return read_scalar(r, n, s);
	n->type = config_setting_is_group(s) ? CNODE_GROUP : CNODE_LIST;
	for (int i = 0; !e && i < config_setting_length(s); i++)
		e = read_setting(r, n, config_setting_get_elem(s, (unsigned)i));
	return e;
}

int cnode_read_libconfig(struct cnode_tree *t, const struct lctext *text,
                         struct conf_problems *problems)
{
	struct reader r = {.tree = t, .text = text, .problems = problems};
	config_t config;
	unsigned line;
	const char *file;
	int e;

	config_init(&config);
	if (config_read_string(&config, buf_str(&text->out))) {
		e = read_setting(&r, NULL, config_root_setting(&config));
	} else {
		file = lctext_place(text, (unsigned)config_error_line(&config), &line);
		problems_add(problems, false, file, line, "%s", config_error_text(&config));
		e = 1;
	}
	config_destroy(&config);
	if (e == -E2BIG) {
		problems_add(problems, false, t->root->file, 0, "too many values");
		e = 1;
	}
	return e ? e : r.bad;
}
