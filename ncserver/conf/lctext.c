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

#include "ncserver/conf/cnode.h"
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

enum token {
	T_NONE,
	T_NAME,
	T_ASSIGN,
	T_VALUE,
	T_STRING,
	T_OPEN,
	T_COMMA,
	T_END,
};

struct scope {
	char bracket;
	const char *file;
	unsigned line;
	size_t first_key;
};

struct key {
	const char *s;
	size_t len;
	const char *file;
	unsigned line;
};

/* The state of the pass, over all files. */
struct pass {
	struct lctext *t;
	struct conf_problems *problems;
	const struct lctext_in *in;
	unsigned out_line;
	size_t n_values;
	enum token last;
	struct key name; /* while `last` is T_NAME */
	struct scope scopes[CONF_DEPTH_MAX];
	size_t depth;
	struct key *keys; /* of all scopes that are open */
	size_t n_keys;
	size_t keys_cap;
	unsigned n_files; /* open now */
	bool bad;
};

/* Where the pass stands in one file. */
struct cursor {
	const char *p;
	const char *end;
	const char *file;
	unsigned line;
};

static void complain(struct pass *ps, const struct cursor *c, unsigned line, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));
static int refuse(struct pass *ps, const struct cursor *c, unsigned line, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));

/* Reports an error behind which the pass goes on. */
static void complain(struct pass *ps, const struct cursor *c, unsigned line, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	problems_vadd(ps->problems, false, c->file, line, fmt, args);
	va_end(args);
	ps->bad = true;
}

/* Reports an error that ends the pass: what would follow is not worth reporting. */
static int refuse(struct pass *ps, const struct cursor *c, unsigned line, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	problems_vadd(ps->problems, false, c->file, line, fmt, args);
	va_end(args);
	return 1;
}

static int begin_piece(struct pass *ps, const struct cursor *c)
{
	struct lctext *t = ps->t;
	struct lctext_piece *more = reallocarray(t->pieces, t->n_pieces + 1, sizeof(*t->pieces));

	if (!more)
		return -ENOMEM;
	t->pieces = more;
	t->pieces[t->n_pieces++] = (struct lctext_piece){ps->out_line, c->file, c->line};
	return 0;
}

static int put(struct pass *ps, const char *s, size_t len)
{
	int r = buf_append(&ps->t->out, s, len);

	assert(!memchr(s, '\n', len));
	return r;
}

static int put_newlines(struct pass *ps, unsigned n)
{
	int r = 0;

	for (; !r && n; n--) {
		r = buf_append_byte(&ps->t->out, '\n');
		ps->out_line++;
	}
	return r;
}

static struct scope *inner(struct pass *ps)
{
	return ps->depth ? &ps->scopes[ps->depth - 1] : NULL;
}

static bool in_list(struct pass *ps)
{
	const struct scope *s = inner(ps);

	return s && s->bracket != '{';
}

/* Whether a value may come now. */
static bool value_fits(struct pass *ps)
{
	return ps->last == T_ASSIGN || (in_list(ps) && (ps->last == T_OPEN || ps->last == T_COMMA));
}

static int count_value(struct pass *ps, const struct cursor *c)
{
	if (++ps->n_values <= CNODE_MAX)
		return 0;
	return refuse(ps, c, c->line, "too many values");
}

