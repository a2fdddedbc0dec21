/*
 * Fuzzes rules: a line for each channel, its name and, behind a tab, its regex
 */

#include "ncserver/route/rules.h"
#include "t/fuzz/fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define N_MAX 16

static size_t split(struct rules_in *in, char *text)
{
	size_t n = 0;

	for (char *line = strsep(&text, "\n"); line && n < N_MAX; line = strsep(&text, "\n")) {
		char *regex = line;

		in[n].name = strsep(&regex, "\t");
		in[n].regex = regex;
		n++;
	}
	return n;
}

static int has(const uint32_t *list, size_t n, size_t i)
{
	for (size_t j = 0; j < n; j++)
		if (list[j] == i)
			return 1;
	return 0;
}

/* Itself first, the others rising, nothing to or from control, and both tables of one mind. */
static void check(const struct rules *r, const struct rules_in *in, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t n_reach, n_sources;
		const uint32_t *reach = rules_reach(r, i, &n_reach);

		if (!n_reach || reach[0] != i || (!in[i].regex && n_reach > 1))
			abort();
		if (!strcmp(in[i].name, "control") && n_reach > 1)
			abort();
		for (size_t j = 1; j < n_reach; j++) {
			const uint32_t *sources = rules_sources(r, reach[j], &n_sources);

			if (reach[j] >= n || reach[j] == i || (j > 1 && reach[j] <= reach[j - 1]))
				abort();
			if (!strcmp(in[reach[j]].name, "control") || !has(sources, n_sources, i))
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = strndup((const char *)data, len);
	struct rules_error err = {.channel = SIZE_MAX};
	struct rules_in in[N_MAX];
	struct rules *rules;
	size_t n;
	int r;

	if (!text)
		abort();
	n = split(in, text);
	r = rules_new(&rules, in, n, &err);
	if (r == 0) {
		check(rules, in, n);
		rules_free(rules);
	} else if (r != 1 || err.channel >= n || !err.text[0]) {
		abort();
	}
	free(text);
	return 0;
}
