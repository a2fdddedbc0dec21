/* rules.c - which channels a channel's events reach
 *
 * The answer is two tables in compressed rows, made once by rules_new() and only read afterwards:
 * for each channel the channels that it reaches, and for each channel those that reach it. A regex
 * that several channels share is compiled and matched once.
 *
 * It refuses to guess: a regex that does not compile, or that passes the work allowed for one
 * match, makes no table at all.
 */

#include "ncserver/route/rules.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* KiB that one match may take from the heap. */
#define RULES_HEAP_LIMIT 1024u
/* Nesting of parentheses: the compiler recurses by it. */
#define RULES_NEST_LIMIT 64u

/* The indexes of row i are list[start[i]] .. list[start[i + 1] - 1]. */
struct rows {
	size_t *start;
	uint32_t *list;
};

struct rules {
	size_t n;
	struct rows reach;
	struct rows sources;
};

/* What compiling and matching need; made once for a whole table. */
struct matcher {
	pcre2_compile_context *compile;
	pcre2_match_context *match;
	pcre2_match_data *data;
};

static void matcher_fini(struct matcher *m)
{
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->match);
	pcre2_compile_context_free(m->compile);
}

static int matcher_init(struct matcher *m)
{
	m->compile = pcre2_compile_context_create(NULL);
	m->match = pcre2_match_context_create(NULL);
	/* nobody looks at groups: one pair holds the match as a whole */
	m->data = pcre2_match_data_create(1, NULL);
	if (!m->compile || !m->match || !m->data) {
		matcher_fini(m);
		return -ENOMEM;
	}
	pcre2_set_max_pattern_length(m->compile, RULES_REGEX_MAX);
	pcre2_set_parens_nest_limit(m->compile, RULES_NEST_LIMIT);
	pcre2_set_match_limit(m->match, RULES_MATCH_LIMIT);
	pcre2_set_depth_limit(m->match, RULES_DEPTH_LIMIT);
	pcre2_set_heap_limit(m->match, RULES_HEAP_LIMIT);
	return 0;
}

/* Compiles as JavaScript reads a regex, where PCRE2 has an option for it. Returns 0, 1 with *err
 * (but its channel) filled in, or -ENOMEM. */
static int compile(pcre2_code **out, struct matcher *m, const char *regex, struct rules_error *err)
{
	const uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_ALT_BSUX |
	                         PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS |
	                         PCRE2_DOLLAR_ENDONLY;
	PCRE2_UCHAR text[sizeof(err->text)];
	PCRE2_SIZE offset;
	int code;

	*out = pcre2_compile((PCRE2_SPTR)regex, PCRE2_ZERO_TERMINATED, options, &code, &offset,
	                     m->compile);
	if (*out)
		return 0;
	if (code == PCRE2_ERROR_HEAP_FAILED)
		return -ENOMEM;
	err->offset = offset == PCRE2_UNSET ? 0 : offset;
	if (strlen(regex) > RULES_REGEX_MAX) {
		err->offset = RULES_REGEX_MAX;
		snprintf(err->text, sizeof(err->text), "longer than %u bytes", RULES_REGEX_MAX);
		return 1;
	}
	if (pcre2_get_error_message(code, text, sizeof(text)) < 0)
		snprintf((char *)text, sizeof(text), "error %d", code);
	memcpy(err->text, text, sizeof(text));
	return 1;
}

static const char *limit_name(int code)
{
	switch (code) {
	case PCRE2_ERROR_MATCHLIMIT: return "match limit";
	case PCRE2_ERROR_DEPTHLIMIT: return "depth limit";
	case PCRE2_ERROR_HEAPLIMIT: return "heap limit";
	default: return NULL;
	}
}

/* Returns 0 and whether the name matches; 1 with *err (but its channel) filled in when that costs
 * too much; -ENOMEM. */
static int match(bool *matches, struct matcher *m, const pcre2_code *code, const char *name,
                 struct rules_error *err)
{
	const char *limit;
	int r = pcre2_match(code, (PCRE2_SPTR)name, strlen(name), 0, 0, m->data, m->match);

	*matches = r >= 0;
	if (r >= 0 || r == PCRE2_ERROR_NOMATCH)
		return 0;
	if (r == PCRE2_ERROR_NOMEMORY)
		return -ENOMEM;
	limit = limit_name(r);
	err->offset = 0;
	if (limit)
		snprintf(err->text, sizeof(err->text),
		         "too costly: hits the %s against the channel name \"%s\"", limit, name);
	else
		snprintf(err->text, sizeof(err->text),
		         "fails with PCRE2 error %d against the channel name \"%s\"", r, name);
	return 1;
}