/* Notes the key whose '=' has come; a group must not have it yet. */
static int add_key(struct pass *ps, const struct cursor *c)
{
	const struct scope *s = inner(ps);
	size_t first = s ? s->first_key : 0;

	if (ps->n_keys - first >= CNODE_KEYS_MAX)
		return refuse(ps, c, c->line, "more than %u keys in one group", CNODE_KEYS_MAX);
	for (size_t i = first; i < ps->n_keys; i++) {
		const struct key *k = &ps->keys[i];

		if (k->len != ps->name.len || memcmp(k->s, ps->name.s, k->len))
			continue;
		if (k->file == ps->name.file)
			complain(ps, c, ps->name.line, "%.*s: stands twice, first in line %u",
			         (int)k->len, k->s, k->line);
		else
			complain(ps, c, ps->name.line, "%.*s: stands twice, first in %s:%u",
			         (int)k->len, k->s, k->file, k->line);
		return 0;
	}
	if (ps->n_keys == ps->keys_cap) {
		size_t cap = ps->keys_cap ? 2 * ps->keys_cap : 64;
		struct key *more = reallocarray(ps->keys, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		ps->keys = more;
		ps->keys_cap = cap;
	}
	ps->keys[ps->n_keys++] = ps->name;
	return 0;
}

static int on_open(struct pass *ps, struct cursor *c)
{
	if (ps->depth == CONF_DEPTH_MAX)
		return refuse(ps, c, c->line, "nested too deeply");
	ps->scopes[ps->depth++] = (struct scope){*c->p, c->file, c->line, ps->n_keys};
	ps->last = T_OPEN;
	return count_value(ps, c);
}

static int on_close(struct pass *ps, struct cursor *c)
{
	const struct scope *s = inner(ps);
	char partner = *c->p == '}' ? '{' : *c->p == ']' ? '[' : '(';

	if (!s)
		return refuse(ps, c, c->line, "'%c' closes nothing", *c->p);
	if (s->bracket != partner)
		return refuse(ps, c, c->line, "'%c' closes the '%c' of line %u", *c->p, s->bracket,
		              s->line);
	ps->n_keys = s->first_key;
	ps->depth--;
	ps->last = T_END;
	return 0;
}

static int on_punctuation(struct pass *ps, struct cursor *c)
{
	int r = 0;

	switch (*c->p) {
	case '{':
	case '[':
	case '(': r = on_open(ps, c); break;
	case '}':
	case ']':
	case ')': r = on_close(ps, c); break;
	case '=':
	case ':':
		if (ps->last == T_NAME)
			r = add_key(ps, c);
		ps->last = T_ASSIGN;
		break;
	case ',': ps->last = T_COMMA; break;
	default: ps->last = T_END; break;
	}
	if (r)
		return r;
	return put(ps, c->p++, 1);
}

/* A comment has become nothing, or newlines. */
static int on_comment(struct pass *ps, struct cursor *c)
{
	unsigned line = c->line, n = 0;

	if (*c->p == '#' || c->p[1] == '/') {
		while (c->p < c->end && *c->p != '\n')
			c->p++;
		return 0;
	}
	for (c->p += 2; c->end - c->p >= 2 && memcmp(c->p, "*/", 2); c->p++)
		n += *c->p == '\n';
	if (c->end - c->p < 2)
		return refuse(ps, c, line, "a comment without an end");
	c->p += 2;
	c->line += n;
	/* two tokens that only a comment parts stay two */
	return n ? put_newlines(ps, n) : put(ps, " ", 1);
}

/* Whether the escape at p, behind which at least one byte stands, is one of libconfig's. */
static bool is_escape(const char *p, const char *end)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	if (p[1] != 'x')
		return p[1] && strchr("abfnrtv\\\"", p[1]);
	return end - p > 3 && p[2] && strchr(hex, p[2]) && p[3] && strchr(hex, p[3]) &&
	       memcmp(p + 2, "00", 2) != 0;
}

static int put_string_byte(struct pass *ps, struct cursor *c, unsigned *n_lines)
{
	size_t len = 1;

	if (*c->p == '\n') {
		(*n_lines)++;
		c->p++;
		return put(ps, "\\n", 2);
	}
	if (*c->p == '\\') {
		if (c->end - c->p < 2 || !is_escape(c->p, c->end))
			complain(ps, c, c->line + *n_lines,
			         "an unknown escape in a string (a backslash is \"\\\\\")");
		len = c->end - c->p < 2 ? 1 : 2;
		if (len == 2 && c->p[1] == '\n')
			len = 1;
	}
	c->p += len;
	return put(ps, c->p - len, len);
}

