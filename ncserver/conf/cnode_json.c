/* cnode_json.c - reads a configuration in netcluster's format: JSON with comments
 *
 * A walk of yajl's events onto the tree. Lines come from the bytes that yajl has consumed; a token
 * holds no newline, so that they are exact. A key that stands twice is reported with both lines,
 * and reading goes on; what is too deep, too much or not JSON ends it.
 */

#include "ncserver/conf/cnode.h"

#include <errno.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "ncserver/conf/problem.h"

struct reader {
	struct cnode_tree *tree;
	struct conf_problems *problems;
	const char *text;
	const char *name; /* in the tree's memory */
	yajl_handle yajl;
	size_t seen; /* bytes whose newlines are in `line` */
	unsigned line;
	const char *key; /* of the value to come */
	struct cnode *open[CONF_DEPTH_MAX];
	size_t depth;
	int result; /* why reading was ended; 1: a problem was added */
	bool bad;   /* a problem was added, and reading went on */
};

static unsigned line_now(struct reader *r)
{
	size_t now = yajl_get_bytes_consumed(r->yajl);

	for (; r->seen < now; r->seen++)
		r->line += r->text[r->seen] == '\n';
	return r->line;
}

/* Ends reading with an error. */
static int refuse(struct reader *r, const char *why)
{
	problems_add(r->problems, false, r->name, line_now(r), "%s", why);
	r->result = 1;
	return 0;
}

/* Adds a value of the type, in the innermost open group or list, as *out. Returns what yajl wants:
 * whether to go on. */
static int add(struct cnode **out, struct reader *r, enum cnode_type type)
{
	struct cnode *parent = r->depth ? r->open[r->depth - 1] : NULL;
	int e = cnode_add(out, r->tree, parent, r->key);

	if (e == -E2BIG)
		return refuse(r, "too many values");
	if (e) {
		r->result = e;
		return 0;
	}
	r->key = NULL;
	(*out)->type = type;
	(*out)->file = r->name;
	(*out)->line = line_now(r);
	return 1;
}

static int on_null(void *ctx)
{
	struct cnode *n;

	return add(&n, ctx, CNODE_NULL);
}

static int on_boolean(void *ctx, int value)
{
	struct cnode *n;

	if (!add(&n, ctx, CNODE_BOOL))
		return 0;
	n->boolean = value;
	return 1;
}

static int on_integer(void *ctx, long long value)
{
	struct cnode *n;

	if (!add(&n, ctx, CNODE_INT))
		return 0;
	n->integer = value;
	return 1;
}

static int on_double(void *ctx, double value)
{
	struct cnode *n;

	if (!add(&n, ctx, CNODE_DOUBLE))
		return 0;
	n->number = value;
	return 1;
}

/* Copies a string or a key; NULL after ending the reading. */
static char *copy(struct reader *r, const unsigned char *s, size_t len)
{
	char *p;

	if (memchr(s, 0, len)) {
		refuse(r, "a string with \\u0000 in it");
		return NULL;
	}
	p = cnode_strdup(r->tree, (const char *)s, len);
	if (!p)
		r->result = -ENOMEM;
	return p;
}

static int on_string(void *ctx, const unsigned char *s, size_t len)
{
	struct reader *r = ctx;
	char *p = copy(r, s, len);
	struct cnode *n;

	if (!p || !add(&n, r, CNODE_STRING))
		return 0;
	n->string = p;
	return 1;
}

static int on_key(void *ctx, const unsigned char *s, size_t len)
{
	struct reader *r = ctx;
	char *p = copy(r, s, len);
	const struct cnode *before;

	if (!p)
		return 0;
	before = cnode_get(r->open[r->depth - 1], p);
	if (before) {
		problems_add(r->problems, false, r->name, line_now(r),
		             "%s: stands twice, first in line %u", p, before->line);
		r->bad = true;
	}
	r->key = p;
	return 1;
}

static int open_one(struct reader *r, enum cnode_type type)
{
	struct cnode *n;

	if (r->depth >= CONF_DEPTH_MAX)
		return refuse(r, "nested too deeply");
	if (!add(&n, r, type))
		return 0;
	r->open[r->depth++] = n;
	return 1;
}

static int on_open_group(void *ctx)
{
	return open_one(ctx, CNODE_GROUP);
}

static int on_open_list(void *ctx)
{
	return open_one(ctx, CNODE_LIST);
}

static int on_close(void *ctx)
{
	struct reader *r = ctx;

	r->depth--;
	return 1;
}

/* yajl says "parse error: trailing garbage\n" and the like. */
static void report_syntax(struct reader *r)
{
	unsigned char *text = yajl_get_error(r->yajl, 0, NULL, 0);

	if (!text) {
		r->result = -ENOMEM;
		return;
	}
	text[strcspn((char *)text, "\n")] = 0;
	refuse(r, (char *)text);
	yajl_free_error(r->yajl, text);
}

int cnode_read_json(struct cnode_tree *t, const char *text, size_t len, const char *name,
                    struct conf_problems *problems)
{
	static const yajl_callbacks callbacks = {
	        .yajl_null = on_null,
	        .yajl_boolean = on_boolean,
	        .yajl_integer = on_integer,
	        .yajl_double = on_double,
	        .yajl_string = on_string,
	        .yajl_start_map = on_open_group,
	        .yajl_map_key = on_key,
	        .yajl_end_map = on_close,
	        .yajl_start_array = on_open_list,
	        .yajl_end_array = on_close,
	};
	struct reader r = {.tree = t, .problems = problems, .text = text, .line = 1};
	yajl_status status;

	r.name = cnode_strdup(t, name, strlen(name));
	r.yajl = yajl_alloc(&callbacks, NULL, &r);
	if (!r.name || !r.yajl) {
		if (r.yajl)
			yajl_free(r.yajl);
		return -ENOMEM;
	}
	yajl_config(r.yajl, yajl_allow_comments, 1);
	status = yajl_parse(r.yajl, (const unsigned char *)text, len);
	if (status == yajl_status_ok) {
		/* what is missing at the end is missing in the last line */
		line_now(&r);
		r.seen = SIZE_MAX;
		status = yajl_complete_parse(r.yajl);
	}
	if (status == yajl_status_error)
		report_syntax(&r);
	yajl_free(r.yajl);
	return r.result ? r.result : r.bad;
}