int rules_check_regex(const char *regex, struct rules_error *err)
{
	struct matcher m;
	pcre2_code *code;
	int r = matcher_init(&m);

	if (r)
		return r;
	err->channel = 0;
	r = compile(&code, &m, regex, err);
	pcre2_code_free(code);
	matcher_fini(&m);
	return r;
}

/* Whether a rule may lead to or from this channel. */
static bool is_open(const char *name)
{
	return strcmp(name, "control") != 0;
}

/* Fills row[0 .. n - 1] with whether the regex of channel i matches the name of each, its own one
 * included. */
static int match_row(struct matcher *m, bool *row, const struct rules_in *in, size_t n, size_t i,
                     struct rules_error *err)
{
	pcre2_code *code;
	int r = compile(&code, m, in[i].regex, err);

	for (size_t j = 0; !r && j < n; j++)
		if (is_open(in[j].name))
			r = match(&row[j], m, code, in[j].name, err);
	pcre2_code_free(code);
	err->channel = i;
	return r;
}

/* The first channel up to i that has the regex of i. */
static size_t first_of(const struct rules_in *in, size_t i)
{
	size_t j = 0;

	while (j < i && (!in[j].regex || !is_open(in[j].name) || strcmp(in[j].regex, in[i].regex)))
		j++;
	return j;
}

/* Fills the square of n * n flags: whether the rule of channel i matches the name of channel j. */
static int match_all(bool *square, const struct rules_in *in, size_t n, struct rules_error *err)
{
	struct matcher m;
	int r = matcher_init(&m);

	if (r)
		return r;
	for (size_t i = 0; !r && i < n; i++) {
		size_t first;

		if (!in[i].regex || !is_open(in[i].name))
			continue;
		first = first_of(in, i);
		if (first == i)
			r = match_row(&m, square + i * n, in, n, i, err);
		else
			memcpy(square + i * n, square + first * n, n * sizeof(*square));
	}
	matcher_fini(&m);
	return r;
}

/* Whether events of channel i go to channel j; read along a column when `turned`. */
static bool leads(const bool *square, size_t n, size_t i, size_t j, bool turned)
{
	if (i == j)
		return false;
	return turned ? square[j * n + i] : square[i * n + j];
}

static int rows_init(struct rows *rows, const bool *square, size_t n, bool turned)
{
	size_t total = n, at = 0;

	for (size_t i = 0; i < n * n; i++)
		total += square[i];
	rows->start = calloc(n + 1, sizeof(*rows->start));
	rows->list = calloc(total + 1, sizeof(*rows->list));
	if (!rows->start || !rows->list)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		rows->start[i] = at;
		rows->list[at++] = (uint32_t)i;
		for (size_t j = 0; j < n; j++)
			if (leads(square, n, i, j, turned))
				rows->list[at++] = (uint32_t)j;
	}
	rows->start[n] = at;
	return 0;
}

static void rows_fini(struct rows *rows)
{
	free(rows->start);
	free(rows->list);
}

static const uint32_t *rows_get(const struct rows *rows, size_t i, size_t *n)
{
	*n = rows->start[i + 1] - rows->start[i];
	return rows->list + rows->start[i];
}

int rules_new(struct rules **out, const struct rules_in *in, size_t n, struct rules_error *err)
{
	/* one flag for each pair, only while the table is made */
	bool *square = n <= UINT16_MAX ? calloc(n * n + 1, sizeof(*square)) : NULL;
	struct rules *r = calloc(1, sizeof(*r));
	int result = -ENOMEM;

	if (square && r) {
		r->n = n;
		result = match_all(square, in, n, err);
		if (!result)
			result = rows_init(&r->reach, square, n, false);
		if (!result)
			result = rows_init(&r->sources, square, n, true);
	}
	free(square);
	if (result) {
		rules_free(r);
		return result;
	}
	*out = r;
	return 0;
}

void rules_free(struct rules *r)
{
	if (!r)
		return;
	rows_fini(&r->reach);
	rows_fini(&r->sources);
	free(r);
}

const uint32_t *rules_reach(const struct rules *r, size_t i, size_t *n)
{
	assert(i < r->n);
	return rows_get(&r->reach, i, n);
}

const uint32_t *rules_sources(const struct rules *r, size_t i, size_t *n)
{
	assert(i < r->n);
	return rows_get(&r->sources, i, n);
}
