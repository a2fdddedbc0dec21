/* lctext.c - text in libconfig's format, made ready for libconfig
 *
 * One pass over the tokens. What is written to `out` has exactly one newline for each one read, so
 * that a place in it is found again by a short list of pieces, one more for each file that begins
 * or goes on. A string that spans lines is written in one, its newlines after it.
 *
 * What is not refused here is libconfig's to judge: this pass knows tokens and brackets, not the
 * grammar.
 */

#include "ncserver/conf/lctext.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ncserver/conf/lcpass.h"
#include "ncserver/conf/load.h"
#include "ncserver/conf/problem.h"

/* A file, or the text itself, in use until the end: names of keys point into it. */
struct lctext_file {
	struct lctext_file *next;
	char *name;
	char *text;
};

/* From line `out_line` of the result on, lines are those of `file` from `line` on. */
struct lctext_piece {
	unsigned out_line;
	const char *file;
	unsigned line;
};

void lcpass_complain(struct lcpass *ps, const struct lccursor *c, unsigned line, const char *fmt,
                     ...)
{
	va_list args;

	va_start(args, fmt);
	problems_vadd(ps->problems, false, c->file, line, fmt, args);
	va_end(args);
	ps->bad = true;
}

int lcpass_refuse(struct lcpass *ps, const struct lccursor *c, unsigned line, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	problems_vadd(ps->problems, false, c->file, line, fmt, args);
	va_end(args);
	return 1;
}

static int begin_piece(struct lcpass *ps, const struct lccursor *c)
{
	struct lctext *t = ps->t;
	struct lctext_piece *more = reallocarray(t->pieces, t->n_pieces + 1, sizeof(*t->pieces));

	if (!more)
		return -ENOMEM;
	t->pieces = more;
	t->pieces[t->n_pieces++] = (struct lctext_piece){ps->out_line, c->file, c->line};
	return 0;
}

int lcpass_put(struct lcpass *ps, const char *s, size_t len)
{
	int r = buf_append(&ps->t->out, s, len);

	assert(!memchr(s, '\n', len));
	return r;
}

int lcpass_put_newlines(struct lcpass *ps, unsigned n)
{
	int r = 0;

	for (; !r && n; n--) {
		r = buf_append_byte(&ps->t->out, '\n');
		ps->out_line++;
	}
	return r;
}

const struct lcscope *lcpass_inner(const struct lcpass *ps)
{
	return ps->depth ? &ps->scopes[ps->depth - 1] : NULL;
}

static int scan(struct lcpass *ps, struct lccursor *c);

/* Scans the included file, whose path is read. */
static int scan_file(struct lcpass *ps, struct lctext_file *f, size_t len)
{
	struct lccursor c = {f->text, f->text + len, f->name, 1};
	int r;

	if (!load_is_text(f->text, len, f->name, ps->problems)) {
		ps->bad = true;
		return 0;
	}
	r = begin_piece(ps, &c);
	if (!r)
		r = scan(ps, &c);
	return r;
}

static int include(struct lcpass *ps, const struct lccursor *c, const char *path)
{
	struct lctext_file *f = calloc(1, sizeof(*f));
	struct load_place place = {c->file, c->line};
	struct buf text;
	size_t len;
	int r;

	if (!f)
		return -ENOMEM;
	f->next = ps->t->files;
	ps->t->files = f;
	f->name = strdup(path);
	if (!f->name)
		return -ENOMEM;
	buf_init(&text, CONF_TEXT_MAX);
	r = load_file(&text, path, true, ps->in->euid, &place, ps->problems);
	f->text = (char *)buf_steal(&text, &len);
	if (r < 0)
		return r;
	if (r)
		ps->bad = true;
	return r || !len ? 0 : scan_file(ps, f, len);
}

/* The path that `name`, in the file of the cursor, means: malloc'ed. */
static char *resolve(const struct lccursor *c, const char *name, size_t len)
{
	const char *slash = strrchr(c->file, '/');
	size_t dir_len = *name == '/' || !slash ? 0 : (size_t)(slash - c->file) + 1;
	char *path = malloc(dir_len + len + 1);

	if (path) {
		memcpy(path, c->file, dir_len);
		memcpy(path + dir_len, name, len);
		path[dir_len + len] = 0;
	}
	return path;
}

int lcpass_include(struct lcpass *ps, struct lccursor *c)
{
	const char *name = c->p + strlen("@include"), *end;
	char *path;
	int r;

	while (name < c->end && (*name == ' ' || *name == '\t'))
		name++;
	end = name < c->end && *name == '"' ? memchr(name + 1, '"', (size_t)(c->end - name - 1))
	                                    : NULL;
	if (!end || memchr(name, '\n', (size_t)(end - name)))
		return lcpass_refuse(ps, c, c->line, "@include wants the name of a file in quotes");
	if (!ps->in->may_include)
		return lcpass_refuse(ps, c, c->line,
		                     "@include is refused: a text that was sent opens no file");
	if (ps->n_open >= LCTEXT_INCLUDE_MAX)
		return lcpass_refuse(ps, c, c->line, "@include: more than %u files in one another",
		                     LCTEXT_INCLUDE_MAX);
	if (ps->n_files++ >= LCTEXT_FILES_MAX)
		return lcpass_refuse(ps, c, c->line, "@include: more than %u files",
		                     LCTEXT_FILES_MAX);
	path = resolve(c, name + 1, (size_t)(end - name - 1));
	if (!path)
		return -ENOMEM;
	ps->n_open++;
	r = include(ps, c, path);
	ps->n_open--;
	free(path);
	c->p = end + 1;
	if (!r)
		r = lcpass_put_newlines(ps, 1);
	return r ? r : begin_piece(ps, c);
}

/* Returns 0; 1 after an error that makes the rest meaningless; -ENOMEM. */
static int scan(struct lcpass *ps, struct lccursor *c)
{
	int r = 0;

	while (!r && c->p < c->end)
		r = lcpass_token(ps, c);
	if (r == -EMSGSIZE)
		return lcpass_refuse(ps, c, c->line, "too much text");
	return r;
}

int lctext_read(struct lctext *t, const struct lctext_in *in, struct conf_problems *problems)
{
	struct lcpass ps = {.t = t, .problems = problems, .in = in, .out_line = 1};
	struct lccursor c = {in->text, in->text + in->len, in->name, 1};
	int r;

	*t = (struct lctext){0};
	/* integers grow: "0x1" becomes "1L", and "1," at most "1L," */
	buf_init(&t->out, 4 * (size_t)CONF_TEXT_MAX);
	r = begin_piece(&ps, &c);
	if (!r)
		r = scan(&ps, &c);
	if (!r && ps.depth) {
		const struct lcscope *s = lcpass_inner(&ps);

		problems_add(problems, false, s->file, s->line, "'%c' is never closed", s->bracket);
		r = 1;
	}
	free(ps.keys);
	return r ? r : ps.bad;
}

void lctext_fini(struct lctext *t)
{
	while (t->files) {
		struct lctext_file *next = t->files->next;

		free(t->files->name);
		free(t->files->text);
		free(t->files);
		t->files = next;
	}
	free(t->pieces);
	buf_fini(&t->out);
}

const char *lctext_place(const struct lctext *t, unsigned out_line, unsigned *line)
{
	size_t i = t->n_pieces - 1;

	while (i && t->pieces[i].out_line > out_line)
		i--;
	*line = t->pieces[i].line;
	if (out_line > t->pieces[i].out_line)
		*line += out_line - t->pieces[i].out_line;
	return t->pieces[i].file;
}
