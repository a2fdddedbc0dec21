/* problem.c - collecting what is wrong with a configuration
 *
 * Problems are data, not output: whoever reads a configuration collects them all, and the caller
 * says where they go (stderr, the log, the answer to reloadconfig). The list is bounded; what is
 * beyond is counted, and an error is never lost from the count, not even without memory.
 *
 * Texts quote what a file or a client wrote, so that control characters are replaced here, once.
 */

#include "ncserver/conf/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libnc/base/buf.h"
#include "libnc/base/utf8.h"

/* Replaces control characters, and bytes that are not UTF-8: a name of a file, or a text that was
 * cut. */
static void make_harmless(char *s)
{
	size_t len = strlen(s), n;
	uint32_t c;

	for (; len; s += n, len -= n) {
		n = utf8_decode(s, len, &c);
		if (n && c >= 0x20 && (c < 0x7f || c > 0x9f))
			continue;
		n = n ? n : 1;
		memset(s, '?', n);
	}
}

static void free_problem(struct conf_problem *it)
{
	free(it->file);
	free(it->text);
}

/* Gives the place of the last warning up, if there is one: an error says why nothing works. */
static bool drop_warning(struct conf_problems *p)
{
	size_t i = p->n;

	while (i && !p->list[i - 1].warning)
		i--;
	if (!i)
		return false;
	free_problem(&p->list[i - 1]);
	memmove(&p->list[i - 1], &p->list[i], (p->n - i) * sizeof(*p->list));
	p->n--;
	p->n_more++;
	return true;
}

void problems_vadd(struct conf_problems *p, bool warning, const char *file, unsigned line,
                   const char *fmt, va_list args)
{
	char text[PROBLEM_TEXT_MAX];
	struct conf_problem new = {.warning = warning, .line = line};

	vsnprintf(text, sizeof(text), fmt, args);
	if (!warning)
		p->n_errors++;
	make_harmless(text);
	if (p->n < CONF_PROBLEMS_MAX || (!warning && drop_warning(p))) {
		new.file = strdup(file);
		new.text = strdup(text);
	}
	if (!new.file || !new.text) {
		free_problem(&new);
		p->n_more++;
		return;
	}
	make_harmless(new.file);
	p->list[p->n++] = new;
}

void problems_add(struct conf_problems *p, bool warning, const char *file, unsigned line,
                  const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	problems_vadd(p, warning, file, line, fmt, args);
	va_end(args);
}

static bool is_before(const struct conf_problem *a, const struct conf_problem *b)
{
	int r = strcmp(a->file, b->file);

	return r ? r < 0 : a->line < b->line;
}

void problems_sort(struct conf_problems *p)
{
	/* by insertion: stable, and there are never more than CONF_PROBLEMS_MAX */
	for (size_t i = 1; i < p->n; i++) {
		struct conf_problem it = p->list[i];
		size_t j = i;

		for (; j && is_before(&it, &p->list[j - 1]); j--)
			p->list[j] = p->list[j - 1];
		p->list[j] = it;
	}
}

int conf_problems_print(struct buf *out, const struct conf_problems *p)
{
	int r = 0;

	for (size_t i = 0; !r && i < p->n; i++) {
		const struct conf_problem *it = &p->list[i];
		const char *kind = it->warning ? "warning" : "error";

		if (it->line)
			r = buf_printf(out, "%s:%u: %s: %s\n", it->file, it->line, kind, it->text);
		else
			r = buf_printf(out, "%s: %s: %s\n", it->file, kind, it->text);
	}
	if (!r && p->n_more)
		r = buf_printf(out, "and %zu more\n", p->n_more);
	return r;
}

void conf_problems_fini(struct conf_problems *p)
{
	for (size_t i = 0; i < p->n; i++)
		free_problem(&p->list[i]);
	*p = (struct conf_problems){0};
}
