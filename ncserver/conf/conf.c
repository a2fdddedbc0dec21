/* conf.c - from text to a configuration
 *
 * The order is always the same: text, tree, values by the tables of keys, what belongs together
 * (check.c). Each step goes on after errors as long as the next one can say something true, and a
 * configuration comes out only when there was none.
 */

#include "ncserver/conf/conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libnc/base/buf.h"
#include "ncserver/conf/check.h"
#include "ncserver/conf/cnode.h"
#include "ncserver/conf/defaults.h"
#include "ncserver/conf/groups.h"
#include "ncserver/conf/lctext.h"
#include "ncserver/conf/load.h"
#include "ncserver/conf/printer.h"
#include "ncserver/conf/problem.h"
#include "ncserver/conf/schema.h"

static void walk_init(struct walk *w, struct conf *c, const struct conf_env *env,
                      struct conf_problems *problems)
{
	*w = (struct walk){.problems = problems, .env = env, .conf = c};
	schema_preset(&schema_top, c);
}

/* Makes a configuration of a tree; NULL is an empty one. What is wrong with it goes to the
 * problems. */
static int build(struct conf **out, const struct cnode *root, const struct conf_env *env,
                 struct conf_problems *problems)
{
	struct conf *c = calloc(1, sizeof(*c));
	struct walk w;
	int r = 0;

	if (!c)
		return -ENOMEM;
	walk_init(&w, c, env, problems);
	if (root)
		r = schema_read(&w, &schema_top, root, c);
	if (!r)
		r = defaults_complete(&w);
	if (!r && root)
		r = schema_read_late(&w, &schema_top, root, c);
	if (!r)
		r = channels_add_control(&w);
	if (!r && root)
		r = check_all(&w, root);
	free(w.channel_nodes);
	if (r) {
		conf_free(c);
		return r;
	}
	*out = c;
	return 0;
}

/* What the text begins with, behind blanks and comments; 0 at its end. */
static char first_char(const char *p, const char *end)
{
	const char *stop;

	while (p < end) {
		if (isspace((unsigned char)*p)) {
			p++;
		} else if (*p == '#' || (end - p > 1 && p[0] == '/' && p[1] == '/')) {
			stop = memchr(p, '\n', (size_t)(end - p));
			p = stop ? stop : end;
		} else if (end - p > 1 && p[0] == '/' && p[1] == '*') {
			stop = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);
			p = stop ? stop + 2 : end;
		} else {
			return *p;
		}
	}
	return 0;
}

static int read_as_libconfig(struct cnode_tree *t, const struct lctext_in *in,
                             struct conf_problems *problems)
{
	struct lctext text;
	int r = lctext_read(&text, in, problems);

	if (!r)
		r = cnode_read_libconfig(t, &text, problems);
	lctext_fini(&text);
	return r;
}

/* Takes the mark that some editors put before UTF-8 off. */
static void skip_byte_order_mark(struct lctext_in *in)
{
	if (in->len >= 3 && !memcmp(in->text, "\xef\xbb\xbf", 3)) {
		in->text += 3;
		in->len -= 3;
	}
}

static int read_tree(struct cnode_tree *t, bool *is_json, struct lctext_in *in,
                     struct conf_problems *problems)
{
	char first;

	if (in->len > CONF_TEXT_MAX) {
		problems_add(problems, false, in->name, 0, "larger than 4 MiB");
		return 1;
	}
	if (!load_is_text(in->text, in->len, in->name, problems))
		return 1;
	skip_byte_order_mark(in);
	first = first_char(in->text, in->text + in->len);
	/* more likely a file that was cut off or not yet written than one that says nothing */
	if (!first) {
		problems_add(problems, false, in->name, 0,
		             "there is nothing in it (\"{}\" says: all as by default)");
		return 1;
	}
	/* no file in libconfig's format begins with a bracket */
	*is_json = first == '{' || first == '[';
	if (*is_json)
		return cnode_read_json(t, in->text, in->len, in->name, problems);
	return read_as_libconfig(t, in, problems);
}

/* Returns 0; 1 with errors in problems; -ENOMEM. */
static int parse(struct conf **out, struct lctext_in *in, const struct conf_env *env,
                 struct conf_problems *problems)
{
	struct conf_env without_kept = *env;
	struct cnode_tree tree;
	bool is_json = false;
	struct conf *c = NULL;
	int r;