static int on_string(struct pass *ps, struct cursor *c)
{
	unsigned n_lines = 0;
	int r;

	if (!value_fits(ps) && ps->last != T_STRING)
		return refuse(
		        ps, c, c->line,
		        "a string where none may stand (a key has no quotes; or is a ';' or ',' missing?)");
	r = ps->last == T_STRING ? 0 : count_value(ps, c);
	ps->last = T_STRING;
	if (!r)
		r = put(ps, c->p++, 1);
	while (!r && c->p < c->end && *c->p != '"')
		r = put_string_byte(ps, c, &n_lines);
	if (r)
		return r;
	if (c->p == c->end)
		return refuse(ps, c, c->line, "a string without an end");
	c->line += n_lines;
	r = put(ps, c->p++, 1);
	return r ? r : put_newlines(ps, n_lines);
}

/* Bytes that names and numbers are made of. */
static size_t word_len(const struct cursor *c)
{
	size_t n = 0;

	while (c->p + n < c->end && c->p[n] &&
	       strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.*",
	              c->p[n]))
		n++;
	return n;
}

/* Reads [+-]?digits or 0xdigits, either with L or LL. Returns 0, or 1 when it is none, or
 * -ERANGE. */
static int parse_integer(int64_t *out, const char *s)
{
	int base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;
	char *end;

	errno = 0;
	*out = strtoll(s, &end, base);
	if (end == s || (base == 16 && end < s + 3))
		return 1;
	if (*end == 'L')
		end += end[1] == 'L' ? 2 : 1;
	if (*end)
		return 1;
	return errno == ERANGE ? -ERANGE : 0;
}

/* libconfig's floats have a point or an exponent. */
static bool is_float(const char *s)
{
	size_t whole, part = 0;

	s += *s == '-' || *s == '+';
	s += whole = strspn(s, "0123456789");
	if (*s == '.')
		s += part = 1 + strspn(s + 1, "0123456789");
	if (!part && !whole)
		return false;
	if (*s != 'e' && *s != 'E')
		return part && !*s;
	s++;
	s += *s == '-' || *s == '+';
	return *s && !s[strspn(s, "0123456789")];
}

static int on_number(struct pass *ps, const struct cursor *c, const char *word)
{
	int64_t value;
	int r = parse_integer(&value, word);

	ps->last = T_VALUE;
	if (!r)
		return buf_printf(&ps->t->out, "%lldL", (long long)value);
	if (is_float(word))
		return put(ps, word, strlen(word));
	if (r == -ERANGE)
		complain(ps, c, c->line, "%s: a number beyond 64 bits", word);
	else
		complain(
		        ps, c, c->line,
		        "%s: neither a number nor a name, which begins with a letter (a channel of "
		        "that name goes into a list: channels = ( { name = \"%s\"; } ))",
		        word, word);
	return 0;
}

static int on_name(struct pass *ps, const struct cursor *c, const char *word)
{
	ps->name = (struct key){c->p, strlen(word), c->file, c->line};
	if (!value_fits(ps)) {
		ps->last = T_NAME;
		return put(ps, word, strlen(word));
	}
	ps->last = T_VALUE;
	if (!strcasecmp(word, "true") || !strcasecmp(word, "false"))
		return put(ps, word, strlen(word));
	complain(ps, c, c->line,
	         "%s: a bare word (text stands in quotes, and what is on or off is true or false)",
	         word);
	return 0;
}

static bool is_name(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ*";

	return strchr(letters, *s) && !strpbrk(s, "+.");
}

