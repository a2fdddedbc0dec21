/* schema.c - the walk over groups by their tables of keys
 *
 * Every member of a group is looked at, whatever is wrong with others, so that all errors come at
 * once. A key is read in the order of its table, not of the file.
 */

#include "ncserver/conf/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ncserver/conf/printer.h"
#include "ncserver/conf/problem.h"
#include "ncserver/conf/suggest.h"

static void *at_offset(void *base, const struct schema_key *k)
{
	return (char *)base + k->offset;
}

static const void *at_const(const void *base, const struct schema_key *k)
{
	return (const char *)base + k->offset;
}

size_t walk_enter(struct walk *w, const char *name)
{
	size_t mark = w->path_len;
	int n = snprintf(w->path + mark, sizeof(w->path) - mark, "%s%s", mark ? "." : "",
	                 *name ? name : "\"\"");

	w->path_len += (size_t)n;
	if (w->path_len >= sizeof(w->path))
		w->path_len = sizeof(w->path) - 1;
	return mark;
}

void walk_leave(struct walk *w, size_t mark)
{
	w->path_len = mark;
	w->path[mark] = 0;
}

static void add(struct walk *w, bool warning, const struct cnode *n, const char *fmt, va_list args)
        __attribute__((format(printf, 4, 0)));

static void add(struct walk *w, bool warning, const struct cnode *n, const char *fmt, va_list args)
{
	char text[PROBLEM_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, args);
	problems_add(w->problems, warning, n->file, n->line, "%s%s%s", w->path,
	             w->path_len ? ": " : "", text);
}

void walk_error(struct walk *w, const struct cnode *n, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(w, false, n, fmt, args);
	va_end(args);
}

void walk_warn(struct walk *w, const struct cnode *n, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(w, true, n, fmt, args);
	va_end(args);
}

void walk_error_type(struct walk *w, const struct cnode *n, const char *expects)
{
	char found[128];

	cnode_describe(n, found, sizeof(found));
	walk_error(w, n, "expected %s, found %s", expects, found);
}

static const struct schema_key *find(const struct schema *s, const char *name)
{
	for (size_t i = 0; i < s->n_keys; i++)
		if (!strcmp(s->keys[i].name, name))
			return &s->keys[i];
	return NULL;
}

static const char *nearest(const struct schema *s, const char *name)
{
	const char *best = NULL;
	unsigned best_rank = SUGGEST_NONE;

	for (size_t i = 0; i < s->n_keys; i++) {
		unsigned rank = suggest_rank(name, s->keys[i].name);

		if (rank < best_rank) {
			best = s->keys[i].name;
			best_rank = rank;
		}
	}
	return best;
}

/* Another group that has a key of that name: the person knows the key, and not its place. */
static const struct schema *other_home(const struct schema *s, const char *name)
{
	static const struct schema *const all[] = {&schema_top, &schema_channel, &schema_quota};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i] != s && find(all[i], name))
			return all[i];
	return NULL;
}

static void report_unknown(struct walk *w, const struct schema *s, const struct cnode *n)
{
	const char *near = nearest(s, n->key);
	const struct schema *home = other_home(s, n->key);

	if (home)
		walk_error(w, n, "unknown key here; it belongs into %s", home->name);
	else if (near)
		walk_error(w, n, "unknown key; did you mean \"%s\"?", near);
	else
		walk_error(w, n, "unknown key");
}

static int read_member(struct walk *w, const struct schema_key *k, const struct cnode *n,
                       void *base)
{
	size_t mark = walk_enter(w, k->name);
	int r = k->type->read(w, k, n, at_offset(base, k));

	walk_leave(w, mark);
	return r;
}

static int read_members(struct walk *w, const struct schema *s, const struct cnode *group,
                        void *base, bool late)
{
	int r = 0;

	for (size_t i = 0; !r && i < s->n_keys; i++) {
		const struct schema_key *k = &s->keys[i];
		const struct cnode *n = k->late == late ? cnode_get(group, k->name) : NULL;

		if (n)
			r = read_member(w, k, n, base);
	}
	return r;
}

int schema_read(struct walk *w, const struct schema *s, const struct cnode *group, void *base)
{
	for (const struct cnode *n = group->first; n; n = n->next) {
		size_t mark = walk_enter(w, n->key);

		if (!find(s, n->key))
			report_unknown(w, s, n);
		walk_leave(w, mark);
	}
	return read_members(w, s, group, base, false);
}

int schema_read_late(struct walk *w, const struct schema *s, const struct cnode *group, void *base)
{
	return read_members(w, s, group, base, true);
}

void schema_preset(const struct schema *s, void *base)
{
	for (size_t i = 0; i < s->n_keys; i++)
		if (s->keys[i].type->preset)
			s->keys[i].type->preset(&s->keys[i], at_offset(base, &s->keys[i]));
}

void schema_print(struct printer *p, const struct schema *s, const void *base)
{
	for (size_t i = 0; i < s->n_keys; i++)
		s->keys[i].type->print(p, &s->keys[i], at_const(base, &s->keys[i]));
}

bool schema_equal(const struct schema *s, const void *a, const void *b)
{
	for (size_t i = 0; i < s->n_keys; i++) {
		const struct schema_key *k = &s->keys[i];

		if (!k->type->equal(k, at_const(a, k), at_const(b, k)))
			return false;
	}
	return true;
}

void schema_fini(const struct schema *s, void *base)
{
	for (size_t i = 0; i < s->n_keys; i++)
		if (s->keys[i].type->fini)
			s->keys[i].type->fini(&s->keys[i], at_offset(base, &s->keys[i]));
}