	without_kept.socket_kept = without_kept.fifo_kept = NULL;
	cnode_tree_init(&tree);
	r = read_tree(&tree, &is_json, in, problems);
	if (!r && tree.root->type != CNODE_GROUP) {
		problems_add(problems, false, in->name, tree.root->line,
		             "a configuration is an object: { \"channels\": ... }");
		r = 1;
	}
	if (!r)
		r = build(&c, tree.root, is_json ? env : &without_kept, problems);
	cnode_tree_fini(&tree);
	problems_sort(problems);
	if (!r && problems->n_errors) {
		conf_free(c);
		r = 1;
	}
	if (!r) {
		c->is_json = is_json;
		*out = c;
	}
	return r;
}

int conf_parse(struct conf **out, const char *text, size_t len, const char *name,
               const struct conf_env *env, struct conf_problems *problems)
{
	struct lctext_in in = {.text = text, .len = len, .name = name};
	struct own_env own;

	env = defaults_env(&own, env);
	in.euid = env->uid;
	return parse(out, &in, env, problems);
}

static int read_text(struct conf **out, const struct buf *text, const char *path,
                     const struct conf_env *env, struct conf_problems *problems)
{
	struct lctext_in in = {
	        .text = buf_str(text),
	        .len = text->len,
	        .name = path,
	        .may_include = true,
	        .euid = env->uid,
	};
	int r = parse(out, &in, env, problems);

	if (r)
		return r;
	(*out)->file = strdup(path);
	if (!(*out)->file) {
		conf_free(*out);
		return -ENOMEM;
	}
	return 0;
}

int conf_read(struct conf **out, const char *path, const struct conf_env *env,
              struct conf_problems *problems)
{
	struct load_place place = {path, 0};
	struct own_env own;
	struct buf text;
	int r;

	env = defaults_env(&own, env);
	/* one more byte than is allowed, so that a file of just that size is read to its end */
	buf_init(&text, CONF_TEXT_MAX + 1);
	r = load_file(&text, path, false, env->uid, &place, problems);
	if (!r)
		r = read_text(out, &text, path, env, problems);
	buf_fini(&text);
	return r;
}

struct conf *conf_default(const struct conf_env *env)
{
	struct conf_problems problems = {0};
	struct own_env own;
	struct conf *c = NULL;

	env = defaults_env(&own, env);
	if (build(&c, NULL, env, &problems))
		c = NULL;
	conf_problems_fini(&problems);
	return c;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	schema_fini(&schema_top, c);
	free(c->file);
	free(c);
}

const struct conf_channel *conf_channel(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_channels; i++)
		if (!strcmp(c->channels[i].name, name))
			return &c->channels[i];
	return NULL;
}

static int print_json(struct buf *out, const struct conf *c, bool lines)
{
	struct printer p = {.out = out, .json = true, .lines = lines, .first = true, .conf = c};

	printer_open(&p, NULL, PRINTER_GROUP);
	schema_print(&p, &schema_top, c);
	printer_close(&p, NULL, PRINTER_GROUP);
	return p.err;
}

int conf_print_json(struct buf *out, const struct conf *c)
{
	return print_json(out, c, false);
}

int conf_print_json_lines(struct buf *out, const struct conf *c)
{
	return print_json(out, c, true);
}

int conf_print_libconfig(struct buf *out, const struct conf *c)
{
	struct printer p = {.out = out, .first = true, .conf = c};

	schema_print(&p, &schema_top, c);
	return p.err;
}

bool conf_equal(const struct conf *a, const struct conf *b)
{
	return schema_equal(&schema_top, a, b);
}

bool conf_needs_net(const struct conf *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n_channels; i++)
		any |= c->channels[i].net != CONF_NET_OFF &&
		       strcmp(c->channels[i].name, CONF_CONTROL) != 0;
	return any && c->connecttonet;
}

bool conf_channel_same_socket(const struct conf_channel *a, const struct conf_channel *b)
{
	return !strcmp(a->socket, b->socket);
}

bool conf_channel_equal(const struct conf_channel *a, const struct conf_channel *b)
{
	return schema_equal(&schema_channel, a, b);
}

const struct conf_quota *conf_quota_of(const struct conf *c, uid_t uid)
{
	for (size_t i = 0; i < c->n_overrides; i++)
		if (c->overrides[i].uid == uid)
			return &c->overrides[i].quota;
	return &c->quota;
}