static int on_word(struct pass *ps, struct cursor *c)
{
	size_t len = word_len(c);
	char word[256];
	int r = 0;

	if (len >= sizeof(word))
		return refuse(ps, c, c->line, "a word of %zu characters", len);
	memcpy(word, c->p, len);
	word[len] = 0;
	if (value_fits(ps))
		r = count_value(ps, c);
	if (!r)
		r = is_name(word) ? on_name(ps, c, word) : on_number(ps, c, word);
	c->p += len;
	return r;
}

static int scan(struct pass *ps, struct cursor *c);

/* Scans the included file, whose path is read. */
static int scan_file(struct pass *ps, struct lctext_file *f, size_t len)
{
	struct cursor c = {f->text, f->text + len, f->name, 1};
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

static int include(struct pass *ps, const struct cursor *c, const char *path)
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
static char *resolve(const struct cursor *c, const char *name, size_t len)
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

/* Reads the name behind @include and the file of that name. */
static int on_include(struct pass *ps, struct cursor *c)
{
	const char *name = c->p + strlen("@include"), *end;
	char *path;
	int r;

	while (name < c->end && (*name == ' ' || *name == '\t'))
		name++;
	end = name < c->end && *name == '"' ? memchr(name + 1, '"', (size_t)(c->end - name - 1))
	                                    : NULL;
	if (!end || memchr(name, '\n', (size_t)(end - name)))
		return refuse(ps, c, c->line, "@include wants the name of a file in quotes");
	if (!ps->in->may_include)
		return refuse(ps, c, c->line,
		              "@include is refused: a text that was sent opens no file");
	if (ps->n_files >= LCTEXT_INCLUDE_MAX)
		return refuse(ps, c, c->line, "@include: more than %u files in one another",
		              LCTEXT_INCLUDE_MAX);
	path = resolve(c, name + 1, (size_t)(end - name - 1));
	if (!path)
		return -ENOMEM;
	ps->n_files++;
	r = include(ps, c, path);
	ps->n_files--;
	free(path);
	c->p = end + 1;
	if (!r)
		r = put_newlines(ps, 1);
	return r ? r : begin_piece(ps, c);
}

static bool begins(const struct cursor *c, const char *s)
{
	size_t len = strlen(s);

	return (size_t)(c->end - c->p) >= len && !memcmp(c->p, s, len);
}

static int scan_token(struct pass *ps, struct cursor *c)
{
	if (*c->p == '\n') {
		c->p++;
		c->line++;
		return put_newlines(ps, 1);
	}
	if (strchr(" \t\r\f", *c->p))
		return put(ps, (c->p++, " "), 1);
	if (*c->p == '#' || begins(c, "//") || begins(c, "/*"))
		return on_comment(ps, c);
	if (*c->p == '"')
		return on_string(ps, c);
	if (strchr("{}[]()=:,;", *c->p))
		return on_punctuation(ps, c);
	if (begins(c, "@include"))
		return on_include(ps, c);
	if (word_len(c))
		return on_word(ps, c);
	return refuse(ps, c, c->line, "a character that means nothing here: '%c'", *c->p);
}

/* Returns 0; 1 after an error that makes the rest meaningless; -ENOMEM. */
static int scan(struct pass *ps, struct cursor *c)
{
	int r = 0;

	while (!r && c->p < c->end)
		r = scan_token(ps, c);
	if (r == -EMSGSIZE)
		return refuse(ps, c, c->line, "too much text");
	return r;
}

int lctext_read(struct lctext *t, const struct lctext_in *in, struct conf_problems *problems)
{
	struct pass ps = {.t = t, .problems = problems, .in = in, .out_line = 1};
	struct cursor c = {in->text, in->text + in->len, in->name, 1};
	int r;

	*t = (struct lctext){0};
	/* integers grow, and a tab at most becomes a blank */
	buf_init(&t->out, 4 * (size_t)CONF_TEXT_MAX);
	r = begin_piece(&ps, &c);
	if (!r)
		r = scan(&ps, &c);
	if (!r && ps.depth) {
		const struct scope *s = inner(&ps);

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
